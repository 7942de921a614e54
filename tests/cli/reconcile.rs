//! `reconcile` against views that DuckDB and the textbook's listings made, right and wrong in known ways.

use std::{fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use super::support::{Place, Ran, SHOP, TEXTBOOK, content_hash, run};

const DATA: &str = "tests/data/reconcile";
const TRAEFIK: &str = "tests/data/traefik_json/log";

fn reconcile(log: &str, view: &str, more: &[&str]) -> Ran {
    let against = format!("{DATA}/{view}");
    run(["reconcile", log, "--against", &against].iter().copied().chain(more.iter().copied()))
}

/// The findings by id, and what is left unexplained.
#[track_caller]
fn findings(log: &str, view: &str, more: &[&str]) -> (Vec<String>, i64) {
    let ran = reconcile(log, view, &[more, &["--format", "json", "--limit", "3"]].concat());
    let found: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    let one = &found["against"][0];
    assert_eq!(ran.code, Some(i32::from(!one["equal"].as_bool().unwrap())), "{view}");
    let causes = one["causes"].as_array().unwrap();
    assert_eq!(causes[0]["cause"], "unexplained");
    let ids = causes.iter().skip(1).map(|cause| cause["finding"].as_str().unwrap().to_owned());
    (ids.collect(), one["unexplained"].as_i64().unwrap())
}

#[track_caller]
fn is_equal(log: &str, view: &str, more: &[&str]) {
    let ran = reconcile(log, view, more).exits(0);
    assert!(ran.out.contains("equal: every cell has the same numbers"), "{view}: {}", ran.out);
}

#[test]
fn right_views_are_equal() {
    let before = content_hash(SHOP);
    is_equal(SHOP, "shop_right.csv.gz", &[]);
    is_equal(SHOP, "shop_listing_mended.json.gz", &[]);
    is_equal("sample_logs/clicks", "clicks_listing.json", &[]);
    is_equal(TRAEFIK, "traefik_right.csv", &[]);
    is_equal(TRAEFIK, "traefik_tokyo.csv", &[]);
    is_equal(SHOP, "shop_tehran.csv.gz", &["--zone", "Asia/Tehran"]);
    is_equal(TRAEFIK, "traefik_lower_case.csv", &["--page-clean", "lower-case"]);
    assert_eq!(content_hash(SHOP), before);
}

/// Real logs of all formats; what is wrong with a view is found over a table and an access log as over JSON lines.
#[test]
fn views_of_real_logs_are_judged_whatever_their_format() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    for (log, expected, zone, finding) in [
        ("bunyan_corpus/log", "bunyan_corpus/expected.csv", None, ""),
        ("elastic_apache/log", "elastic_apache/expected.csv", Some("Asia/Tokyo"), "day-zone:Asia/Tokyo"),
        ("zanbil_shop_1000/log", "zanbil_shop_1000/expected.csv", Some("America/New_York"), "day-zone:"),
        ("nasa_tsv/log", "nasa_tsv/expected.csv", Some("Asia/Kolkata"), "day-zone:Asia/Kolkata"),
        ("rete_ecom/log", "rete_ecom/expected.csv", Some("Asia/Tehran"), "day-zone:Asia/Tehran"),
        ("zoo_crowdsec/traefik_json", "zoo_crowdsec/expected_traefik_json.csv", None, ""),
        ("zoo_crowdsec/apache_probing", "zoo_crowdsec/expected_apache_probing.csv", None, ""),
    ] {
        let log = data.join(log);
        if !log.exists() {
            println!("skipped: no {}", log.display());
            continue;
        }
        let (log, expected) = (log.display().to_string(), data.join(expected).display().to_string());
        let ran = run(["reconcile", &log, "--against", &expected]).exits(0);
        assert!(ran.out.contains("equal: every cell has the same numbers"), "{log}: {}", ran.out);
        let Some(zone) = zone else { continue };
        let place = Place::new();
        let theirs = place.file("theirs.csv").display().to_string();
        run(["batch", &log, "--zone", zone, "--out", &theirs]).exits(0);
        let ran = run(["reconcile", &log, "--against", &theirs, "--format", "json"]).exits(1);
        let found: Value = serde_json::from_str(&ran.out).unwrap();
        let one = &found["against"][0];
        let first = one["causes"][1]["finding"].as_str().unwrap_or_default();
        assert!(first.starts_with(finding) && one["unexplained"] == 0, "{log}: {first}");
    }
}

