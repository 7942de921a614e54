//! Everything that a person can ask for: one table that feeds menus, keys, the palette and the help.

use super::{
    dialogs::SaveKind,
    keys::{Key, Shortcut},
    settings::ThemeChoice,
    state::{ExampleKind, LeftDrawer, Look, Measure, Prediction, RightDrawer},
    two_versions::VersionStep,
};
use crate::{
    checkpoint::CrashPoint,
    engine::protocol::{CrashTarget, KAPPA, LAMBDA, LaneId},
};

/// What a person asks for. Texts that are typed come as [`super::Edit`]s instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppCommand {
    /// Shows the open dialog.
    Open,
    /// Opens one of the bundled logs.
    OpenExample(ExampleKind),
    /// Stops loading.
    CancelLoading,
    /// Lets run time flow, or stops it.
    PlayPause,
    /// A small step on.
    Step,
    /// A small step back.
    Back,
    /// To the paused start.
    Restart,
    /// To the paused start under the settings that are typed.
    StartAgain,
    /// To the next moment of the story.
    StoryNext,
    /// To the moment before.
    StoryBack,
    /// More run time a second.
    PaceFaster,
    /// Less run time a second.
    PaceSlower,
    /// Twice the arrivals.
    RateUp,
    /// Half the arrivals.
    RateDown,
    /// Ends what the crash target names.
    Crash,
    /// Chooses what a crash hits.
    Target(CrashTarget),
    /// Chooses where in the micro-batch; `None`: between micro-batches, now.
    Point(Option<CrashPoint>),
    /// Shows where and when to crash.
    CrashSetup,
    /// Starts the stream again from the newest good checkpoint.
    Restore,
    /// Starts the stream again from record 0.
    RestoreFromStart,
    /// Writes a checkpoint.
    Checkpoint,
    /// Starts a batch run.
    BatchNow,
    /// Answers the question.
    Predict(Prediction),
    /// Which number the plots show.
    Show(Measure),
    /// How the plots show it.
    Look(Look),
    /// All of the run in the plots.
    Fit,
    /// Opens or closes a drawer on the left.
    Left(LeftDrawer),
    /// Opens or closes a drawer on the right.
    Right(RightDrawer),
    /// Shows the handles of the hand-over on plots and timeline, or takes them away.
    HandoverOnPlots,
    /// Plots and strip as tables.
    Tables,
    /// Compares views that other systems made, or goes back to the plots.
    Theirs,
    /// Says how long drawing takes, or stops saying it.
    FrameTime,
    /// Larger text, fewer numbers.
    Presenter,
    /// Larger.
    ZoomIn,
    /// Smaller.
    ZoomOut,
    /// As designed.
    ZoomReset,
    /// Dark, light or the system's.
    Theme(ThemeChoice),
    /// Writes something to a file.
    Save(SaveKind),
    /// Copies the command line that computes the same.
    CopyCommand,
    /// Finds a command by name.
    Palette,
    /// Keys and words.
    Help,
    /// Closes what is on top.
    Close,
    /// A step of the Kappa lane.
    Version(VersionStep),
    /// Which lane the plots show.
    Lane(LaneId),
    /// Ends the program.
    Quit,
}

/// Where a command stands in help and palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Files.
    File,
    /// Run time.
    Run,
    /// Crash and restore.
    Fault,
    /// What is shown.
    View,
    /// The rest.
    Window,
}

impl Group {
    /// In order of the help.
    pub const ALL: [Group; 5] = [Group::Run, Group::Fault, Group::View, Group::File, Group::Window];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::File => "Files",
            Group::Run => "Run",
            Group::Fault => "Crash and restore",
            Group::View => "View",
            Group::Window => "Window",
        }
    }
}

/// How a command reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Which command.
    pub command: AppCommand,
    /// In which group.
    pub group: Group,
    /// On buttons and in menus, sentence case.
    pub title: &'static str,
    /// One line on what it does.
    pub hint: &'static str,
    /// Its key.
    pub shortcut: Option<Shortcut>,
}

impl AppCommand {
    /// All commands that stand in palette and help, in order.
    pub const ALL: &'static [Spec] = ALL;

