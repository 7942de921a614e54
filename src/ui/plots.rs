//! The three plots over the run: batch, speed, merged; one time axis, one cursor.

mod cards;
mod curves;
mod error_strip;
pub(super) mod handover;
pub(super) mod marks;
mod over_time;
mod points;
mod selectors;
mod version_bars;
mod versions;

pub use selectors::selectors;

use eframe::egui::{Color32, Rect, Role, Ui, UiBuilder};
use egui_plot::{HoverPosition, PlotResponse};

use super::{
    bars,
    event_time::event_time_ui,
    seams::Seams,
    series::{end_of_run, log_height, seconds},
    theme::{Tokens, tokens},
    trade_off::trade_off_ui,
    widgets::{Out, named},
};
use crate::{
    app::{Look, Measure, State, format::thousands, freshness},
    engine::{
        frame::{BatchState, LaneFrame, Point},
        protocol::{BookView, ViewKind},
    },
};

pub(super) use over_time::short;

use cards::Head;
use over_time::over_time;

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// Published by the last batch run.
    Batch,
    /// Since the last batch run.
    Speed,
    /// Both merged.
    Merged,
}

impl Panel {
    const ALL: [Panel; 3] = [Panel::Batch, Panel::Speed, Panel::Merged];

    /// The view that it shows.
    pub fn book_view(self) -> BookView {
        match self {
            Panel::Batch => BookView::Batch,
            Panel::Speed => BookView::Speed,
            Panel::Merged => BookView::Merged,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Panel::Batch => "Batch view",
            Panel::Speed => "Speed view",
            Panel::Merged => "Merged view",
        }
    }
}

/// What the plots need besides the state: the view they keep themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlotMemory {
    fits_seen: u64,
    was_close: bool,
}

/// Draws selectors and the three plots, side by side at every size.
pub fn plots_ui(ui: &mut Ui, state: &State, memory: &mut PlotMemory, out: &mut Out) {
    let Some(lane) = state.lane() else { return };
    selectors(ui, state, out);
    handover::sentence_ui(ui, state, out);
    let area = ui.available_rect_before_wrap();
    let close = state.moment().filter(|_| state.look == Look::Moment && !state.shows_kappa());
    // Bounds that were set stay set: the whole run comes back by a fit.
    let fit = memory.fits_seen != state.fits || (memory.was_close && close.is_none());
    (memory.fits_seen, memory.was_close) = (state.fits, close.is_some());
    if let Some(kappa) = state.kappa().filter(|_| state.shows_kappa()) {
        return versions::versions_ui(ui, state, lane, kappa, fit);
    }
    match state.look {
        Look::EventTime => return event_time_ui(ui, area, state, lane, fit, out),
        Look::TradeOff => return trade_off_ui(ui, area, state, lane, fit, out),
        Look::OverRun | Look::Moment | Look::ByPage | Look::ByDay => {}
    }
    let seams = Seams::of(state, lane).filter(|_| matches!(state.look, Look::OverRun | Look::Moment));
    let view = View { fit, close, seams: seams.as_ref() };
    cards::side_by_side(ui, Panel::ALL, |ui, rect, panel| {
        card_ui(ui, rect, (state, lane, panel), view, out);
    });
}

/// Which part of the run the plots show, and with what on it.
#[derive(Debug, Clone, Copy)]
struct View<'a> {
    /// Back to all of it.
    fit: bool,
    /// First and last tick of the close-up.
    close: Option<(u64, u64)>,
    /// The hand-over, where it is shown.
    seams: Option<&'a Seams<'a>>,
}

fn card_ui(
    ui: &mut Ui,
    rect: Rect,
    (state, lane, panel): (&State, &LaneFrame, Panel),
    view: View<'_>,
    out: &mut Out,
) {
    let body = cards::head_ui(ui, rect, &head_of(state, lane, panel, view.seams, tokens(ui)));
    let is_over_time = matches!(state.look, Look::OverRun | Look::Moment);
    let below = if panel == Panel::Merged && is_over_time {
        error_strip::height(ui, lane, rect.height())
    } else {
        0.0
    };
    let (body, strip) = body.split_top_bottom_at_y(body.bottom() - below);
    let rows = handover::Rows::of(ui, view.seams, rect.height());
    let (body, handles) = body.split_top_bottom_at_y(body.bottom() - rows.height());
    let mut child = ui.new_child(UiBuilder::new().max_rect(body));
    match state.look {
        Look::OverRun | Look::Moment => {
            let mut label = accessible(state.measure, lane, panel);
            label.extend(view.seams.and_then(|seams| handover::in_words(seams, state.measure, panel)));
            let response = plot_ui(&mut child, state, lane, panel, view);
            named(&response.response, Role::Image, label);
            points::listed(ui, state, lane, panel, &response, out);
            if let Some(seams) = view.seams {
                let strip = handover::Strip { seams, panel, transform: &response.transform, rows };
                strip.show(ui, handles, out);
            }
            if below > 0.0 {
                error_strip::strip_ui(ui, strip, state.measure, lane, &response.transform);
            }
        }
        Look::ByPage => bars::bars_ui(&mut child, state, &lane.by_page, panel, out),
        Look::ByDay => bars::bars_ui(&mut child, state, &lane.by_day, panel, out),
        // One plot of their own.
        Look::EventTime | Look::TradeOff => {}
    }
}

