//! From the numbers of two versions to the records behind them, and from a record to the numbers of each version.

use std::fmt::Write as _;

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;
use rederive::{
    app::{AppCommand, Edit, Input, LeftDrawer, Measure},
    engine::{
        frame::Flow,
        protocol::{BookView, Command, KAPPA, Listing, NumberOf, Pair, Tick, Until, VersionNumber, ViewKind},
    },
};

use crate::{live::Live, look::look};

const FIRST: BookView = BookView::Version(VersionNumber(1));
const SECOND: BookView = BookView::Version(VersionNumber(2));

/// 36 records of one partition: 20 of a morning, 8 late in the evening (the next day in Tokyo), 3 with an id that was seen
/// before, 4 that are nine days late, one that cannot be read.
fn log_text() -> String {
    let mut text = String::new();
    for at in 0..35_u32 {
        let (time, id) = match at {
            0..20 => ("2024-01-10T09:00:00Z", at),
            20..28 => ("2024-01-10T23:30:00Z", at),
            28..31 => ("2024-01-10T23:40:00Z", 0),
            _ => ("2024-01-01T09:00:00Z", at),
        };
        let (page, user) = (["/a", "/b"][at as usize % 2], at % 5);
        writeln!(text, r#"{{"page":"{page}","user":"u{user}","time":"{time}","id":"{id}"}}"#).unwrap();
    }
    text + "not a record\n"
}

const SCENARIO: &str = r#"{
  "rederive_scenario": 1, "name": "Two versions", "log": { "path": "log" },
  "mapping": { "page": "page", "user": "user", "time": "time", "time_format": "rfc3339", "id": "id" },
  "settings": { "seed": 1, "rate": 60, "stream_capacity": 90, "batch_capacity": 200, "batch_every_records": 20,
    "checkpoint_every_records": 20, "micro_batch_records": 2, "retain": 3 },
  "commands": [
    { "at": { "tick": 1 }, "lane": 1, "command": { "kappa": "start" } },
    { "at": { "tick": 2 }, "lane": 1, "command": { "kappa": { "start_version":
      { "zone": "Asia/Tokyo", "duplicates": "count", "lateness": "1h", "uniques": "hll" } } } }
  ]
}"#;

/// Both versions have read all of it, and are what the plots show.
fn standing() -> Live {
    let mut live = Live::start();
    let directory = live.directory.path().to_owned();
    std::fs::create_dir(directory.join("log")).unwrap();
    std::fs::write(directory.join("log/a.jsonl"), log_text()).unwrap();
    std::fs::write(directory.join("two.json"), SCENARIO).unwrap();
    live.open(&directory.join("two.json"));
    live.send(Command::RunUntil(Until::Tick(Tick(200))));
    live.until("the tick", |live| live.tick() == 200 && live.flow() == Flow::Paused);
    live.input(Input::Edit(Edit::Lane(KAPPA)));
    let views: Vec<(u64, u64)> =
        live.state().kappa().unwrap().versions().map(|one| (one.totals.views, one.late)).collect();
    assert_eq!(views, [(32, 0), (31, 4)]);
    live
}

/// What is listed, once it is there: of what, how many records, how many page views.
fn listed(live: &mut Live) -> (Listing, u64, u64) {
    let page = |live: &Live| live.state().answers.lineage.listing.clone();
    live.until("the records", |live| {
        page(live).is_some_and(|page| page.is_known) && live.state().answers.pending.is_empty()
    });
    let page = page(live).unwrap();
    assert_eq!(page.problem, None);
    assert_eq!(page.records.len() as u64, page.total);
    (page.listing, page.total, page.views)
}

fn behind(
    view: BookView,
    page: Option<&str>,
    day: Option<&str>,
) -> (BookView, Option<String>, Option<String>) {
    (view, page.map(str::to_owned), day.map(str::to_owned))
}

/// The same of what is listed.
fn is_behind(listing: &Listing) -> (BookView, Option<String>, Option<String>) {
    let Listing::Behind(view, NumberOf { page, day, .. }) = listing else { panic!("{listing:?}") };
    (*view, page.clone(), day.map(|day| day.to_string()))
}

