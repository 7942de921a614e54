//! `rederive reconcile`: views of theirs against ours, with the log as referee.

mod csv;
mod json;
mod text;

use std::{path::Path, process::ExitCode};

use super::{
    CliError,
    args::{ReconcileArgs, ReconcileFormat},
    input::{Input, MOST_SAID},
    output::{self, Target},
};
use crate::{
    analysis::reconcile::{Reconciliation, reconcile},
    domain::Value,
    engine::sql::duckdb_sql,
    ingest::{AmountKind, ColumnsText, ForeignView, LogDirectory, LogError, RawLog},
};

const DIFFERS: u8 = 1;
/// Cells and records shown as text, unless asked for more.
const MOST_SHOWN: usize = 20;

/// A view of theirs with what was found about it.
pub(super) struct Judged {
    pub view: ForeignView,
    pub found: Reconciliation,
}

/// What is printed, and how much of it.
pub(super) struct Result<'a> {
    pub log: &'a Path,
    pub mapping: String,
    pub raw: &'a RawLog,
    pub judged: &'a [Judged],
    pub limit: usize,
}

pub(super) fn run(args: &ReconcileArgs) -> std::result::Result<ExitCode, CliError> {
    if args.against.len() > 2 {
        return Err(CliError::Usage("--against can be given twice at most".to_owned()));
    }
    let columns = args.columns.as_deref().map_or(Ok(ColumnsText::default()), ColumnsText::parse)?;
    let input = Input::open(&args.log, &args.mapping)?;
    let target = match &args.out {
        Some(path) => Target::of("--out", path, None, Some(&input.log))?,
        None => Target::Stdout,
    };
    if args.sql {
        let format = input.mapping.input_format;
        if !format.is_jsonl() {
            return Err(CliError::NotYet(format!("--sql for a log in format {format}")));
        }
        target.write(sql(&input.log, &input).as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    input.say();
    let mut views = Vec::new();
    for path in &args.against {
        let view = ForeignView::read(path, &columns, &input.mapping.page)?;
        say(&view);
        views.push(view);
    }
    let raw = RawLog::read(&input.log, &input.mapping)?;
    let mut judged = Vec::new();
    for view in views {
        let found = reconcile(&raw, &input.mapping, &view);
        let found = found.map_err(|error| LogError::BadOption {
            option: "zone".to_owned(),
            cause: "unknown time zone".to_owned(),
            value: error.0,
        })?;
        judged.push(Judged { view, found });
    }
    let is_text = args.format == ReconcileFormat::Text;
    let result = Result {
        log: &args.log,
        mapping: input.mapping.describe(),
        raw: &raw,
        judged: &judged,
        limit: args.limit.unwrap_or(if is_text { MOST_SHOWN } else { usize::MAX }),
    };
    let printed = match args.format {
        ReconcileFormat::Text => text::text(&result)?,
        ReconcileFormat::Json => json::json(&result)?,
        ReconcileFormat::Csv => csv::csv(&result),
    };
    target.write(printed.as_bytes())?;
    let equal = judged.iter().all(|judged| judged.found.is_equal());
    Ok(if equal { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}

fn sql(log: &LogDirectory, input: &Input) -> String {
    duckdb_sql(&input.mapping, log)
}

/// What was guessed, added up or kept aside.
fn say(view: &ForeignView) {
    let guessed = if view.guessed { "; guessed" } else { "" };
    output::note(&format!(
        "{}: {} cells; columns {}{guessed}",
        view.name,
        view.rows.len(),
        view.columns.description
    ));
    let again = view.repeated.iter().take(MOST_SAID);
    for (page, day, times) in again {
        let day = day.map_or_else(String::new, |day| format!(", {day}"));
        output::note(&format!("{}: {page:?}{day} is there {times} times; added up", view.name));
    }
    say_rest(&view.name, "cells that are there more than once", view.repeated.len() as u64);
    for bad in view.bad.iter().take(MOST_SAID) {
        output::note(&format!("{}: kept aside: {}:{}: {}", view.name, bad.file, bad.line, bad.reason));
    }
    say_rest(&view.name, "rows kept aside", view.bad_total);
}

fn say_rest(name: &str, what: &str, total: u64) {
    let rest = total.saturating_sub(MOST_SAID as u64);
    if rest > 0 {
        output::note(&format!("{name}: and {rest} more {what}"));
    }
}

/// Page views as they are, sums as decimals.
pub(super) fn amount(kind: AmountKind, amount: i64) -> String {
    match kind {
        AmountKind::Views => amount.to_string(),
        AmountKind::Sum => Value::display_sum(i128::from(amount)),
    }
}
