//! "Two versions (Kappa)": what is chosen for the next version, the steps of a change-over, when each makes sense.

use super::{
    Effect,
    state::{Phase, RightDrawer, State},
    typed::{parse_count, parse_lateness},
    update::say,
    update_command::ask,
};
use crate::{
    domain::{Uniques, ZoneName},
    engine::{
        frame::{Flow, KappaFrame, Role, VersionFrame, VersionState},
        protocol::{
            Answer, BookView, Command, CrashWhen, Duplicates, Fact, KAPPA, KappaCommand, KappaFact, LAMBDA,
            LaneCommand, LaneId, LateOf, NoUser, Pair, Query, VersionDifferences, VersionNumber,
            VersionSettings, ViewKind,
        },
    },
};

/// Zones offered at once.
const MOST_ZONES: usize = 5;

/// What the drawer holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionsPage {
    /// Day zone of the next version, as typed; empty: that of the run.
    pub zone: String,
    /// Whether zones are offered: from typing until one is taken.
    pub offers: bool,
    /// What a repeated id means; `None`: as in the run.
    pub duplicates: Option<Duplicates>,
    /// What a missing user means; `None`: as in the run.
    pub no_user: Option<NoUser>,
    /// How long after its end a day stays open, as typed; empty: as in the run.
    pub lateness: String,
    /// After how many records a partition is idle, as typed; empty: as in the run.
    pub idle_after: String,
    /// How users are counted; `None`: as in the run.
    pub uniques: Option<Uniques>,
    /// The newest comparison of the two versions.
    pub differences: Option<Box<VersionDifferences>>,
}

impl VersionsPage {
    /// Zones that hold what is typed.
    pub fn zones(&self) -> Vec<ZoneName> {
        if self.offers { ZoneName::containing(&self.zone, MOST_ZONES) } else { Vec::new() }
    }

    /// The settings that are chosen, or what is wrong with them.
    pub fn settings(&self) -> Result<VersionSettings, String> {
        let zone = match self.zone.trim() {
            "" => None,
            "as-written" => {
                return Err(
                    "Days as written need the text of each record, which a loaded log does not keep."
                        .to_owned(),
                );
            }
            name => Some(ZoneName::parse(name).map_err(|_| format!("No time zone is called \"{name}\"."))?),
        };
        let lateness = match self.lateness.trim() {
            "" => None,
            text => Some(parse_lateness(text)?),
        };
        let idle_after_records = match self.idle_after.trim() {
            "" => None,
            text => Some(parse_count(text, 1)?),
        };
        let VersionsPage { duplicates, no_user, uniques, .. } = *self;
        Ok(VersionSettings { zone, duplicates, no_user, lateness, idle_after_records, uniques })
    }
}

/// Typed or chosen in the drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionEdit {
    /// The zone, as typed.
    Zone(String),
    /// A zone that was offered.
    TakeZone(ZoneName),
    /// What a repeated id means.
    Duplicates(Option<Duplicates>),
    /// What a missing user means.
    NoUser(Option<NoUser>),
    /// How long a day stays open, as typed.
    Lateness(String),
    /// After how many records a partition is idle, as typed.
    IdleAfter(String),
    /// How users are counted.
    Uniques(Option<Uniques>),
    /// End the processor of a version abruptly.
    Crash(VersionNumber),
    /// Start it again.
    Restore(VersionNumber),
}

/// A step that a person can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionStep {
    /// Version 1 reads the log from its start.
    Start,
    /// The next version does, with the settings that are chosen.
    StartNext,
    /// Readers see the next version.
    Switch,
    /// Readers see the old version again.
    RollBack,
    /// The view that does not serve goes.
    Delete,
    /// The processor of the version that does not serve (or of the only one) ends abruptly.
    Crash,
    /// What is down is started again.
    Restore,
}

impl State {
    /// The Kappa lane, once it was asked for.
    pub fn kappa(&self) -> Option<&KappaFrame> {
        self.frame.as_ref()?.kappa.as_deref()
    }

