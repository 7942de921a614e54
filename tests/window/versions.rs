//! "Two versions (Kappa)" through the window: a change of rules while the log goes on arriving.

use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use rederive::{app::AppCommand, engine::frame::Flow};

use super::{
    live::{Live, sample},
    look::look,
};

/// Version 1 of the shop log serves, and run time flows.
fn serving() -> Live {
    let mut live = Live::opened(&sample("shop"));
    live.fast();
    live.key(Key::V);
    live.until_sees("Kappa has no batch layer.");
    look(&live, "versions-start");
    live.click("Start version 1");
    live.until_sees("serves readers");
    live.click("Play");
    live.until_sees("up to date");
    live.until("some days have arrived", |live| live.tick() > 4_000);
    live
}

fn gate_opens(live: &mut Live) {
    live.until("the gate is open", |live| {
        live.state().kappa().is_some_and(|kappa| kappa.other.is_some() && kappa.closed.is_none())
    });
}

fn pause(live: &mut Live) {
    live.click("Pause");
    live.until("it stands", |live| live.flow() == Flow::Paused);
}

#[test]
fn readers_change_over_and_back_and_the_old_view_goes_last() {
    let mut live = serving();
    live.h.get_by_label("Days in").focus();
    live.settle();
    live.h.get_by_label("Days in").type_text("Berl");
    live.settle();
    live.click("Europe/Berlin");
    live.click("Start version 2");
    gate_opens(&mut live);
    pause(&mut live);
    live.until_sees("the gate is open.");
    live.until_sees("Days that differ");
    live.until_sees("other day");
    look(&live, "versions-gate-open");
    live.click("Switch");
    live.until_sees("kept for the way back");
    live.until_sees("readers see version 2.");
    live.click("Roll back");
    live.until_sees("readers see version 1 again.");
    live.h.key_press_modifiers(Modifiers::SHIFT, Key::V);
    live.until_sees("kept for the way back");
    live.click("Delete the old view");
    live.until_sees("version 2 serves alone.");
    live.until_sees("Start version 3");
    // Both constructions, number beside number.
    for row in ["Code that has to agree", "Views stored", "Time a record, measured", "Age, simulated"] {
        assert!(live.sees(row), "{row}");
    }
    live.click("Play");
    live.until("the end", |live| live.flow() == Flow::Finished);
    let kappa = live.state().kappa().unwrap();
    let views = kappa.serving.as_ref().unwrap().totals.views;
    assert_eq!((views, live.lane().merged_totals.views), (31_106, 31_106));
    look(&live, "versions-end");
    live.click("as tables");
    live.until_sees("Serves");
    let button = |node: &egui_kittest::Node<'_>| node.accesskit_node().role() == Role::Button;
    live.h.query_all_by_label("Lambda").find(button).unwrap().click();
    live.settle();
    live.h.get_by_label("If every read counted");
}

#[test]
fn a_version_that_crashes_on_its_way_is_restored_and_readers_notice_nothing() {
    let mut live = serving();
    live.click("No user: count");
    live.click("Start version 2");
    live.until_sees("Give up the new view");
    pause(&mut live);
    assert!(AppCommand::Version(rederive::app::VersionStep::StartNext).enabled(live.state()).is_err());
    live.click("Crash version 2");
    live.until_sees("Version 2 crashed at record");
    live.until_sees("Readers see version 1 and notice nothing.");
    live.until_sees("version 2 is down");
    look(&live, "versions-crashed");
    live.click("Restore version 2");
    live.click("Play");
    live.until_sees("Same bytes as a version that never crashed.");
    // The log has no record without a user: nothing differs.
    gate_opens(&mut live);
    pause(&mut live);
    live.until_sees("No record counts otherwise.");
    live.click("Give up the new view");
    live.until_sees("version 1 serves alone.");
}

#[test]
fn rules_that_the_log_cannot_tell_are_refused_in_words() {
    let mut live = serving();
    live.click("Same id again: count all");
    live.click("Start version 2");
    live.until_sees("no id field is mapped: duplicates cannot be told");
    live.h.get_by_label("Days in").focus();
    live.settle();
    live.h.get_by_label("Days in").type_text("as-written");
    live.settle();
    live.until_sees("Days as written need the text of each record");
}
