//! The count as it stands under the hypotheses that were taken so far, and what a further one would change.

use super::{
    case::{Case, Grid, NO_CELL, ONE_DAY, at, bump},
    hypothesis::{AnonymousRule, Hypothesis, RecordSet, Rules, Taken, UserRule, list},
    pairs::{NO_PAIR, Pair, Pairs, Parts},
};
use crate::ingest::{NO_NAME, RawFlags, RawRecord};

/// "No user" where that is counted as one.
const ANONYMOUS: u32 = u32::MAX - 1;

/// Where a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub record: u32,
    pub cell: u32,
    pub day: i32,
    pub weight: u8,
    pub user: u32,
}

/// What changes in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CellDelta {
    pub cell: u32,
    pub amount: i64,
    pub users: i64,
}

/// What a hypothesis would change.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    pub moves: Vec<Move>,
    pub cells: Vec<CellDelta>,
    /// How much closer to theirs the count comes.
    pub gain: i64,
    /// By how much it changes at all.
    pub size: i64,
}

/// The count.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub rules: Rules,
    /// By record: how often it is taken in, whatever the rules say.
    times: Vec<u8>,
    /// How often it counts.
    pub weights: Vec<u8>,
    pub cells: Vec<u32>,
    pub days: Vec<i32>,
    users_of: Vec<u32>,
    /// By cell.
    pub amounts: Vec<i64>,
    pub users: Vec<i64>,
    pairs: Pairs,
    /// By record, where it counts with a user.
    pair_of: Vec<u32>,
}

impl State {
    /// Our own count.
    pub fn new(case: &Case<'_>, grid: &mut Grid) -> State {
        let count = case.raw.records().len();
        let mut state = State {
            rules: case.base,
            times: vec![1; count],
            weights: vec![0; count],
            cells: vec![NO_CELL; count],
            days: vec![ONE_DAY; count],
            users_of: vec![NO_NAME; count],
            amounts: Vec::new(),
            users: Vec::new(),
            pairs: Pairs::with_room(if case.has_users { count } else { 0 }),
            pair_of: vec![NO_PAIR; count],
        };
        let all = state.placed(case, grid, state.rules, 0..count, |times| times);
        state.apply(case, &all, case.base);
        state
    }

    /// Theirs minus the count, by cell.
    pub fn rest(&self, case: &Case<'_>) -> Vec<i64> {
        let length = self.amounts.len().max(case.theirs.len());
        (0..length)
            .map(|cell| {
                let theirs = case.theirs.get(cell).map_or(0, |theirs| theirs.amount);
                theirs - self.amounts.get(cell).copied().unwrap_or(0)
            })
            .collect()
    }

    /// By cell, whether any record counts in it.
    pub fn rows(&self, cells: u32) -> Vec<bool> {
        let mut rows = vec![false; cells as usize];
        for (&cell, _) in self.cells.iter().zip(&self.weights).filter(|(_, weight)| **weight > 0) {
            if let Some(row) = rows.get_mut(cell as usize) {
                *row = true;
            }
        }
        rows
    }

    /// How far the count is from theirs.
    pub fn distance(&self, case: &Case<'_>) -> i64 {
        let length = u32::try_from(self.amounts.len().max(case.theirs.len())).unwrap_or(u32::MAX);
        (0..length).map(|cell| case.cost(cell, at(&self.amounts, cell), at(&self.users, cell))).sum()
    }

    /// What a hypothesis would change. `excess` is how late records came, where it asks for that.
    pub fn change(
        &self,
        case: &Case<'_>,
        grid: &mut Grid,
        hypothesis: &Hypothesis,
        excess: &[i64],
    ) -> Change {
        match hypothesis {
            Hypothesis::Rules(rules, _) if rules.users != self.rules.users => self.users_added(case, *rules),
            Hypothesis::Rules(rules, _) => {
                let moves = self.placed(case, grid, *rules, 0..self.times.len(), |times| times);
                self.scored(case, grid, moves)
            }
            Hypothesis::Missing(set) => self.repeated(case, grid, set, excess, |_| 0),
            Hypothesis::Doubled(set) => {
                self.repeated(case, grid, set, excess, |times| times.saturating_mul(2))
            }
            Hypothesis::Sketch(thousandths) => self.estimated(case, *thousandths),
        }
    }

