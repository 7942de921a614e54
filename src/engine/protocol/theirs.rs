//! "Their views against ours": what is asked, and what comes back, as plain data.

use std::{path::PathBuf, sync::Arc};

use crate::domain::Day;

/// What is to be compared with the open log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompareRequest {
    /// One or two views of theirs: files, or directories of part files.
    pub paths: Vec<PathBuf>,
    /// Names of their columns as on the command line; empty: guessed.
    pub columns: String,
}

/// Views of theirs, judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// What was asked.
    pub request: CompareRequest,
    /// In the order in which they were given.
    pub views: Vec<ComparedView>,
    /// First minus second, cause by cause, the unexplained rest first; empty unless there are two.
    pub between: Vec<BetweenLine>,
    /// The command line that finds the same.
    pub command: String,
    /// The DuckDB query that computes our view, of a log of JSON lines.
    pub sql: Option<String>,
}

/// A cause of the difference between two views of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BetweenLine {
    /// In words.
    pub sentence: String,
    /// Its part of first minus second.
    pub views: String,
    /// The same of users.
    pub users: i64,
}

/// A judged view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComparedView {
    /// Its path as it was given.
    pub name: String,
    /// The columns, and whether they were guessed.
    pub columns: String,
    /// Whether users are compared.
    pub has_users: bool,
    /// How large ours and theirs are, in words.
    pub sizes: [String; 2],
    /// How many cells differ.
    pub differing: u64,
    /// How far apart the two are, in all.
    pub apart: i64,
    /// Units of `apart` that make one page view (a million where sums are compared).
    pub unit: i64,
    /// What no finding explains of it.
    pub unexplained: i64,
    /// What explains the difference together.
    pub findings: Vec<FindingLine>,
    /// What explains a part of it alone, best first.
    pub ranked: Vec<RankedLine>,
    /// Cells that differ, the largest difference first; at most [`MOST_CELLS`].
    pub cells: Arc<Vec<CellLine>>,
    /// What else is worth saying: the rest, rows kept aside, cells that are there twice.
    pub remarks: Vec<String>,
}

/// Most cells that are handed out.
pub const MOST_CELLS: usize = 100_000;

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingLine {
    /// In words, in lower case.
    pub sentence: String,
    /// Other names for the same.
    pub also: Vec<String>,
    /// How much of the difference it explains beside those before it.
    pub explained: i64,
    /// Records behind it.
    pub records: u64,
    /// The cause's id.
    pub cause: &'static str,
}

/// A hypothesis tried alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RankedLine {
    /// In words.
    pub sentence: String,
    /// How much it explains.
    pub explained: i64,
}

/// A cell with different numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellLine {
    /// Its number, for asking after its records.
    pub cell: u32,
    /// The page.
    pub page: String,
    /// The day, where their view has days.
    pub day: Option<Day>,
    /// Ours and theirs; page views or sums.
    pub amounts: [String; 2],
    /// Ours and theirs.
    pub users: [i64; 2],
    /// Numbers of the findings that touch it.
    pub findings: Vec<usize>,
    /// What none explains, ours minus theirs; empty where nothing is left.
    pub rest: String,
}

/// Of what records are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofOf {
    /// A finding, by number.
    Finding(usize),
    /// A cell, by its number.
    Cell(u32),
}

/// A record that proves something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProofLine {
    /// File, relative to the log.
    pub file: String,
    /// 1-based line.
    pub line: u64,
    /// What theirs does with it.
    pub what: String,
    /// The line itself.
    pub text: String,
}
