//! The proof strip's numbers, for strips that are too long to look at record by record.

use super::*;
use crate::{
    domain::Run,
    engine::{
        frame::GapKind,
        protocol::{CrashTarget, CrashWhen, LaneCommand},
        strip::STRIP_RECORDS,
        test_support::{lane, opened, until},
    },
};

#[test]
fn a_long_strip_has_true_sums_and_no_checkpoint_where_there_is_none() {
    let mut lane = lane(&opened("shop"));
    until(&mut lane, "record 13,001", |lane| lane.stream.number >= 13_001);
    // The strip is looked at in steps of three records here: the crash is to lie between two of them.
    while lane.stream.number.is_multiple_of(3) {
        lane.tick();
    }
    lane.command(LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now });
    lane.tick();
    let crash = lane.ledger.crash().unwrap().position;
    lane.command(LaneCommand::RestoreFromStart);
    lane.tick();
    // What is remembered from picture to picture is what a fresh look finds.
    let mut memory = StripMemory::default();
    while lane.stream.number < crash {
        for _ in 0..97 {
            lane.tick();
        }
        assert_eq!(proof(&lane, &mut memory), proof(&lane, &mut StripMemory::default()));
    }
    let proof = proof(&lane, &mut StripMemory::default());
    assert_eq!((proof.from, proof.checkpoint, proof.crash), (0, None, Some(crash)));
    assert_eq!(proof.to / STRIP_RECORDS, 3);
    let sum = |runs: &[Run]| runs.iter().map(|run| (run.end - run.start) * u64::from(run.count)).sum::<u64>();
    let counted = lane.covers().min(proof.to);
    assert_eq!(sum(&proof.counted), counted);
    assert_eq!(sum(&proof.every_read), lane.ledger.deliveries().total());
}

/// A crash behind a long replay over the shop log, of which all records count.
fn strip_over<'a>(
    index: &'a crate::ingest::LogIndex,
    deliveries: &'a crate::domain::RangeCounts,
    positions: &'a [u64],
) -> StripOf<'a> {
    let end = index.len();
    let crash = crate::engine::ledger::CrashSpan { checkpoint: 0, position: end, read_to: end };
    StripOf { crash, deliveries, positions, covers: end, epoch: [0; 3], index }
}

#[test]
fn one_record_among_many_that_comes_to_something_else_is_in_the_strip() {
    let open = opened("shop");
    let (index, deliveries) = (&open.index, crate::domain::RangeCounts::new());
    let strip = strip_over(index, &deliveries, &[]);
    let (twice, lost, never) = (5_001, 17_003, 29_002);
    let proof = strip.draw(&mut StripMemory::default(), |entry| Judged {
        counted: match entry.number {
            number if number == twice => 2,
            number if number == lost || number == never => 0,
            _ => 1,
        },
        cannot_count: entry.number == never,
    });
    assert!(index.len() / STRIP_RECORDS > 1, "no piece is a single record");
    let sum: u64 = proof.counted.iter().map(|run| (run.end - run.start) * u64::from(run.count)).sum();
    assert_eq!((sum, proof.excluded), (index.len() - 1, 1));
    let odd: Vec<(u64, bool)> =
        proof.mixed.iter().map(|piece| (piece.start, piece.end - piece.start <= 7)).collect();
    assert_eq!(odd.len(), 3, "{odd:?}");
    for (record, piece) in [twice, lost, never].into_iter().zip(&proof.mixed) {
        assert!(piece.contains(&record), "{record} {piece:?}");
        let gap = proof.gaps.iter().find(|gap| piece.contains(&gap.start)).map(|gap| gap.kind);
        let again = proof.counted.iter().any(|run| run.count == 2 && piece.contains(&run.start));
        let expected = match record {
            _ if record == lost => (Some(GapKind::Lost), false),
            _ if record == never => (Some(GapKind::Never), false),
            _ => (None, true),
        };
        assert_eq!((gap, again), expected, "{record}");
    }
}

#[test]
fn of_a_strip_that_was_drawn_before_only_what_has_changed_is_looked_at() {
    let open = opened("shop");
    let (index, deliveries) = (&open.index, crate::domain::RangeCounts::new());
    let mut memory = StripMemory::default();
    let looked = std::cell::Cell::new(0_u64);
    let judge = |to: u64| {
        let looked = &looked;
        move |entry: &crate::ingest::Entry| {
            looked.set(looked.get() + 1);
            Judged { counted: u32::from(entry.number < to), cannot_count: false }
        }
    };
    let first = strip_over(index, &deliveries, &[10_000]).draw(&mut memory, judge(10_000));
    assert_eq!(looked.replace(0), index.len());
    assert_eq!(first.gaps.iter().map(|gap| gap.end - gap.start).sum::<u64>(), index.len() - 10_000);
    let next = strip_over(index, &deliveries, &[10_100]).draw(&mut memory, judge(10_100));
    assert!((100..130).contains(&looked.get()), "{}", looked.get());
    assert_eq!(
        next,
        strip_over(index, &deliveries, &[10_100]).draw(&mut StripMemory::default(), judge(10_100))
    );
    // Another epoch: nothing of it holds.
    looked.set(0);
    let other = StripOf { epoch: [0, 1, 0], ..strip_over(index, &deliveries, &[10_100]) };
    other.draw(&mut memory, judge(10_100));
    assert_eq!(looked.get(), index.len());
}

#[test]
fn what_is_remembered_of_a_strip_is_what_a_fresh_look_finds_under_every_guarantee() {
    for guarantee in crate::checkpoint::GuaranteeId::ALL {
        let mut open = opened("clicks");
        open.scenario.settings.guarantee = guarantee;
        let mut lane = lane(&open);
        let mut memory = StripMemory::default();
        until(&mut lane, "record 13", |lane| lane.stream.number >= 13);
        lane.command(LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now });
        for at in 0..1_500 {
            if at == 100 || at == 700 {
                lane.command(LaneCommand::Restore(None));
            }
            if at == 500 {
                lane.command(LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now });
            }
            lane.tick();
            let remembered = proof(&lane, &mut memory);
            assert_eq!(remembered, proof(&lane, &mut StripMemory::default()), "{guarantee} at {at}");
        }
    }
}