    /// Takes a hypothesis over.
    pub fn take(&mut self, case: &Case<'_>, hypothesis: &Hypothesis, change: &Change, excess: &[i64]) {
        match hypothesis {
            Hypothesis::Rules(rules, _) if rules.users != self.rules.users => {
                self.rules = *rules;
                self.recount_users(case);
            }
            Hypothesis::Rules(rules, _) => self.apply(case, &change.moves, *rules),
            Hypothesis::Missing(set) => {
                self.set_times(case, set, excess, |_| 0);
                self.apply(case, &change.moves, self.rules);
            }
            Hypothesis::Doubled(set) => {
                self.set_times(case, set, excess, |times| times.saturating_mul(2));
                self.apply(case, &change.moves, self.rules);
            }
            Hypothesis::Sketch(_) => {
                for delta in &change.cells {
                    bump(&mut self.users, delta.cell, delta.users);
                }
            }
        }
    }

    /// How the records of a move stood before it.
    pub fn before(&self, moved: &Move) -> Move {
        let record = moved.record;
        Move {
            record,
            cell: self.cells.get(record as usize).copied().unwrap_or(NO_CELL),
            day: at(&self.days, record),
            weight: at(&self.weights, record),
            user: self.users_of.get(record as usize).copied().unwrap_or(NO_NAME),
        }
    }

    fn repeated(
        &self,
        case: &Case<'_>,
        grid: &mut Grid,
        set: &RecordSet,
        excess: &[i64],
        times: impl Fn(u8) -> u8,
    ) -> Change {
        let members = members(case, set, excess).into_iter().map(|record| record as usize);
        let moves = self.placed(case, grid, self.rules, members, times);
        self.scored(case, grid, moves)
    }

    fn set_times(&mut self, case: &Case<'_>, set: &RecordSet, excess: &[i64], times: impl Fn(u8) -> u8) {
        for record in members(case, set, excess) {
            if let Some(slot) = self.times.get_mut(record as usize) {
                *slot = times(*slot);
            }
        }
    }

    /// Where records would stand under some rules, as far as that is elsewhere.
    fn placed(
        &self,
        case: &Case<'_>,
        grid: &mut Grid,
        rules: Rules,
        members: impl IntoIterator<Item = usize>,
        times: impl Fn(u8) -> u8,
    ) -> Vec<Move> {
        let mut moves = Vec::new();
        let mut piece = 0;
        let zone = case.zones.get(rules.zone).filter(|_| case.has_days);
        for place in members {
            let Some(raw) = case.raw.records().get(place) else { continue };
            let record = u32::try_from(place).unwrap_or(u32::MAX);
            let page = if raw.page == NO_NAME { NO_NAME } else { case.pages.page(rules.page, raw.page) };
            let before = self.before(&Move { record, cell: 0, day: 0, weight: 0, user: 0 });
            if page == NO_NAME {
                if before.cell != NO_CELL {
                    moves.push(Move { record, cell: NO_CELL, day: ONE_DAY, weight: 0, user: NO_NAME });
                }
                continue;
            }
            let day =
                zone.map_or(ONE_DAY, |zone| zone.day(raw.time, raw.written_offset_seconds, &mut piece).0);
            let taken = self.times.get(place).copied().unwrap_or(0);
            let weight = if passes(&rules, raw) { times(taken) } else { 0 };
            let user = user(&rules, raw);
            let same_page = before.cell != NO_CELL && grid.place(before.cell).0 == page && before.day == day;
            let cell = if same_page { before.cell } else { grid.cell(page, day) };
            let target = Move { record, cell, day, weight, user };
            if target != before {
                moves.push(target);
            }
        }
        moves
    }

    fn apply(&mut self, case: &Case<'_>, moves: &[Move], rules: Rules) {
        self.rules = rules;
        for moved in moves {
            let before = self.before(moved);
            self.count(case, &before, -1);
            self.count(case, moved, 1);
            let place = moved.record as usize;
            if let (Some(cell), Some(day)) = (self.cells.get_mut(place), self.days.get_mut(place)) {
                (*cell, *day) = (moved.cell, moved.day);
            }
            if let (Some(weight), Some(user)) = (self.weights.get_mut(place), self.users_of.get_mut(place)) {
                (*weight, *user) = (moved.weight, moved.user);
            }
        }
    }

    fn count(&mut self, case: &Case<'_>, moved: &Move, sign: i64) {
        if moved.cell == NO_CELL || moved.weight == 0 {
            return;
        }
        bump(&mut self.amounts, moved.cell, sign * i64::from(moved.weight) * case.amount(moved.record));
        let Some(slot) = self.pair_of.get_mut(moved.record as usize) else { return };
        if sign < 0 {
            let id = std::mem::replace(slot, NO_PAIR);
            if self.pairs.remove(id) {
                bump(&mut self.users, moved.cell, -1);
            }
        } else if case.has_users && moved.user != NO_NAME {
            let (id, is_first) = self.pairs.add(pair(case, self.rules.users, moved));
            *slot = id;
            bump(&mut self.users, moved.cell, i64::from(is_first));
        }
    }

