//! What the Kappa lane looked like over run time, thinned for the window: series, and what happened in each place.

use std::{collections::BTreeMap, sync::Arc};

use super::{Ground, KappaLane, side::VersionSide};
use crate::{
    engine::{
        frame::{
            Band, BandKind, KappaPoint, Totals, VersionMark, VersionMarkKind, VersionPoint, VersionTrack,
        },
        protocol::KappaFact,
        thinned::{At, Keep, Thinned},
    },
    serving::VersionNumber,
};

/// Marks kept a place; beyond, the oldest checkpoints go first.
const MAX_MARKS: usize = 1_000;

impl At for KappaPoint {
    fn tick(&self) -> u64 {
        self.tick
    }
}

/// Points over run time, and what happened in the two places.
#[derive(Debug, Default)]
pub(super) struct KappaHistory {
    series: Thinned<KappaPoint>,
    tracks: [Track; 2],
    /// In which place a version is, or was.
    places: BTreeMap<VersionNumber, usize>,
}

#[derive(Debug, Default)]
struct Track {
    marks: Vec<VersionMark>,
    bands: Vec<Band>,
}

impl KappaHistory {
    /// Points so far.
    pub(super) fn points(&mut self) -> Arc<[KappaPoint]> {
        self.series.points()
    }

    /// What happened in each place; what lasts ends now.
    pub(super) fn tracks(&self, now: u64) -> [VersionTrack; 2] {
        let track = |track: &Track| VersionTrack {
            marks: track.marks.as_slice().into(),
            bands: track.bands.iter().map(|band| Band { to: band.to.min(now), ..*band }).collect(),
        };
        [track(&self.tracks[0]), track(&self.tracks[1])]
    }

    /// A version has a place as long as it lives.
    pub(super) fn placed(&mut self, version: VersionNumber, place: usize) {
        self.places.insert(version, place);
    }

    /// Notes a fact.
    pub(super) fn happened(&mut self, tick: u64, fact: &KappaFact) {
        use VersionMarkKind as Kind;
        match *fact {
            KappaFact::VersionStarted { version, .. } => self.mark(tick, version, Kind::Started, 0),
            KappaFact::CheckpointWritten { version, position, .. } => {
                self.mark(tick, version, Kind::Checkpoint, position);
            }
            KappaFact::Crashed { version, position, .. } => {
                self.close(tick, version, BandKind::Replay);
                self.open(tick, version, BandKind::Down);
                self.mark(tick, version, Kind::Crashed, position);
            }
            KappaFact::Restored { version, position, replay_to, .. } => {
                self.close(tick, version, BandKind::Down);
                if replay_to > position {
                    self.open(tick, version, BandKind::Replay);
                }
                self.mark(tick, version, Kind::Restored, position);
            }
            KappaFact::ReplayFinished { version, to, .. } => {
                self.close(tick, version, BandKind::Replay);
                self.mark(tick, version, Kind::ReplayFinished, to);
            }
            KappaFact::Switched { to, position, .. } | KappaFact::RolledBack { to, position, .. } => {
                self.mark(tick, to, Kind::Serves, position);
            }
            KappaFact::Deleted { version, .. } => {
                self.close(tick, version, BandKind::Down);
                self.close(tick, version, BandKind::Replay);
                self.mark(tick, version, Kind::Deleted, 0);
            }
            KappaFact::CaughtUp { .. }
            | KappaFact::GateOpened { .. }
            | KappaFact::RestoreRefused { .. }
            | KappaFact::Mark { .. } => {}
        }
    }

    fn push(&mut self, point: &KappaPoint, keep: Keep) {
        let KappaHistory { series, tracks, .. } = self;
        series.push(*point, keep, |tick| {
            let happened = |track: &Track| track.marks.binary_search_by_key(&tick, |mark| mark.tick).is_ok();
            tracks.iter().any(happened)
        });
    }

    fn track(&mut self, version: VersionNumber) -> Option<&mut Track> {
        self.places.get(&version).and_then(|&place| self.tracks.get_mut(place))
    }

    fn mark(&mut self, tick: u64, version: VersionNumber, kind: VersionMarkKind, record: u64) {
        let Some(track) = self.track(version) else { return };
        track.marks.push(VersionMark { tick, version, kind, record });
        if track.marks.len() > MAX_MARKS {
            let is_checkpoint = |mark: &VersionMark| mark.kind == VersionMarkKind::Checkpoint;
            let oldest = track.marks.iter().position(is_checkpoint).unwrap_or(0);
            track.marks.remove(oldest);
        }
    }

    fn open(&mut self, tick: u64, version: VersionNumber, kind: BandKind) {
        if let Some(track) = self.track(version) {
            track.bands.push(Band { from: tick, to: u64::MAX, kind });
        }
    }

    fn close(&mut self, tick: u64, version: VersionNumber, kind: BandKind) {
        let bands = self.track(version).map(|track| track.bands.iter_mut().rev());
        let open = bands.and_then(|mut bands| bands.find(|band| band.kind == kind && band.to == u64::MAX));
        if let Some(band) = open {
            band.to = tick;
        }
    }
}

impl KappaLane {
    /// Notes where everything stands now.
    pub(super) fn record(&mut self, ground: &Ground<'_>, keep: Keep) {
        let point = |side: &VersionSide| {
            let version = self.kappa.version(side.number)?;
            Some(VersionPoint {
                version: side.number,
                memory: (!side.is_down()).then(|| side.memory.into()),
                position: side.position,
                view_position: version.position().total(),
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
        let point = KappaPoint { tick: ground.tick, versions, serving, served };
        self.history.push(&point, keep);
    }
}
