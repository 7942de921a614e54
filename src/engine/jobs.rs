//! What the workers of a lane do in one superstep: bounded work on an order, a report back. They share nothing.

use std::sync::Arc;

use super::{
    clock::Stopwatch,
    fault::Armed,
    lane_sides::Progress,
    recount::each_record,
    worker::{StreamWorker, Work, WorkError},
};
use crate::{
    checkpoint::{CrashPoint, DiskStats},
    domain::{Cell, Offsets, PartitionIndex, RangeCounts, Record, ScopeUsers, Uniques, UnitedUsers, View},
    ingest::{IndexSource, LogIndex, RecordSource},
    processing::{BatchProcessor, BatchView, Refold, StreamState},
    serving::Numbers,
};

/// Something that works in supersteps, on a thread of its own or not.
pub trait Job: Send + 'static {
    /// What it is asked to do.
    type Order: Send;
    /// What it did.
    type Report: Send;
    /// Does it.
    fn step(&mut self, order: Self::Order) -> Self::Report;
    /// Whether the report is its last: its owner drops it, and its memory with it.
    fn is_last(report: &Self::Report) -> bool;
}

/// What a stream processor is told before it reads on.
#[derive(Debug, Clone)]
pub enum Notice {
    /// The log has grown.
    Index(Arc<LogIndex>),
    /// A batch run with this cut has started.
    CutStarted(Offsets),
    /// A batch view with this cut was published.
    Published(Offsets),
    /// Write a checkpoint after the next micro-batch, or at once where none is there.
    Checkpoint,
    /// Crash there.
    Arm(Armed),
}

/// One superstep of the stream processor.
#[derive(Debug, Clone, Default)]
pub struct StreamOrder {
    /// In order, before anything is read.
    pub notices: Vec<Notice>,
    /// Records to read at most, as whole micro-batches.
    pub quantum: u64,
    /// Records that have arrived: nothing above is there yet.
    pub arrived: u64,
    /// Whether nothing will arrive any more, so that the last micro-batch may be short.
    pub is_end: bool,
}

/// What the stream processor did.
#[derive(Debug, Clone, Default)]
pub struct StreamReport {
    /// Reads, effects, changes, checkpoints.
    pub work: Work,
    /// The next record to read in each partition.
    pub position: Offsets,
    /// The speed state in memory.
    pub memory: Numbers,
    /// How far event time has come.
    pub progress: Progress,
    /// Its books, where they are short enough to be handed out every time.
    pub books: Option<MemoryBooks>,
    /// The whole state, once, when everything that was served before has been read again.
    pub full: Option<Box<StreamState>>,
    /// It crashed there; this is its last report.
    pub crashed: Option<CrashPoint>,
    /// It failed; this is its last report.
    pub failed: Option<String>,
    /// Crashes that were armed and did not come up.
    pub still_armed: Vec<Armed>,
    /// Disk use of this incarnation.
    pub disk: DiskStats,
    /// Wall time of the step, measured, in microseconds.
    pub micros: u64,
}

/// What the memory of a stream processor counts.
#[derive(Debug, Clone, Default)]
pub struct MemoryBooks {
    /// First position that it counts.
    pub from: Offsets,
    /// The next record to read.
    pub to: Offsets,
    /// How often each record counts, by partition.
    pub effects: Vec<RangeCounts>,
    /// Which records it dropped as late, by partition.
    pub late: Vec<RangeCounts>,
}

/// From this many runs on books of the memory are not handed out with every report.
const MOST_RUNS: usize = 4_096;

/// A stream processor over the index.
#[derive(Debug)]
pub struct StreamJob {
    worker: StreamWorker,
    /// Distinct users of the buckets.
    users: UnitedUsers,
    /// The whole state is handed out once when this record is reached.
    full_at: Option<u64>,
    index: Arc<LogIndex>,
}

impl StreamJob {
    /// Around a started worker. Until record `full_at` has been read (again) no changes are handed out, then the
    /// whole state once.
    pub fn new(worker: StreamWorker, index: Arc<LogIndex>, full_at: u64) -> Self {
        let mut job = StreamJob { worker, users: UnitedUsers::default(), full_at: Some(full_at), index };
        job.recount_users();
        job
    }

    /// The speed state over the run.
    pub fn memory(&self) -> Numbers {
        let buckets = &self.worker.state().buckets;
        Numbers {
            views: buckets.iter().map(|bucket| bucket.view.total_views()).sum(),
            users: self.users.count(),
            sum: buckets.iter().map(|bucket| bucket.view.total_sum()).sum(),
        }
    }

