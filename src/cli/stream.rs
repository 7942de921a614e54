//! `rederive stream`: the stream processor over files, with checkpoints, crashes and resumption.

use std::{collections::BTreeMap, process::ExitCode, thread, time::Duration};

use super::{
    CliError,
    args::StreamArgs,
    fold,
    input::{Input, say_issues},
    output::{self, Target},
    report::{self, LateLine, RefusedLine, Report, StreamPart, UniquesLine, summary},
    signals::{Signals, Stop},
    view::ViewTarget,
};
use crate::{
    checkpoint::{CrashPoint, RealDisk, checkpoint_name, guarantee},
    domain::{Sketch, Uniques},
    engine::{
        FileWorkerSource, Pick, Resumed, StreamWorker, WorkError, WorkerSettings,
        clock::Stopwatch,
        export::{TableRow, sums},
        fault::Armed,
        play::{settings_hash, stream_rules},
    },
    ingest::{FileSource, IssueLog, default_threads},
    processing::StreamState,
};

/// Exit code of a requested crash.
const CRASHED: i32 = 42;

/// Late records that a report lists.
const MOST_LATE_LISTED: usize = 1_000;

/// Longest sleep before signals are looked at again.
const SLICE_MILLIS: u64 = 20;

/// Why the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Finished,
    Limit,
    Signal(Stop),
}

