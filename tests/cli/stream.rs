//! `stream`, `view` and `checkpoints`: resumption, damage, signals, kills.

use std::{fs, process::Command, thread::sleep, time::Duration};

use super::support::{Place, Ran, SHOP, SHOP_RECORDS, TEXTBOOK, command, content_hash, name, random, run};

/// Fingerprint of the shop, from `batch`.
fn shop_fingerprint() -> String {
    let ran = run(["batch", SHOP]).exits(0);
    ran.err.trim_end().rsplit(' ').next().unwrap().to_owned()
}

/// Asserts that the state and the sink in the report are the shop's.
#[track_caller]
fn ends_right(place: &Place) {
    let report = place.report();
    let fingerprint = shop_fingerprint();
    assert_eq!(report["fingerprint"], fingerprint.as_str());
    assert_eq!(report["sink_fingerprint"], fingerprint.as_str());
    assert_eq!(report["records"], SHOP_RECORDS);
    assert_eq!(report["effects"].to_string(), format!("{{\"1\":{SHOP_RECORDS}}}"));
    assert_eq!(place.view(), fs::read_to_string("tests/data/shop_expected.csv").unwrap());
}

fn checkpoints(place: &Place) -> Ran {
    run(["checkpoints".as_ref(), place.checkpoints().as_os_str()])
}

#[test]
fn a_stream_ends_where_batch_does_and_goes_on_where_it_stopped() {
    let place = Place::new();
    let first = place.stream(SHOP, "--stop-after 12000 --checkpoint-every 5000").exits(0);
    assert!(first.err.contains("starts at record 0"), "{}", first.err);
    let report = place.report();
    assert_eq!((&report["records"], &report["resumed_from"]), (&12_000.into(), &serde_json::Value::Null));
    assert_eq!((&report["checkpoints_written"], &report["replayed"]), (&3.into(), &0.into()));
    let second = place.stream(SHOP, "--checkpoint-every 5000").exits(0);
    assert!(second.err.contains("goes on at record 12000"), "{}", second.err);
    assert_eq!(second.out, fs::read_to_string("tests/data/shop_expected.csv").unwrap());
    let report = place.report();
    assert_eq!((&report["resumed_from"], &report["replayed"]), (&12_000.into(), &0.into()));
    assert_eq!((&report["deliveries"], &report["checkpoints_written"]), (&SHOP_RECORDS.into(), &4.into()));
    ends_right(&place);
    place.stream(SHOP, "").exits(0);
    let report = place.report();
    assert_eq!((&report["checkpoints_written"], &report["deliveries"]), (&0.into(), &SHOP_RECORDS.into()));
    ends_right(&place);
    let listed = checkpoints(&place).exits(0).out;
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["id", "position", "bytes", "status"]);
    let shown = |at: usize| [lines[at][0], lines[at][1], lines[at][3]];
    assert_eq!(
        [shown(1), shown(2), shown(3)],
        [["7", "31106", "ok"], ["6", "27000", "ok"], ["5", "22000", "ok"]]
    );
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_damaged_newest_checkpoint_is_named_and_the_one_before_is_used() {
    let place = Place::new();
    place.stream(SHOP, "").exits(0);
    let files = place.checkpoint_files();
    assert_eq!(files.len(), 3);
    let bytes = fs::read(&files[2]).unwrap();
    fs::write(&files[2], &bytes[..bytes.len() / 2]).unwrap();
    let listed = checkpoints(&place).exits(1).out;
    assert!(listed.lines().nth(1).unwrap().contains("cut"), "{listed}");
    assert!(listed.lines().skip(2).all(|line| line.ends_with("  ok")), "{listed}");
    let ran = place.stream(SHOP, "").exits(0);
    assert!(ran.err.contains(&format!("refused \"{}\"", name(&files[2]))), "{}", ran.err);
    let report = place.report();
    assert_eq!((&report["resumed_from"], &report["replayed"]), (&30_000.into(), &1106.into()));
    assert_eq!(report["checkpoints_refused"][0]["file"], name(&files[2]).as_str());
    assert_eq!(report["deliveries"], SHOP_RECORDS + 1106);
    ends_right(&place);
}

