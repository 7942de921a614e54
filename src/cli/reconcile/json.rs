//! A reconciliation as one JSON object.

use serde_json::{Map, Value, json};

use super::{Judged, Result, amount};
use crate::{
    analysis::{
        CauseShare,
        reconcile::{CellDifference, Finding, Moved, Numbers, Totals, between},
    },
    cli::CliError,
    ingest::AmountKind,
};

/// Records of a finding that are listed; all are counted.
const MOST_RECORDS: usize = 1_000;

pub(super) fn json(result: &Result<'_>) -> std::result::Result<String, CliError> {
    let against: std::result::Result<Vec<Value>, CliError> =
        result.judged.iter().map(|judged| one(result, judged)).collect();
    let mut all = json!({
        "log": result.log.display().to_string(),
        "mapping": result.mapping,
        "equal": result.judged.iter().all(|judged| judged.found.is_equal()),
        "against": against?,
    });
    if let ([first, second], Some(all)) = (result.judged, all.as_object_mut()) {
        let kind = first.found.kind;
        let (total, causes) = between(&first.found, &second.found);
        let causes: Vec<Value> = causes
            .iter()
            .map(|cause| {
                let mut object = share(kind, &cause.share);
                object.insert("finding".to_owned(), cause.id.clone().into());
                object.insert("sentence".to_owned(), cause.sentence.clone().into());
                Value::Object(object)
            })
            .collect();
        all.insert("between".to_owned(), json!({ "difference": numbers(kind, total), "causes": causes }));
    }
    // Text, numbers and lists always have a JSON form.
    Ok(serde_json::to_string_pretty(&all).unwrap_or_default() + "\n")
}

fn one(result: &Result<'_>, judged: &Judged) -> std::result::Result<Value, CliError> {
    let (view, found) = (&judged.view, &judged.found);
    let kind = found.kind;
    let mut causes = vec![Value::Object(share(kind, &found.rest))];
    for finding in &found.findings {
        causes.push(cause(result, kind, finding)?);
    }
    let ranked: Vec<Value> = found
        .ranked
        .iter()
        .map(|ranked| {
            json!({ "finding": ranked.id, "sentence": ranked.sentence, "cause": ranked.cause.id(),
                "explained": decimal(kind, ranked.explained), "records": ranked.records })
        })
        .collect();
    let repeated: Vec<Value> = view
        .repeated
        .iter()
        .map(|(page, day, times)| json!({ "page": page, "date": day.map(|day| day.to_string()), "times": times }))
        .collect();
    let bad: Vec<Value> = view
        .bad
        .iter()
        .map(|bad| json!({ "file": &*bad.file, "line": bad.line, "reason": bad.reason }))
        .collect();
    Ok(json!({
        "file": view.name,
        "columns": view.columns.description,
        "equal": found.is_equal(),
        "bad_rows": view.bad_total,
        "bad": bad,
        "repeated": repeated,
        "ours": totals(kind, &found.ours),
        "theirs": totals(kind, &found.theirs),
        "cells_that_differ": found.differing,
        "apart": decimal(kind, found.apart),
        "unexplained": decimal(kind, found.unexplained),
        "causes": causes,
        "alone": ranked,
        "cells": found.cells.iter().take(result.limit).map(|cell| cell_of(judged, cell)).collect::<Vec<Value>>(),
        "remarks": found.remarks,
    }))
}

fn cause(result: &Result<'_>, kind: AmountKind, finding: &Finding) -> std::result::Result<Value, CliError> {
    let mut object = share(kind, &finding.share);
    object.insert("finding".to_owned(), finding.id.clone().into());
    object.insert("sentence".to_owned(), finding.sentence.clone().into());
    object.insert("also".to_owned(), finding.also.clone().into());
    object.insert("apart_before".to_owned(), decimal(kind, finding.before));
    object.insert("apart_after".to_owned(), decimal(kind, finding.after));
    let shown: Vec<&Moved> = finding.moved.iter().take(result.limit.min(MOST_RECORDS)).collect();
    let numbers: Vec<u32> = shown.iter().map(|moved| moved.record).collect();
    let lines = result.raw.lines(&numbers)?;
    let proof: Vec<Value> = shown
        .iter()
        .zip(lines)
        .map(|(moved, line)| {
            json!({ "file": &*line.segment, "line": line.line, "offset": line.offset, "what": moved.words(),
                "text": line.text })
        })
        .collect();
    object.insert("proof".to_owned(), proof.into());
    Ok(Value::Object(object))
}

fn cell_of(judged: &Judged, cell: &CellDifference) -> Value {
    let kind = judged.found.kind;
    let shares: Vec<Value> = cell
        .shares
        .iter()
        .filter_map(|share| {
            let finding = judged.found.findings.get(share.finding)?;
            Some(json!({ "finding": finding.id, "views": decimal(kind, share.numbers.amount),
                "users": share.numbers.users }))
        })
        .collect();
    json!({
        "page": cell.page,
        "date": cell.day.map(|day| day.to_string()),
        "ours": numbers(kind, cell.ours),
        "theirs": if cell.theirs_there { numbers(kind, cell.theirs) } else { Value::Null },
        "unexplained": numbers(kind, cell.rest),
        "causes": shares,
    })
}

fn share(kind: AmountKind, share: &CauseShare) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("cause".to_owned(), share.cause.id().into());
    object.insert("records".to_owned(), share.records.into());
    object.insert("views".to_owned(), decimal(kind, share.views));
    object.insert("users".to_owned(), share.users.into());
    object
}

fn totals(kind: AmountKind, totals: &Totals) -> Value {
    json!({ "cells": totals.cells, "views": decimal(kind, totals.numbers.amount), "users": totals.numbers.users })
}

fn numbers(kind: AmountKind, numbers: Numbers) -> Value {
    json!({ "views": decimal(kind, numbers.amount), "users": numbers.users })
}

/// A whole number, or a decimal where sums are compared.
fn decimal(kind: AmountKind, number: i64) -> Value {
    serde_json::from_str(&amount(kind, number)).unwrap_or(Value::Null)
}
