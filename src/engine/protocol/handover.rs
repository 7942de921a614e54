//! The hand-over from batch to speed: how a person sets it up, and what comes of it.

use super::Tick;
use crate::{
    domain::{EventTime, Offsets},
    engine::frame::Totals,
};

pub use crate::serving::{BoundaryRule, MergedUsers};

/// Where batch is cut and where speed starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandoverSetup {
    /// Where speed starts, unless `starts` says it.
    pub rule: BoundaryRule,
    /// Batch covers `[0, cut)`; `None`: what is published.
    pub cut: Option<Offsets>,
    /// Where speed starts in each partition, set by hand.
    pub starts: Option<Offsets>,
}

/// What comes of a hand-over. Record counts are of records that count; the others are in no view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandoverAnswer {
    /// When it was asked, in run time.
    pub tick: Tick,
    /// In partition order.
    pub partitions: Vec<HandoverPartition>,
    /// Offsets that a bin of a partition spans.
    pub bin_records: u64,
    /// By event time: what happened after this is speed's. `None` where batch has seen no time, and for other rules.
    pub after: Option<EventTime>,
    /// The batch view.
    pub batch: Totals,
    /// The speed view.
    pub speed: Totals,
    /// Distinct users of both, united.
    pub united_users: u64,
    /// The same where those of speed come as sketches.
    pub sketched_users: u64,
    /// The full recount of everything that batch or speed has read.
    pub recount: Totals,
    /// The command line that computes the same, without the choice of users.
    pub command: String,
}

/// A partition at a hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandoverPartition {
    /// Its name.
    pub name: String,
    /// Records that have arrived.
    pub arrived: u64,
    /// Batch covers `[0, cut)`.
    pub cut: u64,
    /// Speed starts here; `None` where a time decides.
    pub start: Option<u64>,
    /// The stream has read `[0, position)`.
    pub position: u64,
    /// Number in delivery order of the first record at or above the cut.
    pub cut_record: u64,
    /// Number in delivery order of the first record at or above the start.
    pub start_record: Option<u64>,
    /// Records that both views count.
    pub twice: u64,
    /// Records that neither view counts, though one of them has read so far.
    pub nowhere: u64,
    /// Records that are speed's and that it dropped as late; the next batch run counts them.
    pub late: u64,
    /// What became of the records, [`HandoverAnswer::bin_records`] offsets a bin.
    pub bins: Vec<HandoverBin>,
}

/// Records of a run of offsets, by the views that count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandoverBin {
    /// Batch alone.
    pub batch: u64,
    /// Speed alone.
    pub speed: u64,
    /// Both.
    pub twice: u64,
    /// Neither.
    pub nowhere: u64,
    /// Dropped as late.
    pub late: u64,
}

impl HandoverAnswer {
    /// Records that both views count.
    pub fn twice(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.twice).sum()
    }

    /// Records that neither view counts.
    pub fn nowhere(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.nowhere).sum()
    }

    /// Records that speed dropped as late.
    pub fn late(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.late).sum()
    }

    /// The merged view.
    pub fn merged(&self, users: MergedUsers) -> Totals {
        Totals {
            views: self.batch.views + self.speed.views,
            users: match users {
                MergedUsers::United => self.united_users,
                MergedUsers::Sketched => self.sketched_users,
                MergedUsers::Added => self.batch.users + self.speed.users,
            },
            sum: self.batch.sum + self.speed.sum,
        }
    }

    /// Where batch ends, as a vector.
    pub fn cut(&self) -> Offsets {
        Offsets::from_vec(self.partitions.iter().map(|partition| partition.cut).collect())
    }

    /// Where speed starts, as a vector; where a time decides, at the cut.
    pub fn starts(&self) -> Offsets {
        let start = |partition: &HandoverPartition| partition.start.unwrap_or(partition.cut);
        Offsets::from_vec(self.partitions.iter().map(start).collect())
    }

    /// The command line that computes the same.
    pub fn command(&self, users: MergedUsers) -> String {
        match users {
            MergedUsers::United => self.command.clone(),
            MergedUsers::Sketched | MergedUsers::Added => {
                format!("{} --uniques {}", self.command, users.id())
            }
        }
    }
}
