//! Opening, loading, restarting and continuing: how a session comes to a lane.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    describe::{plain_scenario, summary},
    frame::Flow,
    keeping::{end_run, prepare, start_of},
    lane::Lane,
    log_name::LogName,
    open_log::{Loaded, OpenLog, publisher},
    play::{lane_plan, memory_disk},
    protocol::{EngineEvent, Lacks, OpenRequest, RunId, Tick, Until},
    read_model::ReadModel,
    runs::{RunDirectory, RunFileError, open_disk, prune, read_scenario},
    scenario::{Expectations, RunSettings, Scenario},
    session::Session,
};
use crate::ingest::{
    LoadEvent, LogDirectory, LogError, LogMatch, Mapping, MappingOptions, spawn_recorded_loader,
};

#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    File(#[from] RunFileError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("cannot start the log reader: {0}")]
    Thread(#[from] std::io::Error),
}

impl OpenError {
    /// What a person can add to the request.
    fn lacks(&self) -> Lacks {
        match self {
            OpenError::Log(
                LogError::CannotGuess { .. } | LogError::BadOption { .. } | LogError::MixedFormats { .. },
            ) => Lacks::Fields,
            OpenError::Log(_) | OpenError::File(_) | OpenError::Thread(_) => Lacks::Nothing,
        }
    }
}

impl Session {
    /// Opens a log or a scenario, paused at its start. What was open is closed then, and stays where this one cannot
    /// be opened: a mistyped path ends no run.
    pub(super) fn open(&mut self, request: &OpenRequest) {
        self.open_with(request, None);
    }

    pub(super) fn open_with(&mut self, request: &OpenRequest, continued: Option<(Scenario, RunDirectory)>) {
        let run = RunId(self.run.0 + 1);
        let begin = |session: &mut Session| {
            session.run = run;
            session.tell(EngineEvent::Opening { run, path: request.path.clone() });
        };
        let in_place_of_another = self.open.is_some();
        if !in_place_of_another {
            begin(self);
        }
        match self.try_open(request, continued, run) {
            Ok(open) => {
                self.close();
                if in_place_of_another {
                    begin(self);
                }
                let summary = Arc::new(open.summary.clone());
                self.open = Some(open);
                self.tell(EngineEvent::Opened { run, summary });
            }
            Err(error) => {
                let lacks = error.lacks();
                let (request, message) = (request.clone(), error.to_string());
                if in_place_of_another {
                    return self.tell(EngineEvent::OpenRefused { request, message, lacks });
                }
                self.tell(EngineEvent::OpenFailed { run, path: request.path, message, lacks });
            }
        }
        self.set_flow(Flow::Paused, None);
    }

