//! A log of a seed: the same bytes every time, in a directory that goes with it.

use std::{fmt::Write as _, fs, path::Path, sync::Arc};

use divan::counter::{BytesCount, ItemsCount};
use rederive::{
    domain::{EventTime, Names, Record, Rules, View},
    ingest::{LogDirectory, LogIndex, Mapping, MappingOptions, PartFold, fold_log, load},
    processing::{Bulk, Fold},
};
use tempfile::TempDir;

const PARTITIONS: [&str; 3] = ["desktop", "mobile", "tablet"];
const PAGES: u64 = 40;
const USERS: u64 = 5_000;
/// 2024-01-01, and half a year of it.
const START_SECONDS: u64 = 1_704_067_200;
const SECONDS: u64 = 180 * 86_400;

/// A log on disk.
pub struct Log {
    pub directory: TempDir,
    pub opened: LogDirectory,
    pub mapping: Mapping,
    pub records: u64,
    pub bytes: u64,
}

impl Log {
    /// So many page views in three partitions, mostly in order of time, few pages and many users.
    pub fn of(records: u64) -> Log {
        let directory = tempfile::tempdir().unwrap();
        let mut draws = Draws(1);
        let mut texts = vec![String::new(); PARTITIONS.len()];
        for record in 0..records {
            let which = [0, 0, 0, 1, 1, 2][draws.below(6)];
            let seconds = START_SECONDS + record * SECONDS / records + draws.below(900) as u64;
            let time = EventTime(i64::try_from(seconds * 1_000_000_000).unwrap());
            // The square of an even draw: some pages and users come often.
            let skewed = |draw: usize, most: u64| draw as u64 * draw as u64 / 1_000_000 * most / 1_000_000;
            let (page, user) = (skewed(draws.below(1_000_000), PAGES), skewed(draws.below(1_000_000), USERS));
            writeln!(
                texts[which],
                "{{\"timestamp\":\"{time}\",\"page_id\":\"/shop/page-{page:02}\",\"user_id\":\"{user:016x}\",\
                 \"session\":{{\"id\":\"{:032x}\",\"device\":\"{}\"}},\"agent\":\"Mozilla/5.0 (X11; Linux x86_64)\",\
                 \"millis\":{}}}",
                draws.next(),
                PARTITIONS[which],
                draws.below(4_000)
            )
            .unwrap();
        }
        for (name, text) in PARTITIONS.into_iter().zip(&texts) {
            write_segments(&directory.path().join("log").join(name), text);
        }
        let opened = LogDirectory::open(&directory.path().join("log"), false).unwrap();
        let (mapping, _) = Mapping::resolve(&MappingOptions::default(), &opened).unwrap();
        let bytes = texts.iter().map(|text| text.len() as u64).sum();
        Log { directory, opened, mapping, records, bytes }
    }

    /// What a measurement went through.
    pub fn counters(&self) -> (ItemsCount, BytesCount) {
        (ItemsCount::new(self.records), BytesCount::new(self.bytes))
    }

    /// In columns.
    pub fn index(&self) -> Arc<LogIndex> {
        load(&self.opened, &self.mapping).unwrap()
    }

    /// The batch view of the log as `mapping` reads it.
    pub fn folded(&self, mapping: &Mapping, threads: usize) -> Vec<(View, Names)> {
        let rules = mapping.rules();
        let outcome = fold_log(&self.opened, mapping, None, threads, || Folding::new(rules)).unwrap();
        outcome.parts.into_iter().map(|part| (part.fold.0.finish().0, part.keys)).collect()
    }
}

struct Folding(Fold<Bulk>);

impl Folding {
    fn new(rules: Rules) -> Folding {
        Folding(Fold::new(rules))
    }
}

impl PartFold for Folding {
    fn record(&mut self, record: &Record, _: &Names, _: &Names) {
        self.0.apply(record);
    }
}

/// Four files, cut at lines.
fn write_segments(directory: &Path, text: &str) {
    fs::create_dir_all(directory).unwrap();
    let mut rest = text;
    for left in (1..=4).rev() {
        let about = rest.len() / left;
        let end = rest[about..].find('\n').map_or(rest.len(), |at| about + at + 1);
        let (segment, after) = rest.split_at(end.min(rest.len()));
        fs::write(directory.join(format!("{}.jsonl", 5 - left)), segment).unwrap();
        rest = after;
    }
}

/// Random numbers of a seed (splitmix64).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> usize {
        usize::try_from(self.next() % most).unwrap()
    }
}
