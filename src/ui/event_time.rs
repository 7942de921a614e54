//! The look "event time": the log as dots or tiles, event time against arrival; watermarks as staircases, days as bands,
//! what comes too late as hollow circles.

mod near;
mod paint;

use std::fmt::Write as _;

use eframe::egui::{self, Button, Layout, Rect, RichText, Role, Sense, Ui, UiBuilder, Vec2b, pos2, vec2};
use egui_plot::{AxisHints, GridInput, GridMark, Plot, PlotPoint, PlotResponse};

use super::{
    grid::{ROW, Weight, row_ui},
    listing::list,
    plots::{marks, short},
    tables::stretch_of_log,
    theme::{self, tokens},
    widgets::{Out, even_rows, named, section, small_text},
};
use crate::{
    app::{
        Edit, EventTimeEdit, EventTimePage, Input, LineageEdit, State,
        event_time::{late_sentence, lateness_name, moment, tried},
        format,
    },
    domain::{EventTime, Lateness},
    engine::{
        frame::LaneFrame,
        protocol::{Cloud, Dot, EventTimes, LATENESSES, WatermarkStep},
    },
};

/// Width of the list of days, where there is room for it.
const SIDE: f32 = 190.0;

/// The card is at least this wide where the list of days stands beside the plot.
const ROOM_FOR_SIDE: f32 = 800.0;

/// How near to a dot the pointer has to be.
const REACH: f32 = 7.0;

/// Draws the look.
pub fn event_time_ui(ui: &mut Ui, area: Rect, state: &State, lane: &LaneFrame, fit: bool, out: &mut Out) {
    let t = tokens(ui);
    ui.painter().rect_filled(area, 8, t.panel);
    let mut child = ui.new_child(
        UiBuilder::new().max_rect(area.shrink2(vec2(12.0, 8.0))).layout(Layout::top_down(egui::Align::LEFT)),
    );
    child.set_clip_rect(area.intersect(ui.clip_rect()));
    // What scrolls fades into the card.
    child.visuals_mut().panel_fill = t.panel;
    let ui = &mut child;
    let page = &state.answers.event_time;
    let Some((_, times)) = &page.times else {
        small_text(ui, "Going through the log…");
        return;
    };
    answer_ui(ui, state, times, out);
    choices(ui, page, times, out);
    let rect = ui.available_rect_before_wrap();
    let has_side = rect.width() >= ROOM_FOR_SIDE && times.late_total > 0;
    let side = if has_side { SIDE * theme::scale(ui) } else { 0.0 };
    let body = Rect::from_min_max(rect.min, pos2(rect.right() - side, rect.bottom()));
    let mut plot = ui.new_child(UiBuilder::new().max_rect(body));
    plot_ui(&mut plot, page, times, lane, fit, out);
    if has_side {
        let beside = Rect::from_min_max(pos2(body.right() + 12.0, rect.top()), rect.max);
        let mut beside_ui = ui.new_child(UiBuilder::new().max_rect(beside));
        days_ui(&mut beside_ui, times, out);
    }
}

/// The answer in words; where another lateness is tried, the way to play the run under it.
fn answer_ui(ui: &mut Ui, state: &State, times: &EventTimes, out: &mut Out) {
    let t = tokens(ui);
    let color = if times.late_total > 0 { t.warning } else { t.text };
    let size = vec2(ui.available_width(), ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(egui::Align::Center), |ui| {
        if let Some((_, lateness)) = tried(state) {
            let label = format!("Play the run with {}", lateness_name(lateness));
            let label = RichText::new(label).font(theme::small(ui));
            let hint = "A new run from record 0; its settings are kept with it";
            if ui.button(label).on_hover_text(hint).clicked() {
                out.push(Input::Edit(Edit::EventTime(EventTimeEdit::Play)));
            }
        }
        ui.with_layout(Layout::left_to_right(egui::Align::Center), |ui| {
            ui.add(egui::Label::new(RichText::new(late_sentence(times)).color(color)).truncate());
        });
    });
}

