//! The timeline of two versions: one row a place, filled while the version there served readers.

use eframe::egui::{Color32, Rect, Stroke, vec2};

use super::Timeline;
use crate::{
    app::{format, is_down},
    engine::{
        frame::{BandKind, KappaFrame, VersionFrame, VersionMarkKind, VersionState},
        protocol::VersionNumber,
    },
    ui::canvas::{cross, diamond, hatch},
};

/// What the timeline of two versions shows, for those who cannot see it.
pub(super) fn in_words(kappa: &KappaFrame, now: u64) -> String {
    let marks = || kappa.tracks.iter().flat_map(|track| track.marks.iter());
    let count = |kind| marks().filter(|mark| mark.kind == kind).count();
    format!(
        "Timeline of versions: {} of run time; {} started, {} checkpoints, {} crashes, {} restores, {} changes of what \
         readers see, {} deleted.",
        format::seconds(now),
        count(VersionMarkKind::Started),
        count(VersionMarkKind::Checkpoint),
        count(VersionMarkKind::Crashed),
        count(VersionMarkKind::Restored),
        count(VersionMarkKind::Serves),
        count(VersionMarkKind::Deleted)
    )
}

impl Timeline<'_> {
    /// Draws the two places.
    pub(super) fn versions(&self, kappa: &KappaFrame, now: u64) {
        let half = self.track.height() / 2.0;
        let first =
            Rect::from_min_size(self.track.min, vec2(self.track.width(), half)).shrink2(vec2(0.0, 4.0));
        for (place, row) in [first, first.translate(vec2(0.0, half))].into_iter().enumerate() {
            let there = kappa.series.last().and_then(|point| point.versions.get(place).copied().flatten());
            let version = there.and_then(|there| kappa.versions().find(|one| one.number == there.version));
            let (word, ink) = version.map_or((String::new(), self.t.subdued), |one| self.version_word(one));
            let past = kappa.tracks.get(place).and_then(|track| track.marks.last());
            let name = match (version, past) {
                (Some(version), _) => format!("version {}", version.number),
                (None, Some(past)) => format!("version {}, deleted", past.version),
                (None, None) => "no second version".to_owned(),
            };
            self.row(row, &name, &word, ink);
            let color = if place == 0 { self.t.batch } else { self.t.speed };
            self.place(row, kappa, place, color, now);
        }
        self.axis(now);
    }

    fn version_word(&self, version: &VersionFrame) -> (String, Color32) {
        match version.state {
            _ if is_down(version) => ("down".to_owned(), self.t.error),
            VersionState::Rereading { .. } => {
                (format!("again {}", format::thousands(version.position)), self.t.warning)
            }
            VersionState::CatchingUp | VersionState::UpToDate | VersionState::Crashed { .. } => {
                (format!("read {}", format::thousands(version.position)), self.t.subdued)
            }
        }
    }

    fn place(&self, row: Rect, kappa: &KappaFrame, place: usize, color: Color32, now: u64) {
        let Some(track) = kappa.tracks.get(place) else { return };
        let span = |from: u64, to: u64| {
            Rect::from_x_y_ranges(self.x(from)..=self.x(to).max(self.x(from) + 2.0), row.y_range())
        };
        for (version, from, to) in lives(kappa, place, now) {
            self.painter.rect_filled(span(from, to), 3, color.gamma_multiply(0.2));
            for (from, to) in served(kappa, version, (from, to)) {
                self.painter.rect_filled(span(from, to), 3, color.gamma_multiply(0.55));
            }
        }
        for band in track.bands.iter() {
            let span = span(band.from, band.to);
            match band.kind {
                BandKind::Down => {
                    self.painter.rect_filled(span, 0, self.t.canvas);
                    self.painter.rect_filled(span, 0, self.t.crash.gamma_multiply(0.3));
                }
                BandKind::Replay => hatch(&self.painter, span, 5.0, color),
                BandKind::BatchRun => {}
            }
        }
        for mark in track.marks.iter() {
            let at = eframe::egui::pos2(self.x(mark.tick), row.center().y);
            match mark.kind {
                VersionMarkKind::Checkpoint => diamond(&self.painter, at, 3.5, self.t.checkpoint, true),
                VersionMarkKind::Crashed => cross(&self.painter, at, 5.0, self.t.crash),
                VersionMarkKind::Restored => {
                    self.painter.vline(at.x, row.y_range(), Stroke::new(2.0, self.t.checkpoint));
                }
                VersionMarkKind::Serves => {
                    self.painter.vline(at.x, row.expand(3.0).y_range(), Stroke::new(2.0, self.t.strong));
                }
                VersionMarkKind::Started | VersionMarkKind::ReplayFinished | VersionMarkKind::Deleted => {}
            }
        }
    }
}

/// Versions of a place with their first and last tick.
fn lives(kappa: &KappaFrame, place: usize, now: u64) -> Vec<(VersionNumber, u64, u64)> {
    let mut lives: Vec<(VersionNumber, u64, u64)> = Vec::new();
    for mark in kappa.tracks.get(place).into_iter().flat_map(|track| track.marks.iter()) {
        match (mark.kind, lives.last_mut()) {
            (VersionMarkKind::Started, _) => lives.push((mark.version, mark.tick, now)),
            (VersionMarkKind::Deleted, Some(life)) => life.2 = mark.tick,
            _ => {}
        }
    }
    lives
}

/// When a version served, within its life. The first one serves from its start.
fn served(kappa: &KappaFrame, version: VersionNumber, life: (u64, u64)) -> Vec<(u64, u64)> {
    let marks = kappa.tracks.iter().flat_map(|track| track.marks.iter());
    let mut changes: Vec<(u64, VersionNumber)> = marks
        .filter(|mark| mark.kind == VersionMarkKind::Serves)
        .map(|mark| (mark.tick, mark.version))
        .collect();
    changes.push((0, VersionNumber(1)));
    changes.sort_unstable_by_key(|&(tick, _)| tick);
    let ends = changes.iter().skip(1).map(|&(tick, _)| tick).chain([u64::MAX]);
    let spans = changes.iter().zip(ends).filter(|((_, served), _)| *served == version);
    let within = spans.map(|(&(from, _), to)| (from.max(life.0), to.min(life.1)));
    within.filter(|(from, to)| from < to).collect()
}
