//! The hand-over drawer over the real engine: rules, handles by mouse, keys and typing, the same numbers as
//! `rederive merge`.

use std::process::Command;

use eframe::egui::{self, Key, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use rederive::engine::protocol::{BoundaryRule, HandoverAnswer, MergedUsers};

use crate::live::{Live, sample};

/// The shop log, paused some records after its first batch publication, with the drawer open.
fn shop() -> Live {
    let mut live = Live::opened(&sample("shop"));
    live.at_record(14_000);
    let lane = live.lane();
    assert!(lane.batch_covers == 12_000 && lane.served_position > lane.batch_covers + 600);
    live.key(Key::H);
    live.until_sees("Every record is counted once: merged equals the full recount.");
    live
}

pub fn answer(live: &Live) -> HandoverAnswer {
    live.state().answers.handover.answer.as_deref().cloned().expect("the drawer is open")
}

/// Waits until the newest question is answered.
pub fn settled(live: &mut Live) {
    live.until("the hand-over is counted", |live| live.state().answers.pending.is_empty());
    live.settle();
}

/// Chooses a rule in the drawer; a look of the plots has the name of one of them.
fn choose(live: &mut Live, rule: &str) {
    let x = |node: &egui_kittest::Node<'_>| node.accesskit_node().bounding_box().map_or(0.0, |rect| rect.x0);
    let rightmost = live.h.query_all_by_label(rule).max_by(|a, b| x(a).total_cmp(&x(b)));
    rightmost.unwrap().click();
    live.settle();
}

/// What the copied command line says on standard error.
fn merge(live: &mut Live) -> String {
    live.click("Copy as command");
    let copied = live.copied().last().unwrap().clone();
    let mut words = copied.split(' ');
    assert_eq!(words.next(), Some("rederive"), "{copied}");
    let output = Command::new(env!("CARGO_BIN_EXE_rederive")).args(words).output().unwrap();
    assert!(output.status.success(), "{copied}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

#[track_caller]
fn same_as_merge(live: &mut Live) {
    let said = merge(live);
    let page = live.state().answers.handover.clone();
    let answer = answer(live);
    let covers: u64 = answer.partitions.iter().map(|partition| partition.cut.max(partition.position)).sum();
    let merged = answer.merged(page.users);
    for part in [
        format!("counted twice: {} of {covers} records", answer.twice()),
        format!("counted nowhere: {} of {covers} records", answer.nowhere()),
        format!("merged: {} views, {} unique users", merged.views, merged.users),
        format!(": {} views, {} unique users\nerror:", answer.recount.views, answer.recount.users),
    ] {
        assert!(said.contains(&part), "{part:?} is not in\n{said}");
    }
}

#[test]
fn each_rule_shows_what_merge_computes() {
    let mut live = shop();
    live.picture("handover-offsets");
    for (name, rule) in [
        ("one scalar", BoundaryRule::Scalar),
        ("event time", BoundaryRule::EventTime),
        ("none", BoundaryRule::None),
        ("offset vector", BoundaryRule::Offsets),
    ] {
        choose(&mut live, name);
        settled(&mut live);
        live.picture(&format!("handover-{}", rule.id()));
        assert_eq!(live.state().answers.handover.rule(), Some(rule));
        let answer = answer(&live);
        match rule {
            BoundaryRule::Offsets => assert_eq!((answer.twice(), answer.nowhere()), (0, 0)),
            BoundaryRule::EventTime => assert_eq!(answer.twice(), 0),
            BoundaryRule::Scalar => {
                assert!(answer.twice() + answer.nowhere() > 0, "wrong on three partitions");
            }
            BoundaryRule::None => {
                assert_eq!((answer.twice(), answer.nowhere()), (answer.batch.views, 0));
                live.until_sees("records are counted twice.");
            }
        }
        same_as_merge(&mut live);
    }
    live.click("added");
    live.settle();
    assert_eq!(live.state().answers.handover.users, MergedUsers::Added);
    live.until_sees("users are counted in both views.");
    live.picture("handover-added");
    same_as_merge(&mut live);
    live.click("Back to the real hand-over");
    live.until_sees("Every record is counted once: merged equals the full recount.");
}

#[test]
fn handles_move_by_mouse_by_keys_and_by_typing() {
    let mut live = shop();
    let before = answer(&live);
    let first = before.partitions[0].clone();
    // By keys: three records back count twice.
    live.h.get_by_label("desktop: start of speed").focus();
    live.settle();
    (0..3).for_each(|_| live.key(Key::ArrowLeft));
    live.until_sees("3 records are counted twice.");
    assert_eq!(answer(&live).partitions[0].start, Some(first.cut - 3));
    live.until_sees("Speed starts where you have put it.");
    same_as_merge(&mut live);
    // By typing: behind the end of batch is a gap.
    live.h.get_by_label("mobile: speed from").click();
    live.settle();
    let typed = before.partitions[1].cut + 20;
    live.ctrl(Key::A);
    live.h.get_by_label("mobile: speed from").type_text(&typed.to_string());
    live.key(Key::Enter);
    live.until_sees("3 records are counted twice. 20 records are counted nowhere.");
    same_as_merge(&mut live);
    // By mouse: to the left end, everything of batch counts twice there.
    let handle = live.h.get_by_label("tablet: start of speed").accesskit_node().bounding_box().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "window coordinates")]
    let from = pos2(handle.x0.midpoint(handle.x1) as f32, handle.y0.midpoint(handle.y1) as f32);
    live.h.drag_at(from);
    live.settle();
    live.h.hover_at(pos2(from.x - 2_000.0, from.y));
    live.settle();
    live.h.drop_at(pos2(from.x - 2_000.0, from.y));
    settled(&mut live);
    live.until("the handle is at the start", |live| answer(live).partitions[2].start == Some(0));
    assert_eq!(answer(&live).partitions[2].twice, before.partitions[2].cut);
    live.picture("handover-by-hand");
    same_as_merge(&mut live);
    // The end of batch moves too; a rule lets go of what was set by hand.
    live.h.get_by_label("desktop: end of batch").focus();
    live.settle();
    live.h.key_press_modifiers(egui::Modifiers::SHIFT, Key::ArrowLeft);
    live.settle();
    live.click("offset vector");
    live.until("the rule holds again", |live| {
        let answer = answer(live);
        answer.partitions[0].cut < first.cut && answer.twice() + answer.nowhere() == 0
    });
    same_as_merge(&mut live);
    live.click("Copy table");
    assert!(live.copied().last().unwrap().contains("\ndesktop\t"), "{:?}", live.copied().last());
    live.click("Back to the real hand-over");
    live.until("it is the real one", |live| answer(live).partitions == before.partitions);
    assert!(!live.state().answers.handover.is_changed());
}

/// Drags a handle by so many points.
pub fn drag(live: &mut Live, label: &str, by: f32) {
    let from = place(live, label);
    live.h.drag_at(from);
    live.settle();
    live.h.hover_at(pos2(from.x + by, from.y));
    live.settle();
    live.h.drop_at(pos2(from.x + by, from.y));
    settled(live);
}

/// The middle of a handle.
pub fn place(live: &Live, label: &str) -> egui::Pos2 {
    let handle = live.h.get_by_label(label).accesskit_node().bounding_box().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "window coordinates")]
    let middle = pos2(handle.x0.midpoint(handle.x1) as f32, handle.y0.midpoint(handle.y1) as f32);
    middle
}