/// Which lateness is tried, and whose watermark stands out.
fn choices(ui: &mut Ui, page: &EventTimePage, times: &EventTimes, out: &mut Out) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        let subdued = tokens(ui).subdued;
        let word = |ui: &mut Ui, text: &str| {
            ui.label(RichText::new(text).font(theme::small(ui)).color(subdued));
            ui.add_space(4.0);
        };
        word(ui, "Allowed lateness");
        let mut choose = |ui: &mut Ui, label: String, hint: String, is_chosen: bool, edit: EventTimeEdit| {
            if choice(ui, &label, is_chosen).on_hover_text(hint).clicked() {
                out.push(Input::Edit(Edit::EventTime(edit)));
            }
        };
        let is_own = page.lateness.is_none();
        let own = "As the run is set".to_owned();
        choose(ui, "the run's own".to_owned(), own, is_own, EventTimeEdit::Lateness(None));
        for lateness in LATENESSES {
            let count = times.what_if.iter().find(|(of, _)| *of == lateness).map_or(0, |(_, count)| *count);
            let name = lateness_name(lateness);
            let label = format!("{name} · {}", format::thousands(count));
            let hint = format!("{} would come too late", format::records(count));
            let is_chosen = page.lateness == Some(lateness);
            choose(ui, label, hint, is_chosen, EventTimeEdit::Lateness(Some(lateness)));
        }
        ui.add_space(12.0);
        word(ui, "Watermark");
        let hint = "The smallest over partitions that are being read".to_owned();
        let is_combined = page.partition.is_none();
        choose(ui, "combined".to_owned(), hint, is_combined, EventTimeEdit::Partition(None));
        if times.partitions.len() > 1 {
            for (at, (name, _)) in times.partitions.iter().enumerate() {
                let hint = format!("The largest event time read from {name}");
                let is_chosen = page.partition == Some(at);
                choose(ui, name.clone(), hint, is_chosen, EventTimeEdit::Partition(Some(at)));
            }
        }
    });
}

fn choice(ui: &mut Ui, label: &str, is_chosen: bool) -> egui::Response {
    let t = tokens(ui);
    let color = if is_chosen { t.strong } else { t.subdued };
    ui.add(Button::selectable(is_chosen, RichText::new(label).font(theme::small(ui)).color(color)))
}

/// A click lists the records of a day.
fn days_ui(ui: &mut Ui, times: &EventTimes, out: &mut Out) {
    let late: Vec<_> = times.days.iter().filter(|day| day.late > 0).collect();
    section(ui, "Late by day");
    let height = ROW * theme::scale(ui);
    even_rows(ui, "late-days", height, late.len(), |ui, range| {
        for day in late.get(range).unwrap_or_default() {
            let of = format!("{} of {}", format::thousands(day.late), format::thousands(day.records));
            let row = row_ui(ui, &day.day.to_string(), &[of], &[84.0], Weight::Plain, Sense::click());
            if row.on_hover_text("The records of this day").clicked() {
                list(stretch_of_log((0, times.records), Some(day.day)), out);
            }
        }
    });
}

/// The plane of the plot: record numbers across, seconds since the earliest event time up.
#[derive(Debug, Clone, Copy)]
struct Plane {
    first: EventTime,
}

impl Plane {
    fn y(self, time: EventTime) -> f64 {
        (i128::from(time.0) - i128::from(self.first.0)) as f64 / 1e9
    }

    fn time(self, y: f64) -> EventTime {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, far outside of what is drawn")]
        let nanos = (y * 1e9) as i64;
        EventTime(self.first.0.saturating_add(nanos))
    }
}

