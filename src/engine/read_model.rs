//! Builds what the window draws. Runs on the supervisor, never on the window's thread.

use std::sync::Arc;

use super::{
    frame::{
        Approximation, BatchState, Cost, GroupRow, Hold, LaneFrame, PartitionWatermark, Proof, StreamState,
        Totals,
    },
    lane::Lane,
    lane_sides::StreamPhase,
    protocol::TICKS_PER_SECOND,
    recount::Recount,
    strip::{Judged, StripMemory, StripOf},
};
use crate::{
    domain::{Day, KeyId, NameTable, Offsets, PartitionIndex, Record, Verdict},
    ingest::GroupRecount,
    serving::Numbers,
};

/// Pages shown by name; what is left is one row, "the rest".
const TOP_PAGES: usize = 12;

/// Keeps what frames need between them.
#[derive(Debug, Default)]
pub struct ReadModel {
    /// Recount by page and day of the records that merged covers.
    now: Option<GroupRecount>,
    /// The same of the whole loaded log, and how many records that was.
    log: Option<(u64, GroupRecount)>,
    /// The pages with most views in the loaded log, at most [`TOP_PAGES`], and how many others there are.
    top: (Vec<KeyId>, usize),
    days: Vec<Day>,
    strip: StripMemory,
}

impl ReadModel {
    /// The pages with most views in the loaded log, and how many others there are.
    pub(super) fn top(&self) -> (&[KeyId], usize) {
        (&self.top.0, self.top.1)
    }

    /// The recount by page and day of the whole loaded log, once a frame was asked for.
    pub(super) fn log_groups(&self) -> Option<&GroupRecount> {
        self.log.as_ref().map(|(_, recount)| recount)
    }

    /// Another lane over the same log: what is known of the log itself stays.
    pub fn restart(&mut self) {
        self.now = None;
        self.strip = StripMemory::default();
    }

    /// One picture of a lane.
    pub fn frame(&mut self, lane: &mut Lane) -> LaneFrame {
        self.follow(lane);
        let index = Arc::clone(&lane.index);
        let covers = lane.covers();
        let alive = lane.stream.slot.is_running();
        let log_records = index.len();
        let position = if alive { lane.stream.number } else { 0 };
        let served_position = lane.served();
        LaneFrame {
            lane: lane.plan.id,
            settings: lane.plan.settings,
            knobs: lane.plan.settings.knobs(),
            rate: lane.rate,
            arrived: lane.arrived,
            log_records,
            stream: stream_state(lane),
            generation: lane.stream.generation,
            position,
            served_position,
            stale: !alive && lane.tick > 0 || lane.stream.replay.is_some(),
            batch: batch_state(lane),
            batch_covers: lane.batch.covers,
            batch_runs: lane.batch.runs,
            batch_totals: lane.lambda.batch_numbers().into(),
            memory_totals: (!lane.is_down()).then(|| lane.stream.memory.into()),
            speed_totals: lane.lambda.speed_numbers().into(),
            merged_totals: lane.lambda.merged_numbers().into(),
            recount_totals: Recount::numbers(&index, covers).into(),
            arrived_totals: Recount::numbers(&index, lane.arrived).into(),
            log_totals: Recount::numbers(&index, log_records).into(),
            fingerprints: None,
            series: lane.history.points(),
            outline: lane.history.outline(&index, lane.rate),
            marks: lane.history.marks(),
            bands: lane.history.bands(lane.tick),
            by_page: self.by_page(lane),
            by_day: self.by_day(lane),
            proof: Arc::new(proof(lane, &mut self.strip)),
            checkpoints: lane.history.checkpoints().into(),
            invariants: lane.invariants.statuses().into(),
            batch_cost: batch_cost(lane),
            stream_cost: stream_cost(lane),
            approximation: approximation(lane),
        }
    }

