//! The house rules of `src/lib.rs`, read from the sources: imports point down, and files, threads, the clock, JSON, egui and
//! colours stay in their rooms. Every rule is a test of its own; the tests named `sees_*` show that each can fail.
//!
//! Sources are cut into tokens first, so comments, doc links and string literals never count.
#[path = "architecture/source.rs"]
mod source;

use std::fmt::Write as _;

use source::{Source, Token, attribute_at, paths, sources};

/// A line and what is wrong there.
type Finding = (usize, String);

// Rules

#[test]
fn imports_point_down() {
    hold("imports point down the layers of src/lib.rs", imports_that_point_up);
}

#[test]
fn egui_stays_in_the_window() {
    hold("egui, eframe, egui_plot, egui_extras and rfd appear only in ui/ and main.rs", egui_outside);
}

#[test]
fn json_stays_out_of_the_core() {
    hold("serde_json stays out of domain, processing, checkpoint and serving", json_in_the_core);
}

#[test]
fn files_are_touched_in_few_places() {
    hold("files are touched only in the places listed in FILE_PLACES", files_outside);
}

#[test]
fn logs_are_only_read() {
    hold("nothing in ingest/ writes, creates, renames or removes a file", writes_in_ingest);
}

#[test]
fn threads_start_in_few_places() {
    hold(
        "threads start only in the places listed in THREAD_PLACES, by a Builder or a scope",
        threads_outside,
    );
}

#[test]
fn the_clock_is_read_in_one_file() {
    hold("wall time is read only in engine/clock.rs", clocks_outside);
}

#[test]
fn colours_are_tokens() {
    hold("colours are named in ui/theme.rs (ui/picture.rs may compute pixels)", colours_outside);
}

#[test]
fn files_are_short() {
    hold("a file has at most 500 lines, main.rs fewer than 100", too_long);
}

#[test]
fn nothing_is_left_undone() {
    let mut all = sources("src");
    all.extend(sources("tests"));
    report("no todo!, no unimplemented!, no ignored test", &all, undone);
}

// The checks

const ROOMS: [&str; 9] =
    ["domain", "ingest", "processing", "checkpoint", "serving", "analysis", "engine", "app", "ui"];

const FILE_PLACES: [&str; 13] = [
    "ingest/directory.rs",
    // Views of other systems are files too.
    "ingest/foreign/read.rs",
    "ingest/source.rs",
    "ingest/identity.rs",
    "ingest/lines.rs",
    "ingest/index.rs",
    "ingest/parallel.rs",
    "checkpoint/disk",
    "engine/journal.rs",
    "engine/runs.rs",
    "app/settings.rs",
    "ui/picture.rs",
    "cli/",
];

const THREAD_PLACES: [&str; 6] = [
    "engine/answerer.rs",
    "engine/driver.rs",
    "engine/handle.rs",
    "ingest/index.rs",
    "ingest/parallel.rs",
    "ui/dialog.rs",
];

/// Whether code in the room `from` may name `crate::` + `path`.
fn may_import(from: &str, path: &[&str]) -> bool {
    let (Some(&to), part) = (path.first(), path.get(1).copied().unwrap_or("self")) else { return false };
    let is_id = matches!(part, "CrashPoint" | "GuaranteeId" | "guarantee_id");
    let is_identity = part == "identity" || part.contains("Identity");
    to == from
        || match from {
            "ingest" | "processing" => to == "domain",
            "checkpoint" => matches!(to, "domain" | "processing") || (to == "ingest" && is_identity),
            "serving" => matches!(to, "domain" | "processing"),
            "analysis" => matches!(to, "domain" | "ingest" | "processing" | "serving"),
            "engine" => ROOMS.contains(&to) && !matches!(to, "app" | "ui"),
            "app" => match to {
                "domain" => true,
                "engine" => matches!(part, "protocol" | "frame"),
                "checkpoint" => is_id,
                _ => false,
            },
            "ui" => matches!(to, "app" | "engine" | "domain") || (to == "checkpoint" && is_id),
            // The story without a window is told in the window's own sentences.
            "cli" => ROOMS.contains(&to) && to != "ui",
            _ => false,
        }
}

fn imports_that_point_up(source: &Source) -> Vec<Finding> {
    let Some((room, _)) = source.file.split_once('/') else {
        return match source.file.as_str() {
            "main.rs" | "lib.rs" => Vec::new(),
            _ => vec![(1, "a file beside the rooms".to_owned())],
        };
    };
    let mut found = Vec::new();
    for (path, line) in paths(source, &source.tokens, &["crate", "super"]) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if !may_import(room, &path) {
            found.push((line, format!("{room} names crate::{}", path.join("::"))));
        }
    }
    found
}

