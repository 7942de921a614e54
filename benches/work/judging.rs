//! Why another system's view differs: a view by days of another zone, judged by the log.

use std::{fmt::Write as _, fs};

use divan::Bencher;
use rederive::{
    analysis::reconcile::reconcile,
    ingest::{ColumnsText, ForeignView, Mapping, RawLog},
};

use crate::log::Log;

const RECORDS: u64 = 50_000;

/// The log in memory, and their view of it.
fn case() -> (Log, RawLog, ForeignView) {
    let log = Log::of(RECORDS);
    let theirs = Mapping { zone: "Asia/Tehran".to_owned(), ..log.mapping.clone() };
    let mut text = "page,date,total_views,unique_users\n".to_owned();
    for (view, keys) in log.folded(&theirs, 1) {
        for row in view.canonical(&keys) {
            writeln!(text, "{},{},{},{}", row.page, row.day, row.views, row.unique_users).unwrap();
        }
    }
    let file = log.directory.path().join("theirs.csv");
    fs::write(&file, text).unwrap();
    let view = ForeignView::read(&file, &ColumnsText::default(), &log.mapping.page).unwrap();
    let raw = RawLog::read(&log.opened, &log.mapping).unwrap();
    (log, raw, view)
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn reconcile_another_zone(bencher: Bencher) {
    let (log, raw, view) = case();
    bencher.counter(log.counters().0).bench_local(|| {
        let found = reconcile(&raw, &log.mapping, &view).unwrap();
        assert!(!found.is_equal());
        found
    });
}