    /// How far event time has come.
    pub fn progress(&self) -> Progress {
        let state = self.worker.state();
        Progress {
            watermarks: state.watermarks.clone(),
            watermark: self.worker.watermark(),
            late_dropped: state.counts.late,
        }
    }

    /// What the memory counts; `None` where handing it out would take too long.
    pub fn books(&self) -> Option<MemoryBooks> {
        let state = self.worker.state();
        let runs: usize = state.effects.iter().map(|runs| runs.runs().len()).sum();
        (runs <= MOST_RUNS).then(|| MemoryBooks {
            from: state.covers_from(),
            to: state.position.clone(),
            effects: state.effects.clone(),
            late: state.late.ranges(),
        })
    }

    fn recount_users(&mut self) {
        self.users =
            UnitedUsers::of(self.worker.state().buckets.iter().flat_map(|bucket| bucket.view.rows()));
    }

    fn notice(&mut self, notice: Notice) -> Result<(), WorkError> {
        match notice {
            Notice::Index(index) => {
                self.index = Arc::clone(&index);
                self.worker.source_mut().grow(index);
            }
            Notice::CutStarted(cut) => self.worker.cut_started(&cut),
            Notice::Published(cut) => {
                let index = &self.index;
                let uniques = self.worker.uniques();
                self.worker.published(&cut, |from, effects| refold(index, uniques, from, effects))?;
                self.recount_users();
            }
            Notice::Checkpoint => self.worker.ask_for_checkpoint(),
            Notice::Arm(armed) => self.worker.injector().arm(armed),
        }
        Ok(())
    }

    fn run(&mut self, order: StreamOrder) -> Result<(), WorkError> {
        for notice in order.notices {
            self.notice(notice)?;
        }
        let mut left = order.quantum;
        let size = self.worker.micro_batch_records();
        loop {
            let there = order.arrived.saturating_sub(self.worker.number());
            let whole = there >= size || (order.is_end && there > 0);
            if !whole {
                // Nothing comes in this superstep, or ever, that a checkpoint could be written after.
                return self.worker.checkpoint_if_asked();
            }
            if left < size.min(there) {
                return Ok(());
            }
            let read = self.worker.micro_batch(there)?;
            if read == 0 {
                return Ok(());
            }
            left = left.saturating_sub(read);
        }
    }
}

impl Job for StreamJob {
    type Order = StreamOrder;
    type Report = StreamReport;

    fn step(&mut self, order: StreamOrder) -> StreamReport {
        let watch = Stopwatch::start();
        let outcome = self.run(order);
        let mut work = self.worker.take_work();
        for change in &work.changes {
            self.users.add(&change.row);
        }
        let number = self.worker.number();
        let mut full = None;
        if let Some(at) = self.full_at {
            work.changes.clear();
            work.counted.clear();
            work.late.clear();
            work.emitted = None;
            if number >= at && outcome.is_ok() {
                full = Some(Box::new(self.worker.state().clone()));
                self.full_at = None;
            }
        }
        let memory = self.memory();
        let (crashed, failed) = match outcome {
            Ok(()) => (None, None),
            Err(WorkError::Crashed(point)) => (Some(point), None),
            Err(error) => (None, Some(error.to_string())),
        };
        StreamReport {
            work,
            position: self.worker.state().position.clone(),
            progress: self.progress(),
            memory,
            books: self.books(),
            full,
            crashed,
            failed,
            still_armed: if crashed.is_some() { self.worker.injector().take() } else { Vec::new() },
            disk: self.worker.disk().stats(),
            micros: watch.micros(),
        }
    }

    fn is_last(report: &StreamReport) -> bool {
        report.crashed.is_some() || report.failed.is_some()
    }
}

/// What counts at or above `from` by these books, folded again from the index.
pub fn refold(
    index: &Arc<LogIndex>,
    uniques: Uniques,
    from: &Offsets,
    effects: &[RangeCounts],
) -> (View, Vec<RangeCounts>) {
    let mut refold = Refold::new(from, effects).counting(uniques);
    let last = |(partition, runs): (u16, &RangeCounts)| {
        index.number_of(PartitionIndex(partition), runs.runs().last()?.end - 1)
    };
    let end = (0..).zip(refold.effects()).filter_map(last).max().map_or(0, |last| last + 1);
    // A position that delivery passes through is a prefix; any other may be scattered over the whole log.
    let is_prefix = index.offsets_at(from.total()) == *from;
    let start = if is_prefix { from.total() } else { 0 };
    each_record(index, start, end, |record| refold.apply_named(record, index.users()));
    refold.finish()
}