#[test]
fn what_is_wrong_with_each_view_is_found() {
    for (log, view, id) in [
        (SHOP, "shop_tehran.csv.gz", "day-zone:Asia/Tehran"),
        (SHOP, "shop_without_segment.csv.gz", "missing:segment:mobile/2024-W12.jsonl.gz"),
        (SHOP, "shop_lines_twice.csv.gz", "doubled:offsets:desktop:7000..7500"),
        (SHOP, "shop_distinct_lines.csv.gz", "missing:repeated-lines"),
        (SHOP, "shop_late.csv.gz", "missing:late:arrival:2h"),
        (SHOP, "shop_prefix.csv.gz", "missing:offsets:desktop:15000..16146"),
        (SHOP, "shop_users_by_hour.csv.gz", "users-added:hour"),
        (SHOP, "shop_users_estimated.csv.gz", "users-estimated"),
        (TRAEFIK, "traefik_lower_case.csv", "pages:lower-case"),
        ("sample_logs/shop/desktop", "desktop_listing.json.gz", "missing:files:*.gz"),
    ] {
        let more: &[&str] = if log == SHOP { &["--arrival", "arrived_at"] } else { &[] };
        assert_eq!(findings(log, view, more), (vec![id.to_owned()], 0), "{view}");
    }
}

#[test]
fn three_causes_at_once_are_told_apart() {
    let (mut ids, unexplained) = findings(SHOP, "shop_mix.csv.gz", &[]);
    ids.sort();
    let expected = [
        "day-zone:Asia/Tehran",
        "doubled:offsets:desktop:7000..7500",
        "missing:segment:mobile/2024-W12.jsonl.gz",
    ];
    assert_eq!((ids, unexplained), (expected.map(ToOwned::to_owned).to_vec(), 0));
}

#[test]
fn the_textbooks_states_are_sums_by_key() {
    let columns = ["--columns", "page=key,sum=value"];
    is_equal(TEXTBOOK, "textbook_state_mended.json", &columns);
    let (ids, rest) = findings(TEXTBOOK, "textbook_state_printed.json", &columns);
    assert_eq!((ids, rest), (vec!["redeliveries:count".to_owned()], 0));
    let (mut ids, rest) = findings(TEXTBOOK, "textbook_state_restored.json", &columns);
    ids.sort();
    assert_eq!((ids, rest), (vec!["doubled:everything".to_owned(), "redeliveries:count".to_owned()], 0));
}

#[test]
fn the_text_has_the_sentence_the_cells_and_the_records() {
    let ran = reconcile(SHOP, "shop_without_segment.csv.gz", &["--limit", "2"]).exits(1);
    assert!(
        ran.err.contains("columns page=page_id date=date views=total_views users=unique_users; guessed"),
        "{}",
        ran.err
    );
    for part in [
        "unexplained: 0 of 479",
        "1. file \"mobile/2024-W12.jsonl.gz\" is missing from it: explains 479 of 479 [lost, 305 records",
        "82 cells differ, by 305 page views, 174 users in all",
        "cells that differ most (2; 80 more with --limit)",
        "records that prove 1 (2; 303 more with --limit)",
        "  mobile/2024-W12.jsonl.gz:1  not counted there  {\"user_id\":",
    ] {
        assert!(ran.out.contains(part), "no {part:?} in\n{}", ran.out);
    }
}

#[test]
fn csv_adds_up() {
    let ran = reconcile(SHOP, "shop_mix.csv.gz", &["--format", "csv"]).exits(1);
    let (mut total, mut cells) = ([0_i64; 2], [0_i64; 2]);
    let mut lines = ran.out.lines();
    assert!(lines.next().unwrap().starts_with("against,page,date,cause,finding,records,views,users,"));
    assert!(lines.clone().next().unwrap().contains(",,,unexplained,unexplained,0,0,0,"));
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let numbers = [fields[6], fields[7]].map(|number| number.parse::<i64>().unwrap());
        let sums = if fields[1].is_empty() { &mut total } else { &mut cells };
        sums[0] += numbers[0];
        sums[1] += numbers[1];
    }
    assert_eq!(total, cells);
    assert_eq!(total[0], 31_106 - (31_106 - 305 + 500));
}

#[test]
fn their_batch_and_their_stream_at_once() {
    let (batch, stream) = (format!("{DATA}/shop_prefix.csv.gz"), format!("{DATA}/shop_lines_twice.csv.gz"));
    let ran = run([
        "reconcile",
        SHOP,
        "--against",
        &batch,
        "--against",
        &stream,
        "--format",
        "json",
        "--limit",
        "1",
    ]);
    let found: Value = serde_json::from_str(&ran.exits(1).out).unwrap();
    let between = &found["between"];
    assert_eq!(between["difference"]["views"], -(16_146 - 15_000) - 500);
    let causes = between["causes"].as_array().unwrap();
    assert_eq!((&causes[0]["cause"], &causes[0]["views"]), (&"unexplained".into(), &0.into()));
    assert_eq!(causes.iter().map(|cause| cause["views"].as_i64().unwrap()).sum::<i64>(), -1_646);
}

