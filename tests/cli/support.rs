//! Running the program and looking at what it left.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

pub const TEXTBOOK: &str = "sample_logs/textbook";
pub const SHOP: &str = "sample_logs/shop";
pub const SHOP_RECORDS: u64 = 31_106;

/// What a run of the program left.
pub struct Ran {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The program in the package's directory, with nothing on its standard input.
pub fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rederive"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    let output = command(args).output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// Asserts the exit code, showing standard error where it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}", self.err);
        self
    }

    /// Asserts an error 2 whose line is the last on standard error.
    #[track_caller]
    pub fn fails_with(self, part: &str) -> Ran {
        let ran = self.exits(2);
        let last = ran.err.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: ") && last.contains(part), "{last:?} without {part:?}");
        assert_eq!(ran.err.matches("error: ").count(), 1, "{}", ran.err);
        assert_eq!(ran.out, "");
        ran
    }
}

/// A temporary directory with a checkpoint directory in it.
pub struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place { directory: tempfile::tempdir().unwrap() }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.file("checkpoints")
    }

    /// The arguments of a stream with a report.
    pub fn stream_args(&self, log: &str, more: &str) -> Vec<String> {
        let mut args = vec!["stream".to_owned(), log.to_owned()];
        args.extend(["--checkpoints".to_owned(), self.checkpoints().display().to_string()]);
        args.extend(["--report".to_owned(), self.file("report.json").display().to_string()]);
        args.extend(more.split_whitespace().map(ToOwned::to_owned));
        args
    }

    /// Runs a stream with a report.
    pub fn stream(&self, log: &str, more: &str) -> Ran {
        let _ = fs::remove_file(self.file("report.json"));
        run(self.stream_args(log, more))
    }

    /// The view that the sink serves.
    #[track_caller]
    pub fn view(&self) -> String {
        run([OsStr::new("view"), self.checkpoints().as_os_str()]).exits(0).out
    }

    #[track_caller]
    pub fn report(&self) -> Value {
        read_json(&self.file("report.json"))
    }

    /// Checkpoint files, oldest first.
    pub fn checkpoint_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.checkpoints()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| name(path).starts_with("checkpoint-"));
        files.sort();
        files
    }
}

pub fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[track_caller]
pub fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A hash of all names and contents below a directory.
pub fn content_hash(directory: &str) -> u128 {
    let mut waiting = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)];
    let mut files = Vec::new();
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                files.push((path.display().to_string(), xxh3_128(&fs::read(&path).unwrap())));
            }
        }
    }
    files.sort();
    xxh3_128(format!("{files:?}").as_bytes())
}

/// Reproducible numbers below `bound` (`SplitMix64`).
pub fn random(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) % bound
}
