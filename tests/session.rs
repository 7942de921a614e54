//! The engine behind the window: the same run with and without it, stepping back, keeping and continuing runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    time::Duration,
};

use rederive::engine::{
    Engine, EngineOptions,
    driver::Driver,
    frame::{Flow, Frame, StreamState},
    play::{open_scenario, play},
    protocol::{
        Answer, Command, CrashTarget, CrashWhen, EngineEvent, Fact, KeptRun, LaneCommand, LaneId,
        OpenRequest, Query, Tick, Until, ViewKind,
    },
};

#[path = "session/versions.rs"]
mod versions;

struct Watched {
    engine: Engine,
    /// Rung by the engine.
    bell: Receiver<()>,
    facts: Vec<Fact>,
    others: Vec<EngineEvent>,
    frame: Arc<Frame>,
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs").join(name)
}

impl Watched {
    fn start(runs: Option<PathBuf>) -> Self {
        let (ring, bell) = sync_channel(1);
        let wake = Arc::new(move || {
            let _one_rings_already = ring.try_send(());
        });
        let options = EngineOptions { runs, driver: Driver::Threads, wake };
        let engine = Engine::start(options).unwrap();
        Watched { engine, bell, facts: Vec::new(), others: Vec::new(), frame: Arc::default() }
    }

    fn open(runs: Option<PathBuf>, path: PathBuf) -> Self {
        let mut watched = Self::start(runs);
        watched.send(Command::Open(OpenRequest { path, mapping: Vec::new() }));
        watched.until("the log is loaded", |w| !w.frame.lanes.is_empty() && w.frame.loading.complete);
        watched
    }

    fn send(&self, command: Command) {
        self.engine.send(command).unwrap();
    }

    fn lane(&self, command: LaneCommand) {
        self.send(Command::Lane(LaneId(0), command));
    }

    /// Waits for a state, never for a number of frames.
    fn until(&mut self, what: &str, done: impl Fn(&Watched) -> bool) {
        for _ in 0..12_000 {
            while let Some(event) = self.engine.next_event() {
                match event {
                    EngineEvent::Happened { fact, .. } => self.facts.push(fact),
                    EngineEvent::Opened { .. } => self.facts.clear(),
                    other => self.others.push(other),
                }
            }
            if let Some(frame) = self.engine.newest_frame() {
                self.frame = frame;
            }
            if done(self) {
                return;
            }
            // Files are looked for too, for which nobody rings.
            let _rung = self.bell.recv_timeout(Duration::from_millis(5));
        }
        panic!("waited in vain until {what}: {:?} {:?}", self.facts.last(), self.others.last());
    }

    fn finish(&mut self) -> String {
        self.send(Command::RunUntil(Until::Tick(Tick(u64::MAX))));
        self.until("the run is finished", |w| w.frame.flow == Flow::Finished && digest(&w.facts).is_some());
        digest(&self.facts).unwrap()
    }
}

fn digest(facts: &[Fact]) -> Option<String> {
    facts.iter().find_map(|fact| match fact {
        Fact::Finished { digest, .. } => Some(digest.clone()),
        _ => None,
    })
}

#[test]
fn the_same_run_has_the_same_digest_with_and_without_the_window() {
    let open = open_scenario(&sample("crash-and-replay.json")).unwrap();
    let headless = play(&open, Driver::Inline, None);
    let mut watched = Watched::open(None, sample("crash-and-replay.json"));
    assert_eq!(watched.finish(), headless.digest);
}

#[test]
fn a_run_by_hand_is_saved_and_plays_the_same_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut watched = Watched::open(Some(directory.path().join("runs")), sample("clicks"));
    watched.send(Command::RunUntil(Until::Record(12)));
    watched.until("12 clicks", |w| w.frame.lanes[0].position >= 12 && w.frame.flow == Flow::Paused);
    watched.lane(LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now });
    watched.send(Command::Step(150));
    watched.until("the crash", |w| matches!(w.frame.lanes[0].stream, StreamState::Crashed { .. }));
    assert_eq!(watched.frame.lanes[0].memory_totals, None);
    watched.lane(LaneCommand::Restore(None));
    let by_hand = watched.finish();
    let file = directory.path().join("saved.json");
    watched.send(Command::SaveScenario(file.clone()));
    watched.until("saved", |_| file.exists());
    let again = play(&open_scenario(&file).unwrap(), Driver::Inline, None);
    assert_eq!((again.digest, again.failures), (by_hand, Vec::new()));
}

