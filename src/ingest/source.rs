//! [`RecordSource`]: records in delivery order, from a position on; and [`FileSource`], which reads them from files.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
};

use super::{
    Decoder, Issue, IssueLog, LogDirectory, LogError, LogIdentity, Mapping, PartitionCursor,
    PartitionIdentity, Segment,
    cursor::{Cursor, Place},
};
use crate::domain::{EventTime, NameTable, Names, Offsets, PartitionIndex, Record};

/// Hands out the records of a log in delivery order. What it hands out depends on the position only, so a
/// replay repeats it.
pub trait RecordSource {
    /// Partition names; a [`crate::domain::PartitionIndex`] is a place in this list.
    fn partitions(&self) -> &[String];
    /// The next record to read in each partition.
    fn position(&self) -> &Offsets;
    /// Goes to a position.
    fn seek(&mut self, position: &Offsets) -> Result<(), LogError>;
    /// Appends up to `limit` records to `records`; how many. Fewer than `limit` only where nothing more is there.
    fn read(&mut self, limit: usize, records: &mut Vec<Record>) -> Result<usize, LogError>;
    /// Names of the keys handed out.
    fn keys(&self) -> &dyn NameTable;
    /// Names of the users handed out.
    fn users(&self) -> &dyn NameTable;
}

/// The partitions of a log under a mapping, each as the files it is read from.
#[derive(Clone)]
pub(crate) struct Layout {
    pub names: Vec<String>,
    pub segments: Vec<Arc<[Segment]>>,
    /// Whether a field makes the partitions: then each reads every segment and takes what names it.
    pub by_field: bool,
    pub decoder: Arc<Decoder>,
    /// Records of each partition that belong to it, where it stands for less than all that is there.
    pub ends: Option<Vec<u64>>,
}

impl Layout {
    /// As the log lies; where a field makes the partitions, after one pass over the log for their names.
    pub fn new(log: &LogDirectory, mapping: &Mapping) -> Result<Layout, LogError> {
        let decoder = Arc::new(mapping.decoder()?);
        if mapping.partition.is_none() {
            let names = log.partitions().iter().map(|partition| partition.name.clone()).collect();
            let segments =
                log.partitions().iter().map(|partition| partition.segments.clone().into()).collect();
            return Ok(Layout { names, segments, by_field: false, decoder, ends: None });
        }
        let all: Arc<[Segment]> = log.segments().cloned().collect();
        let mut cursor = Cursor::new(PartitionIndex(0), decoder.clone(), all.clone(), None);
        let mut names = BTreeSet::new();
        while cursor.peek()? {
            if !names.contains(cursor.named_partition()) {
                names.insert(cursor.named_partition().to_owned());
            }
            cursor.skip()?;
        }
        if names.len() > usize::from(u16::MAX) {
            return Err(LogError::TooManyPartitions(names.len()));
        }
        let segments = vec![all; names.len()];
        Ok(Layout { names: names.into_iter().collect(), segments, by_field: true, decoder, ends: None })
    }

    /// Of it, what `identity` covers (verified before): the log as it was when nothing followed. Delivery order among
    /// these records is what it was, since it goes by the next record of each partition.
    #[must_use]
    pub fn recorded(self, identity: &LogIdentity) -> Layout {
        let known: BTreeMap<&str, u64> =
            identity.partitions.iter().map(|known| (known.name.as_str(), known.records())).collect();
        let (mut names, mut segments, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for (name, files) in self.names.into_iter().zip(self.segments) {
            if let Some(&end) = known.get(name.as_str()) {
                names.push(name);
                segments.push(files);
                ends.push(end);
            }
        }
        Layout { names, segments, ends: Some(ends), ..self }
    }

    /// A cursor at the start of a partition.
    pub fn cursor(&self, partition: usize) -> Cursor {
        let index = PartitionIndex(u16::try_from(partition).unwrap_or(u16::MAX));
        let only = if self.by_field { self.names.get(partition).cloned() } else { None };
        let segments = self.segments.get(partition).cloned().unwrap_or_default();
        let end = self.ends.as_ref().and_then(|ends| ends.get(partition)).copied();
        Cursor::new(index, self.decoder.clone(), segments, only).ending_at(end.unwrap_or(u64::MAX))
    }
}

/// Reads the files of a log, with one record of look-ahead a partition.
///
/// Memory: a read buffer a partition, and the names. Where `--partition` names a field, every partition reads the
/// whole log and takes the records that name it: as many passes as partitions, and one before for the names. A line
/// that does not say its partition belongs to `.`.
pub struct FileSource {
    layout: Layout,
    cursors: Vec<Cursor>,
    /// Next records by delivery time and partition.
    queue: BinaryHeap<Reverse<(Option<EventTime>, u16)>>,
    position: Offsets,
    keys: Names,
    users: Names,
    issues: IssueLog,
    /// Below it, malformed records are listed already: a replay does not list them again.
    listed: Offsets,
}

impl FileSource {
    /// At the start of a log.
    pub fn open(log: &LogDirectory, mapping: &Mapping) -> Result<FileSource, LogError> {
        FileSource::of(Layout::new(log, mapping)?)
    }

