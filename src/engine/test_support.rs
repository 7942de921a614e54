//! What tests of the engine set up again and again: sample logs, lanes over them, ticks until something is so.

use std::{path::PathBuf, sync::Arc};

use super::{
    driver::Driver,
    lane::{Lane, OpenDisk},
    play::{OpenScenario, lane_plan, memory_disk, open_log},
};

/// A log or scenario that comes with the program.
pub(super) fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample_logs").join(name)
}

/// A sample log as the window would open it.
pub(super) fn opened(name: &str) -> OpenScenario {
    open_log(&sample(name), &[]).unwrap()
}

/// A lane at its start.
pub(super) fn lane_on(open: &OpenScenario, driver: Driver, disk: OpenDisk) -> Lane {
    Lane::new(lane_plan(&open.scenario, &open.mapping, driver, disk), Arc::clone(&open.index))
}

/// The same on this thread, with its checkpoints in memory.
pub(super) fn lane(open: &OpenScenario) -> Lane {
    lane_on(open, Driver::Inline, memory_disk())
}

/// Ticks on until `done`.
pub(super) fn until(lane: &mut Lane, what: &str, done: impl Fn(&Lane) -> bool) {
    for _ in 0..200_000 {
        if done(lane) {
            return;
        }
        lane.tick();
    }
    panic!("waited in vain until {what}");
}
