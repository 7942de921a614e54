//! Table twins of the Kappa lane.

use super::{Column, Twin};
use crate::{
    app::{State, format},
    engine::{
        frame::{KappaFrame, KappaPoint, Totals, VersionGroup, VersionMark, VersionMarkKind},
        protocol::VersionNumber,
    },
};

/// The versions over the run, newest first.
pub(super) fn versions(state: &State, kappa: &KappaFrame) -> Twin {
    let number = |of: Option<VersionNumber>| of.map_or("-".to_owned(), |number| number.to_string());
    let columns = ["Run time", "Version", "Its view", "Version", "Its view", "Serves", "Served"];
    let row = |point: &KappaPoint| {
        let mut row = vec![format::seconds(point.tick)];
        for version in point.versions {
            row.push(number(version.map(|version| version.version)));
            row.push(version.map_or("-".to_owned(), |version| state.measure.text(&version.view)));
        }
        row.push(number(point.serving));
        row.push(state.measure.text(&point.served));
        row
    };
    Twin {
        columns: columns.into_iter().map(|title| Column::number(title, 96.0)).collect(),
        rows: kappa.series.iter().rev().map(row).collect(),
    }
}

/// Pages or days of both versions.
pub(super) fn groups(state: &State, first: &'static str, kappa: &KappaFrame, rows: &[VersionGroup]) -> Twin {
    let measure = state.measure;
    let text = |totals: &Totals| measure.text(totals);
    let mut columns = vec![Column::text(first), Column::number("Served", 96.0)];
    if kappa.other.is_some() {
        columns.extend([Column::number("Other version", 108.0), Column::number("Other is off by", 120.0)]);
    }
    columns.push(Column::number("Whole log, rules of the run", 186.0));
    let row = |row: &VersionGroup| {
        let mut cells = vec![row.label.clone(), text(&row.serving)];
        if kappa.other.is_some() {
            let off = measure.difference(&row.other, &row.serving);
            cells.extend([text(&row.other), measure.difference_text(off)]);
        }
        cells.push(text(&row.log));
        cells
    };
    Twin { columns, rows: rows.iter().map(row).collect() }
}

/// What happened to versions, newest first.
pub(super) fn timeline(kappa: &KappaFrame) -> Twin {
    let word = |kind| match kind {
        VersionMarkKind::Started => "started at",
        VersionMarkKind::Checkpoint => "checkpoint at",
        VersionMarkKind::Crashed => "crashed at",
        VersionMarkKind::Restored => "restored at",
        VersionMarkKind::ReplayFinished => "everything read again up to",
        VersionMarkKind::Serves => "serves readers from",
        VersionMarkKind::Deleted => "deleted",
    };
    let mut marks: Vec<&VersionMark> = kappa.tracks.iter().flat_map(|track| track.marks.iter()).collect();
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.tick));
    let row = |mark: &&VersionMark| {
        let record = if mark.kind == VersionMarkKind::Deleted {
            "-".to_owned()
        } else {
            format::thousands(mark.record)
        };
        vec![format::seconds(mark.tick), mark.version.to_string(), word(mark.kind).to_owned(), record]
    };
    Twin {
        columns: vec![
            Column::number("Run time", 92.0),
            Column::number("Version", 72.0),
            Column::text("What"),
            Column::number("Record", 108.0),
        ],
        rows: marks.iter().map(row).collect(),
    }
}