fn head_of(state: &State, lane: &LaneFrame, panel: Panel, seams: Option<&Seams<'_>>, t: &Tokens) -> Head {
    let measure = state.measure;
    let (color, thickness, number) = match panel {
        Panel::Batch => (t.batch, 3.0, Some(measure.text(&lane.batch_totals))),
        Panel::Speed => (t.speed, 3.0, lane.memory_totals.as_ref().map(|totals| measure.text(totals))),
        Panel::Merged => (t.merged, 4.0, Some(measure.text(&lane.merged_totals))),
    };
    let head = Head {
        title: panel.title().to_owned(),
        short_title: panel.title().trim_end_matches(" view").to_owned(),
        swatch: (color, thickness),
        number: number.map_or_else(|| ("gone".to_owned(), t.crash), |number| (number, t.strong)),
        line: sub_line(state, lane, panel, t),
        short_line: short_line(state, lane, panel, t),
    };
    match seams.filter(|seams| seams.page.is_changed()) {
        Some(seams) => handover::head(head, seams, measure, panel, t),
        None => head,
    }
}

fn sub_line(state: &State, lane: &LaneFrame, panel: Panel, t: &Tokens) -> Vec<(String, Color32)> {
    let measure = state.measure;
    match panel {
        Panel::Batch => {
            let covers = thousands(lane.batch_covers);
            let text = match (lane.batch_runs, lane.batch) {
                (0, BatchState::Waiting) => "nothing published yet".to_owned(),
                (_, BatchState::Running { cut, done }) => {
                    format!("up to {covers} · running: {} of {}", thousands(done), thousands(cut))
                }
                (1, _) => format!("up to {covers} · 1 batch run"),
                (runs, _) => format!("up to {covers} · {runs} batch runs"),
            };
            let all = if lane.batch_runs > 0 { "final " } else { "" };
            vec![(all.to_owned(), t.batch_text), (text, t.subdued)]
        }
        Panel::Speed => {
            let served = measure.text(&lane.speed_totals);
            let mut parts = vec![("in memory · served ".to_owned(), t.subdued), (served, t.speed_text)];
            if lane.stale {
                parts.push((" stale".to_owned(), t.warning));
            }
            parts.push((" provisional".to_owned(), t.speed_text));
            parts
        }
        Panel::Merged => {
            let provisional = measure.of(&lane.merged_totals) - measure.of(&lane.batch_totals);
            let mut parts = vec![
                (format!("final {}", measure.text(&lane.batch_totals)), t.batch_text),
                (" + ".to_owned(), t.subdued),
                (format!("provisional {}", number(provisional)), t.speed_text),
            ];
            if lane.approximation.late_missing > 0 {
                parts.push((
                    format!(" · {} late missing", thousands(lane.approximation.late_missing)),
                    t.warning,
                ));
            }
            if lane.stale {
                parts.push((" stale".to_owned(), t.warning));
            }
            parts
        }
    }
}

/// What matters of it, for narrow cards; the speed view's is short as it is.
fn short_line(state: &State, lane: &LaneFrame, panel: Panel, t: &Tokens) -> Option<Vec<(String, Color32)>> {
    let measure = state.measure;
    match panel {
        Panel::Batch => {
            let text = match lane.batch {
                BatchState::Running { cut, done } => {
                    format!("running: {} of {}", thousands(done), thousands(cut))
                }
                BatchState::Waiting | BatchState::Crashed => {
                    format!("up to {} · runs: {}", thousands(lane.batch_covers), lane.batch_runs)
                }
            };
            Some(vec![(text, t.subdued)])
        }
        Panel::Speed => None,
        Panel::Merged => {
            let provisional = measure.of(&lane.merged_totals) - measure.of(&lane.batch_totals);
            let mut parts = vec![
                (measure.text(&lane.batch_totals), t.batch_text),
                (" + ".to_owned(), t.subdued),
                (number(provisional), t.speed_text),
            ];
            if lane.approximation.late_missing > 0 {
                let missing = format!(" · {} late", thousands(lane.approximation.late_missing));
                parts.push((missing, t.warning));
            }
            if lane.stale {
                parts.push((" · stale".to_owned(), t.warning));
            }
            Some(parts)
        }
    }
}

