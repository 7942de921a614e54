//! The two processors as their lane sees them.

use super::{
    driver::Slot,
    fault::Armed,
    jobs::{BatchJob, Notice, StreamJob},
    protocol::{CrashTarget, Generation},
    rng::RandomStream,
    scenario::{PlannedFault, RunSettings},
};
use crate::{
    checkpoint::{CrashPoint, DiskStats},
    domain::{EventTime, RangeCounts, Watermarks},
    serving::Numbers,
};

/// Where the stream processor of a lane stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum StreamPhase {
    /// Not started yet.
    #[default]
    Ready,
    /// Alive; reads again below `replay_to`, where that is above its position.
    Alive,
    /// Gone.
    Crashed { point: CrashPoint, position: u64 },
}

/// The stream processor as its lane sees it.
#[derive(Debug)]
pub(super) struct StreamSide {
    pub slot: Slot<StreamJob>,
    pub phase: StreamPhase,
    pub generation: Generation,
    pub number: u64,
    pub memory: Numbers,
    pub progress: Progress,
    /// Records that it had counted when it crashed last.
    pub crash_position: u64,
    /// Records that totals which never went back would hold beside the memory; a publication overrides what it covers.
    pub beside: RangeCounts,
    pub replay: Option<Replay>,
    pub notices: Vec<Notice>,
    pub credit: u64,
    pub draws: RandomStream,
    pub reads: u64,
    pub micros: u64,
    pub disk_before: DiskStats,
    pub disk: DiskStats,
    /// First record that the restored state held.
    pub held_from: u64,
    /// How many records the restored state had counted: its position, where that was saved with it.
    pub held_to: u64,
    pub crashed_at_tick: u64,
    pub crashes: u64,
    /// Crashes that wait, in every incarnation until they come up.
    pub armed: Vec<Armed>,
}

/// How far event time has come in the memory of the stream processor.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    pub watermarks: Watermarks,
    pub watermark: Option<EventTime>,
    pub late_dropped: u64,
}

/// What is being read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replay {
    pub from: u64,
    pub to: u64,
    /// Whether the state was compared with a run that never crashed, and what came out.
    pub same: Option<bool>,
}

/// The batch processor as its lane sees it.
#[derive(Debug)]
pub(super) struct BatchSide {
    pub slot: Slot<BatchJob>,
    pub cut: u64,
    pub done: u64,
    pub next_at: u64,
    pub credit: u64,
    pub draws: RandomStream,
    pub runs: u32,
    pub covers: u64,
    pub crash_asked: bool,
    /// Cut and tick of a crashed run that will be run again.
    pub rerun: Option<(u64, u64)>,
    pub reads: u64,
    pub micros: u64,
    /// Records at which a run crashes, each once.
    pub armed: Vec<u64>,
    pub published_at_tick: u64,
}

impl StreamSide {
    pub fn new<'a>(seed: u64, faults: impl Iterator<Item = &'a PlannedFault>) -> Self {
        let armed = faults.filter(|fault| fault.target != CrashTarget::Batch);
        StreamSide {
            slot: Slot::new("stream-worker"),
            phase: StreamPhase::Ready,
            generation: Generation(0),
            number: 0,
            memory: Numbers::default(),
            progress: Progress::default(),
            crash_position: 0,
            beside: RangeCounts::new(),
            replay: None,
            notices: Vec::new(),
            credit: 0,
            draws: RandomStream::new(seed, "stream capacity"),
            reads: 0,
            micros: 0,
            disk_before: DiskStats::default(),
            disk: DiskStats::default(),
            held_from: 0,
            held_to: 0,
            crashed_at_tick: 0,
            crashes: 0,
            armed: armed.map(|fault| Armed { point: fault.point, record: fault.record }).collect(),
        }
    }
}

impl BatchSide {
    pub fn new<'a>(settings: RunSettings, faults: impl Iterator<Item = &'a PlannedFault>) -> Self {
        let armed = faults.filter(|fault| fault.target != CrashTarget::Stream);
        BatchSide {
            slot: Slot::new("batch-worker"),
            cut: 0,
            done: 0,
            next_at: settings.batch_every_records.max(1),
            credit: 0,
            draws: RandomStream::new(settings.seed, "batch capacity"),
            runs: 0,
            covers: 0,
            crash_asked: false,
            rerun: None,
            reads: 0,
            micros: 0,
            armed: armed.map(|fault| fault.record).collect(),
            published_at_tick: 0,
        }
    }
}

/// Adds one tick's worth of capacity to a credit (in hundredths of a record): between half and one and a half times
/// the capacity, so that workers interleave differently under every seed.
pub(super) fn draw(draws: &mut RandomStream, credit: u64, capacity: u64, most: u64) -> u64 {
    (credit + capacity / 2 + draws.below(capacity + 1)).min(most)
}
