//! Builds what the window draws of the Kappa lane. Runs on the supervisor, never on the window's thread.

use std::{collections::BTreeSet, sync::Arc};

use super::{Changed, Ground, KappaLane, Spent, commands::in_words, side::VersionSide};
use crate::{
    domain::{Day, KeyId, NameTable as _, Verdict},
    engine::{
        frame::{
            Construction, KappaFrame, Known, OutlinePoint, Proof, RuleChange, Totals, VersionFrame,
            VersionGroup, VersionState,
        },
        lane_sides::StreamPhase,
        protocol::TICKS_PER_SECOND,
        read_model::{ReadModel, rest_of, totals},
        strip::{Judged, StripMemory, StripOf},
    },
    serving::{Lambda, Numbers, Version, VersionNumber},
};

/// What a change of rules takes: the next version is started, readers switch, the old view is deleted.
const CHANGE: [&str; 3] = ["start the next version", "switch", "delete the old view"];

/// What the lane is drawn beside.
pub(in crate::engine) struct Beside<'a> {
    /// Arrivals in records a second of simulated time.
    pub rate: u64,
    /// Full recount of the log over run time.
    pub outline: Arc<[OutlinePoint]>,
    /// What the Lambda lane of the run has cost.
    pub lambda: Construction,
    /// Which pages are shown by name, and the recount of the log by page and day.
    pub model: &'a ReadModel,
}

impl KappaLane {
    /// One picture of the lane beside the Lambda lane of the same run.
    pub(in crate::engine) fn frame(&mut self, ground: &Ground<'_>, beside: Beside<'_>) -> KappaFrame {
        let mut memory = std::mem::take(&mut self.strip);
        let proof = self.proof(ground, &mut memory);
        self.strip = memory;
        let frame_of =
            |version: &Version| self.side(version.number()).map(|side| version_frame(side, version, ground));
        let serving = self.kappa.serving().and_then(frame_of);
        let other =
            self.kappa.other().and_then(|(role, version)| frame_of(version).map(|frame| (role, frame)));
        KappaFrame {
            closed: self.kappa.gate().err().map(|closed| closed.to_string()),
            arrived: ground.arrived,
            by_page: self.by_page(ground, beside.model),
            by_day: self.by_day(beside.model),
            tracks: self.history.tracks(ground.tick),
            proof,
            series: self.history.points(),
            outline: beside.outline,
            invariants: self.invariants.statuses().into(),
            lambda_cost: beside.lambda,
            kappa_cost: self.cost(ground, beside.rate),
            steps: self.steps.iter().map(|&(tick, command)| (tick, in_words(command))).collect(),
            serving,
            other,
        }
    }

    fn cost(&self, ground: &Ground<'_>, rate: u64) -> Construction {
        let mut spent: Spent = self.gone;
        self.sides.iter().flatten().for_each(|side| spent.add(&side.spent()));
        let records = self.sides.iter().flatten().map(VersionSide::highest_read).max().unwrap_or(0);
        let served = self.kappa.serving().map_or(0, |version| version.position().total());
        let behind_records = ground.arrived.saturating_sub(served);
        Construction {
            // What serves is one of its views as it is.
            code: if self.kappa.started() > 0 { ["stream fold"].as_slice().into() } else { Arc::default() },
            stored_views: self.kappa.versions().count() as u64,
            stored_cells: self.kappa.versions().map(|version| cells(version.view())).sum(),
            reads: spent.reads,
            records,
            micros: spent.micros,
            bytes_written: spent.disk.bytes_written,
            fsyncs: spent.disk.fsyncs,
            age_ticks: behind_records * TICKS_PER_SECOND / rate.max(1),
            behind_records,
            change: self.change(ground, rate),
        }
    }

    /// What a change of rules has taken, or would take now.
    fn change(&self, ground: &Ground<'_>, rate: u64) -> RuleChange {
        // The next version gains on the arrivals by what it can read beyond them.
        let gains = ground.capacity().saturating_sub(rate);
        let ticks = (ground.arrived * TICKS_PER_SECOND).checked_div(gains);
        let meanwhile = ticks.unwrap_or(0) * rate / TICKS_PER_SECOND;
        let computed = (Known::Computed, ground.arrived + meanwhile, ticks);
        let (known, reads, ticks_to_answer) =
            self.changed.map_or(computed, |Changed { ticks, reads }| (Known::Measured, reads, Some(ticks)));
        // Until the old view is deleted, readers roll back in one step.
        let (commands, commands_back) = (CHANGE.as_slice().into(), 1);
        RuleChange { known, commands, reads, ticks_short: self.ticks_short, ticks_to_answer, commands_back }
    }

