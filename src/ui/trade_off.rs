//! The look "trade-off": staleness across, cost up, both on scales of tens; one curve for the batch layer, one a checkpoint
//! interval for the stream layer. Knobs move the marked points along their curves.

use eframe::egui::{
    self, Align2, Button, Color32, Label, Layout, Rect, RichText, Role, ScrollArea, Slider, Stroke, Ui,
    UiBuilder, Vec2b, pos2, vec2,
};
use egui_plot::{AxisHints, GridInput, GridMark, Line, LineStyle, Plot, PlotPoint, PlotPoints, PlotResponse};

use super::{
    theme::{self, Tokens, tokens},
    widgets::{Out, edit_button, named, section, small_text},
};
use crate::{
    app::{
        Edit, Family, Input, Price, State, TradeOffEdit, TradeOffPage, format,
        trade_off::{about, age, amount, in_words, played},
    },
    engine::{
        frame::LaneFrame,
        protocol::{Knobs, LayerPrice, MOST_SWEPT, Swept, TradePoint},
    },
};

/// Width of the knobs.
const SIDE: f32 = 300.0;

/// What is fresher than this is not told apart: a tenth of a tick.
const FRESH_MICROS: u64 = 1_000;

/// How near to a point a click has to be.
const REACH: f32 = 12.0;

/// Draws the look.
pub fn trade_off_ui(ui: &mut Ui, area: Rect, state: &State, lane: &LaneFrame, fit: bool, out: &mut Out) {
    let t = tokens(ui);
    ui.painter().rect_filled(area, 8, t.panel);
    let inner = area.shrink2(vec2(12.0, 8.0));
    let side = SIDE.min(inner.width() * 0.36) * theme::scale(ui);
    let left = Rect::from_min_max(inner.min, pos2(inner.right() - side - 12.0, inner.bottom()));
    let right = Rect::from_min_max(pos2(inner.right() - side, inner.top()), inner.max);
    let page = &state.answers.trade_off;
    let mut plot = ui.new_child(UiBuilder::new().max_rect(left).layout(Layout::top_down(egui::Align::LEFT)));
    plot.visuals_mut().panel_fill = t.panel;
    plot.set_clip_rect(left.intersect(ui.clip_rect()));
    head_ui(&mut plot, page, lane, out);
    plot_ui(&mut plot, page, lane, fit, out);
    let mut knobs =
        ui.new_child(UiBuilder::new().max_rect(right).layout(Layout::top_down(egui::Align::LEFT)));
    knobs.visuals_mut().panel_fill = t.panel;
    knobs.set_clip_rect(right.intersect(ui.clip_rect()));
    ScrollArea::vertical().id_salt("trade-off").auto_shrink(false).show(&mut knobs, |ui| {
        side_ui(ui, page, lane, out);
    });
}

fn edit(out: &mut Out, edit: TradeOffEdit) {
    out.push(Input::Edit(Edit::TradeOff(edit)));
}

/// What is priced, and how far the sweep is.
fn head_ui(ui: &mut Ui, page: &TradeOffPage, lane: &LaneFrame, out: &mut Out) {
    let t = tokens(ui);
    let text = "Batch: high throughput, but stale. Stream: low latency, but more work an event.";
    ui.add(Label::new(RichText::new(text).font(theme::strong(ui)).color(t.strong)).truncate());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        small_text(ui, "A record costs");
        ui.add_space(4.0);
        for price in Price::ALL {
            let color = if page.price == price { t.strong } else { t.subdued };
            let label = RichText::new(price.name()).font(theme::small(ui)).color(color);
            if ui.add(Button::selectable(page.price == price, label)).on_hover_text(price.unit()).clicked() {
                edit(out, TradeOffEdit::Price(price));
            }
        }
        ui.add_space(12.0);
        let (done, all) = page.progress();
        let left = page.left_millis().filter(|_| page.is_sweeping && done < all);
        let left = left.map_or_else(String::new, |millis| format!(", {} left", about(millis)));
        small_text(ui, format!("{done} of {all} points played{left}"));
        if page.is_sweeping {
            edit_button(ui, out, "Stop", Edit::TradeOff(TradeOffEdit::Stop));
        } else if done < all {
            edit_button(ui, out, "Go on", Edit::TradeOff(TradeOffEdit::Sweep));
        }
    });
    if lane.log_records > MOST_SWEPT {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
            swept_ui(ui, page, lane, out);
        });
    }
}

