//! Logs that are no JSON lines: real ones against independently computed answers, crashes, comparisons and bad input.

use std::{fmt::Write as _, fs, path::Path};

use super::support::{Place, SHOP, command, read_json, run};

const PROBING: &str = "tests/data/apache_probing/log";

/// Rows of a view, read as CSV.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn real_logs_equal_their_expected_views() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    for (set, mapping, valid) in [
        ("elastic_apache", "format=combined page=target user=host time=time (%d/%b/%Y:%H:%M:%S %z)", 10_000),
        ("zanbil_shop_1000", "format=combined page=target user=host time=time (%d/%b/%Y:%H:%M:%S %z)", 1_000),
        ("nasa_tsv", "format=tsv page=url user=host time=time (epoch-s)", 30_969),
        ("rete_ecom", "format=csv page=event user=user_id time=timestamp (rfc3339)", 31_106),
    ] {
        let log = data.join(set).join("log");
        if !log.exists() {
            println!("skipped: no {}", log.display());
            continue;
        }
        let place = Place::new();
        let report = place.file("report.json");
        let expected = fs::read_to_string(data.join(set).join("expected.csv")).unwrap();
        for threads in ["1", "3"] {
            let args = ["batch".as_ref(), log.as_os_str(), "--threads".as_ref(), threads.as_ref()];
            let ran = run(args.into_iter().chain(["--report".as_ref(), report.as_os_str()])).exits(0);
            assert!(rows(&ran.out) == rows(&expected), "{set}");
            assert!(
                ran.err.contains(&format!("mapping: {mapping}; guessed format, page, time, user")),
                "{}",
                ran.err
            );
            let report = read_json(&report);
            for (key, count) in [("records", valid), ("valid", valid), ("missing_user", 0), ("malformed", 0)]
            {
                assert_eq!(report[key], count, "{set}: {key}");
            }
        }
    }
}

#[test]
fn probing_equals_its_expected_view_and_is_read_by_any_of_its_fields() {
    let expected = fs::read_to_string("tests/data/apache_probing/expected.csv").unwrap();
    assert_eq!(run(["batch", PROBING]).exits(0).out, expected);
    let by_status =
        run(["batch", PROBING, "--page", "status", "--value", "bytes", "--zone", "Asia/Tokyo"]).exits(0);
    assert_eq!(
        by_status.out,
        "page,date,total_views,unique_users,sum\n400,2021-09-29,2,1,452\n404,2021-09-29,75,1,14700\n"
    );
    let some = run(["batch", PROBING, "--where", "status=400", "--page-clean", "strip-query"]).exits(0);
    assert_eq!(some.out.lines().count(), 3);
    run(["batch", PROBING, "--page", "url"]).fails_with("--page: an access log has host, ident, user,");
    let whole = "tests/data/apache_probing";
    run(["reconcile", PROBING, "--against", &format!("{whole}/expected.csv")]).exits(0);
}

/// Records `[from, to)` as rows: a page with a comma, a note that spans lines, and now and then no row at all.
fn table(name: &str, from: u64, to: u64, columns: [&str; 5]) -> String {
    let mut text = columns.join(",") + "\n";
    for n in from..to {
        if n % 7 == 3 {
            text += "x,y\n";
            continue;
        }
        let field = |column: &str| match column {
            "page" => format!("\"{name}, {}\"", n % 3),
            "user" => format!("u{}", n % 4),
            "time" => format!("2024-03-{:02} {:02}:00:00", 1 + n / 24 % 9, n % 24),
            "id" => format!("{name}{}", n - u64::from(n % 11 == 5)),
            _ => format!("\"line\n\"\"{n}\"\"\n\""),
        };
        writeln!(text, "{}", columns.map(field).join(",")).unwrap();
    }
    text
}

const ORDERS: [[&str; 5]; 2] =
    [["user", "note", "page", "time", "id"], ["id", "time", "page", "note", "user"]];
const MAPPING: &str = "--page page --user user --time time --id id --zone Asia/Tehran --checkpoint-every 4";

