use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{Cell, DayRule, Event, Lateness, UserId},
    processing::{
        Handover, fold_range,
        test_support::{any_log, names, rules},
    },
};

const PARTITIONS: usize = 2;

fn end(log: &[Record]) -> Offsets {
    let mut end = Offsets::start(PARTITIONS);
    for record in log {
        end.set(record.partition, record.offset + 1);
    }
    end
}

/// Every vector up to `end`.
fn vectors(end: &Offsets) -> Vec<Offsets> {
    let [first, second] = end.as_slice() else { panic!("two partitions") };
    let all = (0..=*first).flat_map(|a| (0..=*second).map(move |b| Offsets::from_vec(vec![a, b])));
    all.collect()
}

fn merge(log: &[Record], rule: BoundaryRule, cut: &Offsets, position: &Offsets) -> Merged {
    merge_at(log, rule.draw(cut.clone(), position.clone(), latest_time(log, cut)))
}

fn merge_at(log: &[Record], boundary: Boundary) -> Merged {
    let mut fold = MergeFold::new(rules(), boundary);
    for record in log {
        fold.apply(record);
    }
    fold.finish()
}

/// The fold of the log that everything is compared with: not [`MergeFold`]'s own.
fn fold(log: &[Record], to: &Offsets) -> (View, Vec<RangeCounts>) {
    let below: Vec<Record> =
        log.iter().filter(|record| to.contains(record.partition, record.offset)).copied().collect();
    fold_range(rules(), &Offsets::start(PARTITIONS), &below)
}

/// Records that count of those for which `is_in` holds.
fn counted(log: &[Record], is_in: impl Fn(&Record) -> bool) -> Vec<(usize, u64)> {
    let (_, effects) = fold(log, &end(log));
    let counts =
        |record: &&Record| effects.get(record.partition.index()).is_some_and(|e| e.count(record.offset) == 1);
    let mut places: Vec<(usize, u64)> = log
        .iter()
        .filter(counts)
        .filter(|r| is_in(r))
        .map(|record| (record.partition.index(), record.offset))
        .collect();
    places.sort_unstable();
    places
}

fn places(wrong: &[RangeCounts]) -> Vec<(usize, u64)> {
    let runs = wrong.iter().enumerate().flat_map(|(p, runs)| runs.runs().iter().map(move |run| (p, *run)));
    runs.flat_map(|(p, run)| (run.start..run.end).map(move |offset| (p, offset))).collect()
}

fn total(wrong: &[RangeCounts]) -> u64 {
    wrong.iter().map(RangeCounts::total).sum()
}