#[test]
fn back_and_restart_return_to_where_the_run_was() {
    let mut watched = Watched::open(None, sample("clicks"));
    let straight = watched.finish();
    let totals = watched.frame.lanes[0].merged_totals;
    watched.send(Command::GoTo(Tick(700)));
    watched.until("back", |w| w.frame.tick == Tick(700) && w.frame.flow == Flow::Paused);
    assert!(watched.frame.lanes[0].merged_totals.views < totals.views);
    assert_eq!(watched.finish(), straight);
    watched.send(Command::Restart);
    watched.until("the start", |w| w.frame.tick == Tick(0) && w.frame.flow == Flow::Paused);
    assert_eq!(watched.finish(), straight);
}

#[test]
fn an_interrupted_run_is_continued_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    let mut watched = Watched::open(Some(runs.clone()), sample("crash-and-replay.json"));
    watched.send(Command::RunUntil(Until::Record(15_000)));
    watched.until("15,000", |w| w.frame.lanes[0].position >= 15_000 && w.frame.flow == Flow::Paused);
    let run = std::fs::read_dir(&runs).unwrap().next().unwrap().unwrap().path();
    let name = run.file_name().unwrap().to_string_lossy().into_owned();
    // The program dies: what is on disk is all that is left. (A copy, since this process goes on.)
    let copy = directory.path().join("copy");
    copy_tree(&run, &copy.join(&name));
    let mut again = Watched::start(Some(copy));
    again.send(Command::Ask(1, Query::Runs));
    again.until("kept runs", |w| !w.others.is_empty());
    let Some(EngineEvent::Answered(1, Answer::Runs(kept))) = again.others.first() else {
        panic!("no answer")
    };
    assert_eq!((kept.len(), kept[0].ended, kept[0].name.as_str()), (1, false, name.as_str()));
    let last = kept[0].last_tick;
    assert!(last > 8_000);
    again.send(Command::ContinueRun(name));
    again.until("continued", |w| w.frame.tick == Tick(last) && w.frame.flow == Flow::Paused);
    assert_eq!(again.finish(), watched.finish());
}

#[test]
fn questions_are_answered_page_by_page() {
    let mut watched = Watched::open(None, sample("shop"));
    watched.send(Command::RunUntil(Until::Record(2_000)));
    watched.until("2,000", |w| w.frame.lanes[0].position >= 2_000);
    watched.send(Command::Ask(7, Query::Records { first: 1_000, count: 3 }));
    watched
        .send(Command::Ask(8, Query::Rows { lane: LaneId(0), view: ViewKind::Merged, first: 0, count: 5 }));
    watched.until("answers", |w| {
        w.others.iter().filter(|e| matches!(e, EngineEvent::Answered(..))).count() == 2
    });
    for event in &watched.others {
        match event {
            EngineEvent::Answered(7, Answer::Records(records)) => {
                assert_eq!((records.len(), records[0].number, records[0].read), (3, 1_000, 1));
                assert!(records[0].text.contains("user_id") && records[0].line > 0);
                assert_eq!(records[0].fate, "counted in speed");
            }
            EngineEvent::Answered(8, Answer::Rows { rows, total, .. }) => {
                assert!(rows.len() == 5 && *total > 100);
            }
            EngineEvent::Answered(number, answer) => panic!("{number}: {answer:?}"),
            _ => {}
        }
    }
}

#[test]
fn what_cannot_be_opened_says_why() {
    let mut watched = Watched::start(None);
    watched.send(Command::Open(OpenRequest { path: PathBuf::from("no/such/log"), mapping: Vec::new() }));
    watched.until("a refusal", |w| {
        w.others
            .iter()
            .any(|e| matches!(e, EngineEvent::OpenFailed { message, .. } if message.contains("no/such/log")))
    });
}

