//! [`IndexSource`]: a [`RecordSource`] over a [`LogIndex`].

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::{LogError, LogIndex, RecordSource};
use crate::domain::{EventTime, NameTable, Offsets, PartitionIndex, Record};

/// Hands out what [`super::FileSource`] would, from memory.
///
/// A position that delivery passes through is a record number, and reading on is a walk through the columns. Any
/// other vector (a cut set by hand) is merged anew from its partitions' next records, as the files would be.
pub struct IndexSource {
    index: Arc<LogIndex>,
    position: Offsets,
    walk: Walk,
}

enum Walk {
    /// At this record number.
    Straight(u64),
    /// Number of the next record of each partition, and those ordered by delivery time and partition.
    Merging { heads: Vec<Option<u64>>, queue: BinaryHeap<Reverse<(Option<EventTime>, u16)>> },
}

impl IndexSource {
    /// At the start.
    pub fn new(index: Arc<LogIndex>) -> IndexSource {
        IndexSource { position: Offsets::start(index.partitions().len()), index, walk: Walk::Straight(0) }
    }

    /// Goes on with a later version of the same log.
    pub fn update(&mut self, index: Arc<LogIndex>) {
        self.index = index;
        if let Walk::Merging { .. } = self.walk {
            self.walk = self.merge();
        }
    }

    /// The version that is read.
    pub fn index(&self) -> &Arc<LogIndex> {
        &self.index
    }

    /// Number of the next record where the position is one that delivery passes through.
    pub fn record_number(&self) -> Option<u64> {
        match self.walk {
            Walk::Straight(number) => Some(number),
            Walk::Merging { .. } => None,
        }
    }

    /// Goes to a record number, at most to the end of what is loaded.
    pub fn seek_to_record(&mut self, number: u64) {
        let number = number.min(self.index.len());
        self.position = self.index.offsets_at(number);
        self.walk = Walk::Straight(number);
    }

    fn merge(&self) -> Walk {
        let mut heads = Vec::new();
        let mut queue = BinaryHeap::new();
        for partition in (0..self.index.partitions().len()).filter_map(|p| u16::try_from(p).ok()) {
            let head =
                self.index.number_of(PartitionIndex(partition), self.position.get(PartitionIndex(partition)));
            if let Some((chunk, at)) = head.and_then(|head| self.index.place(head)) {
                queue.push(Reverse((chunk.delivery_time(at), partition)));
            }
            heads.push(head);
        }
        Walk::Merging { heads, queue }
    }

    fn next(&mut self) -> Option<Record> {
        let number = match &mut self.walk {
            Walk::Straight(number) => *number,
            Walk::Merging { heads, queue } => {
                // A partition whose next record is not loaded yet might have to go first.
                if !self.index.is_last() && heads.contains(&None) {
                    return None;
                }
                let Reverse((_, partition)) = queue.pop()?;
                let head = heads.get_mut(usize::from(partition))?;
                let number = (*head)?;
                *head = self.index.next_of(PartitionIndex(partition), number + 1);
                if let Some((chunk, at)) = head.and_then(|head| self.index.place(head)) {
                    queue.push(Reverse((chunk.delivery_time(at), partition)));
                }
                number
            }
        };
        let (chunk, at) = self.index.place(number)?;
        let partition = chunk.partition(at);
        let record = chunk.record(at, self.position.get(partition))?;
        self.position.set(partition, record.offset + 1);
        if let Walk::Straight(number) = &mut self.walk {
            *number += 1;
        }
        Some(record)
    }
}

impl RecordSource for IndexSource {
    fn partitions(&self) -> &[String] {
        self.index.partitions()
    }

    fn position(&self) -> &Offsets {
        &self.position
    }

    fn seek(&mut self, position: &Offsets) -> Result<(), LogError> {
        let end = self.index.end();
        for (partition, name) in (0_u16..).map(PartitionIndex).zip(self.index.partitions()) {
            if position.get(partition) > end.get(partition) {
                let what = if self.index.complete() { "the partition ends" } else { "it is loaded up to" };
                let cause = format!("{what} at record {}", end.get(partition));
                return Err(LogError::BadPosition { partition: name.clone(), cause });
            }
        }
        let number = position.total();
        self.position = self.index.offsets_at(number);
        self.walk = Walk::Straight(number);
        let same = (0_u16..).map(PartitionIndex).zip(self.index.partitions());
        if same.into_iter().any(|(partition, _)| self.position.get(partition) != position.get(partition)) {
            for partition in (0_u16..).map(PartitionIndex).take(self.index.partitions().len()) {
                self.position.set(partition, position.get(partition));
            }
            self.walk = self.merge();
        }
        Ok(())
    }

    fn read(&mut self, limit: usize, records: &mut Vec<Record>) -> Result<usize, LogError> {
        for count in 0..limit {
            match self.next() {
                Some(record) => records.push(record),
                None => return Ok(count),
            }
        }
        Ok(limit)
    }

    fn keys(&self) -> &dyn NameTable {
        self.index.keys()
    }

    fn users(&self) -> &dyn NameTable {
        self.index.users()
    }
}
