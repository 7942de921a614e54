//! A checkpoint written so that it outlives the machine, and the state brought back from it.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use divan::{Bencher, counter::BytesCount};
use rederive::{
    checkpoint::{Checkpoint, Disk as _, RealDisk, Stamp, decode_checkpoint, encode_checkpoint, replace},
    domain::NameTable,
    ingest::{IndexSource, LogIndex, RecordSource as _},
    processing::{StreamProcessor, StreamState},
};

use crate::log::Log;

const RECORDS: u64 = 50_000;
const FILE: &str = "checkpoint.ckpt";

/// A stream that has read the log.
struct Read {
    index: Arc<LogIndex>,
    state: StreamState,
}

impl Read {
    fn bytes(&self) -> Vec<u8> {
        let (keys, users) = (self.index.keys(), self.index.users());
        encode_checkpoint(1, &self.state, &Stamp::default(), keys, users)
    }
}

static READ: LazyLock<Read> = LazyLock::new(|| {
    let log = Log::of(RECORDS);
    let index = log.index();
    let mut processor = StreamProcessor::new(log.mapping.rules(), StreamState::new(index.partitions().len()));
    let mut records = Vec::new();
    IndexSource::new(Arc::clone(&index)).read(usize::MAX, &mut records).unwrap();
    for record in &records {
        processor.apply_named(record, index.users());
    }
    let state = processor.state().clone();
    Read { index, state }
});

/// Encoded, written beside, synced, renamed.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn checkpoint_write(bencher: Bencher) {
    let read = &*READ;
    let directory = tempfile::tempdir().unwrap();
    let mut disk = RealDisk::open(directory.path()).unwrap();
    bencher.counter(BytesCount::new(read.bytes().len())).bench_local(|| {
        replace(&mut disk, FILE, &read.bytes()).unwrap();
    });
}

/// Read, checked, decoded, given the names of this process.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn checkpoint_restore(bencher: Bencher) {
    let read = &*READ;
    let directory = tempfile::tempdir().unwrap();
    let mut disk = RealDisk::open(directory.path()).unwrap();
    let bytes = read.bytes();
    replace(&mut disk, FILE, &bytes).unwrap();
    let ids = |table: &dyn NameTable, count: usize| -> HashMap<String, u32> {
        (0..u32::try_from(count).unwrap()).map(|id| (table.text(id).to_owned(), id)).collect()
    };
    let index = &read.index;
    let (keys, users) = (ids(index.keys(), index.keys().len()), ids(index.users(), index.users().len()));
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
        let checkpoint: Checkpoint = decode_checkpoint(&disk.read(FILE).unwrap().unwrap()).unwrap();
        checkpoint.into_state(|key| keys.get(key).copied(), |user| users.get(user).copied()).unwrap()
    });
}
