//! The drawer "Two versions (Kappa)": the versions, the gate between them, why they differ, and Lambda beside Kappa.

mod differences;
mod form;
mod side_by_side;

use eframe::egui::{self, Label, Rect, RichText, ScrollArea, Sense, Ui, vec2};

use self::{differences::differences_ui, form::form_ui, side_by_side::side_by_side};
use super::{
    numbers::invariant_ui,
    theme::{self, tokens},
    widgets::{Out, badge, command_button, drawer_head, edit_button, fact_row, named, section, small_text},
};
use crate::{
    app::{
        AppCommand, Edit, RightDrawer, SaveKind, State, VersionEdit, VersionStep,
        format::{self, thousands},
        is_down,
    },
    domain::{Lateness, Uniques},
    engine::frame::{Flow, KappaFrame, Role, VersionFrame, VersionState},
};

/// From this width on beside its title, the part of a version is said at length.
const ROOMY: f32 = 280.0;

/// What part a version plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Serves,
    Other(Role),
}

impl Part {
    /// As long as there is room beside the title and the buttons.
    fn name(self, room: f32) -> &'static str {
        match (self, room >= ROOMY) {
            (Part::Serves, true) => "serves readers",
            (Part::Serves, false) => "serves",
            (Part::Other(Role::Next), _) => "next",
            (Part::Other(Role::Old), true) => "kept for the way back",
            (Part::Other(Role::Old), false) => "kept",
        }
    }
}

/// Draws the drawer.
pub fn versions_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Two versions (Kappa)", AppCommand::Right(RightDrawer::Versions));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        let Some(kappa) = state.kappa() else {
            return start_ui(ui, state, out);
        };
        if let Some(serving) = &kappa.serving {
            version_ui(ui, state, serving, Part::Serves, out);
        }
        match &kappa.other {
            None => form_ui(ui, state, kappa, out),
            Some((role, other)) => {
                version_ui(ui, state, other, Part::Other(*role), out);
                gate_ui(ui, kappa, other);
            }
        }
        steps_ui(ui, state, kappa, out);
        side_by_side(ui, kappa, out);
        if kappa.other.is_some() {
            differences_ui(ui, state, out);
        }
        section(ui, "Checked while it runs");
        for invariant in kappa.invariants.iter() {
            invariant_ui(ui, invariant);
        }
        section(ui, "Steps so far");
        for (tick, step) in kappa.steps.iter() {
            text(ui, format!("{}  {step}", format::seconds(*tick)));
        }
    });
}

fn text(ui: &mut Ui, words: impl Into<String>) {
    let color = tokens(ui).text;
    ui.add(Label::new(RichText::new(words).color(color)).wrap());
}

fn start_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    text(
        ui,
        "Kappa has no batch layer. One stream view serves; to change its rules, a second version reads the same log from \
         its start into a new view, and readers change over when both stand at the same record.",
    );
    small_text(ui, "Version 1 reads as the run does. Batch, speed and merged go on beside it.");
    ui.add_space(4.0);
    command_button(ui, state, out, AppCommand::Version(VersionStep::Start), "Start version 1");
}

