//! What became of each record: one fate for each record and view, from the books that the processors keep themselves.
//!
//! A view's books are ranges of offsets with counts ("effects") for each layer that it is made of, and how far each layer
//! goes. Together with the verdicts of the index they say of every record whether the view counts it, how often, and if not,
//! why not. Fates of a view add up to the number of records; counts add up to its page views.

use crate::{
    domain::{Cell, Offsets, PartitionIndex, RangeCounts, Verdict},
    ingest::Entry,
};

/// What became of a record in a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// The batch layer counts it. In the speed view: it was handed over, the speed view itself does not count it.
    CountedInBatch,
    /// The speed layer counts it.
    CountedInSpeed,
    /// It counts, in a view of one layer.
    Counted,
    /// It counts more than once.
    CountedAgain,
    /// It came after its day was closed.
    Late,
    /// Its id was seen before.
    Duplicate,
    /// Its explicit offset was seen before.
    Redelivery,
    /// It has no user, and such records are skipped.
    NoUser,
    /// No event could be read from it.
    Malformed,
    /// It was read, and its effect is gone.
    Lost,
    /// It lies between what batch and what speed cover.
    Gap,
    /// It has not been read for this view.
    NotYetRead,
}

impl Fate {
    /// All, in the order of the screen.
    pub const ALL: [Fate; 12] = [
        Fate::CountedInBatch,
        Fate::CountedInSpeed,
        Fate::Counted,
        Fate::CountedAgain,
        Fate::Late,
        Fate::Duplicate,
        Fate::Redelivery,
        Fate::NoUser,
        Fate::Malformed,
        Fate::Lost,
        Fate::Gap,
        Fate::NotYetRead,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Fate::CountedInBatch => "counted in batch",
            Fate::CountedInSpeed => "counted in speed",
            Fate::Counted => "counted",
            Fate::CountedAgain => "counted more than once",
            Fate::Late => "late",
            Fate::Duplicate => "duplicate id",
            Fate::Redelivery => "redelivered",
            Fate::NoUser => "no user",
            Fate::Malformed => "malformed",
            Fate::Lost => "read, and lost",
            Fate::Gap => "between the layers",
            Fate::NotYetRead => "not yet read",
        }
    }

    fn of_verdict(verdict: Verdict) -> Option<Fate> {
        match verdict {
            Verdict::Malformed => Some(Fate::Malformed),
            Verdict::Redelivery => Some(Fate::Redelivery),
            Verdict::MissingUser => Some(Fate::NoUser),
            Verdict::Duplicate => Some(Fate::Duplicate),
            Verdict::Late => Some(Fate::Late),
            Verdict::Counted => None,
        }
    }
}

/// What a view makes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How often it counts in each layer: batch (or the only one), then speed.
    pub layers: [u32; 2],
    /// Where it counts, or would.
    pub cell: Option<Cell>,
    /// What became of it.
    pub fate: Fate,
}

impl Taken {
    /// How often it counts.
    pub fn times(self) -> u32 {
        let [first, second] = self.layers;
        first.saturating_add(second)
    }
}

/// Says of records, handed in in delivery order, what a view makes of them. Other orders are allowed and slower.
pub trait Ledger {
    /// What becomes of this record.
    fn take(&mut self, entry: &Entry) -> Taken;
}

/// One layer of a view: its bounds and what counts in it, by partition.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// First position.
    pub from: &'a Offsets,
    /// One past the last position.
    pub to: &'a Offsets,
    /// How often each record counts.
    pub effects: &'a [RangeCounts],
    /// Which records it dropped as late.
    pub late: &'a [RangeCounts],
}

/// The books of a view. `read`: one past the last record that was ever read for it, whatever became of the memory.
#[derive(Debug, Clone, Copy)]
pub enum Books<'a> {
    /// A full recount of what lies below a vector: the verdicts themselves.
    Recount {
        /// One past the last record.
        to: &'a Offsets,
    },
    /// One layer by itself: a batch view, a stream processor without a batch layer.
    Alone {
        /// Its layer.
        layer: Layer<'a>,
        /// What is said of a record that counts.
        counted: Fate,
        /// Ever read.
        read: &'a Offsets,
    },
    /// The speed layer of two.
    Speed {
        /// What the other layer covers.
        batch: Layer<'a>,
        /// The layer itself.
        speed: Layer<'a>,
        /// Ever read.
        read: &'a Offsets,
    },
    /// Both layers merged.
    Merged {
        /// Published.
        batch: Layer<'a>,
        /// Since.
        speed: Layer<'a>,
        /// Ever read.
        read: &'a Offsets,
    },
}

/// Reads books record by record.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    books: Books<'a>,
    /// Run at which each layer stands, by partition: records nearly always come in order.
    at: [Vec<usize>; 2],
}

impl<'a> Reader<'a> {
    /// At the first record.
    pub fn new(books: Books<'a>) -> Self {
        Reader { books, at: [Vec::new(), Vec::new()] }
    }
}

/// How often a layer counts a record.
fn count(at: &mut Vec<usize>, effects: &[RangeCounts], entry: &Entry) -> u32 {
    let (partition, offset) = (entry.record.partition.index(), entry.record.offset);
    let Some(runs) = effects.get(partition).map(RangeCounts::runs) else { return 0 };
    if at.len() <= partition {
        at.resize(partition + 1, 0);
    }
    let Some(at) = at.get_mut(partition) else { return 0 };
    // Nearly always in the run of the record before.
    if let Some(run) = runs.get(*at).filter(|run| (run.start..run.end).contains(&offset)) {
        return run.count;
    }
    let is_behind = |at: usize| at > 0 && runs.get(at - 1).is_some_and(|run| offset < run.end);
    if is_behind(*at) || runs.get(*at + 1).is_some_and(|run| run.end <= offset) {
        *at = runs.partition_point(|run| run.end <= offset);
    } else if runs.get(*at).is_some_and(|run| run.end <= offset) {
        *at += 1;
    }
    runs.get(*at).filter(|run| run.start <= offset).map_or(0, |run| run.count)
}

