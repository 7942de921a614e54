//! What can be given on the command line. Doc comments are the texts of `--help`.

mod mapping;
mod values;

use std::{ops::Range, path::PathBuf, sync::LazyLock};

use clap::{Args, Parser, Subcommand, value_parser};

use crate::engine::export::Format;
use crate::{
    app::PanelId,
    checkpoint::{FORMAT_VERSION, GuaranteeId},
    domain::{IDLE_AFTER_RECORDS, Lateness, StreamOptions, Uniques},
    engine::{journal::JOURNAL_VERSION, scenario::SCENARIO_VERSION},
    ingest::CutText,
};
pub use mapping::MappingArgs;
pub use values::{BoundaryKind, CrashAt, DriverKind, MergeUniques, ReconcileFormat, Size, Theme};
use values::{
    panel_ids, parse_crash, parse_guarantee, parse_lateness, parse_seeds, parse_size, parse_uniques,
};

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let program = env!("CARGO_PKG_VERSION");
    format!(
        "{program}\ncheckpoint format {FORMAT_VERSION}\nscenario format {SCENARIO_VERSION}\njournal format {JOURNAL_VERSION}"
    )
});

/// See derived data happen: batch, speed and merged views of an immutable log, with crashes, checkpoints and replay
#[derive(Debug, Parser)]
#[command(
    name = "rederive",
    version = VERSION.as_str(),
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  rederive                      the window with the shipped sample\n  rederive my-log/              the window with a log\n  rederive batch my-log/        daily page views of a log, without a window"
)]
pub struct Cli {
    /// What to do; without a command the window opens
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Log directory, log file or scenario to open in the window [default: the shipped sample]
    #[arg(value_name = "LOG|SCENARIO.json")]
    pub path: Option<PathBuf>,
}

/// The headless commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fold a log anew up to a cut and print the view
    Batch(BatchArgs),
    /// Process a log record by record with checkpoints, going on where the last run stopped
    Stream(Box<StreamArgs>),
    /// Print what the sink in a checkpoint directory serves
    View(ViewArgs),
    /// List and verify checkpoints, and say why one would be refused
    Checkpoints(CheckpointsArgs),
    /// Play a scenario; exit 1 when an expectation fails
    Check(CheckArgs),
    /// Draw the window without a display
    Picture(PictureArgs),
    /// Crash a small run at every point under every guarantee
    Matrix(MatrixArgs),
    /// Merge a batch view and a speed view at a boundary
    Merge(MergeArgs),
    /// Compare the views of two sources and name the causes of the differences
    Reconcile(ReconcileArgs),
    /// Run random fault plans and check every invariant after every tick
    Simulate(SimulateArgs),
    /// Write logs with known answers
    Generate(GenerateArgs),
}

/// `batch`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rederive batch sample_logs/shop --out shop.csv --report shop.json")]
pub struct BatchArgs {
    /// Log directory or file
    pub log: PathBuf,
    /// Fold up to here only: offsets in partition order (3,end,0) or a share of the records (50%)
    #[arg(long, value_name = "OFFSETS|PERCENT", value_parser = CutText::parse)]
    pub cut: Option<CutText>,
    /// Where the view goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write counts, position, fingerprint and malformed records as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Reader threads [default: as many as the machine runs at once]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Which field is what.
    #[command(flatten)]
    pub mapping: MappingArgs,
}