    /// Advances the recounts by page and day to where the lane stands.
    fn follow(&mut self, lane: &Lane) {
        let index = &lane.index;
        if self.log.as_ref().is_none_or(|(records, _)| *records != index.len()) {
            let (_, mut recount) = self.log.take().unwrap_or_default();
            recount.advance_to(index, index.len());
            let keys = (0..u32::try_from(index.keys().len()).unwrap_or(u32::MAX)).map(KeyId);
            let mut top: Vec<(u64, KeyId)> = keys.map(|key| (recount.key(key).views, key)).collect();
            let by_views = |a: &(u64, KeyId), b: &(u64, KeyId)| {
                let by_text = || index.keys().text(a.1.0).cmp(index.keys().text(b.1.0));
                b.0.cmp(&a.0).then_with(by_text)
            };
            let others = top.len().saturating_sub(TOP_PAGES);
            if others > 0 {
                top.select_nth_unstable_by(TOP_PAGES, by_views);
                top.truncate(TOP_PAGES);
            }
            top.sort_unstable_by(by_views);
            self.top = (top.into_iter().map(|(_, key)| key).collect(), others);
            self.days = recount.days().keys().copied().collect();
            self.log = Some((index.len(), recount));
        }
        let now = self.now.get_or_insert_default();
        if now.at() > lane.covers() {
            *now = GroupRecount::default();
        }
        now.advance_to(index, lane.covers());
    }

    fn by_page(&self, lane: &Lane) -> Arc<[GroupRow]> {
        let (Some(now), Some((_, log))) = (&self.now, &self.log) else { return Arc::default() };
        let row = |key: KeyId| {
            let (batch, merged) = lane.lambda.key_numbers(key);
            GroupRow {
                label: lane.index.keys().text(key.0).to_owned(),
                page: Some(lane.index.keys().text(key.0).to_owned()),
                day: None,
                final_totals: batch.into(),
                merged: merged.into(),
                recount: totals(now.key(key)),
                log: totals(log.key(key)),
            }
        };
        let (named, others) = &self.top;
        let mut rows: Vec<GroupRow> = named.iter().map(|&key| row(key)).collect();
        if *others > 0 {
            // What the whole has beyond the named: there may be far too many others to add up for every frame.
            let rest = |whole: Numbers, of: fn(&GroupRow) -> Totals| rest_of(whole, rows.iter().map(of));
            let rest = GroupRow {
                label: format!("the other {others}"),
                page: None,
                day: None,
                final_totals: rest(lane.lambda.batch_numbers(), |row| row.final_totals),
                merged: rest(lane.lambda.merged_numbers(), |row| row.merged),
                recount: rest(Recount::numbers(&lane.index, now.at()), |row| row.recount),
                log: rest(Recount::numbers(&lane.index, lane.index.len()), |row| row.log),
            };
            rows.push(rest);
        }
        rows.into()
    }

    fn by_day(&self, lane: &Lane) -> Arc<[GroupRow]> {
        let (Some(now), Some((_, log))) = (&self.now, &self.log) else { return Arc::default() };
        let rows = self.days.iter().map(|&day| {
            let (batch, merged) = lane.lambda.day_numbers(day);
            GroupRow {
                label: day.to_string(),
                page: None,
                day: Some(day),
                final_totals: batch.into(),
                merged: merged.into(),
                recount: totals(now.day(day)),
                log: totals(log.day(day)),
            }
        });
        rows.collect()
    }
}

fn approximation(lane: &Lane) -> Approximation {
    let settings = &lane.plan.settings;
    let progress = &lane.stream.progress;
    let end = if lane.index.is_last() { lane.index.end().clone() } else { Offsets::default() };
    let is_finished =
        |partition: PartitionIndex, offset: u64| lane.index.is_last() && offset >= end.get(partition);
    let position = lane.vector(lane.stream.number.min(lane.index.len()));
    let of = |(partition, name): (PartitionIndex, &String)| PartitionWatermark {
        partition: name.clone(),
        time: progress.watermarks.of(partition),
        hold: if is_finished(partition, position.get(partition)) {
            Hold::Finished
        } else if progress.watermarks.is_idle(partition, settings.idle_after_records) {
            Hold::Idle
        } else {
            Hold::Active
        },
    };
    Approximation {
        lateness: settings.lateness,
        uniques: settings.uniques,
        watermark: progress.watermark,
        watermarks: (0..).map(PartitionIndex).zip(lane.index.partitions()).map(of).collect(),
        late_missing: lane.lambda.speed().late.total(),
        late_dropped: progress.late_dropped,
    }
}

/// Views and sums subtract. Unique users of several pages together are no difference: left at zero.
pub(super) fn rest_of(whole: Numbers, named: impl Iterator<Item = Totals>) -> Totals {
    let mut rest = Totals { users: 0, ..whole.into() };
    for part in named {
        rest.views = rest.views.saturating_sub(part.views);
        rest.sum -= part.sum;
    }
    rest
}

pub(super) fn totals(of: crate::ingest::Totals) -> Totals {
    Totals { views: of.views, users: of.users, sum: of.sum }
}

