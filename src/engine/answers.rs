//! Answers to questions about things too large for a frame.

use std::{path::Path, sync::Arc};

use super::{
    export::{Format, TableRow, render, sums},
    keeping::NEVER_WRITTEN,
    lane::Lane,
    protocol::{Answer, EngineEvent, IssueLine, KeptRun, Query, RecordLine, ViewKind},
    read_model::counted_in_merged,
    runs::{RunDirectory, delete_run, kept_runs, open_disk_read_only, replace_file},
    session::Session,
};
use crate::{
    checkpoint::{checkpoint_name, decode_checkpoint, inspect},
    domain::{CanonicalRow, Verdict, View},
    ingest::LogIndex,
};

/// Records handed out at once.
const MOST_RECORDS: u32 = 1_000;
/// Longest line shown.
const MOST_TEXT: usize = 4_096;

impl Session {
    /// Answers now, or (what needs files or all records) by and by.
    pub(super) fn answer(&mut self, number: u64, query: &Query) {
        let answer = match query {
            Query::Records { first, count } => return self.answer_records(number, *first, *count),
            Query::Malformed { first, count } => self.malformed(*first, *count),
            Query::Rows { view, first, count, .. } => self.rows(*view, *first, *count),
            Query::CheckpointContents { id, .. } => self.contents(id.0),
            Query::Handover { setup, .. } => return self.answer_handover(number, setup),
            Query::Runs => Answer::Runs(self.other_runs()),
            Query::Ask { page, from, to, .. } => return self.answer_asked(number, page, *from, *to),
            Query::Pages { text, most } => return self.answer_pages(number, text.clone(), *most),
        };
        self.tell(EngineEvent::Answered(number, answer));
    }

    /// Kept runs but the open one.
    fn other_runs(&self) -> Vec<KeptRun> {
        let open = self.open.as_ref().and_then(|open| open.directory.as_ref()).map(RunDirectory::name);
        let runs = self.options.runs.as_deref().map(kept_runs).unwrap_or_default();
        runs.into_iter().filter(|run| Some(&run.name) != open.as_ref()).collect()
    }

    fn index(&self) -> Option<&Arc<LogIndex>> {
        self.open.as_ref().and_then(|open| open.index.as_ref())
    }

    fn answer_records(&mut self, number: u64, first: u64, count: u32) {
        let Some(index) = self.index().map(Arc::clone) else {
            return self.tell(EngineEvent::Answered(number, Answer::Nothing("no log is open".to_owned())));
        };
        let count = count.min(MOST_RECORDS);
        let lane = self.open.as_ref().and_then(|open| open.lane.as_ref());
        let known: Vec<RecordLine> = (first..index.len().min(first.saturating_add(u64::from(count))))
            .map(|record| known_of(&index, lane, record))
            .collect();
        self.answer_later(number, move || with_lines(&index, known, first, count));
    }

    fn malformed(&self, first: u64, count: u32) -> Answer {
        let Some(index) = self.index() else { return Answer::Nothing("no log is open".to_owned()) };
        let lines =
            index.issues().iter().skip(usize::try_from(first).unwrap_or(usize::MAX)).take(count as usize);
        let line = |issue: &crate::ingest::Issue| IssueLine {
            file: issue.file.to_string(),
            line: issue.line,
            reason: issue.reason.to_string(),
        };
        Answer::Malformed { lines: lines.map(line).collect(), total: index.counts().malformed }
    }

    fn view_rows(&mut self, view: ViewKind) -> Option<Vec<CanonicalRow>> {
        let open = self.open.as_mut()?;
        let index = open.index.clone()?;
        let lane = open.lane.as_mut()?;
        let canonical = |view: &View| view.canonical(index.keys());
        Some(match view {
            ViewKind::Batch => canonical(&lane.lambda.batch().view),
            ViewKind::Speed => canonical(&lane.lambda.speed().view()),
            ViewKind::Merged => canonical(&lane.lambda.merged_view(index.users())),
            ViewKind::Recount => {
                let covers = lane.covers();
                canonical(lane.recount.view(&index, covers))
            }
        })
    }

    fn rows(&mut self, view: ViewKind, first: u64, count: u32) -> Answer {
        let Some(rows) = self.view_rows(view) else {
            return Answer::Nothing("nothing is there yet".to_owned());
        };
        let total = rows.len() as u64;
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        Answer::Rows { rows: rows.into_iter().skip(first).take(count as usize).collect(), total }
    }

    fn contents(&self, id: u64) -> Answer {
        let Some(directory) = self.open.as_ref().and_then(|open| open.directory.as_ref()) else {
            return Answer::Nothing("this run keeps its checkpoints in memory".to_owned());
        };
        let read =
            open_disk_read_only(&directory.checkpoints()).and_then(|disk| disk.read(&checkpoint_name(id)));
        match read {
            Ok(Some(bytes)) => Answer::CheckpointContents(sections(&bytes)),
            Ok(None) => Answer::Nothing(format!("checkpoint {id} is not there any more")),
            Err(error) => Answer::Nothing(error.to_string()),
        }
    }

