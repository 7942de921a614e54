//! A log that is open in a session, and the thread that loads it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::{SendTimeoutError, Sender};

use super::{
    frame::Loading,
    lane::Lane,
    log_name::LogName,
    protocol::{LaneCommand, LogSummary, RunId},
    read_model::ReadModel,
    runs::RunDirectory,
    scenario::Scenario,
    theirs::Comparing,
};
use crate::{
    domain::Fingerprint,
    ingest::{LoadEvent, LogDirectory, LogIndex, Mapping},
};

/// From this size (as stored) on a log is played while it is still being loaded, with settings from an estimate.
const PLAY_WHILE_LOADING_BYTES: u64 = 64 << 20;

/// How long the loader waits for room before it looks whether anybody still listens.
const LAST_LOAD_WAIT: Duration = Duration::from_millis(50);

/// What the loader tells, with the run that it loads for.
pub(super) struct Loaded {
    pub(super) run: RunId,
    pub(super) event: LoadEvent,
}

/// A log that is open.
pub(super) struct OpenLog {
    pub(super) summary: LogSummary,
    pub(super) log: LogDirectory,
    /// The log that the run names, where it does.
    pub(super) name: Option<LogName>,
    pub(super) mapping: Mapping,
    /// What the run plays; settings are final once a lane is there.
    pub(super) scenario: Scenario,
    pub(super) has_settings: bool,
    pub(super) index: Option<Arc<LogIndex>>,
    pub(super) lane: Option<Lane>,
    pub(super) model: ReadModel,
    /// Fingerprints of what batch runs of earlier playings published, by cut.
    pub(super) publications: BTreeMap<u64, Fingerprint>,
    /// Comparisons with views of theirs.
    pub(super) comparing: Arc<Comparing>,
    /// The run was kept and is gone on with.
    pub(super) is_continued: bool,
    /// What a person did, with ticks.
    pub(super) done: Vec<(u64, LaneCommand)>,
    pub(super) directory: Option<RunDirectory>,
    /// How much of the log the directory names.
    pub(super) named_records: u64,
    pub(super) play_when_ready: bool,
    /// Where an interrupted run was.
    pub(super) go_to_when_ready: Option<u64>,
    pub(super) cancel: Arc<AtomicBool>,
    /// Nobody takes what the loader tells any more.
    pub(super) abandoned: Arc<AtomicBool>,
    pub(super) loader: Option<thread::JoinHandle<()>>,
    pub(super) cancelled: bool,
    /// The run under which loading was started.
    pub(super) loads_as: RunId,
}

impl OpenLog {
    /// Ends the lane, keeping what its batch runs published for the next one to be held to.
    pub(super) fn end_lane(&mut self) {
        if let Some(lane) = self.lane.take() {
            self.publications.clone_from(lane.invariants.publications());
        }
    }

    /// Whether the run stands at its start, untouched: nothing of it is worth keeping.
    pub(super) fn is_untouched(&self) -> bool {
        let at_start = self.lane.as_ref().is_none_or(|lane| lane.tick_now().0 == 0);
        at_start && self.done.is_empty() && !self.is_continued
    }

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
    pub(super) fn expected_records(index: &LogIndex) -> u64 {
        let (bytes, total) = index.disk_bytes();
        if index.is_last() || bytes == 0 {
            return index.len();
        }
        u64::try_from(u128::from(index.len()) * u128::from(total) / u128::from(bytes)).unwrap_or(u64::MAX)
    }

    pub(super) fn is_ready(&self, index: &LogIndex) -> bool {
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

/// Hands loads to the session. A step that finds no room is left out, the next one says more; the last one waits, but
/// never for a session that has turned away.
pub(super) fn publisher(
    run: RunId,
    loads: Sender<Loaded>,
    abandoned: Arc<AtomicBool>,
) -> impl FnMut(LoadEvent) + Send {
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