pub(super) fn run(args: &StreamArgs) -> Result<ExitCode, CliError> {
    refuse_not_yet(args)?;
    let input = Input::open(&args.log, &args.mapping)?;
    let target = ViewTarget::of(&args.output, Some(&input.log))?;
    let report_target = report::target(args.report.as_deref(), &input)?;
    target.refuse_same(report_target.as_ref())?;
    input.refuse_inside("--checkpoints", &args.checkpoints)?;
    let signals = Signals::watch()?;
    input.say();
    let (mut worker, resumed) = start(args, &input)?;
    say_start(&resumed);
    arm(args, &mut worker)?;
    let mut run = Run { args, worker, resumed, checkpoints_written: 0 };
    let end = match run.play(&signals) {
        Err(WorkError::Crashed(point)) => crash(point),
        played => played?,
    };
    run.say_end(end);
    if let End::Signal(stop) = end {
        return Ok(ExitCode::from(stop.exit_code()));
    }
    if let (Some(crash), true) = (args.crash, run.worker.injector().is_armed()) {
        let text = format!("crash point never reached before record {}", run.worker.number());
        return Err(CliError::Usage(format!("{text}: {}@{}", crash.point, crash.record)));
    }
    run.write(&input, &target, report_target.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

fn refuse_not_yet(args: &StreamArgs) -> Result<(), CliError> {
    if args.follow { Err(CliError::NotYet("--follow".to_owned())) } else { Ok(()) }
}

fn start(args: &StreamArgs, input: &Input) -> Result<(StreamWorker, Resumed), CliError> {
    let disk = RealDisk::open(&args.checkpoints).map_err(CliError::Directory)?;
    let source = FileSource::open(&input.log, &input.mapping)?;
    let source = FileWorkerSource::new(input.log.clone(), source);
    let options = args.options();
    let settings = WorkerSettings {
        micro_batch: args.checkpoint_every,
        checkpoint_every: args.checkpoint_every,
        retain: usize::from(args.retain),
        guarantee: guarantee(args.guarantee),
        settings_hash: settings_hash(&input.mapping, &options),
        rules: stream_rules(&input.mapping, options),
        sums: sums(&input.mapping),
    };
    let pick = if args.from_start { Pick::FromStart } else { Pick::Newest };
    Ok(StreamWorker::start(Box::new(source), Box::new(disk), settings, pick)?)
}

fn say_start(resumed: &Resumed) {
    for refused in &resumed.refused {
        output::note(&format!("refused {:?}: {}", refused.file, refused.reason));
    }
    if resumed.sink_rebuilt {
        output::note("the sink did not hold what the checkpoints say: written anew");
    }
    let Some((id, position)) = resumed.from else {
        output::note("starts at record 0");
        return;
    };
    let again = resumed.read_before.saturating_sub(position);
    let file = checkpoint_name(id);
    output::note(&format!(
        "restored {file:?}: goes on at record {position}, {again} records were read before"
    ));
}

fn arm(args: &StreamArgs, worker: &mut StreamWorker) -> Result<(), CliError> {
    let Some(crash) = args.crash else { return Ok(()) };
    let number = worker.number();
    if crash.record < number {
        let text = format!("crash point never reached, the run starts at record {number}");
        return Err(CliError::Usage(format!("{text}: {}@{}", crash.point, crash.record)));
    }
    worker.injector().arm(Armed { point: crash.point, record: crash.record });
    Ok(())
}

/// No destructors, no clean-up, nothing written: what a crash leaves is what is on disk now.
fn crash(point: CrashPoint) -> ! {
    output::note(&format!("crashed at {point}, as requested"));
    std::process::exit(CRASHED)
}

struct Run<'a> {
    args: &'a StreamArgs,
    worker: StreamWorker,
    resumed: Resumed,
    checkpoints_written: u64,
}

impl Run<'_> {
    /// Micro-batches until something ends them. Each ends with a checkpoint, so nothing is left to save.
    fn play(&mut self, signals: &Signals) -> Result<End, WorkError> {
        let watch = Stopwatch::start();
        let mut done = 0;
        loop {
            if let Some(stop) = signals.received() {
                return Ok(End::Signal(stop));
            }
            let left = self.args.stop_after.map_or(u64::MAX, |most| most.saturating_sub(done));
            if left == 0 {
                return Ok(End::Limit);
            }
            let limit = left.min(self.args.checkpoint_every);
            self.worker.ask_for_checkpoint();
            let read = self.worker.micro_batch(limit)?;
            self.checkpoints_written += self.worker.take_work().written.len() as u64;
            done += read;
            if read < limit {
                return Ok(End::Finished);
            }
            self.pace(&watch, done, signals);
        }
    }

    /// Waits until so many records are due.
    fn pace(&self, watch: &Stopwatch, done: u64, signals: &Signals) {
        let Some(rate) = self.args.rate else { return };
        let due_micros = u128::from(done) * 1_000_000 / u128::from(rate);
        while signals.received().is_none() {
            let left = due_micros.saturating_sub(u128::from(watch.micros()));
            if left == 0 {
                return;
            }
            let slice = u64::try_from(left).unwrap_or(u64::MAX).min(SLICE_MILLIS * 1_000);
            thread::sleep(Duration::from_micros(slice));
        }
    }

    fn say_end(&self, end: End) {
        let why = match end {
            End::Finished => "end of the log".to_owned(),
            End::Limit => "stopped as asked".to_owned(),
            End::Signal(stop) => format!("stopped by {}", stop.name()),
        };
        let state = self.worker.state();
        output::note(&format!(
            "stream: {why} at record {}; {}; {} checkpoints written",
            self.worker.number(),
            summary(&state.counts),
            self.checkpoints_written
        ));
        if state.counts.late > 0 {
            output::note(&format!(
                "{} late records were dropped: their day had been closed by the watermark for {}; a batch run counts them",
                state.counts.late, self.args.lateness
            ));
        }
        if self.args.uniques == Uniques::Hll {
            let error = f64::from(Sketch::STANDARD_ERROR_BASIS_POINTS) / 100.0;
            output::note(&format!("unique users are estimates (HyperLogLog, standard error {error} %)"));
        }
    }

    /// The state's view and the report.
    fn write(&self, input: &Input, target: &ViewTarget, report: Option<&Target>) -> Result<(), CliError> {
        let (state, source) = (self.worker.state(), self.worker.source());
        let view = state.view();
        let rows = view.canonical(source.keys());
        let rows: Vec<TableRow<'_>> = rows.iter().map(TableRow::from).collect();
        target.write(&rows, sums(&input.mapping))?;
        let issues = match report {
            // Those below a restored position were read by another process: they are looked for anew.
            Some(_) if state.counts.malformed > 0 => {
                fold::issues(&input.log, &input.mapping, source.position(), default_threads())?
            }
            _ => IssueLog::default(),
        };
        say_issues(issues.listed(), issues.total());
        let Some(report) = report else { return Ok(()) };
        let fingerprint = view.fingerprint(source.keys(), source.users());
        Report::new(&state.counts, fingerprint, source.partitions(), source.position(), &issues)
            .with_stream(self.stream_part())
            .write(report)
    }

    fn stream_part(&self) -> StreamPart {
        let mut effects = BTreeMap::new();
        let state = self.worker.state();
        state.effects.iter().for_each(|runs| runs.tally(&mut effects));
        let from = self.resumed.from.map(|(_, position)| position);
        let again = self.resumed.read_before.min(self.worker.number());
        let refused = self.resumed.refused.iter();
        StreamPart {
            resumed_from: from,
            replayed: again.saturating_sub(from.unwrap_or(0)),
            checkpoints_written: self.checkpoints_written,
            checkpoints_refused: refused
                .map(|one| RefusedLine { file: one.file.clone(), reason: one.reason.clone() })
                .collect(),
            sink_fingerprint: self.worker.sink().fingerprint().to_string(),
            deliveries: self.worker.deliveries().ranges().total(),
            effects,
            late_records: late_lines(state, self.worker.source().partitions()),
            uniques: match self.args.uniques {
                Uniques::Set => None,
                Uniques::Hll => Some(UniquesLine {
                    estimated: true,
                    standard_error_percent: f64::from(Sketch::STANDARD_ERROR_BASIS_POINTS) / 100.0,
                }),
            },
        }
    }
}

/// The first late records, by partition and offset.
fn late_lines(state: &StreamState, partitions: &[String]) -> Vec<LateLine> {
    let each = state.late.iter().flat_map(|(partition, run)| {
        let name = partitions.get(partition.index()).cloned().unwrap_or_default();
        (run.start..run.end).map(move |offset| LateLine {
            partition: name.clone(),
            offset,
            watermark: run.watermark.to_string(),
        })
    });
    each.take(MOST_LATE_LISTED).collect()
}
