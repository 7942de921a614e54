//! The session as the window knows it. Changed only by [`super::apply`].

use std::{path::PathBuf, sync::Arc};

use super::{AppCommand, dialogs::Dialog, pages::Answers, settings::Settings, two_versions::VersionsPage};
use crate::{
    checkpoint::CrashPoint,
    engine::{
        frame::{Flow, Frame, LaneFrame, StreamState, Totals},
        protocol::{
            CheckpointId, CrashTarget, Fact, KeptRun, Lacks, LaneId, LogSummary, OpenRequest, RunId, Tick,
        },
    },
};

/// Whether there is a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nothing has been opened.
    #[default]
    Empty,
    /// A log is being opened; nothing of it is known.
    Opening(PathBuf),
    /// A log is open.
    Open,
    /// It could not be opened.
    Failed(OpenFailure),
}

/// What could not be opened, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenFailure {
    /// Log or scenario.
    pub path: PathBuf,
    /// For a person.
    pub why: String,
    /// What would help.
    pub lacks: Lacks,
}

/// Which number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Number of events.
    #[default]
    Views,
    /// Distinct users.
    Users,
    /// Sum of values.
    Sum,
}

impl Measure {
    /// All, in order.
    pub const ALL: [Measure; 3] = [Measure::Views, Measure::Users, Measure::Sum];

    /// In the window.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Views => "page views",
            Measure::Users => "unique users",
            Measure::Sum => "sum",
        }
    }

    /// The number itself; sums in whole units.
    pub fn of(self, totals: &Totals) -> f64 {
        match self {
            Measure::Views => totals.views as f64,
            Measure::Users => totals.users as f64,
            Measure::Sum => totals.sum as f64 / 1_000_000.0,
        }
    }

    /// By how much `a` is above `b`; sums in millionths.
    pub fn difference(self, a: &Totals, b: &Totals) -> i128 {
        match self {
            Measure::Views => i128::from(a.views) - i128::from(b.views),
            Measure::Users => i128::from(a.users) - i128::from(b.users),
            Measure::Sum => a.sum - b.sum,
        }
    }

    /// A difference as text, exact, with its sign.
    pub fn difference_text(self, difference: i128) -> String {
        match self {
            Measure::Views | Measure::Users => super::format::signed(difference),
            Measure::Sum if difference > 0 => format!("+{}", super::format::millionths(difference)),
            Measure::Sum => super::format::millionths(difference),
        }
    }

    /// The number as text, exact.
    pub fn text(self, totals: &Totals) -> String {
        match self {
            Measure::Views => super::format::thousands(totals.views),
            Measure::Users => super::format::thousands(totals.users),
            Measure::Sum => super::format::millionths(totals.sum),
        }
    }
}

/// How the plots show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// Against run time.
    #[default]
    OverRun,
    /// Against run time, close up: from the checkpoint before the last crash to the end of the replay.
    Moment,
    /// One bar a page.
    ByPage,
    /// One bar a day.
    ByDay,
    /// Event time against arrival.
    EventTime,
    /// Staleness against cost.
    TradeOff,
}

impl Look {
    /// All, in order.
    pub const ALL: [Look; 6] =
        [Look::OverRun, Look::Moment, Look::ByPage, Look::ByDay, Look::EventTime, Look::TradeOff];

    /// Those in which versions are shown, in order.
    pub const OF_VERSIONS: [Look; 3] = [Look::OverRun, Look::ByPage, Look::ByDay];

    /// The look in which versions are shown while this one is chosen.
    #[must_use]
    pub fn of_versions(self) -> Look {
        if Look::OF_VERSIONS.contains(&self) { self } else { Look::OverRun }
    }

    /// In the window.
    pub fn name(self) -> &'static str {
        match self {
            Look::OverRun => "over the run",
            Look::Moment => "the moment",
            Look::ByPage => "by page",
            Look::ByDay => "by day",
            Look::EventTime => "event time",
            Look::TradeOff => "trade-off",
        }
    }
}

