//! Views: the fold of a range of the log, cell by cell.

use std::{collections::HashMap, fmt};

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use xxhash_rust::xxh3::xxh3_128;

use super::{Day, KeyId, NameTable, Sketch, UserId, Value};

/// What a view is grouped by: a page and a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The page.
    pub key: KeyId,
    /// The day.
    pub day: Day,
}

/// The numbers of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The cell.
    pub cell: Cell,
    /// Number of events.
    pub views: u64,
    /// Sum of values, in millionths.
    pub sum: i128,
    /// Distinct users in order of first appearance.
    pub users: Vec<UserId>,
    /// Users that are not in the set, about; `None` where all are counted exactly.
    pub sketch: Option<Box<Sketch>>,
}

/// One output row, by text: what is written to files and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalRow {
    /// The page.
    pub page: String,
    /// The day.
    pub day: Day,
    /// Number of events.
    pub views: u64,
    /// Number of distinct users.
    pub unique_users: u64,
    /// Sum of values, in millionths.
    pub sum: i128,
}

/// A 128-bit wrapping sum of one hash per row: the same set of rows, the same fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// With one more row.
    #[must_use]
    pub fn with(self, row_hash: u128) -> Fingerprint {
        Fingerprint(self.0.wrapping_add(row_hash))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The hash of one row. `users_hash` is the wrapping sum of the hashes of its users.
pub fn row_hash(key_hash: u128, day: Day, views: u64, sum: i128, users_hash: u128) -> u128 {
    let mut bytes = [0_u8; 60];
    let parts: [&[u8]; 5] = [
        &key_hash.to_le_bytes(),
        &day.0.to_le_bytes(),
        &views.to_le_bytes(),
        &sum.to_le_bytes(),
        &users_hash.to_le_bytes(),
    ];
    for (slot, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
        *slot = *byte;
    }
    xxh3_128(&bytes)
}

/// A map from cells to numbers. The fold of a range of the log; views of disjoint ranges merge.
#[derive(Debug, Clone, Default)]
pub struct View {
    index: HashMap<Cell, u32, FxBuildHasher>,
    rows: Vec<Row>,
    /// (row, user) pairs, so that a user joins a cell's set once.
    pairs: FxHashSet<u64>,
    /// Rows, by number, whose users are not among the pairs yet: of most rows of a finished view nobody adds to, nobody
    /// has to know them.
    bare: Vec<bool>,
    views: u64,
    sum: i128,
}

impl View {
    /// The empty view, unit of [`View::merge`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Of finished rows, one for each cell, each user in it once.
    pub fn of_rows(rows: Vec<Row>) -> Self {
        let at = |(at, row): (u32, &Row)| (row.cell, at);
        View {
            index: (0..).zip(&rows).map(at).collect(),
            pairs: FxHashSet::default(),
            bare: vec![true; rows.len()],
            views: rows.iter().map(|row| row.views).sum(),
            sum: rows.iter().map(|row| row.sum).sum(),
            rows,
        }
    }

    /// Makes sure that a row's users are known as pairs.
    fn pair_up(&mut self, at: u32) {
        if let Some(is_bare) = self.bare.get_mut(at as usize)
            && std::mem::take(is_bare)
        {
            let users = self.rows.get(at as usize).map_or(&[][..], |row| &row.users);
            self.pairs.extend(users.iter().map(|&user| pair(at, user)));
        }
    }

    /// Counts one event; the number of its row in [`View::rows`].
    pub fn add(&mut self, cell: Cell, user: Option<UserId>, value: Value) -> u32 {
        let at = self.row_at(cell);
        self.pair_up(at);
        self.views += 1;
        self.sum += i128::from(value.0);
        if let Some(row) = self.rows.get_mut(at as usize) {
            row.views += 1;
            row.sum += i128::from(value.0);
            if let Some(user) = user
                && self.pairs.insert(pair(at, user))
            {
                row.users.push(user);
            }
        }
        at
    }

    /// Counts one event, its user (by the hash of the text) in a sketch; the number of its row in [`View::rows`].
    pub fn add_sketched(&mut self, cell: Cell, user: Option<u128>, value: Value) -> u32 {
        let at = self.add(cell, None, value);
        if let (Some(row), Some(user)) = (self.rows.get_mut(at as usize), user) {
            row.sketch.get_or_insert_default().insert(user);
        }
        at
    }

    /// Adds a whole row: counts and sums add, user sets and sketches unite. The number of its row in [`View::rows`].
    pub fn add_row(&mut self, row: &Row) -> u32 {
        let at = self.row_at(row.cell);
        self.pair_up(at);
        self.views += row.views;
        self.sum += row.sum;
        if let Some(mine) = self.rows.get_mut(at as usize) {
            mine.views += row.views;
            mine.sum += row.sum;
            for &user in &row.users {
                if self.pairs.insert(pair(at, user)) {
                    mine.users.push(user);
                }
            }
            match (&mut mine.sketch, &row.sketch) {
                (Some(mine), Some(theirs)) => mine.unite(theirs),
                (None, Some(theirs)) => mine.sketch = Some(theirs.clone()),
                (_, None) => {}
            }
        }
        at
    }

    /// Sets a cell to absolute numbers: what an upsert does. How many of the row's users were there already, where
    /// its set only grew at its end; `None` where the set had to be replaced.
    pub fn replace_row(&mut self, row: &Row) -> Option<usize> {
        let at = self.row_at(row.cell);
        self.pair_up(at);
        let mine = self.rows.get_mut(at as usize)?;
        self.views = self.views - mine.views + row.views;
        self.sum = self.sum - mine.sum + row.sum;
        mine.views = row.views;
        mine.sum = row.sum;
        mine.sketch.clone_from(&row.sketch);
        // Sets nearly always only grow, at their end; anything else is replaced whole.
        let grew = row.users.starts_with(&mine.users).then_some(mine.users.len());
        if grew.is_none() {
            for user in mine.users.drain(..) {
                self.pairs.remove(&pair(at, user));
            }
        }
        let known = mine.users.len();
        for &user in row.users.get(known..).unwrap_or_default() {
            if self.pairs.insert(pair(at, user)) {
                mine.users.push(user);
            }
        }
        grew
    }

    /// Adds another view over a disjoint range.
    pub fn merge(&mut self, other: &View) {
        for row in &other.rows {
            self.add_row(row);
        }
    }

    /// Adds another view over a disjoint range that may have sketches where this one has sets. `users` names the
    /// users of the sets.
    pub fn merge_named(&mut self, other: &View, users: &dyn NameTable) {
        for row in &other.rows {
            self.merge_row(row, users);
        }
    }

    /// Adds a row; a sketch counts what comes to the users of this view's set, which `users` names.
    pub fn merge_row(&mut self, row: &Row, users: &dyn NameTable) {
        if row.sketch.is_some()
            && let Some(mine) = self.index.get(&row.cell).and_then(|&at| self.rows.get_mut(at as usize))
        {
            let exact = mine.users.iter().map(|user| users.hash(user.0));
            mine.sketch.get_or_insert_with(|| Box::new(Sketch::beyond(exact)));
        }
        self.add_row(row);
    }

    /// The row of a cell.
    pub fn row(&self, cell: Cell) -> Option<&Row> {
        self.index.get(&cell).and_then(|&at| self.rows.get(at as usize))
    }

    /// Rows in order of first appearance.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Number of events over all cells.
    pub fn total_views(&self) -> u64 {
        self.views
    }

    /// Sum of values over all cells, in millionths.
    pub fn total_sum(&self) -> i128 {
        self.sum
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The fingerprint of the set of rows.
    pub fn fingerprint(&self, keys: &dyn NameTable, users: &dyn NameTable) -> Fingerprint {
        self.rows.iter().fold(Fingerprint::default(), |sum, row| sum.with(row.hash(keys, users)))
    }

    /// Rows by text, sorted by page (code point), then day.
    pub fn canonical(&self, keys: &dyn NameTable) -> Vec<CanonicalRow> {
        let mut rows: Vec<CanonicalRow> = self.rows.iter().map(|row| row.canonical(keys)).collect();
        rows.sort_by(|a, b| a.page.cmp(&b.page).then(a.day.cmp(&b.day)));
        rows
    }

    fn row_at(&mut self, cell: Cell) -> u32 {
        let next = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let at = *self.index.entry(cell).or_insert(next);
        if at == next {
            self.rows.push(Row::new(cell));
        }
        at
    }
}

impl Row {
    /// Nothing counted.
    pub fn new(cell: Cell) -> Self {
        Row { cell, views: 0, sum: 0, users: Vec::new(), sketch: None }
    }

    /// Number of distinct users: exact, or with an estimate of those in the sketch.
    pub fn unique_users(&self) -> u64 {
        self.users.len() as u64 + self.sketch.as_ref().map_or(0, |sketch| sketch.count())
    }

    /// The hash that a fingerprint adds up.
    pub fn hash(&self, keys: &dyn NameTable, users: &dyn NameTable) -> u128 {
        row_hash(keys.hash(self.cell.key.0), self.cell.day, self.views, self.sum, self.users_hash(users))
    }

    /// Wrapping sum of the hashes of the cell's users, and of the sketch's where there is one.
    pub fn users_hash(&self, users: &dyn NameTable) -> u128 {
        let sketch = self.sketch.as_ref().map_or(0, |sketch| sketch.hash());
        self.users.iter().fold(sketch, |sum, user| sum.wrapping_add(users.hash(user.0)))
    }

    /// The row by text.
    pub fn canonical(&self, keys: &dyn NameTable) -> CanonicalRow {
        CanonicalRow {
            page: keys.text(self.cell.key.0).to_owned(),
            day: self.cell.day,
            views: self.views,
            unique_users: self.unique_users(),
            sum: self.sum,
        }
    }
}

fn pair(row: u32, user: UserId) -> u64 {
    u64::from(row) << 32 | u64::from(user.0)
}

/// Distinct users of a whole run, of each page and of each day. Never sums of cell uniques.
#[derive(Debug, Clone, Default)]
pub struct ScopeUsers {
    run: FxHashSet<u32>,
    by_key: FxHashSet<(u32, u32)>,
    by_day: FxHashSet<(i32, u32)>,
    key_counts: FxHashMap<u32, u64>,
    day_counts: FxHashMap<i32, u64>,
}

/// Which of a user's first appearances an event was, by scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FirstOf {
    /// First of the run.
    pub run: bool,
    /// First of its page.
    pub key: bool,
    /// First of its day.
    pub day: bool,
}

impl ScopeUsers {
    /// The distinct users of a view.
    pub fn of(view: &View) -> Self {
        let mut scopes = ScopeUsers::default();
        for row in view.rows() {
            for &user in &row.users {
                scopes.add(row.cell, user);
            }
        }
        scopes
    }

    /// Adds a user of a cell; in which scopes it was new.
    pub fn add(&mut self, cell: Cell, user: UserId) -> FirstOf {
        let first = FirstOf {
            run: self.run.insert(user.0),
            key: self.by_key.insert((cell.key.0, user.0)),
            day: self.by_day.insert((cell.day.0, user.0)),
        };
        if first.key {
            *self.key_counts.entry(cell.key.0).or_default() += 1;
        }
        if first.day {
            *self.day_counts.entry(cell.day.0).or_default() += 1;
        }
        first
    }

    /// Adds a user of a cell to the scopes in which `other` does not have it: what uniting with `other` would add.
    pub fn add_beyond(&mut self, other: &ScopeUsers, cell: Cell, user: UserId) {
        if !other.run.contains(&user.0) {
            self.run.insert(user.0);
        }
        if !other.by_key.contains(&(cell.key.0, user.0)) && self.by_key.insert((cell.key.0, user.0)) {
            *self.key_counts.entry(cell.key.0).or_default() += 1;
        }
        if !other.by_day.contains(&(cell.day.0, user.0)) && self.by_day.insert((cell.day.0, user.0)) {
            *self.day_counts.entry(cell.day.0).or_default() += 1;
        }
    }

    /// Distinct users of the run.
    pub fn run_count(&self) -> u64 {
        self.run.len() as u64
    }

    /// Distinct users of a page.
    pub fn key_count(&self, key: KeyId) -> u64 {
        self.key_counts.get(&key.0).copied().unwrap_or(0)
    }

    /// Distinct users of a day.
    pub fn day_count(&self, day: Day) -> u64 {
        self.day_counts.get(&day.0).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Names;
    use proptest::prelude::*;

    fn names(prefix: &str) -> Names {
        let mut names = Names::new();
        for n in 0..8 {
            names.intern(&format!("{prefix}{n}"));
        }
        names
    }

    fn fold(events: &[(u32, i32, u32, i64)]) -> View {
        let mut view = View::new();
        for &(key, day, user, value) in events {
            view.add(Cell { key: KeyId(key), day: Day(day) }, Some(UserId(user)), Value(value));
        }
        view
    }

    fn merged(a: &View, b: &View) -> View {
        let mut sum = a.clone();
        sum.merge(b);
        sum
    }

    proptest! {
        #[test]
        fn merging_is_a_commutative_monoid_and_equals_the_fold(
            events in proptest::collection::vec((0_u32..5, 0_i32..4, 0_u32..8, -9_i64..9), 0..60),
            cut in 0_usize..60, cut2 in 0_usize..60,
        ) {
            let (keys, users) = (names("page"), names("user"));
            let print = |view: &View| (view.fingerprint(&keys, &users), view.canonical(&keys));
            let low = cut.min(cut2).min(events.len());
            let high = cut.max(cut2).min(events.len());
            let (a, b, c) = (fold(&events[..low]), fold(&events[low..high]), fold(&events[high..]));
            let whole = fold(&events);
            prop_assert_eq!(print(&merged(&merged(&a, &b), &c)), print(&whole));
            prop_assert_eq!(print(&merged(&a, &merged(&b, &c))), print(&whole));
            prop_assert_eq!(print(&merged(&b, &a)), print(&merged(&a, &b)));
            prop_assert_eq!(print(&merged(&whole, &View::new())), print(&whole));
        }
    }

    #[test]
    fn uniques_unite_and_are_never_added() {
        let view = fold(&[(0, 0, 1, 0), (0, 1, 1, 0), (1, 0, 1, 0), (1, 0, 2, 0)]);
        let scopes = ScopeUsers::of(&view);
        assert_eq!(scopes.run_count(), 2);
        assert_eq!((scopes.key_count(KeyId(0)), scopes.key_count(KeyId(1))), (1, 2));
        assert_eq!((scopes.day_count(Day(0)), scopes.day_count(Day(1))), (2, 1));
    }

    #[test]
    fn a_fingerprint_sees_the_set_and_not_just_its_size() {
        let (keys, users) = (names("page"), names("user"));
        let one = fold(&[(0, 0, 1, 5)]).fingerprint(&keys, &users);
        assert_ne!(one, fold(&[(0, 0, 2, 5)]).fingerprint(&keys, &users));
        assert_ne!(one, fold(&[(0, 0, 1, 6)]).fingerprint(&keys, &users));
        assert_ne!(one, fold(&[(1, 0, 1, 5)]).fingerprint(&keys, &users));
    }
}
