//! The books of a comparison under one grouping: what each side counts by scope, and which cause makes which part.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Actual, Cause, GroupDifference, Grouping, Part, Scope, Taken, Uniques,
    differences::{causes_of, moved, reason},
};
use crate::{domain::UserId, ingest::Entry, serving::Numbers};

/// One scope.
#[derive(Debug)]
struct Group {
    scope: Scope,
    /// In the order of causes.
    parts: Vec<Part>,
    /// What the ledgers of the two sides come to.
    booked: [Booked; 2],
}

#[derive(Debug, Clone, Copy, Default)]
struct Booked {
    numbers: Numbers,
    /// Unique users by layer, added.
    users_added: u64,
}

/// Users of one side.
#[derive(Debug, Default)]
struct SideUsers {
    /// By scope.
    united: FxHashSet<(u32, UserId)>,
    /// By scope and layer.
    by_layer: FxHashSet<(u32, bool, UserId)>,
    /// Users with a record that the other side does not count in the same scope, with the cause of the first such record.
    alone: Vec<(u32, UserId, Cause)>,
    seen_alone: FxHashSet<(u32, UserId)>,
}

/// Both sides under one grouping.
#[derive(Debug)]
pub(super) struct Account {
    grouping: Grouping,
    places: FxHashMap<Scope, u32>,
    groups: Vec<Group>,
    users: [SideUsers; 2],
}

impl Account {
    /// Nothing compared yet.
    pub fn new(grouping: Grouping) -> Self {
        Account { grouping, places: FxHashMap::default(), groups: Vec::new(), users: Default::default() }
    }

    /// What both sides make of a record.
    pub fn add(&mut self, entry: &Entry, taken: [Taken; 2]) {
        let [first, second] = taken;
        if first.times() == 0 && second.times() == 0 {
            return;
        }
        let place = |account: &mut Account, taken: Taken| {
            taken.cell.map(|cell| account.place(account.grouping.scope(cell)))
        };
        let at = [place(self, first), place(self, second)];
        for side in [0, 1] {
            self.count(entry, taken, at, side);
        }
        let value = entry.record.event.map_or(0, |event| i128::from(event.value.0));
        let both = first.times() > 0 && second.times() > 0;
        if both && at[0] != at[1] {
            // Counted by both, in different scopes: a whole difference in each.
            let cause = moved(first, second);
            self.note(at[0], cause, i64::from(first.times()), value);
            self.note(at[1], cause, -i64::from(second.times()), value);
            return;
        }
        if both && first.cell != second.cell {
            self.note(at[0], moved(first, second), 0, value);
        }
        let at = if first.times() >= second.times() { at[0] } else { at[1] };
        let same_cell = Taken { cell: first.cell, ..second };
        for (cause, views) in causes_of(first, same_cell) {
            self.note(at, cause, views, value);
        }
    }

    /// The differences, against what the sides really show.
    pub fn finish(mut self, uniques: [Uniques; 2], actual: [&Actual; 2]) -> Vec<GroupDifference> {
        for scope in actual.iter().flat_map(|actual| actual.keys()) {
            self.place(*scope);
        }
        if self.grouping == Grouping::Run {
            self.place(Scope::default());
        }
        let [mine, theirs] = std::mem::take(&mut self.users);
        for (alone, other, sign) in [(&mine.alone, &theirs.united, 1), (&theirs.alone, &mine.united, -1)] {
            for &(at, user, cause) in alone {
                if !other.contains(&(at, user)) {
                    self.part(at, cause, |part| part.users += sign);
                }
            }
        }
        let is_run = self.grouping == Grouping::Run;
        let groups = self.groups.into_iter().map(|group| group.finish(uniques, actual));
        let mut groups: Vec<GroupDifference> =
            groups.filter(|group| is_run || !group.parts.is_empty()).collect();
        groups.sort_by_key(|group| group.scope);
        groups
    }

    fn count(&mut self, entry: &Entry, taken: [Taken; 2], at: [Option<u32>; 2], side: usize) {
        let [mine, other] = if side == 0 { taken } else { [taken[1], taken[0]] };
        let [Some(here), there] = (if side == 0 { at } else { [at[1], at[0]] }) else { return };
        let (Some(event), true) = (entry.record.event, mine.times() > 0) else { return };
        let Some(group) = self.groups.get_mut(here as usize) else { return };
        let Some(booked) = group.booked.get_mut(side) else { return };
        booked.numbers.views += u64::from(mine.times());
        booked.numbers.sum += i128::from(event.value.0) * i128::from(mine.times());
        let (Some(user), Some(users)) = (event.user, self.users.get_mut(side)) else { return };
        booked.numbers.users += u64::from(users.united.insert((here, user)));
        for (layer, times) in [false, true].into_iter().zip(mine.layers) {
            booked.users_added += u64::from(times > 0 && users.by_layer.insert((here, layer, user)));
        }
        let other_counts = other.times() > 0 && there == Some(here);
        if !other_counts && users.seen_alone.insert((here, user)) {
            let cause = if other.times() > 0 { moved(mine, other) } else { reason(other.fate) };
            users.alone.push((here, user, cause));
        }
    }

    fn place(&mut self, scope: Scope) -> u32 {
        let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let at = *self.places.entry(scope).or_insert(next);
        if at == next {
            self.groups.push(Group { scope, parts: Vec::new(), booked: [Booked::default(); 2] });
        }
        at
    }

    fn note(&mut self, at: Option<u32>, cause: Cause, views: i64, value: i128) {
        let Some(at) = at else { return };
        self.part(at, cause, |part| {
            part.records += 1;
            part.views += views;
            part.sum += i128::from(views) * value;
        });
    }

    fn part(&mut self, at: u32, cause: Cause, change: impl FnOnce(&mut Part)) {
        if let Some(group) = self.groups.get_mut(at as usize) {
            group.part(cause, change);
        }
    }
}

impl Group {
    fn part(&mut self, cause: Cause, change: impl FnOnce(&mut Part)) {
        let found = self.parts.binary_search_by_key(&cause, |part| part.cause);
        let at = found.unwrap_or_else(|at| {
            self.parts.insert(at, Part::new(cause));
            at
        });
        if let Some(part) = self.parts.get_mut(at) {
            change(part);
        }
    }

    fn finish(mut self, uniques: [Uniques; 2], actual: [&Actual; 2]) -> GroupDifference {
        let shown = actual.map(|actual| actual.get(&self.scope).copied().unwrap_or_default());
        for (((shown, booked), uniques), sign) in shown.into_iter().zip(self.booked).zip(uniques).zip([1, -1])
        {
            let signed = |shown: u64, booked: u64| sign * (shown.cast_signed() - booked.cast_signed());
            let added = booked.users_added - booked.numbers.users;
            let (cause, users) = match uniques {
                Uniques::United => (Cause::Unexplained, signed(shown.users, booked.numbers.users)),
                Uniques::Added => (Cause::Unexplained, signed(shown.users, booked.users_added)),
                Uniques::Estimated => (Cause::SketchError, signed(shown.users, booked.numbers.users)),
            };
            self.part(cause, |part| part.users += users);
            if uniques == Uniques::Added {
                self.part(Cause::UniquesAdded, |part| part.users += sign * added.cast_signed());
            }
            self.part(Cause::Unexplained, |part| {
                part.views += signed(shown.views, booked.numbers.views);
                part.sum += i128::from(sign) * (shown.sum - booked.numbers.sum);
            });
        }
        self.parts.retain(|part| !part.is_nothing());
        let [first, second] = shown;
        GroupDifference { scope: self.scope, first, second, parts: self.parts }
    }
}
