//! Table twins of the Kappa lane.

use super::{Cell, Column, Twin, behind};
use crate::{
    app::{State, format},
    engine::{
        frame::{
            KappaFrame, KappaPoint, Totals, VersionFrame, VersionGroup, VersionMark, VersionMarkKind,
            VersionPoint,
        },
        protocol::{BookView, NumberOf, VersionNumber},
    },
};

/// The versions over the run, newest first.
pub(super) fn versions(state: &State, kappa: &KappaFrame) -> Twin {
    let number = |of: Option<VersionNumber>| of.map_or("-".to_owned(), |number| number.to_string());
    let columns = ["Run time", "Version", "Its view", "Version", "Its view", "Serves", "Served"];
    // The records that its view held then.
    let leads = |text: String, version: VersionPoint| {
        let number = NumberOf { within: Some((0, version.view_position)), ..NumberOf::default() };
        // One that is gone has no records any more.
        let view = state.version(version.version).map(|_| BookView::Version(version.version));
        Cell::leading(text, view.and_then(|view| behind(view, &number)))
    };
    let row = |point: &KappaPoint| {
        let mut row = vec![Cell::from(format::seconds(point.tick))];
        for version in point.versions {
            row.push(number(version.map(|version| version.version)).into());
            row.push(version.map_or_else(
                || "-".to_owned().into(),
                |version| leads(state.measure.text(&version.view), version),
            ));
        }
        row.push(number(point.serving).into());
        let mut versions = point.versions.into_iter().flatten();
        let served = state.measure.text(&point.served);
        let serving = versions.find(|version| Some(version.version) == point.serving);
        row.push(match serving {
            Some(version) => leads(served, version),
            None => served.into(),
        });
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
    columns.push(Column::number("Whole log, run's rules", 150.0));
    let view_of = |version: Option<&VersionFrame>| version.map(|version| BookView::Version(version.number));
    let serving = view_of(kappa.serving.as_ref());
    let other = view_of(kappa.other.as_ref().map(|(_, version)| version));
    let row = |row: &VersionGroup| {
        let number = NumberOf { page: row.page.clone(), day: row.day, within: None };
        let leads = |totals: &Totals, view: Option<BookView>| {
            Cell::leading(text(totals), view.and_then(|view| behind(view, &number)))
        };
        let mut cells = vec![row.label.clone().into(), leads(&row.serving, serving)];
        if other.is_some() {
            let off = measure.difference(&row.other, &row.serving);
            cells.extend([leads(&row.other, other), measure.difference_text(off).into()]);
        }
        cells.push(leads(&row.log, Some(BookView::Log)));
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
    let columns = vec![
        Column::number("Run time", 92.0),
        Column::number("Version", 72.0),
        Column::text("What"),
        Column::number("Record", 108.0),
    ];
    Twin::of_texts(columns, marks.iter().map(row))
}
