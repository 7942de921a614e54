//! `merge`: the four rules on the shop log, against numbers that a few lines of Python have counted
//! in the same files, and against `batch`.

use std::fs;

use super::support::{Place, Ran, SHOP, SHOP_RECORDS, TEXTBOOK, read_json, run};

/// The first 60 % and 80 % of the shop log in delivery order.
const CUT: [u64; 3] = [10_044, 6_433, 2_186];
const POSITION: [u64; 3] = [13_139, 8_894, 2_851];
/// Between them, records that happened no later than the last of the first 60 %; and the moment after that one.
const LATE: u64 = 11;
const AFTER: &str = "2024-05-16T14:11:05.000000001Z";
/// Distinct users of the first 60 %, of what lies between, and of both.
const USERS: [u64; 3] = [586, 406, 395];

fn merge(more: &str) -> Ran {
    run(["merge", SHOP].into_iter().chain(more.split_whitespace())).exits(0)
}

fn shop(rule: &str) -> Ran {
    merge(&format!("--cut 60% --position 80% --boundary {rule}"))
}

/// The line of standard error that starts so.
#[track_caller]
fn line(ran: &Ran, start: &str) -> String {
    let found = ran.err.lines().find_map(|line| line.strip_prefix(start));
    found.unwrap_or_else(|| panic!("no {start:?} in {}", ran.err)).trim().to_owned()
}

/// Page views over all rows of a view.
fn views(ran: &Ran) -> u64 {
    ran.out.lines().skip(1).map(|row| row.split(',').nth(2).unwrap().parse::<u64>().unwrap()).sum()
}

#[test]
fn the_offset_vector_is_the_batch_view_of_the_same_records() {
    let batch = |cut: &str| run(["batch", SHOP, "--cut", cut]).exits(0).out;
    let ran = shop("offsets");
    assert!(ran.out == batch("80%"));
    assert!(line(&ran, "error:").starts_with("0 views, 0 unique users; 0 of "), "{}", ran.err);
    assert!(line(&ran, "counted twice:").starts_with("0 of "), "{}", ran.err);
    // Batch ahead of the stream in one partition, behind it in the others.
    let ahead = merge("--cut end,100,0 --position 50,200,end");
    assert!(ahead.out == batch("end,200,end"));
    assert!(line(&ahead, "error:").starts_with("0 views, 0 unique users; 0 of "), "{}", ahead.err);
    let json = merge("--cut 60% --position 80% --format json").out;
    assert_eq!(json, run(["batch", SHOP, "--cut", "80%", "--format", "json"]).exits(0).out);
}

#[test]
fn a_scalar_is_wrong_on_three_partitions() {
    let [cut, [desktop, mobile, tablet]] = [CUT, POSITION];
    let ran = shop("scalar");
    // Desktop's offset is far beyond what batch has covered of the others.
    let (of_mobile, of_tablet) = (cut[0].min(mobile) - cut[1], cut[0].min(tablet) - cut[2]);
    let gap = of_mobile + of_tablet;
    assert!(gap > 0);
    assert!(line(&ran, "counted nowhere:").starts_with(&format!("{gap} of ")), "{}", ran.err);
    assert!(
        ran.err.contains(&format!("  partition \"mobile\": {of_mobile} (offsets {}..", cut[1])),
        "{}",
        ran.err
    );
    assert!(line(&ran, "error:").starts_with(&format!("-{gap} views")), "{}", ran.err);
    assert_eq!(views(&ran), desktop + mobile + tablet - gap);
    // Where the first partition has the smallest offset, the others count twice.
    let repeats = merge("--cut 100,300,200 --position 80% --boundary scalar");
    assert!(line(&repeats, "counted twice:").starts_with("300 of "), "{}", repeats.err);
    assert!(repeats.err.contains("  partition \"tablet\": 100 (offsets 100..200)"), "{}", repeats.err);
    assert!(line(&repeats, "error:").starts_with("+300 views, 0 unique users;"), "{}", repeats.err);
}

#[test]
fn event_time_loses_the_late_and_none_repeats_all_of_batch() {
    let total: u64 = POSITION.iter().sum();
    let late = LATE;
    let ran = shop("event-time");
    assert!(line(&ran, "counted nowhere:").starts_with(&format!("{late} of {total} ")), "{}", ran.err);
    assert!(line(&ran, "error:").starts_with(&format!("-{late} views")), "{}", ran.err);
    assert!(ran.err.contains(&format!("what happened from {AFTER} on")), "{}", ran.err);
    assert_eq!(views(&ran), total - late);
    let batch: u64 = CUT.iter().sum();
    let ran = shop("none");
    assert!(line(&ran, "counted twice:").starts_with(&format!("{batch} of {total} ")), "{}", ran.err);
    assert!(line(&ran, "error:").starts_with(&format!("+{batch} views, 0 unique users")), "{}", ran.err);
    assert_eq!(views(&ran), total + batch);
}

