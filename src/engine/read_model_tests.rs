//! The proof strip's numbers, for strips that are too long to look at record by record.

use std::path::Path;

use super::*;
use crate::{
    domain::Run,
    engine::{
        driver::Driver,
        play::{lane_plan, memory_disk, open_log},
        protocol::{CrashTarget, CrashWhen, LaneCommand},
        strip::STRIP_RECORDS,
    },
};

#[test]
fn a_long_strip_has_true_sums_and_no_checkpoint_where_there_is_none() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/shop");
    let open = open_log(&path, &[]).unwrap();
    let plan = lane_plan(&open.scenario, &open.mapping, Driver::Inline, memory_disk());
    let mut lane = Lane::new(plan, Arc::clone(&open.index));
    let until = |lane: &mut Lane, position: u64| {
        for _ in 0..200_000 {
            if lane.stream.number >= position {
                return;
            }
            lane.tick();
        }
        panic!("waited in vain until {position}");
    };
    until(&mut lane, 13_001);
    // The strip is looked at in steps of three records here: the crash is to lie between two of them.
    while lane.stream.number.is_multiple_of(3) {
        lane.tick();
    }
    lane.command(LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now });
    lane.tick();
    let crash = lane.ledger.crash().unwrap().position;
    lane.command(LaneCommand::RestoreFromStart);
    lane.tick();
    until(&mut lane, crash);
    let proof = proof(&lane);
    assert_eq!((proof.from, proof.checkpoint, proof.crash), (0, None, Some(crash)));
    assert_eq!(proof.to / STRIP_RECORDS, 3);
    let sum = |runs: &[Run]| runs.iter().map(|run| (run.end - run.start) * u64::from(run.count)).sum::<u64>();
    let counted = lane.covers().min(proof.to);
    assert_eq!(sum(&proof.counted), counted);
    assert_eq!(sum(&proof.every_read), lane.ledger.deliveries().total());
}