    pub(super) fn export_view(&mut self, view: ViewKind, path: &Path) {
        let Some(sums) = self.open.as_ref().map(|open| sums(&open.mapping)) else { return };
        let Some(rows) = self.view_rows(view) else {
            return self.failed("export the view", "nothing is there yet");
        };
        if self.open.as_ref().is_some_and(|open| open.log.contains(path)) {
            return self.failed("export the view", NEVER_WRITTEN);
        }
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let format = if is_json { Format::Json } else { Format::Csv };
        let rows: Vec<TableRow<'_>> = rows.iter().map(TableRow::from).collect();
        match replace_file(path, render(&rows, format, sums).as_bytes()) {
            Ok(()) => self.tell(EngineEvent::Saved(path.to_owned())),
            Err(error) => self.failed("export the view", &error.to_string()),
        }
    }

    pub(super) fn delete_run(&mut self, name: &str) {
        let is_open =
            self.open.as_ref().and_then(|open| open.directory.as_ref()).is_some_and(|dir| dir.name() == name);
        let Some(runs) = self.options.runs.clone().filter(|_| !is_open) else {
            return self.failed("delete the run", "it is the run that is open");
        };
        if let Err(error) = delete_run(&runs, name) {
            self.failed("delete the run", &error.to_string());
        }
    }
}

/// What the engine knows of a record without reading its file.
fn known_of(index: &LogIndex, lane: Option<&Lane>, number: u64) -> RecordLine {
    let read = lane.map_or(0, |lane| lane.ledger.deliveries().count(number));
    let counted = lane.map_or(0, |lane| counted_in_merged(lane, number));
    let in_batch = lane.is_some_and(|lane| number < lane.batch.covers);
    let fate = match index.verdict(number) {
        Some(Verdict::Malformed) => "malformed",
        Some(Verdict::Redelivery) => "redelivered",
        Some(Verdict::MissingUser) => "no user",
        Some(Verdict::Duplicate) => "duplicate",
        Some(Verdict::Late) => "late",
        Some(Verdict::Counted) if counted > 1 => "counted more than once",
        Some(Verdict::Counted) if counted == 1 && in_batch => "counted in batch",
        Some(Verdict::Counted) if counted == 1 => "counted in speed",
        Some(Verdict::Counted) if read > 0 => "read, not counted now",
        Some(Verdict::Counted) | None => "not yet read",
    };
    RecordLine { number, fate: fate.to_owned(), read, counted, ..RecordLine::default() }
}

fn with_lines(index: &LogIndex, mut known: Vec<RecordLine>, first: u64, count: u32) -> Answer {
    match index.read_lines(first, count) {
        Ok(lines) => {
            for (record, line) in known.iter_mut().zip(lines) {
                record.partition =
                    index.partitions().get(line.partition.index()).cloned().unwrap_or_default();
                record.offset = line.offset;
                record.file = line.segment.to_string();
                record.line = line.line;
                record.text = line.text.chars().take(MOST_TEXT).collect();
            }
            Answer::Records(known)
        }
        Err(error) => Answer::Nothing(error.to_string()),
    }
}

fn sections(bytes: &[u8]) -> Vec<(String, u64, String)> {
    let checkpoint = decode_checkpoint(bytes).ok();
    let words = |name: &str| {
        let Some(checkpoint) = &checkpoint else { return String::new() };
        let state = &checkpoint.state;
        match name {
            "section \"positions\"" => match &checkpoint.stamp.positions {
                Some(saved) => {
                    let each: Vec<String> =
                        saved.iter().map(|at| format!("{} {}", at.partition, at.record)).collect();
                    each.join(", ")
                }
                None => "-1".to_owned(),
            },
            "section \"buckets\"" => format!("{} buckets", state.buckets.len()),
            "section \"cells\"" => {
                let cells: usize = state.buckets.iter().map(|bucket| bucket.view.rows().len()).sum();
                let views: u64 = state.buckets.iter().map(|bucket| bucket.view.total_views()).sum();
                format!("{cells} cells, {views} page views")
            }
            "section \"names\"" => {
                format!("{} pages, {} users", checkpoint.keys.len(), checkpoint.users.len())
            }
            "section \"settings\"" => checkpoint.stamp.guarantee.to_string(),
            _ => String::new(),
        }
    };
    inspect(bytes)
        .into_iter()
        .map(|part| {
            let text = part.problem.map_or_else(|| words(&part.name), |problem| problem.to_string());
            (part.name, part.bytes, text)
        })
        .collect()
}
