//! L5: the headless commands, from the same engine as the window.
//!
//! One module a command; [`args`] says what can be given, `output` is the only place that writes results and
//! messages. Results go to standard output or `--out`, everything else to standard error.
//!
//! Absent on purpose: egui, clocks, and any arithmetic on views that the engine could do.
//!
//! Exit codes: 0 done or holds, 1 a comparison failed, 2 bad usage, bad input or an I/O error (one clear line),
//! 42 a requested crash, 130 and 143 after SIGINT and SIGTERM (a checkpoint is written first).

pub mod args;
mod batch;
mod check;
mod checkpoints;
mod error;
mod fold;
mod input;
mod later;
mod merge;
pub mod no_window;
mod output;
mod picture;
mod reconcile;
mod report;
pub mod samples;
mod signals;
mod simulate;
pub mod story;
mod stream;
mod view;

use std::{ffi::OsString, path::Path, process::ExitCode};

use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

use args::{Cli, Command};
pub use error::CliError;
pub use picture::Draw;

const FAILED: u8 = 2;

/// What only a build with the window can do.
#[derive(Debug, Clone, Copy)]
pub struct Desk {
    /// Opens the window over a path, or over the shipped sample.
    pub window: fn(Option<&Path>) -> ExitCode,
    /// Draws it without a display.
    pub picture: Draw,
}

/// Runs what the arguments ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>, desk: Desk) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return answer(&error, arguments.get(1)),
    };
    let Some(command) = cli.command else { return (desk.window)(cli.path.as_deref()) };
    match dispatch(&command, desk) {
        Ok(code) => code,
        Err(error) => refuse(&error.to_string()),
    }
}

/// A line on standard error.
pub fn say(text: &str) {
    output::note(text);
}

/// Text on standard output; a closed pipe is no error.
pub fn tell(text: &str) -> Result<(), CliError> {
    output::print(text.as_bytes())
}

/// Says in one line on standard error why nothing can be done; exit code 2.
pub fn refuse(text: &str) -> ExitCode {
    output::note(&format!("error: {}", one_line(text)));
    ExitCode::from(FAILED)
}

fn dispatch(command: &Command, desk: Desk) -> Result<ExitCode, CliError> {
    match command {
        Command::Batch(args) => batch::run(args),
        Command::Stream(args) => stream::run(args),
        Command::View(args) => view::run(args),
        Command::Checkpoints(args) => checkpoints::run(args),
        Command::Check(args) => check::run(args),
        Command::Picture(args) => picture::run(args, desk.picture),
        Command::Matrix(_) => later::run("matrix"),
        Command::Reconcile(args) => reconcile::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Generate(_) => later::run("generate"),
    }
}

/// Help and version on standard output; a usage error as one line.
fn answer(error: &clap::Error, first: Option<&OsString>) -> ExitCode {
    let text = error.render().to_string();
    // What follows the first blank line is the usage and a hint at --help.
    let what = text.split("\n\n").next().unwrap_or_default();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match output::print(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error.to_string()),
        },
        // Something that is no command was taken for a path, and more follows.
        ErrorKind::ArgumentConflict | ErrorKind::UnknownArgument
            if is_no_command(first) && !what.contains("'-") =>
        {
            let first = first.and_then(|first| first.to_str()).unwrap_or_default();
            refuse(&format!("no such command, and the window takes one argument only: {first:?}"))
        }
        _ => refuse(what.strip_prefix("error: ").unwrap_or(what)),
    }
}

fn is_no_command(first: Option<&OsString>) -> bool {
    first.and_then(|first| first.to_str()).is_some_and(|first| {
        !first.starts_with('-') && Cli::command().find_subcommand(first).is_none() && first != "help"
    })
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
