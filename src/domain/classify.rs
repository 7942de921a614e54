//! What becomes of a record: one verdict, in one fixed order, for both processors.

use rustc_hash::FxHashSet;

use super::{Offsets, Record};

/// Whether a record without a user still counts as a page view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anonymous {
    /// It does not.
    #[default]
    Skip,
    /// It does; it never counts as a user.
    Count,
}

/// Whether an explicit offset that is not above the highest seen marks a redelivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redelivery {
    /// It does, and the record counts nowhere.
    #[default]
    Skip,
    /// The rule is off: the textbook's listing as printed.
    Count,
}

/// The settings that decide verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// Whether a user field is mapped. Without one every record is valid and uniques are 0.
    pub users_mapped: bool,
    /// What a missing user means where one is mapped.
    pub anonymous: Anonymous,
    /// What a repeated explicit offset means.
    pub redelivery: Redelivery,
}

/// What became of a record when it was read. The order of the variants is the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No event could be read from the line.
    Malformed,
    /// Its explicit offset is not above the highest seen in its partition.
    Redelivery,
    /// A user is mapped and missing, and such records are skipped.
    MissingUser,
    /// Its id occurred earlier in its partition.
    Duplicate,
    /// It came after its day was closed (finite lateness only, in the stream only).
    Late,
    /// It counts.
    Counted,
}

/// What a verdict needs to know of the partition's prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionMemory {
    /// Highest explicit offset seen.
    pub highest_explicit: Option<u64>,
    /// Ids seen, as 128-bit hashes.
    pub seen_ids: FxHashSet<u128>,
}

impl PartitionMemory {
    /// The verdict on the partition's next record, and the memory with it.
    ///
    /// Depends on the record and on its partition's whole prefix only; lateness is added by the stream.
    pub fn classify(&mut self, record: &Record, rules: Rules) -> Verdict {
        let Some(event) = &record.event else { return Verdict::Malformed };
        let redelivered = match (event.explicit_offset, self.highest_explicit) {
            (Some(offset), Some(highest)) => offset <= highest,
            _ => false,
        };
        self.highest_explicit = self.highest_explicit.max(event.explicit_offset);
        let duplicate = event.id.is_some_and(|id| !self.seen_ids.insert(id));
        if redelivered && rules.redelivery == Redelivery::Skip {
            return Verdict::Redelivery;
        }
        if event.user.is_none() && rules.users_mapped && rules.anonymous == Anonymous::Skip {
            return Verdict::MissingUser;
        }
        if duplicate { Verdict::Duplicate } else { Verdict::Counted }
    }
}

/// How many records got which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines from which no event could be read.
    pub malformed: u64,
    /// Records whose explicit offset was seen before.
    pub redelivered: u64,
    /// Records without a user, where they are skipped.
    pub missing_user: u64,
    /// Records whose id was seen before.
    pub duplicates: u64,
    /// Records that came after their day was closed.
    pub late: u64,
    /// Records that count.
    pub counted: u64,
}

impl Counts {
    /// Adds one record.
    pub fn add(&mut self, verdict: Verdict) {
        *self.slot(verdict) += 1;
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Counts) {
        self.malformed += other.malformed;
        self.redelivered += other.redelivered;
        self.missing_user += other.missing_user;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.counted += other.counted;
    }

    /// All records read.
    pub fn records(&self) -> u64 {
        self.valid() + self.missing_user + self.malformed
    }

    /// All but malformed and skipped for want of a user; redelivered, duplicate and late ones are part of it.
    pub fn valid(&self) -> u64 {
        self.redelivered + self.duplicates + self.late + self.counted
    }

    fn slot(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Malformed => &mut self.malformed,
            Verdict::Redelivery => &mut self.redelivered,
            Verdict::MissingUser => &mut self.missing_user,
            Verdict::Duplicate => &mut self.duplicates,
            Verdict::Late => &mut self.late,
            Verdict::Counted => &mut self.counted,
        }
    }
}

/// Memory of every partition, addressed by index and grown on demand.
pub(crate) fn memory_of(memories: &mut Vec<PartitionMemory>, record: &Record) -> usize {
    let index = record.partition.index();
    if memories.len() <= index {
        memories.resize_with(index + 1, PartitionMemory::default);
    }
    index
}

/// Classifies `record` with the memory of its partition.
pub(crate) fn classify_in(memories: &mut Vec<PartitionMemory>, record: &Record, rules: Rules) -> Verdict {
    let index = memory_of(memories, record);
    memories.get_mut(index).map_or(Verdict::Malformed, |memory| memory.classify(record, rules))
}

/// Whether a record lies in `[from, to)` of its partition.
pub(crate) fn in_range(record: &Record, from: &Offsets, to: &Offsets) -> bool {
    !from.contains(record.partition, record.offset) && to.contains(record.partition, record.offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Day, Event, EventTime, KeyId, PartitionIndex, UserId, Value};

    fn event(user: Option<u32>, id: Option<u128>, explicit_offset: Option<u64>) -> Record {
        let event = Event {
            key: KeyId(0),
            user: user.map(UserId),
            time: EventTime(0),
            day: Day(0),
            value: Value::ONE,
            id,
            explicit_offset,
        };
        Record { partition: PartitionIndex(0), offset: 0, event: Some(event) }
    }

    #[test]
    fn verdicts_come_in_the_contract_order() {
        let rules = Rules { users_mapped: true, ..Rules::default() };
        let mut memory = PartitionMemory::default();
        let malformed = Record { partition: PartitionIndex(0), offset: 0, event: None };
        assert_eq!(memory.classify(&malformed, rules), Verdict::Malformed);
        assert_eq!(memory.classify(&event(Some(1), Some(7), Some(3)), rules), Verdict::Counted);
        // A redelivery without a user and with a known id is a redelivery first.
        assert_eq!(memory.classify(&event(None, Some(7), Some(3)), rules), Verdict::Redelivery);
        assert_eq!(memory.classify(&event(None, Some(7), Some(4)), rules), Verdict::MissingUser);
        assert_eq!(memory.classify(&event(Some(1), Some(7), Some(5)), rules), Verdict::Duplicate);
        assert_eq!(memory.classify(&event(Some(1), Some(8), None), rules), Verdict::Counted);
    }

    #[test]
    fn counts_add_up() {
        let mut counts = Counts::default();
        for verdict in [Verdict::Malformed, Verdict::Redelivery, Verdict::MissingUser, Verdict::Counted] {
            counts.add(verdict);
        }
        assert_eq!((counts.records(), counts.valid()), (4, 2));
    }
}
