//! The Kappa lane: versions of one stream view over the log and the arrivals of the run, in lockstep with the Lambda lane.
//!
//! There only once somebody has asked for it, so that runs without it are what they were. A version is a stream processor
//! with checkpoints of its own; which one serves readers is decided by [`crate::serving::Kappa`] alone.

mod books;
mod commands;
mod compare;
mod history;
mod picture;
mod side;

use std::sync::Arc;

pub(super) use books::VersionBooks;
pub(super) use commands::name_of;
pub(super) use compare::{Comparison, VersionShown};
pub(super) use picture::{Beside, cells};
pub(super) use side::Spent;
use side::VersionSide;

use super::{
    invariants::Invariants,
    lane::LanePlan,
    protocol::{KappaCommand, KappaFact, KappaMoment},
    strip::StripMemory,
    thinned::Keep,
};
use crate::{
    domain::{LateRecords, Lateness, RangeCounts, Reading, View},
    ingest::LogIndex,
    processing::RangeFold,
    serving::{Health, Kappa, Version, VersionNumber},
};
use history::KappaHistory;

/// What a version needs to know of the run around it.
pub(super) struct Ground<'a> {
    pub plan: &'a LanePlan,
    pub index: &'a Arc<LogIndex>,
    pub tick: u64,
    pub arrived: u64,
}

impl<'a> Ground<'a> {
    /// Of a lane.
    pub(super) fn new(plan: &'a LanePlan, index: &'a Arc<LogIndex>, tick: u64, arrived: u64) -> Self {
        Ground { plan, index, tick, arrived }
    }

    /// Whether nothing will arrive any more.
    fn is_end(&self) -> bool {
        self.index.is_last() && self.arrived == self.index.len()
    }

    /// Records a second of simulated time that a version manages: reading the log from its start costs what it costs a
    /// batch run, so a version that has to catch up is given as much.
    fn capacity(&self) -> u64 {
        self.plan.settings.stream_capacity.max(self.plan.settings.batch_capacity)
    }
}

