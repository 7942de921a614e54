//! The full recount: what a run that never crashed would have counted. The referee of everything that is shown.
//!
//! Totals come from the index's prefix sums, cells from a fold of its own that only ever reads on; neither shares
//! anything with the two processors but `classify`.

use crate::{
    domain::{Fingerprint, RangeCounts, Rules, View},
    ingest::LogIndex,
    processing::Fold,
    serving::Numbers,
};

/// Folds the log's prefix beside the run.
#[derive(Debug, Clone)]
pub struct Recount {
    rules: Rules,
    fold: Fold<View>,
    at: u64,
}

impl Recount {
    /// At record 0.
    pub fn new(rules: Rules) -> Self {
        Recount { rules, fold: Fold::new(rules), at: 0 }
    }

    /// Totals of the first `records` records.
    pub fn numbers(index: &LogIndex, records: u64) -> Numbers {
        let totals = index.totals(records);
        Numbers { views: totals.views, users: totals.users, sum: totals.sum }
    }

    /// Views and sum of the records `[from, to)`; nothing where the range is empty.
    pub fn between(index: &LogIndex, from: u64, to: u64) -> Numbers {
        if from >= to {
            return Numbers::default();
        }
        let (low, high) = (Self::numbers(index, from), Self::numbers(index, to));
        Numbers { views: high.views - low.views, users: 0, sum: high.sum - low.sum }
    }

    /// Views and sum of ranges of record numbers, each as often as it is counted there.
    pub fn of_ranges(index: &LogIndex, ranges: &RangeCounts) -> Numbers {
        let mut numbers = Numbers::default();
        for run in ranges.runs() {
            let once = Self::between(index, run.start, run.end);
            numbers.views += once.views * u64::from(run.count);
            numbers.sum += once.sum * i128::from(run.count);
        }
        numbers
    }

    /// The view of the first `records` records.
    pub fn view(&mut self, index: &LogIndex, records: u64) -> &View {
        if records < self.at {
            *self = Recount::new(self.rules);
        }
        while self.at < records {
            if let Some(record) = index.record(self.at) {
                self.fold.apply(&record);
            }
            self.at += 1;
        }
        self.fold.accumulator()
    }

    /// Fingerprint of the first `records` records.
    pub fn fingerprint(&mut self, index: &LogIndex, records: u64) -> Fingerprint {
        self.view(index, records).fingerprint(index.keys(), index.users())
    }
}
