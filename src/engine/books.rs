//! The books of a lane's views at one moment: for the check that fates add up, and to be taken along by whoever reads them
//! on another thread.

use std::sync::Arc;

use super::{jobs::refold, kappa::VersionBooks, lane::Lane, protocol::BookView, wanted::Wanted};
use crate::{
    analysis::{self, Books, Fate, FateTally, Layer, Ledger, Reader, Taken},
    domain::{Counts, Offsets, RangeCounts, Uniques, Verdict, View},
    ingest::{Entry, LogIndex},
    processing::BatchView,
    serving::{Numbers, VersionNumber},
};

/// Records looked at by a check between facts: in so many ticks every record comes up again.
const RECORDS_A_TICK: u64 = 256;
/// Records walked through before it is asked whether anybody still waits.
const STEP_RECORDS: u64 = 4_096;

/// A speed layer's books.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerBooks {
    from: Offsets,
    to: Offsets,
    effects: Vec<RangeCounts>,
    late: Vec<RangeCounts>,
}

/// The books of all views of a lane, with the log that they are about.
#[derive(Debug, Clone)]
pub(super) struct LaneBooks {
    pub index: Arc<LogIndex>,
    pub batch: Arc<BatchView>,
    /// How often the stream read each record, by record number.
    pub deliveries: RangeCounts,
    /// Records that merged covers.
    pub covers_records: u64,
    speed: LayerBooks,
    memory: Option<LayerBooks>,
    vectors: Vectors,
    versions: Vec<VersionBooks>,
    /// How the speed layer counts users.
    counting: Uniques,
    /// Whether anybody waits for what is read in them.
    pub wanted: Wanted,
}

/// Where things stand.
#[derive(Debug, Clone, Default)]
struct Vectors {
    start: Offsets,
    /// One past the last record that batch or stream ever read.
    read: Offsets,
    covers: Offsets,
    end: Offsets,
    /// Whether the totals of a restored state are those of its position.
    is_exactly_once: bool,
}

/// The layers of a lane, borrowed.
#[derive(Debug, Clone, Copy)]
struct Parts<'a> {
    batch: Layer<'a>,
    speed: Layer<'a>,
    memory: Option<Layer<'a>>,
    vectors: &'a Vectors,
}

impl<'a> Parts<'a> {
    /// `None` where the books of the memory are not known at this moment.
    fn books(self, view: BookView) -> Option<Books<'a>> {
        let Parts { batch, speed, memory, vectors: Vectors { read, covers, end, .. } } = self;
        Some(match view {
            BookView::Batch => Books::Alone { layer: batch, counted: Fate::CountedInBatch, read: batch.to },
            BookView::Speed => Books::Speed { batch, speed, read },
            BookView::Memory => Books::Speed { batch, speed: memory?, read },
            BookView::Merged => Books::Merged { batch, speed, read },
            BookView::Recount => Books::Recount { to: covers },
            BookView::Log => Books::Recount { to: end },
            // A version has no layers: what it makes of a record is found anew.
            BookView::Version(_) => return None,
        })
    }
}

impl LayerBooks {
    fn layer(&self) -> Layer<'_> {
        Layer { from: &self.from, to: &self.to, effects: &self.effects, late: &self.late }
    }
}

impl LaneBooks {
    /// As they are now.
    pub fn of(lane: &Lane) -> LaneBooks {
        let speed = lane.lambda.speed();
        LaneBooks {
            index: Arc::clone(&lane.index),
            batch: Arc::clone(lane.lambda.batch()),
            deliveries: lane.ledger.deliveries().clone(),
            covers_records: lane.covers(),
            speed: LayerBooks {
                from: speed.covers_from(),
                to: speed.position.clone(),
                effects: speed.effects.clone(),
                late: speed.late.ranges(),
            },
            memory: lane.stream.books.as_ref().map(|books| LayerBooks {
                from: books.from.clone(),
                to: books.to.clone(),
                effects: books.effects.clone(),
                late: books.late.clone(),
            }),
            vectors: Vectors::of(lane),
            versions: lane.version_books(),
            counting: lane.plan.settings.uniques,
            wanted: Wanted::default(),
        }
    }

