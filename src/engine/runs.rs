//! Runs on disk: scenario files, and the window's runs in the state directory (a fresh directory each).

use std::{
    env,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    journal::progress,
    protocol::{KeptRun, LaneCommand},
    scenario::{Scenario, ScenarioError},
};
use crate::checkpoint::RealDisk;

/// Name of a run's scenario in its directory: where it started from.
const START_FILE: &str = "run.json";
/// Name of a run's journal.
const JOURNAL_FILE: &str = "journal.jsonl";
/// Name of the list of what a person did in a run.
const COMMANDS_FILE: &str = "commands.jsonl";
/// Name of the file that says that a person ended the run.
const ENDED_FILE: &str = "ended";
/// Name of the file that is locked while a program has the run open.
const LOCK_FILE: &str = "run.lock";
/// How much of a journal's end is read to see how far it goes.
const JOURNAL_TAIL_BYTES: u64 = 64 << 10;
/// Name of a run's checkpoint directory.
const CHECKPOINTS: &str = "checkpoints";
/// Name of the directory with a checkpoint directory for each version of the Kappa lane.
const VERSIONS: &str = "versions";
/// Ended runs that are kept, the newest. Interrupted ones stay until a person deletes them.
pub const ENDED_KEPT: usize = 20;

/// Why a file of a run cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// The file system says no.
    #[error("{path:?}: {cause}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// It is no scenario that this program knows.
    #[error("{path:?}: {cause}")]
    Scenario {
        /// Which file.
        path: String,
        /// Why.
        cause: ScenarioError,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> RunFileError {
    let path = path.display().to_string();
    move |cause| RunFileError::Io { path, cause }
}

/// Reads a scenario file.
pub fn read_scenario(path: &Path) -> Result<Scenario, RunFileError> {
    let text = fs::read_to_string(path).map_err(io_error(path))?;
    Scenario::from_json(&text)
        .map_err(|cause| RunFileError::Scenario { path: path.display().to_string(), cause })
}

/// Writes a file as [`replace_contents`] does, making its directory where needed.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), RunFileError> {
    fs::create_dir_all(parent(path)).and_then(|()| replace_contents(path, bytes)).map_err(io_error(path))
}

/// Temporary file, fsync, rename, fsync of the directory: at any moment the old or the new content is there.
pub fn replace_contents(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name =
        path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file name"))?;
    let temporary = parent(path).join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let replaced = write_new(&temporary, path, bytes).and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        // It may not even be there; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        return replaced;
    }
    fs::File::open(parent(path))?.sync_all()
}

fn write_new(temporary: &Path, old: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(temporary)?;
    file.write_all(bytes)?;
    if let Ok(metadata) = fs::metadata(old) {
        file.set_permissions(metadata.permissions())?;
    }
    file.sync_all()
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// `$XDG_STATE_HOME/rederive/runs`, else `~/.local/state/rederive/runs`; `None` where neither is known.
pub fn runs_dir() -> Option<PathBuf> {
    let base = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".local/state")))?;
    Some(base.join("rederive").join("runs"))
}

/// Where a run started from, what a person did in it (with ticks), and how far it came.
pub type StoredRun = (Scenario, Vec<(u64, LaneCommand)>, u64);

/// One run's directory, held by this program alone: the kernel frees its lock when the last clone is gone, also when
/// the program is killed.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
    _lock: Arc<File>,
}

impl RunDirectory {
    /// A fresh directory under `runs`, named by the first free number.
    pub fn create(runs: &Path, start: &Scenario) -> Result<RunDirectory, RunFileError> {
        fs::create_dir_all(runs).map_err(io_error(runs))?;
        let taken =
            names(runs).iter().filter_map(|name| name.strip_prefix("run-")?.parse::<u64>().ok()).max();
        let mut number = taken.map_or(1, |highest| highest + 1);
        loop {
            let path = runs.join(format!("run-{number:06}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let made = RunDirectory::locked(path.clone());
                    let made = made.and_then(|run| run.replace_start(start).map(|()| run));
                    if made.is_err() {
                        // Half a run would never be listed; the first error is the one to tell.
                        let _ = fs::remove_dir_all(&path);
                    }
                    return made;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(io_error(&path)(error)),
            }
        }
    }

    /// Where the run starts from: log, mapping, settings.
    pub fn replace_start(&self, start: &Scenario) -> Result<(), RunFileError> {
        replace_file(&self.path.join(START_FILE), start.to_json().as_bytes())
    }

    fn locked(path: PathBuf) -> Result<RunDirectory, RunFileError> {
        let name = path.join(LOCK_FILE);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
        let lock = lock.map_err(io_error(&name))?;
        match lock.try_lock() {
            Ok(()) => Ok(RunDirectory { path, _lock: Arc::new(lock) }),
            Err(TryLockError::WouldBlock) => {
                let busy = io::Error::new(io::ErrorKind::ResourceBusy, "the run is open in another window");
                Err(io_error(&path)(busy))
            }
            Err(TryLockError::Error(error)) => Err(io_error(&name)(error)),
        }
    }

    /// An existing directory under `runs`, unless another program has it open.
    pub fn open(runs: &Path, name: &str) -> Result<RunDirectory, RunFileError> {
        let path = runs.join(name);
        if !is_run_name(name) || !path.is_dir() {
            return Err(io_error(&path)(io::Error::new(io::ErrorKind::NotFound, "not a kept run")));
        }
        RunDirectory::locked(path)
    }

    /// Its journal file.
    pub fn journal(&self) -> PathBuf {
        self.path.join(JOURNAL_FILE)
    }

    /// Its checkpoint directory, for one incarnation of a processor.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join(CHECKPOINTS)
    }