fn version_ui(ui: &mut Ui, state: &State, version: &VersionFrame, part: Part, out: &mut Out) {
    let t = tokens(ui);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let title = format!("Version {}", version.number);
        ui.label(RichText::new(title).font(theme::strong(ui)).color(t.strong));
        let color = if part == Part::Serves { t.success } else { t.subdued };
        badge(ui, part.name(ui.available_width() / theme::scale(ui)), color);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let (word, edit) = if is_down(version) {
                ("Restore", VersionEdit::Restore(version.number))
            } else {
                ("Crash", VersionEdit::Crash(version.number))
            };
            // After the end of the run nothing is carried out any more.
            ui.add_enabled_ui(state.flow() != Flow::Finished, |ui| {
                let response = edit_button(ui, out, word, Edit::Version(edit));
                named(&response, egui::Role::Button, format!("{word} version {}", version.number));
            });
            let kind = SaveKind::Version(version.number);
            let export = ui.button("Export…").on_hover_text("Its view, as CSV or JSON");
            named(&export, egui::Role::Button, format!("Export the view of version {}", version.number));
            if export.clicked() {
                out.push(crate::app::Input::Command(AppCommand::Save(kind)));
            }
        });
    });
    let (stands, color) = match version.state {
        VersionState::CatchingUp => ("reads what has arrived".to_owned(), t.subdued),
        VersionState::UpToDate => ("up to date".to_owned(), t.subdued),
        VersionState::Rereading { from, to } => {
            let done = version.position.clamp(from, to) - from;
            (format!("reads again: {} of {}", thousands(done), thousands(to - from)), t.warning)
        }
        VersionState::Crashed { checkpoint: Some((id, at)), .. } => {
            (format!("down; checkpoint {} at {}", id.0, thousands(at)), t.error)
        }
        VersionState::Crashed { checkpoint: None, .. } => ("down; no checkpoint".to_owned(), t.error),
    };
    let line = RichText::new(format!("{} · {stands}", version.settings)).font(theme::small(ui)).color(color);
    ui.add(Label::new(line).wrap());
    fact_row(ui, "Its view stands at", thousands(version.view_position));
    fact_row(ui, "Page views", thousands(version.totals.views));
    let about = if version.options.uniques == Uniques::Hll { "about " } else { "" };
    fact_row(ui, "Unique users", format!("{about}{}", thousands(version.totals.users)));
    if version.options.lateness != Lateness::Unbounded {
        let missing = format!("{}, missing for good", thousands(version.late));
        fact_row(ui, "Dropped as late", missing);
    }
}

/// How far the other version is, and whether readers can change over.
fn gate_ui(ui: &mut Ui, kappa: &KappaFrame, other: &VersionFrame) {
    let t = tokens(ui);
    let Some(serving) = &kappa.serving else { return };
    let (at, to) = (other.view_position, serving.view_position);
    ui.add_space(4.0);
    #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
    let share = (at as f64 / to.max(1) as f64).clamp(0.0, 1.0) as f32;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    ui.painter().rect_filled(rect, 4, t.grid);
    let done = Rect::from_min_size(rect.min, vec2(rect.width() * share, rect.height()));
    ui.painter().rect_filled(done, 4, if kappa.closed.is_none() { t.success } else { t.accent });
    named(
        &response,
        egui::Role::ProgressIndicator,
        format!("Version {} stands at {} of {}", other.number, thousands(at), thousands(to)),
    );
    let behind = to.saturating_sub(at);
    if behind == 0 {
        fact_row(ui, "Records to go", "none");
    } else {
        let pace = format!("{} at {}/s", thousands(behind), thousands(other.capacity));
        fact_row(ui, "Records to go, simulated", pace);
    }
    ui.horizontal_wrapped(|ui| match &kappa.closed {
        None => {
            badge(ui, "gate open", t.success);
            small_text(ui, format!("Both stand at record {}.", thousands(to)));
        }
        Some(why) => {
            badge(ui, "gate closed", t.warning);
            small_text(ui, format!("It opens when both stand at the same record. Now {why}."));
        }
    });
}

fn steps_ui(ui: &mut Ui, state: &State, kappa: &KappaFrame, out: &mut Out) {
    if kappa.other.is_none() {
        return;
    }
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        for (step, label) in [
            (VersionStep::Switch, "Switch"),
            (VersionStep::RollBack, "Roll back"),
            (
                VersionStep::Delete,
                match kappa.other {
                    Some((Role::Next, _)) => "Give up the new view",
                    _ => "Delete the old view",
                },
            ),
        ] {
            command_button(ui, state, out, AppCommand::Version(step), label);
        }
        let why = AppCommand::Right(RightDrawer::Differences);
        command_button(ui, state, out, why, "Why they differ, by record");
    });
}
