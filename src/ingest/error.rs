//! What can go wrong with a log as a whole. A malformed line is no error: see [`super::ParseIssue`].

use std::{io, path::PathBuf};

use super::{IdentityMismatch, InputFormat};

/// Why a log cannot be opened, understood or read on.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused.
    #[error("cannot {action} {path:?}: {cause}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// It is not (any more) the log that a run or a checkpoint names.
    #[error(transparent)]
    Changed(Box<IdentityMismatch>),
    /// A symbolic link leads out of the log.
    #[error("symbolic link {link:?} leads out of the log, to {target:?}")]
    LinkOutside {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A path that is not text cannot name a partition or a segment.
    #[error("file name is not valid UTF-8: {0:?}")]
    NameNotText(PathBuf),
    /// There is nothing to read.
    #[error("no log files in {0:?}")]
    NoSegments(PathBuf),
    /// More partitions than positions can address.
    #[error("more than 65535 partitions: {0}")]
    TooManyPartitions(usize),
    /// An option of the mapping has a value that it cannot have.
    #[error("--{option}: {cause}: {value:?}")]
    BadOption {
        /// Name on the command line, without dashes.
        option: String,
        /// What is wrong.
        cause: String,
        /// What was given.
        value: String,
    },
    /// Files of one log in different formats.
    #[error(
        "two formats in one log: {first_format} in {first:?}, {second_format} in {second:?} (give --input-format, or a \
         part of the log)"
    )]
    MixedFormats {
        /// Path of a file relative to the log.
        first: String,
        /// Its format.
        first_format: InputFormat,
        /// Path of another.
        second: String,
        /// Its format.
        second_format: InputFormat,
    },
    /// A field was neither given nor recognised.
    #[error("cannot guess the {role} field in {log:?} (give --{role}); fields seen: {fields:?}")]
    CannotGuess {
        /// Which field: `page` or `time`.
        role: &'static str,
        /// The log.
        log: PathBuf,
        /// Names of the fields in the sampled records, joined by commas.
        fields: String,
    },
    /// The sampled lines hold no record that can be read.
    #[error("no {what} among the first {lines} lines of {log:?}")]
    NoRecords {
        /// What was looked for.
        what: &'static str,
        /// The log.
        log: PathBuf,
        /// Lines sampled.
        lines: usize,
    },
    /// A cut or position that cannot be read.
    #[error("bad offsets ({cause}): {text:?}")]
    BadOffsets {
        /// What is wrong.
        cause: String,
        /// What was given.
        text: String,
    },
    /// A saved position does not fit the log.
    #[error("saved position does not fit the log ({cause}): {partition:?}")]
    BadPosition {
        /// The partition.
        partition: String,
        /// What is wrong.
        cause: String,
    },
    /// A worker thread ended without a result.
    #[error("reader thread failed: {0:?}")]
    Worker(String),
}

impl LogError {
    /// An I/O error with what was tried.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, cause: io::Error) -> LogError {
        LogError::Io { action, path: path.into(), cause }
    }

    /// A mapping option with a bad value.
    pub(crate) fn option(option: &str, cause: impl Into<String>, value: &str) -> LogError {
        LogError::BadOption { option: option.to_owned(), cause: cause.into(), value: value.to_owned() }
    }
}
