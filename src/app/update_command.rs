//! What each command does to the state and which effects it has.

use std::path::PathBuf;

use super::{
    AppCommand, Effect, asking,
    dialogs::{Dialog, OpenDialog, SaveDialog, SaveKind},
    event_time,
    format::thousands,
    lineage, opening,
    refresh::late_query,
    run_settings,
    settings::Settings,
    state::{LeftDrawer, Look, Phase, RightDrawer, State, TableTwin},
    trade_off, two_versions,
    update::say,
};
use crate::engine::{
    frame::{Flow, LaneFrame, MarkKind},
    protocol::{
        CheckpointId, Command, CrashTarget, CrashWhen, LaneCommand, Query, TICKS_PER_SECOND, Tick, Until,
    },
};

/// Ticks of a small step: a tenth of a second of run time.
const STEP_TICKS: u64 = TICKS_PER_SECOND / 10;

/// Arrivals are kept between these, in records a second.
const RATES: (u64, u64) = (1, 100_000);

/// Wall speed is kept between these, in per cent.
const PACES: (u32, u32) = (5, 6_400);

/// Carries out a command that is enabled.
pub(super) fn give(state: &mut State, command: AppCommand) -> Vec<Effect> {
    match command {
        AppCommand::PlayPause => play_pause(state),
        AppCommand::Step => send(Command::Step(STEP_TICKS)),
        AppCommand::Back => send(Command::GoTo(Tick(state.tick().0.saturating_sub(STEP_TICKS)))),
        AppCommand::Restart => send(Command::Restart),
        AppCommand::StartAgain => run_settings::start(state),
        AppCommand::StoryNext => story_next(state),
        AppCommand::StoryBack => story_back(state),
        AppCommand::PaceFaster => pace(state, |percent| percent.saturating_mul(2)),
        AppCommand::PaceSlower => pace(state, |percent| percent / 2),
        AppCommand::RateUp => rate(state, |rate| rate.saturating_mul(2)),
        AppCommand::RateDown => rate(state, |rate| rate / 2),
        AppCommand::BatchNow => to_lane(LaneCommand::BatchNow),
        AppCommand::Version(step) => two_versions::step(state, step),
        AppCommand::Checkpoint => to_lane(LaneCommand::Checkpoint),
        AppCommand::Crash => crash(state),
        AppCommand::Restore => to_lane(LaneCommand::Restore(None)),
        AppCommand::RestoreFromStart => to_lane(LaneCommand::RestoreFromStart),
        AppCommand::CancelLoading => send(Command::CancelLoading),
        AppCommand::OpenExample(kind) => {
            let path =
                state.examples.iter().find(|example| example.kind == kind).map(|found| found.path.clone());
            path.map(|path| opening::open(state, path)).unwrap_or_default()
        }
        AppCommand::Predict(prediction) => {
            state.prediction = Some(prediction);
            Vec::new()
        }
        AppCommand::Look(look) => look_at(state, look),
        AppCommand::Left(drawer) => toggle_left(state, drawer),
        AppCommand::Right(drawer) => toggle_right(state, drawer),
        AppCommand::HandoverOnPlots => super::handover::toggle_on_plots(state),
        AppCommand::CopyCommand => copy_command(state),
        AppCommand::Presenter => remember(state, |settings| settings.presenter = !settings.presenter),
        AppCommand::ZoomIn => remember(state, |s| s.zoom_percent = (s.zoom_percent + 10).min(300)),
        AppCommand::ZoomOut => {
            remember(state, |s| s.zoom_percent = s.zoom_percent.saturating_sub(10).max(50))
        }
        AppCommand::ZoomReset => remember(state, |settings| settings.zoom_percent = 100),
        AppCommand::Theme(theme) => remember(state, |settings| settings.theme = theme),
        AppCommand::Quit => vec![Effect::Quit],
        shows => {
            show(state, shows);
            Vec::new()
        }
    }
}

