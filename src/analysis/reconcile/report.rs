//! What a reconciliation found, as plain data with sentences.

use std::collections::{BTreeSet, HashMap};

use rustc_hash::FxBuildHasher;

use super::{
    case::{Case, Grid, NO_CELL, at},
    search::{Found, Taken},
    state::Move,
    words::count,
};
use crate::{
    analysis::{Cause, CauseShare},
    domain::{Day, NameTable as _},
    ingest::{AmountKind, ForeignView},
};

/// Numbers of one cell or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Page views, or the sum in millionths.
    pub amount: i64,
    /// Distinct users (of all: summed over cells).
    pub users: i64,
}

/// How large a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Cells.
    pub cells: u64,
    /// Their numbers, added up.
    pub numbers: Numbers,
}

/// A judged view.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconciliation {
    /// The view, as it was given.
    pub name: String,
    /// What its first number counts.
    pub kind: AmountKind,
    /// Whether it has pages, days, users.
    pub has_pages: bool,
    /// Whether it has days.
    pub has_days: bool,
    /// Whether its users are compared.
    pub has_users: bool,
    /// Our view.
    pub ours: Totals,
    /// Theirs.
    pub theirs: Totals,
    /// Sum over cells of how far the numbers are apart.
    pub distance: Numbers,
    /// The same as one number, of which hypotheses explain a part.
    pub apart: i64,
    /// What is left of it under all findings.
    pub unexplained: i64,
    /// Ours minus theirs that no finding explains.
    pub rest: CauseShare,
    /// Hypotheses that explain the difference together, in the order in which they were found.
    pub findings: Vec<Finding>,
    /// Hypotheses that explain something alone, best first.
    pub ranked: Vec<RankedHypothesis>,
    /// How many cells differ.
    pub differing: u64,
    /// Cells that differ, the largest difference first; then equal ones that a finding would make differ.
    pub cells: Vec<CellDifference>,
    /// What else is worth saying about the rest.
    pub remarks: Vec<String>,
}

/// A hypothesis that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// For files.
    pub id: String,
    /// For people, in lower case and without a full stop.
    pub sentence: String,
    /// Other names for the same.
    pub also: Vec<String>,
    /// Its part of ours minus theirs.
    pub share: CauseShare,
    /// How far apart the views were before and after it was taken.
    pub before: i64,
    /// After.
    pub after: i64,
    /// The records that prove it, in the order of the log.
    pub moved: Vec<Moved>,
}

/// A record that counts elsewhere, or more or less often, in theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Its number in [`crate::ingest::RawLog::records`].
    pub record: u32,
    /// Its cell in our count, as a number in no particular order; `u32::MAX` where it has none.
    pub from: u32,
    /// Its cell in theirs.
    pub to: u32,
    /// On which day in ours.
    pub day_ours: Day,
    /// On which day in theirs.
    pub day_theirs: Day,
    /// How often it counts in ours.
    pub times_ours: u8,
    /// How often in theirs.
    pub times_theirs: u8,
}

/// A hypothesis tried alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedHypothesis {
    /// For files.
    pub id: String,
    /// For people.
    pub sentence: String,
    /// The cause that it belongs to.
    pub cause: Cause,
    /// How much closer to theirs it comes.
    pub explained: i64,
    /// Records that it concerns.
    pub records: u64,
}

/// A cell with different numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellDifference {
    /// Its number, as in [`Moved`].
    pub cell: u32,
    /// The page.
    pub page: String,
    /// The day; `None` where their view has none.
    pub day: Option<Day>,
    /// Ours.
    pub ours: Numbers,
    /// Theirs.
    pub theirs: Numbers,
    /// Whether they have a row for it.
    pub theirs_there: bool,
    /// What each finding explains of ours minus theirs.
    pub shares: Vec<CellShare>,
    /// What none explains.
    pub rest: Numbers,
}

/// A part of a cell's difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellShare {
    /// Number of the finding.
    pub finding: usize,
    /// Its part.
    pub numbers: Numbers,
}

impl Reconciliation {
    /// Whether all numbers are equal.
    pub fn is_equal(&self) -> bool {
        self.differing == 0
    }

