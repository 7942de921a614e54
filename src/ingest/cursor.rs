//! One partition (or a run of its segments), record by record, with one record of look-ahead.

use std::sync::Arc;

use super::{
    ChainHash, Decoder, Issue, LogError, ParseIssue, PartitionIdentity, Segment, SegmentIdentity,
    decode::{LineEvent, LineTexts},
    lines::LineKind,
    records::RecordReader,
};
use crate::domain::{Event, EventTime, KeyId, Names, PartitionIndex, Record, UserId};

/// Where the next record of a partition is, for checkpoints: a record number and a place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionCursor {
    /// Name of the partition.
    pub name: String,
    /// 0-based number of the next record.
    pub record: u64,
    /// Segment that it is in, or the last one at the end; empty where the partition has none.
    pub segment: String,
    /// Decompressed bytes before it in the segment.
    pub byte: u64,
    /// Its line in the segment, from 1.
    pub line: u64,
}

/// Where a line is: number of the segment in its partition, decompressed bytes before it, line from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub segment: usize,
    pub byte: u64,
    pub line: u64,
}

/// Reads the records of one partition in order.
pub(crate) struct Cursor {
    partition: PartitionIndex,
    decoder: Arc<Decoder>,
    segments: Arc<[Segment]>,
    /// Only lines that name this partition are records of it, where a field makes the partitions.
    only: Option<String>,
    at: usize,
    reader: Option<RecordReader>,
    /// Identities of the segments before `at`.
    done: Vec<SegmentIdentity>,
    done_disk_bytes: u64,
    /// Records handed out of the segment at `at`.
    segment_records: u64,
    record: u64,
    /// It ends before this record, whatever follows: where the log was shorter than it is now.
    end: u64,
    next: Option<Result<LineEvent, ParseIssue>>,
    texts: LineTexts,
}

impl Cursor {
    /// At the start of a partition.
    pub fn new(
        partition: PartitionIndex,
        decoder: Arc<Decoder>,
        segments: Arc<[Segment]>,
        only: Option<String>,
    ) -> Cursor {
        Cursor {
            partition,
            decoder,
            segments,
            only,
            at: 0,
            reader: None,
            done: Vec::new(),
            done_disk_bytes: 0,
            segment_records: 0,
            record: 0,
            end: u64::MAX,
            next: None,
            texts: LineTexts::default(),
        }
    }

    /// Ends before record `end`.
    #[must_use]
    pub fn ending_at(self, end: u64) -> Cursor {
        Cursor { end, ..self }
    }

    /// Goes to a place, with the identity of what lies before it. Opens the file there at once.
    ///
    /// A place in front of a segment of which nothing was read is taken for the end of the last one that was read:
    /// that one may have grown since, and its new records come first.
    pub fn jump(&mut self, to: &PartitionCursor, known: &[SegmentIdentity]) -> Result<(), LogError> {
        let misfit = |cause: String| LogError::BadPosition { partition: to.name.clone(), cause };
        self.rewind();
        let of_name = |segment: &Segment| *segment.relative == *to.segment;
        if !to.segment.is_empty() && !self.segments.iter().any(of_name) {
            return Err(misfit(format!("no segment {:?}", to.segment)));
        }
        let records: u64 = known.iter().map(|segment| segment.records).sum();
        if records != to.record {
            return Err(misfit(format!("the identity covers {records} records, not {}", to.record)));
        }
        let Some((last, before)) = known.split_last() else {
            return if to.byte == 0 {
                Ok(())
            } else {
                Err(misfit("the identity covers no segment".to_owned()))
            };
        };
        if last.relative == to.segment && (last.bytes, last.lines + 1) != (to.byte, to.line) {
            return Err(misfit(format!("the identity ends elsewhere in {:?}", to.segment)));
        }
        for (identity, segment) in known.iter().zip(self.segments.iter()) {
            if *identity.relative != *segment.relative {
                return Err(misfit(format!("a segment in the place of another: {:?}", segment.relative)));
            }
        }
        let segment = self.segments.get(before.len()).cloned();
        let segment = segment.ok_or_else(|| misfit(format!("no segment {:?}", last.relative)))?;
        let hash = last.resume(&segment).map_err(|error| misfit(error.to_string()))?;
        let reader = RecordReader::open(segment, last.bytes, last.lines + 1, hash, self.decoder.reading())?;
        self.reader = Some(reader.after(last.ends_in_line_end, last.damaged));
        self.at = before.len();
        self.done = before.to_vec();
        self.done_disk_bytes = self.segments.iter().take(self.at).map(|segment| segment.bytes).sum();
        self.segment_records = last.records;
        self.record = to.record;
        Ok(())
    }

    /// Goes to a place without knowing the hash before it: for reading lines, never for an identity.
    pub fn jump_to_line(&mut self, place: Place, record: u64) -> Result<(), LogError> {
        self.rewind();
        if let Some(segment) = self.segments.get(place.segment).cloned() {
            let (hash, reading) = (ChainHash::default(), self.decoder.reading());
            self.reader = Some(RecordReader::open(segment, place.byte, place.line, hash, reading)?);
        }
        (self.at, self.record) = (place.segment, record);
        Ok(())
    }

    /// Goes to the start.
    pub fn rewind(&mut self) {
        self.at = 0;
        self.reader = None;
        self.done.clear();
        self.done_disk_bytes = 0;
        self.segment_records = 0;
        self.record = 0;
        self.next = None;
    }

    /// Number of the next record.
    pub fn record(&self) -> u64 {
        self.record
    }

