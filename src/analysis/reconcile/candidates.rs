//! All hypotheses that are tried against a count as it stands.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    case::{Case, Grid, NO_CELL, at},
    hypothesis::{AnonymousRule, Family, Hypothesis, Order, RecordSet, RuleChange, Rules, Taken, UserRule},
    late::{WatermarkKind, best_lateness, excess},
    pages::PageRule,
    ranges::{Effect, best_range},
    state::{Change, State},
};
use crate::{domain::Day, ingest::RawFlags};

/// At least so many day zones are tried cell by cell, the rest of them as long as they cost little; a coarser look at the
/// days puts the likely ones first.
const LEAST_ZONES: usize = 10;
/// Records over all zones that are tried.
const MOST_ZONED: usize = 10_000_000;
/// Files in a partition beyond which single ones are not tried.
const MOST_SEGMENTS: usize = 20_000;
const QUARTER_NANOS: i64 = 900_000_000_000;

/// A hypothesis with what it would change.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub hypothesis: Hypothesis,
    pub gain: i64,
    pub size: i64,
    pub records: u64,
    /// Whether so good a fit is more than chance.
    pub is_sure: bool,
}

/// How late records came, by watermark, for the days of one zone.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    zone: Option<u32>,
    by_kind: BTreeMap<WatermarkKind, Vec<i64>>,
}

impl Lateness {
    /// How late each record came by one watermark.
    pub fn of(&mut self, case: &Case<'_>, state: &State, kind: WatermarkKind) -> &[i64] {
        if self.zone != Some(state.rules.zone) {
            self.by_kind.clear();
            self.zone = Some(state.rules.zone);
        }
        self.by_kind.entry(kind).or_insert_with(|| excess(case, state, kind))
    }

    /// What [`State::change`] needs for a hypothesis.
    pub fn wanted(&mut self, case: &Case<'_>, state: &State, hypothesis: &Hypothesis) -> Vec<i64> {
        match hypothesis {
            Hypothesis::Missing(RecordSet::Late(kind, _)) | Hypothesis::Doubled(RecordSet::Late(kind, _)) => {
                self.of(case, state, *kind).to_vec()
            }
            _ => Vec::new(),
        }
    }
}

/// Tries hypotheses of one family, or of all but sketches.
pub(super) struct Trial<'a, 'c> {
    pub case: &'a Case<'c>,
    pub grid: &'a mut Grid,
    pub state: &'a State,
    pub lateness: &'a mut Lateness,
    pub only: Option<Family>,
}

impl Trial<'_, '_> {
    /// Those that come closer to theirs.
    pub fn run(mut self) -> Vec<Tried> {
        let mut hypotheses = Vec::new();
        self.rules(&mut hypotheses);
        self.sets(&mut hypotheses);
        self.lines(&mut hypotheses);
        self.late(&mut hypotheses);
        self.ranges(&mut hypotheses);
        let mut tried = Vec::new();
        let odds = Odds::of(self.case, self.state);
        for hypothesis in hypotheses {
            if !self.case.is_wanted() {
                return Vec::new();
            }
            let excess = self.lateness.wanted(self.case, self.state, &hypothesis);
            let change = self.state.change(self.case, self.grid, &hypothesis, &excess);
            if change.gain > 0 {
                tried.push(Tried::new(hypothesis, &change, &odds));
            }
        }
        tried
    }

    fn wants(&self, family: Family) -> bool {
        self.only.is_none_or(|only| only == family)
    }

