//! The three plots of the Kappa lane: version, version, what readers see. One time axis, one cursor, as in the Lambda lane.

use eframe::egui::{self, Color32, Id, Layout, Rect, Role, Ui, UiBuilder, Vec2b, pos2, vec2};
use egui_plot::{
    AxisHints, FilledArea, Line, LineStyle, MarkerShape, Plot, PlotPoint, PlotPoints, PlotResponse, Points,
};

use super::{hover_label, marks, seconds_text, short};
use crate::{
    app::{Measure, State, format::thousands, is_down},
    engine::{
        frame::{KappaFrame, KappaPoint, LaneFrame, Role as Part, VersionFrame, VersionPoint, VersionState},
        protocol::VersionNumber,
    },
    ui::{
        series::{end_of_run, log_height, seconds},
        theme::{self, AREA, Tokens, tokens},
        widgets::named,
    },
};

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Card {
    /// The version in this place.
    Place(usize),
    /// What readers see.
    Served,
}

impl Card {
    const ALL: [Card; 3] = [Card::Place(0), Card::Place(1), Card::Served];

    fn color(self, t: &Tokens) -> Color32 {
        match self {
            Card::Place(0) => t.batch,
            Card::Place(_) => t.speed,
            Card::Served => t.merged,
        }
    }
}

/// Draws the three cards.
pub(super) fn versions_ui(ui: &mut Ui, state: &State, lane: &LaneFrame, kappa: &KappaFrame, fit: bool) {
    let area = ui.available_rect_before_wrap();
    let gap = 12.0;
    let width = ((area.width() - 2.0 * gap) / 3.0).floor();
    for (card, left) in Card::ALL.into_iter().zip([0.0, width + gap, 2.0 * (width + gap)]) {
        let rect = Rect::from_min_size(pos2(area.left() + left, area.top()), vec2(width, area.height()));
        let mut child =
            ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::top_down(egui::Align::LEFT)));
        child.set_clip_rect(rect.intersect(ui.clip_rect()));
        card_ui(&mut child, rect, state, lane, kappa, card, fit);
    }
    ui.allocate_rect(area, egui::Sense::hover());
}