fn on_plots(live: &mut Live) {
    live.h.key_press_modifiers(egui::Modifiers::SHIFT, Key::H);
    live.settle();
    settled(live);
}

#[test]
fn handles_on_plots_and_timeline_are_those_of_the_drawer() {
    let mut live = shop();
    let before = answer(&live);
    let cut = |at: usize| before.partitions[at].cut;
    assert!(live.sees("hand-over of desktop, merged view"), "they come with the drawer");
    live.key(Key::H);
    assert!(!live.sees("hand-over of desktop"), "and go with it");
    on_plots(&mut live);
    live.until_sees("Every record is counted once: merged equals the full recount.");
    live.picture("handover-on-plots");
    // By keys on the timeline, and on to the next partition.
    live.h.get_by_label("hand-over of desktop").focus();
    live.settle();
    (0..3).for_each(|_| live.key(Key::ArrowLeft));
    live.until_sees("3 records are counted twice.");
    assert_eq!(answer(&live).partitions[0].start, Some(cut(0) - 3));
    live.key(Key::ArrowDown);
    (0..20).for_each(|_| live.key(Key::ArrowRight));
    live.until_sees("3 records are counted twice. 20 records are counted nowhere.");
    assert_eq!(answer(&live).partitions[1].start, Some(cut(1) + 20));
    // By mouse on the merged plot: the plots stay where they are.
    let other = place(&live, "hand-over of desktop, speed view");
    drag(&mut live, "hand-over of tablet, merged view", -60.0);
    assert_eq!(place(&live, "hand-over of desktop, speed view"), other, "the plots were dragged");
    let tablet = answer(&live).partitions[2].clone();
    assert!(tablet.start.unwrap() < cut(2) && tablet.twice > 0, "{tablet:?}");
    live.h.get_by_label_contains("off by +");
    live.picture("handover-on-plots-wrong");
    // To the start of the run: everything of batch counts twice there.
    drag(&mut live, "hand-over of tablet, speed view", -2_000.0);
    assert_eq!(answer(&live).partitions[2].twice, cut(2));
    // On the batch view the end of batch is moved.
    drag(&mut live, "hand-over of desktop, batch view", -40.0);
    assert!(answer(&live).partitions[0].cut < cut(0));
    assert!(answer(&live).nowhere() > 0);
    same_numbers(&mut live);
    live.click("Put back");
    live.until("it is the real one", |live| answer(live).partitions == before.partitions);
    // With the offset vector, batch's end takes speed's start along: each record still counts once.
    drag(&mut live, "hand-over of mobile, batch view", -40.0);
    live.until("the hand-over is earlier", |live| answer(live).partitions[1].cut < cut(1));
    live.until_sees("Every record is counted once: merged equals the full recount.");
    live.click("Hide");
    assert!(!live.sees("hand-over of desktop"));
}

