//! Help, versions, bad usage and closed pipes.

use std::fs;

use super::support::{Place, SHOP, TEXTBOOK, command, run};

const COMMANDS: [&str; 11] = [
    "batch",
    "stream",
    "view",
    "checkpoints",
    "check",
    "picture",
    "matrix",
    "merge",
    "reconcile",
    "simulate",
    "generate",
];

#[test]
fn help_and_version() {
    let version = run(["--version"]).exits(0).out;
    for part in [env!("CARGO_PKG_VERSION"), "checkpoint format 1", "scenario format 1", "journal format 1"] {
        assert!(version.contains(part), "{version}");
    }
    let help = run(["--help"]).exits(0).out;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let own = run([command, "--help"]).exits(0);
        assert!(own.out.contains(&format!("Example:\n  rederive {command} ")) && own.err.is_empty());
    }
}

#[test]
fn bad_usage_is_one_line_and_exit_code_2() {
    let place = Place::new();
    let directory = place.file("fresh").display().to_string();
    let stream = format!("stream {TEXTBOOK} --checkpoints {directory}");
    let cases = [
        ("batch", "<LOG>"),
        ("batch nowhere", "cannot open \"nowhere\""),
        ("batch sample_logs/textbook --format xml", "csv, json"),
        ("batch sample_logs/textbook --colour", "--colour"),
        ("batch sample_logs/textbook --threads 0", "--threads"),
        ("batch sample_logs/textbook --threads two", "--threads"),
        ("batch sample_logs/textbook --cut 101%", "--cut"),
        ("batch sample_logs/textbook --input-format xml", "--input-format"),
        ("batch sample_logs/textbook --input-format combined", "no access log line"),
        (
            "batch sample_logs/textbook --input-format combined --page url --time time",
            "--page: an access log has host,",
        ),
        ("batch sample_logs/textbook --zone Mars/Base", "Mars/Base"),
        ("batch sample_logs/textbook --time-format epoch", "--time-format"),
        ("batch sample_logs/textbook --anonymous maybe", "--anonymous"),
        ("batch sample_logs/textbook --where x", "--where"),
        ("batch sample_logs/textbook --where x~(", "--where"),
        ("batch sample_logs/textbook --page-clean upper", "--page-clean"),
        ("batch sample_logs/textbook --page a --page b", "--page"),
        ("batch sample_logs/textbook --out nowhere/at/all.csv", "no such directory"),
        ("batch sample_logs/textbook --out src", "is a directory"),
        ("batch sample_logs/textbook --out src/x --report src/../src/x", "name the same file"),
        ("batch Cargo.toml", "no JSON object"),
        ("picture sample_logs/textbook --out x.png --panel nothing", "log, checkpoints, numbers,"),
        ("picture sample_logs/textbook --out x.png --against a --against b --against c", "twice at most"),
        ("stream sample_logs/textbook", "--checkpoints"),
        ("view", "<DIR>"),
        ("view nowhere", "nowhere"),
        ("view src", "no checkpoint directory"),
        ("checkpoints src", "no checkpoint directory"),
        ("check", "<SCENARIO.json>"),
        ("simulate --seeds 5..5", "A..B"),
        ("merge sample_logs/textbook --cut 1", "--position"),
        ("merge sample_logs/textbook --cut 1 --position 2 --boundary middle", "event-time"),
        ("merge sample_logs/textbook --cut 1 --position 2 --lateness soon", "not a duration"),
        ("merge sample_logs/textbook --cut 1 --position 2 --speed-from 1 --boundary none", "--speed-from"),
        ("bach sample_logs/textbook", "no such command"),
        ("sample_logs/textbook --colour", "--colour"),
        ("--colour", "--colour"),
    ];
    for (line, part) in cases {
        let ran = run(line.split(' ')).fails_with(part);
        assert_eq!(ran.err.lines().count(), 1, "{line}: {}", ran.err);
    }
    for (more, part) in [
        ("--checkpoint-every 0", "--checkpoint-every"),
        ("--retain 1", "--retain"),
        ("--rate 0", "--rate"),
        ("--stop-after 0", "--stop-after"),
        ("--guarantee maybe-once", "no such guarantee"),
        ("--guarantee at-most-once", "not in this version yet"),
        ("--crash mid-apply", "POINT@RECORD"),
        ("--crash sometimes@3", "no such crash point"),
        ("--follow", "not in this version yet: --follow"),
    ] {
        let ran = run(stream.split(' ').chain(more.split(' '))).fails_with(part);
        assert_eq!(ran.err.lines().count(), 1, "{more}: {}", ran.err);
    }
    assert!(!place.file("fresh").exists(), "bad usage leaves nothing behind");
    run(["batch", TEXTBOOK, "--cut", "9"]).fails_with("beyond the end");
    run(["batch", TEXTBOOK, "--cut", "1,2"]).fails_with("2 positions for 1 partitions");
    run(["merge", TEXTBOOK, "--cut", "9", "--position", "1"]).fails_with("beyond the end");
    run(["batch", SHOP, "--input-format", "csv"]).fails_with("no row under a header");
}

#[test]
fn what_an_installed_version_does_not_do_yet_is_said() {
    let text = TEXTBOOK;
    for line in [format!("matrix {text}"), "generate somewhere --records 1 --seed 1".to_owned()] {
        run(line.split(' ')).fails_with("not in this version yet");
    }
}

#[test]
fn nothing_is_written_into_the_log() {
    let place = Place::new();
    let log = place.file("log");
    fs::create_dir(&log).unwrap();
    fs::copy(format!("{TEXTBOOK}/events.jsonl"), log.join("events.jsonl")).unwrap();
    let shown = log.display();
    let out = place.file("c").display().to_string();
    let scenario = scenario_over(&place, "log");
    for line in [
        format!("batch {shown} --out {shown}/view.csv"),
        format!("batch {shown} --out {shown}/events.jsonl"),
        format!("batch {shown} --out {shown} --format json"),
        format!("batch {shown} --report {shown}/../log/r.json"),
        format!("batch {shown}/events.jsonl --out {shown}/events.jsonl"),
        format!("picture {shown} --out {shown}/window.png"),
        format!("picture {shown}/events.jsonl --out {shown}/events.jsonl"),
        format!("picture {scenario} --out {shown}/window.png"),
        format!("check {scenario} --journal {shown}/journal"),
        format!("stream {shown} --checkpoints {shown}/c"),
        format!("stream {shown} --checkpoints {shown}"),
        format!("stream {shown} --checkpoints {out} --out {shown}/view.csv"),
        format!("stream {shown} --checkpoints {out} --report {shown}/r.json"),
    ] {
        let ran = run(line.split(' ')).fails_with("inside the log");
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    assert_eq!(fs::read_dir(&log).unwrap().count(), 1);
    assert!(!place.file("c").exists());
}

/// The shipped scenario over another log beside it.
fn scenario_over(place: &Place, log: &str) -> String {
    let text = fs::read_to_string("sample_logs/crash-and-replay.json").unwrap();
    let path = place.file("scenario.json");
    fs::write(&path, text.replace("\"shop\"", &format!("\"{log}\""))).unwrap();
    path.display().to_string()
}

#[test]
fn a_closed_pipe_is_no_error() {
    for args in [&["batch", SHOP][..], &["--help"], &["batch", SHOP, "--format", "json"]] {
        let mut child = command(args).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(!String::from_utf8(output.stderr).unwrap().contains("error"));
    }
}