    /// At the start of what `identity`, verified before, covers of a log.
    pub(crate) fn open_recorded(
        log: &LogDirectory,
        mapping: &Mapping,
        identity: &LogIdentity,
    ) -> Result<FileSource, LogError> {
        FileSource::of(Layout::new(log, mapping)?.recorded(identity))
    }

    pub(crate) fn of(layout: Layout) -> Result<FileSource, LogError> {
        let cursors: Vec<Cursor> =
            (0..layout.names.len()).map(|partition| layout.cursor(partition)).collect();
        let mut source = FileSource {
            position: Offsets::start(cursors.len()),
            listed: Offsets::start(cursors.len()),
            layout,
            cursors,
            queue: BinaryHeap::new(),
            keys: Names::new(),
            users: Names::new(),
            issues: IssueLog::default(),
        };
        source.queue_all()?;
        Ok(source)
    }

    /// The place of the next record of each partition, for checkpoints.
    pub fn partition_positions(&self) -> Vec<PartitionCursor> {
        let named = self.cursors.iter().zip(&self.layout.names);
        named.map(|(cursor, name)| cursor.position(name)).collect()
    }

    /// Where each partition ends; [`u64::MAX`] where there is more.
    pub fn ends(&self) -> Offsets {
        let mut ends = self.position.clone();
        for Reverse((_, partition)) in &self.queue {
            ends.set(PartitionIndex(*partition), u64::MAX);
        }
        ends
    }

    /// The identity of exactly what lies before the position.
    pub fn identity(&self) -> LogIdentity {
        let named = self.cursors.iter().zip(&self.layout.names);
        let of = |(cursor, name): (&Cursor, &String)| PartitionIdentity {
            name: name.clone(),
            segments: cursor.identity(),
        };
        LogIdentity { by_field: self.layout.by_field, partitions: named.map(of).collect() }
    }

    /// Goes straight to saved places (compressed files are decoded up to them). `identity` is what was taken at the
    /// same position: hashes go on from it, after its last MiB of each segment was read again and compared. A
    /// partition that `to` does not name starts at 0.
    pub fn seek_to(&mut self, to: &[PartitionCursor], identity: &LogIdentity) -> Result<(), LogError> {
        if let Some(gone) = to.iter().find(|place| !self.layout.names.contains(&place.name)) {
            let cause = "no such partition".to_owned();
            return Err(LogError::BadPosition { partition: gone.name.clone(), cause });
        }
        for (cursor, name) in self.cursors.iter_mut().zip(&self.layout.names) {
            let known = identity.partitions.iter().find(|partition| partition.name == *name);
            match to.iter().find(|place| place.name == *name) {
                Some(place) => cursor.jump(place, known.map_or(&[], |known| &known.segments))?,
                None => cursor.rewind(),
            }
        }
        self.queue_all()
    }

    /// The first malformed records, in the order in which they were found: that of delivery, except that a seek
    /// forward finds those it passes over partition by partition.
    pub fn issues(&self) -> &[Issue] {
        self.issues.listed()
    }

    /// The same with the count of all.
    pub fn issue_log(&self) -> &IssueLog {
        &self.issues
    }

