//! The stream processor: state that grows record by record, in buckets that batch publications can drop whole.

use super::batch::effect;
use crate::domain::{
    Cell, Counts, Day, EventTime, LateRecords, LateRun, NameTable, Names, Offsets, PartitionIndex,
    PartitionMemory, RangeCounts, Record, Row, StreamRules, Uniques, Verdict, View, Watermarks, classify_in,
    moved_to,
};

/// Everything counted in `[from, to)`; `to` is open for the last bucket.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    /// First position.
    pub from: Offsets,
    /// One past the last position; `None` for the bucket that still grows at its end.
    pub to: Option<Offsets>,
    /// What it counted.
    pub view: View,
}

/// All that the stream processor remembers: what a checkpoint saves and a crash loses.
#[derive(Debug, Clone, Default)]
pub struct StreamState {
    /// The next record to read in each partition.
    pub position: Offsets,
    /// Highest explicit offsets and seen ids over `[0, position)`; they survive every hand-over.
    pub memories: Vec<PartitionMemory>,
    /// How far event time has come.
    pub watermarks: Watermarks,
    /// Verdicts on `[0, position)`.
    pub counts: Counts,
    /// How often each record counts in the buckets, by partition.
    pub effects: Vec<RangeCounts>,
    /// Late records above the first bucket's start: dropped here, counted by the next batch run that covers them.
    pub late: LateRecords,
    /// In order; never empty; bounds are the cuts of running and published batch runs.
    pub buckets: Vec<Bucket>,
}

/// Whether a hand-over could be done by dropping whole buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// The buckets below the cut are gone; what lies above it is untouched.
    Dropped,
    /// The cut is no bucket bound: what counts at or above it has to be folded again from the log and put
    /// in with [`StreamProcessor::replace_from`].
    Refold,
}

/// Applies records one by one. See [`StreamState`] for what it keeps.
#[derive(Debug, Clone)]
pub struct StreamProcessor {
    rules: StreamRules,
    state: StreamState,
    /// Where partitions end, as far as that is known.
    end: Offsets,
    /// When the day that was asked for last closes.
    closing: Option<(Day, Option<i128>)>,
    /// Cells changed since [`StreamProcessor::take_changes`], as (bucket, row), unsorted, with repetitions.
    changed: Vec<(u32, u32)>,
}

impl StreamState {
    /// Nothing read, one bucket from 0.
    pub fn new(partitions: usize) -> Self {
        let position = Offsets::start(partitions);
        let bucket = Bucket { from: position.clone(), to: None, view: View::new() };
        let watermarks = Watermarks::new(partitions);
        StreamState { position, watermarks, buckets: vec![bucket], ..StreamState::default() }
    }

    /// The same state over a log that has gained partitions: what was kept of partition `i` is kept of partition
    /// `places[i]` of `partitions`. Nothing was read of the new ones.
    #[must_use]
    pub fn moved(mut self, places: &[PartitionIndex], partitions: usize) -> Self {
        for bucket in &mut self.buckets {
            bucket.from = bucket.from.moved(places, partitions);
            bucket.to = bucket.to.as_ref().map(|to| to.moved(places, partitions));
        }
        StreamState {
            position: self.position.moved(places, partitions),
            memories: moved_to(places, self.memories),
            watermarks: self.watermarks.moved(places, partitions, self.counts.records()),
            effects: moved_to(places, self.effects),
            late: self.late.moved(places),
            ..self
        }
    }

    /// The smallest position that any bucket counts.
    pub fn covers_from(&self) -> Offsets {
        self.buckets.first().map(|bucket| bucket.from.clone()).unwrap_or_default()
    }

    /// Whether anything was counted or remembered.
    pub fn is_empty(&self) -> bool {
        self.counts.records() == 0 && self.buckets.iter().all(|bucket| bucket.view.is_empty())
    }

    /// The numbers of one cell over all buckets.
    pub fn row(&self, cell: Cell) -> Row {
        let mut merged = View::new();
        for row in self.buckets.iter().filter_map(|bucket| bucket.view.row(cell)) {
            merged.add_row(row);
        }
        merged.rows().first().cloned().unwrap_or(Row::new(cell))
    }

    /// All buckets merged: the state's view.
    pub fn view(&self) -> View {
        let mut buckets = self.buckets.iter();
        let mut view = buckets.next().map(|bucket| bucket.view.clone()).unwrap_or_default();
        for bucket in buckets {
            view.merge(&bucket.view);
        }
        view
    }

