//! From a record to every number of a view that it touches: its cell, its page, its day, the run.

use super::{Grouping, Ledger, Scope, Taken};
use crate::{
    domain::{NameTable, Sketch},
    ingest::Entry,
    serving::Numbers,
};

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
    /// How often it counts, where, and what became of it.
    pub taken: Taken,
    /// The numbers that it touches: none where it does not count; else cell, page, day, run.
    pub touches: Vec<Touch>,
}

/// A view into which a record is followed.
pub struct Follow<'a> {
    /// What it makes of the record.
    pub taken: Taken,
    /// Says the same of every record, from the first one on.
    pub ledger: &'a mut dyn Ledger,
    /// Which of its layers count users in sketches: batch (or the only one), then speed.
    pub sketched: [bool; 2],
}

/// Follows record `target` into `views`. `entries`: all records, in delivery order; they are walked through once. `users`
/// names the users of sketches.
pub fn numbers_of(
    entries: impl Iterator<Item = Entry>,
    views: &mut [Follow<'_>],
    target: &Entry,
    users: &dyn NameTable,
) -> Vec<Touched> {
    let mut followed: Vec<Vec<Scoped>> = views.iter().map(|view| scopes(view, target)).collect();
    if followed.iter().any(|scopes| !scopes.is_empty()) {
        for entry in entries {
            for (view, scopes) in views.iter_mut().zip(&mut followed) {
                if scopes.is_empty() {
                    continue;
                }
                let counted = view.ledger.take(&entry);
                if counted.times() > 0 {
                    for scope in scopes {
                        scope.add(&entry, counted, target, users);
                    }
                }
            }
        }
    }
    views.iter().zip(followed).map(|(view, scopes)| touched(view.taken, scopes, target)).collect()
}

/// The scopes of which the record is a part.
fn scopes(view: &Follow<'_>, target: &Entry) -> Vec<Scoped> {
    let counts = view.taken.times() > 0 && target.record.event.is_some();
    let Some(cell) = view.taken.cell.filter(|_| counts) else { return Vec::new() };
    [Grouping::Cells, Grouping::Pages, Grouping::Days, Grouping::Run]
        .map(|grouping| Scoped::new(grouping.scope(cell), view.sketched))
        .to_vec()
}

fn touched(taken: Taken, scopes: Vec<Scoped>, target: &Entry) -> Touched {
    let times = taken.times();
    let event = target.record.event;
    let touches = scopes.into_iter().map(|scoped| Touch {
        scope: scoped.scope,
        numbers: Numbers { users: scoped.users.count(), ..scoped.numbers },
        views: times,
        sum: event.map_or(0, |event| i128::from(event.value.0)) * i128::from(times),
        is_first_of_user: event.is_some_and(|event| event.user.is_some()) && !scoped.user_before,
    });
    Touched { taken, touches: touches.collect() }
}

#[derive(Debug, Clone)]
struct Scoped {
    scope: Scope,
    /// Without its users.
    numbers: Numbers,
    users: Seen,
    /// Whether the record's user counts in the scope by an earlier record.
    user_before: bool,
}

impl Scoped {
    fn new(scope: Scope, sketched: [bool; 2]) -> Self {
        Scoped { scope, numbers: Numbers::default(), users: Seen::new(sketched), user_before: false }
    }

    fn add(&mut self, entry: &Entry, taken: Taken, target: &Entry, users: &dyn NameTable) {
        let is_in = taken.cell.is_some_and(|cell| self.scope.holds(cell));
        let Some(event) = entry.record.event.filter(|_| is_in) else { return };
        self.numbers.views += u64::from(taken.times());
        self.numbers.sum += i128::from(event.value.0) * i128::from(taken.times());
        if let Some(user) = event.user {
            self.users.add(user.0, taken, users);
            let is_same = target.record.event.is_some_and(|target| target.user == Some(user));
            self.user_before |= is_same && entry.number < target.number;
        }
    }
}

/// The users of a scope, as the view counts them.
#[derive(Debug, Clone)]
struct Seen {
    /// Those of the layers that count exactly, a bit each: there are as many as the log has.
    exact: Vec<u64>,
    exact_count: u64,
    sketched: [bool; 2],
    /// The same users, from which the others start, and the others.
    sketches: Option<Box<[Sketch; 2]>>,
}

impl Seen {
    fn new(sketched: [bool; 2]) -> Self {
        let two = || Box::new([Sketch::new(), Sketch::new()]);
        Seen { exact: Vec::new(), exact_count: 0, sketched, sketches: sketched.contains(&true).then(two) }
    }

    fn add(&mut self, user: u32, taken: Taken, users: &dyn NameTable) {
        for (times, is_sketched) in taken.layers.into_iter().zip(self.sketched) {
            if times == 0 {
                continue;
            }
            if !is_sketched {
                self.see(user);
            }
            if let Some([exact, others]) = self.sketches.as_deref_mut() {
                let sketch = if is_sketched { others } else { exact };
                sketch.insert(users.hash(user));
            }
        }
    }

    fn see(&mut self, user: u32) {
        let (word, bit) = (user as usize / 64, 1_u64 << (user % 64));
        if self.exact.len() <= word {
            self.exact.resize(word + 1, 0);
        }
        if let Some(slot) = self.exact.get_mut(word) {
            self.exact_count += u64::from(*slot & bit == 0);
            *slot |= bit;
        }
    }

    fn count(self) -> u64 {
        let Some(sketches) = self.sketches else { return self.exact_count };
        let [exact, others] = *sketches;
        let mut all = exact.counting_from_here();
        all.unite(&others);
        self.exact_count + all.count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        analysis::{Books, Reader, find, testing::Run},
        domain::{Cell, Names},
        processing::test_support::any_log,
    };

    fn followed(books: Books<'_>, entries: impl Iterator<Item = Entry>, target: &Entry) -> Touched {
        let taken = Reader::new(books).take(target);
        let mut reader = Reader::new(books);
        let view = Follow { taken, ledger: &mut reader, sketched: [false, false] };
        numbers_of(entries, &mut [view], target, &Names::default()).remove(0)
    }

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
                        let touched = followed(books, run.entries(), &target);
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
                        let touched = followed(books, run.entries(), &target);
                        touched.touches.iter().find(|touch| touch.scope == scope).map(|touch| touch.numbers.users)
                    });
                    prop_assert_eq!(any.unwrap_or(0), first_of, "{} {:?}", name, scope);
                }
            }
        }
    }
}
