//! The stream processor: state that grows record by record, in buckets that batch publications can drop whole.

use super::{Fold, batch::effect};
use crate::domain::{
    Cell, Counts, Offsets, PartitionIndex, PartitionMemory, RangeCounts, Record, Row, Rules, Verdict, View,
    Watermarks, classify_in, moved_to,
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
    /// In order; never empty; bounds are the cuts of running and published batch runs.
    pub buckets: Vec<Bucket>,
}

/// Whether a hand-over could be done by dropping whole buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// The buckets below the cut are gone; what lies above it is untouched.
    Dropped,
    /// The cut is no bucket bound: what counts at or above it has to be folded again from the log ([`Refold`]) and put
    /// in with [`StreamProcessor::replace_from`].
    Refold,
}

/// Applies records one by one. See [`StreamState`] for what it keeps.
#[derive(Debug, Clone)]
pub struct StreamProcessor {
    rules: Rules,
    state: StreamState,
    /// Cells changed since [`StreamProcessor::take_changes`], as (bucket, row), unsorted, with repetitions.
    changed: Vec<(u32, u32)>,
}

impl StreamState {
    /// Nothing read, one bucket from 0.
    pub fn new(partitions: usize) -> Self {
        let position = Offsets::start(partitions);
        let bucket = Bucket { from: position.clone(), to: None, view: View::new() };
        StreamState { position, buckets: vec![bucket], ..StreamState::default() }
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
            watermarks: self.watermarks.moved(places),
            effects: moved_to(places, self.effects),
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
        merged.rows().first().cloned().unwrap_or(Row { cell, views: 0, sum: 0, users: Vec::new() })
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
        Handover::Dropped
    }

    /// Replaces all buckets by one that starts at `cut`, refolded from the log.
    pub fn replace_from(&mut self, cut: &Offsets, (view, effects): (View, Vec<RangeCounts>)) {
        self.buckets = vec![Bucket { from: cut.clone(), to: None, view }];
        self.effects = effects;
    }
}

impl StreamProcessor {
    /// A processor over a fresh or restored state.
    pub fn new(rules: Rules, state: StreamState) -> Self {
        StreamProcessor { rules, state, changed: Vec::new() }
    }

    /// Takes the next record of its partition.
    pub fn apply(&mut self, record: &Record) -> Verdict {
        let state = &mut self.state;
        let verdict = classify_in(&mut state.memories, record, self.rules);
        state.counts.add(verdict);
        state.watermarks.observe(record.partition, record.event.map(|event| event.time));
        state.position.set(record.partition, record.offset + 1);
        let (Verdict::Counted, Some(event)) = (verdict, &record.event) else { return verdict };
        // From the newest bucket backwards: nearly every record belongs to one of the last two.
        let found = state
            .buckets
            .iter_mut()
            .enumerate()
            .rev()
            .find(|(_, bucket)| record.offset >= bucket.from.get(record.partition));
        // Below all buckets: the published batch view counts it.
        let Some((index, bucket)) = found else { return verdict };
        let row = bucket.view.add(Cell { key: event.key, day: event.day }, event.user, event.value);
        effect(&mut state.effects, record);
        self.changed.push((u32::try_from(index).unwrap_or(u32::MAX), row));
        verdict
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

    /// The rules under which it classifies.
    pub fn rules(&self) -> Rules {
        self.rules
    }
}

/// Folds again, from the log, what the books say counts at or above a cut: exactly what is left when everything below
/// it is taken away, however it came to count. Under an exactly-once guarantee that is `fold(L[cut, position))`; where
/// records count twice they still do.
#[derive(Debug, Clone)]
pub struct Refold {
    effects: Vec<RangeCounts>,
    view: View,
}

impl Refold {
    /// Of a state with these books.
    pub fn new(from: &Offsets, effects: &[RangeCounts]) -> Self {
        let mut effects = effects.to_vec();
        for (runs, &from) in effects.iter_mut().zip(from.as_slice()) {
            runs.clip_below(from);
        }
        Refold { effects, view: View::new() }
    }

    /// What counts, by partition.
    pub fn effects(&self) -> &[RangeCounts] {
        &self.effects
    }

    /// Takes a record; in any order, each once.
    pub fn apply(&mut self, record: &Record) {
        let count = self.effects.get(record.partition.index()).map_or(0, |runs| runs.count(record.offset));
        let Some(event) = &record.event else { return };
        for _ in 0..count {
            self.view.add(Cell { key: event.key, day: event.day }, event.user, event.value);
        }
    }

    /// What counts, and which records do.
    pub fn finish(self) -> (View, Vec<RangeCounts>) {
        (self.view, self.effects)
    }
}

/// `fold(L[from, to))` from the log itself: `records` are `[0, to)` in any order that keeps each partition's.
/// The prefix below `from` is classified (verdicts depend on it) and not counted.
pub fn fold_range<'a>(
    rules: Rules,
    from: &Offsets,
    records: impl IntoIterator<Item = &'a Record>,
) -> (View, Vec<RangeCounts>) {
    let mut range = RangeFold::new(rules, from.clone());
    records.into_iter().for_each(|record| range.apply(record));
    range.finish()
}

/// [`fold_range`] record by record, for logs that are not held in memory as records.
#[derive(Debug, Clone)]
pub struct RangeFold {
    from: Offsets,
    fold: Fold<View>,
    effects: Vec<RangeCounts>,
}

impl RangeFold {
    /// Counts what lies at or above `from`.
    pub fn new(rules: Rules, from: Offsets) -> Self {
        RangeFold { from, fold: Fold::new(rules), effects: Vec::new() }
    }

    /// Takes the next record of its partition.
    pub fn apply(&mut self, record: &Record) {
        if self.from.contains(record.partition, record.offset) {
            self.fold.pass(record);
        } else if self.fold.apply(record) == Verdict::Counted {
            effect(&mut self.effects, record);
        }
    }

    /// What was counted, and which records did.
    pub fn finish(self) -> (View, Vec<RangeCounts>) {
        (self.fold.finish().0, self.effects)
    }
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
    use crate::processing::accumulate::tests::{any_log, names, rules};

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
