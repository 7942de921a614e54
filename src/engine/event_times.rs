//! Event time against arrival, for the window: looked at on the thread for answers, kept for as long as the log stays the
//! same.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{
    protocol::{Answer, EngineEvent, LATENESSES},
    session::Session,
};
use crate::{
    analysis::{EventTimes, Judging, event_times},
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
    times: Arc<EventTimes>,
}

impl EventTimesCache {
    fn get(&self, index: &Arc<LogIndex>, judging: &Judging) -> Arc<EventTimes> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // An older version of a growing log is never asked about again.
        kept.retain(|kept| std::ptr::eq(kept.index.as_ptr(), Arc::as_ptr(index)));
        if let Some(found) = kept.iter().find(|kept| kept.judging == *judging) {
            return Arc::clone(&found.times);
        }
        let times = Arc::new(event_times(index, judging, &LATENESSES));
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(Kept { index: Arc::downgrade(index), judging: judging.clone(), times: Arc::clone(&times) });
        times
    }
}

impl Session {
    /// Looks at the loaded log, under the run's own lateness or another one.
    pub(super) fn answer_event_times(&mut self, number: u64, lateness: Option<Lateness>) {
        let Some(open) = self.open.as_ref() else {
            return self.tell(EngineEvent::Answered(number, Answer::Nothing("no log is open".to_owned())));
        };
        let Some(index) = open.index.clone() else {
            let why = "nothing is loaded yet".to_owned();
            return self.tell(EngineEvent::Answered(number, Answer::Nothing(why)));
        };
        let settings = open.scenario.settings;
        let judging = Judging {
            days: DayRule::parse(&open.mapping.zone).unwrap_or(DayRule::Utc),
            lateness: lateness.unwrap_or(settings.lateness),
            idle_after_records: settings.idle_after_records,
        };
        let cache = self.event_times.clone();
        self.answer_later(number, move || Answer::EventTimes(cache.get(&index, &judging)));
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
            cache.get(&open.index, &Judging { days: DayRule::Utc, lateness, idle_after_records: 10 })
        };
        let first = under(Lateness::Unbounded);
        assert!(!Arc::ptr_eq(&first, &under(Lateness::Within(0))));
        assert!(Arc::ptr_eq(&first, &under(Lateness::Unbounded)));
        let other = opened("clicks").index;
        let judging = Judging { days: DayRule::Utc, lateness: Lateness::Unbounded, idle_after_records: 10 };
        assert!(!Arc::ptr_eq(&first, &cache.get(&other, &judging)), "another version of the log");
        assert_eq!(*first, *cache.get(&other, &judging));
    }
}
