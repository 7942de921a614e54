//! Where batch ends and speed begins: four rules, and what each of them counts twice or nowhere.
//!
//! Batch always covers `[0, B)` and speed reads `[0, N)`; a rule says which of the records below `N` speed counts. Only
//! the offset vector gives the fold of the log for every hand-over; the others are here to be compared with it
//! (semantics, section 4; Kreps and the textbook draw the boundary without saying that it has to be a vector).

use std::cmp::Ordering;

use super::Numbers;
use crate::{
    domain::{
        CanonicalRow, Cell, EventTime, LateRecords, NameTable, Offsets, PartitionIndex, PartitionMemory,
        RangeCounts, Record, Rules, ScopeUsers, Sketch, StreamOptions, StreamRules, Uniques, UserId, Verdict,
        View, classify_in,
    },
    processing::{StreamProcessor, StreamState},
};

/// What separates the batch view from the speed view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BoundaryRule {
    /// One offset a partition: speed starts where batch ends.
    #[default]
    Offsets,
    /// Speed counts what happened after everything that batch has seen.
    EventTime,
    /// The first partition's cut, applied to all partitions.
    Scalar,
    /// Speed counts everything that it has read.
    None,
}

/// How distinct users of the two views become those of the merged view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MergedUsers {
    /// Sets unite.
    #[default]
    United,
    /// Those of speed come as sketches, which unite with batch's sets: about right.
    Sketched,
    /// Numbers are added: a user of both views counts twice.
    Added,
}

/// Which records speed counts, of those that it has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeedStart {
    /// Those at or above one offset a partition.
    At(Offsets),
    /// Those that happened later than this; all of them where batch has seen nothing with a time.
    After(Option<EventTime>),
}

/// A batch cut, a stream position, and where speed starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// Batch covers `[0, cut)`.
    pub cut: Offsets,
    /// What speed counts of `[0, position)`.
    pub start: SpeedStart,
    /// The stream has read `[0, position)`.
    pub position: Offsets,
}

/// Which views count a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountedBy {
    /// Neither, though the hand-over covers it: a gap.
    Neither,
    /// Batch alone.
    Batch,
    /// Speed alone.
    Speed,
    /// Both: an overlap.
    Both,
}

impl BoundaryRule {
    /// All, the right one first.
    pub const ALL: [BoundaryRule; 4] =
        [BoundaryRule::Offsets, BoundaryRule::EventTime, BoundaryRule::Scalar, BoundaryRule::None];

    /// Name on the command line.
    pub fn id(self) -> &'static str {
        match self {
            BoundaryRule::Offsets => "offsets",
            BoundaryRule::EventTime => "event-time",
            BoundaryRule::Scalar => "scalar",
            BoundaryRule::None => "none",
        }
    }

    /// The boundary that the rule draws. `latest` is the largest event time in `[0, cut)`.
    pub fn draw(self, cut: Offsets, position: Offsets, latest: Option<EventTime>) -> Boundary {
        let partitions = cut.len().max(position.len());
        let start = match self {
            BoundaryRule::Offsets => SpeedStart::At(cut.clone()),
            BoundaryRule::EventTime => SpeedStart::After(latest),
            BoundaryRule::Scalar => {
                SpeedStart::At(Offsets::from_vec(vec![cut.get(PartitionIndex(0)); partitions]))
            }
            BoundaryRule::None => SpeedStart::At(Offsets::start(partitions)),
        };
        Boundary { cut, start, position }
    }
}

impl MergedUsers {
    /// Name on the command line.
    pub fn id(self) -> &'static str {
        match self {
            MergedUsers::United => "set",
            MergedUsers::Sketched => "hll",
            MergedUsers::Added => "added",
        }
    }
}

impl Boundary {
    /// One past the last record that batch or speed has read, by partition: the full recount goes up to here.
    pub fn covers(&self) -> Offsets {
        self.cut.max(&self.position)
    }

    /// Which views count a record; `None` for one that neither has read.
    pub fn counted_by(
        &self,
        partition: PartitionIndex,
        offset: u64,
        time: Option<EventTime>,
    ) -> Option<CountedBy> {
        let batch = self.cut.contains(partition, offset);
        let read = self.position.contains(partition, offset);
        let speed = read
            && match &self.start {
                SpeedStart::At(start) => !start.contains(partition, offset),
                SpeedStart::After(latest) => {
                    time.is_some_and(|time| latest.is_none_or(|latest| time > latest))
                }
            };
        match (batch, speed) {
            (true, true) => Some(CountedBy::Both),
            (true, false) => Some(CountedBy::Batch),
            (false, true) => Some(CountedBy::Speed),
            (false, false) => read.then_some(CountedBy::Neither),
        }
    }
}

