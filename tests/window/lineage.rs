//! Following records through the window: fates, what is behind a number, which numbers a record touches, why views differ.

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;
use rederive::{
    app::Measure,
    engine::protocol::{BookView, Cause, Fate},
};

use crate::{
    live::{Live, sample},
    look::look,
};

/// Clicks something of which only a part of the name is known.
fn click_like(live: &mut Live, part: &str) {
    live.h.get_by_label_contains(part).click();
    live.settle();
}

fn listed(live: &Live) -> (u64, bool) {
    let page = live.state().answers.lineage.listing.as_ref().expect("a listing");
    (page.total, page.is_known)
}

#[test]
fn fates_add_up_and_lead_to_the_records_and_their_numbers() {
    let mut live = Live::at_the_crash();
    live.key(Key::W);
    live.until_sees("all records");
    let records = live.lane().log_records;
    for view in &live.state().answers.lineage.fates {
        let sum: u64 = view.fates.iter().map(|(_, count)| count).sum();
        assert_eq!(sum, records, "{:?}", view.view);
    }
    let fates = live.state().answers.lineage.fates.clone();
    let of = |view, fate| {
        let fates = &fates.iter().find(|known| known.view == view).unwrap().fates;
        fates.iter().find(|(known, _)| *known == fate).unwrap().1
    };
    let lane = live.lane();
    assert_eq!(of(BookView::Merged, Fate::CountedInBatch), lane.batch_totals.views);
    assert_eq!(of(BookView::Merged, Fate::CountedInSpeed), lane.speed_totals.views);
    assert_eq!(of(BookView::Memory, Fate::Lost), 2_734, "gone with the memory");
    assert_eq!(of(BookView::Recount, Fate::Counted), lane.recount_totals.views);
    look(&live, "fates-table");
    click_like(&mut live, "stream's memory, read, and lost: 2,734 records");
    live.until("the list", |live| listed(live) == (2_734, true));
    live.until_sees("In the stream's memory: read, and lost");
    live.until_sees("2,734 records");
    look(&live, "fates-listing");
    live.click("Numbers of record 12,000");
    live.until_sees("Record 12,000");
    live.until_sees("In the stream's memory: read, and lost");
    live.until_sees("In the full recount: counted");
    look(&live, "record-numbers");
    // From a number that it touches to all records behind that, and back to the log.
    live.h.get_all_by_label_contains("the run: 2,734").next().unwrap().click();
    live.settle();
    live.until_sees("Counted in the speed view");
    live.until("the list behind a number", |live| listed(live) == (2_734, true));
    live.click("All records");
    live.until_sees("Go to record");
}

#[test]
fn bars_points_and_rows_list_what_is_behind_them() {
    let mut live = Live::opened(&sample("clicks"));
    live.fast();
    live.finish();
    live.click("by page");
    click_like(&mut live, "home: 5 merged, full recount 5");
    live.until("the list", |live| listed(live) == (5, true));
    live.until_sees("Counted in the merged view: home");
    live.click("by day");
    click_like(&mut live, "2024-05-01: 11 merged, full recount 11");
    live.until("the list of a day", |live| listed(live) == (11, true));
    // A row of the table: one page on one day.
    live.key(Key::W);
    live.until_sees("all records");
    live.click("Row by row");
    live.until_sees("cart: 2024-05-01, ");
    let row = live.state().answers.rows.rows.iter().find(|row| row.page == "home").unwrap().clone();
    click_like(&mut live, "home: 2024-05-01, ");
    live.until("the list of a cell", |live| listed(live) == (row.views, true));
    // A point over the run: what had arrived by then.
    live.click("over the run");
    let plot = live.h.get_by_label_contains("Merged view: 20").rect();
    live.click_at(plot.center());
    live.until_sees("Counted in the merged view: 0 to ");
    look(&live, "listing-of-a-point");
}

#[test]
fn a_record_of_the_strip_is_found_in_the_log_browser() {
    let mut live = Live::at_the_crash();
    live.key(Key::W);
    let strip = live.h.get_by_label_contains("Proof strip. ").rect();
    live.click_at(strip.center());
    let (from, to) = (live.lane().proof.from, live.lane().proof.to);
    live.until("records within the strip", |live| {
        let page = &live.state().answers.records;
        page.records.first().is_some_and(|record| (from..to).contains(&record.number))
    });
    live.until_sees("Go to record");
}

