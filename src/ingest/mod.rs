//! L1: bytes to events. A log on disk becomes records in delivery order.
//!
//! - [`LogDirectory`] lists partitions and segments; [`Mapping`] says which field is what, given or guessed.
//! - [`FileSource`] hands out records in bounded memory, [`fold_log`] folds them on several threads,
//!   [`LogIndex`] keeps them in columns for the window, and [`IndexSource`] reads those.
//! - [`LogIdentity`] says which log a result belongs to.
//!
//! Absent on purpose: views, verdict rules (they are the domain's), clocks. A malformed line never stops a load: it
//! is a record without an event, counted, and listed with file, line and reason. Lines that a `--where` condition
//! refuses are no records at all: they have no offset and are counted nowhere.

mod cursor;
mod decode;
mod directory;
mod error;
mod filter;
mod format;
mod guess;
mod identity;
mod issue;
mod lines;
mod mapping;
mod natural;
mod source;
mod timestamp;

pub use cursor::PartitionCursor;
pub use decode::Decoder;
pub use directory::{LogDirectory, PartitionFiles, Segment};
pub use error::LogError;
pub(crate) use identity::ChainHash;
pub use identity::{IdentityMismatch, LogIdentity, LogMatch, PartitionIdentity, SegmentIdentity};
pub use issue::{Issue, IssueLog, MAX_ISSUES, ParseIssue};
pub use lines::MAX_LINE_BYTES;
pub use mapping::{Guesses, Mapping, MappingOptions};
pub use natural::natural_order;
pub use source::{FileSource, RecordSource};
pub use timestamp::{ParsedTime, TimeFormat, UnknownTimeFormat};
