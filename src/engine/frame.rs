//! Immutable read models for the window: one [`Frame`] per picture, already thinned, ready to draw.

use std::{ops::Range, sync::Arc};

mod kappa;

pub use kappa::{
    Construction, KappaFrame, KappaPoint, Known, Role, RuleChange, VersionFrame, VersionGroup, VersionMark,
    VersionMarkKind, VersionPoint, VersionState, VersionTrack,
};

use super::protocol::{CheckpointId, Generation, Knobs, LaneId, RunId, RunSettings, Tick};
use crate::{
    checkpoint::CrashPoint,
    domain::{Day, EventTime, Lateness, Run, Uniques},
};

/// Most points that a series hands to the window.
pub const MAX_SERIES_POINTS: usize = 2_000;

/// Page views, distinct users and sum of values of one view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Number of events.
    pub views: u64,
    /// Distinct users (united, never added).
    pub users: u64,
    /// Sum of values in millionths.
    pub sum: i128,
}

/// Whether run time flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// It stands.
    #[default]
    Paused,
    /// It flows at the chosen pace.
    Playing,
    /// It runs as fast as possible to a stop.
    Advancing,
    /// Everything has been processed.
    Finished,
}

/// How loading the log stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loading {
    /// Records read so far.
    pub records: u64,
    /// Of them, lines from which no event could be read.
    pub malformed: u64,
    /// Of them, records without a user (where one is mapped).
    pub missing_user: u64,
    /// Bytes read so far (of the files as stored).
    pub bytes: u64,
    /// Bytes of all files as stored.
    pub bytes_total: u64,
    /// Whether the end was reached or loading was cancelled.
    pub complete: bool,
    /// Whether it was cancelled before the end.
    pub cancelled: bool,
}

/// What the window draws. Cheap to clone by `Arc`; nothing in it changes any more.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Which run.
    pub run: RunId,
    /// Now, in run time.
    pub tick: Tick,
    /// Whether run time flows.
    pub flow: Flow,
    /// Wall speed in per cent.
    pub pace_percent: u32,
    /// How loading stands.
    pub loading: Loading,
    /// Lanes, at least one once a log is open.
    pub lanes: Vec<Arc<LaneFrame>>,
    /// The Kappa lane, once it was asked for.
    pub kappa: Option<Arc<KappaFrame>>,
}

/// State of the stream processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamState {
    /// Has read nothing yet.
    #[default]
    Ready,
    /// Reads new records.
    Running,
    /// Gone with its memory.
    Crashed {
        /// Where in the micro-batch.
        point: CrashPoint,
        /// Records that it had counted.
        position: u64,
        /// The newest checkpoint on disk and its position.
        checkpoint: Option<(CheckpointId, u64)>,
    },
    /// Reads again what was read before.
    Recovering {
        /// First record read again.
        from: u64,
        /// One past the last record to read again.
        to: u64,
    },
    /// Has read the whole log.
    Finished,
}

/// State of the batch processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BatchState {
    /// Waits for the next run.
    #[default]
    Waiting,
    /// Folds the log from record 0 up to its cut.
    Running {
        /// Records below its cut.
        cut: u64,
        /// Records folded so far.
        done: u64,
    },
    /// The last run was ended by a crash; it will be run again.
    Crashed,
}

