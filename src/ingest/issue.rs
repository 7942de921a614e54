//! Malformed records: why, where, and how many.

use std::sync::Arc;

use super::rows::RowFault;

/// At most this many malformed records are listed; all are counted.
pub const MAX_ISSUES: usize = 10_000;

/// Longest quotation from a line in a reason, in characters.
const QUOTE_CHARS: usize = 80;

/// Why no event could be read from a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIssue {
    /// The line is no JSON text; the parser's words.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// The line is JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// The line is not UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// The line is longer than [`super::MAX_LINE_BYTES`]; its rest was skipped unread.
    #[error("line longer than 16 MiB")]
    LineTooLong,
    /// An access log line without a time in brackets where it belongs.
    #[error("no access log line: no time in brackets")]
    NoBracketedTime,
    /// An access log line without a request in quotes behind the time.
    #[error("no access log line: no request in quotes")]
    NoQuotedRequest,
    /// An access log line that ends inside its request.
    #[error("no access log line: the request does not end")]
    RequestNotClosed,
    /// The header of the file lacks a mapped column: no row under it can be read.
    #[error("no column {0:?} in the header")]
    NoColumn(String),
    /// The file begins with something else than a header: no row in it can be read.
    #[error("header that cannot be read")]
    NoHeader,
    /// More fields than columns, or so few that a mapped one is missing.
    #[error("row of {fields} fields under a header of {columns}")]
    RaggedRow {
        /// Fields of the row.
        fields: usize,
        /// Columns of the header.
        columns: usize,
    },
    /// A row with text behind a closing quote; where it would span lines, its first line alone.
    #[error("text behind a closing quote")]
    TextBehindQuote,
    /// A quote is open for more than 1,000 lines or 16 MiB; the row is its first line alone.
    #[error("quote still open after 1,000 lines or 16 MiB")]
    QuoteNotClosed,
    /// A quote is open where the file ends; the row is the rest of the file.
    #[error("quote still open at the end of the file")]
    RowUnfinished,
    /// The time field is absent, null or empty.
    #[error("no time")]
    NoTime,
    /// The time field cannot be read, or lies outside the years 1678 to 2261.
    #[error("bad time {0:?}")]
    BadTime(String),
    /// The page field is absent, null or empty.
    #[error("no page")]
    NoPage,
    /// The page field is an array or an object.
    #[error("page of wrong type")]
    PageWrongType,
    /// The user field is an array or an object.
    #[error("user of wrong type")]
    UserWrongType,
    /// The id field is an array or an object.
    #[error("id of wrong type")]
    IdWrongType,
    /// A value is mapped, and absent, null or empty.
    #[error("no value")]
    NoValue,
    /// The value is no decimal with at most six fraction digits, or does not fit.
    #[error("bad value {0:?}")]
    BadValue(String),
    /// The explicit offset is no whole number from 0.
    #[error("bad offset {0:?}")]
    BadOffset(String),
    /// A mapped string holds an escape that is no character.
    #[error("bad string: {0}")]
    BadString(String),
    /// A compressed file cannot be decoded from here on; the whole rest is this one record.
    #[error("unfinished or damaged gzip: {0}")]
    DamagedGzip(String),
}

impl From<RowFault> for ParseIssue {
    fn from(fault: RowFault) -> ParseIssue {
        match fault {
            RowFault::TextBehindQuote => ParseIssue::TextBehindQuote,
            RowFault::NotClosed => ParseIssue::QuoteNotClosed,
            RowFault::Unfinished => ParseIssue::RowUnfinished,
        }
    }
}

/// A piece of a line for a reason: short, however long the line.
pub(crate) fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTE_CHARS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// One malformed record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Path of the segment, relative to the log.
    pub file: Arc<str>,
    /// Line in it, from 1.
    pub line: u64,
    /// Why.
    pub reason: ParseIssue,
}

/// Malformed records in the order in which they were found, the list capped at [`MAX_ISSUES`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueLog {
    listed: Vec<Issue>,
    total: u64,
}

impl IssueLog {
    /// The first [`MAX_ISSUES`].
    pub fn listed(&self) -> &[Issue] {
        &self.listed
    }

    /// How many there are in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Takes note of one.
    pub fn push(&mut self, issue: Issue) {
        self.total += 1;
        if self.listed.len() < MAX_ISSUES {
            self.listed.push(issue);
        }
    }

    /// Appends those of a later part of the log.
    pub fn append(&mut self, other: &IssueLog) {
        let room = MAX_ISSUES - self.listed.len().min(MAX_ISSUES);
        self.listed.extend(other.listed.iter().take(room).cloned());
        self.total += other.total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_capped_and_the_count_is_not() {
        let mut log = IssueLog::default();
        for line in 0..MAX_ISSUES as u64 + 5 {
            log.push(Issue { file: "a".into(), line, reason: ParseIssue::NoTime });
        }
        let mut both = log.clone();
        both.append(&log);
        assert_eq!((both.listed().len(), both.total()), (MAX_ISSUES, 2 * MAX_ISSUES as u64 + 10));
        assert_eq!(quote(&"x".repeat(500)).len(), QUOTE_CHARS + 3);
        assert_eq!(ParseIssue::BadTime("x".into()).to_string(), "bad time \"x\"");
    }
}
