//! Plays a scenario without a window, to its end, and holds it to its expectations.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use xxhash_rust::xxh3::xxh3_128;

use super::{
    describe::{plain_scenario, summary},
    driver::Driver,
    frame::{KappaFrame, LaneFrame},
    lane::{Lane, LanePlan, OpenDisk, OpenVersionDisk, Ticked},
    log_name::LogName,
    protocol::{Fact, LaneId, LogSummary, Tick, VersionDifferences},
    read_model::ReadModel,
    runs::{RunFileError, read_scenario},
    scenario::{Expectations, RunSettings, Scenario},
};
use crate::{
    checkpoint::{MemoryDisk, SharedDisk},
    domain::{DayRule, StreamOptions, StreamRules, Value},
    ingest::{LogDirectory, LogError, LogIndex, LogMatch, Mapping, MappingOptions, load, load_recorded},
    serving::VersionNumber,
};

/// A scenario with its log loaded.
#[derive(Debug, Clone)]
pub struct OpenScenario {
    /// As read, with the mapping resolved.
    pub scenario: Scenario,
    /// How records are read.
    pub mapping: Mapping,
    /// The log's files.
    pub log: LogDirectory,
    /// The log.
    pub index: Arc<LogIndex>,
    /// What the window shows of it.
    pub summary: LogSummary,
}

