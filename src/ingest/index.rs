//! The whole log in columns, in delivery order, for the window; and the thread that fills it.
//!
//! A [`LogIndex`] is immutable. While a log loads, versions follow each other that share all full chunks and blocks
//! of names, so publishing one costs little more than a list of pointers. About 20 bytes a record, beside names and
//! the columns of values, ids, explicit offsets and arrival times, which are kept only where mapped.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use super::{
    FileSource, IndexNames, Issue, LogDirectory, LogError, LogIdentity, LogMatch, Mapping, Totals,
    chunk::{Before, CHUNK_RECORDS, Chunk, ChunkBuilder, LineMark, Optional},
    cursor::Place,
    source::Layout,
};
use crate::domain::{
    Cell, Counts, Day, EventTime, FirstOf, KeyId, Offsets, PartitionIndex, PartitionMemory, Record, Rules,
    ScopeUsers, Verdict, classify_in,
};

/// Every this many records of a partition its line is remembered.
const MARK_RECORDS: u64 = 256;
/// The first version is published after so few records, for a first picture at once.
const FIRST_VERSION_RECORDS: u64 = 1_000;
const VERSION_RECORDS: u64 = 16_384;
const CANCEL_RECORDS: u64 = 256;

/// One version of the log in columns: the first [`LogIndex::len`] records in delivery order. Cloning shares them.
#[derive(Clone)]
pub struct LogIndex {
    layout: Arc<Layout>,
    rules: Rules,
    chunks: Vec<Arc<Chunk>>,
    /// What lies before the end.
    end: Before,
    complete: bool,
    keys: IndexNames,
    users: IndexNames,
    issues: Arc<Vec<Issue>>,
    /// Of what is there.
    identity: LogIdentity,
    is_last: bool,
    /// How the log on disk matches what was to be loaded.
    log_match: LogMatch,
    disk_bytes: (u64, u64),
}

impl fmt::Debug for LogIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the records: there may be millions.
        let len = self.len();
        f.debug_struct("LogIndex")
            .field("len", &len)
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}

/// What a loader says.
#[derive(Debug)]
pub enum LoadEvent {
    /// More is there.
    Progress(Arc<LogIndex>),
    /// Nothing more comes: the log ended, or loading was cancelled ([`LogIndex::complete`] tells).
    Done(Arc<LogIndex>),
    /// The log cannot be read on. What was published before stays good.
    Failed(LogError),
}

/// Loads a log on a thread named `log-reader`. Versions are published after the first 1,000 records, then every 16
/// thousand; setting `cancel` ends the load with what is there.
pub fn spawn_loader(
    log: LogDirectory,
    mapping: Mapping,
    publish: impl FnMut(LoadEvent) + Send + 'static,
    cancel: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    spawn_recorded_loader(log, mapping, None, publish, cancel)
}

/// What is known of a log before it is loaded. One that has changed since is refused, naming the segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// All that it was: of a log that has grown since so much is loaded.
    Whole(LogIdentity),
    /// How it begins: all of it is loaded.
    Beginning(LogIdentity),
}

/// The same, of a log of which something is known.
pub fn spawn_recorded_loader(
    log: LogDirectory,
    mapping: Mapping,
    recorded: Option<Recorded>,
    mut publish: impl FnMut(LoadEvent) + Send + 'static,
    cancel: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("log-reader".to_owned()).spawn(move || {
        let loader = Loader::open(&log, &mapping, recorded.as_ref());
        let done = loader.and_then(|loader| loader.run(&mut publish, &cancel));
        publish(match done {
            Ok(index) => LoadEvent::Done(index),
            Err(error) => LoadEvent::Failed(error),
        });
    })
}

/// Loads a log at once, on this thread.
pub fn load(log: &LogDirectory, mapping: &Mapping) -> Result<Arc<LogIndex>, LogError> {
    load_recorded(log, mapping, None)
}

/// Loads at once what [`spawn_recorded_loader`] loads.
pub fn load_recorded(
    log: &LogDirectory,
    mapping: &Mapping,
    recorded: Option<&Recorded>,
) -> Result<Arc<LogIndex>, LogError> {
    Loader::open(log, mapping, recorded)?.run(&mut |_| {}, &AtomicBool::new(false))
}