/// Two partitions, one of which has its columns in another order in its second file.
fn tables(place: &Place) -> String {
    let log = place.file("log");
    for (file, name, from, to, order) in
        [("a/1.csv", "a", 0, 9, 0), ("a/2.csv", "a", 9, 17, 1), ("b/1.csv", "b", 0, 14, 1)]
    {
        let path = log.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, table(name, from, to, ORDERS[order])).unwrap();
    }
    log.display().to_string()
}

#[test]
fn crashed_anywhere_and_restored_it_is_what_batch_counts() {
    let place = Place::new();
    let log = tables(&place);
    let report = place.file("batch.json");
    let mapping = MAPPING.replace("--checkpoint-every 4", "");
    let batch = |threads: &str| {
        let args = ["batch", &log, "--threads", threads, "--report", report.to_str().unwrap()];
        run(args.into_iter().chain(mapping.split_whitespace())).exits(0).out
    };
    let view = batch("1");
    for threads in ["2", "3", "8"] {
        assert_eq!(batch(threads), view, "{threads} threads");
    }
    let counted = read_json(&report);
    assert_eq!(
        (&counted["records"], &counted["malformed"], &counted["duplicates"]),
        (&31.into(), &4.into(), &3.into())
    );
    for point in ["mid-apply", "after-emit", "mid-checkpoint", "after-checkpoint"] {
        for record in (0..31).step_by(3) {
            let place = Place::new();
            place.stream(&log, &format!("{MAPPING} --crash {point}@{record}")).exits(42);
            let ran = place.stream(&log, MAPPING).exits(0);
            assert_eq!((&ran.out, &place.view()), (&view, &view), "{point}@{record}");
            let streamed = place.report();
            for (key, value) in counted.as_object().unwrap() {
                assert_eq!(&streamed[key], value, "{point}@{record}: {key}");
            }
        }
    }
    let issues = counted["issues"].as_array().unwrap();
    assert_eq!((&issues[0]["file"], &issues[0]["line"]), (&"a/1.csv".into(), &11.into()));
    assert_eq!(issues[0]["reason"], "row of 2 fields under a header of 5");
}

#[test]
fn a_table_that_only_grew_is_gone_on_with() {
    let place = Place::new();
    let log = tables(&place);
    place.stream(&log, &format!("{MAPPING} --stop-after 9")).exits(0);
    let file = place.file("log").join("b/1.csv");
    let more = table("b", 14, 20, ORDERS[1]);
    let (_, rows_only) = more.split_once('\n').unwrap();
    fs::write(&file, fs::read_to_string(&file).unwrap() + rows_only).unwrap();
    fs::write(place.file("log").join("b/2.csv"), table("b", 20, 25, ORDERS[0])).unwrap();
    place.stream(&log, MAPPING).exits(0);
    let mapping = MAPPING.replace("--checkpoint-every 4", "");
    let batch = run(["batch", &log].into_iter().chain(mapping.split_whitespace())).exits(0);
    assert_eq!(place.view(), batch.out);
    // A row that ended inside quotes may have become another one.
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{whole}u1,\"half\n")).unwrap();
    fs::remove_file(place.file("log").join("b/2.csv")).unwrap();
    let again = Place::new();
    again.stream(&log, MAPPING).exits(0);
    fs::write(&file, format!("{whole}u1,\"half\n\",p\n")).unwrap();
    let ran = again.stream(&log, MAPPING).exits(0);
    assert!(
        ran.err.contains("grew where it must not, before other segments or in an unfinished line"),
        "{}",
        ran.err
    );
    let batch = run(["batch", &log].into_iter().chain(mapping.split_whitespace())).exits(0);
    assert_eq!(again.view(), batch.out, "from the checkpoint before");
}

#[test]
fn reconcile_shows_the_rows_that_prove_it() {
    let place = Place::new();
    let log = tables(&place);
    let mapping = MAPPING.replace("--checkpoint-every 4", "");
    let mapping: Vec<&str> = mapping.split_whitespace().collect();
    let theirs = place.file("theirs.csv");
    let part = place.file("log").join("b");
    let view = run(["batch", part.to_str().unwrap()].iter().chain(&mapping)).exits(0).out;
    fs::write(&theirs, view).unwrap();
    let args = ["reconcile", &log, "--against", theirs.to_str().unwrap()];
    let ran = run(args.iter().chain(&mapping)).exits(1);
    assert!(ran.out.contains("partition \"a\" is missing from it"), "{}", ran.out);
    assert!(ran.out.contains("a/1.csv:2  not counted there  u0,"), "{}", ran.out);
    run(["reconcile", &log, "--against", theirs.to_str().unwrap(), "--sql"].iter().chain(&mapping))
        .fails_with("--sql for a log in format csv");
}

