//! The proof strip in words: its accessible twin.

use super::format::{records, records_in, thousands, times};
use crate::{
    domain::Run,
    engine::frame::{GapKind, Proof},
};

/// `Read twice: 734 records, 14,000 to 14,733. Counted once: …`, one sentence a row of the strip and count.
pub fn proof_in_words(proof: &Proof) -> String {
    if proof.read.is_empty() {
        return "Nothing has been read yet.".to_owned();
    }
    let mut sentences = Vec::new();
    for (verb, runs) in [
        ("Read", &proof.read),
        ("Counted", &proof.counted),
        ("If every read counted, counted", &proof.every_read),
    ] {
        let mut counts: Vec<u32> = runs.iter().map(|run| run.count).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.dedup();
        for count in counts {
            // In pieces of several records only how many is known, not which.
            let which =
                if proof.mixed.is_empty() { ranges(runs, count) } else { records(of_count(runs, count)) };
            sentences.push(format!("{verb} {}: {which}.", times(u64::from(count))));
        }
    }
    let never = (proof.to - proof.from.min(proof.to)).saturating_sub(covered(&proof.counted));
    let lost = proof.gaps.iter().filter(|gap| gap.kind == GapKind::Lost).map(|gap| gap.end - gap.start);
    let lost: u64 = lost.sum();
    if lost > 0 {
        sentences.push(format!("Lost: {}.", records(lost)));
    }
    if never > 0 {
        sentences.push(format!(
            "Not counted: {}, of which {} cannot count.",
            records(never),
            thousands(proof.excluded)
        ));
    }
    sentences.join(" ")
}

fn of_count(runs: &[Run], count: u32) -> u64 {
    runs.iter().filter(|run| run.count == count).map(|run| run.end - run.start).sum()
}

fn covered(runs: &[Run]) -> u64 {
    runs.iter().map(|run| run.end - run.start).sum()
}

fn ranges(runs: &[Run], count: u32) -> String {
    let of_count: Vec<&Run> = runs.iter().filter(|run| run.count == count).collect();
    let total = records(of_count.iter().map(|run| run.end - run.start).sum());
    match of_count.as_slice() {
        [] => total,
        [only] => format!("{total}, {}", records_in(only.start, only.end)),
        [first, second] => {
            let (first, second) = (records_in(first.start, first.end), records_in(second.start, second.end));
            format!("{total}, {first} and {second}")
        }
        [first, rest @ ..] => {
            format!("{total}, {} and {} more ranges", records_in(first.start, first.end), rest.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::frame::Gap;

    #[test]
    fn the_strip_reads_as_sentences() {
        let run = |start, end, count| Run { start, end, count };
        let proof = Proof {
            from: 14_000,
            to: 14_734,
            checkpoint: Some(14_000),
            crash: Some(14_734),
            read: vec![run(14_000, 14_734, 2)],
            counted: vec![run(14_000, 14_734, 1)],
            every_read: vec![run(14_000, 14_734, 2)],
            ..Proof::default()
        };
        assert_eq!(
            proof_in_words(&proof),
            "Read twice: 734 records, 14,000 to 14,733. Counted once: 734 records, 14,000 to 14,733. \
             If every read counted, counted twice: 734 records, 14,000 to 14,733."
        );
        assert_eq!(proof_in_words(&Proof::default()), "Nothing has been read yet.");
        let gaps = Proof {
            to: 10,
            read: vec![run(0, 10, 1)],
            counted: vec![run(0, 4, 1), run(5, 10, 1)],
            excluded: 1,
            ..Proof::default()
        };
        assert_eq!(
            proof_in_words(&gaps),
            "Read once: 10 records, 0 to 9. Counted once: 9 records, 0 to 3 and 5 to 9. \
             Not counted: 1 record, of which 1 cannot count."
        );
        let gap = Gap { start: 4, end: 5, kind: GapKind::Lost };
        let pieces = Proof { gaps: vec![gap], mixed: vec![0..5, 8..10], excluded: 0, ..gaps };
        assert_eq!(
            proof_in_words(&pieces),
            "Read once: 10 records. Counted once: 9 records. Lost: 1 record. \
             Not counted: 1 record, of which 0 cannot count."
        );
    }
}
