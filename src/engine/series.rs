//! What happened over run time, thinned for the window: points, marks, bands, the outline of the full recount.

use std::sync::Arc;

use super::{
    frame::{Band, BandKind, CheckpointInfo, Mark, MarkKind, OutlinePoint, Point, Totals},
    lane::Lane,
    protocol::{CheckpointId, Fact, TICKS_PER_SECOND},
    recount::Recount,
    thinned::{At, Keep, Thinned},
    worker::Written,
};
use crate::{checkpoint::checkpoint_id, ingest::LogIndex, serving::Numbers};

/// Points of the outline.
const OUTLINE_POINTS: u64 = 400;

/// Marks kept for the timeline; beyond, the oldest checkpoints go first.
const MAX_MARKS: usize = 2_000;

/// The history of a lane.
#[derive(Debug, Clone, Default)]
pub struct History {
    points: Thinned<Point>,
    marks: Vec<Mark>,
    bands: Vec<Band>,
    /// Newest first.
    checkpoints: Vec<CheckpointInfo>,
    /// (tick, records arrived) at which the arrival rate changed.
    rate_changes: Vec<(u64, u64)>,
    outline: Option<(u64, u64, Arc<[OutlinePoint]>)>,
}

impl At for Point {
    fn tick(&self) -> u64 {
        self.tick
    }
}

impl From<Numbers> for Totals {
    fn from(numbers: Numbers) -> Self {
        Totals { views: numbers.views, users: numbers.users, sum: numbers.sum }
    }
}

impl History {
    /// The arrival rate changed.
    pub fn rate_changed(&mut self, tick: u64, arrived: u64) {
        self.rate_changes.push((tick, arrived));
    }

    /// A checkpoint was written; older ones beyond `retain` are gone.
    pub fn checkpoint_written(&mut self, tick: u64, written: &Written, retain: u64) {
        let info = CheckpointInfo {
            id: CheckpointId(written.id),
            position: written.position,
            bytes: written.bytes,
            write_micros: written.micros,
            tick,
            refused: None,
        };
        self.checkpoints.insert(0, info);
        self.checkpoints.truncate(usize::try_from(retain).unwrap_or(usize::MAX));
    }

    /// Old checkpoints were set aside.
    pub fn checkpoints_gone(&mut self) {
        self.checkpoints.clear();
    }

    /// The newest checkpoint on disk and its position.
    pub fn newest_checkpoint(&self) -> Option<(CheckpointId, u64)> {
        self.checkpoints.first().map(|newest| (newest.id, newest.position))
    }

    /// Checkpoints on disk, newest first.
    pub fn checkpoints(&self) -> &[CheckpointInfo] {
        &self.checkpoints
    }

    /// Notes a fact.
    pub fn happened(&mut self, tick: u64, fact: &Fact) {
        if let Fact::Restored { refused, .. } | Fact::RestoreRefused { refused } = fact {
            note_refused(&mut self.checkpoints, refused);
        }
        let mark = |kind, record| Mark { tick, kind, record };
        match *fact {
            Fact::BatchStarted { cut } => {
                self.open_band(tick, BandKind::BatchRun);
                self.push_mark(mark(MarkKind::BatchStarted, cut));
            }
            Fact::BatchPublished { cut, .. } => {
                self.close_band(tick, BandKind::BatchRun);
                self.push_mark(mark(MarkKind::BatchPublished, cut));
            }
            Fact::BatchCrashed { cut, .. } => {
                self.close_band(tick, BandKind::BatchRun);
                self.push_mark(mark(MarkKind::BatchCrashed, cut));
            }
            Fact::CheckpointWritten { position, .. } => self.push_mark(mark(MarkKind::Checkpoint, position)),
            Fact::StreamCrashed { position, .. } => {
                self.close_band(tick, BandKind::Replay);
                self.open_band(tick, BandKind::Down);
                self.push_mark(mark(MarkKind::StreamCrashed, position));
            }
            Fact::Restored { position, replay_to, .. } => {
                self.close_band(tick, BandKind::Down);
                if replay_to > position {
                    self.open_band(tick, BandKind::Replay);
                }
                self.push_mark(mark(MarkKind::Restored, position));
            }
            Fact::ReplayFinished { to, .. } => {
                self.close_band(tick, BandKind::Replay);
                self.push_mark(mark(MarkKind::ReplayFinished, to));
            }
            Fact::Started
            | Fact::RestoreRefused { .. }
            | Fact::StreamFinished { .. }
            | Fact::Finished { .. }
            | Fact::Kappa(_)
            | Fact::InvariantBroken { .. } => {}
        }
    }