impl Ledger for Reader<'_> {
    fn take(&mut self, entry: &Entry) -> Taken {
        let cell = entry.record.event.map(|event| Cell { key: event.key, day: event.day });
        let [first_at, second_at] = &mut self.at;
        // By reference: books are large, and this is asked of every record.
        let (layers, fate) = match &self.books {
            &Books::Recount { to } => {
                let fate = absent(entry, to).unwrap_or(Fate::Counted);
                ([u32::from(fate == Fate::Counted), 0], fate)
            }
            Books::Alone { layer, counted: once, read } => {
                let count = count(first_at, layer.effects, entry);
                let fate = counted(count, *once)
                    .unwrap_or_else(|| absent(entry, read).unwrap_or_else(|| uncounted(entry, &[layer])));
                ([count, 0], fate)
            }
            Books::Speed { batch, speed, read } => {
                let count = count(second_at, speed.effects, entry);
                let fate = counted(count, Fate::CountedInSpeed).unwrap_or_else(|| {
                    let (partition, offset) = (entry.record.partition, entry.record.offset);
                    let handed_over = batch.to.contains(partition, offset)
                        && self::count(first_at, batch.effects, entry) > 0;
                    if handed_over {
                        return Fate::CountedInBatch;
                    }
                    absent(entry, read).unwrap_or_else(|| uncounted(entry, &[speed]))
                });
                ([0, count], fate)
            }
            Books::Merged { batch, speed, read } => {
                let layers = [count(first_at, batch.effects, entry), count(second_at, speed.effects, entry)];
                let once = if layers == [1, 0] { Fate::CountedInBatch } else { Fate::CountedInSpeed };
                let [first, second] = layers;
                let fate = counted(first.saturating_add(second), once).unwrap_or_else(|| {
                    absent(entry, read).unwrap_or_else(|| uncounted(entry, &[batch, speed]))
                });
                (layers, fate)
            }
        };
        Taken { layers, cell, fate }
    }
}

fn counted(times: u32, once: Fate) -> Option<Fate> {
    match times {
        0 => None,
        1 => Some(once),
        _ => Some(Fate::CountedAgain),
    }
}

/// Why a record cannot count, where that follows from it and from how far was read.
fn absent(entry: &Entry, read: &Offsets) -> Option<Fate> {
    if !read.contains(entry.record.partition, entry.record.offset) {
        return Some(Fate::NotYetRead);
    }
    Fate::of_verdict(entry.verdict)
}

/// Why a record that could count does not.
fn uncounted(entry: &Entry, layers: &[&Layer<'_>]) -> Fate {
    let (partition, offset) = (entry.record.partition, entry.record.offset);
    let is_late =
        |late: &[RangeCounts]| late.get(partition.index()).is_some_and(|runs| runs.count(offset) > 0);
    if layers.iter().any(|layer| is_late(layer.late)) {
        return Fate::Late;
    }
    match layers {
        [batch, speed] if lies_between(partition, offset, batch.to, speed.from) => Fate::Gap,
        _ => Fate::Lost,
    }
}

fn lies_between(partition: PartitionIndex, offset: u64, from: &Offsets, to: &Offsets) -> bool {
    !from.contains(partition, offset) && to.contains(partition, offset)
}

/// How many records have which fate in a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FateTally {
    counts: [u64; Fate::ALL.len()],
    views: u64,
}

impl FateTally {
    /// Adds a record.
    pub fn add(&mut self, taken: Taken) {
        if let Some(slot) = self.counts.get_mut(taken.fate as usize) {
            *slot += 1;
        }
        self.views += u64::from(taken.times());
    }

    /// Records with this fate.
    pub fn of(&self, fate: Fate) -> u64 {
        self.counts.get(fate as usize).copied().unwrap_or(0)
    }

    /// All records.
    pub fn records(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Page views: how often the records count.
    pub fn views(&self) -> u64 {
        self.views
    }
}

/// The fates of all `entries` in several views, in one pass.
pub fn tally(entries: impl Iterator<Item = Entry>, ledgers: &mut [&mut dyn Ledger]) -> Vec<FateTally> {
    let mut tallies = vec![FateTally::default(); ledgers.len()];
    for entry in entries {
        for (tally, ledger) in tallies.iter_mut().zip(ledgers.iter_mut()) {
            tally.add(ledger.take(&entry));
        }
    }
    tallies
}

/// A page of what was looked for, and how much there is in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found<T> {
    /// The page.
    pub page: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

/// Looks through all `entries`; keeps `count` of what is found, from number `first` on.
pub fn find<T>(
    entries: impl Iterator<Item = Entry>,
    first: u64,
    count: u32,
    mut wanted: impl FnMut(&Entry) -> Option<T>,
) -> Found<T> {
    let mut found = Found { page: Vec::new(), total: 0 };
    for entry in entries {
        let Some(item) = wanted(&entry) else { continue };
        if (first..first.saturating_add(u64::from(count))).contains(&found.total) {
            found.page.push(item);
        }
        found.total += 1;
    }
    found
}

#[cfg(test)]
#[path = "lineage_tests.rs"]
mod tests;
