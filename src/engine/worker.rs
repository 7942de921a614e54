//! The stream processor at work: source, processor, guarantee, disk and injector behind one `micro_batch()`.
//!
//! The same code runs headless over files and in a lane over the index; a crash is its early return, after which its
//! owner drops it with all its memory.

use std::{collections::BTreeSet, io};

pub use super::work::{Pick, Resumed, StartError, Work, WorkError, WorkerSettings, Written};
use super::{clock::Stopwatch, fault::Injector, restore::restore, source::WorkerSource};
use crate::{
    checkpoint::{
        CrashPoint, Deliveries, Disk, Expected, Refused, RestoreDecision, Sink, SinkPosition, SinkRow, Stamp,
        TEMPORARY_SUFFIX, checkpoint_id, checkpoint_name, clean_temporary, encode_checkpoint,
        list_checkpoints, next_checkpoint_id, replace, resolve, retain, set_aside,
    },
    domain::{
        Cell, EventTime, LateRun, Lateness, Offsets, PartitionIndex, RangeCounts, Record, Row, Run,
        StreamRules, Uniques, Verdict, View,
    },
    processing::{Handover, StreamProcessor, StreamState},
    serving::Change,
};

/// A running stream processor.
#[derive(Debug)]
pub struct StreamWorker {
    source: Box<dyn WorkerSource>,
    processor: StreamProcessor,
    disk: Box<dyn Disk>,
    sink: Sink,
    deliveries: Deliveries,
    settings: WorkerSettings,
    injector: Injector,
    next_id: u64,
    /// Number of this start among all in the directory.
    incarnation: u32,
    /// Damaged or foreign checkpoints that must not push good ones out.
    refused_ids: Vec<u64>,
    checkpoint_asked: bool,
    collects_changes: bool,
    buffer: Vec<Record>,
    /// Records that counted since the last emission.
    counted: Vec<(usize, Run)>,
    /// Records found late since the last emission.
    late: Vec<(PartitionIndex, LateRun)>,
    work: Work,
}

impl StreamWorker {
    /// Starts from what is on `disk`.
    pub fn start(
        mut source: Box<dyn WorkerSource>,
        mut disk: Box<dyn Disk>,
        settings: WorkerSettings,
        pick: Pick,
    ) -> Result<(StreamWorker, Resumed), StartError> {
        clean_temporary(disk.as_mut())?;
        if pick == Pick::FromStart {
            set_aside(disk.as_mut())?;
        }
        let mut resumed = Resumed::default();
        let decision = decide(source.as_ref(), disk.as_ref(), &settings, pick)?;
        let partitions = source.partitions().len();
        let mut state = StreamState::new(partitions);
        let mut sink_position = None;
        match decision {
            RestoreDecision::NothingThere => source.seek(&Offsets::start(partitions))?,
            RestoreDecision::AllRefused(refused) => return Err(StartError::AllRefused(refused)),
            RestoreDecision::Restore { checkpoint, refused, .. } => {
                resumed.refused = refused;
                sink_position = Some(checkpoint.stamp.sink);
                let id = checkpoint.id;
                state = restore(source.as_mut(), *checkpoint)?;
                resumed.from = Some((id, state.position.total()));
            }
        }
        let mut sink = Sink::open(disk.as_ref())?;
        sink.declare(settings.sums);
        let deliveries = Deliveries::open(disk.as_ref())?;
        resumed.read_before = deliveries.highest_read().map_or(0, |highest| highest + 1);
        let incarnation = deliveries.last_incarnation().map_or(1, |last| last + 1);
        let next_id = next_checkpoint_id(disk.as_ref())?;
        let refused_ids = resumed.refused.iter().filter_map(|one| checkpoint_id(&one.file)).collect();
        let verdicts = settings.guarantee.rules(settings.rules.verdicts);
        let rules = StreamRules { verdicts, ..settings.rules.clone() };
        let mut worker = StreamWorker {
            source,
            processor: StreamProcessor::new(rules, state),
            disk,
            sink,
            deliveries,
            settings,
            injector: Injector::default(),
            next_id,
            incarnation,
            refused_ids,
            checkpoint_asked: false,
            collects_changes: false,
            buffer: Vec::new(),
            counted: Vec::new(),
            late: Vec::new(),
            work: Work::default(),
        };
        let is_short = sink_position.is_some_and(|position| !worker.sink.contains(position));
        // Rows that no checkpoint stands for may be of another log or other settings: they would be served for ever.
        let is_stale = sink_position.is_none() && !worker.sink.is_empty();
        if is_short || is_stale {
            worker.rebuild_sink(sink_position.unwrap_or_else(|| worker.sink.position()))?;
            resumed.sink_rebuilt = true;
        }
        Ok((worker, resumed))
    }

    /// Collects changed rows for a serving layer in this process.
    #[must_use]
    pub fn collecting_changes(mut self) -> Self {
        self.collects_changes = true;
        self
    }

    /// Where crashes are armed.
    pub fn injector(&mut self) -> &mut Injector {
        &mut self.injector
    }