fn plot_ui(
    ui: &mut Ui,
    page: &EventTimePage,
    times: &EventTimes,
    lane: &LaneFrame,
    fit: bool,
    out: &mut Out,
) {
    let t = tokens(ui);
    let plane = Plane { first: times.span.0 };
    let top = plane.y(times.span.1).max(1.0);
    let (font, color) = (theme::mono_small(ui), t.subdued);
    let across = AxisHints::new_x()
        .formatter(|mark, _| format!("record {}", short(mark.value)))
        .tick_label_font(font.clone())
        .label_spacing(egui::Rangef::new(20.0, 40.0))
        .tick_label_color(color);
    let up = AxisHints::new_y()
        .formatter(move |mark, _| time_label(plane.time(mark.value), mark.step_size))
        .tick_label_font(font)
        .tick_label_color(color)
        .label_spacing(egui::Rangef::new(10.0, 20.0))
        .min_thickness(60.0);
    let records = times.records.max(1) as f64;
    let mut plot = Plot::new("event-time")
        .custom_x_axes(vec![across])
        .custom_y_axes(vec![up])
        .include_x(0.0)
        .include_x(records)
        .include_y(-0.02 * top)
        .include_y(top * 1.02)
        .set_margin_fraction(vec2(0.0, 0.0))
        .allow_zoom(Vec2b::new(true, true))
        .allow_drag(Vec2b::new(true, true))
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_background(false)
        .show_crosshair(false)
        .grid_color(t.grid)
        .x_grid_spacer(|input| marks::steps(&input, 110.0, 0.02))
        .y_grid_spacer(move |input| time_steps(&input, plane.first))
        .grid_spacing(egui::Rangef::new(10.0, 100.0))
        .label_formatter(|_| None);
    if fit {
        plot = plot.reset();
    }
    let response = plot.show(ui, |_| {});
    let bounds = response.transform.bounds();
    let window = near::window_of(times, plane, bounds);
    if window != page.window {
        out.push(Input::Edit(Edit::EventTime(EventTimeEdit::Window(window))));
    }
    let near = page.near().filter(|part| near::covers(part, times, plane, bounds));
    let scene = paint::Scene { times, near, lane, plane, chosen: page.partition };
    scene.paint(ui, &response.response, &response.transform);
    named(&response.response, Role::Image, in_words(times));
    hover(&response, times, scene.cloud(), plane);
    clicked(&response, &scene, out);
}

/// A click on a dot shows the numbers that the record touches, one on a tile lists its records: of its day, where it has one
/// only.
fn clicked(response: &PlotResponse<()>, scene: &paint::Scene<'_>, out: &mut Out) {
    let Some(pointer) = response.response.interact_pointer_pos().filter(|_| response.response.clicked())
    else {
        return;
    };
    if let Some(dot) = near(response, scene.cloud(), scene.plane, pointer) {
        out.push(Input::Edit(Edit::Lineage(LineageEdit::Numbers(u64::from(dot.record)))));
        return;
    }
    if let Some((records, (from, to))) = scene.tile_at(response.transform.value_from_position(pointer)) {
        let day = scene.times.days.iter().find(|band| band.from <= from && to <= band.to);
        list(stretch_of_log(records, day.map(|band| band.day)), out);
    }
}

fn in_words(times: &EventTimes) -> String {
    format!(
        "Event time against arrival: {}, event times {} to {}. {}",
        format::records(times.records),
        moment(times.span.0),
        moment(times.span.1),
        late_sentence(times)
    )
}