    /// How it reads. Every variant is in the table (a test holds that).
    pub fn spec(self) -> Spec {
        ALL.iter().find(|spec| spec.command == self).copied().unwrap_or(Spec {
            command: self,
            group: Group::Window,
            title: "Unnamed",
            hint: "",
            shortcut: None,
        })
    }

    /// On buttons and in menus.
    pub fn title(self) -> &'static str {
        self.spec().title
    }
}

const fn row(
    command: AppCommand,
    group: Group,
    title: &'static str,
    hint: &'static str,
    shortcut: Option<Shortcut>,
) -> Spec {
    Spec { command, group, title, hint, shortcut }
}

#[expect(clippy::unnecessary_wraps, reason = "the rows of the table read the same with and without a key")]
const fn bare(key: Key) -> Option<Shortcut> {
    Some(Shortcut::bare(key))
}

#[expect(clippy::unnecessary_wraps, reason = "as above")]
const fn letter(letter: char) -> Option<Shortcut> {
    Some(Shortcut::bare(Key::Letter(letter)))
}

#[expect(clippy::unnecessary_wraps, reason = "as above")]
const fn ctrl(key: Key) -> Option<Shortcut> {
    Some(Shortcut::ctrl(key))
}

use AppCommand as C;
use Group::{Fault, File, Run, View, Window};