    /// The same, for an answer that may be given up.
    #[must_use]
    pub fn for_answer(self, wanted: Wanted) -> LaneBooks {
        LaneBooks { wanted, ..self }
    }

    /// The books of a view; `None` where they are not known at this moment.
    pub fn books(&self, view: BookView) -> Option<Books<'_>> {
        let batch = batch_layer(&self.batch, &self.vectors.start);
        let memory = self.memory.as_ref().map(LayerBooks::layer);
        Parts { batch, speed: self.speed.layer(), memory, vectors: &self.vectors }.books(view)
    }

    /// A reader of a view's books beside another view. What the stream's memory holds beyond what it has emitted is not
    /// lost: the served views have not got it yet.
    pub fn reader_beside(&self, view: BookView, other: BookView) -> Option<Reader<'_>> {
        let books = match self.books(view)? {
            Books::Speed { batch, speed, .. } if view == BookView::Speed && other == BookView::Memory => {
                Books::Speed { batch, speed, read: &self.speed.to }
            }
            Books::Merged { batch, speed, .. } if other == BookView::Memory => {
                Books::Merged { batch, speed, read: &self.vectors.covers }
            }
            books => books,
        };
        Some(Reader::new(books))
    }

    /// What a view makes of each record, beside another view. That of a version wants every record from the first one.
    pub fn ledger_beside(&self, view: BookView, other: BookView) -> Result<Box<dyn Ledger + '_>, String> {
        const UNKNOWN: &str =
            "what the stream's memory counts is not known at this moment: its books are too long";
        match view {
            BookView::Version(number) => Ok(Box::new(self.version(number)?.ledger())),
            _ => match self.reader_beside(view, other) {
                Some(reader) => Ok(Box::new(reader)),
                None => Err(UNKNOWN.to_owned()),
            },
        }
    }

    /// The books of all versions, the one that serves first.
    pub fn versions(&self) -> &[VersionBooks] {
        &self.versions
    }

    /// Which layers of a view count users in sketches: batch (or the only one), then speed.
    pub fn sketched(&self, view: BookView) -> [bool; 2] {
        match view {
            BookView::Batch | BookView::Recount | BookView::Log => [false, false],
            BookView::Speed | BookView::Memory | BookView::Merged => [false, self.counting == Uniques::Hll],
            BookView::Version(number) => {
                let estimates = |version: &VersionBooks| version.uniques() == analysis::Uniques::Estimated;
                [self.version(number).is_ok_and(estimates), false]
            }
        }
    }

    /// The books of a version, or in words that it is not there.
    pub fn version(&self, number: VersionNumber) -> Result<&VersionBooks, String> {
        let mut versions = self.versions.iter();
        versions
            .find(|version| version.number == number)
            .ok_or_else(|| format!("version {number} is not there"))
    }

    /// Records that a view has looked at, and what became of them.
    pub fn counts(&self, view: BookView) -> Counts {
        match view {
            BookView::Version(number) => match self.version(number) {
                Ok(version) => version.counts(self.walk(0, version.reach(&self.index))),
                Err(_) => Counts::default(),
            },
            _ => self.index.counts_at(self.reach(view)),
        }
    }

    /// The view in the stream's memory, folded from the log by its books; `None` where they are not known.
    pub fn memory_view(&self) -> Option<View> {
        let memory = self.memory.as_ref()?;
        Some(refold(&self.index, self.counting, &memory.from, &memory.effects).0)
    }

    /// The records that a view is about, by partition.
    pub fn range(&self, view: BookView) -> (&Offsets, &Offsets) {
        let Vectors { start, covers, end, .. } = &self.vectors;
        match view {
            BookView::Batch => (start, &self.batch.cut),
            BookView::Speed => (&self.speed.from, &self.speed.to),
            BookView::Memory => {
                self.memory.as_ref().map_or((start, start), |memory| (&memory.from, &memory.to))
            }
            BookView::Merged | BookView::Recount => (start, covers),
            BookView::Log => (start, end),
            BookView::Version(number) => {
                self.version(number).map_or((start, start), |version| (start, &version.position))
            }
        }
    }

    /// A reader of a view's books.
    pub fn reader(&self, view: BookView) -> Option<Reader<'_>> {
        self.books(view).map(Reader::new)
    }

    /// All records; it ends early where nobody waits any more.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.walk(0, self.index.len())
    }

    /// The records `[from, to)`, as long as somebody waits.
    pub fn walk(&self, from: u64, to: u64) -> impl Iterator<Item = Entry> {
        let is_wanted = |entry: &Entry| !entry.number.is_multiple_of(STEP_RECORDS) || self.wanted.is_wanted();
        self.index.entries(from, to).take_while(is_wanted)
    }

    /// Records below the vector that a view goes up to.
    pub fn reach(&self, view: BookView) -> u64 {
        match view {
            BookView::Batch => self.batch.cut.total(),
            BookView::Speed => self.speed.to.total(),
            BookView::Memory => self.memory.as_ref().map_or(0, |memory| memory.to.total()),
            BookView::Merged | BookView::Recount => self.covers_records,
            BookView::Log => self.index.len(),
            BookView::Version(number) => self.version(number).map_or(0, |version| version.position.total()),
        }
    }

    /// Where the batch view ends and how far the served speed view goes.
    pub fn hand_over(&self) -> (&Offsets, &Offsets) {
        (&self.batch.cut, &self.speed.to)
    }
}

