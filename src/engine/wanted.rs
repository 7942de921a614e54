//! Whether anybody still waits for an answer: a newer question of the same kind takes the place of an older one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::protocol::Query;

/// Questions of which the newest is the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Records,
    Listing,
    Numbers,
    Fates,
    Rows,
    Differences,
    Versions,
    Handover,
    Serving,
    Pages,
    EventTimes,
    Tiles,
    Comparison,
    Proof,
    TradeOff,
    /// Answered at once.
    Other,
}

impl Topic {
    /// Of a question.
    pub fn of(query: &Query) -> Topic {
        match query {
            Query::Records { .. } => Topic::Records,
            Query::RecordsOf { .. } => Topic::Listing,
            Query::NumbersOf { .. } => Topic::Numbers,
            Query::Fates { .. } => Topic::Fates,
            Query::Rows { .. } => Topic::Rows,
            Query::Differences { .. } => Topic::Differences,
            Query::VersionDifferences => Topic::Versions,
            Query::Handover { .. } => Topic::Handover,
            Query::Ask { .. } => Topic::Serving,
            Query::Pages { .. } => Topic::Pages,
            Query::EventTimes(_) => Topic::EventTimes,
            Query::Tiles(_) => Topic::Tiles,
            Query::Compare(_) => Topic::Comparison,
            Query::Proof { .. } => Topic::Proof,
            Query::TradeOff(_) => Topic::TradeOff,
            Query::Malformed { .. } | Query::Late { .. } | Query::CheckpointContents { .. } | Query::Runs => {
                Topic::Other
            }
        }
    }
}

/// No question has this number.
const NONE: u64 = u64::MAX;

/// The newest question of each topic.
#[derive(Debug, Default)]
pub(super) struct Newest {
    by_topic: BTreeMap<Topic, Arc<AtomicU64>>,
}

impl Newest {
    /// A question was put: older ones of its topic need no answer any more.
    pub fn put(&mut self, number: u64, topic: Topic) {
        self.by_topic.entry(topic).or_default().store(number, Ordering::Relaxed);
    }

    /// Whoever put a question wants no answer any more.
    pub fn withdraw(&mut self, number: u64) {
        for newest in self.by_topic.values() {
            // A newer question of the topic stays.
            let _newer = newest.compare_exchange(number, NONE, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Says of a question whether it is wanted. One that was never put is wanted to its end.
    pub fn wanted(&self, number: u64) -> Wanted {
        let newest = self.by_topic.values().find(|newest| newest.load(Ordering::Relaxed) == number);
        Wanted(newest.map(|newest| (Arc::clone(newest), number)))
    }
}

/// Whether an answer is still wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Option<(Arc<AtomicU64>, u64)>);

impl Wanted {
    /// Costs next to nothing.
    pub fn is_wanted(&self) -> bool {
        self.0.as_ref().is_none_or(|(newest, number)| newest.load(Ordering::Relaxed) == *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_question_of_a_topic_is_the_wanted_one() {
        let mut newest = Newest::default();
        newest.put(1, Topic::Fates);
        newest.put(2, Topic::Listing);
        let (fates, listing) = (newest.wanted(1), newest.wanted(2));
        assert!(fates.is_wanted() && listing.is_wanted());
        newest.put(3, Topic::Listing);
        assert!(fates.is_wanted() && !listing.is_wanted() && newest.wanted(3).is_wanted());
        assert!(newest.wanted(99).is_wanted(), "nobody put it: nothing replaces it");
        newest.withdraw(2);
        assert!(newest.wanted(3).is_wanted(), "an older one is withdrawn");
        let third = newest.wanted(3);
        newest.withdraw(3);
        assert!(!third.is_wanted() && fates.is_wanted());
    }
}
