//! What does not change while hypotheses are tried: the log, their view, and orders of the records.

use std::collections::{BTreeMap, HashMap};

use rustc_hash::FxBuildHasher;

use super::{
    hypothesis::{AnonymousRule, Rules, Taken, UserRule},
    pages::{PageRule, Pages},
    pairs::Slate,
    zones::Zones,
};
use crate::{
    domain::{Anonymous, EventTime, ParseZoneError},
    ingest::{AmountKind, ForeignView, Mapping, NO_NAME, RawFlags, RawLog},
};

/// No cell.
pub(super) const NO_CELL: u32 = u32::MAX;
/// The day of all records where their view has no date column.
pub(super) const ONE_DAY: i32 = 0;

/// An element, or the default beyond the end.
pub(super) fn at<T: Copy + Default>(list: &[T], place: u32) -> T {
    list.get(place as usize).copied().unwrap_or_default()
}

/// Adds to an element, growing the list where needed.
pub(super) fn bump(list: &mut Vec<i64>, place: u32, by: i64) {
    let place = place as usize;
    if list.len() <= place {
        list.resize(place + 1, 0);
    }
    if let Some(slot) = list.get_mut(place) {
        *slot += by;
    }
}

/// Cells by number.
#[derive(Debug, Default)]
pub(super) struct Grid {
    ids: HashMap<(u32, i32), u32, FxBuildHasher>,
    cells: Vec<(u32, i32)>,
    last: Option<((u32, i32), u32)>,
    /// Where a change is added up.
    pub slate: Slate,
}

impl Grid {
    /// The number of a page's day, given now when it is new.
    pub fn cell(&mut self, page: u32, day: i32) -> u32 {
        let key = (page, day);
        if let Some((last, id)) = self.last
            && last == key
        {
            return id;
        }
        let next = u32::try_from(self.cells.len()).unwrap_or(NO_CELL);
        let id = *self.ids.entry(key).or_insert(next);
        if id == next {
            self.cells.push(key);
        }
        self.last = Some((key, id));
        id
    }

    /// Page and day of a cell.
    pub fn place(&self, cell: u32) -> (u32, i32) {
        self.cells.get(cell as usize).copied().unwrap_or((NO_NAME, 0))
    }

    pub fn len(&self) -> u32 {
        u32::try_from(self.cells.len()).unwrap_or(u32::MAX)
    }
}

/// Their numbers of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Theirs {
    pub amount: i64,
    pub users: i64,
    /// Whether they have a row for it.
    pub there: bool,
    /// Whether that row leaves the users open.
    pub users_open: bool,
}

/// One view of theirs against one log.
pub(super) struct Case<'a> {
    pub raw: &'a RawLog,
    pub zones: Zones,
    pub pages: Pages,
    pub theirs: Vec<Theirs>,
    pub kind: AmountKind,
    /// Whether their view has pages, days, users.
    pub has_pages: bool,
    pub has_days: bool,
    pub has_users: bool,
    pub base: Rules,
    pub by_partition: Vec<Vec<u32>>,
    /// Records in delivery order.
    pub delivery: Vec<u32>,
    /// Records that have an event, by event time.
    pub by_time: Vec<u32>,
    /// Their amounts by day.
    day_totals: BTreeMap<i32, i64>,
    /// Whether anybody still waits for what is found.
    wanted: &'a dyn Fn() -> bool,
}

impl<'a> Case<'a> {
    pub fn new(
        raw: &'a RawLog,
        mapping: &Mapping,
        view: &ForeignView,
        grid: &mut Grid,
        wanted: &'a dyn Fn() -> bool,
    ) -> Result<Case<'a>, ParseZoneError> {
        let events = || (0_u32..).zip(raw.records()).filter(|(_, record)| record.page != NO_NAME);
        let times = || events().map(|(_, record)| record.time);
        let (first, last) = (times().min().unwrap_or(EventTime(0)), times().max().unwrap_or(EventTime(0)));
        let (has_pages, has_days) = (view.columns.page.is_some(), view.columns.date.is_some());
        let mut pages = Pages::new(raw.pages(), has_pages);
        let mut theirs = Vec::new();
        let mut day_totals: BTreeMap<i32, i64> = BTreeMap::new();
        for row in &view.rows {
            let cell = grid.cell(pages.names.intern(&row.page), row.day.map_or(ONE_DAY, |day| day.0));
            let users = row.users.and_then(|users| i64::try_from(users).ok());
            let numbers = Theirs {
                amount: row.amount,
                users: users.unwrap_or(0),
                there: true,
                users_open: users.is_none(),
            };
            *day_totals.entry(row.day.map_or(ONE_DAY, |day| day.0)).or_default() += row.amount;
            theirs.resize(theirs.len().max(cell as usize + 1), Theirs::default());
            if let Some(slot) = theirs.get_mut(cell as usize) {
                *slot = numbers;
            }
        }
        let mut by_time: Vec<u32> = events().map(|(number, _)| number).collect();
        by_time.sort_by_key(|&number| raw.records().get(number as usize).map(|record| record.time));
        Ok(Case {
            zones: Zones::over(&mapping.zone, first, last)?,
            pages,
            theirs,
            kind: view.amount,
            has_pages,
            has_days,
            has_users: view.columns.users.is_some() && mapping.user.is_some(),
            base: Rules {
                zone: 0,
                page: PageRule::from_steps(&mapping.page_clean),
                anonymous: match mapping.anonymous {
                    Anonymous::Skip => AnonymousRule::Skipped,
                    Anonymous::Count => AnonymousRule::Counted,
                },
                redelivered: Taken::Skipped,
                duplicates: Taken::Skipped,
                malformed: Taken::Skipped,
                users: UserRule::Distinct,
            },
            by_partition: raw.by_partition(),
            delivery: raw.delivery_order(),
            by_time,
            day_totals,
            wanted,
            raw,
        })
    }

    /// Whether anybody still waits for what is found.
    pub fn is_wanted(&self) -> bool {
        (self.wanted)()
    }

    /// What a record adds when it counts once.
    pub fn amount(&self, record: u32) -> i64 {
        match self.kind {
            AmountKind::Views => 1,
            AmountKind::Sum => self.raw.value(record),
        }
    }

    /// How much a difference of one user weighs beside the amounts.
    pub fn user_unit(&self) -> i64 {
        match self.kind {
            AmountKind::Views => 1,
            AmountKind::Sum => 1_000_000,
        }
    }

    /// Their amounts by day, over all pages.
    pub fn day_totals(&self) -> impl Iterator<Item = (i32, i64)> {
        self.day_totals.iter().map(|(day, amount)| (*day, *amount))
    }

    /// Whether any record has a flag.
    pub fn has(&self, flags: RawFlags) -> bool {
        self.raw.records().iter().any(|record| record.flags.any(flags) && record.page != NO_NAME)
    }

    /// How far apart two numbers of a cell are from theirs.
    pub fn cost(&self, cell: u32, amount: i64, users: i64) -> i64 {
        let theirs = at(&self.theirs, cell);
        let users = if self.has_users && !theirs.users_open { (theirs.users - users).abs() } else { 0 };
        (theirs.amount - amount).abs() + users * self.user_unit()
    }
}
