//! One pipeline over a log: arrivals, the two processors, serving, crashes and restores, tick by tick.
//!
//! `result = f(log, settings and seed, commands stamped with ticks, fault plan)`. A tick: due commands and faults; arrivals;
//! a bounded quantum for every worker, drawn from the seeded schedule; workers run, sharing nothing; reports are applied in
//! worker order; invariants; journal. Wall time plays no part.

use std::{collections::VecDeque, io, sync::Arc};

use super::{
    driver::Driver,
    invariants::Invariants,
    jobs::{BatchOrder, Notice, StreamOrder},
    journal::{Entry, JOURNAL_VERSION, Journal, MARK_EVERY_TICKS},
    kappa::KappaLane,
    lane_sides::{BatchSide, StreamPhase, StreamSide, draw},
    ledger::Ledger,
    protocol::{Fact, LaneCommand, LaneId, TICKS_PER_SECOND, Tick},
    read_model::counted_in_merged,
    recount::Recount,
    scenario::{Planned, PlannedFault, RunSettings, When},
    series::History,
    thinned::Keep,
};
use crate::{
    checkpoint::{Disk, guarantee},
    domain::{Lateness, Offsets, Rules, StreamRules},
    ingest::{LogIndex, Mapping},
    serving::{Lambda, VersionNumber},
};

/// Opens the checkpoint directory of a lane. Called for every incarnation of its stream processor.
pub type OpenDisk = Box<dyn Fn() -> io::Result<Box<dyn Disk>> + Send>;

/// Opens the checkpoint directory of a version of the Kappa lane. Called for every incarnation of its processor.
pub type OpenVersionDisk = Box<dyn Fn(VersionNumber) -> io::Result<Box<dyn Disk>> + Send>;

/// What a lane is made of.
pub struct LanePlan {
    /// Which lane.
    pub id: LaneId,
    /// Rates, intervals, guarantee.
    pub settings: RunSettings,
    /// The rules of verdicts.
    pub rules: Rules,
    /// By which the stream processor decides what counts.
    pub stream_rules: StreamRules,
    /// Hash of all settings that decide results.
    pub settings_hash: u128,
    /// How records are read, for the journal.
    pub mapping: Mapping,
    /// Commands that come up by themselves.
    pub commands: Vec<Planned>,
    /// Crashes armed from the start.
    pub faults: Vec<PlannedFault>,
    /// How workers are run.
    pub driver: Driver,
    /// Its checkpoint directory.
    pub disk: OpenDisk,
    /// The checkpoint directories of the versions of its Kappa lane.
    pub version_disk: OpenVersionDisk,
}

/// A lane.
pub struct Lane {
    pub(super) plan: LanePlan,
    pub(super) index: Arc<LogIndex>,
    pub(super) tick: u64,
    pub(super) arrived: u64,
    arrival_credit: u64,
    pub(super) rate: u64,
    pub(super) stream: StreamSide,
    pub(super) batch: BatchSide,
    pub(super) lambda: Lambda,
    pub(super) recount: Recount,
    pub(super) ledger: Ledger,
    pub(super) history: History,
    pub(super) invariants: Invariants,
    /// Record up to which the last check of fates went.
    pub(super) fates_checked: u64,
    pub(super) journal: Journal,
    pub(super) planned: VecDeque<Planned>,
    /// What a person did in an earlier playing of the same run, by tick.
    pub(super) repeated: VecDeque<(u64, LaneCommand)>,
    final_digest: Option<String>,
    pub(super) facts: Vec<(Tick, Fact)>,
    troubles: Vec<(&'static str, String)>,
    pub(super) carried_out: Vec<(u64, LaneCommand)>,
    pub(super) finished: bool,
    pub(super) stream_finished: bool,
    /// Beside it, over the same arrivals, once it was asked for.
    pub(super) kappa: Option<Box<KappaLane>>,
}

/// What became of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticked {
    /// Run time went on.
    On,
    /// The virtual clock stands until the records that the tick needs are loaded.
    WaitsForLog,
    /// Everything has been processed.
    Finished,
}

