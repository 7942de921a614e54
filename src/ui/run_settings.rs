//! The drawer "Settings of the run": what the run was started with, and what the next start is to have.

use eframe::egui::{Align, Label, Layout, Panel, RichText, ScrollArea, Ui};

use super::{
    theme::{self, tokens},
    typed::{Widths, choice_row, form_field, lateness_field, problem},
    widgets::{Out, command_button, drawer_head, edit_button, section, small_text},
};
use crate::{
    app::{
        AppCommand, Edit, Input, RightDrawer, SettingsEdit, SettingsField, SettingsPage, State,
        run_settings::{stream_command, uniques_name},
    },
    checkpoint::GuaranteeId,
    domain::{Lateness, Sketch, Uniques},
    engine::protocol::{LogSummary, RunSettings},
};

/// Draws the drawer.
pub fn run_settings_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Settings of the run", AppCommand::Right(RightDrawer::Settings));
    let Some(lane) = state.lane() else { return };
    let (page, run) = (&state.answers.run_settings, &lane.settings);
    let foot = Panel::bottom("start-again").resizable(false).show_separator_line(false);
    foot.frame(eframe::egui::Frame::new()).show(ui, |ui| foot_ui(ui, state, page, out));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        small_text(
            ui,
            "Other settings make another run: the log is played from record 0 again, and what was done by hand in this \
             one is not repeated.",
        );
        approximation_ui(ui, page, run, out);
        saved_ui(ui, page, run, out);
        section(ui, "How often, how fast");
        let intervals = [
            SettingsField::BatchEvery,
            SettingsField::CheckpointEvery,
            SettingsField::MicroBatch,
            SettingsField::Rate,
            SettingsField::StreamCapacity,
            SettingsField::BatchCapacity,
            SettingsField::Seed,
        ];
        for field in intervals {
            field_ui(ui, page, run, field, out);
        }
        if let Some(summary) = &state.summary {
            lines_ui(ui, summary, out);
            command_ui(ui, summary, run, out);
        }
    });
}

fn edit(out: &mut Out, edit: SettingsEdit) {
    out.push(Input::Edit(Edit::Settings(edit)));
}

/// Always in sight: what is typed does nothing until it is started.
fn foot_ui(ui: &mut Ui, state: &State, page: &SettingsPage, out: &mut Out) {
    ui.add_space(8.0);
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        command_button(ui, state, out, AppCommand::StartAgain, AppCommand::StartAgain.title());
        ui.add_enabled_ui(!page.is_untouched(), |ui| {
            edit_button(ui, out, "Undo", Edit::Settings(SettingsEdit::Undo))
                .on_hover_text("Back to what the run has");
        });
    });
}

/// A number that is typed, with what is wrong with it under it.
fn field_ui(ui: &mut Ui, page: &SettingsPage, run: &RunSettings, field: SettingsField, out: &mut Out) {
    let (response, changed) =
        form_field(ui, field.name(), &page.text(field, run), field.unit(), Widths::DRAWER);
    response.on_hover_text(field.hint());
    if let Some(text) = changed {
        edit(out, SettingsEdit::Type(field, text));
    }
    problem(ui, page.error(field).as_deref());
}

fn approximation_ui(ui: &mut Ui, page: &SettingsPage, run: &RunSettings, out: &mut Out) {
    section(ui, "What the stream leaves out");
    let field = SettingsField::Lateness;
    let error = page.error(field);
    if let Some(text) = lateness_field(ui, field.name(), &page.text(field, run), error.as_deref()) {
        edit(out, SettingsEdit::Type(field, text));
    }
    if let Some(wanted) = page.settings(run) {
        small_text(
            ui,
            match wanted.lateness {
                Lateness::Unbounded => "Days stay open for ever: nothing is late.",
                Lateness::Within(_) => {
                    "A day closes so long after its end, by the watermark. What comes later is dropped by the stream and \
                     counted by the next batch run."
                }
            },
        );
    }
    field_ui(ui, page, run, SettingsField::IdleAfter, out);
    small_text(
        ui,
        "An idle partition does not hold the watermark back; it matters only where something can be late.",
    );
    let error = Sketch::STANDARD_ERROR_BASIS_POINTS;
    let kinds = [Uniques::Set, Uniques::Hll].map(|uniques| (uniques, uniques_name(uniques)));
    choice_row(ui, "Unique users", &kinds, page.uniques(run), |uniques| {
        edit(out, SettingsEdit::Uniques(uniques));
    });
    if page.uniques(run) == Uniques::Hll {
        small_text(
            ui,
            format!("Of the stream's part only, within about ±{}.{:02} %.", error / 100, error % 100),
        );
    }
}

fn saved_ui(ui: &mut Ui, page: &SettingsPage, run: &RunSettings, out: &mut Out) {
    section(ui, "For the time after a crash");
    let kinds = GuaranteeId::ALL.map(|id| (id, id.saved_in_words()));
    choice_row(ui, "What is saved, and when", &kinds, page.guarantee(run), |id| {
        edit(out, SettingsEdit::Guarantee(id));
    });
    small_text(ui, format!("How output is written: {}.", page.guarantee(run).output_in_words()));
    field_ui(ui, page, run, SettingsField::Retain, out);
}

/// How lines are read belongs to the log: it is opened anew for that.
fn lines_ui(ui: &mut Ui, summary: &LogSummary, out: &mut Out) {
    section(ui, "How lines are read");
    let given = |name: &str| summary.mapping_options.iter().find(|(option, _)| option == name);
    let t = tokens(ui);
    let mut line = |name: &str, text: String| {
        small_text(ui, name);
        ui.add(Label::new(RichText::new(text).font(theme::mono_small(ui)).color(t.text)).wrap());
    };
    line("Format", summary.format.clone());
    line("Fields", summary.mapping.clone());
    line(
        "Days in",
        if summary.zone == "as-written" { "the date as written".to_owned() } else { summary.zone.clone() },
    );
    line(
        "The same id again",
        given("id").map_or_else(
            || "no id field is named: nothing is a duplicate".to_owned(),
            |(_, field)| format!("counted once, by \"{field}\""),
        ),
    );
    if summary.has_users {
        let counts = given("anonymous").is_some_and(|(_, value)| value == "count");
        line("Records without a user", if counts { "count as a view" } else { "are left out" }.to_owned());
    }
    ui.add_space(2.0);
    edit_button(ui, out, "Open again with…", Edit::Settings(SettingsEdit::OpenAgain)).on_hover_text(
        "Other fields, another day zone, ids: the log is read anew, and starts with the usual settings of a run",
    );
}

fn command_ui(ui: &mut Ui, summary: &LogSummary, run: &RunSettings, out: &mut Out) {
    section(ui, "From the command line");
    small_text(
        ui,
        "A stream processor that ends in the view that this run's stream would have without batch",
    );
    let command = stream_command(summary, run);
    let color = tokens(ui).text;
    ui.add(Label::new(RichText::new(&command).font(theme::mono_small(ui)).color(color)).wrap());
    edit_button(ui, out, "Copy this command", Edit::Copy(command));
    small_text(
        ui,
        "A saved scenario holds all settings: rederive check plays it to the same run fingerprint.",
    );
}
