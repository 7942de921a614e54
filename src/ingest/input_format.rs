//! How the records of a log are written.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::lines::Split;

/// The format of a log; `auto` is resolved before a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputFormat {
    /// A JSON object a line.
    #[default]
    Jsonl,
    /// Rows under a header, with commas and quotes (RFC 4180); a quoted field may span lines.
    Csv,
    /// Rows under a header, with tabs; nothing is quoted.
    Tsv,
    /// Common or Combined Log Format, with further fields behind.
    Combined,
}

impl InputFormat {
    /// All formats.
    pub const ALL: [InputFormat; 4] =
        [InputFormat::Jsonl, InputFormat::Csv, InputFormat::Tsv, InputFormat::Combined];

    /// Its name on the command line and in scenarios.
    pub fn id(self) -> &'static str {
        match self {
            InputFormat::Jsonl => "jsonl",
            InputFormat::Csv => "csv",
            InputFormat::Tsv => "tsv",
            InputFormat::Combined => "combined",
        }
    }

    /// What the window calls it.
    pub fn words(self) -> &'static str {
        match self {
            InputFormat::Jsonl => "JSON lines",
            InputFormat::Csv => "CSV, columns named by the first row of each file",
            InputFormat::Tsv => "TSV, columns named by the first row of each file",
            InputFormat::Combined => "access log (Common or Combined Log Format)",
        }
    }

    /// The format of a name.
    pub fn parse(id: &str) -> Option<InputFormat> {
        InputFormat::ALL.into_iter().find(|format| format.id() == id)
    }

    /// Whether it is the format that is taken for granted where none is named: files that name none stay as they are.
    pub fn is_jsonl(&self) -> bool {
        matches!(self, InputFormat::Jsonl)
    }

    /// Whether the first row of every segment names the columns.
    pub(crate) fn has_header(self) -> bool {
        match self {
            InputFormat::Jsonl | InputFormat::Combined => false,
            InputFormat::Csv | InputFormat::Tsv => true,
        }
    }

    /// Where its records end.
    pub(crate) fn split(self) -> Split {
        match self {
            InputFormat::Jsonl | InputFormat::Tsv | InputFormat::Combined => Split::Lines,
            InputFormat::Csv => Split::QuotedRows,
        }
    }

    /// What a record is called where there is none.
    pub(crate) fn record_name(self) -> &'static str {
        match self {
            InputFormat::Jsonl => "JSON object",
            InputFormat::Csv | InputFormat::Tsv => "row under a header",
            InputFormat::Combined => "access log line",
        }
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
