//! A run of records in columns: 4,096 records in delivery order, immutable once made.

use std::ops::Range;

use memchr::memchr_iter;

use super::cursor::Place;
use crate::domain::{
    Counts, Day, Event, EventTime, FirstOf, KeyId, Offsets, PartitionIndex, Record, UserId, Value, Verdict,
};

/// Records a chunk; all but the last are full.
pub(crate) const CHUNK_RECORDS: usize = 4_096;

/// Totals are remembered every so many records of a chunk: run time asks for them several times a tick.
const STEP_RECORDS: usize = 256;
/// Up to so many partitions each is counted by itself, many records at a time.
const FEW_PARTITIONS: usize = 16;

const NONE: u32 = u32::MAX;
const NO_TIME: i64 = i64::MIN;
const VERDICT: u8 = 0b111;
const FIRST_RUN: u8 = 1 << 3;
const FIRST_KEY: u8 = 1 << 4;
const FIRST_DAY: u8 = 1 << 5;
const HAS_ID: u8 = 1 << 6;
const HAS_OFFSET: u8 = 1 << 7;

/// Totals of a full recount over a prefix of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Counted records.
    pub views: u64,
    /// Distinct users.
    pub users: u64,
    /// Sum of values, in millionths.
    pub sum: i128,
}

impl Totals {
    pub(crate) fn add(&mut self, value: Value, new_user: bool) {
        self.views += 1;
        self.users += u64::from(new_user);
        self.sum += i128::from(value.0);
    }

    /// Adds other records, none of whose users is new twice.
    pub(crate) fn join(&mut self, other: &Totals) {
        self.views += other.views;
        self.users += other.users;
        self.sum += other.sum;
    }
}

/// Where a record's line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineMark {
    pub partition: PartitionIndex,
    pub offset: u64,
    pub place: Place,
}

/// What lies before a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Before {
    pub offsets: Offsets,
    pub totals: Totals,
    pub counts: Counts,
}

/// Columns that are kept only where their field is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Optional {
    pub value: bool,
    pub id: bool,
    pub offset: bool,
    pub arrival: bool,
}

/// The partition of each record, in as few bytes as it takes.
#[derive(Debug)]
enum Partitions {
    Same(u16),
    Small(Box<[u8]>),
    Wide(Box<[u16]>),
}

/// The day of each record; a log is mostly in order, so a chunk spans few days.
#[derive(Debug)]
enum Days {
    Same(i32),
    Near(i32, Box<[u8]>),
    Far(Box<[i32]>),
}

/// A frozen run of records.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub before: Before,
    /// Of every 256th record of a partition, in delivery order.
    pub marks: Box<[LineMark]>,
    /// Totals up to each full step.
    steps: Box<[Totals]>,
    partitions: Partitions,
    keys: Box<[u32]>,
    users: Box<[u32]>,
    times: Box<[i64]>,
    days: Days,
    flags: Box<[u8]>,
    values: Box<[i64]>,
    ids: Box<[u128]>,
    offsets: Box<[u64]>,
    arrivals: Box<[i64]>,
}

/// A chunk that still grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChunkBuilder {
    optional: Optional,
    before: Before,
    marks: Vec<LineMark>,
    partitions: Vec<u16>,
    keys: Vec<u32>,
    users: Vec<u32>,
    times: Vec<i64>,
    days: Vec<i32>,
    flags: Vec<u8>,
    values: Vec<i64>,
    ids: Vec<u128>,
    offsets: Vec<u64>,
    arrivals: Vec<i64>,
}

impl ChunkBuilder {
    /// An empty chunk behind what lies before it.
    pub fn new(optional: Optional, before: Before) -> ChunkBuilder {
        ChunkBuilder { optional, before, ..ChunkBuilder::default() }
    }

    /// Records in it.
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// Remembers where a line begins.
    pub fn mark(&mut self, mark: LineMark) {
        self.marks.push(mark);
    }

