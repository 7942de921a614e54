//! The other looks of the plots: a bar for each page or day, the same rows in all three.

use eframe::egui::{self, Align2, Rect, Role, Sense, Ui, pos2, vec2};

use super::{
    listing::list,
    plots::{Panel, number},
    theme::{self, AREA, tokens},
    widgets::{Out, even_rows, named},
};
use crate::{
    app::{Measure, State},
    engine::{
        frame::GroupRow,
        protocol::{Listing, NumberOf},
    },
};

/// Draws the bars of one panel.
pub fn bars_ui(ui: &mut Ui, state: &State, rows: &[GroupRow], panel: Panel, out: &mut Out) {
    let measure = state.measure;
    let scale = theme::scale(ui);
    let top = rows.iter().map(|row| measure.of(&row.log).max(measure.of(&row.merged))).fold(1.0, f64::max);
    let height = 26.0 * scale;
    ui.add_space(4.0);
    even_rows(ui, ("bars", format!("{panel:?}")), height, rows.len(), |ui, range| {
        for row in rows.get(range).unwrap_or_default() {
            let number = number_of(row);
            let sense = if number.is_some() { Sense::click() } else { Sense::hover() };
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), sense);
            if number.is_some() && (response.hovered() || response.has_focus()) {
                ui.painter().rect_filled(rect, 4, tokens(ui).hover);
            }
            paint_row(ui, rect, row, measure, panel, top);
            let text = in_words(row, measure, panel);
            let role = if number.is_some() { Role::Button } else { Role::Label };
            named(&response, role, text.clone());
            let clicked = response.on_hover_text(text).clicked();
            if let Some(number) = number.filter(|_| clicked) {
                let listing = Listing::Behind(panel.book_view(), number);
                list(listing, out);
            }
        }
    });
}

/// The number that a row stands for; the rest is many pages together and leads to no list.
fn number_of(row: &GroupRow) -> Option<NumberOf> {
    NumberOf::narrowed(row.page.as_deref(), row.day)
}

fn provisional(row: &GroupRow, measure: Measure) -> f64 {
    (measure.of(&row.merged) - measure.of(&row.final_totals)).max(0.0)
}

fn in_words(row: &GroupRow, measure: Measure, panel: Panel) -> String {
    match panel {
        Panel::Batch => format!("{}: {} final", row.label, measure.text(&row.final_totals)),
        Panel::Speed => format!("{}: {} provisional", row.label, number(provisional(row, measure))),
        Panel::Merged => format!(
            "{}: {} merged, full recount {} ({} final + {} provisional)",
            row.label,
            measure.text(&row.merged),
            measure.text(&row.recount),
            measure.text(&row.final_totals),
            number(provisional(row, measure))
        ),
    }
}

/// Where the bar of a row lies, at its foot: from 0 at the left to `top` at the right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Track {
    /// All of it.
    pub rect: Rect,
    top: f64,
}

impl Track {
    /// That of a row in this place.
    pub fn of_row(row: Rect, top: f64) -> Track {
        let foot = row.bottom();
        Track { rect: Rect::from_min_max(pos2(row.left(), foot - 9.0), pos2(row.right(), foot - 2.0)), top }
    }

    /// Where a number stands.
    pub fn x(self, value: f64) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
        let share = (value / self.top).clamp(0.0, 1.0) as f32;
        self.rect.left() + self.rect.width() * share
    }

    /// From one number to another.
    pub fn bar(self, from: f64, to: f64) -> Rect {
        Rect::from_x_y_ranges(self.x(from)..=self.x(to), self.rect.y_range())
    }
}

fn paint_row(ui: &Ui, rect: Rect, row: &GroupRow, measure: Measure, panel: Panel, top: f64) {
    let t = tokens(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let rect = rect.shrink2(vec2(8.0, 0.0));
    let track = Track::of_row(rect, top);
    let bar = |from: f64, to: f64| track.bar(from, to);
    let finals = measure.of(&row.final_totals);
    let merged = measure.of(&row.merged);
    painter.rect_filled(bar(0.0, measure.of(&row.log)), 2, t.grid);
    let value = match panel {
        Panel::Batch => {
            painter.rect_filled(bar(0.0, finals), 2, t.batch);
            finals
        }
        Panel::Speed => {
            let value = provisional(row, measure);
            painter.rect_filled(bar(0.0, value), 2, t.speed);
            value
        }
        Panel::Merged => {
            painter.rect_filled(bar(0.0, finals), 2, t.batch.gamma_multiply(AREA + 0.3));
            painter.rect_filled(bar(finals, merged.max(finals)), 2, t.speed.gamma_multiply(AREA + 0.3));
            let recount = track.x(measure.of(&row.recount));
            painter.vline(
                recount,
                track.rect.expand2(vec2(0.0, 2.0)).y_range(),
                egui::Stroke::new(2.0, t.merged),
            );
            merged
        }
    };
    let number = painter.layout_no_wrap(number(value), theme::mono_small(ui), t.text);
    let text_bottom = track.rect.top() - 2.0;
    let room = rect.width() - number.size().x - 8.0;
    let place = pos2(rect.right() - number.size().x, text_bottom - number.size().y);
    painter.galley(place, number, t.text);
    let label = painter.with_clip_rect(
        Rect::from_min_size(rect.min, vec2(room, rect.height())).intersect(painter.clip_rect()),
    );
    label.text(pos2(rect.left(), text_bottom), Align2::LEFT_BOTTOM, &row.label, theme::small(ui), t.text);
}
