//! The search: the hypothesis that explains most is taken, then the one that explains most of the rest, and so on; then each
//! is looked for again beside the others, since what was taken first was judged in the noise of all.

use std::collections::BTreeMap;

use super::{
    candidates::{Lateness, Trial, Tried},
    case::{Case, Grid},
    hypothesis::{Family, Hypothesis, RuleChange},
    state::{CellDelta, Move, State},
};

/// At most so many hypotheses are taken together.
const MOST_STEPS: usize = 8;
/// How often all are looked for again.
const ROUNDS: usize = 2;
/// So many of those that explain something alone are kept.
const MOST_RANKED: usize = 16;
/// And so many of each family: neighbouring zones all explain something.
const MOST_OF_A_FAMILY: usize = 4;
/// Widths in thousandths that estimates are tried with: two and a half deviations of usual sketches.
const SKETCH_WIDTHS: [i64; 8] = [5, 10, 20, 35, 50, 80, 120, 200];
/// So few cells say nothing about estimates.
const LEAST_ESTIMATES: usize = 5;

/// A hypothesis that was taken, with all that it changes.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub hypothesis: Hypothesis,
    /// Moves with how the record stood before.
    pub moves: Vec<(Move, Move)>,
    pub cells: Vec<CellDelta>,
    /// Distance from theirs before and after.
    pub before: i64,
    pub after: i64,
}

/// What the search found.
pub(super) struct Found {
    pub steps: Vec<Taken>,
    /// Alone, best first.
    pub ranked: Vec<Tried>,
    /// Our own count.
    pub start: State,
    /// By cell, whether it has a row in ours.
    pub ours: Vec<bool>,
    pub before: i64,
    pub after: i64,
}

pub(super) fn search(case: &Case<'_>, grid: &mut Grid) -> Found {
    let start = State::new(case, grid);
    let mut search = Search { case, grid, lateness: Lateness::default(), start };
    let before = search.start.distance(case);
    let mut ranked = Vec::new();
    let mut plan: Vec<Hypothesis> = Vec::new();
    if before > 0 {
        ranked = search.trial(&search.start.clone(), None);
        ranked.retain(|tried| tried.is_sure);
        ranked.sort_by(|a, b| rank(b).cmp(&rank(a)).then(a.hypothesis.family().cmp(&b.hypothesis.family())));
        plan = search.greedy(plan, Some(&ranked));
        for _ in 0..ROUNDS {
            let (refined, is_better) = search.refined(plan);
            plan = refined;
            if !is_better {
                break;
            }
            plan = search.greedy(plan, None);
        }
        plan = search.with_sketch(plan);
    }
    let (steps, end) = search.replay(&plan);
    let ranked = shown(ranked);
    let after = end.distance(case);
    let ours = search.start.rows(search.grid.len());
    Found { steps, ranked, start: search.start, ours, before, after }
}

struct Search<'a, 'c> {
    case: &'a Case<'c>,
    grid: &'a mut Grid,
    lateness: Lateness,
    start: State,
}

impl Search<'_, '_> {
    fn trial(&mut self, state: &State, only: Option<Family>) -> Vec<Tried> {
        Trial { case: self.case, grid: self.grid, state, lateness: &mut self.lateness, only }.run()
    }

    /// Goes on from a plan while something explains enough of the rest.
    fn greedy(&mut self, mut plan: Vec<Hypothesis>, known: Option<&[Tried]>) -> Vec<Hypothesis> {
        let mut state = self.state_of(&plan);
        let mut known = known.map(<[Tried]>::to_vec);
        while plan.len() < MOST_STEPS && state.distance(self.case) > 0 {
            let tried = known.take().unwrap_or_else(|| self.trial(&state, None));
            let Some(best) = best(&tried) else { break };
            self.take(&mut state, &best.hypothesis);
            plan.push(best.hypothesis.clone());
        }
        plan
    }

    fn take(&mut self, state: &mut State, hypothesis: &Hypothesis) -> Taken {
        let hypothesis = rebased(hypothesis, state);
        let excess = self.lateness.wanted(self.case, state, &hypothesis);
        let change = state.change(self.case, self.grid, &hypothesis, &excess);
        let before = state.distance(self.case);
        let moves = change.moves.iter().map(|moved| (state.before(moved), *moved)).collect();
        state.take(self.case, &hypothesis, &change, &excess);
        Taken { hypothesis, moves, cells: change.cells, before, after: before - change.gain }
    }

    fn state_of(&mut self, plan: &[Hypothesis]) -> State {
        self.replay(plan).1
    }

    fn replay(&mut self, plan: &[Hypothesis]) -> (Vec<Taken>, State) {
        let mut state = self.start.clone();
        let steps = plan.iter().map(|hypothesis| self.take(&mut state, hypothesis)).collect();
        (steps, state)
    }