    fn rules(&mut self, hypotheses: &mut Vec<Hypothesis>) {
        let (case, now) = (self.case, self.state.rules);
        let mut add = |change: RuleChange, rules: Rules| {
            if self.only.is_none_or(|only| only == Family::Rule(change)) && rules != now {
                hypotheses.push(Hypothesis::Rules(rules, change));
            }
        };
        if case.has(RawFlags::NO_USER) {
            for anonymous in [AnonymousRule::Skipped, AnonymousRule::Counted, AnonymousRule::AsUser] {
                add(RuleChange::Anonymous, Rules { anonymous, ..now });
            }
        }
        if case.has(RawFlags::REDELIVERED) {
            add(RuleChange::Redelivered, Rules { redelivered: Taken::Counted, ..now });
        }
        if case.has(RawFlags::DUPLICATE) {
            add(RuleChange::Duplicates, Rules { duplicates: Taken::Counted, ..now });
        }
        if case.has(RawFlags::MALFORMED) {
            add(RuleChange::Malformed, Rules { malformed: Taken::Counted, ..now });
        }
        if case.has_pages {
            // The rule with the fewest steps that changes the same.
            let mut rules: Vec<PageRule> = PageRule::all().collect();
            rules.sort_by_key(|rule| rule.distance(case.base.page));
            let mut different: Vec<PageRule> = Vec::new();
            for page in rules {
                if !case.pages.is_same(page, now.page)
                    && !different.iter().any(|one| case.pages.is_same(*one, page))
                {
                    different.push(page);
                    add(RuleChange::Page, Rules { page, ..now });
                }
            }
        }
        if case.has_days && self.only.is_none_or(|only| only == Family::Rule(RuleChange::Zone)) {
            for zone in likely_zones(case, self.state) {
                add(RuleChange::Zone, Rules { zone, ..now });
            }
        }
        if case.has_users {
            let apart = [(UserRule::PerDay, !case.has_days), (UserRule::PerPage, !case.has_pages)];
            let always = [UserRule::PerSegment, UserRule::PerPartition, UserRule::PerHour, UserRule::PerView];
            let kinds = always.into_iter().map(|rule| (rule, true)).chain(apart);
            for users in kinds.filter(|(_, fits)| *fits).map(|(rule, _)| rule).chain([UserRule::Distinct]) {
                add(RuleChange::Users, Rules { users, ..now });
            }
        }
    }

    fn sets(&self, hypotheses: &mut Vec<Hypothesis>) {
        let case = self.case;
        let mut sets: Vec<RecordSet> = Vec::new();
        if self.wants(Family::Whole) {
            hypotheses.push(Hypothesis::Doubled(RecordSet::All));
            if case.theirs.is_empty() {
                hypotheses.push(Hypothesis::Missing(RecordSet::All));
            }
            let partitions = u16::try_from(case.raw.partitions().len()).unwrap_or(u16::MAX);
            if partitions > 1 {
                sets.extend((0..partitions).map(RecordSet::Partition));
            }
            let endings: BTreeSet<String> =
                case.raw.segments().iter().filter_map(|segment| ending(&segment.path)).collect();
            if endings.len() > 1 {
                sets.extend(endings.into_iter().map(RecordSet::Ending));
            }
        }
        let segments = case.raw.segments().len();
        if self.wants(Family::Segments) && (2..=MOST_SEGMENTS).contains(&segments) {
            sets.extend((0..u32::try_from(segments).unwrap_or(0)).map(RecordSet::Segment));
        }
        for set in sets {
            hypotheses.push(Hypothesis::Missing(set.clone()));
            hypotheses.push(Hypothesis::Doubled(set));
        }
    }

    fn lines(&self, hypotheses: &mut Vec<Hypothesis>) {
        if !self.wants(Family::Lines) {
            return;
        }
        for set in [RecordSet::FirstOfSegments, RecordSet::LastOfSegments, RecordSet::Repeated] {
            hypotheses.push(Hypothesis::Missing(set));
        }
    }

    fn late(&mut self, hypotheses: &mut Vec<Hypothesis>) {
        if !self.wants(Family::Late) {
            return;
        }
        let one_partition = self.case.by_partition.len() < 2;
        for kind in WatermarkKind::ALL {
            let is_same = one_partition && matches!(kind, WatermarkKind::Partition | WatermarkKind::Largest);
            if is_same || (kind == WatermarkKind::Arrival && !self.case.raw.has_arrivals()) {
                continue;
            }
            let excess = self.lateness.of(self.case, self.state, kind);
            if let Some((set, _)) = best_lateness(self.case, self.state, kind, excess) {
                hypotheses.push(Hypothesis::Missing(set));
            }
        }
    }

    fn ranges(&self, hypotheses: &mut Vec<Hypothesis>) {
        if !self.wants(Family::Range) {
            return;
        }
        let partitions =
            (0..u16::try_from(self.case.by_partition.len()).unwrap_or(u16::MAX)).map(Order::Partition);
        let many = self.case.by_partition.len() > 1;
        let orders =
            partitions.chain([Order::Delivery].into_iter().filter(|_| many)).chain([Order::EventTime]);
        for order in orders {
            if let Some((set, _)) = best_range(self.case, self.state, order, Effect::Missing) {
                hypotheses.push(Hypothesis::Missing(set));
            }
            if let Some((set, _)) = best_range(self.case, self.state, order, Effect::Doubled) {
                hypotheses.push(Hypothesis::Doubled(set));
            }
        }
    }
}

