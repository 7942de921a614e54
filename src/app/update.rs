//! The only mutator of [`State`]: one input in, what has to be done for it out.

use std::{path::PathBuf, sync::Arc};

use super::{
    AppCommand, AskEdit, EventTimeEdit, HandoverEdit, LineageEdit, TheirsEdit, TradeOffEdit, asking,
    dialogs::{Dialog, SaveKind},
    event_time, handover, lineage, opening,
    pages::{CheckpointPage, RowsPage},
    refresh,
    settings::Settings,
    state::{Happening, Notice, OpenFailure, Phase, State},
    theirs, trade_off, two_versions,
    update_command::{ask, give},
};
use crate::engine::{
    frame::Frame,
    protocol::{
        Answer, CheckpointId, Command, EngineEvent, Fact, KeptRun, LaneId, LateOf, LogSummary, Query, RunId,
        ViewKind,
    },
};

/// Most facts that are kept; a long run drops its oldest.
const MAX_FACTS: usize = 4_096;

/// How many rows a page of a table asks for.
pub(super) const PAGE_ROWS: u32 = 200;

/// Everything that can reach the state.
#[derive(Debug, Clone)]
pub enum Input {
    /// A person asks for something.
    Command(AppCommand),
    /// A person typed or chose something inside a panel.
    Edit(Edit),
    /// The engine tells.
    Event(EngineEvent),
    /// The newest frame.
    Frame(Arc<Frame>),
    /// Something was dropped on the window.
    Dropped(PathBuf),
    /// The desktop's file dialog is over.
    Picked(Pick, Option<PathBuf>),
}

/// Typed or chosen inside a panel or dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The path in the open or save dialog.
    Path(String),
    /// Open what the path field says.
    OpenPath,
    /// Which field of the records is what, by its place in [`super::FIELDS`].
    Field(usize, String),
    /// Show the fields in the open dialog.
    ShowFields,
    /// Another try at what could not be opened, with its fields named.
    NameFields,
    /// Another try at what could not be opened.
    OpenAgain,
    /// Open a recent log.
    OpenRecent(PathBuf),
    /// Save to what the path field says.
    SavePath,
    /// Ask the desktop for a path.
    Browse(Pick),
    /// The palette's query.
    Query(String),
    /// Which match of the palette is chosen.
    Chosen(usize),
    /// Record of the crash setup.
    CrashRecord(String),
    /// "Go to record" of the log browser.
    GoToRecord(String),
    /// Show records from here.
    Records(u64),
    /// Show malformed lines from here.
    Malformed(u64),
    /// Show rows of a view from here.
    Rows(ViewKind, u64),
    /// Show the late records that are missing from a view, from here.
    Late(LateOf, u64),
    /// Show what a checkpoint holds; `None` closes it.
    Contents(Option<CheckpointId>),
    /// Restore from this checkpoint.
    RestoreFrom(CheckpointId),
    /// Ask whether an old run may be deleted.
    AskDelete(KeptRun),
    /// Delete it.
    Delete(String),
    /// Ask which runs are kept; at the start, so that an interrupted one can be offered.
    Runs,
    /// Go on with an interrupted run.
    Continue(String),
    /// Which table twin.
    Twin(super::TableTwin),
    /// Copy a text.
    Copy(String),
    /// Show another lane.
    Lane(LaneId),
    /// Typed or chosen for a version.
    Version(super::VersionEdit),
    /// Change the hand-over that is looked at.
    Handover(HandoverEdit),
    /// Ask the serving layer.
    Ask(AskEdit),
    /// Views of theirs.
    Theirs(TheirsEdit),
    /// Follow records and numbers.
    Lineage(LineageEdit),
    /// Choose in the look "event time".
    EventTime(EventTimeEdit),
    /// Turn or choose in the look "trade-off".
    TradeOff(TradeOffEdit),
    /// Type or choose settings of the run.
    Settings(super::SettingsEdit),
}

/// What the desktop is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// A directory to open.
    Folder,
    /// A file to open.
    File,
    /// A file to write.
    Save(SaveKind),
    /// A view of theirs.
    Theirs(super::Slot),
}

/// What has to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Sent to the engine.
    Send(Command),
    /// A file dialog of the desktop, on a thread of its own.
    PickFile(Pick),
    /// To the clipboard.
    CopyText(String),
    /// A picture of the window.
    SavePicture(PathBuf),
    /// Settings to disk.
    SaveSettings(Settings),
    /// The end.
    Quit,
}

