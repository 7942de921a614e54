//! `rederive batch`: folds a log anew up to a cut.

use std::process::ExitCode;

use super::{
    CliError,
    args::BatchArgs,
    fold::{Folded, fold},
    input::{Input, say_issues, say_some},
    output,
    report::{self, Report, summary},
    view::ViewTarget,
};
use crate::engine::export::{TableRow, sums};
use crate::ingest::default_threads;

pub(super) fn run(args: &BatchArgs) -> Result<ExitCode, CliError> {
    let input = Input::open(&args.log, &args.mapping)?;
    let target = ViewTarget::of(&args.output, Some(&input.log))?;
    let report_target = report::target(args.report.as_deref(), &input)?;
    target.refuse_same(report_target.as_ref())?;
    input.say();
    let threads = args.threads.map_or_else(default_threads, usize::from);
    let (log, mapping) = (&input.log, &input.mapping);
    let cut = args.cut.as_ref().map(|cut| cut.resolve(log, mapping, threads)).transpose()?;
    let folded = fold(log, mapping, cut.as_ref(), threads)?;
    let fingerprint = folded.view.fingerprint(&folded.keys, &folded.users);
    say_some("gap", &folded.gaps, folded.gaps_total);
    say_issues(folded.issues.listed(), folded.issues.total());
    let rows = folded.view.canonical(&folded.keys);
    let rows: Vec<TableRow<'_>> = rows.iter().map(TableRow::from).collect();
    output::note(&format!(
        "batch: {}; {} rows; fingerprint {fingerprint}",
        summary(&folded.counts),
        rows.len()
    ));
    target.write(&rows, sums(mapping))?;
    if let Some(target) = report_target {
        let Folded { counts, partitions, position, issues, .. } = &folded;
        Report::new(counts, fingerprint, partitions, position, issues).write(&target)?;
    }
    Ok(ExitCode::SUCCESS)
}
