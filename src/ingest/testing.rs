//! Small logs for tests.

use std::{fs, path::Path, sync::Arc};

use super::{LogDirectory, LogIndex, Mapping, MappingOptions, RecordSource, load};
use crate::domain::Record;

pub(crate) const MAPPING: &str = r#"{"page":"p","user":"u","time":"t","time_format":"epoch-s"}"#;

/// A log in a temporary directory.
pub(crate) struct TestLog {
    pub root: tempfile::TempDir,
    pub mapping: String,
}

impl TestLog {
    pub fn new(files: &[(&str, &str)]) -> TestLog {
        let log = TestLog { root: tempfile::tempdir().unwrap(), mapping: MAPPING.to_owned() };
        for (name, text) in files {
            log.write(name, text.as_bytes());
        }
        log
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn append(&self, name: &str, bytes: &[u8]) {
        let mut all = fs::read(self.root.path().join(name)).unwrap();
        all.extend_from_slice(bytes);
        self.write(name, &all);
    }

    pub fn path(&self) -> &Path {
        self.root.path()
    }

    pub fn open(&self) -> LogDirectory {
        LogDirectory::open(self.path(), false).unwrap()
    }

    pub fn mapping(&self) -> Mapping {
        serde_json::from_str(&self.mapping).unwrap()
    }
}

/// A line with a time, a page and a user that follow from it.
pub(crate) fn line(time: i64) -> String {
    format!("{{\"t\":{time},\"p\":\"/{}\",\"u\":\"u{}\"}}\n", time % 5, time % 3)
}

/// A record by text: partition, offset, time, page and user; time -1 for a malformed one.
pub(crate) type Seen = (u16, u64, i64, String, Option<String>);

/// Reads on to the end, `chunk` records at a time.
pub(crate) fn drain(source: &mut dyn RecordSource, chunk: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        let mut records = Vec::new();
        let count = source.read(chunk, &mut records).unwrap();
        seen.extend(records.iter().map(|record| show(source, record)));
        if count < chunk {
            return seen;
        }
    }
}

fn show(source: &dyn RecordSource, record: &Record) -> Seen {
    let (partition, offset) = (record.partition.0, record.offset);
    match record.event {
        None => (partition, offset, -1, String::new(), None),
        Some(event) => {
            let user = event.user.map(|user| source.users().text(user.0).to_owned());
            (
                partition,
                offset,
                event.time.0 / 1_000_000_000,
                source.keys().text(event.key.0).to_owned(),
                user,
            )
        }
    }
}

/// A log with all its records, as it is guessed.
pub(crate) fn load_guessed(path: &Path) -> Arc<LogIndex> {
    let log = LogDirectory::open(path, false).unwrap();
    let (mapping, _) = Mapping::resolve(&MappingOptions::default(), &log).unwrap();
    load(&log, &mapping).unwrap()
}

/// The shop log that comes with the program.
pub(crate) fn shop_index() -> Arc<LogIndex> {
    load_guessed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/shop"))
}
