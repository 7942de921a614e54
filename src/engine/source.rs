//! What a worker needs of a source beyond its records: names by text, its identity, its place in the files.

use std::sync::Arc;

use crate::{
    checkpoint::{Checkpoint, SavedPosition},
    domain::Offsets,
    ingest::{LogError, LogIndex, RecordSource},
};

/// A source that a stream processor can be restored over.
pub trait WorkerSource: RecordSource + Send + std::fmt::Debug {
    /// The id of a key of this log.
    fn key_id(&mut self, text: &str) -> Option<u32>;
    /// The id of a user of this log.
    fn user_id(&mut self, text: &str) -> Option<u32>;
    /// Where reading goes on, for a checkpoint.
    fn saved_positions(&self) -> Vec<SavedPosition>;
    /// Takes note that the index behind it has grown; nothing to do for a source over files.
    fn grow(&mut self, _index: Arc<LogIndex>) {}
    /// Goes to where a checkpoint left off.
    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<(), LogError>;
    /// Where each partition ends; [`u64::MAX`] where more may come. Known once its last record was handed out.
    fn ends(&self) -> Offsets;
    /// The identity of what was handed out, for a checkpoint.
    fn identity(&self) -> Vec<u8>;
    /// Whether a checkpoint belongs to this log.
    fn check(&self, checkpoint: &Checkpoint) -> Result<(), String>;
}
