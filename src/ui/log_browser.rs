//! The log browser: records by number, found, or behind a number; where they stand, what became of them.

use eframe::egui::{ScrollArea, Ui};

use super::{
    listing::{RECORD, listing_ui, record_ui, search_ui},
    record_numbers::record_numbers_ui,
    theme,
    widgets::{Out, drawer_head, edit_button, small_text, text_field},
};
use crate::app::{AppCommand, Edit, Input, LeftDrawer, State};

const PAGE: u64 = 200;

/// Draws the drawer.
pub fn log_browser_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Log browser", AppCommand::Left(LeftDrawer::Log));
    search_ui(ui, state, out);
    let pages = &state.answers.lineage;
    match (&pages.numbers, &pages.listing) {
        (Some(numbers), _) => record_numbers_ui(ui, state, numbers, out),
        (None, Some(page)) => listing_ui(ui, state, page, out),
        (None, None) => all_ui(ui, state, out),
    }
}

/// All records by number.
fn all_ui(ui: &mut Ui, state: &State, out: &mut Out) {
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
    let row = RECORD * theme::scale(ui);
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, row, page.records.len(), |ui, range| {
        for record in page.records.get(range).unwrap_or_default() {
            record_ui(ui, record, out);
        }
    });
}
