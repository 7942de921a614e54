//! The only types that the window and the engine share: commands down, events and answers up.
//!
//! Plain data. Every message names the run and, where it has one, the lane that it belongs to.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::checkpoint::CrashPoint;

mod asking;
mod facts;
mod handover;
mod kappa;
mod lineage;
mod looking;
mod queries;
mod theirs;

pub use super::scenario::{MOST_RECORDS, RunSettings};
pub use asking::{Asked, AskedDay, MOST_DAYS, Parts};
pub use facts::{EngineEvent, Fact, LogSummary};
pub use handover::{
    BoundaryRule, HandoverAnswer, HandoverBin, HandoverPartition, HandoverPoint, HandoverSetup, MergedUsers,
};
pub use kappa::{
    DayCauses, Duplicates, KappaCommand, KappaFact, KappaMoment, NoUser, VersionCause, VersionDifferences,
    VersionNumber, VersionSettings,
};
pub use lineage::{
    BookView, Cause, CausePart, CellDifference, Fate, Listed, Listing, NumberOf, Pair, PairDifference,
    PairSql, RecordNumbers, SearchKind, TouchedNumber, TouchedView, ViewFates,
};
pub use looking::{
    CloseUp, Cloud, DayBand, Dot, EventTimes, Knobs, LATENESSES, LateDot, LayerPrice, MOST_SWEPT,
    NEAR_COLUMNS, NEAR_ROWS, PointOf, Swept, TILE_COLUMNS, TILE_ROWS, Tile, TilesOf, TradePoint,
    WatermarkStep, Window,
};
pub use queries::{Answer, IssueLine, KeptRun, LateLine, LateOf, Query, RecordLine, ViewKind};
pub use theirs::{
    BetweenLine, CellLine, CompareRequest, Compared, ComparedView, FindingLine, MOST_CELLS, ProofLine,
    ProofOf, RankedLine,
};

/// A run of one log under one set of settings. Opening, restarting and stepping back make new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RunId(pub u64);

/// One pipeline of a run; several can stand side by side over the same log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LaneId(pub u16);

/// Virtual run time. [`TICKS_PER_SECOND`] ticks make a second of simulated time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tick(pub u64);

/// The lane of the textbook's Lambda architecture: batch, speed, merged.
pub const LAMBDA: LaneId = LaneId(0);

/// The lane of the Kappa architecture: versions of one stream view. There once it was asked for.
pub const KAPPA: LaneId = LaneId(1);

/// How many ticks make one second of simulated time.
pub const TICKS_PER_SECOND: u64 = 100;

/// How often the stream processor was started in a run; 1 is the first. "Attempt 2" in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(pub u32);

/// Number of a checkpoint in its directory, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckpointId(pub u64);

/// What a crash hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashTarget {
    /// The stream processor.
    #[default]
    Stream,
    /// The running batch run (nothing happens when none runs).
    Batch,
    /// Both at once.
    Both,
}

/// When a crash happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CrashWhen {
    /// At the end of this tick, between micro-batches.
    Now,
    /// In the micro-batch that contains `record`, at `point`.
    At {
        /// Where in the micro-batch.
        point: CrashPoint,
        /// 0-based number in delivery order.
        record: u64,
    },
}

/// Where an unattended advance stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At this tick.
    Tick(Tick),
    /// When the stream has read up to this record.
    Record(u64),
    /// At the next fact that a story would stop at (publication, crash, restore, end of a replay, end of the run).
    NextMoment,
}

/// What a person or a scenario asks of the engine.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Opens a log or a scenario and stands paused at its start. What was open is closed.
    Open(OpenRequest),
    /// Stops loading; what is there can be played.
    CancelLoading,
    /// Lets run time flow.
    Play,
    /// Stops it.
    Pause,
    /// Advances by this many ticks, then pauses.
    Step(u64),
    /// Advances as fast as possible until the stop, then pauses.
    RunUntil(Until),
    /// Wall speed of run time in per cent of simulated time (100 = as written). Never recorded.
    SetPace(u32),
    /// Returns to the paused start of the same run.
    Restart,
    /// Returns to the paused start of the log under other settings: a new run, which keeps them.
    Resettle(RunSettings),
    /// Goes back (or on) to this tick by playing the same commands again.
    GoTo(Tick),
    /// A recorded command to one lane.
    Lane(LaneId, LaneCommand),
    /// Writes the run as a scenario.
    SaveScenario(PathBuf),
    /// Writes a view as CSV or JSON by the file's extension.
    ExportView(LaneId, ViewKind, PathBuf),
    /// Writes why two views differ, cell by cell, as CSV.
    ExportDifferences(LaneId, Pair, PathBuf),
    /// Asks for a page of something large; the answer carries the same number.
    Ask(u64, Query),
    /// The question with this number needs no answer any more: what takes long ends early.
    Withdraw(u64),
    /// Deletes the kept files of an old run.
    DeleteRun(String),
    /// Plays an interrupted run up to where it was and stands paused there.
    ContinueRun(String),
    /// Ends all workers.
    Shutdown,
}

/// What to open.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpenRequest {
    /// A log directory, a log file or a scenario file.
    pub path: PathBuf,
    /// Mapping options by their command-line names without dashes, e.g. `("page", "url")`; the rest is guessed.
    pub mapping: Vec<(String, String)>,
}

/// What a person can add to a request that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lacks {
    /// Nothing that would help.
    #[default]
    Nothing,
    /// Which field is what.
    Fields,
}

/// A command that changes a lane's results: stamped with its tick and written to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LaneCommand {
    /// Arrivals at this rate from now on, in records a second of simulated time.
    SetRate(u64),
    /// Ends a processor abruptly.
    Crash {
        /// Which.
        target: CrashTarget,
        /// When.
        when: CrashWhen,
    },
    /// Starts the stream processor again from a checkpoint: the newest restorable one, or the named one.
    Restore(Option<CheckpointId>),
    /// Starts the stream processor again from record 0, setting its old files aside.
    RestoreFromStart,
    /// Writes a checkpoint after the current micro-batch; between records where none is there.
    Checkpoint,
    /// Starts a batch run now, over what has arrived.
    BatchNow,
    /// Starts a batch run now, with its cut at this record.
    BatchAt(u64),
    /// To the Kappa lane.
    Kappa(KappaCommand),
}

impl LaneCommand {
    /// The lane that it is for.
    pub fn lane(&self) -> LaneId {
        match self {
            LaneCommand::Kappa(_) => KAPPA,
            LaneCommand::SetRate(_)
            | LaneCommand::Crash { .. }
            | LaneCommand::Restore(_)
            | LaneCommand::RestoreFromStart
            | LaneCommand::Checkpoint
            | LaneCommand::BatchNow
            | LaneCommand::BatchAt(_) => LAMBDA,
        }
    }
}
