//! Deliveries and effects: how often each record was read, how often it counted.
//!
//! Kept as runs of equal counts, so a log of ten million records that each counted once costs one run.

use std::collections::BTreeMap;

/// A half-open range `[start, end)` of offsets with the same count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First offset.
    pub start: u64,
    /// One past the last offset.
    pub end: u64,
    /// How often, never 0.
    pub count: u32,
}

/// A count for each offset of one partition, as sorted disjoint runs; offsets in no run have count 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RangeCounts {
    runs: Vec<Run>,
}

impl RangeCounts {
    /// Nothing counted.
    pub fn new() -> Self {
        Self::default()
    }

    /// From runs as [`RangeCounts::runs`] gives them. `None` when they are not sorted, disjoint and non-empty.
    pub fn from_runs(runs: Vec<Run>) -> Option<Self> {
        let sound = runs.iter().all(|run| run.start < run.end && run.count > 0)
            && runs.windows(2).all(|pair| matches!(pair, [a, b] if a.end <= b.start));
        sound.then_some(RangeCounts { runs })
    }

    /// Adds one to every offset in `[start, end)`.
    pub fn add(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        // The usual case: the next record of a straight run.
        match self.runs.last_mut() {
            Some(last) if last.end == start && last.count == 1 => {
                last.end = end;
                return;
            }
            Some(last) if last.end > start => {}
            _ => {
                self.runs.push(Run { start, end, count: 1 });
                return;
            }
        }
        let first = self.runs.partition_point(|run| run.end <= start);
        let after = self.runs.partition_point(|run| run.start < end);
        let mut middle = Vec::new();
        let mut at = start;
        for run in self.runs.get(first..after).unwrap_or_default() {
            if run.start < start {
                middle.push(Run { end: start, ..*run });
            }
            let (from, to) = (run.start.max(start), run.end.min(end));
            if at < from {
                middle.push(Run { start: at, end: from, count: 1 });
            }
            middle.push(Run { start: from, end: to, count: run.count.saturating_add(1) });
            if run.end > end {
                middle.push(Run { start: end, ..*run });
            }
            at = to;
        }
        if at < end {
            middle.push(Run { start: at, end, count: 1 });
        }
        self.runs.splice(first..after, middle);
        self.join_around(first);
    }

    /// Forgets everything below `start`.
    pub fn clip_below(&mut self, start: u64) {
        let first = self.runs.partition_point(|run| run.end <= start);
        self.runs.drain(..first);
        if let Some(run) = self.runs.first_mut() {
            run.start = run.start.max(start);
        }
    }

    /// The count of one offset.
    pub fn count(&self, offset: u64) -> u32 {
        let index = self.runs.partition_point(|run| run.end <= offset);
        self.runs.get(index).filter(|run| run.start <= offset).map_or(0, |run| run.count)
    }

    /// Sum over all offsets.
    pub fn total(&self) -> u64 {
        self.runs.iter().map(|run| (run.end - run.start) * u64::from(run.count)).sum()
    }

    /// The runs, sorted and disjoint.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The runs clipped to `[start, end)`.
    pub fn runs_in(&self, start: u64, end: u64) -> impl Iterator<Item = Run> + '_ {
        let first = self.runs.partition_point(|run| run.end <= start);
        self.runs
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(move |run| run.start < end)
            .map(move |run| Run { start: run.start.max(start), end: run.end.min(end), count: run.count })
    }

    /// Adds to `histogram` how many offsets have which count.
    pub fn tally(&self, histogram: &mut BTreeMap<u32, u64>) {
        for run in &self.runs {
            *histogram.entry(run.count).or_default() += run.end - run.start;
        }
    }

    /// Merges equal neighbours from a little before `first` on.
    fn join_around(&mut self, first: usize) {
        let keep = first.saturating_sub(1).min(self.runs.len());
        let tail = self.runs.split_off(keep);
        for run in tail {
            match self.runs.last_mut() {
                Some(last) if last.end == run.start && last.count == run.count => last.end = run.end,
                _ => self.runs.push(run),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_equal_a_plain_array(ranges in proptest::collection::vec((0_u64..60, 0_u64..20), 0..30)) {
            let mut runs = RangeCounts::new();
            let mut plain = [0_u32; 80];
            for (start, length) in ranges {
                runs.add(start, start + length);
                for slot in &mut plain[usize::try_from(start).unwrap()..usize::try_from(start + length).unwrap()] {
                    *slot += 1;
                }
            }
            for (offset, count) in plain.iter().enumerate() {
                prop_assert_eq!(runs.count(offset as u64), *count);
            }
            prop_assert_eq!(runs.total(), plain.iter().map(|&c| u64::from(c)).sum::<u64>());
            prop_assert_eq!(RangeCounts::from_runs(runs.runs().to_vec()), Some(runs.clone()));
            let mut clipped = runs.clone();
            clipped.clip_below(25);
            prop_assert_eq!(clipped.total(), runs.runs_in(25, 80).map(|r| (r.end - r.start) * u64::from(r.count)).sum::<u64>());
            prop_assert!(runs.runs().windows(2).all(|p| p[0].end < p[1].start || p[0].count != p[1].count));
        }
    }

    #[test]
    fn a_straight_run_is_one_run() {
        let mut runs = RangeCounts::new();
        for offset in 0..1000 {
            runs.add(offset, offset + 1);
        }
        assert_eq!(runs.runs(), [Run { start: 0, end: 1000, count: 1 }]);
    }
}
