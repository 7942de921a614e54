//! [`RawLog`]: the log read once more with what a verdict throws away, for judging views that others made of it.
//!
//! Every record keeps its page as written (before `--page-clean`), the offset that its time carried, its line, and *why* it
//! would not count, so that other rules can be tried without reading again. Malformed lines of which page and time can be
//! read are kept with them.

use std::{cmp::Reverse, collections::BTreeMap, collections::BinaryHeap, sync::Arc};

use rustc_hash::FxHashSet;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    ChainHash, Decoder, LogDirectory, LogError, LogLine, Mapping, Segment,
    cursor::Place,
    decode::{LineEvent, LineTexts},
    lines::LineKind,
    records::{Header, Reading, RecordReader},
    source::Layout,
};
use crate::domain::{EventTime, NameTable as _, Names, PartitionIndex};

/// Every this many records of a segment the place of the line is remembered.
const MARK_RECORDS: u64 = 256;
/// Longest text of a line that is handed out, in bytes.
const MAX_TEXT_BYTES: usize = 4 << 10;

/// Stands for "no page", "no user".
pub const NO_NAME: u32 = u32::MAX;

/// Why a record would not count, under the strictest rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RawFlags(u8);

impl RawFlags {
    /// No event can be read from the line.
    pub const MALFORMED: RawFlags = RawFlags(1);
    /// Its explicit offset is not above the highest seen in its partition.
    pub const REDELIVERED: RawFlags = RawFlags(2);
    /// It has no user though one is mapped.
    pub const NO_USER: RawFlags = RawFlags(4);
    /// Its id occurred earlier in its partition.
    pub const DUPLICATE: RawFlags = RawFlags(8);
    /// The same bytes stand on an earlier line of the log.
    pub const REPEATED: RawFlags = RawFlags(16);
    /// It is the first record of its segment.
    pub const FIRST: RawFlags = RawFlags(32);
    /// It is the last record of its segment.
    pub const LAST: RawFlags = RawFlags(64);

    /// Whether any of `other` is set.
    pub fn any(self, other: RawFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// With `other` set too.
    #[must_use]
    pub fn with(self, other: RawFlags) -> RawFlags {
        RawFlags(self.0 | other.0)
    }
}

/// One record, with everything that a rule could ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord {
    /// Event time; meaningless where there is no page.
    pub time: EventTime,
    /// Page as written; [`NO_NAME`] where page or time cannot be read.
    pub page: u32,
    /// User; [`NO_NAME`] where there is none.
    pub user: u32,
    /// Line in its segment, from 1.
    pub line: u32,
    /// Number of its segment in [`RawLog::segments`].
    pub segment: u32,
    /// Offset in its partition.
    pub offset: u32,
    /// The offset that the text of its time carried, in seconds.
    pub written_offset_seconds: i32,
    /// Its partition.
    pub partition: PartitionIndex,
    /// What may speak against counting it.
    pub flags: RawFlags,
}

/// A segment as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSegment {
    /// Path relative to the log.
    pub path: Arc<str>,
    /// Where its partition's name is; that of the directory even where a field makes the partitions.
    pub records: u64,
}

/// All records of a log, by segment, then in the order of their lines.
pub struct RawLog {
    segments: Vec<RawSegment>,
    files: Vec<Segment>,
    reading: Reading,
    partitions: Vec<String>,
    records: Vec<RawRecord>,
    /// In millionths; empty where no value is mapped.
    values: Vec<i64>,
    /// Arrival times; empty where none are mapped.
    arrivals: Vec<Option<EventTime>>,
    pages: Names,
    users: Names,
    /// Segment and record number of remembered places.
    marks: BTreeMap<u32, Vec<(u32, Place)>>,
}

impl std::fmt::Debug for RawLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the records: there may be millions.
        f.debug_struct("RawLog").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