    /// Appends a record.
    pub fn push(&mut self, record: &Record, verdict: Verdict, first: FirstOf, arrival: Option<EventTime>) {
        let event = record.event;
        let last_day = self.days.last().copied().unwrap_or(0);
        self.partitions.push(record.partition.0);
        self.keys.push(event.map_or(NONE, |event| event.key.0));
        self.users.push(event.and_then(|event| event.user).map_or(NONE, |user| user.0));
        self.times.push(event.map_or(NO_TIME, |event| event.time.0));
        self.days.push(event.map_or(last_day, |event| event.day.0));
        let id = event.and_then(|event| event.id);
        let offset = event.and_then(|event| event.explicit_offset);
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        self.flags.push(
            verdict_code(verdict)
                | bit(first.run, FIRST_RUN)
                | bit(first.key, FIRST_KEY)
                | bit(first.day, FIRST_DAY)
                | bit(id.is_some(), HAS_ID)
                | bit(offset.is_some(), HAS_OFFSET),
        );
        if self.optional.value {
            self.values.push(event.map_or(0, |event| event.value.0));
        }
        if self.optional.id {
            self.ids.push(id.unwrap_or(0));
        }
        if self.optional.offset {
            self.offsets.push(offset.unwrap_or(0));
        }
        if self.optional.arrival {
            self.arrivals.push(arrival.map_or(NO_TIME, |arrival| arrival.0));
        }
    }

    /// The chunk as it is now.
    pub fn freeze(&self) -> Chunk {
        let chunk = Chunk {
            before: self.before.clone(),
            marks: self.marks.clone().into(),
            steps: Box::default(),
            partitions: pack_partitions(&self.partitions),
            keys: self.keys.clone().into(),
            users: self.users.clone().into(),
            times: self.times.clone().into(),
            days: pack_days(&self.days),
            flags: self.flags.clone().into(),
            values: self.values.clone().into(),
            ids: self.ids.clone().into(),
            offsets: self.offsets.clone().into(),
            arrivals: self.arrivals.clone().into(),
        };
        let mut totals = chunk.before.totals;
        let full = 0..chunk.len() / STEP_RECORDS;
        let steps = full.map(|step| {
            chunk.add_totals(&mut totals, step * STEP_RECORDS..(step + 1) * STEP_RECORDS);
            totals
        });
        Chunk { steps: steps.collect(), ..chunk }
    }
}

impl Chunk {
    /// Records in it.
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// Partition of a record.
    pub fn partition(&self, at: usize) -> PartitionIndex {
        PartitionIndex(match &self.partitions {
            Partitions::Same(partition) => *partition,
            Partitions::Small(each) => each.get(at).copied().map_or(0, u16::from),
            Partitions::Wide(each) => each.get(at).copied().unwrap_or(0),
        })
    }

    /// Number of the first `end` records that lie in a partition.
    pub fn count_of(&self, partition: PartitionIndex, end: usize) -> u64 {
        let count = match &self.partitions {
            Partitions::Same(same) => usize::from(*same == partition.0) * end.min(self.len()),
            Partitions::Small(each) => u8::try_from(partition.0)
                .map_or(0, |partition| memchr_iter(partition, up_to(each, end)).count()),
            Partitions::Wide(each) => each.iter().take(end).filter(|&&p| p == partition.0).count(),
        };
        count as u64
    }

    /// Place of the first record of a partition at or behind `from`.
    pub fn next_of(&self, partition: PartitionIndex, from: usize) -> Option<usize> {
        match &self.partitions {
            Partitions::Same(same) => (*same == partition.0 && from < self.len()).then_some(from),
            _ => (from..self.len()).find(|&at| self.partition(at) == partition),
        }
    }

    /// Positions after the first `end` records of the chunk.
    pub fn offsets_at(&self, end: usize) -> Offsets {
        let mut offsets = self.before.offsets.clone();
        let end = end.min(self.len());
        let known = offsets.as_slice().len();
        match &self.partitions {
            Partitions::Same(same) => {
                let partition = PartitionIndex(*same);
                offsets.set(partition, offsets.get(partition) + end as u64);
            }
            // The vector before a chunk of a log knows all its partitions.
            Partitions::Small(_) if (1..=FEW_PARTITIONS).contains(&known) => {
                for partition in (0_u16..).take(known).map(PartitionIndex) {
                    offsets.set(partition, offsets.get(partition) + self.count_of(partition, end));
                }
            }
            _ => {
                for at in 0..end {
                    offsets.next(self.partition(at));
                }
            }
        }
        offsets
    }

