//! `batch` against independently computed answers.

use std::{fs, path::Path};

use super::support::{Place, SHOP, SHOP_RECORDS, TEXTBOOK, content_hash, read_json, run};

fn expected(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn shop_is_the_same_on_any_number_of_threads() {
    let before = content_hash(SHOP);
    for threads in ["1", "2", "7"] {
        let ran = run(["batch", SHOP, "--threads", threads]).exits(0);
        assert!(ran.out == expected("tests/data/shop_expected.csv"), "with {threads} threads");
        assert!(ran.err.contains("page=page_id user=user_id time=timestamp (rfc3339)"), "{}", ran.err);
        assert!(ran.err.contains("ignored: README.md"), "{}", ran.err);
    }
    assert_eq!(content_hash(SHOP), before);
}

#[test]
fn traefik_equals_its_expected_view() {
    let ran = run(["batch", "tests/data/traefik_json/log"]).exits(0);
    assert_eq!(ran.out, expected("tests/data/traefik_json/expected.csv"));
}

#[test]
fn bunyan_equals_its_expected_view_and_lists_what_is_malformed() {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/bunyan_corpus");
    if !log.exists() {
        println!("skipped: no {}", log.display());
        return;
    }
    let place = Place::new();
    let report = place.file("report.json");
    let log_dir = log.join("log");
    let ran = run(["batch".as_ref(), log_dir.as_os_str(), "--report".as_ref(), report.as_os_str()]).exits(0);
    assert_eq!(ran.out, fs::read_to_string(log.join("expected.csv")).unwrap());
    let report = read_json(&report);
    for (key, count) in [("records", 52), ("valid", 45), ("missing_user", 0), ("malformed", 7)] {
        assert_eq!(report[key], count, "{key}");
    }
    let issues = report["issues"].as_array().unwrap();
    assert_eq!(issues.len(), 7);
    for issue in issues {
        assert!(issue["line"].as_u64().unwrap() >= 1 && !issue["reason"].as_str().unwrap().is_empty());
        assert!(log_dir.join(issue["file"].as_str().unwrap()).exists());
    }
}

#[test]
fn the_textbook_is_13_and_5() {
    let ran = run(["batch", TEXTBOOK]).exits(0);
    let view = "page,date,total_views,unique_users,sum\nuser_a,2024-05-01,2,0,13\nuser_b,2024-05-01,1,0,5\n";
    assert_eq!(ran.out, view);
    let place = Place::new();
    let out = place.file("");
    let args = ["batch".as_ref(), TEXTBOOK.as_ref(), "--format".as_ref(), "json".as_ref(), "--out".as_ref()];
    run(args.into_iter().chain([out.as_os_str()])).exits(0);
    let list = read_json(&place.file("page_view_summary.json"));
    assert_eq!(list[0]["page_id"], "user_a");
    assert_eq!((&list[0]["sum"], &list[1]["sum"]), (&13.into(), &5.into()));
    assert_eq!((&list[0]["date"], &list[0]["unique_users"]), (&"2024-05-01".into(), &0.into()));
}

#[test]
fn the_form_follows_the_ending_and_nothing_is_left_beside_the_file() {
    let place = Place::new();
    for (name, start) in [("view.json", "[\n"), ("view.csv", "page,date"), ("view", "page,date")] {
        let out = place.file(name);
        fs::write(&out, "old").unwrap();
        run(["batch".as_ref(), TEXTBOOK.as_ref(), "--out".as_ref(), out.as_os_str()]).exits(0);
        assert!(fs::read_to_string(&out).unwrap().starts_with(start), "{name}");
    }
    assert_eq!(fs::read_dir(place.file("")).unwrap().count(), 3);
}

#[test]
fn a_cut_is_a_vector_and_a_share_is_the_stream_at_that_record() {
    let place = Place::new();
    let report = place.file("batch.json");
    let half = SHOP_RECORDS / 2;
    let batch = |cut: &str| {
        let args = ["batch", SHOP, "--cut", cut, "--report", report.to_str().unwrap()];
        (run(args).exits(0).out, read_json(&report))
    };
    let (view, counted) = batch("50%");
    assert_eq!(counted["records"], half);
    place.stream(SHOP, &format!("--stop-after {half}")).exits(0);
    let streamed = place.report();
    assert_eq!(
        (&streamed["fingerprint"], &streamed["position"]),
        (&counted["fingerprint"], &counted["position"])
    );
    assert_eq!(place.view(), view);
    let position = &counted["position"];
    let offsets = ["desktop", "mobile", "tablet"].map(|name| position[name].to_string()).join(",");
    assert_eq!(batch(&offsets).0, view);
    let (_, whole) = batch("end");
    assert_eq!(whole["records"], SHOP_RECORDS);
    let (empty, nothing) = batch("0,0,0");
    assert_eq!((empty.as_str(), &nothing["records"]), ("page,date,total_views,unique_users\n", &0.into()));
}

#[test]
fn gaps_between_explicit_offsets_are_said() {
    let place = Place::new();
    let log = place.file("log.jsonl");
    let line =
        |offset: u64| format!("{{\"key\":\"a\",\"value\":1,\"offset\":{offset},\"timestamp\":1704067200}}\n");
    fs::write(&log, [5, 6, 9, 7, 11].map(line).concat()).unwrap();
    let ran = run(["batch".as_ref(), log.as_os_str()]).exits(0);
    assert!(ran.err.contains("explicit offsets 7 to 8 are missing"), "{}", ran.err);
    assert!(ran.err.contains("explicit offsets 10 to 10 are missing"), "{}", ran.err);
    assert_eq!(ran.out.lines().last().unwrap(), "a,2024-01-01,4,0,4");
}

#[test]
fn mapping_options_decide() {
    let sums = |options: &[&str]| {
        let ran = run(["batch", SHOP].iter().chain(options)).exits(0);
        let views =
            ran.out.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse::<u64>().unwrap());
        (ran.out.lines().count() - 1, views.sum::<u64>())
    };
    let (rows, all) = sums(&[]);
    assert_eq!((rows, all), (2579, SHOP_RECORDS));
    let (_, one) = sums(&["--where", "page_id=account_page"]);
    let (_, others) = sums(&["--where", "page_id!=account_page"]);
    assert!(one > 0);
    assert_eq!(one + others, all);
    let (by_user, _) = sums(&["--page", "user_id", "--user", "page_id", "--zone", "Asia/Kolkata"]);
    assert!(by_user > rows);
}
