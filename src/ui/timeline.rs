//! The timeline: batch runs, checkpoints, crashes, down times and replays over the whole run.

mod handover;
mod versions;

use eframe::egui::{Align2, Color32, FontId, Painter, Rect, Role, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{
    canvas::{cross, diamond, hatch},
    seams::Seams,
    series::{end_of_run, seconds},
    theme::{self, BAND, Tokens, tokens},
    widgets::{Out, named},
};
use crate::{
    app::{Look, State, format},
    engine::frame::{BandKind, BatchState, LaneFrame, MarkKind, StreamState},
};

/// Height at normal size.
pub const HEIGHT: f32 = 62.0;

/// Draws the timeline.
pub fn timeline_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let Some(lane) = state.lane() else { return };
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    let kappa = state.kappa().filter(|_| state.shows_kappa());
    let words =
        kappa.map_or_else(|| in_words(state, lane), |kappa| versions::in_words(kappa, state.tick().0));
    named(&response, Role::Image, words);
    let scale = theme::scale(ui);
    let track =
        Rect::from_min_max(rect.min + vec2(136.0 * scale, 0.0), rect.max - vec2(118.0 * scale, 16.0 * scale));
    let timeline = Timeline {
        painter: ui.painter().with_clip_rect(rect.intersect(ui.clip_rect())),
        rect,
        track,
        end: end_of_run(lane, state.tick().0),
        lane,
        t: tokens(ui),
        label: theme::small(ui),
        digits: theme::mono_small(ui),
    };
    if let Some(kappa) = kappa {
        return timeline.versions(kappa, state.tick().0);
    }
    timeline.paint(state.tick().0);
    if let Some(seams) = Seams::of(state, lane) {
        handover::handover_ui(ui, &timeline.painter, track, timeline.end, &seams, out);
    }
    if let Some(close) = state.moment().filter(|_| state.look == Look::Moment && !state.tables) {
        timeline.close_up(close);
    }
}

fn in_words(state: &State, lane: &LaneFrame) -> String {
    let count = |kind| lane.marks.iter().filter(|mark| mark.kind == kind).count();
    format!(
        "Timeline: {} of run time; {} batch runs published, {} checkpoints, {} crashes, {} restores.",
        format::seconds(state.tick().0),
        count(MarkKind::BatchPublished),
        count(MarkKind::Checkpoint),
        count(MarkKind::StreamCrashed) + count(MarkKind::BatchCrashed),
        count(MarkKind::Restored)
    )
}

struct Timeline<'a> {
    painter: Painter,
    rect: Rect,
    track: Rect,
    end: f64,
    lane: &'a LaneFrame,
    t: &'static Tokens,
    label: FontId,
    digits: FontId,
}