    /// Writes a checkpoint at the end of the next micro-batch, or when [`StreamWorker::checkpoint_if_asked`] is called
    /// before it.
    pub fn ask_for_checkpoint(&mut self) {
        self.checkpoint_asked = true;
    }

    /// One micro-batch of at most `limit` records: read, apply, emit, checkpoint when due. How many records.
    ///
    /// # Errors
    /// After [`WorkError::Crashed`] the worker must be dropped: its memory counts as lost.
    pub fn micro_batch(&mut self, limit: u64) -> Result<u64, WorkError> {
        let first = self.number();
        let size = usize::try_from(limit.min(self.settings.micro_batch)).unwrap_or(usize::MAX);
        self.buffer.clear();
        let mut records = std::mem::take(&mut self.buffer);
        let read = self.source.read(size, &mut records)?;
        if read == 0 {
            self.buffer = records;
            return Ok(0);
        }
        if self.processor.rules().options.lateness != Lateness::Unbounded {
            self.processor.ends_at(self.source.ends());
        }
        let end = first + read as u64;
        self.deliveries.append(self.disk.as_mut(), self.incarnation, first, end)?;
        self.note_read(first, end);
        self.at(CrashPoint::BeforeApply, end)?;
        for (index, record) in records.iter().enumerate() {
            if index == read / 2 {
                self.at(CrashPoint::MidApply, end)?;
            }
            self.apply(record);
        }
        self.buffer = records;
        self.at(CrashPoint::AfterApply, end)?;
        self.emit(end)?;
        self.at(CrashPoint::AfterEmit, end)?;
        let every = self.settings.checkpoint_every.max(1);
        if self.checkpoint_asked || first / every != end / every {
            self.checkpoint()?;
            self.at(CrashPoint::AfterCheckpoint, end)?;
        }
        Ok(read as u64)
    }

    /// Writes the checkpoint that was asked for now, between records.
    pub fn checkpoint_if_asked(&mut self) -> Result<(), WorkError> {
        if !self.checkpoint_asked {
            return Ok(());
        }
        self.checkpoint()?;
        self.at(CrashPoint::AfterCheckpoint, self.number())
    }

    /// Writes a checkpoint now, between records.
    pub fn checkpoint(&mut self) -> Result<Option<Written>, WorkError> {
        self.checkpoint_asked = false;
        let watch = Stopwatch::start();
        let state = self.processor.state();
        self.settings.guarantee.check_write(self.source.position(), state)?;
        // The sink first: a checkpoint must never promise output that a power failure can still take.
        self.sink.sync(self.disk.as_mut())?;
        let stamp = Stamp {
            log_identity: self.source.identity(),
            positions: self.settings.guarantee.saved_positions(self.source.saved_positions()),
            sink: self.sink.position(),
            settings_hash: self.settings.settings_hash,
            guarantee: self.settings.guarantee.id(),
        };
        let id = self.next_id;
        let bytes = encode_checkpoint(id, state, &stamp, self.source.keys(), self.source.users());
        let name = checkpoint_name(id);
        let end = self.number();
        if self.injector.reached(CrashPoint::MidCheckpoint, end) {
            let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
            self.disk.write(&format!("{name}{TEMPORARY_SUFFIX}"), half)?;
            return Err(WorkError::Crashed(CrashPoint::MidCheckpoint));
        }
        replace(self.disk.as_mut(), &name, &bytes)?;
        retain(self.disk.as_mut(), self.settings.retain, &self.refused_ids)?;
        self.sink.compact(self.disk.as_mut())?;
        self.next_id = self.next_id.saturating_add(1);
        let position = self.number();
        let written = Written { id, position, bytes: bytes.len() as u64, micros: watch.micros() };
        self.work.written.push(written);
        Ok(Some(written))
    }

    /// A batch run with this cut has started.
    pub fn cut_started(&mut self, cut: &Offsets) {
        self.processor.cut_started(cut);
    }

    /// A batch view with this cut was published: what it covers is forgotten, here and in the sink. `refold` folds
    /// what counts at or above the cut again from the log; it is asked only where the cut is no bucket bound.
    pub fn published(
        &mut self,
        cut: &Offsets,
        refold: impl FnOnce(&Offsets, &[RangeCounts]) -> (View, Vec<RangeCounts>),
    ) -> Result<(), WorkError> {
        if self.processor.published(cut) == Handover::Refold {
            let refolded = refold(cut, &self.processor.state().effects);
            self.processor.replace_from(cut, refolded);
        }
        let position = self.sink.position();
        self.rebuild_sink(position)?;
        Ok(())
    }

    /// What was done since the last call.
    pub fn take_work(&mut self) -> Work {
        std::mem::take(&mut self.work)
    }

    /// Records a micro-batch.
    pub fn micro_batch_records(&self) -> u64 {
        self.settings.micro_batch
    }

    /// The state.
    pub fn state(&self) -> &StreamState {
        self.processor.state()
    }

    /// How users are counted.
    pub fn uniques(&self) -> Uniques {
        self.processor.rules().options.uniques
    }

