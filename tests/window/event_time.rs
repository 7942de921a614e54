//! The look "event time" through the window: what would come too late, under which lateness, and its table.

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;

use super::{
    live::{Live, sample},
    look::look,
};

#[test]
fn late_records_are_seen_under_a_lateness_that_is_tried() {
    let mut live = Live::opened(&sample("crash-and-replay.json"));
    live.fast();
    live.click("Play");
    live.until("the crash", |live| live.state().is_crashed());
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
    live.click("event time");
    live.click("the run's own");
    live.until_sees("Days stay open for ever: nothing is late.");
    live.key(Key::F);
    assert!(live.sees("Event time against arrival"), "fit does not leave the look");
}
