//! Random runs with their books, for property tests: batch runs publish whenever they like, the stream crashes.

use proptest::prelude::*;

use super::{Actual, Books, Fate, Grouping, Layer, actual_of};
use crate::{
    domain::{Offsets, PartitionMemory, RangeCounts, Record, View, classify_in},
    ingest::Entry,
    processing::{BatchProcessor, BatchView, fold_range, test_support::rules},
};

/// Where batch and stream of a random run stand, in records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    cut: usize,
    served: usize,
    memory: usize,
    ever_read: usize,
}

/// A run over a log.
pub(super) struct Standing {
    entries: Vec<Entry>,
    start: Offsets,
    pub batch: BatchView,
    pub speed: (View, Vec<RangeCounts>),
    pub memory: (View, Vec<RangeCounts>),
    pub recount: View,
    served: Offsets,
    memory_to: Offsets,
    read: Offsets,
    covers: Offsets,
}

/// The records of a log with their verdicts.
pub(super) fn entries_of(log: &[Record]) -> Vec<Entry> {
    let mut memories: Vec<PartitionMemory> = Vec::new();
    let entry = |(number, record): (u64, &Record)| Entry {
        number,
        record: *record,
        verdict: classify_in(&mut memories, record, rules()),
        first: crate::domain::FirstOf::default(),
    };
    (0..).zip(log).map(entry).collect()
}

pub(super) fn vector(log: &[Record]) -> Offsets {
    let mut position = Offsets::start(2);
    for record in log {
        position.set(record.partition, record.offset + 1);
    }
    position
}

impl Run {
    /// Anywhere in a log of at most `most` records.
    pub fn any(most: usize) -> impl Strategy<Value = Run> {
        (0..=most, 0..=most, 0..=most, 0..=most).prop_map(|(cut, served, memory, more)| Run {
            cut,
            served,
            // A crash takes the memory back, never what is served.
            memory: memory.min(served),
            ever_read: served.max(more),
        })
    }

    /// The run over a log.
    pub fn over(self, log: &[Record]) -> Standing {
        let up_to = |records: usize| &log[..records.min(log.len())];
        let cut = vector(up_to(self.cut));
        let mut batch = BatchProcessor::new(rules(), cut.clone());
        for record in up_to(self.cut) {
            batch.apply(record);
        }
        let covers = self.cut.max(self.served);
        Standing {
            entries: entries_of(log),
            start: Offsets::start(2),
            batch: batch.publish().unwrap(),
            speed: fold_range(rules(), &cut, up_to(self.served)),
            memory: fold_range(rules(), &cut, up_to(self.memory)),
            recount: fold_range(rules(), &Offsets::start(2), up_to(covers)).0,
            served: vector(up_to(self.served)),
            memory_to: vector(up_to(self.memory)),
            read: vector(up_to(self.ever_read.max(self.cut))),
            covers: vector(up_to(covers)),
        }
    }
}

impl Standing {
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.entries.iter().copied()
    }

    pub fn batch_layer(&self) -> Layer<'_> {
        Layer { from: &self.start, to: &self.batch.cut, effects: &self.batch.effects, late: &[] }
    }

    fn above<'a>(&'a self, to: &'a Offsets, effects: &'a [RangeCounts]) -> Layer<'a> {
        Layer { from: &self.batch.cut, to, effects, late: &[] }
    }

    /// The books of all views.
    pub fn books(&self) -> Vec<(&'static str, Books<'_>)> {
        let (batch, read) = (self.batch_layer(), &self.read);
        let speed = self.above(&self.served, &self.speed.1);
        let memory = self.above(&self.memory_to, &self.memory.1);
        vec![
            ("batch", Books::Alone { layer: batch, counted: Fate::CountedInBatch, read: &self.batch.cut }),
            ("speed", Books::Speed { batch, speed, read }),
            ("memory", Books::Speed { batch, speed: memory, read }),
            ("merged", Books::Merged { batch, speed, read }),
            ("recount", Books::Recount { to: &self.covers }),
        ]
    }

    /// What the views show, in the order of [`Standing::books`].
    pub fn actual(&self, grouping: Grouping) -> Vec<Actual> {
        let merged = [&self.batch.view, &self.speed.0];
        vec![
            actual_of(&[&self.batch.view], grouping),
            actual_of(&[&self.speed.0], grouping),
            actual_of(&[&self.memory.0], grouping),
            actual_of(&merged, grouping),
            actual_of(&[&self.recount], grouping),
        ]
    }
}