/// Log of 20 clicks that can be changed, and a run over it that was killed at record 12: (log, runs, name of the run).
fn killed_run(directory: &Path) -> (PathBuf, PathBuf, String) {
    let (log, runs, copy) = (directory.join("log"), directory.join("runs"), directory.join("copy"));
    copy_tree(&sample("clicks"), &log);
    let mut watched = Watched::open(Some(runs.clone()), log.clone());
    watched.send(Command::RunUntil(Until::Record(12)));
    watched.until("12 clicks", |w| w.frame.lanes[0].position >= 12 && w.frame.flow == Flow::Paused);
    copy_tree(&runs, &copy);
    let name = std::fs::read_dir(&copy).unwrap().next().unwrap().unwrap().file_name();
    (log, copy, name.to_string_lossy().into_owned())
}

fn failure(watched: &Watched) -> Option<&str> {
    watched.others.iter().find_map(|event| match event {
        EngineEvent::OpenFailed { message, .. } => Some(message.as_str()),
        EngineEvent::Failed { why, .. } => Some(why.as_str()),
        _ => None,
    })
}

fn kept(watched: &mut Watched, number: u64) -> Vec<KeptRun> {
    watched.send(Command::Ask(number, Query::Runs));
    let answer = |w: &Watched| {
        w.others.iter().find_map(|event| match event {
            EngineEvent::Answered(n, Answer::Runs(runs)) if *n == number => Some(runs.clone()),
            _ => None,
        })
    };
    watched.until("kept runs", |w| answer(w).is_some());
    answer(watched).unwrap()
}

#[test]
fn a_run_whose_log_has_changed_or_is_gone_is_not_continued_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let (log, runs, name) = killed_run(directory.path());
    let file = log.join("2024-05-01.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("ada", "eve", 1)).unwrap();
    let mut again = Watched::start(Some(runs.clone()));
    again.send(Command::ContinueRun(name.clone()));
    again.until("a refusal", |w| failure(w).is_some_and(|text| text.contains("changed")));
    std::fs::remove_dir_all(&log).unwrap();
    let mut again = Watched::start(Some(runs));
    again.send(Command::ContinueRun(name));
    again.until("a refusal", |w| failure(w).is_some_and(|text| text.contains("log")));
}

/// Two more clicks, in a segment that was there and in a new one.
fn grow(log: &Path) {
    let file = log.join("2024-05-02.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let last = text.lines().last().unwrap();
    std::fs::write(&file, format!("{text}{last}\n")).unwrap();
    std::fs::write(log.join("2024-06-01.jsonl"), format!("{last}\n")).unwrap();
}

fn has_more(watched: &Watched) -> Option<u64> {
    watched.others.iter().find_map(|event| match event {
        EngineEvent::LogHasMore { records, .. } => Some(*records),
        _ => None,
    })
}

#[test]
fn an_interrupted_run_over_a_log_that_has_grown_goes_on_over_what_it_names() {
    let directory = tempfile::tempdir().unwrap();
    let (log, runs, name) = killed_run(directory.path());
    let straight = Watched::open(None, log.clone()).finish();
    grow(&log);
    let mut again = Watched::start(Some(runs));
    again.send(Command::ContinueRun(name));
    again.until("continued", |w| !w.frame.lanes.is_empty() && w.frame.flow == Flow::Paused);
    assert_eq!(again.finish(), straight);
    assert_eq!((has_more(&again), again.frame.loading.records), (Some(20), 20));
    assert_ne!(Watched::open(None, log).finish(), straight, "the run over all of it is another");
}

#[test]
fn a_saved_run_over_a_log_that_has_grown_plays_the_same_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let (log, file) = (directory.path().join("log"), directory.path().join("saved.json"));
    copy_tree(&sample("clicks"), &log);
    let mut watched = Watched::open(None, log.clone());
    let digest = watched.finish();
    watched.send(Command::SaveScenario(file.clone()));
    watched.until("saved", |_| file.exists());
    assert_eq!(open_scenario(&file).unwrap().log_has_more(), None);
    grow(&log);
    let open = open_scenario(&file).unwrap();
    assert!(open.log_has_more().unwrap().contains("20 records"));
    let again = play(&open, Driver::Inline, None);
    assert_eq!((again.digest, again.failures), (digest.clone(), Vec::new()));
    let mut watched = Watched::open(None, file.clone());
    assert_eq!((watched.finish(), has_more(&watched)), (digest, Some(20)));
    // Saved again it still names what it was played over.
    let second = directory.path().join("second.json");
    watched.send(Command::SaveScenario(second.clone()));
    watched.until("saved", |_| second.exists());
    assert_eq!(open_scenario(&second).unwrap().index.len(), 20);
    let text = std::fs::read_to_string(log.join("2024-05-01.jsonl")).unwrap();
    std::fs::write(log.join("2024-05-01.jsonl"), text.replacen("ada", "eve", 1)).unwrap();
    let refused = open_scenario(&file).unwrap_err().to_string();
    assert!(refused.contains("2024-05-01.jsonl"), "{refused}");
}