    /// Where the versions of its Kappa lane have their checkpoint directories.
    pub fn versions(&self) -> PathBuf {
        self.path.join(VERSIONS)
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Notes what a person did, durably enough to survive a crash of the program.
    pub fn note_command(&self, tick: u64, lane: u16, command: LaneCommand) -> Result<(), RunFileError> {
        let path = self.path.join(COMMANDS_FILE);
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(io_error(&path))?;
        file.write_all(command_line(tick, lane, command).as_bytes()).map_err(io_error(&path))
    }

    /// Where the run started from, what a person did in it, and how far it came.
    pub fn read(&self) -> Result<StoredRun, RunFileError> {
        let scenario = read_scenario(&self.path.join(START_FILE))?;
        let commands = fs::read_to_string(self.path.join(COMMANDS_FILE)).unwrap_or_default();
        let commands = commands.lines().map_while(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let command = serde_json::from_value(line.get("command")?.clone()).ok()?;
            Some((line.get("tick")?.as_u64()?, command))
        });
        let commands: Vec<(u64, LaneCommand)> = commands.collect();
        let last_command = commands.last().map_or(0, |&(tick, _)| tick);
        let last_tick = progress(&tail(&self.journal())).last_tick;
        Ok((scenario, commands, last_tick.max(last_command)))
    }

    /// Forgets checkpoints, journal and end: the run will be played again from its start.
    pub fn clear(&self) -> Result<(), RunFileError> {
        for directory in [self.checkpoints(), self.path.join(VERSIONS)] {
            if directory.exists() {
                fs::remove_dir_all(&directory).map_err(io_error(&directory))?;
            }
        }
        for file in [self.journal(), self.path.join(ENDED_FILE)] {
            if file.exists() {
                fs::remove_file(&file).map_err(io_error(&file))?;
            }
        }
        Ok(())
    }

    /// Replaces what a person did by `commands`, at once.
    pub fn replace_commands(&self, commands: &[(u64, LaneCommand)]) -> Result<(), RunFileError> {
        let text: String =
            commands.iter().map(|&(tick, command)| command_line(tick, command.lane().0, command)).collect();
        replace_file(&self.path.join(COMMANDS_FILE), text.as_bytes())
    }

    /// Deletes it, where nothing was played in it. What cannot be deleted is listed as a run without anything in it.
    pub fn discard(self) {
        let _stays = fs::remove_dir_all(&self.path);
    }

    /// Notes that a person ended the run: it was not interrupted.
    pub fn ended(&self) -> Result<(), RunFileError> {
        replace_file(&self.path.join(ENDED_FILE), b"")
    }
}

fn command_line(tick: u64, lane: u16, command: LaneCommand) -> String {
    format!("{}\n", serde_json::json!({ "tick": tick, "lane": lane, "command": command }))
}