    /// Records behind the difference of a cell, in the order of the log: those that a finding moves into it or out of
    /// it, or counts another number of times.
    pub fn records_of(&self, cell: u32) -> Vec<u32> {
        let moved = self.findings.iter().flat_map(|finding| &finding.moved);
        let touching = moved.filter(|moved| moved.from == cell || moved.to == cell).map(|moved| moved.record);
        touching.collect::<BTreeSet<u32>>().into_iter().collect()
    }
}

pub(super) fn report(case: &Case<'_>, grid: &Grid, view: &ForeignView, found: &Found) -> Reconciliation {
    let findings: Vec<Finding> = found.steps.iter().map(|step| finding(case, step)).collect();
    let cells = cells(case, grid, found);
    let ranked = found.ranked.iter().map(|tried| RankedHypothesis {
        id: tried.hypothesis.id(case),
        sentence: tried.hypothesis.sentence(case),
        cause: tried.hypothesis.cause(case),
        explained: tried.gain,
        records: tried.records,
    });
    let (mut ours, mut theirs, mut distance, mut rest) =
        (Totals::default(), Totals::default(), Numbers::default(), Numbers::default());
    for cell in 0..grid.len() {
        let (our, their) = (our_numbers(case, found, cell), at(&case.theirs, cell));
        ours.cells += u64::from(our.there);
        ours.numbers.add(our.numbers);
        theirs.cells += u64::from(their.there);
        theirs.numbers.add(Numbers { amount: their.amount, users: their.users });
    }
    for cell in &cells {
        distance.amount += (cell.ours.amount - cell.theirs.amount).abs();
        distance.users += (cell.ours.users - cell.theirs.users).abs();
        rest.add(cell.rest);
    }
    let rest = CauseShare { cause: Cause::Unexplained, records: 0, views: rest.amount, users: rest.users };
    let remarks = remarks(case, &cells);
    Reconciliation {
        name: view.name.clone(),
        kind: case.kind,
        has_pages: case.has_pages,
        has_days: case.has_days,
        has_users: case.has_users,
        ours,
        theirs,
        distance,
        apart: found.before,
        unexplained: found.after,
        rest,
        findings,
        ranked: ranked.collect(),
        differing: cells.iter().filter(|cell| cell.ours != cell.theirs).count() as u64,
        cells,
        remarks,
    }
}

impl Moved {
    /// What theirs does with the record, in words.
    pub fn words(&self) -> String {
        match (self.times_ours, self.times_theirs) {
            (0, 0) => "counted nowhere".to_owned(),
            (_, 0) => "not counted there".to_owned(),
            (0, 1) => "counted there only".to_owned(),
            (0, times) => format!("counted {times}x there, not here"),
            (ours, theirs) if ours != theirs => format!("counted {theirs}x there"),
            _ if self.day_ours != self.day_theirs => {
                format!("on {} there, on {} here", self.day_theirs, self.day_ours)
            }
            _ if self.from != self.to => "under another page there".to_owned(),
            _ => "with another user there".to_owned(),
        }
    }
}

impl Numbers {
    fn add(&mut self, other: Numbers) {
        self.amount += other.amount;
        self.users += other.users;
    }

    /// Whether both are 0.
    pub fn is_zero(self) -> bool {
        self.amount == 0 && self.users == 0
    }
}

struct Ours {
    numbers: Numbers,
    there: bool,
}

fn our_numbers(case: &Case<'_>, found: &Found, cell: u32) -> Ours {
    let theirs = at(&case.theirs, cell);
    let amount = at(&found.start.amounts, cell);
    let users = if case.has_users { at(&found.start.users, cell) } else { 0 };
    // Where a row leaves the users open there is nothing to compare.
    let users = if theirs.users_open { 0 } else { users };
    Ours { numbers: Numbers { amount, users }, there: at(&found.ours, cell) }
}

