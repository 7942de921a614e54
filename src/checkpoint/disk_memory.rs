//! [`MemoryDisk`]: a disk for simulations, which knows what a power failure would take.
//!
//! Like a file system it keeps files apart from their names, each in two states: as written and as durable.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::disk::{Disk, DiskStats, check_name, not_found};

type Names = BTreeMap<String, u64>;

/// Files in memory. A clone shares their bytes until one of the two changes them.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    files: BTreeMap<u64, MemoryFile>,
    names: Names,
    durable_names: Names,
    next_file: u64,
    stats: DiskStats,
}

#[derive(Debug, Clone)]
struct MemoryFile {
    written: Arc<Vec<u8>>,
    durable: Durable,
}

/// What of a file survives a power failure.
#[derive(Debug, Clone)]
enum Durable {
    /// So many first bytes of what is written. Spares a copy of the whole file for every append after a sync.
    Prefix(usize),
    /// What was synced before the file was cut or overwritten.
    Old(Arc<Vec<u8>>),
}

impl MemoryFile {
    fn new() -> Self {
        MemoryFile { written: Arc::default(), durable: Durable::Prefix(0) }
    }

    /// Replaces what is written, keeping what is durable.
    fn overwrite(&mut self, bytes: Vec<u8>) {
        if let Durable::Prefix(length) = self.durable {
            self.durable = Durable::Old(Arc::new(prefix(&self.written, length)));
        }
        self.written = Arc::new(bytes);
    }

    fn lose_unsynced(&mut self) {
        self.written = match &self.durable {
            Durable::Prefix(length) => Arc::new(prefix(&self.written, *length)),
            Durable::Old(bytes) => Arc::clone(bytes),
        };
        self.durable = Durable::Prefix(self.written.len());
    }
}

fn prefix(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.get(..length).unwrap_or(bytes).to_vec()
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// The power goes: contents not synced and names not synced by [`Disk::sync_directory`] are gone.
    pub fn power_failure(&mut self) {
        self.names = self.durable_names.clone();
        self.drop_nameless();
        for file in self.files.values_mut() {
            file.lose_unsynced();
        }
    }

    /// The process dies: what was written survives in the operating system's memory, synced or not.
    pub fn process_crash(&mut self) {}

    fn file(&mut self, name: &str) -> io::Result<&mut MemoryFile> {
        check_name(name)?;
        let number = self.names.get(name).ok_or_else(|| not_found(name))?;
        self.files.get_mut(number).ok_or_else(|| not_found(name))
    }

    fn file_or_new(&mut self, name: &str) -> io::Result<&mut MemoryFile> {
        check_name(name)?;
        let number = *self.names.entry(name.to_owned()).or_insert(self.next_file);
        if number == self.next_file {
            self.next_file += 1;
        }
        Ok(self.files.entry(number).or_insert_with(MemoryFile::new))
    }

    /// A file lives as long as a name, written or durable, leads to it.
    fn drop_nameless(&mut self) {
        let (names, durable) = (&self.names, &self.durable_names);
        self.files.retain(|number, _| names.values().chain(durable.values()).any(|named| named == number));
    }
}

impl Disk for MemoryDisk {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let size = |number| self.files.get(number).map_or(0, |file| file.written.len() as u64);
        Ok(self.names.iter().map(|(name, number)| (name.clone(), size(number))).collect())
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        check_name(name)?;
        let file = self.names.get(name).and_then(|number| self.files.get(number));
        Ok(file.map(|file| file.written.to_vec()))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.file_or_new(name)?.overwrite(bytes.to_vec());
        self.stats.wrote(bytes);
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        Arc::make_mut(&mut self.file_or_new(name)?.written).extend_from_slice(bytes);
        self.stats.wrote(bytes);
        Ok(())
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        let file = self.file(name)?;
        if let Ok(length) = usize::try_from(length)
            && length < file.written.len()
        {
            let kept = prefix(&file.written, length);
            file.overwrite(kept);
        }
        Ok(())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let file = self.file(name)?;
        file.durable = Durable::Prefix(file.written.len());
        self.stats.synced();
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        check_name(from)?;
        check_name(to)?;
        let number = self.names.remove(from).ok_or_else(|| not_found(from))?;
        self.names.insert(to.to_owned(), number);
        self.drop_nameless();
        Ok(())
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.durable_names = self.names.clone();
        self.drop_nameless();
        self.stats.synced();
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        check_name(name)?;
        self.names.remove(name);
        self.drop_nameless();
        Ok(())
    }

    fn stats(&self) -> DiskStats {
        self.stats
    }
}

