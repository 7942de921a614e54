//! Looking at the whole log: event time against arrival, and what freshness costs.

pub use crate::analysis::{
    CloseUp, Cloud, DayBand, Dot, EventTimes, LateDot, NEAR_COLUMNS, NEAR_ROWS, TILE_COLUMNS, TILE_ROWS,
    Tile, WatermarkStep, Window,
};
use crate::domain::Lateness;

/// An hour in nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

/// Allowed lateness to compare: none, an hour, six hours, a day, two days, a week.
pub const LATENESSES: [Lateness; 6] = [
    Lateness::Within(0),
    Lateness::Within(HOUR),
    Lateness::Within(6 * HOUR),
    Lateness::Within(24 * HOUR),
    Lateness::Within(48 * HOUR),
    Lateness::Within(7 * 24 * HOUR),
];

/// A part of the log to look at closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilesOf {
    /// The lateness by which records are late; `None`: the run's own.
    pub lateness: Option<Lateness>,
    /// Which part.
    pub window: Window,
}

/// So many records are played for a point of the trade-off over the beginning of a log (a little fewer: whole chunks of the
/// index).
pub const MOST_SWEPT: u64 = 250_000;

/// How much of a log is played for a point of the trade-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Swept {
    /// The first [`MOST_SWEPT`] records.
    #[default]
    Beginning,
    /// All of it.
    Whole,
}

impl Swept {
    /// How many records of a log of so many.
    pub fn most(self, records: u64) -> u64 {
        match self {
            Swept::Beginning => records.min(MOST_SWEPT),
            Swept::Whole => records,
        }
    }
}

/// A point of the trade-off to be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointOf {
    /// Under these knobs.
    pub knobs: Knobs,
    /// Over so much of the log.
    pub swept: Swept,
}

/// What can be turned to trade freshness against cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Knobs {
    /// Records between batch runs.
    pub batch_every: u64,
    /// Records a micro-batch.
    pub micro_batch: u64,
    /// Records between checkpoints.
    pub checkpoint_every: u64,
}

/// What a layer costs under some knobs, and how stale its view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LayerPrice {
    /// How old its view is on average, in microseconds of simulated time.
    pub mean_age_micros: u64,
    /// How old it gets at most.
    pub most_age_micros: u64,
    /// Arrived records that are not in it on average, in thousandths of a record.
    pub mean_missing_thousandths: u64,
    /// Records read, repeated reads included.
    pub reads: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Files synced.
    pub fsyncs: u64,
    /// CPU time, measured, in microseconds.
    pub micros: u64,
}

/// One play of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradePoint {
    /// Under these knobs.
    pub knobs: Knobs,
    /// How many records were played.
    pub records: u64,
    /// How long that took, measured.
    pub took_millis: u64,
    /// The batch layer.
    pub batch: LayerPrice,
    /// The stream layer.
    pub stream: LayerPrice,
}