impl Tried {
    fn new(hypothesis: Hypothesis, change: &Change, odds: &Odds) -> Tried {
        let records = change.moves.len() as u64;
        let is_sure = odds.exclude_chance(&hypothesis, change);
        Tried { hypothesis, gain: change.gain, size: change.size, records, is_sure }
    }
}

/// How easily a set of records fits by chance: the share of records that lie in cells which lack something, or have too
/// much; and how many sets of a family there are to choose from.
struct Odds {
    lacking: f64,
    too_many: f64,
    records: f64,
    segments: f64,
}

/// A fit that would come about by chance in one log of a hundred is no finding.
const CHANCE: f64 = 0.01;

impl Odds {
    fn of(case: &Case<'_>, state: &State) -> Odds {
        let rest = state.rest(case);
        let (mut all, mut lacking, mut too_many) = (0.0, 0.0, 0.0);
        for (&cell, _) in state.cells.iter().zip(&state.weights).filter(|(_, weight)| **weight > 0) {
            all += 1.0;
            match at(&rest, cell) {
                0 => {}
                rest if rest < 0 => lacking += 1.0,
                _ => too_many += 1.0,
            }
        }
        let share = |part: f64| if all > 0.0 { part / all } else { 1.0 };
        let segments = case.raw.segments().len() as f64;
        Odds { lacking: share(lacking), too_many: share(too_many), records: all, segments }
    }

    fn exclude_chance(&self, hypothesis: &Hypothesis, change: &Change) -> bool {
        let sets = match hypothesis.family() {
            Family::Rule(_) | Family::Whole | Family::Sketch => return true,
            Family::Lines => 1.0,
            Family::Segments => self.segments,
            Family::Late | Family::Range => self.records,
        };
        let share = match hypothesis {
            Hypothesis::Doubled(_) => self.too_many,
            Hypothesis::Missing(_) | Hypothesis::Rules(..) | Hypothesis::Sketch(_) => self.lacking,
        };
        let fit = change.moves.len() as f64 * change.gain as f64 / change.size.max(1) as f64;
        sets.ln() + fit * share.ln() < CHANCE.ln()
    }
}

fn ending(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    name.rfind('.').filter(|&at| at > 0).and_then(|at| name.get(at..)).map(ToOwned::to_owned)
}

/// The zones whose days come closest to theirs in total, over all pages, in the order of the list.
fn likely_zones(case: &Case<'_>, state: &State) -> Vec<u32> {
    let mut theirs: BTreeMap<i32, i64> = BTreeMap::new();
    let mut quarters: BTreeMap<(i64, i32), i64> = BTreeMap::new();
    // Neighbours mostly share their quarter of an hour.
    let mut last: Option<((i64, i32), i64)> = None;
    for (number, record) in (0_u32..).zip(case.raw.records()) {
        let weight = i64::from(at(&state.weights, number));
        if weight > 0 && at(&state.cells, number) != NO_CELL {
            let key = (record.time.0.div_euclid(QUARTER_NANOS), record.written_offset_seconds);
            let amount = weight * case.amount(number);
            match &mut last {
                Some((known, sum)) if *known == key => *sum += amount,
                _ => {
                    if let Some((ended, sum)) = last.replace((key, amount)) {
                        *quarters.entry(ended).or_default() += sum;
                    }
                }
            }
        }
    }
    if let Some((key, sum)) = last {
        *quarters.entry(key).or_default() += sum;
    }
    for (day, amount) in case.day_totals() {
        *theirs.entry(day).or_default() += amount;
    }
    let mut scored: Vec<(i64, u32)> = Vec::new();
    for number in case.zones.numbers() {
        let Some(zone) = case.zones.get(number) else { continue };
        let mut rest = theirs.clone();
        let mut piece = 0;
        for (&(quarter, written), amount) in &quarters {
            let Day(day) = zone.day(crate::domain::EventTime(quarter * QUARTER_NANOS), written, &mut piece);
            *rest.entry(day).or_default() -= amount;
        }
        scored.push((rest.values().map(|rest| rest.abs()).sum(), number));
    }
    scored.sort_unstable();
    let most = LEAST_ZONES.max(MOST_ZONED / case.raw.records().len().max(1));
    let mut likely: Vec<u32> = scored.into_iter().take(most).map(|(_, number)| number).collect();
    likely.sort_unstable();
    likely
}