    fn recount_users(&mut self, case: &Case<'_>) {
        (self.pairs, self.pair_of, self.users) = self.users_under(case, self.rules.users);
    }

    /// Pairs, the pair of each record, and users by cell under a rule.
    fn users_under(&self, case: &Case<'_>, rule: UserRule) -> (Pairs, Vec<u32>, Vec<i64>) {
        let count = self.weights.len();
        let mut pairs = Pairs::with_room(if case.has_users { count } else { 0 });
        let mut pair_of = vec![NO_PAIR; count];
        let mut users = vec![0; self.amounts.len()];
        for (record, slot) in (0_u32..).zip(&mut pair_of) {
            let moved = self.before(&Move { record, cell: 0, day: 0, weight: 0, user: 0 });
            if moved.weight == 0 || moved.cell == NO_CELL || moved.user == NO_NAME || !case.has_users {
                continue;
            }
            let (id, is_first) = pairs.add(pair(case, rule, &moved));
            *slot = id;
            bump(&mut users, moved.cell, i64::from(is_first));
        }
        (pairs, pair_of, users)
    }

    fn users_added(&self, case: &Case<'_>, rules: Rules) -> Change {
        let more = if self.rules.users == UserRule::Distinct {
            let parts = if rules.users == UserRule::PerView { Parts::OfRecords } else { Parts::Shared };
            let counted = (0_u32..).zip(&self.pair_of).filter(|(_, id)| **id != NO_PAIR);
            let records = counted.map(|(record, &id)| {
                let cell = self.cells.get(record as usize).copied().unwrap_or(NO_CELL);
                (cell, id, part(case, rules.users, record))
            });
            self.pairs.users_added(records, self.amounts.len(), parts)
        } else {
            let (_, _, users) = self.users_under(case, rules.users);
            (0_u32..).zip(users).map(|(cell, users)| users - at(&self.users, cell)).collect()
        };
        let cells = (0_u32..).zip(more).map(|(cell, users)| CellDelta { cell, amount: 0, users });
        self.weighed(case, Vec::new(), cells.filter(|delta| delta.users != 0).collect())
    }

    /// Users that are off by a little in both directions are taken for estimates.
    fn estimated(&self, case: &Case<'_>, thousandths: i64) -> Change {
        let length = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
        let deltas = (0..length).filter_map(|cell| {
            let (theirs, ours) = (at(&case.theirs, cell), at(&self.users, cell));
            let off = theirs.users - ours;
            // Small sets are nearly exact in a sketch: one user off is no proof against it.
            let is_near = off.abs() <= 1 || off.abs() * 1_000 <= ours * thousandths;
            let same_amount = theirs.amount == at(&self.amounts, cell);
            let is_estimate = theirs.there && !theirs.users_open && is_near && same_amount;
            (is_estimate && off != 0).then_some(CellDelta { cell, amount: 0, users: off })
        });
        self.weighed(case, Vec::new(), deltas.collect())
    }

    fn scored(&self, case: &Case<'_>, grid: &mut Grid, moves: Vec<Move>) -> Change {
        let mut deltas: Vec<CellDelta> = Vec::new();
        let slate = &mut grid.slate;
        for moved in &moves {
            let before = self.before(moved);
            let counts = |moved: &Move| moved.cell != NO_CELL && moved.weight > 0;
            // Another number of times in the same cell: the user stays.
            let same_user = before.cell == moved.cell && before.user == moved.user;
            let user_stays = same_user && counts(&before) && counts(moved);
            for (moved, sign) in [(&before, -1), (moved, 1)] {
                if !counts(moved) {
                    continue;
                }
                let place = slate.place(moved.cell, deltas.len());
                if place == deltas.len() {
                    deltas.push(CellDelta { cell: moved.cell, ..CellDelta::default() });
                }
                if let Some(delta) = deltas.get_mut(place) {
                    delta.amount += i64::from(sign) * i64::from(moved.weight) * case.amount(moved.record);
                }
                if !case.has_users || moved.user == NO_NAME || user_stays {
                    continue;
                }
                if sign < 0 {
                    let id = self.pair_of.get(moved.record as usize).copied().unwrap_or(NO_PAIR);
                    slate.note(id, sign, place);
                } else {
                    slate.join(&self.pairs, pair(case, self.rules.users, moved), place);
                }
            }
        }
        let cells: Vec<u32> = deltas.iter().map(|delta| delta.cell).collect();
        slate.close(&self.pairs, cells.into_iter(), |place, users| {
            if let Some(delta) = deltas.get_mut(place) {
                delta.users += users;
            }
        });
        self.weighed(case, moves, deltas)
    }

