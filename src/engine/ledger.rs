//! The ledger of reads: how often the stream read each record, over all attempts. Kept apart from the state, so that a
//! restore cannot make it forget.

use std::collections::BTreeMap;

use super::recount::Recount;
use crate::{
    domain::{RangeCounts, Run},
    ingest::LogIndex,
};

/// What was read, and what the proof strip looks at.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    deliveries: RangeCounts,
    crash: Option<CrashSpan>,
}

/// What the newest crash is about, in record numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashSpan {
    /// Where the stream goes on: the newest checkpoint, then the restored one.
    pub checkpoint: u64,
    /// What its memory had counted.
    pub position: u64,
    /// One past the highest record that had ever been read.
    pub read_to: u64,
}

impl Ledger {
    /// The stream read the records `[from, to)`.
    pub fn read(&mut self, from: u64, to: u64) {
        self.deliveries.add(from, to);
    }

    /// The stream crashed at `position`; the newest checkpoint stands at `checkpoint`.
    pub fn crashed(&mut self, checkpoint: u64, position: u64) {
        self.crash = Some(CrashSpan { checkpoint, position, read_to: self.highest_read() });
    }

    /// The stream goes on at `position`, which may be an older checkpoint than the newest.
    pub fn restored_at(&mut self, position: u64) {
        if let Some(crash) = &mut self.crash {
            crash.checkpoint = position;
        }
    }

    /// How often each record was read, by record number.
    pub fn deliveries(&self) -> &RangeCounts {
        &self.deliveries
    }

    /// One past the highest record ever read.
    pub fn highest_read(&self) -> u64 {
        self.deliveries.runs().last().map_or(0, |run: &Run| run.end)
    }

    /// Page views of what was read more than once, once for each extra time.
    pub fn read_again_views(&self, index: &LogIndex) -> u64 {
        let again = self.deliveries.runs().iter().filter(|run| run.count > 1);
        again.map(|run| Recount::between(index, run.start, run.end).views * u64::from(run.count - 1)).sum()
    }

    /// How often records of a kind were read again: once for each time after the first.
    pub fn read_again(&self, is_of_kind: impl Fn(u64) -> bool) -> u64 {
        let again = self.deliveries.runs().iter().filter(|run| run.count > 1);
        let of_kind = |run: &Run| (run.start..run.end).filter(|number| is_of_kind(*number)).count() as u64;
        again.map(|run| of_kind(run) * u64::from(run.count - 1)).sum()
    }

    /// Records that were read more than once.
    pub fn read_more_than_once(&self) -> u64 {
        let mut histogram = BTreeMap::new();
        self.deliveries.tally(&mut histogram);
        histogram.range(2..).map(|(_, records)| records).sum()
    }

    /// The newest crash.
    pub fn crash(&self) -> Option<CrashSpan> {
        self.crash
    }
}
