//! Why two numbers differ: each record that one side counts otherwise than the other names a cause, and the causes add up.
//!
//! A side is a [`Ledger`] (what it makes of each record) and what its view really shows. The difference between the two
//! ledgers is split by cause, record by record; what the views differ by beyond that is [`Cause::Unexplained`] and stands
//! first. Two views of one run leave nothing unexplained: a test holds that for random runs and for mixes of planted causes.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{
    Cause, Fate, Ledger, Taken,
    account::Account,
    distinct::{Distinct, group_of},
};
use crate::{
    domain::{Cell, Day, KeyId, View},
    ingest::Entry,
    serving::Numbers,
};

/// What a number is about: a cell, a page over all days, a day over all pages, or the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scope {
    /// The page; `None`: all.
    pub key: Option<KeyId>,
    /// The day; `None`: all.
    pub day: Option<Day>,
}

impl Scope {
    /// Whether a cell is part of it.
    pub fn holds(self, cell: Cell) -> bool {
        self.key.is_none_or(|key| key == cell.key) && self.day.is_none_or(|day| day == cell.day)
    }
}

/// Into which scopes a view is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// One: the run.
    Run,
    /// Pages.
    Pages,
    /// Days.
    Days,
    /// Cells.
    Cells,
}

impl Grouping {
    /// The scope in which a cell lies.
    pub fn scope(self, cell: Cell) -> Scope {
        match self {
            Grouping::Run => Scope::default(),
            Grouping::Pages => Scope { key: Some(cell.key), day: None },
            Grouping::Days => Scope { key: None, day: Some(cell.day) },
            Grouping::Cells => Scope { key: Some(cell.key), day: Some(cell.day) },
        }
    }
}

/// What a view really shows, by scope. Unique users are distinct within each.
pub type Actual = BTreeMap<Scope, Numbers>;

/// What the views together show: counts add, users unite.
pub fn actual_of(views: &[&View], grouping: Grouping) -> Actual {
    let mut places: FxHashMap<Scope, u32> = FxHashMap::default();
    let mut groups: Vec<(Scope, Numbers)> = Vec::new();
    let mut users = Distinct::default();
    for row in views.iter().flat_map(|view| view.rows()) {
        let scope = grouping.scope(row.cell);
        let next = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        let at = *places.entry(scope).or_insert(next);
        if at == next {
            groups.push((scope, Numbers::default()));
        }
        let Some((_, numbers)) = groups.get_mut(at as usize) else { continue };
        numbers.views += row.views;
        numbers.sum += row.sum;
        row.users.iter().for_each(|&user| users.add(at, user));
    }
    for key in users.close() {
        if let Some((_, numbers)) = groups.get_mut(group_of(key)) {
            numbers.users += 1;
        }
    }
    groups.into_iter().collect()
}

/// How a side comes to its unique users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Uniques {
    /// User sets unite.
    #[default]
    United,
    /// The layers' unique users are added.
    Added,
    /// They are estimated.
    Estimated,
}

/// One of the two that are compared.
pub struct Side<'a> {
    /// What it makes of each record.
    pub ledger: &'a mut dyn Ledger,
    /// How it comes to its unique users.
    pub uniques: Uniques,
}

/// What one cause makes of a difference (first side minus second).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which cause.
    pub cause: Cause,
    /// Records behind it.
    pub records: u64,
    /// Its part in page views.
    pub views: i64,
    /// Its part in the sum of values, in millionths.
    pub sum: i128,
    /// Its part in unique users, distinct within the scope.
    pub users: i64,
}

impl Part {
    pub(super) fn new(cause: Cause) -> Self {
        Part { cause, records: 0, views: 0, sum: 0, users: 0 }
    }

    pub(super) fn is_nothing(&self) -> bool {
        *self == Part::new(self.cause)
    }
}

/// The difference in one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDifference {
    /// Which scope.
    pub scope: Scope,
    /// What the first side shows.
    pub first: Numbers,
    /// What the second side shows.
    pub second: Numbers,
    /// Its causes, the unexplained first. Page views, sums and users add up to first minus second.
    pub parts: Vec<Part>,
}

/// Compares two sides over all `entries`, once for each grouping; what each side really shows comes in pairs with it.
/// Scopes in which nothing differs are left out, but for the run. In the order of their ids.
pub fn differences(
    entries: impl Iterator<Item = Entry>,
    first: &mut Side<'_>,
    second: &mut Side<'_>,
    groupings: &[(Grouping, &Actual, &Actual)],
) -> Vec<Vec<GroupDifference>> {
    let uniques = [first.uniques, second.uniques];
    let mut accounts: Vec<Account> =
        groupings.iter().map(|(grouping, ..)| Account::new(*grouping, uniques)).collect();
    for entry in entries {
        let taken = [first.ledger.take(&entry), second.ledger.take(&entry)];
        for account in &mut accounts {
            account.add(&entry, taken);
        }
    }
    let finished = accounts.into_iter().zip(groupings);
    finished.map(|(account, (_, first, second))| account.finish([first, second])).collect()
}

/// Why two sides differ in a record: causes with their part of the page views. Empty where they do not differ.
pub fn causes_of(first: Taken, second: Taken) -> Vec<(Cause, i64)> {
    if first.times() > 0 && second.times() > 0 && first.cell != second.cell {
        return vec![(moved(first, second), 0)];
    }
    let (more, less, sign) =
        if first.times() >= second.times() { (first, second, 1) } else { (second, first, -1) };
    let mut left = i64::from(more.times()) - i64::from(less.times());
    let mut causes = Vec::new();
    if left > 0 && less.times() == 0 {
        causes.push((reason(less.fate), sign));
        left -= 1;
    }
    let [batch, speed] = more.layers;
    if left > 0 && batch > 0 && speed > 0 {
        causes.push((Cause::Overlap, sign));
        left -= 1;
    }
    if left > 0 {
        causes.push((Cause::CountedTwice, sign * left));
    }
    causes
}

/// Why a side does not count what the other counts.
pub(super) fn reason(fate: Fate) -> Cause {
    match fate {
        Fate::NotYetRead => Cause::NotYetRead,
        Fate::CountedInBatch => Cause::HandedOver,
        Fate::Late => Cause::Late,
        Fate::Lost => Cause::Lost,
        Fate::Gap => Cause::Gap,
        Fate::Duplicate | Fate::Redelivery => Cause::DuplicateId,
        Fate::NoUser => Cause::NoUser,
        Fate::Malformed => Cause::Malformed,
        Fate::CountedInSpeed | Fate::Counted | Fate::CountedAgain => Cause::Unexplained,
    }
}

/// Why both sides count a record, each elsewhere.
pub(super) fn moved(first: Taken, second: Taken) -> Cause {
    match (first.cell, second.cell) {
        (Some(first), Some(second)) if first.key == second.key => Cause::OtherDayZone,
        (Some(_), Some(_)) => Cause::OtherPageRule,
        (None, _) | (_, None) => Cause::Unexplained,
    }
}

#[cfg(test)]
#[path = "differences_tests.rs"]
mod tests;
