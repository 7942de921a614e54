//! A still picture of a run: an engine plays it to a tick and answers what the panels ask, then the window's own code draws.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crossbeam_channel::{Receiver, bounded};
use eframe::egui::{Theme, Vec2};

use super::{
    Window,
    picture::{Picture, render},
};
use crate::{
    app::{
        AppCommand, Edit, Effect, Input, Look, PanelId, Phase, RightDrawer, Settings, Slot, State, TheirsEdit,
    },
    engine::{
        Engine, EngineOptions,
        driver::Driver,
        frame::Flow,
        protocol::{Command, KAPPA, OpenRequest, Tick},
        runs::read_scenario,
    },
};

/// News comes within this, or is asked for again.
const NAP: Duration = Duration::from_millis(50);

/// After so many naps without news the engine is given up: a quarter of an hour.
const NAPS: u32 = 18_000;

/// What to draw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Still {
    /// Width and height in points.
    pub size: (f32, f32),
    /// Dark or light.
    pub is_dark: bool,
    /// At which tick; the end of the run where absent.
    pub at: Option<u64>,
    /// What is opened first, in order.
    pub panels: Vec<PanelId>,
    /// Views of theirs to compare: one or two files.
    pub against: Vec<PathBuf>,
}

/// Draws the window over a scenario or log file.
///
/// # Errors
/// When the scenario or its log cannot be read, or a panel cannot be opened; the text is for a person.
pub fn picture_of(path: &Path, still: &Still) -> Result<Picture, String> {
    let mut stage = Stage::start()?;
    stage.open(path)?;
    stage.play(path, still.at)?;
    stage.set(still)?;
    let theme = if still.is_dark { Theme::Dark } else { Theme::Light };
    let size = Vec2::new(still.size.0, still.size.1);
    Ok(render(|ui| drop(stage.window.ui(ui)), size, 1.0, theme))
}

/// A window and an engine without a display.
struct Stage {
    window: Window,
    engine: Engine,
    news: Receiver<()>,
}

impl Stage {
    fn start() -> Result<Stage, String> {
        let (wake, news) = bounded(1);
        let wake = Arc::new(move || {
            // One that waits already is enough.
            let _full = wake.try_send(());
        });
        let options = EngineOptions { runs: None, driver: Driver::Inline, wake };
        let engine = Engine::start(options).map_err(|error| format!("cannot start the engine: {error}"))?;
        Ok(Stage { window: Window::new(Settings::default(), Vec::new()), engine, news })
    }

    fn open(&mut self, path: &Path) -> Result<(), String> {
        self.send(Command::Open(OpenRequest { path: path.to_owned(), mapping: Vec::new() }))?;
        self.until(|state| match &state.phase {
            Phase::Failed(_) => true,
            Phase::Empty | Phase::Opening(_) => false,
            Phase::Open => {
                state.lane().is_some() && state.frame.as_ref().is_some_and(|frame| frame.loading.complete)
            }
        })?;
        match &self.window.state().phase {
            Phase::Failed(failure) => Err(failure.why.clone()),
            Phase::Empty | Phase::Opening(_) | Phase::Open => Ok(()),
        }
    }

    /// Plays the run up to a tick, else to where the scenario ends, else to its end.
    fn play(&mut self, path: &Path, at: Option<u64>) -> Result<(), String> {
        let ends = || read_scenario(path).ok().and_then(|scenario| scenario.until_tick);
        let tick = at.or_else(ends).unwrap_or(u64::MAX);
        if tick == 0 {
            return Ok(());
        }
        self.send(Command::GoTo(Tick(tick)))?;
        self.until(|state| {
            let has_ended = state.tick().0 > 0 && state.flow() == Flow::Paused;
            state.flow() == Flow::Finished || state.flow() != Flow::Advancing && has_ended
        })
    }

    /// Opens what is to be seen and waits for its answers.
    fn set(&mut self, still: &Still) -> Result<(), String> {
        for command in self.opens(still) {
            if let Err(reason) = command.enabled(self.window.state()) {
                let id =
                    PanelId::ALL.iter().find(|panel| panel.command == command).map_or("", |panel| panel.id);
                return Err(format!("the panel cannot be opened: {reason}: {id:?}"));
            }
            self.window.input(Input::Command(command));
            self.answered()?;
        }
        if still.against.is_empty() {
            return Ok(());
        }
        for (slot, path) in [Slot::First, Slot::Second].into_iter().zip(&still.against) {
            self.edit(TheirsEdit::Path(slot, path.display().to_string()));
        }
        self.edit(TheirsEdit::Compare);
        self.answered()?;
        match &self.window.state().answers.theirs.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(()),
        }
    }

    fn edit(&mut self, edit: TheirsEdit) {
        self.window.input(Input::Edit(Edit::Theirs(edit)));
    }

    /// What is asked for; where nothing is, what says most of the run as it stands.
    fn opens(&self, still: &Still) -> Vec<AppCommand> {
        let state = self.window.state();
        let mut commands: Vec<AppCommand> = still.panels.iter().map(|panel| panel.command).collect();
        if !still.against.is_empty() && !commands.contains(&AppCommand::Theirs) {
            commands.push(AppCommand::Theirs);
        }
        if !commands.is_empty() {
            return commands;
        }
        if state.kappa().is_some() {
            return vec![AppCommand::Lane(KAPPA), AppCommand::Right(RightDrawer::Versions)];
        }
        // A picture of a chosen tick after a crash is one of that crash: close up, as `Z` shows it.
        let has_crashed = state.lane().is_some_and(|lane| lane.proof.crash.is_some());
        if still.at.is_some() && has_crashed { vec![AppCommand::Look(Look::Moment)] } else { Vec::new() }
    }

    fn answered(&mut self) -> Result<(), String> {
        self.until(|state| state.answers.pending.is_empty() && !state.answers.trade_off.is_sweeping)
    }

    /// Takes what the engine says and hands on what the window asks, until a state.
    fn until(&mut self, done: impl Fn(&State) -> bool) -> Result<(), String> {
        let mut naps = 0;
        loop {
            while let Some(event) = self.engine.next_event() {
                self.window.input(Input::Event(event));
            }
            if let Some(frame) = self.engine.newest_frame() {
                self.window.input(Input::Frame(frame));
            }
            for effect in self.window.take_effects() {
                // Nothing outside the window is touched.
                if let Effect::Send(command) = effect {
                    self.send(command)?;
                    naps = 0;
                }
            }
            if done(self.window.state()) {
                return Ok(());
            }
            naps = if self.news.recv_timeout(NAP).is_ok() { 0 } else { naps + 1 };
            if naps > NAPS {
                return Err("the engine does not answer".to_owned());
            }
        }
    }

    fn send(&self, command: Command) -> Result<(), String> {
        self.engine.send(command).map_err(ToOwned::to_owned)
    }
}
