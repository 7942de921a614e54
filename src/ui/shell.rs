//! The window as one piece: panels in their places, inputs in, effects out.

use eframe::egui::{self, CentralPanel, Frame, Margin, Panel, Rect, ThemePreference, Ui, pos2};

use super::{
    ask::ask_ui,
    bar::bar_ui,
    checkpoints::checkpoints_ui,
    dialog::dialog_ui,
    differences::differences_ui,
    empty::empty_ui,
    fates::fates_ui,
    handover::handover_ui,
    keyboard::keyboard,
    late::late_ui,
    log_browser::log_browser_ui,
    numbers::numbers_ui,
    plots::{PlotMemory, plots_ui},
    proof_strip::{self, proof_strip_ui},
    run_settings::run_settings_ui,
    runs::runs_ui,
    status::status_ui,
    story::{start_cards, story_ui},
    tables::tables_ui,
    theirs::theirs_ui,
    theme::{self, tokens},
    timeline::{self, timeline_ui},
    versions::versions_ui,
    widgets::Out,
};
use crate::{
    app::{Effect, Example, Input, LeftDrawer, Phase, RightDrawer, Settings, State, ThemeChoice, apply},
    engine::clock::Stopwatch,
};

/// Width of a drawer.
const DRAWER: f32 = 320.0;

/// Width of the drawer with a table in it.
const WIDE_DRAWER: f32 = 440.0;

/// Width of the drawers with fields: as wide as the smallest window has room for.
const ASK_DRAWER: f32 = 360.0;

/// The least width of that drawer.
const LEAST_WIDE_DRAWER: f32 = 360.0;

/// The three plots never get less than this; drawers yield instead.
const PLOTS_LEAST: f32 = 600.0;

/// Below this height the rows at the foot are lower.
const LOW: f32 = 680.0;

/// What of the settings has been given to the toolkit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Applied {
    theme: ThemeChoice,
    zoom_percent: u32,
    presenter: bool,
}

/// The window, without a native window: state in, effects out.
#[derive(Debug)]
pub struct Window {
    state: State,
    plots: PlotMemory,
    effects: Vec<Effect>,
    applied: Option<Applied>,
    /// How long the last frame took, while somebody asks.
    frame_micros: Option<u64>,
}

impl Window {
    /// A window at its start.
    pub fn new(settings: Settings, examples: Vec<Example>) -> Window {
        Window::with_state(State::new(settings, examples))
    }

    /// A window over a state that is already there.
    pub fn with_state(state: State) -> Window {
        Window { state, plots: PlotMemory::default(), effects: Vec::new(), applied: None, frame_micros: None }
    }

    /// What the window shows.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes one input; what has to be done for it comes with the next [`Window::take_effects`] or [`Window::ui`].
    pub fn input(&mut self, input: Input) {
        self.effects.extend(apply(&mut self.state, input));
    }

