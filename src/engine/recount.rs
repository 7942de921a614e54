//! The full recount: what a run that never crashed would have counted. The referee of everything that is shown.
//!
//! Totals come from the index's prefix sums, cells from a fold of its own that only ever reads on; neither shares
//! anything with the two processors but `classify`.

use std::{collections::HashMap, sync::Arc};

use rustc_hash::FxBuildHasher;

use crate::{
    domain::{
        Cell, Fingerprint, LateRecords, NameTable as _, PartitionMemory, RangeCounts, Reading, Record, Rules,
        Uniques, Verdict, View, classify_in, row_hash,
    },
    ingest::{IndexSource, LogIndex, RecordSource as _},
    serving::Numbers,
};

/// Records read from the index at once.
const READ_AT_ONCE: u64 = 4_096;

/// Folds the log's prefix beside the run.
#[derive(Debug, Clone)]
pub struct Recount {
    reading: Reading,
    memories: Vec<PartitionMemory>,
    view: View,
    /// Records that would count and were left out as late.
    left_out: u64,
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
        Recount {
            reading,
            memories: Vec::new(),
            view: View::new(),
            left_out: 0,
            at: 0,
            changed: Vec::new(),
            hashes: HashMap::default(),
            fingerprint: Fingerprint::default(),
        }
    }

    /// Records that the fold has come to.
    pub fn position(&self) -> u64 {
        self.at
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
        self.view_without(index, records, &LateRecords::new())
    }

    /// The same without late records: what a stream processor counts that dropped these.
    pub fn view_without(&mut self, index: &Arc<LogIndex>, records: u64, late: &LateRecords) -> &View {
        if records < self.at {
            *self = Recount::under(self.reading.clone());
        }
        let Recount { reading, memories, view, left_out, changed, .. } = self;
        each_record(index, self.at, records, |record| {
            let record = reading.of(record);
            let verdict = classify_in(memories, &record, reading.rules);
            let (Verdict::Counted, Some(event)) = (verdict, &record.event) else { return };
            if late.contains(record.partition, record.offset) {
                *left_out += 1;
                return;
            }
            let cell = Cell { key: event.key, day: event.day };
            match reading.options.uniques {
                Uniques::Set => view.add(cell, event.user, event.value),
                Uniques::Hll => {
                    let user = event.user.map(|user| index.users().hash(user.0));
                    view.add_sketched(cell, user, event.value)
                }
            };
            changed.push(cell);
        });
        self.at = records;
        &self.view
    }

    /// How many records were left out of the newest view as late.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Fingerprint of the first `records` records: costs the cells that changed since the last call.
    pub fn fingerprint(&mut self, index: &Arc<LogIndex>, records: u64) -> Fingerprint {
        self.fingerprint_without(index, records, &LateRecords::new())
    }

    /// The same without late records.
    pub fn fingerprint_without(
        &mut self,
        index: &Arc<LogIndex>,
        records: u64,
        late: &LateRecords,
    ) -> Fingerprint {
        self.view_without(index, records, late);
        self.changed.sort_unstable();
        self.changed.dedup();
        for cell in self.changed.drain(..) {
            let Some(row) = self.view.row(cell) else { continue };
            let hashed = self.hashes.entry(cell).or_default();
            if row.sketch.is_some() {
                hashed.users_hash = row.users_hash(index.users());
            } else {
                // Sets only grow, at their end.
                for user in row.users.get(hashed.users..).unwrap_or_default() {
                    hashed.users_hash = hashed.users_hash.wrapping_add(index.users().hash(user.0));
                }
                hashed.users = row.users.len();
            }
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
