//! Cards side by side, each with a head: a swatch, a title, the number that matters, one line below.

use eframe::egui::{
    self, Align2, Color32, Layout, Rect, Ui, UiBuilder, pos2,
    text::{LayoutJob, TextWrapping},
    vec2,
};

use crate::ui::theme::{self, tokens};

/// Between two cards.
const GAP: f32 = 12.0;

/// From this width on there is room for all words.
const ROOMY: f32 = 210.0;

/// What stands above a plot.
pub struct Head {
    /// What is plotted.
    pub title: String,
    /// The same where there is little room.
    pub short_title: String,
    /// Its colour, and how thick its line is.
    pub swatch: (Color32, f32),
    /// The number now, and its colour.
    pub number: (String, Color32),
    /// The line below, in pieces of one colour.
    pub line: Vec<(String, Color32)>,
    /// The same where there is little room, if it can be said shorter.
    pub short_line: Option<Vec<(String, Color32)>>,
}

/// Draws one card for each of `cards` over all the room that there is.
pub fn side_by_side<C: Copy>(ui: &mut Ui, cards: [C; 3], mut card: impl FnMut(&mut Ui, Rect, C)) {
    let area = ui.available_rect_before_wrap();
    let width = ((area.width() - 2.0 * GAP) / 3.0).floor();
    for (which, left) in cards.into_iter().zip([0.0, width + GAP, 2.0 * (width + GAP)]) {
        let rect = Rect::from_min_size(pos2(area.left() + left, area.top()), vec2(width, area.height()));
        let mut child =
            ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::top_down(egui::Align::LEFT)));
        child.set_clip_rect(rect.intersect(ui.clip_rect()));
        child.painter().rect_filled(rect, 8, tokens(ui).panel);
        card(&mut child, rect, which);
    }
    ui.allocate_rect(area, egui::Sense::hover());
}

/// Draws the head of a card; what is left is for its plot.
pub fn head_ui(ui: &Ui, card: Rect, head: &Head) -> Rect {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let rect = Rect::from_min_max(
        card.min + vec2(12.0, 8.0),
        pos2(card.right() - 12.0, card.top() + 8.0 + 42.0 * scale),
    );
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let (color, thickness) = head.swatch;
    let swatch = Rect::from_min_size(rect.min + vec2(0.0, 8.0 * scale), vec2(14.0, thickness));
    painter.rect_filled(swatch, 1, color);
    let (number, ink) = &head.number;
    let number = painter.layout_no_wrap(number.clone(), theme::big_number(ui), *ink);
    let title = if rect.width() >= ROOMY * scale { &head.title } else { &head.short_title };
    let room = rect.width() - number.size().x - 30.0;
    let fitted = |pieces: &[(String, Color32)], font: &egui::FontId, width: f32| {
        let mut job = LayoutJob::default();
        for (text, color) in pieces {
            job.append(text, 0.0, egui::TextFormat::simple(font.clone(), *color));
        }
        job.wrap = TextWrapping::truncate_at_width(width);
        painter.layout_job(job)
    };
    let strong = theme::strong(ui);
    let title = fitted(&[(title.clone(), t.strong)], &strong, room);
    painter.galley(
        Align2::RIGHT_TOP.anchor_size(rect.right_top() - vec2(0.0, 3.0), number.size()).min,
        number,
        *ink,
    );
    painter.galley(rect.min + vec2(22.0, 1.0), title, t.strong);
    let small = theme::small(ui);
    let line = match &head.short_line {
        Some(short) if fitted(&head.line, &small, f32::INFINITY).size().x > rect.width() => short,
        _ => &head.line,
    };
    let line = fitted(line, &small, rect.width());
    painter.galley(pos2(rect.left(), rect.bottom() - line.size().y), line, t.subdued);
    Rect::from_min_max(pos2(card.left() + 4.0, rect.bottom() + 2.0), card.max - vec2(10.0, 4.0))
}