/// One superstep of the batch processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct BatchOrder {
    /// Records to fold at most.
    pub quantum: u64,
    /// Whether to end abruptly instead.
    pub crash: bool,
    /// Ends abruptly once this record has been folded.
    pub crash_at: Option<u64>,
}

/// A finished batch run.
#[derive(Debug)]
pub struct Publication {
    /// Its view.
    pub view: BatchView,
    /// The distinct users of the view: kept up while the log is read, since to count them at the end would hold run time
    /// up.
    pub users: ScopeUsers,
}

/// What the batch processor did.
#[derive(Debug, Default)]
pub struct BatchReport {
    /// Records folded so far.
    pub done: u64,
    /// Records read in this step.
    pub read: u64,
    /// The finished view; this is its last report.
    pub published: Option<Publication>,
    /// It crashed; this is its last report.
    pub crashed: bool,
    /// At the record that it was to crash at.
    pub crashed_at: Option<u64>,
    /// It failed; this is its last report.
    pub failed: Option<String>,
    /// Wall time of the step, measured, in microseconds.
    pub micros: u64,
}

/// A batch run over the index.
pub struct BatchJob {
    source: Box<dyn RecordSource + Send>,
    processor: Option<BatchProcessor>,
    users: ScopeUsers,
    buffer: Vec<Record>,
}

/// Records that a batch run reads at once.
const READ_AT_ONCE: u64 = 4_096;

impl BatchJob {
    /// A run from record 0 up to the processor's cut.
    pub fn new(index: Arc<LogIndex>, processor: BatchProcessor) -> Self {
        BatchJob::over(Box::new(IndexSource::new(index)), processor)
    }

    /// The same over another source, which stands at record 0.
    pub fn over(source: Box<dyn RecordSource + Send>, processor: BatchProcessor) -> Self {
        BatchJob { source, processor: Some(processor), users: ScopeUsers::default(), buffer: Vec::new() }
    }

    fn fold(&mut self, quantum: u64, report: &mut BatchReport) {
        let Some(processor) = &mut self.processor else { return };
        let mut left = quantum;
        while left > 0 && !processor.is_complete() {
            self.buffer.clear();
            let size = usize::try_from(left.min(READ_AT_ONCE)).unwrap_or(usize::MAX);
            match self.source.read(size, &mut self.buffer) {
                Ok(0) => break,
                Ok(read) => {
                    for record in &self.buffer {
                        if processor.counts(record)
                            && let Some(event) = &record.event
                            && let Some(user) = event.user
                        {
                            self.users.add(Cell { key: event.key, day: event.day }, user);
                        }
                    }
                    left -= read as u64;
                    report.read += read as u64;
                }
                Err(error) => {
                    report.failed = Some(error.to_string());
                    return;
                }
            }
        }
        report.done = processor.done();
    }
}

impl std::fmt::Debug for BatchJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchJob").field("processor", &self.processor).finish_non_exhaustive()
    }
}

impl Job for BatchJob {
    type Order = BatchOrder;
    type Report = BatchReport;

    fn step(&mut self, order: BatchOrder) -> BatchReport {
        let watch = Stopwatch::start();
        let mut report = BatchReport::default();
        let done = self.processor.as_ref().map_or(0, BatchProcessor::done);
        report.done = done;
        // The record may lie below what is folded already, or above the cut: then it never comes.
        let crash_after = order.crash_at.map(|record| (record + 1).saturating_sub(done));
        let cut = self.processor.as_ref().map_or(0, |processor| processor.cut().total());
        let crash_here = crash_after.filter(|&left| left <= order.quantum && done + left <= cut);
        if !order.crash {
            self.fold(crash_here.unwrap_or(order.quantum), &mut report);
        }
        report.crashed = order.crash || (crash_here.is_some() && report.failed.is_none());
        report.crashed_at = order.crash_at.filter(|_| report.crashed && !order.crash);
        if report.crashed {
            self.processor = None;
        } else if self.processor.as_ref().is_some_and(BatchProcessor::is_complete) {
            let view = self.processor.take().and_then(BatchProcessor::publish);
            report.published = view.map(|view| Publication { view, users: std::mem::take(&mut self.users) });
        }
        report.micros = watch.micros();
        report
    }

    fn is_last(report: &BatchReport) -> bool {
        report.published.is_some() || report.crashed || report.failed.is_some()
    }
}
