//! Full recounts for answers: folded beside the run's own, on the threads that answer, and kept from question to question,
//! since the next one is mostly about a little more of the same log.

use std::sync::{Arc, Mutex, PoisonError};

use super::{protocol::RunId, recount::Recount, wanted::Wanted};
use crate::{
    analysis::{Actual, Grouping, actual_of},
    domain::{Rules, View},
    ingest::LogIndex,
};

/// Records folded before it is asked whether anybody still waits.
const STEP_RECORDS: u64 = 65_536;

/// What a view shows: over the run, and by cell.
pub(super) type Shown = Arc<[Actual; 2]>;

/// What was folded for the newest run. Only the threads that answer lock it.
#[derive(Debug, Clone, Default)]
pub(super) struct Recounts(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    run: RunId,
    recount: Option<Recount>,
    /// Up to which record something is shown, and what. Two are kept: where the run stands, and the whole log.
    shown: Vec<(u64, Shown)>,
}

/// Of what a recount is asked for.
#[derive(Debug, Clone)]
pub(super) struct RecountOf {
    pub run: RunId,
    pub rules: Rules,
    pub index: Arc<LogIndex>,
}

impl Recounts {
    /// Reads the view of the first `records` records.
    pub fn read<T>(&self, of: &RecountOf, records: u64, wanted: &Wanted, read: impl FnOnce(&View) -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep_to(of.run);
        read(kept.view(of, records, wanted))
    }

    /// What the view of the first `records` records shows.
    pub fn shown(&self, of: &RecountOf, records: u64, wanted: &Wanted) -> Shown {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep_to(of.run);
        if let Some((_, shown)) = kept.shown.iter().find(|(at, _)| *at == records) {
            return Arc::clone(shown);
        }
        let view = kept.view(of, records, wanted);
        let shown = Arc::new([Grouping::Run, Grouping::Cells].map(|grouping| actual_of(&[view], grouping)));
        if wanted.is_wanted() {
            let whole = of.index.len();
            kept.shown.retain(|(at, _)| (*at == whole) != (records == whole));
            kept.shown.push((records, Arc::clone(&shown)));
        }
        shown
    }
}

impl Kept {
    fn keep_to(&mut self, run: RunId) {
        if self.run != run {
            *self = Kept { run, ..Kept::default() };
        }
    }

    fn view(&mut self, of: &RecountOf, records: u64, wanted: &Wanted) -> &View {
        let recount = self.recount.get_or_insert_with(|| Recount::new(of.rules));
        let mut at = recount.position().min(records);
        while at < records && wanted.is_wanted() {
            at = (at + STEP_RECORDS).min(records);
            recount.view(&of.index, at);
        }
        recount.view(&of.index, at)
    }
}
