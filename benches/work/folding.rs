//! From files: the batch view, the stream with its checkpoints, the index of the window.

use std::sync::LazyLock;

use divan::Bencher;
use rederive::{
    checkpoint::{GuaranteeId, RealDisk, guarantee},
    domain::StreamOptions,
    engine::{
        FileWorkerSource, Pick, StreamWorker, WorkerSettings,
        export::sums,
        play::{settings_hash, stream_rules},
    },
    ingest::FileSource,
};

use crate::log::Log;

const RECORDS: u64 = 100_000;
const CHECKPOINT_EVERY: u64 = 10_000;

static LOG: LazyLock<Log> = LazyLock::new(|| Log::of(RECORDS));

/// Read, parse, classify, fold.
#[divan::bench(args = [1, 2], sample_count = 15, sample_size = 1)]
fn batch_by_threads(bencher: Bencher, threads: usize) {
    let log = &*LOG;
    let (items, bytes) = log.counters();
    bencher.counter(items).counter(bytes).bench(|| log.folded(&log.mapping, threads));
}

/// The same record by record, with ten durable checkpoints and the sink.
#[divan::bench(sample_count = 15, sample_size = 1)]
fn stream_with_checkpoints(bencher: Bencher) {
    let log = &*LOG;
    let (items, bytes) = log.counters();
    bencher.counter(items).counter(bytes).with_inputs(|| tempfile::tempdir().unwrap()).bench_refs(
        |directory| {
            let disk = RealDisk::open(directory.path()).unwrap();
            let source = FileSource::open(&log.opened, &log.mapping).unwrap();
            let source = FileWorkerSource::new(log.opened.clone(), source);
            let options = StreamOptions::default();
            let settings = WorkerSettings {
                micro_batch: CHECKPOINT_EVERY,
                checkpoint_every: CHECKPOINT_EVERY,
                retain: 3,
                guarantee: guarantee(GuaranteeId::default()),
                settings_hash: settings_hash(&log.mapping, &options),
                rules: stream_rules(&log.mapping, options),
                sums: sums(&log.mapping),
            };
            let (mut worker, _) =
                StreamWorker::start(Box::new(source), Box::new(disk), settings, Pick::Newest).unwrap();
            while worker.micro_batch(CHECKPOINT_EVERY).unwrap() == CHECKPOINT_EVERY {}
            worker.number()
        },
    );
}

/// Into columns, as the window loads it.
#[divan::bench(sample_count = 15, sample_size = 1)]
fn index_load(bencher: Bencher) {
    let log = &*LOG;
    let (items, bytes) = log.counters();
    bencher.counter(items).counter(bytes).bench(|| log.index());
}
