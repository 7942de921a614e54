//! Late records in the window: the strip under merged, the sentence at a publication, the drawer with the watermarks.

use eframe::egui::Key;
use rederive::engine::frame::Flow;

use crate::live::{Live, sample};

/// Plays on until the next batch run has published.
fn published(live: &mut Live, runs: u32) {
    live.click("Play");
    live.until("a publication", |live| live.lane().batch_runs == runs && live.flow() == Flow::Paused);
}

#[test]
fn each_publication_takes_the_error_back() {
    let mut live = Live::opened(&sample("late-events.json"));
    live.fast();
    assert!(live.sees("Error of merged in page views: now none; at most none so far."));
    published(&mut live, 1);
    live.until_sees(
        "late records were missing from the stream's part; the batch run up to 6,000 counts them.",
    );
    let after = live.lane().approximation.late_missing;
    published(&mut live, 2);
    let approximation = live.lane().approximation.clone();
    assert!(approximation.late_dropped > after + 20, "{approximation:?}");
    live.until_sees("Merged is");
    live.until_sees(" too few.");
    live.picture("late-published");
    live.key(Key::N);
    live.until_sees("Late records dropped");
    live.until_sees("final + ");
    live.until_sees("1h after its end");
    live.picture("late-numbers");
}

#[test]
fn the_drawer_lists_what_is_missing_with_the_watermark_that_dropped_it() {
    let mut live = Live::opened(&sample("late-events.json"));
    live.fast();
    published(&mut live, 1);
    // On, past some late ones, to the crash that the scenario plans.
    published(&mut live, 2);
    published(&mut live, 3);
    live.click("Play");
    live.until("late records", |live| live.lane().approximation.late_missing > 20);
    live.click("Pause");
    live.until("it stands", |live| live.flow() == Flow::Paused);
    let missing = live.lane().approximation.late_missing;
    live.key(Key::D);
    live.until("the list", |live| live.state().answers.late.total == missing);
    assert!(live.sees(&format!("{missing} missing now")));
    let lines = live.state().answers.late.lines.clone();
    assert_eq!(lines.len() as u64, missing);
    for line in &lines {
        assert!(line.watermark > line.time, "{line:?}");
    }
    live.picture("late-drawer");
    live.click("Copy rows");
    let copied = live.copied()[0].clone();
    assert_eq!(copied.lines().count() as u64, missing + 1);
    assert!(copied.starts_with("record\tpartition\toffset\tpage\thappened\twatermark\n"), "{copied}");
    live.key(Key::D);
    live.until("the drawer is closed", |live| live.state().right.is_none());
    live.click("as tables");
    live.until_sees("Off by");
    live.picture("late-table");
}

#[test]
fn where_nothing_is_late_the_drawer_says_so() {
    let mut live = Live::opened(&sample("clicks"));
    assert!(!live.sees("Error of merged"));
    live.key(Key::D);
    live.until_sees("Days stay open for ever in this run");
    live.fast();
    live.finish();
    live.until_sees("nothing is late");
}