    /// Looks for each step anew beside all others; whether the plan became better.
    fn refined(&mut self, plan: Vec<Hypothesis>) -> (Vec<Hypothesis>, bool) {
        let mut plan = plan;
        let mut is_better = false;
        let mut distance = self.state_of(&plan).distance(self.case);
        let mut place = 0;
        while place < plan.len() && plan.len() > 1 {
            let mut others = plan.clone();
            let step = others.remove(place);
            let state = self.state_of(&others);
            let without = state.distance(self.case);
            // What explains nothing beside the others goes.
            if without <= distance {
                (plan, distance, is_better) = (others, without, true);
                continue;
            }
            place += 1;
            if distance == 0 {
                continue;
            }
            let tried = self.trial(&state, Some(step.family()));
            if let Some(best) = best(&tried)
                && without - best.gain < distance
            {
                others.insert((place - 1).min(others.len()), best.hypothesis.clone());
                // In another place among the others it may change a little more or less.
                let again = self.state_of(&others).distance(self.case);
                if again < distance {
                    (plan, distance, is_better) = (others, again, true);
                }
            }
        }
        (plan, is_better)
    }

    /// Where nothing else explains the users: whether they look like estimates.
    fn with_sketch(&mut self, mut plan: Vec<Hypothesis>) -> Vec<Hypothesis> {
        let state = self.state_of(&plan);
        let distance = state.distance(self.case);
        if !self.case.has_users || distance == 0 {
            return plan;
        }
        let mut best: Option<(i64, i64)> = None;
        for width in SKETCH_WIDTHS {
            let change = state.change(self.case, self.grid, &Hypothesis::Sketch(width), &[]);
            // With the same views there are fewer users only where users are estimated.
            let some_under = change.cells.iter().any(|delta| delta.users < 0);
            let many = change.cells.len() >= LEAST_ESTIMATES;
            let is_better = best.is_none_or(|(gain, _)| change.gain > gain);
            if many && some_under && is_better && change.gain * 20 >= distance * 19 {
                best = Some((change.gain, width));
            }
        }
        plan.extend(best.map(|(_, width)| Hypothesis::Sketch(width)));
        plan
    }
}

/// The best few of each family.
fn shown(ranked: Vec<Tried>) -> Vec<Tried> {
    let mut by_family: BTreeMap<Family, usize> = BTreeMap::new();
    let mut few = |tried: &Tried| {
        let count = by_family.entry(tried.hypothesis.family()).or_default();
        *count += 1;
        *count <= MOST_OF_A_FAMILY
    };
    ranked.into_iter().filter(|tried| few(tried)).take(MOST_RANKED).collect()
}

/// A rule is one change of the rules as they stand, whatever stood when it was found.
fn rebased(hypothesis: &Hypothesis, state: &State) -> Hypothesis {
    let Hypothesis::Rules(found, change) = hypothesis else { return hypothesis.clone() };
    let mut rules = state.rules;
    match change {
        RuleChange::Zone => rules.zone = found.zone,
        RuleChange::Page => rules.page = found.page,
        RuleChange::Anonymous => rules.anonymous = found.anonymous,
        RuleChange::Redelivered => rules.redelivered = found.redelivered,
        RuleChange::Duplicates => rules.duplicates = found.duplicates,
        RuleChange::Malformed => rules.malformed = found.malformed,
        RuleChange::Users => rules.users = found.users,
    }
    Hypothesis::Rules(rules, *change)
}

/// How much a hypothesis explains, less what its freedom is worth: a range fits more by chance than a rule.
fn rank(tried: &Tried) -> i64 {
    let per_mille = match tried.hypothesis.family() {
        Family::Rule(_) => 0,
        Family::Whole => 2,
        Family::Segments | Family::Lines => 5,
        Family::Late => 10,
        Family::Range | Family::Sketch => 20,
    };
    tried.gain * (1_000 - per_mille)
}

/// The best that explains more than it spoils.
fn best(tried: &[Tried]) -> Option<&Tried> {
    let is_good = |tried: &&Tried| {
        tried.is_sure
            && match tried.hypothesis.family() {
                Family::Rule(_) => tried.gain * 4 >= tried.size,
                Family::Whole | Family::Segments | Family::Lines | Family::Late => {
                    tried.gain * 2 >= tried.size
                }
                // A single record can be a range by chance.
                Family::Range | Family::Sketch => tried.records >= 2 && tried.gain * 5 >= tried.size * 3,
            }
    };
    let simpler = |tried: &Tried| std::cmp::Reverse(tried.hypothesis.family());
    // Of equals the first one: `max_by` would take the last.
    tried.iter().filter(is_good).rev().max_by(|a, b| rank(a).cmp(&rank(b)).then(simpler(a).cmp(&simpler(b))))
}
