//! The Kappa lane at one moment, and Lambda and Kappa side by side.

use std::sync::Arc;

pub use crate::serving::Role;

use super::{Band, CheckpointInfo, InvariantStatus, OutlinePoint, Proof, Totals};
use crate::{
    checkpoint::CrashPoint,
    domain::{Day, EventTime, StreamOptions},
    engine::protocol::{CheckpointId, VersionSettings},
    serving::VersionNumber,
};

/// How the processor of a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionState {
    /// It reads what has arrived before and now.
    #[default]
    CatchingUp,
    /// It has read everything that has arrived.
    UpToDate,
    /// It reads again what it had read before its crash.
    Rereading {
        /// First record read again.
        from: u64,
        /// One past the last.
        to: u64,
    },
    /// It is gone with its memory; its view stays.
    Crashed {
        /// Where in the micro-batch.
        point: CrashPoint,
        /// The newest checkpoint on disk and its position.
        checkpoint: Option<(CheckpointId, u64)>,
    },
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFrame {
    /// Which.
    pub number: VersionNumber,
    /// How it reads.
    pub settings: VersionSettings,
    /// How its processor stands.
    pub state: VersionState,
    /// How often its processor was started.
    pub attempt: u32,
    /// Records that its memory has counted.
    pub position: u64,
    /// Records that its view holds.
    pub view_position: u64,
    /// What its view says.
    pub totals: Totals,
    /// Records that it dropped as late, and that are missing from its view for good.
    pub late: u64,
    /// What makes its numbers approximate.
    pub options: StreamOptions,
    /// Event time up to which its memory takes days for complete.
    pub watermark: Option<EventTime>,
    /// Rows of its view.
    pub cells: u64,
    /// Checkpoints on disk, newest first.
    pub checkpoints: Arc<[CheckpointInfo]>,
    /// Records that it read.
    pub reads: u64,
    /// Of them, the distinct ones.
    pub records: u64,
    /// Ticks since it was started.
    pub age_ticks: u64,
    /// Records a second of simulated time that it manages.
    pub capacity: u64,
}

/// A page or a day in both views.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionGroup {
    /// Page text or date.
    pub label: String,
    /// The page; `None` for a day and for the rest.
    pub page: Option<String>,
    /// The day; `None` for a page and for the rest.
    pub day: Option<Day>,
    /// In the view that readers see.
    pub serving: Totals,
    /// In the other one.
    pub other: Totals,
    /// Full recount of the whole loaded log under the settings of the run.
    pub log: Totals,
}

/// What kind of moment of a version a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionMarkKind {
    /// It began at record 0, into a new view.
    Started,
    /// A checkpoint was written.
    Checkpoint,
    /// Its processor crashed.
    Crashed,
    /// It was started again.
    Restored,
    /// Its replay was done.
    ReplayFinished,
    /// Readers see it from now on.
    Serves,
    /// Its view is gone.
    Deleted,
}

/// A moment of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionMark {
    /// When.
    pub tick: u64,
    /// Which version.
    pub version: VersionNumber,
    /// What.
    pub kind: VersionMarkKind,
    /// The position that it is about.
    pub record: u64,
}

/// What happened in one place of the lane, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionTrack {
    /// Moments.
    pub marks: Arc<[VersionMark]>,
    /// Down times and replays.
    pub bands: Arc<[Band]>,
}

/// Where both versions stood at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KappaPoint {
    /// When.
    pub tick: u64,
    /// The versions in their places.
    pub versions: [Option<VersionPoint>; 2],
    /// Which one served.
    pub serving: Option<VersionNumber>,
    /// What readers saw.
    pub served: Totals,
}

/// Where a version stood at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionPoint {
    /// Which.
    pub version: VersionNumber,
    /// Its memory; `None` while crashed.
    pub memory: Option<Totals>,
    /// Records that its memory has counted.
    pub position: u64,
    /// Its view.
    pub view: Totals,
    /// Records that its view holds.
    pub view_position: u64,
    /// Whether the view was older than the memory.
    pub is_stale: bool,
}

/// What one of the two constructions costs on this run. Simulated numbers come from run time, measured ones from the
/// machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Construction {
    /// The folds and merges that have made what readers see; where there are several, they have to agree.
    pub code: Arc<[&'static str]>,
    /// Views that are stored now.
    pub stored_views: u64,
    /// Their rows.
    pub stored_cells: u64,
    /// Records read, repeated reads included.
    pub reads: u64,
    /// Distinct records read.
    pub records: u64,
    /// Wall time of the processors' steps, measured, in microseconds.
    pub micros: u64,
    /// Bytes written to disk.
    pub bytes_written: u64,
    /// Files synced.
    pub fsyncs: u64,
    /// Ticks by which what readers see lags behind the newest arrival.
    pub age_ticks: u64,
    /// Records that have arrived and that readers do not see.
    pub behind_records: u64,
    /// What a change of rules takes.
    pub change: RuleChange,
}

/// Whether a change of rules was made in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Known {
    /// Computed from what has arrived and from the capacities of the run.
    #[default]
    Computed,
    /// Measured on the newest change.
    Measured,
}

/// What it takes to bring all that readers see under other rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleChange {
    /// Computed or measured.
    pub known: Known,
    /// The commands, in order, in words.
    pub commands: Arc<[&'static str]>,
    /// Records read for it.
    pub reads: u64,
    /// Ticks during which readers see fewer records than before.
    pub ticks_short: u64,
    /// Ticks until readers see the new rules; `None`: never, at these rates.
    pub ticks_to_answer: Option<u64>,
    /// Commands that bring the old rules back.
    pub commands_back: u64,
}

/// The Kappa lane at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KappaFrame {
    /// The version that readers see; `None` before the first was started.
    pub serving: Option<VersionFrame>,
    /// The other one, and what it is there for.
    pub other: Option<(Role, VersionFrame)>,
    /// Why readers cannot change over now; `None`: they can.
    pub closed: Option<String>,
    /// Records that have arrived.
    pub arrived: u64,
    /// Top pages of the log and, last, the rest.
    pub by_page: Arc<[VersionGroup]>,
    /// Days of both views, in order.
    pub by_day: Arc<[VersionGroup]>,
    /// What happened in each place.
    pub tracks: [VersionTrack; 2],
    /// The proof strip of the version that crashed last.
    pub proof: Option<(VersionNumber, Arc<Proof>)>,
    /// Over run time, thinned.
    pub series: Arc<[KappaPoint]>,
    /// Full recount of the log under the settings of the run, over run time.
    pub outline: Arc<[OutlinePoint]>,
    /// What has been checked.
    pub invariants: Arc<[InvariantStatus]>,
    /// The Lambda lane of this run.
    pub lambda_cost: Construction,
    /// The Kappa lane.
    pub kappa_cost: Construction,
    /// Commands to the Kappa lane so far, with their ticks, in words.
    pub steps: Arc<[(u64, String)]>,
}