#[test]
fn users_added_are_over_by_those_of_both_views() {
    let united = shop("offsets");
    let added = merge("--cut 60% --position 80% --uniques added");
    let [of_batch, of_speed, of_both] = USERS;
    assert!(line(&united, "merged:").contains(&format!("{} unique users", of_batch + of_speed - of_both)));
    assert!(line(&added, "merged:").contains(&format!("{} unique users (users added)", of_batch + of_speed)));
    assert!(
        line(&added, "error:").starts_with(&format!("0 views, +{of_both} unique users;")),
        "{}",
        added.err
    );
    let without_users = |ran: &Ran| {
        let rows = ran.out.lines().map(|row| row.rsplit_once(',').unwrap().0.to_owned());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(without_users(&added), without_users(&united));
    assert_ne!(added.out, united.out);
}

#[test]
fn speed_can_start_anywhere() {
    let ran = merge("--cut 100,100,100 --position 200,200,200 --speed-from 90,110,100");
    assert!(ran.err.contains("  partition \"desktop\": 10 (offsets 90..100)"), "{}", ran.err);
    assert!(ran.err.contains("  partition \"mobile\": 10 (offsets 100..110)"), "{}", ran.err);
    assert!(line(&ran, "error:").starts_with("0 views,"), "ten too many and ten too few: {}", ran.err);
    assert!(!line(&ran, "error:").contains("; 0 of "), "but not the same ones: {}", ran.err);
}

#[test]
fn percentages_are_the_vectors_that_batch_means() {
    let place = Place::new();
    let report = place.file("report.json");
    for (percent, vector) in [("60%", CUT), ("80%", POSITION)] {
        run(["batch", SHOP, "--cut", percent, "--report", report.to_str().unwrap()]).exits(0);
        let position = read_json(&report)["position"].clone();
        assert_eq!(["desktop", "mobile", "tablet"].map(|name| position[name].as_u64().unwrap()), vector);
    }
    let ran = merge("--cut 0% --position 100%");
    assert!(line(&ran, "full recount:").contains(&format!(": {SHOP_RECORDS} views")), "{}", ran.err);
    assert!(ran.out == fs::read_to_string("tests/data/shop_expected.csv").unwrap());
}

#[test]
fn the_textbook_counts_a_redelivery_in_neither_view() {
    let sums = |rule: &str| {
        let ran = run(["merge", TEXTBOOK, "--cut", "2", "--position", "end", "--boundary", rule]).exits(0);
        (line(&ran, "merged:"), line(&ran, "error:"))
    };
    assert_eq!(sums("offsets").0, "3 views, 0 unique users, sum 18 (users united)");
    assert_eq!(sums("none").1, "+2 views, 0 unique users, sum +15; 2 of 2 rows differ");
}

#[test]
fn late_records_and_sketches_are_those_of_a_stream() {
    // Without a batch view merged is what a stream alone serves at that record.
    for options in ["--lateness 1h", "--lateness 0s", "--uniques hll", "--lateness 2h --uniques hll"] {
        let place = Place::new();
        let read: u64 = POSITION.iter().sum();
        let out = place.file("stream.csv");
        place.stream(SHOP, &format!("--stop-after {read} {options} --out {}", out.display())).exits(0);
        let ran = merge(&format!("--cut 0% --position 80% {options}"));
        assert!(ran.out == fs::read_to_string(&out).unwrap(), "{options}: {}", ran.err);
    }
    // Batch counts what speed drops: what is missing is what came late behind the cut.
    let ran = merge("--cut 60% --position 80% --lateness 0s");
    let missing: u64 = line(&ran, "late, dropped by speed:").split(' ').next().unwrap().parse().unwrap();
    assert!(missing > 0);
    assert!(line(&ran, "error:").starts_with(&format!("-{missing} views")), "{}", ran.err);
    assert!(line(&ran, "counted nowhere:").starts_with("0 of "), "{}", ran.err);
    assert_eq!(views(&ran), POSITION.iter().sum::<u64>() - missing);
}
