//! The top bar: open, run time, arrivals, crash and restore, state.

use eframe::egui::{Align, Color32, Layout, RichText, Ui};

use super::{
    theme::{self, tokens},
    widgets::{Out, badge, command_button, divider, menu_button, menu_row},
};
use crate::{
    app::{
        AppCommand, LeftDrawer, Look, Measure, Phase, RightDrawer, SaveKind, State, ThemeChoice,
        format::{records, thousands},
    },
    engine::{
        frame::{Flow, StreamState},
        protocol::CrashTarget,
    },
};

/// Draws the bar.
pub fn bar_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    // In the units of normal type: what does not fit is still on its key and in the palette.
    let room = ui.available_width() / theme::scale(ui);
    let (narrow, tight) = (room < 1_060.0, room < 860.0);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        command_button(ui, state, out, AppCommand::Open, "Open…");
        gap(ui);
        if !tight {
            command_button(ui, state, out, AppCommand::Restart, "Restart");
            command_button(ui, state, out, AppCommand::Back, "Back");
        }
        let playing = matches!(state.flow(), Flow::Playing | Flow::Advancing);
        command_button(ui, state, out, AppCommand::PlayPause, if playing { "Pause" } else { "Play" });
        if !tight {
            command_button(ui, state, out, AppCommand::Step, "Step");
        }
        gap(ui);
        arrivals(ui, state, narrow, out);
        if room >= 1_200.0 {
            command_button(ui, state, out, AppCommand::Right(RightDrawer::Settings), "Settings");
        }
        gap(ui);
        command_button(ui, state, out, AppCommand::Crash, "Crash");
        target(ui, state, out);
        command_button(ui, state, out, AppCommand::Restore, "Restore");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            menu_button(ui, "Menu", |ui| more(ui, state, out)).on_hover_text("Files, theme, help");
            menu_button(ui, "View", |ui| view(ui, state, out)).on_hover_text("What is shown");
            ui.add_space(4.0);
            if !tight {
                let (word, color) = standing(ui, state, narrow);
                badge(ui, &word, color).on_hover_text("How the run stands");
            }
        });
    });
}

fn gap(ui: &mut Ui) {
    ui.add_space(4.0);
    divider(ui);
    ui.add_space(4.0);
}

fn arrivals(ui: &mut Ui, state: &State, narrow: bool, out: &mut Out) {
    let label = match state.lane() {
        Some(lane) if narrow => format!("{}/s", thousands(lane.rate)),
        Some(lane) => format!("{}/s", records(lane.rate)),
        None => "records/s".to_owned(),
    };
    let label = RichText::new(label).font(theme::mono(ui));
    ui.add_enabled_ui(state.lane().is_some(), |ui| {
        let response = menu_button(ui, label, |ui| {
            for command in [AppCommand::RateUp, AppCommand::RateDown] {
                menu_row(ui, state, out, command, false);
            }
            ui.separator();
            for command in [AppCommand::PaceFaster, AppCommand::PaceSlower] {
                menu_row(ui, state, out, command, false);
            }
            ui.separator();
            let settings = AppCommand::Right(RightDrawer::Settings);
            menu_row(ui, state, out, settings, state.right == Some(RightDrawer::Settings));
        });
        let pace = state.frame.as_ref().map_or(100, |frame| frame.pace_percent);
        response.on_hover_text(format!(
            "Arrivals in records a second of simulated time. Pace: {pace} % of simulated time"
        ));
    });
}

fn target(ui: &mut Ui, state: &State, out: &mut Out) {
    let name = target_name(state.crash.target);
    let armed = state.crash.point.is_some() || !state.crash.record.is_empty();
    let label = if armed { format!("{name} *") } else { name.to_owned() };
    let response = menu_button(ui, label, |ui| {
        for target in [CrashTarget::Stream, CrashTarget::Batch, CrashTarget::Both] {
            menu_row(ui, state, out, AppCommand::Target(target), state.crash.target == target);
        }
        ui.separator();
        menu_row(ui, state, out, AppCommand::CrashSetup, false);
        menu_row(ui, state, out, AppCommand::RestoreFromStart, false);
    });
    response.on_hover_text("What a crash hits, and where");
}

