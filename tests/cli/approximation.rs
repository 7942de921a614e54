//! `stream --lateness` and `--uniques hll`: what is dropped is listed, a crash changes nothing, estimates are near.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use super::support::{Place, SHOP, SHOP_RECORDS, run};

const POINTS: [&str; 6] =
    ["before-apply", "mid-apply", "after-apply", "after-emit", "mid-checkpoint", "after-checkpoint"];

/// What must not depend on crashes and micro-batches.
#[track_caller]
fn ends(place: &Place) -> [Value; 7] {
    let report = place.report();
    let keys = ["records", "late", "late_records", "fingerprint", "sink_fingerprint", "position", "effects"];
    keys.map(|key| report[key].clone())
}

/// Views and unique users by page and date.
fn rows(csv: &str) -> BTreeMap<(String, String), (u64, u64)> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        ((cells[0].to_owned(), cells[1].to_owned()), (cells[2].parse().unwrap(), cells[3].parse().unwrap()))
    };
    csv.lines().skip(1).map(row).collect()
}

fn shop_expected() -> String {
    fs::read_to_string("tests/data/shop_expected.csv").unwrap()
}

#[test]
fn late_records_are_dropped_listed_and_the_same_however_they_are_cut_and_crashed() {
    let straight = Place::new();
    let ran = straight.stream(SHOP, "--lateness 1h --checkpoint-every 100000").exits(0);
    assert!(ran.err.contains("311 late records were dropped"), "{}", ran.err);
    let expected = ends(&straight);
    let report = straight.report();
    assert_eq!((&report["late"], &report["valid"]), (&311.into(), &SHOP_RECORDS.into()));
    let listed = report["late_records"].as_array().unwrap();
    assert_eq!(listed.len(), 311);
    assert_eq!(
        listed[0].to_string(),
        "{\"offset\":426,\"partition\":\"desktop\",\"watermark\":\"2024-01-31T09:13:06Z\"}"
    );
    assert_eq!(report["effects"].to_string(), format!("{{\"1\":{}}}", SHOP_RECORDS - 311));
    assert_eq!(straight.view(), ran.out);
    let views: u64 = rows(&ran.out).values().map(|row| row.0).sum();
    assert_eq!(views + 311, SHOP_RECORDS);

    for (at, point) in POINTS.into_iter().enumerate() {
        let place = Place::new();
        let options = "--lateness 1h --checkpoint-every 700";
        let (first, second) = (3_000 + 997 * at, 21_000 + 997 * at);
        for record in [first, second] {
            place.stream(SHOP, &format!("{options} --crash {point}@{record}")).exits(42);
        }
        place.stream(SHOP, options).exits(0);
        assert_eq!(ends(&place), expected, "{point}");
        assert_eq!(place.view(), ran.out, "{point}");
    }
}

#[test]
fn unbounded_lateness_is_exact_and_another_lateness_is_another_state() {
    let place = Place::new();
    assert_eq!(place.stream(SHOP, "--lateness inf").exits(0).out, shop_expected());
    assert_eq!(place.report()["late_records"].to_string(), "[]");
    // Nothing is late, so it does not matter when a partition is idle.
    place.stream(SHOP, "--idle-after 5").exits(0);
    place.stream(SHOP, "--lateness 2h").fails_with("written under other settings");
    place.stream(SHOP, "--uniques hll").fails_with("written under other settings");
    place.stream(SHOP, "--lateness -2h").fails_with("not a duration");
    place.stream(SHOP, "--lateness 1mo").fails_with("not a duration");
    let longer = Place::new();
    longer.stream(SHOP, "--lateness 2d --stop-after 9000").exits(0);
    longer.stream(SHOP, "--lateness 48h").exits(0);
    assert_eq!(longer.report()["resumed_from"], 9_000, "the same lateness in other words");
    assert_eq!(longer.report()["late"], 107);
}

#[test]
fn an_idle_partition_no_longer_holds_the_watermark_back() {
    let place = Place::new();
    let log = place.file("log");
    fs::create_dir_all(log.join("a")).unwrap();
    fs::create_dir_all(log.join("b")).unwrap();
    let day = 86_400;
    let line = |time: u64, arrived: u64| {
        format!("{{\"page\":\"p\",\"user\":\"u\",\"time\":{time},\"arrived\":{arrived}}}\n")
    };
    // b stands at day 0 until the end; a comes to day 9 and then has one of day 1.
    let mut a: String = (0..10).map(|n| line(n * day + 10, n)).collect();
    a += &line(day + 20, 20);
    fs::write(log.join("a/1.jsonl"), a).unwrap();
    fs::write(log.join("b/1.jsonl"), line(5, 0) + &line(9 * day, 30)).unwrap();
    let log = log.display().to_string();
    for (idle, late) in [("10", 1), ("11", 0)] {
        let place = Place::new();
        place.stream(&log, &format!("--arrival arrived --lateness 1h --idle-after {idle}")).exits(0);
        assert_eq!(place.report()["late"], late, "idle after {idle}");
    }
}

#[test]
fn estimated_users_are_near_and_survive_crashes() {
    let straight = Place::new();
    let ran = straight.stream(SHOP, "--uniques hll").exits(0);
    assert!(ran.err.contains("standard error 1.62 %"), "{}", ran.err);
    assert_eq!(straight.report()["uniques"]["estimated"], true);
    let (estimated, exact) = (rows(&ran.out), rows(&shop_expected()));
    assert_eq!(estimated.len(), exact.len());
    let mut differ = 0;
    for (cell, (views, users)) in &exact {
        let (estimated_views, estimated_users) = estimated[cell];
        assert_eq!(estimated_views, *views, "{cell:?}");
        assert!(estimated_users.abs_diff(*users) <= 2, "{cell:?}: {estimated_users} for {users}");
        differ += u32::from(estimated_users != *users);
    }
    assert!(differ > 0, "not estimated at all");
    for point in ["mid-apply", "after-emit", "mid-checkpoint"] {
        let place = Place::new();
        let options = "--uniques hll --lateness 1h --checkpoint-every 900";
        place.stream(SHOP, &format!("{options} --crash {point}@17777")).exits(42);
        let again = place.stream(SHOP, options).exits(0).out;
        let straight = Place::new();
        assert_eq!(straight.stream(SHOP, "--uniques hll --lateness 1h").exits(0).out, again);
        assert_eq!(ends(&straight), ends(&place), "{point}");
        assert_eq!(place.view(), again);
    }
    let ran = run(["checkpoints".as_ref(), straight.checkpoints().as_os_str()]).exits(0);
    assert!(ran.out.contains("ok"), "{}", ran.out);
}
