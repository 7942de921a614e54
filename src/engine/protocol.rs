//! The only types that the window and the engine share: commands down, events and answers up.
//!
//! Plain data. Every message names the run and, where it has one, the lane that it belongs to.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    checkpoint::{CrashPoint, GuaranteeId},
    domain::CanonicalRow,
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
    /// Goes back (or on) to this tick by playing the same commands again.
    GoTo(Tick),
    /// A recorded command to one lane.
    Lane(LaneId, LaneCommand),
    /// Writes the run as a scenario.
    SaveScenario(PathBuf),
    /// Writes a view as CSV or JSON by the file's extension.
    ExportView(LaneId, ViewKind, PathBuf),
    /// Asks for a page of something large; the answer carries the same number.
    Ask(u64, Query),
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
    /// Writes a checkpoint after the current micro-batch.
    Checkpoint,
    /// Starts a batch run now, over what has arrived.
    BatchNow,
    /// Starts a batch run now, with its cut at this record.
    BatchAt(u64),
}

/// Which of a lane's views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ViewKind {
    /// Published by the last batch run.
    Batch,
    /// Served by the speed layer, since the last batch run.
    Speed,
    /// Batch and speed merged.
    #[default]
    Merged,
    /// A full recount of the log up to where merged stands.
    Recount,
}

/// A question about something too large for a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Records by number in delivery order.
    Records {
        /// First record.
        first: u64,
        /// How many, at most 1,000.
        count: u32,
    },
    /// Malformed lines, in the order in which they were found.
    Malformed {
        /// First to show.
        first: u64,
        /// How many.
        count: u32,
    },
    /// Rows of a view, sorted by page, then day.
    Rows {
        /// Of which lane.
        lane: LaneId,
        /// Which view.
        view: ViewKind,
        /// First row.
        first: u64,
        /// How many.
        count: u32,
    },
    /// What a checkpoint file holds.
    CheckpointContents {
        /// Of which lane.
        lane: LaneId,
        /// Which checkpoint.
        id: CheckpointId,
    },
    /// Runs kept in the state directory.
    Runs,
}

/// What comes back for a [`Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records with the raw line.
    Records(Vec<RecordLine>),
    /// Malformed lines, and how many there are in all (the list is capped).
    Malformed {
        /// The lines asked for.
        lines: Vec<IssueLine>,
        /// How many the whole log has.
        total: u64,
    },
    /// Rows of a view, and how many there are in all.
    Rows {
        /// The rows asked for.
        rows: Vec<CanonicalRow>,
        /// How many the view has.
        total: u64,
    },
    /// Section name, bytes, and its content in words.
    CheckpointContents(Vec<(String, u64, String)>),
    /// Kept runs, newest first.
    Runs(Vec<KeptRun>),
    /// The question cannot be answered (any more); why.
    Nothing(String),
}

/// One record as the log browser shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordLine {
    /// 0-based number in delivery order.
    pub number: u64,
    /// Partition name.
    pub partition: String,
    /// Offset in its partition.
    pub offset: u64,
    /// File, relative to the log.
    pub file: String,
    /// 1-based line in the file.
    pub line: u64,
    /// The line itself, cut at 4 KiB.
    pub text: String,
    /// What became of it, in words.
    pub fate: String,
    /// How often the stream has read it.
    pub read: u32,
    /// How often it counts in merged.
    pub counted: u32,
}

/// One malformed line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueLine {
    /// File, relative to the log.
    pub file: String,
    /// 1-based line.
    pub line: u64,
    /// Why no event could be read from it.
    pub reason: String,
}

/// A run kept in the state directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptRun {
    /// Its directory's name.
    pub name: String,
    /// The log it played.
    pub log: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// The last tick in its journal.
    pub last_tick: u64,
    /// Whether it ended by itself or by the person; if not, it was interrupted.
    pub ended: bool,
}