/// The largest event time of the records below `cut`.
pub fn latest_time<'a>(records: impl IntoIterator<Item = &'a Record>, cut: &Offsets) -> Option<EventTime> {
    let below = records.into_iter().filter(|record| cut.contains(record.partition, record.offset));
    below.filter_map(|record| record.event.map(|event| event.time)).max()
}

/// What a stream that reads `[0, position)` drops as late.
#[derive(Debug, Clone)]
pub struct LateReader {
    stream: StreamProcessor,
    position: Offsets,
}

impl LateReader {
    /// At record 0 of a log of which the partitions end at `end`.
    pub fn new(rules: StreamRules, position: Offsets, end: Offsets) -> Self {
        // How users are counted changes nothing in what is late.
        let options = StreamOptions { uniques: Uniques::Set, ..rules.options };
        let rules = StreamRules { options, ..rules };
        let mut stream = StreamProcessor::new(rules, StreamState::new(end.len()));
        stream.ends_at(end);
        LateReader { stream, position }
    }

    /// Takes the next record in delivery order.
    pub fn apply(&mut self, record: &Record) {
        if self.position.contains(record.partition, record.offset) {
            self.stream.apply(record);
        }
    }

    /// What was dropped.
    pub fn finish(self) -> LateRecords {
        self.stream.state().late.clone()
    }
}

/// Folds batch, speed and the full recount in one pass, and notes what is counted twice and nowhere.
#[derive(Debug, Clone)]
pub struct MergeFold {
    rules: Rules,
    memories: Vec<PartitionMemory>,
    /// What the stream dropped.
    late: LateRecords,
    merged: Merged,
}

/// The two views at a boundary, and what is wrong with them.
#[derive(Debug, Clone)]
pub struct Merged {
    /// Where they meet.
    pub boundary: Boundary,
    /// What batch counts.
    pub batch: View,
    /// What speed counts.
    pub speed: View,
    /// The fold of everything that either has read.
    pub recount: View,
    /// Records that both count, by partition.
    pub twice: Vec<RangeCounts>,
    /// Records that count and that neither view has, by partition.
    pub nowhere: Vec<RangeCounts>,
    /// Of what is speed's, the records that it dropped as late, by partition: the next batch run counts them.
    pub late: Vec<RangeCounts>,
}

impl MergeFold {
    /// At record 0.
    pub fn new(rules: Rules, boundary: Boundary) -> Self {
        let partitions = boundary.covers().len();
        let merged = Merged {
            boundary,
            batch: View::new(),
            speed: View::new(),
            recount: View::new(),
            twice: vec![RangeCounts::new(); partitions],
            nowhere: vec![RangeCounts::new(); partitions],
            late: vec![RangeCounts::new(); partitions],
        };
        MergeFold { rules, memories: Vec::new(), late: LateRecords::new(), merged }
    }

    /// Without what the stream dropped: see [`LateReader`]. Batch counts it.
    #[must_use]
    pub fn without(self, late: LateRecords) -> Self {
        MergeFold { late, ..self }
    }

    /// Takes the next record of its partition.
    pub fn apply(&mut self, record: &Record) {
        let verdict = classify_in(&mut self.memories, record, self.rules);
        let (Verdict::Counted, Some(event)) = (verdict, &record.event) else { return };
        let merged = &mut self.merged;
        let counted_by = merged.boundary.counted_by(record.partition, record.offset, Some(event.time));
        let Some(counted_by) = counted_by else { return };
        let cell = Cell { key: event.key, day: event.day };
        merged.recount.add(cell, event.user, event.value);
        if matches!(counted_by, CountedBy::Batch | CountedBy::Both) {
            merged.batch.add(cell, event.user, event.value);
        }
        let is_late = self.late.contains(record.partition, record.offset);
        if matches!(counted_by, CountedBy::Speed | CountedBy::Both) && !is_late {
            merged.speed.add(cell, event.user, event.value);
        }
        let wrong = match counted_by {
            CountedBy::Both if !is_late => &mut merged.twice,
            CountedBy::Speed if is_late => &mut merged.late,
            CountedBy::Neither => &mut merged.nowhere,
            CountedBy::Batch | CountedBy::Speed | CountedBy::Both => return,
        };
        if let Some(runs) = wrong.get_mut(record.partition.index()) {
            runs.add(record.offset, record.offset + 1);
        }
    }

