//! [`RecordSource`]: records in delivery order, from a position on.

use super::LogError;
use crate::domain::{NameTable, Offsets, Record};

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
