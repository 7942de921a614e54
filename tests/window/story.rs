//! The stories that the window tells: crash and restore, by script and by hand.

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;
use rederive::engine::{
    driver::Driver,
    frame::{BatchState, Flow, StreamState},
    play::{open_scenario, play},
    protocol::{Command, Fact},
};

use crate::live::{Live, sample};

/// The saved run plays the same without a window.
fn same_again(live: &mut Live, digest: &str, drivers: &[Driver]) {
    let file = live.directory.path().join("saved.json");
    live.send(Command::SaveScenario(file.clone()));
    live.until_sees("Saved ");
    let open = open_scenario(&file).unwrap();
    for &driver in drivers {
        let again = play(&open, driver, None);
        assert_eq!((again.digest.as_str(), again.failures), (digest, Vec::new()), "{driver:?}");
    }
}

#[test]
fn a_crash_is_watched_predicted_and_restored() {
    let mut live = Live::opened(&sample("crash-and-replay.json"));
    live.h.get_by_label("Nothing processed yet.");
    live.h.get_by_label("The grey line is a full recount of the log. Press Space.");
    live.fast();
    live.click("Play");
    live.until("the scripted crash pauses", |live| live.flow() == Flow::Paused && live.tick() > 0);
    live.h.get_by_label("Stream crashed at record 14,734; its memory is gone.");
    live.h.get_by_label("On disk: checkpoint 14 = position 14,000 and its totals, in one file.");
    live.h.get_by_label("stream down");
    live.h.get_by_label_contains("Speed view: memory gone, served 2,734 page views.");
    live.click("2  right");
    live.click("Restore");
    live.until("the restore", |live| matches!(live.lane().stream, StreamState::Recovering { .. }));
    live.settle();
    live.h.get_by_label("Position and totals went back together.");
    live.click("Play");
    live.until_sees("734 records were read twice and counted once.");
    live.until("the end of the replay pauses", |live| live.flow() == Flow::Paused);
    live.settle();
    live.h.get_by_label("You said right: so it is.");
    live.h.get_by_label(
        "Total 14,734 = full recount 14,734. Same bytes as a run that never crashed. \
         Counting every read would give 15,468 (+734).",
    );
    for words in [
        "Read twice: 734 records, 14,000 to 14,733.",
        "Counted once: ",
        "If every read counted, counted twice: 734 records, 14,000 to 14,733.",
    ] {
        live.h.get_by_label_contains(words);
    }
    assert!(!live.sees(". Counted twice"), "the strip counts no record twice");
    let digest = live.finish();
    live.until_sees("Finished: total 31,106 = full recount 31,106.");
    assert!(live.sees(&format!("Run fingerprint {}.", &digest[..12])));
    same_again(&mut live, &digest, &[Driver::Inline]);
}

#[test]
fn a_crash_by_hand_is_restored_by_a_key() {
    let mut live = Live::opened(&sample("clicks"));
    live.step_until("some clicks", |live| live.lane().position >= 7);
    live.key(Key::X);
    live.until_sees("Stream crashed at record 7; its memory is gone.");
    live.key(Key::Num3);
    live.key(Key::R);
    live.until("the restore", |live| !matches!(live.lane().stream, StreamState::Crashed { .. }));
    live.step_until("the replay is over", |live| matches!(live.lane().stream, StreamState::Running));
    live.until_sees("read twice and counted once.");
    live.h.get_by_label("You said too high: it is right.");
    live.fast();
    let digest = live.finish();
    live.until_sees("Finished: total 20 = full recount 20.");
    same_again(&mut live, &digest, &[Driver::Inline, Driver::Threads]);
}

