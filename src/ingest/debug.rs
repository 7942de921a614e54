//! Short debug output for the large types: where they stand, not what they hold.

use std::fmt;

use super::{FileSource, IndexSource, LogIndex, RecordSource as _};

impl fmt::Debug for LogIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogIndex").field("records", &self.len()).field("complete", &self.complete()).finish()
    }
}

impl fmt::Debug for IndexSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexSource").field("position", self.position()).finish()
    }
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSource").field("position", self.position()).finish()
    }
}
