//! What a run's directory says of a log that is not loaded to its end.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    sync::Arc,
};

use crossbeam_channel::{Receiver, bounded};

use super::*;
use crate::engine::{EngineOptions, driver::Driver, runs::read_scenario};

/// More than what is loaded before it is played.
const RECORDS: usize = 8_600;

fn session(runs: &Path) -> (Session, Receiver<EngineEvent>) {
    let (outbox, events) = bounded(1_024);
    let (frame_out, frames) = bounded(1);
    let options =
        EngineOptions { runs: Some(runs.to_owned()), driver: Driver::Inline, wake: Arc::new(|| {}) };
    (Session::new(options, outbox, frame_out, frames), events)
}

/// Takes what the loader tells until `done`, or until the log was given up.
fn load(session: &mut Session, done: impl Fn(&OpenLog) -> bool) {
    let loads = session.loads.1.clone();
    while session.open.as_ref().is_some_and(|open| !done(open)) {
        session.loaded(loads.recv().unwrap());
    }
}

fn is_loaded(open: &OpenLog) -> bool {
    open.index.as_ref().is_some_and(|index| index.is_last())
}

fn name_in(run: &Path) -> LogName {
    read_scenario(&run.join("run.json")).unwrap().log_name().unwrap().unwrap()
}

#[test]
fn a_run_that_is_killed_while_its_log_loads_names_how_the_log_begins() {
    let directory = tempfile::tempdir().unwrap();
    let [log, runs, copy] = ["log", "runs", "copy"].map(|name| directory.path().join(name));
    fs::create_dir(&log).unwrap();
    let note = "x".repeat(8_192);
    let line = |n: usize| {
        let time = 1_700_000_000 + n;
        format!("{{\"page\":\"p{}\",\"user\":\"u{}\",\"time\":{time},\"note\":\"{note}\"}}\n", n % 5, n % 50)
    };
    let text: String = (0..RECORDS).map(line).collect();
    fs::write(log.join("1.jsonl"), text).unwrap();
    let (mut first, _events) = session(&runs);
    first.open(&OpenRequest { path: log.clone(), mapping: Vec::new() });
    load(&mut first, |open| open.lane.is_some());
    let run = runs.join("run-000001");
    let LogName::Beginning(identity) = name_in(&run) else { panic!("{:?}", name_in(&run)) };
    assert_eq!(identity.records(), 1_000);
    // The program dies: what is on disk is all that is left.
    fs::create_dir_all(copy.join("run-000001")).unwrap();
    fs::copy(run.join("run.json"), copy.join("run-000001/run.json")).unwrap();
    load(&mut first, is_loaded);
    assert!(matches!(name_in(&run), LogName::Whole(identity) if identity.records() == RECORDS as u64));
    drop(first);
    // The log goes on where the name ends.
    let (mut again, _events) = session(&copy);
    again.continue_run("run-000001");
    load(&mut again, is_loaded);
    assert_eq!(
        again.open.as_ref().and_then(|open| open.index.as_ref()).map(|index| index.len()),
        Some(8_600)
    );
    drop(again);
    // Another log at the same place is another log.
    let mut file = fs::OpenOptions::new().write(true).open(log.join("1.jsonl")).unwrap();
    file.seek(SeekFrom::Start(9)).unwrap();
    file.write_all(b"q").unwrap();
    let (mut again, events) = session(&copy);
    again.continue_run("run-000001");
    load(&mut again, is_loaded);
    let refused = events.try_iter().any(|event| {
        matches!(event, EngineEvent::OpenFailed { message, .. } if message.contains("old bytes differ"))
    });
    assert!(refused && again.open.is_none());
}
