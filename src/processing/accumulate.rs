//! One fold, two accumulators: [`Bulk`] for batch runs, [`View`] itself for the live stream.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use crate::domain::{
    Cell, Counts, PartitionMemory, Record, Row, Rules, UserId, Value, Verdict, View, classify_in,
};

/// Collects counted events into a view.
pub trait Accumulate: Default {
    /// Counts one event.
    fn count(&mut self, cell: Cell, user: Option<UserId>, value: Value);
    /// The view of everything counted.
    fn finish(self) -> View;
}

impl Accumulate for View {
    fn count(&mut self, cell: Cell, user: Option<UserId>, value: Value) {
        self.add(cell, user, value);
    }

    fn finish(self) -> View {
        self
    }
}

/// Accumulator of a batch run: users are only appended while reading and made distinct once at the end, which is
/// cheaper than a set lookup for every record. Equal to the live accumulator by property test.
#[derive(Debug, Clone, Default)]
pub struct Bulk {
    index: HashMap<Cell, u32, FxBuildHasher>,
    rows: Vec<Row>,
    last: Option<(Cell, u32)>,
}

/// From this length on a cell's appended users are made distinct in between, so that memory stays bounded by
/// the distinct users and not by the records.
const COMPACT_FROM: usize = 4096;

impl Accumulate for Bulk {
    fn count(&mut self, cell: Cell, user: Option<UserId>, value: Value) {
        let at = match self.last {
            Some((last, at)) if last == cell => at,
            _ => self.row_at(cell),
        };
        self.last = Some((cell, at));
        let Some(row) = self.rows.get_mut(at as usize) else { return };
        row.views += 1;
        row.sum += i128::from(value.0);
        if let Some(user) = user {
            row.users.push(user);
            if row.users.len() >= COMPACT_FROM && row.users.len() == row.users.capacity() {
                distinct(&mut row.users);
            }
        }
    }

    fn finish(mut self) -> View {
        self.rows.iter_mut().for_each(|row| distinct(&mut row.users));
        View::of_rows(self.rows)
    }
}

impl Bulk {
    fn row_at(&mut self, cell: Cell) -> u32 {
        let next = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let at = *self.index.entry(cell).or_insert(next);
        if at == next {
            self.rows.push(Row::new(cell));
        }
        at
    }
}

fn distinct(users: &mut Vec<UserId>) {
    users.sort_unstable();
    users.dedup();
}

/// `fold(L[from, to))`: classifies every record that it is given and counts those that count.
///
/// Verdicts depend on a partition's whole prefix, so a fold starts at record 0 unless it is handed the memory.
#[derive(Debug, Clone, Default)]
pub struct Fold<A> {
    rules: Rules,
    memories: Vec<PartitionMemory>,
    counts: Counts,
    accumulator: A,
}

impl<A: Accumulate> Fold<A> {
    /// An empty fold at record 0.
    pub fn new(rules: Rules) -> Self {
        Fold { rules, memories: Vec::new(), counts: Counts::default(), accumulator: A::default() }
    }

    /// Takes the next record.
    pub fn apply(&mut self, record: &Record) -> Verdict {
        let verdict = classify_in(&mut self.memories, record, self.rules);
        self.counts.add(verdict);
        if let (Verdict::Counted, Some(event)) = (verdict, &record.event) {
            self.accumulator.count(Cell { key: event.key, day: event.day }, event.user, event.value);
        }
        verdict
    }

    /// Classifies a record without counting it: the prefix of a range.
    pub fn pass(&mut self, record: &Record) -> Verdict {
        classify_in(&mut self.memories, record, self.rules)
    }

    /// How many records got which verdict.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What has been counted so far.
    pub fn accumulator(&self) -> &A {
        &self.accumulator
    }

    /// The view of everything counted, and the tally.
    pub fn finish(self) -> (View, Counts) {
        (self.accumulator.finish(), self.counts)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Day, Event, EventTime, KeyId, Names, PartitionIndex};

    /// Records of `partitions` partitions with everything that verdicts depend on.
    pub(crate) fn any_log(partitions: u16, most: usize) -> impl Strategy<Value = Vec<Record>> {
        let event = (0_u32..4, proptest::option::of(0_u32..6), 0_i32..3, -3_i64..9, any_marks());
        let record = (0..partitions, proptest::option::weighted(0.9, event));
        proptest::collection::vec(record, 0..most).prop_map(|raw| {
            let mut next = vec![0_u64; 64];
            raw.into_iter()
                .map(|(partition, event)| {
                    let offset = next[usize::from(partition)];
                    next[usize::from(partition)] += 1;
                    let event = event.map(|(key, user, day, value, (id, explicit_offset))| Event {
                        key: KeyId(key),
                        user: user.map(UserId),
                        time: EventTime(i64::from(day)),
                        day: Day(day),
                        value: Value(value),
                        id: id.map(u128::from),
                        explicit_offset,
                    });
                    Record { partition: PartitionIndex(partition), offset, event }
                })
                .collect()
        })
    }

    fn any_marks() -> impl Strategy<Value = (Option<u8>, Option<u64>)> {
        (proptest::option::weighted(0.3, 0_u8..20), proptest::option::weighted(0.3, 0_u64..40))
    }

    /// Names for the ids that [`any_log`] uses.
    pub(crate) fn names() -> (Names, Names) {
        let mut keys = Names::new();
        let mut users = Names::new();
        for n in 0..8 {
            keys.intern(&format!("/page-{n}"));
            users.intern(&format!("user-{n}"));
        }
        (keys, users)
    }

    /// Rules under which every verdict can occur.
    pub(crate) fn rules() -> Rules {
        Rules { users_mapped: true, ..Rules::default() }
    }

    proptest! {
        #[test]
        fn bulk_equals_live(log in any_log(3, 120)) {
            let (keys, users) = names();
            let mut bulk = Fold::<Bulk>::new(rules());
            let mut live = Fold::<View>::new(rules());
            for record in &log {
                prop_assert_eq!(bulk.apply(record), live.apply(record));
            }
            let ((a, counts_a), (b, counts_b)) = (bulk.finish(), live.finish());
            prop_assert_eq!(counts_a, counts_b);
            prop_assert_eq!(counts_a.records(), log.len() as u64);
            prop_assert_eq!(a.total_views(), counts_a.counted);
            prop_assert_eq!(a.canonical(&keys), b.canonical(&keys));
            prop_assert_eq!(a.fingerprint(&keys, &users), b.fingerprint(&keys, &users));
        }
    }

    #[test]
    fn bulk_compacts_long_cells() {
        let mut bulk = Bulk::default();
        let cell = Cell { key: KeyId(0), day: Day(0) };
        for n in 0..100_000_u32 {
            bulk.count(cell, Some(UserId(n % 10)), Value::ONE);
        }
        assert!(bulk.rows[0].users.capacity() < 50_000);
        let view = bulk.finish();
        assert_eq!((view.total_views(), view.rows()[0].users.len()), (100_000, 10));
    }
}
