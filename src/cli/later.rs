//! Commands that the contract names and this version does not do.

use std::process::ExitCode;

use super::CliError;

pub(super) fn run(command: &str) -> Result<ExitCode, CliError> {
    Err(CliError::NotYet(format!("rederive {command}")))
}
