//! The books of a comparison under one grouping: what each side counts by scope, and which cause makes which part.

use rustc_hash::FxHashMap;

use super::{
    Actual, Cause, GroupDifference, Grouping, Part, Scope, Taken, Uniques,
    differences::{causes_of, moved, reason},
    distinct::{Distinct, group_of, key_of},
};
use crate::{ingest::Entry, serving::Numbers};

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

/// Users of one side that the other side does not count in the same scope with the same record.
#[derive(Debug, Default)]
struct SideUsers {
    /// With the cause, in the order of the records.
    alone: Vec<(u64, Cause)>,
    /// By scope and layer; only where layers are added.
    by_layer: [Distinct; 2],
}

/// Both sides under one grouping.
#[derive(Debug)]
pub(super) struct Account {
    grouping: Grouping,
    places: FxHashMap<Scope, u32>,
    groups: Vec<Group>,
    uniques: [Uniques; 2],
    /// Users by scope whom both sides count there by one record: nearly all of them.
    both: Distinct,
    users: [SideUsers; 2],
    /// Neighbours mostly lie in few scopes.
    last: Option<(Scope, u32)>,
}

impl Account {
    /// Nothing compared yet.
    pub fn new(grouping: Grouping, uniques: [Uniques; 2]) -> Self {
        Account {
            grouping,
            places: FxHashMap::default(),
            groups: Vec::new(),
            uniques,
            both: Distinct::default(),
            users: Default::default(),
            last: None,
        }
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
        let together = first.times() > 0 && second.times() > 0 && at[0] == at[1];
        for side in [0, 1] {
            self.count(entry, taken, at, side);
        }
        if together && let (Some(here), Some(user)) = (at[0], entry.record.event.and_then(|event| event.user))
        {
            self.both.add(here, user);
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
    pub fn finish(mut self, actual: [&Actual; 2]) -> Vec<GroupDifference> {
        for scope in actual.iter().flat_map(|actual| actual.keys()) {
            self.place(*scope);
        }
        if self.grouping == Grouping::Run {
            self.place(Scope::default());
        }
        self.unite_users();
        let is_run = self.grouping == Grouping::Run;
        let uniques = self.uniques;
        let groups = self.groups.into_iter().map(|group| group.finish(uniques, actual));
        let mut groups: Vec<GroupDifference> =
            groups.filter(|group| is_run || !group.parts.is_empty()).collect();
        groups.sort_by_key(|group| group.scope);
        groups
    }

    /// Counts the users of both sides by scope, and those whom only one side has under the cause of the first record
    /// that made it so.
    fn unite_users(&mut self) {
        let both = std::mem::take(&mut self.both).close();
        for side in 0..self.uniques.len() {
            for &key in &both {
                self.booked(group_of(key), side, |booked| booked.numbers.users += 1);
            }
        }
        let sides = std::mem::take(&mut self.users).map(|users| {
            let mut alone = users.alone;
            // Stable: the first record of a user stays the first.
            alone.sort_by_key(|(key, _)| *key);
            alone.dedup_by_key(|(key, _)| *key);
            (alone, users.by_layer)
        });
        let [(mine, _), (theirs, _)] = &sides;
        let is_in =
            |alone: &[(u64, Cause)], key: u64| alone.binary_search_by_key(&key, |(key, _)| *key).is_ok();
        for (side, alone, other, sign) in [(0, mine, theirs, 1), (1, theirs, mine, -1)] {
            for &(key, cause) in alone {
                if both.binary_search(&key).is_ok() {
                    continue;
                }
                self.booked(group_of(key), side, |booked| booked.numbers.users += 1);
                if !is_in(other, key) {
                    self.part(u32::try_from(key >> 32).unwrap_or(u32::MAX), cause, |part| part.users += sign);
                }
            }
        }
        for (side, (_, by_layer)) in sides.into_iter().enumerate() {
            for key in by_layer.into_iter().flat_map(Distinct::close) {
                self.booked(group_of(key), side, |booked| booked.users_added += 1);
            }
        }
    }

    fn booked(&mut self, group: usize, side: usize, change: impl FnOnce(&mut Booked)) {
        if let Some(booked) = self.groups.get_mut(group).and_then(|group| group.booked.get_mut(side)) {
            change(booked);
        }
    }

    fn count(&mut self, entry: &Entry, taken: [Taken; 2], at: [Option<u32>; 2], side: usize) {
        let [mine, other] = if side == 0 { taken } else { [taken[1], taken[0]] };
        let [Some(here), there] = (if side == 0 { at } else { [at[1], at[0]] }) else { return };
        let (Some(event), true) = (entry.record.event, mine.times() > 0) else { return };
        self.booked(here as usize, side, |booked| {
            booked.numbers.views += u64::from(mine.times());
            booked.numbers.sum += i128::from(event.value.0) * i128::from(mine.times());
        });
        let is_added = self.uniques.get(side) == Some(&Uniques::Added);
        let (Some(user), Some(users)) = (event.user, self.users.get_mut(side)) else { return };
        if is_added {
            let layers = users.by_layer.iter_mut().zip(mine.layers).filter(|(_, times)| *times > 0);
            layers.for_each(|(layer, _)| layer.add(here, user));
        }
        let other_counts = other.times() > 0 && there == Some(here);
        if !other_counts {
            let cause = if other.times() > 0 { moved(mine, other) } else { reason(other.fate) };
            users.alone.push((key_of(here, user), cause));
        }
    }

    fn place(&mut self, scope: Scope) -> u32 {
        if let Some((last, at)) = self.last
            && last == scope
        {
            return at;
        }
        let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let at = *self.places.entry(scope).or_insert(next);
        if at == next {
            self.groups.push(Group { scope, parts: Vec::new(), booked: [Booked::default(); 2] });
        }
        self.last = Some((scope, at));
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
            let added = booked.users_added.saturating_sub(booked.numbers.users);
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
