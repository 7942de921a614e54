//! What the Kappa lane looked like over run time, thinned for the window.

use std::sync::Arc;

use super::{Ground, KappaLane, side::VersionSide};
use crate::engine::frame::{KappaPoint, MAX_SERIES_POINTS, Totals, VersionPoint};

/// Points over run time: at most [`MAX_SERIES_POINTS`], every so many ticks.
#[derive(Debug, Default)]
pub(super) struct KappaHistory {
    points: Vec<KappaPoint>,
    /// A plain point is kept every so many ticks.
    stride: u64,
    shared: Option<Arc<[KappaPoint]>>,
}

impl KappaHistory {
    /// Adds a point; plain ones only every stride, `keep` ones until the series is full.
    fn push(&mut self, point: KappaPoint, keep: bool) {
        self.shared = None;
        let stride = self.stride.max(1);
        match self.points.last_mut() {
            Some(last) if last.tick == point.tick => *last = point,
            // Between strides the newest point moves along, so that the line always ends now.
            Some(last) if !keep && !last.tick.is_multiple_of(stride) => *last = point,
            _ => self.points.push(point),
        }
        if self.points.len() > MAX_SERIES_POINTS {
            self.stride = stride * 2;
            let mut index = 0;
            // Every other point goes; the newest stays.
            let newest = self.points.pop();
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.points.extend(newest);
        }
    }

    /// Points so far.
    pub(super) fn points(&mut self) -> Arc<[KappaPoint]> {
        let points = &self.points;
        Arc::clone(self.shared.get_or_insert_with(|| points.as_slice().into()))
    }
}

impl KappaLane {
    /// Notes where everything stands now.
    pub(super) fn record(&mut self, ground: &Ground<'_>, keep: bool) {
        let point = |side: &VersionSide| {
            let version = self.kappa.version(side.number)?;
            Some(VersionPoint {
                version: side.number,
                memory: (!side.is_down()).then(|| side.memory.into()),
                view: version.view().merged_numbers().into(),
                is_stale: side.is_down() || side.replay.is_some(),
            })
        };
        let versions = [0, 1].map(|place| self.sides.get(place).and_then(Option::as_ref).and_then(point));
        let served = self
            .kappa
            .serving()
            .map_or_else(Totals::default, |version| version.view().merged_numbers().into());
        let serving = self.kappa.serving().map(crate::serving::Version::number);
        self.history.push(KappaPoint { tick: ground.tick, versions, serving, served }, keep);
    }
}
