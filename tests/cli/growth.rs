//! Logs that grew or changed between two runs of `stream`: accepted and right, or refused naming the segment.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
};

use super::support::{Place, Ran, read_json, run};

const MAPPING: &str = "--page page --user user --time time --offset offset --id id --checkpoint-every 4";

/// What happens to a log, in words or as the reason of the refusal.
type Case = (&'static str, Box<dyn Fn(&Path)>);

/// Records `[from, to)` of a partition, hourly; explicit offsets and ids follow the record number.
fn records(name: &str, from: u64, to: u64) -> String {
    let record = |n: u64| {
        let (page, user, time) = (n % 3, n % 4, 1_711_843_200 + n * 3_600);
        format!(
            "{{\"page\":\"{name}{page}\",\"user\":\"u{user}\",\"time\":{time},\"offset\":{n},\"id\":\"{name}{n}\"}}\n"
        )
    };
    (from..to).map(record).collect()
}

fn append(log: &Path, file: &str, text: &str) {
    let path = log.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Streams 13 or all records of a log of two partitions, lets `change` change it, and streams on.
fn after(change: &dyn Fn(&Path), first: &str, more: &str) -> (Place, Ran) {
    let place = Place::new();
    let log = place.file("log");
    for partition in ["b", "d"] {
        append(&log, &format!("{partition}/1"), &records(partition, 0, 20));
    }
    let text = log.display().to_string();
    place.stream(&text, &format!("{MAPPING} {more} {first}")).exits(0);
    change(&log);
    let ran = place.stream(&text, &format!("{MAPPING} {more}"));
    (place, ran)
}

/// Asserts that state and sink are what `batch` counts, every record once.
#[track_caller]
fn equals_batch(place: &Place, more: &str, what: &str) {
    let (streamed, report, log) = (place.report(), place.file("batch.json"), place.file("log"));
    let mut args = vec!["batch".to_owned(), log.display().to_string()];
    args.extend(["--report".to_owned(), report.display().to_string()]);
    let mapping = MAPPING.replace("--checkpoint-every 4", more);
    args.extend(mapping.split_whitespace().map(ToOwned::to_owned));
    let view = run(args).exits(0).out;
    let batch = read_json(&report);
    for (key, value) in batch.as_object().unwrap() {
        assert_eq!(&streamed[key], value, "{what}: {key}");
    }
    assert_eq!(streamed["sink_fingerprint"], batch["fingerprint"], "{what}");
    let counted = batch["valid"].as_u64().unwrap()
        - batch["redelivered"].as_u64().unwrap()
        - batch["duplicates"].as_u64().unwrap();
    assert_eq!(streamed["effects"].to_string(), format!("{{\"1\":{counted}}}"), "{what}");
    assert_eq!(place.view(), view, "{what}");
}

#[test]
fn a_log_that_only_grew_is_gone_on_with() {
    let new_partition =
        |name: &'static str| move |log: &Path| append(log, &format!("{name}/1"), &records(name, 0, 10));
    let changes: &[Case] = &[
        ("nothing", Box::new(|_| {})),
        ("a partition before all others", Box::new(new_partition("a"))),
        ("a partition between the others", Box::new(new_partition("c"))),
        ("a partition behind all others", Box::new(new_partition("e"))),
        ("an empty partition", Box::new(|log| fs::create_dir(log.join("a")).unwrap())),
        (
            "more records, redeliveries and a segment",
            Box::new(|log| {
                append(log, "b/1", &records("b", 15, 25));
                append(log, "b/2", &records("b", 30, 35));
            }),
        ),
        ("an unfinished line", Box::new(|log| append(log, "d/1", "{\"page\":"))),
    ];
    for (what, change) in changes {
        for first in ["", "--stop-after 13", "--stop-after 4 --retain 2"] {
            let (place, ran) = after(change, first, "");
            ran.exits(0);
            equals_batch(&place, "", &format!("{what}, {first}"));
        }
    }
}

#[test]
fn partitions_that_a_field_makes_may_appear_between_the_others() {
    for first in ["", "--stop-after 13"] {
        let newcomer = |log: &Path| append(log, "e/1", &records("c", 0, 10).replace("\"u1\"", "\"u1a\""));
        let (place, ran) = after(&newcomer, first, "--partition user");
        ran.exits(0);
        equals_batch(&place, "--partition user", first);
    }
}

#[test]
fn a_log_that_changed_is_refused_naming_the_segment() {
    let rewrite = |log: &Path, change: &dyn Fn(String) -> String| {
        let path = log.join("d/1");
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
    };
    let changes: &[Case] = &[
        (
            "old bytes differ in \\\"d/1\\\"",
            Box::new(move |log| rewrite(log, &|text| text.replacen("u1", "u7", 1))),
        ),
        ("shorter than it was: \\\"d/1\\\"", Box::new(move |log| rewrite(log, &|_| String::new()))),
        (
            "a segment is gone: \\\"d/1\\\"",
            Box::new(|log| fs::rename(log.join("d/1"), log.join("d/2")).unwrap()),
        ),
        (
            "comes before others that were read: \\\"d/0\\\"",
            Box::new(|log| append(log, "d/0", &records("d", 0, 1))),
        ),
        ("a partition is gone: \\\"d\\\"", Box::new(|log| fs::remove_dir_all(log.join("d")).unwrap())),
        ("a partition is gone: \\\"d\\\"", Box::new(|log| fs::rename(log.join("d"), log.join("x")).unwrap())),
    ];
    for (reason, change) in changes {
        let (place, ran) = after(change, "", "");
        let reason = reason.replace("\\\"", "\"");
        let ran = ran.fails_with(&reason);
        assert_eq!(ran.err.matches(&reason).count(), 3, "each of three is named: {}", ran.err);
        assert!(ran.err.contains("--from-start"), "{}", ran.err);
        let log = place.file("log").display().to_string();
        place.stream(&log, &format!("{MAPPING} --from-start")).exits(0);
        equals_batch(&place, "", &reason);
    }
}