fn egui_outside(source: &Source) -> Vec<Finding> {
    if source.is_in(&["ui/", "main.rs"]) {
        return Vec::new();
    }
    words(&source.tokens, &["egui", "eframe", "egui_plot", "egui_extras", "rfd"])
}

fn json_in_the_core(source: &Source) -> Vec<Finding> {
    if source.is_in(&["domain/", "processing/", "checkpoint/", "serving/"]) {
        return words(&source.tokens, &["serde_json"]);
    }
    Vec::new()
}

fn files_outside(source: &Source) -> Vec<Finding> {
    if source.is_in(&FILE_PLACES) {
        return Vec::new();
    }
    let code = source.production.as_slice();
    let mut found = std_paths(source, |path| path.starts_with(&["fs"]));
    for run in ["File ::", "OpenOptions ::", "fs ::"] {
        found.extend(runs(code, run));
    }
    found
}

fn writes_in_ingest(source: &Source) -> Vec<Finding> {
    if !source.is_in(&["ingest/"]) {
        return Vec::new();
    }
    let code = source.production.as_slice();
    let mut found = words(
        code,
        &[
            "create_dir",
            "create_dir_all",
            "remove_file",
            "remove_dir",
            "remove_dir_all",
            "hard_link",
            "set_len",
        ],
    );
    for run in
        ["File :: create", "fs :: write", "fs :: rename", "fs :: copy", ". write ( true", ". append ( true"]
    {
        found.extend(runs(code, run));
    }
    found
}

fn threads_outside(source: &Source) -> Vec<Finding> {
    let code = source.production.as_slice();
    let mut found = runs(code, "thread :: spawn");
    if !source.is_in(&THREAD_PLACES) {
        found.extend(std_paths(source, |path| {
            matches!(path, ["thread", "Builder" | "scope" | "spawn" | "*", ..])
        }));
        found.extend(runs(code, "thread :: Builder"));
        found.extend(runs(code, "thread :: scope"));
    }
    found
}

fn clocks_outside(source: &Source) -> Vec<Finding> {
    if source.is_in(&["engine/clock.rs"]) {
        return Vec::new();
    }
    let mut found = words(&source.tokens, &["Instant", "SystemTime"]);
    for run in ["Timestamp :: now", "Zoned :: now"] {
        found.extend(runs(&source.tokens, run));
    }
    found
}

fn colours_outside(source: &Source) -> Vec<Finding> {
    if source.is_in(&["ui/theme.rs"]) {
        return Vec::new();
    }
    let mut found = words(&source.production, &["hex_color"]);
    for (at, token) in source.production.iter().enumerate() {
        let next = |n: usize| source.production.get(at + n).map_or("", |token| token.text.as_str());
        if !matches!(token.text.as_str(), "Color32" | "Rgba" | "Hsva") || next(1) != "::" {
            continue;
        }
        let is_literal = next(4).starts_with(|c: char| c.is_ascii_digit() || c == '"');
        let is_constructor =
            next(2).starts_with("from_") && (is_literal || !source.is_in(&["ui/picture.rs"]));
        let is_constant = next(2).chars().all(|c| c.is_ascii_uppercase() || c == '_')
            && !matches!(next(2), "TRANSPARENT" | "PLACEHOLDER" | "");
        if is_constructor || is_constant {
            found.push((token.line, format!("{}::{}", token.text, next(2))));
        }
    }
    found
}

fn too_long(source: &Source) -> Vec<Finding> {
    let most = if source.file == "main.rs" { 99 } else { 500 };
    if source.lines > most { vec![(source.lines, format!("{} lines", source.lines))] } else { Vec::new() }
}

fn undone(source: &Source) -> Vec<Finding> {
    let mut found = runs(&source.tokens, "todo !");
    found.extend(runs(&source.tokens, "unimplemented !"));
    for (at, token) in source.tokens.iter().enumerate().filter(|(_, token)| token.text == "#") {
        let attribute = attribute_at(&source.tokens, at);
        let first = attribute.first().map_or("", |token| token.text.as_str());
        if first == "ignore" || (first == "cfg_attr" && attribute.iter().any(|token| token.text == "ignore"))
        {
            found.push((token.line, "#[ignore]".to_owned()));
        }
    }
    found
}

// The search

fn hold(rule: &str, check: impl Fn(&Source) -> Vec<Finding>) {
    let all = sources("src");
    for file in ["lib.rs", "main.rs", "domain/event.rs"] {
        assert!(all.iter().any(|source| source.file == file), "src/{file} was not read");
    }
    report(rule, &all, check);
}

