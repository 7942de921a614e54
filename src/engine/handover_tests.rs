use std::{fmt::Write as _, fs};

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{DayRule, StreamOptions},
    engine::{frame::Totals, recount::each_record},
    ingest::{load_guessed, shop_index},
    serving::{MergeFold, Merged, MergedUsers, Numbers},
};

/// Two partitions with malformed lines, lines without a user, redeliveries and late times.
fn small(lines: &[(bool, u8, u8, u8)]) -> Arc<LogIndex> {
    let directory = tempfile::tempdir().unwrap();
    let mut texts = [String::new(), String::new()];
    // So that fields are guessed the same way whatever follows.
    for text in &mut texts {
        text.push_str("{\"key\":\"a\",\"user\":\"u\",\"timestamp\":100,\"offset\":0,\"value\":1}\n");
    }
    for &(second, kind, user, time) in lines {
        let text = &mut texts[usize::from(second)];
        let user = if kind == 1 { String::new() } else { format!("u{user}") };
        let offset = if kind == 2 { 0 } else { 1 + text.lines().count() };
        let time = 100 + u32::from(time) * 10;
        match kind {
            0 => text.push_str("junk\n"),
            _ => writeln!(
                text,
                "{{\"key\":\"a\",\"user\":\"{user}\",\"timestamp\":{time},\"offset\":{offset},\"value\":{kind}}}"
            )
            .unwrap(),
        }
    }
    for (name, text) in ["a", "b"].iter().zip(texts) {
        fs::create_dir(directory.path().join(name)).unwrap();
        fs::write(directory.path().join(name).join("1.jsonl"), text).unwrap();
    }
    load_guessed(directory.path())
}

fn question(index: &Arc<LogIndex>, setup: HandoverSetup, cut: u64, position: u64) -> HandoverQuestion {
    HandoverQuestion {
        index: Arc::clone(index),
        setup,
        published: index.offsets_at(cut),
        position: index.offsets_at(position),
        arrived: index.len(),
        tick: Tick(0),
        late: LateRecords::new(),
    }
}

/// What `rederive merge` computes.
fn merged(index: &Arc<LogIndex>, boundary: &Boundary, late: &LateRecords) -> Merged {
    let mut fold = MergeFold::new(index.rules(), boundary.clone()).without(late.clone());
    each_record(index, 0, index.len(), |record| fold.apply(record));
    fold.finish()
}

fn check(question: &HandoverQuestion) -> Result<(), TestCaseError> {
    let boundary = question.boundary();
    let (answer, merged) = (question.answer(&boundary), merged(&question.index, &boundary, &question.late));
    let of = |totals: Totals| Numbers { views: totals.views, users: totals.users, sum: totals.sum };
    for users in [MergedUsers::United, MergedUsers::Sketched, MergedUsers::Added] {
        prop_assert_eq!(of(answer.merged(users)), merged.numbers(users, question.index.users()));
    }
    prop_assert_eq!(of(answer.batch), merged.batch_numbers());
    prop_assert_eq!(of(answer.speed), merged.speed_numbers(MergedUsers::United, question.index.users()));
    prop_assert_eq!(of(answer.recount), merged.recount_numbers());
    for (partition, (twice, nowhere)) in
        answer.partitions.iter().zip(merged.twice.iter().zip(&merged.nowhere))
    {
        prop_assert_eq!((partition.twice, partition.nowhere), (twice.total(), nowhere.total()));
        prop_assert_eq!(partition.bins.iter().map(|bin| bin.late).sum::<u64>(), partition.late);
        let bins = |of: fn(&HandoverBin) -> u64| partition.bins.iter().map(of).sum::<u64>();
        prop_assert_eq!((bins(|b| b.twice), bins(|b| b.nowhere)), (twice.total(), nowhere.total()));
    }
    prop_assert_eq!(answer.late(), merged.late.iter().map(crate::domain::RangeCounts::total).sum::<u64>());
    let ends: Vec<_> =
        answer.course.iter().map(|point| (point.batch, point.speed, point.united_users)).collect();
    prop_assert_eq!(ends.last(), Some(&(answer.batch, answer.speed, answer.united_users)));
    prop_assert!(answer.course.is_sorted_by_key(|point| (point.records, point.united_users)));
    for (p, partition) in partitions(&boundary.cut).zip(&answer.partitions) {
        let bounds =
            (0..).map(|bin| bin * answer.bin_records).zip(&partition.places).take(partition.bins.len());
        for (offset, place) in bounds {
            prop_assert_eq!(question.index.number_of(p, offset), Some(*place));
            prop_assert_eq!(partition.record_at(offset, answer.bin_records), *place);
        }
        prop_assert_eq!(partition.places.len(), partition.bins.len() + 1);
        for offset in 0..=partition.arrived {
            let record = partition.record_at(offset, answer.bin_records);
            prop_assert_eq!(partition.offset_at(record, answer.bin_records), offset);
        }
    }
    let bins = || answer.partitions.iter().flat_map(|partition| &partition.bins);
    prop_assert_eq!(bins().map(|b| b.batch + b.twice).sum::<u64>(), answer.batch.views);
    prop_assert_eq!(bins().map(|b| b.speed + b.twice).sum::<u64>(), answer.speed.views);
    Ok(())
}

