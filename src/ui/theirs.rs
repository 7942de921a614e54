//! The panel "Their views against ours": in the place of the plots, since it speaks of the log and not of the run.

mod cells;
mod findings;

use eframe::egui::{Align, Button, Label, Layout, RichText, Spinner, Ui, UiBuilder, pos2, vec2};

use super::{
    theme::{self, tokens},
    widgets::{Out, edit_button, small_text, text_field},
};
use crate::{
    app::{AppCommand, Edit, Input, Pick, Slot, State, TheirsEdit, TheirsPage, theirs},
    engine::protocol::{Compared, ComparedView},
};

/// Below this width the two columns have less room each, and fields are shorter.
const NARROW: f32 = 1_100.0;

/// Draws the panel.
pub fn theirs_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let page = &state.answers.theirs;
    head(ui, page, out);
    fields(ui, state, page, out);
    if let Some(problem) = &page.problem {
        ui.add(Label::new(RichText::new(problem).color(tokens(ui).error)).wrap());
    }
    ui.add_space(4.0);
    match (&page.result, page.shown()) {
        (Some(result), Some(view)) => result_ui(ui, page, result, view, out),
        _ if state.compares() => {
            ui.horizontal(|ui| {
                ui.add(Spinner::new().size(16.0));
                small_text(ui, "Reading the log once more and trying hypotheses…");
            });
        }
        _ => nothing_yet(ui),
    }
}

pub(super) fn edit(out: &mut Out, edit: TheirsEdit) {
    out.push(Input::Edit(Edit::Theirs(edit)));
}

fn head(ui: &mut Ui, page: &TheirsPage, out: &mut Out) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Their views against ours").heading().color(tokens(ui).strong));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Close").on_hover_text("Back to the plots").clicked() {
                out.push(Input::Command(AppCommand::Theirs));
            }
            if let Some(result) = &page.result {
                let sql = ui
                    .add_enabled(result.sql.is_some(), Button::new("Copy as SQL"))
                    .on_hover_text("A DuckDB query that computes our view of this log")
                    .on_disabled_hover_text("There is a query for logs of JSON lines only");
                if sql.clicked() {
                    out.push(Input::Edit(Edit::Copy(result.sql.clone().unwrap_or_default())));
                }
                let command =
                    ui.button("Copy as command").on_hover_text("The command line that finds the same");
                if command.clicked() {
                    out.push(Input::Edit(Edit::Copy(result.command.clone())));
                }
            }
        });
    });
}

fn fields(ui: &mut Ui, state: &State, page: &TheirsPage, out: &mut Out) {
    let scale = theme::scale(ui);
    let narrow = ui.available_width() < NARROW * scale;
    let width = if narrow { 210.0 } else { 330.0 } * scale;
    ui.horizontal(|ui| {
        path_field(ui, Slot::First, "Their view", &page.first, width, out);
        path_field(ui, Slot::Second, "and", &page.second, width, out);
    });
    ui.horizontal(|ui| {
        let (response, changed) = text_field(ui, "Columns", &page.columns, width, true);
        response.on_hover_text("page=..,date=..,views=..,users=.. (sum=.. instead of views); empty: guessed");
        if let Some(text) = changed {
            edit(out, TheirsEdit::Columns(text));
        }
        let t = tokens(ui);
        let text = RichText::new("Compare").font(theme::strong(ui)).color(t.on_accent);
        if ui.add(eframe::egui::Button::new(text).fill(t.accent)).clicked() {
            edit(out, TheirsEdit::Compare);
        }
        if state.compares() && page.result.is_some() {
            ui.add(Spinner::new().size(16.0));
        }
    });
}

fn path_field(ui: &mut Ui, slot: Slot, name: &str, path: &str, width: f32, out: &mut Out) {
    let (response, changed) = text_field(ui, name, path, width, true);
    if let Some(text) = changed {
        edit(out, TheirsEdit::Path(slot, text));
    }
    if response.lost_focus() && ui.input(|input| input.key_pressed(eframe::egui::Key::Enter)) {
        edit(out, TheirsEdit::Compare);
    }
    let hover = match slot {
        Slot::First => "CSV, JSON, JSON lines, or a directory of part files",
        Slot::Second => "A second view, for instance their stream beside their batch; empty: none",
    };
    response.on_hover_text(hover);
    let label = match slot {
        Slot::First => "Browse…",
        Slot::Second => "Browse for a second…",
    };
    edit_button(ui, out, label, Edit::Browse(Pick::Theirs(slot)));
}

fn nothing_yet(ui: &mut Ui) {
    small_text(
        ui,
        "A daily table that another system made of this log: its batch, its stream, or both. It is compared cell by cell, and \
         the log says which rule makes the difference: another day zone, a file that is missing, lines that were counted \
         twice, records that came late.",
    );
    small_text(ui, "Or drop a .csv or .json on the window.");
}

fn result_ui(ui: &mut Ui, page: &TheirsPage, result: &Compared, view: &ComparedView, out: &mut Out) {
    if result.views.len() > 1 {
        tabs(ui, page, result, out);
    }
    let t = tokens(ui);
    let color = if view.differing == 0 { t.success } else { t.strong };
    let text = RichText::new(theirs::sentence(view)).font(theme::story(ui)).color(color);
    ui.add(Label::new(text).wrap());
    let [ours, their] = &view.sizes;
    small_text(ui, format!("Ours: {ours}. Theirs: {their}. Columns: {}.", view.columns));
    if view.differing == 0 {
        findings::remarks_ui(ui, view);
        return;
    }
    ui.add_space(4.0);
    let whole = ui.available_rect_before_wrap();
    let middle = (whole.left() + whole.width() * 0.42).round();
    let left = eframe::egui::Rect::from_min_max(whole.min, pos2(middle - 8.0, whole.bottom()));
    let right = eframe::egui::Rect::from_min_max(pos2(middle + 8.0, whole.top()), whole.max);
    ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
        findings::findings_ui(ui, page, result, view, out);
    });
    ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
        let cells = vec2(right.width(), (right.height() * 0.52).round());
        ui.allocate_ui(cells, |ui| {
            ui.set_min_size(cells);
            cells::cells_ui(ui, page, view, out);
        });
        cells::proof_ui(ui, page, view, out);
    });
}

fn tabs(ui: &mut Ui, page: &TheirsPage, result: &Compared, out: &mut Out) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (at, view) in result.views.iter().enumerate() {
            let name = view.name.rsplit('/').next().unwrap_or(&view.name);
            if ui.selectable_label(page.view == at, name).on_hover_text(&view.name).clicked() {
                edit(out, TheirsEdit::View(at));
            }
        }
    });
}
