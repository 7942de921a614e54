//! How far event time has come, by partition and combined.
//!
//! Counted in records, never in wall time, so that a replay gives the same watermark.

use super::{EventTime, Offsets, PartitionIndex, moved_to};

/// Largest event time read from each partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watermarks {
    /// `None` where nothing with a time was read yet.
    largest: Vec<Option<EventTime>>,
    /// Records read from other partitions since this one was last read.
    idle_records: Vec<u64>,
}

impl Watermarks {
    /// Nothing read of so many partitions.
    pub fn new(partitions: usize) -> Self {
        Watermarks { largest: vec![None; partitions], idle_records: vec![0; partitions] }
    }

    /// From saved parts, one entry a partition each.
    pub fn from_parts(largest: Vec<Option<EventTime>>, idle_records: Vec<u64>) -> Self {
        Watermarks { largest, idle_records }
    }

    /// Takes note of a record of `partition`.
    pub fn observe(&mut self, partition: PartitionIndex, time: Option<EventTime>) {
        let index = partition.index();
        if self.largest.len() <= index {
            self.largest.resize(index + 1, None);
        }
        self.idle_records.resize(self.largest.len().max(self.idle_records.len()), 0);
        for (other, idle) in self.idle_records.iter_mut().enumerate() {
            *idle = if other == index { 0 } else { *idle + 1 };
        }
        if let Some(slot) = self.largest.get_mut(index) {
            *slot = (*slot).max(time);
        }
    }

    /// The largest event time read from `partition`.
    pub fn of(&self, partition: PartitionIndex) -> Option<EventTime> {
        self.largest.get(partition.index()).copied().flatten()
    }

    /// The smallest watermark over partitions that are neither finished (`position` at `end`) nor idle. When all
    /// are finished or idle, the smallest over all that were read: a finished log does not push it to infinity.
    pub fn combined(&self, position: &Offsets, end: &Offsets, idle_after_records: u64) -> Option<EventTime> {
        let active =
            partitions(end).filter(|&p| position.get(p) < end.get(p) && !self.is_idle(p, idle_after_records));
        let mut active = active.peekable();
        if active.peek().is_some() {
            // A partition that has not been read yet holds the watermark back entirely.
            return active.map(|p| self.of(p)).min().flatten();
        }
        partitions(end).filter_map(|p| self.of(p)).min()
    }

    /// The watermark by which a record of `reader` is judged, once it has been [observed](Watermarks::observe) and
    /// `position` still stands before it. A partition that is being read is neither idle nor finished at that moment:
    /// what wakes it, and its last record, are judged by its own progress and not by that of the others alone.
    pub fn at(
        &self,
        reader: PartitionIndex,
        position: &Offsets,
        end: &Offsets,
        idle_after_records: u64,
    ) -> Option<EventTime> {
        let others = partitions(end)
            .filter(|&p| p != reader && position.get(p) < end.get(p) && !self.is_idle(p, idle_after_records));
        others.map(|p| self.of(p)).min().map_or(self.of(reader), |others| others.min(self.of(reader)))
    }

    /// Whether nothing of `partition` was read while the others read `idle_after_records`.
    pub fn is_idle(&self, partition: PartitionIndex, idle_after_records: u64) -> bool {
        self.idle_records.get(partition.index()).is_some_and(|&idle| idle >= idle_after_records)
    }

    /// The same where partition `i` has become partition `places[i]` of `partitions`, because the log has gained
    /// others. Of those nothing was read while `read` records were.
    #[must_use]
    pub fn moved(self, places: &[PartitionIndex], partitions: usize, read: u64) -> Self {
        let idle: Vec<Option<u64>> = self.idle_records.into_iter().map(Some).collect();
        let (mut largest, mut idle) = (moved_to(places, self.largest), moved_to(places, idle));
        largest.resize(partitions, None);
        idle.resize(partitions, None);
        let idle_records = idle.into_iter().map(|idle| idle.unwrap_or(read)).collect();
        Watermarks { largest, idle_records }
    }

    /// The parts, for a checkpoint.
    pub fn parts(&self) -> (&[Option<EventTime>], &[u64]) {
        (&self.largest, &self.idle_records)
    }
}

fn partitions(end: &Offsets) -> impl Iterator<Item = PartitionIndex> {
    (0..end.len()).filter_map(|p| u16::try_from(p).ok()).map(PartitionIndex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_live_partition_decides() {
        let (a, b) = (PartitionIndex(0), PartitionIndex(1));
        let end = Offsets::from_vec(vec![10, 10]);
        let mut marks = Watermarks::default();
        marks.observe(a, Some(EventTime(50)));
        assert_eq!(marks.combined(&Offsets::from_vec(vec![1, 0]), &end, 100), None);
        marks.observe(b, Some(EventTime(20)));
        let both = Offsets::from_vec(vec![1, 1]);
        assert_eq!(marks.combined(&both, &end, 100), Some(EventTime(20)));
        // b is finished: it no longer holds the watermark back, nor pushes it to infinity.
        assert_eq!(marks.combined(&Offsets::from_vec(vec![1, 10]), &end, 100), Some(EventTime(50)));
        for _ in 0..5 {
            marks.observe(a, Some(EventTime(60)));
        }
        assert_eq!(marks.combined(&both, &end, 5), Some(EventTime(60)), "b is idle");
        assert_eq!(marks.combined(&end, &end, 5), Some(EventTime(20)), "all finished");
    }

    #[test]
    fn a_partition_that_is_read_is_judged_by_its_own_progress_too() {
        let (a, b) = (PartitionIndex(0), PartitionIndex(1));
        let end = Offsets::from_vec(vec![100, 2]);
        let mut marks = Watermarks::new(2);
        marks.observe(a, Some(EventTime(50)));
        assert_eq!(marks.at(a, &Offsets::start(2), &end, 3), None, "nothing of b was read");
        for _ in 0..2 {
            marks.observe(a, Some(EventTime(60)));
        }
        let position = Offsets::from_vec(vec![3, 0]);
        assert_eq!(marks.at(a, &position, &end, 3), Some(EventTime(60)), "b is idle, from the start");
        marks.observe(b, Some(EventTime(10)));
        assert_eq!(marks.at(b, &position, &end, 3), Some(EventTime(10)), "what wakes it");
        marks.observe(b, Some(EventTime(5)));
        let last = Offsets::from_vec(vec![3, 1]);
        assert_eq!(marks.at(b, &last, &end, 3), Some(EventTime(10)), "its last record");
        marks.observe(a, Some(EventTime(70)));
        assert_eq!(
            marks.at(a, &Offsets::from_vec(vec![3, 2]), &end, 3),
            Some(EventTime(70)),
            "b is finished"
        );
    }

    #[test]
    fn a_new_partition_was_not_read_while_the_others_were() {
        let mut marks = Watermarks::new(1);
        marks.observe(PartitionIndex(0), Some(EventTime(5)));
        let moved = marks.moved(&[PartitionIndex(1)], 3, 1);
        assert_eq!(moved.parts(), ([None, Some(EventTime(5)), None].as_slice(), [1, 0, 1].as_slice()));
    }
}
