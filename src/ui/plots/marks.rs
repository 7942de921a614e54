//! What is painted over the plots: bands, crosses, diamonds, the way back to the checkpoint, hatching, the legend.

use eframe::egui::{Align2, Color32, Painter, Pos2, Rect, Response, Stroke, Ui, pos2, vec2};
use egui_plot::{GridInput, GridMark, PlotPoint, PlotTransform};

use super::{Panel, number};
use crate::{
    app::State,
    engine::frame::{BandKind, LaneFrame, MarkKind},
    ui::{
        canvas::{cross, dashed, diamond, hatch},
        seams::Seams,
        series::{at, memory_after, memory_before, seconds, stale_spans},
        theme::{self, BAND, Tokens, tokens},
    },
};

/// Grid lines at round steps, at least `pixels` apart; none in the last share of the range, where its label
/// would not fit.
pub fn steps(input: &GridInput, pixels: f64, headroom: f64) -> Vec<GridMark> {
    // The base step stands for ten pixels (the lower bound of the grid spacing).
    let least = input.base_step_size * pixels / 10.0;
    let (from, to) = input.bounds;
    if !(least.is_finite() && least > 0.0 && from.is_finite() && to.is_finite()) {
        return Vec::new();
    }
    let magnitude = 10_f64.powf(least.log10().floor());
    let factor =
        [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * magnitude >= least).unwrap_or(10.0);
    let step = magnitude * factor;
    let first = (from / step).ceil();
    let count = ((to - (to - from) * headroom) / step - first).clamp(0.0, 200.0);
    (0_u32..=200)
        .map(f64::from)
        .take_while(|n| *n <= count)
        .map(|n| GridMark { value: (first + n) * step, step_size: step })
        .collect()
}

/// The legend stands at the top: the share of the values' height that is left free for it, so that it hides nothing.
pub fn legend_room(ui: &Ui, panel: Panel) -> f64 {
    const AXIS: f32 = 22.0;
    let (entries, least) = match panel {
        Panel::Batch => (1.0, 0.2),
        Panel::Speed => (3.0, 0.3),
        Panel::Merged => (2.0, 0.2),
    };
    let legend = 12.0 + entries * (theme::small(ui).size * 1.25 + 3.0);
    let free = (ui.available_height() - AXIS - legend).max(1.0);
    f64::from(legend / free).clamp(least, 2.0)
}

/// How a series is drawn, beside its colour.
#[derive(Debug, Clone, Copy)]
enum Form {
    Thin,
    Solid,
    Thick,
    Dotted,
    Dashed,
}

impl Form {
    fn paint(self, painter: &Painter, line: [Pos2; 2], color: Color32) {
        let width = match self {
            Form::Thin => 1.0,
            Form::Solid | Form::Dotted | Form::Dashed => 2.0,
            Form::Thick => 3.0,
        };
        let stroke = Stroke::new(width, color);
        match self {
            Form::Thin | Form::Solid | Form::Thick => {
                painter.line_segment(line, stroke);
            }
            Form::Dotted => dashed(painter, &line, stroke, 3.0, 2.0),
            Form::Dashed => dashed(painter, &line, stroke, 5.0, 3.0),
        }
    }
}

struct Marks<'a> {
    painter: Painter,
    transform: &'a PlotTransform,
    rect: Rect,
    state: &'a State,
    lane: &'a LaneFrame,
    tokens: &'static Tokens,
}

