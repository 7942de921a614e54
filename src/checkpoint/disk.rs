//! [`Disk`]: the only way to durable state.

use std::{fmt, io};

/// A flat directory of named files. Names have no separators.
///
/// Nothing is durable before [`Disk::sync`] of the file and, for a new or renamed file, [`Disk::sync_directory`].
pub trait Disk: Send + fmt::Debug {
    /// Names and sizes of all files, sorted by name. Never the lock file.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;
    /// The content of a file; `None` where there is none.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// Creates or replaces a file. Not atomic: for temporary files only.
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Appends to a file, creating it where needed.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Cuts a file to `length` bytes.
    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()>;
    /// Makes a file's content durable.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    /// Replaces `to` by `from`, atomically.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Makes names durable.
    fn sync_directory(&mut self) -> io::Result<()>;
    /// Removes a file; no error where there is none.
    fn remove(&mut self, name: &str) -> io::Result<()>;
}
