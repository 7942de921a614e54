//! The index as the source of a lane's stream processor, and files as that of a headless one.

use std::{collections::HashMap, sync::Arc};

use rustc_hash::FxBuildHasher;

use super::{identity_codec, source::WorkerSource};
use crate::{
    checkpoint::{Checkpoint, SavedPosition, restart_position},
    domain::{NameTable, Offsets, Reading, Record},
    ingest::{
        FileSource, IndexSource, LogDirectory, LogError, LogIdentity, LogIndex, LogMatch, PartitionCursor,
        PartitionIdentity, RecordSource,
    },
};

/// Texts to ids.
type Ids = HashMap<String, u32, FxBuildHasher>;

/// Records from the index.
#[derive(Debug)]
pub struct LaneSource {
    index: Arc<LogIndex>,
    source: IndexSource,
    names: Option<[Ids; 2]>,
    /// How a version reads them; `None`: as they were loaded.
    reading: Option<Reading>,
}

impl LaneSource {
    /// At record 0.
    pub fn new(index: Arc<LogIndex>) -> Self {
        LaneSource { source: IndexSource::new(Arc::clone(&index)), index, names: None, reading: None }
    }

    /// The same records as a version reads them: another day, without ids.
    #[must_use]
    pub fn under(self, reading: Reading) -> Self {
        LaneSource { reading: Some(reading), ..self }
    }

    /// Texts to ids, made when the first name of a checkpoint is asked for.
    fn names(&mut self) -> &[Ids; 2] {
        let index = &self.index;
        self.names.get_or_insert_with(|| {
            [index.keys(), index.users()].map(|table| {
                let count = u32::try_from(table.len()).unwrap_or(u32::MAX);
                (0..count).map(|id| (table.text(id).to_owned(), id)).collect()
            })
        })
    }
}

impl RecordSource for LaneSource {
    fn partitions(&self) -> &[String] {
        self.source.partitions()
    }

    fn position(&self) -> &Offsets {
        self.source.position()
    }

    fn seek(&mut self, position: &Offsets) -> Result<(), LogError> {
        self.source.seek(position)
    }

    fn read(&mut self, limit: usize, records: &mut Vec<Record>) -> Result<usize, LogError> {
        let before = records.len();
        let read = self.source.read(limit, records)?;
        if let Some(reading) = &self.reading {
            records.iter_mut().skip(before).for_each(|record| *record = reading.of(record));
        }
        Ok(read)
    }

    fn keys(&self) -> &dyn NameTable {
        self.index.keys()
    }

    fn users(&self) -> &dyn NameTable {
        self.index.users()
    }
}

impl WorkerSource for LaneSource {
    fn key_id(&mut self, text: &str) -> Option<u32> {
        let [keys, _] = self.names();
        keys.get(text).copied()
    }

    fn user_id(&mut self, text: &str) -> Option<u32> {
        let [_, users] = self.names();
        users.get(text).copied()
    }

    fn saved_positions(&self) -> Vec<SavedPosition> {
        let position = self.source.position();
        let named = self.source.partitions().iter().zip(position.as_slice());
        named
            .map(|(name, &record)| SavedPosition {
                partition: name.clone(),
                record,
                ..SavedPosition::default()
            })
            .collect()
    }

    fn grow(&mut self, index: Arc<LogIndex>) {
        self.source.update(Arc::clone(&index));
        self.index = index;
        self.names = None;
    }

    fn ends(&self) -> Offsets {
        // A lane with a finite lateness reads nothing before the log is loaded.
        if self.index.is_last() {
            return self.index.end().clone();
        }
        Offsets::from_vec(vec![u64::MAX; self.index.partitions().len()])
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        self.names = None;
        self.source.seek(&restart_position(checkpoint, self.source.partitions().len()))
    }

    fn identity(&self) -> Vec<u8> {
        // Partitions only, the same while the log is loaded and after: checkpoints of a lane are as long in every run.
        // They live and die with a run, and the run names its log.
        let partition = |name: &String| PartitionIdentity { name: name.clone(), segments: Vec::new() };
        let partitions = self.source.partitions().iter().map(partition).collect();
        identity_codec::encode(&LogIdentity { partitions, ..LogIdentity::default() })
    }

    fn check(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let saved = identity_codec::decode(&checkpoint.stamp.log_identity)
            .ok_or_else(|| "section \"log identity\": cannot be read".to_owned())?;
        let names: Vec<&String> = saved.partitions.iter().map(|partition| &partition.name).collect();
        let same = names.into_iter().eq(self.source.partitions());
        if same { Ok(()) } else { Err("written over a log with other partitions".to_owned()) }
    }
}

/// Records from files, in bounded memory.
#[derive(Debug)]
pub struct FileWorkerSource {
    directory: LogDirectory,
    source: FileSource,
}

impl FileWorkerSource {
    /// Around an open source over `directory`.
    pub fn new(directory: LogDirectory, source: FileSource) -> Self {
        FileWorkerSource { directory, source }
    }
}

impl RecordSource for FileWorkerSource {
    fn partitions(&self) -> &[String] {
        self.source.partitions()
    }

    fn position(&self) -> &Offsets {
        self.source.position()
    }

    fn seek(&mut self, position: &Offsets) -> Result<(), LogError> {
        self.source.seek(position)
    }

    fn read(&mut self, limit: usize, records: &mut Vec<Record>) -> Result<usize, LogError> {
        self.source.read(limit, records)
    }

    fn keys(&self) -> &dyn NameTable {
        self.source.keys()
    }

    fn users(&self) -> &dyn NameTable {
        self.source.users()
    }
}

impl WorkerSource for FileWorkerSource {
    fn key_id(&mut self, text: &str) -> Option<u32> {
        Some(self.source.intern_key(text))
    }

    fn user_id(&mut self, text: &str) -> Option<u32> {
        Some(self.source.intern_user(text))
    }

    fn saved_positions(&self) -> Vec<SavedPosition> {
        let saved = |at: PartitionCursor| SavedPosition {
            partition: at.name,
            record: at.record,
            segment: at.segment,
            byte: at.byte,
            line: at.line,
        };
        self.source.partition_positions().into_iter().map(saved).collect()
    }

    fn ends(&self) -> Offsets {
        self.source.ends()
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let Some(saved) = &checkpoint.stamp.positions else {
            return self.source.seek(&restart_position(checkpoint, self.source.partitions().len()));
        };
        let identity = identity_codec::decode(&checkpoint.stamp.log_identity).unwrap_or_default();
        let to: Vec<PartitionCursor> = saved
            .iter()
            .map(|at| PartitionCursor {
                name: at.partition.clone(),
                record: at.record,
                segment: at.segment.clone(),
                byte: at.byte,
                line: at.line,
            })
            .collect();
        self.source.seek_to(&to, &identity)
    }

    fn identity(&self) -> Vec<u8> {
        identity_codec::encode(&self.source.identity())
    }

    fn check(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let saved = identity_codec::decode(&checkpoint.stamp.log_identity)
            .ok_or_else(|| "section \"log identity\": cannot be read".to_owned())?;
        match saved.verify(&self.directory) {
            Ok(LogMatch::Same | LogMatch::Grown) => Ok(()),
            Err(mismatch) => Err(mismatch.to_string()),
        }
    }
}