    /// The combined watermark now.
    pub fn watermark(&self) -> Option<EventTime> {
        self.processor.watermark()
    }

    /// Record number of the next record to read.
    pub fn number(&self) -> u64 {
        self.source.position().total()
    }

    /// Where records come from.
    pub fn source(&self) -> &dyn WorkerSource {
        self.source.as_ref()
    }

    /// Where records come from.
    pub fn source_mut(&mut self) -> &mut dyn WorkerSource {
        self.source.as_mut()
    }

    /// What outside readers see.
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// What was read, over all incarnations.
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// What the disk was asked to do.
    pub fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    fn at(&mut self, point: CrashPoint, end: u64) -> Result<(), WorkError> {
        if self.injector.reached(point, end) { Err(WorkError::Crashed(point)) } else { Ok(()) }
    }

    fn note_read(&mut self, first: u64, end: u64) {
        match self.work.read.last_mut() {
            Some(last) if last.1 == first => last.1 = end,
            _ => self.work.read.push((first, end)),
        }
    }

    fn apply(&mut self, record: &Record) {
        let verdict = self.processor.apply_named(record, self.source.users());
        if !self.collects_changes || !matches!(verdict, Verdict::Counted | Verdict::Late) {
            return;
        }
        // Below all buckets the published batch view counts it, not the stream.
        let from =
            self.processor.state().buckets.first().map_or(0, |bucket| bucket.from.get(record.partition));
        if record.offset < from {
            return;
        }
        if verdict == Verdict::Late {
            let watermark = self.processor.state().late.watermark_of(record.partition, record.offset);
            let run = |watermark| LateRun { start: record.offset, end: record.offset + 1, watermark };
            self.late.extend(watermark.map(|watermark| (record.partition, run(watermark))));
            return;
        }
        let partition = record.partition.index();
        match self.counted.last_mut() {
            Some((last, run)) if *last == partition && run.end == record.offset => run.end += 1,
            _ => {
                let run = Run { start: record.offset, end: record.offset + 1, count: 1 };
                self.counted.push((partition, run));
            }
        }
    }

    /// Absolute rows of the changed cells, merged over buckets, to the sink.
    fn emit(&mut self, end: u64) -> Result<(), WorkError> {
        let mut cells: BTreeSet<Cell> = BTreeSet::new();
        let mut changes = Vec::new();
        for (bucket, row) in self.processor.take_changes() {
            cells.insert(row.cell);
            if self.collects_changes {
                changes.push(Change { bucket: bucket.clone(), row: row.clone() });
            }
        }
        let state = self.processor.state();
        let absolute: Vec<Row> = cells.into_iter().map(|cell| state.row(cell)).collect();
        let rows: Vec<SinkRow<'_>> = absolute.iter().map(|row| sink_row(row, self.source.as_ref())).collect();
        if !rows.is_empty() {
            self.sink.append(self.disk.as_mut(), end, &rows)?;
        }
        // Only what the sink has taken was emitted.
        if self.collects_changes {
            self.work.changes.append(&mut changes);
            self.work.counted.append(&mut self.counted);
            self.work.late.append(&mut self.late);
            self.work.emitted = Some(state.position.clone());
        }
        Ok(())
    }

    /// Writes the sink anew from the state, as an epoch later than `beyond`.
    fn rebuild_sink(&mut self, beyond: SinkPosition) -> io::Result<()> {
        let view = self.processor.state().view();
        let rows: Vec<SinkRow<'_>> =
            view.rows().iter().map(|row| sink_row(row, self.source.as_ref())).collect();
        let position = self.source.position().total();
        self.sink.rebuild(self.disk.as_mut(), &rows, position, beyond)
    }
}

fn sink_row<'a>(row: &Row, source: &'a dyn WorkerSource) -> SinkRow<'a> {
    SinkRow {
        page: source.keys().text(row.cell.key.0),
        day: row.cell.day,
        views: row.views,
        sum: row.sum,
        unique_users: row.unique_users(),
        users_hash: row.users_hash(source.users()),
    }
}

fn decide(
    source: &dyn WorkerSource,
    disk: &dyn Disk,
    settings: &WorkerSettings,
    pick: Pick,
) -> Result<RestoreDecision, StartError> {
    let mut files = Vec::new();
    for found in list_checkpoints(disk)? {
        let wanted = match pick {
            Pick::Newest => true,
            Pick::Number(id) => found.id == id,
            Pick::FromStart => false,
        };
        if let (true, Some(bytes)) = (wanted, disk.read(&found.name)?) {
            files.push((found.name, bytes));
        }
    }
    if let (Pick::Number(id), true) = (pick, files.is_empty()) {
        let reason = "not there (any more)".to_owned();
        return Ok(RestoreDecision::AllRefused(vec![Refused { file: checkpoint_name(id), reason }]));
    }
    let expected = Expected { settings_hash: settings.settings_hash, guarantee: settings.guarantee.id() };
    Ok(resolve(files, &expected, &mut |checkpoint| source.check(checkpoint)))
}