    fn try_open(
        &self,
        request: &OpenRequest,
        continued: Option<(Scenario, RunDirectory)>,
        run: RunId,
    ) -> Result<OpenLog, OpenError> {
        let is_scenario =
            request.path.extension().is_some_and(|extension| extension == "json") && request.path.is_file();
        let is_continued = continued.is_some();
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
        let publish = publisher(run, self.loads.0.clone(), Arc::clone(&abandoned));
        // Its text was checked when the file was read.
        let name = scenario.log_name().ok().flatten();
        let recorded = name.as_ref().and_then(LogName::recorded).cloned();
        let loader =
            spawn_recorded_loader(log.clone(), mapping.clone(), recorded, publish, Arc::clone(&cancel))?;
        Ok(OpenLog {
            summary: summary(&request.path, is_scenario, &scenario, &mapping, &log),
            log,
            name,
            mapping,
            scenario,
            has_settings,
            comparing: Arc::default(),
            index: None,
            lane: None,
            model: ReadModel::default(),
            publications: BTreeMap::new(),
            is_continued,
            done: Vec::new(),
            directory,
            play_when_ready: false,
            go_to_when_ready: None,
            cancel,
            abandoned,
            loader: Some(loader),
            cancelled: false,
            loads_as: run,
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
                if let Some(message) = open.name.as_ref().and_then(|name| name.refuses(&index)) {
                    return self.give_up(message);
                }
                if let Some(lane) = &mut open.lane {
                    lane.set_index(Arc::clone(&index));
                }
                let ready = open.lane.is_none() && open.is_ready(&index);
                // A run that began while its log was still being loaded could not name it yet.
                let is_known_now = index.is_last() && open.lane.is_some();
                let has_more = open.index.is_none() && index.log_match() == LogMatch::Grown;
                open.index = Some(index);
                let named = open.directory.as_ref().filter(|_| is_known_now);
                let named = named.map(|directory| directory.replace_start(&start_of(open)));
                if let Some(Err(error)) = named {
                    self.failed("name the log in the run's directory", &error.to_string());
                }
                if has_more {
                    self.tell_log_has_more();
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

    /// The log has grown since the run that is opened was kept.
    fn tell_log_has_more(&self) {
        let name = self.open.as_ref().and_then(|open| open.name.as_ref());
        if let Some(identity) = name.and_then(LogName::recorded) {
            self.tell(EngineEvent::LogHasMore { run: self.run, records: identity.records() });
        }
    }

    /// What was being opened cannot be.
    fn give_up(&mut self, message: String) {
        let path = self.open.take().map(|open| open.summary.path.clone()).unwrap_or_default();
        self.tell(EngineEvent::OpenFailed { run: self.run, path, message, lacks: Lacks::Nothing });
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
        open.end_lane();
        open.model.restart();
        let Some(index) = open.index.clone() else { return };
        let mut trouble = None;
        if let Some(runs) = &self.options.runs {
            match prepare(open, runs) {
                Ok(directory) => {
                    open.directory = Some(directory);
                    prune(runs);
                }
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
        let mut plan = lane_plan(&open.scenario, &open.mapping, self.options.driver, disk);
        if let Some(versions) = open.directory.as_ref().map(RunDirectory::versions) {
            plan.version_disk = Box::new(move |version| open_disk(&versions.join(version.to_string())));
        }
        let mut lane = Lane::new(plan, index);
        lane.repeat(&open.done);
        lane.invariants.know(open.publications.clone());
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

    /// Back to the paused start of the same run, in a fresh directory where there is something to keep of this one.
    pub(super) fn restart(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.lane.is_none() {
            return;
        }
        // What was not played leaves nothing behind: its directory is used again.
        let is_untouched = open.is_untouched();
        open.end_lane();
        open.done.clear();
        if !is_untouched {
            end_run(open);
        }
        self.renew();
        self.new_lane();
        self.set_flow(Flow::Paused, None);
    }

    /// To the paused start of the log under other settings: a run of its own, whose directory and scenario name them.
    pub(super) fn resettle(&mut self, settings: RunSettings) {
        let Some(open) = self.open.as_mut().filter(|open| open.lane.is_some()) else { return };
        if let Err(why) = settings.check() {
            return self.failed("play the run again with these settings", &why.to_string());
        }
        open.scenario.settings = settings;
        open.summary.guarantee = settings.guarantee;
        // What it was expected to come to was said of the other settings.
        open.scenario.expect = Expectations::default();
        self.restart();
        // A directory that is used again still names the settings before.
        let named = self.open.as_ref().and_then(|open| {
            open.directory.as_ref().map(|directory| directory.replace_start(&start_of(open)))
        });
        if let Some(Err(error)) = named {
            self.failed("keep the settings in the run's directory", &error.to_string());
        }
    }

    /// Back (or on) to a tick, by playing the same commands again. What was done after it is forgotten.
    pub(super) fn go_to(&mut self, tick: Tick) {
        let Some(open) = &mut self.open else { return };
        let Some(lane) = &open.lane else { return };
        if tick < lane.tick_now() {
            open.end_lane();
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
}