/// Changes the state by one input; returns what is to be done outside, in order.
pub fn apply(state: &mut State, input: Input) -> Vec<Effect> {
    match input {
        Input::Command(command) => match command.enabled(state) {
            Ok(()) => {
                // What was said about the command before is answered by this one; what went wrong stays.
                state.notice.take_if(|notice| !notice.is_error && command != AppCommand::Close);
                give(state, command)
            }
            Err(reason) => {
                say(state, reason);
                Vec::new()
            }
        },
        Input::Edit(edit) => edited(state, edit),
        Input::Event(event) => told(state, event),
        Input::Frame(frame) => framed(state, frame),
        Input::Dropped(path) => theirs::dropped(state, path),
        Input::Picked(pick, path) => picked(state, pick, path),
    }
}

/// Puts a line up for the person.
pub(super) fn say(state: &mut State, text: impl Into<String>) {
    state.notice = Some(Notice { text: text.into(), is_error: false });
}

/// Writes something for the person.
pub(super) fn save(state: &mut State, kind: SaveKind, path: PathBuf) -> Vec<Effect> {
    state.dialog = Dialog::None;
    match kind {
        SaveKind::Differences => {
            let pair = state.answers.lineage.pair;
            vec![Effect::Send(Command::ExportDifferences(state.lane, pair, path))]
        }
        SaveKind::View => vec![Effect::Send(Command::ExportView(state.lane, ViewKind::Merged, path))],
        SaveKind::Version(number) => {
            vec![Effect::Send(Command::ExportView(state.lane, ViewKind::Version(number), path))]
        }
        SaveKind::Scenario => vec![Effect::Send(Command::SaveScenario(path))],
        SaveKind::Picture => vec![Effect::SavePicture(path)],
    }
}

fn edited(state: &mut State, edit: Edit) -> Vec<Effect> {
    match edit {
        Edit::Path(text) => opening::path_typed(state, text),
        Edit::Field(at, text) => opening::field_typed(state, at, text),
        Edit::ShowFields => opening::show_fields(state),
        Edit::NameFields => opening::name_fields(state),
        Edit::OpenAgain => return opening::open_again(state),
        Edit::OpenPath => return opening::open_typed(state),
        Edit::SavePath => return save_typed(state),
        Edit::OpenRecent(path) => return opening::open(state, path),
        Edit::Browse(pick) => {
            if let Dialog::Open(dialog) = &mut state.dialog {
                dialog.picking = true;
            }
            return vec![Effect::PickFile(pick)];
        }
        Edit::Query(text) => state.dialog = Dialog::Palette { query: text, chosen: 0 },
        Edit::Chosen(at) => {
            if let Dialog::Palette { chosen, .. } = &mut state.dialog {
                *chosen = at;
            }
        }
        Edit::CrashRecord(text) => state.crash.record = text,
        Edit::GoToRecord(text) => state.answers.records.go_to = text,
        Edit::Records(first) => return ask(state, Query::Records { first, count: PAGE_ROWS }),
        Edit::Malformed(first) => return ask(state, Query::Malformed { first, count: PAGE_ROWS }),
        Edit::Rows(view, first) => {
            return ask(state, Query::Rows { lane: state.lane, view, first, count: PAGE_ROWS });
        }
        Edit::Late(of, first) => {
            return ask(state, Query::Late { of, first, count: PAGE_ROWS });
        }
        Edit::Contents(Some(id)) => return ask(state, Query::CheckpointContents { lane: state.lane, id }),
        Edit::Contents(None) => state.answers.checkpoint = None,
        Edit::RestoreFrom(id) => return super::update_command::restore_from(state, id),
        Edit::Runs => return ask(state, Query::Runs),
        Edit::AskDelete(run) => state.dialog = Dialog::DeleteRun(run),
        Edit::Delete(name) => {
            state.dialog = Dialog::None;
            let mut effects = vec![Effect::Send(Command::DeleteRun(name))];
            effects.extend(ask(state, Query::Runs));
            return effects;
        }
        Edit::Continue(name) => {
            state.interrupted = None;
            return vec![Effect::Send(Command::ContinueRun(name))];
        }
        Edit::Twin(twin) => state.twin = twin,
        Edit::Copy(text) => {
            say(state, "Copied.");
            return vec![Effect::CopyText(text)];
        }
        Edit::Lane(lane) => state.lane = lane,
        Edit::Version(edit) => return two_versions::edited(state, edit),
        Edit::Handover(edit) => return handover::edit(state, edit),
        Edit::Ask(edit) => return asking::edited(state, edit),
        Edit::Theirs(edit) => return theirs::edited(state, edit),
        Edit::Lineage(edit) => return lineage::edited(state, edit),
        Edit::EventTime(edit) => return event_time::edited(state, edit),
        Edit::TradeOff(edit) => return trade_off::edited(state, edit),
        Edit::Settings(edit) => return super::run_settings::edited(state, edit),
    }
    Vec::new()
}

