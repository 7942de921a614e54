//! L0: values and arithmetic of derived data.
//!
//! Absent on purpose: I/O, clocks, threads, `serde_json`, egui. Everything here is a pure function of its
//! arguments; ranges are half-open and every position is the next record to read.

mod approximation;
mod classify;
mod day;
mod effects;
mod event;
mod late;
mod names;
mod reading;
mod sketch;
mod view;
mod watermark;
mod zone;

pub use approximation::{
    IDLE_AFTER_RECORDS, Lateness, ParseLatenessError, StreamOptions, StreamRules, Uniques,
};
pub use classify::{Anonymous, Counts, PartitionMemory, Redelivery, Rules, Verdict};
pub(crate) use classify::{classify_in, in_range};
pub(crate) use day::parse_zone;
pub use day::{Day, DayRule, EventTime, ParseZoneError, TZDB_VERSION};
pub use effects::{RangeCounts, Run};
pub(crate) use event::moved_to;
pub use event::{Event, KeyId, Offsets, PartitionIndex, Record, UserId, Value};
pub use late::{LateRecords, LateRun};
pub use names::{NameTable, Names};
pub use reading::{Ids, Reading};
pub use sketch::{Sketch, UnitedUsers};
pub use view::{CanonicalRow, Cell, Fingerprint, FirstOf, Row, ScopeUsers, View, row_hash};
pub use watermark::Watermarks;
pub use zone::ZoneName;
