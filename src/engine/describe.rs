//! An open log in words: for the window's summary, for a saved scenario, for a shell.

use std::path::{Path, PathBuf};

use super::{
    kappa::VersionBooks,
    protocol::{Duplicates, HandoverSetup, LogSummary, NoUser, VersionSettings},
    scenario::{Expectations, LogReference, RunSettings, SCENARIO_VERSION, Scenario},
};
use crate::{
    domain::{Anonymous, Lateness, Offsets, StreamOptions, Uniques},
    ingest::{InputFormat, LogDirectory, Mapping, TimeFormat},
    serving::{Boundary, BoundaryRule, SpeedStart},
};

pub(super) fn plain_scenario(log: &Path) -> Scenario {
    let name = log.file_name().map_or_else(|| "log".to_owned(), |name| name.to_string_lossy().into_owned());
    Scenario {
        rederive_scenario: SCENARIO_VERSION,
        name,
        story: None,
        log: LogReference { path: log.display().to_string(), identity: None },
        mapping: None,
        settings: RunSettings::for_log(0),
        commands: Vec::new(),
        faults: Vec::new(),
        pause_at: Vec::new(),
        until_tick: None,
        expect: Expectations::default(),
    }
}

pub(super) fn summary(
    path: &Path,
    is_scenario: bool,
    scenario: &Scenario,
    mapping: &Mapping,
    log: &LogDirectory,
) -> LogSummary {
    LogSummary {
        path: path.to_owned(),
        scenario: is_scenario.then(|| scenario.name.clone()),
        story: scenario.story.clone(),
        partitions: log.partitions().iter().map(|partition| partition.name.clone()).collect(),
        format: mapping.input_format.words().to_owned(),
        mapping: mapping.describe(),
        has_users: mapping.user.is_some(),
        has_values: mapping.value.is_some(),
        zone: mapping.zone.clone(),
        log: PathBuf::from(&scenario.log.path),
        mapping_options: mapping_options(mapping),
        guarantee: scenario.settings.guarantee,
        batch_command: command("batch", &scenario.log.path, mapping).join(" "),
        stream_command: command("stream", &scenario.log.path, mapping).join(" "),
    }
}

/// The command line that merges at a boundary.
pub(super) fn merge_command(
    log: &str,
    mapping: &Mapping,
    boundary: &Boundary,
    setup: &HandoverSetup,
    options: StreamOptions,
) -> String {
    let mut words = command("merge", log, mapping);
    words.extend(["--cut".to_owned(), boundary.cut.to_string()]);
    words.extend(["--position".to_owned(), boundary.position.to_string()]);
    match (&setup.starts, &boundary.start) {
        (Some(_), SpeedStart::At(start)) => words.extend(["--speed-from".to_owned(), start.to_string()]),
        _ if setup.rule == BoundaryRule::default() => {}
        _ => words.extend(["--boundary".to_owned(), setup.rule.id().to_owned()]),
    }
    if options.lateness != Lateness::Unbounded {
        words.extend(["--lateness".to_owned(), options.lateness.to_string()]);
        words.extend(["--idle-after".to_owned(), options.idle_after_records.to_string()]);
    }
    words.join(" ")
}

/// The command line that computes the view of a version, and the settings in force for it. What counts users by sketches is
/// counted exactly by the command.
pub(super) fn version_command(log: &str, mapping: &Mapping, version: &VersionBooks) -> (String, String) {
    let VersionSettings { zone, duplicates, no_user, .. } = version.settings;
    let mut mapping = mapping.clone();
    if let Some(zone) = zone {
        mapping.zone = zone.to_string();
    }
    match duplicates {
        Some(Duplicates::Count) => mapping.id = None,
        Some(Duplicates::Drop) | None => {}
    }
    match no_user {
        Some(NoUser::Count) => mapping.anonymous = Anonymous::Count,
        Some(NoUser::Skip) => mapping.anonymous = Anonymous::Skip,
        None => {}
    }
    let options = version.reading.options;
    let cut = Offsets::start(version.position.as_slice().len());
    let start = SpeedStart::At(cut.clone());
    let boundary = Boundary { cut, start, position: version.position.clone() };
    let command = merge_command(log, &mapping, &boundary, &HandoverSetup::default(), options);
    let settings = format!(
        "{} zone={} lateness={} idle-after={} uniques={}",
        mapping.describe(),
        mapping.zone,
        options.lateness,
        options.idle_after_records,
        match options.uniques {
            Uniques::Set => "set",
            Uniques::Hll => "hll",
        }
    );
    (command, settings)
}

/// A command over a log with every option that decides what its lines mean.
fn command(name: &str, log: &str, mapping: &Mapping) -> Vec<String> {
    let mut words = vec!["rederive".to_owned(), name.to_owned(), quoted(log)];
    for (option, value) in mapping_options(mapping) {
        words.push(format!("--{option}"));
        if option != FILES_ARE_PARTITIONS {
            words.push(quoted(&value));
        }
    }
    words
}

/// The one option without a value on the command line.
const FILES_ARE_PARTITIONS: &str = "files-are-partitions";

/// A mapping as options by their command-line names; those that say the usual are left out.
fn mapping_options(mapping: &Mapping) -> Vec<(String, String)> {
    let mut options = Vec::new();
    let mut option = |name: &str, value: Option<&str>| {
        options.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    };
    let but = |value: &'_ str, default: &str| (value != default).then(|| value.to_owned());
    option(
        "input-format",
        Some(mapping.input_format).filter(|format| !format.is_jsonl()).map(InputFormat::id),
    );
    option("page", Some(&mapping.page));
    option("user", mapping.user.as_deref());
    option("time", Some(&mapping.time));
    // All other formats are seen from the records.
    if let TimeFormat::Pattern(pattern) = &mapping.time_format
        && !mapping.has_usual_time_format()
    {
        option("time-format", Some(pattern));
    }
    option("arrival", mapping.arrival.as_deref());
    option("value", mapping.value.as_deref());
    option("id", mapping.id.as_deref());
    option("offset", mapping.offset.as_deref());
    option("partition", mapping.partition.as_deref());
    option("naive-zone", but(&mapping.naive_zone, "UTC").as_deref());
    option("zone", but(&mapping.zone, "UTC").as_deref());
    option("anonymous", (mapping.anonymous == Anonymous::Count).then_some("count"));
    for condition in &mapping.filters {
        option("where", Some(condition));
    }
    option("page-clean", Some(mapping.page_clean.join(",")).filter(|steps| !steps.is_empty()).as_deref());
    option(FILES_ARE_PARTITIONS, mapping.files_are_partitions.then_some("true"));
    options
}

pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-@:+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// `log` seen from the directory of `file`, where one lies below or beside the other; else as it is.
pub(super) fn relative(log: &str, file: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut up = String::new();
    let mut base = file.parent();
    while let Some(directory) = base {
        if let Ok(rest) = Path::new(log).strip_prefix(directory) {
            let rest = rest.display().to_string();
            let rest = if rest.is_empty() { ".".to_owned() } else { rest };
            return format!("{up}{rest}");
        }
        up.push_str("../");
        base = directory.parent();
    }
    log.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_scenario_file() {
        assert_eq!(relative("/a/b/log", Path::new("/a/b/s.json")), "log");
        assert_eq!(relative("/a/b/log", Path::new("/a/c/s.json")), "../b/log");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