/// How much of a long log is played for a point.
fn swept_ui(ui: &mut Ui, page: &TradeOffPage, lane: &LaneFrame, out: &mut Out) {
    let t = tokens(ui);
    small_text(ui, "Each point plays");
    ui.add_space(4.0);
    let records = |swept: Swept| format::thousands(swept.most(lane.log_records));
    for (swept, name, hint) in [
        (
            Swept::Beginning,
            format!("the first {}", records(Swept::Beginning)),
            "Quick; what comes later in the log is left out",
        ),
        (
            Swept::Whole,
            format!("the whole log ({})", records(Swept::Whole)),
            "Takes longer; stop whenever you like, points that were played stay",
        ),
    ] {
        let color = if page.swept == swept { t.strong } else { t.subdued };
        let label = RichText::new(name).font(theme::small(ui)).color(color);
        if ui.add(Button::selectable(page.swept == swept, label)).on_hover_text(hint).clicked() {
            edit(out, TradeOffEdit::Swept(swept));
        }
    }
}

/// A point of a family as it is drawn.
fn place(family: Family, price: Price, point: &TradePoint, floor: f64) -> [f64; 2] {
    let layer = layer_of(family, point);
    // Nothing has no place on a scale of tens: it stands at the foot.
    let cost = price.of(layer, point.records).max(floor).log10();
    [(layer.mean_age_micros.max(FRESH_MICROS) as f64 / 1e6).log10(), cost]
}

fn layer_of(family: Family, point: &TradePoint) -> &LayerPrice {
    match family {
        Family::Batch => &point.batch,
        Family::Stream => &point.stream,
    }
}

/// What nothing is drawn at: a tenth of the smallest cost that is something.
fn floor_of(page: &TradeOffPage) -> f64 {
    let costs = page
        .points
        .iter()
        .flat_map(|point| [&point.batch, &point.stream].map(|layer| page.price.of(layer, point.records)));
    let least = costs.filter(|cost| *cost > 0.0).fold(f64::INFINITY, f64::min);
    if least.is_finite() { least / 10.0 } else { 0.1 }
}

fn plot_ui(ui: &mut Ui, page: &TradeOffPage, lane: &LaneFrame, fit: bool, out: &mut Out) {
    let t = tokens(ui);
    if page.points.is_empty() {
        ui.add_space(16.0);
        small_text(ui, "Playing the log under other intervals; the first point comes in a moment.");
        return;
    }
    let floor = floor_of(page);
    let (font, color) = (theme::mono_small(ui), t.subdued);
    let small = |text: &str| RichText::new(text).font(theme::small(ui)).color(color);
    let across = AxisHints::new_x()
        .label(small("age of the view on average, simulated"))
        .formatter(|mark, _| age(power(mark.value + 6.0)))
        .tick_label_font(font.clone())
        .tick_label_color(color);
    let up =
        AxisHints::new_y()
            .label(small(page.price.unit()))
            .formatter(move |mark, _| {
                if mark.value <= floor.log10() { "0".to_owned() } else { amount(10_f64.powf(mark.value)) }
            })
            .tick_label_font(font)
            .tick_label_color(color)
            .min_thickness(44.0);
    let mut plot = Plot::new("trade-off-plot")
        .custom_x_axes(vec![across])
        .custom_y_axes(vec![up])
        .set_margin_fraction(vec2(0.06, 0.12))
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_zoom(Vec2b::new(true, true))
        .show_background(false)
        .show_crosshair(false)
        .grid_color(t.grid)
        .x_grid_spacer(tens)
        .y_grid_spacer(tens)
        .grid_spacing(egui::Rangef::new(10.0, 100.0))
        .label_formatter(|_| None);
    if fit {
        plot = plot.reset();
    }
    let response = plot.show(ui, |plot| {
        for (family, color) in [(Family::Batch, t.batch), (Family::Stream, t.speed)] {
            for curve in page.curves(family, lane.knobs) {
                let is_main = family == Family::Batch || is_of(&curve, page.knobs.checkpoint_every);
                let points =
                    curve.iter().map(|point| place(family, page.price, point, floor)).map(PlotPoint::from);
                let drawn = Line::new("", PlotPoints::Owned(points.collect())).allow_hover(false);
                plot.line(match (family, is_main) {
                    (Family::Batch, _) => drawn.color(color).width(2.0),
                    (Family::Stream, true) => {
                        drawn.color(color).width(2.0).style(LineStyle::Dashed { length: 8.0 })
                    }
                    (Family::Stream, false) => drawn.color(color.gamma_multiply(0.35)).width(1.0),
                });
            }
        }
    });
    paint(ui, page, lane, &response, floor);
    named(&response.response, Role::Image, plot_in_words(page, lane));
    touched(&response, page, lane, floor, out);
}

fn is_of(curve: &[&TradePoint], checkpoint_every: u64) -> bool {
    curve.first().is_some_and(|point| point.knobs.checkpoint_every == checkpoint_every)
}

