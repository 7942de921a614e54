//! Start, crash and restore of a lane's stream processor, and what its reports mean.

use std::sync::Arc;

use super::{
    jobs::{MemoryBooks, Notice, StreamJob, StreamReport, refold},
    lane::{Lane, LanePlan},
    lane_sides::{Progress, Replay, StreamPhase},
    lane_source::LaneSource,
    protocol::{CheckpointId, Fact, Generation, TICKS_PER_SECOND},
    read_model::is_late,
    recount::{Recount, each_record},
    source::WorkerSource as _,
    worker::{Pick, Resumed, StartError, StreamWorker, Work, WorkerSettings},
};
use crate::{
    checkpoint::{CrashPoint, DiskStats, guarantee, state_bytes},
    domain::{Offsets, RangeCounts, Reading, StreamRules, View},
    ingest::LogIndex,
    processing::{StreamProcessor, StreamState},
    serving::{Emission, Numbers},
};

impl LanePlan {
    /// How a stream processor of this run works.
    pub(super) fn worker_settings(&self, rules: StreamRules, settings_hash: u128) -> WorkerSettings {
        let settings = &self.settings;
        WorkerSettings {
            micro_batch: settings.micro_batch_records,
            checkpoint_every: match settings.checkpoint_every_records {
                0 => u64::MAX,
                every => every,
            },
            retain: usize::try_from(settings.retain).unwrap_or(2),
            guarantee: guarantee(settings.guarantee),
            settings_hash,
            rules,
            sums: super::export::sums(&self.mapping),
        }
    }
}

impl Lane {
    /// The first start: from record 0 in an empty directory.
    pub(super) fn start(&mut self) {
        self.happened(Fact::Started);
        match self.start_worker(Pick::Newest) {
            Ok(resumed) => {
                let refused = resumed.refused.len();
                debug_assert_eq!(refused, 0, "a lane starts in an empty directory");
            }
            Err(error) => {
                self.stream.phase = StreamPhase::Crashed { point: CrashPoint::BeforeApply, position: 0 };
                self.refuse(&error);
            }
        }
    }

    /// Starts the stream processor again from what is on disk.
    pub(super) fn restore(&mut self, pick: Pick) {
        let resumed = match self.start_worker(pick) {
            Ok(resumed) => resumed,
            Err(error) => return self.refuse(&error),
        };
        if pick == Pick::FromStart {
            self.history.checkpoints_gone();
        }
        let position = self.stream.number;
        let read_before = self.ledger.highest_read();
        self.ledger.restored_at(position);
        let batch_cut = self.lambda.batch().cut.total();
        // What a total that had not gone back would still hold beside what is read again now.
        self.stream.beside.add(self.stream.held_to, self.stream.crash_position);
        self.stream.beside.clip_below(batch_cut);
        self.stream.replay = Some(Replay { from: position, to: read_before, same: None });
        // What the checkpoint still held below the batch view, and the hand-over drops: a naive restore counts it twice.
        let held_from = self.stream.held_from;
        let held_to = position.max(self.stream.held_to);
        let dropped_below_batch = Recount::between(&self.index, held_from, batch_cut.min(held_to)).views;
        let refused = resumed.refused.iter().map(|one| (one.file.clone(), one.reason.clone())).collect();
        self.invariants.restored();
        self.happened(Fact::Restored {
            checkpoint: resumed.from.map(|(id, _)| CheckpointId(id)),
            position,
            replay_to: read_before,
            refused,
            dropped_below_batch,
        });
    }

    fn refuse(&mut self, error: &StartError) {
        let refused = match error {
            StartError::AllRefused(refused) => {
                refused.iter().map(|one| (one.file.clone(), one.reason.clone())).collect()
            }
            StartError::Disk(_) | StartError::Log(_) => vec![("-".to_owned(), error.to_string())],
        };
        self.happened(Fact::RestoreRefused { refused });
    }

    fn start_worker(&mut self, pick: Pick) -> Result<Resumed, StartError> {
        let worker_settings =
            self.plan.worker_settings(self.plan.stream_rules.clone(), self.plan.settings_hash);
        let disk = (self.plan.disk)()?;
        let source = Box::new(LaneSource::new(Arc::clone(&self.index)));
        let (worker, resumed) = StreamWorker::start(source, disk, worker_settings, pick)?;
        let mut worker = worker.collecting_changes();
        for &armed in &self.stream.armed {
            worker.injector().arm(armed);
        }
        self.stream.number = worker.number();
        self.stream.held_from = worker.state().covers_from().total();
        self.stream.held_to = worker.state().counts.records();
        let job = StreamJob::new(worker, Arc::clone(&self.index), self.served());
        self.stream.memory = job.memory();
        self.stream.progress = job.progress();
        self.stream.books = job.books();
        self.stream.slot.start(job, self.plan.driver)?;
        self.stream.phase = StreamPhase::Alive;
        self.stream.generation = Generation(self.stream.generation.0 + 1);
        self.stream.credit = 0;
        self.stream.notices.clear();
        // What it missed while it was down.
        let covered = self.lambda.batch().cut.clone();
        if covered.total() > 0 {
            self.stream.notices.push(Notice::Published(covered));
        }
        if self.batch.slot.is_running() {
            let cut = self.vector(self.batch.cut);
            self.stream.notices.push(Notice::CutStarted(cut));
        }
        Ok(resumed)
    }

