//! Where a lane and the Kappa lane beside it meet: one clock, one log, one journal.

use super::{
    frame::{Construction, KappaFrame, Known, RuleChange},
    journal::Entry,
    kappa::{Beside, Comparison, Ground, KappaLane, VersionBooks, VersionShown, cells, name_of},
    lane::Lane,
    protocol::{
        Answer, EngineEvent, Fact, KAPPA, KappaCommand, KappaFact, KappaMoment, LaneCommand,
        TICKS_PER_SECOND, Tick, VersionSettings,
    },
    read_model::ReadModel,
    session::Session,
};
use crate::{domain::Lateness, serving::VersionNumber};

/// What a change of rules takes in the Lambda lane, as the commands of a lane: both processors end, the stream starts at
/// record 0, a batch run starts.
const LAMBDA_CHANGE: [&str; 3] =
    ["stop the stream and the batch run", "start the stream at record 0", "start a batch run"];

/// How the Kappa lane of a run stands, for expectations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KappaResult {
    /// The version that readers see.
    pub serving: Option<VersionNumber>,
    /// Page views that they see.
    pub views: u64,
    /// Views that are stored.
    pub stored_views: u64,
    /// Whether what they see is the batch view of the same records under the settings of the version, but for the records
    /// that it lists as late.
    pub equals_batch: bool,
    /// How many those are.
    pub late: u64,
    /// Crashes of versions.
    pub crashes: u64,
    /// Records that a version read more than once.
    pub read_more_than_once: u64,
}

impl Session {
    /// Compares the two versions on the thread of the answers: it walks through the whole log.
    pub(super) fn answer_versions(&mut self, number: u64) {
        let lane = self.open.as_ref().and_then(|open| open.lane.as_ref());
        let Some(comparison) = lane.and_then(Lane::comparison) else {
            let nothing = Answer::Nothing("there are no two versions to compare".to_owned());
            return self.tell(EngineEvent::Answered(number, nothing));
        };
        self.answer_later(number, move || Answer::VersionDifferences(Box::new(comparison.differences())));
    }
}

impl Lane {
    /// What is to be compared of the two versions now.
    pub(super) fn comparison(&self) -> Option<Comparison> {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        self.kappa.as_ref().and_then(|kappa| kappa.comparison(&ground))
    }

    /// What each version makes of the records.
    pub(super) fn version_books(&self) -> Vec<VersionBooks> {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        self.kappa.as_ref().map(|kappa| kappa.books(&ground)).unwrap_or_default()
    }

    /// What the view of a version shows.
    pub(super) fn version_shown(&self, number: VersionNumber) -> Option<VersionShown> {
        self.kappa.as_ref()?.shown(number)
    }

    /// Carries a command to the Kappa lane out; refused in words where it is not allowed.
    pub(super) fn kappa_command(&mut self, command: KappaCommand) -> bool {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        let mut fresh = None;
        let kappa = match &mut self.kappa {
            Some(kappa) => kappa,
            None => fresh.insert(Box::new(KappaLane::new(&ground))),
        };
        if let Err(why) = kappa.command(&ground, command) {
            self.trouble(name_of(command), why);
            return false;
        }
        if fresh.is_some() {
            self.kappa = fresh;
        }
        let command = LaneCommand::Kappa(command);
        self.carried_out.push((self.tick, command));
        self.journal.append(Tick(self.tick), KAPPA, &Entry::Command { command });
        self.kappa_tell();
        true
    }

    pub(super) fn kappa_set_index(&mut self) {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        if let Some(kappa) = &mut self.kappa {
            kappa.set_index(&ground);
        }
    }

    pub(super) fn kappa_begin(&mut self) {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        if let Some(kappa) = &mut self.kappa {
            kappa.begin(&ground);
        }
    }

    pub(super) fn kappa_finish(&mut self) {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        if let Some(kappa) = &mut self.kappa {
            kappa.finish(&ground);
            self.kappa_tell();
        }
    }

    pub(super) fn kappa_check_everything(&mut self) {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        if let Some(kappa) = &mut self.kappa {
            kappa.check_everything(&ground);
            self.kappa_tell();
        }
    }

    /// Where the Kappa lane stands, as a line of the journal.
    pub(super) fn kappa_mark(&mut self) {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        if let Some(mark) = self.kappa.as_ref().and_then(|kappa| kappa.mark(&ground)) {
            self.journal.append(Tick(self.tick), KAPPA, &Entry::Fact(&Fact::Kappa(mark)));
        }
    }

    /// Whether a version that is there, or one that a plan or an earlier playing starts, closes days: then run time stands
    /// until the log is loaded, from the start, whenever the log happens to be.
    pub(super) fn kappa_needs_whole_log(&self) -> bool {
        let closes_days = |command: &LaneCommand| {
            matches!(
                command,
                LaneCommand::Kappa(KappaCommand::StartVersion(VersionSettings {
                    lateness: Some(Lateness::Within(_)),
                    ..
                }))
            )
        };
        self.kappa.as_ref().is_some_and(|kappa| kappa.needs_whole_log())
            || self.planned.iter().any(|planned| closes_days(&planned.command))
            || self.repeated.iter().any(|(_, command)| closes_days(command))
    }