    /// What has to be done outside since the last time.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Draws one frame; returns what has to be done outside. Asks for another frame only if something changed.
    pub fn ui(&mut self, ui: &mut Ui) -> Vec<Effect> {
        let watch = self.state.frame_time.then(Stopwatch::start);
        self.apply_settings(ui.ctx());
        let mut out = Out::new();
        let dropped: Vec<std::path::PathBuf> =
            ui.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).collect());
        out.extend(dropped.into_iter().take(1).map(Input::Dropped));
        keyboard(ui.ctx(), &self.state, &mut out);
        self.panels(ui, &mut out);
        dialog_ui(ui.ctx(), &self.state, &mut out);
        if !out.is_empty() {
            ui.ctx().request_repaint();
        }
        for input in out {
            self.input(input);
        }
        self.frame_micros = watch.map(|watch| watch.micros());
        self.take_effects()
    }

    fn apply_settings(&mut self, ctx: &egui::Context) {
        let settings = &self.state.settings;
        let wanted = Applied {
            theme: settings.theme,
            zoom_percent: settings.zoom_percent,
            presenter: settings.presenter,
        };
        if self.applied == Some(wanted) {
            return;
        }
        if self.applied.is_none_or(|applied| applied.presenter != wanted.presenter) {
            theme::set_presenter(ctx, wanted.presenter);
        }
        if self.applied.is_none_or(|applied| applied.theme != wanted.theme) {
            ctx.set_theme(match wanted.theme {
                ThemeChoice::System => ThemePreference::System,
                ThemeChoice::Dark => ThemePreference::Dark,
                ThemeChoice::Light => ThemePreference::Light,
            });
        }
        if self.applied.is_some() || wanted.zoom_percent != 100 {
            ctx.set_zoom_factor(wanted.zoom_percent as f32 / 100.0);
        }
        self.applied = Some(wanted);
        ctx.request_repaint();
    }

    fn panels(&mut self, ui: &mut Ui, out: &mut Out) {
        let state = &self.state;
        let t = tokens(ui);
        let scale = theme::scale(ui);
        let (width, low) = (ui.available_width(), ui.available_height() < LOW);
        let fit = drawers_that_fit(state, width, scale);
        let row = |fill, x: i8, y: i8| Frame::new().fill(fill).inner_margin(Margin::symmetric(x, y));
        let bar = Panel::top("bar").exact_size((40.0 * scale).round()).show_separator_line(false);
        let bar = bar.frame(row(t.panel, 12, 0)).show(ui, |ui| bar_ui(ui, state, out));
        loading_line(ui, state, bar.response.rect);
        // What the run does is not the subject of a comparison.
        if !state.answers.theirs.open {
            let story =
                Panel::top("story").min_size(52.0 * scale).resizable(false).show_separator_line(false);
            story.frame(row(t.canvas, 12, 8)).show(ui, |ui| story_ui(ui, state, out));
        }
        // A room sees rows 1 to 5; what went wrong is still said.
        if !state.settings.presenter || state.notice.is_some() {
            let status =
                Panel::bottom("status").exact_size((24.0 * scale).round()).show_separator_line(false);
            let frame = row(t.panel, 12, 0);
            status.frame(frame).show(ui, |ui| status_ui(ui, state, fit.hidden, self.frame_micros, out));
        }
        if state.phase != Phase::Open || state.lane().is_none() {
            // Kept runs can be looked through without a log.
            let right = fit.right.filter(|drawer| *drawer == RightDrawer::Runs);
            drawers(ui, state, &Fit { left: None, right, ..fit }, scale, out);
            CentralPanel::no_frame().frame(row(t.canvas, 12, 12)).show(ui, |ui| empty_ui(ui, state, out));
            return;
        }
        // It speaks of the log, not of the run: strip and timeline would only take room.
        if state.answers.theirs.open {
            CentralPanel::no_frame().frame(row(t.canvas, 12, 8)).show(ui, |ui| theirs_ui(ui, state, out));
            return;
        }
        let shrink = if low { 0.8 } else { 1.0 };
        let foot = |name, height: f32| {
            Panel::bottom(name).exact_size((height * scale).round()).show_separator_line(false)
        };
        // Numbers of single records need the height.
        let has_cells = proof_strip::has_cells(state);
        let strip = proof_strip::HEIGHT * if has_cells { 1.0 } else { shrink };
        foot("timeline", (timeline::HEIGHT + 8.0) * shrink)
            .frame(row(t.canvas, 12, 4))
            .show(ui, |ui| timeline_ui(ui, state, out));
        foot("proof", strip).frame(row(t.canvas, 12, 6)).show(ui, |ui| {
            if state.is_untouched() {
                start_cards(ui, state, out);
            } else {
                proof_strip_ui(ui, state, out);
            }
        });
        drawers(ui, state, &fit, scale, out);
        CentralPanel::no_frame().frame(row(t.canvas, 12, 0)).show(ui, |ui| {
            if state.tables {
                tables_ui(ui, state, out);
            } else {
                plots_ui(ui, state, &mut self.plots, out);
            }
        });
    }
}

/// Which drawers there is room for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fit {
    left: Option<LeftDrawer>,
    right: Option<RightDrawer>,
    /// Width of the drawer on the right, at normal size.
    right_width: f32,
    hidden: Option<&'static str>,
}

