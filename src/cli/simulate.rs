//! `rederive simulate`.

use std::process::ExitCode;

use super::{CliError, args::SimulateArgs};

pub(super) fn run(_args: &SimulateArgs) -> Result<ExitCode, CliError> {
    Err(CliError::NotYet("rederive simulate".to_owned()))
}