    pub(super) fn kappa_is_due(&self, moment: KappaMoment) -> bool {
        self.kappa.as_ref().is_some_and(|kappa| kappa.is_due(moment, self.tick))
    }

    pub(super) fn kappa_may_come(&self, moment: KappaMoment) -> bool {
        self.kappa.as_ref().is_some_and(|kappa| kappa.may_come(moment, self.tick))
    }

    /// Whether no version moves any further by itself.
    pub(super) fn kappa_rests(&self) -> bool {
        self.kappa.as_ref().is_none_or(|kappa| kappa.rests(self.arrived))
    }

    /// Whether a run that is otherwise done waits for its Kappa lane.
    pub(super) fn kappa_holds_open(&self) -> bool {
        self.kappa.as_ref().is_some_and(|kappa| !kappa.lets_go(self.arrived))
    }

    /// How often readers of the Kappa lane changed over, or back.
    pub fn changeovers(&self) -> u64 {
        let is_one = |command: &LaneCommand| {
            matches!(command, LaneCommand::Kappa(KappaCommand::Switch | KappaCommand::RollBack))
        };
        self.carried_out.iter().filter(|(_, command)| is_one(command)).count() as u64
    }

    /// How the Kappa lane stands.
    pub fn kappa_result(&self) -> KappaResult {
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        let Some(kappa) = &self.kappa else { return KappaResult::default() };
        let serving = kappa.kappa.serving();
        KappaResult {
            serving: serving.map(crate::serving::Version::number),
            views: serving.map_or(0, |version| version.view().merged_numbers().views),
            stored_views: kappa.kappa.versions().count() as u64,
            equals_batch: kappa.serving_equals_batch(&ground),
            late: serving.map_or(0, |version| version.late().total()),
            crashes: kappa.crashes(),
            read_more_than_once: kappa.read_more_than_once(),
        }
    }

    /// One picture of the Kappa lane; `model` knows the pages that are shown by name, once it has drawn the lane.
    pub fn kappa_frame(&mut self, model: &ReadModel) -> Option<KappaFrame> {
        self.kappa.as_ref()?;
        let lambda = self.lambda_cost();
        let outline = self.history.outline(&self.index, self.rate);
        let ground = Ground::new(&self.plan, &self.index, self.tick, self.arrived);
        let beside = Beside { rate: self.rate, outline, lambda, model };
        self.kappa.as_mut().map(|kappa| kappa.frame(&ground, beside))
    }

    /// What the Lambda lane of this run has cost.
    fn lambda_cost(&self) -> Construction {
        let (batch, speed) = (self.lambda.batch(), cells(&self.lambda));
        let behind_records = self.arrived.saturating_sub(self.covers());
        let has_streamed = self.stream.generation.0 > 0;
        let has_batched = self.batch.reads > 0;
        let has_merged = has_streamed && self.batch.covers > 0;
        let code = [
            has_batched.then_some("batch fold"),
            has_streamed.then_some("stream fold"),
            has_merged.then_some("merge of their views"),
        ];
        Construction {
            code: code.into_iter().flatten().collect(),
            stored_views: u64::from(self.batch.covers > 0) + u64::from(has_streamed),
            stored_cells: batch.view.rows().len() as u64 + speed,
            reads: self.batch.reads + self.stream.reads,
            records: self.ledger.highest_read().max(self.batch.covers),
            micros: self.batch.micros + self.stream.micros,
            bytes_written: self.stream.disk_before.bytes_written + self.stream.disk.bytes_written,
            fsyncs: self.stream.disk_before.fsyncs + self.stream.disk.fsyncs,
            age_ticks: behind_records * TICKS_PER_SECOND / self.rate.max(1),
            behind_records,
            change: self.lambda_change(),
        }
    }

    /// What other rules would take in the Lambda lane now. A batch view of the old rules and a speed view of the new ones
    /// do not merge, so both start anew; merged holds again what it held when either has read that far.
    fn lambda_change(&self) -> RuleChange {
        let settings = &self.plan.settings;
        let capacity = settings.stream_capacity.max(settings.batch_capacity);
        let ticks = (self.arrived * TICKS_PER_SECOND).checked_div(capacity);
        let commands = LAMBDA_CHANGE.as_slice();
        RuleChange {
            known: Known::Computed,
            commands: commands.into(),
            // Both folds read all that has arrived: verdicts depend on the whole prefix.
            reads: 2 * self.arrived,
            ticks_short: ticks.unwrap_or(0),
            ticks_to_answer: ticks,
            commands_back: commands.len() as u64,
        }
    }

    /// Hands on what happened in the Kappa lane: to the journal and the window.
    fn kappa_tell(&mut self) {
        let Some(kappa) = &mut self.kappa else { return };
        let told = kappa.take_told(self.tick);
        for fact in told.facts {
            self.kappa_happened(fact);
        }
        for (id, counterexample) in told.broken {
            self.happened(Fact::InvariantBroken { id, counterexample });
        }
        for (what, why) in told.troubles {
            self.trouble(what, why);
        }
    }

    fn kappa_happened(&mut self, fact: KappaFact) {
        let fact = Fact::Kappa(fact);
        self.journal.append(Tick(self.tick), KAPPA, &Entry::Fact(&fact));
        self.facts.push((Tick(self.tick), fact));
    }
}
