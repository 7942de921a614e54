//! The materialised view behind the default guarantee: a log of absolute rows of changed cells, last one wins.
//!
//! It may run ahead of the checkpoint: a replay writes the same cells again and ends at the same rows. What is not
//! contained in the file although the checkpoint says so (it was lost, or an unsynced tail was) is rebuilt from the
//! checkpoint's state.

use std::{collections::HashMap, io};

use rustc_hash::FxBuildHasher;

use super::{
    disk::{Disk, replace},
    sink_file::{self, Header, SinkRow, SinkSums},
};
use crate::domain::{Cell, Day, Fingerprint, KeyId, NameTable, Names, row_hash};

/// Name of the sink's file.
pub const SINK_FILE: &str = "sink.log";

/// Below this size a sink is not worth compacting.
const COMPACT_ABOVE_BYTES: u64 = 1 << 20;
/// How often the live rows must fit into a file before it is compacted.
const COMPACT_ABOVE_RATIO: u64 = 4;
/// Rows a frame of a rewritten file, so that no frame comes near the limit of its length field.
const REWRITE_ROWS: usize = 4096;

/// How far a sink has come: what a checkpoint remembers of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SinkPosition {
    /// Number of the rewrite; 0 where there is no file.
    pub epoch: u64,
    /// Bytes of the file, up to the end of the last whole frame.
    pub bytes: u64,
}

