//! A still picture of a run: the scenario is played to a tick, then drawn by the window's own code.

use std::{path::Path, sync::Arc};

use eframe::egui::{Theme, Vec2};

use super::{
    Window,
    picture::{Picture, render},
};
use crate::{
    app::{AppCommand, Effect, Input, Look, RightDrawer, Settings},
    engine::{
        driver::Driver,
        frame::{Flow, Frame, Loading},
        play::{OpenScenario, PlayError, open_log, open_scenario, play},
        protocol::{Answer, Command, EngineEvent, KAPPA, Query, RunId, Tick, VersionDifferences},
    },
};

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Still {
    /// Width and height in points.
    pub size: (f32, f32),
    /// Dark or light.
    pub is_dark: bool,
    /// At which tick; the end of the run where absent.
    pub at: Option<u64>,
}

/// Draws the window over a scenario or log file.
///
/// # Errors
/// When the scenario or its log cannot be read.
pub fn picture_of(path: &Path, still: Still) -> Result<Picture, PlayError> {
    let is_scenario = path.is_file() && path.extension().is_some_and(|extension| extension == "json");
    let open = if is_scenario { open_scenario(path)? } else { open_log(path, &[])? };
    Ok(draw(&open, still))
}

/// Draws the window over an open scenario.
pub fn draw(open: &OpenScenario, still: Still) -> Picture {
    let played = play(open, Driver::Inline, still.at.map(Tick));
    let run = RunId(1);
    let mut window = Window::new(Settings::default(), Vec::new());
    window.input(Input::Event(EngineEvent::Opened { run, summary: Arc::new(open.summary.clone()) }));
    let ended =
        played.facts.iter().any(|(_, fact)| matches!(fact, crate::engine::protocol::Fact::Finished { .. }));
    for (tick, fact) in played.facts {
        window.input(Input::Event(EngineEvent::Happened { run, lane: fact.lane(), tick, fact }));
    }
    let counts = open.index.counts();
    let (bytes, bytes_total) = open.index.disk_bytes();
    let frame = Frame {
        run,
        tick: played.tick,
        flow: if ended { Flow::Finished } else { Flow::Paused },
        pace_percent: 100,
        loading: Loading {
            records: open.index.len(),
            malformed: counts.malformed,
            missing_user: counts.missing_user,
            bytes,
            bytes_total,
            complete: true,
            cancelled: false,
        },
        lanes: vec![Arc::new(played.frame)],
        kappa: played.kappa.map(Arc::new),
    };
    let has_versions = frame.kappa.is_some();
    window.input(Input::Frame(Arc::new(frame)));
    if has_versions {
        show_versions(&mut window, played.versions);
    }
    // A picture of a chosen tick after a crash is one of that crash: close up, as `Z` shows it.
    let has_crashed = window.state().lane().is_some_and(|lane| lane.proof.crash.is_some());
    if still.at.is_some() && has_crashed && !has_versions {
        window.input(Input::Command(AppCommand::Look(Look::Moment)));
    }
    let theme = if still.is_dark { Theme::Dark } else { Theme::Light };
    let size = Vec2::new(still.size.0, still.size.1);
    render(
        |ui| {
            window.ui(ui);
        },
        size,
        1.0,
        theme,
    )
}

/// The Kappa lane of a run that has one, with its drawer: what the engine would answer is answered.
fn show_versions(window: &mut Window, differences: Option<VersionDifferences>) {
    window.input(Input::Command(AppCommand::Lane(KAPPA)));
    window.input(Input::Command(AppCommand::Right(RightDrawer::Versions)));
    let asked = window.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Send(Command::Ask(number, Query::VersionDifferences)) => Some(number),
        _ => None,
    });
    if let (Some(number), Some(found)) = (asked, differences) {
        let answer = Answer::VersionDifferences(Box::new(found));
        window.input(Input::Event(EngineEvent::Answered(number, answer)));
    }
}