/// A plotted value as text.
pub fn number(value: f64) -> String {
    let rounded = value.round();
    if !rounded.is_finite() || rounded.abs() >= 1e15 {
        return format!("{value:e}");
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to fit above")]
    let whole = rounded as i64;
    let text = thousands(whole.unsigned_abs());
    if whole < 0 { format!("-{text}") } else { text }
}

fn accessible(measure: Measure, lane: &LaneFrame, panel: Panel) -> String {
    let name = measure.name();
    match panel {
        Panel::Batch => format!(
            "Batch view: {} {name}, covers {} records, {} runs. {}",
            measure.text(&lane.batch_totals),
            thousands(lane.batch_covers),
            lane.batch_runs,
            freshness::of_view(ViewKind::Batch, lane)
        ),
        Panel::Speed => {
            let memory = lane.memory_totals.as_ref().map_or("gone".to_owned(), |totals| measure.text(totals));
            format!(
                "Speed view: memory {memory}, served {} {name}. {}",
                measure.text(&lane.speed_totals),
                freshness::of_view(ViewKind::Speed, lane)
            )
        }
        Panel::Merged => format!(
            "Merged view: {} {name}, {}; full recount of the same records {}; whole log {}.{}",
            measure.text(&lane.merged_totals),
            freshness::split(measure, &lane.batch_totals, &lane.merged_totals),
            measure.text(&lane.recount_totals),
            measure.text(&lane.log_totals),
            if lane.stale { " Stale." } else { "" }
        ),
    }
}

fn plot_ui(ui: &mut Ui, state: &State, lane: &LaneFrame, panel: Panel, view: View<'_>) -> PlotResponse<()> {
    let t = tokens(ui);
    let measure = state.measure;
    let end = end_of_run(lane, state.tick().0);
    let height = match panel {
        Panel::Batch => log_height(lane, measure),
        Panel::Merged => log_height(lane, measure).max(handover::height(view.seams, measure)),
        Panel::Speed => curves::speed_height(lane, measure),
    };
    let room = marks::legend_room(ui, panel);
    let height = height * if panel == Panel::Speed { 1.0 + room } else { 1.04 };
    let series = std::sync::Arc::clone(&lane.series);
    let plot = over_time(ui, ("plot", panel.title()), end, height, view.fit)
        .label_formatter(move |position| hover_label(position, &series, measure));
    let response = plot.show(ui, |plot| {
        if let Some((from, to)) = view.close {
            plot.set_plot_bounds_x(seconds(from)..=seconds(to));
            plot.set_plot_bounds_y(curves::close_heights(lane, measure, panel, (from, to), room));
        }
        for area in curves::areas(lane, measure, panel, t) {
            plot.add(area);
        }
        for line in curves::lines(lane, measure, panel, t) {
            plot.line(line);
        }
        if let Some(line) = view.seams.and_then(|seams| handover::course(state, lane, seams, panel, t)) {
            plot.line(line);
        }
    });
    if let Some(seams) = view.seams {
        handover::paint(ui, seams, panel, &response.transform);
    }
    marks::paint(ui, (state, lane, view.seams), panel, &response.response, &response.transform);
    response
}

/// What a point of a line says, and how much of it is final.
fn hover_label(position: &HoverPosition<'_>, series: &[Point], measure: Measure) -> Option<String> {
    let HoverPosition::NearDataPoint { plot_name, position: place, .. } = position else { return None };
    let text = over_time::hover_text(plot_name, place);
    let part = match *plot_name {
        "batch view" => "all final".to_owned(),
        "served" | "in memory" => "all provisional".to_owned(),
        "merged view" => {
            let after = series.partition_point(|point| seconds(point.tick) <= place.x + 1e-6);
            let point = after.checked_sub(1).and_then(|at| series.get(at))?;
            freshness::split(measure, &point.batch, &point.merged)
        }
        _ => return Some(text),
    };
    Some(format!("{text}\n{part}"))
}
