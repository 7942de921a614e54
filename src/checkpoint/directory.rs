//! Which files lie in a checkpoint directory, and what they are called.

use std::io;

use super::{
    deliveries::DELIVERIES_FILE,
    disk::{Disk, TEMPORARY_SUFFIX},
    sink::SINK_FILE,
};

/// The least number of restorable checkpoints kept: with one, a damaged newest would be the end.
pub const LEAST_KEPT: usize = 2;

/// A checkpoint file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointFile {
    /// Number of the checkpoint.
    pub id: u64,
    /// Name of the file.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// `checkpoint-000000000012.ckpt`.
pub fn checkpoint_name(id: u64) -> String {
    format!("checkpoint-{id:012}.ckpt")
}

/// The number in a name that [`checkpoint_name`] makes.
pub fn checkpoint_id(name: &str) -> Option<u64> {
    let id = name.strip_prefix("checkpoint-")?.strip_suffix(".ckpt")?.parse().ok()?;
    (checkpoint_name(id) == name).then_some(id)
}

/// The checkpoints of a directory, newest first.
pub fn list_checkpoints(disk: &dyn Disk) -> io::Result<Vec<CheckpointFile>> {
    let files = disk.list()?.into_iter();
    let mut found: Vec<CheckpointFile> = files
        .filter_map(|(name, bytes)| Some(CheckpointFile { id: checkpoint_id(&name)?, name, bytes }))
        .collect();
    found.sort_by_key(|file| std::cmp::Reverse(file.id));
    Ok(found)
}

/// The number of the next checkpoint; the first is 1.
///
/// # Errors
/// Those of the disk, and [`io::ErrorKind::InvalidData`] where a file has the last number there is.
pub fn next_checkpoint_id(disk: &dyn Disk) -> io::Result<u64> {
    let Some(newest) = list_checkpoints(disk)?.into_iter().next() else { return Ok(1) };
    newest.id.checked_add(1).ok_or_else(|| {
        let text = format!("no number is left behind that of {:?}", newest.name);
        io::Error::new(io::ErrorKind::InvalidData, text)
    })
}

/// Removes the oldest checkpoints, keeping the `keep` newest (at least [`LEAST_KEPT`]) that are not in `refused`,
/// those that a restore refused: they go with their neighbours, yet never push a restorable one out. The ids of
/// what was removed.
pub fn retain(disk: &mut dyn Disk, keep: usize, refused: &[u64]) -> io::Result<Vec<u64>> {
    let mut left = keep.max(LEAST_KEPT);
    let mut removed = Vec::new();
    for file in list_checkpoints(disk)? {
        if left == 0 {
            disk.remove(&file.name)?;
            removed.push(file.id);
        } else if !refused.contains(&file.id) {
            left -= 1;
        }
    }
    Ok(removed)
}

/// Renames checkpoints, sink and deliveries to `aside-N-...`, with the first N that is free. How many files, and N.
pub fn set_aside(disk: &mut dyn Disk) -> io::Result<(usize, u64)> {
    let files = disk.list()?;
    let is_taken = |n: u64| files.iter().any(|(name, _)| name.starts_with(&format!("aside-{n}-")));
    // So many files take fewer than so many numbers and one.
    let most = files.len() as u64 + 1;
    let number = (1..=most).find(|&n| !is_taken(n)).unwrap_or(most);
    // By name, so oldest first: cut short, the newest checkpoint is still there.
    let ours: Vec<&String> = files.iter().map(|(name, _)| name).filter(|name| is_state(name)).collect();
    for name in &ours {
        disk.rename(name, &format!("aside-{number}-{name}"))?;
    }
    disk.sync_directory()?;
    Ok((ours.len(), number))
}

/// Removes what a crash left of half-written files of ours. Their names.
pub fn clean_temporary(disk: &mut dyn Disk) -> io::Result<Vec<String>> {
    let names = disk.list()?.into_iter().map(|(name, _)| name);
    let left_over: Vec<String> =
        names.filter(|name| name.strip_suffix(TEMPORARY_SUFFIX).is_some_and(is_state)).collect();
    for name in &left_over {
        disk.remove(name)?;
    }
    Ok(left_over)
}

fn is_state(name: &str) -> bool {
    checkpoint_id(name).is_some() || name == SINK_FILE || name == DELIVERIES_FILE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::MemoryDisk;

    fn disk_with(names: &[&str]) -> MemoryDisk {
        let mut disk = MemoryDisk::new();
        for name in names {
            disk.write(name, b"x").unwrap();
        }
        disk
    }

    fn names(disk: &MemoryDisk) -> Vec<String> {
        disk.list().unwrap().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn names_and_numbers_belong_together() {
        assert_eq!(checkpoint_name(12), "checkpoint-000000000012.ckpt");
        for id in [0, 12, 999_999_999_999, 1_000_000_000_000, u64::MAX] {
            assert_eq!(checkpoint_id(&checkpoint_name(id)), Some(id));
        }
        for other in ["checkpoint-12.ckpt", "checkpoint-+00000000012.ckpt", "checkpoint-.ckpt", "sink.log"] {
            assert_eq!(checkpoint_id(other), None, "{other}");
        }
    }

    #[test]
    fn newest_come_first_and_the_oldest_go() {
        let ids = [9, 10, 11, 1_000_000_000_000];
        let owned = ids.map(checkpoint_name);
        let mut disk = disk_with(&owned.each_ref().map(String::as_str));
        let listed =
            |disk: &MemoryDisk| list_checkpoints(disk).unwrap().iter().map(|f| f.id).collect::<Vec<_>>();
        assert_eq!(listed(&disk), [1_000_000_000_000, 11, 10, 9]);
        assert_eq!(next_checkpoint_id(&disk).unwrap(), 1_000_000_000_001);
        assert_eq!(retain(&mut disk, 2, &[11]).unwrap(), [9], "a refused one does not push 10 out");
        assert_eq!(retain(&mut disk, 0, &[]).unwrap(), [10], "never fewer than two");
        assert_eq!(listed(&disk), [1_000_000_000_000, 11]);
        assert_eq!(next_checkpoint_id(&MemoryDisk::new()).unwrap(), 1);
        let error = next_checkpoint_id(&disk_with(&[&checkpoint_name(u64::MAX)])).unwrap_err();
        assert!(error.to_string().contains("checkpoint-18446744073709551615.ckpt"), "{error}");
    }

    #[test]
    fn old_state_is_set_aside_under_the_first_free_number() {
        let mut disk =
            disk_with(&["checkpoint-000000000003.ckpt", "sink.log", "deliveries.log", "notes.txt"]);
        assert_eq!(set_aside(&mut disk).unwrap(), (3, 1));
        disk.write("sink.log", b"y").unwrap();
        assert_eq!(set_aside(&mut disk).unwrap(), (1, 2));
        assert_eq!(
            names(&disk),
            [
                "aside-1-checkpoint-000000000003.ckpt",
                "aside-1-deliveries.log",
                "aside-1-sink.log",
                "aside-2-sink.log",
                "notes.txt"
            ]
        );
        assert_eq!(next_checkpoint_id(&disk).unwrap(), 1);
    }

    #[test]
    fn only_our_own_left_overs_are_cleaned() {
        let mut disk =
            disk_with(&["checkpoint-000000000003.ckpt.tmp", "sink.log.tmp", "sink.log", "mine.tmp"]);
        assert_eq!(clean_temporary(&mut disk).unwrap(), ["checkpoint-000000000003.ckpt.tmp", "sink.log.tmp"]);
        assert_eq!(names(&disk), ["mine.tmp", "sink.log"]);
    }
}