    /// Bytes of the files on disk that were read, of how many ([`LogDirectory::bytes`], times the number of passes
    /// where a field makes the partitions).
    pub fn disk_bytes(&self) -> (u64, u64) {
        let read = self.cursors.iter().map(Cursor::disk_bytes).sum();
        let total =
            self.layout.segments.iter().flat_map(|segments| segments.iter()).map(|segment| segment.bytes);
        (read, total.sum())
    }

    /// The id of a key, given now when it is new: for names that come from a checkpoint.
    pub fn intern_key(&mut self, text: &str) -> u32 {
        self.keys.intern(text)
    }

    /// The id of a user, given now when it is new.
    pub fn intern_user(&mut self, text: &str) -> u32 {
        self.users.intern(text)
    }

    /// Names of the keys handed out.
    pub fn key_names(&self) -> &Names {
        &self.keys
    }

    /// Names of the users handed out.
    pub fn user_names(&self) -> &Names {
        &self.users
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Delivery time and place of the record that is delivered next.
    pub(crate) fn upcoming(&self) -> Option<(Option<EventTime>, Place)> {
        let Reverse((time, partition)) = *self.queue.peek()?;
        Some((time, self.cursors.get(usize::from(partition))?.place()))
    }

    /// The next record in delivery order.
    pub(crate) fn next_record(&mut self) -> Result<Option<Record>, LogError> {
        let Some(Reverse((_, partition))) = self.queue.pop() else { return Ok(None) };
        let Some(cursor) = self.cursors.get_mut(usize::from(partition)) else { return Ok(None) };
        list_issue(cursor, PartitionIndex(partition), &mut self.issues, &mut self.listed);
        let record = cursor.take(&mut self.keys, &mut self.users)?;
        self.position.set(PartitionIndex(partition), cursor.record());
        if cursor.peek()? {
            self.queue.push(Reverse((cursor.delivery_time(), partition)));
        }
        Ok(record)
    }

    fn seek_cursors(&mut self, position: &Offsets) -> Result<(), LogError> {
        for (partition, cursor) in (0_u16..).map(PartitionIndex).zip(&mut self.cursors) {
            let target = position.get(partition);
            if target < cursor.record() {
                cursor.rewind();
            }
            while cursor.record() < target {
                if !cursor.peek()? {
                    let cause = format!("the partition ends at record {}", cursor.record());
                    let name = self.layout.names.get(partition.index()).cloned().unwrap_or_default();
                    return Err(LogError::BadPosition { partition: name, cause });
                }
                list_issue(cursor, partition, &mut self.issues, &mut self.listed);
                cursor.skip()?;
            }
        }
        Ok(())
    }

    fn queue_all(&mut self) -> Result<(), LogError> {
        self.queue.clear();
        for (partition, cursor) in (0_u16..).zip(&mut self.cursors) {
            self.position.set(PartitionIndex(partition), cursor.record());
            if cursor.peek()? {
                self.queue.push(Reverse((cursor.delivery_time(), partition)));
            }
        }
        Ok(())
    }
}

fn list_issue(cursor: &Cursor, partition: PartitionIndex, issues: &mut IssueLog, listed: &mut Offsets) {
    if cursor.record() >= listed.get(partition) {
        listed.set(partition, cursor.record() + 1);
        if let Some(issue) = cursor.issue() {
            issues.push(issue);
        }
    }
}

impl RecordSource for FileSource {
    fn partitions(&self) -> &[String] {
        &self.layout.names
    }

    fn position(&self) -> &Offsets {
        &self.position
    }

    /// Reads forward, or from the start where a partition has to go back. A position beyond the end is an error.
    fn seek(&mut self, position: &Offsets) -> Result<(), LogError> {
        let done = self.seek_cursors(position);
        // Also after an error the queue must stand for where the cursors are.
        self.queue_all()?;
        done
    }

    fn read(&mut self, limit: usize, records: &mut Vec<Record>) -> Result<usize, LogError> {
        for count in 0..limit {
            match self.next_record()? {
                Some(record) => records.push(record),
                None => return Ok(count),
            }
        }
        Ok(limit)
    }

    fn keys(&self) -> &dyn NameTable {
        &self.keys
    }

    fn users(&self) -> &dyn NameTable {
        &self.users
    }
}