fn save_typed(state: &mut State) -> Vec<Effect> {
    let Dialog::Save(dialog) = &mut state.dialog else { return Vec::new() };
    let path = dialog.path.trim().to_owned();
    if path.is_empty() {
        dialog.error = Some("Type a path, or browse for it.".to_owned());
        return Vec::new();
    }
    let kind = dialog.kind;
    save(state, kind, PathBuf::from(path))
}

fn picked(state: &mut State, pick: Pick, path: Option<PathBuf>) -> Vec<Effect> {
    if let Dialog::Open(dialog) = &mut state.dialog {
        dialog.picking = false;
    }
    match (pick, path) {
        (Pick::Folder | Pick::File, Some(path)) => opening::open(state, path),
        (Pick::Save(kind), Some(path)) => save(state, kind, path),
        (Pick::Theirs(slot), Some(path)) => theirs::picked(state, slot, &path),
        // Cancelled, or the desktop has no dialog: the two cannot be told apart, and the path field is still there.
        (_, None) => Vec::new(),
    }
}

fn told(state: &mut State, event: EngineEvent) -> Vec<Effect> {
    match event {
        EngineEvent::Opening { run, path } => {
            if !adopt(state, run) {
                return Vec::new();
            }
            state.phase = Phase::Opening(path);
            (state.summary, state.frame) = (None, None);
            state.dialog = Dialog::None;
        }
        EngineEvent::Opened { run, summary } => {
            if !adopt(state, run) {
                return Vec::new();
            }
            let effects = opening::remember(state, &summary);
            opened(state, summary);
            return effects;
        }
        EngineEvent::OpenFailed { run, path, message, lacks } => {
            if !adopt(state, run) {
                return Vec::new();
            }
            state.frame = None;
            state.phase = Phase::Failed(OpenFailure { path, why: message, lacks });
        }
        EngineEvent::OpenRefused { request, message, lacks } => {
            opening::refused(state, &request, message, lacks);
        }
        EngineEvent::Happened { run, lane, tick, fact } => {
            if !adopt(state, run) {
                return Vec::new();
            }
            let compares_anew = two_versions::changes_roles(&fact);
            happened(state, Happening { lane, tick, fact });
            if compares_anew {
                return two_versions::refresh(state);
            }
        }
        EngineEvent::LogHasMore { run, records } => {
            if adopt(state, run) {
                let were = super::format::records(records);
                say(
                    state,
                    format!("The log has grown since this run was kept. The run is over the {were} of then."),
                );
            }
        }
        EngineEvent::Saved(path) => say(state, format!("Saved {}.", path.display())),
        EngineEvent::Failed { what, why } => {
            state.notice = Some(Notice { text: format!("{what}: {why}"), is_error: true });
        }
        EngineEvent::Answered(number, answer) => {
            let mut effects = answered(state, number, answer);
            effects.extend(refresh::at_rest(state));
            return effects;
        }
    }
    Vec::new()
}

/// Whether a message of this run is for the state; a newer run replaces the one that is shown.
fn adopt(state: &mut State, run: RunId) -> bool {
    if run > state.run {
        state.run = run;
        state.facts.clear();
        state.prediction = None;
        state.answers.checkpoint = None;
        state.answers.handover.forget();
        state.answers.asked_at = crate::engine::protocol::Tick(0);
    }
    run == state.run
}

