//! Late records in the window: the strip under merged, the sentence at a publication, the drawer with the watermarks.

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;
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
    live.until_sees("Batch up to 6,000 counts ");
    live.until_sees(
        "The batch view overrides: what the stream leaves out is missing only until the next batch run.",
    );
    let after = live.lane().approximation.late_missing;
    published(&mut live, 2);
    let approximation = live.lane().approximation.clone();
    assert!(approximation.late_dropped > after + 20, "{approximation:?}");
    live.until_sees("Batch up to 12,000 counts ");
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
    live.run_until("late records", 50, |live| live.lane().approximation.late_missing > 20);
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

#[test]
fn hands_off_each_batch_run_takes_an_error_back_and_the_words_say_it() {
    let mut live = Live::opened(&sample("batch-speed-merged.json"));
    live.h.get_by_label("The grey line is a full recount of the log. Press Space.");
    live.at_tick(1_000);
    let short = live.lane().approximation.late_missing;
    assert!(short > 0);
    assert_eq!(live.lane().position, 1_700);
    live.h.get_by_label(&format!("Stream has read 1,700 and dropped {short} as late."));
    live.h.get_by_label(&format!(
        "Batch has published nothing yet: every number is provisional, and merged is {short} short."
    ));
    live.picture("shop-10-s");
    live.at_tick(6_000);
    let short = live.lane().approximation.late_missing;
    live.h.get_by_label("Batch covers 8,000 of 10,200 records; the stream adds the newest 2,200.");
    live.h.get_by_label(&format!(
        "The stream dropped {short} late records: merged is {short} short until the next batch run. Now press X."
    ));
    assert!(
        live.sees(&format!("error of merged in page views: now {short} too few"))
            || live.sees("Error of merged")
    );
    live.picture("shop-60-s");
    for words in [
        "Batch view: 8,000 page views, covers 8,000 records, 2 runs. All of it is final. 12.9 s old, 2,200 not in it.",
        "All of it is provisional. 0.0 s old, 0 not in it.",
        "page views, 8,000 final + 2,182 provisional; full recount of the same records 10,200",
    ] {
        live.h.get_by_label_contains(words);
    }
    live.key(Key::W);
    live.click("Row by row");
    live.until("the rows", |live| !live.state().answers.rows.finals.is_empty());
    live.until_sees(
        "Page views: 8,000 final + 2,182 provisional. 0 arrived and not in it. 18 late are missing.",
    );
    let rows = live.state().answers.rows.clone();
    assert!(rows.rows.iter().zip(&rows.finals).all(|(row, last)| *last <= row.views));
    live.picture("shop-rows");
    live.key(Key::W);
    live.click("as tables");
    live.until_sees("Batch, final");
    live.picture("shop-table");
    live.click("over the run");
    for cut in ["12,000", "16,000"] {
        let before = live.lane().merged_totals.views;
        live.h.key_press(Key::PageDown);
        live.until("a publication", |live| {
            live.flow() == Flow::Paused && live.lane().merged_totals.views > before
        });
        live.until_sees(&format!("Batch up to {cut} counts "));
        let lane = live.lane();
        let left = lane.approximation.late_missing;
        assert_eq!(lane.merged_totals.views + left, lane.recount_totals.views);
        assert!(left < 10, "the error is nearly gone: {left}");
    }
    live.picture("shop-published");
    live.fast();
    live.finish();
    live.until_sees("Finished: total 31,106 = full recount 31,106.");
}
