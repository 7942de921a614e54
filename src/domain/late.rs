//! Late records: which ones a stream dropped, and the watermark that dropped each.

use super::{EventTime, Offsets, PartitionIndex, moved_to};

/// Neighbouring late records of a partition that met the same watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateRun {
    /// First offset.
    pub start: u64,
    /// One past the last offset.
    pub end: u64,
    /// The combined watermark at which they were read.
    pub watermark: EventTime,
}

/// The late records that a speed state leaves out, by partition, as sorted disjoint runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LateRecords {
    partitions: Vec<Vec<LateRun>>,
    total: u64,
}

impl LateRecords {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// From runs as [`LateRecords::runs`] gives them, one list a partition. `None` when one is not sorted and disjoint.
    pub fn from_runs(mut partitions: Vec<Vec<LateRun>>) -> Option<Self> {
        let sound = partitions.iter().all(|runs| {
            runs.iter().all(|run| run.start < run.end)
                && runs.windows(2).all(|pair| matches!(pair, [a, b] if a.end <= b.start))
        });
        while partitions.last().is_some_and(Vec::is_empty) {
            partitions.pop();
        }
        let total = partitions.iter().flatten().map(|run| run.end - run.start).sum();
        sound.then_some(LateRecords { partitions, total })
    }

    /// Adds records above all others of their partition. One that was read before is listed once.
    pub fn add(&mut self, partition: PartitionIndex, run: LateRun) {
        let index = partition.index();
        if self.partitions.len() <= index {
            self.partitions.resize_with(index + 1, Vec::new);
        }
        let Some(runs) = self.partitions.get_mut(index) else { return };
        if runs.last().is_some_and(|last| run.start < last.end) {
            return;
        }
        self.total += run.end - run.start;
        match runs.last_mut() {
            Some(last) if last.end == run.start && last.watermark == run.watermark => last.end = run.end,
            _ => runs.push(run),
        }
    }

    /// Forgets what lies below a cut: a batch view counts it.
    pub fn clip_below(&mut self, cut: &Offsets) {
        for (partition, runs) in (0_u16..).map(PartitionIndex).zip(&mut self.partitions) {
            let start = cut.get(partition);
            let first = runs.partition_point(|run| run.end <= start);
            runs.drain(..first);
            if let Some(run) = runs.first_mut() {
                run.start = run.start.max(start);
            }
        }
        self.partitions
            .truncate(self.partitions.iter().rposition(|runs| !runs.is_empty()).map_or(0, |last| last + 1));
        self.total = self.partitions.iter().flatten().map(|run| run.end - run.start).sum();
    }

    /// The watermark that dropped a record; `None` where it is not one of them.
    pub fn watermark_of(&self, partition: PartitionIndex, offset: u64) -> Option<EventTime> {
        let runs = self.runs(partition);
        let at = runs.partition_point(|run| run.end <= offset);
        runs.get(at).filter(|run| run.start <= offset).map(|run| run.watermark)
    }

    /// Whether a record is one of them.
    pub fn contains(&self, partition: PartitionIndex, offset: u64) -> bool {
        self.watermark_of(partition, offset).is_some()
    }

    /// The runs of a partition.
    pub fn runs(&self, partition: PartitionIndex) -> &[LateRun] {
        self.partitions.get(partition.index()).map(Vec::as_slice).unwrap_or_default()
    }

    /// All runs, by partition and offset.
    pub fn iter(&self) -> impl Iterator<Item = (PartitionIndex, LateRun)> + '_ {
        let numbered = (0_u16..).map(PartitionIndex).zip(&self.partitions);
        numbered.flat_map(|(partition, runs)| runs.iter().map(move |&run| (partition, run)))
    }

    /// One past the last partition that has any.
    pub fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// How many records.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The same where partition `i` has become partition `places[i]`.
    #[must_use]
    pub fn moved(self, places: &[PartitionIndex]) -> Self {
        LateRecords { partitions: moved_to(places, self.partitions), total: self.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(start: u64, end: u64, watermark: i64) -> LateRun {
        LateRun { start, end, watermark: EventTime(watermark) }
    }

    #[test]
    fn neighbours_at_one_watermark_are_one_run() {
        let (a, b) = (PartitionIndex(0), PartitionIndex(1));
        let mut late = LateRecords::new();
        for offset in [3, 4, 6] {
            late.add(b, run(offset, offset + 1, 50));
        }
        late.add(b, run(7, 8, 60));
        assert_eq!(late.runs(b), [run(3, 5, 50), run(6, 7, 50), run(7, 8, 60)]);
        assert_eq!((late.total(), late.runs(a).len(), late.partitions()), (4, 0, 2));
        assert_eq!(late.watermark_of(b, 7), Some(EventTime(60)));
        assert!(late.contains(b, 4) && !late.contains(b, 5) && !late.contains(a, 4));
        assert_eq!(LateRecords::from_runs(vec![vec![], late.runs(b).to_vec(), vec![]]), Some(late.clone()));
        assert_eq!(LateRecords::from_runs(vec![vec![run(3, 5, 1), run(4, 6, 1)]]), None);

        late.clip_below(&Offsets::from_vec(vec![9, 4]));
        assert_eq!((late.runs(b)[0], late.total()), (run(4, 5, 50), 3));
        late.clip_below(&Offsets::from_vec(vec![9, 9]));
        assert_eq!(late, LateRecords::new());
    }
}
