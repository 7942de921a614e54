//! The proof strip's numbers, for strips that are too long to look at record by record.

use super::*;
use crate::{
    domain::Run,
    engine::{
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
    until(&mut lane, "where it crashed", |lane| lane.stream.number >= crash);
    let proof = proof(&lane);
    assert_eq!((proof.from, proof.checkpoint, proof.crash), (0, None, Some(crash)));
    assert_eq!(proof.to / STRIP_RECORDS, 3);
    let sum = |runs: &[Run]| runs.iter().map(|run| (run.end - run.start) * u64::from(run.count)).sum::<u64>();
    let counted = lane.covers().min(proof.to);
    assert_eq!(sum(&proof.counted), counted);
    assert_eq!(sum(&proof.every_read), lane.ledger.deliveries().total());
}