#[test]
fn with_all_damaged_nothing_starts_until_told_so() {
    let place = Place::new();
    place.stream(SHOP, "").exits(0);
    let files = place.checkpoint_files();
    for (at, file) in files.iter().enumerate() {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / (2 + at);
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
    }
    checkpoints(&place).exits(1);
    let ran = place.stream(SHOP, "").fails_with("--from-start");
    for file in &files {
        assert!(ran.err.contains(&format!("\"{}\": ", name(file))), "{}", ran.err);
    }
    assert_eq!(ran.err.matches("section \"").count(), 3, "{}", ran.err);
    place.stream(SHOP, "--from-start").exits(0);
    let report = place.report();
    assert_eq!(
        (&report["resumed_from"], &report["deliveries"]),
        (&serde_json::Value::Null, &SHOP_RECORDS.into())
    );
    ends_right(&place);
    let aside = fs::read_dir(place.checkpoints())
        .unwrap()
        .filter(|entry| name(&entry.as_ref().unwrap().path()).starts_with("aside-1-"));
    assert_eq!(aside.count(), 5, "three checkpoints, sink and deliveries");
}

#[test]
fn checkpoints_of_other_settings_are_refused() {
    let place = Place::new();
    place.stream(TEXTBOOK, "").exits(0);
    place.stream(TEXTBOOK, "--zone Asia/Tokyo").fails_with("written under other settings");
    place.stream(TEXTBOOK, "--guarantee textbook").fails_with("written under guarantee");
    place.stream(TEXTBOOK, "--page value --value value").fails_with("other settings");
    place.stream("tests/data/traefik_json/log", "").fails_with("no checkpoint can be restored");
}

#[test]
fn a_sink_without_a_checkpoint_is_not_served_on() {
    let place = Place::new();
    place.stream(TEXTBOOK, "--crash after-emit@0").exits(42);
    assert!(place.view().contains("user_a"));
    place.stream("tests/data/traefik_json/log", "").exits(0);
    assert_eq!(place.view(), fs::read_to_string("tests/data/traefik_json/expected.csv").unwrap());
}

#[cfg(unix)]
#[test]
fn signals_write_a_checkpoint_and_the_directory_has_one_writer() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let place = Place::new();
        let child = command(place.stream_args(SHOP, "--rate 2000 --checkpoint-every 100")).spawn().unwrap();
        while !place.checkpoints().exists() || place.checkpoint_files().is_empty() {
            sleep(Duration::from_millis(5));
        }
        place.stream(SHOP, "").fails_with("in use by another process");
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("stopped by SIG{signal} at record ")), "{said}");
        assert!(output.stdout.is_empty() && !place.file("report.json").exists());
        let at: u64 = said.rsplit("at record ").next().unwrap().split(';').next().unwrap().parse().unwrap();
        assert!(0 < at && at < SHOP_RECORDS);
        place.stream(SHOP, "").exits(0);
        assert_eq!(place.report()["resumed_from"], at);
        assert_eq!(place.report()["replayed"], 0);
        ends_right(&place);
    }
}

#[test]
fn killed_at_any_of_fifty_moments_it_ends_right() {
    let before = content_hash(SHOP);
    let place = Place::new();
    let (mut seed, mut killed) = (20_240_501, 0);
    // The first milliseconds are those of the restore.
    for every in [1, 30, 100, 700, 5_000].repeat(10) {
        let options = format!("--checkpoint-every {every} --rate 40000");
        let mut child = command(place.stream_args(SHOP, &options)).spawn().unwrap();
        sleep(Duration::from_millis(1 + random(&mut seed, 50)));
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        if every == 30 && place.checkpoints().exists() && !place.checkpoint_files().is_empty() {
            checkpoints(&place).exits(0);
            place.view();
        }
    }
    assert!(killed >= 25, "only {killed} of 50 were still running");
    place.stream(SHOP, "--checkpoint-every 300").exits(0);
    assert!(place.report()["deliveries"].as_u64().unwrap() >= SHOP_RECORDS);
    ends_right(&place);
    assert_eq!(content_hash(SHOP), before);
}

/// Where a value is mapped, readers of the sink are shown sums, also when every event is worth 1.
#[test]
fn the_sink_knows_whether_a_value_is_mapped() {
    let place = Place::new();
    let log = place.file("log");
    fs::create_dir(&log).unwrap();
    fs::write(log.join("a.jsonl"), "{\"page\":\"p\",\"user\":\"u\",\"time\":1700000000,\"n\":1}\n").unwrap();
    for (options, expected) in [
        (vec![], "page,date,total_views,unique_users\np,2023-11-14,1,1\n"),
        (vec!["--value", "n"], "page,date,total_views,unique_users,sum\np,2023-11-14,1,1,1\n"),
    ] {
        let checkpoints = place.file(if options.is_empty() { "plain" } else { "valued" });
        let log = log.to_str().unwrap();
        let stream = ["stream", log, "--checkpoints", checkpoints.to_str().unwrap()];
        assert_eq!(run(stream.iter().chain(&options)).exits(0).out, expected);
        assert_eq!(run(["view", checkpoints.to_str().unwrap()]).exits(0).out, expected);
    }
}