    fn weighed(&self, case: &Case<'_>, moves: Vec<Move>, cells: Vec<CellDelta>) -> Change {
        let (mut gain, mut size) = (0, 0);
        for delta in &cells {
            let (amount, users) = (at(&self.amounts, delta.cell), at(&self.users, delta.cell));
            gain += case.cost(delta.cell, amount, users);
            gain -= case.cost(delta.cell, amount + delta.amount, users + delta.users);
            size += delta.amount.abs() + delta.users.abs() * case.user_unit();
        }
        Change { moves, cells, gain, size }
    }
}

fn passes(rules: &Rules, record: &RawRecord) -> bool {
    let skips = |taken: Taken, flag: RawFlags| taken == Taken::Skipped && record.flags.any(flag);
    !(skips(rules.malformed, RawFlags::MALFORMED)
        || skips(rules.redelivered, RawFlags::REDELIVERED)
        || skips(rules.duplicates, RawFlags::DUPLICATE)
        || (rules.anonymous == AnonymousRule::Skipped && record.flags.any(RawFlags::NO_USER)))
}

fn user(rules: &Rules, record: &RawRecord) -> u32 {
    let is_counted = rules.anonymous == AnonymousRule::AsUser && record.flags.any(RawFlags::NO_USER);
    if is_counted { ANONYMOUS } else { record.user }
}

fn pair(case: &Case<'_>, rule: UserRule, moved: &Move) -> Pair {
    (u64::from(moved.cell) << 32 | u64::from(moved.user), part(case, rule, moved.record))
}

/// The part of the log within which users of a record's cell are distinct.
fn part(case: &Case<'_>, rule: UserRule, record: u32) -> u32 {
    let raw = case.raw.records().get(record as usize);
    match (rule, raw) {
        (UserRule::Distinct, _) | (_, None) => 0,
        (UserRule::PerSegment, Some(raw)) => raw.segment,
        (UserRule::PerPartition, Some(raw)) => u32::from(raw.partition.0),
        (UserRule::PerHour, Some(raw)) => wrapped(raw.time.0.div_euclid(3_600_000_000_000)),
        (UserRule::PerDay, Some(raw)) => wrapped(raw.time.0.div_euclid(86_400_000_000_000)),
        (UserRule::PerPage, Some(raw)) => raw.page,
        (UserRule::PerView, Some(_)) => record,
    }
}

/// Hours and days fit easily; what does not only has to differ.
fn wrapped(number: i64) -> u32 {
    u32::try_from(number.rem_euclid(i64::from(u32::MAX))).unwrap_or(0)
}

/// The records of a set.
pub(super) fn members(case: &Case<'_>, set: &RecordSet, excess: &[i64]) -> Vec<u32> {
    let records = case.raw.records();
    let those = |belongs: &dyn Fn(&RawRecord) -> bool| {
        (0_u32..).zip(records).filter(|(_, record)| belongs(record)).map(|(number, _)| number).collect()
    };
    match set {
        RecordSet::All => those(&|_| true),
        RecordSet::Partition(partition) => {
            case.by_partition.get(usize::from(*partition)).cloned().unwrap_or_default()
        }
        RecordSet::Segment(segment) => {
            let start = records.partition_point(|record| record.segment < *segment);
            let end = records.partition_point(|record| record.segment <= *segment);
            (u32::try_from(start).unwrap_or(0)..u32::try_from(end).unwrap_or(0)).collect()
        }
        RecordSet::Ending(ending) => {
            let ends: Vec<bool> =
                case.raw.segments().iter().map(|segment| segment.path.ends_with(ending)).collect();
            those(&|record| at(&ends, record.segment))
        }
        RecordSet::Range(order, from, to) => list(case, *order).get(*from..*to).unwrap_or_default().to_vec(),
        RecordSet::FirstOfSegments => those(&|record| record.flags.any(RawFlags::FIRST)),
        RecordSet::LastOfSegments => those(&|record| record.flags.any(RawFlags::LAST)),
        RecordSet::Repeated => those(&|record| record.flags.any(RawFlags::REPEATED)),
        RecordSet::Late(_, lateness) => (0_u32..)
            .zip(excess)
            .filter(|(_, excess)| **excess >= *lateness)
            .map(|(number, _)| number)
            .collect(),
    }
}
