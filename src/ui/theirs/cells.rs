//! The cells that differ, and the records behind the chosen finding or cell.

use eframe::egui::{Align, Button, Label, Layout, RichText, Ui};
use egui_extras::{Column, TableBuilder};

use super::edit;
use crate::{
    app::{PROOF_ROWS, TheirsEdit, TheirsPage, format::thousands, theirs::capital},
    engine::protocol::{CellLine, ComparedView, ProofOf},
    ui::{
        theme::{self, tokens},
        widgets::{Out, section, small_text},
    },
};

/// A table is never lower, however little room there is.
const LOW: f32 = 48.0;

/// From this width on there is room for wide columns.
const ROOMY: f32 = 600.0;

/// Draws the cells.
pub fn cells_ui(ui: &mut Ui, page: &TheirsPage, view: &ComparedView, out: &mut Out) {
    let shown = view.cells.len() as u64;
    let more =
        if view.differing > shown { format!(", the first {}", thousands(shown)) } else { String::new() };
    section(ui, &format!("Cells that differ: {}{more}", thousands(view.differing)));
    let scale = theme::scale(ui);
    let row_height = ui.spacing().interact_size.y;
    // Where there is little room the page's name needs it most.
    let [amount, users, because] =
        if ui.available_width() < ROOMY * scale { [52.0, 46.0, 68.0] } else { [64.0, 52.0, 84.0] };
    let mut titles = vec![("Page", 0.0), ("Day", 84.0), ("Ours", amount), ("Theirs", amount)];
    if view.has_users {
        titles.extend([("Users", users), ("Theirs", users)]);
    }
    titles.push(("Because", because));
    ui.push_id("their-cells", |ui| {
        let mut builder = TableBuilder::new(ui).striped(true).auto_shrink(false).min_scrolled_height(LOW);
        for (_, width) in &titles {
            builder = builder.column(if *width > 0.0 {
                Column::exact(*width * scale).clip(true)
            } else {
                Column::remainder().at_least(60.0).clip(true)
            });
        }
        let header = builder.header(row_height, |mut header| {
            for (at, (title, _)) in titles.iter().enumerate() {
                header.col(|ui| {
                    let text = RichText::new(*title).font(theme::small(ui)).color(tokens(ui).subdued);
                    if at > 0 {
                        return aligned(ui, true, text);
                    }
                    // Over the names, which are buttons.
                    ui.horizontal_centered(|ui| {
                        ui.add_space(ui.spacing().button_padding.x);
                        ui.add(Label::new(text).truncate());
                    });
                });
            }
        });
        header.body(|body| {
            body.rows(row_height, view.cells.len(), |mut row| {
                let Some(cell) = view.cells.get(row.index()) else { return };
                row.col(|ui| {
                    let is_chosen = page.chosen == Some(ProofOf::Cell(cell.cell));
                    let name = if cell.page.is_empty() { "all pages" } else { &cell.page };
                    let button = Button::selectable(is_chosen, name).truncate();
                    if ui.add(button).on_hover_text(&cell.page).clicked() {
                        edit(out, TheirsEdit::Choose(ProofOf::Cell(cell.cell)));
                    }
                });
                for text in texts(view, cell) {
                    row.col(|ui| {
                        let text = RichText::new(text).font(theme::mono(ui)).color(tokens(ui).text);
                        aligned(ui, true, text);
                    });
                }
            });
        });
    });
}

fn texts(view: &ComparedView, cell: &CellLine) -> Vec<String> {
    let [ours, theirs] = cell.amounts.clone();
    let mut texts = vec![cell.day.map(|day| day.to_string()).unwrap_or_default(), ours, theirs];
    if view.has_users {
        texts.extend(cell.users.map(|users| users.to_string()));
    }
    let mut because: Vec<String> = cell.findings.iter().map(|finding| (finding + 1).to_string()).collect();
    because.dedup();
    if !cell.rest.is_empty() {
        because.insert(0, format!("? {}", cell.rest));
    }
    texts.push(because.join(" + "));
    texts
}

fn aligned(ui: &mut Ui, right: bool, text: RichText) {
    let layout =
        if right { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
    ui.with_layout(layout, |ui| ui.add(Label::new(text).truncate()));
}

/// Draws the records behind what is chosen.
pub fn proof_ui(ui: &mut Ui, page: &TheirsPage, view: &ComparedView, out: &mut Out) {
    let Some(chosen) = page.chosen else {
        small_text(ui, "Choose a finding or a cell: its records are listed here.");
        return;
    };
    let what = match chosen {
        ProofOf::Finding(at) => format!("Records that prove finding {}", at + 1),
        ProofOf::Cell(number) => {
            let cell = view.cells.iter().find(|cell| cell.cell == number);
            let day = cell.and_then(|cell| cell.day).map_or_else(String::new, |day| format!(", {day}"));
            format!("Records behind {}{day}", cell.map_or("", |cell| cell.page.as_str()))
        }
    };
    ui.horizontal(|ui| {
        ui.label(RichText::new(what).font(theme::strong(ui)).color(tokens(ui).strong));
        let (first, total) = (page.proof_first, page.proof_total);
        let last = (first + page.proof.len() as u64).min(total);
        if total > page.proof.len() as u64 {
            small_text(
                ui,
                format!("{} to {} of {}", thousands(first + 1), thousands(last), thousands(total)),
            );
            let step = u64::from(PROOF_ROWS);
            if ui.add_enabled(first > 0, Button::new("Earlier records")).clicked() {
                edit(out, TheirsEdit::Proof(first.saturating_sub(step)));
            }
            if ui.add_enabled(last < total, Button::new("Later records")).clicked() {
                edit(out, TheirsEdit::Proof(first + step));
            }
        } else if total > 0 {
            small_text(ui, thousands(total));
        }
    });
    if page.proof.is_empty() {
        let text = match chosen {
            _ if !page.proof_there => "Reading the records…",
            ProofOf::Finding(_) => "No single record: the rule concerns how users are counted.",
            ProofOf::Cell(_) => "No finding moves a record of this cell.",
        };
        small_text(ui, text);
        return;
    }
    proof_table(ui, page);
}

/// Where a record stands, what theirs does with it, and its line.
fn proof_table(ui: &mut Ui, page: &TheirsPage) {
    let scale = theme::scale(ui);
    let row_height = ui.spacing().interact_size.y;
    let share = ui.available_width();
    let place = (220.0 * scale).min(share * 0.34);
    let what = (290.0 * scale).min(share * 0.38);
    ui.push_id("their-proof", |ui| {
        let builder = TableBuilder::new(ui).striped(true).auto_shrink(false).min_scrolled_height(LOW);
        let builder = builder
            .column(Column::exact(place).clip(true))
            .column(Column::exact(what).clip(true))
            .column(Column::remainder().at_least(60.0).clip(true));
        let header = builder.header(row_height, |mut header| {
            for title in ["Where", "In theirs", "Line"] {
                header.col(|ui| {
                    let text = RichText::new(title).font(theme::small(ui)).color(tokens(ui).subdued);
                    aligned(ui, false, text);
                });
            }
        });
        header.body(|body| {
            body.rows(row_height, page.proof.len(), |mut row| {
                let Some(line) = page.proof.get(row.index()) else { return };
                let texts = [format!("{}:{}", line.file, line.line), capital(&line.what), line.text.clone()];
                for (at, text) in texts.into_iter().enumerate() {
                    row.col(|ui| {
                        let font = if at == 2 { theme::mono_small(ui) } else { theme::body(ui) };
                        aligned(ui, false, RichText::new(text).font(font).color(tokens(ui).text));
                    });
                }
            });
        });
    });
}