    /// The lane that the plots and the sentence are about: the Kappa lane only while it is there.
    pub fn shown_lane(&self) -> LaneId {
        if self.lane == KAPPA && self.kappa().is_none() { LAMBDA } else { self.lane }
    }

    /// Whether the plots show versions.
    pub fn shows_kappa(&self) -> bool {
        self.shown_lane() == KAPPA
    }

    /// From which view late records are listed: of a version only while it is there.
    pub fn late_of(&self) -> LateOf {
        match self.answers.late.of {
            LateOf::Version(number) if self.version(number).is_none() => LateOf::Merged,
            of => of,
        }
    }

    /// Of which view rows are listed: of a version only while it is there.
    pub fn rows_of(&self) -> ViewKind {
        match self.answers.rows.view {
            ViewKind::Version(number) if self.version(number).is_none() => ViewKind::Merged,
            view => view,
        }
    }

    /// A version by its number.
    pub fn version(&self, number: VersionNumber) -> Option<&VersionFrame> {
        self.kappa()?.versions().find(|version| version.number == number)
    }

    /// Both versions, to be compared: the one that serves first. Where there are no two, why not.
    pub fn version_pair(&self) -> Result<Pair, &'static str> {
        let kappa = self.kappa().ok_or("No version has been started")?;
        match (&kappa.serving, &kappa.other) {
            (Some(serving), Some((_, other))) => {
                let [first, second] = [serving, other].map(|version| BookView::Version(version.number));
                Ok(Pair { first, second })
            }
            _ => Err("Only one version is there: the next one is started in the drawer of versions"),
        }
    }

    /// The step that the open drawer leads to.
    pub(super) fn next_version_step(&self) -> Option<VersionStep> {
        let step = match (self.right == Some(RightDrawer::Versions), self.kappa()) {
            (false, _) => return None,
            (true, None) => VersionStep::Start,
            (true, Some(_)) => VersionStep::Switch,
        };
        enabled(self, step).is_ok().then_some(step)
    }

    fn compares_versions(&self) -> bool {
        self.right == Some(RightDrawer::Versions) && self.kappa().is_some_and(|kappa| kappa.other.is_some())
    }
}

impl KappaFrame {
    /// All versions, the one that serves first.
    pub fn versions(&self) -> impl Iterator<Item = &VersionFrame> {
        self.serving.iter().chain(self.other.iter().map(|(_, version)| version))
    }
}

/// Whether a step can be taken now; if not, why.
pub(super) fn enabled(state: &State, step: VersionStep) -> Result<(), &'static str> {
    match &state.phase {
        Phase::Open if state.lane().is_some() => {}
        Phase::Open | Phase::Opening(_) => return Err("The log is being opened"),
        Phase::Empty => return Err("Open a log first"),
        Phase::Failed(_) => return Err("The log could not be opened"),
    }
    if state.flow() == Flow::Finished {
        return Err("The run is finished; Home starts it again");
    }
    let Some(kappa) = state.kappa() else {
        return if step == VersionStep::Start { Ok(()) } else { Err("No version has been started") };
    };
    let role = kappa.other.as_ref().map(|(role, _)| *role);
    let gate = if kappa.closed.is_none() {
        Ok(())
    } else {
        Err("Readers change over only where both versions stand at the same record")
    };
    match step {
        VersionStep::Start => Err("Version 1 was started already"),
        VersionStep::StartNext if role.is_some() => {
            Err("Two versions are there: delete the one that does not serve first")
        }
        VersionStep::Switch if role != Some(Role::Next) => Err("No next version is there to switch to"),
        VersionStep::RollBack if role != Some(Role::Old) => Err("No old view is kept to go back to"),
        VersionStep::Switch | VersionStep::RollBack => gate,
        VersionStep::Delete if role.is_none() => Err("Only the version that serves is there"),
        VersionStep::StartNext | VersionStep::Delete => Ok(()),
        VersionStep::Crash => target(kappa).map(|_| ()).ok_or("The version is down already"),
        VersionStep::Restore => down(kappa).map(|_| ()).ok_or("No version is down"),
    }
}

