//! Answers to questions about things too large for a frame.

use std::sync::Arc;

use super::{
    lineage_answers::{fates, listed, numbers, records},
    protocol::{Answer, EngineEvent, IssueLine, KeptRun, Query},
    runs::{RunDirectory, delete_run, kept_runs, open_disk_read_only},
    session::Session,
    wanted::Topic,
};
use crate::{
    checkpoint::{checkpoint_name, decode_checkpoint, inspect},
    ingest::LogIndex,
};

impl Session {
    /// Answers now, or (what needs files or all records) by and by.
    pub(super) fn answer(&mut self, number: u64, query: &Query) {
        self.newest.put(number, Topic::of(query));
        let answer = match query {
            Query::Records { first, count } => {
                let (first, count) = (*first, *count);
                return self.answer_from_books(number, move |books| records(books, first, count));
            }
            Query::Malformed { first, count } => self.malformed(*first, *count),
            Query::Rows { view, first, count, .. } => {
                return self.answer_rows(number, *view, *first, *count);
            }
            Query::Late { of, first, count } => self.late(*of, *first, *count),
            Query::CheckpointContents { id, .. } => self.contents(id.0),
            Query::Handover { setup, .. } => return self.answer_handover(number, setup),
            Query::Runs => Answer::Runs(self.other_runs()),
            Query::VersionDifferences => return self.answer_versions(number),
            Query::Compare(request) => return self.answer_compare(number, request),
            Query::Proof { view, of, first, count } => {
                return self.answer_proof(number, *view, *of, *first, *count);
            }
            Query::Fates { .. } => return self.answer_from_books(number, fates),
            Query::RecordsOf { listing, first, count, .. } => {
                let (listing, first, count) = (listing.clone(), *first, *count);
                return self.answer_from_books(number, move |books| listed(books, &listing, first, count));
            }
            Query::NumbersOf { record, .. } => {
                let record = *record;
                return self.answer_from_books(number, move |books| numbers(books, record));
            }
            Query::Differences { pair, .. } => return self.answer_differences(number, *pair),
            Query::Ask { page, from, to, .. } => return self.answer_asked(number, page, *from, *to),
            Query::EventTimes(lateness) => return self.answer_event_times(number, *lateness),
            Query::Tiles(request) => return self.answer_tiles(number, *request),
            Query::TradeOff(point) => return self.answer_trade_off(number, *point),
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
