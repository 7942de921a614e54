//! Records in the log browser: found, listed behind a number, or all of them; each leads to the numbers that it touches.

use eframe::egui::{self, ComboBox, Label, RichText, Role, ScrollArea, Sense, Ui};

use super::{
    theme::{self, tokens},
    widgets::{Out, card, edit_button, named, small_text, text_field},
};
use crate::{
    app::{
        Edit, Input, LineageEdit, ListingPage, State,
        format::thousands,
        lineage_text::{listing_count, listing_title, search_hint, search_name},
    },
    engine::protocol::{Listing, RecordLine, SearchKind},
};

/// Height of a record in points at normal size.
pub const RECORD: f32 = 52.0;

fn edit(edit: LineageEdit) -> Edit {
    Edit::Lineage(edit)
}

/// Lists records in the log browser.
pub fn list(listing: Listing, out: &mut Out) {
    out.push(Input::Edit(edit(LineageEdit::List(listing))));
}

/// The search above the records.
pub fn search_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let search = &state.answers.lineage.search;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let combo = ComboBox::from_id_salt("search-in").width(70.0).selected_text(search_name(search.kind));
        let shown = combo.show_ui(ui, |ui| {
            for kind in SearchKind::ALL {
                if ui.selectable_label(search.kind == kind, search_name(kind)).clicked() {
                    out.push(Input::Edit(edit(LineageEdit::SearchIn(kind))));
                }
            }
        });
        named(&shown.response, Role::ComboBox, "Search in");
        let (response, changed) = text_field(ui, "", &search.text, 104.0 * theme::scale(ui), false);
        named(&response, Role::TextInput, "Search for");
        let response = response.on_hover_text(search_hint(search.kind));
        if let Some(text) = changed {
            out.push(Input::Edit(edit(LineageEdit::SearchText(text))));
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if ui.button("Find").on_hover_text(search_hint(search.kind)).clicked() || entered {
            out.push(Input::Edit(edit(LineageEdit::Search)));
        }
    });
}

/// What is listed, the way back, and the records as they come into sight.
pub fn listing_ui(ui: &mut Ui, state: &State, page: &ListingPage, out: &mut Out) {
    let t = tokens(ui);
    ui.add(
        Label::new(RichText::new(listing_title(&page.listing)).font(theme::strong(ui)).color(t.strong))
            .wrap(),
    );
    ui.horizontal_wrapped(|ui| {
        if page.problem.is_none() {
            let count = if page.is_known {
                listing_count(&page.listing, page.total, page.views, page.searched_to)
            } else {
                "looking…".to_owned()
            };
            small_text(ui, count);
        }
        edit_button(ui, out, "All records", edit(LineageEdit::CloseListing));
        let rests = page.searched_to.is_some() && !state.answers.is_listing();
        if rests {
            edit_button(ui, out, "Search on", edit(LineageEdit::SearchOn));
        }
    });
    if let Some(problem) = &page.problem {
        ui.add(Label::new(RichText::new(sentence(problem)).color(t.warning)).wrap());
        return;
    }
    if page.is_known && page.total == 0 {
        small_text(ui, if page.searched_to.is_some() { "Nothing yet." } else { "No record." });
        return;
    }
    rows_ui(ui, page, out);
}

/// First letter upper case, full stop.
fn sentence(problem: &str) -> String {
    let mut letters = problem.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn rows_ui(ui: &mut Ui, page: &ListingPage, out: &mut Out) {
    let row = RECORD * theme::scale(ui);
    let total = usize::try_from(page.total).unwrap_or(usize::MAX);
    let id = format!("{:?}", page.listing);
    ScrollArea::vertical().id_salt(id).auto_shrink(false).show_rows(ui, row, total, |ui, range| {
        let first = usize::try_from(page.first).unwrap_or(usize::MAX);
        let mut missing = None;
        for at in range {
            let Some(record) = at.checked_sub(first).and_then(|at| page.records.get(at)) else {
                missing = missing.or(Some(at as u64));
                ui.allocate_space(egui::vec2(ui.available_width(), row));
                continue;
            };
            record_ui(ui, record, out);
        }
        if let Some(at) = missing {
            out.push(Input::Edit(edit(LineageEdit::ListAt(at))));
        }
    });
}

/// One record: number, fate, line. A click shows every number that it touches.
pub fn record_ui(ui: &mut Ui, record: &RecordLine, out: &mut Out) {
    let t = tokens(ui);
    let frame = card(ui).inner_margin(egui::Margin::symmetric(8, 4)).fill(t.raised).corner_radius(4);
    let shown = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.horizontal(|ui| {
            ui.label(RichText::new(thousands(record.number)).font(theme::mono(ui)).color(t.strong));
            let color = match (record.read, record.counted) {
                (read, 1) if read > 1 => t.success,
                (read, 0) if read > 0 => t.subdued,
                (_, counted) if counted > 1 => t.error,
                _ => t.text,
            };
            let text = format!("read {}x, counted {}x", record.read, record.counted);
            ui.label(RichText::new(text).font(theme::small(ui)).color(color));
            let fate = RichText::new(&record.fate).font(theme::small(ui)).color(t.subdued);
            ui.add(Label::new(fate).truncate());
        });
        // A row may span lines; here it has one.
        let line = record.text.replace(['\r', '\n'], " ");
        ui.add(Label::new(RichText::new(line).font(theme::mono_small(ui)).color(t.text)).truncate());
    });
    let rect = shown.response.rect;
    let response = ui.interact(rect, ui.scope_id().with(("record", record.number)), Sense::click());
    if response.hovered() || response.has_focus() {
        let stroke = egui::Stroke::new(1.0, t.accent);
        ui.painter().rect_stroke(rect, 4, stroke, egui::StrokeKind::Inside);
    }
    named(&response, Role::Button, format!("Numbers of record {}", thousands(record.number)));
    let hint = format!("{} · {}\n{}", place(record), record.fate, record.text);
    if response.on_hover_text(hint).clicked() {
        out.push(Input::Edit(edit(LineageEdit::Numbers(record.number))));
    }
}

/// Partition, offset, file and line.
pub fn place(record: &RecordLine) -> String {
    format!("{} {} · {}:{}", record.partition, thousands(record.offset), record.file, record.line)
}