fn finding(case: &Case<'_>, step: &Taken) -> Finding {
    let mut share = CauseShare {
        cause: step.hypothesis.cause(case),
        records: step.moves.len() as u64,
        views: 0,
        users: 0,
    };
    for delta in &step.cells {
        share.views -= delta.amount;
        share.users -= if at(&case.theirs, delta.cell).users_open { 0 } else { delta.users };
    }
    let mut moved: Vec<Moved> = step.moves.iter().map(|(before, after)| moved(before, after)).collect();
    moved.sort_by_key(|moved| moved.record);
    Finding {
        id: step.hypothesis.id(case),
        sentence: step.hypothesis.sentence(case),
        also: step.hypothesis.also(case),
        share,
        before: step.before,
        after: step.after,
        moved,
    }
}

fn moved(before: &Move, after: &Move) -> Moved {
    let place = |moved: &Move| if moved.weight == 0 { NO_CELL } else { moved.cell };
    Moved {
        record: after.record,
        from: place(before),
        to: place(after),
        day_ours: Day(before.day),
        day_theirs: Day(after.day),
        times_ours: before.weight,
        times_theirs: after.weight,
    }
}

fn cells(case: &Case<'_>, grid: &Grid, found: &Found) -> Vec<CellDifference> {
    let mut shares: HashMap<u32, Vec<CellShare>, FxBuildHasher> = HashMap::default();
    for (finding, step) in found.steps.iter().enumerate() {
        for delta in step.cells.iter().filter(|delta| delta.amount != 0 || delta.users != 0) {
            let users = if at(&case.theirs, delta.cell).users_open { 0 } else { -delta.users };
            let numbers = Numbers { amount: -delta.amount, users };
            shares.entry(delta.cell).or_default().push(CellShare { finding, numbers });
        }
    }
    let mut cells = Vec::new();
    for cell in 0..grid.len() {
        let (ours, theirs) = (our_numbers(case, found, cell).numbers, at(&case.theirs, cell));
        let theirs_numbers =
            Numbers { amount: theirs.amount, users: if case.has_users { theirs.users } else { 0 } };
        let shares = shares.remove(&cell).unwrap_or_default();
        let mut rest =
            Numbers { amount: ours.amount - theirs_numbers.amount, users: ours.users - theirs_numbers.users };
        for share in &shares {
            rest.add(Numbers { amount: -share.numbers.amount, users: -share.numbers.users });
        }
        if ours == theirs_numbers && rest.is_zero() {
            continue;
        }
        let (page, day) = grid.place(cell);
        cells.push(CellDifference {
            cell,
            page: case.pages.names.text(page).to_owned(),
            day: case.has_days.then_some(Day(day)),
            ours,
            theirs: theirs_numbers,
            theirs_there: theirs.there,
            shares,
            rest,
        });
    }
    let weight = |cell: &CellDifference| {
        (cell.ours.amount - cell.theirs.amount).abs()
            + (cell.ours.users - cell.theirs.users).abs() * case.user_unit()
    };
    cells.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| a.page.cmp(&b.page)).then(a.day.cmp(&b.day)));
    cells
}

fn remarks(case: &Case<'_>, cells: &[CellDifference]) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut say = |cells: usize, text: &str| {
        if cells > 0 {
            let noun = if cells == 1 { "cell" } else { "cells" };
            remarks.push(format!("{} {noun} {text}", count(cells)));
        }
    };
    let open: Vec<&CellDifference> = cells.iter().filter(|cell| !cell.rest.is_zero()).collect();
    let no_record = |cell: &&&CellDifference| cell.ours.amount == 0 && cell.theirs.amount > 0;
    say(open.iter().filter(no_record).count(), "of the rest have no record in this log");
    let only_views =
        |cell: &&&CellDifference| cell.rest.users == 0 && cell.rest.amount < 0 && cell.ours.amount > 0;
    if case.has_users {
        say(
            open.iter().filter(only_views).count(),
            "of the rest have more page views there and no more users: scattered lines counted twice would look so",
        );
    }
    let fewer = |cell: &&&CellDifference| cell.rest.amount > 0;
    say(
        open.iter().filter(fewer).count(),
        "of the rest have fewer page views there: scattered records that were lost would look so",
    );
    remarks
}