    fn push_mark(&mut self, mark: Mark) {
        self.marks.push(mark);
        if self.marks.len() > MAX_MARKS {
            let oldest = self.marks.iter().position(|mark| mark.kind == MarkKind::Checkpoint).unwrap_or(0);
            self.marks.remove(oldest);
        }
    }

    fn open_band(&mut self, tick: u64, kind: BandKind) {
        self.bands.push(Band { from: tick, to: u64::MAX, kind });
    }

    fn close_band(&mut self, tick: u64, kind: BandKind) {
        if let Some(band) = self.bands.iter_mut().rev().find(|band| band.kind == kind && band.to == u64::MAX)
        {
            band.to = tick;
        }
    }

    /// Adds a point; plain ones only every stride.
    fn push(&mut self, point: Point, keep: Keep) {
        let marks = &self.marks;
        self.points.push(point, keep, |tick| marks.binary_search_by_key(&tick, |mark| mark.tick).is_ok());
    }

    /// Points so far.
    pub fn points(&mut self) -> Arc<[Point]> {
        self.points.points()
    }

    /// Marks so far.
    pub fn marks(&self) -> Arc<[Mark]> {
        self.marks.as_slice().into()
    }

    /// Bands so far; one that lasts ends now.
    pub fn bands(&self, now: u64) -> Arc<[Band]> {
        self.bands.iter().map(|band| Band { to: band.to.min(now), ..*band }).collect()
    }

    /// Full recount over the run time at which records arrive; what is ahead arrives at the present `rate`.
    pub fn outline(&mut self, index: &LogIndex, rate: u64) -> Arc<[OutlinePoint]> {
        if let Some((records, known_rate, outline)) = &self.outline
            && (*records, *known_rate) == (index.len(), rate)
        {
            return Arc::clone(outline);
        }
        let total = index.len();
        let mut points: Vec<OutlinePoint> = Vec::new();
        let changes: Vec<(u64, u64)> =
            std::iter::once((0, 0)).chain(self.rate_changes.iter().copied()).collect();
        let last = changes.last().copied().unwrap_or_default();
        for step in 0..=OUTLINE_POINTS.min(total.max(1)) {
            let records = total * step / OUTLINE_POINTS.min(total.max(1));
            let totals = index.totals(records);
            let totals = Totals { views: totals.views, users: totals.users, sum: totals.sum };
            points.push(OutlinePoint { tick: arrival_tick(&changes, last, rate, records), records, totals });
        }
        let outline: Arc<[OutlinePoint]> = points.into();
        self.outline = Some((index.len(), rate, Arc::clone(&outline)));
        outline
    }
}

/// When record number `records` arrives: on a straight line between rate changes, then at `rate`.
fn arrival_tick(changes: &[(u64, u64)], last: (u64, u64), rate: u64, records: u64) -> u64 {
    if records >= last.1 {
        return last.0 + ((records - last.1) * TICKS_PER_SECOND).div_ceil(rate.max(1));
    }
    let after = changes.partition_point(|&(_, arrived)| arrived <= records);
    match (changes.get(after.wrapping_sub(1)), changes.get(after)) {
        (Some(&(t0, r0)), Some(&(t1, r1))) if r1 > r0 => t0 + (t1 - t0) * (records - r0) / (r1 - r0),
        (Some(&(t0, _)), _) => t0,
        _ => 0,
    }
}

impl Lane {
    /// Notes where everything stands now.
    pub(super) fn record_point(&mut self, keep: Keep) {
        let alive = self.stream.slot.is_running();
        let memory = alive.then(|| Totals::from(self.stream.memory));
        let speed = Totals::from(self.lambda.speed_numbers());
        let every_read = memory.and_then(|memory| self.every_read(memory));
        let point = Point {
            tick: self.tick,
            batch: self.lambda.batch_numbers().into(),
            memory,
            speed,
            merged: self.lambda.merged_numbers().into(),
            recount: Recount::numbers(&self.index, self.covers()).into(),
            every_read,
            stale: !alive || self.stream.replay.is_some(),
        };
        self.history.push(point, keep);
    }

    /// The red line beside the memory, from a restore until publications have overridden all of it.
    fn every_read(&self, memory: Totals) -> Option<Totals> {
        if self.stream.beside.runs().is_empty() {
            return None;
        }
        let lost = Recount::of_ranges(&self.index, &self.stream.beside);
        Some(Totals { views: memory.views + lost.views, users: memory.users, sum: memory.sum + lost.sum })
    }
}
/// Keeps with each checkpoint that a restore did not take, given as file and reason, why.
fn note_refused(checkpoints: &mut [CheckpointInfo], refused: &[(String, String)]) {
    for (file, why) in refused {
        let id = checkpoint_id(file).map(CheckpointId);
        if let Some(info) = checkpoints.iter_mut().find(|info| Some(info.id) == id) {
            info.refused = Some(why.clone());
        }
    }
}
