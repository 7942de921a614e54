//! The full recount: what a run that never crashed would have counted. The referee of everything that is shown.
//!
//! Totals come from the index's prefix sums, cells from a fold of its own that only ever reads on; neither shares
//! anything with the two processors but `classify`.

use std::{collections::HashMap, sync::Arc};

use rustc_hash::FxBuildHasher;

use crate::{
    domain::{
        Cell, Fingerprint, NameTable as _, RangeCounts, Reading, Record, Rules, Verdict, View, row_hash,
    },
    ingest::{IndexSource, LogIndex, RecordSource as _},
    processing::Fold,
    serving::Numbers,
};

/// Records read from the index at once.
const READ_AT_ONCE: u64 = 4_096;

/// Folds the log's prefix beside the run.
#[derive(Debug, Clone)]
pub struct Recount {
    reading: Reading,
    fold: Fold<View>,
    at: u64,
    /// Cells counted in since the last fingerprint, with repetitions.
    changed: Vec<Cell>,
    hashes: HashMap<Cell, Hashed, FxBuildHasher>,
    fingerprint: Fingerprint,
}

/// What is in the fingerprint of a cell.
#[derive(Debug, Clone, Copy, Default)]
struct Hashed {
    users: usize,
    users_hash: u128,
    row: u128,
}

impl Recount {
    /// At record 0.
    pub fn new(rules: Rules) -> Self {
        Self::under(Reading::as_loaded(rules))
    }

    /// At record 0, of records as a version reads them.
    pub fn under(reading: Reading) -> Self {
        let (changed, hashes) = (Vec::new(), HashMap::default());
        let fold = Fold::new(reading.rules);
        Recount { reading, fold, at: 0, changed, hashes, fingerprint: Fingerprint::default() }
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
    pub fn view(&mut self, index: &Arc<LogIndex>, records: u64) -> &View {
        if records < self.at {
            *self = Recount::under(self.reading.clone());
        }
        let (fold, changed, reading) = (&mut self.fold, &mut self.changed, &self.reading);
        each_record(index, self.at, records, |record| {
            let record = reading.of(record);
            if let (Verdict::Counted, Some(event)) = (fold.apply(&record), &record.event) {
                changed.push(Cell { key: event.key, day: event.day });
            }
        });
        self.at = records;
        self.fold.accumulator()
    }

    /// Fingerprint of the first `records` records: costs the cells that changed since the last call.
    pub fn fingerprint(&mut self, index: &Arc<LogIndex>, records: u64) -> Fingerprint {
        self.view(index, records);
        self.changed.sort_unstable();
        self.changed.dedup();
        for cell in self.changed.drain(..) {
            let Some(row) = self.fold.accumulator().row(cell) else { continue };
            let hashed = self.hashes.entry(cell).or_default();
            // Sets only grow, at their end.
            for user in row.users.get(hashed.users..).unwrap_or_default() {
                hashed.users_hash = hashed.users_hash.wrapping_add(index.users().hash(user.0));
            }
            hashed.users = row.users.len();
            let key = index.keys().hash(cell.key.0);
            let hash = row_hash(key, cell.day, row.views, row.sum, hashed.users_hash);
            self.fingerprint = Fingerprint(self.fingerprint.0.wrapping_sub(hashed.row)).with(hash);
            hashed.row = hash;
        }
        self.fingerprint
    }
}

/// The records `[from, to)` in delivery order, read one after the other: cheaper than asking for each by number.
pub fn each_record(index: &Arc<LogIndex>, from: u64, to: u64, mut take: impl FnMut(&Record)) {
    if from >= to {
        return;
    }
    let mut source = IndexSource::new(Arc::clone(index));
    source.seek_to_record(from);
    let (mut left, mut buffer) = (to.saturating_sub(from), Vec::new());
    while left > 0 {
        buffer.clear();
        let size = usize::try_from(left.min(READ_AT_ONCE)).unwrap_or(usize::MAX);
        // Reading from memory does not fail; at the end of the index there is no more.
        let read = source.read(size, &mut buffer).unwrap_or(0);
        if read == 0 {
            return;
        }
        buffer.iter().for_each(&mut take);
        left -= read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::test_support::opened;

    #[test]
    fn the_growing_fingerprint_is_that_of_the_whole_view() {
        let open = opened("shop");
        let index = &open.index;
        let mut recount = Recount::new(open.mapping.rules());
        for records in [0, 1, 900, 901, 12_000, 5_000, 31_106] {
            let grown = recount.fingerprint(index, records);
            let whole = recount.view(index, records).fingerprint(index.keys(), index.users());
            assert_eq!(grown, whole, "{records}");
            assert_eq!(recount.view(index, records).total_views(), Recount::numbers(index, records).views);
        }
    }
}
