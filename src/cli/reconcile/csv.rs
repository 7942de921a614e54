//! A reconciliation as CSV: one line a cell and cause, the totals of each cause first.

use std::fmt::Write as _;

use super::{Judged, Result, amount};
use crate::{
    analysis::{Cause, reconcile::Numbers},
    domain::Day,
    engine::export::csv_field,
};

/// Rows without page and date are totals; a row's numbers are its part of ours minus theirs.
const HEADER: &str =
    "against,page,date,cause,finding,records,views,users,ours_views,theirs_views,ours_users,theirs_users\n";

pub(super) fn csv(result: &Result<'_>) -> String {
    let mut text = HEADER.to_owned();
    for judged in result.judged {
        totals(&mut text, judged);
        cells(&mut text, judged, result.limit);
    }
    text
}

fn totals(text: &mut String, judged: &Judged) {
    let found = &judged.found;
    let (ours, theirs) = (found.ours.numbers, found.theirs.numbers);
    let shares = std::iter::once((Cause::Unexplained.id(), found.rest))
        .chain(found.findings.iter().map(|finding| (finding.id.as_str(), finding.share)));
    for (id, share) in shares {
        let numbers = Numbers { amount: share.views, users: share.users };
        row(text, judged, ("", None), (share.cause, id, Some(share.records), numbers), (ours, theirs));
    }
}

fn cells(text: &mut String, judged: &Judged, limit: usize) {
    for cell in judged.found.cells.iter().take(limit) {
        let both = (cell.ours, cell.theirs);
        let place = (cell.page.as_str(), cell.day);
        if !cell.rest.is_zero() {
            let cause = Cause::Unexplained;
            row(text, judged, place, (cause, cause.id(), None, cell.rest), both);
        }
        for share in &cell.shares {
            let Some(finding) = judged.found.findings.get(share.finding) else { continue };
            row(text, judged, place, (finding.share.cause, finding.id.as_str(), None, share.numbers), both);
        }
    }
}

fn row(
    text: &mut String,
    judged: &Judged,
    (page, day): (&str, Option<Day>),
    (cause, id, records, numbers): (Cause, &str, Option<u64>, Numbers),
    (ours, theirs): (Numbers, Numbers),
) {
    let kind = judged.found.kind;
    let day = day.map(|day| day.to_string()).unwrap_or_default();
    let records = records.map(|records| records.to_string()).unwrap_or_default();
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "{},{},{day},{cause},{},{records},{},{},{},{},{},{}",
        csv_field(&judged.view.name),
        csv_field(page),
        csv_field(id),
        amount(kind, numbers.amount),
        numbers.users,
        amount(kind, ours.amount),
        amount(kind, theirs.amount),
        ours.users,
        theirs.users
    );
}
