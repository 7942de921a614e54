//! Why two versions differ, day by day: every record that they count otherwise names its cause.

use std::{collections::BTreeMap, sync::Arc};

use super::{Ground, KappaLane, VersionBooks};
use crate::{
    analysis::{Actual, GroupDifference, Grouping, Part, Scope, Side, differences},
    domain::View,
    engine::protocol::{DayCauses, VersionCause, VersionDifferences},
    ingest::LogIndex,
    serving::{Version, VersionNumber},
};

/// Everything that a comparison needs, to be made on another thread.
pub(in crate::engine) struct Comparison {
    index: Arc<LogIndex>,
    serving: Compared,
    other: Compared,
}

struct Compared {
    books: VersionBooks,
    shown: VersionShown,
}

/// What the view of a version shows.
#[derive(Debug)]
pub(in crate::engine) struct VersionShown {
    pub number: VersionNumber,
    pub whole: Actual,
    pub by_day: Actual,
    /// The view itself, in its parts.
    pub views: Vec<View>,
}

impl KappaLane {
    /// What is to be compared now; `None` with fewer than two versions.
    pub(in crate::engine) fn comparison(&self, ground: &Ground<'_>) -> Option<Comparison> {
        let serving = self.kappa.serving()?;
        let (_, other) = self.kappa.other()?;
        let side = |version: &Version| {
            let books = VersionBooks::of(version, self.side(version.number())?, ground);
            Some(Compared { books, shown: VersionShown::totals(version) })
        };
        Some(Comparison { index: Arc::clone(ground.index), serving: side(serving)?, other: side(other)? })
    }

    /// All that the view of a version shows; `None` where there is no such version.
    pub(in crate::engine) fn shown(&self, number: VersionNumber) -> Option<VersionShown> {
        let version = self.kappa.version(number)?;
        let views = version.view().speed().buckets.iter().map(|bucket| bucket.view.clone()).collect();
        Some(VersionShown { views, ..VersionShown::totals(version) })
    }
}

impl VersionShown {
    /// Without the view itself.
    fn totals(version: &Version) -> VersionShown {
        let view = version.view();
        let of_day = |day| (Scope { key: None, day: Some(day) }, view.day_numbers(day).1);
        VersionShown {
            number: version.number(),
            whole: Actual::from([(Scope::default(), view.merged_numbers())]),
            by_day: view.speed_days().map(of_day).collect(),
            views: Vec::new(),
        }
    }
}

impl Comparison {
    /// Walks the log once; the version that serves minus the other one.
    pub(in crate::engine) fn differences(&self) -> VersionDifferences {
        let (serving, other) = (&self.serving, &self.other);
        let (mut first, mut second) = (serving.books.ledger(), other.books.ledger());
        let (mut first, mut second) = (
            Side { ledger: &mut first, uniques: serving.books.uniques() },
            Side { ledger: &mut second, uniques: other.books.uniques() },
        );
        let [first_at, second_at] = [serving, other].map(|side| side.books.position.total());
        let records = first_at.max(second_at);
        let (shown, beside) = (&serving.shown, &other.shown);
        let groupings =
            [(Grouping::Run, &shown.whole, &beside.whole), (Grouping::Days, &shown.by_day, &beside.by_day)];
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
            first: shown.number,
            second: beside.number,
            first_at,
            second_at,
            total: total.unwrap_or_default(),
            days: differing.into_values().map(day_causes).collect(),
            all_days: union_of_days(&shown.by_day, &beside.by_day),
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
        day: group.scope.day,
        first: group.first.into(),
        second: group.second.into(),
        causes: group.parts.into_iter().map(part).collect(),
    }
}