impl Vectors {
    fn of(lane: &Lane) -> Vectors {
        let ever_read = lane.ledger.highest_read().max(lane.covers());
        Vectors {
            start: Offsets::start(lane.index.partitions().len()),
            read: lane.vector(ever_read).max(&lane.lambda.covers()),
            covers: lane.vector(lane.covers()),
            end: lane.index.end().clone(),
            is_exactly_once: lane.plan.settings.guarantee.is_exactly_once(),
        }
    }
}

fn batch_layer<'a>(batch: &'a BatchView, start: &'a Offsets) -> Layer<'a> {
    Layer { from: start, to: &batch.cut, effects: &batch.effects, late: &[] }
}

/// The speed views as they are served.
pub(super) fn speed_views(lane: &Lane) -> Vec<View> {
    lane.lambda.speed().buckets.iter().map(|bucket| bucket.view.clone()).collect()
}

impl Lane {
    /// I7: a counterexample to "every record has exactly one fate in each view", or `None`. Totals of every view at every
    /// tick; record by record a few at a time, or all when `every_record`.
    pub(super) fn fate_problem(&mut self, every_record: bool) -> Option<String> {
        let vectors = Vectors::of(self);
        let (from, to) = if every_record {
            (0, self.index.len())
        } else {
            let from = if self.fates_checked >= self.index.len() { 0 } else { self.fates_checked };
            (from, (from + RECORDS_A_TICK).min(self.index.len()))
        };
        let speed = self.lambda.speed();
        let speed_from = speed.covers_from();
        let late = speed.late.ranges();
        let parts = Parts {
            batch: batch_layer(self.lambda.batch(), &vectors.start),
            speed: Layer { from: &speed_from, to: &speed.position, effects: &speed.effects, late: &late },
            memory: self.stream.books.as_ref().map(|books| Layer {
                from: &books.from,
                to: &books.to,
                effects: &books.effects,
                late: &books.late,
            }),
            vectors: &vectors,
        };
        let problem =
            totals_problem(parts, self).or_else(|| match tallies(parts, self.index.entries(from, to)) {
                Ok(tallies) if every_record => tally_problem(&tallies, self),
                Ok(_) => None,
                Err(problem) => Some(problem),
            });
        self.fates_checked = to;
        problem
    }
}

/// What a view shows over the run; `None` where that is not compared: recounts have no books of their own.
fn shown(lane: &Lane, view: BookView) -> Option<Numbers> {
    match view {
        BookView::Batch => Some(lane.lambda.batch_numbers()),
        BookView::Speed => Some(lane.lambda.speed_numbers()),
        BookView::Memory => Some(lane.stream.memory),
        BookView::Merged => Some(lane.lambda.merged_numbers()),
        BookView::Recount | BookView::Log | BookView::Version(_) => None,
    }
}

