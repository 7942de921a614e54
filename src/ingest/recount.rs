//! The full recount by page and by day, for any prefix of an index.

use std::collections::BTreeMap;

use super::{LogIndex, Totals};
use crate::domain::{Day, KeyId, Verdict};

/// Views, distinct users and sums of each page and each day over the first `n` records.
///
/// Going forward costs the records in between; going back starts again. Distinct users come from the index's "first
/// of its page" and "first of its day" bits, so there is no set of users here.
#[derive(Debug, Clone, Default)]
pub struct GroupRecount {
    at: u64,
    keys: Vec<Totals>,
    days: BTreeMap<Day, Totals>,
}

impl GroupRecount {
    /// Over no record.
    pub fn new() -> GroupRecount {
        GroupRecount::default()
    }

    /// Goes to the first `n` records (or all that are loaded). `index` must be a version of one and the same log.
    pub fn advance_to(&mut self, index: &LogIndex, n: u64) {
        let n = n.min(index.len());
        if n < self.at {
            *self = GroupRecount::default();
        }
        // Neighbours mostly share their day.
        let mut last: Option<(Day, Totals)> = None;
        let days = &mut self.days;
        let mut settle = |ended: Option<(Day, Totals)>| {
            if let Some((day, totals)) = ended {
                days.entry(day).or_default().join(&totals);
            }
        };
        for (chunk, at) in index.places(self.at, n) {
            if chunk.verdict(at) != Some(Verdict::Counted) {
                continue;
            }
            let (first, value) = (chunk.first_of(at), chunk.value(at));
            let key = chunk.key(at).0 as usize;
            if self.keys.len() <= key {
                self.keys.resize(key + 1, Totals::default());
            }
            if let Some(totals) = self.keys.get_mut(key) {
                totals.add(value, first.key);
            }
            let day = chunk.day(at);
            match &mut last {
                Some((known, totals)) if *known == day => totals.add(value, first.day),
                _ => {
                    let mut totals = Totals::default();
                    totals.add(value, first.day);
                    settle(last.replace((day, totals)));
                }
            }
        }
        settle(last);
        self.at = n;
    }

    /// Over how many records.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Of a page.
    pub fn key(&self, key: KeyId) -> Totals {
        self.keys.get(key.0 as usize).copied().unwrap_or_default()
    }

    /// Of a day.
    pub fn day(&self, day: Day) -> Totals {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// Of every page that has a view, by id.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, Totals)> {
        (0..).map(KeyId).zip(self.keys.iter().copied()).filter(|(_, totals)| totals.views > 0)
    }

    /// Of every day, in order.
    pub fn days(&self) -> &BTreeMap<Day, Totals> {
        &self.days
    }
}
