//! The rows of a view, put together on the thread that answers: a merged view of a large log takes longer than a tick.

use std::{path::PathBuf, sync::Arc};

use super::{
    books::speed_views,
    export::{Format, TableRow, render, sums},
    keeping::NEVER_WRITTEN,
    protocol::{Answer, EngineEvent, ViewKind},
    recounts::{RecountOf, Recounts},
    runs::replace_file,
    session::Session,
    wanted::Wanted,
};
use crate::{
    domain::{CanonicalRow, Cell, KeyId, View},
    processing::BatchView,
};

/// All that the rows of a view are made of.
struct ViewRows {
    kind: ViewKind,
    batch: Arc<BatchView>,
    /// Only where they are asked for.
    speed: Vec<View>,
    recounts: Recounts,
    of: RecountOf,
    covers: u64,
    wanted: Wanted,
}

impl Session {
    fn view_rows(&self, kind: ViewKind) -> Option<ViewRows> {
        let lane = self.open.as_ref()?.lane.as_ref()?;
        let speed = match kind {
            ViewKind::Speed | ViewKind::Merged => speed_views(lane),
            ViewKind::Version(number) => {
                let version = lane.kappa.as_ref()?.kappa.version(number)?;
                version.view().speed().buckets.iter().map(|bucket| bucket.view.clone()).collect()
            }
            ViewKind::Batch | ViewKind::Recount => Vec::new(),
        };
        Some(ViewRows {
            kind,
            batch: Arc::clone(lane.lambda.batch()),
            speed,
            recounts: self.recounts.clone(),
            of: RecountOf { run: self.run, rules: lane.plan.rules, index: Arc::clone(&lane.index) },
            covers: lane.covers(),
            wanted: Wanted::default(),
        })
    }

    /// A page of the rows of a view.
    pub(super) fn answer_rows(&mut self, number: u64, kind: ViewKind, first: u64, count: u32) {
        let Some(view) = self.view_rows(kind) else {
            let nothing = Answer::Nothing("that view is not there".to_owned());
            return self.tell(EngineEvent::Answered(number, nothing));
        };
        let view = ViewRows { wanted: self.wanted(number), ..view };
        self.answer_later(number, move || {
            let rows = view.rows();
            let total = rows.len() as u64;
            let first = usize::try_from(first).unwrap_or(usize::MAX);
            let rows: Vec<CanonicalRow> = rows.into_iter().skip(first).take(count as usize).collect();
            Answer::Rows { finals: view.finals(&rows), rows, total }
        });
    }

    /// Writes a view by and by.
    pub(super) fn export_view(&mut self, kind: ViewKind, path: PathBuf) {
        const WHAT: &str = "export the view";
        let Some(sums) = self.open.as_ref().map(|open| sums(&open.mapping)) else { return };
        if self.open.as_ref().is_some_and(|open| open.log.contains(&path)) {
            return self.failed(WHAT, NEVER_WRITTEN);
        }
        let Some(view) = self.view_rows(kind) else {
            return self.failed(WHAT, "that view is not there");
        };
        self.tell_later(WHAT, move || {
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            let format = if is_json { Format::Json } else { Format::Csv };
            let rows = view.rows();
            let rows: Vec<TableRow<'_>> = rows.iter().map(TableRow::from).collect();
            match replace_file(&path, render(&rows, format, sums).as_bytes()) {
                Ok(()) => EngineEvent::Saved(path),
                Err(error) => EngineEvent::Failed { what: WHAT.to_owned(), why: error.to_string() },
            }
        });
    }
}

impl ViewRows {
    fn rows(&self) -> Vec<CanonicalRow> {
        let index = &self.of.index;
        let canonical = |view: &View| view.canonical(index.keys());
        match self.kind {
            ViewKind::Batch => canonical(&self.batch.view),
            ViewKind::Speed | ViewKind::Version(_) => canonical(&self.united(View::new())),
            ViewKind::Merged => canonical(&self.united(self.batch.view.clone())),
            ViewKind::Recount => self.recounts.read(&self.of, self.covers, &self.wanted, canonical),
        }
    }

    /// How many page views of each row the batch view has; only of the merged view some are final and some are not.
    fn finals(&self, rows: &[CanonicalRow]) -> Vec<u64> {
        let views = |row: &CanonicalRow| {
            let key = KeyId(self.of.index.keys().find(&row.page)?);
            Some(self.batch.view.row(Cell { key, day: row.day })?.views)
        };
        match self.kind {
            ViewKind::Merged => rows.iter().map(|row| views(row).unwrap_or_default()).collect(),
            ViewKind::Batch | ViewKind::Speed | ViewKind::Recount | ViewKind::Version(_) => Vec::new(),
        }
    }

    fn united(&self, mut view: View) -> View {
        for speed in &self.speed {
            view.merge_named(speed, self.of.index.users());
        }
        view
    }
}