    /// Adds a bucket bound where that needs no record to move: at or above the position. Whether it stands now.
    pub fn split(&mut self, cut: &Offsets) -> bool {
        let Some(last) = self.buckets.last_mut() else { return false };
        if last.from == *cut {
            return true;
        }
        if !last.from.is_at_most(cut) || !self.position.is_at_most(cut) {
            return false;
        }
        // A position that was set back (the textbook's -1) says nothing of what the state holds; its books do.
        let reaches =
            |(runs, &cut): (&RangeCounts, &u64)| runs.runs().last().is_some_and(|run| run.end > cut);
        if self.effects.iter().zip(cut.as_slice()).any(reaches) {
            return false;
        }
        last.to = Some(cut.clone());
        self.buckets.push(Bucket { from: cut.clone(), to: None, view: View::new() });
        true
    }

    /// Forgets exactly what lies below a published cut.
    pub fn drop_below(&mut self, cut: &Offsets) -> Handover {
        if cut.is_at_most(&self.covers_from()) {
            return Handover::Dropped;
        }
        let bound = self.buckets.iter().position(|bucket| bucket.from == *cut);
        let bound = match bound {
            Some(bound) => bound,
            None if self.split(cut) => self.buckets.len() - 1,
            None => return Handover::Refold,
        };
        self.buckets.drain(..bound);
        for (index, runs) in self.effects.iter_mut().enumerate() {
            runs.clip_below(cut.as_slice().get(index).copied().unwrap_or(0));
        }
        self.late.clip_below(cut);
        Handover::Dropped
    }

    /// Replaces all buckets by one that starts at `cut`, refolded from the log.
    pub fn replace_from(&mut self, cut: &Offsets, (view, effects): (View, Vec<RangeCounts>)) {
        self.buckets = vec![Bucket { from: cut.clone(), to: None, view }];
        self.effects = effects;
        self.late.clip_below(cut);
    }
}

impl StreamProcessor {
    /// A processor over a fresh or restored state.
    pub fn new(rules: impl Into<StreamRules>, state: StreamState) -> Self {
        let end = Offsets::from_vec(vec![u64::MAX; state.position.len()]);
        StreamProcessor { rules: rules.into(), state, end, closing: None, changed: Vec::new() }
    }

    /// Says where partitions end; [`u64::MAX`] where that is not known. A finished partition no longer holds the
    /// watermark back, so with a finite lateness this decides results: a source must know the end of a partition by the
    /// time that its last record is handed out.
    pub fn ends_at(&mut self, end: Offsets) {
        self.end = end;
    }

    /// Takes the next record of its partition. Only where users are counted as sets.
    ///
    /// # Panics
    /// Where they are counted by sketches, which need names: see [`StreamProcessor::apply_named`].
    pub fn apply(&mut self, record: &Record) -> Verdict {
        assert_eq!(self.rules.options.uniques, Uniques::Set, "sketches are made from names");
        self.apply_named(record, &Names::new())
    }

    /// Takes the next record of its partition; `users` names its user.
    pub fn apply_named(&mut self, record: &Record, users: &dyn NameTable) -> Verdict {
        let mut verdict = classify_in(&mut self.state.memories, record, self.rules.verdicts);
        self.state.watermarks.observe(record.partition, record.event.map(|event| event.time));
        if verdict == Verdict::Counted
            && let Some(watermark) = self.closed_by(record)
        {
            verdict = Verdict::Late;
            // Below all buckets the published batch view counts it: nothing is missing.
            let from = self.state.buckets.first().map_or(0, |bucket| bucket.from.get(record.partition));
            if record.offset >= from {
                let run = LateRun { start: record.offset, end: record.offset + 1, watermark };
                self.state.late.add(record.partition, run);
            }
        }
        let state = &mut self.state;
        state.counts.add(verdict);
        state.position.set(record.partition, record.offset + 1);
        if verdict != Verdict::Counted {
            return verdict;
        }
        // From the newest bucket backwards: nearly every record belongs to one of the last two.
        let found = state
            .buckets
            .iter_mut()
            .enumerate()
            .rev()
            .find(|(_, bucket)| record.offset >= bucket.from.get(record.partition));
        // Below all buckets: the published batch view counts it.
        let Some((index, bucket)) = found else { return verdict };
        let Some(row) = count(&mut bucket.view, record, self.rules.options.uniques, users) else {
            return verdict;
        };
        effect(&mut state.effects, record);
        self.changed.push((u32::try_from(index).unwrap_or(u32::MAX), row));
        verdict
    }