impl Timeline<'_> {
    fn x(&self, tick: u64) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
        let share = (seconds(tick) / self.end).clamp(0.0, 1.0) as f32;
        self.track.left() + self.track.width() * share
    }

    fn paint(&self, now: u64) {
        let half = self.track.height() / 2.0;
        let batch =
            Rect::from_min_size(self.track.min, vec2(self.track.width(), half)).shrink2(vec2(0.0, 4.0));
        let stream = batch.translate(vec2(0.0, half));
        self.row(batch, "batch runs", &self.batch_word(), self.t.subdued);
        let (word, ink) = self.stream_word();
        self.row(stream, "stream, checkpoints", &word, ink);
        self.batch(batch);
        self.stream(stream, now);
        self.axis(now);
    }

    fn row(&self, row: Rect, name: &str, value: &str, ink: Color32) {
        let y = row.center().y;
        self.painter.text(
            pos2(self.rect.left(), y),
            Align2::LEFT_CENTER,
            name,
            self.label.clone(),
            self.t.text,
        );
        self.painter.rect_filled(row, 3, self.t.grid.gamma_multiply(0.6));
        self.painter.text(pos2(self.rect.right(), y), Align2::RIGHT_CENTER, value, self.digits.clone(), ink);
    }

    fn batch_word(&self) -> String {
        match self.lane.batch {
            BatchState::Running { cut, done } => {
                format!("{} of {}", format::thousands(done), format::thousands(cut))
            }
            BatchState::Crashed => "run crashed".to_owned(),
            BatchState::Waiting => format!("up to {}", format::thousands(self.lane.batch_covers)),
        }
    }

    fn stream_word(&self) -> (String, Color32) {
        match self.lane.stream {
            StreamState::Crashed { .. } => ("down".to_owned(), self.t.error),
            StreamState::Recovering { .. } => {
                (format!("again {}", format::thousands(self.lane.position)), self.t.warning)
            }
            StreamState::Ready | StreamState::Running | StreamState::Finished => {
                (format!("read {}", format::thousands(self.lane.position)), self.t.subdued)
            }
        }
    }

    fn batch(&self, row: Rect) {
        for band in self.lane.bands.iter().filter(|band| band.kind == BandKind::BatchRun) {
            let bar = Rect::from_x_y_ranges(
                self.x(band.from)..=self.x(band.to).max(self.x(band.from) + 2.0),
                row.y_range(),
            );
            self.painter.rect_filled(bar, 3, self.t.batch.gamma_multiply(0.55));
        }
        let mut free_from = f32::NEG_INFINITY;
        for mark in self.lane.marks.iter() {
            let x = self.x(mark.tick);
            match mark.kind {
                MarkKind::BatchPublished => {
                    self.painter.vline(x, row.y_range(), Stroke::new(2.0, self.t.batch));
                    let text = format::thousands(mark.record);
                    let galley = self.painter.layout_no_wrap(text, self.digits.clone(), self.t.text);
                    if x > free_from && x + galley.size().x < self.track.right() {
                        free_from = x + galley.size().x + 12.0;
                        self.painter.galley(
                            pos2(x + 5.0, row.center().y - galley.size().y / 2.0),
                            galley,
                            self.t.text,
                        );
                    }
                }
                MarkKind::BatchCrashed => cross(&self.painter, pos2(x, row.center().y), 4.0, self.t.crash),
                MarkKind::BatchStarted
                | MarkKind::Checkpoint
                | MarkKind::StreamCrashed
                | MarkKind::Restored
                | MarkKind::ReplayFinished => {}
            }
        }
    }

    fn stream(&self, row: Rect, now: u64) {
        let done = Rect::from_x_y_ranges(self.track.left()..=self.x(now), row.y_range());
        self.painter.rect_filled(done, 3, self.t.speed.gamma_multiply(0.28));
        for band in self.lane.bands.iter() {
            let span = Rect::from_x_y_ranges(
                self.x(band.from)..=self.x(band.to).max(self.x(band.from) + 2.0),
                row.y_range(),
            );
            match band.kind {
                BandKind::Down => {
                    self.painter.rect_filled(span, 0, self.t.canvas);
                    self.painter.rect_filled(span, 0, self.t.crash.gamma_multiply(0.3));
                }
                BandKind::Replay => hatch(&self.painter, span, 5.0, self.t.speed),
                BandKind::BatchRun => {}
            }
        }
        for mark in self.lane.marks.iter() {
            let at = pos2(self.x(mark.tick), row.center().y);
            match mark.kind {
                MarkKind::Checkpoint => diamond(&self.painter, at, 3.5, self.t.checkpoint, true),
                MarkKind::StreamCrashed => cross(&self.painter, at, 5.0, self.t.crash),
                MarkKind::Restored => {
                    self.painter.vline(at.x, row.y_range(), Stroke::new(2.0, self.t.checkpoint));
                }
                MarkKind::BatchStarted
                | MarkKind::BatchPublished
                | MarkKind::BatchCrashed
                | MarkKind::ReplayFinished => {}
            }
        }
    }

    /// What the plots show of the run.
    fn close_up(&self, (from, to): (u64, u64)) {
        let rect = Rect::from_x_y_ranges(self.x(from)..=self.x(to), self.track.y_range());
        let stroke = Stroke::new(1.5, self.t.accent);
        self.painter.rect_stroke(rect, 3, stroke, StrokeKind::Inside);
        self.painter.rect_filled(rect, 3, self.t.accent.gamma_multiply(BAND));
    }

    fn axis(&self, now: u64) {
        let step = step_seconds(self.end, f64::from(self.track.width()));
        let mut second = 0_u64;
        while second as f64 <= self.end {
            let x = self.x(second * crate::engine::protocol::TICKS_PER_SECOND);
            let text = format!("{} s", format::thousands(second));
            let anchor = if second == 0 { Align2::LEFT_BOTTOM } else { Align2::CENTER_BOTTOM };
            self.painter.text(pos2(x, self.rect.bottom()), anchor, text, self.digits.clone(), self.t.subdued);
            second += step;
        }
        let x = self.x(now);
        self.painter.vline(x, self.track.y_range(), Stroke::new(1.5, self.t.strong));
        self.painter.text(
            pos2(self.rect.right(), self.rect.bottom()),
            Align2::RIGHT_BOTTOM,
            format::seconds(now),
            self.digits.clone(),
            self.t.strong,
        );
    }
}

/// A round step, so that labels stand at least 90 pixels apart.
fn step_seconds(end: f64, width: f64) -> u64 {
    let least = end * 90.0 / width.max(1.0);
    let mut step = 1_u64;
    for factor in [2_u64, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600] {
        if step as f64 >= least {
            return step;
        }
        step = factor;
    }
    while (step as f64) < least {
        step = step.saturating_mul(2);
    }
    step
}
