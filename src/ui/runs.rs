//! Kept runs: old runs in the state directory, to continue or delete.

use eframe::egui::{Label, RichText, ScrollArea, Ui};

use super::{
    theme::{self, tokens},
    widgets::{Out, drawer_head, edit_button, fact_row, section, small_text},
};
use crate::{
    app::{AppCommand, Edit, RightDrawer, State, format},
    engine::runs::ENDED_KEPT,
};

/// Draws the drawer.
pub fn runs_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Kept runs", AppCommand::Right(RightDrawer::Runs));
    small_text(ui, kept_words());
    if state.answers.runs.is_empty() {
        small_text(ui, "No run is kept.");
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for run in &state.answers.runs {
            section(ui, &run.name);
            ui.add(
                Label::new(RichText::new(&run.log).font(theme::mono_small(ui)).color(tokens(ui).text)).wrap(),
            );
            fact_row(ui, "On disk", format::bytes(run.bytes));
            fact_row(ui, "Run time", format::seconds(run.last_tick));
            fact_row(ui, "Ended", if run.ended { "yes" } else { "interrupted" });
            ui.horizontal(|ui| {
                if !run.ended {
                    edit_button(ui, out, "Continue", Edit::Continue(run.name.clone()));
                }
                edit_button(ui, out, "Delete…", Edit::AskDelete(run.clone()));
            });
        }
    });
}

/// Which runs are kept.
fn kept_words() -> String {
    format!(
        "Of the runs that have ended the newest {ENDED_KEPT} are kept. Interrupted ones stay until you delete them."
    )
}
