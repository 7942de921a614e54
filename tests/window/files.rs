//! Opening and saving: by typing, dropping and by the recent list; what cannot be opened; what cannot be read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use eframe::egui::{Key, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use rederive::{
    app::Phase,
    engine::{
        driver::Driver,
        play::{open_scenario, play},
    },
};

use crate::live::{Live, sample};

#[test]
fn what_does_not_exist_says_so_and_another_log_can_be_opened() {
    let mut live = Live::start();
    live.h.get_by_label("No log is open.");
    live.type_open(Path::new("/no/such/log"));
    live.until_sees("The log could not be opened.");
    live.until_sees("/no/such/log");
    live.h.get_by_label("Try again");
    live.open(&sample("clicks"));
    live.h.get_by_label("Nothing processed yet.");
}

#[test]
fn a_mistyped_path_ends_no_run() {
    let mut live = Live::opened(&sample("clicks"));
    let run = live.state().run;
    live.type_open(Path::new("/no/such/log"));
    live.until_sees("cannot open \"/no/such/log\"");
    live.h.get_by_label("Open a log");
    assert_eq!((live.state().run, &live.state().phase), (run, &Phase::Open));
    live.click("Cancel");
    live.fast();
    live.finish();
    assert!(!live.state().settings.recent.iter().any(|path| path.starts_with("/no")));
}

#[test]
fn fields_that_cannot_be_guessed_are_named_in_the_window() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("odd.jsonl");
    let dated = |day| {
        format!(
            "{{\"what\":{{\"it\":\"a\"}},\"whom\":\"u{day}\",\"when_it_was\":\"2024-05-0{day}T10:00:00Z\"}}\n"
        )
    };
    fs::write(&log, (1..=3).map(dated).collect::<String>()).unwrap();
    let mut live = Live::start();
    live.type_open(&log);
    live.until_sees("cannot guess the page field");
    live.click("Name the fields…");
    for (field, path) in [("page", "what.it"), ("user", "whom"), ("time", "when_it_was")] {
        live.h.get_by_role_and_label(Role::TextInput, field).focus();
        live.settle();
        live.h.get_by_role_and_label(Role::TextInput, field).type_text(path);
        live.settle();
    }
    live.picture("named-fields");
    live.key(Key::Enter);
    live.until_sees("Nothing processed yet.");
    live.fast();
    live.finish();
    live.until_sees("Finished: total 3 = full recount 3.");
}

#[test]
fn a_log_can_be_dropped_on_the_window() {
    let mut live = Live::start();
    live.drop_file(&sample("textbook"));
    live.until("the log is open", |live| live.state().phase == Phase::Open && live.state().lane().is_some());
    live.until_sees("Nothing processed yet.");
    live.drop_file(&sample("clicks"));
    live.until("another log", |live| {
        live.state().summary.as_ref().is_some_and(|summary| summary.path.ends_with("clicks"))
    });
}

#[test]
fn lines_without_an_event_are_counted_and_listed() {
    let directory = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(sample("clicks/2024-05-01.jsonl")).unwrap();
    let log = directory.path().join("log/web");
    fs::create_dir_all(&log).unwrap();
    fs::write(log.join("a.jsonl"), format!("{good}not json\n{{\"user_id\":\"ada\"}}\n")).unwrap();
    let mut live = Live::opened(&directory.path().join("log"));
    live.key(Key::W);
    live.click("Lines without an event");
    live.until_sees("Lines without an event: 2");
    let first_bad = good.lines().count() + 1;
    live.until_sees(&format!("a.jsonl:{first_bad}"));
    live.fast();
    live.finish();
    live.until_sees("Finished: total 11 = full recount 11.");
}

