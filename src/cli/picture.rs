//! `rederive picture`: the window, drawn without a display by whoever can draw it.

use std::{path::Path, process::ExitCode};

use super::{
    CliError,
    args::PictureArgs,
    output::{self, Target},
};
use crate::{engine::runs::read_scenario, ingest::LogDirectory};

/// Draws the window as the bytes of a PNG file, or says why not.
pub type Draw = fn(&PictureArgs) -> Result<Vec<u8>, String>;

pub(super) fn run(args: &PictureArgs, draw: Draw) -> Result<ExitCode, CliError> {
    if args.against.len() > 2 {
        return Err(CliError::Usage("--against can be given twice at most".to_owned()));
    }
    let log = log_of(&args.path);
    let target = Target::of("--out", &args.out, None, log.as_ref())?;
    let png = draw(args).map_err(CliError::Usage)?;
    target.write(&png)?;
    output::note(&format!("wrote {}", args.out.display()));
    Ok(ExitCode::SUCCESS)
}

/// The log that is drawn, which is never written into: the path itself, or what the scenario there names. What cannot
/// be read is told by whoever draws it.
fn log_of(path: &Path) -> Option<LogDirectory> {
    let named = read_scenario(path).map(|scenario| scenario.log_path(path));
    LogDirectory::open(named.as_deref().unwrap_or(path), false).ok()
}
