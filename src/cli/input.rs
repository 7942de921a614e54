//! A log with its mapping, and what is said about them on standard error.

use std::path::Path;

use super::{
    CliError,
    args::MappingArgs,
    output::{self, refuse_inside},
};
use crate::ingest::{Guesses, Issue, LogDirectory, Mapping};

/// So many of a list are said; the rest is counted.
pub(super) const MOST_SAID: usize = 5;

/// An open log.
#[derive(Debug)]
pub(super) struct Input {
    pub log: LogDirectory,
    pub mapping: Mapping,
    guesses: Guesses,
}

impl Input {
    pub fn open(path: &Path, mapping: &MappingArgs) -> Result<Input, CliError> {
        let options = mapping.options()?;
        let log = LogDirectory::open(path, options.files_are_partitions)?;
        let (mapping, guesses) = Mapping::resolve(&options, &log)?;
        Ok(Input { log, mapping, guesses })
    }

    /// Refuses a path of ours that is the log or lies in it.
    pub fn refuse_inside(&self, option: &str, path: &Path) -> Result<(), CliError> {
        refuse_inside(option, path, Some(&self.log))
    }

    /// Says what was guessed and what is not read.
    pub fn say(&self) {
        let guessed = self.guesses.guessed.join(", ");
        let guessed = if guessed.is_empty() { guessed } else { format!("; guessed {guessed}") };
        output::note(&format!("mapping: {}{guessed}", self.mapping.describe()));
        let (notes, ignored) = (&self.guesses.notes, self.log.ignored());
        say_some("note", notes, notes.len() as u64);
        say_some("ignored", ignored, ignored.len() as u64);
    }
}

/// Says the first few of a list, and how many more there are in all.
pub(super) fn say_some(what: &str, list: &[String], total: u64) {
    for line in list.iter().take(MOST_SAID) {
        output::note(&format!("{what}: {line}"));
    }
    say_rest(what, total);
}

/// Says the first few malformed records.
pub(super) fn say_issues(listed: &[Issue], total: u64) {
    for issue in listed.iter().take(MOST_SAID) {
        output::note(&format!("malformed: {}:{}: {}", issue.file, issue.line, issue.reason));
    }
    say_rest("malformed", total);
}

fn say_rest(what: &str, total: u64) {
    let rest = total.saturating_sub(MOST_SAID as u64);
    if rest > 0 {
        output::note(&format!("{what}: and {rest} more"));
    }
}
