//! Rows of names and right-aligned numbers that are painted: for short tables inside a drawer, cell by cell to be clicked.

use eframe::egui::{self, Align2, Color32, Rect, Response, Role, Sense, Ui, pos2, vec2};

use super::{
    theme::{self, tokens},
    widgets::named,
};

/// How a row looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weight {
    /// As text.
    #[default]
    Plain,
    /// As a head of columns.
    Head,
    /// As a sum.
    Strong,
}

/// Height of a row in points at normal size.
pub const ROW: f32 = 22.0;

/// Places of a row: what is left for the name, then the columns from the right.
fn places(rect: Rect, widths: &[f32]) -> (Rect, Vec<Rect>) {
    let mut right = rect.right();
    let mut columns: Vec<Rect> = widths
        .iter()
        .rev()
        .map(|width| {
            let column = Rect::from_min_max(pos2(right - width, rect.top()), pos2(right, rect.bottom()));
            right -= width;
            column
        })
        .collect();
    columns.reverse();
    (Rect::from_min_max(rect.min, pos2(right, rect.bottom())), columns)
}

fn paint(ui: &Ui, rect: Rect, text: &str, align: Align2, font: egui::FontId, color: Color32) {
    let clip = rect.intersect(ui.clip_rect());
    let painter = ui.painter().with_clip_rect(clip);
    if align == Align2::LEFT_CENTER {
        let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
        job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width() - 6.0);
        let galley = painter.layout_job(job);
        let top = rect.center().y - galley.size().y / 2.0;
        painter.galley(pos2(rect.left() + 4.0, top), galley, color);
        return;
    }
    painter.text(rect.right_center() - vec2(4.0, 0.0), align, text, font, color);
}

fn inks(ui: &Ui, weight: Weight) -> (egui::FontId, egui::FontId, Color32) {
    let t = tokens(ui);
    match weight {
        Weight::Plain => (theme::body(ui), theme::mono_small(ui), t.text),
        Weight::Head => (theme::small(ui), theme::small(ui), t.subdued),
        Weight::Strong => (theme::strong(ui), theme::mono_small(ui), t.strong),
    }
}

/// A row that is clicked as a whole where `sense` says so. Read as "name: number, number".
pub fn row_ui(
    ui: &mut Ui,
    name: &str,
    numbers: &[String],
    widths: &[f32],
    weight: Weight,
    sense: Sense,
) -> Response {
    let scale = theme::scale(ui);
    let widths: Vec<f32> = widths.iter().map(|width| width * scale).collect();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW * scale), sense);
    if sense.senses_click() && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, 4, tokens(ui).hover);
    }
    let (place, columns) = places(rect, &widths);
    let (text, mono, color) = inks(ui, weight);
    paint(ui, place, name, Align2::LEFT_CENTER, text, color);
    for (column, number) in columns.into_iter().zip(numbers) {
        paint(ui, column, number, Align2::RIGHT_CENTER, mono.clone(), color);
    }
    let role = if sense.senses_click() { Role::Button } else { Role::Label };
    named(&response, role, format!("{name}: {}", numbers.join(", ")));
    response
}

/// A row whose numbers are clicked one by one; those named empty are not. The number of the clicked column.
pub fn cells_ui(
    ui: &mut Ui,
    name: &str,
    hint: &str,
    numbers: &[(String, String)],
    widths: &[f32],
) -> Option<usize> {
    let scale = theme::scale(ui);
    let widths: Vec<f32> = widths.iter().map(|width| width * scale).collect();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW * scale), Sense::hover());
    let (place, columns) = places(rect, &widths);
    let (text, mono, color) = inks(ui, Weight::Plain);
    paint(ui, place, name, Align2::LEFT_CENTER, text, color);
    named(&response, Role::Label, name);
    let head = ui.interact(place, response.id.with("name"), Sense::hover());
    head.on_hover_text(hint);
    let mut clicked = None;
    for (at, (column, (number, title))) in columns.into_iter().zip(numbers).enumerate() {
        if title.is_empty() {
            paint(ui, column, number, Align2::RIGHT_CENTER, mono.clone(), tokens(ui).subdued);
            continue;
        }
        let cell = ui.interact(column, response.id.with(at), Sense::click());
        let is_under = cell.hovered() || cell.has_focus();
        if is_under {
            ui.painter().rect_filled(column, 4, tokens(ui).hover);
        }
        let ink = if is_under { tokens(ui).strong } else { color };
        paint(ui, column, number, Align2::RIGHT_CENTER, mono.clone(), ink);
        named(&cell, Role::Button, title.clone());
        if cell.clicked() {
            clicked = Some(at);
        }
    }
    clicked
}
