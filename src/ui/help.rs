//! Keys and words.

use eframe::egui::{Align, Grid, Label, Layout, RichText, ScrollArea, Ui};

use super::{
    theme::{self, tokens},
    widgets::{Out, section},
};
use crate::app::{AppCommand, Group, Input};

const WORDS: [(&str, &str); 9] = [
    ("read, counted", "How often a record was taken from the log; how often it is in the total."),
    ("batch view", "Counted anew from record 0 by each batch run; final."),
    ("speed view", "Counted by the stream since the last batch run; provisional."),
    ("merged view", "Both together; always equal to a full recount of the same records."),
    ("hand-over", "A batch run publishes: what it covers leaves the speed view."),
    ("checkpoint", "Position and totals in one file: all records before it, none after it."),
    ("full recount", "The same records counted from scratch; what is right."),
    (
        "behind a number",
        "Click a bar, a point, a row or a cause for its records, a record for its numbers; Shift: since the click before.",
    ),
    ("run time", "Simulated; pace changes how fast you see it, never what comes out."),
];

/// Draws the help.
pub fn help_ui(ui: &mut Ui, out: &mut Out) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Keys and words").heading().color(tokens(ui).strong));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Close").clicked() {
                out.push(Input::Command(AppCommand::Close));
            }
        });
    });
    let height = (ui.ctx().content_rect().height() - 140.0).max(160.0);
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        for group in Group::ALL {
            section(ui, group.title());
            Grid::new(("keys", group.title())).num_columns(2).spacing([16.0, 3.0]).show(ui, |ui| {
                for spec in AppCommand::ALL.iter().filter(|spec| spec.group == group) {
                    let Some(shortcut) = spec.shortcut else { continue };
                    let t = tokens(ui);
                    ui.label(RichText::new(shortcut.to_string()).font(theme::mono(ui)).color(t.strong));
                    ui.label(RichText::new(spec.title).color(t.text)).on_hover_text(spec.hint);
                    ui.end_row();
                }
            });
        }
        section(ui, "Words");
        for (word, meaning) in WORDS {
            let t = tokens(ui);
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(word).font(theme::strong(ui)).color(t.strong));
                ui.add(Label::new(RichText::new(meaning).color(t.text)).wrap());
            });
        }
    });
}
