//! [`FaultyDisk`]: injects errors and torn writes by a script.

use std::{cell::Cell, io};

use super::disk::{Disk, DiskStats};

/// Kinds of operations, to count and to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskOperation {
    /// [`Disk::list`].
    List,
    /// [`Disk::read`].
    Read,
    /// [`Disk::write`].
    Write,
    /// [`Disk::append`].
    Append,
    /// [`Disk::truncate`].
    Truncate,
    /// [`Disk::sync`].
    Sync,
    /// [`Disk::rename`].
    Rename,
    /// [`Disk::sync_directory`].
    SyncDirectory,
    /// [`Disk::remove`].
    Remove,
}

impl DiskOperation {
    /// All of them, in the order of the counters.
    pub const ALL: [DiskOperation; 9] = [
        DiskOperation::List,
        DiskOperation::Read,
        DiskOperation::Write,
        DiskOperation::Append,
        DiskOperation::Truncate,
        DiskOperation::Sync,
        DiskOperation::Rename,
        DiskOperation::SyncDirectory,
        DiskOperation::Remove,
    ];

    fn changes_the_disk(self) -> bool {
        !matches!(self, DiskOperation::List | DiskOperation::Read)
    }
}

/// Which operation a fault hits. Both count from 0 and from the making of the [`FaultyDisk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultAt {
    /// The n-th operation of a kind.
    Nth(DiskOperation, u64),
    /// The n-th operation of those that change the disk, whatever its kind.
    NthChange(u64),
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFaultEffect {
    /// Nothing is done; an error of this kind is returned.
    Fail(io::ErrorKind),
    /// Of a write or an append only so many first bytes reach the disk, then an error is returned. Of any other
    /// operation nothing is done.
    Tear(usize),
}

/// One line of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskFault {
    /// When.
    pub at: FaultAt,
    /// What.
    pub effect: DiskFaultEffect,
}

/// A disk that fails by a script, and counts operations.
#[derive(Debug)]
pub struct FaultyDisk<D> {
    disk: D,
    plan: Vec<DiskFault>,
    counts: [Cell<u64>; 9],
    changes: Cell<u64>,
}

impl<D: Disk> FaultyDisk<D> {
    /// Wraps a disk.
    pub fn new(disk: D, plan: Vec<DiskFault>) -> Self {
        FaultyDisk { disk, plan, counts: Default::default(), changes: Cell::new(0) }
    }

    /// How many operations of a kind were asked for, failed ones included.
    pub fn count(&self, operation: DiskOperation) -> u64 {
        self.counts.get(operation as usize).map_or(0, Cell::get)
    }

    /// How many operations that change the disk were asked for, failed ones included.
    pub fn changes(&self) -> u64 {
        self.changes.get()
    }

    /// The disk below.
    pub fn inner(&self) -> &D {
        &self.disk
    }

    /// The disk below, for good.
    pub fn into_inner(self) -> D {
        self.disk
    }

    /// Counts an operation; what the script says of it.
    fn fault(&self, operation: DiskOperation) -> Option<DiskFaultEffect> {
        let here = FaultAt::Nth(operation, self.count(operation));
        if let Some(count) = self.counts.get(operation as usize) {
            count.set(count.get() + 1);
        }
        let mut change = None;
        if operation.changes_the_disk() {
            change = Some(FaultAt::NthChange(self.changes.get()));
            self.changes.set(self.changes.get() + 1);
        }
        let fault = self.plan.iter().find(|fault| fault.at == here || Some(fault.at) == change);
        fault.map(|fault| fault.effect)
    }

    fn check(&self, operation: DiskOperation) -> io::Result<()> {
        match self.fault(operation) {
            None => Ok(()),
            Some(DiskFaultEffect::Fail(kind)) => Err(failed(kind, operation)),
            Some(DiskFaultEffect::Tear(_)) => Err(failed(io::ErrorKind::Other, operation)),
        }
    }
}