    /// The watermark that makes a record late, when one does: it includes the record itself, and depends on the records
    /// delivered before it and on where partitions end, never on micro-batches.
    fn closed_by(&mut self, record: &Record) -> Option<EventTime> {
        let day = record.event?.day;
        let closes = match self.closing {
            Some((known, closes)) if known == day => closes,
            _ => self.rules.closes(day),
        };
        self.closing = Some((day, closes));
        let closes = closes?;
        let is_closed = |watermark: &EventTime| closes <= i128::from(watermark.0);
        let StreamState { watermarks, position, .. } = &self.state;
        // The combined one is never above the partition's own.
        watermarks.of(record.partition).filter(is_closed)?;
        let idle_after = self.rules.options.idle_after_records;
        watermarks.at(record.partition, position, &self.end, idle_after).filter(is_closed)
    }

    /// The combined watermark now.
    pub fn watermark(&self) -> Option<EventTime> {
        let idle_after = self.rules.options.idle_after_records;
        self.state.watermarks.combined(&self.state.position, &self.end, idle_after)
    }

    /// A batch run with this cut has started: from now on what lies below and above it is kept apart.
    pub fn cut_started(&mut self, cut: &Offsets) {
        self.state.split(cut);
    }

    /// A batch view with this cut was published: forgets exactly what lies below it.
    pub fn published(&mut self, cut: &Offsets) -> Handover {
        let before = self.state.buckets.len();
        let handover = self.state.drop_below(cut);
        if handover == Handover::Refold || self.state.buckets.len() != before {
            // Bucket numbers moved; the reader of the changes gets the hand-over itself.
            self.changed.clear();
        }
        handover
    }

    /// Replaces all buckets by one that starts at `cut`, refolded from the log.
    pub fn replace_from(&mut self, cut: &Offsets, refolded: (View, Vec<RangeCounts>)) {
        self.state.replace_from(cut, refolded);
        self.changed.clear();
    }

    /// The cells changed since the last call as (bucket's first position, bucket's row), each once, in order.
    pub fn take_changes(&mut self) -> Vec<(&Offsets, &Row)> {
        self.changed.sort_unstable();
        self.changed.dedup();
        let state = &self.state;
        let changes = self.changed.iter().filter_map(|&(bucket, row)| {
            let bucket = state.buckets.get(bucket as usize)?;
            Some((&bucket.from, bucket.view.rows().get(row as usize)?))
        });
        let changes = changes.collect();
        self.changed.clear();
        changes
    }

    /// The state.
    pub fn state(&self) -> &StreamState {
        &self.state
    }

    /// The rules by which it decides what counts.
    pub fn rules(&self) -> &StreamRules {
        &self.rules
    }
}

/// Counts a record's event, its user as the set or the sketch of the cell; the number of its row.
pub(super) fn count(
    view: &mut View,
    record: &Record,
    uniques: Uniques,
    users: &dyn NameTable,
) -> Option<u32> {
    let event = record.event.as_ref()?;
    let cell = Cell { key: event.key, day: event.day };
    Some(match uniques {
        Uniques::Set => view.add(cell, event.user, event.value),
        Uniques::Hll => view.add_sketched(cell, event.user.map(|user| users.hash(user.0)), event.value),
    })
}

