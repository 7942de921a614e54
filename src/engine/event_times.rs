//! Event time against arrival, for the window: looked at on the thread for answers, kept for as long as the log stays the
//! same.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{
    protocol::{Answer, EngineEvent, LATENESSES, TilesOf},
    session::Session,
};
use crate::{
    analysis::{EventTimes, Judging, LateBits, close_up, event_times},
    domain::{DayRule, Lateness},
    ingest::LogIndex,
};

/// Answers kept: going back and forth between two allowances costs nothing.
const KEPT: usize = 6;

/// What was looked at before, newest last. Only the thread for answers locks it.
#[derive(Debug, Clone, Default)]
pub(super) struct EventTimesCache(Arc<Mutex<Vec<Kept>>>);

#[derive(Debug)]
struct Kept {
    index: Weak<LogIndex>,
    judging: Judging,
    looked: Looked,
}

/// The log, and which of its records are late.
#[derive(Debug, Clone)]
struct Looked {
    times: Arc<EventTimes>,
    late: Arc<LateBits>,
}

impl EventTimesCache {
    fn get(&self, index: &Arc<LogIndex>, judging: &Judging) -> Looked {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // An older version of a growing log is never asked about again.
        kept.retain(|kept| std::ptr::eq(kept.index.as_ptr(), Arc::as_ptr(index)));
        if let Some(found) = kept.iter().find(|kept| kept.judging == *judging) {
            return found.looked.clone();
        }
        let (times, late) = event_times(index, judging, &LATENESSES);
        let looked = Looked { times: Arc::new(times), late: Arc::new(late) };
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(Kept { index: Arc::downgrade(index), judging: judging.clone(), looked: looked.clone() });
        looked
    }
}

impl Session {
    /// Looks at the loaded log, under the run's own lateness or another one.
    pub(super) fn answer_event_times(&mut self, number: u64, lateness: Option<Lateness>) {
        let Some((index, judging)) = self.judging(lateness) else { return self.not_loaded(number) };
        let cache = self.event_times.clone();
        self.answer_later(number, move || Answer::EventTimes(cache.get(&index, &judging).times));
    }

    /// Looks closer at a part of it.
    pub(super) fn answer_tiles(&mut self, number: u64, of: TilesOf) {
        let Some((index, judging)) = self.judging(of.lateness) else { return self.not_loaded(number) };
        let (cache, wanted) = (self.event_times.clone(), self.wanted(number));
        self.answer_later(number, move || {
            let late = cache.get(&index, &judging).late;
            Answer::Tiles(Arc::new(close_up(&index, of.window, &late, || wanted.is_wanted())))
        });
    }

    /// What is looked at, and by what lateness is judged; `None` before anything is loaded.
    fn judging(&self, lateness: Option<Lateness>) -> Option<(Arc<LogIndex>, Judging)> {
        let open = self.open.as_ref()?;
        let settings = open.scenario.settings;
        let judging = Judging {
            days: DayRule::parse(&open.mapping.zone).unwrap_or(DayRule::Utc),
            lateness: lateness.unwrap_or(settings.lateness),
            idle_after_records: settings.idle_after_records,
        };
        Some((open.index.clone()?, judging))
    }

    fn not_loaded(&self, number: u64) {
        let why = if self.open.is_some() { "nothing is loaded yet" } else { "no log is open" };
        self.tell(EngineEvent::Answered(number, Answer::Nothing(why.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::test_support::opened;

    #[test]
    fn one_log_is_looked_at_once_for_each_lateness() {
        let open = opened("clicks");
        let cache = EventTimesCache::default();
        let under = |lateness| {
            cache.get(&open.index, &Judging { days: DayRule::Utc, lateness, idle_after_records: 10 }).times
        };
        let first = under(Lateness::Unbounded);
        assert!(!Arc::ptr_eq(&first, &under(Lateness::Within(0))));
        assert!(Arc::ptr_eq(&first, &under(Lateness::Unbounded)));
        let other = opened("clicks").index;
        let judging = Judging { days: DayRule::Utc, lateness: Lateness::Unbounded, idle_after_records: 10 };
        assert!(!Arc::ptr_eq(&first, &cache.get(&other, &judging).times), "another version of the log");
        assert_eq!(*first, *cache.get(&other, &judging).times);
    }
}
