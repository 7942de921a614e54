//! Users of cells, by dense numbers: a count asks for each of them many times, and most records are the only one of their
//! user in their cell.

use std::collections::HashMap;

use rustc_hash::{FxBuildHasher, FxHashSet};

use super::case::at;

/// A user of a cell, within a part where parts are added.
pub(super) type Pair = (u64, u32);

/// No pair: the record does not count, or has no user.
pub(super) const NO_PAIR: u32 = u32::MAX;

/// Which pairs there are, and how many records each has.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs {
    ids: HashMap<Pair, u32, FxBuildHasher>,
    records: Vec<u32>,
}

/// Lists that are all zero between two uses: they would have to be as long as the log for each hypothesis.
#[derive(Debug, Default)]
pub(super) struct Slate {
    pairs: Vec<i32>,
    cells: Vec<u32>,
    /// Pairs that no record is in as yet.
    fresh: FxHashSet<Pair>,
    /// The places of their cells.
    fresh_places: Vec<usize>,
    touched: Vec<(u32, usize)>,
}

impl Pairs {
    /// None, with room for those of so many records.
    pub fn with_room(records: usize) -> Pairs {
        let ids = HashMap::with_capacity_and_hasher(records, FxBuildHasher);
        Pairs { ids, records: Vec::with_capacity(records) }
    }

    /// One record more; the pair's number, and whether this is its first record.
    pub fn add(&mut self, pair: Pair) -> (u32, bool) {
        let next = u32::try_from(self.records.len()).unwrap_or(NO_PAIR);
        let id = *self.ids.entry(pair).or_insert(next);
        if id == next {
            self.records.push(0);
        }
        let Some(records) = self.records.get_mut(id as usize) else { return (NO_PAIR, false) };
        *records += 1;
        (id, *records == 1)
    }

    /// One record less; whether that was the last one.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(records) = self.records.get_mut(id as usize) else { return false };
        let was_there = *records > 0;
        *records = records.saturating_sub(1);
        was_there && *records == 0
    }

    fn records(&self, id: u32) -> u32 {
        at(&self.records, id)
    }

    /// By cell, how many users more there are when those of each part are added. `records`: cell, pair and part of each
    /// record that counts. `only_once`: no part has two records.
    pub fn users_added(
        &self,
        records: impl Iterator<Item = (u32, u32, u32)>,
        cells: usize,
        parts: Parts,
    ) -> Vec<i64> {
        let mut more = vec![0_i64; cells];
        let mut seen = vec![false; self.records.len()];
        let mut apart: FxHashSet<u64> = FxHashSet::default();
        for (cell, id, part) in records {
            if self.records(id) < 2 {
                continue;
            }
            let is_new = match parts {
                Parts::OfRecords => true,
                Parts::Shared => apart.insert(u64::from(id) << 32 | u64::from(part)),
            };
            let (Some(seen), Some(more)) = (seen.get_mut(id as usize), more.get_mut(cell as usize)) else {
                continue;
            };
            // The first part of a pair is the user that is there anyway.
            *more += i64::from(is_new && *seen);
            *seen = true;
        }
        more
    }
}

/// Whether several records can lie in one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    Shared,
    /// Every record is a part of its own.
    OfRecords,
}

impl Slate {
    /// The place of a cell in a list of changed ones; `next` where it is new there.
    pub fn place(&mut self, cell: u32, next: usize) -> usize {
        let at = cell as usize;
        if self.cells.len() <= at {
            self.cells.resize(at + 1, 0);
        }
        let Some(slot) = self.cells.get_mut(at) else { return next };
        if *slot == 0 {
            *slot = u32::try_from(next + 1).unwrap_or(u32::MAX);
        }
        (*slot - 1) as usize
    }

    /// A pair has a record more or less. `place`: that of its cell.
    pub fn note(&mut self, id: u32, by: i32, place: usize) {
        if id == NO_PAIR {
            return;
        }
        let at = id as usize;
        if self.pairs.len() <= at {
            self.pairs.resize(at + 1, 0);
        }
        if let Some(slot) = self.pairs.get_mut(at) {
            *slot += by;
            self.touched.push((id, place));
        }
    }

    /// A record joins a pair, which may have none as yet.
    pub fn join(&mut self, pairs: &Pairs, pair: Pair, place: usize) {
        match pairs.ids.get(&pair) {
            Some(&id) => self.note(id, 1, place),
            None => {
                if self.fresh.insert(pair) {
                    self.fresh_places.push(place);
                }
            }
        }
    }

    /// Says of each place how many users more or less there are, and is clean again.
    pub fn close(
        &mut self,
        pairs: &Pairs,
        cells: impl Iterator<Item = u32>,
        mut users: impl FnMut(usize, i64),
    ) {
        for (id, place) in self.touched.drain(..) {
            let Some(slot) = self.pairs.get_mut(id as usize) else { continue };
            // A pair that was touched several times is settled the first time.
            let by = i64::from(std::mem::take(slot));
            let before = i64::from(pairs.records(id));
            users(place, i64::from(before + by > 0) - i64::from(before > 0));
        }
        self.fresh.clear();
        self.fresh_places.drain(..).for_each(|place| users(place, 1));
        for cell in cells {
            if let Some(slot) = self.cells.get_mut(cell as usize) {
                *slot = 0;
            }
        }
    }
}