/// What happened in the lane since it was last asked.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub facts: Vec<KappaFact>,
    /// What failed that is no injected fault: not part of the run.
    pub troubles: Vec<(&'static str, String)>,
    /// First breaks of something promised.
    pub broken: Vec<(&'static str, String)>,
}

impl Told {
    fn fact(&mut self, fact: KappaFact) {
        self.facts.push(fact);
    }

    fn trouble(&mut self, what: &'static str, why: String) {
        self.troubles.push((what, why));
    }
}

/// The lane.
#[derive(Debug)]
pub(super) struct KappaLane {
    pub(super) kappa: Kappa,
    /// The processors. A version keeps its place, so that it is drawn in one place as long as it lives.
    sides: [Option<VersionSide>; 2],
    told: Told,
    invariants: Invariants,
    next_full_check: u64,
    /// Whether the gate has opened since the other version started or one of the two crashed.
    gate_told: bool,
    /// Cost of versions that were deleted.
    gone: Spent,
    gone_crashes: u64,
    /// Records read more than once by versions that were deleted.
    gone_read_again: u64,
    history: KappaHistory,
    /// Commands carried out, with their ticks: the steps that a change of rules takes.
    steps: Vec<(u64, KappaCommand)>,
    /// The newest change of rules that came to its switch.
    changed: Option<Changed>,
    /// The most records that readers have seen.
    most_seen: u64,
    /// Ticks during which they saw fewer.
    ticks_short: u64,
    strip: StripMemory,
}

/// A change of rules that was made.
#[derive(Debug, Clone, Copy)]
struct Changed {
    /// From the start of the version to the switch.
    ticks: u64,
    /// Records that the version had read by then.
    reads: u64,
}

/// A check of every cell costs about one step for each (cell, user) pair; between facts it is made when it costs at most
/// this much a tick on average.
const PAIRS_A_TICK: u64 = 200;

impl KappaLane {
    /// Without a version.
    pub(super) fn new(ground: &Ground<'_>) -> KappaLane {
        KappaLane {
            kappa: Kappa::new(ground.index.partitions().len()),
            sides: [None, None],
            told: Told::default(),
            invariants: Invariants::of_kappa(ground.plan.settings.guarantee),
            next_full_check: 0,
            gate_told: false,
            gone: Spent::default(),
            gone_crashes: 0,
            gone_read_again: 0,
            history: KappaHistory::default(),
            steps: Vec::new(),
            changed: None,
            most_seen: 0,
            ticks_short: 0,
            strip: StripMemory::default(),
        }
    }

    /// The loaded log has grown.
    pub(super) fn set_index(&mut self, ground: &Ground<'_>) {
        self.sides.iter_mut().flatten().for_each(|side| side.set_index(ground));
    }

    /// Begins a superstep of every version.
    pub(super) fn begin(&mut self, ground: &Ground<'_>) {
        self.sides.iter_mut().flatten().for_each(|side| side.begin(ground));
    }

    /// Ends it: reports in the order of the versions' places.
    pub(super) fn finish(&mut self, ground: &Ground<'_>) {
        for side in self.sides.iter_mut().flatten() {
            side.finish(ground, &mut self.kappa, &mut self.told);
            if let Some((fact, same)) = side.finish_replay(ground, &mut self.kappa) {
                let (number, position) = (side.number, side.position);
                let example = || {
                    format!(
                        "at record {position} the state of version {number} is not that of one that never crashed"
                    )
                };
                self.told
                    .broken
                    .extend(self.invariants.note("I4", same, example).map(|example| ("I4", example)));
                self.told.fact(fact);
            }
        }
        self.caught_up(ground);
        self.check(ground, false);
        self.open_gate();
        self.watch_readers();
        self.record(ground, Keep::EveryStride);
    }

    /// What happened since the last call.
    pub(super) fn take_told(&mut self, tick: u64) -> Told {
        for fact in &self.told.facts {
            self.history.happened(tick, fact);
        }
        std::mem::take(&mut self.told)
    }

    /// Where the lane stands, for the journal.
    pub(super) fn mark(&self, ground: &Ground<'_>) -> Option<KappaFact> {
        let serving = self.kappa.serving()?;
        Some(KappaFact::Mark {
            serving: serving.number(),
            position: serving.position().total(),
            views: serving.view().merged_numbers().views,
            fingerprint: self.print(serving.number(), ground),
        })
    }

    /// Whether a moment has come.
    pub(super) fn is_due(&self, moment: KappaMoment, tick: u64) -> bool {
        match moment {
            KappaMoment::GateOpen => self.kappa.gate().is_ok(),
            KappaMoment::Reads { version, record } => {
                self.side(version).is_some_and(|side| side.position >= record && !side.is_down())
            }
            KappaMoment::TicksAfterCrash { version, ticks } => {
                self.side(version).is_some_and(|side| side.is_down() && tick >= side.crashed_at_tick + ticks)
            }
        }
    }

    /// Whether a moment can still come though nothing is read any more.
    pub(super) fn may_come(&self, moment: KappaMoment, tick: u64) -> bool {
        let waits = |version| self.side(version).is_some_and(VersionSide::is_down);
        match moment {
            KappaMoment::TicksAfterCrash { version, .. } => waits(version),
            KappaMoment::GateOpen | KappaMoment::Reads { .. } => self.is_due(moment, tick),
        }
    }

    /// Whether no version moves any further by itself.
    pub(super) fn rests(&self, arrived: u64) -> bool {
        self.sides.iter().flatten().all(|side| side.rests(arrived))
    }

    /// Whether the run may end: one version, up, done. Two of them wait for somebody to say which one stays.
    pub(super) fn lets_go(&self, arrived: u64) -> bool {
        let mut up = self.sides.iter().flatten().map(|side| !side.is_down());
        self.rests(arrived) && self.kappa.other().is_none() && up.all(|up| up)
    }

    /// The first counterexample to something promised.
    pub(super) fn first_broken(&self) -> Option<(&'static str, &str)> {
        self.invariants.first_broken()
    }

    /// Compares every cell of every view with a fold from the log, whatever it costs.
    pub(super) fn check_everything(&mut self, ground: &Ground<'_>) {
        self.check(ground, true);
    }

    /// Versions that were started so far.
    pub(super) fn started(&self) -> u64 {
        self.kappa.started()
    }

    /// Crashes of versions so far.
    pub(super) fn crashes(&self) -> u64 {
        self.gone_crashes + self.sides.iter().flatten().map(|side| side.crashes).sum::<u64>()
    }

    /// Records that a version read more than once.
    pub(super) fn read_more_than_once(&self) -> u64 {
        self.gone_read_again + self.sides.iter().flatten().map(read_again).sum::<u64>()
    }

    /// Whether the view that readers see is, cell by cell, that of a batch run over the same records under the settings of
    /// the version, but for the records that it lists as late: from scratch.
    pub(super) fn serving_equals_batch(&self, ground: &Ground<'_>) -> bool {
        let Some(serving) = self.kappa.serving() else { return false };
        let view = batch_view(ground, serving.reading(), serving.position().total(), serving.late());
        let (keys, users) = (ground.index.keys(), ground.index.users());
        view.fingerprint(keys, users) == serving.view().fingerprint(keys, users)
    }

    /// Whether a version has to know where partitions end: with a finite lateness it decides results.
    pub(super) fn needs_whole_log(&self) -> bool {
        self.kappa.versions().any(|version| version.reading().options.lateness != Lateness::Unbounded)
    }

    /// Whether readers see fewer records than they saw before: never, and counted all the same.
    fn watch_readers(&mut self) {
        let sees = self.kappa.serving().map_or(0, |version| version.position().total());
        self.ticks_short += u64::from(sees < self.most_seen);
        self.most_seen = self.most_seen.max(sees);
    }

    fn side(&self, number: VersionNumber) -> Option<&VersionSide> {
        self.sides.iter().flatten().find(|side| side.number == number)
    }

    fn side_mut(&mut self, number: VersionNumber) -> Option<&mut VersionSide> {
        self.sides.iter_mut().flatten().find(|side| side.number == number)
    }

    fn print(&self, number: VersionNumber, ground: &Ground<'_>) -> String {
        let print =
            |view: &crate::serving::Lambda| view.fingerprint(ground.index.keys(), ground.index.users());
        self.kappa.version(number).map(|version| print(version.view()).to_string()).unwrap_or_default()
    }

    fn caught_up(&mut self, ground: &Ground<'_>) {
        for side in self.sides.iter_mut().flatten() {
            // What does not fill a micro-batch yet waits for more.
            let waits =
                ground.arrived.saturating_sub(side.position) < ground.plan.settings.micro_batch_records;
            if !side.caught_up && !side.is_down() && (waits || side.position == ground.arrived) {
                side.caught_up = true;
                self.told.fact(KappaFact::CaughtUp { version: side.number, position: side.position });
            }
        }
    }

    /// Tells once that readers can change over; again after a crash of either version.
    fn open_gate(&mut self) {
        let down = self.kappa.versions().any(|version| version.health() == Health::Down);
        if down || self.kappa.other().is_none() {
            self.gate_told = false;
            return;
        }
        let (Ok(position), false) = (self.kappa.gate(), self.gate_told) else { return };
        let position = position.total();
        let numbers: Vec<VersionNumber> = self.kappa.versions().map(Version::number).collect();
        if let [serving, other] = numbers[..] {
            self.told.fact(KappaFact::GateOpened { serving, other, position });
        }
        self.gate_told = true;
    }

    /// I6 and I2: a view is the batch view of the records that it holds, under the settings of its version; totals at every
    /// tick, cells when `every_cell` or when that is cheap enough.
    fn check(&mut self, ground: &Ground<'_>, every_cell: bool) {
        let cells = every_cell || ground.tick >= self.next_full_check;
        let mut pairs = 0;
        for side in self.sides.iter_mut().flatten() {
            let Some(version) = self.kappa.version(side.number) else { continue };
            let (view, late, records) = (version.view(), version.late(), version.position().total());
            let found = view.merged_numbers();
            let folded = side.recount.view_without(ground.index, records, late);
            let mut holds = (found.views, found.sum) == (folded.total_views(), folded.total_sum());
            holds &= side.recount.left_out() == late.total();
            if cells {
                pairs += view.provisional_pairs();
                holds &= side.recount.fingerprint_without(ground.index, records, late)
                    == view.fingerprint(ground.index.keys(), ground.index.users());
            }
            let number = side.number;
            let example = || {
                format!(
                    "over {records} records the view of version {number} is not the batch view of its settings without \
                     the {} that it lists as late",
                    late.total()
                )
            };
            let broken = self.invariants.note("I6", holds, example);
            self.told.broken.extend(broken.map(|example| ("I6", example)));
            let twice = view.speed().effects.iter().flat_map(RangeCounts::runs).find(|run| run.count > 1);
            let effects: u64 = view.speed().effects.iter().map(RangeCounts::total).sum();
            let once = twice.is_none() && effects == found.views;
            let example =
                || format!("in version {number} {effects} records count for {} page views", found.views);
            let broken = self.invariants.note("I2", once, example);
            self.told.broken.extend(broken.map(|example| ("I2", example)));
        }
        if cells {
            self.next_full_check = ground.tick + 1 + pairs / PAIRS_A_TICK;
        }
    }
}

/// Records that a version read more than once.
fn read_again(side: &VersionSide) -> u64 {
    let again = side.deliveries.runs().iter().filter(|run| run.count > 1);
    again.map(|run| run.end - run.start).sum()
}

/// The view of a batch run over the first `records` records, as a version reads them, without late ones.
pub(super) fn batch_view(ground: &Ground<'_>, reading: &Reading, records: u64, late: &LateRecords) -> View {
    let rules = reading.stream_rules(&ground.plan.stream_rules.days);
    let start = ground.index.offsets_at(0);
    let mut fold = RangeFold::of_stream(&rules, start, late.clone());
    super::recount::each_record(ground.index, 0, records, |record| {
        fold.apply_named(&reading.of(record), ground.index.users());
    });
    fold.finish().0
}

#[cfg(test)]
mod tests;
