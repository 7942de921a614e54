use proptest::prelude::*;

use super::*;
use crate::{
    analysis::{Grouping, testing::Run},
    processing::test_support::any_log,
};

proptest! {
    /// I7: in every view every record has one fate, fates add up to the records, counts to the page views.
    #[test]
    fn fates_add_up_in_every_view(log in any_log(2, 80), run in Run::any(80)) {
        let run = run.over(&log);
        let actual = run.actual(Grouping::Run);
        for ((name, books), shown) in run.books().into_iter().zip(&actual) {
            let tallies = tally(run.entries(), &mut [&mut Reader::new(books)]);
            prop_assert_eq!(tallies[0].records(), log.len() as u64, "{}", name);
            let views = shown.values().map(|numbers| numbers.views).sum::<u64>();
            prop_assert_eq!(tallies[0].views(), views, "{}", name);
            prop_assert_eq!(tallies[0].of(Fate::CountedAgain), 0);
            prop_assert_eq!(tallies[0].of(Fate::Gap), 0);
        }
        // Merged and the recount agree on every record, but on which layer counts it.
        let books = run.books();
        let (mut merged, mut recount) = (Reader::new(books[3].1), Reader::new(books[4].1));
        for entry in run.entries() {
            let (merged, recount) = (merged.take(&entry), recount.take(&entry));
            prop_assert_eq!(merged.times(), recount.times());
            let is_recounted = recount.fate == Fate::Counted;
            prop_assert_eq!(matches!(merged.fate, Fate::CountedInBatch | Fate::CountedInSpeed), is_recounted);
        }
    }

    /// Reading in another order gives the same fates.
    #[test]
    fn a_fate_does_not_depend_on_the_order_of_asking(
        log in any_log(2, 60), run in Run::any(60), order in proptest::collection::vec(0_usize..60, 0..60),
    ) {
        let run = run.over(&log);
        let entries: Vec<Entry> = run.entries().collect();
        for (name, books) in run.books() {
            let mut straight = Reader::new(books);
            let fates: Vec<Taken> = entries.iter().map(|entry| straight.take(entry)).collect();
            let mut jumping = Reader::new(books);
            for at in order.iter().filter(|&&at| at < entries.len()) {
                prop_assert_eq!(jumping.take(&entries[*at]), fates[*at], "{}", name);
            }
        }
    }
}

fn counts(runs: &[(u64, u64)]) -> Vec<RangeCounts> {
    let mut counts = RangeCounts::new();
    for &(from, to) in runs {
        counts.add(from, to);
    }
    vec![counts]
}

#[test]
fn what_is_neither_counted_nor_excluded_is_late_lost_or_between_the_layers() {
    let (start, cut, speed_from, to) = (
        Offsets::start(1),
        Offsets::from_vec(vec![3]),
        Offsets::from_vec(vec![5]),
        Offsets::from_vec(vec![9]),
    );
    let (batch, speed, late) = (counts(&[(0, 2), (1, 2)]), counts(&[(6, 8)]), counts(&[(5, 6)]));
    let batch = Layer { from: &start, to: &cut, effects: &batch, late: &[] };
    let speed = Layer { from: &speed_from, to: &to, effects: &speed, late: &late };
    let mut reader = Reader::new(Books::Merged { batch, speed, read: &to });
    let event = crate::domain::Event {
        key: crate::domain::KeyId(0),
        user: None,
        time: crate::domain::EventTime(0),
        day: crate::domain::Day(0),
        value: crate::domain::Value::ONE,
        id: None,
        explicit_offset: None,
    };
    let mut fate = |offset| {
        let record = crate::domain::Record { partition: PartitionIndex(0), offset, event: Some(event) };
        let first = crate::domain::FirstOf::default();
        let taken = reader.take(&Entry { number: offset, record, verdict: Verdict::Counted, first });
        (taken.fate, taken.times())
    };
    assert_eq!(fate(0), (Fate::CountedInBatch, 1));
    assert_eq!(fate(1), (Fate::CountedAgain, 2));
    assert_eq!(fate(2), (Fate::Lost, 0));
    assert_eq!(fate(4), (Fate::Gap, 0));
    assert_eq!(fate(5), (Fate::Late, 0));
    assert_eq!(fate(6), (Fate::CountedInSpeed, 1));
    assert_eq!(fate(8), (Fate::Lost, 0));
    assert_eq!(fate(9), (Fate::NotYetRead, 0));
}
