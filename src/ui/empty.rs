//! Without a log: ways to begin. Also while opening, and when opening failed.

use eframe::egui::{Align, Layout, RichText, Ui, vec2};

use super::{
    story::start_cards,
    theme,
    widgets::{Out, edit_button, small_text},
};
use crate::{
    app::{Edit, Input, OpenFailure, Phase, State},
    engine::protocol::Lacks,
};

/// Draws what stands in place of the plots.
pub fn empty_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let width = ui.available_width().min(1_080.0);
    let side = (ui.available_width() - width) / 2.0;
    let top = (ui.available_height() * 0.06).min(48.0);
    ui.horizontal_top(|ui| {
        ui.add_space(side);
        ui.allocate_ui_with_layout(vec2(width, ui.available_height()), Layout::top_down(Align::LEFT), |ui| {
            ui.add_space(top);
            match &state.phase {
                Phase::Failed(failure) => failed_ui(ui, failure, out),
                Phase::Opening(path) => {
                    small_text(ui, format!("Reading the directory of {}…", path.display()));
                }
                Phase::Empty | Phase::Open => {}
            }
            if !matches!(state.phase, Phase::Opening(_)) {
                begin_ui(ui, state, out);
            }
        });
    });
}

/// The reason stands in the sentence above; here is what can be done about it.
fn failed_ui(ui: &mut Ui, failure: &OpenFailure, out: &mut Out) {
    ui.horizontal(|ui| {
        match failure.lacks {
            Lacks::Fields => {
                edit_button(ui, out, "Name the fields…", Edit::NameFields);
            }
            Lacks::Nothing => {
                edit_button(ui, out, "Try again", Edit::OpenAgain);
            }
        }
        edit_button(ui, out, "Copy the message", Edit::Copy(failure.why.clone()));
    });
    ui.add_space(16.0);
}

fn begin_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    start_cards(ui, state, out);
    ui.add_space(16.0);
    if !state.settings.recent.is_empty() {
        small_text(ui, "Recent");
        recent_ui(ui, state, out);
        ui.add_space(12.0);
    }
    small_text(
        ui,
        "A log is a directory whose subdirectories are partitions, or a single file, of JSON lines, plain or gzip. \
         It is only ever read.",
    );
}

/// Logs opened last.
pub fn recent_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    ui.spacing_mut().item_spacing.y = 2.0;
    for path in &state.settings.recent {
        let text = RichText::new(path.display().to_string()).font(theme::mono(ui));
        let button = eframe::egui::Button::new(text).frame_when_inactive(false).truncate();
        if ui.add(button).on_hover_text("Open this log again").clicked() {
            out.push(Input::Edit(Edit::OpenRecent(path.clone())));
        }
    }
}
