//! Drawers, looks and tables over a run that has been played.

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;
use rederive::{
    app::AppCommand,
    engine::{frame::Flow, protocol::Fact},
};

use crate::live::{Live, sample};

fn replayed() -> Live {
    let mut live = Live::opened(&sample("crash-and-replay.json"));
    live.fast();
    live.click("Play");
    live.until("the crash", |live| live.flow() == Flow::Paused && live.tick() > 0);
    live.key(Key::R);
    live.click("Play");
    live.until("the replay is over", |live| {
        live.state().newest_facts().any(|fact| matches!(fact, Fact::ReplayFinished { .. }))
            && live.flow() == Flow::Paused
    });
    live
}

#[test]
fn the_log_browser_says_what_became_of_each_record() {
    let mut live = replayed();
    live.key(Key::L);
    live.until_sees("counted in batch");
    live.fill("Go to record", "14,000");
    live.click("Go");
    live.until_sees("14,000");
    live.until_sees("read 2x, counted 1x");
    live.until_sees("counted in speed");
    assert!(live.sees("\"user_id\""), "the line itself");
    live.click("Earlier");
    live.until_sees("13,800");
    live.click("At the crash");
    live.until_sees("14,729");
}

#[test]
fn the_other_looks_show_pages_and_days() {
    let mut live = Live::opened(&sample("clicks"));
    live.fast();
    live.finish();
    live.click("by page");
    live.h.get_by_label_contains("home: 5 merged, full recount 5");
    live.h.get_by_label_contains("home: 0 provisional");
    live.click("by day");
    live.h.get_by_label_contains("2024-05-01: 11 merged, full recount 11");
    live.click("unique users");
    live.h.get_by_label_contains("2024-05-01: 4 merged, full recount 4");
    live.click("over the run");
    let users = live.lane().merged_totals.users;
    live.h.get_by_label_contains(&format!("Merged view: {users} unique users"));
}

#[test]
fn every_plot_has_a_table_that_can_be_copied() {
    let mut live = replayed();
    live.click("as tables");
    live.h.get_by_label("If every read counted");
    live.click("Proof strip");
    live.h.get_by_label("14,000 to 14,733");
    live.click("Copy table");
    assert!(live.copied()[0].contains("14,000 to 14,733\t734\t2x\t1x\t2x"), "{:?}", live.copied());
    live.click("Timeline");
    live.h.get_by_label("stream crashed at");
    live.h.get_by_label("everything read again up to");
    live.click("Pages");
    live.h.get_by_label("Full recount");
}

#[test]
fn checkpoints_and_numbers_can_be_read() {
    let mut live = replayed();
    live.key(Key::K);
    live.h.get_by_label("Checkpoint 14");
    live.h.get_all_by_label("Show contents").next().unwrap().click();
    live.settle();
    live.until_sees("page views");
    live.key(Key::N);
    live.h.get_by_label("Merged equals a full recount");
    assert!(live.sees("holds, checked "));
    live.key(Key::W);
    live.until_sees("all records");
    live.click("Row by row");
    live.until_sees(" rows");
    live.click("full recount");
    live.click("Lines without an event");
    live.until_sees("Lines without an event: 0");
}

#[test]
fn presenter_mode_and_the_frame_time_can_be_switched() {
    let mut live = replayed();
    assert!(!live.sees("Frame"));
    live.menu("View", "Frame time");
    live.until_sees(" ms");
    live.key(Key::F11);
    assert!(!live.sees("Records behind"), "a room needs no status line");
    live.h.get_by_label("734 records were read twice and counted once.");
    live.key(Key::F11);
    assert!(live.sees("Records behind"));
}

#[test]
fn the_pace_goes_up_to_the_fastest_by_a_key() {
    let mut live = Live::opened(&sample("clicks"));
    let pace = |live: &Live| live.state().frame.as_ref().unwrap().pace_percent;
    let mut seen = vec![pace(&live)];
    for _ in 0..6 {
        live.key(Key::Plus);
        live.until("a faster pace", |live| pace(live) > *seen.last().unwrap());
        seen.push(pace(&live));
    }
    assert_eq!(seen, [100, 200, 400, 800, 1_600, 3_200, 6_400]);
    live.key(Key::Plus);
    live.until_sees("Pace 6400 % of simulated time.");
    live.key(Key::Minus);
    live.until("a slower one", |live| pace(live) == 3_200);
}

#[test]
fn every_command_is_in_the_palette_or_has_a_key() {
    let mut live = Live::opened(&sample("clicks"));
    live.ctrl(Key::K);
    for spec in AppCommand::ALL {
        if matches!(spec.command, AppCommand::Close | AppCommand::Palette) {
            assert!(spec.shortcut.is_some());
            continue;
        }
        live.type_over(spec.title);
        assert!(live.sees(spec.title), "{}", spec.title);
    }
}
