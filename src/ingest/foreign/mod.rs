//! Views that other systems made, as files: CSV with or without a header, JSON, JSON lines, a directory of `part-*`
//! files; compressed or not.
//!
//! A [`ForeignView`] is their numbers by text. A row that cannot be read is kept aside with file, line and reason; a cell
//! that is there twice is reported and added up, never silently. Nothing here knows our numbers.

mod cells;
mod columns;
mod json;
mod read;
mod rows;

use std::sync::Arc;

use super::LogError;
use crate::domain::Day;

pub use columns::{Columns, ColumnsText};

/// One cell of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRow {
    /// The page; empty where their view has no page column.
    pub page: String,
    /// The day; `None` where their view has no date column.
    pub day: Option<Day>,
    /// Page views, or the sum in millionths ([`ForeignView::amount`] says which).
    pub amount: i64,
    /// Distinct users; `None` where the column is missing or empty.
    pub users: Option<u64>,
    /// Number of the file in [`ForeignView::files`].
    pub file: u32,
    /// Line in it, from 1 (for a JSON list: number of the object).
    pub line: u64,
}

/// What their first number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AmountKind {
    /// Page views.
    Views,
    /// A sum of values, in millionths.
    Sum,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The file, relative to what was opened.
    pub file: Arc<str>,
    /// Line in it, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// A view of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignView {
    /// The path as given.
    pub name: String,
    /// Its files, relative to the path.
    pub files: Vec<Arc<str>>,
    /// Which column is what.
    pub columns: Columns,
    /// Whether the columns were guessed.
    pub guessed: bool,
    /// What the first number counts.
    pub amount: AmountKind,
    /// Cells sorted by page, then day; each once.
    pub rows: Vec<ForeignRow>,
    /// Cells that were there more than once, with how often; their numbers were added.
    pub repeated: Vec<(String, Option<Day>, u64)>,
    /// Rows kept aside, at most [`MAX_BAD_ROWS`].
    pub bad: Vec<BadRow>,
    /// How many there are in all.
    pub bad_total: u64,
}

/// At most this many rows kept aside are listed; all are counted.
pub const MAX_BAD_ROWS: usize = 10_000;

/// Why a view of theirs cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] LogError),
    /// There is no file with rows in a directory.
    #[error("no part files in {0:?}")]
    NoFiles(std::path::PathBuf),
    /// Columns could not be told apart.
    #[error(
        "cannot tell which column is {role} in {file:?} (give --columns {role}=NAME); columns seen: {seen:?}"
    )]
    NoColumn {
        /// `page`, `date`, `views`.
        role: &'static str,
        /// The file.
        file: String,
        /// Names of the columns, joined by commas.
        seen: String,
    },
    /// A column that was asked for is not there.
    #[error("no column {name:?} in {file:?}; columns seen: {seen:?}")]
    MissingColumn {
        /// Name that was given.
        name: String,
        /// The file.
        file: String,
        /// Names of the columns, joined by commas.
        seen: String,
    },
    /// `--columns` is not of its form.
    #[error("--columns: {cause}: {text:?}")]
    BadColumns {
        /// What is wrong.
        cause: &'static str,
        /// What was given.
        text: String,
    },
    /// The file is neither a table nor JSON rows.
    #[error("no rows can be read from {file:?}: {cause}")]
    NoRows {
        /// The file.
        file: String,
        /// What is wrong.
        cause: String,
    },
}