#[test]
fn part_files_without_headers_are_one_view() {
    let place = Place::new();
    let parts = place.file("view");
    fs::create_dir_all(&parts).unwrap();
    let expected = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/traefik_json/expected.csv"),
    );
    let expected = expected.unwrap();
    let rows: Vec<&str> = expected.lines().skip(1).collect();
    let (first, second) = rows.split_at(rows.len() / 2);
    fs::write(parts.join("part-00000.csv"), first.join("\n")).unwrap();
    let mut zipped =
        GzEncoder::new(fs::File::create(parts.join("part-00001.csv.gz")).unwrap(), Compression::fast());
    zipped.write_all((second.join("\n") + "\n").as_bytes()).unwrap();
    zipped.finish().unwrap();
    fs::write(parts.join("_SUCCESS"), "").unwrap();
    fs::write(parts.join(".part-00000.csv.crc"), "crc").unwrap();
    fs::write(parts.join("part-00000.csv.crc"), "crc").unwrap();
    let ran = run(["reconcile", TRAEFIK, "--against", parts.to_str().unwrap()]).exits(0);
    assert!(ran.err.contains("columns page=1 date=2 views=3 users=4; guessed"), "{}", ran.err);
}

#[test]
fn bad_rows_are_kept_aside_and_cells_twice_are_said() {
    let place = Place::new();
    let view = place.file("theirs.jsonl");
    let lines = [
        r#"{"user":"user_a","day":"2024-05-01T00:00:00Z","hits":1}"#,
        "junk",
        r#"{"user":"user_a","day":"soon","hits":1}"#,
        r#"{"user":"user_b","day":19844,"hits":"1"}"#,
        r#"{"user":"user_a","day":1714521600,"hits":1.0}"#,
        r#"{"user":"user_a","day":"2024-05-01","hits":-1}"#,
    ];
    fs::write(&view, lines.join("\n")).unwrap();
    let against = view.to_str().unwrap();
    let ran = run(["reconcile", TEXTBOOK, "--against", against, "--columns", "page=user"]).exits(0);
    for part in [
        "\"user_a\", 2024-05-01 is there 2 times; added up",
        "kept aside: theirs.jsonl:2: not JSON",
        "kept aside: theirs.jsonl:3: bad date \"soon\"",
        "kept aside: theirs.jsonl:6: bad count \"-1\"",
    ] {
        assert!(ran.err.contains(part), "no {part:?} in\n{}", ran.err);
    }
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let place = Place::new();
    let view = place.file("theirs.csv");
    let against = view.to_str().unwrap();
    let args = ["reconcile", TEXTBOOK, "--against", against];
    run(args).fails_with("cannot open");
    fs::write(&view, "page,date,remark\na,2024-05-01,good\n").unwrap();
    run(args).fails_with("cannot tell which column is views");
    run(args.iter().copied().chain(["--columns", "views=hits"])).fails_with("no column \"hits\"");
    run(args.iter().copied().chain(["--columns", "clicks=hits"]))
        .fails_with("none of page, date, views, users, sum");
    run(["reconcile", TEXTBOOK]).fails_with("--against");
    let inside = format!("{TEXTBOOK}/found.txt");
    let right = format!("{DATA}/textbook_state_mended.json");
    run(["reconcile", TEXTBOOK, "--against", &right, "--out", &inside]).fails_with("inside the log");
}

#[test]
fn the_query_names_files_fields_and_rules() {
    let ran =
        run(["reconcile", SHOP, "--sql", "--zone", "Asia/Tehran", "--where", "platform!=tablet"]).exits(0);
    for part in ["timezone('Asia/Tehran'", "mobile/2024-W12.jsonl.gz", "'$.\"page_id\"'", "'$.\"platform\"'"]
    {
        assert!(ran.out.contains(part), "no {part:?}");
    }
}

#[test]
fn bunyan_equals_the_view_of_two_other_programs() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/bunyan_corpus");
    if !data.exists() {
        println!("skipped: no {}", data.display());
        return;
    }
    let (log, against) = (data.join("log"), data.join("expected.csv"));
    run(["reconcile".as_ref(), log.as_os_str(), "--against".as_ref(), against.as_os_str()]).exits(0);
}
