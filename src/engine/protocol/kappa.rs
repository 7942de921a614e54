//! What is asked of the Kappa lane and what it tells.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CheckpointId, CrashWhen};
pub use crate::serving::VersionNumber;
use crate::{
    checkpoint::CrashPoint,
    domain::{Day, Lateness, Uniques, ZoneName},
    engine::frame::Totals,
};

/// What a repeated id means in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// Only the first record of an id counts.
    Drop,
    /// Every record counts.
    Count,
}

/// What a record without a user means in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoUser {
    /// It does not count.
    Skip,
    /// It counts as a page view, never as a user.
    Count,
}

/// How a version reads the log; what is not said is as the run reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionSettings {
    /// Days are of this zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneName>,
    /// What a repeated id means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Duplicates>,
    /// What a missing user means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_user: Option<NoUser>,
    /// How late a record may be and still count: for ever, or a duration such as `2h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness: Option<Lateness>,
    /// A partition that was not read while the others read so many records no longer holds the watermark back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_after_records: Option<u64>,
    /// How distinct users are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uniques: Option<Uniques>,
}

impl fmt::Display for VersionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.zone.map(|zone| format!("days in {zone}")),
            self.duplicates.map(|duplicates| match duplicates {
                Duplicates::Drop => "duplicate ids dropped".to_owned(),
                Duplicates::Count => "duplicate ids counted".to_owned(),
            }),
            self.no_user.map(|no_user| match no_user {
                NoUser::Skip => "records without a user skipped".to_owned(),
                NoUser::Count => "records without a user counted".to_owned(),
            }),
            self.lateness.map(|lateness| match lateness {
                Lateness::Unbounded => "nothing is late".to_owned(),
                Lateness::Within(_) => format!("late {lateness} after the end of the day"),
            }),
            self.idle_after_records.map(|records| format!("a partition idle after {records} records")),
            self.uniques.map(|uniques| match uniques {
                Uniques::Set => "users in sets".to_owned(),
                Uniques::Hll => "users in sketches".to_owned(),
            }),
        ];
        let said: Vec<String> = parts.into_iter().flatten().collect();
        if said.is_empty() { f.write_str("settings of the run") } else { f.write_str(&said.join(", ")) }
    }
}

/// A recorded command to the Kappa lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KappaCommand {
    /// Starts the lane: version 1 reads from record 0 under the settings of the run.
    Start,
    /// Starts the next version at record 0, into a new view.
    StartVersion(VersionSettings),
    /// Readers see the next version from now on.
    Switch,
    /// Readers see the old version again.
    RollBack,
    /// Deletes the view and the checkpoints of a version that does not serve.
    Delete(VersionNumber),
    /// Ends the processor of a version abruptly.
    Crash {
        /// Which version.
        version: VersionNumber,
        /// When.
        when: CrashWhen,
    },
    /// Starts the processor of a version again from a checkpoint: the newest restorable one, or the named one.
    Restore {
        /// Which version.
        version: VersionNumber,
        /// From which checkpoint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint: Option<CheckpointId>,
    },
    /// Starts the processor of a version again from record 0, setting its old files aside.
    RestoreFromStart(VersionNumber),
    /// Writes a checkpoint of a version after its current micro-batch.
    Checkpoint(VersionNumber),
}

/// A moment that the Kappa lane comes to, for a planned command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KappaMoment {
    /// Both versions are up and their views stand at the same vector.
    GateOpen,
    /// A version has read up to this record.
    Reads {
        /// Which version.
        version: VersionNumber,
        /// The record.
        record: u64,
    },
    /// So many ticks after the latest crash of a version that is still down.
    TicksAfterCrash {
        /// Which version.
        version: VersionNumber,
        /// How many.
        ticks: u64,
    },
}

