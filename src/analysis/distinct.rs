//! Distinct users by group, for whole logs: collected first, sorted once. A hash set of every user of every cell costs a
//! cache miss a record.

use crate::domain::UserId;

/// So many are collected before repetitions are thrown out, at least.
const LEAST_KEPT: usize = 1 << 16;

/// Users of groups, each group and user once when it is closed.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    keys: Vec<u64>,
    /// How many there were after the last time.
    distinct: usize,
}

/// A group's user as one number: sorted by group, then by user.
pub(super) fn key_of(group: u32, user: UserId) -> u64 {
    u64::from(group) << 32 | u64::from(user.0)
}

/// The group of a key.
pub(super) fn group_of(key: u64) -> usize {
    usize::try_from(key >> 32).unwrap_or(usize::MAX)
}

impl Distinct {
    /// Adds a group's user.
    pub fn add(&mut self, group: u32, user: UserId) {
        if self.keys.len() >= LEAST_KEPT.max(2 * self.distinct) {
            self.settle();
        }
        self.keys.push(key_of(group, user));
    }

    /// Each group's users in order, each once.
    pub fn close(mut self) -> Vec<u64> {
        self.settle();
        self.keys
    }

    fn settle(&mut self) {
        self.keys.sort_unstable();
        self.keys.dedup();
        self.distinct = self.keys.len();
    }
}