/// `stream`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rederive stream sample_logs/shop --checkpoints /tmp/shop --crash after-emit@20000\n  rederive stream sample_logs/shop --checkpoints /tmp/shop --out shop.csv"
)]
pub struct StreamArgs {
    /// Log directory or file
    pub log: PathBuf,
    /// Directory for checkpoints, sink and lock; made where it is not there
    #[arg(long, value_name = "DIR")]
    pub checkpoints: PathBuf,
    /// Records a micro-batch: one emission and one checkpoint each
    #[arg(long, value_name = "RECORDS", default_value_t = 10_000, value_parser = value_parser!(u64).range(1..))]
    pub checkpoint_every: u64,
    /// Checkpoints kept, at least 2
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = value_parser!(u16).range(2..))]
    pub retain: u16,
    /// Set old checkpoints aside and read everything again
    #[arg(long)]
    pub from_start: bool,
    /// What is saved when, and how output is written: exactly-once-upsert-sink or textbook
    #[arg(long, value_name = "ID", default_value = "exactly-once-upsert-sink", value_parser = parse_guarantee)]
    pub guarantee: GuaranteeId,
    /// End abruptly, with exit code 42, in the micro-batch that contains RECORD (from 0). POINT is before-apply,
    /// mid-apply, after-apply, after-emit, mid-checkpoint or after-checkpoint
    #[arg(long, value_name = "POINT@RECORD", value_parser = parse_crash)]
    pub crash: Option<CrashAt>,
    /// Process no more than so many records a second
    #[arg(long, value_name = "RECORDS_PER_SECOND", value_parser = value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Stop after so many records, with a checkpoint
    #[arg(long, value_name = "RECORDS", value_parser = value_parser!(u64).range(1..))]
    pub stop_after: Option<u64>,
    /// How long a day stays open after its end, by the watermark (2h, 1d, 90m, inf); what comes later is dropped and
    /// listed
    #[arg(long, value_name = "DURATION", default_value = "inf", value_parser = parse_lateness)]
    pub lateness: Lateness,
    /// A partition that was not read while the others read so many records no longer holds the watermark back
    #[arg(long, value_name = "RECORDS", default_value_t = IDLE_AFTER_RECORDS, value_parser = value_parser!(u64).range(1..))]
    pub idle_after: u64,
    /// How distinct users are counted: by sets, exactly, or by sketches (hll), about
    #[arg(long, value_name = "KIND", default_value = "set", value_parser = parse_uniques)]
    pub uniques: Uniques,
    /// Wait for more at the end of the log (not in this version yet)
    #[arg(long)]
    pub follow: bool,
    /// Where the state's view goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write counts, position, fingerprints, checkpoints and malformed records as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Which field is what.
    #[command(flatten)]
    pub mapping: MappingArgs,
}

impl StreamArgs {
    /// What makes the numbers approximate.
    pub fn options(&self) -> StreamOptions {
        StreamOptions { lateness: self.lateness, idle_after_records: self.idle_after, uniques: self.uniques }
    }
}

/// `view`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rederive view /tmp/shop --format json")]
pub struct ViewArgs {
    /// Checkpoint directory
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Where the view goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `checkpoints`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 1 when any checkpoint would be refused.\n\nExample:\n  rederive checkpoints /tmp/shop"
)]
pub struct CheckpointsArgs {
    /// Checkpoint directory
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// `check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rederive check run.json --driver threads")]
pub struct CheckArgs {
    /// Scenario to play; a log that has grown since it was saved is played over the records that it names
    #[arg(value_name = "SCENARIO.json")]
    pub scenario: PathBuf,
    /// On which threads the run is played; the digest is the same
    #[arg(long, default_value = "inline")]
    pub driver: DriverKind,
    /// Write the journal of the run
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// `picture`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rederive picture sample_logs/shop --out window.png --size 1280x800 --theme dark\n  rederive picture sample_logs/shop --out handover.png --panel handover --at 9000\n  rederive picture my-log/ --out theirs.png --against their-view.csv"
)]
pub struct PictureArgs {
    /// Scenario, log directory or log file
    #[arg(value_name = "SCENARIO.json|LOG")]
    pub path: PathBuf,
    /// Picture to write
    #[arg(long, value_name = "FILE.png")]
    pub out: PathBuf,
    /// Width and height in points
    #[arg(long, value_name = "WxH", default_value = "1280x800", value_parser = parse_size)]
    pub size: Size,
    /// Colours
    #[arg(long, default_value = "dark")]
    pub theme: Theme,
    /// Run to this tick first
    #[arg(long, value_name = "TICK")]
    pub at: Option<u64>,
    /// Open a drawer, a look or a dialog first; can be given more than once
    #[arg(long = "panel", value_name = "ID", value_parser = panel_ids())]
    pub panels: Vec<PanelId>,
    /// Compare a view that another system made, in the panel "reconcile"; a second one is compared with the first too
    #[arg(long, value_name = "FILE")]
    pub against: Vec<PathBuf>,
}