/// A lifecycle fact of the Kappa lane. Positions are record numbers in delivery order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum KappaFact {
    /// A version begins at record 0, into a new view.
    VersionStarted {
        /// Which.
        version: VersionNumber,
        /// How it reads, in words.
        settings: String,
        /// Records that had arrived: what it has to catch up with at least.
        arrived: u64,
    },
    /// A version has read everything that has arrived, for the first time.
    CaughtUp {
        /// Which.
        version: VersionNumber,
        /// Its position.
        position: u64,
    },
    /// Both views stand at the same vector, for the first time since the version started or crashed.
    GateOpened {
        /// The version that serves.
        serving: VersionNumber,
        /// The other one.
        other: VersionNumber,
        /// Records that both views hold.
        position: u64,
    },
    /// Readers changed over to the next version.
    Switched {
        /// Served until now.
        from: VersionNumber,
        /// Serves from now on.
        to: VersionNumber,
        /// Records that both views hold.
        position: u64,
        /// Page views that readers saw before.
        views_before: u64,
        /// Page views that they see now.
        views_after: u64,
        /// Fingerprint of the view that they see now.
        fingerprint: String,
    },
    /// Readers changed back to the old version.
    RolledBack {
        /// Served until now.
        from: VersionNumber,
        /// Serves again.
        to: VersionNumber,
        /// Records that both views hold.
        position: u64,
    },
    /// A view that did not serve is gone, with its checkpoints.
    Deleted {
        /// Which version.
        version: VersionNumber,
        /// Rows that its view had.
        cells: u64,
    },
    /// A checkpoint of a version is on disk.
    CheckpointWritten {
        /// Which version.
        version: VersionNumber,
        /// Its number.
        id: CheckpointId,
        /// All records before it, none after it.
        position: u64,
        /// Size of the file.
        bytes: u64,
    },
    /// The processor of a version is gone; its view stays.
    Crashed {
        /// Which version.
        version: VersionNumber,
        /// Where in the micro-batch.
        point: CrashPoint,
        /// Records that it had counted.
        position: u64,
        /// The newest checkpoint on disk.
        checkpoint: Option<(CheckpointId, u64)>,
    },
    /// The processor of a version was started again.
    Restored {
        /// Which version.
        version: VersionNumber,
        /// From which checkpoint; `None`: from record 0.
        checkpoint: Option<CheckpointId>,
        /// Where it goes on.
        position: u64,
        /// Up to where it reads again what was read before.
        replay_to: u64,
    },
    /// No checkpoint of a version could be restored.
    RestoreRefused {
        /// Which version.
        version: VersionNumber,
        /// Each file with its reason.
        refused: Vec<(String, String)>,
    },
    /// A version has read again everything that it had read before its crash.
    ReplayFinished {
        /// Which version.
        version: VersionNumber,
        /// First record read again.
        from: u64,
        /// One past the last.
        to: u64,
        /// Page views of its view now.
        views: u64,
        /// Page views of a batch fold of the same records under the same settings.
        recount_views: u64,
        /// Of them, those that the version dropped as late.
        #[serde(skip_serializing_if = "super::facts::is_none")]
        late: u64,
        /// Whether the state is byte for byte that of a version that never crashed.
        same_as_never_crashed: bool,
    },
    /// Where the lane stands, now and then and at the end.
    Mark {
        /// The version that serves.
        serving: VersionNumber,
        /// Records that its view holds.
        position: u64,
        /// Page views that readers see.
        views: u64,
        /// Fingerprint of what they see.
        fingerprint: String,
    },
}

/// Why two versions differ: the one that serves (first) minus the other one (second).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionDifferences {
    /// The version that serves.
    pub first: VersionNumber,
    /// The other one.
    pub second: VersionNumber,
    /// Records that the first view holds.
    pub first_at: u64,
    /// Records that the second view holds.
    pub second_at: u64,
    /// Over all days.
    pub total: DayCauses,
    /// Days on which they differ, in order.
    pub days: Vec<DayCauses>,
    /// How many days there are in both together.
    pub all_days: u64,
}

/// A day in both views, with the causes by which it differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayCauses {
    /// The day; `None` for all days together.
    pub day: Option<Day>,
    /// In the first view.
    pub first: Totals,
    /// In the second view.
    pub second: Totals,
    /// The unexplained first; page views add up to first minus second.
    pub causes: Vec<VersionCause>,
}

/// What one cause makes of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionCause {
    /// Its id in files.
    pub cause: &'static str,
    /// Records behind it.
    pub records: u64,
    /// Its part in page views.
    pub views: i64,
    /// Its part in unique users.
    pub users: i64,
}
