//! Scenario v1: a run as a file. Log, mapping, settings, commands, faults, expectations; the same file plays in the
//! window and headless, with the same digest.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    log_name::{LogName, NoLogName},
    protocol::{CrashTarget, KappaMoment, Knobs, LaneCommand},
};
use crate::{
    checkpoint::{CrashPoint, GuaranteeId},
    domain::{IDLE_AFTER_RECORDS, Lateness, StreamOptions, Uniques},
    ingest::Mapping,
    serving::VersionNumber,
};

/// The version of scenario files that this program reads and writes.
pub const SCENARIO_VERSION: u32 = 1;

/// No rate, capacity, interval or number to keep is larger: what is computed from them stays in range.
pub const MOST_RECORDS: u64 = 1_000_000_000_000;

/// A run that can be played again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// [`SCENARIO_VERSION`].
    pub rederive_scenario: u32,
    /// A short name.
    pub name: String,
    /// One or two sentences for the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<String>,
    /// The log that it plays.
    pub log: LogReference,
    /// How records are read; guessed where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// Rates, intervals and guarantee.
    pub settings: RunSettings,
    /// Commands in the order in which they come up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Planned>,
    /// Crashes at a record, armed from the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<PlannedFault>,
    /// Where the window pauses by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pause_at: Vec<Moment>,
    /// Ends the run at this tick though it is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_tick: Option<u64>,
    /// What must be true at the end.
    #[serde(default)]
    pub expect: Expectations,
}

/// Names a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogReference {
    /// Relative to the scenario file.
    pub path: String,
    /// Its identity: a version, a colon and hex, or a bare digest. A log that does not match is refused, one that only
    /// grew is played over the records that were there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// What decides a run beside log, mapping and commands. All rates are in records a second of simulated time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// Seed of the schedule.
    pub seed: u64,
    /// Arrivals.
    pub rate: u64,
    /// What the stream processor manages at most.
    pub stream_capacity: u64,
    /// What the batch processor manages.
    pub batch_capacity: u64,
    /// A batch run each time that this many more records have arrived; 0: only on demand and at the end.
    pub batch_every_records: u64,
    /// A checkpoint each time that the position passes a multiple of this; 0: only on demand.
    pub checkpoint_every_records: u64,
    /// Records a micro-batch.
    pub micro_batch_records: u64,
    /// Checkpoints kept, at least 2.
    pub retain: u64,
    /// What is saved when, and how output is written.
    #[serde(default)]
    pub guarantee: GuaranteeId,
    /// How late a record may be and still count in the stream: `inf`, or a duration such as `2h`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lateness: Lateness,
    /// A partition that was not read while the others read so many records no longer holds the watermark back.
    #[serde(default = "idle_after_records", skip_serializing_if = "is_usual_idle")]
    pub idle_after_records: u64,
    /// How the stream counts distinct users.
    #[serde(default, skip_serializing_if = "is_default")]
    pub uniques: Uniques,
}

// Defaults are left out of files and journals: what was written before these settings were there stays as it is.

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn idle_after_records() -> u64 {
    IDLE_AFTER_RECORDS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_usual_idle(records: &u64) -> bool {
    *records == IDLE_AFTER_RECORDS
}

impl RunSettings {
    /// Settings under which a log of `records` records tells its story: about three minutes for a long one, one minute
    /// for a few clicks.
    pub fn for_log(records: u64) -> Self {
        let few = records <= 200;
        let rate = if few { 1 } else { records.div_ceil(183) };
        let (batch_every, checkpoint_every) = if few {
            (records * 2 / 5, records / 4)
        } else {
            (rounded(records * 4000 / 31_106), rounded(records * 1000 / 31_106))
        };
        RunSettings {
            seed: 1,
            rate,
            stream_capacity: rate * 2,
            batch_capacity: rate * 4000 / 170,
            batch_every_records: batch_every.max(1),
            checkpoint_every_records: checkpoint_every.max(1),
            micro_batch_records: (rate / 85).max(1),
            retain: 3,
            guarantee: GuaranteeId::default(),
            lateness: Lateness::default(),
            idle_after_records: IDLE_AFTER_RECORDS,
            uniques: Uniques::default(),
        }
    }

    /// The intervals that trade freshness against cost.
    pub fn knobs(&self) -> Knobs {
        Knobs {
            batch_every: self.batch_every_records,
            micro_batch: self.micro_batch_records,
            checkpoint_every: self.checkpoint_every_records,
        }
    }

    /// The same with these knobs turned.
    #[must_use]
    pub fn turned(self, knobs: Knobs) -> Self {
        RunSettings {
            batch_every_records: knobs.batch_every,
            micro_batch_records: knobs.micro_batch,
            checkpoint_every_records: knobs.checkpoint_every,
            ..self
        }
    }

    /// What makes the stream's numbers approximate.
    pub fn stream_options(&self) -> StreamOptions {
        StreamOptions {
            lateness: self.lateness,
            idle_after_records: self.idle_after_records,
            uniques: self.uniques,
        }
    }
}

impl Default for RunSettings {
    fn default() -> Self {
        RunSettings::for_log(0)
    }
}

/// The first digit of a number, with zeros: what a person would choose.
fn rounded(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 10 {
        unit *= 10;
    }
    number / unit * unit
}

/// A command with the moment at which it comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// When.
    pub at: When,
    /// Which lane.
    #[serde(default)]
    pub lane: u16,
    /// What.
    pub command: LaneCommand,
}