fn stream_state(lane: &Lane) -> StreamState {
    match lane.stream.phase {
        StreamPhase::Ready => StreamState::Ready,
        StreamPhase::Crashed { point, position } => {
            StreamState::Crashed { point, position, checkpoint: lane.history.newest_checkpoint() }
        }
        StreamPhase::Alive => match lane.stream.replay {
            Some(replay) if lane.stream.number < replay.to => {
                StreamState::Recovering { from: replay.from, to: replay.to }
            }
            _ if lane.index.complete() && lane.stream.number == lane.index.len() => StreamState::Finished,
            _ => StreamState::Running,
        },
    }
}

fn batch_state(lane: &Lane) -> BatchState {
    if lane.batch.slot.is_running() {
        return BatchState::Running { cut: lane.batch.cut, done: lane.batch.done };
    }
    if lane.batch.rerun.is_some() { BatchState::Crashed } else { BatchState::Waiting }
}

fn batch_cost(lane: &Lane) -> Cost {
    let capacity = lane.plan.settings.batch_capacity;
    let running = lane.batch.slot.is_running();
    Cost {
        capacity,
        reads: lane.batch.reads,
        records: lane.batch.covers.max(if running { lane.batch.done } else { 0 }),
        bytes_written: 0,
        fsyncs: 0,
        simulated_throughput: if running { capacity } else { 0 },
        measured_throughput: per_second(lane.batch.reads, lane.batch.micros),
        age_ticks: age(lane, lane.batch.covers),
    }
}

fn stream_cost(lane: &Lane) -> Cost {
    let busy = lane.stream.slot.is_running();
    let behind = lane.arrived.saturating_sub(lane.stream.number);
    let capacity = lane.plan.settings.stream_capacity;
    let simulated = match (busy, behind > lane.plan.settings.micro_batch_records) {
        (false, _) => 0,
        (true, true) => capacity,
        (true, false) => lane.rate.min(capacity),
    };
    Cost {
        capacity,
        reads: lane.stream.reads,
        records: lane.ledger.highest_read(),
        bytes_written: lane.stream.disk_before.bytes_written + lane.stream.disk.bytes_written,
        fsyncs: lane.stream.disk_before.fsyncs + lane.stream.disk.fsyncs,
        simulated_throughput: simulated,
        measured_throughput: per_second(lane.stream.reads, lane.stream.micros),
        age_ticks: age(lane, lane.served()),
    }
}

fn per_second(records: u64, micros: u64) -> u64 {
    records.saturating_mul(1_000_000).checked_div(micros).unwrap_or(0)
}

/// Ticks since the newest record below `covers` arrived: how old a view up to there is. 0 when it covers all arrivals.
fn age(lane: &Lane, covers: u64) -> u64 {
    let behind = lane.arrived.saturating_sub(covers);
    behind * TICKS_PER_SECOND / lane.rate.max(1)
}

fn proof(lane: &Lane, memory: &mut StripMemory) -> Proof {
    let Some(crash) = lane.ledger.crash() else { return Proof::default() };
    let strip = StripOf {
        crash,
        deliveries: lane.ledger.deliveries(),
        positions: &[lane.covers(), lane.served(), lane.stream.number],
        covers: lane.covers(),
        // When a replay is over its state takes the place of what was served.
        epoch: [
            lane.stream_crashes() << 1 | u64::from(lane.stream.replay.is_some()),
            lane.stream.generation.0.into(),
            lane.batch.runs.into(),
        ],
        index: &lane.index,
    };
    let dropped = &lane.lambda.speed().late;
    strip.draw(memory, |entry| {
        let Record { partition, offset, .. } = entry.record;
        let is_late = !dropped.is_empty() && dropped.contains(partition, offset);
        Judged {
            counted: lane.lambda.effect(partition.index(), offset),
            cannot_count: entry.verdict != Verdict::Counted || is_late,
        }
    })
}

pub(super) fn counted_in_merged(lane: &Lane, number: u64) -> u32 {
    lane.index.record(number).map_or(0, |record| lane.lambda.effect(record.partition.index(), record.offset))
}

/// Whether the stream dropped a record as late and no batch run has counted it since.
pub(super) fn is_late(lane: &Lane, number: u64) -> bool {
    let speed = lane.lambda.speed();
    let dropped = |record: Record| speed.late.contains(record.partition, record.offset);
    !speed.late.is_empty() && lane.index.record(number).is_some_and(dropped)
}

#[cfg(test)]
#[path = "read_model_tests.rs"]
mod tests;