impl RawLog {
    /// Reads the whole log once, on this thread.
    pub fn read(log: &LogDirectory, mapping: &Mapping) -> Result<RawLog, LogError> {
        // Pages are kept as written: what is done to them is a rule to be tried.
        let as_written = Mapping { page_clean: Vec::new(), ..mapping.clone() };
        let layout = Layout::new(log, &as_written)?;
        Reader::new(&layout, mapping).run(log)
    }

    /// The segments, by partition, then in their order.
    pub fn segments(&self) -> &[RawSegment] {
        &self.segments
    }

    /// Partition names.
    pub fn partitions(&self) -> &[String] {
        &self.partitions
    }

    /// All records.
    pub fn records(&self) -> &[RawRecord] {
        &self.records
    }

    /// The value of a record, in millionths: 1 where none is mapped.
    pub fn value(&self, record: u32) -> i64 {
        if self.values.is_empty() {
            return crate::domain::Value::ONE.0;
        }
        self.values.get(record as usize).copied().unwrap_or(0)
    }

    /// When a record reached the log; `None` where that is not mapped or cannot be read.
    pub fn arrival(&self, record: u32) -> Option<EventTime> {
        self.arrivals.get(record as usize).copied().flatten()
    }

    /// Whether arrival times are known.
    pub fn has_arrivals(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// Pages as written.
    pub fn pages(&self) -> &Names {
        &self.pages
    }

    /// Users.
    pub fn users(&self) -> &Names {
        &self.users
    }

    /// The records of each partition in the order of their offsets.
    pub fn by_partition(&self) -> Vec<Vec<u32>> {
        let mut lists = vec![Vec::new(); self.partitions.len()];
        for (number, record) in (0_u32..).zip(&self.records) {
            if let Some(list) = lists.get_mut(record.partition.index()) {
                list.push(number);
            }
        }
        lists
    }

    /// All records in delivery order.
    pub fn delivery_order(&self) -> Vec<u32> {
        let lists = self.by_partition();
        let mut iterators: Vec<_> = lists.iter().map(|list| list.iter().copied()).collect();
        let mut queue = BinaryHeap::new();
        for (partition, iterator) in (0_u16..).zip(&mut iterators) {
            if let Some(first) = iterator.next() {
                queue.push(Reverse((self.delivery_time(first), partition, first)));
            }
        }
        let mut order = Vec::with_capacity(self.records.len());
        while let Some(Reverse((_, partition, record))) = queue.pop() {
            order.push(record);
            if let Some(next) = iterators.get_mut(usize::from(partition)).and_then(Iterator::next) {
                queue.push(Reverse((self.delivery_time(next), partition, next)));
            }
        }
        order
    }

    fn delivery_time(&self, record: u32) -> Option<EventTime> {
        if self.has_arrivals() {
            return self.arrival(record);
        }
        let record = self.records.get(record as usize)?;
        let has_event = !record.flags.any(RawFlags::MALFORMED);
        has_event.then_some(record.time)
    }

    /// The lines of some records, in the order asked for. Reads the files again.
    pub fn lines(&self, records: &[u32]) -> Result<Vec<LogLine>, LogError> {
        let mut wanted: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &number in records {
            if let Some(record) = self.records.get(number as usize) {
                wanted.entry(record.segment).or_default().push(number);
            }
        }
        let mut found: BTreeMap<u32, LogLine> = BTreeMap::new();
        for (segment, mut numbers) in wanted {
            numbers.sort_unstable();
            numbers.dedup();
            self.lines_of(segment, &numbers, &mut found)?;
        }
        Ok(records.iter().filter_map(|number| found.get(number).cloned()).collect())
    }

    fn lines_of(
        &self,
        segment: u32,
        numbers: &[u32],
        found: &mut BTreeMap<u32, LogLine>,
    ) -> Result<(), LogError> {
        let Some(file) = self.files.get(segment as usize) else { return Ok(()) };
        let mut reader: Option<RecordReader> = None;
        for &number in numbers {
            let Some(record) = self.records.get(number as usize) else { continue };
            let marks = self.marks.get(&segment).map_or(&[][..], Vec::as_slice);
            let behind = marks.partition_point(|(marked, _)| *marked <= number);
            let place = behind.checked_sub(1).and_then(|at| marks.get(at)).map(|(_, place)| *place);
            let is_behind = |reader: &RecordReader| reader.line() > u64::from(record.line);
            let is_far = |reader: &RecordReader| place.is_some_and(|place| place.line > reader.line());
            if reader.as_ref().is_none_or(|reader| is_behind(reader) || is_far(reader)) {
                let (byte, line) = place.map_or((0, 1), |place| (place.byte, place.line));
                let hash = ChainHash::default();
                reader = Some(RecordReader::open(file.clone(), byte, line, hash, &self.reading)?);
            }
            let Some(reader) = &mut reader else { continue };
            while reader.peek()?.is_some() && reader.line() < u64::from(record.line) {
                reader.take()?;
            }
            let text = reader.text();
            let line = LogLine {
                number: u64::from(number),
                partition: record.partition,
                offset: u64::from(record.offset),
                segment: file.relative.clone(),
                line: u64::from(record.line),
                text: String::from_utf8_lossy(text.get(..MAX_TEXT_BYTES).unwrap_or(text)).into_owned(),
            };
            found.insert(number, line);
        }
        Ok(())
    }
}

struct Reader {
    decoder: Arc<Decoder>,
    by_field: bool,
    users_mapped: bool,
    with_values: bool,
    with_arrivals: bool,
    places: BTreeMap<String, u16>,
    texts: LineTexts,
    offsets: Vec<u32>,
    highest: Vec<Option<u64>>,
    ids: Vec<FxHashSet<u128>>,
    seen: FxHashSet<u128>,
    log: RawLog,
}

impl Reader {
    fn new(layout: &Layout, mapping: &Mapping) -> Reader {
        let names = layout.names.clone();
        let count = names.len();
        Reader {
            decoder: layout.decoder.clone(),
            by_field: layout.by_field,
            users_mapped: mapping.user.is_some(),
            with_values: mapping.value.is_some(),
            with_arrivals: mapping.arrival.is_some(),
            places: names.iter().cloned().zip(0_u16..).collect(),
            texts: LineTexts::default(),
            offsets: vec![0; count],
            highest: vec![None; count],
            ids: vec![FxHashSet::default(); count],
            seen: FxHashSet::default(),
            log: RawLog {
                segments: Vec::new(),
                files: Vec::new(),
                reading: layout.decoder.reading().clone(),
                partitions: names,
                records: Vec::new(),
                values: Vec::new(),
                arrivals: Vec::new(),
                pages: Names::new(),
                users: Names::new(),
                marks: BTreeMap::new(),
            },
        }
    }

