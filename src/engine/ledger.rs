//! The ledger of reads: how often the stream read each record, over all attempts. Kept apart from the state, so that a
//! restore cannot make it forget.

use std::collections::BTreeMap;

use crate::{
    domain::{RangeCounts, Run},
    serving::Numbers,
};

/// What was read, and what the proof strip looks at.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    deliveries: RangeCounts,
    /// What would count twice if every read counted.
    read_again: Numbers,
    /// Positions of the newest crash: of the checkpoint on disk, of the memory.
    crash: Option<(u64, u64)>,
}

impl Ledger {
    /// The stream read the records `[from, to)`.
    pub fn read(&mut self, from: u64, to: u64) {
        self.deliveries.add(from, to);
    }

    /// The stream crashed at `position`; the newest checkpoint stands at `checkpoint`.
    pub fn crashed(&mut self, checkpoint: u64, position: u64) {
        self.crash = Some((checkpoint, position));
    }

    /// The stream goes on at `position`, which may be an older checkpoint than the newest.
    pub fn restored_at(&mut self, position: u64) {
        if let Some((checkpoint, _)) = &mut self.crash {
            *checkpoint = position;
        }
    }

    /// A replay is done: `numbers` were read once more.
    pub fn replay_done(&mut self, numbers: Numbers) {
        self.read_again.views += numbers.views;
        self.read_again.sum += numbers.sum;
    }

    /// How often each record was read, by record number.
    pub fn deliveries(&self) -> &RangeCounts {
        &self.deliveries
    }

    /// One past the highest record ever read.
    pub fn highest_read(&self) -> u64 {
        self.deliveries.runs().last().map_or(0, |run: &Run| run.end)
    }

    /// Views and sum of what was read more than once, once for each extra time.
    pub fn read_again(&self) -> Numbers {
        self.read_again
    }

    /// Records that were read more than once.
    pub fn read_more_than_once(&self) -> u64 {
        let mut histogram = BTreeMap::new();
        self.deliveries.tally(&mut histogram);
        histogram.range(2..).map(|(_, records)| records).sum()
    }

    /// Checkpoint and crash position of the newest crash.
    pub fn crash(&self) -> Option<(u64, u64)> {
        self.crash
    }
}
