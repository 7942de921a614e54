//! From a record to every number of a view that it touches: its cell, its page, its day, the run.

use super::{Fate, Grouping, Ledger, Scope, Taken};
use crate::{domain::Cell, ingest::Entry, serving::Numbers};

/// A number that a record is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Which.
    pub scope: Scope,
    /// The numbers of the scope, of which the record is a part.
    pub numbers: Numbers,
    /// How much of the page views is this record.
    pub views: u32,
    /// How much of the sum is this record, in millionths.
    pub sum: i128,
    /// Whether it is the first record of its user that counts in the scope: the one that made it a unique user more.
    pub is_first_of_user: bool,
}

/// What a view makes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// What became of it.
    pub fate: Fate,
    /// The numbers that it touches: none where it does not count; else cell, page, day, run.
    pub touches: Vec<Touch>,
}

/// Follows record `target` into views, one for each of the `ledgers`. `entries`: all records, in delivery order; they are
/// walked through once.
pub fn numbers_of(
    entries: impl Iterator<Item = Entry>,
    ledgers: &mut [&mut dyn Ledger],
    target: &Entry,
) -> Vec<Touched> {
    let mut views: Vec<(Taken, Vec<Followed>)> = Vec::new();
    for ledger in ledgers.iter_mut() {
        let taken = ledger.take(target);
        let cell = taken.cell.filter(|_| taken.times() > 0 && target.record.event.is_some());
        let scopes = cell.map(|cell| {
            [Grouping::Cells, Grouping::Pages, Grouping::Days, Grouping::Run]
                .map(|grouping| Followed::new(grouping.scope(cell)))
                .to_vec()
        });
        views.push((taken, scopes.unwrap_or_default()));
    }
    if views.iter().any(|(_, scopes)| !scopes.is_empty()) {
        for entry in entries {
            for (ledger, (_, scopes)) in ledgers.iter_mut().zip(&mut views) {
                if scopes.is_empty() {
                    continue;
                }
                let counted = ledger.take(&entry);
                if counted.times() > 0
                    && let Some(cell) = counted.cell
                {
                    for followed in scopes {
                        followed.add(&entry, counted, cell, target);
                    }
                }
            }
        }
    }
    views.into_iter().map(|(taken, scopes)| touched(taken, scopes, target)).collect()
}

fn touched(taken: Taken, scopes: Vec<Followed>, target: &Entry) -> Touched {
    let times = taken.times();
    let event = target.record.event;
    let touches = scopes.into_iter().map(|followed| Touch {
        scope: followed.scope,
        numbers: followed.numbers,
        views: times,
        sum: event.map_or(0, |event| i128::from(event.value.0)) * i128::from(times),
        is_first_of_user: event.is_some_and(|event| event.user.is_some()) && !followed.user_before,
    });
    Touched { fate: taken.fate, touches: touches.collect() }
}

#[derive(Debug, Clone)]
struct Followed {
    scope: Scope,
    numbers: Numbers,
    /// Users seen so far, a bit each: there are as many as the log has.
    users: Vec<u64>,
    /// Whether the record's user counts in the scope by an earlier record.
    user_before: bool,
}

impl Followed {
    fn new(scope: Scope) -> Self {
        Followed { scope, numbers: Numbers::default(), users: Vec::new(), user_before: false }
    }

    fn add(&mut self, entry: &Entry, taken: Taken, cell: Cell, target: &Entry) {
        let Some(event) = entry.record.event.filter(|_| self.scope.holds(cell)) else { return };
        self.numbers.views += u64::from(taken.times());
        self.numbers.sum += i128::from(event.value.0) * i128::from(taken.times());
        if let Some(user) = event.user {
            self.see(user.0);
            let is_same = target.record.event.is_some_and(|target| target.user == Some(user));
            self.user_before |= is_same && entry.number < target.number;
        }
    }

    fn see(&mut self, user: u32) {
        let (word, bit) = (user as usize / 64, 1_u64 << (user % 64));
        if self.users.len() <= word {
            self.users.resize(word + 1, 0);
        }
        if let Some(slot) = self.users.get_mut(word) {
            self.numbers.users += u64::from(*slot & bit == 0);
            *slot |= bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        analysis::{Reader, find, testing::Run},
        processing::test_support::any_log,
    };

    proptest! {
        /// Number -> records -> numbers: exactly the records listed behind a number name it among theirs, with its size.
        #[test]
        fn records_and_numbers_are_an_inverse_pair(
            log in any_log(2, 40),
            run in Run::any(40),
            key in 0_u32..4, day in 0_i32..3,
        ) {
            let run = run.over(&log);
            let cell = Cell { key: crate::domain::KeyId(key), day: crate::domain::Day(day) };
            for (name, books) in run.books() {
                for grouping in [Grouping::Cells, Grouping::Pages, Grouping::Days, Grouping::Run] {
                    let scope = grouping.scope(cell);
                    let mut reader = Reader::new(books);
                    let behind = find(run.entries(), 0, u32::MAX, |entry| {
                        let taken = reader.take(entry);
                        let is_in = taken.cell.is_some_and(|cell| scope.holds(cell));
                        (taken.times() > 0 && is_in).then_some((entry.number, u64::from(taken.times())))
                    });
                    let views: u64 = behind.page.iter().map(|(_, times)| times).sum();
                    let mut first_of = 0;
                    for target in run.entries() {
                        let touched = numbers_of(run.entries(), &mut [&mut Reader::new(books)], &target).remove(0);
                        let touch = touched.touches.iter().find(|touch| touch.scope == scope);
                        let listed = behind.page.iter().find(|(number, _)| *number == target.number);
                        prop_assert_eq!(touch.map(|touch| u64::from(touch.views)), listed.map(|(_, times)| *times));
                        if let Some(touch) = touch {
                            prop_assert_eq!(touch.numbers.views, views, "{} {:?}", name, scope);
                            first_of += u64::from(touch.is_first_of_user);
                            let users = touch.numbers.users;
                            prop_assert!(users <= views);
                        }
                    }
                    // As many firsts as unique users.
                    let any = run.entries().find_map(|target| {
                        let touched = numbers_of(run.entries(), &mut [&mut Reader::new(books)], &target).remove(0);
                        touched.touches.iter().find(|touch| touch.scope == scope).map(|touch| touch.numbers.users)
                    });
                    prop_assert_eq!(any.unwrap_or(0), first_of, "{} {:?}", name, scope);
                }
            }
        }
    }
}
