//! Short debug output for the large types: where they stand, not what they hold.

use std::fmt;

use super::{FileSource, IndexSource, RecordSource as _};

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
