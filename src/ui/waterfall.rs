//! A waterfall: from one total to another by steps, each a bar from where the last one ended.

use eframe::egui::{Align2, Color32, Rect, Response, Role, Sense, Stroke, Ui, pos2, vec2};

use super::{
    canvas::hatch,
    theme::{self, tokens},
    widgets::named,
};

/// One line of a waterfall.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its number as text.
    pub text: String,
    /// Where the bar begins; a total begins at nothing.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Whether it is one of the two totals.
    pub is_total: bool,
    /// Colour of its bar.
    pub color: Color32,
    /// Read to those who do not see the bar, and on hover.
    pub words: String,
}

const ROW: f32 = 26.0;

/// The part of the numbers that is drawn: from nothing, or, where steps would be too short to be seen, only the ends.
pub fn range(steps: &[Step]) -> (f64, f64) {
    let ends = || steps.iter().filter(|step| !step.is_total).flat_map(|step| [step.from, step.to]);
    let totals = || steps.iter().filter(|step| step.is_total).map(|step| step.to);
    let high = ends().chain(totals()).fold(f64::MIN, f64::max).max(1.0);
    let low = ends().chain(totals()).fold(high, f64::min);
    let spread = high - low;
    // Steps of less than a tenth of the whole are hard to see beside bars that begin at nothing.
    if low > 0.0 && spread > 0.0 && spread < 0.25 * high {
        return ((low - 0.35 * spread).max(0.0), high + 0.05 * spread);
    }
    (low.min(0.0), high)
}

/// Draws the steps; the number of the one that was clicked. Totals are not clicked.
pub fn waterfall_ui(ui: &mut Ui, steps: &[Step]) -> Option<usize> {
    let scale = theme::scale(ui);
    let (low, high) = range(steps);
    let widest = steps.iter().map(|step| step.text.len()).max().unwrap_or(0) as f32;
    let number_width = (widest * 7.0 + 10.0) * scale;
    let name_width = (ui.available_width() * 0.36).min(150.0 * scale);
    let mut clicked = None;
    let mut before: Option<(Rect, f32)> = None;
    for (at, step) in steps.iter().enumerate() {
        let sense = if step.is_total { Sense::hover() } else { Sense::click() };
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW * scale), sense);
        let track = Rect::from_min_max(
            pos2(rect.left() + name_width, rect.top()),
            pos2(rect.right() - number_width, rect.bottom()),
        );
        #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
        let x = |value: f64| {
            track.left() + track.width() * (((value - low) / (high - low)).clamp(0.0, 1.0) as f32)
        };
        step_ui(ui, rect, step, &response);
        let (from, to) = if step.is_total { (low, step.to) } else { (step.from, step.to) };
        let (left, right) = (x(from.min(to)), x(from.max(to)).max(x(from.min(to)) + 1.5));
        let bar = Rect::from_x_y_ranges(left..=right, track.shrink2(vec2(0.0, 5.0 * scale)).y_range());
        bar_ui(ui, bar, step, low > 0.0);
        if let Some((above, end)) = before {
            let line = Stroke::new(1.0, tokens(ui).hairline);
            ui.painter().line_segment([pos2(end, above.bottom()), pos2(end, bar.top())], line);
        }
        before = Some((bar, x(step.to)));
        let words = step.words.clone();
        named(&response, if step.is_total { Role::Label } else { Role::Button }, words.clone());
        if response.on_hover_text(words).clicked() {
            clicked = Some(at);
        }
    }
    clicked
}

fn step_ui(ui: &Ui, rect: Rect, step: &Step, response: &Response) {
    let t = tokens(ui);
    if !step.is_total && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, 4, t.hover);
    }
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let (font, ink) = if step.is_total { (theme::strong(ui), t.strong) } else { (theme::body(ui), t.text) };
    let scale = theme::scale(ui);
    let mut job = eframe::egui::text::LayoutJob::simple_singleline(step.name.clone(), font, ink);
    let width = (rect.width() * 0.36).min(150.0 * scale) - 8.0;
    job.wrap = eframe::egui::text::TextWrapping::truncate_at_width(width);
    let galley = painter.layout_job(job);
    painter.galley(pos2(rect.left() + 4.0, rect.center().y - galley.size().y / 2.0), galley, ink);
    painter.text(
        rect.right_center() - vec2(4.0, 0.0),
        Align2::RIGHT_CENTER,
        &step.text,
        theme::mono(ui),
        ink,
    );
}

fn bar_ui(ui: &Ui, bar: Rect, step: &Step, is_cut: bool) {
    let t = tokens(ui);
    ui.painter().rect_filled(bar, 2, step.color);
    // What is taken away has a form of its own.
    if !step.is_total && step.to < step.from {
        hatch(ui.painter(), bar, 5.0, t.panel.gamma_multiply(0.55));
    }
    if step.is_total && is_cut {
        // The bar does not begin at nothing: a torn edge says so.
        let at = bar.left() + 10.0;
        for offset in [0.0, 4.0] {
            let (top, bottom) =
                (pos2(at + offset + 3.0, bar.top() - 1.0), pos2(at + offset - 3.0, bar.bottom() + 1.0));
            ui.painter().line_segment([top, bottom], Stroke::new(2.0, t.panel));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(is_total: bool, from: f64, to: f64) -> Step {
        let (name, text, words) = (String::new(), String::new(), String::new());
        Step { name, text, from, to, is_total, color: Color32::TRANSPARENT, words }
    }

    #[test]
    fn small_steps_are_drawn_close_up_and_large_ones_from_nothing() {
        let far = [step(true, 0.0, 12_000.0), step(false, 12_000.0, 9_000.0), step(true, 0.0, 2_734.0)];
        assert!(range(&far).0.abs() < f64::EPSILON);
        let near = [step(true, 0.0, 14_734.0), step(false, 14_734.0, 14_000.0), step(true, 0.0, 14_000.0)];
        let (low, high) = range(&near);
        assert!(low > 13_000.0 && low < 14_000.0 && high > 14_734.0);
        let nothing = [step(true, 0.0, 0.0), step(true, 0.0, 0.0)];
        let (low, high) = range(&nothing);
        assert!(low.abs() < f64::EPSILON && high >= 1.0);
    }
}