impl LogIndex {
    /// Records.
    pub fn len(&self) -> u64 {
        self.end.counts.records()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this is the whole log.
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// Whether no further version comes: the whole log is there, or loading was cancelled.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// The first `most` records as a log of their own, which ends there; fewer where that saves cutting a chunk.
    #[must_use]
    pub fn prefix(&self, most: u64) -> LogIndex {
        let whole = LogIndex { complete: true, is_last: true, ..self.clone() };
        let chunks = (usize::try_from(most).unwrap_or(usize::MAX) / CHUNK_RECORDS).max(1);
        match self.chunks.get(chunks).filter(|_| most < self.len()) {
            None => whole,
            Some(behind) => LogIndex {
                chunks: self.chunks.iter().take(chunks).cloned().collect(),
                end: behind.before.clone(),
                ..whole
            },
        }
    }

    /// Partition names.
    pub fn partitions(&self) -> &[String] {
        &self.layout.names
    }

    /// The settings that decided the verdicts.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Record `n` in delivery order.
    pub fn record(&self, n: u64) -> Option<Record> {
        let (chunk, at) = self.place(n)?;
        let partition = chunk.partition(at);
        chunk.record(at, chunk.before.offsets.get(partition) + chunk.count_of(partition, at))
    }

    /// Positions after the first `n` records (at most those that are there).
    pub fn offsets_at(&self, n: u64) -> Offsets {
        self.place(n).map_or_else(|| self.end.offsets.clone(), |(chunk, at)| chunk.offsets_at(at))
    }

    /// Positions after all records that are there.
    pub fn end(&self) -> &Offsets {
        &self.end.offsets
    }

    /// The number in delivery order of a partition's record; `None` where it is not there (yet).
    pub fn number_of(&self, partition: PartitionIndex, offset: u64) -> Option<u64> {
        let behind = self.chunks.partition_point(|chunk| chunk.before.offsets.get(partition) <= offset);
        let number = behind.checked_sub(1)?;
        let chunk = self.chunks.get(number)?;
        let mut at = chunk.next_of(partition, 0)?;
        for _ in chunk.before.offsets.get(partition)..offset {
            at = chunk.next_of(partition, at + 1)?;
        }
        Some((number * CHUNK_RECORDS + at) as u64)
    }

    /// The batch verdict on record `n` (never late).
    pub fn verdict(&self, n: u64) -> Option<Verdict> {
        self.place(n).and_then(|(chunk, at)| chunk.verdict(at))
    }

    /// In which scopes record `n` was the first counted one of its user.
    pub fn first_of(&self, n: u64) -> FirstOf {
        self.place(n).map(|(chunk, at)| chunk.first_of(at)).unwrap_or_default()
    }

    /// A full recount of the first `n` records: a stored sum and a scan of at most one chunk.
    pub fn totals(&self, n: u64) -> Totals {
        self.place(n).map_or(self.end.totals, |(chunk, at)| chunk.totals_at(at))
    }

    /// The same for one page, by scanning; [`super::GroupRecount`] is for repeated use.
    pub fn key_totals(&self, key: KeyId, n: u64) -> Totals {
        self.scan(n, |chunk, at| (chunk.key(at) == key).then(|| chunk.first_of(at).key))
    }

    /// The same for one day, by scanning.
    pub fn day_totals(&self, day: Day, n: u64) -> Totals {
        self.scan(n, |chunk, at| (chunk.day(at) == day).then(|| chunk.first_of(at).day))
    }

    /// Verdicts on all records that are there.
    pub fn counts(&self) -> Counts {
        self.end.counts
    }

    /// Verdicts on the first `n` records.
    pub fn counts_at(&self, n: u64) -> Counts {
        self.place(n).map_or(self.end.counts, |(chunk, at)| chunk.counts_at(at))
    }

    /// The first malformed records, in delivery order; [`LogIndex::counts`] has the number of all.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// Names of the pages.
    pub fn keys(&self) -> &IndexNames {
        &self.keys
    }

    /// Names of the users.
    pub fn users(&self) -> &IndexNames {
        &self.users
    }

    /// The identity of what is there; only in a last version.
    pub fn identity(&self) -> Option<&LogIdentity> {
        Some(&self.identity).filter(|_| self.is_last)
    }

    /// The identity of what is there so far.
    pub fn beginning(&self) -> &LogIdentity {
        &self.identity
    }

    /// Whether the log on disk holds more than was to be loaded of it.
    pub fn log_match(&self) -> LogMatch {
        self.log_match
    }

    /// Bytes on disk that were read, and that there are.
    pub fn disk_bytes(&self) -> (u64, u64) {
        self.disk_bytes
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    pub(crate) fn place(&self, n: u64) -> Option<(&Chunk, usize)> {
        let n = usize::try_from(n).ok()?;
        let chunk = self.chunks.get(n / CHUNK_RECORDS)?;
        (n % CHUNK_RECORDS < chunk.len()).then_some((chunk, n % CHUNK_RECORDS))
    }

    pub(crate) fn places(&self, from: u64, to: u64) -> impl Iterator<Item = (&Chunk, usize)> {
        // Chunk by chunk: to look each record's chunk up would cost as much as to read a column.
        let records = CHUNK_RECORDS as u64;
        let first = usize::try_from(from / records).unwrap_or(usize::MAX);
        let chunks = (0_u64..).zip(&self.chunks).skip(first).take_while(move |(at, _)| at * records < to);
        chunks.flat_map(move |(number, chunk)| {
            let start = number * records;
            let place = |n: u64| usize::try_from(n.saturating_sub(start)).unwrap_or(usize::MAX);
            (place(from)..place(to).min(chunk.len())).map(move |at| (&**chunk, at))
        })
    }

    /// Number of the first record of a partition at or behind record `from`.
    pub(crate) fn next_of(&self, partition: PartitionIndex, from: u64) -> Option<u64> {
        let from = usize::try_from(from).ok()?;
        let mut start = from % CHUNK_RECORDS;
        for (number, chunk) in self.chunks.iter().enumerate().skip(from / CHUNK_RECORDS) {
            if let Some(at) = chunk.next_of(partition, start) {
                return Some((number * CHUNK_RECORDS + at) as u64);
            }
            start = 0;
        }
        None
    }

    /// The last remembered line of a partition at or before an offset.
    pub(crate) fn mark_before(&self, partition: PartitionIndex, offset: u64) -> Option<LineMark> {
        let behind = self.chunks.partition_point(|chunk| chunk.before.offsets.get(partition) <= offset);
        let chunks = self.chunks.get(..behind)?.iter().rev();
        let mut marks = chunks.flat_map(|chunk| chunk.marks.iter().rev());
        marks.find(|mark| mark.partition == partition && mark.offset <= offset).copied()
    }

    fn scan(&self, n: u64, belongs: impl Fn(&Chunk, usize) -> Option<bool>) -> Totals {
        let mut totals = Totals::default();
        for (chunk, at) in self.places(0, n) {
            if chunk.verdict(at) == Some(Verdict::Counted)
                && let Some(new_user) = belongs(chunk, at)
            {
                totals.add(chunk.value(at), new_user);
            }
        }
        totals
    }
}

/// How far loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loaded {
    Part,
    Cancelled,
    All,
}

struct Loader {
    source: FileSource,
    log_match: LogMatch,
    layout: Arc<Layout>,
    rules: Rules,
    optional: Optional,
    chunks: Vec<Arc<Chunk>>,
    tail: ChunkBuilder,
    end: Before,
    memories: Vec<PartitionMemory>,
    scopes: ScopeUsers,
    keys: IndexNames,
    users: IndexNames,
    issues: Arc<Vec<Issue>>,
}

impl Loader {
    fn open(log: &LogDirectory, mapping: &Mapping, recorded: Option<&Recorded>) -> Result<Loader, LogError> {
        let verified = |identity: &LogIdentity| {
            identity.verify(log).map_err(|changed| LogError::Changed(Box::new(changed)))
        };
        let (source, log_match) = match recorded {
            None => (FileSource::open(log, mapping)?, LogMatch::Same),
            Some(Recorded::Beginning(identity)) => {
                verified(identity)?;
                (FileSource::open(log, mapping)?, LogMatch::Same)
            }
            Some(Recorded::Whole(identity)) => {
                let found = verified(identity)?;
                (FileSource::open_recorded(log, mapping, identity)?, found)
            }
        };
        let layout = Arc::new(source.layout().clone());
        let optional = Optional {
            value: mapping.value.is_some(),
            id: mapping.id.is_some(),
            offset: mapping.offset.is_some(),
            arrival: mapping.arrival.is_some(),
        };
        let end = Before { offsets: Offsets::start(layout.names.len()), ..Before::default() };
        Ok(Loader {
            source,
            log_match,
            rules: mapping.rules(),
            optional,
            chunks: Vec::new(),
            tail: ChunkBuilder::new(optional, end.clone()),
            end,
            memories: vec![PartitionMemory::default(); layout.names.len()],
            layout,
            scopes: ScopeUsers::default(),
            keys: IndexNames::default(),
            users: IndexNames::default(),
            issues: Arc::default(),
        })
    }

