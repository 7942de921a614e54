//! Opening, loading, restarting and continuing: how a session comes to a lane.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::{SendTimeoutError, Sender};

use super::{
    describe::{plain_scenario, relative, summary},
    frame::{Flow, Loading},
    lane::Lane,
    play::{lane_plan, memory_disk},
    protocol::{EngineEvent, LaneCommand, LogSummary, OpenRequest, RunId, Tick, Until},
    read_model::ReadModel,
    runs::{RunDirectory, RunFileError, open_disk, read_scenario, replace_file},
    scenario::{Expectations, Planned, RunSettings, Scenario, When},
    session::Session,
};
use crate::ingest::{LoadEvent, LogDirectory, LogError, LogIndex, Mapping, MappingOptions, spawn_loader};

/// From this size (as stored) on a log is played while it is still being loaded, with settings from an estimate.
const PLAY_WHILE_LOADING_BYTES: u64 = 64 << 20;

/// How long the loader waits for room before it looks whether anybody still listens.
const LAST_LOAD_WAIT: Duration = Duration::from_millis(50);

/// Why a file is not written.
pub(super) const NEVER_WRITTEN: &str = "the log directory is never written to";

/// What the loader tells, with the run that it loads for.
pub(super) struct Loaded {
    pub(super) run: RunId,
    pub(super) event: LoadEvent,
}

/// A log that is open.
pub(super) struct OpenLog {
    pub(super) summary: LogSummary,
    pub(super) log: LogDirectory,
    pub(super) mapping: Mapping,
    /// What the run plays; settings are final once a lane is there.
    pub(super) scenario: Scenario,
    has_settings: bool,
    pub(super) index: Option<Arc<LogIndex>>,
    pub(super) lane: Option<Lane>,
    pub(super) model: ReadModel,
    /// What a person did, with ticks.
    pub(super) done: Vec<(u64, LaneCommand)>,
    pub(super) directory: Option<RunDirectory>,
    pub(super) play_when_ready: bool,
    /// Where an interrupted run was.
    go_to_when_ready: Option<u64>,
    cancel: Arc<AtomicBool>,
    /// Nobody takes what the loader tells any more.
    abandoned: Arc<AtomicBool>,
    loader: Option<thread::JoinHandle<()>>,
    cancelled: bool,
    /// The run under which loading was started.
    loads_as: RunId,
}

impl OpenLog {
    pub(super) fn loading(&self) -> Loading {
        let total = self.log.bytes();
        let Some(index) = &self.index else {
            return Loading { bytes_total: total, ..Loading::default() };
        };
        let counts = index.counts();
        let (bytes, bytes_total) = index.disk_bytes();
        Loading {
            records: index.len(),
            malformed: counts.malformed,
            missing_user: counts.missing_user,
            bytes,
            bytes_total,
            complete: index.is_last(),
            cancelled: self.cancelled,
        }
    }

    /// Records that the whole log will have, as far as can be told.
    fn expected_records(index: &LogIndex) -> u64 {
        let (bytes, total) = index.disk_bytes();
        if index.is_last() || bytes == 0 {
            return index.len();
        }
        u64::try_from(u128::from(index.len()) * u128::from(total) / u128::from(bytes)).unwrap_or(u64::MAX)
    }

    fn is_ready(&self, index: &LogIndex) -> bool {
        index.is_last() || self.log.bytes() > PLAY_WHILE_LOADING_BYTES
    }
}