    fn run(mut self, log: &LogDirectory) -> Result<RawLog, LogError> {
        for (partition, files) in (0_u16..).zip(log.partitions()) {
            for file in &files.segments {
                self.segment(file, partition)?;
            }
        }
        Ok(self.log)
    }

    fn segment(&mut self, file: &Segment, partition: u16) -> Result<(), LogError> {
        let number = u32::try_from(self.log.segments.len()).unwrap_or(u32::MAX);
        let first = self.log.records.len();
        let mut reader = RecordReader::start(file.clone(), &self.log.reading)?;
        let mut read = 0_u64;
        while let Some(kind) = reader.peek()? {
            let is_text = matches!(kind, LineKind::Text);
            self.texts.partition.clear();
            let text = if is_text { reader.text() } else { &[] };
            let Some((event, malformed)) = self.decode(text, reader.header(), is_text) else {
                reader.take()?;
                continue;
            };
            let place = Place { segment: 0, byte: reader.byte(), line: reader.line() };
            if read.is_multiple_of(MARK_RECORDS) {
                let record = u32::try_from(self.log.records.len()).unwrap_or(u32::MAX);
                self.log.marks.entry(number).or_default().push((record, place));
            }
            let repeated = is_text && !self.seen.insert(xxh3_128(text));
            let partition = if self.by_field { self.named() } else { partition };
            let mut flags = malformed;
            if repeated {
                flags = flags.with(RawFlags::REPEATED);
            }
            self.push(event, flags, number, partition, place.line);
            read += 1;
            reader.take()?;
        }
        let ends = [(first, RawFlags::FIRST), (self.log.records.len().wrapping_sub(1), RawFlags::LAST)];
        for (at, flag) in ends.into_iter().filter(|_| read > 0) {
            if let Some(record) = self.log.records.get_mut(at) {
                record.flags = record.flags.with(flag);
            }
        }
        self.log.segments.push(RawSegment { path: file.relative.clone(), records: read });
        self.log.files.push(file.clone());
        Ok(())
    }

