//! The proof strip of a processor that crashed: from the last checkpoint to the crash, with a margin to see where the
//! story goes on.

use super::{frame::Proof, ledger::CrashSpan};
use crate::domain::{RangeCounts, Run};

/// From this many records on the strip shows density instead of records.
pub(super) const STRIP_RECORDS: u64 = 4_000;

/// What a strip is made from. All in record numbers.
pub(super) struct StripOf<'a> {
    /// What the newest crash is about.
    pub crash: CrashSpan,
    /// How often each record was read, over all attempts.
    pub deliveries: &'a RangeCounts,
    /// Where counting begins or ends.
    pub positions: &'a [u64],
    /// Records of the loaded log.
    pub records: u64,
}

impl StripOf<'_> {
    /// `counted`: how often a record counts; `cannot_count`: whether it never does.
    pub(super) fn draw(&self, counted: impl Fn(u64) -> u32, cannot_count: impl Fn(u64) -> bool) -> Proof {
        let CrashSpan { checkpoint, position: crash, read_to } = self.crash;
        // The newest checkpoint can lie beyond a processor that was restored from an older one and crashed again.
        let (low, high) = (checkpoint.min(crash), checkpoint.max(read_to));
        let margin = ((high - low) / 8).max(2);
        let from = low.saturating_sub(margin);
        let to = (high + margin).min(self.records);
        let step = (to.saturating_sub(from) / STRIP_RECORDS).max(1);
        // Without a checkpoint the processor goes on at the start of the log.
        let checkpoint = (checkpoint > 0).then_some(checkpoint);
        let mut proof = Proof { from, to, checkpoint, crash: Some(crash), ..Proof::default() };
        // Long strips are looked at in steps, cut where reading and counting begin and end, so that their sums are true.
        let mut cuts: Vec<u64> = self.deliveries.runs_in(from, to).flat_map(|r| [r.start, r.end]).collect();
        cuts.extend(self.positions);
        cuts.extend([crash, to]);
        cuts.sort_unstable();
        let mut number = from;
        while number < to {
            let next = cuts.get(cuts.partition_point(|cut| *cut <= number)).copied().unwrap_or(to);
            let end = (number + step).min(next).min(to);
            let reads = self.deliveries.count(number);
            let is_excluded = cannot_count(number);
            proof.excluded += u64::from(is_excluded);
            push(&mut proof.read, Run { start: number, end, count: reads });
            push(&mut proof.counted, Run { start: number, end, count: counted(number) });
            let every = if is_excluded { 0 } else { reads };
            push(&mut proof.every_read, Run { start: number, end, count: every });
            number = end;
        }
        proof
    }
}

fn push(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        _ if run.count == 0 => {}
        Some(last) if last.end == run.start && last.count == run.count => last.end = run.end,
        _ => runs.push(run),
    }
}
