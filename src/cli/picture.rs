//! `rederive picture`.

use std::process::ExitCode;

use super::{CliError, args::PictureArgs};

pub(super) fn run(_args: &PictureArgs) -> Result<ExitCode, CliError> {
    Err(CliError::NotYet("rederive picture".to_owned()))
}
