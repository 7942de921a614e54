//! The serving layer against the definition, at every step and for every hand-over: exact, and with late records and
//! sketches.

use std::{collections::BTreeSet, sync::Arc};

use proptest::prelude::*;

use super::{Change, Emission, Lambda};
use crate::{
    domain::{
        DayRule, EventTime, LateRecords, LateRun, Lateness, Offsets, PartitionIndex, RangeCounts, Record,
        Run, ScopeUsers, StreamOptions, StreamRules, Uniques, Verdict, View,
    },
    processing::{
        BatchProcessor, BatchView, Handover, RangeFold, Refold, StreamProcessor, StreamState, fold_range,
        test_support::{any_log, names, rules},
    },
};

pub(super) const HOUR: i64 = 3_600_000_000_000;

/// The same records with times of their days: the hour is drawn from the offset.
pub(super) fn with_times(mut log: Vec<Record>) -> Vec<Record> {
    for record in &mut log {
        if let Some(event) = &mut record.event {
            let hour = i64::try_from(record.offset * 7 % 24).unwrap();
            event.time = EventTime((i64::from(event.day.0) * 24 + hour) * HOUR);
        }
    }
    log
}

pub(super) fn vector(log: &[Record]) -> Offsets {
    let mut position = Offsets::start(2);
    for record in log {
        position.set(record.partition, record.offset + 1);
    }
    position
}

fn stream_rules(hours: u64, idle_after_records: u64, uniques: Uniques) -> StreamRules {
    let lateness = Lateness::Within(hours * HOUR.unsigned_abs());
    StreamRules {
        options: StreamOptions { lateness, idle_after_records, uniques },
        ..StreamRules::from(rules())
    }
}

/// Which records are late, told from the definition alone: everything is looked up anew for each record.
pub(super) fn late_by_definition(log: &[Record], rules: &StreamRules) -> BTreeSet<(u16, u64)> {
    let end = vector(log);
    let Lateness::Within(nanos) = rules.options.lateness else { return BTreeSet::new() };
    let mut late = BTreeSet::new();
    for (number, record) in log.iter().enumerate() {
        let Some(event) = record.event else { continue };
        let read = &log[..=number];
        let largest = |partition: u16| {
            let of = read.iter().filter(|r| r.partition.0 == partition);
            of.filter_map(|r| r.event).map(|event| event.time).max()
        };
        let active = (0..2_u16).filter(|&p| {
            let finished = vector(&log[..number]).get(PartitionIndex(p)) >= end.get(PartitionIndex(p));
            let since = read.iter().rev().take_while(|r| r.partition.0 != p).count() as u64;
            p == record.partition.0 || !(finished || since >= rules.options.idle_after_records)
        });
        let watermark = active.map(largest).min().unwrap();
        let closes = i128::from(DayRule::Utc.end_of(event.day).0) + i128::from(nanos);
        if watermark.is_some_and(|watermark| closes <= i128::from(watermark.0)) {
            late.insert((record.partition.0, record.offset));
        }
    }
    late
}

fn batch_run(log: &[Record], cut: &Offsets) -> Arc<BatchView> {
    let mut run = BatchProcessor::new(rules(), cut.clone());
    for record in log {
        run.apply(record);
    }
    Arc::new(run.publish().unwrap())
}

fn refold(
    log: &[Record],
    rules: &StreamRules,
    late: &LateRecords,
    from: &Offsets,
) -> (View, Vec<RangeCounts>) {
    let mut range = RangeFold::of_stream(rules, from.clone(), late.clone());
    for record in log {
        range.apply_named(record, &names().1);
    }
    range.finish()
}

fn refold_books(
    log: &[Record],
    uniques: Uniques,
    from: &Offsets,
    effects: &[RangeCounts],
) -> (View, Vec<RangeCounts>) {
    let mut refold = Refold::new(from, effects).counting(uniques);
    for record in log {
        refold.apply_named(record, &names().1);
    }
    refold.finish()
}

/// One record through the stream to the serving layer.
fn step(stream: &mut StreamProcessor, lambda: &mut Lambda, record: &Record) -> Verdict {
    let effects =
        |stream: &StreamProcessor| stream.state().effects.iter().map(RangeCounts::total).sum::<u64>();
    let (before, late_before) = (effects(stream), stream.state().late.total());
    let verdict = stream.apply_named(record, &names().1);
    let run = Run { start: record.offset, end: record.offset + 1, count: 1 };
    let counted: Vec<_> =
        (effects(stream) > before).then_some((record.partition.index(), run)).into_iter().collect();
    let mut late = Vec::new();
    if stream.state().late.total() > late_before {
        let watermark = stream.state().late.watermark_of(record.partition, record.offset).unwrap();
        late.push((record.partition, LateRun { start: run.start, end: run.end, watermark }));
    }
    let position = stream.state().position.clone();
    let changes = stream.take_changes();
    let changes: Vec<Change> = changes
        .into_iter()
        .map(|(bucket, row)| Change { bucket: bucket.clone(), row: row.clone() })
        .collect();
    lambda.apply(Emission { changes: &changes, counted: &counted, late: &late, position });
    verdict
}

