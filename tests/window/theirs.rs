//! Their views against ours, over the real engine: findings, cells, the records that prove them, and what goes wrong.

use std::{fs, path::PathBuf};

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;

use crate::live::{Live, sample};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/reconcile").join(name)
}

/// A window with the shop log in which the panel is open and these paths are typed.
fn compared(paths: &[PathBuf]) -> Live {
    let mut live = Live::opened(&sample("shop"));
    live.key(Key::A);
    live.until_sees("A daily table that another system made");
    for (name, path) in ["Their view", "and"].into_iter().zip(paths) {
        live.h.get_by_label(name).focus();
        live.settle();
        live.h.get_by_label(name).type_text(path.to_str().unwrap());
        live.settle();
    }
    live.click("Compare");
    live
}

#[test]
fn three_causes_are_named_and_their_records_shown() {
    let mut live = compared(&[data("shop_mix.csv.gz")]);
    live.until_sees("Unexplained: 0 of");
    live.until_sees("Its days are those of Asia/Tehran");
    for part in [
        "together 3 findings explain all of it",
        "File \"mobile/2024-W12.jsonl.gz\" is missing from it",
        "Offsets 7,000 to 7,499 of partition \"desktop\" are counted twice in it",
        "Each alone explains",
        "Records that prove finding 1",
    ] {
        assert!(live.sees(part), "{part}");
    }
    live.until_sees("On 2024-01-08 there, on 2024-01-07 here");
    live.picture("theirs-mix");
    let label = "3. File \"mobile/2024-W12.jsonl.gz\" is missing from it";
    let other = "2. File \"mobile/2024-W12.jsonl.gz\" is missing from it";
    let found = if live.h.query_by_label(label).is_some() { label } else { other };
    live.click(found);
    live.until_sees("mobile/2024-W12.jsonl.gz:1");
    live.until_sees("Not counted there");
    live.click("Later records");
    live.until_sees("mobile/2024-W12.jsonl.gz:201");
    live.h.query_all_by_label("product_view").next().unwrap().click();
    live.until_sees("Records behind product_view, 2024-");
    live.click("Copy as SQL");
    live.click("Copy as command");
    let [sql, command] = live.copied() else { panic!("two copies") };
    assert!(sql.contains("GROUP BY page, day") && command.starts_with("rederive reconcile "));
    assert!(command.contains("--against") && command.contains("shop_mix.csv.gz"), "{command}");
}

#[test]
fn two_views_have_tabs_and_a_difference_of_their_own() {
    let mut live = compared(&[data("shop_prefix.csv.gz"), data("shop_lines_twice.csv.gz")]);
    live.until_sees("It has read partition \"desktop\" up to offset 15,000 only");
    assert!(live.sees("The first minus the second"));
    live.picture("theirs-two");
    live.click("shop_lines_twice.csv.gz");
    live.until_sees("Offsets 7,000 to 7,499 of partition \"desktop\" are counted twice in it");
}

#[test]
fn equal_views_and_bad_files_are_said() {
    let mut live = compared(&[data("shop_right.csv.gz")]);
    live.until_sees("Every cell has the same numbers.");
    live.picture("theirs-equal");
    live.click("Close");
    assert!(!live.sees("Their views against ours"), "back to the plots");
    live.key(Key::A);
    let bad = live.directory.path().join("bad.csv");
    fs::write(&bad, "page,date,remark\na,2024-05-01,good\n").unwrap();
    live.drop_file(&bad);
    live.until_sees("Open it, or compare it?");
    live.click("Compare with the open log");
    // Beside a file that is already there it is the second.
    live.until_sees("cannot tell which column is views");
    live.picture("theirs-bad");
}
