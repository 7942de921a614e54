//! L1: bytes to events. A log on disk becomes records in delivery order.
//!
//! - [`LogDirectory`] lists partitions and segments; [`Mapping`] says which field is what, given or guessed.
//! - [`FileSource`] hands out records in bounded memory, [`fold_log`] folds them on several threads,
//!   [`LogIndex`] keeps them in columns for the window, and [`IndexSource`] reads those.
//! - [`LogIdentity`] says which log a result belongs to.
//!
//! A record is a JSON line, a row of a table or an access log line ([`InputFormat`]). Readers, positions, identities and
//! the index know records only; what a record's text says is found out in `extract.rs`.
//!
//! Absent on purpose: views, verdict rules (they are the domain's), clocks. A malformed line never stops a load: it
//! is a record without an event, counted, and listed with file, line and reason. Lines that a `--where` condition
//! refuses are no records at all: they have no offset and are counted nowhere.

mod access;
mod chunk;
mod cursor;
mod cut;
mod debug;
mod decode;
mod detect;
mod directory;
mod error;
mod extract;
mod filter;
mod foreign;
mod format;
mod guess;
mod identity;
mod index;
mod index_entries;
mod index_lines;
mod index_names;
mod index_source;
mod input_format;
mod issue;
mod lines;
mod mapping;
mod natural;
mod parallel;
mod raw;
#[cfg(test)]
mod recorded_tests;
mod records;
mod recount;
mod rows;
mod sample;
mod source;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timestamp;

pub use chunk::Totals;
pub use cursor::PartitionCursor;
pub use cut::{CutText, log_end, parse_offsets, resolve_percent};
pub use decode::Decoder;
pub use directory::{LogDirectory, PartitionFiles, Segment};
pub use error::LogError;
pub use foreign::{
    AmountKind, BadRow, Columns, ColumnsText, ForeignError, ForeignRow, ForeignView, MAX_BAD_ROWS,
};
pub(crate) use identity::ChainHash;
pub use identity::{IdentityMismatch, LogIdentity, LogMatch, PartitionIdentity, SegmentIdentity};
pub use index::{LoadEvent, LogIndex, load, load_recorded, spawn_loader, spawn_recorded_loader};
pub use index_entries::Entry;
pub use index_lines::LogLine;
pub use index_names::IndexNames;
pub use index_source::IndexSource;
pub use input_format::InputFormat;
pub use issue::{Issue, IssueLog, MAX_ISSUES, ParseIssue};
pub use lines::MAX_LINE_BYTES;
pub use mapping::{Guesses, Mapping, MappingOptions};
pub use natural::natural_order;
pub use parallel::{FoldOutcome, FoldPart, PartFold, default_threads, fold_log};
pub use raw::{NO_NAME, RawFlags, RawLog, RawRecord, RawSegment};
pub use recount::GroupRecount;
pub use source::{FileSource, RecordSource};
#[cfg(test)]
pub(crate) use testing::{load_guessed, shop_index};
pub use timestamp::{ParsedTime, TimeFormat, UnknownTimeFormat};
