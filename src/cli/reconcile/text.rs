//! A reconciliation for people.

use std::fmt::Write as _;

use super::{Judged, Result, amount};
use crate::{
    analysis::reconcile::{CellDifference, Finding, Numbers, Reconciliation, Totals, between},
    cli::CliError,
    ingest::AmountKind,
};

/// Longest text of a line or page that is shown, in characters.
const MOST_CHARS: usize = 120;
const MOST_PAGE_CHARS: usize = 40;

pub(super) fn text(result: &Result<'_>) -> std::result::Result<String, CliError> {
    let mut text = String::new();
    for judged in result.judged {
        one(&mut text, result, judged)?;
    }
    if let [first, second] = result.judged {
        two(&mut text, first, second);
    }
    Ok(text)
}

// Writing into a string cannot fail: results of `write!` are dropped here.

fn one(text: &mut String, result: &Result<'_>, judged: &Judged) -> std::result::Result<(), CliError> {
    let found = &judged.found;
    let _ = writeln!(text, "{} against {}", found.name, result.log.display());
    let note = if found.has_users { " (users added over cells)" } else { "" };
    let _ = writeln!(text, "  ours    {}{note}", totals(found, &found.ours));
    let _ = writeln!(text, "  theirs  {}", totals(found, &found.theirs));
    if found.is_equal() {
        let _ = writeln!(text, "  equal: every cell has the same numbers\n");
        return Ok(());
    }
    let apart = numbers(found, found.distance);
    let _ = writeln!(text, "  {} differ, by {apart} in all\n", cells(found.differing));
    let (apart, unexplained) = (amount(found.kind, found.apart), amount(found.kind, found.unexplained));
    let _ = writeln!(text, "unexplained: {unexplained} of {apart}");
    for remark in &found.remarks {
        let _ = writeln!(text, "  {remark}");
    }
    for (number, finding) in (1..).zip(&found.findings) {
        finding_line(text, found, number, finding);
    }
    ranked(text, found);
    cell_table(text, found, result.limit);
    for (number, finding) in (1..).zip(&found.findings) {
        proof(text, result, number, finding)?;
    }
    text.push('\n');
    Ok(())
}

fn finding_line(text: &mut String, found: &Reconciliation, number: usize, finding: &Finding) {
    let explained = amount(found.kind, finding.before - finding.after);
    let (of, records) = (amount(found.kind, finding.before), finding.share.records);
    let _ = write!(text, "{number}. {}: explains {explained} of {of}", finding.sentence);
    let noun = if records == 1 { "record" } else { "records" };
    let tail = if records == 0 { String::new() } else { format!(", {records} {noun}") };
    let share = Numbers { amount: finding.share.views, users: finding.share.users };
    let _ = writeln!(text, " [{}{tail}; ours minus theirs: {}]", finding.share.cause, numbers(found, share));
    if !finding.also.is_empty() {
        let shown: Vec<&str> = finding.also.iter().take(6).map(String::as_str).collect();
        let more = finding.also.len() - shown.len();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let _ = writeln!(text, "   in this log the same as {}{more}", shown.join(", "));
    }
}

fn ranked(text: &mut String, found: &Reconciliation) {
    if found.ranked.is_empty() {
        return;
    }
    let _ = writeln!(text, "\neach alone explains, of {}:", amount(found.kind, found.apart));
    for ranked in &found.ranked {
        let _ = writeln!(text, "{:>10}  {}", amount(found.kind, ranked.explained), ranked.sentence);
    }
}

fn cell_table(text: &mut String, found: &Reconciliation, limit: usize) {
    let shown: Vec<&CellDifference> = found.cells.iter().take(limit).collect();
    let rest = found.cells.len() - shown.len();
    let more = if rest == 0 { String::new() } else { format!("; {rest} more with --limit") };
    let _ = writeln!(text, "\ncells that differ most ({}{more}):", shown.len());
    let width =
        shown.iter().map(|cell| short(&cell.page, MOST_PAGE_CHARS).chars().count()).max().unwrap_or(0);
    let users = if found.has_users { "      users  ours  theirs" } else { "" };
    let _ = writeln!(text, "  {:width$}  {:10}       ours     theirs{users}  because", "page", "date");
    for cell in shown {
        let day = cell.day.map(|day| day.to_string()).unwrap_or_default();
        let theirs =
            if cell.theirs_there { amount(found.kind, cell.theirs.amount) } else { "no row".to_owned() };
        let _ = write!(
            text,
            "  {:width$}  {day:10} {:>10} {theirs:>10}",
            short(&cell.page, MOST_PAGE_CHARS),
            amount(found.kind, cell.ours.amount)
        );
        if found.has_users {
            let _ = write!(text, " {:>16} {:>7}", cell.ours.users, cell.theirs.users);
        }
        let _ = writeln!(text, "  {}", because(found, cell));
    }
}

/// Which findings make a cell's difference, by their numbers.
fn because(found: &Reconciliation, cell: &CellDifference) -> String {
    let mut parts = Vec::new();
    if !cell.rest.is_zero() {
        parts.push(format!("unexplained {}", signed(found, cell.rest)));
    }
    for share in &cell.shares {
        parts.push(format!("({}) {}", share.finding + 1, signed(found, share.numbers)));
    }
    parts.join(", ")
}

fn signed(found: &Reconciliation, numbers: Numbers) -> String {
    let sign = |number: i64| if number > 0 { "+" } else { "" };
    let views = format!("{}{}", sign(numbers.amount), amount(found.kind, numbers.amount));
    if numbers.users == 0 {
        return views;
    }
    format!("{views} (users {}{})", sign(numbers.users), numbers.users)
}

fn proof(
    text: &mut String,
    result: &Result<'_>,
    number: usize,
    finding: &Finding,
) -> std::result::Result<(), CliError> {
    if finding.moved.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = finding.moved.iter().take(result.limit).collect();
    let rest = finding.moved.len() - shown.len();
    let more = if rest == 0 { String::new() } else { format!("; {rest} more with --limit") };
    let _ = writeln!(text, "\nrecords that prove {number} ({}{more}):", shown.len());
    let numbers: Vec<u32> = shown.iter().map(|moved| moved.record).collect();
    for (moved, line) in shown.iter().zip(result.raw.lines(&numbers)?) {
        let place = format!("{}:{}", line.segment, line.line);
        let _ = writeln!(text, "  {place}  {}  {}", moved.words(), short(&line.text, MOST_CHARS));
    }
    Ok(())
}

fn two(text: &mut String, first: &Judged, second: &Judged) {
    let found = &first.found;
    let (total, causes) = between(&first.found, &second.found);
    let _ = writeln!(text, "{} minus {}: {}", first.found.name, second.found.name, numbers(found, total));
    for cause in causes {
        let share = Numbers { amount: cause.share.views, users: cause.share.users };
        let _ = writeln!(text, "  {}: {}", cause.sentence, numbers(found, share));
    }
}

fn totals(found: &Reconciliation, totals: &Totals) -> String {
    format!("{}, {}", cells(totals.cells), numbers(found, totals.numbers))
}

fn numbers(found: &Reconciliation, numbers: Numbers) -> String {
    let amounts = match found.kind {
        AmountKind::Views => format!("{} page views", numbers.amount),
        AmountKind::Sum => format!("a sum of {}", amount(found.kind, numbers.amount)),
    };
    if found.has_users { format!("{amounts}, {} users", numbers.users) } else { amounts }
}

fn cells(count: u64) -> String {
    format!("{count} {}", if count == 1 { "cell" } else { "cells" })
}

fn short(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