/// A [`MemoryDisk`] with several owners: the engine keeps it while a worker dies. Clones are the same disk;
/// [`SharedDisk::fork`] makes another.
#[derive(Debug, Clone, Default)]
pub struct SharedDisk(Arc<Mutex<MemoryDisk>>);

impl SharedDisk {
    /// A new disk with the content of `disk`.
    pub fn new(disk: MemoryDisk) -> Self {
        SharedDisk(Arc::new(Mutex::new(disk)))
    }

    /// Another disk with the same content, sharing bytes until one of the two changes them.
    #[must_use]
    pub fn fork(&self) -> SharedDisk {
        SharedDisk::new(self.disk().clone())
    }

    /// See [`MemoryDisk::power_failure`].
    pub fn power_failure(&self) {
        self.disk().power_failure();
    }

    /// See [`MemoryDisk::process_crash`].
    pub fn process_crash(&self) {
        self.disk().process_crash();
    }

    /// A worker that panicked elsewhere while it held the disk left it whole: no operation here stops half-way.
    fn disk(&self) -> MutexGuard<'_, MemoryDisk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for SharedDisk {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.disk().list()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.disk().read(name)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.disk().write(name, bytes)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.disk().append(name, bytes)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.disk().truncate(name, length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.disk().sync(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.disk().rename(from, to)
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.disk().sync_directory()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.disk().remove(name)
    }

    fn stats(&self) -> DiskStats {
        self.disk().stats()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(disk: &MemoryDisk, name: &str) -> Option<String> {
        disk.read(name).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_power_failure_takes_what_was_not_synced() {
        let mut disk = MemoryDisk::new();
        disk.append("log", b"ab").unwrap();
        disk.sync("log").unwrap();
        disk.sync_directory().unwrap();
        disk.append("log", b"cd").unwrap();
        disk.append("unnamed", b"x").unwrap();
        disk.sync("unnamed").unwrap();
        disk.process_crash();
        assert_eq!(content(&disk, "log").unwrap(), "abcd");
        disk.power_failure();
        assert_eq!(disk.list().unwrap(), [("log".to_owned(), 2)]);
        assert_eq!(content(&disk, "log").unwrap(), "ab");
    }

    #[test]
    fn unsynced_cuts_overwrites_renames_and_removals_are_undone() {
        let mut before = MemoryDisk::new();
        before.append("a", b"long").unwrap();
        before.sync("a").unwrap();
        before.sync_directory().unwrap();
        let changes: [fn(&mut MemoryDisk) -> io::Result<()>; 4] = [
            |disk| disk.truncate("a", 1),
            |disk| disk.write("a", b"other"),
            |disk| disk.rename("a", "b"),
            |disk| disk.remove("a"),
        ];
        for change in changes {
            let mut disk = before.clone();
            change(&mut disk).unwrap();
            assert_ne!(content(&disk, "a").as_deref(), Some("long"));
            disk.power_failure();
            assert_eq!(content(&disk, "a").as_deref(), Some("long"));
            assert_eq!(disk.list().unwrap().len(), 1);
        }
    }

    #[test]
    fn a_cut_that_is_synced_stays_cut() {
        let mut disk = MemoryDisk::new();
        disk.append("a", b"long").unwrap();
        disk.sync("a").unwrap();
        disk.sync_directory().unwrap();
        disk.truncate("a", 2).unwrap();
        disk.append("a", b"!").unwrap();
        disk.sync("a").unwrap();
        disk.power_failure();
        assert_eq!(content(&disk, "a").unwrap(), "lo!");
    }

    #[test]
    fn clones_are_one_disk_and_forks_are_two() {
        let mut disk = SharedDisk::default();
        let mut same = disk.clone();
        disk.append("a", b"1").unwrap();
        let mut fork = disk.fork();
        same.append("a", b"2").unwrap();
        fork.append("a", b"3").unwrap();
        assert_eq!(disk.read("a").unwrap().unwrap(), b"12");
        assert_eq!(fork.read("a").unwrap().unwrap(), b"13");
        assert_eq!(disk.stats().bytes_written, 2);
    }
}
