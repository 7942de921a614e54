//! L3: what needs records and views at once: why two numbers that should be one are not, down to the record.
//!
//! Pure functions over a [`crate::ingest::LogIndex`] and views; their callers decide on which thread they run. Absent on
//! purpose: files, threads, clocks, the engine.

mod causes;
pub mod reconcile;

pub use causes::{Cause, CauseShare};
