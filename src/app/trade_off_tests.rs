//! The trade-off's part of the state: its grid, its sentences, the choice of how much is played.

use super::*;
use crate::engine::protocol::MOST_SWEPT;

const NOW: Knobs = Knobs { batch_every: 4_000, micro_batch: 2, checkpoint_every: 1_000 };

fn point(knobs: Knobs) -> TradePoint {
    let price = LayerPrice {
        mean_age_micros: 12_340_000,
        most_age_micros: 30_000_000,
        reads: 62_000,
        bytes: 6_200_000,
        fsyncs: 124,
        micros: 31_000,
        ..LayerPrice::default()
    };
    TradePoint {
        knobs,
        records: 31_000,
        took_millis: 1_500,
        batch: price,
        stream: LayerPrice { mean_age_micros: 4_000, ..price },
    }
}

#[test]
fn the_grid_lies_around_the_run_and_holds_no_point_twice() {
    let stops = Stops::around(NOW, 31_106);
    assert_eq!(stops.batch_every, [500, 1_000, 2_000, 4_000, 8_000]);
    assert_eq!(stops.micro_batch, MICRO_BATCHES);
    assert_eq!(stops.checkpoint_every, [125, 500, 1_000, 4_000]);
    let grid = stops.grid(NOW);
    assert_eq!(grid.front(), Some(&NOW), "the run's own comes first");
    assert_eq!(grid.len(), 4 + 4 * 8);
    // A log of a few clicks can hardly tell anything apart.
    let few = Stops::around(Knobs { batch_every: 8, micro_batch: 1, checkpoint_every: 5 }, 20);
    assert_eq!(
        (few.batch_every.as_slice(), few.micro_batch.as_slice()),
        ([1, 2, 4, 8].as_slice(), [1].as_slice())
    );
}

#[test]
fn points_are_on_their_curves_and_read_as_sentences() {
    let mut page = TradeOffPage { stops: Stops::around(NOW, 31_106), ..TradeOffPage::default() };
    let other = Knobs { micro_batch: 100, checkpoint_every: 125, ..NOW };
    page.points = vec![point(NOW), point(other)];
    assert_eq!(page.curves(Family::Batch, NOW).first().map(Vec::len), Some(1));
    assert_eq!(page.curves(Family::Stream, NOW).iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1, 0]);
    let turned = Knobs { batch_every: 500, ..other };
    assert_eq!(
        page.stream_point(turned, NOW),
        Some(&point(other)),
        "the batch interval is none of its business"
    );
    assert_eq!(page.batch_point(turned, NOW), None);
    let text = in_words(Family::Batch, &point(NOW));
    assert!(text.contains("12.3 s old on average, 30.0 s at most; each record is read 2.00 times"), "{text}");
    let text = in_words(Family::Stream, &point(NOW));
    assert!(text.contains("the view is 4 ms old") && text.contains("200 bytes and 0.0040 syncs"), "{text}");
}

#[test]
fn what_was_played_over_a_part_of_the_log_is_kept_while_the_whole_is_played() {
    let about = (NOW, 1_000_000);
    let mut page = TradeOffPage { stops: Stops::around(NOW, MOST_SWEPT), ..TradeOffPage::default() };
    page.todo = page.missing(&page.stops.clone(), NOW);
    let all = page.todo.len();
    page.todo.retain(|knobs| *knobs != NOW);
    page.points.push(point(NOW));
    page.choose(Swept::Whole, about);
    assert_eq!((page.swept, page.points.len()), (Swept::Whole, 0));
    assert_eq!(page.todo.front(), Some(&NOW), "the run's own comes first here too");
    page.points.push(point(Knobs { batch_every: 8_000, ..NOW }));
    page.choose(Swept::Beginning, about);
    assert_eq!((page.points.as_slice(), page.todo.len()), ([point(NOW)].as_slice(), all - 1));
    page.choose(Swept::Whole, about);
    assert_eq!(page.points, [point(Knobs { batch_every: 8_000, ..NOW })]);
}

#[test]
fn how_long_the_rest_takes_is_told_by_what_was_played() {
    let mut page = TradeOffPage::default();
    assert_eq!(page.left_millis(), None);
    page.points = vec![point(NOW)];
    page.todo = [Knobs { batch_every: 1, ..NOW }, Knobs { batch_every: 2, ..NOW }].into();
    assert_eq!(page.left_millis(), Some(3_000));
    assert_eq!(
        [0, 3_000, 89_500, 150_000].map(about),
        ["about 1 s", "about 3 s", "about 2 min", "about 3 min"]
    );
}