/// One lane at one moment.
#[derive(Debug, Clone, Default)]
pub struct LaneFrame {
    /// Which lane.
    pub lane: LaneId,
    /// What the run was started with.
    pub settings: RunSettings,
    /// The intervals of them that trade freshness against cost.
    pub knobs: Knobs,
    /// Arrivals in records a second of simulated time.
    pub rate: u64,
    /// Records that have arrived so far.
    pub arrived: u64,
    /// Records that the loaded log has.
    pub log_records: u64,
    /// Stream processor.
    pub stream: StreamState,
    /// Attempt number of the stream processor.
    pub generation: Generation,
    /// Records that its memory has counted (0 when crashed).
    pub position: u64,
    /// Records up to which the served speed view goes.
    pub served_position: u64,
    /// Whether the served speed view is older than the memory (crashed, or replaying).
    pub stale: bool,
    /// Batch processor.
    pub batch: BatchState,
    /// Records that the published batch view covers.
    pub batch_covers: u64,
    /// Batch runs published so far.
    pub batch_runs: u32,
    /// The batch view.
    pub batch_totals: Totals,
    /// The speed state in memory; `None` when crashed.
    pub memory_totals: Option<Totals>,
    /// The served speed view.
    pub speed_totals: Totals,
    /// The merged view.
    pub merged_totals: Totals,
    /// A full recount of the records that merged covers.
    pub recount_totals: Totals,
    /// A full recount of everything that has arrived.
    pub arrived_totals: Totals,
    /// A full recount of the whole loaded log.
    pub log_totals: Totals,
    /// Fingerprint of merged and of the recount, where they were compared at this moment.
    pub fingerprints: Option<(String, String)>,
    /// Over run time, thinned to [`MAX_SERIES_POINTS`].
    pub series: Arc<[Point]>,
    /// Full recount of the log over the run time at which its records arrive, whole log, ahead of now too.
    pub outline: Arc<[OutlinePoint]>,
    /// What happened, in order.
    pub marks: Arc<[Mark]>,
    /// Down times and replays.
    pub bands: Arc<[Band]>,
    /// Top pages and, last, the rest.
    pub by_page: Arc<[GroupRow]>,
    /// Days in order.
    pub by_day: Arc<[GroupRow]>,
    /// What the proof strip shows.
    pub proof: Arc<Proof>,
    /// Checkpoints on disk, newest first.
    pub checkpoints: Arc<[CheckpointInfo]>,
    /// I1-I5 and what became of each record.
    pub invariants: Arc<[InvariantStatus]>,
    /// Cost and speed of the batch layer.
    pub batch_cost: Cost,
    /// Cost and speed of the stream layer.
    pub stream_cost: Cost,
    /// How far event time has come, and what is approximate.
    pub approximation: Approximation,
}

/// What makes the numbers of the stream approximate, and how much of it there is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approximation {
    /// How late a record may be and still count.
    pub lateness: Lateness,
    /// How the stream counts distinct users.
    pub uniques: Uniques,
    /// Event time up to which the stream takes days for complete; `None` while a partition was not read at all.
    pub watermark: Option<EventTime>,
    /// By partition, in order.
    pub watermarks: Arc<[PartitionWatermark]>,
    /// Late records that are missing from merged now.
    pub late_missing: u64,
    /// Late records that the stream has dropped so far, whether or not batch has counted them since.
    pub late_dropped: u64,
}

/// How far event time has come in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionWatermark {
    /// Its name.
    pub partition: String,
    /// Largest event time read.
    pub time: Option<EventTime>,
    /// Whether it holds the combined watermark back.
    pub hold: Hold,
}

/// Whether a partition holds the combined watermark back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hold {
    /// It does, or would.
    #[default]
    Active,
    /// It was not read for so long that it does not.
    Idle,
    /// All of it was read.
    Finished,
}

impl LaneFrame {
    /// Records that have arrived and that the stream has not counted: in its memory, or, while it is down, in what it
    /// last emitted.
    pub fn lag_records(&self) -> u64 {
        let counted = if self.memory_totals.is_some() { self.position } else { self.served_position };
        self.arrived.saturating_sub(counted)
    }
}

/// All series at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Point {
    /// When.
    pub tick: u64,
    /// Batch view.
    pub batch: Totals,
    /// Speed state in memory; `None` while crashed.
    pub memory: Option<Totals>,
    /// Served speed view.
    pub speed: Totals,
    /// Merged view.
    pub merged: Totals,
    /// A full recount of the records that merged covers.
    pub recount: Totals,
    /// Speed memory if the totals had not gone back with the position; from a restore to the next publication.
    pub every_read: Option<Totals>,
    /// Whether the served view was older than the memory.
    pub stale: bool,
}

/// A point of the full recount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutlinePoint {
    /// Run time at which record number `records` arrives.
    pub tick: u64,
    /// Number of records arrived.
    pub records: u64,
    /// Their full recount.
    pub totals: Totals,
}

/// What kind of moment a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// A batch run took its cut.
    BatchStarted,
    /// A batch run published.
    BatchPublished,
    /// A batch run crashed.
    BatchCrashed,
    /// A checkpoint was written.
    Checkpoint,
    /// The stream processor crashed.
    StreamCrashed,
    /// It was started again.
    Restored,
    /// Its replay was done.
    ReplayFinished,
}

