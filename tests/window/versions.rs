//! "Two versions (Kappa)" through the window: a change of rules while the log goes on arriving.

use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use rederive::{
    app::AppCommand,
    engine::{frame::Flow, protocol::Cause},
};

use super::{
    live::{Live, sample},
    look::look,
};

/// Version 1 of the shop log serves; some days have arrived.
fn serving() -> Live {
    let mut live = Live::opened(&sample("shop"));
    live.key(Key::V);
    live.until_sees("Kappa has no batch layer.");
    look(&live, "versions-start");
    live.click("Start version 1");
    live.until_sees("serves readers");
    live.at_tick(4_000);
    live.until_sees("up to date");
    live
}

/// Version 2 catches up while records go on arriving; then the run stands.
fn gate_opens(live: &mut Live) {
    live.run_until("the gate is open", 100, |live| {
        live.state().kappa().is_some_and(|kappa| kappa.other.is_some() && kappa.closed.is_none())
    });
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
    let rows = [
        "Code that has to agree",
        "Views stored",
        "Wall time a record, measured",
        "Age, simulated",
        "Folds to change",
        "Readers see less for",
        "Until the new rules serve",
        "Commands back",
    ];
    for row in rows {
        assert!(live.sees(row), "{row}");
    }
    live.fast();
    live.click("Play");
    live.until("the end", |live| live.flow() == Flow::Finished);
    let kappa = live.state().kappa().unwrap();
    let views = kappa.serving.as_ref().unwrap().totals.views;
    assert_eq!((views, live.lane().merged_totals.views), (31_106, 31_106));
    look(&live, "versions-end");
    let [lambda, kappa] = [&kappa.lambda_cost, &kappa.kappa_cost].map(|cost| {
        (
            cost.code.len(),
            cost.change.ticks_short > 0,
            cost.change.ticks_to_answer.is_some_and(|ticks| ticks > 0),
        )
    });
    assert_eq!((lambda, kappa), ((3, true, true), (1, false, true)), "code, seconds without, seconds until");
    live.click("as tables");
    live.until_sees("Serves");
    live.click("Timeline");
    live.until_sees("checkpoint at");
    live.click("Plots");
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
    live.run_until("version 2 is on its way", 10, |live| {
        let kappa = live.state().kappa();
        kappa.and_then(|kappa| kappa.other.as_ref()).is_some_and(|(_, other)| other.position > 100)
    });
    assert!(AppCommand::Version(rederive::app::VersionStep::StartNext).enabled(live.state()).is_err());
    live.click("Crash version 2");
    live.until_sees("Version 2 crashed at record");
    live.until_sees("Readers see version 1 and notice nothing.");
    live.until_sees("version 2 is down");
    look(&live, "versions-crashed");
    live.click("Restore version 2");
    live.click("Play");
    live.until_sees("Same bytes as a version that never crashed.");
    // Strip and timeline are those of the version that crashed, while the lane is shown.
    live.until_sees("Proof strip of version 2. Read twice: ");
    live.until_sees("Timeline of versions: ");
    look(&live, "versions-strip");
    let (number, proof) = live.state().kappa().unwrap().proof.clone().unwrap();
    let most = |runs: &[rederive::domain::Run]| runs.iter().map(|run| run.count).max().unwrap();
    assert_eq!((number.0, most(&proof.read), most(&proof.counted), most(&proof.every_read)), (2, 2, 1, 2));
    // The log has no record without a user: nothing differs.
    gate_opens(&mut live);
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

/// Version 2 closes days: its late records are listed with their watermarks, and are a cause of the difference.
#[test]
fn a_version_that_closes_days_lists_what_it_drops() {
    let mut live = serving();
    live.fill("Late after", "soon");
    live.until_sees("Not a duration: \"soon\".");
    live.fill("Late after", "1h");
    look(&live, "versions-form");
    live.click("Users: in sketches");
    live.click("Start version 2");
    gate_opens(&mut live);
    live.run_until("late records", 100, |live| {
        live.state().kappa().unwrap().versions().any(|one| one.late > 20)
    });
    live.until_sees("dropped as late");
    live.until_sees(", missing for good");
    look(&live, "versions-late");
    let late = live.state().kappa().unwrap().versions().map(|one| one.late).max().unwrap();
    live.key(Key::D);
    live.until_sees("Days stay open for ever in this run");
    live.click("Late records of Version 2");
    live.until("the list", |live| live.state().answers.late.total == late);
    live.until_sees("No batch run counts them later");
    let lines = live.state().answers.late.lines.clone();
    assert!(lines.iter().all(|line| line.watermark > line.time), "{lines:?}");
    look(&live, "versions-late-drawer");
    // A version that goes takes its list with it.
    live.key(Key::V);
    live.click("Give up the new view");
    live.until_sees("version 1 serves alone.");
    live.key(Key::D);
    live.until_sees("Days stay open for ever in this run");
}

#[test]
fn versions_are_shown_by_page_and_by_day_and_their_views_are_exported() {
    let mut live = serving();
    live.fill("Days in", "Asia/Tokyo");
    live.click("Start version 2");
    gate_opens(&mut live);
    live.click("by day");
    live.until_sees(" to what is served");
    look(&live, "versions-by-day");
    let kappa = live.state().kappa().unwrap().clone();
    let sums =
        kappa.by_day.iter().fold((0, 0), |sum, row| (sum.0 + row.serving.views, sum.1 + row.other.views));
    let (serving, other) = (kappa.serving.as_ref().unwrap(), &kappa.other.as_ref().unwrap().1);
    assert_eq!(sums, (serving.totals.views, other.totals.views));
    live.click("by page");
    look(&live, "versions-by-page");
    live.click("as tables");
    live.click("Days");
    live.until_sees("Other is off by");
    look(&live, "versions-days-table");
    live.click("over the run");
    for (label, version) in [("Export the view of version 2", 2), ("Export the view of version 1", 1)] {
        let file = live.directory.path().join(format!("version-{version}.csv"));
        live.click(label);
        live.type_over(&file.display().to_string());
        live.click("Save");
        live.until("it is saved", |_| file.exists());
        let text = std::fs::read_to_string(&file).unwrap();
        let at = text.lines().next().unwrap().split(',').position(|name| name == "total_views").unwrap();
        let views: u64 =
            text.lines().skip(1).map(|line| line.split(',').nth(at).unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(views, serving.totals.views, "{text}");
    }
    let texts = [1, 2].map(|version| {
        std::fs::read_to_string(live.directory.path().join(format!("version-{version}.csv"))).unwrap()
    });
    assert_ne!(texts[0], texts[1], "days in another zone");
}

#[test]
fn why_two_versions_differ_is_shown_with_the_records_behind_every_cause() {
    let mut live = serving();
    live.key(Key::Y);
    live.until_sees("Versions cannot be compared: only one version is there");
    live.key(Key::V);
    live.fill("Days in", "Asia/Tokyo");
    live.fill("Late after", "1h");
    live.click("Start version 2");
    gate_opens(&mut live);
    live.run_until("late records", 100, |live| {
        live.state().kappa().unwrap().versions().any(|one| one.late > 20)
    });
    live.key(Key::Y);
    live.until_sees("List the records: on another day");
    live.until_sees("came after their day was closed; version 2 dropped them.");
    live.until("it is about now", |live| {
        let difference = live.state().answers.lineage.difference.as_ref();
        let views = live.state().kappa().unwrap().serving.as_ref().unwrap().totals.views;
        difference.is_some_and(|difference| {
            difference.first.views == views && live.state().answers.pending.is_empty()
        })
    });
    look(&live, "version-differences");
    let found = live.state().answers.lineage.difference.clone().unwrap();
    let views: i64 = found.parts.iter().map(|part| part.views).sum();
    assert_eq!(views, found.first.views.cast_signed() - found.second.views.cast_signed());
    assert!(found.parts.iter().all(|part| part.cause != Cause::Unexplained), "{:?}", found.parts);
    assert!(found.days.len() > 3 && found.cells_in_all > found.days.len() as u64);
    assert!(
        found.command.lines().count() == 2 && found.command.contains("--zone Asia/Tokyo"),
        "{}",
        found.command
    );
    assert!(found.settings[1].contains("zone=Asia/Tokyo lateness=1h"), "{:?}", found.settings);
    let late = found.parts.iter().find(|part| part.cause == Cause::Late).unwrap().records;
    assert_eq!((found.read[1].late, found.read[0].late), (late, 0));
    let file = live.directory.path().join("versions.csv");
    live.click("Export…");
    live.type_over(&file.display().to_string());
    live.click("Save");
    live.until("it is saved", |_| file.exists());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(",other-day-zone,") && text.contains(",late,"), "{text}");
    assert!(!text.contains("unexplained"), "{text}");
    live.click("List the records: late");
    let listed = |live: &Live| live.state().answers.lineage.listing.clone().filter(|page| page.is_known);
    live.until("the late ones", |live| listed(live).is_some_and(|page| page.total == late));
    live.until_sees("Version 1 less version 2: late");
    live.until_sees("1: counted, 2: late");
    look(&live, "version-differences-listing");
    assert!(listed(&live).unwrap().records.iter().all(|record| record.line > 0 && !record.file.is_empty()));
    // A day, and a cell.
    let day = &found.days[1];
    live.h.get_all_by_label_contains(&format!("{}: ", day.day)).next().unwrap().click();
    live.settle();
    live.until_sees(&format!("what differs: {}", day.day));
    live.until("the list", |live| listed(live).is_some_and(|page| page.total > 0));
}