/// Whether a record lies in a bucket.
#[cfg(test)]
fn lies_in(bucket: &Bucket, record: &Record, position: &Offsets) -> bool {
    crate::domain::in_range(record, &bucket.from, bucket.to.as_ref().unwrap_or(position))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::processing::{
        Refold,
        accumulate::tests::{any_log, names, rules},
        fold_range,
    };

    fn vector(log: &[Record]) -> Offsets {
        let mut position = Offsets::start(2);
        for record in log {
            position.set(record.partition, record.offset + 1);
        }
        position
    }

    fn refolded(state: &StreamState, cut: &Offsets, log: &[Record]) -> (View, Vec<RangeCounts>) {
        let mut refold = Refold::new(cut, &state.effects);
        for record in log {
            refold.apply(record);
        }
        refold.finish()
    }

    proptest! {
        /// The textbook's restore: the state comes back, its position does not. A publication drops exactly what it
        /// covers, double counts too, and keeps exactly what it does not, double counts too.
        #[test]
        fn a_hand_over_after_a_restore_that_reads_everything_again_drops_what_lies_below_it_and_nothing_else(
            log in any_log(2, 60),
            read in 0_usize..60,
            cuts in proptest::collection::vec((0_usize..120, 0_usize..60, 0_usize..20), 0..4),
        ) {
            let (keys, users) = names();
            let read = read.min(log.len());
            let mut stream = StreamProcessor::new(rules(), StreamState::new(2));
            let mut counts = vec![0_u32; log.len()];
            let mut covered = Offsets::start(2);
            // A cut that starts before the crash bounds a bucket that is in the checkpoint.
            let deliveries = (0..read).map(Some).chain([None]).chain((0..log.len()).map(Some));
            for (step, delivery) in deliveries.enumerate() {
                for &(start, cut, later) in &cuts {
                    let cut = vector(&log[..cut.min(log.len())]);
                    if step == start {
                        stream.cut_started(&cut);
                    }
                    if step == start + later && covered.is_at_most(&cut) {
                        covered = cut.clone();
                        if stream.published(&cut) == Handover::Refold {
                            stream.replace_from(&cut, refolded(stream.state(), &cut, &log));
                        }
                    }
                }
                match delivery {
                    Some(at) => {
                        let counted = stream.apply(&log[at]) == Verdict::Counted;
                        counts[at] += u32::from(counted);
                    }
                    None => stream.state.position = Offsets::start(2),
                }
                let mut expected = View::new();
                for (record, count) in log.iter().zip(&mut counts) {
                    if covered.contains(record.partition, record.offset) {
                        *count = 0;
                    }
                    for _ in 0..*count {
                        let event = record.event.unwrap();
                        expected.add(Cell { key: event.key, day: event.day }, event.user, event.value);
                    }
                }
                let view = stream.state().view();
                prop_assert_eq!(view.fingerprint(&keys, &users), expected.fingerprint(&keys, &users), "{}", step);
                let total: u64 = stream.state().effects.iter().map(RangeCounts::total).sum();
                prop_assert_eq!(total, counts.iter().map(|&count| u64::from(count)).sum::<u64>());
            }
        }

        /// Whatever cuts start and are published when: speed is exactly the fold of `[B, N)`.
        #[test]
        fn speed_is_the_fold_of_what_batch_does_not_cover(
            log in any_log(2, 80),
            cuts in proptest::collection::vec((0_usize..80, 0_usize..80, 0_usize..80), 0..4),
        ) {
            let (keys, users) = names();
            let mut stream = StreamProcessor::new(rules(), StreamState::new(2));
            let mut covered = Offsets::start(2);
            for at in 0..=log.len() {
                for &(start, ahead, end) in &cuts {
                    // A cut of what had arrived: at or ahead of the position, or (manual) anywhere behind it.
                    let cut = vector(&log[..(start + ahead % 20).min(log.len())]);
                    if at == start {
                        stream.cut_started(&cut);
                    }
                    if at == start.max(end) && covered.is_at_most(&cut) {
                        covered = cut.clone();
                        if stream.published(&cut) == Handover::Refold {
                            stream.replace_from(&cut, refolded(stream.state(), &cut, &log));
                        }
                    }
                }
                let (expected, effects) = fold_range(rules(), &covered, &log[..at]);
                let state = stream.state();
                prop_assert_eq!(state.view().canonical(&keys), expected.canonical(&keys), "at {}", at);
                prop_assert_eq!(state.view().fingerprint(&keys, &users), expected.fingerprint(&keys, &users));
                let sum = |runs: &[RangeCounts]| runs.iter().map(RangeCounts::total).sum::<u64>();
                prop_assert_eq!(sum(&state.effects), sum(&effects));
                prop_assert_eq!(sum(&state.effects), state.view().total_views());
                for bucket in &state.buckets {
                    let records = log[..at].iter().filter(|r| lies_in(bucket, r, &state.position)).count();
                    prop_assert!(bucket.view.total_views() <= records as u64);
                }
                if let Some(record) = log.get(at) {
                    stream.apply(record);
                }
            }
        }

        #[test]
        fn changes_carry_every_cell_that_changed(log in any_log(2, 60), every in 1_usize..9) {
            let (keys, users) = names();
            let mut stream = StreamProcessor::new(rules(), StreamState::new(2));
            let mut replica = View::new();
            for (at, record) in log.iter().enumerate() {
                stream.apply(record);
                if (at + 1) % every == 0 || at + 1 == log.len() {
                    for (_, row) in stream.take_changes() {
                        replica.replace_row(row);
                    }
                    let view = stream.state().view();
                    prop_assert_eq!(replica.fingerprint(&keys, &users), view.fingerprint(&keys, &users));
                    prop_assert_eq!(replica.total_views(), view.total_views());
                }
            }
        }
    }
}
