//! The proof strip of a processor that crashed: from the last checkpoint to the crash, with a margin to see where the
//! story goes on. Every record is looked at. A long strip is drawn in pieces of several records: what is worst in a piece
//! is kept, so that one record that counts twice among a million is seen.

use super::{
    frame::{Gap, GapKind, Proof},
    ledger::CrashSpan,
};
use crate::{
    domain::{RangeCounts, Run},
    ingest::{Entry, LogIndex},
};

/// From this many records on the strip shows pieces instead of records.
pub(super) const STRIP_RECORDS: u64 = 4_000;

/// What a strip is made from. All in record numbers.
pub(super) struct StripOf<'a> {
    /// What the newest crash is about.
    pub crash: CrashSpan,
    /// How often each record was read, over all attempts.
    pub deliveries: &'a RangeCounts,
    /// Where counting begins or ends: between two pictures of one epoch what counts changes only where these move.
    pub positions: &'a [u64],
    /// Up to here the view holds all records that can count: one that does not is lost.
    pub covers: u64,
    /// What counts anew changes with it: crashes, restores, publications.
    pub epoch: [u64; 3],
    /// The loaded log.
    pub index: &'a LogIndex,
}

/// What a record comes to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    /// How often it counts.
    pub counted: u32,
    /// Whether it never does.
    pub cannot_count: bool,
}

/// How many records of a piece come to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tally {
    /// By how often they count, if they do; those that count most often first.
    times: Vec<(u32, u64)>,
    /// Should count and do not.
    lost: u64,
    /// Do not count and never will.
    never: u64,
    /// Cannot count, whether they were reached or not.
    excluded: u64,
}

impl Tally {
    fn add(&mut self, Judged { counted, cannot_count }: Judged, is_covered: bool) {
        self.excluded += u64::from(cannot_count);
        match (counted, is_covered) {
            (0, true) if cannot_count => self.never += 1,
            (0, true) => self.lost += 1,
            (0, false) => {}
            (counted, _) => self.count(counted),
        }
    }

    fn count(&mut self, counted: u32) {
        if let Some((_, records)) = self.times.iter_mut().find(|(times, _)| *times == counted) {
            *records += 1;
            return;
        }
        self.times.push((counted, 1));
        self.times.sort_unstable_by_key(|(times, _)| std::cmp::Reverse(*times));
    }

    /// Whether its records come to more than one thing.
    fn is_mixed(&self, records: u64) -> bool {
        let kinds = self.times.iter().map(|(_, records)| *records).chain([self.lost, self.never]);
        kinds.filter(|count| *count > 0).any(|count| count < records)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    start: u64,
    end: u64,
    tally: Tally,
}

/// What was found out for the picture before: most of it still holds.
#[derive(Debug, Clone, Default)]
pub(super) struct StripMemory {
    epoch: [u64; 3],
    positions: Vec<u64>,
    pieces: Vec<Piece>,
}

impl StripMemory {
    /// What is known of a piece, unless a position has moved over it.
    fn known(&self, of: &StripOf<'_>, start: u64, end: u64) -> Option<&Tally> {
        if self.epoch != of.epoch || self.positions.len() != of.positions.len() {
            return None;
        }
        let moved = |(before, now): (&u64, &u64)| *before.min(now) < end && start < *before.max(now);
        if self.positions.iter().zip(of.positions).any(moved) {
            return None;
        }
        let at = self.pieces.binary_search_by_key(&start, |piece| piece.start).ok()?;
        self.pieces.get(at).filter(|piece| piece.end == end).map(|piece| &piece.tally)
    }
}

impl StripOf<'_> {
    /// The strip; `memory` is that of the pictures before.
    pub(super) fn draw(&self, memory: &mut StripMemory, judge: impl Fn(&Entry) -> Judged) -> Proof {
        let CrashSpan { checkpoint, position: crash, read_to } = self.crash;
        // The newest checkpoint can lie beyond a processor that was restored from an older one and crashed again.
        let (low, high) = (checkpoint.min(crash), checkpoint.max(read_to));
        let margin = ((high - low) / 8).max(2);
        let from = low.saturating_sub(margin);
        let to = (high + margin).min(self.index.len());
        // Without a checkpoint the processor goes on at the start of the log.
        let checkpoint = (checkpoint > 0).then_some(checkpoint);
        let mut proof = Proof { from, to, checkpoint, crash: Some(crash), ..Proof::default() };
        let mut pieces = Vec::new();
        for (start, end) in self.cut(from, to) {
            let tally = match memory.known(self, start, end) {
                Some(known) => known.clone(),
                None => self.tally(start, end, &judge),
            };
            lay_out(&mut proof, (start, end), self.deliveries.count(start), &tally);
            pieces.push(Piece { start, end, tally });
        }
        *memory = StripMemory { epoch: self.epoch, positions: self.positions.to_vec(), pieces };
        proof
    }

    /// Pieces of at most so many records that there are not too many, cut where reading and counting begin and end.
    fn cut(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let step = (to.saturating_sub(from) / STRIP_RECORDS).max(1);
        let mut cuts: Vec<u64> = self.deliveries.runs_in(from, to).flat_map(|r| [r.start, r.end]).collect();
        cuts.extend(self.positions);
        cuts.extend([self.crash.position, self.covers, to]);
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut start = from;
        while start < to {
            let next = cuts.get(cuts.partition_point(|cut| *cut <= start)).copied().unwrap_or(to);
            // At whole steps of the log, so that most pieces are those of the picture before.
            let end = ((start / step + 1) * step).min(next).min(to);
            pieces.push((start, end));
            start = end;
        }
        pieces
    }

    fn tally(&self, start: u64, end: u64, judge: impl Fn(&Entry) -> Judged) -> Tally {
        let mut tally = Tally::default();
        for entry in self.index.entries(start, end) {
            tally.add(judge(&entry), entry.number < self.covers);
        }
        tally
    }
}

/// Puts a piece into the strip. Of records that come to several things how many do is true, not where in the piece.
fn lay_out(proof: &mut Proof, (start, end): (u64, u64), reads: u32, tally: &Tally) {
    push(&mut proof.read, Run { start, end, count: reads });
    push(&mut proof.every_read, Run { start, end: end - tally.excluded.min(end - start), count: reads });
    proof.excluded += tally.excluded;
    let mut at = start;
    for &(count, records) in &tally.times {
        push(&mut proof.counted, Run { start: at, end: at + records, count });
        at += records;
    }
    for (kind, records) in [(GapKind::Lost, tally.lost), (GapKind::Never, tally.never)] {
        match proof.gaps.last_mut() {
            _ if records == 0 => {}
            Some(last) if last.end == at && last.kind == kind => last.end = at + records,
            _ => proof.gaps.push(Gap { start: at, end: at + records, kind }),
        }
        at += records;
    }
    if tally.is_mixed(end - start) {
        proof.mixed.push(start..end);
    }
}

fn push(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        _ if run.count == 0 || run.start >= run.end => {}
        Some(last) if last.end == run.start && last.count == run.count => last.end = run.end,
        _ => runs.push(run),
    }
}