/// The version that a crash hits: the one that readers do not see, else the only one.
fn target(kappa: &KappaFrame) -> Option<VersionNumber> {
    let version = kappa.other.as_ref().map(|(_, version)| version).or(kappa.serving.as_ref())?;
    (!is_down(version)).then_some(version.number)
}

fn down(kappa: &KappaFrame) -> Option<VersionNumber> {
    kappa.versions().find(|version| is_down(version)).map(|version| version.number)
}

/// Whether its processor is gone.
pub fn is_down(version: &VersionFrame) -> bool {
    matches!(version.state, VersionState::Crashed { .. })
}

/// Takes a step that is enabled.
pub(super) fn step(state: &mut State, step: VersionStep) -> Vec<Effect> {
    let other = state.kappa().and_then(|kappa| kappa.other.as_ref()).map(|(_, version)| version.number);
    let command = match step {
        VersionStep::Start => {
            state.lane = KAPPA;
            state.tables = false;
            Some(KappaCommand::Start)
        }
        VersionStep::StartNext => match state.versions.settings() {
            Ok(settings) => {
                state.versions.differences = None;
                Some(KappaCommand::StartVersion(settings))
            }
            Err(why) => {
                say(state, why);
                None
            }
        },
        VersionStep::Switch => Some(KappaCommand::Switch),
        VersionStep::RollBack => Some(KappaCommand::RollBack),
        VersionStep::Delete => other.map(KappaCommand::Delete),
        VersionStep::Crash => state.kappa().and_then(target).map(crash),
        VersionStep::Restore => state.kappa().and_then(down).map(restore),
    };
    command.map(send).unwrap_or_default()
}

fn crash(version: VersionNumber) -> KappaCommand {
    KappaCommand::Crash { version, when: CrashWhen::Now }
}

fn restore(version: VersionNumber) -> KappaCommand {
    KappaCommand::Restore { version, checkpoint: None }
}

fn send(command: KappaCommand) -> Vec<Effect> {
    vec![Effect::Send(Command::Lane(KAPPA, LaneCommand::Kappa(command)))]
}

/// Takes what was typed or chosen.
pub(super) fn edited(state: &mut State, edit: VersionEdit) -> Vec<Effect> {
    let page = &mut state.versions;
    match edit {
        VersionEdit::Zone(text) => (page.zone, page.offers) = (text, true),
        VersionEdit::TakeZone(zone) => (page.zone, page.offers) = (zone.to_string(), false),
        VersionEdit::Duplicates(duplicates) => page.duplicates = duplicates,
        VersionEdit::NoUser(no_user) => page.no_user = no_user,
        VersionEdit::Lateness(text) => page.lateness = text,
        VersionEdit::IdleAfter(text) => page.idle_after = text,
        VersionEdit::Uniques(uniques) => page.uniques = uniques,
        VersionEdit::Crash(version) => return send(crash(version)),
        VersionEdit::Restore(version) => return send(restore(version)),
    }
    Vec::new()
}

/// The drawer was opened, or what it compares may have changed.
pub(super) fn refresh(state: &mut State) -> Vec<Effect> {
    if state.compares_versions() { ask(state, Query::VersionDifferences) } else { Vec::new() }
}

/// Whether another version serves from now on.
pub(super) fn changes_roles(fact: &Fact) -> bool {
    matches!(fact, Fact::Kappa(KappaFact::Switched { .. } | KappaFact::RolledBack { .. }))
}

/// Takes the comparison.
pub(super) fn answered(state: &mut State, answer: Answer) {
    state.versions.differences = match answer {
        Answer::VersionDifferences(found) => Some(found),
        // One of the two is gone by now.
        _ => None,
    };
}

/// Why two versions differ, in words.
pub fn cause_in_words(id: &str) -> &'static str {
    match id {
        "not-yet-read" => "not read yet",
        "late" => "dropped as late",
        "duplicate-id" => "duplicate id",
        "other-day-zone" => "other day",
        "no-user" => "no user",
        "malformed" => "malformed",
        "counted-twice" => "counted more than once",
        "lost" => "read, and its effect is gone",
        "sketch-error" => "users estimated by sketches",
        "unexplained" => "unexplained",
        _ => "another cause",
    }
}