/// A moment on the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub tick: u64,
    /// What.
    pub kind: MarkKind,
    /// The record number it is about: a cut or a position.
    pub record: u64,
}

/// What kind of span a band is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BandKind {
    /// The stream processor was down.
    Down,
    /// It read again what was read before.
    Replay,
    /// A batch run worked.
    BatchRun,
}

/// A span of run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// First tick.
    pub from: u64,
    /// One past the last tick; now, while it lasts.
    pub to: u64,
    /// What.
    pub kind: BandKind,
}

/// A page or a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupRow {
    /// Page text or date.
    pub label: String,
    /// The page that it is about; `None`: a day, or the rest.
    pub page: Option<String>,
    /// The day that it is about; `None`: a page, or the rest.
    pub day: Option<Day>,
    /// From the batch view.
    pub final_totals: Totals,
    /// Merged view.
    pub merged: Totals,
    /// Full recount of the same records.
    pub recount: Totals,
    /// Full recount of the whole loaded log.
    pub log: Totals,
}

/// The proof strip: how often each record of a range was read and how often it counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// First record shown.
    pub from: u64,
    /// One past the last record shown.
    pub to: u64,
    /// Position of the checkpoint that the strip starts from; none where the stream goes on at the start of the log.
    pub checkpoint: Option<u64>,
    /// Where the processor crashed.
    pub crash: Option<u64>,
    /// How often each record was read (only counts above 0).
    pub read: Vec<Run>,
    /// How often each record counts in merged (in the state, where there is no batch layer).
    pub counted: Vec<Run>,
    /// How often it would count if every read counted.
    pub every_read: Vec<Run>,
    /// Records in the range that do not count (malformed, no user, redelivered, duplicate, late for now).
    pub excluded: u64,
    /// Where the view holds records that do not count.
    pub gaps: Vec<Gap>,
    /// Pieces of a long strip whose records come to several things: how many do is told by the runs and gaps in it, not
    /// where.
    pub mixed: Vec<Range<u64>>,
}

/// Neighbouring records that do not count, for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// First record.
    pub start: u64,
    /// One past the last record.
    pub end: u64,
    /// Why.
    pub kind: GapKind,
}

/// Why a record does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapKind {
    /// It should count.
    Lost,
    /// It cannot: malformed, no user, redelivered, duplicate, or late for now.
    Never,
}

/// A checkpoint on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckpointInfo {
    /// Its number.
    pub id: CheckpointId,
    /// All records before it, none after it.
    pub position: u64,
    /// Size of the file.
    pub bytes: u64,
    /// How long writing and syncing it took, measured, in microseconds.
    pub write_micros: u64,
    /// When it was written.
    pub tick: u64,
    /// Why a restore did not take it, where it was tried.
    pub refused: Option<String>,
}

/// Whether an invariant held so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvariantState {
    /// Not checked yet.
    NotYet,
    /// Held every time.
    Holds {
        /// How often it was checked.
        checks: u64,
    },
    /// Broke, though the guarantee promises it.
    Broken {
        /// The first counterexample.
        counterexample: String,
    },
    /// Broke, and the chosen guarantee does not promise it.
    NotPromised {
        /// How often it broke.
        breaks: u64,
        /// The first counterexample.
        counterexample: String,
    },
}

/// One invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvariantStatus {
    /// `I1` to `I7`, shown on hover.
    pub id: &'static str,
    /// In words.
    pub sentence: &'static str,
    /// How it stands.
    pub state: InvariantState,
}

/// What a layer has cost, and how fast it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Capacity in records a second of simulated time.
    pub capacity: u64,
    /// Records read so far, repeated reads included.
    pub reads: u64,
    /// Distinct records read so far.
    pub records: u64,
    /// Bytes written to disk so far.
    pub bytes_written: u64,
    /// Files synced so far.
    pub fsyncs: u64,
    /// Records a second of simulated time over the last seconds.
    pub simulated_throughput: u64,
    /// Records a second of CPU work, measured (0 while unknown).
    pub measured_throughput: u64,
    /// Ticks by which its view lags behind the newest arrival.
    pub age_ticks: u64,
}