fn report(rule: &str, all: &[Source], check: impl Fn(&Source) -> Vec<Finding>) {
    let mut text = String::new();
    for source in all {
        for (line, what) in check(source) {
            let _ = write!(text, "\n  {}:{line}: {what}", source.file);
        }
    }
    assert!(text.is_empty(), "rule: {rule}{text}");
}

fn words(tokens: &[Token], names: &[&str]) -> Vec<Finding> {
    let hits = tokens.iter().filter(|token| names.contains(&token.text.as_str()));
    hits.map(|token| (token.line, token.text.clone())).collect()
}

/// Where the tokens of `run`, divided by spaces, follow each other.
fn runs(tokens: &[Token], run: &str) -> Vec<Finding> {
    let run: Vec<&str> = run.split(' ').collect();
    let hits =
        tokens.windows(run.len()).filter(|window| window.iter().map(|t| t.text.as_str()).eq(run.clone()));
    hits.filter_map(|window| window.first()).map(|token| (token.line, run.concat())).collect()
}

fn std_paths(source: &Source, is_banned: impl Fn(&[&str]) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, line) in paths(source, &source.production, &["std"]) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if is_banned(&path) {
            found.push((line, format!("std::{}", path.join("::"))));
        }
    }
    found
}

// The rules can fail

/// Runs a check on small sources: each is a file, its text and the lines that must be found.
fn sees(check: impl Fn(&Source) -> Vec<Finding>, cases: &[(&str, &str, &[usize])]) {
    for (file, text, expected) in cases {
        let mut lines: Vec<usize> = check(&Source::new(file, text)).iter().map(|(line, _)| *line).collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines, *expected, "in {file}:\n{text}");
    }
}

#[test]
fn sees_imports_that_point_up() {
    let cases: &[(&str, &str, &[usize])] = &[
        ("domain/view.rs", "use crate::domain::Day;\nuse crate::ingest::Log;", &[2]),
        ("domain/view.rs", "/// [`crate::ui::Bar`]\n// crate::ui\nfn f() { g(\"crate::ui::Bar\"); }", &[]),
        ("domain/view.rs", "pub(crate) fn f() {}\npub(in crate::domain) fn g() {}", &[]),
        ("domain/view.rs", "fn f() {\n    crate::engine::worker::start();\n}", &[2]),
        ("domain/view.rs", "use crate::{\n    domain::Day,\n    serving::{lambda, kappa::V},\n};", &[3]),
        ("domain/view.rs", "use crate as all;\nuse crate::*;", &[1, 2]),
        ("domain/view.rs", "use super::super::ui::Bar;\nuse super::Day;", &[1]),
        (
            "domain/view.rs",
            "mod tests {\n    use super::super::Day;\n    use super::super::super::cli::X;\n}",
            &[3],
        ),
        ("domain/mod.rs", "use super::ingest::Log;", &[1]),
        ("ingest/index.rs", "use crate::domain::Day;\nuse crate::processing::Stream;", &[2]),
        ("checkpoint/snapshot.rs", "use crate::{ingest::LogIdentity, processing::State};", &[]),
        ("checkpoint/snapshot.rs", "use crate::ingest::identity::Chain;\nuse crate::ingest::LogIndex;", &[2]),
        ("serving/lambda.rs", "use crate::processing::State;\nuse crate::checkpoint::Disk;", &[2]),
        ("analysis/lineage.rs", "use crate::serving::Lambda;\nuse crate::engine::Fact;", &[2]),
        (
            "engine/worker.rs",
            "use crate::{analysis::A, checkpoint::Disk, serving::L};\nuse crate::app::S;",
            &[2],
        ),
        ("app/state.rs", "use crate::engine::{frame::Frame, protocol::Fact, driver::Driver};", &[1]),
        ("app/state.rs", "use crate::engine::{frame::Frame, protocol::{Fact, Tick}};", &[]),
        (
            "app/state.rs",
            "use crate::engine;\nuse crate::engine::protocol::*;\nuse crate::engine as e;",
            &[1, 3],
        ),
        (
            "app/state.rs",
            "use crate::checkpoint::{CrashPoint, GuaranteeId};\nuse crate::checkpoint::Disk;",
            &[2],
        ),
        ("app/state.rs", "use crate::checkpoint::*;\nuse crate::ui::Bar;", &[1, 2]),
        (
            "ui/bar.rs",
            "use crate::{app::State, engine::driver::D, domain::Day};\nuse crate::ingest::Log;",
            &[2],
        ),
        ("cli/batch.rs", "use crate::{engine::driver::D, app::State};\nuse crate::ui::Window;", &[2]),
        ("stray.rs", "", &[1]),
        ("main.rs", "use rederive::ui;", &[]),
    ];
    sees(imports_that_point_up, cases);
}

