//! L3: what needs records and views at once: why two numbers that should be one are not, down to the record.
//!
//! Pure functions over a [`crate::ingest::LogIndex`] and views; their callers decide on which thread they run. Absent on
//! purpose: files, threads, clocks, the engine.

mod account;
mod causes;
mod differences;
mod distinct;
mod event_tiles;
mod event_time;
mod lineage;
mod numbers_of;
pub mod reconcile;
mod scan;
#[cfg(test)]
mod testing;

pub use causes::{Cause, CauseShare};
pub use differences::{
    Actual, GroupDifference, Grouping, Part, Scope, Side, Uniques, actual_of, causes_of, differences,
};
pub use event_tiles::{CloseUp, LateBits, MOST_NEAR_DOTS, NEAR_COLUMNS, NEAR_ROWS, Window, close_up};
pub use event_time::{
    Cloud, DayBand, Dot, EventTimes, Judging, LateDot, MOST_DOTS, TILE_COLUMNS, TILE_ROWS, Tile,
    WatermarkStep, event_times,
};
pub use lineage::{Books, Fate, FateTally, Found, Layer, Ledger, Reader, Taken, find, tally};
pub use numbers_of::{Follow, Touch, Touched, numbers_of};
pub use scan::{Scanned, find_pages, scan_log};