/// The right drawer yields first, then the left.
fn drawers_that_fit(state: &State, width: f32, scale: f32) -> Fit {
    let least = PLOTS_LEAST.min(width);
    let left = state.left.filter(|_| width - DRAWER * scale >= least);
    let taken = if left.is_some() { DRAWER * scale } else { 0.0 };
    let room = (width - taken - least) / scale;
    let right_width = state.right.map_or(DRAWER, |drawer| right_width(drawer, room));
    let right = state.right.filter(|_| right_width <= room);
    let hidden = if state.right.is_some() && right.is_none() {
        Some("The drawer on the right")
    } else if state.left.is_some() && left.is_none() {
        Some("The drawer on the left")
    } else {
        None
    };
    Fit { left, right, right_width, hidden }
}

/// Tracks take the width that there is; a wide drawer is as narrow as it can be where it could not stand otherwise.
fn right_width(drawer: RightDrawer, room: f32) -> f32 {
    match drawer {
        RightDrawer::Handover | RightDrawer::Versions if room >= WIDE_DRAWER => WIDE_DRAWER,
        RightDrawer::Fates | RightDrawer::Differences | RightDrawer::Late => {
            room.clamp(LEAST_WIDE_DRAWER, WIDE_DRAWER)
        }
        RightDrawer::Checkpoints
        | RightDrawer::Numbers
        | RightDrawer::Runs
        | RightDrawer::Handover
        | RightDrawer::Versions => DRAWER,
        RightDrawer::Ask | RightDrawer::Settings => ASK_DRAWER,
    }
}

fn drawers(ui: &mut Ui, state: &State, fit: &Fit, scale: f32, out: &mut Out) {
    let t = tokens(ui);
    let frame = Frame::new().fill(t.panel).inner_margin(Margin::same(12)).outer_margin(Margin::ZERO);
    if let Some(LeftDrawer::Log) = fit.left {
        let panel = Panel::left("left-drawer").exact_size(DRAWER * scale).show_separator_line(false);
        panel
            .frame(frame.corner_radius(egui::CornerRadius { ne: 8, se: 8, ..egui::CornerRadius::ZERO }))
            .show(ui, |ui| log_browser_ui(ui, state, out));
    }
    if let Some(drawer) = fit.right {
        let panel = Panel::right(("right-drawer", format!("{drawer:?}")))
            .exact_size(fit.right_width * scale)
            .show_separator_line(false);
        panel
            .frame(frame.corner_radius(egui::CornerRadius { nw: 8, sw: 8, ..egui::CornerRadius::ZERO }))
            .show(ui, |ui| match drawer {
                RightDrawer::Checkpoints => checkpoints_ui(ui, state, out),
                RightDrawer::Numbers => numbers_ui(ui, state, out),
                RightDrawer::Fates => fates_ui(ui, state, out),
                RightDrawer::Late => late_ui(ui, state, out),
                RightDrawer::Differences => differences_ui(ui, state, out),
                RightDrawer::Runs => runs_ui(ui, state, out),
                RightDrawer::Handover => handover_ui(ui, state, out),
                RightDrawer::Ask => ask_ui(ui, state, out),
                RightDrawer::Versions => versions_ui(ui, state, out),
                RightDrawer::Settings => run_settings_ui(ui, state, out),
            });
    }
}

/// How far loading is, as a line under the bar.
fn loading_line(ui: &Ui, state: &State, bar: Rect) {
    let Some(loading) = state.frame.as_ref().map(|frame| &frame.loading).filter(|loading| !loading.complete)
    else {
        return;
    };
    #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
    let share = (loading.bytes as f64 / loading.bytes_total.max(1) as f64).min(1.0) as f32;
    let line = Rect::from_min_max(
        pos2(bar.left(), bar.bottom() - 2.0),
        pos2(bar.left() + bar.width() * share, bar.bottom()),
    );
    ui.painter().rect_filled(line, 0, tokens(ui).accent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_drawer_yields_first_then_the_left() {
        let state =
            State { left: Some(LeftDrawer::Log), right: Some(RightDrawer::Numbers), ..State::default() };
        let at = |width| {
            let fit = drawers_that_fit(&state, width, 1.0);
            (fit.left.is_some(), fit.right.is_some())
        };
        assert_eq!(at(1440.0), (true, true));
        assert_eq!(at(1000.0), (true, false));
        assert_eq!(at(900.0), (false, false));
    }
}