/// What the engine tells. Lifecycle only, never dropped; numbers come in frames.
#[derive(Debug, Clone, PartialEq)]
pub enum EngineEvent {
    /// A log is being opened.
    Opening {
        /// The run that it will be.
        run: RunId,
        /// What was asked for.
        path: PathBuf,
    },
    /// The log is open: its partitions and mapping are known, records are being loaded.
    Opened {
        /// The run.
        run: RunId,
        /// What is known of it.
        summary: Arc<LogSummary>,
    },
    /// The log (or scenario) could not be opened or read on.
    OpenFailed {
        /// The run that it would have been.
        run: RunId,
        /// What and why, for a person.
        message: String,
    },
    /// Something happened in a lane.
    Happened {
        /// In which run.
        run: RunId,
        /// In which lane.
        lane: LaneId,
        /// When.
        tick: Tick,
        /// What.
        fact: Fact,
    },
    /// A file was written for the person.
    Saved(PathBuf),
    /// Something that was asked for could not be done.
    Failed {
        /// What was asked for.
        what: String,
        /// Why it failed.
        why: String,
    },
    /// Answer to the [`Command::Ask`] with the same number.
    Answered(u64, Answer),
}

/// What the window shows of an open log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSummary {
    /// Its path as opened.
    pub path: PathBuf,
    /// Name of the scenario, if one was opened.
    pub scenario: Option<String>,
    /// Sentence of the scenario, if it has one.
    pub story: Option<String>,
    /// Partition names in order.
    pub partitions: Vec<String>,
    /// `page=url user=host time=time (epoch-s)`.
    pub mapping: String,
    /// Whether a user field is mapped.
    pub has_users: bool,
    /// Whether a value field is mapped.
    pub has_values: bool,
    /// Day zone, as on the command line.
    pub zone: String,
    /// What is saved when, and how output is written.
    pub guarantee: GuaranteeId,
    /// The command line that computes the same batch view.
    pub batch_command: String,
}

/// A lifecycle fact of a lane. Positions are record numbers in delivery order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// Nothing has been processed yet.
    Started,
    /// A batch run took its cut.
    BatchStarted {
        /// Records below its cut.
        cut: u64,
    },
    /// A batch run published its view.
    BatchPublished {
        /// Records below its cut.
        cut: u64,
        /// Fingerprint of the view.
        fingerprint: String,
    },
    /// A batch run was ended by a crash; it published nothing and will be run again.
    BatchCrashed {
        /// Records below its cut.
        cut: u64,
        /// How far it was.
        done: u64,
    },
    /// A checkpoint is on disk.
    CheckpointWritten {
        /// Its number.
        id: CheckpointId,
        /// All records before it, none after it.
        position: u64,
        /// Size of the file.
        bytes: u64,
    },
    /// The stream processor is gone.
    StreamCrashed {
        /// Where in the micro-batch.
        point: CrashPoint,
        /// Records that it had counted.
        position: u64,
        /// The newest checkpoint on disk.
        checkpoint: Option<(CheckpointId, u64)>,
        /// Records that the last published batch view covers.
        batch_covers: u64,
    },
    /// The stream processor was started again.
    Restored {
        /// From which checkpoint; `None`: from record 0.
        checkpoint: Option<CheckpointId>,
        /// Where it goes on.
        position: u64,
        /// Up to where it reads again what was read before.
        replay_to: u64,
        /// Checkpoints that were refused, with the reason.
        refused: Vec<(String, String)>,
        /// Records below the batch cut that the checkpoint still held and the restore dropped.
        dropped_below_batch: u64,
    },
    /// No checkpoint could be restored.
    RestoreRefused {
        /// Each file with its reason.
        refused: Vec<(String, String)>,
    },
    /// Everything read before the crash has been read again.
    ReplayFinished {
        /// First record read again.
        from: u64,
        /// One past the last.
        to: u64,
        /// Page views of merged now.
        merged_views: u64,
        /// Page views of a full recount of the same records.
        recount_views: u64,
        /// Page views if every read had counted.
        every_read_views: u64,
        /// Whether the state is byte for byte that of a run that never crashed.
        same_as_never_crashed: bool,
    },
    /// The stream has read the whole log.
    StreamFinished {
        /// Its position.
        position: u64,
    },
    /// Stream and batch have both covered the whole log.
    Finished {
        /// Page views of merged.
        merged_views: u64,
        /// Page views of a full recount.
        recount_views: u64,
        /// The run fingerprint: the journal's digest.
        digest: String,
    },
    /// An invariant does not hold.
    InvariantBroken {
        /// Which, e.g. `I3`.
        id: &'static str,
        /// The first counterexample.
        counterexample: String,
    },
}
