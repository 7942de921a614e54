//! Runs that are kept: the interrupted one is continued, old ones are deleted.

use std::{fs, path::Path};

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;
use rederive::engine::frame::Flow;

use crate::live::{Live, sample};

pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_interrupted_run_is_offered_and_continued_to_where_it_was() {
    let mut live = Live::opened(&sample("crash-and-replay.json"));
    live.fast();
    live.click("Play");
    live.until("the crash", |live| live.flow() == Flow::Paused && live.tick() > 0);
    // The program dies: what is on disk is all that is left. (A copy, since this process goes on.)
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    copy_tree(&live.directory.path().join("runs"), &runs);
    let mut again = Live::over(directory, runs);
    // As the program starts: a log is open before anybody asks for the run.
    again.open(&sample("clicks"));
    again.until_sees("Continue the run: Interrupted at ");
    again.menu("View", "Kept runs");
    again.until("the list", |again| again.h.query_by_label("interrupted").is_some());
    again.menu("View", "Kept runs");
    again.h.get_by_label_contains("Continue the run: ").click();
    again.settle();
    let tick = live.tick();
    again.until("where it was", |again| {
        again.tick() > 0 && again.tick().abs_diff(tick) <= 1_024 && again.flow() == Flow::Paused
    });
    again.fast();
    again.finish();
    let (views, recount) = (again.lane().merged_totals.views, again.lane().recount_totals.views);
    assert_eq!((views, recount), (31_106, 31_106));
}

#[test]
fn an_old_run_is_deleted_only_after_a_question() {
    let mut live = Live::opened(&sample("clicks"));
    // A run in which nothing was played would not be kept.
    live.key(Key::Period);
    live.until("a step", |live| live.tick() > 0 && live.flow() == Flow::Paused);
    live.open(&sample("clicks"));
    live.menu("View", "Kept runs");
    live.until_sees("run-000001");
    live.until_sees("Of the runs that have ended the newest 20 are kept.");
    assert!(!live.sees("run-000002"), "the open run is not listed");
    live.click("Delete…");
    live.h.get_by_label("Delete this run?");
    live.click("Delete");
    live.until_sees("No run is kept.");
    assert!(!live.directory.path().join("runs/run-000001").exists());
    assert!(live.directory.path().join("runs/run-000002").exists());
}

#[test]
fn a_damaged_checkpoint_is_refused_with_its_section_and_the_one_before_it_is_used() {
    let mut live = Live::opened(&sample("crash-and-replay.json"));
    live.fast();
    live.click("Play");
    live.until("the crash", |live| live.flow() == Flow::Paused && live.tick() > 0);
    let newest = live.directory.path().join("runs/run-000001/checkpoints/checkpoint-000000000014.ckpt");
    let mut bytes = fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&newest, bytes).unwrap();
    live.key(Key::R);
    live.until_sees("Refused: checkpoint-000000000014.ckpt (");
    live.menu("View", "Checkpoints");
    live.until_sees("Refused: section \"cells\": checksum does not match");
    live.fast();
    live.key(Key::Space);
    live.until("the replay", |live| live.sees("1,734 records were read twice and counted once."));
}