#[test]
fn a_scenario_over_a_table_plays_alike_with_either_driver() {
    let place = Place::new();
    tables(&place);
    let scenario = place.file("run.json");
    let text = r#"{"rederive_scenario": 1, "name": "Rows", "log": {"path": "log"},
        "mapping": {"input_format": "csv", "page": "page", "user": "user", "time": "time", "time_format": "rfc3339"},
        "settings": {"seed": 1, "rate": 4, "stream_capacity": 6, "batch_capacity": 50, "batch_every_records": 8,
            "checkpoint_every_records": 4, "micro_batch_records": 2, "retain": 3, "guarantee": "exactly-once-upsert-sink"},
        "commands": [{"at": {"position": 13}, "command": {"crash": {"target": "stream", "when": "now"}}},
            {"at": {"ticks_after_crash": 5}, "command": {"restore": null}}],
        "expect": {"merged_views": 27, "merged_equals_recount": true, "stream_crashes": 1, "invariants_hold": true}}"#;
    fs::write(&scenario, text).unwrap();
    let digest = |driver: &str| run(["check", scenario.to_str().unwrap(), "--driver", driver]).exits(0).out;
    let inline = digest("inline");
    assert!(inline.contains("digest "), "{inline}");
    assert_eq!(digest("threads"), inline);
    fs::write(&scenario, text.replace("\"csv\"", "\"xml\"")).unwrap();
    run(["check", scenario.to_str().unwrap()]).fails_with("xml");
}

#[test]
fn what_cannot_be_told_apart_is_said() {
    let place = Place::new();
    let log = place.file("log");
    fs::create_dir(&log).unwrap();
    let text = log.display().to_string();
    fs::write(log.join("1.csv"), "page,user,time\n/,u,2024-03-01 12:00:00\n").unwrap();
    fs::write(log.join("2.log"), "{\"page\":\"/\",\"user\":\"u\",\"time\":1709294400}\n").unwrap();
    run(["batch", &text]).fails_with("two formats in one log: csv in \"1.csv\", jsonl in \"2.log\"");
    let ran = run(["batch", &text, "--input-format", "csv", "--naive-zone", "Asia/Tokyo"]).exits(0);
    assert_eq!(ran.out, "page,date,total_views,unique_users\n/,2024-03-01,1,1\n");
    fs::remove_file(log.join("2.log")).unwrap();
    for (file, reason) in [
        ("", "no JSON object, access log line or row under a header among the first 0 lines"),
        ("page,user,time\n", "no row under a header among the first 1 lines"),
        ("/,u,1\n/,v,2\n", "no JSON object, access log line or row under a header"),
        (
            "page,user,time\r/,u,2024-03-01 12:00:00\r",
            "no JSON object, access log line or row under a header",
        ),
        ("what,who,when\n/,u,2024-03-01 12:00:00\n", "fields seen: \"what, when, who\""),
    ] {
        fs::write(log.join("1.csv"), file).unwrap();
        run(["batch", &text]).fails_with(reason);
    }
    fs::write(log.join("1.csv"), "page,user,time\n/,u,2024-03-01 12:00:00\n").unwrap();
    fs::write(log.join("2.csv"), "page,time\n/,2024-03-01 12:00:00\n").unwrap();
    let ran = run(["batch", &text]).exits(0);
    assert!(ran.err.contains("malformed: 2.csv:2: no column \"user\" in the header"), "{}", ran.err);
    assert!(command(["batch", &text, "--user", "nobody"]).output().unwrap().status.success());
    let noted = run(["batch", &text, "--user", "nobody"]).exits(0);
    assert!(
        noted.err.contains("none of the first 2 records has the --user field \"nobody\""),
        "{}",
        noted.err
    );
    assert_eq!(noted.out, "page,date,total_views,unique_users\n");
    run(["batch", SHOP, "--input-format", "tsv"]).fails_with("cannot guess the page field");
}