    /// What came out.
    pub fn finish(self) -> Merged {
        self.merged
    }
}

impl Merged {
    /// Batch and speed merged: counts add, users unite.
    pub fn view(&self) -> View {
        let mut view = self.batch.clone();
        view.merge(&self.speed);
        view
    }

    /// The merged view by text, sorted by page, then day. `names` names users.
    pub fn rows(&self, users: MergedUsers, keys: &dyn NameTable, names: &dyn NameTable) -> Vec<CanonicalRow> {
        let view = self.view();
        let rows = view.rows().iter().map(|row| {
            let of = |view: &View| view.row(row.cell).map(|row| row.users.clone()).unwrap_or_default();
            let unique_users = match users {
                MergedUsers::United => row.users.len() as u64,
                MergedUsers::Sketched => sketched(of(&self.batch), of(&self.speed), names),
                MergedUsers::Added => (of(&self.batch).len() + of(&self.speed).len()) as u64,
            };
            CanonicalRow { unique_users, ..row.canonical(keys) }
        });
        let mut rows: Vec<CanonicalRow> = rows.collect();
        rows.sort_by(|a, b| a.page.cmp(&b.page).then(a.day.cmp(&b.day)));
        rows
    }

    /// The merged view over the run. `names` names users.
    pub fn numbers(&self, users: MergedUsers, names: &dyn NameTable) -> Numbers {
        let (batch, speed) = (numbers(&self.batch), numbers(&self.speed));
        let users = match users {
            MergedUsers::United => ScopeUsers::of(&self.view()).run_count(),
            MergedUsers::Sketched => sketched(of_run(&self.batch), of_run(&self.speed), names),
            MergedUsers::Added => batch.users + speed.users,
        };
        Numbers { views: batch.views + speed.views, users, sum: batch.sum + speed.sum }
    }

    /// Batch alone over the run.
    pub fn batch_numbers(&self) -> Numbers {
        numbers(&self.batch)
    }

    /// Speed alone over the run. `names` names users.
    pub fn speed_numbers(&self, users: MergedUsers, names: &dyn NameTable) -> Numbers {
        let speed = numbers(&self.speed);
        match users {
            MergedUsers::United | MergedUsers::Added => speed,
            MergedUsers::Sketched => {
                Numbers { users: sketched(Vec::new(), of_run(&self.speed), names), ..speed }
            }
        }
    }

    /// The full recount over the run.
    pub fn recount_numbers(&self) -> Numbers {
        numbers(&self.recount)
    }
}

/// Users of batch, exactly, and about how many speed adds to them.
pub fn sketched(batch: Vec<UserId>, speed: Vec<UserId>, names: &dyn NameTable) -> u64 {
    let exact = batch.len() as u64;
    let mut beyond = Sketch::beyond(batch.into_iter().map(|user| names.hash(user.0)));
    for user in speed {
        beyond.insert(names.hash(user.0));
    }
    exact + beyond.count()
}

/// Distinct users of a view, over the run.
fn of_run(view: &View) -> Vec<UserId> {
    let mut users: Vec<UserId> = view.rows().iter().flat_map(|row| row.users.iter().copied()).collect();
    users.sort_unstable();
    users.dedup();
    users
}

fn numbers(view: &View) -> Numbers {
    Numbers { views: view.total_views(), users: ScopeUsers::of(view).run_count(), sum: view.total_sum() }
}

/// Rows of `merged` that differ from `recount`, each sorted by page, then day; a row that one of them lacks differs.
pub fn rows_that_differ(merged: &[CanonicalRow], recount: &[CanonicalRow]) -> u64 {
    let (mut left, mut right) = (merged.iter().peekable(), recount.iter().peekable());
    let mut differ = 0;
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let order = a.page.cmp(&b.page).then(a.day.cmp(&b.day));
        differ += u64::from(order != Ordering::Equal || a != b);
        if order.is_le() {
            left.next();
        }
        if order.is_ge() {
            right.next();
        }
    }
    differ + (left.count() + right.count()) as u64
}

#[cfg(test)]
#[path = "boundary_tests.rs"]
mod tests;
