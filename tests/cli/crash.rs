//! Requested crashes at every point, resumed: the textbook's 13 and 5, and its 16/5 and 32/10.

use super::support::{Place, Ran, TEXTBOOK};

const POINTS: [&str; 6] =
    ["before-apply", "mid-apply", "after-apply", "after-emit", "mid-checkpoint", "after-checkpoint"];
const RECORDS: u64 = 4;

/// `sum` of `user_a` and `user_b`.
#[track_caller]
fn sums(view: &str) -> [u64; 2] {
    ["user_a", "user_b"].map(|page| {
        let row = view.lines().find(|line| line.starts_with(page)).unwrap_or_else(|| panic!("{view}"));
        row.rsplit(',').next().unwrap().parse().unwrap()
    })
}

/// Asserts the sums in the state and in the sink.
#[track_caller]
fn both_are(place: &Place, ran: &Ran, expected: [u64; 2]) {
    assert_eq!((sums(&ran.out), sums(&place.view())), (expected, expected), "{}", ran.err);
}

#[test]
fn crashed_anywhere_the_textbook_log_is_13_and_5() {
    for every in [1, 2] {
        for point in POINTS {
            for record in 0..RECORDS {
                let place = Place::new();
                let crash = format!("--checkpoint-every {every} --crash {point}@{record}");
                place.stream(TEXTBOOK, &crash).exits(42);
                let first = record / every * every;
                let saved = if point == "after-checkpoint" { first + every } else { first };
                let ran = place.stream(TEXTBOOK, &format!("--checkpoint-every {every}")).exits(0);
                both_are(&place, &ran, [13, 5]);
                let report = place.report();
                let expected = if saved == 0 { serde_json::Value::Null } else { saved.into() };
                assert_eq!(report["resumed_from"], expected, "{crash}");
                assert_eq!(report["replayed"], first + every - saved, "{crash}");
                assert_eq!(report["deliveries"], RECORDS + first + every - saved, "{crash}");
                assert_eq!(report["effects"].to_string(), "{\"1\":3}", "{crash}");
                assert_eq!(report["redelivered"], 1, "{crash}");
            }
        }
    }
}

#[test]
fn straight_it_is_the_same() {
    for every in [1, 2, 3, 100] {
        let place = Place::new();
        let ran = place.stream(TEXTBOOK, &format!("--checkpoint-every {every}")).exits(0);
        both_are(&place, &ran, [13, 5]);
        assert_eq!(place.report()["checkpoints_written"], RECORDS.div_ceil(every));
    }
}

#[test]
fn as_the_textbook_prints_it_the_numbers_are_wrong_and_then_double() {
    let place = Place::new();
    let ran = place.stream(TEXTBOOK, "--guarantee textbook").exits(0);
    both_are(&place, &ran, [16, 5]);

    let place = Place::new();
    place.stream(TEXTBOOK, "--guarantee textbook --crash after-checkpoint@0").exits(42);
    assert_eq!(sums(&place.view()), [16, 5]);
    let ran = place.stream(TEXTBOOK, "--guarantee textbook").exits(0);
    both_are(&place, &ran, [32, 10]);
    let report = place.report();
    assert_eq!((&report["resumed_from"], &report["replayed"]), (&0.into(), &4.into()));
    assert_eq!(report["effects"].to_string(), "{\"2\":4}");
}

#[test]
fn a_point_that_is_never_reached_is_an_error() {
    let place = Place::new();
    place.stream(TEXTBOOK, "--crash before-apply@4").fails_with("never reached");
    place.stream(TEXTBOOK, "--crash before-apply@1").fails_with("never reached");
    let ran = place.stream(TEXTBOOK, "").exits(0);
    both_are(&place, &ran, [13, 5]);
}