/// Runs that start, and publish, while the log is read: after so many records, with a cut so far ahead, after so many.
type Runs = Vec<(usize, usize, usize)>;

fn any_runs() -> impl Strategy<Value = Runs> {
    proptest::collection::vec((0_usize..60, 0_usize..30, 0_usize..60), 0..4)
}

/// Plays a log record by record with these batch runs, behind the stream and ahead of it. `check` looks at every step
/// (what is covered, and the state of the stream), `judged` at every verdict.
fn play(
    log: &[Record],
    runs: &Runs,
    rules: &StreamRules,
    check: impl Fn(&Lambda, usize, &StreamState) -> Result<(), TestCaseError>,
    judged: impl Fn(&Record, Verdict) -> Result<(), TestCaseError>,
) -> Result<Lambda, TestCaseError> {
    let uniques = rules.options.uniques;
    let mut lambda = Lambda::new(2).counting(uniques);
    let mut stream = StreamProcessor::new(rules.clone(), StreamState::new(2));
    stream.ends_at(vector(log));
    let mut covered = 0;
    for at in 0..=log.len() {
        for &(start, ahead, end) in runs {
            let cut_at = (start + ahead).min(log.len());
            let cut = vector(&log[..cut_at]);
            if at == start {
                stream.cut_started(&cut);
                lambda.cut_started(&cut);
            }
            if at == start.max(end) && covered <= cut_at {
                covered = cut_at;
                if stream.published(&cut) == Handover::Refold {
                    let refolded = refold_books(log, uniques, &cut, &stream.state().effects);
                    stream.replace_from(&cut, refolded);
                }
                let fold =
                    |from: &Offsets, effects: &[RangeCounts]| refold_books(log, uniques, from, effects);
                lambda.publish(batch_run(log, &cut), &names().1, fold);
            }
        }
        check(&lambda, at.max(covered), stream.state())?;
        let Some(record) = log.get(at) else { break };
        judged(record, step(&mut stream, &mut lambda, record))?;
    }
    Ok(lambda)
}

/// Merged is the full recount: view, fingerprint, numbers by scope, effects.
fn check_exact(lambda: &Lambda, log: &[Record], covered: usize) -> Result<(), TestCaseError> {
    let (keys, users) = names();
    let (recount, _) = fold_range(rules(), &Offsets::start(2), &log[..covered]);
    let merged = lambda.merged_numbers();
    let print = recount.fingerprint(&keys, &users);
    prop_assert_eq!(lambda.merged_view(&users).fingerprint(&keys, &users), print);
    prop_assert_eq!(lambda.fingerprint(&keys, &users), print);
    prop_assert_eq!((merged.views, merged.sum), (recount.total_views(), recount.total_sum()));
    let scopes = ScopeUsers::of(&recount);
    prop_assert_eq!(merged.users, scopes.run_count());
    for row in recount.rows() {
        let (_, by_key) = lambda.key_numbers(row.cell.key);
        let (_, by_day) = lambda.day_numbers(row.cell.day);
        prop_assert_eq!(by_key.users, scopes.key_count(row.cell.key));
        prop_assert_eq!(by_day.users, scopes.day_count(row.cell.day));
    }
    let effect = |record: &Record| u64::from(lambda.effect(record.partition.index(), record.offset));
    let counted: u64 = log[..covered].iter().map(effect).sum();
    prop_assert_eq!(counted, recount.total_views());
    Ok(())
}

/// Merged is batch exactly, and above its cut what the stream counts, without the listed late records.
fn check(lambda: &Lambda, log: &[Record], covered: usize, rules: &StreamRules) -> Result<(), TestCaseError> {
    let (keys, users) = names();
    let cut = &lambda.batch().cut;
    let (mut expected, _) =
        refold(&log[..covered], &rules.verdicts.into(), &LateRecords::new(), &Offsets::start(2));
    let full = expected.total_views();
    let late = &lambda.speed().late;
    prop_assert_eq!(lambda.merged_numbers().views + late.total(), full);
    let mut below = View::new();
    below.merge(&lambda.batch().view);
    let (above, _) = refold(&log[..covered], rules, late, cut);
    below.merge_named(&above, &users);
    expected = below;
    prop_assert_eq!(lambda.merged_view(&users).canonical(&keys), expected.canonical(&keys));
    let print = expected.fingerprint(&keys, &users);
    prop_assert_eq!(lambda.merged_view(&users).fingerprint(&keys, &users), print);
    prop_assert_eq!(lambda.fingerprint(&keys, &users), print);
    Ok(())
}