/// What lies under the pointer, and how far event time has come there.
fn hover(response: &PlotResponse<()>, times: &EventTimes, cloud: &Cloud, plane: Plane) {
    let Some(pointer) = response.response.hover_pos() else { return };
    let at = response.transform.value_from_position(pointer);
    if !(0.0..=times.records as f64).contains(&at.x) {
        return;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in the log")]
    let record = at.x as u64;
    let mut text = match near(response, cloud, plane, pointer) {
        Some(dot) => {
            let name = times.partitions.get(dot.partition.index()).map_or("", |(name, _)| name.as_str());
            let late = if dot.is_late { "\ncomes after its day was closed" } else { "" };
            format!(
                "record {} of {name}, {}{late}",
                format::thousands(u64::from(dot.record)),
                moment(dot.time)
            )
        }
        None => format!("at record {}, {}", format::thousands(record), moment(plane.time(at.y))),
    };
    if let Some(step) = standing(&times.combined, record) {
        let _ = write!(text, "\ncombined watermark {}", moment(step.time));
    }
    response.response.clone().on_hover_text_at_pointer(text);
}

/// How a watermark stood when a record came.
fn standing(steps: &[WatermarkStep], record: u64) -> Option<&WatermarkStep> {
    let after = steps.partition_point(|step| step.records <= record);
    after.checked_sub(1).and_then(|at| steps.get(at))
}

/// The dot nearest to the pointer, if one is near.
fn near<'a>(
    response: &PlotResponse<()>,
    cloud: &'a Cloud,
    plane: Plane,
    pointer: egui::Pos2,
) -> Option<&'a Dot> {
    let Cloud::Dots(dots) = cloud else { return None };
    let edge = |dx: f32| response.transform.value_from_position(pointer + vec2(dx, 0.0)).x;
    let (from, to) = (edge(-REACH), edge(REACH));
    let first = dots.partition_point(|dot| f64::from(dot.record) < from);
    let last = dots.partition_point(|dot| f64::from(dot.record) <= to);
    let distance = |dot: &Dot| {
        let point = PlotPoint::new(f64::from(dot.record), plane.y(dot.time));
        response.transform.position_from_point(&point).distance(pointer)
    };
    let all = dots.get(first..last).unwrap_or_default().iter();
    let nearest = all.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    (distance(nearest) <= REACH).then_some(nearest)
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

/// Grid lines where clocks and calendars have them.
fn time_steps(input: &GridInput, first: EventTime) -> Vec<GridMark> {
    const STEPS: [f64; 21] = [
        1.0,
        5.0,
        15.0,
        30.0,
        MINUTE,
        5.0 * MINUTE,
        15.0 * MINUTE,
        30.0 * MINUTE,
        HOUR,
        3.0 * HOUR,
        6.0 * HOUR,
        12.0 * HOUR,
        DAY,
        2.0 * DAY,
        7.0 * DAY,
        14.0 * DAY,
        28.0 * DAY,
        56.0 * DAY,
        91.0 * DAY,
        182.0 * DAY,
        364.0 * DAY,
    ];
    let (from, to) = input.bounds;
    let least = input.base_step_size * 3.0;
    if !(from.is_finite() && to.is_finite() && least.is_finite() && least > 0.0) {
        return Vec::new();
    }
    let longest = 364.0 * DAY;
    let step =
        STEPS.into_iter().find(|step| *step >= least).unwrap_or_else(|| (least / longest).ceil() * longest);
    // Lines stand at whole steps since 1970, whatever the log begins with.
    let origin = first.0 as f64 / 1e9;
    let start = ((from + origin) / step).ceil() * step - origin;
    (0_u32..200)
        .map(|n| start + f64::from(n) * step)
        .take_while(|value| *value <= to)
        .map(|value| GridMark { value, step_size: step })
        .collect()
}

/// A date, or a date and a time of day, as the steps between the lines need.
fn time_label(time: EventTime, step: f64) -> String {
    let text = moment(time);
    let mut words = text.split(' ');
    let (day, month, year) =
        (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
    let clock = words.next().unwrap_or("");
    if step >= 182.0 * DAY {
        format!("{month} {year}")
    } else if step >= DAY {
        format!("{day} {month}")
    } else if step >= MINUTE {
        format!("{day} {month} {clock}")
    } else {
        time.to_string().get(11..19).unwrap_or("").to_owned()
    }
}

/// The lateness that is judged by, where days are closed at all.
fn is_finite(times: &EventTimes) -> bool {
    times.lateness != Lateness::Unbounded
}