/// In the window.
pub fn target_name(target: CrashTarget) -> &'static str {
    match target {
        CrashTarget::Stream => "stream",
        CrashTarget::Batch => "batch",
        CrashTarget::Both => "both",
    }
}

/// The state of the run as one word or two, with its colour.
fn standing(ui: &Ui, state: &State, narrow: bool) -> (String, Color32) {
    let t = tokens(ui);
    let Some(lane) = state.lane().filter(|_| state.phase == Phase::Open) else {
        return match state.phase {
            Phase::Empty => ("no log".to_owned(), t.subdued),
            Phase::Opening(_) | Phase::Open => ("opening".to_owned(), t.accent),
            Phase::Failed(_) => ("failed".to_owned(), t.error),
        };
    };
    match (lane.stream, state.flow()) {
        (StreamState::Crashed { .. }, _) => ("stream down".to_owned(), t.error),
        (StreamState::Recovering { .. }, _) if narrow => ("recovering".to_owned(), t.warning),
        (StreamState::Recovering { from, to }, _) => {
            let done = lane.position.saturating_sub(from);
            (format!("recovering {} of {}", thousands(done), thousands(to.saturating_sub(from))), t.warning)
        }
        (_, Flow::Finished) => ("finished".to_owned(), t.success),
        (_, Flow::Playing) => ("running".to_owned(), t.success),
        (_, Flow::Advancing) => ("advancing".to_owned(), t.accent),
        (_, Flow::Paused) => ("paused".to_owned(), t.subdued),
    }
}

fn view(ui: &mut Ui, state: &State, out: &mut Out) {
    for measure in Measure::ALL {
        menu_row(ui, state, out, AppCommand::Show(measure), state.measure == measure);
    }
    ui.separator();
    for look in Look::ALL {
        menu_row(ui, state, out, AppCommand::Look(look), state.look == look && !state.tables);
    }
    menu_row(ui, state, out, AppCommand::Tables, state.tables);
    menu_row(ui, state, out, AppCommand::Theirs, state.answers.theirs.open);
    menu_row(ui, state, out, AppCommand::HandoverOnPlots, state.answers.handover.on_plots);
    menu_row(ui, state, out, AppCommand::Fit, false);
    menu_row(ui, state, out, AppCommand::FrameTime, state.frame_time);
    ui.separator();
    menu_row(ui, state, out, AppCommand::Left(LeftDrawer::Log), state.left == Some(LeftDrawer::Log));
    for drawer in [
        RightDrawer::Settings,
        RightDrawer::Ask,
        RightDrawer::Versions,
        RightDrawer::Checkpoints,
        RightDrawer::Numbers,
        RightDrawer::Fates,
        RightDrawer::Late,
        RightDrawer::Differences,
        RightDrawer::Handover,
        RightDrawer::Runs,
    ] {
        menu_row(ui, state, out, AppCommand::Right(drawer), state.right == Some(drawer));
    }
}

fn more(ui: &mut Ui, state: &State, out: &mut Out) {
    for command in [
        AppCommand::BatchNow,
        AppCommand::Checkpoint,
        AppCommand::StoryNext,
        AppCommand::StoryBack,
        AppCommand::CancelLoading,
    ] {
        menu_row(ui, state, out, command, false);
    }
    ui.separator();
    for kind in [SaveKind::View, SaveKind::Picture, SaveKind::Scenario] {
        menu_row(ui, state, out, AppCommand::Save(kind), false);
    }
    menu_row(ui, state, out, AppCommand::CopyCommand, false);
    ui.separator();
    for theme in [ThemeChoice::System, ThemeChoice::Dark, ThemeChoice::Light] {
        menu_row(ui, state, out, AppCommand::Theme(theme), state.settings.theme == theme);
    }
    menu_row(ui, state, out, AppCommand::Presenter, state.settings.presenter);
    ui.separator();
    for command in [AppCommand::Palette, AppCommand::Help, AppCommand::Quit] {
        menu_row(ui, state, out, command, false);
    }
}
