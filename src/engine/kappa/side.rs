//! The processor of one version, as the lane sees it: start, crash, restore, and what its reports mean.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::Ground;
use crate::{
    checkpoint::{CrashPoint, DiskStats, guarantee},
    domain::{RangeCounts, Reading, StreamRules, TZDB_VERSION},
    engine::{
        driver::Slot,
        fault::Armed,
        frame::CheckpointInfo,
        jobs::{Notice, StreamJob, StreamOrder, StreamReport},
        lane_sides::{Progress, Replay, StreamPhase, draw},
        lane_source::LaneSource,
        ledger::CrashSpan,
        protocol::{CheckpointId, Generation, KappaFact, TICKS_PER_SECOND, VersionSettings},
        recount::Recount,
        recovery::same_as_never_crashed,
        rng::RandomStream,
        worker::{Pick, Resumed, StartError, StreamWorker, Work},
    },
    serving::{Emission, Health, Kappa, Numbers, VersionNumber},
};

/// What a version has cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::engine) struct Spent {
    pub reads: u64,
    pub micros: u64,
    pub disk: DiskStats,
}

impl Spent {
    /// Adds what another one has cost.
    pub(super) fn add(&mut self, other: &Spent) {
        self.reads += other.reads;
        self.micros += other.micros;
        self.disk.bytes_written += other.disk.bytes_written;
        self.disk.fsyncs += other.disk.fsyncs;
    }
}

/// The processor of one version.
#[derive(Debug)]
pub(in crate::engine) struct VersionSide {
    pub number: VersionNumber,
    pub settings: VersionSettings,
    pub reading: Reading,
    pub slot: Slot<StreamJob>,
    pub phase: StreamPhase,
    pub generation: Generation,
    /// Records that its memory has counted.
    pub position: u64,
    pub memory: Numbers,
    /// How far event time has come in its memory.
    pub progress: Progress,
    pub replay: Option<Replay>,
    notices: Vec<Notice>,
    credit: u64,
    draws: RandomStream,
    spent: Spent,
    /// Disk use of the incarnation that runs.
    disk: DiskStats,
    armed: Vec<Armed>,
    pub crashes: u64,
    pub crashed_at_tick: u64,
    /// What its newest crash is about.
    pub crash: Option<CrashSpan>,
    /// How often it read each record, by record number, over all attempts.
    pub deliveries: RangeCounts,
    /// On disk, newest first.
    pub checkpoints: Vec<CheckpointInfo>,
    pub recount: Recount,
    /// Whether it has once read everything that had arrived.
    pub caught_up: bool,
    pub started_at_tick: u64,
}

impl VersionSide {
    /// Before its first start.
    pub(super) fn new(
        number: VersionNumber,
        settings: VersionSettings,
        reading: Reading,
        ground: &Ground<'_>,
    ) -> Self {
        let seed = ground.plan.settings.seed;
        VersionSide {
            number,
            settings,
            slot: Slot::new("version-worker"),
            phase: StreamPhase::Ready,
            generation: Generation(0),
            position: 0,
            memory: Numbers::default(),
            progress: Progress::default(),
            replay: None,
            notices: Vec::new(),
            credit: 0,
            draws: RandomStream::new(seed, &format!("capacity of version {number}")),
            spent: Spent::default(),
            disk: DiskStats::default(),
            armed: Vec::new(),
            crashes: 0,
            crashed_at_tick: 0,
            crash: None,
            deliveries: RangeCounts::new(),
            checkpoints: Vec::new(),
            recount: Recount::under(stream_reading(&reading, ground)),
            caught_up: false,
            started_at_tick: ground.tick,
            reading,
        }
    }

    /// Starts the processor from what is on its disk; its view holds `served` records already.
    pub(super) fn start(
        &mut self,
        ground: &Ground<'_>,
        pick: Pick,
        served: u64,
    ) -> Result<Resumed, StartError> {
        let base = ground.plan.settings_hash;
        let hash = xxh3_128(format!("{base:032x} days of {TZDB_VERSION}, {}\n", self.settings).as_bytes());
        let settings = ground.plan.worker_settings(self.stream_rules(ground), hash);
        let disk = (ground.plan.version_disk)(self.number)?;
        let source = Box::new(LaneSource::new(Arc::clone(ground.index)).under(self.reading.clone()));
        let (worker, resumed) = StreamWorker::start(source, disk, settings, pick)?;
        let mut worker = worker.collecting_changes();
        for &armed in &self.armed {
            worker.injector().arm(armed);
        }
        self.position = worker.number();
        let job = StreamJob::new(worker, Arc::clone(ground.index), served);
        self.memory = job.memory();
        self.progress = job.progress();
        self.slot.start(job, ground.plan.driver)?;
        self.phase = StreamPhase::Alive;
        self.generation = Generation(self.generation.0 + 1);
        self.credit = 0;
        self.notices.clear();
        if pick == Pick::FromStart {
            self.checkpoints.clear();
        }
        Ok(resumed)
    }