fn card_ui(
    ui: &mut Ui,
    rect: Rect,
    state: &State,
    lane: &LaneFrame,
    kappa: &KappaFrame,
    card: Card,
    fit: bool,
) {
    let t = tokens(ui);
    ui.painter().rect_filled(rect, 8, t.panel);
    let scale = theme::scale(ui);
    let head = Rect::from_min_max(
        rect.min + vec2(12.0, 8.0),
        pos2(rect.right() - 12.0, rect.top() + 8.0 + 42.0 * scale),
    );
    let text = HeadText::of(state, kappa, card, t);
    head_ui(ui, head, card, &text);
    let body = Rect::from_min_max(pos2(rect.left() + 4.0, head.bottom() + 2.0), rect.max - vec2(10.0, 4.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(body));
    let response = plot_ui(&mut child, state, lane, kappa, card, fit);
    let label = format!("{}: {} {}. {}.", text.title, text.number, state.measure.name(), text.line);
    named(&response.response, Role::Image, label);
}

/// What stands above a plot.
struct HeadText {
    title: String,
    number: String,
    number_color: Color32,
    line: String,
    line_color: Color32,
}

impl HeadText {
    fn of(state: &State, kappa: &KappaFrame, card: Card, t: &Tokens) -> HeadText {
        match card {
            Card::Served => {
                let number = kappa.serving.as_ref().map(|serving| state.measure.text(&serving.totals));
                let line = kappa.serving.as_ref().map(|serving| {
                    format!("version {}, up to {}", serving.number, thousands(serving.view_position))
                });
                HeadText {
                    title: "Served".to_owned(),
                    number: number.unwrap_or_else(|| "-".to_owned()),
                    number_color: t.strong,
                    line: line.unwrap_or_default(),
                    line_color: t.subdued,
                }
            }
            Card::Place(place) => match version_in(kappa, place) {
                Some(version) => Self::of_version(state, kappa, version, t),
                None => HeadText {
                    title: past_version(kappa, place).map_or_else(
                        || "No second version".to_owned(),
                        |number| format!("Version {number}, deleted"),
                    ),
                    number: "-".to_owned(),
                    number_color: t.subdued,
                    line: if past_version(kappa, place).is_some() {
                        "its view and its checkpoints are gone".to_owned()
                    } else {
                        "choose its rules in the drawer (V)".to_owned()
                    },
                    line_color: t.subdued,
                },
            },
        }
    }

    fn of_version(state: &State, kappa: &KappaFrame, version: &VersionFrame, t: &Tokens) -> HeadText {
        let part = match &kappa.other {
            Some((Part::Next, other)) if other.number == version.number => "next",
            Some((Part::Old, other)) if other.number == version.number => "kept",
            _ => "serves",
        };
        let stands = match version.state {
            VersionState::Crashed { .. } => "down".to_owned(),
            VersionState::Rereading { .. } => "reads again".to_owned(),
            VersionState::CatchingUp | VersionState::UpToDate => {
                format!("up to {}", thousands(version.view_position))
            }
        };
        let down = is_down(version);
        HeadText {
            title: format!("Version {}", version.number),
            number: state.measure.text(&version.totals),
            number_color: if down { t.crash } else { t.strong },
            line: format!("{part} · {stands} · {}", version.settings),
            line_color: if down { t.crash } else { t.subdued },
        }
    }
}

fn version_in(kappa: &KappaFrame, place: usize) -> Option<&VersionFrame> {
    let number = kappa.series.last()?.versions.get(place).copied().flatten()?.version;
    kappa.versions().find(|version| version.number == number)
}

/// The version that was in a place last.
fn past_version(kappa: &KappaFrame, place: usize) -> Option<VersionNumber> {
    let there = |point: &KappaPoint| point.versions.get(place).copied().flatten();
    kappa.series.iter().rev().find_map(there).map(|version| version.version)
}

fn head_ui(ui: &Ui, rect: Rect, card: Card, text: &HeadText) {
    let t = tokens(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let swatch = Rect::from_min_size(
        rect.min + vec2(0.0, 8.0 * theme::scale(ui)),
        vec2(14.0, if card == Card::Served { 4.0 } else { 3.0 }),
    );
    painter.rect_filled(swatch, 1, card.color(t));
    let number = painter.layout_no_wrap(text.number.clone(), theme::big_number(ui), text.number_color);
    let right = rect.right() - number.size().x;
    painter.galley(pos2(right, rect.top() - 3.0), number, text.number_color);
    let fitted = |words: &str, font, color, width: f32| {
        let mut job = egui::text::LayoutJob::simple_singleline(words.to_owned(), font, color);
        job.wrap = egui::text::TextWrapping::truncate_at_width(width);
        painter.layout_job(job)
    };
    let title = fitted(&text.title, theme::strong(ui), t.strong, right - rect.left() - 30.0);
    painter.galley(rect.min + vec2(22.0, 1.0), title, t.strong);
    let line = fitted(&text.line, theme::small(ui), text.line_color, rect.width());
    painter.galley(pos2(rect.left(), rect.bottom() - line.size().y), line, t.subdued);
}

fn plot_ui(
    ui: &mut Ui,
    state: &State,
    lane: &LaneFrame,
    kappa: &KappaFrame,
    card: Card,
    fit: bool,
) -> PlotResponse<()> {
    let t = tokens(ui);
    let measure = state.measure;
    let end = end_of_run(lane, state.tick().0);
    let height =
        kappa.versions().map(|version| measure.of(&version.totals)).fold(log_height(lane, measure), f64::max);
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
    let mut plot = Plot::new(("version-plot", format!("{card:?}")))
        .custom_x_axes(vec![time_axis])
        .custom_y_axes(vec![value_axis])
        .include_x(0.0)
        .include_x(end)
        .include_y(0.0)
        .include_y(height * 1.04)
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
    if fit {
        plot = plot.reset();
    }
    plot.show(ui, |plot| {
        let outline: Vec<PlotPoint> = kappa
            .outline
            .iter()
            .map(|p| PlotPoint { x: seconds(p.tick), y: measure.of(&p.totals) })
            .collect();
        plot.line(
            Line::new("full recount, rules of the run", PlotPoints::Owned(outline))
                .color(t.recount.gamma_multiply(0.5))
                .width(1.0),
        );
        match card {
            Card::Place(place) => version_lines(plot, kappa, measure, place, card.color(t), t),
            Card::Served => served_lines(plot, kappa, measure, t),
        }
    })
}

fn version_lines(
    plot: &mut egui_plot::PlotUi<'_>,
    kappa: &KappaFrame,
    measure: Measure,
    place: usize,
    color: Color32,
    t: &Tokens,
) {
    let at = |point: &KappaPoint| point.versions.get(place).copied().flatten();
    let stale = |v: VersionPoint| v.is_stale.then(|| measure.of(&v.view));
    for piece in pieces(&kappa.series, |point| at(point).and_then(stale)) {
        let dash = LineStyle::Dashed { length: 3.0 };
        plot.line(Line::new("its view", PlotPoints::Owned(piece)).color(color).width(1.5).style(dash));
    }
    let memory = |v: VersionPoint| v.memory.as_ref().map(|totals| measure.of(totals));
    let lines = pieces(&kappa.series, |point| at(point).and_then(memory));
    let ends: Vec<[f64; 2]> = crashes(kappa, place, measure);
    for piece in lines {
        plot.line(Line::new("in memory", PlotPoints::Owned(piece)).color(color).width(2.0).allow_band(false));
    }
    if !ends.is_empty() {
        plot.points(Points::new("crash", ends).shape(MarkerShape::Cross).radius(5.0).color(t.crash));
    }
}

/// The last point of the memory before each crash.
fn crashes(kappa: &KappaFrame, place: usize, measure: Measure) -> Vec<[f64; 2]> {
    let mut ends = Vec::new();
    for pair in kappa.series.windows(2) {
        let [before, after] = pair else { continue };
        let at = |point: &KappaPoint| point.versions.get(place).copied().flatten();
        if let (Some(before_it), Some(after_it)) = (at(before), at(after))
            && before_it.version == after_it.version
            && let (Some(memory), None) = (before_it.memory, after_it.memory)
        {
            ends.push([seconds(before.tick), measure.of(&memory)]);
        }
    }
    ends
}

/// The area under what readers see has the colour of the version that served.
fn served_lines(plot: &mut egui_plot::PlotUi<'_>, kappa: &KappaFrame, measure: Measure, t: &Tokens) {
    let place_of = |point: &KappaPoint| {
        let serving = point.serving?;
        point.versions.iter().position(|version| version.is_some_and(|version| version.version == serving))
    };
    let mut from = 0;
    let points = &kappa.series;
    while let Some(first) = points.get(from) {
        let place = place_of(first);
        let same = points.iter().skip(from).take_while(|point| place_of(point) == place).count().max(1);
        // One point further, so that the pieces touch.
        let piece: Vec<&KappaPoint> = points.iter().skip(from).take(same + 1).collect();
        let xs: Vec<f64> = piece.iter().map(|point| seconds(point.tick)).collect();
        let tops: Vec<f64> = piece.iter().map(|point| measure.of(&point.served)).collect();
        let zero = vec![0.0; xs.len()];
        if let (Some(place), true) = (place, xs.len() > 1) {
            let fill = Card::Place(place).color(t).gamma_multiply(AREA);
            plot.add(FilledArea::new("served by", &xs, &zero, &tops).fill_color(fill).allow_hover(false));
        }
        from += same;
    }
    let line: Vec<PlotPoint> =
        points.iter().map(|p| PlotPoint { x: seconds(p.tick), y: measure.of(&p.served) }).collect();
    plot.line(Line::new("served", PlotPoints::Owned(line)).color(t.merged).width(2.5));
}

fn pieces(series: &[KappaPoint], value: impl Fn(&KappaPoint) -> Option<f64>) -> Vec<Vec<PlotPoint>> {
    let mut out = Vec::new();
    let mut piece: Vec<PlotPoint> = Vec::new();
    for point in series {
        match value(point) {
            Some(y) => piece.push(PlotPoint { x: seconds(point.tick), y }),
            None if piece.is_empty() => {}
            None => out.push(std::mem::take(&mut piece)),
        }
    }
    if !piece.is_empty() {
        out.push(piece);
    }
    out
}
