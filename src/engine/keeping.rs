//! How a session keeps its runs: a directory each, the journal as it grows, what is saved, what is continued.

use std::path::{Path, PathBuf};

use super::{
    describe::relative,
    log_name::LogName,
    open_log::OpenLog,
    protocol::{EngineEvent, LaneCommand, OpenRequest},
    runs::{RunDirectory, RunFileError, prune, replace_file},
    scenario::{Expectations, Planned, Scenario, When},
    session::Session,
};
/// Why a file is not written.
pub(super) const NEVER_WRITTEN: &str = "the log directory is never written to";

impl Session {
    /// Continues an interrupted run: plays it again up to where it was, and stands there.
    pub(super) fn continue_run(&mut self, name: &str) {
        let Some(runs) = self.options.runs.clone() else { return };
        let open = self.open.as_ref().and_then(|open| open.directory.clone());
        let directory = match open.filter(|open| open.name() == name) {
            Some(open) => Ok(open),
            None => RunDirectory::open(&runs, name),
        };
        let read = directory.and_then(|directory| directory.read().map(|read| (directory, read)));
        match read {
            Ok((directory, (scenario, done, last_tick))) => {
                let request = OpenRequest { path: PathBuf::from(&scenario.log.path), mapping: Vec::new() };
                self.open_with(&request, Some((scenario, directory)));
                if let Some(open) = &mut self.open {
                    open.done = done;
                    open.go_to_when_ready = Some(last_tick);
                }
            }
            Err(error) => self.failed("continue the run", &error.to_string()),
        }
    }

    /// Closes what is open: the run counts as ended by the person.
    pub(super) fn close(&mut self) {
        self.flush();
        if let Some(mut open) = self.open.take() {
            let is_untouched = open.is_untouched();
            open.lane = None;
            if is_untouched {
                if let Some(directory) = open.directory.take() {
                    directory.discard();
                }
            } else {
                end_run(&mut open);
            }
            if let Some(runs) = &self.options.runs {
                prune(runs);
            }
        }
    }

    /// Hands what is new of the journal to its file.
    pub(super) fn flush(&mut self) {
        let lane = self.open.as_mut().and_then(|open| open.lane.as_mut());
        if let Some(Err(error)) = lane.map(|lane| lane.journal().flush()) {
            self.failed("keep the journal on disk (the run goes on)", &error.to_string());
        }
    }

    /// Writes what was played as a scenario that plays the same again.
    pub(super) fn save_scenario(&mut self, path: &Path) {
        let Some(open) = &self.open else { return };
        let Some(lane) = &open.lane else { return };
        if open.log.contains(path) {
            return self.failed("save the scenario", NEVER_WRITTEN);
        }
        let mut scenario = open.scenario.clone();
        let command = |&(tick, command): &(u64, LaneCommand)| Planned {
            at: When::Tick(tick),
            lane: command.lane().0,
            command,
        };
        scenario.commands = lane.carried_out().iter().map(command).collect();
        scenario.log.path = relative(&open.scenario.log.path, path);
        scenario.log.identity = start_of(open).log.identity;
        scenario.expect = Expectations::default();
        if lane.is_finished() {
            scenario.expect.digest = lane.final_digest();
        } else {
            scenario.until_tick = Some(lane.tick_now().0);
        }
        match replace_file(path, scenario.to_json().as_bytes()) {
            Ok(()) => self.tell(EngineEvent::Saved(path.to_owned())),
            Err(error) => self.failed("save the scenario", &error.to_string()),
        }
    }
}

/// A place for a new lane: a fresh directory, or the one of the run that is played again.
pub(super) fn prepare(open: &OpenLog, runs: &Path) -> Result<RunDirectory, String> {
    if open.log.contains(runs) {
        return Err(NEVER_WRITTEN.to_owned());
    }
    let prepared = match &open.directory {
        Some(directory) => directory
            .clear()
            .and_then(|()| directory.replace_commands(&open.done))
            .map(|()| directory.clone()),
        None => RunDirectory::create(runs, &start_of(open)),
    };
    prepared.map_err(|error| error.to_string())
}

/// Where the run starts from, naming the log as far as it was loaded: a run over the first part of a log is over that
/// part when it is played again, unless the rest was still to come.
pub(super) fn start_of(open: &OpenLog) -> Scenario {
    let mut start = open.scenario.clone();
    let Some(index) = &open.index else { return start };
    let is_named = index.complete() && matches!(open.name, Some(LogName::Whole(_)));
    if !is_named {
        start.log.identity = Some(LogName::text(index));
    }
    start
}

/// Names the log in the directory of a run that began while it was still being loaded: each time twice as much of it is
/// there, and at its end.
pub(super) fn name_log(open: &mut OpenLog) -> Result<(), RunFileError> {
    let Some(index) = open.index.as_ref().filter(|_| open.lane.is_some()) else { return Ok(()) };
    let is_due = index.is_last() || index.len() >= open.named_records.saturating_mul(2);
    let Some(directory) = open.directory.as_ref().filter(|_| is_due) else { return Ok(()) };
    open.named_records = index.len();
    directory.replace_start(&start_of(open))
}

pub(super) fn end_run(open: &mut OpenLog) {
    if let Some(directory) = open.directory.take() {
        // A run whose end cannot be noted is offered as interrupted: no harm.
        let _unwritable = directory.ended();
    }
}

#[cfg(test)]
#[path = "keeping_tests.rs"]
mod tests;