#[test]
fn a_scenario_with_a_bare_digest_means_exactly_that_log() {
    let directory = tempfile::tempdir().unwrap();
    let (log, file) = (directory.path().join("log"), directory.path().join("old.json"));
    copy_tree(&sample("clicks"), &log);
    let mut watched = Watched::open(None, log.clone());
    watched.send(Command::SaveScenario(file.clone()));
    watched.until("saved", |_| file.exists());
    let identity = open_scenario(&file).unwrap().index.identity().unwrap().digest();
    let mut old: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    old["log"]["identity"] = format!("{identity:032x}").into();
    std::fs::write(&file, old.to_string()).unwrap();
    assert_eq!(open_scenario(&file).unwrap().index.len(), 20);
    grow(&log);
    let refused = open_scenario(&file).unwrap_err().to_string();
    assert!(refused.contains("the log has changed"), "{refused}");
}

#[test]
fn a_run_over_a_part_of_a_log_is_saved_as_that() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("part.json");
    // The loader may be faster than the order to stop it.
    let mut watched = loop {
        let mut watched = Watched::start(None);
        watched.send(Command::Open(OpenRequest { path: sample("shop"), mapping: Vec::new() }));
        watched.send(Command::CancelLoading);
        watched.until("a lane", |w| !w.frame.lanes.is_empty());
        if watched.frame.loading.records < 31_106 {
            break watched;
        }
    };
    let (digest, records) = (watched.finish(), watched.frame.loading.records);
    watched.send(Command::SaveScenario(file.clone()));
    watched.until("saved", |_| file.exists());
    let open = open_scenario(&file).unwrap();
    assert!(open.index.len() == records && records < 31_106 && open.log_has_more().is_some());
    let again = play(&open, Driver::Threads, None);
    assert_eq!((again.digest, again.failures), (digest, Vec::new()));
}

#[test]
fn a_run_that_is_open_elsewhere_is_neither_offered_nor_deleted_nor_continued() {
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    let one = Watched::open(Some(runs.clone()), sample("clicks"));
    let name = std::fs::read_dir(&runs).unwrap().next().unwrap().unwrap().file_name();
    let name = name.to_string_lossy().into_owned();
    for command in [Command::DeleteRun(name.clone()), Command::ContinueRun(name.clone())] {
        let mut other = Watched::start(Some(runs.clone()));
        assert_eq!(kept(&mut other, 1), []);
        other.send(command);
        other.until("a refusal", |w| failure(w).is_some_and(|text| text.contains("another window")));
        assert!(runs.join(&name).join("run.json").exists());
    }
    one.send(Command::Step(1));
    drop(one);
    let mut other = Watched::start(Some(runs.clone()));
    assert!(kept(&mut other, 1)[0].ended, "closed by the person");
    other.send(Command::DeleteRun(name.clone()));
    other.until("deleted", |_| !runs.join(&name).exists());
}

