//! [`RealDisk`]: a directory of the operating system. The only file here that touches the file system.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::disk::{Disk, DiskStats, LOCK_NAME, check_name};

/// A directory on disk, with one writer at a time.
#[derive(Debug)]
pub struct RealDisk {
    directory: PathBuf,
    access: Access,
    /// Files written and not renamed since: reopening for each append would cost more than the append, and an
    /// fsync through the handle that wrote is sure to see its errors.
    handles: BTreeMap<String, File>,
    stats: DiskStats,
}

#[derive(Debug)]
enum Access {
    ReadOnly,
    /// The kernel frees the lock when the handle is closed, also when the process is killed.
    Writer {
        _lock: File,
    },
}

impl RealDisk {
    /// Opens a directory for writing, creating it where needed, and locks it for the lifetime of the value.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] when another writer holds it. A left-over lock file means nothing.
    pub fn open(directory: &Path) -> io::Result<RealDisk> {
        let is_new = !directory.exists();
        fs::create_dir_all(directory).map_err(|error| named(directory, &error))?;
        if is_new && let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_path(parent)?;
        }
        // Never truncated nor removed: a lock on a file that someone else unlinked would exclude nobody.
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join(LOCK_NAME))
            .map_err(|error| named(directory, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(RealDisk::with(directory, Access::Writer { _lock: lock })),
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                format!("checkpoint directory \"{}\" is in use by another process", directory.display()),
            )),
            Err(TryLockError::Error(error)) => Err(io::Error::new(
                error.kind(),
                format!("cannot lock checkpoint directory \"{}\": {error}", directory.display()),
            )),
        }
    }

    /// Opens an existing directory to look at: takes no lock, creates nothing, refuses every change.
    pub fn open_read_only(directory: &Path) -> io::Result<RealDisk> {
        fs::read_dir(directory).map_err(|error| named(directory, &error))?;
        Ok(RealDisk::with(directory, Access::ReadOnly))
    }

    fn with(directory: &Path, access: Access) -> RealDisk {
        let (handles, stats) = (BTreeMap::new(), DiskStats::default());
        RealDisk { directory: directory.to_owned(), access, handles, stats }
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        check_name(name)?;
        Ok(self.directory.join(name))
    }

    fn path_to_change(&self, name: &str) -> io::Result<PathBuf> {
        self.check_writable()?;
        self.path(name)
    }

    fn check_writable(&self) -> io::Result<()> {
        match self.access {
            Access::Writer { .. } => Ok(()),
            Access::ReadOnly => Err(io::Error::new(
                io::ErrorKind::ReadOnlyFilesystem,
                format!("checkpoint directory \"{}\" was opened read-only", self.directory.display()),
            )),
        }
    }

    fn handle(&mut self, name: &str, may_create: MayCreate) -> io::Result<&mut File> {
        let path = self.path_to_change(name)?;
        if !self.handles.contains_key(name) {
            let create = matches!(may_create, MayCreate::Yes);
            let file = OpenOptions::new().append(true).create(create).open(&path);
            self.handles.insert(name.to_owned(), file.map_err(|error| named(&path, &error))?);
        }
        self.handles.get_mut(name).ok_or_else(|| super::disk::not_found(name))
    }
}

