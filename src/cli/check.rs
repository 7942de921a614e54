//! `rederive check`: plays a scenario and holds it to its expectations.

use std::process::ExitCode;

use super::{
    CliError,
    args::{CheckArgs, DriverKind},
    output::{self, Target},
};
use crate::engine::{
    driver::Driver,
    play::{open_scenario, play},
};

pub(super) fn run(args: &CheckArgs) -> Result<ExitCode, CliError> {
    let target = args.journal.as_ref().map(|path| Target::of("--journal", path, None, None)).transpose()?;
    let open = open_scenario(&args.scenario)?;
    if let Some(path) = &args.journal {
        output::refuse_inside("--journal", path, Some(&open.log))?;
    }
    if let Some(words) = open.log_has_more() {
        output::note(&words);
    }
    let driver = match args.driver {
        DriverKind::Inline => Driver::Inline,
        DriverKind::Threads => Driver::Threads,
    };
    let played = play(&open, driver, None);
    if let Some(target) = target {
        target.write(played.journal.as_bytes())?;
    }
    for failure in &played.failures {
        output::note(&format!("does not hold: {failure}"));
    }
    output::print(format!("digest {}\n", played.digest).as_bytes())?;
    Ok(if played.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
