//! Why two versions differ, day by day: every record that they count otherwise names its cause.

use std::{collections::BTreeMap, sync::Arc};

use super::{Ground, KappaLane};
use crate::{
    analysis::{
        Actual, Fate, GroupDifference, Grouping, Ledger, Part, Scope, Side, Taken, Uniques, differences,
    },
    domain::{self, Cell, LateRecords, Offsets, PartitionMemory, Reading, Verdict, classify_in},
    engine::protocol::{DayCauses, VersionCause, VersionDifferences},
    ingest::{Entry, LogIndex},
    serving::{Version, VersionNumber},
};

/// Everything that a comparison needs, to be made on another thread.
pub(in crate::engine) struct Comparison {
    index: Arc<LogIndex>,
    serving: Compared,
    other: Compared,
}

struct Compared {
    number: VersionNumber,
    reading: Reading,
    position: Offsets,
    late: LateRecords,
    by_day: Actual,
    whole: Actual,
}

impl KappaLane {
    /// What is to be compared now; `None` with fewer than two versions.
    pub(in crate::engine) fn comparison(&self, ground: &Ground<'_>) -> Option<Comparison> {
        let serving = self.kappa.serving()?;
        let (_, other) = self.kappa.other()?;
        let side = |version: &Version| Compared::of(version, ground);
        Some(Comparison { index: Arc::clone(ground.index), serving: side(serving), other: side(other) })
    }
}

impl Compared {
    fn of(version: &Version, ground: &Ground<'_>) -> Compared {
        let view = version.view();
        let of_day = |day| (Scope { key: None, day: Some(day) }, view.day_numbers(day).1);
        Compared {
            number: version.number(),
            reading: super::side::stream_reading(version.reading(), ground),
            position: version.position().clone(),
            late: version.late().clone(),
            by_day: view.speed_days().map(of_day).collect(),
            whole: Actual::from([(Scope::default(), view.merged_numbers())]),
        }
    }

    fn ledger(&self) -> VersionLedger<'_> {
        VersionLedger { of: self, memories: Vec::new() }
    }

    fn uniques(&self) -> Uniques {
        match self.reading.options.uniques {
            domain::Uniques::Set => Uniques::United,
            domain::Uniques::Hll => Uniques::Estimated,
        }
    }
}

impl Comparison {
    /// Walks the log once; the version that serves minus the other one.
    pub(in crate::engine) fn differences(&self) -> VersionDifferences {
        let (serving, other) = (&self.serving, &self.other);
        let (mut first, mut second) = (serving.ledger(), other.ledger());
        let (mut first, mut second) = (
            Side { ledger: &mut first, uniques: serving.uniques() },
            Side { ledger: &mut second, uniques: other.uniques() },
        );
        let records = serving.position.total().max(other.position.total());
        let groupings =
            [(Grouping::Run, &serving.whole, &other.whole), (Grouping::Days, &serving.by_day, &other.by_day)];
        let entries = self.index.entries(0, records);
        let mut found = differences(entries, &mut first, &mut second, &groupings).into_iter();
        let total = found.next().and_then(|run| run.into_iter().next()).map(day_causes);
        let differing: BTreeMap<_, _> = found
            .next()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|group| Some((group.scope.day?, group)))
            .collect();
        VersionDifferences {
            first: serving.number,
            second: other.number,
            first_at: serving.position.total(),
            second_at: other.position.total(),
            total: total.unwrap_or_default(),
            days: differing.into_values().map(day_causes).collect(),
            all_days: union_of_days(&serving.by_day, &other.by_day),
        }
    }
}

fn union_of_days(first: &Actual, second: &Actual) -> u64 {
    let days: std::collections::BTreeSet<_> =
        first.keys().chain(second.keys()).filter_map(|scope| scope.day).collect();
    days.len() as u64
}

fn day_causes(group: GroupDifference) -> DayCauses {
    let part = |part: Part| VersionCause {
        cause: part.cause.id(),
        records: part.records,
        views: part.views,
        users: part.users,
    };
    DayCauses {
        day: group.scope.day.map(|day| day.to_string()).unwrap_or_default(),
        first: group.first.into(),
        second: group.second.into(),
        causes: group.parts.into_iter().map(part).collect(),
    }
}

/// What a version makes of each record, found anew from its settings; late are those that it lists.
struct VersionLedger<'a> {
    of: &'a Compared,
    memories: Vec<PartitionMemory>,
}

impl Ledger for VersionLedger<'_> {
    fn take(&mut self, entry: &Entry) -> Taken {
        let Compared { reading, position, late, .. } = self.of;
        let record = reading.of(&entry.record);
        let cell = record.event.map(|event| Cell { key: event.key, day: event.day });
        if !position.contains(record.partition, record.offset) {
            return Taken { layers: [0, 0], cell, fate: Fate::NotYetRead };
        }
        let fate = match classify_in(&mut self.memories, &record, reading.rules) {
            Verdict::Malformed => Fate::Malformed,
            Verdict::Redelivery => Fate::Redelivery,
            Verdict::MissingUser => Fate::NoUser,
            Verdict::Duplicate => Fate::Duplicate,
            Verdict::Late => Fate::Late,
            Verdict::Counted if late.contains(record.partition, record.offset) => Fate::Late,
            Verdict::Counted => Fate::Counted,
        };
        Taken { layers: [u32::from(fate == Fate::Counted), 0], cell, fate }
    }
}
