//! [`Disk`]: the only way to durable state.

use std::{fmt, io};

/// Name of the lock file of a real directory; no file of ours may be called so.
pub const LOCK_NAME: &str = "lock";

/// What a file is called while [`replace`] writes it.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

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
    /// Cuts a file to `length` bytes; a file that is no longer than that stays as it is.
    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()>;
    /// Makes a file's content durable.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    /// Replaces `to` by `from`, atomically.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Makes names durable.
    fn sync_directory(&mut self) -> io::Result<()>;
    /// Removes a file; no error where there is none.
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// What this disk was asked to do since it was opened.
    fn stats(&self) -> DiskStats;
}

/// What a disk was asked to do. A fork or clone goes on counting from its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiskStats {
    /// Bytes handed to [`Disk::write`] and [`Disk::append`] that reached the disk.
    pub bytes_written: u64,
    /// Calls of [`Disk::sync`] and [`Disk::sync_directory`] that succeeded.
    pub fsyncs: u64,
}

impl DiskStats {
    pub(super) fn wrote(&mut self, bytes: &[u8]) {
        self.bytes_written += bytes.len() as u64;
    }

    pub(super) fn synced(&mut self) {
        self.fsyncs += 1;
    }
}

impl<D: Disk + ?Sized> Disk for Box<D> {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        (**self).list()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        (**self).read(name)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).write(name, bytes)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).append(name, bytes)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        (**self).truncate(name, length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        (**self).sync(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        (**self).rename(from, to)
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        (**self).sync_directory()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        (**self).remove(name)
    }

    fn stats(&self) -> DiskStats {
        (**self).stats()
    }
}

/// Replaces a file's content so that a crash or a power failure at any moment leaves the old or the new one:
/// temporary file, fsync, rename, fsync of the directory.
pub fn replace(disk: &mut dyn Disk, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}{TEMPORARY_SUFFIX}");
    disk.write(&temporary, bytes)?;
    disk.sync(&temporary)?;
    disk.rename(&temporary, name)?;
    disk.sync_directory()
}

/// Refuses names that could leave the directory or hit the lock file.
pub(super) fn check_name(name: &str) -> io::Result<()> {
    let reserved = matches!(name, "" | "." | ".." | LOCK_NAME);
    if reserved || name.contains(['/', '\\', '\0', ':']) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("not a file name: {name:?}")));
    }
    Ok(())
}

pub(super) fn not_found(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file {name:?}"))
}
