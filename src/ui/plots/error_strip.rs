//! The strip under the merged plot: how far merged is from the full recount over the run, on a scale of its own.
//!
//! Half a per cent is a hair's breadth in the plot above; here it is the whole height.

use eframe::egui::{Align2, Rect, Role, Sense, Stroke, Ui, pos2, vec2};
use egui_plot::PlotTransform;

use crate::{
    app::Measure,
    domain::{Lateness, Uniques},
    engine::frame::{LaneFrame, Point},
    ui::{
        series::{seconds, stairs},
        theme::{self, AREA, tokens},
        widgets::named,
    },
};

/// How high it is in a card so high: most of it stays the plot's. Nothing for a stream that leaves nothing out and counts
/// nothing twice.
pub fn height(ui: &Ui, lane: &LaneFrame, card: f32) -> f32 {
    let approximation = &lane.approximation;
    let is_exact = approximation.lateness == Lateness::Unbounded
        && approximation.uniques == Uniques::Set
        && lane.settings.guarantee.is_exactly_once();
    let least = theme::small(ui).size + 4.0 + 4.0 + 16.0;
    if is_exact { 0.0 } else { (62.0 * theme::scale(ui)).min(card * 0.22).max(least) }
}

/// Draws it below a plot, on the same time axis.
pub fn strip_ui(ui: &mut Ui, rect: Rect, measure: Measure, lane: &LaneFrame, above: &PlotTransform) {
    let t = tokens(ui);
    let error = |point: &Point| measure.difference(&point.merged, &point.recount);
    let (low, high) = lane.series.iter().map(error).fold((0, 0), |(low, high), e| (e.min(low), e.max(high)));
    let now = measure.difference(&lane.merged_totals, &lane.recount_totals);
    let response = ui.interact(rect, ui.scope_id().with("error strip"), Sense::hover());
    named(&response, Role::Image, in_words(measure, now, low, high));
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let small = theme::small(ui);
    let frame = above.frame();
    let head = small.size + 4.0;
    let plot =
        Rect::from_min_max(pos2(frame.left(), rect.top() + head), pos2(frame.right(), rect.bottom() - 4.0));
    let (color, text) = match now {
        0 => (t.subdued, "error: none now".to_owned()),
        _ => (t.warning, format!("error: {}", amount(measure, now))),
    };
    let now_text = painter.text(pos2(plot.left(), rect.top()), Align2::LEFT_TOP, text, small.clone(), color);
    let most = if high > -low { high } else { low };
    if most != 0 {
        let text = format!("at most {}", amount(measure, most));
        let galley = painter.layout_no_wrap(text, small, t.subdued);
        // What it is now comes first.
        let left = plot.right() - galley.size().x;
        if left > now_text.right() + 8.0 {
            painter.galley(pos2(left, rect.top()), galley, t.subdued);
        }
    }
    // Too few hangs below the line, too many stands above it.
    let span = ((high - low) as f32).max(1.0);
    let y = |value: f32| plot.top() + plot.height() * ((high as f32) - value) / span;
    painter.hline(plot.x_range(), y(0.0), Stroke::new(1.0, t.hairline));
    let clipped = painter.with_clip_rect(plot.expand2(vec2(0.0, 1.0)).intersect(painter.clip_rect()));
    let steps = stairs(&lane.series, |point| error(point) as f64);
    let place = |x: f64, value: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "a place in pixels")]
        let value = value as f32;
        pos2(above.position_from_point_x(x), y(value))
    };
    for pair in steps.windows(2) {
        let [from, to] = pair else { continue };
        let ends = [place(from.x, from.y), place(to.x, to.y)];
        let [a, b] = ends;
        if b.x > a.x && from.y.abs() > f64::EPSILON {
            let area = Rect::from_two_pos(a, pos2(b.x, y(0.0)));
            clipped.rect_filled(area, 0, t.warning.gamma_multiply(AREA));
        }
        clipped.line_segment(ends, Stroke::new(1.5, t.warning));
    }
    let cursor = above.position_from_point_x(seconds(lane.series.last().map_or(0, |point| point.tick)));
    clipped.vline(cursor, plot.y_range(), Stroke::new(1.0, t.subdued));
}

fn amount(measure: Measure, error: i128) -> String {
    let text = measure.difference_text(error);
    let text = text.trim_start_matches(['+', '-', '\u{2212}']);
    if error < 0 { format!("{text} too few") } else { format!("{text} too many") }
}

fn in_words(measure: Measure, now: i128, low: i128, high: i128) -> String {
    let now = if now == 0 { "none".to_owned() } else { amount(measure, now) };
    let mut most = Vec::new();
    if low < 0 {
        most.push(amount(measure, low));
    }
    if high > 0 {
        most.push(amount(measure, high));
    }
    let most = if most.is_empty() { "none so far".to_owned() } else { most.join(" and ") };
    format!("Error of merged in {}: now {now}; at most {most}.", measure.name())
}
