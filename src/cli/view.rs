//! `rederive view`: what the sink in a checkpoint directory serves. Also how any view is written.

use std::{io, path::Path, process::ExitCode};

use super::{
    CliError,
    args::{OutputArgs, ViewArgs},
    output::{self, Target},
};
use crate::engine::export::{Format, TableRow, render};
use crate::{
    checkpoint::{
        DELIVERIES_FILE, Disk as _, RealDisk, SINK_FILE, Sink, SinkPosition, SinkSums, decode_checkpoint,
        list_checkpoints,
    },
    ingest::LogDirectory,
};

/// Name of a JSON view that is written into a directory: the textbook's.
const SUMMARY_FILE: &str = "page_view_summary.json";

/// Where a view goes, checked before the work starts.
#[derive(Debug)]
pub(super) struct ViewTarget {
    format: Format,
    target: Target,
}

impl ViewTarget {
    pub fn of(args: &OutputArgs, log: Option<&LogDirectory>) -> Result<ViewTarget, CliError> {
        let Some(out) = &args.out else {
            return Ok(ViewTarget { format: args.format.unwrap_or(Format::Csv), target: Target::Stdout });
        };
        let is_json = out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let format = args.format.unwrap_or(if is_json { Format::Json } else { Format::Csv });
        let name = (format == Format::Json).then_some(SUMMARY_FILE);
        Ok(ViewTarget { format, target: Target::of("--out", out, name, log)? })
    }

    /// Refuses a report into the view's own file.
    pub fn refuse_same(&self, report: Option<&Target>) -> Result<(), CliError> {
        match report {
            Some(report) if self.target.is_same_file(report) => {
                Err(CliError::Usage("--out and --report name the same file".to_owned()))
            }
            _ => Ok(()),
        }
    }

    pub fn write(&self, rows: &[TableRow<'_>], sums: SinkSums) -> Result<(), CliError> {
        self.target.write(render(rows, self.format, sums).as_bytes())
    }
}

pub(super) fn run(args: &ViewArgs) -> Result<ExitCode, CliError> {
    let target = ViewTarget::of(&args.output, None)?;
    let disk = open(&args.directory)?;
    // First what was promised, then what is there: a writer may be at work meanwhile.
    let promised = promised(&disk).map_err(|cause| CliError::io("read", &args.directory, cause))?;
    let sink = Sink::open(&disk).map_err(|cause| CliError::io("read the sink in", &args.directory, cause))?;
    if !sink.contains(promised) {
        let what = "the sink lost rows that a checkpoint says it has; `rederive stream` writes it anew";
        return Err(CliError::path(what, args.directory.join(SINK_FILE)));
    }
    let rows = sink.rows();
    let rows: Vec<TableRow<'_>> = rows.iter().map(TableRow::from).collect();
    if sink.dropped_bytes() > 0 {
        let dropped = sink.dropped_bytes();
        output::note(&format!("note: {dropped} torn or damaged bytes at the end of {SINK_FILE:?} left out"));
    }
    output::note(&format!(
        "sink: {} rows after {} records; fingerprint {}",
        rows.len(),
        sink.records(),
        sink.fingerprint()
    ));
    target.write(&rows, sink.sums())?;
    Ok(ExitCode::SUCCESS)
}

/// How far the sink has come according to the newest checkpoint that can be read; the start without one.
fn promised(disk: &RealDisk) -> io::Result<SinkPosition> {
    for file in list_checkpoints(disk)? {
        if let Some(checkpoint) = disk.read(&file.name)?.and_then(|bytes| decode_checkpoint(&bytes).ok()) {
            return Ok(checkpoint.stamp.sink);
        }
    }
    Ok(SinkPosition::default())
}

/// Opens a directory to look at. One without any file of ours is no checkpoint directory.
pub(super) fn open(directory: &Path) -> Result<RealDisk, CliError> {
    let disk = RealDisk::open_read_only(directory).map_err(CliError::Directory)?;
    let listed = disk.list().map_err(|cause| CliError::io("list", directory, cause))?;
    let checkpoints = list_checkpoints(&disk).map_err(|cause| CliError::io("list", directory, cause))?;
    let is_ours = listed.iter().any(|(name, _)| matches!(name.as_str(), SINK_FILE | DELIVERIES_FILE));
    if !is_ours && checkpoints.is_empty() {
        return Err(CliError::path("no checkpoint directory", directory));
    }
    Ok(disk)
}
