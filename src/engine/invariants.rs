//! The invariants that the program checks while it runs, in words, with the first counterexample.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    frame::{InvariantState, InvariantStatus},
    lane::Lane,
    protocol::Fact,
    recount::{Recount, each_record},
};
use crate::{
    checkpoint::GuaranteeId,
    domain::{Fingerprint, LateRecords, Offsets, RangeCounts, StreamRules, Uniques, View},
    ingest::LogIndex,
    processing::RangeFold,
};

/// A check of every cell costs about one step for each (cell, user) pair that speed touches; between facts it is made
/// when it costs at most this much a tick on average.
const PAIRS_A_TICK: u64 = 200;

/// From this many runs on, effects are added up only when a fact asks for it.
const RUNS_A_TICK: usize = 2_000;

#[derive(Debug, Clone)]
struct Watch {
    id: &'static str,
    sentence: &'static str,
    checks: u64,
    breaks: u64,
    counterexample: Option<String>,
    is_promised: bool,
}

/// How the invariants stand.
#[derive(Debug, Clone)]
pub struct Invariants {
    watches: Vec<Watch>,
    batch_fingerprints: BTreeMap<u64, Fingerprint>,
    next_full_check: u64,
}

impl Invariants {
    /// None checked yet.
    pub fn new(guarantee: GuaranteeId) -> Self {
        let exactly_once = guarantee.is_exactly_once();
        let watches = vec![
            watch("I1", "Batch runs over the same records publish the same view", true),
            watch("I2", "Every record that counts, counts once", exactly_once),
            watch("I3", "Merged equals a full recount", exactly_once),
            watch("I4", "After a crash and a restore: the state of a run that never crashed", exactly_once),
            watch("I5", "No damaged or foreign checkpoint is restored", true),
            watch("I7", "Every record has exactly one fate in each view", true),
        ];
        Invariants { watches, batch_fingerprints: BTreeMap::new(), next_full_check: 0 }
    }

    /// Of a Kappa lane, none checked yet.
    pub fn of_kappa(guarantee: GuaranteeId) -> Self {
        let exactly_once = guarantee.is_exactly_once();
        let watches = vec![
            watch("I2", "Every record that counts, counts once in every version", exactly_once),
            watch(
                "I4",
                "After a crash and a restore: the state of a version that never crashed",
                exactly_once,
            ),
            watch(
                "I6",
                "Every version is the batch view of the same records under its settings, without its late ones",
                exactly_once,
            ),
        ];
        Invariants { watches, batch_fingerprints: BTreeMap::new(), next_full_check: 0 }
    }

    /// A batch run published: the view of an earlier run with the same cut, if there was one.
    fn batch_published(&mut self, cut: u64, fingerprint: Fingerprint) -> Fingerprint {
        *self.batch_fingerprints.entry(cut).or_insert(fingerprint)
    }

    /// What was published over which records, in this playing and in earlier ones that it knows of.
    pub fn publications(&self) -> &BTreeMap<u64, Fingerprint> {
        &self.batch_fingerprints
    }

    /// What earlier playings of the same run published: the same cut must give the same view again.
    pub fn know(&mut self, publications: BTreeMap<u64, Fingerprint>) {
        self.batch_fingerprints = publications;
    }

    /// A checkpoint was restored: it had passed every check of its file.
    pub fn restored(&mut self) {
        let _holds = self.note("I5", true, String::new);
    }

    /// For the window.
    pub fn statuses(&self) -> Vec<InvariantStatus> {
        self.watches.iter().map(Watch::status).collect()
    }

    /// The first counterexample to something promised.
    pub fn first_broken(&self) -> Option<(&'static str, &str)> {
        let broken = self.watches.iter().find(|watch| watch.is_promised && watch.breaks > 0)?;
        Some((broken.id, broken.counterexample.as_deref().unwrap_or_default()))
    }

    /// Notes a check; the counterexample, where this was the first break of something promised.
    pub(super) fn note(
        &mut self,
        id: &str,
        holds: bool,
        counterexample: impl FnOnce() -> String,
    ) -> Option<String> {
        let watch = self.watches.iter_mut().find(|watch| watch.id == id)?;
        watch.checks += 1;
        if holds {
            return None;
        }
        watch.breaks += 1;
        let first = watch.counterexample.get_or_insert_with(counterexample);
        (watch.is_promised && watch.breaks == 1).then(|| first.clone())
    }
}

fn watch(id: &'static str, sentence: &'static str, is_promised: bool) -> Watch {
    Watch { id, sentence, checks: 0, breaks: 0, counterexample: None, is_promised }
}

impl Watch {
    fn status(&self) -> InvariantStatus {
        let counterexample = self.counterexample.clone().unwrap_or_default();
        let state = match (self.checks, self.breaks, self.is_promised) {
            (0, _, _) => InvariantState::NotYet,
            (checks, 0, _) => InvariantState::Holds { checks },
            (_, _, true) => InvariantState::Broken { counterexample },
            (_, breaks, false) => InvariantState::NotPromised { breaks, counterexample },
        };
        InvariantStatus { id: self.id, sentence: self.sentence, state }
    }
}