impl Lane {
    /// A lane at its paused start.
    pub fn new(plan: LanePlan, index: Arc<LogIndex>) -> Lane {
        let settings = plan.settings;
        let partitions = index.partitions().len();
        let mut journal = Journal::new();
        let header = Entry::Header {
            rederive_journal: JOURNAL_VERSION,
            mapping: &plan.mapping,
            settings,
            faults: &plan.faults,
        };
        journal.append(Tick(0), plan.id, &header);
        let stream = StreamSide::new(settings.seed, plan.faults.iter());
        let batch = BatchSide::new(settings, plan.faults.iter());
        let planned = plan.commands.iter().copied().collect();
        Lane {
            tick: 0,
            arrived: 0,
            arrival_credit: 0,
            rate: settings.rate,
            stream,
            batch,
            lambda: Lambda::new(partitions).counting(settings.uniques),
            recount: Recount::new(plan.rules),
            ledger: Ledger::default(),
            history: History::default(),
            invariants: Invariants::new(settings.guarantee),
            fates_checked: 0,
            journal,
            planned,
            repeated: VecDeque::new(),
            final_digest: None,
            facts: Vec::new(),
            troubles: Vec::new(),
            carried_out: Vec::new(),
            finished: false,
            stream_finished: false,
            kappa: None,
            plan,
            index,
        }
    }

    /// The loaded log has grown.
    pub fn set_index(&mut self, index: Arc<LogIndex>) {
        // A stream that is down need not be told of every step.
        self.stream.notices.retain(|notice| !matches!(notice, Notice::Index(_)));
        self.stream.notices.push(Notice::Index(Arc::clone(&index)));
        self.index = index;
        self.kappa_set_index();
    }

    /// The journal.
    pub fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// Facts since the last call.
    pub fn take_facts(&mut self) -> Vec<(Tick, Fact)> {
        std::mem::take(&mut self.facts)
    }

    /// Commands carried out so far, with their ticks.
    pub fn carried_out(&self) -> &[(u64, LaneCommand)] {
        &self.carried_out
    }

    /// The first counterexample to an invariant that the guarantee promises.
    pub fn first_broken(&self) -> Option<(&'static str, &str)> {
        let kappa = self.kappa.as_ref().and_then(|kappa| kappa.first_broken());
        self.invariants.first_broken().or(kappa)
    }

    /// Whether merged is the full recount of the records that it covers, cell by cell.
    pub fn merged_equals_recount(&self) -> bool {
        // From scratch, both: nothing that was kept up while the run went on.
        let users = self.index.users();
        let merged = self.lambda.merged_view(users).fingerprint(self.index.keys(), users);
        let mut recount = Recount::new(self.plan.rules);
        merged == recount.fingerprint(&self.index, self.covers())
    }

    /// Records that count more than once in merged.
    pub fn counted_more_than_once(&self) -> u64 {
        let counts = (0..self.covers()).map(|number| counted_in_merged(self, number));
        counts.filter(|&count| count > 1).count() as u64
    }

    /// Crashes of the stream processor so far.
    pub fn stream_crashes(&self) -> u64 {
        self.stream.crashes
    }

    /// Forgets what was still to be done again at `tick` or later.
    pub fn forget_from(&mut self, tick: u64) {
        self.repeated.retain(|&(at, _)| at < tick);
    }

