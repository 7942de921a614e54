//! The three plots over the run: batch, speed, merged; one time axis, one cursor.

mod error_strip;
mod handover;
pub(super) mod marks;
mod points;
mod selectors;
mod versions;

pub use selectors::selectors;

use eframe::egui::{self, Color32, Id, Layout, Rect, Role, Ui, UiBuilder, Vec2b, pos2, vec2};
use egui_plot::{
    AxisHints, FilledArea, HoverPosition, Line, LineStyle, Plot, PlotPoint, PlotPoints, PlotResponse,
};

use super::{
    bars,
    event_time::event_time_ui,
    series::{end_of_run, flat, log_height, pieces, seconds, stairs},
    theme::{self, AREA, Tokens, tokens},
    trade_off::trade_off_ui,
    widgets::{Out, named},
};
use crate::{
    app::{Look, Measure, State, format::thousands},
    engine::{
        frame::{BatchState, LaneFrame, OutlinePoint, Point, Totals},
        protocol::BookView,
    },
};

pub use handover::{Seam, gaps, overlaps, seams};

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
    let area = ui.available_rect_before_wrap();
    let gap = 12.0;
    let width = ((area.width() - 2.0 * gap) / 3.0).floor();
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
    for (panel, left) in Panel::ALL.into_iter().zip([0.0, width + gap, 2.0 * (width + gap)]) {
        let rect = Rect::from_min_size(pos2(area.left() + left, area.top()), vec2(width, area.height()));
        let mut child =
            ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::top_down(egui::Align::LEFT)));
        child.set_clip_rect(rect.intersect(ui.clip_rect()));
        card_ui(&mut child, rect, (state, lane, panel), View { fit, close }, out);
    }
    ui.allocate_rect(area, egui::Sense::hover());
}

/// Which part of the run the plots show.
#[derive(Debug, Clone, Copy)]
struct View {
    /// Back to all of it.
    fit: bool,
    /// First and last tick of the close-up.
    close: Option<(u64, u64)>,
}