#[test]
fn records_are_found_by_page_user_offset_and_line() {
    let mut live = Live::opened(&sample("shop"));
    live.key(Key::L);
    live.until_sees("Search for");
    let records = live.lane().log_records;
    live.fill("Search for", "CATALOG");
    live.key(Key::Enter);
    live.until("pages", |live| listed(live).1 && listed(live).0 > 0);
    assert!(listed(&live).0 < records);
    for (kind, text, least) in [("offset", "desktop:17", 1), ("user", "1", 1), ("line", "user_id", 1_000)] {
        live.click("Search in");
        live.click(kind);
        live.fill("Search for", text);
        live.click("Find");
        live.until(kind, |live| listed(live).1 && listed(live).0 >= least);
    }
    // A search of the lines rests at the cap, and goes on when asked.
    live.until_sees("1,000 records so far; looked through ");
    look(&live, "search-of-lines");
    live.click("Search on");
    live.until("more", |live| listed(live).0 >= 2_000);
    live.click("Search in");
    live.click("id");
    live.fill("Search for", "nothing-like-this");
    live.click("Find");
    live.until_sees("No record.");
    live.click("Search in");
    live.click("offset");
    live.fill("Search for", "nowhere:1");
    live.click("Find");
    live.until_sees("No partition is named \"nowhere\".");
    live.click("All records");
    live.until_sees("Go to record");
}

#[test]
fn two_views_differ_by_causes_that_add_up_and_lead_to_records() {
    let mut live = Live::at_the_crash();
    live.key(Key::Y);
    live.until_sees("in both, cell by cell.");
    look(&live, "differences-equal");
    live.click("batch, speed");
    live.until_sees("handed over to batch: ");
    let lane = live.lane();
    let (batch, speed) = (lane.batch_totals.views, lane.speed_totals.views);
    let difference = live.state().answers.lineage.difference.clone().unwrap();
    let sum: i64 = difference.parts.iter().map(|part| part.views).sum();
    assert_eq!(sum, i64::try_from(batch).unwrap() - i64::try_from(speed).unwrap());
    assert!(difference.parts.iter().all(|part| part.cause != Cause::Unexplained));
    assert_eq!((difference.first.views, difference.second.views), (batch, speed));
    live.until_sees("2,734 records not yet read for the batch view; the speed view counts them.");
    look(&live, "differences-batch-speed");
    live.click("As a table");
    live.until_sees("together: ");
    look(&live, "differences-table");
    live.click("Copy table");
    assert!(live.copied().last().unwrap().contains("not-yet-read\t2734\t-2734\t"), "{:?}", live.copied());
    live.click("As a waterfall");
    live.click("Copy as command");
    let command = live.copied().last().unwrap().clone();
    assert!(command.starts_with("rederive merge ") && command.contains(" --cut "), "{command}");
    live.click("List the records: not yet read");
    live.until("the records of a cause", |live| listed(live) == (2_734, true));
    live.until_sees("The batch view less the speed view: not yet read");
    assert_eq!(live.state().measure, Measure::Views);
    live.click("unique users");
    live.until_sees(" unique users");
    live.click("whole log, merged");
    live.until("another pair", |live| {
        live.state().answers.lineage.difference.as_ref().is_some_and(|it| it.pair.first == BookView::Log)
    });
    look(&live, "differences-users");
    live.click("memory, served");
    live.until_sees("2,734 records read, and lost with the memory; the stream's memory lacks them.");
    look(&live, "differences-memory");
    for (query, group) in
        [("SQL: total", "ELSE false END AND usr IS NOT NULL AS in_first"), ("SQL: by day", "GROUP BY day\n")]
    {
        live.click(query);
        let sql = live.copied().last().unwrap().clone();
        assert!(sql.starts_with("-- memory (first) and speed (second)") && sql.contains(group), "{sql}");
    }
}

#[test]
fn differences_are_written_as_a_file() {
    let mut live = Live::at_the_crash();
    live.key(Key::Y);
    live.until_sees("in both, cell by cell.");
    live.click("batch, merged");
    live.until_sees("not yet read: ");
    live.click("Export…");
    let file = live.directory.path().join("why.csv");
    live.fill("Path", &file.display().to_string());
    live.key(Key::Enter);
    live.until_sees("Saved ");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("page,date,first_views,second_views,"));
    let run: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(run[..2], ["", ""], "the run first");
    assert_eq!((run[6], run[8]), ("not-yet-read", "-2734"));
    let cells: i64 = lines.map(|line| line.rsplit(',').nth(1).unwrap().parse::<i64>().unwrap()).sum();
    assert_eq!(cells, -2_734, "cells add up to the run");
}