/// A moment that a run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At this tick.
    Tick(u64),
    /// When the stream has counted this many records.
    Position(u64),
    /// When the batch view covers this many records.
    BatchCovers(u64),
    /// This many ticks after the latest crash of the stream.
    TicksAfterCrash(u64),
    /// A moment of the Kappa lane.
    Kappa(KappaMoment),
}

/// A crash at a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// Which lane.
    #[serde(default)]
    pub lane: u16,
    /// Which processor.
    pub target: CrashTarget,
    /// Where in its micro-batch (stream) or at all (batch).
    pub point: CrashPoint,
    /// 0-based record number in delivery order.
    pub record: u64,
}

/// Something a room should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// A batch view was published.
    BatchPublished,
    /// The stream processor crashed.
    StreamCrashed,
    /// It was started again.
    Restored,
    /// It has read again what it had read before.
    ReplayFinished,
    /// A version of the Kappa lane began.
    VersionStarted,
    /// A version crashed.
    VersionCrashed,
    /// Both versions stand at the same record.
    GateOpened,
    /// Readers changed over, or back.
    Switched,
}

/// What must be true at the end of a run; absent fields are not checked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// Page views of merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_views: Option<u64>,
    /// Distinct users of merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_users: Option<u64>,
    /// Sum of merged, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_sum: Option<String>,
    /// Whether merged is the full recount, cell by cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_equals_recount: Option<bool>,
    /// Records that were read more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_more_than_once: Option<u64>,
    /// Records that count more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_more_than_once: Option<u64>,
    /// Crashes of the stream processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_crashes: Option<u64>,
    /// Whether every invariant that the guarantee promises held at every step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invariants_hold: Option<bool>,
    /// Of the Kappa lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kappa: Option<KappaExpectations>,
    /// The journal's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What must be true of the Kappa lane at the end of a run; absent fields are not checked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KappaExpectations {
    /// The version that readers see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving: Option<VersionNumber>,
    /// Page views that they see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<u64>,
    /// Views that are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_views: Option<u64>,
    /// Whether what they see is the batch view of the same records under the settings of the version, cell by cell, but
    /// for the records that it lists as late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals_batch: Option<bool>,
    /// How many those are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
    /// Crashes of versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crashes: Option<u64>,
    /// Records that a version read more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_more_than_once: Option<u64>,
}

