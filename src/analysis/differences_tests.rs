use proptest::prelude::*;

use super::*;
use crate::{
    analysis::{
        Reader, Uniques,
        testing::{Run, entries_of},
    },
    domain::{Event, EventTime, PartitionIndex, Record, UserId, Verdict},
    processing::test_support::any_log,
};

fn sums(group: &GroupDifference) -> (i64, i128, i64) {
    let parts = group.parts.iter();
    parts.fold((0, 0, 0), |sum, part| (sum.0 + part.views, sum.1 + part.sum, sum.2 + part.users))
}

fn expected(group: &GroupDifference) -> (i64, i128, i64) {
    (
        group.first.views.cast_signed() - group.second.views.cast_signed(),
        group.first.sum - group.second.sum,
        group.first.users.cast_signed() - group.second.users.cast_signed(),
    )
}

proptest! {
    /// Any two views of one run: causes add up in every scope, and nothing is left unexplained.
    #[test]
    fn causes_of_any_two_views_add_up(log in any_log(2, 60), run in Run::any(60)) {
        let run = run.over(&log);
        let (all, run_actual) = (run.actual(Grouping::Cells), run.actual(Grouping::Run));
        let books = run.books();
        for (a, (_, first)) in books.iter().enumerate() {
            for (b, (_, second)) in books.iter().enumerate() {
                let (mut first, mut second) = (Reader::new(*first), Reader::new(*second));
                let found = differences(
                    run.entries(),
                    &mut Side { ledger: &mut first, uniques: Uniques::United },
                    &mut Side { ledger: &mut second, uniques: Uniques::United },
                    &[(Grouping::Cells, &all[a], &all[b]), (Grouping::Run, &run_actual[a], &run_actual[b])],
                );
                prop_assert_eq!(found[1].len(), 1);
                for group in found.iter().flatten() {
                    prop_assert_eq!(sums(group), expected(group), "{} {}: {:?}", a, b, group);
                    prop_assert!(group.parts.iter().all(|part| part.cause != Cause::Unexplained));
                    if a == b {
                        prop_assert_eq!(&group.parts, &[]);
                    }
                }
            }
        }
    }

    /// What a view shows beside its books is unexplained, and nothing else is.
    #[test]
    fn what_the_books_do_not_say_is_unexplained(log in any_log(2, 40), run in Run::any(40), extra in 1_u64..9) {
        let run = run.over(&log);
        let shown = run.actual(Grouping::Run);
        let mut wrong = shown[3].clone();
        wrong.entry(Scope::default()).or_default().views += extra;
        let books = run.books();
        let (mut first, mut second) = (Reader::new(books[3].1), Reader::new(books[4].1));
        let found = differences(
            run.entries(),
            &mut Side { ledger: &mut first, uniques: Uniques::United },
            &mut Side { ledger: &mut second, uniques: Uniques::United },
            &[(Grouping::Run, &wrong, &shown[4])],
        );
        let unexplained = Part { views: extra.cast_signed(), ..Part::new(Cause::Unexplained) };
        prop_assert_eq!(&found[0][0].parts, &[unexplained]);
    }
}

/// What the other side of a planted difference makes of a record that the recount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plant {
    Same,
    Without(Fate),
    Twice,
    InBothLayers,
    DayLater,
}

const PLANTS: [(Plant, Option<Cause>); 12] = [
    (Plant::Same, None),
    (Plant::Without(Fate::NotYetRead), Some(Cause::NotYetRead)),
    (Plant::Without(Fate::CountedInBatch), Some(Cause::HandedOver)),
    (Plant::Without(Fate::Late), Some(Cause::Late)),
    (Plant::Without(Fate::Lost), Some(Cause::Lost)),
    (Plant::Without(Fate::Gap), Some(Cause::Gap)),
    (Plant::Without(Fate::Duplicate), Some(Cause::DuplicateId)),
    (Plant::Without(Fate::Malformed), Some(Cause::Malformed)),
    (Plant::Without(Fate::NoUser), Some(Cause::NoUser)),
    (Plant::Twice, Some(Cause::CountedTwice)),
    (Plant::InBothLayers, Some(Cause::Overlap)),
    (Plant::DayLater, Some(Cause::OtherDayZone)),
];

struct Planted<'a>(&'a [Plant]);

impl Ledger for Planted<'_> {
    fn take(&mut self, entry: &Entry) -> Taken {
        let event = entry.record.event.unwrap();
        let cell = Cell { key: event.key, day: event.day };
        let counted = Taken { layers: [1, 0], cell: Some(cell), fate: Fate::Counted };
        match self.0[usize::try_from(entry.number).unwrap()] {
            Plant::Same => counted,
            Plant::Without(fate) => Taken { layers: [0, 0], fate, ..counted },
            Plant::Twice => Taken { layers: [2, 0], fate: Fate::CountedAgain, ..counted },
            Plant::InBothLayers => Taken { layers: [1, 1], fate: Fate::CountedAgain, ..counted },
            Plant::DayLater => {
                let cell = Cell { day: Day(cell.day.0 + 1), ..cell };
                Taken { cell: Some(cell), ..counted }
            }
        }
    }
}

/// What a planted side shows, told apart from its ledger: record by record into a view.
fn shown(log: &[Record], plants: &[Plant]) -> View {
    let mut view = View::new();
    for (record, plant) in log.iter().zip(plants) {
        let event = record.event.unwrap();
        let (times, later) = match plant {
            Plant::Same => (1, 0),
            Plant::Without(_) => (0, 0),
            Plant::Twice | Plant::InBothLayers => (2, 0),
            Plant::DayLater => (1, 1),
        };
        for _ in 0..times {
            view.add(Cell { key: event.key, day: Day(event.day.0 + later) }, event.user, event.value);
        }
    }
    view
}