#[test]
fn bars_table_cells_and_points_of_a_version_list_the_records_behind_them() {
    let mut live = standing();
    live.click("by day");
    let day = Some("2024-01-11");
    for (bar, wanted, views) in [
        ("2024-01-11: 11 page views in version 2, +11 to what is served", behind(SECOND, None, day), 11),
        ("2024-01-10: 28 page views served by version 1", behind(FIRST, None, Some("2024-01-10")), 28),
        (
            "2024-01-01: 0 page views in version 2, -4 to what is served",
            behind(SECOND, None, Some("2024-01-01")),
            0,
        ),
    ] {
        live.click(bar);
        let (listing, total, counted) = listed(&mut live);
        assert_eq!((is_behind(&listing), total, counted), (wanted, views, views), "{bar}");
    }
    live.until_sees("Counted in version 2: 2024-01-01");
    live.click("by page");
    live.click("/a: 16 page views in version 1");
    assert_eq!(is_behind(&listed(&mut live).0), behind(FIRST, Some("/a"), None));
    look(&live, "version-bars-listed");
    // The table twins.
    live.click("as tables");
    live.click("Days");
    live.click("Counted in version 2: 2024-01-10: 20");
    let (listing, total, _) = listed(&mut live);
    assert_eq!((is_behind(&listing), total), (behind(SECOND, None, Some("2024-01-10")), 20));
    look(&live, "version-days-listed");
    live.click("Plots");
    live.h.get_all_by_label("Counted in version 2: 0 to 35: 31").next().unwrap().click();
    let within = Some((0, 36));
    live.until("the run", |live| {
        live.state().answers.lineage.listing.as_ref().is_some_and(|page| {
            page.listing == Listing::Behind(SECOND, NumberOf { within, ..NumberOf::default() })
        })
    });
    assert_eq!(listed(&mut live).1, 31);
    // A point of a curve: half of the run time, when all had been read.
    live.click("over the run");
    live.h.get_by_label_contains("Version 1: 32 page views.").click();
    live.settle();
    let (listing, total, _) = listed(&mut live);
    assert_eq!(listing, Listing::Behind(FIRST, NumberOf { within, ..NumberOf::default() }));
    assert_eq!(total, 32);
    // Left of it, a part.
    let plot = live.h.get_by_label_contains("Version 2: 31 page views.").rect();
    let early = plot.left_center() + (plot.width() * 0.12) * eframe::egui::Vec2::X;
    live.h.drag_at(early);
    live.h.drop_at(early);
    live.until("another listing", |live| {
        live.state().answers.lineage.listing.as_ref().is_some_and(|page| page.listing != listing)
    });
    let (listing, total, _) = listed(&mut live);
    let Listing::Behind(SECOND, NumberOf { within: Some((0, to)), .. }) = listing else {
        panic!("{listing:?}")
    };
    assert!(to > 0 && to < 30 && total == to, "{total} of {to}");
}

#[test]
fn a_late_record_and_a_row_of_a_version_lead_to_the_numbers_of_each_version() {
    let mut live = standing();
    live.key(Key::D);
    live.click("Late records of Version 2");
    live.until("the list", |live| live.state().answers.late.total == 4);
    live.h.get_all_by_label_contains(".: 31, ").next().unwrap().click();
    let numbers = |live: &Live| live.state().answers.lineage.numbers.clone();
    live.until("the numbers", |live| numbers(live).is_some_and(|numbers| numbers.record.number == 31));
    live.until_sees("In version 2: late");
    live.until_sees("In version 1: counted");
    live.until_sees("day 2024-01-01 · read 1x, counted 0x");
    look(&live, "version-late-numbers");
    // A row of version 2, row by row.
    live.key(Key::W);
    live.until_sees("version 2, late: 4 records");
    look(&live, "version-fates");
    live.click("Row by row");
    live.click("version 2");
    let of_second = ViewKind::Version(VersionNumber(2));
    live.until("its rows", |live| live.state().answers.rows.view == of_second);
    live.h.get_all_by_label_contains("/a: 2024-01-11, 6, ").next().unwrap().click();
    live.until("a listing", |live| live.state().answers.lineage.listing.is_some());
    let (listing, total, _) = listed(&mut live);
    assert_eq!((is_behind(&listing), total), (behind(SECOND, Some("/a"), Some("2024-01-11")), 6));
    // From one of these records back to the number.
    live.click("Numbers of record 28");
    live.until("the numbers", |live| numbers(live).is_some_and(|numbers| numbers.record.number == 28));
    live.until_sees("In version 1: duplicate id");
    live.until_sees("day 2024-01-11 · read 1x, counted 1x · users estimated");
    look(&live, "version-numbers");
    live.h.get_all_by_label_contains("2024-01-11: 11, ").next().unwrap().click();
    live.until("back at the number", |live| numbers(live).is_none());
    let (listing, total, _) = listed(&mut live);
    assert_eq!((is_behind(&listing), total), (behind(SECOND, None, Some("2024-01-11")), 11));
}

#[test]
fn the_drawer_of_versions_leads_down_to_the_records_by_which_they_differ() {
    let mut live = standing();
    // Whatever was compared before.
    live.key(Key::Y);
    live.click("merged, recount");
    live.key(Key::V);
    live.until_sees("Days that differ");
    let pair = Pair { first: FIRST, second: SECOND };
    look(&live, "version-drawer");
    // So high that the days are in sight.
    live.h.set_size(eframe::egui::vec2(1440.0, 1900.0));
    live.settle();
    live.h.get_by_label_contains("2024-01-11: duplicate 3, other day 8: ").click();
    live.settle();
    let (listing, total, _) = listed(&mut live);
    let Listing::Differing(of, None, NumberOf { page: None, day: Some(day), within: None }) = listing else {
        panic!("{listing:?}")
    };
    assert_eq!((of, day.to_string().as_str(), total), (pair, "2024-01-11", 11));
    live.until_sees("1: 2024-01-10, 2: 2024-01-11");
    live.until_sees("1: duplicate id, 2: counted");
    live.h.set_size(eframe::egui::vec2(1440.0, 900.0));
    live.click("Why they differ, by record");
    live.until("both are compared", |live| {
        let difference = live.state().answers.lineage.difference.as_ref();
        difference.is_some_and(|difference| difference.pair == pair)
    });
    live.until_sees("Version 2 estimates unique users by sketches; its copied command ");
    // Both drawers do not fit beside each other into every window.
    live.input(Input::Command(AppCommand::Left(LeftDrawer::Log)));
    look(&live, "version-differences-small");
    assert_eq!(live.state().measure, Measure::Views);
    live.click("As a table");
    live.settle();
    look(&live, "version-differences-small-table");
    live.h.set_size(eframe::egui::vec2(1440.0, 1900.0));
    live.settle();
    live.h.get_all_by_label_contains("2024-01-01: 4, 0, ").next().unwrap().click();
    live.settle();
    assert_eq!(listed(&mut live).1, 4);
}
