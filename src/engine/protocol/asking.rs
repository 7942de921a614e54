//! A question to the serving layer: one page, a few days; and what the same would cost without views.

use super::{super::frame::Totals, Tick};
use crate::domain::Day;

/// Most days that a question spans.
pub const MOST_DAYS: i32 = 10_000;

/// A number in two parts: what the batch view says is final, the rest comes from the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// From the batch view.
    pub final_totals: Totals,
    /// Batch and speed united.
    pub merged: Totals,
}

/// One day of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedDay {
    /// Which.
    pub day: Day,
    /// What it has.
    pub parts: Parts,
}

/// What the serving layer answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// When it was read.
    pub tick: Tick,
    /// Whether the log has a page of this name.
    pub is_known: bool,
    /// Over all days asked for; users united.
    pub parts: Parts,
    /// Days with something in them, in order.
    pub days: Vec<AskedDay>,
    /// Cells of the batch view that were read.
    pub batch_cells: u64,
    /// Cells of the speed view that were read.
    pub speed_cells: u64,
    /// Records that the batch view covers.
    pub batch_covers: u64,
    /// Records that merged covers.
    pub covers: u64,
    /// Records that had arrived.
    pub arrived: u64,
    /// Whether the stream was down, or read again what it had read before.
    pub is_stale: bool,
    /// Records that both layers have read so far to keep their views, repeated reads included.
    pub write_reads: u64,
    /// How long reading the cells took, measured, in nanoseconds.
    pub read_nanos: u64,
    /// Records that a scan of the raw log looks at.
    pub scan_records: u64,
    /// What it counts.
    pub scan: Totals,
    /// How long it took over the log in memory (nothing read from files, nothing parsed), measured, in nanoseconds.
    pub scan_nanos: u64,
}