#[derive(Clone, Copy)]
enum MayCreate {
    Yes,
    No,
}

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(|error| named(&self.directory, &error))? {
            let entry = entry.map_err(|error| named(&self.directory, &error))?;
            let metadata = match entry.metadata() {
                // A writer has renamed or removed it since: who only looks takes no lock.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata.map_err(|error| named(&entry.path(), &error))?,
            };
            // A name that is no text is none of ours.
            if let Ok(name) = entry.file_name().into_string()
                && metadata.is_file()
                && name != LOCK_NAME
            {
                files.push((name, metadata.len()));
            }
        }
        files.sort();
        Ok(files)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(name)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(&path, &error)),
        }
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name)?;
        let file = self.handle(name, MayCreate::Yes)?;
        let written = file.set_len(0).and_then(|()| file.write_all(bytes));
        written.map_err(|error| named(&path, &error))?;
        self.stats.wrote(bytes);
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name)?;
        let written = self.handle(name, MayCreate::Yes)?.write_all(bytes);
        written.map_err(|error| named(&path, &error))?;
        self.stats.wrote(bytes);
        Ok(())
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        let file = self.handle(name, MayCreate::No)?;
        if length < file.metadata()?.len() {
            file.set_len(length)?;
        }
        Ok(())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let path = self.path(name)?;
        self.handle(name, MayCreate::No)?.sync_all().map_err(|error| named(&path, &error))?;
        self.stats.synced();
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (from_path, to_path) = (self.path_to_change(from)?, self.path_to_change(to)?);
        // Handles go first: some systems refuse to rename an open file, and one kept would write to the old file.
        self.handles.remove(from);
        self.handles.remove(to);
        fs::rename(&from_path, to_path).map_err(|error| named(&from_path, &error))
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.check_writable()?;
        sync_path(&self.directory)?;
        self.stats.synced();
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let path = self.path_to_change(name)?;
        self.handles.remove(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(&path, &error)),
            _ => Ok(()),
        }
    }

    fn stats(&self) -> DiskStats {
        self.stats
    }
}

/// Only Unix opens directories as files; elsewhere the file system's own journal has to do.
fn sync_path(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{error}: \"{}\"", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::replace;

    #[test]
    fn a_second_writer_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new").join("deeper");
        let mut first = RealDisk::open(&path).unwrap();
        first.append("a", b"1").unwrap();
        let refused = RealDisk::open(&path).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
        assert!(refused.to_string().ends_with("is in use by another process"), "{refused}");
        assert_eq!(RealDisk::open_read_only(&path).unwrap().read("a").unwrap().unwrap(), b"1");
        drop(first);
        let second = RealDisk::open(&path).unwrap();
        assert!(path.join("lock").exists(), "a left-over lock file means nothing");
        assert_eq!(second.list().unwrap(), [("a".to_owned(), 1)]);
    }

    #[test]
    fn read_only_creates_and_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let missing = RealDisk::open_read_only(&directory.path().join("none")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let mut disk = RealDisk::open_read_only(directory.path()).unwrap();
        assert!(
            disk.append("a", b"1").is_err() && disk.write("a", b"1").is_err() && disk.remove("a").is_err()
        );
        assert!(disk.rename("a", "b").is_err() && disk.sync("a").is_err() && disk.sync_directory().is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn files_are_written_appended_cut_replaced_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let mut disk = RealDisk::open(directory.path()).unwrap();
        disk.append("log", b"abc").unwrap();
        disk.append("log", b"def").unwrap();
        disk.truncate("log", 4).unwrap();
        disk.truncate("log", 99).unwrap();
        disk.append("log", b"!").unwrap();
        disk.sync("log").unwrap();
        assert_eq!(disk.read("log").unwrap().unwrap(), b"abcd!");
        replace(&mut disk, "log", b"new").unwrap();
        disk.append("log", b"er").unwrap();
        assert_eq!(disk.read("log").unwrap().unwrap(), b"newer");
        assert_eq!(disk.stats(), DiskStats { bytes_written: 12, fsyncs: 3 });
        disk.remove("log").unwrap();
        disk.remove("log").unwrap();
        assert_eq!((disk.read("log").unwrap(), disk.list().unwrap().len()), (None, 0));
        assert!(disk.truncate("log", 0).is_err() && disk.sync("log").is_err());
    }

    #[test]
    fn names_stay_inside_and_off_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let mut disk = RealDisk::open(directory.path()).unwrap();
        for name in ["", ".", "..", "lock", "a/b", "a\\b", "a\0"] {
            assert_eq!(disk.write(name, b"").unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
    }
}
