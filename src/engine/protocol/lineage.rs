//! What became of each record, which records are behind a number, and why two views differ: questions and answers.

use std::borrow::Cow;

use super::{RecordLine, VersionNumber};
use crate::{
    domain::{Counts, Day, Uniques},
    engine::frame::Totals,
};

pub use crate::analysis::{Cause, Fate};

/// A view of a lane, or a full recount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum BookView {
    /// Published by the last batch run.
    Batch,
    /// Served by the speed layer, since the last batch run.
    Speed,
    /// The speed state in the processor's memory.
    Memory,
    /// Batch and speed merged.
    #[default]
    Merged,
    /// A full recount of the log up to where merged stands.
    Recount,
    /// A full recount of the whole loaded log.
    Log,
    /// The view of a version of the Kappa lane.
    Version(VersionNumber),
}

impl BookView {
    /// All of the Lambda lane, in the order of the screen.
    pub const ALL: [BookView; 6] = [
        BookView::Batch,
        BookView::Speed,
        BookView::Memory,
        BookView::Merged,
        BookView::Recount,
        BookView::Log,
    ];

    /// In files.
    pub fn id(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            BookView::Batch => "batch",
            BookView::Speed => "speed",
            BookView::Memory => "memory",
            BookView::Merged => "merged",
            BookView::Recount => "recount",
            BookView::Log => "log",
            BookView::Version(number) => return Cow::Owned(format!("version-{number}")),
        })
    }

    /// Whether it is the view of a version.
    pub fn is_version(self) -> bool {
        matches!(self, BookView::Version(_))
    }
}

/// Two views that are compared: the first minus the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    /// From this one.
    pub first: BookView,
    /// This one is taken away.
    pub second: BookView,
}

impl Pair {
    /// Both, the first one first.
    pub fn views(self) -> [BookView; 2] {
        [self.first, self.second]
    }

    /// Whether both are versions of the Kappa lane.
    pub fn is_of_versions(self) -> bool {
        self.views().into_iter().all(BookView::is_version)
    }
}

impl Default for Pair {
    fn default() -> Self {
        Pair { first: BookView::Merged, second: BookView::Recount }
    }
}

/// Which number of a view: all of it, a page, a day, a page on a day, a stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberOf {
    /// Only this page.
    pub page: Option<String>,
    /// Only this day.
    pub day: Option<Day>,
    /// Only the records `[from, to)`.
    pub within: Option<(u64, u64)>,
}

impl NumberOf {
    /// That of a page, a day, or a page on a day; nothing where it would be all of a view.
    pub fn narrowed(page: Option<&str>, day: Option<Day>) -> Option<NumberOf> {
        let number = NumberOf { page: page.map(str::to_owned), day, within: None };
        (number != NumberOf::default()).then_some(number)
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SearchKind {
    /// A part of the page, in any case.
    #[default]
    Page,
    /// A part of the user, in any case.
    User,
    /// The whole id.
    Id,
    /// `partition:offset`, or an offset in any partition.
    Offset,
    /// A part of the line itself.
    Line,
}

impl SearchKind {
    /// All, in the order of the screen.
    pub const ALL: [SearchKind; 5] =
        [SearchKind::Page, SearchKind::User, SearchKind::Id, SearchKind::Offset, SearchKind::Line];
}

/// Which records are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Those that make up a number of a view.
    Behind(BookView, NumberOf),
    /// Those with a fate in a view.
    Fate(BookView, Fate),
    /// Those that make a cause of a difference; `None`: any.
    Differing(Pair, Option<Cause>, NumberOf),
    /// Those that are found.
    Search(SearchKind, String),
}

/// A page of a [`Listing`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// The page.
    pub records: Vec<RecordLine>,
    /// Records in all; of what has been looked through, while `searched_to` says that there is more.
    pub total: u64,
    /// How often they count in the view together; 0 where no view is meant.
    pub views: u64,
    /// Up to which record lines were looked through, where that is not yet the end.
    pub searched_to: Option<u64>,
}

/// The fates in one view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewFates {
    /// Which view.
    pub view: BookView,
    /// Records by fate, in order, none left out.
    pub fates: Vec<(Fate, u64)>,
    /// How often records count: the view's page views.
    pub views: u64,
}

/// A number that a record is part of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TouchedNumber {
    /// Page; `None`: over all.
    pub page: Option<String>,
    /// Day; `None`: over all.
    pub day: Option<Day>,
    /// The numbers.
    pub totals: Totals,
    /// How much of the page views is this record.
    pub views: u32,
    /// How much of the sum is this record, in millionths.
    pub sum: i128,
    /// Whether it is the first record of its user there.
    pub is_first_of_user: bool,
}

/// What one view makes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedView {
    /// Which view.
    pub view: BookView,
    /// What became of the record.
    pub fate: Fate,
    /// On which day it lies there.
    pub day: Option<Day>,
    /// How often the processor of a version read it; the stream of the run has its own count in [`RecordLine`].
    pub reads: Option<u32>,
    /// How the view counts users.
    pub uniques: Uniques,
    /// Its cell, page, day and the run; empty where it does not count.
    pub numbers: Vec<TouchedNumber>,
}

/// A record with every number that it touches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordNumbers {
    /// The record.
    pub record: RecordLine,
    /// Its page, user, day, value (as text) and id or explicit offset, as far as it has them.
    pub fields: Vec<(&'static str, String)>,
    /// View by view.
    pub views: Vec<TouchedView>,
}

/// What a cause makes of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CausePart {
    /// Which cause.
    pub cause: Cause,
    /// Records behind it.
    pub records: u64,
    /// Its part in page views.
    pub views: i64,
    /// Its part in unique users.
    pub users: i64,
    /// Its part in the sum, in millionths.
    pub sum: i128,
}

/// A cell in which two views differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellDifference {
    /// The page; empty: all.
    pub page: String,
    /// The day.
    pub day: Day,
    /// What the first view has.
    pub first: Totals,
    /// What the second has.
    pub second: Totals,
    /// The causes.
    pub parts: Vec<CausePart>,
}

/// Why two views differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PairDifference {
    /// Which views.
    pub pair: Pair,
    /// What the first has over the run.
    pub first: Totals,
    /// What the second has.
    pub second: Totals,
    /// The causes, the unexplained first; they add up to first minus second.
    pub parts: Vec<CausePart>,
    /// Cells that differ, the largest difference first; the list is capped.
    pub cells: Vec<CellDifference>,
    /// How many cells differ.
    pub cells_in_all: u64,
    /// Of two versions: the days that differ, in order, over all pages.
    pub days: Vec<CellDifference>,
    /// The settings in force, where a view is that of a version; empty for the others, which read as the run does.
    pub settings: [String; 2],
    /// Records that each of the two has looked at, and what became of them.
    pub read: [Counts; 2],
    /// The command lines that compute the same views.
    pub command: String,
    /// DuckDB queries that do; `None` where none would give these numbers.
    pub sql: Option<Box<PairSql>>,
    /// What they count otherwise than the views, or why there is no query; empty where nothing is to be said.
    pub sql_note: String,
}

/// Two views beside each other, as DuckDB queries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PairSql {
    /// Pages and days in which they differ.
    pub cells: String,
    /// Each day in total.
    pub days: String,
    /// The whole.
    pub run: String,
}