/// Drawers on the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftDrawer {
    /// Records by number.
    Log,
}

/// Drawers on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightDrawer {
    /// What is on disk.
    Checkpoints,
    /// Lag, cost, invariants.
    Numbers,
    /// Fates by view, rows of the views, malformed lines.
    Fates,
    /// Two views by causes.
    Differences,
    /// Old runs.
    Runs,
    /// Where batch ends and speed starts.
    Handover,
    /// Records that came after their day was closed.
    Late,
    /// A question to the serving layer.
    Ask,
    /// The Kappa lane.
    Versions,
    /// What the run was started with, and what the next one will be.
    Settings,
}

/// What a person expects of the total after the restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prediction {
    /// Below the full recount.
    TooLow,
    /// Equal to it.
    Right,
    /// Above it.
    TooHigh,
}

impl Prediction {
    /// In order of the keys 1 2 3.
    pub const ALL: [Prediction; 3] = [Prediction::TooLow, Prediction::Right, Prediction::TooHigh];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Prediction::TooLow => "too low",
            Prediction::Right => "right",
            Prediction::TooHigh => "too high",
        }
    }
}

/// Which bundled log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleKind {
    /// The crash story.
    Crash,
    /// The shop log, hands off; what comes too late is missing until the next batch run.
    Shop,
    /// The same, pausing at each batch run.
    Late,
}

/// A log that comes with the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Which one.
    pub kind: ExampleKind,
    /// Where it is.
    pub path: PathBuf,
}

/// What the crash button does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrashSetup {
    /// What it hits.
    pub target: CrashTarget,
    /// Where in the micro-batch; `None`: between micro-batches.
    pub point: Option<CrashPoint>,
    /// At which record, as typed; empty: the next one read.
    pub record: String,
}

/// A fact with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// In which lane.
    pub lane: LaneId,
    /// When.
    pub tick: Tick,
    /// What.
    pub fact: Fact,
}

/// A line for the person, until it is dismissed or another one comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// Whether something went wrong.
    pub is_error: bool,
}

/// Which twin the tables show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableTwin {
    /// The three plots over the run.
    #[default]
    Plots,
    /// The proof strip.
    Proof,
    /// The timeline.
    Timeline,
    /// Pages.
    Pages,
    /// Days.
    Days,
    /// Late records of the event-time look.
    Late,
    /// Points of the trade-off.
    TradeOff,
}

impl TableTwin {
    /// All, in order.
    pub const ALL: [TableTwin; 7] = [
        TableTwin::Plots,
        TableTwin::Proof,
        TableTwin::Timeline,
        TableTwin::Pages,
        TableTwin::Days,
        TableTwin::Late,
        TableTwin::TradeOff,
    ];

    /// In the window.
    pub fn name(self) -> &'static str {
        match self {
            TableTwin::Plots => "Plots",
            TableTwin::Proof => "Proof strip",
            TableTwin::Timeline => "Timeline",
            TableTwin::Pages => "Pages",
            TableTwin::Days => "Days",
            TableTwin::Late => "Late by event time",
            TableTwin::TradeOff => "Trade-off",
        }
    }
}

/// The session.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The run that is shown; messages of older ones are discarded.
    pub run: RunId,
    /// Whether there is a log.
    pub phase: Phase,
    /// What is known of the log.
    pub summary: Option<Arc<LogSummary>>,
    /// The newest frame of the run.
    pub frame: Option<Arc<Frame>>,
    /// What happened in the run, in order; the oldest are dropped beyond a cap.
    pub facts: Vec<Happening>,
    /// Which lane is shown.
    pub lane: LaneId,
    /// Which number.
    pub measure: Measure,
    /// In which look.
    pub look: Look,
    /// Raised by one for each "fit".
    pub fits: u64,
    /// Open drawer on the left.
    pub left: Option<LeftDrawer>,
    /// Open drawer on the right.
    pub right: Option<RightDrawer>,
    /// Whether tables stand for the plots.
    pub tables: bool,
    /// Whether the status line says how long drawing takes.
    pub frame_time: bool,
    /// Which table.
    pub twin: TableTwin,
    /// What was predicted since the last crash.
    pub prediction: Option<Prediction>,
    /// What lies over the window.
    pub dialog: Dialog,
    /// What the crash button does.
    pub crash: CrashSetup,
    /// One line for the person.
    pub notice: Option<Notice>,
    /// What the engine has answered.
    pub answers: Answers,
    /// The next version, and the comparison of two.
    pub versions: VersionsPage,
    /// What is remembered between sessions.
    pub settings: Settings,
    /// Bundled logs.
    pub examples: Vec<Example>,
    /// An interrupted run that can be continued.
    pub interrupted: Option<KeptRun>,
    /// What a person asked to be opened last.
    pub asked_for: Option<OpenRequest>,
}