fn card_ui(
    ui: &mut Ui,
    rect: Rect,
    (state, lane, panel): (&State, &LaneFrame, Panel),
    view: View,
    out: &mut Out,
) {
    let t = tokens(ui);
    ui.painter().rect_filled(rect, 8, t.panel);
    let scale = theme::scale(ui);
    let head = Rect::from_min_max(
        rect.min + vec2(12.0, 8.0),
        pos2(rect.right() - 12.0, rect.top() + 8.0 + 42.0 * scale),
    );
    head_ui(ui, head, state, lane, panel);
    let body = Rect::from_min_max(pos2(rect.left() + 4.0, head.bottom() + 2.0), rect.max - vec2(10.0, 4.0));
    let is_over_time = matches!(state.look, Look::OverRun | Look::Moment);
    let below = if panel == Panel::Merged && is_over_time { error_strip::height(ui, lane) } else { 0.0 };
    let (body, strip) = body.split_top_bottom_at_y(body.bottom() - below);
    let mut child = ui.new_child(UiBuilder::new().max_rect(body));
    match state.look {
        Look::OverRun | Look::Moment => {
            let label = accessible(state.measure, lane, panel);
            let response = plot_ui(&mut child, state, lane, panel, view);
            named(&response.response, Role::Image, label);
            points::listed(ui, state, lane, panel, &response, out);
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

fn head_ui(ui: &Ui, rect: Rect, state: &State, lane: &LaneFrame, panel: Panel) {
    let t = tokens(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let measure = state.measure;
    let (color, number) = match panel {
        Panel::Batch => (t.batch, Some(measure.text(&lane.batch_totals))),
        Panel::Speed => (t.speed, lane.memory_totals.as_ref().map(|totals| measure.text(totals))),
        Panel::Merged => (t.merged, Some(measure.text(&lane.merged_totals))),
    };
    let roomy = rect.width() >= 210.0 * theme::scale(ui);
    let title = if roomy { panel.title() } else { panel.title().trim_end_matches(" view") };
    let swatch = Rect::from_min_size(
        rect.min + vec2(0.0, 8.0 * theme::scale(ui)),
        vec2(14.0, if panel == Panel::Merged { 4.0 } else { 3.0 }),
    );
    painter.rect_filled(swatch, 1, color);
    painter.text(rect.min + vec2(22.0, 1.0), egui::Align2::LEFT_TOP, title, theme::strong(ui), t.strong);
    let (number, ink) = match number {
        Some(number) => (number, t.strong),
        None => ("gone".to_owned(), t.crash),
    };
    painter.text(
        rect.right_top() - vec2(0.0, 3.0),
        egui::Align2::RIGHT_TOP,
        number,
        theme::big_number(ui),
        ink,
    );
    let mut job = egui::text::LayoutJob::default();
    for (text, color) in sub_line(state, lane, panel, t) {
        job.append(&text, 0.0, egui::TextFormat::simple(theme::small(ui), color));
    }
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width());
    let galley = painter.layout_job(job);
    painter.galley(pos2(rect.left(), rect.bottom() - galley.size().y), galley, t.subdued);
}

fn sub_line(state: &State, lane: &LaneFrame, panel: Panel, t: &Tokens) -> Vec<(String, Color32)> {
    let measure = state.measure;
    match panel {
        Panel::Batch => {
            let text = match (lane.batch_runs, lane.batch) {
                (0, BatchState::Waiting) => "nothing published yet".to_owned(),
                (_, BatchState::Running { cut, done }) => {
                    format!(
                        "covers up to {} · running: {} of {}",
                        thousands(lane.batch_covers),
                        thousands(done),
                        thousands(cut)
                    )
                }
                (1, _) => format!("covers up to {} · 1 batch run", thousands(lane.batch_covers)),
                (runs, _) => format!("covers up to {} · {runs} batch runs", thousands(lane.batch_covers)),
            };
            vec![(text, t.subdued)]
        }
        Panel::Speed => {
            let served = measure.text(&lane.speed_totals);
            let mut parts = vec![("in memory · served ".to_owned(), t.subdued), (served, t.speed_text)];
            if lane.stale {
                parts.push((" stale".to_owned(), t.warning));
            }
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
            "Batch view: {} {name}, covers {} records, {} runs.",
            measure.text(&lane.batch_totals),
            thousands(lane.batch_covers),
            lane.batch_runs
        ),
        Panel::Speed => {
            let memory = lane.memory_totals.as_ref().map_or("gone".to_owned(), |totals| measure.text(totals));
            format!("Speed view: memory {memory}, served {} {name}.", measure.text(&lane.speed_totals))
        }
        Panel::Merged => format!(
            "Merged view: {} {name}; full recount of the same records {}; whole log {}.{}",
            measure.text(&lane.merged_totals),
            measure.text(&lane.recount_totals),
            measure.text(&lane.log_totals),
            if lane.stale { " Stale." } else { "" }
        ),
    }
}

fn plot_ui(ui: &mut Ui, state: &State, lane: &LaneFrame, panel: Panel, view: View) -> PlotResponse<()> {
    let t = tokens(ui);
    let measure = state.measure;
    let end = end_of_run(lane, state.tick().0);
    let height = match panel {
        Panel::Batch | Panel::Merged => log_height(lane, measure),
        Panel::Speed => speed_height(lane, measure),
    };
    let (font, color) = (theme::mono_small(ui), t.subdued);
    let time_axis = AxisHints::new_x()
        .formatter(|mark, _| format!("{} s", seconds_text(mark.value, mark.step_size)))
        .tick_label_font(font.clone())
        .label_spacing(egui::Rangef::new(20.0, 40.0))
        .tick_label_color(color);
    let value_axis = AxisHints::new_y()
        .formatter(|mark, _| short(mark.value))
        .tick_label_font(font)
        .tick_label_color(color)
        .label_spacing(egui::Rangef::new(10.0, 20.0))
        .min_thickness(30.0);
    let mut plot = Plot::new(("plot", panel.title()))
        .custom_x_axes(vec![time_axis])
        .custom_y_axes(vec![value_axis])
        .include_x(0.0)
        .include_x(end)
        .include_y(0.0)
        .include_y(height * if panel == Panel::Speed { 1.0 + marks::legend_room(ui, panel) } else { 1.04 })
        .set_margin_fraction(vec2(0.0, 0.02))
        .allow_zoom(Vec2b::new(true, false))
        .allow_drag(Vec2b::new(true, false))
        .allow_scroll(false)
        .allow_axis_zoom_drag(Vec2b::new(true, false))
        .allow_boxed_zoom(false)
        .show_background(false)
        .show_crosshair(false)
        .grid_color(t.grid)
        .cursor_color(t.subdued)
        .x_grid_spacer(|input| marks::steps(&input, 84.0, 0.02))
        .y_grid_spacer(|input| marks::steps(&input, 46.0, 0.04))
        .grid_spacing(egui::Rangef::new(10.0, 100.0))
        .link_axis(Id::unique("run-time"), Vec2b::new(true, false))
        .link_cursor(Id::unique("run-cursor"), Vec2b::new(true, false))
        .label_formatter(hover_label);
    if view.fit {
        plot = plot.reset();
    }
    let room = marks::legend_room(ui, panel);
    let response = plot.show(ui, |plot| {
        if let Some((from, to)) = view.close {
            plot.set_plot_bounds_x(seconds(from)..=seconds(to));
            plot.set_plot_bounds_y(close_heights(lane, measure, panel, (from, to), room));
        }
        for area in areas(lane, measure, panel, t) {
            plot.add(area);
        }
        for line in lines(lane, measure, panel, t) {
            plot.line(line);
        }
    });
    handover::paint(ui, state, lane, &response.transform);
    marks::paint(ui, state, lane, panel, &response.response, &response.transform);
    response
}

fn hover_label(position: &HoverPosition<'_>) -> Option<String> {
    match position {
        HoverPosition::NearDataPoint { plot_name, position, .. } => {
            Some(format!("{plot_name}\n{} at {:.1} s", number(position.y), position.x))
        }
        HoverPosition::Elsewhere { .. } => None,
    }
}

/// Seconds with as many decimals as the steps between them need.
fn seconds_text(value: f64, step: f64) -> String {
    if step.fract().abs() < 1e-9 { number(value) } else { format!("{value:.1}") }
}

/// Where the values of a close-up lie. The stacked area loses its foot: what happens is at its edge.
fn close_heights(
    lane: &LaneFrame,
    measure: Measure,
    panel: Panel,
    (from, to): (u64, u64),
    room: f64,
) -> std::ops::RangeInclusive<f64> {
    let points = || {
        let (first, last) =
            (lane.series.partition_point(|p| p.tick < from), lane.series.partition_point(|p| p.tick <= to));
        lane.series.get(first.saturating_sub(1)..last).unwrap_or_default().iter()
    };
    let top = |value: &dyn Fn(&Point) -> f64| points().map(value).fold(0.0, f64::max);
    let of = |totals: &Option<Totals>| totals.as_ref().map_or(0.0, |totals| measure.of(totals));
    let in_sight = |p: &&OutlinePoint| p.tick >= from && p.tick <= to;
    let recounted = |least: f64| {
        lane.outline.iter().filter(in_sight).map(|p| measure.of(&p.totals)).fold(least, f64::max)
    };
    let (low, high) = match panel {
        Panel::Batch => (0.0, recounted(top(&|p| measure.of(&p.batch)))),
        Panel::Speed => (0.0, top(&|p| measure.of(&p.speed).max(of(&p.memory)).max(of(&p.every_read)))),
        Panel::Merged => {
            let high = recounted(top(&|p| measure.of(&p.merged)));
            let low = points().map(|p| measure.of(&p.batch)).fold(high, f64::min);
            (low - 0.15 * (high - low), high)
        }
    };
    low..=(high + room * (high - low)).max(low + 1.0)
}

/// `12k` for 12,000: axis labels in narrow columns.
pub(super) fn short(value: f64) -> String {
    let steps = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    match steps.into_iter().find(|(unit, _)| value.abs() >= *unit) {
        Some((unit, suffix)) => {
            let scaled = value / unit;
            if (scaled - scaled.round()).abs() < 0.05 {
                format!("{scaled:.0}{suffix}")
            } else {
                format!("{scaled:.1}{suffix}")
            }
        }
        None if value.fract().abs() > 1e-9 => String::new(),
        None => format!("{value:.0}"),
    }
}

fn speed_height(lane: &LaneFrame, measure: Measure) -> f64 {
    let top = |point: &Point| {
        let memory = point.memory.as_ref().map_or(0.0, |totals| measure.of(totals));
        let every = point.every_read.as_ref().map_or(0.0, |totals| measure.of(totals));
        measure.of(&point.speed).max(memory).max(every)
    };
    lane.series.iter().map(top).fold(log_height(lane, measure) * 0.1, f64::max)
}

fn lines(lane: &LaneFrame, measure: Measure, panel: Panel, t: &Tokens) -> Vec<Line<'static>> {
    let outline = || {
        let points =
            lane.outline.iter().map(|p| PlotPoint { x: seconds(p.tick), y: measure.of(&p.totals) }).collect();
        Line::new("full recount", PlotPoints::Owned(points)).color(t.recount).width(1.5)
    };
    match panel {
        Panel::Batch => {
            let batch = stairs(&lane.series, |point| measure.of(&point.batch));
            vec![
                outline().width(1.0).color(t.recount.gamma_multiply(0.5)),
                Line::new("batch view", PlotPoints::Owned(batch)).color(t.batch).width(2.0).allow_band(false),
            ]
        }
        Panel::Speed => {
            let mut lines = Vec::new();
            // Served and memory are one line until the memory is gone, or older than what is served.
            for piece in pieces(&lane.series, |point| point.stale.then(|| measure.of(&point.speed))) {
                let dash = LineStyle::Dashed { length: 3.0 };
                lines.push(
                    Line::new("served", PlotPoints::Owned(flat(piece))).color(t.speed).width(1.5).style(dash),
                );
            }
            for piece in pieces(&lane.series, |point| point.memory.as_ref().map(|m| measure.of(m))) {
                lines.push(
                    Line::new("in memory", PlotPoints::Owned(piece))
                        .color(t.speed)
                        .width(2.0)
                        .allow_band(false),
                );
            }
            for piece in pieces(&lane.series, |point| point.every_read.as_ref().map(|m| measure.of(m))) {
                let dash = LineStyle::Dashed { length: 6.0 };
                lines.push(
                    Line::new("if every read counted", PlotPoints::Owned(piece))
                        .color(t.crash)
                        .width(1.5)
                        .style(dash),
                );
            }
            lines
        }
        Panel::Merged => {
            let merged: Vec<PlotPoint> = lane
                .series
                .iter()
                .map(|p| PlotPoint { x: seconds(p.tick), y: measure.of(&p.merged) })
                .collect();
            vec![outline(), Line::new("merged view", PlotPoints::Owned(merged)).color(t.merged).width(2.5)]
        }
    }
}

fn areas(lane: &LaneFrame, measure: Measure, panel: Panel, t: &Tokens) -> Vec<FilledArea> {
    if panel != Panel::Merged || lane.series.len() < 2 {
        return Vec::new();
    }
    let (mut xs, mut zero, mut batch, mut merged) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut push = |x: f64, low: f64, high: f64| {
        xs.push(x);
        zero.push(0.0);
        batch.push(low);
        merged.push(high.max(low));
    };
    let mut before: Option<(f64, f64)> = None;
    for point in lane.series.iter() {
        let (x, low, high) = (seconds(point.tick), measure.of(&point.batch), measure.of(&point.merged));
        if let Some((held, top)) = before
            && (held - low).abs() > f64::EPSILON
        {
            // A publication is a step: orange turns blue at once, and the top edge does not move.
            push(x, held, top.max(high));
        }
        push(x, low, high);
        before = Some((low, high));
    }
    vec![
        FilledArea::new("final", &xs, &zero, &batch)
            .fill_color(t.batch.gamma_multiply(AREA))
            .allow_hover(false),
        FilledArea::new("provisional", &xs, &batch, &merged)
            .fill_color(t.speed.gamma_multiply(AREA))
            .allow_hover(false),
    ]
}