fn opened(state: &mut State, summary: Arc<LogSummary>) {
    use super::Measure;
    let fits = match state.measure {
        Measure::Views => true,
        Measure::Users => summary.has_users,
        Measure::Sum => summary.has_values,
    };
    if !fits {
        state.measure = Measure::Views;
    }
    if state.summary.as_ref().is_none_or(|known| known.path != summary.path) {
        // Questions about the log before are dropped; which runs are kept does not depend on it.
        let known = std::mem::take(&mut state.answers);
        state.answers = super::Answers {
            runs: known.runs,
            pending: known.pending.into_iter().filter(|(_, query)| *query == Query::Runs).collect(),
            last_question: known.last_question,
            ..super::Answers::default()
        };
        state.fits += 1;
    }
    state.summary = Some(summary);
    state.phase = Phase::Open;
}

fn happened(state: &mut State, happening: Happening) {
    if matches!(happening.fact, Fact::StreamCrashed { .. }) {
        state.prediction = None;
    }
    if state.facts.len() >= MAX_FACTS {
        state.facts.drain(..MAX_FACTS / 4);
    }
    state.facts.push(happening);
}

fn framed(state: &mut State, frame: Arc<Frame>) -> Vec<Effect> {
    if !adopt(state, frame.run) {
        return Vec::new();
    }
    let stopped = refresh::flows(state.flow()) && !refresh::flows(frame.flow);
    let had_lane = state.frame.as_ref().is_some_and(|old| old.run == frame.run && !old.lanes.is_empty());
    let is_new = !had_lane && !frame.lanes.is_empty();
    state.frame = Some(frame);
    if is_new || stopped || refresh::is_due(state) { refresh::pages(state) } else { Vec::new() }
}

fn answered(state: &mut State, number: u64, answer: Answer) -> Vec<Effect> {
    let Some(at) = state.answers.pending.iter().position(|(asked, _)| *asked == number) else {
        return Vec::new();
    };
    let (_, query) = state.answers.pending.swap_remove(at);
    match (query, answer) {
        (Query::TradeOff(of), answer @ (Answer::TradeOff(_) | Answer::Replaced)) => {
            return trade_off::answered(state, of, answer);
        }
        // A newer question is under way.
        (_, Answer::Replaced) => {}
        (Query::Records { first, .. }, Answer::Records(records)) => {
            (state.answers.records.first, state.answers.records.records) = (first, records);
        }
        (Query::Malformed { first, .. }, Answer::Malformed { lines, total }) => {
            state.answers.malformed = super::MalformedPage { first, lines, total };
        }
        (Query::Late { of, first, .. }, Answer::Late { lines, total }) => {
            state.answers.late = super::LatePage { of, first, lines, total };
        }
        (Query::Rows { view, first, .. }, Answer::Rows { rows, finals, total }) => {
            state.answers.rows = RowsPage { view, first, rows, finals, total };
        }
        (Query::CheckpointContents { id, .. }, Answer::CheckpointContents(sections)) => {
            state.answers.checkpoint = Some(CheckpointPage { id, sections });
        }
        (Query::Runs, Answer::Runs(runs)) => {
            // The run on the screen is not among them. One that never got going is nothing to go on with.
            state.interrupted = runs.iter().find(|run| !run.ended && run.last_tick > 0).cloned();
            state.answers.runs = runs;
        }
        (Query::VersionDifferences, answer) => two_versions::answered(state, answer),
        (
            query @ (Query::Fates { .. }
            | Query::RecordsOf { .. }
            | Query::NumbersOf { .. }
            | Query::Differences { .. }),
            answer,
        ) => return lineage::answered(state, query, answer),
        (Query::Handover { .. }, answer) => return handover::answered(state, answer),
        (query @ (Query::Compare(_) | Query::Proof { .. }), answer) => {
            return theirs::answered(state, &query, answer);
        }
        (query, Answer::Nothing(why)) => {
            // Whoever cannot play one point cannot play the others.
            state.answers.trade_off.is_sweeping &= !matches!(query, Query::TradeOff(_));
            say(state, why);
        }
        (Query::EventTimes(lateness), answer) => return event_time::answered(state, lateness, answer),
        (Query::Tiles(of), answer) => event_time::looked_closer(state, of, answer),
        // An answer of another kind than its question is the engine's mistake; the page keeps what it has.
        (query, answer) => return asking::answered(state, query, answer),
    }
    Vec::new()
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
