//! The log browser: records by number, where they stand, what became of them.

use eframe::egui::{Label, RichText, ScrollArea, Ui};

use super::{
    theme::{self, tokens},
    widgets::{Out, card, drawer_head, edit_button, small_text, text_field},
};
use crate::{
    app::{AppCommand, Edit, Input, LeftDrawer, State, format::thousands},
    engine::protocol::RecordLine,
};

const PAGE: u64 = 200;

/// Draws the drawer.
pub fn log_browser_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Log browser", AppCommand::Left(LeftDrawer::Log));
    let page = &state.answers.records;
    ui.horizontal(|ui| {
        let (response, changed) = text_field(ui, "Go to record", &page.go_to, 84.0, true);
        if let Some(text) = changed {
            out.push(Input::Edit(Edit::GoToRecord(text)));
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(eframe::egui::Key::Enter));
        if ui.button("Go").clicked() || entered {
            let first = page.go_to.trim().replace(',', "").parse().unwrap_or(0);
            out.push(Input::Edit(Edit::Records(first)));
        }
    });
    ui.horizontal(|ui| {
        ui.add_enabled_ui(page.first > 0, |ui| {
            edit_button(ui, out, "Earlier", Edit::Records(page.first.saturating_sub(PAGE)));
        });
        ui.add_enabled_ui(!page.records.is_empty(), |ui| {
            edit_button(ui, out, "Later", Edit::Records(page.first + PAGE));
        });
        if let Some(crash) = state.lane().and_then(|lane| lane.proof.crash) {
            edit_button(ui, out, "At the crash", Edit::Records(crash.saturating_sub(5)));
        }
    });
    if page.records.is_empty() {
        small_text(ui, "No records here. The log may still be loading.");
        return;
    }
    let row = 52.0 * theme::scale(ui);
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, row, page.records.len(), |ui, range| {
        for record in page.records.get(range).unwrap_or_default() {
            record_ui(ui, record);
        }
    });
}

fn record_ui(ui: &mut Ui, record: &RecordLine) {
    let t = tokens(ui);
    card(ui).inner_margin(eframe::egui::Margin::symmetric(8, 4)).fill(t.raised).corner_radius(4).show(
        ui,
        |ui| {
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
                ui.add(
                    Label::new(RichText::new(&record.fate).font(theme::small(ui)).color(t.subdued))
                        .truncate(),
                );
            });
            let place = format!(
                "{} {} · {}:{}",
                record.partition,
                thousands(record.offset),
                record.file,
                record.line
            );
            let text = RichText::new(&record.text).font(theme::mono_small(ui)).color(t.text);
            ui.add(Label::new(text).truncate()).on_hover_text(format!("{place}\n{}", record.text));
        },
    );
}