    /// What a line is; `None` where it is no record.
    fn decode(
        &mut self,
        text: &[u8],
        header: &Header,
        is_text: bool,
    ) -> Option<(Option<LineEvent>, RawFlags)> {
        if !is_text {
            return Some((None, RawFlags::MALFORMED));
        }
        match self.decoder.decode(text, header, &mut self.texts)? {
            Ok(event) => Some((Some(event), RawFlags::default())),
            Err(_) => Some((self.decoder.salvage(text, header, &mut self.texts), RawFlags::MALFORMED)),
        }
    }

    fn named(&self) -> u16 {
        let name =
            if self.texts.partition.is_empty() { super::decode::NO_PARTITION } else { &self.texts.partition };
        self.places.get(name).copied().unwrap_or(0)
    }

    fn push(&mut self, event: Option<LineEvent>, flags: RawFlags, segment: u32, partition: u16, line: u64) {
        let at = usize::from(partition);
        let mut flags = flags;
        if self.users_mapped && event.is_some_and(|event| !event.has_user) {
            flags = flags.with(RawFlags::NO_USER);
        }
        if let (Some(event), false) = (event, flags.any(RawFlags::MALFORMED)) {
            flags = flags.with(self.verdict_flags(&event, at));
        }
        let offset = self.offsets.get_mut(at).map_or(0, |next| {
            *next += 1;
            *next - 1
        });
        let user = match event {
            Some(event) if event.has_user => self.log.users.intern(&self.texts.user),
            _ => NO_NAME,
        };
        self.log.records.push(RawRecord {
            time: event.map_or(EventTime(0), |event| event.time),
            page: if event.is_some() { self.log.pages.intern(&self.texts.page) } else { NO_NAME },
            user,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            segment,
            offset,
            written_offset_seconds: event.map_or(0, |event| event.written_offset_seconds),
            partition: PartitionIndex(partition),
            flags,
        });
        if self.with_values {
            self.log.values.push(event.map_or(0, |event| event.value.0));
        }
        if self.with_arrivals {
            self.log.arrivals.push(event.and_then(|event| event.arrival));
        }
    }

    /// In the order of the contract's verdicts, but each by itself: other rules may let one of them pass.
    fn verdict_flags(&mut self, event: &LineEvent, partition: usize) -> RawFlags {
        let mut flags = RawFlags::default();
        if let (Some(offset), Some(highest)) = (event.explicit_offset, self.highest.get_mut(partition)) {
            if highest.is_some_and(|highest| offset <= highest) {
                flags = flags.with(RawFlags::REDELIVERED);
            }
            *highest = (*highest).max(Some(offset));
        }
        if let (Some(id), Some(ids)) = (event.id, self.ids.get_mut(partition))
            && !ids.insert(id)
        {
            flags = flags.with(RawFlags::DUPLICATE);
        }
        flags
    }
}

impl RawLog {
    /// Page of a record as text; empty where there is none.
    pub fn page_text(&self, page: u32) -> &str {
        self.pages.text(page)
    }
}
