//! A thousand random plans hold every invariant after every tick; a failing seed prints the command that repeats it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;

use rederive::{
    engine::{
        driver::Driver,
        simulate::{Outcome, log_files, mapping_options, simulate},
    },
    ingest::{LogDirectory, LogIndex, Mapping, MappingOptions, load},
};

fn log(seed: u64, directory: &std::path::Path) -> (Arc<LogIndex>, Mapping) {
    for (file, text) in log_files(seed) {
        let path = directory.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut options = MappingOptions::default();
    for (name, value) in mapping_options() {
        options.set(name, value).unwrap();
    }
    let directory = LogDirectory::open(directory, false).unwrap();
    let (mapping, _) = Mapping::resolve(&options, &directory).unwrap();
    (load(&directory, &mapping).unwrap(), mapping)
}

fn play(seed: u64, driver: Driver) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let (index, mapping) = log(seed, directory.path());
    simulate(seed, &index, &mapping, driver)
}

fn hold(seeds: std::ops::Range<u64>) {
    let (mut crashes, mut version_crashes, mut changeovers) = (0, 0, 0);
    for seed in seeds {
        let outcome = play(seed, Driver::Inline);
        let repeat = format!("rederive simulate --seeds {seed}..{}", seed + 1);
        assert_eq!(outcome.failure, None, "repeat with: {repeat}\n{}", outcome.journal);
        if seed % 40 == 0 {
            assert_eq!(play(seed, Driver::Threads), outcome, "drivers differ; repeat with: {repeat}");
        }
        crashes += outcome.crashes;
        version_crashes += outcome.version_crashes;
        changeovers += outcome.changeovers;
    }
    assert!(crashes > 100, "the plans hardly crash anything: {crashes}");
    assert!(version_crashes > 100, "the plans hardly crash a version: {version_crashes}");
    assert!(changeovers > 100, "readers hardly change over: {changeovers}");
}

#[test]
fn seeds_of_the_first_half() {
    hold(0..500);
}

#[test]
fn seeds_of_the_second_half() {
    hold(500..1000);
}