#[test]
fn what_was_not_played_leaves_no_run_behind() {
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    let count = || std::fs::read_dir(&runs).map_or(0, Iterator::count);
    let mut watched = Watched::open(Some(runs.clone()), sample("clicks"));
    watched.send(Command::Restart);
    watched.until("a new run", |w| w.frame.run.0 == 2);
    assert_eq!(count(), 1, "the same directory again");
    watched.send(Command::Step(3));
    watched.until("3", |w| w.frame.tick == Tick(3));
    watched.send(Command::GoTo(Tick(1)));
    watched.until("back", |w| w.frame.tick == Tick(1));
    assert_eq!(count(), 1, "stepping back plays in the same directory");
    watched.send(Command::Restart);
    watched.until("a new run", |w| w.frame.tick == Tick(0) && w.frame.run.0 == 4);
    assert_eq!(count(), 2, "what was played is kept");
    drop(watched);
    let mut other = Watched::start(Some(runs.clone()));
    let kept = kept(&mut other, 1);
    assert_eq!((count(), kept.len(), kept[0].ended), (1, 1, true));
}

#[test]
fn a_continued_run_counts_as_interrupted_until_it_is_closed_again() {
    let directory = tempfile::tempdir().unwrap();
    let (_, runs, name) = killed_run(directory.path());
    std::fs::write(runs.join(&name).join("ended"), b"").unwrap();
    let mut again = Watched::start(Some(runs.clone()));
    again.send(Command::ContinueRun(name.clone()));
    again.until("continued", |w| !w.frame.lanes.is_empty() && w.frame.flow == Flow::Paused);
    assert!(!runs.join(&name).join("ended").exists());
    // The run that is open can be continued from where it was, too.
    again.send(Command::ContinueRun(name.clone()));
    again.until("opened again", |w| w.frame.run.0 >= 2 && !w.frame.lanes.is_empty());
    assert_eq!(failure(&again), None);
}

#[test]
fn a_log_is_never_written_into_and_a_run_without_a_place_lives_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    copy_tree(&sample("clicks"), &log);
    let mut watched = Watched::open(None, log.clone());
    watched.send(Command::SaveScenario(log.join("saved.json")));
    watched.until("a refusal", |w| failure(w).is_some_and(|text| text.contains("never written")));
    assert!(!log.join("saved.json").exists());
    let file = directory.path().join("file");
    std::fs::write(&file, b"").unwrap();
    // A state directory that cannot be made, and one inside the log.
    for runs in [file.join("runs"), log.join("runs")] {
        let mut watched = Watched::open(Some(runs.clone()), log.clone());
        watched.until("a message", |w| failure(w).is_some());
        watched.finish();
        assert!(!runs.exists());
    }
}

#[test]
fn going_back_further_while_going_back_forgets_what_came_after() {
    let mut watched = Watched::open(None, sample("shop"));
    watched.send(Command::RunUntil(Until::Tick(Tick(6_000))));
    watched.until("6,000", |w| w.frame.tick == Tick(6_000) && w.frame.flow == Flow::Paused);
    watched.lane(LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now });
    watched.send(Command::RunUntil(Until::Tick(Tick(7_000))));
    watched.until("7,000", |w| w.frame.tick == Tick(7_000) && w.frame.flow == Flow::Paused);
    watched.send(Command::GoTo(Tick(6_900)));
    watched.send(Command::GoTo(Tick(5_000)));
    watched.until("5,000", |w| w.frame.tick == Tick(5_000) && w.frame.flow == Flow::Paused);
    watched.send(Command::RunUntil(Until::Tick(Tick(6_500))));
    watched.until("6,500", |w| w.frame.tick == Tick(6_500) && w.frame.flow == Flow::Paused);
    assert!(!matches!(watched.frame.lanes[0].stream, StreamState::Crashed { .. }), "the crash is undone");
}

#[test]
fn logs_are_opened_one_after_the_other_while_they_load() {
    let mut watched = Watched::start(None);
    for (name, order) in
        [("shop", Command::Play), ("clicks", Command::Restart), ("shop", Command::CancelLoading)]
    {
        let open = OpenRequest { path: sample(name), mapping: Vec::new() };
        watched.send(Command::Open(open));
        watched.send(order);
        watched.send(Command::GoTo(Tick(50)));
    }
    watched.send(Command::Open(OpenRequest { path: sample("clicks"), mapping: Vec::new() }));
    watched.until("the last log", |w| {
        w.frame.run.0 == 4 && w.frame.loading.complete && w.frame.loading.records == 20
    });
    watched.finish();
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).map(|_| ()).unwrap();
        }
    }
}