/// Rows that span lines, one of them cut, in a file with the columns in another order.
fn table(directory: &Path) -> PathBuf {
    let log = directory.join("rows");
    fs::create_dir_all(log.join("web")).unwrap();
    let day = |day| format!("u{day},\"shop, a\",2024-05-0{day} 10:00:00,\"said \"\"no\"\"\nand left\"\n");
    let first = (1..=5).map(day).collect::<String>();
    fs::write(log.join("web/1.csv"), format!("user,page,time,note\n{first}cut,row\n")).unwrap();
    fs::write(log.join("web/2.csv"), "time,note,user,page\n2024-05-06 00:00:00,,u1,home\n").unwrap();
    log
}

#[test]
fn a_table_is_opened_for_what_it_is_and_its_rows_are_shown() {
    let directory = tempfile::tempdir().unwrap();
    let log = table(directory.path());
    let mut live = Live::opened(&log);
    live.menu("Menu", "Copy as command");
    let command = live.copied()[0].clone();
    assert!(command.ends_with("rows --input-format csv --page page --user user --time time"), "{command}");
    live.fast();
    live.finish();
    live.until_sees("Finished: total 6 = full recount 6.");
    live.key(Key::W);
    live.click("Lines without an event");
    live.until_sees("web/1.csv:12");
    live.until_sees("row of 2 fields under a header of 4");
    live.menu("View", "Numbers");
    live.until_sees("CSV, columns named by the first row of each file");
    live.until_sees("format=csv page=page user=user time=time (rfc3339)");
    live.picture("rows-of-a-table");
}

#[test]
fn two_formats_in_one_log_are_told_apart_in_the_window() {
    let directory = tempfile::tempdir().unwrap();
    let log = table(directory.path());
    fs::write(log.join("web/3.log"), "{\"page\":\"p\",\"user\":\"u\",\"time\":1714867200}\n").unwrap();
    let mut live = Live::opened(&sample("clicks"));
    live.type_open(&log);
    live.until_sees("two formats in one log: csv in \"web/1.csv\", jsonl in \"web/3.log\"");
    live.picture("refused-format");
    live.h.get_by_role_and_label(Role::TextInput, "input-format").focus();
    live.settle();
    live.h.get_by_role_and_label(Role::TextInput, "input-format").type_text("csv");
    live.settle();
    live.picture("named-format");
    live.key(Key::Enter);
    live.until("the table is open", |live| {
        live.state().summary.as_ref().is_some_and(|summary| summary.format.starts_with("CSV"))
    });
    live.until_sees("Nothing processed yet.");
    live.fast();
    live.finish();
    live.until_sees("Finished: total 6 = full recount 6.");
}

#[test]
fn the_merged_view_and_the_run_are_saved_by_the_dialog() {
    let mut live = Live::opened(&sample("clicks"));
    live.fast();
    let digest = live.finish();
    let view = live.directory.path().join("merged.csv");
    live.ctrl(Key::E);
    live.h.get_by_label("Export the merged view");
    live.type_over(&view.display().to_string());
    live.click("Save");
    live.until_sees("Saved ");
    let text = fs::read_to_string(&view).unwrap();
    assert!(text.starts_with("page") && text.contains("home,2024-05-01,"), "{text}");
    let run = live.directory.path().join("run.scenario.json");
    live.ctrl(Key::S);
    live.type_over(&run.display().to_string());
    live.key(Key::Enter);
    live.until("the run is saved", |_| run.exists());
    let again = play(&open_scenario(&run).unwrap(), Driver::Inline, None);
    assert_eq!((again.digest, again.failures), (digest, Vec::new()));
}

#[test]
fn nothing_is_written_into_the_log() {
    let mut live = Live::opened(&sample("clicks"));
    live.ctrl(Key::E);
    live.type_over(&sample("clicks/merged.csv").display().to_string());
    live.click("Save");
    live.until_sees("the log directory is never written to");
    assert!(!sample("clicks/merged.csv").exists());
}

#[test]
fn the_command_line_of_what_is_shown_can_be_copied() {
    let mut live = Live::opened(&sample("clicks"));
    live.menu("Menu", "Copy as command");
    assert!(live.copied()[0].starts_with("rederive batch "), "{:?}", live.copied());
}
