//! Settings of the run in the window: typed and chosen, refused with a reason, started, kept, saved, continued.

use eframe::egui::{Key, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use rederive::{
    app::{Edit, Input, SettingsEdit, SettingsField},
    domain::{Lateness, Uniques},
    engine::{
        driver::Driver,
        frame::{Flow, StreamState},
        play::{open_scenario, play},
        protocol::Command,
    },
};

use crate::{
    live::{Live, sample},
    look::look,
    runs::copy_tree,
};

const START: &str = "Start again with these settings";

/// Settings of the run, with a lateness of an hour and estimated users, started.
fn approximate(log: &str) -> Live {
    let mut live = Live::opened(&sample(log));
    live.key(Key::S);
    live.h.get_by_label("Settings of the run");
    live.click("Allowed lateness: 1 h");
    live.click("Unique users: estimated (HyperLogLog)");
    let run = live.state().run;
    live.click(START);
    live.until("the run under other settings", |live| {
        live.state().run > run && live.lane().settings.uniques == Uniques::Hll
    });
    live
}

fn is_disabled(live: &Live, label: &str) -> bool {
    live.h.get_by_label(label).accesskit_node().is_disabled()
}

#[test]
fn what_cannot_be_read_is_refused_under_its_field() {
    let mut live = Live::opened(&sample("clicks"));
    live.menu("View", "Settings of the run");
    assert!(is_disabled(&live, START), "nothing is otherwise yet");
    for (field, text, why) in [
        ("Allowed lateness", "soon", "Not a duration: \"soon\"."),
        ("Checkpoints kept", "1", "At least 2."),
        ("Batch run every", "often", "Not a whole number: \"often\"."),
    ] {
        live.fill(field, text);
        live.until_sees(why);
        assert!(is_disabled(&live, START));
    }
    look(&live, "settings-errors");
    live.click("Undo");
    assert!(!live.sees("At least 2.") && is_disabled(&live, START));
    live.fill("Batch run every", "5");
    assert!(!is_disabled(&live, START));
    live.fill("Batch run every", "8");
    assert!(is_disabled(&live, START), "typed back to what the run has");
}

#[test]
fn another_lateness_makes_another_run_that_is_saved_and_plays_the_same() {
    let mut live = approximate("shop");
    assert!(live.sees("Started again: allowed lateness 1h, unique users estimated (HyperLogLog)."));
    assert_eq!((live.tick(), live.flow()), (0, Flow::Paused));
    live.until_sees("Error of merged in page views: now none");
    live.until_sees("--lateness 1h --idle-after 10000 --uniques hll");
    live.run_until("late records", 200, |live| live.lane().approximation.late_missing > 5);
    look(&live, "settings-late");
    live.key(Key::S);
    live.fast();
    let digest = live.finish();
    assert_eq!(live.lane().approximation.late_dropped, 311);
    let file = live.directory.path().join("saved.json");
    live.send(Command::SaveScenario(file.clone()));
    live.until_sees("Saved ");
    let open = open_scenario(&file).unwrap();
    assert_ne!(open.scenario.settings.lateness, Lateness::Unbounded);
    let again = play(&open, Driver::Inline, None);
    assert_eq!((again.digest.as_str(), again.failures), (digest.as_str(), Vec::new()));
}

#[test]
fn an_interrupted_run_goes_on_under_its_settings() {
    let mut live = approximate("clicks");
    live.step_until("some clicks", |live| live.lane().position >= 9);
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    copy_tree(&live.directory.path().join("runs"), &runs);
    let mut again = Live::over(directory, runs);
    again.until_sees("Continue the run: ");
    again.h.get_by_label_contains("Continue the run: ").click();
    again.until("it is there", |again| again.state().lane().is_some() && again.tick() > 0);
    assert_eq!(again.lane().settings, live.lane().settings);
    live.fast();
    again.fast();
    assert_eq!(again.finish(), live.finish());
}

#[test]
fn another_day_zone_opens_the_log_again_with_the_fields_that_are_in_force() {
    let mut live = Live::opened(&sample("clicks"));
    live.key(Key::S);
    live.until_sees("no id field is named: nothing is a duplicate");
    let before = live.state().summary.as_ref().unwrap().mapping.clone();
    // Below what the drawer shows at once.
    live.h.get_by_label("Open again with…").click_accesskit();
    live.settle();
    live.h.get_by_label("Open a log");
    live.h.get_by_role_and_label(Role::TextInput, "zone").focus();
    live.settle();
    live.h.get_by_role_and_label(Role::TextInput, "zone").type_text("as-written");
    live.settle();
    look(&live, "settings-open-again");
    live.click("Open");
    live.until("the log in other days", |live| {
        live.state().summary.as_ref().is_some_and(|summary| summary.zone == "as-written")
            && live.state().lane().is_some()
    });
    assert_eq!(live.state().summary.as_ref().unwrap().mapping, before, "the fields are those of before");
    live.until_sees("the date as written");
}

#[test]
fn what_is_saved_can_be_chosen_and_the_words_follow_it() {
    let mut live = Live::opened(&sample("clicks"));
    live.key(Key::S);
    let run = live.state().run;
    live.click("What is saved, and when: totals, with a position that is always -1");
    // No batch run that would put it right before it is seen.
    let edit = SettingsEdit::Type(SettingsField::BatchEvery, "0".to_owned());
    live.input(Input::Edit(Edit::Settings(edit)));
    live.click(START);
    live.until("the run as printed in the textbook", |live| live.state().run > run && live.tick() == 0);
    live.key(Key::S);
    live.step_until("a checkpoint and more", |live| live.lane().position >= 7);
    live.key(Key::X);
    live.until_sees("On disk: checkpoint 1 = totals, with a position that is always -1.");
    live.key(Key::R);
    live.step_until("all is read again", |live| {
        live.lane().position >= 7 && matches!(live.lane().stream, StreamState::Running)
    });
    live.until_sees("too many: they were read again and counted again.");
}
