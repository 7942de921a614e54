//! The lane's records as a version reads them: another day, without ids.

use std::sync::Arc;

use crate::{
    checkpoint::{Checkpoint, SavedPosition},
    domain::{NameTable, Offsets, Reading, Record},
    engine::{lane_source::LaneSource, source::WorkerSource},
    ingest::{LogError, LogIndex, RecordSource},
};

/// A source over the index that hands out every record as one version sees it.
#[derive(Debug)]
pub(super) struct VersionSource {
    inner: LaneSource,
    reading: Reading,
}

impl VersionSource {
    /// At record 0.
    pub(super) fn new(index: Arc<LogIndex>, reading: Reading) -> Self {
        VersionSource { inner: LaneSource::new(index), reading }
    }
}

impl RecordSource for VersionSource {
    fn partitions(&self) -> &[String] {
        self.inner.partitions()
    }

    fn position(&self) -> &Offsets {
        self.inner.position()
    }

    fn seek(&mut self, position: &Offsets) -> Result<(), LogError> {
        self.inner.seek(position)
    }

    fn read(&mut self, limit: usize, records: &mut Vec<Record>) -> Result<usize, LogError> {
        let before = records.len();
        let read = self.inner.read(limit, records)?;
        for record in records.iter_mut().skip(before) {
            *record = self.reading.of(record);
        }
        Ok(read)
    }

    fn keys(&self) -> &dyn NameTable {
        self.inner.keys()
    }

    fn users(&self) -> &dyn NameTable {
        self.inner.users()
    }
}

impl WorkerSource for VersionSource {
    fn key_id(&mut self, text: &str) -> Option<u32> {
        self.inner.key_id(text)
    }

    fn user_id(&mut self, text: &str) -> Option<u32> {
        self.inner.user_id(text)
    }

    fn saved_positions(&self) -> Vec<SavedPosition> {
        self.inner.saved_positions()
    }

    fn grow(&mut self, index: Arc<LogIndex>) {
        self.inner.grow(index);
    }

    fn ends(&self) -> Offsets {
        self.inner.ends()
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        self.inner.resume(checkpoint)
    }

    fn identity(&self) -> Vec<u8> {
        self.inner.identity()
    }

    fn check(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        self.inner.check(checkpoint)
    }
}