/// What is counted record by record adds up to what each view shows.
fn totals_problem(parts: Parts<'_>, lane: &Lane) -> Option<String> {
    let total = |layer: Layer<'_>| layer.effects.iter().map(RangeCounts::total).sum::<u64>();
    let (batch, speed) = (total(parts.batch), total(parts.speed));
    let booked = [
        (BookView::Batch, Some(batch)),
        (BookView::Speed, Some(speed)),
        (BookView::Memory, parts.memory.map(total)),
        (BookView::Merged, Some(batch + speed)),
    ];
    booked.into_iter().find_map(|(view, booked)| {
        let (booked, shown) = (booked?, shown(lane, view)?.views);
        let id = view.id();
        (booked != shown).then(|| {
            format!("in the {id} view {booked} counts are kept by record, {shown} page views are shown")
        })
    })
}

/// What becomes of these records in each view; or what no record may be: counted where no layer goes, or though nothing can
/// be read from it.
fn tallies(
    parts: Parts<'_>,
    entries: impl Iterator<Item = Entry>,
) -> Result<Vec<(BookView, FateTally)>, String> {
    let mut readers: Vec<(BookView, Reader<'_>, FateTally)> = BookView::ALL
        .into_iter()
        .filter_map(|view| Some((view, Reader::new(parts.books(view)?), FateTally::default())))
        .collect();
    for entry in entries {
        for (view, reader, tally) in &mut readers {
            let taken = reader.take(&entry);
            if let Some(what) = contradiction(*view, &entry, taken, parts) {
                return Err(format!("record {} {what} in the {} view", entry.number, view.id()));
            }
            tally.add(taken);
        }
    }
    Ok(readers.into_iter().map(|(view, _, tally)| (view, tally)).collect())
}

fn contradiction(view: BookView, entry: &Entry, taken: Taken, parts: Parts<'_>) -> Option<&'static str> {
    let (partition, offset) = (entry.record.partition, entry.record.offset);
    let [in_batch, in_speed] = taken.layers;
    let counts = taken.times() > 0;
    if counts && entry.verdict == Verdict::Malformed {
        return Some("counts and is malformed");
    }
    if counts && !parts.vectors.read.contains(partition, offset) && view != BookView::Log {
        return Some("counts and was never read");
    }
    if view == BookView::Merged && in_batch > 0 && !parts.batch.to.contains(partition, offset) {
        return Some("counts in batch, beyond its cut,");
    }
    // A listing that goes back to record 0 with its totals counts records that it has yet to come to.
    let is_beyond = parts.vectors.is_exactly_once && !parts.speed.to.contains(partition, offset);
    if view == BookView::Merged && in_speed > 0 && is_beyond {
        return Some("counts in speed, beyond its position,");
    }
    let is_counted = matches!(taken.fate, Fate::CountedInSpeed | Fate::Counted | Fate::CountedAgain)
        || (taken.fate == Fate::CountedInBatch && matches!(view, BookView::Batch | BookView::Merged));
    (is_counted != counts).then_some("has a fate that its counts deny")
}

/// Over all records, in every view: fates add up to the records, counts to the page views.
fn tally_problem(tallies: &[(BookView, FateTally)], lane: &Lane) -> Option<String> {
    let records = lane.index.len();
    tallies.iter().find_map(|(view, tally)| {
        let shown = match view {
            BookView::Recount => lane.index.totals(lane.covers()).views,
            BookView::Log => lane.index.totals(records).views,
            BookView::Batch
            | BookView::Speed
            | BookView::Memory
            | BookView::Merged
            | BookView::Version(_) => shown(lane, *view)?.views,
        };
        let holds = tally.records() == records && tally.views() == shown;
        (!holds).then(|| {
            format!(
                "in the {} view {} of {records} records have a fate, counted {} times; {shown} page views are shown",
                view.id(),
                tally.records(),
                tally.views()
            )
        })
    })
}
