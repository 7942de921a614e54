//! The batch processor: folds the log anew from record 0 up to a cut, then publishes everything as one value.

use super::{Bulk, Fold};
use crate::domain::{Counts, Offsets, RangeCounts, Record, Rules, Verdict, View, in_range};

/// What a batch run publishes, atomically: the view and the cut that it covers.
#[derive(Debug, Clone, Default)]
pub struct BatchView {
    /// Everything counted in `[0, cut)`.
    pub view: View,
    /// The vector up to which it read.
    pub cut: Offsets,
    /// Verdicts on `[0, cut)`.
    pub counts: Counts,
    /// Which records count in it, by partition.
    pub effects: Vec<RangeCounts>,
}

/// One batch run.
#[derive(Debug, Clone)]
pub struct BatchProcessor {
    cut: Offsets,
    fold: Fold<Bulk>,
    effects: Vec<RangeCounts>,
    taken: u64,
}

impl BatchProcessor {
    /// A run that will cover `[0, cut)`.
    pub fn new(rules: Rules, cut: Offsets) -> Self {
        BatchProcessor { cut, fold: Fold::new(rules), effects: Vec::new(), taken: 0 }
    }

    /// Takes the next record of its partition. Records at or above the cut are passed over.
    pub fn apply(&mut self, record: &Record) {
        self.counts(record);
    }

    /// The same; whether the record counts.
    pub fn counts(&mut self, record: &Record) -> bool {
        if !in_range(record, &Offsets::default(), &self.cut) {
            return false;
        }
        self.taken += 1;
        let counts = self.fold.apply(record) == Verdict::Counted;
        if counts {
            effect(&mut self.effects, record);
        }
        counts
    }

    /// Records taken so far.
    pub fn done(&self) -> u64 {
        self.taken
    }

    /// The vector up to which it reads.
    pub fn cut(&self) -> &Offsets {
        &self.cut
    }

    /// Whether all records below the cut were taken.
    pub fn is_complete(&self) -> bool {
        self.taken >= self.cut.total()
    }

    /// The finished view; an unfinished run publishes nothing.
    pub fn publish(self) -> Option<BatchView> {
        if !self.is_complete() {
            return None;
        }
        let (view, counts) = self.fold.finish();
        Some(BatchView { view, cut: self.cut, counts, effects: self.effects })
    }
}

/// Notes that a record counted once more.
pub(super) fn effect(effects: &mut Vec<RangeCounts>, record: &Record) {
    let index = record.partition.index();
    if effects.len() <= index {
        effects.resize_with(index + 1, RangeCounts::new);
    }
    if let Some(runs) = effects.get_mut(index) {
        runs.add(record.offset, record.offset + 1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::processing::accumulate::tests::{any_log, names, rules};

    proptest! {
        #[test]
        fn a_run_depends_on_the_cut_only(log in any_log(2, 80), at in 0_usize..80, more in 0_usize..40) {
            let at = at.min(log.len());
            let (keys, users) = names();
            let mut cut = Offsets::start(2);
            for record in &log[..at] {
                cut.set(record.partition, record.offset + 1);
            }
            let run = |records: &[Record]| {
                let mut batch = BatchProcessor::new(rules(), cut.clone());
                for record in records {
                    batch.apply(record);
                }
                batch.publish().unwrap()
            };
            let exact = run(&log[..at]);
            let later = run(&log[..(at + more).min(log.len())]);
            prop_assert_eq!(exact.view.canonical(&keys), later.view.canonical(&keys));
            prop_assert_eq!(exact.view.fingerprint(&keys, &users), later.view.fingerprint(&keys, &users));
            prop_assert_eq!(exact.effects.iter().map(RangeCounts::total).sum::<u64>(), exact.view.total_views());
        }
    }

    #[test]
    fn an_unfinished_run_publishes_nothing() {
        assert!(BatchProcessor::new(rules(), Offsets::from_vec(vec![1])).publish().is_none());
    }
}