fn failed(kind: io::ErrorKind, operation: DiskOperation) -> io::Error {
    io::Error::new(kind, format!("injected fault: {operation:?}"))
}

fn torn(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

impl<D: Disk> Disk for FaultyDisk<D> {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.check(DiskOperation::List)?;
        self.disk.list()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.check(DiskOperation::Read)?;
        self.disk.read(name)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match self.fault(DiskOperation::Write) {
            None => self.disk.write(name, bytes),
            Some(DiskFaultEffect::Fail(kind)) => Err(failed(kind, DiskOperation::Write)),
            Some(DiskFaultEffect::Tear(length)) => {
                self.disk.write(name, torn(bytes, length))?;
                Err(failed(io::ErrorKind::WriteZero, DiskOperation::Write))
            }
        }
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match self.fault(DiskOperation::Append) {
            None => self.disk.append(name, bytes),
            Some(DiskFaultEffect::Fail(kind)) => Err(failed(kind, DiskOperation::Append)),
            Some(DiskFaultEffect::Tear(length)) => {
                self.disk.append(name, torn(bytes, length))?;
                Err(failed(io::ErrorKind::WriteZero, DiskOperation::Append))
            }
        }
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.check(DiskOperation::Truncate)?;
        self.disk.truncate(name, length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.check(DiskOperation::Sync)?;
        self.disk.sync(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.check(DiskOperation::Rename)?;
        self.disk.rename(from, to)
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.check(DiskOperation::SyncDirectory)?;
        self.disk.sync_directory()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.check(DiskOperation::Remove)?;
        self.disk.remove(name)
    }

    fn stats(&self) -> DiskStats {
        self.disk.stats()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{MemoryDisk, replace};

    fn tear(at: FaultAt, length: usize) -> DiskFault {
        DiskFault { at, effect: DiskFaultEffect::Tear(length) }
    }

    fn fail(at: FaultAt) -> DiskFault {
        DiskFault { at, effect: DiskFaultEffect::Fail(io::ErrorKind::StorageFull) }
    }

    #[test]
    fn the_script_is_followed_and_operations_are_counted() {
        let plan = vec![
            fail(FaultAt::Nth(DiskOperation::Append, 1)),
            tear(FaultAt::Nth(DiskOperation::Append, 2), 2),
            fail(FaultAt::Nth(DiskOperation::Read, 1)),
        ];
        let mut disk = FaultyDisk::new(MemoryDisk::new(), plan);
        disk.append("a", b"one").unwrap();
        assert_eq!(disk.append("a", b"two").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(disk.append("a", b"three").is_err());
        disk.append("a", b"!").unwrap();
        assert_eq!(disk.read("a").unwrap().unwrap(), b"oneth!");
        assert!(disk.read("a").is_err());
        assert_eq!(
            (disk.count(DiskOperation::Append), disk.changes(), disk.stats().bytes_written),
            (4, 4, 6)
        );
    }

    /// The promise of [`replace`]: whatever is cut short, and whether the process dies or the power goes.
    #[test]
    fn a_kill_during_replace_leaves_the_old_or_the_new_content() {
        let mut before = MemoryDisk::new();
        replace(&mut before, "file", b"old").unwrap();
        let mut seen = Vec::new();
        for at in (0..5).map(FaultAt::NthChange) {
            for fault in [fail(at), tear(at, 0), tear(at, 1), tear(at, 6)] {
                for power_fails in [false, true] {
                    let mut disk = FaultyDisk::new(before.clone(), vec![fault]);
                    let done = replace(&mut disk, "file", b"newest").is_ok();
                    let mut after = disk.into_inner();
                    if power_fails {
                        after.power_failure();
                    }
                    let content = after.read("file").unwrap().unwrap();
                    assert!(content == b"old" || content == b"newest", "{fault:?}: {content:?}");
                    assert!(!done || content == b"newest", "a success is durable");
                    seen.push(content);
                }
            }
        }
        assert!(seen.contains(&b"old".to_vec()) && seen.contains(&b"newest".to_vec()));
    }
}
