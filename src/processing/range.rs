//! The fold of a range of the log, from the log itself: what a hand-over needs where it falls inside a bucket.

use super::{batch::effect, stream::count};
use crate::domain::{
    LateRecords, NameTable, Names, Offsets, PartitionMemory, RangeCounts, Record, Rules, StreamRules,
    Uniques, Verdict, View, classify_in,
};

/// Folds again, from the log, what the books say counts at or above a cut: exactly what is left when everything below
/// it is taken away, however it came to count. Under an exactly-once guarantee that is `fold(L[cut, position))` without the
/// late records; where records count twice they still do.
#[derive(Debug, Clone)]
pub struct Refold {
    uniques: Uniques,
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
        Refold { uniques: Uniques::Set, effects, view: View::new() }
    }

    /// The same where users are counted in this way.
    #[must_use]
    pub fn counting(self, uniques: Uniques) -> Self {
        Refold { uniques, ..self }
    }

    /// What counts, by partition.
    pub fn effects(&self) -> &[RangeCounts] {
        &self.effects
    }

    /// Takes a record, whose user `users` names; in any order, each once.
    pub fn apply_named(&mut self, record: &Record, users: &dyn NameTable) {
        let times = self.effects.get(record.partition.index()).map_or(0, |runs| runs.count(record.offset));
        for _ in 0..times {
            count(&mut self.view, record, self.uniques, users);
        }
    }

    /// Takes a record; in any order, each once.
    ///
    /// # Panics
    /// Where users are counted by sketches, which need names: see [`Refold::apply_named`].
    pub fn apply(&mut self, record: &Record) {
        assert_eq!(self.uniques, Uniques::Set, "sketches are made from names");
        self.apply_named(record, &Names::new());
    }

    /// What counts, and which records do.
    pub fn finish(self) -> (View, Vec<RangeCounts>) {
        (self.view, self.effects)
    }
}

/// `fold(L[from, to))`: `records` are `[0, to)` in any order that keeps each partition's. The prefix below `from` is
/// classified (verdicts depend on it) and not counted.
pub fn fold_range<'a>(
    rules: Rules,
    from: &Offsets,
    records: impl IntoIterator<Item = &'a Record>,
) -> (View, Vec<RangeCounts>) {
    let mut range = RangeFold::new(rules, from.clone());
    for record in records {
        range.apply(record);
    }
    range.finish()
}

/// [`fold_range`] record by record, for logs that are not held in memory as records.
#[derive(Debug, Clone)]
pub struct RangeFold {
    rules: Rules,
    uniques: Uniques,
    from: Offsets,
    late: LateRecords,
    memories: Vec<PartitionMemory>,
    view: View,
    effects: Vec<RangeCounts>,
}

impl RangeFold {
    /// Counts what lies at or above `from`, exactly.
    pub fn new(rules: Rules, from: Offsets) -> Self {
        RangeFold::of_stream(&rules.into(), from, LateRecords::new())
    }

    /// Counts what a stream processor with these rules counts at or above `from`, given which records it found late:
    /// that depends on the order in which they were delivered and is not decided again.
    pub fn of_stream(rules: &StreamRules, from: Offsets, late: LateRecords) -> Self {
        RangeFold {
            rules: rules.verdicts,
            uniques: rules.options.uniques,
            from,
            late,
            memories: Vec::new(),
            view: View::new(),
            effects: Vec::new(),
        }
    }

    /// Takes the next record of its partition.
    ///
    /// # Panics
    /// Where users are counted by sketches, which need names: see [`RangeFold::apply_named`].
    pub fn apply(&mut self, record: &Record) {
        assert_eq!(self.uniques, Uniques::Set, "sketches are made from names");
        self.apply_named(record, &Names::new());
    }

    /// Takes the next record of its partition; `users` names its user.
    pub fn apply_named(&mut self, record: &Record, users: &dyn NameTable) {
        let verdict = classify_in(&mut self.memories, record, self.rules);
        let is_below = self.from.contains(record.partition, record.offset);
        if verdict != Verdict::Counted || is_below || self.late.contains(record.partition, record.offset) {
            return;
        }
        count(&mut self.view, record, self.uniques, users);
        effect(&mut self.effects, record);
    }

    /// What was counted, and which records did.
    pub fn finish(self) -> (View, Vec<RangeCounts>) {
        (self.view, self.effects)
    }
}