/// Commands that only change what is shown.
fn show(state: &mut State, command: AppCommand) {
    match command {
        AppCommand::Open => {
            let failed = match &state.phase {
                Phase::Failed(failure) => Some(&failure.path),
                Phase::Empty | Phase::Opening(_) | Phase::Open => None,
            };
            let path = failed.or(state.settings.recent.first()).map(|path| path.display().to_string());
            state.dialog =
                Dialog::Open(OpenDialog { path: path.unwrap_or_default(), ..OpenDialog::default() });
        }
        AppCommand::Save(kind) => state.dialog = Dialog::Save(save_dialog(served_by(state, kind))),
        AppCommand::Palette => state.dialog = Dialog::Palette { query: String::new(), chosen: 0 },
        AppCommand::Help => {
            state.dialog = if state.dialog == Dialog::Help { Dialog::None } else { Dialog::Help };
        }
        AppCommand::CrashSetup => state.dialog = Dialog::CrashSetup,
        AppCommand::Target(target) => state.crash.target = target,
        AppCommand::Point(point) => state.crash.point = point,
        AppCommand::Show(measure) => state.measure = measure,
        AppCommand::Lane(lane) => state.lane = lane,
        AppCommand::FrameTime => state.frame_time = !state.frame_time,
        AppCommand::Fit => {
            if !matches!(state.look, Look::EventTime | Look::TradeOff) {
                state.look = Look::OverRun;
            }
            state.fits += 1;
        }
        AppCommand::Tables => {
            (state.tables, state.answers.theirs.open) = (!state.tables, false);
            // These looks have one twin of their own.
            match state.look {
                Look::EventTime => state.twin = TableTwin::Late,
                Look::TradeOff => state.twin = TableTwin::TradeOff,
                Look::OverRun | Look::Moment | Look::ByPage | Look::ByDay => {}
            }
        }
        AppCommand::Theirs => state.answers.theirs.open = !state.answers.theirs.open,
        AppCommand::Close => close(state),
        // Everything else has been carried out by `give`.
        _ => {}
    }
}

fn close(state: &mut State) {
    if state.dialog == Dialog::None {
        state.notice = None;
    } else {
        state.dialog = Dialog::None;
    }
}

/// What readers see is, in the Kappa lane, the view of the version that serves.
fn served_by(state: &State, kind: SaveKind) -> SaveKind {
    let serving = state.kappa().and_then(|kappa| kappa.serving.as_ref()).filter(|_| state.shows_kappa());
    match (kind, serving) {
        (SaveKind::View, Some(serving)) => SaveKind::Version(serving.number),
        (kind, _) => kind,
    }
}

fn save_dialog(kind: SaveKind) -> SaveDialog {
    let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    SaveDialog { kind, path: directory.join(kind.file_name()).display().to_string(), error: None }
}

fn send(command: Command) -> Vec<Effect> {
    vec![Effect::Send(command)]
}

fn to_lane(command: LaneCommand) -> Vec<Effect> {
    send(Command::Lane(command.lane(), command))
}

/// Restores from the checkpoint that a person chose.
pub(super) fn restore_from(state: &mut State, id: CheckpointId) -> Vec<Effect> {
    if state.is_crashed() {
        return to_lane(LaneCommand::Restore(Some(id)));
    }
    say(state, "The stream is not down");
    Vec::new()
}

/// Puts a question to the engine, unless the same one is under way.
pub(super) fn ask(state: &mut State, query: Query) -> Vec<Effect> {
    if state.answers.pending.iter().any(|(_, asked)| *asked == query) {
        return Vec::new();
    }
    state.answers.last_question += 1;
    if !matches!(query, Query::TradeOff(_)) {
        state.answers.asked_at = state.tick();
    }
    let number = state.answers.last_question;
    state.answers.pending.push((number, query.clone()));
    send(Command::Ask(number, query))
}

fn play_pause(state: &State) -> Vec<Effect> {
    match state.flow() {
        Flow::Playing | Flow::Advancing => send(Command::Pause),
        Flow::Paused | Flow::Finished => send(Command::Play),
    }
}

/// A clicker has one key: at a crash it restores and stands there, everywhere else it goes to the next moment.
fn story_next(state: &State) -> Vec<Effect> {
    if !state.is_crashed() {
        return send(Command::RunUntil(Until::NextMoment));
    }
    let mut effects = to_lane(LaneCommand::Restore(None));
    effects.extend(send(Command::Pause));
    effects
}

fn story_back(state: &State) -> Vec<Effect> {
    let now = state.tick().0;
    match state.lane().and_then(|lane| moment_before(lane, now)) {
        Some(tick) => send(Command::GoTo(Tick(tick))),
        None => send(Command::Restart),
    }
}

fn moment_before(lane: &LaneFrame, now: u64) -> Option<u64> {
    let tells = |kind| match kind {
        MarkKind::BatchPublished
        | MarkKind::StreamCrashed
        | MarkKind::Restored
        | MarkKind::ReplayFinished => true,
        MarkKind::BatchStarted | MarkKind::BatchCrashed | MarkKind::Checkpoint => false,
    };
    lane.marks.iter().filter(|mark| tells(mark.kind) && mark.tick < now).map(|mark| mark.tick).next_back()
}

