//! Versions by page and by day: a bar for each, the same rows in all three cards.

use eframe::egui::{Align2, Rect, Role, Sense, Ui, pos2, vec2};

use super::number;
use crate::{
    app::Measure,
    engine::{
        frame::{Totals, VersionGroup},
        protocol::{BookView, Listing, NumberOf, VersionNumber},
    },
    ui::{
        bars::Track,
        listing::list,
        theme::{self, tokens},
        widgets::{Out, even_rows, named},
    },
};

/// Which of the two views a card shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// That of the version that serves.
    Serving(VersionNumber),
    /// The other one, with its difference to the one that readers see.
    Other(VersionNumber),
    /// What readers see, by this version.
    Served(VersionNumber),
}

impl Shown {
    fn version(self) -> VersionNumber {
        match self {
            Shown::Serving(number) | Shown::Other(number) | Shown::Served(number) => number,
        }
    }
}

/// What a card of bars shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bars<'a> {
    /// For the scroll position.
    pub id: &'a str,
    /// Pages or days.
    pub rows: &'a [VersionGroup],
    /// Which view; `None`: there is none in this place.
    pub shown: Option<Shown>,
    /// Which number.
    pub measure: Measure,
    /// Its colour.
    pub color: eframe::egui::Color32,
}

/// Draws the bars of one card; a click lists the records behind one.
pub(super) fn bars_ui(ui: &mut Ui, bars: Bars<'_>, out: &mut Out) {
    let Some(shown) = bars.shown else { return };
    let measure = bars.measure;
    let most =
        |row: &VersionGroup| measure.of(&row.serving).max(measure.of(&row.other)).max(measure.of(&row.log));
    let top = bars.rows.iter().map(most).fold(1.0, f64::max);
    let height = 26.0 * theme::scale(ui);
    even_rows(ui, ("version-bars", bars.id), height, bars.rows.len(), |ui, range| {
        for row in bars.rows.get(range).unwrap_or_default() {
            let number = number_of(row);
            let (sense, role) = match number {
                Some(_) => (Sense::click(), Role::Button),
                None => (Sense::hover(), Role::Label),
            };
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), sense);
            if number.is_some() && (response.hovered() || response.has_focus()) {
                ui.painter().rect_filled(rect, 4, tokens(ui).hover);
            }
            paint_row(ui, rect, row, (bars, shown), top);
            let text = in_words(row, measure, shown);
            named(&response, role, text.clone());
            let clicked = response.on_hover_text(text).clicked();
            if let Some(number) = number.filter(|_| clicked) {
                let listing = Listing::Behind(BookView::Version(shown.version()), number);
                list(listing, out);
            }
        }
    });
}

/// The number that a row stands for; the rest is many pages together and leads to no list.
fn number_of(row: &VersionGroup) -> Option<NumberOf> {
    NumberOf::narrowed(row.page.as_deref(), row.day)
}

fn totals(row: &VersionGroup, shown: Shown) -> &Totals {
    match shown {
        Shown::Serving(_) | Shown::Served(_) => &row.serving,
        Shown::Other(_) => &row.other,
    }
}

/// By how much the other view is above the one that serves; nothing where they agree.
fn off(row: &VersionGroup, measure: Measure, shown: Shown) -> Option<String> {
    let by = measure.difference(&row.other, &row.serving);
    (matches!(shown, Shown::Other(_)) && by != 0).then(|| measure.difference_text(by))
}

fn in_words(row: &VersionGroup, measure: Measure, shown: Shown) -> String {
    let number = format!("{}: {} {}", row.label, measure.text(totals(row, shown)), measure.name());
    let place = match shown {
        Shown::Serving(version) | Shown::Other(version) => format!("in version {version}"),
        Shown::Served(version) => format!("served by version {version}"),
    };
    match off(row, measure, shown) {
        Some(off) => format!("{number} {place}, {off} to what is served"),
        None => format!("{number} {place}"),
    }
}

fn paint_row(ui: &Ui, rect: Rect, row: &VersionGroup, (bars, shown): (Bars<'_>, Shown), top: f64) {
    let t = tokens(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let rect = rect.shrink2(vec2(8.0, 0.0));
    let track = Track::of_row(rect, top);
    let value = bars.measure.of(totals(row, shown));
    painter.rect_filled(track.bar(0.0, bars.measure.of(&row.log)), 2, t.grid);
    painter.rect_filled(track.bar(0.0, value), 2, bars.color);
    let mut right = rect.right();
    let text_bottom = track.rect.top() - 2.0;
    let mut ends_at_right = |text: String, color| {
        let galley = painter.layout_no_wrap(text, theme::mono_small(ui), color);
        right -= galley.size().x;
        painter.galley(pos2(right, text_bottom - galley.size().y), galley, color);
        right -= 8.0;
    };
    ends_at_right(number(value), t.text);
    if let Some(off) = off(row, bars.measure, shown) {
        ends_at_right(off, t.warning);
    }
    let room = Rect::from_min_max(rect.min, pos2(right, rect.bottom()));
    let label = painter.with_clip_rect(room.intersect(painter.clip_rect()));
    label.text(pos2(rect.left(), text_bottom), Align2::LEFT_BOTTOM, &row.label, theme::small(ui), t.text);
}