fn users_of(view: &View, cell: Option<Cell>) -> BTreeSet<UserId> {
    let rows = view.rows().iter().filter(|row| cell.is_none_or(|cell| row.cell == cell));
    rows.flat_map(|row| row.users.iter().copied()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Exhaustive over all hand-overs of a small log, batch ahead of the stream included.
    #[test]
    fn the_offset_vector_is_the_full_recount_for_every_hand_over(log in any_log(2, 10)) {
        let (keys, users) = names();
        let all = vectors(&end(&log));
        for (cut, position) in all.iter().flat_map(|cut| all.iter().map(move |position| (cut, position))) {
            let merged = merge(&log, BoundaryRule::Offsets, cut, position);
            let (truth, _) = fold(&log, &cut.max(position));
            prop_assert_eq!(merged.view().fingerprint(&keys, &users), truth.fingerprint(&keys, &users));
            prop_assert_eq!(merged.rows(MergedUsers::United, &keys, &users), truth.canonical(&keys));
            prop_assert_eq!(merged.numbers(MergedUsers::United, &users), numbers(&truth));
            prop_assert_eq!((total(&merged.twice), total(&merged.nowhere)), (0, 0));
            prop_assert_eq!(merged.recount.fingerprint(&keys, &users), truth.fingerprint(&keys, &users));
        }
    }

    /// Exhaustive too: what each wrong rule gets wrong is exactly what its definition says.
    #[test]
    fn the_other_rules_are_wrong_by_exactly_what_they_say(log in any_log(2, 9)) {
        let all = vectors(&end(&log));
        for (cut, position) in all.iter().flat_map(|cut| all.iter().map(move |position| (cut, position))) {
            let in_batch = |r: &Record| cut.contains(r.partition, r.offset);
            let is_read = |r: &Record| position.contains(r.partition, r.offset);

            let by_time = merge(&log, BoundaryRule::EventTime, cut, position);
            let latest = log.iter().filter(|r| in_batch(r)).filter_map(|r| Some(r.event?.time)).max();
            let late = counted(&log, |r| {
                !in_batch(r) && is_read(r) && r.event.is_some_and(|event| Some(event.time) <= latest)
            });
            prop_assert_eq!(places(&by_time.nowhere), late);
            prop_assert_eq!(total(&by_time.twice), 0);

            let scalar = merge(&log, BoundaryRule::Scalar, cut, position);
            let first = cut.as_slice()[0];
            prop_assert_eq!(
                places(&scalar.twice),
                counted(&log, |r| in_batch(r) && is_read(r) && r.offset >= first)
            );
            prop_assert_eq!(
                places(&scalar.nowhere),
                counted(&log, |r| !in_batch(r) && is_read(r) && r.offset < first)
            );

            let none = merge(&log, BoundaryRule::None, cut, position);
            prop_assert_eq!(places(&none.twice), counted(&log, |r| in_batch(r) && is_read(r)));
            if cut.is_at_most(position) {
                prop_assert_eq!(places(&none.twice), counted(&log, in_batch), "none counts [0, B) twice");
            }
            prop_assert_eq!(total(&none.nowhere), 0);
        }
    }

    /// Whatever the boundary: the error is what is counted twice less what is counted nowhere; uniques united are right
    /// where nothing is missing; added, they are over by exactly the users of both views.
    #[test]
    fn the_books_add_up(
        log in any_log(2, 40),
        cut in (0_u64..24, 0_u64..24), position in (0_u64..24, 0_u64..24), start in (0_u64..24, 0_u64..24),
        rule in proptest::option::of(proptest::sample::select(BoundaryRule::ALL.as_slice())),
    ) {
        let (keys, users) = names();
        let vector = |(a, b)| Offsets::from_vec(vec![a, b]);
        let (cut, position) = (vector(cut), vector(position));
        let merged = if let Some(rule) = rule {
            merge(&log, rule, &cut, &position)
        } else {
            merge_at(&log, Boundary { cut, start: SpeedStart::At(vector(start)), position })
        };
        let (united, added) = (merged.numbers(MergedUsers::United, &users), merged.numbers(MergedUsers::Added, &users));
        let recount = merged.recount_numbers();
        let (twice, nowhere) = (total(&merged.twice), total(&merged.nowhere));
        prop_assert_eq!(united.views + nowhere, recount.views + twice);
        prop_assert!(united.users <= recount.users);
        if nowhere == 0 {
            prop_assert_eq!(united.users, recount.users);
        }
        // So few users are told apart by a sketch.
        prop_assert_eq!(merged.numbers(MergedUsers::Sketched, &users), united);
        let both = users_of(&merged.batch, None).intersection(&users_of(&merged.speed, None)).count() as u64;
        prop_assert_eq!(added.users, united.users + both);
        let (united, added) = (
            merged.rows(MergedUsers::United, &keys, &users),
            merged.rows(MergedUsers::Added, &keys, &users),
        );
        for (united, added) in united.iter().zip(&added) {
            let row = merged.recount.rows().iter().find(|row| row.canonical(&keys).page == united.page
                && row.cell.day == united.day);
            let cell = row.map(|row| row.cell);
            let both = users_of(&merged.batch, cell).intersection(&users_of(&merged.speed, cell)).count();
            prop_assert_eq!(added.unique_users, united.unique_users + both as u64);
            prop_assert_eq!((&united.page, united.views, united.sum), (&added.page, added.views, added.sum));
        }
        let truth = merged.recount.canonical(&keys);
        let differ = rows_that_differ(&united, &truth);
        let same = united.iter().filter(|row| truth.contains(row)).count();
        let cells: BTreeSet<(&str, i32)> =
            united.iter().chain(&truth).map(|row| (row.page.as_str(), row.day.0)).collect();
        prop_assert_eq!(differ, (cells.len() - same) as u64);
    }
}

const DAY_NANOS: i64 = 86_400_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// With a finite lateness speed is what a real stream keeps of `[B, N)`, and what it dropped is listed.
    #[test]
    fn late_records_are_missing_from_speed_alone(
        log in any_log(2, 40), hours in 0_u64..40, cut in (0_u64..24, 0_u64..24), read in 0_usize..40,
    ) {
        let (keys, users) = names();
        let log: Vec<Record> = log
            .into_iter()
            .map(|record| {
                let at = |event: Event| EventTime(i64::from(event.day.0) * DAY_NANOS + event.value.0.abs());
                Record { event: record.event.map(|event| Event { time: at(event), ..event }), ..record }
            })
            .collect();
        let (end, position) = (end(&log), end(&log[..read.min(log.len())]));
        let cut = Offsets::from_vec(vec![cut.0.min(end.as_slice()[0]), cut.1.min(end.as_slice()[1])]);
        let options = StreamOptions { lateness: Lateness::Within(hours * 3_600_000_000_000), ..StreamOptions::default() };
        let stream_rules = StreamRules { verdicts: rules(), days: DayRule::Utc, options };
        let mut reader = LateReader::new(stream_rules.clone(), position.clone(), end.clone());
        for record in &log {
            reader.apply(record);
        }
        let boundary = BoundaryRule::Offsets.draw(cut.clone(), position.clone(), None);
        let mut fold = MergeFold::new(rules(), boundary).without(reader.finish());
        for record in &log {
            fold.apply(record);
        }
        let merged = fold.finish();

        let mut stream = StreamProcessor::new(stream_rules, StreamState::new(PARTITIONS));
        stream.ends_at(end);
        stream.cut_started(&cut);
        for record in &log[..read.min(log.len())] {
            stream.apply(record);
        }
        prop_assert_eq!(stream.published(&cut), Handover::Dropped);
        let kept = stream.state().view();
        prop_assert_eq!(merged.speed.fingerprint(&keys, &users), kept.fingerprint(&keys, &users));
        prop_assert_eq!(total(&merged.late), stream.state().late.total());
        prop_assert_eq!(merged.view().total_views() + total(&merged.late), merged.recount.total_views());
        prop_assert_eq!((total(&merged.twice), total(&merged.nowhere)), (0, 0));
    }
}

#[test]
fn batch_ahead_of_the_stream_is_legal() {
    let boundary =
        BoundaryRule::Offsets.draw(Offsets::from_vec(vec![5, 1]), Offsets::from_vec(vec![3, 4]), None);
    assert_eq!(boundary.covers(), Offsets::from_vec(vec![5, 4]));
    let counted = |partition, offset| boundary.counted_by(PartitionIndex(partition), offset, None);
    assert_eq!(counted(0, 4), Some(CountedBy::Batch), "speed contributes nothing there");
    assert_eq!(counted(0, 5), None);
    assert_eq!((counted(1, 0), counted(1, 1)), (Some(CountedBy::Batch), Some(CountedBy::Speed)));
}
