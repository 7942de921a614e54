//! What a stream processor is told and what it tells: settings, work done, why it could not.

use std::io;

use crate::{
    checkpoint::{CrashPoint, Guarantee, NothingRead, Refused, SinkSums},
    domain::{LateRun, Offsets, PartitionIndex, Run, StreamRules},
    ingest::LogError,
    serving::Change,
};

/// How a stream processor works.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Records a micro-batch.
    pub micro_batch: u64,
    /// A checkpoint each time that the position passes a multiple of this many records.
    pub checkpoint_every: u64,
    /// Checkpoints kept.
    pub retain: usize,
    /// What is saved when, and how output is written.
    pub guarantee: &'static dyn Guarantee,
    /// Hash of all settings that decide results.
    pub settings_hash: u128,
    /// What counts and how, before the guarantee has its say on verdicts.
    pub rules: StreamRules,
    /// Whether a value is mapped, so that readers of the sink are shown sums.
    pub sums: SinkSums,
}

/// Which checkpoint to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The newest that can be restored.
    Newest,
    /// This one, or nothing.
    Number(u64),
    /// None: old files are set aside and everything is read again.
    FromStart,
}

/// Why a stream processor could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There are checkpoints and none can be used.
    #[error("no checkpoint can be restored: {}", reasons(.0))]
    AllRefused(Vec<Refused>),
    /// The disk failed.
    #[error("cannot use the checkpoint directory: {0}")]
    Disk(#[from] io::Error),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Why a micro-batch did not end well.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// A requested crash: the memory is gone.
    #[error("crashed at {0}")]
    Crashed(CrashPoint),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The disk failed.
    #[error("cannot write to the checkpoint directory: {0}")]
    Disk(#[from] io::Error),
    /// R1.
    #[error(transparent)]
    NothingRead(#[from] NothingRead),
}

/// A checkpoint that was just written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub id: u64,
    /// All records before it, none after it.
    pub position: u64,
    /// Size of the file.
    pub bytes: u64,
    /// How long it took, measured.
    pub micros: u64,
}

/// What micro-batches did, added up until it is taken.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Ranges of record numbers read, in order.
    pub read: Vec<(u64, u64)>,
    /// Records that counted and were emitted, by partition, as ranges of offsets.
    pub counted: Vec<(usize, Run)>,
    /// Records that were dropped as late, up to the same position.
    pub late: Vec<(PartitionIndex, LateRun)>,
    /// Position up to which everything was emitted; behind the memory's when a crash came in between.
    pub emitted: Option<Offsets>,
    /// Changed rows, where they are collected for a serving layer in this process.
    pub changes: Vec<Change>,
    /// Checkpoints written.
    pub written: Vec<Written>,
}

/// How the processor started.
#[derive(Debug, Clone, Default)]
pub struct Resumed {
    /// Number and position of the restored checkpoint; `None` at record 0.
    pub from: Option<(u64, u64)>,
    /// Checkpoints that were there and were not used.
    pub refused: Vec<Refused>,
    /// Whether the sink had to be written anew from the state.
    pub sink_rebuilt: bool,
    /// One past the highest record that any earlier incarnation read.
    pub read_before: u64,
}

fn reasons(refused: &[Refused]) -> String {
    let all: Vec<String> = refused.iter().map(|one| format!("\"{}\": {}", one.file, one.reason)).collect();
    all.join("; ")
}