    /// Starts it again after a crash.
    pub(super) fn restore(
        &mut self,
        ground: &Ground<'_>,
        kappa: &mut Kappa,
        pick: Pick,
    ) -> Result<KappaFact, StartError> {
        let served = kappa.version(self.number).map_or(0, |version| version.position().total());
        let resumed = self.start(ground, pick, served)?;
        let replay_to = self.highest_read();
        if let Some(crash) = &mut self.crash {
            crash.checkpoint = self.position;
        }
        self.replay = Some(Replay { from: self.position, to: replay_to, same: None });
        kappa.set_health(self.number, Health::Rereading);
        Ok(KappaFact::Restored {
            version: self.number,
            checkpoint: resumed.from.map(|(id, _)| CheckpointId(id)),
            position: self.position,
            replay_to,
        })
    }

    /// Hands the processor its order for this superstep.
    pub(super) fn begin(&mut self, ground: &Ground<'_>) {
        if !self.slot.is_running() {
            return;
        }
        let settings = ground.plan.settings;
        let capacity = ground.capacity();
        let most = capacity.max(2 * settings.micro_batch_records) * TICKS_PER_SECOND;
        self.credit = draw(&mut self.draws, self.credit, capacity, most);
        let order = StreamOrder {
            notices: std::mem::take(&mut self.notices),
            quantum: self.credit / TICKS_PER_SECOND,
            arrived: ground.arrived,
            is_end: ground.is_end(),
        };
        self.slot.begin(order);
    }

    /// Takes what the processor did in this superstep.
    pub(super) fn finish(&mut self, ground: &Ground<'_>, kappa: &mut Kappa, told: &mut super::Told) {
        if !self.slot.is_running() {
            return;
        }
        let Some(report) = self.slot.finish() else {
            // It panicked: a crash like any other.
            told.trouble("run a version", "it panicked; this is a bug of this program".to_owned());
            return told.fact(self.crashed(ground, kappa, CrashPoint::BeforeApply, self.position));
        };
        let read: u64 = report.work.read.iter().map(|(from, to)| to - from).sum();
        self.credit = self.credit.saturating_sub(read * TICKS_PER_SECOND);
        self.spent.reads += read;
        self.spent.micros += report.micros;
        self.disk = report.disk;
        report.work.read.iter().for_each(|&(from, to)| self.deliveries.add(from, to));
        self.serve(&report, ground, kappa);
        self.memory = report.memory;
        self.progress = report.progress.clone();
        self.position = report.position.total();
        for written in &report.work.written {
            let (id, position, bytes) = (CheckpointId(written.id), written.position, written.bytes);
            let info = CheckpointInfo {
                id,
                position,
                bytes,
                write_micros: written.micros,
                tick: ground.tick,
                refused: None,
            };
            self.checkpoints.insert(0, info);
            self.checkpoints.truncate(usize::try_from(ground.plan.settings.retain).unwrap_or(usize::MAX));
            told.fact(KappaFact::CheckpointWritten { version: self.number, id, position, bytes });
        }
        if let Some(point) = report.crashed {
            self.armed = report.still_armed;
            return told.fact(self.crashed(ground, kappa, point, report.position.total()));
        }
        if let Some(why) = report.failed {
            told.trouble("run a version", why);
            let position = report.position.total();
            told.fact(self.crashed(ground, kappa, CrashPoint::BeforeApply, position));
        }
    }