impl Drop for OpenLog {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        self.abandoned.store(true, Ordering::Relaxed);
        if let Some(loader) = self.loader.take() {
            let _panicked = loader.join();
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    File(#[from] RunFileError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("cannot start the log reader: {0}")]
    Thread(#[from] std::io::Error),
}

impl Session {
    /// Opens a log or a scenario, paused at its start. What was open is closed first.
    pub(super) fn open(&mut self, request: &OpenRequest) {
        self.open_with(request, None);
    }

    fn open_with(&mut self, request: &OpenRequest, continued: Option<(Scenario, RunDirectory)>) {
        self.close();
        self.run = RunId(self.run.0 + 1);
        self.tell(EngineEvent::Opening { run: self.run, path: request.path.clone() });
        match self.try_open(request, continued) {
            Ok(open) => {
                let summary = Arc::new(open.summary.clone());
                self.open = Some(open);
                self.tell(EngineEvent::Opened { run: self.run, summary });
            }
            Err(error) => {
                self.tell(EngineEvent::OpenFailed { run: self.run, message: error.to_string() });
            }
        }
        self.set_flow(Flow::Paused, None);
    }

    fn try_open(
        &self,
        request: &OpenRequest,
        continued: Option<(Scenario, RunDirectory)>,
    ) -> Result<OpenLog, OpenError> {
        let is_scenario =
            request.path.extension().is_some_and(|extension| extension == "json") && request.path.is_file();
        let (given, directory) = match continued {
            Some((scenario, directory)) => (Some(scenario), Some(directory)),
            None if is_scenario => (Some(read_scenario(&request.path)?), None),
            None => (None, None),
        };
        let log_path = match &given {
            Some(scenario) if is_scenario => scenario.log_path(&request.path),
            Some(scenario) => PathBuf::from(&scenario.log.path),
            None => request.path.clone(),
        };
        let mut options = MappingOptions::default();
        for (name, value) in &request.mapping {
            options.set(name, value)?;
        }
        let known = given.as_ref().and_then(|scenario| scenario.mapping.clone());
        let by_file =
            known.as_ref().map_or(options.files_are_partitions, |mapping| mapping.files_are_partitions);
        let log = LogDirectory::open(&log_path, by_file)?;
        let mapping = match known {
            Some(mapping) => mapping,
            None => Mapping::resolve(&options, &log)?.0,
        };
        let has_settings = given.is_some();
        let mut scenario = given.unwrap_or_else(|| plain_scenario(&log_path));
        scenario.log.path = std::path::absolute(&log_path).unwrap_or(log_path).display().to_string();
        scenario.mapping = Some(mapping.clone());
        let cancel = Arc::new(AtomicBool::new(false));
        let abandoned = Arc::new(AtomicBool::new(false));
        let publish = publisher(self.run, self.loads.0.clone(), Arc::clone(&abandoned));
        let loader = spawn_loader(log.clone(), mapping.clone(), publish, Arc::clone(&cancel))?;
        Ok(OpenLog {
            summary: summary(&request.path, is_scenario, &scenario, &mapping, &log),
            log,
            mapping,
            scenario,
            has_settings,
            index: None,
            lane: None,
            model: ReadModel::default(),
            done: Vec::new(),
            directory,
            play_when_ready: false,
            go_to_when_ready: None,
            cancel,
            abandoned,
            loader: Some(loader),
            cancelled: false,
            loads_as: self.run,
        })
    }

    /// Takes what the loader has read.
    pub(super) fn loaded(&mut self, loaded: Loaded) {
        if loaded.run != self.loading_run() {
            return;
        }
        let Some(open) = &mut self.open else { return };
        match loaded.event {
            LoadEvent::Progress(index) | LoadEvent::Done(index) => {
                if let Some(message) = is_other_log(&open.scenario, &index) {
                    return self.give_up(message);
                }
                if let Some(lane) = &mut open.lane {
                    lane.set_index(Arc::clone(&index));
                }
                let ready = open.lane.is_none() && open.is_ready(&index);
                // A run that began while its log was still being loaded could not name it yet.
                let is_known_now = index.complete() && open.lane.is_some();
                open.index = Some(index);
                let named = open.directory.as_ref().filter(|_| is_known_now);
                let named = named.map(|directory| directory.replace_start(&start_of(open)));
                if let Some(Err(error)) = named {
                    self.failed("name the log in the run's directory", &error.to_string());
                }
                self.touch();
                if ready {
                    self.ready();
                }
            }
            LoadEvent::Failed(error) => {
                self.give_up(error.to_string());
            }
        }
    }

    /// What was being opened cannot be.
    fn give_up(&mut self, message: String) {
        self.open = None;
        self.tell(EngineEvent::OpenFailed { run: self.run, message });
        self.set_flow(Flow::Paused, None);
    }

    /// Enough of the log is there: the lane can start.
    fn ready(&mut self) {
        let Some(open) = &mut self.open else { return };
        if !open.has_settings
            && let Some(index) = &open.index
        {
            open.scenario.settings = RunSettings::for_log(OpenLog::expected_records(index));
            open.has_settings = true;
        }
        let play = std::mem::take(&mut open.play_when_ready);
        let go_to = open.go_to_when_ready.take();
        self.new_lane();
        if let Some(tick) = go_to {
            self.set_flow(Flow::Advancing, Some(Until::Tick(Tick(tick))));
        } else if play {
            self.set_flow(Flow::Playing, None);
        }
    }

    /// A lane at its paused start, in a directory of its own, with what a person did before as part of its plan.
    fn new_lane(&mut self) {
        let Some(open) = &mut self.open else { return };
        open.lane = None;
        open.model.restart();
        let Some(index) = open.index.clone() else { return };
        let mut trouble = None;
        if let Some(runs) = &self.options.runs {
            match prepare(open, runs) {
                Ok(directory) => open.directory = Some(directory),
                Err(why) => {
                    open.directory = None;
                    trouble = Some(why);
                }
            }
        }
        let disk: super::lane::OpenDisk = match &open.directory {
            Some(directory) => {
                let path = directory.checkpoints();
                Box::new(move || open_disk(&path))
            }
            None => memory_disk(),
        };
        let plan = lane_plan(&open.scenario, &open.mapping, self.options.driver, disk);
        let mut lane = Lane::new(plan, index);
        lane.repeat(&open.done);
        if let Some(directory) = &open.directory
            && let Err(error) = lane.journal().save_to(&directory.journal())
        {
            trouble = Some(error.to_string());
        }
        open.lane = Some(lane);
        if let Some(why) = trouble {
            self.failed("keep the run on disk (it lives in memory only)", &why);
        }
        self.touch();
    }

    /// Back to the paused start of the same run, in a fresh directory.
    pub(super) fn restart(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.lane.is_none() {
            return;
        }
        open.lane = None;
        open.done.clear();
        end_run(open);
        self.renew();
        self.new_lane();
        self.set_flow(Flow::Paused, None);
    }

    /// Back (or on) to a tick, by playing the same commands again. What was done after it is forgotten.
    pub(super) fn go_to(&mut self, tick: Tick) {
        let Some(open) = &mut self.open else { return };
        let Some(lane) = &open.lane else { return };
        if tick < lane.tick_now() {
            open.lane = None;
            open.done.retain(|&(at, _)| at < tick.0);
            self.renew();
            self.new_lane();
        } else if tick > lane.tick_now() {
            self.forget_from(tick.0);
        }
        self.set_flow(Flow::Advancing, Some(Until::Tick(tick)));
    }

    /// What would be done again at `tick` or later, on the way to where the run was before, is not.
    fn forget_from(&mut self, tick: u64) {
        let Some(open) = &mut self.open else { return };
        let before = open.done.len();
        open.done.retain(|&(at, _)| at < tick);
        if open.done.len() == before {
            return;
        }
        if let Some(lane) = &mut open.lane {
            lane.forget_from(tick);
        }
        let noted = open.directory.as_ref().map(|directory| directory.replace_commands(&open.done));
        if let Some(Err(error)) = noted {
            self.failed("note the commands", &error.to_string());
        }
    }

    /// A new run over the open log: the window forgets what it knew of the old one.
    fn renew(&mut self) {
        self.run = RunId(self.run.0 + 1);
        if let Some(open) = &self.open {
            let summary = Arc::new(open.summary.clone());
            self.tell(EngineEvent::Opened { run: self.run, summary });
        }
    }

    /// Loading is of the run under which the log was opened, which a restart renews.
    fn loading_run(&self) -> RunId {
        self.open.as_ref().map_or(self.run, |open| open.loads_as)
    }

    pub(super) fn cancel_loading(&mut self) {
        if let Some(open) = &mut self.open {
            open.cancelled = !open.index.as_ref().is_some_and(|index| index.is_last());
            open.cancel.store(true, Ordering::Relaxed);
        }
    }

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
            open.lane = None;
            end_run(&mut open);
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
        let command =
            |&(tick, command): &(u64, LaneCommand)| Planned { at: When::Tick(tick), lane: 0, command };
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
fn prepare(open: &OpenLog, runs: &Path) -> Result<RunDirectory, String> {
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

/// Where the run starts from, naming the log once it is known.
fn start_of(open: &OpenLog) -> Scenario {
    let mut start = open.scenario.clone();
    let complete = open.index.as_ref().filter(|index| index.complete());
    if let Some(digest) = complete.and_then(|index| identity_digest(index)) {
        start.log.identity = Some(digest);
    }
    start
}

fn identity_digest(index: &LogIndex) -> Option<String> {
    index.identity().map(|identity| format!("{:032x}", identity.digest()))
}

/// Why the log is not the one that the run names; a log that was not read to its end cannot tell.
fn is_other_log(scenario: &Scenario, index: &LogIndex) -> Option<String> {
    let (expected, found) = (scenario.log.identity.as_ref()?, identity_digest(index)?);
    (index.complete() && *expected != found)
        .then(|| format!("the log has changed: the run names log {expected}, this is {found}"))
}

/// Hands loads to the session. A step that finds no room is left out, the next one says more; the last one waits, but
/// never for a session that has turned away.
fn publisher(run: RunId, loads: Sender<Loaded>, abandoned: Arc<AtomicBool>) -> impl FnMut(LoadEvent) + Send {
    move |event| {
        if matches!(event, LoadEvent::Progress(_)) {
            let _no_room = loads.try_send(Loaded { run, event });
            return;
        }
        let mut last = Loaded { run, event };
        while !abandoned.load(Ordering::Relaxed) {
            match loads.send_timeout(last, LAST_LOAD_WAIT) {
                Ok(()) | Err(SendTimeoutError::Disconnected(_)) => return,
                Err(SendTimeoutError::Timeout(back)) => last = back,
            }
        }
    }
}

fn end_run(open: &mut OpenLog) {
    if let Some(directory) = open.directory.take() {
        // A run whose end cannot be noted is offered as interrupted: no harm.
        let _unwritable = directory.ended();
    }
}
