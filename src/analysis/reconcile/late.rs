//! How late each record came, by the watermarks that others might have used, and which lateness explains most.

use super::{
    case::{Case, NO_CELL, at},
    hypothesis::RecordSet,
    state::State,
    words::round_between,
};
use crate::{domain::Day, ingest::RawFlags};

/// What the end of a day is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum WatermarkKind {
    /// When the record reached the log.
    Arrival,
    /// The smallest over the partitions of the largest time read from each, as in ours.
    Combined,
    /// The largest time read from its own partition.
    Partition,
    /// The largest time read at all.
    Largest,
}

impl WatermarkKind {
    pub const ALL: [WatermarkKind; 4] =
        [WatermarkKind::Arrival, WatermarkKind::Combined, WatermarkKind::Partition, WatermarkKind::Largest];

    pub fn id(self) -> &'static str {
        match self {
            WatermarkKind::Arrival => "arrival",
            WatermarkKind::Combined => "watermark",
            WatermarkKind::Partition => "partition-watermark",
            WatermarkKind::Largest => "largest-time",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            WatermarkKind::Arrival => "by arrival time",
            WatermarkKind::Combined => "by the watermark over all partitions",
            WatermarkKind::Partition => "by the watermark of each partition",
            WatermarkKind::Largest => "by the largest event time read so far",
        }
    }
}

/// No time of one record can be compared: it is never late.
const NEVER: i64 = i64::MIN;
/// With more partitions the combined watermark is not tried.
const MOST_PARTITIONS: usize = 256;

/// By record, for how long its day had been over when it came; [`NEVER`] where that cannot be said.
pub(super) fn excess(case: &Case<'_>, state: &State, kind: WatermarkKind) -> Vec<i64> {
    let records = case.raw.records();
    let mut late = vec![NEVER; records.len()];
    let partitions = case.by_partition.len();
    if kind == WatermarkKind::Combined && partitions > MOST_PARTITIONS {
        return late;
    }
    let Some(zone) = case.zones.get(state.rules.zone) else { return late };
    let mut largest: Vec<Option<i64>> = vec![None; partitions];
    let mut left: Vec<usize> = case.by_partition.iter().map(Vec::len).collect();
    let mut largest_of_all: Option<i64> = None;
    let mut end: Option<((i32, i32), i64)> = None;
    for &number in &case.delivery {
        let Some(record) = records.get(number as usize) else { continue };
        let partition = record.partition.index();
        if let Some(left) = left.get_mut(partition) {
            *left -= 1;
        }
        if record.flags.any(RawFlags::MALFORMED) || at(&state.cells, number) == NO_CELL {
            continue;
        }
        if let Some(slot) = largest.get_mut(partition) {
            *slot = (*slot).max(Some(record.time.0));
        }
        largest_of_all = largest_of_all.max(Some(record.time.0));
        let mark = match kind {
            WatermarkKind::Arrival => case.raw.arrival(number).map(|time| time.0),
            WatermarkKind::Partition => largest.get(partition).copied().flatten(),
            WatermarkKind::Largest => largest_of_all,
            WatermarkKind::Combined => combined(&largest, &left),
        };
        let Some(mark) = mark else { continue };
        // Neighbours mostly share their day.
        let key = (at(&state.days, number), record.written_offset_seconds);
        let day_end = match end {
            Some((known, day_end)) if known == key => day_end,
            _ => zone.end_of(Day(key.0), key.1),
        };
        end = Some((key, day_end));
        if let Some(slot) = late.get_mut(number as usize) {
            *slot = mark.saturating_sub(day_end);
        }
    }
    late
}

/// The smallest over partitions that are not read to their end; over all where every one is.
fn combined(largest: &[Option<i64>], left: &[usize]) -> Option<i64> {
    let active = largest.iter().zip(left).filter(|(_, left)| **left > 0).map(|(largest, _)| *largest);
    active.min().unwrap_or_else(|| largest.iter().flatten().min().copied())
}

/// The lateness beyond which leaving records out explains most, by one watermark.
pub(super) fn best_lateness(
    case: &Case<'_>,
    state: &State,
    kind: WatermarkKind,
    excess: &[i64],
) -> Option<(RecordSet, i64)> {
    let mut late: Vec<(i64, u32)> = excess
        .iter()
        .zip(0_u32..)
        .filter(|&(&excess, number)| excess >= 0 && at(&state.weights, number) > 0)
        .map(|(&excess, number)| (excess, number))
        .collect();
    late.sort_unstable_by(|a, b| b.cmp(a));
    let mut rest = state.rest(case);
    let (mut gain, mut best) = (0_i64, (0_i64, 0_usize));
    for (place, &(excess, number)) in late.iter().enumerate() {
        let amount = case.amount(number) * i64::from(at(&state.weights, number));
        if let Some(rest) = rest.get_mut(at(&state.cells, number) as usize) {
            gain += rest.abs() - (*rest + amount).abs();
            *rest += amount;
        }
        let is_last_of_its_lateness = late.get(place + 1).is_none_or(|(next, _)| *next != excess);
        if is_last_of_its_lateness && gain > best.0 {
            best = (gain, place + 1);
        }
    }
    let (gain, count) = best;
    let last = late.get(count.checked_sub(1)?)?.0;
    let next = late.get(count).map_or(-1, |(next, _)| *next);
    Some((RecordSet::Late(kind, round_between(next, last)), gain))
}