#[test]
fn a_checkpoint_older_than_the_batch_view_does_not_count_twice() {
    let mut live = Live::opened(&sample("old-checkpoint.json"));
    live.fast();
    live.click("Play");
    live.until("the crash", |live| live.flow() == Flow::Paused && live.tick() > 0);
    live.h.get_by_label("Stream crashed at record 8,900; its memory is gone.");
    live.key(Key::R);
    live.until("the restore", |live| matches!(live.lane().stream, StreamState::Recovering { .. }));
    live.settle();
    live.h
        .get_by_label_contains("6,000 records below its hand-over were dropped, or they would count twice.");
    assert_eq!(live.lane().merged_totals, live.lane().recount_totals);
    live.click("Play");
    live.until("the replay is over", |live| {
        live.state().newest_facts().any(|fact| matches!(fact, Fact::ReplayFinished { .. }))
            && live.flow() == Flow::Paused
    });
    live.settle();
    assert_eq!(live.lane().merged_totals, live.lane().recount_totals);
    live.h.get_by_label_contains("were read twice");
    live.h.get_by_label_contains("Same bytes as a run that never crashed.");
}

#[test]
fn a_batch_run_that_crashes_publishes_nothing_and_is_run_again() {
    let mut live = Live::opened(&sample("shop"));
    live.menu("stream", "Crash target: batch");
    live.key(Key::X);
    live.until_sees("No batch run is under way");
    live.at_record(1_000);
    live.key(Key::B);
    live.until("a batch run", |live| matches!(live.lane().batch, BatchState::Running { .. }));
    live.key(Key::X);
    live.until_sees("The batch run ends with the next step of run time");
    live.key(Key::Period);
    live.until_sees("It published nothing and will be run again.");
    assert_eq!(live.lane().batch_runs, 0);
    // The step has to be over: until then the button means something else.
    live.until("at rest", |live| live.flow() == Flow::Paused && live.lane().batch == BatchState::Crashed);
    live.click("Play");
    live.until("it was run again", |live| live.lane().batch_runs > 0);
}

#[test]
fn an_older_checkpoint_can_be_chosen_and_reads_more_again() {
    let mut live = Live::opened(&sample("crash-and-replay.json"));
    live.fast();
    live.click("Play");
    live.until("the crash", |live| live.flow() == Flow::Paused && live.tick() > 0);
    live.key(Key::K);
    live.h.get_by_label("Checkpoint 14");
    live.click("Restore from 13");
    live.until("the restore", |live| matches!(live.lane().stream, StreamState::Recovering { .. }));
    live.click("Play");
    live.until_sees("1,734 records were read twice and counted once.");
    live.until_sees("(+1,734)");
}

#[test]
fn back_and_home_play_the_same_run_again() {
    let mut live = Live::opened(&sample("clicks"));
    live.step_until("some clicks", |live| live.lane().position >= 3);
    let (tick, totals) = (live.tick(), live.lane().merged_totals);
    live.key(Key::Comma);
    live.until("back", |live| live.tick() == tick - 10 && live.flow() == Flow::Paused);
    live.key(Key::Period);
    live.until("on again", |live| live.tick() == tick && live.flow() == Flow::Paused);
    assert_eq!(live.lane().merged_totals, totals);
    live.key(Key::Home);
    live.until("home", |live| live.tick() == 0);
    live.until_sees("Nothing processed yet.");
}

#[test]
fn a_clicker_goes_through_the_story() {
    let mut live = Live::opened(&sample("crash-and-replay.json"));
    for moment in [
        "Batch covers 4,000 of",
        "Batch covers 8,000 of",
        "Batch covers 12,000 of",
        "Stream crashed at record 14,734",
        "Position and totals went back together.",
        "734 records were read twice and counted once.",
    ] {
        live.h.key_press(Key::PageDown);
        live.until(moment, |live| live.sees(moment) && live.flow() == Flow::Paused);
    }
    live.key(Key::PageUp);
    live.until_sees("Position and totals went back together.");
}

#[test]
fn the_close_up_shows_the_crash_and_leads_back() {
    use rederive::app::Look;
    let mut live = Live::opened(&sample("crash-and-replay.json"));
    live.key(Key::Z);
    live.until_sees("The stream has not crashed yet");
    live.fast();
    live.click("Play");
    live.until("the crash", |live| live.flow() == Flow::Paused && live.tick() > 0);
    live.key(Key::Z);
    assert_eq!(live.state().look, Look::Moment);
    let (from, to) = live.state().moment().unwrap();
    assert!(to - from < 1_200, "{from} {to}");
    live.key(Key::F);
    assert_eq!(live.state().look, Look::OverRun);
}
