//! `rederive check`.

use std::process::ExitCode;

use super::{CliError, args::CheckArgs};

pub(super) fn run(_args: &CheckArgs) -> Result<ExitCode, CliError> {
    Err(CliError::NotYet("rederive check".to_owned()))
}
