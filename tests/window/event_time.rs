//! The look "event time" through the window: what would come too late, under which lateness, and its table.

use eframe::egui::{Event, Key, pos2, vec2};
use egui_kittest::kittest::Queryable as _;
use rederive::engine::protocol::{BookView, Cloud, Listing, NumberOf};

use super::{live::Live, look::look};

#[test]
fn late_records_are_seen_under_a_lateness_that_is_tried() {
    let mut live = Live::at_the_crash();
    live.key(Key::E);
    live.until_sees("Event time against arrival: 31,106 records");
    assert!(live.sees("Days stay open for ever: nothing is late."));
    look(&live, "event-time-own");
    let times = |live: &Live| live.state().answers.event_time.times.clone().unwrap().1;
    let hour = live.h.query_all_by_label_contains("1 h · ").next().unwrap();
    hour.click();
    live.until("another lateness", |live| times(live).late_total > 0);
    let late = times(&live);
    let (_, expected) = late.what_if.iter().find(|(lateness, _)| *lateness == late.lateness).unwrap();
    assert_eq!(late.late_total, *expected, "the count that the button announced");
    assert_eq!(late.late.len() as u64, late.late_total);
    assert_eq!(late.days.iter().map(|day| day.late).sum::<u64>(), late.late_total);
    live.settle();
    live.h.get_by_label("Late by day");
    look(&live, "event-time-hour");
    live.click("mobile");
    look(&live, "event-time-partition");
    // Every late record in the table, with the watermark that closed its day.
    live.click("as tables");
    live.until_sees("Watermark");
    let first = &late.late[0];
    live.h.get_all_by_label(&first.time.to_string()).next().unwrap();
    live.h.get_all_by_label(&first.watermark.to_string()).next().unwrap();
    look(&live, "event-time-table");
    live.click("Copy table");
    assert_eq!(live.copied()[0].lines().count() as u64, late.late_total + 1);
    // A number leads to its records: of a record, of a day, of a dot.
    live.h.query_all_by_label_contains("Counted in ").next().unwrap().click();
    let within = Some((first.record, first.record + 1));
    live.until("the late record", |live| {
        listed(live) == Some((NumberOf { within, ..NumberOf::default() }, 1))
    });
    live.click("event time");
    let day = late.days.iter().find(|day| day.late > 0).unwrap();
    live.click(&format!("{}: {} of {}", day.day, day.late, day.records));
    let of_day = NumberOf { page: None, day: Some(day.day), within: Some((0, late.records)) };
    live.until("the records of a day", |live| listed(live) == Some((of_day.clone(), day.records)));
    let plot = live.h.get_by_label_contains("Event time against arrival: 31,106").rect();
    let mut y = plot.top();
    while live.state().answers.lineage.numbers.is_none() {
        assert!(y < plot.bottom(), "no dot was hit");
        y += 4.0;
        live.click_at(pos2(plot.center().x, y));
    }
    look(&live, "event-time-dot-clicked");
    live.key(Key::L);
    live.click("the run's own");
    live.until_sees("Days stay open for ever: nothing is late.");
    live.key(Key::F);
    assert!(live.sees("Event time against arrival"), "fit does not leave the look");
    assert!(!live.sees("Play the run with"), "the run has its own lateness");
    // The run under the lateness that was tried.
    live.h.query_all_by_label_contains("1 h · ").next().unwrap().click();
    live.until_sees("Play the run with 1 h");
    look(&live, "event-time-play");
    live.click("Play the run with 1 h");
    live.until("the run under it", |live| {
        let state = live.state();
        state.lane().is_some_and(|lane| lane.settings.lateness == late.lateness)
            && state.answers.event_time.lateness.is_none()
            && times(live).late_total == late.late_total
    });
    assert!(!live.sees("Play the run with"), "it is the run's own now");
}

/// Which number's records are listed, and how many they are.
fn listed(live: &Live) -> Option<(NumberOf, u64)> {
    let page = live.state().answers.lineage.listing.as_ref().filter(|page| page.is_known)?;
    match &page.listing {
        Listing::Behind(BookView::Log, number) => Some((number.clone(), page.total)),
        _ => None,
    }
}

/// A log that is too long for dots.
fn long_log(live: &Live) -> std::path::PathBuf {
    use std::fmt::Write as _;
    let path = live.directory.path().join("long.jsonl");
    let mut text = String::new();
    for record in 0..104_000_u32 {
        let hour = record * 240 / 104_000;
        let late = if record % 900 == 0 { hour.min(30) } else { 0 };
        let (hour, minute) = (hour - late, record % 60);
        writeln!(
            text,
            r#"{{"page":"p{}","user":"u{}","time":"2024-01-{:02}T{:02}:{minute:02}:00Z"}}"#,
            record % 9,
            record % 777,
            1 + hour / 24,
            hour % 24
        )
        .unwrap();
    }
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_long_log_is_tiles_and_finer_ones_where_it_is_looked_at_closer() {
    let mut live = Live::start();
    let path = long_log(&live);
    live.open(&path);
    live.click("event time");
    live.until_sees("Event time against arrival: 104,000 records");
    look(&live, "event-time-tiles");
    let page = |live: &Live| live.state().answers.event_time.clone();
    assert!(matches!(page(&live).times.unwrap().1.cloud, Cloud::Tiles(_)));
    let plot = live.h.get_by_label_contains("Event time against arrival: 104,000").rect();
    let zoom = |live: &mut Live, by: f32| {
        live.h.event(Event::PointerMoved(plot.center()));
        live.h.step();
        live.h.event(Event::Zoom(by));
        live.settle();
    };
    zoom(&mut live, 2.0);
    live.until("finer tiles", |live| page(live).near().is_some());
    let near = page(&live).near.unwrap().part;
    assert!(matches!(near.cloud, Cloud::Tiles(_)), "half of the log is many records");
    look(&live, "event-time-finer");
    zoom(&mut live, 16.0);
    live.until("a few records", |live| {
        page(live).near().is_some_and(|part| matches!(&part.cloud, Cloud::Dots(dots) if !dots.is_empty()))
    });
    look(&live, "event-time-dots");
    live.key(Key::F);
    live.until("all of it again", |live| page(live).window.is_none() && page(live).near.is_none());
    // A tile leads to the records in it.
    live.settle();
    live.click_at(plot.lerp_inside(vec2(0.56, 0.44)));
    live.until("the records of a tile", |live| {
        listed(live).is_some_and(|(number, total)| {
            let within = number.within.unwrap();
            number.day.is_some() && within.1 - within.0 < 1_000 && (1..1_000).contains(&total)
        })
    });
}