fn any_setup(most: u64) -> impl Strategy<Value = HandoverSetup> {
    let vector =
        move || proptest::option::of(proptest::collection::vec(0..most, 3).prop_map(Offsets::from_vec));
    let rule = proptest::sample::select(BoundaryRule::ALL.as_slice());
    (rule, vector(), vector()).prop_map(|(rule, cut, starts)| HandoverSetup { rule, cut, starts })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_window_counts_what_merge_counts(
        lines in proptest::collection::vec((any::<bool>(), 0_u8..6, 0_u8..4, 0_u8..20), 0..40),
        setup in any_setup(30), cut in 0_u64..44, position in 0_u64..44,
    ) {
        check(&question(&small(&lines), setup, cut, position))?;
    }
}

#[test]
fn the_window_counts_what_merge_counts_on_the_shop_log() {
    let index = shop_index();
    for rule in BoundaryRule::ALL {
        check(&question(&index, HandoverSetup { rule, ..HandoverSetup::default() }, 18_663, 24_884)).unwrap();
    }
    let by_hand = HandoverSetup {
        cut: Some(Offsets::from_vec(vec![9_000, 9_000, 9_000])),
        starts: Some(Offsets::from_vec(vec![8_990, 9_010, 100])),
        ..HandoverSetup::default()
    };
    check(&question(&index, by_hand, 0, 31_106)).unwrap();
}

#[test]
fn late_records_are_missing_from_speed_alone() {
    let index = shop_index();
    let options = StreamOptions { lateness: Lateness::Within(0), ..StreamOptions::default() };
    let rules = StreamRules { verdicts: index.rules(), days: DayRule::Utc, options };
    for rule in BoundaryRule::ALL {
        let setup = HandoverSetup { rule, ..HandoverSetup::default() };
        let mut question = question(&index, setup, 18_663, 24_884);
        question.late = question.late_records(rules.clone(), &question.boundary().position);
        assert!(!question.late.is_empty());
        check(&question).unwrap();
        let answer = question.answer(&question.boundary());
        assert!(rule != BoundaryRule::Offsets || answer.late() > 0);
    }
}

#[test]
fn a_hand_over_stays_within_what_has_arrived() {
    let index = shop_index();
    let far = Offsets::from_vec(vec![u64::MAX; 3]);
    let setup = HandoverSetup { cut: Some(far.clone()), starts: Some(far), ..HandoverSetup::default() };
    let question = HandoverQuestion { arrived: 1_000, ..question(&index, setup, 0, 500) };
    let answer = question.answer(&question.boundary());
    assert_eq!(answer.cut(), index.offsets_at(1_000));
    assert_eq!((answer.recount.views, answer.batch.views, answer.speed.views), (1_000, 1_000, 0));
    let newest = answer.partitions.iter().map(|p| p.record_at(p.cut, answer.bin_records)).max();
    assert_eq!(newest, Some(1_000));
}