    /// A record of which the offset is known.
    pub fn record(&self, at: usize, offset: u64) -> Option<Record> {
        let flags = *self.flags.get(at)?;
        let partition = self.partition(at);
        if verdict_of(flags) == Verdict::Malformed {
            return Some(Record { partition, offset, event: None });
        }
        let event = Event {
            key: KeyId(*self.keys.get(at)?),
            user: self.user(at),
            time: EventTime(*self.times.get(at)?),
            day: self.day(at),
            value: self.value(at),
            id: self.ids.get(at).filter(|_| flags & HAS_ID != 0).copied(),
            explicit_offset: self.offsets.get(at).filter(|_| flags & HAS_OFFSET != 0).copied(),
        };
        Some(Record { partition, offset, event: Some(event) })
    }

    /// Verdict on a record.
    pub fn verdict(&self, at: usize) -> Option<Verdict> {
        self.flags.get(at).map(|&flags| verdict_of(flags))
    }

    /// In which scopes a record was the first of its user, in a full recount.
    pub fn first_of(&self, at: usize) -> FirstOf {
        let flags = self.flags.get(at).copied().unwrap_or(0);
        FirstOf { run: flags & FIRST_RUN != 0, key: flags & FIRST_KEY != 0, day: flags & FIRST_DAY != 0 }
    }

    /// Page of a record; meaningless for a malformed one.
    pub fn key(&self, at: usize) -> KeyId {
        KeyId(self.keys.get(at).copied().unwrap_or(NONE))
    }

    /// User of a record, where it has one.
    pub fn user(&self, at: usize) -> Option<UserId> {
        self.users.get(at).filter(|&&user| user != NONE).map(|&user| UserId(user))
    }

    /// Event time of a record; `None` for a malformed one.
    pub fn time(&self, at: usize) -> Option<EventTime> {
        self.times.get(at).filter(|&&time| time != NO_TIME).map(|&time| EventTime(time))
    }

    /// Day of a record.
    pub fn day(&self, at: usize) -> Day {
        Day(match &self.days {
            Days::Same(day) => *day,
            Days::Near(base, each) => base + each.get(at).copied().map_or(0, i32::from),
            Days::Far(each) => each.get(at).copied().unwrap_or(0),
        })
    }

    /// Value of a record; one where none is mapped.
    pub fn value(&self, at: usize) -> Value {
        self.values.get(at).map_or(Value::ONE, |&value| Value(value))
    }

    /// What the delivery order goes by.
    pub fn delivery_time(&self, at: usize) -> Option<EventTime> {
        let times = if self.arrivals.is_empty() { &self.times } else { &self.arrivals };
        times.get(at).filter(|&&time| time != NO_TIME).map(|&time| EventTime(time))
    }

    /// Totals up to and with the first `end` records of the chunk.
    pub fn totals_at(&self, end: usize) -> Totals {
        let end = end.min(self.len());
        let step = (end / STEP_RECORDS).min(self.steps.len());
        let known = step.checked_sub(1).and_then(|last| self.steps.get(last));
        let mut totals = known.copied().unwrap_or(self.before.totals);
        self.add_totals(&mut totals, step * STEP_RECORDS..end);
        totals
    }

    fn add_totals(&self, totals: &mut Totals, records: Range<usize>) {
        let from = records.start;
        for (at, &flags) in (from..).zip(self.flags.get(records).unwrap_or_default()) {
            if verdict_of(flags) == Verdict::Counted {
                totals.add(self.value(at), flags & FIRST_RUN != 0);
            }
        }
    }

    /// Verdicts up to and with the first `end` records of the chunk.
    pub fn counts_at(&self, end: usize) -> Counts {
        let mut counts = self.before.counts;
        self.flags.iter().take(end).for_each(|&flags| counts.add(verdict_of(flags)));
        counts
    }
}

fn up_to(each: &[u8], end: usize) -> &[u8] {
    each.get(..end).unwrap_or(each)
}

fn verdict_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Malformed => 0,
        Verdict::Redelivery => 1,
        Verdict::MissingUser => 2,
        Verdict::Duplicate => 3,
        Verdict::Late => 4,
        Verdict::Counted => 5,
    }
}

fn verdict_of(flags: u8) -> Verdict {
    match flags & VERDICT {
        1 => Verdict::Redelivery,
        2 => Verdict::MissingUser,
        3 => Verdict::Duplicate,
        4 => Verdict::Late,
        5 => Verdict::Counted,
        _ => Verdict::Malformed,
    }
}

