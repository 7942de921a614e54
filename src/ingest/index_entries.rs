//! The records of an index one after the other, each with all that the index knows of it.

use std::sync::Arc;

use super::{
    LogIndex,
    chunk::{CHUNK_RECORDS, Chunk},
};
use crate::domain::{Day, FirstOf, KeyId, Offsets, PartitionIndex, Record, UserId, Verdict};

/// A record with what the index knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// 0-based number in delivery order.
    pub number: u64,
    /// The record.
    pub record: Record,
    /// The batch verdict on it (never late).
    pub verdict: Verdict,
    /// In which scopes it is the first counted one of its user, in a full recount.
    pub first: FirstOf,
}

impl LogIndex {
    /// The records `[from, to)` in delivery order, as far as they are there. Costs a walk through the columns.
    pub fn entries(&self, from: u64, to: u64) -> impl Iterator<Item = Entry> {
        self.walk(from, to, |_, _| true)
    }

    /// Those of them with an event that `wanted` says yes to, by page, day and user: many times as fast where that is few.
    pub fn entries_where(
        &self,
        from: u64,
        to: u64,
        wanted: impl Fn(KeyId, Day, Option<UserId>) -> bool,
    ) -> impl Iterator<Item = Entry> {
        self.walk(from, to, move |chunk, at| {
            wanted(chunk.key(at), chunk.day(at), chunk.user(at)) && chunk.time(at).is_some()
        })
    }

    fn walk<F: Fn(&Chunk, usize) -> bool>(&self, from: u64, to: u64, wanted: F) -> Entries<'_, F> {
        let place = self.place(from);
        let chunk_number = usize::try_from(from / CHUNK_RECORDS as u64).unwrap_or(usize::MAX);
        Entries {
            chunks: self.chunks().get(chunk_number..).unwrap_or_default().iter(),
            chunk: None,
            at: place.map_or(CHUNK_RECORDS, |(_, at)| at),
            number: from,
            to: to.min(self.len()),
            offsets: self.offsets_at(from),
            wanted,
        }
    }

    /// One record; `None` where it is not there (yet).
    pub fn entry(&self, number: u64) -> Option<Entry> {
        self.entries(number, number.checked_add(1)?).next()
    }

    /// The index of a partition by name.
    pub fn partition_named(&self, name: &str) -> Option<PartitionIndex> {
        let at = self.partitions().iter().position(|known| known == name)?;
        u16::try_from(at).ok().map(PartitionIndex)
    }
}

/// A walk through the columns: an iterator of its own, since adapters would copy each record several times.
struct Entries<'a, F> {
    chunks: std::slice::Iter<'a, Arc<Chunk>>,
    chunk: Option<&'a Chunk>,
    /// Place in the chunk.
    at: usize,
    number: u64,
    to: u64,
    offsets: Offsets,
    wanted: F,
}

impl<F: Fn(&Chunk, usize) -> bool> Iterator for Entries<'_, F> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        while self.number < self.to {
            let chunk = match self.chunk {
                Some(chunk) if self.at < chunk.len() => chunk,
                known => {
                    // The first chunk may be entered in its middle.
                    self.at = if known.is_some() { 0 } else { self.at };
                    self.chunk = Some(self.chunks.next()?);
                    continue;
                }
            };
            let (at, number) = (self.at, self.number);
            (self.at, self.number) = (at + 1, number + 1);
            let partition = chunk.partition(at);
            let offset = self.offsets.next(partition);
            if !(self.wanted)(chunk, at) {
                continue;
            }
            let (Some(record), Some(verdict)) = (chunk.record(at, offset), chunk.verdict(at)) else {
                continue;
            };
            return Some(Entry { number, record, verdict, first: chunk.first_of(at) });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::shop_index;

    #[test]
    fn a_walk_gives_what_is_found_record_by_record_from_anywhere() {
        let index = shop_index();
        let len = index.len();
        for (from, to) in
            [(0, len), (1, 5_000), (4_095, 4_097), (4_096, 8_192), (len - 1, len + 9), (len, len + 1)]
        {
            let walked: Vec<(u64, Record)> =
                index.entries(from, to).map(|entry| (entry.number, entry.record)).collect();
            let each: Vec<(u64, Record)> =
                (from..to.min(len)).map(|number| (number, index.record(number).unwrap())).collect();
            assert_eq!(walked, each, "{from}..{to}");
            let some = |key: KeyId, _: Day, user: Option<UserId>| key.0 == 1 || user == Some(UserId(3));
            let found: Vec<u64> = index.entries_where(from, to, some).map(|entry| entry.number).collect();
            let expected = each.iter().filter(|(_, record)| {
                record.event.is_some_and(|event| some(event.key, event.day, event.user))
            });
            assert_eq!(found, expected.map(|(number, _)| *number).collect::<Vec<_>>());
        }
    }
}