fn pace(state: &mut State, change: impl Fn(u32) -> u32) -> Vec<Effect> {
    let now = state.frame.as_ref().map_or(100, |frame| frame.pace_percent.max(1));
    let next = change(now).clamp(PACES.0, PACES.1);
    say(state, format!("Pace {next} % of simulated time."));
    send(Command::SetPace(next))
}

fn rate(state: &State, change: impl Fn(u64) -> u64) -> Vec<Effect> {
    let now = state.lane().map_or(1, |lane| lane.rate);
    to_lane(LaneCommand::SetRate(change(now).clamp(RATES.0, RATES.1)))
}

fn crash(state: &mut State) -> Vec<Effect> {
    let typed = state.crash.record.trim().replace(',', "");
    let position = state.lane().map_or(0, |lane| lane.position);
    let record = match typed.as_str() {
        "" => None,
        text => {
            let Ok(record) = text.parse::<u64>() else {
                say(state, format!("Not a record number: \"{text}\""));
                return Vec::new();
            };
            Some(record)
        }
    };
    state.dialog = Dialog::None;
    let when = match (state.crash.point, record) {
        (None, None) => CrashWhen::Now,
        (point, record) => {
            CrashWhen::At { point: point.unwrap_or_default(), record: record.unwrap_or(position) }
        }
    };
    match when {
        CrashWhen::At { record, .. } => {
            say(state, format!("The crash comes when record {} is read.", thousands(record)));
        }
        CrashWhen::Now if state.crash.target != CrashTarget::Stream && state.flow() == Flow::Paused => {
            say(state, "The batch run ends with the next step of run time: Space or the full stop key.");
        }
        CrashWhen::Now => {}
    }
    // A record is where one crash happens; the next press means "now" again.
    state.crash.record.clear();
    to_lane(LaneCommand::Crash { target: state.crash.target, when })
}

fn look_at(state: &mut State, look: Look) -> Vec<Effect> {
    state.answers.theirs.open = false;
    let mut effects = if look == Look::TradeOff { Vec::new() } else { trade_off::left(state) };
    // The same key leads close up and back.
    let is_back = look == Look::Moment && state.look == Look::Moment && !state.tables;
    (state.look, state.tables) = (if is_back { Look::OverRun } else { look }, false);
    effects.extend(looked_at(state));
    effects
}

/// What the look needs beyond the frames is asked for.
pub(super) fn looked_at(state: &mut State) -> Vec<Effect> {
    match state.look {
        Look::EventTime => event_time::put(state),
        Look::TradeOff => trade_off::opened(state),
        Look::OverRun | Look::Moment | Look::ByPage | Look::ByDay => Vec::new(),
    }
}

fn toggle_left(state: &mut State, drawer: LeftDrawer) -> Vec<Effect> {
    state.left = if state.left == Some(drawer) { None } else { Some(drawer) };
    match state.left {
        Some(LeftDrawer::Log) => lineage::refresh_log(state),
        None => Vec::new(),
    }
}

fn toggle_right(state: &mut State, drawer: RightDrawer) -> Vec<Effect> {
    let before = state.right;
    state.right = if before == Some(drawer) { None } else { Some(drawer) };
    match state.right {
        Some(RightDrawer::Late) => {
            state.answers.late.first = 0;
            let query = late_query(state);
            ask(state, query)
        }
        Some(drawer @ RightDrawer::Fates) => lineage::opened(state, drawer),
        Some(RightDrawer::Differences) => lineage::compares(state, before),
        Some(RightDrawer::Runs) => ask(state, Query::Runs),
        Some(RightDrawer::Handover) => super::handover::compute(state),
        Some(RightDrawer::Ask) => asking::opened(state),
        Some(RightDrawer::Versions) => two_versions::refresh(state),
        Some(RightDrawer::Checkpoints | RightDrawer::Numbers | RightDrawer::Settings) | None => Vec::new(),
    }
}

fn copy_command(state: &mut State) -> Vec<Effect> {
    let Some(summary) = state.summary.clone() else { return Vec::new() };
    say(state, "Copied the command line.");
    vec![Effect::CopyText(summary.batch_command.clone())]
}

fn remember(state: &mut State, change: impl FnOnce(&mut Settings)) -> Vec<Effect> {
    change(&mut state.settings);
    vec![Effect::SaveSettings(state.settings.clone())]
}
