//! `rederive checkpoints`: lists and verifies, without a log: what only a log can contradict is not checked here.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use super::{CliError, args::CheckpointsArgs, output, view};
use crate::checkpoint::{
    CheckpointFile, Disk as _, Expected, RealDisk, decode_checkpoint, inspect_one, list_checkpoints,
};

const REFUSED: u8 = 1;

struct Listed {
    id: u64,
    position: String,
    bytes: u64,
    status: Result<(), String>,
}

pub(super) fn run(args: &CheckpointsArgs) -> Result<ExitCode, CliError> {
    let failed = |cause| CliError::io("list", &args.directory, cause);
    let disk = view::open(&args.directory)?;
    let mut listed = Vec::new();
    for file in list_checkpoints(&disk).map_err(failed)? {
        listed.extend(look(&disk, &args.directory, &file)?);
    }
    output::print(table(&listed).as_bytes())?;
    let refused = listed.iter().filter(|one| one.status.is_err()).count();
    output::note(&format!("{} checkpoints, {refused} would be refused", listed.len()));
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

/// `None` when a writer has removed it meanwhile.
fn look(disk: &RealDisk, directory: &Path, file: &CheckpointFile) -> Result<Option<Listed>, CliError> {
    let read = disk.read(&file.name);
    let read = read.map_err(|cause| CliError::io("read", directory.join(&file.name), cause))?;
    let Some(bytes) = read else { return Ok(None) };
    let checkpoint = decode_checkpoint(&bytes);
    let position = match &checkpoint {
        Ok(checkpoint) if checkpoint.stamp.positions.is_none() => "-1".to_owned(),
        Ok(checkpoint) => checkpoint.state.position.total().to_string(),
        Err(_) => "?".to_owned(),
    };
    let status = checkpoint.map_err(|error| error.to_string()).and_then(|checkpoint| {
        // Against its own settings: which ones a run will have is not known here.
        let stamp = checkpoint.stamp;
        let expected = Expected { settings_hash: stamp.settings_hash, guarantee: stamp.guarantee };
        inspect_one(&bytes, &expected, &mut |_| Ok(())).map(drop)
    });
    Ok(Some(Listed { id: file.id, position, bytes: file.bytes, status }))
}

fn table(listed: &[Listed]) -> String {
    let mut text = format!("{:>12}  {:>12}  {:>12}  status\n", "id", "position", "bytes");
    for one in listed {
        let status = match &one.status {
            Ok(()) => "ok",
            Err(reason) => reason,
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{:>12}  {:>12}  {:>12}  {status}", one.id, one.position, one.bytes);
    }
    text
}