fn clicks(users: u32) -> impl Strategy<Value = Vec<(Record, usize)>> {
    let click = (0_u32..3, 0..users, 0_i32..3, -3_i64..9, 0..PLANTS.len());
    proptest::collection::vec(click, 0..60).prop_map(|clicks| {
        let record = |(offset, (key, user, day, value, plant)): (u64, (u32, u32, i32, i64, usize))| {
            let event = Event {
                key: KeyId(key),
                user: Some(UserId(user)),
                time: EventTime(0),
                day: Day(day),
                value: crate::domain::Value(value),
                id: None,
                explicit_offset: None,
            };
            (Record { partition: PartitionIndex(0), offset, event: Some(event) }, plant)
        };
        (0..).zip(clicks).map(record).collect()
    })
}

proptest! {
    /// With k records planted for each cause, in any mix: exactly k a cause, nothing unexplained, in page views, sums
    /// and unique users, over the run and cell by cell, whichever side comes first.
    #[test]
    fn planted_causes_are_found_to_the_record(planted in clicks(5)) {
        let (log, plants): (Vec<Record>, Vec<Plant>) =
            planted.iter().map(|(record, plant)| (*record, PLANTS[*plant].0)).unzip();
        let entries = entries_of(&log);
        prop_assert!(entries.iter().all(|entry| entry.verdict == Verdict::Counted));
        let same = vec![Plant::Same; log.len()];
        let views = [shown(&log, &same), shown(&log, &plants)];
        for turned in [false, true] {
            let (mut recount, mut other) = (Planted(&same), Planted(&plants));
            let cells = [0, 1].map(|at: usize| actual_of(&[&views[at]], Grouping::Cells));
            let totals = [0, 1].map(|at: usize| actual_of(&[&views[at]], Grouping::Run));
            let mut sides = [
                Side { ledger: &mut recount, uniques: Uniques::United },
                Side { ledger: &mut other, uniques: Uniques::United },
            ];
            let (a, b) = if turned { (1, 0) } else { (0, 1) };
            if turned {
                sides.reverse();
            }
            let [first, second] = &mut sides;
            let found = differences(
                entries.iter().copied(),
                first,
                second,
                &[(Grouping::Run, &totals[a], &totals[b]), (Grouping::Cells, &cells[a], &cells[b])],
            );
            for (plant, cause) in PLANTS {
                let Some(cause) = cause else { continue };
                let k = plants.iter().filter(|&&planted| planted == plant).count() as u64;
                let part = found[0][0].parts.iter().find(|part| part.cause == cause);
                prop_assert_eq!(part.map_or(0, |part| part.records), k, "{:?}", cause);
                // In the cells a moved record is missing in one and too much in another.
                let in_cells = found[1].iter().flat_map(|group| &group.parts).filter(|part| part.cause == cause);
                let twice = if cause == Cause::OtherDayZone { 2 } else { 1 };
                prop_assert_eq!(in_cells.map(|part| part.records).sum::<u64>(), twice * k, "{:?}", cause);
            }
            for group in found.iter().flatten() {
                prop_assert_eq!(sums(group), expected(group), "{:?}", group);
                prop_assert!(group.parts.iter().all(|part| part.cause != Cause::Unexplained));
            }
        }
    }

    /// Unique users that are added instead of united: too many by exactly the users of both layers.
    #[test]
    fn added_uniques_are_a_cause_of_their_own(log in any_log(2, 60), run in Run::any(60), sketch in 0_u64..9) {
        let run = run.over(&log);
        let books = run.books();
        let [batch, speed, _, merged, _]: [Actual; 5] = run.actual(Grouping::Run).try_into().unwrap();
        let users = |actual: &Actual| actual.get(&Scope::default()).map_or(0, |numbers| numbers.users);
        let (added, united) = (users(&batch) + users(&speed), users(&merged));
        let mut wrong = merged.clone();
        wrong.entry(Scope::default()).or_default().users = added;
        let mut estimated = merged.clone();
        estimated.entry(Scope::default()).or_default().users += sketch;
        let parts = |uniques, shown: &Actual| {
            let (mut first, mut second) = (Reader::new(books[3].1), Reader::new(books[4].1));
            let found = differences(
                run.entries(),
                &mut Side { ledger: &mut first, uniques },
                &mut Side { ledger: &mut second, uniques: Uniques::United },
                &[(Grouping::Run, shown, &merged)],
            );
            found[0][0].parts.clone()
        };
        let part = |cause, users: u64| {
            let part = Part { users: users.cast_signed(), ..Part::new(cause) };
            if users == 0 { vec![] } else { vec![part] }
        };
        prop_assert_eq!(parts(Uniques::Added, &wrong), part(Cause::UniquesAdded, added - united));
        prop_assert_eq!(parts(Uniques::Estimated, &estimated), part(Cause::SketchError, sketch));
    }
}

#[test]
fn a_record_can_have_more_than_one_cause() {
    let taken = |layers, fate| Taken { layers, cell: None, fate };
    let (counted, lost) = (taken([1, 0], Fate::Counted), taken([0, 0], Fate::Lost));
    assert_eq!(causes_of(counted, counted), []);
    assert_eq!(causes_of(lost, lost), []);
    assert_eq!(causes_of(counted, lost), [(Cause::Lost, 1)]);
    let thrice = taken([2, 1], Fate::CountedAgain);
    assert_eq!(causes_of(lost, thrice), [(Cause::Lost, -1), (Cause::Overlap, -1), (Cause::CountedTwice, -1)]);
    assert_eq!(causes_of(thrice, counted), [(Cause::Overlap, 1), (Cause::CountedTwice, 1)]);
}