fn plot_in_words(page: &TradeOffPage, lane: &LaneFrame) -> String {
    let batch = page.batch_point(page.knobs, lane.knobs).map(|point| in_words(Family::Batch, point));
    let stream = page.stream_point(page.knobs, lane.knobs).map(|point| in_words(Family::Stream, point));
    format!("Trade-off: {} {}", batch.unwrap_or_default(), stream.unwrap_or_default())
}

/// Points by form: squares of the batch layer, discs of the stream layer; those of the knobs are large, those of the run
/// have a ring.
fn paint(ui: &Ui, page: &TradeOffPage, lane: &LaneFrame, response: &PlotResponse<()>, floor: f64) {
    let t = tokens(ui);
    let frame = *response.transform.frame();
    let painter = ui.painter().with_clip_rect(frame.intersect(ui.clip_rect()));
    for (family, color) in [(Family::Batch, t.batch), (Family::Stream, t.speed)] {
        let turned = match family {
            Family::Batch => page.batch_point(page.knobs, lane.knobs),
            Family::Stream => page.stream_point(page.knobs, lane.knobs),
        };
        for point in page.curves(family, lane.knobs).into_iter().flatten() {
            let [x, y] = place(family, page.price, point, floor);
            let at = response.transform.position_from_point(&PlotPoint::new(x, y));
            let is_turned = turned.is_some_and(|turned| turned.knobs == point.knobs);
            let size = if is_turned { 7.0 } else { 3.5 };
            match family {
                Family::Batch => {
                    painter.rect_filled(Rect::from_center_size(at, vec2(2.0 * size, 2.0 * size)), 1, color);
                }
                Family::Stream => {
                    painter.circle_filled(at, size, color);
                }
            }
            if point.knobs == lane.knobs {
                painter.circle_stroke(at, 11.0, Stroke::new(1.5, t.strong));
            }
            if is_turned {
                let text = match family {
                    Family::Batch => format!("batch every {}", format::thousands(point.knobs.batch_every)),
                    Family::Stream => {
                        format!("micro-batches of {}", format::thousands(point.knobs.micro_batch))
                    }
                };
                let right = at.x > frame.center().x;
                let (anchor, dx) =
                    if right { (Align2::RIGHT_CENTER, -14.0) } else { (Align2::LEFT_CENTER, 14.0) };
                let galley = painter.layout_no_wrap(text, theme::small(ui), t.strong);
                let place = anchor.anchor_size(pos2(at.x + dx, at.y - 12.0), galley.size());
                painter.rect_filled(place.expand(2.0), 2, t.panel.gamma_multiply(0.85));
                painter.galley(place.min, galley, t.strong);
            }
        }
    }
    legend(ui, &painter, frame, t);
}

fn legend(ui: &Ui, painter: &egui::Painter, frame: Rect, t: &Tokens) {
    let (mut x, y) = (frame.left() + 10.0, frame.bottom() - 12.0);
    let entries: [(&str, Color32); 3] =
        [("batch layer", t.batch), ("stream layer", t.speed), ("this run", t.strong)];
    for (word, color) in entries {
        let mark = pos2(x + 4.0, y);
        match word {
            "batch layer" => {
                painter.rect_filled(Rect::from_center_size(mark, vec2(7.0, 7.0)), 1, color);
            }
            "stream layer" => {
                painter.circle_filled(mark, 3.5, color);
            }
            _ => {
                painter.circle_stroke(mark, 5.0, Stroke::new(1.5, color));
            }
        }
        let place = painter.text(pos2(x + 14.0, y), Align2::LEFT_CENTER, word, theme::small(ui), t.subdued);
        x = place.right() + 14.0;
    }
}

/// A click takes the knobs of the nearest point; under the pointer it says what it is.
fn touched(response: &PlotResponse<()>, page: &TradeOffPage, lane: &LaneFrame, floor: f64, out: &mut Out) {
    let Some(pointer) = response.response.hover_pos() else { return };
    let mut nearest: Option<(f32, Family, &TradePoint)> = None;
    for family in [Family::Batch, Family::Stream] {
        for point in page.curves(family, lane.knobs).into_iter().flatten() {
            let [x, y] = place(family, page.price, point, floor);
            let at = response.transform.position_from_point(&PlotPoint::new(x, y));
            let distance = at.distance(pointer);
            if distance <= REACH && nearest.is_none_or(|(least, ..)| distance < least) {
                nearest = Some((distance, family, point));
            }
        }
    }
    let Some((_, family, point)) = nearest else { return };
    if response.response.clicked() {
        let knobs = match family {
            Family::Batch => Knobs { batch_every: point.knobs.batch_every, ..page.knobs },
            Family::Stream => Knobs { batch_every: page.knobs.batch_every, ..point.knobs },
        };
        edit(out, TradeOffEdit::Knobs(knobs));
    }
    response.response.clone().on_hover_text_at_pointer(in_words(family, point));
}

