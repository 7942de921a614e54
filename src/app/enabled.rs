//! When a command can be given, and the reason when it cannot.

use super::{
    command::AppCommand,
    dialogs::{Dialog, SaveKind},
    state::{Look, Measure, Phase, RightDrawer, State},
};
use crate::engine::{
    frame::{BatchState, Flow, LaneFrame, StreamState},
    protocol::{CrashTarget, LAMBDA},
};

type Enabled = Result<(), &'static str>;

impl AppCommand {
    /// Whether the command can be given now; if not, why, for a person.
    pub fn enabled(self, state: &State) -> Enabled {
        match self {
            AppCommand::PlayPause | AppCommand::Step | AppCommand::StoryNext => runs_on(state),
            AppCommand::Back | AppCommand::Restart | AppCommand::StoryBack => has_begun(state),
            AppCommand::StartAgain => super::run_settings::enabled(state),
            AppCommand::PaceFaster
            | AppCommand::PaceSlower
            | AppCommand::RateUp
            | AppCommand::RateDown
            | AppCommand::Tables
            | AppCommand::Theirs
            | AppCommand::Left(_)
            | AppCommand::Right(
                RightDrawer::Checkpoints
                | RightDrawer::Numbers
                | RightDrawer::Fates
                | RightDrawer::Late
                | RightDrawer::Differences
                | RightDrawer::Handover
                | RightDrawer::Versions
                | RightDrawer::Settings
                | RightDrawer::Ask,
            )
            | AppCommand::HandoverOnPlots
            | AppCommand::Fit
            | AppCommand::CopyCommand => open(state).map(|_| ()),
            AppCommand::Version(step) => super::two_versions::enabled(state, step),
            AppCommand::Lane(lane) => {
                condition(lane == LAMBDA || state.kappa().is_some(), "No version has been started")
            }
            AppCommand::CancelLoading => loading(state),
            AppCommand::Crash => crash(state),
            AppCommand::Restore | AppCommand::RestoreFromStart => restore(state),
            AppCommand::Checkpoint => checkpoint(state),
            AppCommand::BatchNow => batch_now(state),
            AppCommand::Predict(_) => {
                condition(state.asks_prediction(), "There is nothing to predict: the stream is not down")
            }
            AppCommand::Show(measure) => show(state, measure),
            AppCommand::Save(kind) => save(state, kind),
            // Leaving the close-up is always possible.
            AppCommand::Look(Look::Moment) => condition(
                state.look == Look::Moment || state.moment().is_some(),
                "The stream has not crashed yet",
            ),
            AppCommand::OpenExample(kind) => condition(
                state.examples.iter().any(|example| example.kind == kind),
                "This log did not come with the program",
            ),
            AppCommand::Close => {
                condition(state.dialog != Dialog::None || state.notice.is_some(), "Nothing is open")
            }
            AppCommand::Open
            | AppCommand::Target(_)
            | AppCommand::Point(_)
            | AppCommand::CrashSetup
            | AppCommand::Look(
                Look::OverRun | Look::ByPage | Look::ByDay | Look::EventTime | Look::TradeOff,
            )
            | AppCommand::Right(RightDrawer::Runs)
            | AppCommand::FrameTime
            | AppCommand::Presenter
            | AppCommand::ZoomIn
            | AppCommand::ZoomOut
            | AppCommand::ZoomReset
            | AppCommand::Theme(_)
            | AppCommand::Palette
            | AppCommand::Help
            | AppCommand::Quit => Ok(()),
        }
    }
}

fn condition(holds: bool, reason: &'static str) -> Enabled {
    if holds { Ok(()) } else { Err(reason) }
}

fn open(state: &State) -> Result<&LaneFrame, &'static str> {
    match &state.phase {
        Phase::Empty => Err("Open a log first"),
        Phase::Opening(_) => Err("The log is being opened"),
        Phase::Failed(_) => Err("The log could not be opened"),
        Phase::Open => state.lane().ok_or("The log is being opened"),
    }
}

fn save(state: &State, kind: SaveKind) -> Enabled {
    match kind {
        SaveKind::View | SaveKind::Differences | SaveKind::Scenario => open(state).map(|_| ()),
        SaveKind::Version(number) => condition(state.version(number).is_some(), "That version is not there"),
        SaveKind::Picture => Ok(()),
    }
}

fn runs_on(state: &State) -> Enabled {
    open(state)?;
    condition(state.flow() != Flow::Finished, "The run is finished; Home starts it again")
}

fn has_begun(state: &State) -> Enabled {
    open(state)?;
    condition(state.tick().0 > 0, "The run stands at its start")
}

fn loading(state: &State) -> Enabled {
    open(state)?;
    let complete = state.frame.as_ref().is_none_or(|frame| frame.loading.complete);
    condition(!complete, "The log is loaded")
}

fn crash(state: &State) -> Enabled {
    let lane = open(state)?;
    let stream = match lane.stream {
        StreamState::Crashed { .. } => Err("The stream is already down"),
        StreamState::Finished => Err("The stream has read the whole log"),
        StreamState::Ready | StreamState::Running | StreamState::Recovering { .. } => Ok(()),
    };
    let batch = condition(matches!(lane.batch, BatchState::Running { .. }), "No batch run is under way");
    match state.crash.target {
        CrashTarget::Stream => stream,
        CrashTarget::Batch => batch,
        CrashTarget::Both => stream.or(batch),
    }
}

fn restore(state: &State) -> Enabled {
    open(state)?;
    condition(state.is_crashed(), "The stream is not down")
}

fn checkpoint(state: &State) -> Enabled {
    match open(state)?.stream {
        StreamState::Crashed { .. } => Err("The stream is down; its memory is gone"),
        StreamState::Ready => Err("Nothing has been counted yet"),
        StreamState::Running | StreamState::Recovering { .. } | StreamState::Finished => Ok(()),
    }
}

fn batch_now(state: &State) -> Enabled {
    let lane = open(state)?;
    condition(!matches!(lane.batch, BatchState::Running { .. }), "A batch run is under way")?;
    condition(lane.arrived > 0, "Nothing has arrived yet")?;
    condition(lane.batch_covers < lane.arrived, "Batch covers everything that has arrived")
}

fn show(state: &State, measure: Measure) -> Enabled {
    let summary = state.summary.as_deref();
    match measure {
        Measure::Views => Ok(()),
        Measure::Users => condition(summary.is_none_or(|s| s.has_users), "No user field is mapped"),
        Measure::Sum => condition(summary.is_none_or(|s| s.has_values), "No value field is mapped"),
    }
}
