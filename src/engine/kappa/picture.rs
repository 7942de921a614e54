//! Builds what the window draws of the Kappa lane. Runs on the supervisor, never on the window's thread.

use std::{collections::BTreeSet, sync::Arc};

use super::{Ground, KappaLane, Spent, commands::in_words, side::VersionSide};
use crate::{
    domain::Day,
    engine::{
        frame::{Construction, DayDifference, KappaFrame, OutlinePoint, VersionFrame, VersionState},
        lane_sides::StreamPhase,
        protocol::TICKS_PER_SECOND,
    },
    serving::{Lambda, Version},
};

impl KappaLane {
    /// One picture of the lane beside the Lambda lane of the same run.
    pub(in crate::engine) fn frame(
        &mut self,
        ground: &Ground<'_>,
        rate: u64,
        outline: Arc<[OutlinePoint]>,
        lambda_cost: Construction,
    ) -> KappaFrame {
        let frame_of =
            |version: &Version| self.side(version.number()).map(|side| version_frame(side, version, ground));
        let serving = self.kappa.serving().and_then(frame_of);
        let other =
            self.kappa.other().and_then(|(role, version)| frame_of(version).map(|frame| (role, frame)));
        let days = match (self.kappa.serving(), self.kappa.other()) {
            (Some(serving), Some((_, other))) => days(serving.view(), other.view()),
            _ => Vec::new(),
        };
        KappaFrame {
            closed: self.kappa.gate().err().map(|closed| closed.to_string()),
            arrived: ground.arrived,
            days: days.into(),
            series: self.history.points(),
            outline,
            invariants: self.invariants.statuses().into(),
            lambda_cost,
            kappa_cost: self.cost(ground, rate),
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
            // The stream fold alone; what serves is one of its views as it is.
            code_paths: 1,
            stored_views: self.kappa.versions().count() as u64,
            stored_cells: self.kappa.versions().map(|version| cells(version.view())).sum(),
            reads: spent.reads,
            records,
            micros: spent.micros,
            bytes_written: spent.disk.bytes_written,
            fsyncs: spent.disk.fsyncs,
            age_ticks: behind_records * TICKS_PER_SECOND / rate.max(1),
            behind_records,
        }
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

fn days(serving: &Lambda, other: &Lambda) -> Vec<DayDifference> {
    let all: BTreeSet<Day> = serving.speed_days().chain(other.speed_days()).collect();
    let of = |view: &Lambda, day: Day| view.day_numbers(day).1.into();
    all.into_iter()
        .map(|day| DayDifference { day: day.to_string(), serving: of(serving, day), other: of(other, day) })
        .collect()
}