proptest! {
    /// The main invariant: merged equals the fold of the same prefix at every step, for every hand-over, with batch
    /// behind and ahead of the stream.
    #[test]
    fn merged_equals_the_full_recount(log in any_log(2, 60), runs in any_runs()) {
        let exact = StreamRules::from(rules());
        play(&log, &runs, &exact, |lambda, covered, _| check_exact(lambda, &log, covered), |_, _| Ok(()))?;
    }

    /// Replacing the copy by an older state (a restored checkpoint) drops what batch covers: the trap of the whole
    /// construction (checkpoint at 60, batch publishes 50, crash at 80: a naive restore shows 130).
    #[test]
    fn an_older_state_is_cut_at_the_batch_boundary(log in any_log(2, 60), a in 0_usize..60, b in 0_usize..60) {
        let (a, b) = (a.min(log.len()), b.min(log.len()));
        let mut lambda = Lambda::new(2);
        let batch = batch_run(&log, &vector(&log[..b]));
        lambda.publish(batch, &names().1, |_, _| unreachable!("nothing was emitted yet"));
        let mut stream = StreamProcessor::new(rules(), StreamState::new(2));
        log[..a].iter().for_each(|record| { stream.apply(record); });
        lambda.replace(stream.state().clone(), |from, effects| refold_books(&log, Uniques::Set, from, effects));
        check_exact(&lambda, &log, a.max(b))?;
    }

    /// Verdicts are those of the definition; what batch covers is never listed; each publication removes exactly the
    /// listed records below its cut from what is missing.
    #[test]
    fn each_publication_takes_the_error_back(
        log in any_log(2, 60).prop_map(with_times),
        hours in 0_u64..30,
        idle in 1_u64..40,
        sketches in any::<bool>(),
        runs in any_runs(),
    ) {
        let rules = stream_rules(hours, idle, if sketches { Uniques::Hll } else { Uniques::Set });
        let late = late_by_definition(&log, &rules);
        let at_each_step = |lambda: &Lambda, covered: usize, state: &StreamState| {
            prop_assert_eq!(&lambda.speed().late, &state.late);
            check(lambda, &log, covered, &rules)
        };
        let judged = |record: &Record, verdict: Verdict| {
            let is_late = late.contains(&(record.partition.0, record.offset));
            // Late comes after all other reasons not to count.
            prop_assert!(verdict != Verdict::Late || is_late, "{:?} is not late", record);
            prop_assert!(verdict != Verdict::Counted || !is_late, "{:?} is late", record);
            Ok(())
        };
        let mut lambda = play(&log, &runs, &rules, at_each_step, judged)?;
        lambda.publish(batch_run(&log, &vector(&log)), &names().1, |_, _| unreachable!("nothing lies above"));
        let (keys, users) = names();
        let (recount, _) = fold_range(rules.verdicts, &Offsets::start(2), &log);
        prop_assert_eq!(lambda.fingerprint(&keys, &users), recount.fingerprint(&keys, &users));
    }

    #[test]
    fn with_unbounded_lateness_sketches_change_nothing_but_users(log in any_log(2, 60)) {
        let (keys, _) = names();
        let options = StreamOptions { uniques: Uniques::Hll, ..StreamOptions::default() };
        let mut sketched = StreamProcessor::new(StreamRules { options, ..rules().into() }, StreamState::new(2));
        let mut exact = StreamProcessor::new(rules(), StreamState::new(2));
        for record in &log {
            prop_assert_eq!(sketched.apply_named(record, &names().1), exact.apply(record));
        }
        // So few users are counted right by a sketch too.
        prop_assert_eq!(sketched.state().view().canonical(&keys), exact.state().view().canonical(&keys));
        prop_assert!(sketched.state().view().rows().iter().all(|row| row.users.is_empty()));
    }
}

#[test]
fn a_late_record_is_remembered_by_its_id() {
    let (keys, _) = names();
    let mut log = Vec::new();
    for (offset, (day, id)) in [(0, 1_u128), (3, 2), (0, 7), (3, 7)].into_iter().enumerate() {
        let event = crate::domain::Event {
            key: crate::domain::KeyId(0),
            user: Some(crate::domain::UserId(0)),
            time: EventTime(day * 24 * HOUR),
            day: crate::domain::Day(i32::try_from(day).unwrap()),
            value: crate::domain::Value::ONE,
            id: Some(id),
            explicit_offset: None,
        };
        log.push(Record { partition: PartitionIndex(0), offset: offset as u64, event: Some(event) });
    }
    let mut stream = StreamProcessor::new(stream_rules(1, 100, Uniques::Set), StreamState::new(1));
    let verdicts: Vec<Verdict> = log.iter().map(|record| stream.apply(record)).collect();
    assert_eq!(verdicts, [Verdict::Counted, Verdict::Counted, Verdict::Late, Verdict::Duplicate]);
    let state = stream.state();
    assert_eq!((state.counts.late, state.counts.duplicates, state.counts.valid()), (1, 1, 4));
    assert_eq!(state.late.watermark_of(PartitionIndex(0), 2), Some(EventTime(3 * 24 * HOUR)));
    assert_eq!(state.view().canonical(&keys).len(), 2);
}