impl OpenScenario {
    /// Whether the log holds more than the scenario names, which it is played over: in words.
    pub fn log_has_more(&self) -> Option<String> {
        (self.index.log_match() == LogMatch::Grown).then(|| {
            let records = self.index.len();
            format!("the log holds more than this run names: it is played over the {records} records that it names")
        })
    }
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The file cannot be read or is no scenario.
    #[error(transparent)]
    File(#[from] RunFileError),
    /// Its log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Its log is another one than it names.
    #[error("{path:?}: {cause}")]
    OtherLog {
        /// The log.
        path: String,
        /// In which way.
        cause: String,
    },
}

/// What came of a run.
#[derive(Debug)]
pub struct Played {
    /// The run fingerprint.
    pub digest: String,
    /// The journal, one JSON line a fact.
    pub journal: String,
    /// Everything that happened.
    pub facts: Vec<(Tick, Fact)>,
    /// Where it ended.
    pub frame: LaneFrame,
    /// Where the Kappa lane ended, if there was one.
    pub kappa: Option<KappaFrame>,
    /// Why its two versions differ, if there were two.
    pub versions: Option<VersionDifferences>,
    /// When that was.
    pub tick: Tick,
    /// Expectations and invariants that do not hold; empty when all is well.
    pub failures: Vec<String>,
}

/// A hash of everything that decides results of a stream processor beside the guarantee, which a checkpoint names
/// itself. The same in a lane and headless.
pub fn settings_hash(mapping: &Mapping, options: &StreamOptions) -> u128 {
    let (mapping, options) = (mapping.settings_hash(), options.settings_text());
    xxh3_128(format!("stream 1\nmapping {mapping:032x}\n{options}").as_bytes())
}

/// By what a stream processor decides what counts. `mapping` is resolved, so its zone is known.
pub fn stream_rules(mapping: &Mapping, options: StreamOptions) -> StreamRules {
    let days = DayRule::parse(&mapping.zone).unwrap_or(DayRule::Utc);
    StreamRules { verdicts: mapping.rules(), days, options }
}

/// Reads a scenario file and loads its log.
pub fn open_scenario(path: &Path) -> Result<OpenScenario, PlayError> {
    let mut scenario = read_scenario(path)?;
    let log_path = scenario.log_path(path);
    let by_file = scenario.mapping.as_ref().is_some_and(|mapping| mapping.files_are_partitions);
    let log = LogDirectory::open(&log_path, by_file)?;
    let mapping = match &scenario.mapping {
        Some(mapping) => mapping.clone(),
        None => Mapping::resolve(&MappingOptions::default(), &log)?.0,
    };
    // Its text was checked when the file was read.
    let named = scenario.log_name().ok().flatten();
    let index = load_recorded(&log, &mapping, named.as_ref().and_then(LogName::recorded).as_ref())?;
    if let Some(cause) = named.and_then(|named| named.refuses(&index)) {
        return Err(PlayError::OtherLog { path: log_path.display().to_string(), cause });
    }
    scenario.log.path = log_path.display().to_string();
    let summary = summary(path, true, &scenario, &mapping, &log);
    Ok(OpenScenario { scenario, mapping, log, index, summary })
}

/// Loads a log as the window would open it. `options`: mapping options by their command-line names.
pub fn open_log(path: &Path, options: &[(String, String)]) -> Result<OpenScenario, PlayError> {
    let mut given = MappingOptions::default();
    for (name, value) in options {
        given.set(name, value)?;
    }
    let options = &given;
    let log = LogDirectory::open(path, options.files_are_partitions)?;
    let (mapping, _) = Mapping::resolve(options, &log)?;
    let index = load(&log, &mapping)?;
    let mut scenario = plain_scenario(path);
    scenario.settings = RunSettings::for_log(index.len());
    let summary = summary(path, false, &scenario, &mapping, &log);
    Ok(OpenScenario { scenario, mapping, log, index, summary })
}

/// The plan of a scenario's first lane.
pub fn lane_plan(scenario: &Scenario, mapping: &Mapping, driver: Driver, disk: OpenDisk) -> LanePlan {
    LanePlan {
        id: LaneId(0),
        settings: scenario.settings,
        rules: mapping.rules(),
        stream_rules: stream_rules(mapping, scenario.settings.stream_options()),
        settings_hash: settings_hash(mapping, &scenario.settings.stream_options()),
        mapping: mapping.clone(),
        commands: scenario.commands.clone(),
        faults: scenario.faults.clone(),
        driver,
        disk,
        version_disk: memory_disks(),
    }
}

/// A checkpoint directory in memory that outlives its processors.
pub fn memory_disk() -> OpenDisk {
    let disk = SharedDisk::new(MemoryDisk::new());
    Box::new(move || Ok(Box::new(disk.clone())))
}

/// The same for every version of a Kappa lane.
fn memory_disks() -> OpenVersionDisk {
    let disks: Mutex<BTreeMap<VersionNumber, SharedDisk>> = Mutex::new(BTreeMap::new());
    Box::new(move |version| {
        let mut disks = disks.lock().unwrap_or_else(PoisonError::into_inner);
        let disk = disks.entry(version).or_insert_with(|| SharedDisk::new(MemoryDisk::new()));
        Ok(Box::new(disk.clone()))
    })
}

/// Plays a scenario to its end, or to `stop`.
pub fn play(open: &OpenScenario, driver: Driver, stop: Option<Tick>) -> Played {
    let plan = lane_plan(&open.scenario, &open.mapping, driver, memory_disk());
    let mut lane = Lane::new(plan, Arc::clone(&open.index));
    let stop = stop.map(|tick| tick.0).or(open.scenario.until_tick);
    while stop.is_none_or(|stop| lane.tick_now().0 < stop) && lane.tick() == Ticked::On {
        if lane.is_stuck() {
            break;
        }
    }
    let mut model = ReadModel::default();
    let frame = model.frame(&mut lane);
    let mut failures = check(&open.scenario.expect, &lane, &frame);
    failures.extend(lane.take_troubles().into_iter().map(|(what, why)| format!("cannot {what}: {why}")));
    if let Some((id, counterexample)) = lane.first_broken() {
        failures.push(format!("{id} does not hold: {counterexample}"));
    }
    Played {
        digest: lane.journal().digest(),
        journal: lane.journal().lines().to_owned(),
        facts: lane.take_facts(),
        tick: lane.tick_now(),
        kappa: lane.kappa_frame(&model),
        versions: lane.comparison().map(|comparison| comparison.differences()),
        frame,
        failures,
    }
}

fn check(expect: &Expectations, lane: &Lane, frame: &LaneFrame) -> Vec<String> {
    let mut failures = Vec::new();
    let mut hold = |name: &str, expected: Option<String>, found: String| {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            failures.push(format!("{name}: expected {expected}, found {found}"));
        }
    };
    let text = |number: Option<u64>| number.map(|number| number.to_string());
    let merged = frame.merged_totals;
    hold("merged_views", text(expect.merged_views), merged.views.to_string());
    hold("merged_users", text(expect.merged_users), merged.users.to_string());
    hold("merged_sum", expect.merged_sum.clone(), Value::display_sum(merged.sum));
    hold(
        "merged_equals_recount",
        expect.merged_equals_recount.map(|expected| expected.to_string()),
        lane.merged_equals_recount().to_string(),
    );
    hold(
        "read_more_than_once",
        text(expect.read_more_than_once),
        lane.ledger.read_more_than_once().to_string(),
    );
    hold(
        "counted_more_than_once",
        text(expect.counted_more_than_once),
        lane.counted_more_than_once().to_string(),
    );
    hold("stream_crashes", text(expect.stream_crashes), lane.stream_crashes().to_string());
    hold(
        "invariants_hold",
        expect.invariants_hold.map(|expected| expected.to_string()),
        lane.first_broken().is_none().to_string(),
    );
    if let Some(kappa) = &expect.kappa {
        let found = lane.kappa_result();
        let number =
            |number: Option<VersionNumber>| number.map_or("none".to_owned(), |number| number.to_string());
        hold("kappa.serving", kappa.serving.map(|serving| number(Some(serving))), number(found.serving));
        hold("kappa.views", text(kappa.views), found.views.to_string());
        hold("kappa.stored_views", text(kappa.stored_views), found.stored_views.to_string());
        hold(
            "kappa.equals_batch",
            kappa.equals_batch.map(|is| is.to_string()),
            found.equals_batch.to_string(),
        );
        hold("kappa.late", text(kappa.late), found.late.to_string());
        hold("kappa.crashes", text(kappa.crashes), found.crashes.to_string());
        let again = found.read_more_than_once.to_string();
        hold("kappa.read_more_than_once", text(kappa.read_more_than_once), again);
    }
    hold("digest", expect.digest.clone(), lane.journal.digest());
    failures
}
