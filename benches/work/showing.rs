//! The run behind the window: a tick with its checks, the picture that is handed over, merged against the recount.

use std::{cell::RefCell, sync::Arc};

use divan::Bencher;
use rederive::engine::{
    Lane, ReadModel, Ticked,
    driver::Driver,
    play::{lane_plan, memory_disk, open_log},
};

use crate::log::Log;

const RECORDS: u64 = 100_000;
/// A minute and a half of run time: half of the log has arrived, and batch has published some times.
const HALF: u64 = 9_000;

/// A run over the log, half way.
fn half_way() -> Lane {
    let log = Log::of(RECORDS);
    let open = open_log(log.opened.path(), &[]).unwrap();
    let plan = lane_plan(&open.scenario, &open.mapping, Driver::Inline, memory_disk());
    let mut lane = Lane::new(plan, Arc::clone(&open.index));
    while lane.tick_now().0 < HALF {
        assert_eq!(lane.tick(), Ticked::On);
    }
    lane
}

#[divan::bench(sample_count = 100, sample_size = 20)]
fn tick(bencher: Bencher) {
    let mut lane = half_way();
    bencher.bench_local(|| assert_eq!(lane.tick(), Ticked::On));
}

/// 60 times a second while the run plays; between two of them it goes on.
#[divan::bench(sample_count = 100, sample_size = 1)]
fn frame(bencher: Bencher) {
    let lane = RefCell::new(half_way());
    let mut model = ReadModel::default();
    model.frame(&mut lane.borrow_mut());
    let next = || (0..2).for_each(|_| assert_eq!(lane.borrow_mut().tick(), Ticked::On));
    bencher.with_inputs(next).bench_local_values(|()| model.frame(&mut lane.borrow_mut()));
}

/// Both from scratch, cell by cell.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn merged_against_recount(bencher: Bencher) {
    let lane = half_way();
    bencher.bench_local(|| assert!(lane.merged_equals_recount()));
}
