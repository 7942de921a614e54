//! What a version makes of each record, to be taken along by whoever asks on another thread.

use super::{Ground, KappaLane, side::VersionSide, side::stream_reading};
use crate::{
    analysis::{Fate, Ledger, Taken, Uniques},
    domain::{
        self, Cell, Counts, LateRecords, Offsets, PartitionMemory, RangeCounts, Reading, Verdict, classify_in,
    },
    engine::protocol::VersionSettings,
    ingest::{Entry, LogIndex},
    serving::{Version, VersionNumber},
};

/// How a version reads, how far its view goes, how often each record counts in it, and what it lists as late: the rest is
/// found anew from the log.
#[derive(Debug, Clone)]
pub(in crate::engine) struct VersionBooks {
    pub number: VersionNumber,
    pub settings: VersionSettings,
    /// Under the guarantee of the run.
    pub reading: Reading,
    /// Where its view ends.
    pub position: Offsets,
    /// How often its processor read each record, by record number.
    pub deliveries: RangeCounts,
    late: LateRecords,
    /// By partition. Where positions and totals are not saved together, a record may count twice or not at all.
    effects: Vec<RangeCounts>,
}

impl KappaLane {
    /// The books of all versions, the one that serves first.
    pub(in crate::engine) fn books(&self, ground: &Ground<'_>) -> Vec<VersionBooks> {
        let of = |version: &Version| Some(VersionBooks::of(version, self.side(version.number())?, ground));
        self.kappa.versions().filter_map(of).collect()
    }
}

impl VersionBooks {
    pub(super) fn of(version: &Version, side: &VersionSide, ground: &Ground<'_>) -> VersionBooks {
        VersionBooks {
            number: version.number(),
            settings: side.settings,
            reading: stream_reading(version.reading(), ground),
            position: version.position().clone(),
            deliveries: side.deliveries.clone(),
            late: version.late().clone(),
            effects: version.view().speed().effects.clone(),
        }
    }

    /// Reads them record by record.
    pub fn ledger(&self) -> VersionLedger<'_> {
        VersionLedger { of: self, memories: Vec::new() }
    }

    /// How its view comes to unique users.
    pub fn uniques(&self) -> Uniques {
        match self.reading.options.uniques {
            domain::Uniques::Set => Uniques::United,
            domain::Uniques::Hll => Uniques::Estimated,
        }
    }

    /// What became of the records that its view holds.
    pub fn counts(&self, entries: impl Iterator<Item = Entry>) -> Counts {
        let (mut counts, mut ledger) = (Counts::default(), self.ledger());
        let verdicts = entries.filter_map(|entry| ledger.verdict(&entry).1);
        verdicts.for_each(|verdict| counts.add(verdict));
        counts
    }

    /// All that it needs to read is where its view ends.
    pub fn reach(&self, index: &LogIndex) -> u64 {
        self.position.total().min(index.len())
    }
}

/// What a version makes of each record, found anew from its settings; late are those that it lists. Records have to come
/// in delivery order from the first one: ids are remembered.
#[derive(Debug)]
pub(in crate::engine) struct VersionLedger<'a> {
    of: &'a VersionBooks,
    memories: Vec<PartitionMemory>,
}

impl VersionLedger<'_> {
    /// Where a record lies for the version, and its verdict where the view holds it.
    fn verdict(&mut self, entry: &Entry) -> (Option<Cell>, Option<Verdict>) {
        let VersionBooks { reading, position, late, .. } = self.of;
        let record = reading.of(&entry.record);
        let cell = record.event.map(|event| Cell { key: event.key, day: event.day });
        if !position.contains(record.partition, record.offset) {
            return (cell, None);
        }
        let verdict = match classify_in(&mut self.memories, &record, reading.rules) {
            Verdict::Counted if late.contains(record.partition, record.offset) => Verdict::Late,
            verdict => verdict,
        };
        (cell, Some(verdict))
    }
}

impl Ledger for VersionLedger<'_> {
    fn take(&mut self, entry: &Entry) -> Taken {
        let (cell, verdict) = self.verdict(entry);
        let (partition, offset) = (entry.record.partition.index(), entry.record.offset);
        let times = self.of.effects.get(partition).map_or(0, |effects| effects.count(offset));
        let fate = match (times, verdict) {
            (1, _) => Fate::Counted,
            (2.., _) => Fate::CountedAgain,
            (0, None) => Fate::NotYetRead,
            (0, Some(Verdict::Malformed)) => Fate::Malformed,
            (0, Some(Verdict::Redelivery)) => Fate::Redelivery,
            (0, Some(Verdict::MissingUser)) => Fate::NoUser,
            (0, Some(Verdict::Duplicate)) => Fate::Duplicate,
            (0, Some(Verdict::Late)) => Fate::Late,
            (0, Some(Verdict::Counted)) => Fate::Lost,
        };
        Taken { layers: [times, 0], cell, fate }
    }
}