/// The sink, with its rows in memory.
#[derive(Debug, Clone, Default)]
pub struct Sink {
    position: SinkPosition,
    sums: SinkSums,
    records: u64,
    /// Bytes after the last whole frame, to be cut off before the next append.
    tail: Tail,
    dropped_bytes: u64,
    names: Names,
    index: HashMap<Cell, usize, FxBuildHasher>,
    rows: Vec<Stored>,
    live_bytes: u64,
    fingerprint: Fingerprint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tail {
    #[default]
    Clean,
    Torn,
    /// A rewrite failed: the old or the new file may be there.
    Unknown,
}

#[derive(Debug, Clone)]
struct Stored {
    cell: Cell,
    views: u64,
    sum: i128,
    unique_users: u64,
    users_hash: u128,
    hash: u128,
    bytes: u64,
}

impl Sink {
    /// Reads the sink of a disk; changes nothing. A torn tail is left out, and cut off by the next append.
    ///
    /// A file whose header is damaged reads as lost: its position contains none but the empty one.
    ///
    /// # Errors
    /// Those of the disk, and [`io::ErrorKind::Unsupported`] for a file of a newer version.
    pub fn open(disk: &dyn Disk) -> io::Result<Sink> {
        let mut sink = Sink::default();
        let Some(bytes) = disk.read(SINK_FILE)? else { return Ok(sink) };
        match sink_file::decode_header(&bytes) {
            Header::Epoch(epoch, sums) => {
                sink.position.epoch = epoch;
                sink.sums = sums;
            }
            Header::Damaged => {
                sink.dropped_bytes = bytes.len() as u64;
                return Ok(sink);
            }
            Header::UnknownVersion(version) => {
                let text = format!("unknown version of {SINK_FILE}: {version}");
                return Err(io::Error::new(io::ErrorKind::Unsupported, text));
            }
        }
        let mut rest = bytes.get(sink_file::HEADER_BYTES..).unwrap_or_default();
        while let Some((records, rows, length)) = sink_file::decode_frame(rest) {
            sink.records = records;
            for row in &rows {
                sink.put(row);
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        sink.dropped_bytes = rest.len() as u64;
        sink.position.bytes = bytes.len() as u64 - sink.dropped_bytes;
        sink.tail = if rest.is_empty() { Tail::Clean } else { Tail::Torn };
        Ok(sink)
    }

    /// Appends one emission: absolute rows, true after `records` records. Not durable before [`Sink::sync`].
    pub fn append(&mut self, disk: &mut dyn Disk, records: u64, rows: &[SinkRow<'_>]) -> io::Result<()> {
        let frame = frame(records, rows)?;
        if self.tail == Tail::Unknown {
            *self = Sink { sums: self.sums, ..Sink::open(disk)? };
        }
        if self.position.epoch == 0 {
            let header = sink_file::encode_header(1, self.sums);
            replace(disk, SINK_FILE, &header)?;
            self.position = SinkPosition { epoch: 1, bytes: header.len() as u64 };
        }
        if self.tail == Tail::Torn {
            disk.truncate(SINK_FILE, self.position.bytes)?;
        }
        // Until the append has returned, part of the frame may be in the file.
        self.tail = Tail::Torn;
        disk.append(SINK_FILE, &frame)?;
        self.tail = Tail::Clean;
        self.position.bytes += frame.len() as u64;
        self.records = records;
        for row in rows {
            self.put(row);
        }
        Ok(())
    }

    /// Makes all appends durable. Before a checkpoint names [`Sink::position`].
    pub fn sync(&self, disk: &mut dyn Disk) -> io::Result<()> {
        if self.position.epoch == 0 { Ok(()) } else { disk.sync(SINK_FILE) }
    }

    /// Rewrites the file with the live rows only, when it has outgrown them. Whether it did. The old or the new
    /// file survives a crash.
    pub fn compact(&mut self, disk: &mut dyn Disk) -> io::Result<bool> {
        let outgrown = self.live_bytes.saturating_mul(COMPACT_ABOVE_RATIO);
        if self.position.bytes <= COMPACT_ABOVE_BYTES || self.position.bytes <= outgrown {
            return Ok(false);
        }
        let file = self.whole_file(self.position.epoch + 1)?;
        self.replace_file(disk, self.position.epoch + 1, &file)?;
        Ok(true)
    }

    /// Starts a new epoch with exactly these absolute rows, true after `records` records; durable when it returns.
    /// The epoch is later than this sink's and than `beyond`'s, the position that was not found, so that no
    /// position saved before is mistaken for one in the new file.
    pub fn rebuild(
        &mut self,
        disk: &mut dyn Disk,
        rows: &[SinkRow<'_>],
        records: u64,
        beyond: SinkPosition,
    ) -> io::Result<()> {
        let epoch = self.position.epoch.max(beyond.epoch) + 1;
        let mut rebuilt = Sink { records, sums: self.sums, ..Sink::default() };
        for row in rows {
            rebuilt.put(row);
        }
        let file = rebuilt.whole_file(epoch)?;
        let replaced = rebuilt.replace_file(disk, epoch, &file);
        match replaced {
            Ok(()) => *self = rebuilt,
            Err(_) => self.tail = Tail::Unknown,
        }
        replaced
    }

    /// Says whether sums mean something, for a file that is made from now on.
    pub fn declare(&mut self, sums: SinkSums) {
        self.sums = sums;
    }

    /// Whether the sums in the rows mean something.
    pub fn sums(&self) -> SinkSums {
        self.sums
    }

    /// How far the file has come.
    pub fn position(&self) -> SinkPosition {
        self.position
    }

    /// Whether all that was in the sink at `position` is in it now: a rewrite keeps every live row.
    pub fn contains(&self, position: SinkPosition) -> bool {
        self.position.epoch > position.epoch
            || (self.position.epoch == position.epoch && self.position.bytes >= position.bytes)
    }

    /// Records before the end of the last emission.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes that [`Sink::open`] found torn or damaged, and left out.
    pub fn dropped_bytes(&self) -> u64 {
        self.dropped_bytes
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of a page and day.
    pub fn row(&self, page: &str, day: Day) -> Option<SinkRow<'_>> {
        let key = KeyId(self.names.find(page)?);
        self.index.get(&Cell { key, day }).and_then(|&at| self.rows.get(at)).map(|row| self.shown(row))
    }

    /// All rows, sorted by page (code point), then day.
    pub fn rows(&self) -> Vec<SinkRow<'_>> {
        let mut rows: Vec<SinkRow<'_>> = self.rows.iter().map(|row| self.shown(row)).collect();
        rows.sort_unstable_by(|a, b| a.page.cmp(b.page).then(a.day.cmp(&b.day)));
        rows
    }

    /// The fingerprint of the rows; equal to that of a [`crate::domain::View`] with the same rows and user sets.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn shown(&self, row: &Stored) -> SinkRow<'_> {
        SinkRow {
            page: self.names.text(row.cell.key.0),
            day: row.cell.day,
            views: row.views,
            sum: row.sum,
            unique_users: row.unique_users,
            users_hash: row.users_hash,
        }
    }

    fn put(&mut self, row: &SinkRow<'_>) {
        let key = KeyId(self.names.intern(row.page));
        let cell = Cell { key, day: row.day };
        let stored = Stored {
            cell,
            views: row.views,
            sum: row.sum,
            unique_users: row.unique_users,
            users_hash: row.users_hash,
            hash: row_hash(self.names.hash(key.0), row.day, row.views, row.sum, row.users_hash),
            bytes: sink_file::row_bytes(row),
        };
        self.live_bytes += stored.bytes;
        self.fingerprint = self.fingerprint.with(stored.hash);
        let next = self.rows.len();
        match self.rows.get_mut(*self.index.entry(cell).or_insert(next)) {
            Some(old) => {
                self.live_bytes -= old.bytes;
                self.fingerprint = self.fingerprint.with(old.hash.wrapping_neg());
                *old = stored;
            }
            None => self.rows.push(stored),
        }
    }

    fn whole_file(&self, epoch: u64) -> io::Result<Vec<u8>> {
        let mut file = sink_file::encode_header(epoch, self.sums);
        let rows = self.rows();
        if rows.is_empty() {
            // The record total is kept even where nothing counted.
            file.extend(frame(self.records, &[])?);
        }
        for chunk in rows.chunks(REWRITE_ROWS) {
            file.extend(frame(self.records, chunk)?);
        }
        Ok(file)
    }

    fn replace_file(&mut self, disk: &mut dyn Disk, epoch: u64, file: &[u8]) -> io::Result<()> {
        let replaced = replace(disk, SINK_FILE, file);
        self.tail = Tail::Unknown;
        if replaced.is_ok() {
            self.position = SinkPosition { epoch, bytes: file.len() as u64 };
            self.tail = Tail::Clean;
        }
        replaced
    }
}

fn frame(records: u64, rows: &[SinkRow<'_>]) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::new(io::ErrorKind::InvalidInput, "emission larger than 4 GiB");
    sink_file::encode_frame(records, rows).ok_or_else(too_large)
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