fn side_ui(ui: &mut Ui, page: &TradeOffPage, lane: &LaneFrame, out: &mut Out) {
    let t = tokens(ui);
    section(ui, "Knobs");
    let Knobs { batch_every, micro_batch, checkpoint_every } = page.knobs;
    if let Some(turned) = knob(ui, "Batch run every", &page.stops.batch_every, batch_every) {
        edit(out, TradeOffEdit::Knobs(Knobs { batch_every: turned, ..page.knobs }));
    }
    if let Some(turned) = knob(ui, "Micro-batch", &page.stops.micro_batch, micro_batch) {
        edit(out, TradeOffEdit::Knobs(Knobs { micro_batch: turned, ..page.knobs }));
    }
    if let Some(turned) = knob(ui, "Checkpoint every", &page.stops.checkpoint_every, checkpoint_every) {
        edit(out, TradeOffEdit::Knobs(Knobs { checkpoint_every: turned, ..page.knobs }));
    }
    for (family, title, color) in
        [(Family::Batch, "Batch layer", t.batch_text), (Family::Stream, "Stream layer", t.speed_text)]
    {
        ui.add_space(4.0);
        ui.label(RichText::new(title).font(theme::strong(ui)).color(color));
        let point = match family {
            Family::Batch => page.batch_point(page.knobs, lane.knobs),
            Family::Stream => page.stream_point(page.knobs, lane.knobs),
        };
        match point {
            Some(point) => ui.add(Label::new(RichText::new(in_words(family, point)).color(t.text)).wrap()),
            None => small_text(ui, "Not played yet."),
        };
    }
    ui.add_space(8.0);
    let is_other = page.knobs != lane.knobs;
    ui.add_enabled_ui(is_other, |ui| {
        let (text, fill) = if is_other { (t.on_accent, t.accent) } else { (t.subdued, t.raised) };
        let label = RichText::new("Play the run again like this").font(theme::strong(ui)).color(text);
        let button = ui.add(Button::new(label).fill(fill));
        if button.on_disabled_hover_text("The run has these settings").clicked() {
            edit(out, TradeOffEdit::Play);
        }
    });
    let records = page.points.first().map(|point| point.records);
    let how = records.map_or_else(String::new, |records| format!(" {}.", played(records, lane.log_records)));
    small_text(ui, format!("A new run from record 0; its settings are kept with it.{how}"));
}

/// A slider over the values that were played, so that the point it moves is always a measured one.
fn knob(ui: &mut Ui, name: &str, stops: &[u64], value: u64) -> Option<u64> {
    let at = stops.iter().position(|stop| *stop >= value).unwrap_or(stops.len().saturating_sub(1));
    let mut chosen = at;
    let last = stops.len().saturating_sub(1);
    let values = stops.to_vec();
    ui.spacing_mut().slider_width = (ui.available_width() - 190.0).max(60.0);
    let slider =
        Slider::new(&mut chosen, 0..=last).text(name).show_value(true).custom_formatter(move |at, _| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the number of a stop"
            )]
            let stop = values.get(at as usize).copied().unwrap_or(0);
            format::thousands(stop)
        });
    ui.add_enabled(last > 0, slider);
    (chosen != at).then(|| stops.get(chosen).copied()).flatten()
}

/// Lines at powers of ten, and between them where there is room.
#[expect(clippy::needless_pass_by_value, reason = "as the plot calls it")]
fn tens(input: GridInput) -> Vec<GridMark> {
    let (from, to) = input.bounds;
    let room = input.base_step_size * 5.0;
    if !(from.is_finite() && to.is_finite() && room > 0.0) {
        return Vec::new();
    }
    let between: &[f64] = if room < 0.3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let step = if room > 1.0 { room.ceil() } else { 1.0 };
    let first = (from / step).floor() * step;
    let mut marks = Vec::new();
    for n in 0_u32..60 {
        let power = first + f64::from(n) * step;
        for factor in between {
            let value = power + factor.log10();
            if (from..=to).contains(&value) {
                marks.push(GridMark { value, step_size: step });
            }
        }
    }
    marks
}

/// Ten to a power, as a whole number.
fn power(exponent: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is never negative"
    )]
    let whole = 10_f64.powf(exponent).round() as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_at_powers_of_ten() {
        let input = |step| GridInput { bounds: (-2.2, 1.1), base_step_size: step };
        let values = |step| tens(input(step)).iter().map(|mark| mark.value).collect::<Vec<_>>();
        assert_eq!(values(0.1), [-2.0, -1.0, 0.0, 1.0]);
        assert_eq!(values(0.05).len(), 10, "twos and fives too");
        assert_eq!(values(0.5), [0.0], "every third power");
        assert_eq!(power(3.0), 1_000);
    }
}