    /// The pages that are shown by name and, last, the rest.
    fn by_page(&self, ground: &Ground<'_>, model: &ReadModel) -> Arc<[VersionGroup]> {
        let Some(log) = model.log_groups() else { return Arc::default() };
        let (named, others) = model.top();
        let row = |&key: &KeyId| VersionGroup {
            label: ground.index.keys().text(key.0).to_owned(),
            page: Some(ground.index.keys().text(key.0).to_owned()),
            log: totals(log.key(key)),
            ..self.group(|view| view.key_numbers(key).1)
        };
        let mut rows: Vec<VersionGroup> = named.iter().map(row).collect();
        if others > 0 {
            let whole = self.group(Lambda::merged_numbers);
            let rest = |whole: Totals, of: fn(&VersionGroup) -> Totals| {
                let whole = Numbers { views: whole.views, users: 0, sum: whole.sum };
                rest_of(whole, rows.iter().map(of))
            };
            let log = crate::engine::recount::Recount::numbers(ground.index, ground.index.len());
            let rest = VersionGroup {
                label: format!("the other {others}"),
                serving: rest(whole.serving, |row| row.serving),
                other: rest(whole.other, |row| row.other),
                log: rest(log.into(), |row| row.log),
                ..VersionGroup::default()
            };
            rows.push(rest);
        }
        rows.into()
    }

    /// Days of both views. Those of another zone than the run's have no recount beside them on their edges.
    fn by_day(&self, model: &ReadModel) -> Arc<[VersionGroup]> {
        let days: BTreeSet<Day> =
            self.kappa.versions().flat_map(|version| version.view().speed_days()).collect();
        let of_log = |day: Day| model.log_groups().map_or_else(Totals::default, |log| totals(log.day(day)));
        let row = |day: Day| VersionGroup {
            label: day.to_string(),
            day: Some(day),
            log: of_log(day),
            ..self.group(|view| view.day_numbers(day).1)
        };
        days.into_iter().map(row).collect()
    }

    fn group(&self, of: impl Fn(&Lambda) -> Numbers) -> VersionGroup {
        let serving = self.kappa.serving().map(|version| of(version.view()).into());
        let other = self.kappa.other().map(|(_, version)| of(version.view()).into());
        VersionGroup {
            serving: serving.unwrap_or_default(),
            other: other.unwrap_or_default(),
            ..VersionGroup::default()
        }
    }

    /// How often the version that crashed last read each record, and how often its view counts it.
    fn proof(&self, ground: &Ground<'_>, memory: &mut StripMemory) -> Option<(VersionNumber, Arc<Proof>)> {
        let crashed = self.sides.iter().flatten().filter(|side| side.crash.is_some());
        let side = crashed.max_by_key(|side| side.crashed_at_tick)?;
        let view = self.kappa.version(side.number)?.view();
        let served = view.covers().total();
        let strip = StripOf {
            crash: side.crash?,
            deliveries: &side.deliveries,
            positions: &[served, side.position],
            covers: served,
            epoch: [
                side.number.0.into(),
                side.generation.0.into(),
                side.crashed_at_tick << 1 | u64::from(side.replay.is_some()),
            ],
            index: ground.index,
        };
        // Above its view nothing is known yet but what the run makes of a record.
        let proof = strip.draw(memory, |entry| {
            let counted = view.effect(entry.record.partition.index(), entry.record.offset);
            let is_unknown = entry.number >= served;
            let cannot_count = if is_unknown { entry.verdict != Verdict::Counted } else { counted == 0 };
            Judged { counted, cannot_count }
        });
        Some((side.number, Arc::new(proof)))
    }
}

fn version_frame(side: &VersionSide, version: &Version, ground: &Ground<'_>) -> VersionFrame {
    let state = match (side.phase, side.replay) {
        (StreamPhase::Crashed { point, .. }, _) => VersionState::Crashed {
            point,
            checkpoint: side.checkpoints.first().map(|newest| (newest.id, newest.position)),
        },
        (_, Some(replay)) => VersionState::Rereading { from: replay.from, to: replay.to },
        _ if side.caught_up => VersionState::UpToDate,
        _ => VersionState::CatchingUp,
    };
    VersionFrame {
        number: side.number,
        settings: side.settings,
        state,
        attempt: side.generation.0,
        position: side.position,
        view_position: version.position().total(),
        totals: version.view().merged_numbers().into(),
        late: version.late().total(),
        options: version.reading().options,
        watermark: side.progress.watermark,
        cells: cells(version.view()),
        checkpoints: side.checkpoints.as_slice().into(),
        reads: side.spent().reads,
        records: side.highest_read(),
        age_ticks: ground.tick.saturating_sub(side.started_at_tick),
        capacity: ground.capacity(),
    }
}

/// Rows of a stream view.
pub(in crate::engine) fn cells(view: &Lambda) -> u64 {
    view.speed().buckets.iter().map(|bucket| bucket.view.rows().len() as u64).sum()
}