    /// Takes what the stream processor did in this superstep.
    pub(super) fn take_stream_report(&mut self) {
        if !self.stream.slot.is_running() {
            return;
        }
        let Some(report) = self.stream.slot.finish() else {
            // It panicked: a crash like any other.
            self.trouble("run the stream processor", "it panicked; this is a bug of this program".to_owned());
            return self.stream_crashed(CrashPoint::BeforeApply, self.stream.number);
        };
        let read: u64 = report.work.read.iter().map(|(from, to)| to - from).sum();
        self.stream.credit = self.stream.credit.saturating_sub(read * TICKS_PER_SECOND);
        self.stream.reads += read;
        self.stream.micros += report.micros;
        self.stream.disk = report.disk;
        for &(from, to) in &report.work.read {
            self.ledger.read(from, to);
        }
        self.serve(&report);
        self.stream.memory = report.memory;
        self.stream.progress = report.progress.clone();
        self.stream.books.clone_from(&report.books);
        self.stream.number = report.position.total();
        for written in &report.work.written {
            self.history.checkpoint_written(self.tick, written, self.plan.settings.retain);
            self.happened(Fact::CheckpointWritten {
                id: CheckpointId(written.id),
                position: written.position,
                bytes: written.bytes,
            });
        }
        if let Some(point) = report.crashed {
            self.stream.armed = report.still_armed;
            return self.stream_crashed(point, report.position.total());
        }
        if let Some(why) = report.failed {
            self.trouble("run the stream processor", why);
            return self.stream_crashed(CrashPoint::BeforeApply, report.position.total());
        }
        self.finish_replay();
    }

    fn serve(&mut self, report: &StreamReport) {
        let (rules, index) = (self.stream_rules(), Arc::clone(&self.index));
        if let Some(state) = &report.full {
            if let Some(replay) = &mut self.stream.replay {
                let reading = Reading::as_loaded(rules.verdicts);
                replay.same = Some(same_as_never_crashed(&index, &rules, &reading, state));
            }
            let uniques = rules.options.uniques;
            let refold = |from: &Offsets, effects: &[RangeCounts]| refold(&index, uniques, from, effects);
            self.lambda.replace((**state).clone(), refold);
        } else if let Some(emitted) = &report.work.emitted {
            let Work { changes, counted, late, .. } = &report.work;
            self.lambda.apply(Emission { changes, counted, late, position: emitted.clone() });
        }
    }

    /// The stream processor is gone: its memory with it, what is on disk stays.
    pub(super) fn stream_crashed(&mut self, point: CrashPoint, position: u64) {
        self.stream.slot.end();
        self.stream.crash_position = position;
        self.stream.phase = StreamPhase::Crashed { point, position };
        self.stream.number = position;
        self.stream.replay = None;
        self.stream.crashed_at_tick = self.tick;
        self.stream.crashes += 1;
        self.stream.disk_before.bytes_written += self.stream.disk.bytes_written;
        self.stream.disk_before.fsyncs += self.stream.disk.fsyncs;
        self.stream.disk = DiskStats::default();
        let checkpoint = self.history.newest_checkpoint();
        self.ledger.crashed(checkpoint.map_or(0, |(_, position)| position), position);
        self.happened(Fact::StreamCrashed { point, position, checkpoint, batch_covers: self.batch.covers });
        self.stream.memory = Numbers::default();
        self.stream.progress = Progress::default();
        self.stream.books = Some(MemoryBooks::default());
    }

    fn finish_replay(&mut self) {
        let Some(replay) = self.stream.replay else { return };
        let Some(same) = replay.same else { return };
        if self.stream.number < replay.to {
            return;
        }
        self.stream.replay = None;
        self.check_replayed(same);
        self.check_invariants(true);
        let merged_views = self.lambda.merged_numbers().views;
        let recount_views = Recount::numbers(&self.index, self.covers()).views;
        let late_missing = self.lambda.speed().late.total();
        // What is late is dropped each time that it is read.
        let late_again =
            if late_missing == 0 { 0 } else { self.ledger.read_again(|number| is_late(self, number)) };
        let again = self.ledger.read_again_views(&self.index).saturating_sub(late_again);
        self.happened(Fact::ReplayFinished {
            from: replay.from,
            to: replay.to,
            merged_views,
            recount_views,
            every_read_views: recount_views.saturating_sub(late_missing) + again,
            late_missing,
            same_as_never_crashed: same,
        });
    }
}

/// Whether a state is, byte for byte, that of a processor that read the same records and never crashed.
pub(super) fn same_as_never_crashed(
    index: &Arc<LogIndex>,
    rules: &StreamRules,
    reading: &Reading,
    state: &StreamState,
) -> bool {
    let mut straight = StreamState::new(index.partitions().len());
    straight.buckets.clone_from(&state.buckets);
    for bucket in &mut straight.buckets {
        bucket.view = View::new();
    }
    let mut processor = StreamProcessor::new(rules.clone(), straight);
    processor.ends_at(LaneSource::new(Arc::clone(index)).ends());
    each_record(index, 0, state.position.total(), |record| {
        processor.apply_named(&reading.of(record), index.users());
    });
    let bytes = |state: &StreamState| state_bytes(state, index.keys(), index.users());
    bytes(processor.state()) == bytes(state)
}