/// Paints them, clipped to the plot.
pub fn paint(
    ui: &Ui,
    (state, lane, seams): (&State, &LaneFrame, Option<&Seams<'_>>),
    panel: Panel,
    response: &Response,
    transform: &PlotTransform,
) {
    let rect = *transform.frame();
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    debug_assert!(response.rect.intersects(rect));
    let marks = Marks { painter, transform, rect, state, lane, tokens: tokens(ui) };
    marks.bands(panel);
    match panel {
        Panel::Batch => marks.batch(),
        Panel::Speed => {
            marks.way_back();
            marks.speed(ui);
        }
        Panel::Merged => marks.merged(),
    }
    marks.now();
    let course = seams.and_then(|seams| super::handover::course(state, lane, seams, panel, marks.tokens));
    marks.legend(ui, panel, course.is_some());
}

impl Marks<'_> {
    fn point(&self, tick: u64, value: f64) -> Pos2 {
        self.transform.position_from_point(&PlotPoint { x: seconds(tick), y: value })
    }

    fn x(&self, tick: u64) -> f32 {
        self.transform.position_from_point_x(seconds(tick))
    }

    fn bands(&self, panel: Panel) {
        for band in self.lane.bands.iter() {
            let color = match band.kind {
                BandKind::Down => self.tokens.crash,
                BandKind::Replay => self.tokens.checkpoint,
                BandKind::BatchRun if panel == Panel::Batch => self.tokens.batch,
                BandKind::BatchRun => continue,
            };
            let (left, right) = (self.x(band.from), self.x(band.to));
            let band = Rect::from_x_y_ranges(left..=right.max(left + 1.0), self.rect.y_range());
            self.painter.rect_filled(band, 0, color.gamma_multiply(BAND));
        }
    }

    fn batch(&self) {
        let measure = self.state.measure;
        for mark in self.lane.marks.iter() {
            let value = at(&self.lane.series, mark.tick).map_or(0.0, |point| measure.of(&point.batch));
            match mark.kind {
                MarkKind::BatchPublished => {
                    self.painter.circle_filled(self.point(mark.tick, value), 3.0, self.tokens.batch);
                }
                MarkKind::BatchCrashed => {
                    cross(&self.painter, self.point(mark.tick, value), 5.0, self.tokens.crash);
                }
                MarkKind::BatchStarted
                | MarkKind::Checkpoint
                | MarkKind::StreamCrashed
                | MarkKind::Restored
                | MarkKind::ReplayFinished => {}
            }
        }
    }

    /// From the restored memory back to the diamond of the checkpoint that it came from.
    fn way_back(&self) {
        let measure = self.state.measure;
        let series = &self.lane.series;
        for mark in self.lane.marks.iter().filter(|mark| mark.kind == MarkKind::Restored) {
            let from = self.lane.marks.iter().rfind(|other| {
                other.kind == MarkKind::Checkpoint && other.record == mark.record && other.tick <= mark.tick
            });
            let Some(from) = from else { continue };
            let (Some((_, held)), Some((tick, again))) =
                (memory_before(series, from.tick), memory_after(series, mark.tick))
            else {
                continue;
            };
            let path = [self.point(from.tick, measure.of(&held)), self.point(tick, measure.of(&again))];
            dashed(&self.painter, &path, Stroke::new(1.5, self.tokens.checkpoint), 2.0, 4.0);
        }
    }

    fn speed(&self, ui: &Ui) {
        let measure = self.state.measure;
        for mark in self.lane.marks.iter() {
            let Some((tick, held)) = memory_before(&self.lane.series, mark.tick) else { continue };
            let value = measure.of(&held);
            match mark.kind {
                MarkKind::Checkpoint => {
                    diamond(&self.painter, self.point(mark.tick, value), 4.0, self.tokens.checkpoint, true);
                }
                MarkKind::StreamCrashed => {
                    let place = self.point(tick.max(mark.tick), value);
                    let fall = [place, pos2(place.x, self.transform.position_from_point_y(0.0))];
                    self.painter.line_segment(fall, Stroke::new(1.0, self.tokens.crash));
                    cross(&self.painter, place, 6.0, self.tokens.crash);
                    // The line comes from below left, so the corner above it is free.
                    let (offset, anchor) = if place.x < self.rect.left() + 60.0 {
                        (vec2(9.0, -6.0), Align2::LEFT_BOTTOM)
                    } else {
                        (vec2(-9.0, -6.0), Align2::RIGHT_BOTTOM)
                    };
                    let label = number(value);
                    let galley = self.painter.layout_no_wrap(label, theme::mono_small(ui), self.tokens.error);
                    let at = anchor.anchor_size(place + offset, galley.size());
                    self.painter.rect_filled(at.expand(2.0), 3, self.tokens.panel.gamma_multiply(0.85));
                    self.painter.galley(at.min, galley, self.tokens.error);
                }
                MarkKind::BatchStarted
                | MarkKind::BatchPublished
                | MarkKind::BatchCrashed
                | MarkKind::Restored
                | MarkKind::ReplayFinished => {}
            }
        }
    }

    fn merged(&self) {
        let measure = self.state.measure;
        for (first, last) in stale_spans(&self.lane.series) {
            let span = self.lane.series.get(first..=last).unwrap_or_default();
            // Neighbours with the same edges make one piece: single points are narrower than a pixel.
            for piece in span.chunk_by(|a, b| a.merged == b.merged && a.batch == b.batch) {
                let (Some(first), Some(last)) = (piece.first(), piece.last()) else { continue };
                let top = self.point(first.tick, measure.of(&first.merged));
                let bottom = self.point(last.tick, measure.of(&last.batch));
                hatch(&self.painter, Rect::from_two_pos(top, bottom), 7.0, self.tokens.speed);
            }
        }
        for mark in self.lane.marks.iter().filter(|mark| mark.kind == MarkKind::StreamCrashed) {
            let value = at(&self.lane.series, mark.tick).map_or(0.0, |point| measure.of(&point.merged));
            cross(&self.painter, self.point(mark.tick, value), 5.0, self.tokens.crash);
        }
    }

    fn now(&self) {
        let now = self.state.tick().0;
        if now > 0 {
            let stroke = Stroke::new(1.0, self.tokens.subdued.gamma_multiply(0.5));
            self.painter.vline(self.x(now), self.rect.y_range(), stroke);
        }
    }

    /// Names beside the ends of lines would move; a short legend in the empty corner does not.
    fn legend(&self, ui: &Ui, panel: Panel, has_course: bool) {
        let t = self.tokens;
        if self.rect.height() < 170.0 {
            return;
        }
        let has_replayed = self.lane.series.iter().any(|point| point.every_read.is_some());
        let entries: Vec<(&str, _, Form)> = match panel {
            Panel::Batch => vec![("published", t.batch, Form::Solid)],
            Panel::Speed => {
                let mut entries = vec![("in memory", t.speed, Form::Solid)];
                if self.lane.series.iter().any(|point| point.stale) {
                    entries.push(("served, stale", t.speed, Form::Dotted));
                }
                if has_replayed {
                    entries.push(("if every read counted", t.crash, Form::Dashed));
                }
                entries
            }
            Panel::Merged => {
                // In a narrow plot the line itself goes through the end of a long name.
                let recount =
                    if self.rect.width() < 200.0 { "full recount" } else { "full recount of the log" };
                let mut entries = vec![(recount, t.recount, Form::Thin), ("merged", t.merged, Form::Thick)];
                if has_course {
                    entries.push(("with this hand-over", t.crash, Form::Dashed));
                }
                entries
            }
        };
        let mut at = self.rect.min + vec2(10.0, 8.0);
        for (text, color, form) in entries {
            let galley = self.painter.layout_no_wrap(text.to_owned(), theme::small(ui), t.subdued);
            let height = galley.size().y;
            let line = [at + vec2(0.0, height / 2.0), at + vec2(13.0, height / 2.0)];
            let backdrop = Rect::from_min_size(at, galley.size() + vec2(18.0, 0.0)).expand(3.0);
            self.painter.rect_filled(backdrop, 3, t.panel.gamma_multiply(0.8));
            form.paint(&self.painter, line, color);
            self.painter.galley(at + vec2(18.0, 0.0), galley, t.subdued);
            at.y += height + 3.0;
        }
    }
}
