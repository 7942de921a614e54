//! The records of an index one after the other, each with all that the index knows of it.

use super::{LogIndex, chunk::CHUNK_RECORDS};
use crate::domain::{FirstOf, PartitionIndex, Record, Verdict};

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
        let mut offsets = self.offsets_at(from);
        let chunk_records = CHUNK_RECORDS as u64;
        let first = usize::try_from(from / chunk_records).unwrap_or(usize::MAX);
        // Chunk by chunk: to look each record's chunk up would cost as much as to read the record.
        let chunks =
            (0_u64..).zip(self.chunks()).skip(first).take_while(move |(at, _)| at * chunk_records < to);
        let places = chunks.flat_map(move |(number, chunk)| {
            let start = number * chunk_records;
            let skipped = usize::try_from(from.saturating_sub(start)).unwrap_or(usize::MAX);
            let end = usize::try_from(to - start).unwrap_or(usize::MAX).min(chunk.len());
            (skipped..end).map(move |at| (start + at as u64, chunk, at))
        });
        places.filter_map(move |(number, chunk, at)| {
            let partition = chunk.partition(at);
            let offset = offsets.get(partition);
            offsets.set(partition, offset + 1);
            let record = chunk.record(at, offset)?;
            Some(Entry { number, record, verdict: chunk.verdict(at)?, first: chunk.first_of(at) })
        })
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