impl State {
    /// Start state with what was remembered.
    pub fn new(settings: Settings, examples: Vec<Example>) -> State {
        State { settings, examples, ..State::default() }
    }

    /// The lane that is shown.
    pub fn lane(&self) -> Option<&LaneFrame> {
        let lanes = &self.frame.as_ref()?.lanes;
        lanes.iter().find(|lane| lane.lane == self.lane).or_else(|| lanes.first()).map(Arc::as_ref)
    }

    /// Whether run time flows.
    pub fn flow(&self) -> Flow {
        self.frame.as_ref().map_or(Flow::Paused, |frame| frame.flow)
    }

    /// Now, in run time.
    pub fn tick(&self) -> Tick {
        self.frame.as_ref().map_or(Tick(0), |frame| frame.tick)
    }

    /// Whether the stream is down.
    pub fn is_crashed(&self) -> bool {
        self.lane().is_some_and(|lane| matches!(lane.stream, StreamState::Crashed { .. }))
    }

    /// Whether nothing has been processed yet.
    pub fn is_untouched(&self) -> bool {
        self.lane().is_some_and(|lane| {
            lane.stream == StreamState::Ready
                && lane.position == 0
                && lane.batch_covers == 0
                && lane.arrived == 0
        })
    }

    /// Facts of the lane that is shown, newest first.
    pub fn newest_facts(&self) -> impl Iterator<Item = &Fact> {
        self.newest_happenings().map(|happening| &happening.fact)
    }

    /// The same with their places.
    pub fn newest_happenings(&self) -> impl Iterator<Item = &Happening> {
        self.facts.iter().rev().filter(|happening| happening.lane == self.shown_lane())
    }

    /// Whether the prediction question is open: the stream is down and nobody has answered.
    pub fn asks_prediction(&self) -> bool {
        self.prediction.is_none()
            && self.lane().is_some_and(
                |lane| matches!(lane.stream, StreamState::Crashed { checkpoint, position, .. } if lost(checkpoint, position) > 0),
            )
    }

    /// The one command that the screen leads to next.
    pub fn primary(&self) -> AppCommand {
        let Some(lane) = self.lane() else { return AppCommand::Open };
        if !matches!(self.phase, Phase::Open) {
            return AppCommand::Open;
        }
        if self.right == Some(RightDrawer::Settings) && AppCommand::StartAgain.enabled(self).is_ok() {
            return AppCommand::StartAgain;
        }
        if let Some(step) = self.next_version_step() {
            return AppCommand::Version(step);
        }
        match (lane.stream, self.flow()) {
            (StreamState::Crashed { .. }, _) => AppCommand::Restore,
            (_, Flow::Finished) => AppCommand::Restart,
            (StreamState::Running, Flow::Playing | Flow::Advancing) if lane.batch_covers > 0 => {
                AppCommand::Crash
            }
            _ => AppCommand::PlayPause,
        }
    }
}

/// Records that were counted in memory and are on no checkpoint.
pub(super) fn lost(checkpoint: Option<(CheckpointId, u64)>, position: u64) -> u64 {
    position.saturating_sub(checkpoint.map_or(0, |(_, at)| at))
}
