//! What the engine tells by itself: lifecycle events, and the facts of a lane.

use std::{path::PathBuf, sync::Arc};

use serde::Serialize;

use super::{Answer, CheckpointId, KAPPA, KappaFact, LAMBDA, Lacks, LaneId, OpenRequest, RunId, Tick};
use crate::checkpoint::{CrashPoint, GuaranteeId};

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
    /// The log has grown since the run that is opened was kept: the run is over what was there.
    LogHasMore {
        /// The run.
        run: RunId,
        /// Records that it is over.
        records: u64,
    },
    /// The log (or scenario) could not be opened or read on.
    OpenFailed {
        /// The run that it would have been.
        run: RunId,
        /// Log or scenario.
        path: PathBuf,
        /// What and why, for a person.
        message: String,
        /// What a person can add to the request.
        lacks: Lacks,
    },
    /// Another log (or scenario) could not be opened; the one that is open stays so.
    OpenRefused {
        /// What was asked for.
        request: OpenRequest,
        /// What and why, for a person.
        message: String,
        /// What a person can add to the request.
        lacks: Lacks,
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
    /// Answer to the [`super::Command::Ask`] with the same number.
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
    /// How its records are written, in words.
    pub format: String,
    /// `page=url user=host time=time (epoch-s)`.
    pub mapping: String,
    /// Whether a user field is mapped.
    pub has_users: bool,
    /// Whether a value field is mapped.
    pub has_values: bool,
    /// Day zone, as on the command line.
    pub zone: String,
    /// The log's own path, where a scenario was opened too.
    pub log: PathBuf,
    /// The mapping as options by their command-line names without dashes; what is usual is left out.
    pub mapping_options: Vec<(String, String)>,
    /// What is saved when, and how output is written.
    pub guarantee: GuaranteeId,
    /// The command line that computes the same batch view.
    pub batch_command: String,
    /// The command line of a stream processor over the same lines, without the settings of the run.
    pub stream_command: String,
}

/// Nothing late leaves no trace in a journal: it is that of an exact run.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
pub(super) fn is_none(records: &u64) -> bool {
    *records == 0
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
        /// Late records that the stream had dropped and that it counts.
        #[serde(skip_serializing_if = "is_none")]
        late_counted: u64,
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
        /// Late records that are missing from merged.
        #[serde(skip_serializing_if = "is_none")]
        late_missing: u64,
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
    /// Something happened in the Kappa lane.
    Kappa(KappaFact),
    /// An invariant does not hold.
    InvariantBroken {
        /// Which, e.g. `I3`.
        id: &'static str,
        /// The first counterexample.
        counterexample: String,
    },
}

impl Fact {
    /// The lane that it happened in.
    pub fn lane(&self) -> LaneId {
        match self {
            Fact::Kappa(_) => KAPPA,
            Fact::Started
            | Fact::BatchStarted { .. }
            | Fact::BatchPublished { .. }
            | Fact::BatchCrashed { .. }
            | Fact::CheckpointWritten { .. }
            | Fact::StreamCrashed { .. }
            | Fact::Restored { .. }
            | Fact::RestoreRefused { .. }
            | Fact::ReplayFinished { .. }
            | Fact::StreamFinished { .. }
            | Fact::Finished { .. }
            | Fact::InvariantBroken { .. } => LAMBDA,
        }
    }
}