    /// What could not be done since the last call, and why: not part of the run, so not in its journal.
    pub fn take_troubles(&mut self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.troubles)
    }

    /// Notes that something failed which is no injected fault.
    pub(super) fn trouble(&mut self, what: &'static str, why: String) {
        self.troubles.push((what, why));
    }

    /// Does again what a person did in an earlier playing of the same run, at the same ticks.
    pub fn repeat(&mut self, done: &[(u64, LaneCommand)]) {
        self.repeated = done.iter().copied().collect();
    }

    /// The digest of the finished run.
    pub fn final_digest(&self) -> Option<String> {
        self.final_digest.clone()
    }

    /// Record number of the next record that the stream reads.
    pub fn stream_position(&self) -> u64 {
        self.stream.number
    }

    /// Whether the stream processor is gone.
    pub fn is_down(&self) -> bool {
        matches!(self.stream.phase, StreamPhase::Crashed { .. })
    }

    /// Whether the stream processor reads again what it had read before.
    pub fn is_replaying(&self) -> bool {
        self.stream.replay.is_some()
    }

    /// Numbers of the checkpoints on disk, newest first.
    pub fn checkpoint_ids(&self) -> Vec<u64> {
        self.history.checkpoints().iter().map(|checkpoint| checkpoint.id.0).collect()
    }

    /// Records of the loaded log.
    pub fn log_records(&self) -> u64 {
        self.index.len()
    }

    /// Compares every cell now, whatever it costs.
    pub fn check_everything(&mut self) {
        self.check_invariants(true);
        self.kappa_check_everything();
    }

    /// Run time.
    pub fn tick_now(&self) -> Tick {
        Tick(self.tick)
    }

    /// Whether everything has been processed.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether nothing can happen any more without a command: the stream is down and everything else is done.
    pub fn is_stuck(&self) -> bool {
        let down = matches!(self.stream.phase, StreamPhase::Crashed { .. });
        let stream_rests = down || self.stream_is_done();
        let log_done = self.index.is_last() && self.arrived == self.index.len();
        let batch_done = self.batch.covers == self.arrived && !self.batch.slot.is_running();
        // Positions do not move any more; moments in time still come.
        let nothing_planned = self.planned.front().is_none_or(|next| match next.at {
            When::Tick(_) | When::TicksAfterCrash(_) => false,
            When::Position(record) => self.stream.number < record,
            When::BatchCovers(records) => self.batch.covers < records,
            When::Kappa(moment) => !self.kappa_may_come(moment),
        });
        (down || self.kappa_holds_open())
            && stream_rests
            && self.kappa_rests()
            && log_done
            && batch_done
            && nothing_planned
            && self.repeated.is_empty()
    }

    /// One tick of run time.
    pub fn tick(&mut self) -> Ticked {
        if self.finished {
            return Ticked::Finished;
        }
        let due = self.arrival_credit + self.rate;
        let wanted = self.arrived + due / TICKS_PER_SECOND;
        // At the very end too: only a complete log says that nothing more will arrive.
        if !self.index.is_last() && (wanted >= self.index.len() || self.needs_whole_log()) {
            return Ticked::WaitsForLog;
        }
        if self.stream.phase == StreamPhase::Ready {
            self.start();
        }
        self.carry_out_due();
        self.arrival_credit = due % TICKS_PER_SECOND;
        self.arrived = wanted.min(self.index.len());
        self.start_batch_when_due();
        self.superstep();
        self.after_superstep();
        self.tick += 1;
        if self.finished { Ticked::Finished } else { Ticked::On }
    }

    /// With a finite lateness it matters when a partition is finished, and only a loaded log says so.
    fn needs_whole_log(&self) -> bool {
        self.plan.settings.lateness != Lateness::Unbounded || self.kappa_needs_whole_log()
    }

    fn superstep(&mut self) {
        let settings = self.plan.settings;
        if self.stream.slot.is_running() {
            let most = settings.stream_capacity.max(2 * settings.micro_batch_records);
            self.stream.credit = draw(
                &mut self.stream.draws,
                self.stream.credit,
                settings.stream_capacity,
                most * TICKS_PER_SECOND,
            );
            let order = StreamOrder {
                notices: std::mem::take(&mut self.stream.notices),
                quantum: self.stream.credit / TICKS_PER_SECOND,
                arrived: self.arrived,
                is_end: self.index.is_last() && self.arrived == self.index.len(),
            };
            self.stream.slot.begin(order);
        }
        if self.batch.slot.is_running() {
            let most = settings.batch_capacity * TICKS_PER_SECOND;
            self.batch.credit = draw(&mut self.batch.draws, self.batch.credit, settings.batch_capacity, most);
            let order = BatchOrder {
                quantum: self.batch.credit / TICKS_PER_SECOND,
                crash: std::mem::take(&mut self.batch.crash_asked),
                crash_at: self.batch.armed.iter().min().copied(),
            };
            self.batch.slot.begin(order);
        }
        self.kappa_begin();
        self.take_stream_report();
        self.take_batch_report();
        self.kappa_finish();
    }

    fn after_superstep(&mut self) {
        self.check_invariants(false);
        let end = self.index.is_last() && self.arrived == self.index.len();
        let stream_done = self.stream.slot.is_running() && self.stream.number == self.arrived;
        if end && self.stream_is_done() && !self.stream_finished {
            self.stream_finished = true;
            self.happened(Fact::StreamFinished { position: self.stream.number });
        }
        self.record_point(Keep::EveryStride);
        if (self.tick + 1).is_multiple_of(MARK_EVERY_TICKS) {
            let mark = Entry::Mark {
                fact: "mark",
                arrived: self.arrived,
                position: self.stream.number,
                batch_covers: self.batch.covers,
                merged_views: self.lambda.merged_numbers().views,
                digest: self.journal.digest(),
            };
            self.journal.append(Tick(self.tick), self.plan.id, &mark);
            self.kappa_mark();
        }
        let batch_done = self.batch.covers == self.arrived && !self.batch.slot.is_running();
        let all_done = self.stream_finished && stream_done && batch_done && !self.kappa_holds_open();
        if end && all_done && self.planned_is_done() {
            self.finish();
        }
    }

    /// A plan that still waits for a moment that cannot come any more does not keep a run open.
    fn planned_is_done(&self) -> bool {
        self.planned.iter().all(|planned| match planned.at {
            When::Tick(tick) => tick <= self.tick,
            When::Kappa(moment) => !self.kappa_may_come(moment),
            When::Position(_) | When::BatchCovers(_) | When::TicksAfterCrash(_) => true,
        })
    }

    /// Whether the stream has read everything that has arrived, and nothing again.
    fn stream_is_done(&self) -> bool {
        let up = self.stream.slot.is_running() && self.stream.replay.is_none();
        up && self.stream.number == self.arrived
    }

    fn finish(&mut self) {
        self.finished = true;
        self.check_everything();
        self.kappa_mark();
        self.record_point(Keep::Always);
        let merged_views = self.lambda.merged_numbers().views;
        let fingerprint = self.lambda.fingerprint(self.index.keys(), self.index.users()).to_string();
        let entry = Entry::Finished { fact: "finished", merged_views, fingerprint };
        self.journal.append(Tick(self.tick), self.plan.id, &entry);
        let recount_views = Recount::numbers(&self.index, self.covers()).views;
        let digest = self.journal.digest();
        self.final_digest = Some(digest.clone());
        self.facts.push((Tick(self.tick), Fact::Finished { merged_views, recount_views, digest }));
    }

    /// Records that merged covers.
    pub(super) fn covers(&self) -> u64 {
        self.batch.covers.max(self.served())
    }

    /// Records that the served speed view covers.
    pub(super) fn served(&self) -> u64 {
        self.lambda.speed().position.total()
    }

    /// The rules under which the stream classifies.
    pub(super) fn stream_rules(&self) -> StreamRules {
        let verdicts = guarantee(self.plan.settings.guarantee).rules(self.plan.stream_rules.verdicts);
        StreamRules { verdicts, ..self.plan.stream_rules.clone() }
    }

    /// Notes a fact: for the journal, the window, the history.
    pub(super) fn happened(&mut self, fact: Fact) {
        self.journal.append(Tick(self.tick), self.plan.id, &Entry::Fact(&fact));
        self.history.happened(self.tick, &fact);
        self.record_point(Keep::Always);
        self.facts.push((Tick(self.tick), fact));
    }

    /// The vector after the first `records` records.
    pub(super) fn vector(&self, records: u64) -> Offsets {
        self.index.offsets_at(records)
    }
}