/// Why a scenario file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is no scenario, or one with a field that this version does not know.
    #[error("not a scenario of version {SCENARIO_VERSION}: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of another version.
    #[error("scenario version {0} is not known, this program reads version {SCENARIO_VERSION}")]
    Version(u32),
    /// It names its log in a way that this version does not know.
    #[error(transparent)]
    LogName(#[from] NoLogName),
    /// A setting that makes no run.
    #[error("setting \"{0}\" must be at least {1}")]
    TooSmall(&'static str, u64),
    /// A setting beyond all measure.
    #[error("setting \"{0}\" must be at most {1}")]
    TooLarge(&'static str, u64),
}

impl Scenario {
    /// Reads a scenario from its text.
    pub fn from_json(text: &str) -> Result<Scenario, ScenarioError> {
        /// Only the version: so that a newer file is refused for its version, not for a field.
        #[derive(Deserialize)]
        struct Version {
            rederive_scenario: u32,
        }
        let version: Version = serde_json::from_str(text)?;
        if version.rederive_scenario != SCENARIO_VERSION {
            return Err(ScenarioError::Version(version.rederive_scenario));
        }
        let scenario: Scenario = serde_json::from_str(text)?;
        scenario.settings.check()?;
        scenario.log_name()?;
        Ok(scenario)
    }

    /// The text of a scenario file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The log that it names, if it does.
    pub fn log_name(&self) -> Result<Option<LogName>, NoLogName> {
        self.log.identity.as_deref().map(LogName::parse).transpose()
    }

    /// The log's path, seen from where the scenario file lies.
    pub fn log_path(&self, scenario_file: &Path) -> std::path::PathBuf {
        scenario_file.parent().unwrap_or(Path::new("")).join(&self.log.path)
    }
}

impl RunSettings {
    /// Whether a run can be made of these settings.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let at_least = [
            ("rate", self.rate, 1),
            ("stream_capacity", self.stream_capacity, 1),
            ("batch_capacity", self.batch_capacity, 1),
            ("micro_batch_records", self.micro_batch_records, 1),
            ("retain", self.retain, 2),
        ];
        if let Some((name, _, least)) = at_least.into_iter().find(|&(_, value, least)| value < least) {
            return Err(ScenarioError::TooSmall(name, least));
        }
        let intervals = [
            ("batch_every_records", self.batch_every_records),
            ("checkpoint_every_records", self.checkpoint_every_records),
        ];
        let named = at_least.into_iter().map(|(name, value, _)| (name, value)).chain(intervals);
        let too_large = named.into_iter().find(|&(_, value)| value > MOST_RECORDS);
        too_large.map_or(Ok(()), |(name, _)| Err(ScenarioError::TooLarge(name, MOST_RECORDS)))
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Tick(tick) => write!(f, "tick {tick}"),
            When::Position(record) => write!(f, "record {record}"),
            When::BatchCovers(records) => write!(f, "batch at {records}"),
            When::TicksAfterCrash(ticks) => write!(f, "{ticks} ticks after the crash"),
            When::Kappa(KappaMoment::GateOpen) => f.write_str("both versions at the same record"),
            When::Kappa(KappaMoment::Reads { version, record }) => {
                write!(f, "version {version} at record {record}")
            }
            When::Kappa(KappaMoment::TicksAfterCrash { version, ticks }) => {
                write!(f, "{ticks} ticks after the crash of version {version}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
        "rederive_scenario": 1, "name": "crash", "log": {"path": "shop"},
        "settings": {"seed": 1, "rate": 170, "stream_capacity": 340, "batch_capacity": 4000,
                     "batch_every_records": 4000, "checkpoint_every_records": 1000, "micro_batch_records": 2, "retain": 3},
        "commands": [{"at": {"position": 14734}, "command": {"crash": {"target": "stream", "when": "now"}}},
                     {"at": {"ticks_after_crash": 300}, "command": {"restore": null}}],
        "expect": {"merged_views": 31106}
    }"#;

    #[test]
    fn scenarios_round_trip_and_know_what_they_do_not_know() {
        let scenario = Scenario::from_json(TEXT).unwrap();
        assert_eq!(Scenario::from_json(&scenario.to_json()).unwrap(), scenario);
        let newer = TEXT.replace("\"rederive_scenario\": 1", "\"rederive_scenario\": 2, \"new\": 3");
        assert!(matches!(Scenario::from_json(&newer), Err(ScenarioError::Version(2))));
        let named = TEXT.replace(r#""path": "shop""#, r#""path": "shop", "identity": "2:00""#);
        assert!(Scenario::from_json(&named).unwrap_err().to_string().contains("2:00"));
        let unknown = TEXT.replace("\"name\"", "\"nmae\"");
        assert!(Scenario::from_json(&unknown).unwrap_err().to_string().contains("nmae"));
        let zero = TEXT.replace("\"rate\": 170", "\"rate\": 0");
        assert_eq!(
            Scenario::from_json(&zero).unwrap_err().to_string(),
            "setting \"rate\" must be at least 1"
        );
    }

    #[test]
    fn the_shop_log_gets_the_story_of_the_design() {
        let settings = RunSettings::for_log(31_106);
        assert_eq!((settings.rate, settings.stream_capacity, settings.batch_capacity), (170, 340, 4000));
        assert_eq!((settings.batch_every_records, settings.checkpoint_every_records), (4000, 1000));
        let few = RunSettings::for_log(20);
        assert_eq!((few.rate, few.micro_batch_records, few.checkpoint_every_records), (1, 1, 5));
    }
}