fn pack_partitions(each: &[u16]) -> Partitions {
    let first = each.first().copied().unwrap_or(0);
    if each.iter().all(|&partition| partition == first) {
        return Partitions::Same(first);
    }
    match each.iter().map(|&partition| u8::try_from(partition)).collect::<Result<Box<[u8]>, _>>() {
        Ok(small) => Partitions::Small(small),
        Err(_) => Partitions::Wide(each.into()),
    }
}

fn pack_days(each: &[i32]) -> Days {
    let base = each.iter().copied().min().unwrap_or(0);
    let last = each.iter().copied().max().unwrap_or(0);
    if base == last {
        return Days::Same(base);
    }
    let near = |&day: &i32| u8::try_from(i64::from(day) - i64::from(base));
    match each.iter().map(near).collect::<Result<Box<[u8]>, _>>() {
        Ok(near) => Days::Near(base, near),
        Err(_) => Days::Far(each.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_columns_give_back_what_was_put_in(
            rows in proptest::collection::vec((0_u16..3, -2_i32..300, any::<bool>(), any::<bool>()), 1..50),
            wide in any::<bool>(), far in any::<bool>(), same in any::<bool>(),
        ) {
            let optional = Optional { value: true, id: true, offset: true, arrival: true };
            let mut builder = ChunkBuilder::new(optional, Before::default());
            let mut records = Vec::new();
            for (at, &(partition, day, has_event, has_more)) in rows.iter().enumerate() {
                let partition = PartitionIndex(if same { 0 } else { partition * if wide { 400 } else { 1 } });
                let event = has_event.then(|| Event {
                    key: KeyId(u32::try_from(at).unwrap()),
                    user: has_more.then_some(UserId(7)),
                    time: EventTime(i64::try_from(at).unwrap() - 3),
                    day: Day(if same { 1 } else if far { day * 1_000 } else { day / 2 }),
                    value: Value(i64::try_from(at).unwrap()),
                    id: has_more.then_some(u128::MAX),
                    explicit_offset: has_more.then_some(u64::MAX),
                });
                let offset = builder.freeze().count_of(partition, at);
                let record = Record { partition, offset, event };
                let verdict = if has_event { Verdict::Counted } else { Verdict::Malformed };
                builder.push(&record, verdict, FirstOf { key: has_more, ..FirstOf::default() }, None);
                records.push((record, verdict));
            }
            let chunk = builder.freeze();
            for (at, (record, verdict)) in records.iter().enumerate() {
                let offset = chunk.count_of(record.partition, at);
                prop_assert_eq!(chunk.record(at, offset), Some(*record));
                prop_assert_eq!(chunk.verdict(at), Some(*verdict));
                prop_assert_eq!(chunk.offsets_at(at + 1).get(record.partition), offset + 1);
            }
            let counted = records.iter().filter(|(_, verdict)| *verdict == Verdict::Counted).count();
            prop_assert_eq!(chunk.totals_at(records.len()).views, counted as u64);
            prop_assert_eq!(chunk.counts_at(records.len()).records(), records.len() as u64);
        }
    }
    #[test]
    fn totals_and_positions_of_a_long_chunk_are_those_of_a_count_from_its_start() {
        for partitions in [1_u16, 3, 17, 300] {
            let before = Before {
                offsets: Offsets::start(usize::from(partitions)),
                totals: Totals { views: 5, users: 2, sum: 7 },
                ..Before::default()
            };
            let mut builder = ChunkBuilder::new(Optional::default(), before.clone());
            let (mut totals, mut offsets) = (before.totals, before.offsets);
            let mut expected = vec![(totals, offsets.clone())];
            for at in 0..1_000_u16 {
                let partition = PartitionIndex(at * 7 % 311 % partitions);
                let record = Record { partition, offset: offsets.next(partition), event: None };
                let verdict = if at % 7 == 0 { Verdict::Duplicate } else { Verdict::Counted };
                let first = FirstOf { run: at % 5 == 0, ..FirstOf::default() };
                builder.push(&record, verdict, first, None);
                if verdict == Verdict::Counted {
                    totals.add(Value::ONE, first.run);
                }
                expected.push((totals, offsets.clone()));
            }
            let chunk = builder.freeze();
            for (at, (totals, offsets)) in expected.iter().enumerate() {
                assert_eq!((chunk.totals_at(at), &chunk.offsets_at(at)), (*totals, offsets), "{at}");
            }
            let (totals, offsets) = expected.last().unwrap();
            assert_eq!((chunk.totals_at(4_096), &chunk.offsets_at(4_096)), (*totals, offsets));
        }
    }
}
