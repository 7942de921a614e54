//! `rederive picture`: the window, drawn without a display by whoever can draw it.

use std::process::ExitCode;

use super::{
    CliError,
    args::PictureArgs,
    output::{self, Target},
};
use crate::ingest::LogDirectory;

/// Draws the window as the bytes of a PNG file, or says why not.
pub type Draw = fn(&PictureArgs) -> Result<Vec<u8>, String>;

pub(super) fn run(args: &PictureArgs, draw: Draw) -> Result<ExitCode, CliError> {
    // A scenario names its log only once it is read; a log is known now.
    let log = LogDirectory::open(&args.path, false).ok().filter(|_| args.path.is_dir());
    let target = Target::of("--out", &args.out, None, log.as_ref())?;
    let png = draw(args).map_err(CliError::Usage)?;
    target.write(&png)?;
    output::note(&format!("wrote {}", args.out.display()));
    Ok(ExitCode::SUCCESS)
}