/// `matrix`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rederive matrix sample_logs/shop --micro-batch 5 --limit 20")]
pub struct MatrixArgs {
    /// Log directory or file
    pub log: PathBuf,
    /// Records a micro-batch
    #[arg(long, value_name = "RECORDS")]
    pub micro_batch: Option<u64>,
    /// Micro-batch that crashes, from 0
    #[arg(long, value_name = "N")]
    pub crash_micro_batch: Option<u64>,
    /// Records between checkpoints
    #[arg(long, value_name = "RECORDS")]
    pub checkpoint_every: Option<u64>,
    /// Use the first so many records only
    #[arg(long, value_name = "RECORDS")]
    pub limit: Option<u64>,
    /// Form of the result [default: csv]
    #[arg(long)]
    pub format: Option<Format>,
    /// Which field is what.
    #[command(flatten)]
    pub mapping: MappingArgs,
}

/// `merge`.
#[derive(Debug, Args)]
#[command(
    after_help = "The exit code is 0 whatever the error: the rule is the experiment. The error is said on standard error.\n\nExample:\n  rederive merge sample_logs/shop --cut 60% --position 80% --boundary scalar"
)]
pub struct MergeArgs {
    /// Log directory or file
    pub log: PathBuf,
    /// Cut of the batch view
    #[arg(long, value_name = "OFFSETS|PERCENT", value_parser = CutText::parse)]
    pub cut: CutText,
    /// Position of the stream
    #[arg(long, value_name = "OFFSETS|PERCENT", value_parser = CutText::parse)]
    pub position: CutText,
    /// What separates batch and speed
    #[arg(long, default_value = "offsets")]
    pub boundary: BoundaryKind,
    /// Speed starts here instead, whatever the cut: offsets in partition order or a share of the records
    #[arg(long, value_name = "OFFSETS|PERCENT", value_parser = CutText::parse, conflicts_with = "boundary")]
    pub speed_from: Option<CutText>,
    /// How distinct users are merged
    #[arg(long, default_value = "set")]
    pub uniques: MergeUniques,
    /// How long a day stays open in speed after its end, by the watermark (2h, 1d, 90m, inf); what comes later is dropped
    /// there and counted by batch alone
    #[arg(long, value_name = "DURATION", default_value = "inf", value_parser = parse_lateness)]
    pub lateness: Lateness,
    /// A partition that was not read while the others read so many records no longer holds the watermark back
    #[arg(long, value_name = "RECORDS", default_value_t = IDLE_AFTER_RECORDS, value_parser = value_parser!(u64).range(1..))]
    pub idle_after: u64,
    /// Form of the result [default: csv]
    #[arg(long)]
    pub format: Option<Format>,
    /// Which field is what.
    #[command(flatten)]
    pub mapping: MappingArgs,
}

/// `reconcile`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 1 when the views differ.\n\nExample:\n  rederive reconcile my-log/ --against theirs.csv --columns page=path,views=hits\n  rederive reconcile my-log/ --against batch.csv --against stream/      their batch and their stream at once"
)]
pub struct ReconcileArgs {
    /// Log directory or file
    pub log: PathBuf,
    /// View of theirs: CSV, JSON, JSON lines, or a directory of part files; twice to compare two
    #[arg(long, value_name = "FILE", required_unless_present = "sql")]
    pub against: Vec<PathBuf>,
    /// Names (or numbers) of its columns: page=..,date=..,views=..,users=.. (sum=.. instead of views) [default: guessed]
    #[arg(long, value_name = "NAMES")]
    pub columns: Option<String>,
    /// Form of the result
    #[arg(long, default_value = "text")]
    pub format: ReconcileFormat,
    /// Print so many differing cells, and so many records of each finding [default: 20 as text, all as CSV and JSON]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Print the DuckDB query that computes our view from the log, to check us, and compare nothing
    #[arg(long)]
    pub sql: bool,
    /// Write the result to this file, replaced atomically, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which field is what.
    #[command(flatten)]
    pub mapping: MappingArgs,
}

/// `simulate`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rederive simulate --seeds 0..100")]
pub struct SimulateArgs {
    /// Seeds to run, the last one excluded
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    pub seeds: Range<u64>,
}

/// `generate`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rederive generate /tmp/log --records 1000000 --seed 7")]
pub struct GenerateArgs {
    /// Directory to write the log into
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// How many records
    #[arg(long, value_name = "N")]
    pub records: u64,
    /// Seed of everything random
    #[arg(long, value_name = "S")]
    pub seed: u64,
}

/// Where a view goes, and in which form.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Form of the view [default: by the ending of --out, else csv]
    #[arg(long)]
    pub format: Option<Format>,
    /// Write the view to this file, replaced atomically, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound_and_each_command_has_an_example() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("Example:\n  rederive {}", command.get_name())), "{help}");
        }
    }
}
