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
    /// The same as the records arrived: running totals from the first record to the last that has arrived.
    pub course: Vec<HandoverPoint>,
    /// The command line that computes the same, without the choice of users.
    pub command: String,
}

/// What a hand-over makes of the records that arrived first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandoverPoint {
    /// So many records, in delivery order.
    pub records: u64,
    /// Their batch view.
    pub batch: Totals,
    /// Their speed view.
    pub speed: Totals,
    /// Distinct users of both, united.
    pub united_users: u64,
}

impl HandoverPoint {
    /// Their merged view. Sketches are made of whole views only: on the way users count as united.
    pub fn merged(&self, users: MergedUsers) -> Totals {
        Totals {
            views: self.batch.views + self.speed.views,
            users: match users {
                MergedUsers::United | MergedUsers::Sketched => self.united_users,
                MergedUsers::Added => self.batch.users + self.speed.users,
            },
            sum: self.batch.sum + self.speed.sum,
        }
    }
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
    /// Numbers in delivery order of its records at the bounds of the bins; last, one past that of its newest record.
    pub places: Vec<u64>,
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

impl HandoverPartition {
    /// Number in delivery order of the record at an offset, on a straight line between the bounds of its bin.
    pub fn record_at(&self, offset: u64, bin_records: u64) -> u64 {
        let offset = offset.min(self.arrived);
        let bin = usize::try_from(offset / bin_records.max(1)).unwrap_or(usize::MAX);
        let (from, to) = self.bin(bin.min(self.bins.len().saturating_sub(1)), bin_records);
        from.1 + (offset - from.0) * (to.1 - from.1) / (to.0 - from.0).max(1)
    }

    /// The first offset whose record has at least this number: the way back from [`HandoverPartition::record_at`].
    pub fn offset_at(&self, record: u64, bin_records: u64) -> u64 {
        let bin = self.places.partition_point(|place| *place <= record).saturating_sub(1);
        let (from, to) = self.bin(bin.min(self.bins.len().saturating_sub(1)), bin_records);
        let within = record.clamp(from.1, to.1.max(from.1)) - from.1;
        (from.0 + (within * (to.0 - from.0)).div_ceil((to.1 - from.1).max(1))).min(self.arrived)
    }

    /// Offset and record number of both bounds of a bin.
    fn bin(&self, bin: usize, bin_records: u64) -> ((u64, u64), (u64, u64)) {
        let bound = |bin: usize| {
            let place = self.places.get(bin).or(self.places.last()).copied().unwrap_or(0);
            ((bin as u64 * bin_records).min(self.arrived), place)
        };
        (bound(bin), bound(bin + 1))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_record_numbers_lead_to_each_other() {
        let partition = HandoverPartition {
            arrived: 25,
            bins: vec![HandoverBin::default(); 3],
            places: vec![3, 23, 33, 90],
            ..HandoverPartition::default()
        };
        let at = [0, 5, 10, 20, 25, 99].map(|offset| partition.record_at(offset, 10));
        assert_eq!(at, [3, 13, 23, 33, 90, 90]);
        for offset in 0..=25 {
            assert_eq!(partition.offset_at(partition.record_at(offset, 10), 10), offset);
        }
        let back = [0, 3, 13, 14, 89, 1_000].map(|record| partition.offset_at(record, 10));
        assert_eq!(back, [0, 0, 5, 6, 25, 25]);
        let empty = HandoverPartition { places: vec![0], ..HandoverPartition::default() };
        assert_eq!((empty.record_at(7, 10), empty.offset_at(7, 10)), (0, 0));
    }
}