/// The same as `rederive merge`, by the drawer's copied command.
fn same_numbers(live: &mut Live) {
    live.key(Key::H);
    settled(live);
    same_as_merge(live);
    live.key(Key::H);
}

/// A log of many small partitions, paused in the middle.
pub fn many(partitions: usize) -> (Live, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    for partition in 0..partitions {
        let folder = directory.path().join(format!("partition-{partition:03}"));
        std::fs::create_dir(&folder).unwrap();
        let line = |n: usize| {
            let (time, user) = (1_700_000_000 + n * 60 + partition, (n * 7 + partition) % 50);
            format!("{{\"page\":\"p{}\",\"user\":\"u{user}\",\"time\":{time}}}\n", n % 5)
        };
        let text: String = (0..4_000 / partitions).map(line).collect();
        std::fs::write(folder.join("1.jsonl"), text).unwrap();
    }
    let mut live = Live::opened(directory.path());
    live.run_until("batch has published and the stream is further", 50, |live| {
        let lane = live.lane();
        lane.batch_covers > 0 && lane.served_position > lane.batch_covers + 100
    });
    on_plots(&mut live);
    live.until_sees("Every record is counted once: merged equals the full recount.");
    (live, directory)
}

#[test]
fn many_partitions_show_a_page_of_handles_and_one_band_for_all() {
    for partitions in [40, 200] {
        let (mut live, _log) = many(partitions);
        let of = format!(" of {partitions}");
        let handles = |live: &Live| {
            let of_merged = |node: &egui_kittest::Node<'_>| {
                node.accesskit_node().label().is_some_and(|label| label.ends_with(", merged view"))
            };
            live.h.query_all_by_label_contains("hand-over of ").filter(of_merged).count()
        };
        let first = handles(&live);
        assert!((2..13).contains(&first), "{first} of {partitions}");
        live.h.get_by_label(&format!("All partitions, Merged view: 1 to {first}{of}"));
        // Down from the last of the page turns it.
        let last = format!("hand-over of partition-{:03}, merged view", first - 1);
        live.h.get_by_label(&last).focus();
        live.settle();
        live.key(Key::ArrowDown);
        live.settle();
        live.h.get_by_label(&format!("All partitions, Merged view: {} to {}{of}", first + 1, 2 * first));
        // The focus went along.
        (0..2).for_each(|_| live.key(Key::ArrowLeft));
        live.until_sees("2 records are counted twice.");
        assert_eq!(answer(&live).partitions[first].twice, 2);
        live.picture(&format!("handover-{partitions}-partitions"));
        // A click on the band leads to some partition; the drawer has all of them.
        live.click(&format!("All partitions, Merged view: {} to {}{of}", first + 1, 2 * first));
        live.key(Key::H);
        settled(&mut live);
        live.picture(&format!("handover-{partitions}-partitions-drawer"));
        live.click("Back to the real hand-over");
        live.until_sees("Every record is counted once: merged equals the full recount.");
    }
}

#[test]
fn the_drawer_follows_the_run() {
    let mut live = shop();
    let before = answer(&live);
    live.fast();
    live.click("Play");
    live.until("more has been read and is counted", |live| {
        answer(live).recount.views > before.recount.views && answer(live).tick > before.tick
    });
    live.key(Key::Home);
    live.until("the start of the run", |live| {
        live.tick() == 0
            && live.state().answers.handover.answer.as_ref().is_some_and(|answer| answer.recount.views == 0)
    });
}