    /// The end of a replay: everything that was read before the crash has been read again.
    pub(super) fn finish_replay(
        &mut self,
        ground: &Ground<'_>,
        kappa: &mut Kappa,
    ) -> Option<(KappaFact, bool)> {
        let replay = self.replay?;
        let same = replay.same?;
        if self.position < replay.to {
            return None;
        }
        self.replay = None;
        kappa.set_health(self.number, Health::Reading);
        let version = kappa.version(self.number)?;
        let (view, late) = (version.view(), version.late());
        let (views, records) = (view.merged_numbers().views, view.covers().total());
        let counted = self.recount.view_without(ground.index, records, late).total_views();
        let recount_views = counted + self.recount.left_out();
        let fact = KappaFact::ReplayFinished {
            version: self.number,
            from: replay.from,
            to: replay.to,
            views,
            recount_views,
            late: late.total(),
            same_as_never_crashed: same,
        };
        Some((fact, same))
    }

    /// The processor is gone: its memory with it; its view and what is on disk stay.
    pub(super) fn crashed(
        &mut self,
        ground: &Ground<'_>,
        kappa: &mut Kappa,
        point: CrashPoint,
        position: u64,
    ) -> KappaFact {
        self.end();
        self.phase = StreamPhase::Crashed { point, position };
        self.position = position;
        self.replay = None;
        self.crashed_at_tick = ground.tick;
        self.crashes += 1;
        self.memory = Numbers::default();
        self.progress = Progress::default();
        kappa.set_health(self.number, Health::Down);
        let checkpoint = self.checkpoints.first().map(|newest| (newest.id, newest.position));
        self.crash = Some(CrashSpan {
            checkpoint: checkpoint.map_or(0, |(_, at)| at),
            position,
            read_to: self.highest_read(),
        });
        KappaFact::Crashed { version: self.number, point, position, checkpoint }
    }

    /// Ends the processor without a trace.
    pub(super) fn end(&mut self) {
        self.slot.end();
        self.spent.disk.bytes_written += self.disk.bytes_written;
        self.spent.disk.fsyncs += self.disk.fsyncs;
        self.disk = DiskStats::default();
    }

    /// A crash that waits for its moment.
    pub(super) fn arm(&mut self, armed: Armed) {
        self.armed.push(armed);
        self.notices.push(Notice::Arm(armed));
    }

    /// A checkpoint after the next micro-batch.
    pub(super) fn ask_for_checkpoint(&mut self) {
        self.notices.push(Notice::Checkpoint);
    }

    /// The loaded log has grown.
    pub(super) fn set_index(&mut self, ground: &Ground<'_>) {
        // One that is down need not be told of every step.
        self.notices.retain(|notice| !matches!(notice, Notice::Index(_)));
        self.notices.push(Notice::Index(Arc::clone(ground.index)));
    }

    /// Whether it is down.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.phase, StreamPhase::Crashed { .. })
    }

    /// Whether it has nothing more to do for now: down, or done with everything that has arrived.
    pub(super) fn rests(&self, arrived: u64) -> bool {
        self.is_down() || (self.position == arrived && self.replay.is_none())
    }

    /// What it has cost so far.
    pub(in crate::engine) fn spent(&self) -> Spent {
        let mut spent = self.spent;
        spent.disk.bytes_written += self.disk.bytes_written;
        spent.disk.fsyncs += self.disk.fsyncs;
        spent
    }

    /// One past the highest record that it ever read.
    pub(in crate::engine) fn highest_read(&self) -> u64 {
        self.deliveries.runs().last().map_or(0, |run| run.end)
    }

    fn stream_rules(&self, ground: &Ground<'_>) -> StreamRules {
        self.reading.stream_rules(&ground.plan.stream_rules.days)
    }

    fn serve(&mut self, report: &StreamReport, ground: &Ground<'_>, kappa: &mut Kappa) {
        if let Some(state) = &report.full {
            if let Some(replay) = &mut self.replay {
                let reading = stream_reading(&self.reading, ground);
                let rules = reading.stream_rules(&ground.plan.stream_rules.days);
                replay.same = Some(same_as_never_crashed(ground.index, &rules, &reading, state));
            }
            kappa.replace(self.number, (**state).clone());
        } else if let Some(emitted) = &report.work.emitted {
            let Work { changes, counted, late, .. } = &report.work;
            kappa.apply(self.number, Emission { changes, counted, late, position: emitted.clone() });
        }
    }
}

/// How the processor of a version reads under the guarantee of the run.
pub(super) fn stream_reading(reading: &Reading, ground: &Ground<'_>) -> Reading {
    let rules = guarantee(ground.plan.settings.guarantee).rules(reading.rules);
    Reading { rules, ..reading.clone() }
}