#[rustfmt::skip] // one command a line reads as the table that it is
const ALL: &[Spec] = &[
    row(C::PlayPause, Run, "Play or pause", "Let run time flow, or stop it", bare(Key::Space)),
    row(C::Step, Run, "Step", "A tenth of a second of run time", bare(Key::Period)),
    row(C::Back, Run, "Back", "A tenth of a second back; the run is played again up to there", bare(Key::Comma)),
    row(C::Restart, Run, "Restart", "Back to the paused start of the same run", bare(Key::Home)),
    row(C::Right(RightDrawer::Settings), Run, "Settings of the run", "Lateness, unique users, intervals, capacities: what the run was started with, and what another one would be", letter('S')),
    row(C::StartAgain, Run, "Start again with these settings", "The same log from record 0, under the settings that are typed in the drawer", None),
    row(C::StoryNext, Run, "Next moment", "To the next publication, crash, restore or end of a replay", bare(Key::PageDown)),
    row(C::StoryBack, Run, "Previous moment", "To the moment before this one", bare(Key::PageUp)),
    row(C::PaceFaster, Run, "Faster", "Twice the run time in a second; results do not change", bare(Key::Plus)),
    row(C::PaceSlower, Run, "Slower", "Half the run time in a second; results do not change", bare(Key::Minus)),
    row(C::RateUp, Run, "Double the arrivals", "Twice as many records a second from now on", None),
    row(C::RateDown, Run, "Halve the arrivals", "Half as many records a second from now on", None),
    row(C::BatchNow, Run, "Batch run now", "Count everything that has arrived anew, from record 0", letter('B')),
    row(C::Checkpoint, Run, "Write a checkpoint", "Position and totals together, in one file", letter('C')),
    row(C::Crash, Fault, "Crash", "End the processor abruptly; its memory is gone", letter('X')),
    row(C::Restore, Fault, "Restore", "Start the stream again from the newest good checkpoint", letter('R')),
    row(C::RestoreFromStart, Fault, "Restore from record 0", "Read the whole log again; old checkpoints are set aside", None),
    row(C::CrashSetup, Fault, "Crash at a record…", "Choose target, point in the micro-batch and record", Some(Shortcut::shift(Key::Letter('X')))),
    row(C::Target(CrashTarget::Stream), Fault, "Crash target: stream", "A crash ends the stream processor", None),
    row(C::Target(CrashTarget::Batch), Fault, "Crash target: batch", "A crash ends the running batch run", None),
    row(C::Target(CrashTarget::Both), Fault, "Crash target: both", "A crash ends both at once", None),
    row(C::Point(None), Fault, "Crash point: between micro-batches", "Now, between two micro-batches", None),
    row(C::Point(Some(CrashPoint::BeforeApply)), Fault, "Crash point: before counting", "Records are read, none is counted", None),
    row(C::Point(Some(CrashPoint::MidApply)), Fault, "Crash point: half counted", "Half of the micro-batch is counted", None),
    row(C::Point(Some(CrashPoint::AfterApply)), Fault, "Crash point: counted, not written out", "All counted, no output written", None),
    row(C::Point(Some(CrashPoint::AfterEmit)), Fault, "Crash point: output written, no checkpoint", "Output is out, the checkpoint is not", None),
    row(C::Point(Some(CrashPoint::MidCheckpoint)), Fault, "Crash point: inside the checkpoint", "Part of the checkpoint's bytes are on disk", None),
    row(C::Point(Some(CrashPoint::AfterCheckpoint)), Fault, "Crash point: after the checkpoint", "The checkpoint is on disk, not yet acknowledged", None),
    row(C::Predict(Prediction::TooLow), Fault, "Predict: too low", "After the restore the total will be too low", bare(Key::Digit(1))),
    row(C::Predict(Prediction::Right), Fault, "Predict: right", "After the restore the total will be right", bare(Key::Digit(2))),
    row(C::Predict(Prediction::TooHigh), Fault, "Predict: too high", "After the restore the total will be too high", bare(Key::Digit(3))),
    row(C::Version(VersionStep::Start), Run, "Start version 1 (Kappa)", "A stream view of its own reads the log from its start, beside batch and speed", None),
    row(C::Version(VersionStep::StartNext), Run, "Start the next version (Kappa)", "With the settings of the drawer, from record 0, into a new view", None),
    row(C::Version(VersionStep::Switch), Run, "Switch to the next version", "Readers change over in one step, where both stand at the same record", Some(Shortcut::shift(Key::Letter('V')))),
    row(C::Version(VersionStep::RollBack), Run, "Roll back to the old version", "Readers see the old view again, in one step", None),
    row(C::Version(VersionStep::Delete), Run, "Delete the view that does not serve", "With its checkpoints; the old view goes last", None),
    row(C::Version(VersionStep::Crash), Fault, "Crash a version", "The one that readers do not see, or the only one", None),
    row(C::Version(VersionStep::Restore), Fault, "Restore the version", "From its newest good checkpoint", None),
    row(C::Show(Measure::Views), View, "Measure: page views", "Plot the number of events", None),
    row(C::Show(Measure::Users), View, "Measure: unique users", "Plot distinct users; united, never added", None),
    row(C::Show(Measure::Sum), View, "Measure: sum", "Plot the sum of values", None),
    row(C::Look(Look::OverRun), View, "Over the run", "Plots against run time", None),
    row(C::Look(Look::Moment), View, "The moment", "Close up: last checkpoint, crash, replay", letter('Z')),
    row(C::Look(Look::ByPage), View, "By page", "The top pages and the rest", None),
    row(C::Look(Look::ByDay), View, "By day", "One bar a day", None),
    row(C::Look(Look::EventTime), View, "Event time", "When records happened against when they arrive: watermarks, days, what comes too late", letter('E')),
    row(C::Look(Look::TradeOff), View, "Trade-off", "How stale each view is against what a record costs, under other intervals", None),
    row(C::Fit, View, "Fit", "Show all of the run in the plots again", letter('F')),
    row(C::Tables, View, "Show as tables", "Plots and proof strip as tables that can be copied", letter('T')),
    row(C::Theirs, View, "Their views against ours", "Tables that other systems made of this log: what differs, and which rule explains it", letter('A')),
    row(C::FrameTime, View, "Frame time", "How long drawing this window takes, in the status line", None),
    row(C::Left(LeftDrawer::Log), View, "Log browser", "Records, where they stand, what became of them", letter('L')),
    row(C::Right(RightDrawer::Checkpoints), View, "Checkpoints", "What is on disk, and what each file holds", letter('K')),
    row(C::Right(RightDrawer::Numbers), View, "Numbers", "Lag, cost, and what has been checked", letter('N')),
    row(C::Right(RightDrawer::Fates), View, "What became of each record", "One fate a record in each view; views row by row; malformed lines", letter('W')),
    row(C::Right(RightDrawer::Differences), View, "Why they differ", "Two views of the run, by causes that add up", letter('Y')),
    row(C::Right(RightDrawer::Handover), View, "Hand-over", "Where batch ends and speed starts; what is counted twice or nowhere", letter('H')),
    row(C::HandoverOnPlots, View, "Hand-over on the plots", "Its handles on plots and timeline, without the drawer", Some(Shortcut::shift(Key::Letter('H')))),
    row(C::Right(RightDrawer::Late), View, "Late records", "Records that came after their day was closed, and the watermark that dropped each", letter('D')),
    row(C::Right(RightDrawer::Ask), View, "Ask", "A page and a few days, answered from a few cells of both views", bare(Key::Slash)),
    row(C::Right(RightDrawer::Versions), View, "Two versions (Kappa)", "One stream view, two versions of its rules, and Lambda beside it", letter('V')),
    row(C::Lane(LAMBDA), View, "Plots: batch, speed, merged", "The Lambda lane", None),
    row(C::Lane(KAPPA), View, "Plots: two versions", "The Kappa lane", None),
    row(C::Right(RightDrawer::Runs), View, "Kept runs", "Old runs in the state directory", None),
    row(C::Open, File, "Open…", "A log directory, a log file or a scenario", ctrl(Key::Letter('O'))),
    row(C::OpenExample(ExampleKind::Crash), File, "Watch a crash", "20 clicks, one minute", None),
    row(C::OpenExample(ExampleKind::Shop), File, "Batch, speed, merged", "The shop log", None),
    row(C::OpenExample(ExampleKind::Late), File, "Late events, step by step", "Pauses at each batch run that takes the error back, and has a crash in between", None),
    row(C::CancelLoading, File, "Stop loading", "What is loaded so far can be played", None),
    row(C::Save(SaveKind::View), File, "Export what readers see…", "The merged view, or that of the version that serves; as CSV or JSON, by the file's extension", ctrl(Key::Letter('E'))),
    row(C::Save(SaveKind::Differences), File, "Export why they differ…", "As CSV: every cell that differs, a line a cause", None),
    row(C::Save(SaveKind::Picture), File, "Save a picture…", "This window as PNG", None),
    row(C::Save(SaveKind::Scenario), File, "Save the run as a scenario…", "Log, settings and every command; plays the same anywhere", ctrl(Key::Letter('S'))),
    row(C::CopyCommand, File, "Copy as command", "The command line that computes the same batch view", None),
    row(C::Palette, Window, "Find a command…", "Type a part of its name", ctrl(Key::Letter('K'))),
    row(C::Help, Window, "Keys and words", "Every key, and what the words mean", bare(Key::Question)),
    row(C::Presenter, Window, "Presenter mode", "Larger text without hashes, for a room", bare(Key::F11)),
    row(C::ZoomIn, Window, "Larger", "", ctrl(Key::Plus)),
    row(C::ZoomOut, Window, "Smaller", "", ctrl(Key::Minus)),
    row(C::ZoomReset, Window, "Actual size", "", ctrl(Key::Digit(0))),
    row(C::Theme(ThemeChoice::System), Window, "Theme: system", "As the desktop says", None),
    row(C::Theme(ThemeChoice::Dark), Window, "Theme: dark", "", None),
    row(C::Theme(ThemeChoice::Light), Window, "Theme: light", "For projectors", None),
    row(C::Close, Window, "Close", "Closes what is on top", bare(Key::Escape)),
    row(C::Quit, Window, "Quit", "Ends the program; the run is kept", ctrl(Key::Letter('Q'))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_one_row_and_every_key_one_command() {
        for (at, spec) in ALL.iter().enumerate() {
            assert_eq!(ALL.iter().position(|s| s.command == spec.command), Some(at), "{spec:?}");
            assert!(!spec.title.is_empty());
            if let Some(key) = spec.shortcut {
                assert_eq!(ALL.iter().position(|s| s.shortcut == Some(key)), Some(at), "{key}");
            }
        }
    }
}