#[test]
fn sees_egui_and_json_outside() {
    sees(
        egui_outside,
        &[
            ("app/state.rs", "// egui\nuse egui::Key;\nuse { rfd::X };", &[2, 3]),
            ("ui/bar.rs", "use egui::Ui;", &[]),
            ("main.rs", "fn main() { eframe::run_native(); }", &[]),
        ],
    );
    sees(
        json_in_the_core,
        &[
            ("checkpoint/sink.rs", "//! No `serde_json`.\nlet v = serde_json::to_vec(&x);", &[2]),
            ("ingest/format.rs", "use serde_json::Value;", &[]),
        ],
    );
}

#[test]
fn sees_files_touched_elsewhere() {
    let hidden =
        "fn f() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    use std::fs;\n}\nuse std::{io, fs::read};";
    sees(
        files_outside,
        &[
            ("engine/worker.rs", "use std::{\n    fmt,\n    fs,\n};\nlet f = File::open(p);", &[3, 5]),
            ("engine/worker.rs", "std::fs::read(p);\nuse ::std::fs;\nself.fs.read();", &[1, 2]),
            ("engine/worker.rs", hidden, &[7]),
            ("engine/worker.rs", "#[cfg(not(test))]\nmod real {\n    use std::fs;\n}", &[3]),
            ("engine/worker/tests.rs", "use std::fs;", &[]),
            ("checkpoint/disk.rs", "use std::fs;", &[]),
            ("checkpoint/disk_real.rs", "use std::fs;", &[]),
            ("cli/out.rs", "use std::fs;", &[]),
        ],
    );
    sees(
        writes_in_ingest,
        &[
            ("ingest/source.rs", "File::open(p);\nFile::create(p);\nfs::remove_file(p);", &[2, 3]),
            ("ingest/source.rs", "OpenOptions::new()\n    .read(true)\n    .write(true);", &[3]),
            ("engine/journal.rs", "File::create(p);", &[]),
        ],
    );
}

#[test]
fn sees_threads_and_clocks_elsewhere() {
    sees(
        threads_outside,
        &[
            ("app/update.rs", "use std::thread;\nthread::Builder::new();\nthread::scope(|s| {});", &[2, 3]),
            ("app/update.rs", "use std::{thread::{self, Builder}};\nthread::sleep(d);", &[1]),
            ("app/update.rs", "#[cfg(test)]\nmod tests { fn f() { std::thread::scope(|s| {}); } }", &[]),
            ("engine/driver.rs", "thread::Builder::new();\nthread::spawn(f);", &[2]),
        ],
    );
    sees(
        clocks_outside,
        &[
            (
                "engine/worker.rs",
                "/* Instant */\nuse std::time::{Duration, Instant};\nTimestamp::now();",
                &[2, 3],
            ),
            ("engine/clock.rs", "use std::time::Instant;", &[]),
        ],
    );
}

#[test]
fn sees_colours_outside_the_theme() {
    sees(
        colours_outside,
        &[
            ("ui/bar.rs", "Color32::from_rgb(1, 2, 3);\nColor32::RED;\nColor32::TRANSPARENT;", &[1, 2]),
            ("ui/bar.rs", "fn f(c: Color32) -> Color32 { c }\negui::hex_color!(\"#fff\");", &[2]),
            ("ui/picture.rs", "Color32::from_rgb(r, g, b);\nColor32::from_gray(7);", &[2]),
            ("ui/theme.rs", "Color32::from_rgb(1, 2, 3);", &[]),
        ],
    );
}

#[test]
fn sees_long_and_undone_files() {
    let (long, longer) = ("\n".repeat(500), "\n".repeat(501));
    let cases: &[(&str, &str, &[usize])] =
        &[("domain/view.rs", &long, &[]), ("domain/view.rs", &longer, &[501]), ("main.rs", &long, &[500])];
    sees(too_long, cases);
    sees(
        undone,
        &[
            ("a.rs", "todo!();\n\"todo!()\";\nlet todo = 1;\nunimplemented!(\"x\");", &[1, 4]),
            (
                "a.rs",
                "#[test]\n#[ignore = \"slow\"]\nfn f() {}\n#[cfg_attr(windows, ignore)]\nfn g() {}",
                &[2, 4],
            ),
            ("a.rs", "fn ignore() {}\n#[rustfmt::skip]\nlet ignore = [1];", &[]),
        ],
    );
}

#[test]
fn sees_past_strings_and_comments() {
    let text = "let a = '\"'; let b = b'\\''; fn f<'a>(x: &'a str) {}\n\
                let c = r#\"egui \" egui\"#; let d = \"\\\" egui\"; /* egui /* egui */ egui */\n\
                let e = \"egui\negui\"; egui::f();";
    sees(egui_outside, &[("app/state.rs", text, &[4])]);
}
