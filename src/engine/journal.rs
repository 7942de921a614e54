//! The run as an append-only list of facts with a rolling digest: same log, settings and commands, same bytes.
//!
//! One JSON line a fact. No wall time. The digest is chained over the lines, so two runs agree in it exactly when they
//! agree in every line.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    protocol::{Fact, LaneCommand, LaneId, Tick},
    scenario::{PlannedFault, RunSettings},
};
use crate::ingest::Mapping;

/// Version of journal files.
pub const JOURNAL_VERSION: u32 = 1;

/// A digest mark is written every so many ticks.
pub const MARK_EVERY_TICKS: u64 = 1_024;

/// A line's content beside its moment.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Entry<'a> {
    /// First line: what decides the run beside its log and its commands.
    Header {
        /// [`JOURNAL_VERSION`].
        rederive_journal: u32,
        /// How records are read.
        mapping: &'a Mapping,
        /// Rates, intervals, guarantee.
        settings: RunSettings,
        /// Crashes armed from the start.
        faults: &'a [PlannedFault],
    },
    /// A command as it was carried out.
    Command {
        /// What.
        command: LaneCommand,
    },
    /// Something happened.
    Fact(&'a Fact),
    /// Where everything stands.
    Mark {
        /// Always `mark`.
        fact: &'static str,
        /// Records arrived.
        arrived: u64,
        /// Records that the stream has counted.
        position: u64,
        /// Records that the batch view covers.
        batch_covers: u64,
        /// Page views of merged.
        merged_views: u64,
        /// The digest of all lines before.
        digest: String,
    },
    /// The run is over.
    Finished {
        /// Always `finished`.
        fact: &'static str,
        /// Page views of merged.
        merged_views: u64,
        /// Fingerprint of merged.
        fingerprint: String,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    tick: u64,
    lane: u16,
    #[serde(flatten)]
    entry: &'a Entry<'a>,
}

/// The journal of one run.
#[derive(Debug, Default)]
pub struct Journal {
    digest: u128,
    /// Lines not handed to the file yet.
    pending: String,
    file: Option<File>,
}

impl Journal {
    /// In memory only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes all lines to a new file from now on, as the journal grows.
    pub fn save_to(&mut self, path: &Path) -> io::Result<()> {
        self.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        self.flush()
    }

    /// Adds a line.
    pub fn append(&mut self, tick: Tick, lane: LaneId, entry: &Entry<'_>) {
        let content = Line { tick: tick.0, lane: lane.0, entry };
        // Serialising our own plain types cannot fail; an empty line would still change the digest.
        let text = serde_json::to_string(&content).unwrap_or_default();
        let mut chained = self.digest.to_le_bytes().to_vec();
        chained.extend_from_slice(text.as_bytes());
        self.digest = xxh3_128(&chained);
        self.pending.push_str(&text);
        self.pending.push('\n');
    }

    /// The digest of all lines so far.
    pub fn digest(&self) -> String {
        format!("{:032x}", self.digest)
    }

    /// Hands what is new to the file, if there is one. A file that fails is given up: part of a line may be in it, and
    /// nothing must come behind that.
    pub fn flush(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = file.write_all(self.pending.as_bytes());
        match written {
            Ok(()) => self.pending.clear(),
            Err(_) => self.file = None,
        }
        written
    }

    /// The lines that no file has taken.
    pub fn lines(&self) -> &str {
        &self.pending
    }
}

/// What a saved journal says of how far its run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last tick of the journal.
    pub last_tick: u64,
    /// Whether the run came to its end.
    pub finished: bool,
}

/// Reads how far a journal goes; a torn last line (the program was killed) is passed over.
pub fn progress(text: &str) -> Progress {
    let mut progress = Progress::default();
    for line in text.lines() {
        let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { break };
        let tick = line.get("tick").and_then(serde_json::Value::as_u64).unwrap_or(0);
        progress.last_tick = progress.last_tick.max(tick);
        progress.finished |= line.get("fact").is_some_and(|fact| fact == "finished");
    }
    progress
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_sees_every_line_and_their_order() {
        let fact = |position| Fact::StreamFinished { position };
        let digest = |positions: &[u64]| {
            let mut journal = Journal::new();
            for &position in positions {
                journal.append(Tick(1), LaneId(0), &Entry::Fact(&fact(position)));
            }
            journal.digest()
        };
        assert_eq!(digest(&[1, 2]), digest(&[1, 2]));
        assert_ne!(digest(&[1, 2]), digest(&[2, 1]));
        assert_ne!(digest(&[1, 2]), digest(&[1]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_once() {
        let mut journal = Journal::new();
        journal.save_to(Path::new("/dev/full")).unwrap();
        journal.append(Tick(1), LaneId(0), &Entry::Fact(&Fact::Started));
        assert_eq!(journal.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        journal.append(Tick(2), LaneId(0), &Entry::Fact(&Fact::Started));
        journal.flush().unwrap();
        assert_eq!(journal.lines().lines().count(), 2);
    }

    #[test]
    fn lines_are_readable() {
        let mut journal = Journal::new();
        journal.append(Tick(7), LaneId(0), &Entry::Command { command: LaneCommand::Restore(None) });
        journal.append(Tick(8), LaneId(0), &Entry::Fact(&Fact::StreamFinished { position: 3 }));
        let expected = "{\"tick\":7,\"lane\":0,\"command\":{\"restore\":null}}\n\
                        {\"tick\":8,\"lane\":0,\"fact\":\"stream_finished\",\"position\":3}\n";
        assert_eq!(journal.lines(), expected);
        let torn = format!("{expected}{{\"tick\":9,\"la");
        assert_eq!(progress(&torn), Progress { last_tick: 8, finished: false });
    }
}