impl Lane {
    /// Compares merged with the recount, and the books with each other: totals at every tick, cells when `every_cell` or
    /// when that is cheap enough.
    pub(super) fn check_invariants(&mut self, every_cell: bool) {
        self.check_totals();
        let (batch, speed) = (self.lambda.batch(), self.lambda.speed());
        let runs = batch.effects.iter().chain(&speed.effects).map(|runs| runs.runs().len()).sum::<usize>();
        if every_cell || runs <= RUNS_A_TICK {
            self.check_books();
            let problem = self.fate_problem(every_cell);
            self.noted("I7", problem.is_none(), || problem.unwrap_or_default());
        }
        if every_cell || self.tick >= self.invariants.next_full_check {
            self.check_cells();
        }
    }

    /// I1: a batch run published.
    pub(super) fn check_publication(&mut self, cut: u64, fingerprint: Fingerprint) {
        let before = self.invariants.batch_published(cut, fingerprint);
        self.noted("I1", before == fingerprint, || {
            format!("two batch runs over {cut} records published {before} and {fingerprint}")
        });
    }

    /// I4: a replay ended, with the state of a run that never crashed or not.
    pub(super) fn check_replayed(&mut self, is_same: bool) {
        let position = self.stream.number;
        self.noted("I4", is_same, || {
            format!("at record {position} the state differs from a run that never crashed")
        });
    }

    fn check_totals(&mut self) {
        let covers = self.covers();
        let merged = self.lambda.merged_numbers();
        let recount = Recount::numbers(&self.index, covers);
        let late = self.lambda.speed().late.total();
        // With late records or sketches the rest is left to the check of every cell.
        let is_approximate = self.is_approximate();
        let holds = if is_approximate { merged.views + late == recount.views } else { merged == recount };
        self.noted("I3", holds, || {
            format!(
                "over {covers} records merged has {} page views and {} unique users, a full recount {} and {}; \
                 {late} are listed as late",
                merged.views, merged.users, recount.views, recount.users
            )
        });
    }

    /// Whether merged differs from the full recount now, as its settings say that it may.
    fn is_approximate(&self) -> bool {
        self.plan.settings.uniques != Uniques::Set || !self.lambda.speed().late.is_empty()
    }

    fn check_cells(&mut self) {
        let covers = self.covers();
        // Folding anew costs every record, in two ranges.
        let records = if self.is_approximate() { 2 * covers } else { 0 };
        let pairs = self.lambda.provisional_pairs() + records;
        self.invariants.next_full_check = self.tick + 1 + pairs / PAIRS_A_TICK;
        let index = std::sync::Arc::clone(&self.index);
        let merged = self.lambda.fingerprint(index.keys(), index.users());
        let expected = if self.is_approximate() {
            self.expected_merged().fingerprint(index.keys(), index.users())
        } else {
            self.recount.fingerprint(&index, covers)
        };
        self.noted("I3", merged == expected, || {
            format!("over {covers} records merged is {merged}, a full recount {expected}")
        });
    }

    /// What merged has to be, from the log itself: batch exactly, and above its cut what the stream counts, without the
    /// listed late records.
    fn expected_merged(&self) -> View {
        let (batch, speed, index) = (self.lambda.batch(), self.lambda.speed(), &self.index);
        let (none, start) = (LateRecords::new(), Offsets::start(index.partitions().len()));
        let exact = StreamRules::from(self.plan.rules);
        let above = StreamRules { options: self.plan.stream_rules.options, ..exact.clone() };
        let mut view = fold_between(index, &exact, &none, &start, &batch.cut);
        let speed = fold_between(index, &above, &speed.late, &batch.cut, &self.lambda.covers());
        view.merge_named(&speed, index.users());
        view
    }

    /// I2: in merged every record counts once or not at all, and as many count as a recount counts, but for late ones.
    fn check_books(&mut self) {
        let (batch, speed) = (self.lambda.batch(), self.lambda.speed());
        let twice =
            batch.effects.iter().chain(&speed.effects).flat_map(RangeCounts::runs).find(|run| run.count > 1);
        let overlap =
            speed.effects.iter().zip(batch.cut.as_slice()).find_map(|(runs, &cut)| {
                runs.runs().first().filter(|run| run.start < cut).map(|run| run.start)
            });
        let effects: u64 = batch.effects.iter().chain(&speed.effects).map(RangeCounts::total).sum();
        let example = match (twice, overlap) {
            (Some(run), _) => Some(format!(
                "records {} to {} of a partition count {} times",
                run.start,
                run.end - 1,
                run.count
            )),
            (_, Some(start)) => Some(format!("record {start} of a partition counts in batch and in speed")),
            _ => None,
        };
        let expected = Recount::numbers(&self.index, self.covers()).views;
        let late = self.lambda.speed().late.total();
        let example = example.or_else(|| {
            (effects + late != expected).then(|| {
                format!("{effects} records count and {late} are late, {expected} are to count in the log")
            })
        });
        self.noted("I2", example.is_none(), || example.unwrap_or_default());
    }

    fn noted(&mut self, id: &'static str, holds: bool, counterexample: impl FnOnce() -> String) {
        if let Some(counterexample) = self.invariants.note(id, holds, counterexample) {
            self.happened(Fact::InvariantBroken { id, counterexample });
        }
    }
}

/// `fold(L[from, to))` without the late records. Both vectors are ones that delivery passes through.
fn fold_between(
    index: &Arc<LogIndex>,
    rules: &StreamRules,
    late: &LateRecords,
    from: &Offsets,
    to: &Offsets,
) -> View {
    let mut fold = RangeFold::of_stream(rules, from.clone(), late.clone());
    each_record(index, 0, to.total(), |record| fold.apply_named(record, index.users()));
    fold.finish().0
}