    /// Fills the look-ahead; whether there is a next record.
    pub fn peek(&mut self) -> Result<bool, LogError> {
        if self.record >= self.end {
            return Ok(false);
        }
        while self.next.is_none() {
            let Some(reader) = &mut self.reader else {
                let Some(segment) = self.segments.get(self.at) else { return Ok(false) };
                self.reader = Some(RecordReader::start(segment.clone(), self.decoder.reading())?);
                continue;
            };
            self.texts.partition.clear();
            let decoded = match reader.peek()? {
                Some(LineKind::Text) => self.decoder.decode(reader.text(), reader.header(), &mut self.texts),
                Some(LineKind::TooLong) => Some(Err(ParseIssue::LineTooLong)),
                Some(LineKind::Broken(fault)) => Some(Err((*fault).into())),
                Some(LineKind::Damaged(cause)) => Some(Err(ParseIssue::DamagedGzip(cause.clone()))),
                // The last segment stays open: its end is the end of the partition.
                None if self.at + 1 >= self.segments.len() => return Ok(false),
                None => {
                    self.next_segment();
                    continue;
                }
            };
            self.next = decoded.filter(|_| self.is_mine());
            if self.next.is_none()
                && let Some(reader) = &mut self.reader
            {
                reader.take()?;
            }
        }
        Ok(true)
    }

    fn is_mine(&self) -> bool {
        let Some(only) = &self.only else { return true };
        // A line too long or undecodable never came to the decoder and names no partition.
        let name =
            if self.texts.partition.is_empty() { super::decode::NO_PARTITION } else { &self.texts.partition };
        only == name
    }

    /// What the delivery order goes by: arrival time where mapped, else event time; `None` goes first.
    pub fn delivery_time(&self) -> Option<EventTime> {
        let event = self.next.as_ref()?.as_ref().ok()?;
        if self.decoder.arrival_mapped() { event.arrival } else { Some(event.time) }
    }

    /// Hands out the record in the look-ahead; `None` where there is none.
    pub fn take(&mut self, keys: &mut Names, users: &mut Names) -> Result<Option<Record>, LogError> {
        let Some(next) = self.skip()? else { return Ok(None) };
        let event = next.ok().map(|event| Event {
            key: KeyId(keys.intern(&self.texts.page)),
            user: event.has_user.then(|| UserId(users.intern(&self.texts.user))),
            time: event.time,
            day: event.day,
            value: event.value,
            id: event.id,
            explicit_offset: event.explicit_offset,
        });
        Ok(Some(Record { partition: self.partition, offset: self.record - 1, event }))
    }

    /// Passes over the record in the look-ahead without giving its names ids.
    pub fn skip(&mut self) -> Result<Option<Result<LineEvent, ParseIssue>>, LogError> {
        let (Some(next), Some(reader)) = (self.next.take(), &mut self.reader) else { return Ok(None) };
        reader.take()?;
        self.record += 1;
        self.segment_records += 1;
        Ok(Some(next))
    }

    /// Why the record in the look-ahead is malformed, and where it is.
    pub fn issue(&self) -> Option<Issue> {
        let (Some(Err(reason)), Some(reader)) = (&self.next, &self.reader) else { return None };
        Some(Issue { file: reader.segment().relative.clone(), line: reader.line(), reason: reason.clone() })
    }

    /// Partition that the look-ahead names, where a field makes the partitions.
    pub fn named_partition(&self) -> &str {
        if self.texts.partition.is_empty() { super::decode::NO_PARTITION } else { &self.texts.partition }
    }

    /// The place of the look-ahead.
    pub fn place(&self) -> Place {
        let (byte, line) = self.reader.as_ref().map_or((0, 1), |reader| (reader.byte(), reader.line()));
        Place { segment: self.at, byte, line }
    }

    /// The line in the look-ahead.
    pub fn text(&self) -> &[u8] {
        self.reader.as_ref().map_or(&[], RecordReader::text)
    }

    /// The place of the next record.
    pub fn position(&self, name: &str) -> PartitionCursor {
        let Place { segment, byte, line } = self.place();
        let segment =
            self.segments.get(segment).map(|segment| segment.relative.to_string()).unwrap_or_default();
        PartitionCursor { name: name.to_owned(), record: self.record, segment, byte, line }
    }

    /// The identities of the segments, of what was handed out; without empty ones at the end.
    pub fn identity(&self) -> Vec<SegmentIdentity> {
        let mut partition = PartitionIdentity { name: String::new(), segments: self.whole_identity() };
        partition.trim();
        partition.segments
    }

    /// The same with empty segments at the end, to which others may be appended.
    pub fn whole_identity(&self) -> Vec<SegmentIdentity> {
        let mut segments = self.done.clone();
        segments.extend(self.current_identity());
        segments
    }

    /// Bytes of files on disk that were read.
    pub fn disk_bytes(&self) -> u64 {
        self.done_disk_bytes + self.reader.as_ref().map_or(0, RecordReader::disk_bytes)
    }

    fn current_identity(&self) -> Option<SegmentIdentity> {
        let reader = self.reader.as_ref()?;
        Some(SegmentIdentity {
            ends_in_line_end: reader.ends_in_line_end(),
            damaged: reader.damaged(),
            lines: reader.line() - 1,
            ..SegmentIdentity::new(&reader.segment().relative, self.segment_records, &reader.hash())
        })
    }

    fn next_segment(&mut self) {
        let identity = self.current_identity();
        self.done.extend(identity);
        self.done_disk_bytes = self.disk_bytes();
        self.segment_records = 0;
        self.reader = None;
        self.at += 1;
    }
}