    fn run(
        mut self,
        publish: &mut dyn FnMut(LoadEvent),
        cancel: &AtomicBool,
    ) -> Result<Arc<LogIndex>, LogError> {
        let mut complete = false;
        for read in 1_u64.. {
            if read % CANCEL_RECORDS == 0 && cancel.load(Ordering::Relaxed) {
                break;
            }
            let Some((delivery_time, place)) = self.source.upcoming() else {
                complete = true;
                break;
            };
            if let Some(record) = self.source.next_record()? {
                self.add(&record, delivery_time, place);
            }
            if read == FIRST_VERSION_RECORDS || read % VERSION_RECORDS == 0 {
                publish(LoadEvent::Progress(Arc::new(self.version(Loaded::Part))));
            }
        }
        let loaded = if complete { Loaded::All } else { Loaded::Cancelled };
        Ok(Arc::new(self.version(loaded)))
    }

    fn add(&mut self, record: &Record, delivery_time: Option<EventTime>, place: Place) {
        if record.offset.is_multiple_of(MARK_RECORDS) {
            self.tail.mark(LineMark { partition: record.partition, offset: record.offset, place });
        }
        let verdict = classify_in(&mut self.memories, record, self.rules);
        let mut first = FirstOf::default();
        if let (Verdict::Counted, Some(event)) = (verdict, record.event) {
            if let Some(user) = event.user {
                first = self.scopes.add(Cell { key: event.key, day: event.day }, user);
            }
            self.end.totals.add(event.value, first.run);
        }
        self.tail.push(record, verdict, first, delivery_time);
        self.end.counts.add(verdict);
        self.end.offsets.set(record.partition, record.offset + 1);
        if self.tail.len() == CHUNK_RECORDS {
            self.chunks.push(Arc::new(self.tail.freeze()));
            self.tail = ChunkBuilder::new(self.optional, self.end.clone());
        }
    }

    fn version(&mut self, loaded: Loaded) -> LogIndex {
        self.keys.extend(self.source.key_names());
        self.users.extend(self.source.user_names());
        if self.issues.len() != self.source.issues().len() {
            self.issues = Arc::new(self.source.issues().to_vec());
        }
        let mut chunks = self.chunks.clone();
        if self.tail.len() > 0 {
            chunks.push(Arc::new(self.tail.freeze()));
        }
        LogIndex {
            layout: self.layout.clone(),
            rules: self.rules,
            chunks,
            end: self.end.clone(),
            complete: loaded == Loaded::All,
            keys: self.keys.clone(),
            users: self.users.clone(),
            issues: self.issues.clone(),
            identity: self.source.identity(),
            is_last: loaded != Loaded::Part,
            log_match: self.log_match,
            disk_bytes: self.source.disk_bytes(),
        }
    }
}