/// The last whole lines of a journal: enough to see how far it goes, however long it is.
fn tail(journal: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(journal)?;
        let from = file.metadata()?.len().saturating_sub(JOURNAL_TAIL_BYTES);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let first_line = bytes.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        Ok(if from == 0 { bytes } else { bytes.split_off(first_line) })
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// Whether a program has the run open.
fn is_open(path: &Path) -> bool {
    let lock = OpenOptions::new().write(true).open(path.join(LOCK_FILE));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Runs kept under `runs` that no program has open, newest first.
pub fn kept_runs(runs: &Path) -> Vec<KeptRun> {
    let mut names: Vec<String> = names(runs).into_iter().filter(|name| is_run_name(name)).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    names.into_iter().filter_map(|name| kept_run(runs, name)).collect()
}

fn kept_run(runs: &Path, name: String) -> Option<KeptRun> {
    let path = runs.join(&name);
    if is_open(&path) {
        return None;
    }
    let scenario = read_scenario(&path.join(START_FILE)).ok()?;
    let (last_tick, ended) = came_to(&path);
    Some(KeptRun { name, log: scenario.log.path, bytes: size(&path), last_tick, ended })
}

/// How far a run came, and whether it is over: it finished, a person ended it, or it never began.
fn came_to(path: &Path) -> (u64, bool) {
    let progress = progress(&tail(&path.join(JOURNAL_FILE)));
    let did_nothing = fs::metadata(path.join(COMMANDS_FILE)).map_or(true, |commands| commands.len() == 0);
    let never_began = progress.last_tick == 0 && did_nothing;
    (progress.last_tick, progress.finished || never_began || path.join(ENDED_FILE).exists())
}

/// Deletes ended runs but the newest [`ENDED_KEPT`]; never one that a program has open.
pub fn prune(runs: &Path) {
    let mut names: Vec<String> = names(runs).into_iter().filter(|name| is_run_name(name)).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    let ended = names.iter().filter(|name| {
        let path = runs.join(name);
        !is_open(&path) && path.join(START_FILE).exists() && came_to(&path).1
    });
    for name in ended.skip(ENDED_KEPT) {
        // One that cannot be deleted now can be the next time, or by hand.
        let _stays = delete_run(runs, name);
    }
}

/// Deletes a kept run.
pub fn delete_run(runs: &Path, name: &str) -> Result<(), RunFileError> {
    let run = RunDirectory::open(runs, name)?;
    fs::remove_dir_all(&run.path).map_err(io_error(&run.path))
}

fn is_run_name(name: &str) -> bool {
    let number = name.strip_prefix("run-").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Opens a checkpoint directory in a run's directory.
pub fn open_disk(path: &Path) -> io::Result<Box<dyn crate::checkpoint::Disk>> {
    Ok(Box::new(RealDisk::open(path)?))
}

/// Opens it to look only: without a lock, beside a running processor.
pub fn open_disk_read_only(path: &Path) -> io::Result<Box<dyn crate::checkpoint::Disk>> {
    Ok(Box::new(RealDisk::open_read_only(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::describe::plain_scenario;

    /// Runs of which the even ones were interrupted at tick 7.
    fn some_runs(runs: &Path, count: usize) {
        for number in 1..=count {
            let run = RunDirectory::create(runs, &plain_scenario(Path::new("log"))).unwrap();
            fs::write(run.journal(), "{\"tick\":7,\"lane\":0}\n").unwrap();
            if number % 2 == 1 {
                run.ended().unwrap();
            }
        }
    }

    #[test]
    fn the_newest_ended_runs_and_all_interrupted_ones_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let runs = directory.path();
        some_runs(runs, 2 * ENDED_KEPT + 6);
        let open = RunDirectory::open(runs, "run-000001").unwrap();
        fs::create_dir(runs.join("run-000000")).unwrap();
        fs::create_dir(runs.join("notes")).unwrap();
        prune(runs);
        let kept = kept_runs(runs);
        let ended: Vec<&str> = kept.iter().filter(|run| run.ended).map(|run| run.name.as_str()).collect();
        assert_eq!((ended.len(), ended.last().copied()), (ENDED_KEPT, Some("run-000007")));
        assert_eq!(kept.len() - ended.len(), ENDED_KEPT + 3, "interrupted ones");
        assert!(runs.join("run-000001").exists(), "it is open");
        assert!(runs.join("run-000000").exists() && runs.join("notes").exists(), "these are no runs of ours");
        drop(open);
        prune(runs);
        assert!(!runs.join("run-000001").exists());
    }

    #[test]
    fn a_journal_of_any_length_is_read_at_its_end_only() {
        let directory = tempfile::tempdir().unwrap();
        let runs = directory.path();
        some_runs(runs, 2);
        let mut journal = OpenOptions::new().write(true).open(runs.join("run-000002/journal.jsonl")).unwrap();
        // A hole: larger than any memory.
        journal.set_len(1 << 42).unwrap();
        journal.seek(SeekFrom::End(0)).unwrap();
        journal.write_all(b"\n{\"tick\":99,\"lane\":0}\n{\"tick\":100,\"la").unwrap();
        let kept = kept_runs(runs);
        assert_eq!((kept[0].last_tick, kept[0].ended), (99, false));
        let (_, _, last) = RunDirectory::open(runs, "run-000002").unwrap().read().unwrap();
        assert_eq!(last, 99);
    }
}
