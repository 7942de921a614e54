//! The shipped scenarios meet their expectations, with the same digest under both drivers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use rederive::{
    checkpoint::{CrashPoint, GuaranteeId},
    domain::Run,
    engine::{
        Lane, LanePlan, ReadModel, Ticked,
        driver::Driver,
        frame::{InvariantState, LaneFrame, Totals},
        play::{OpenScenario, Played, lane_plan, memory_disk, open_log, open_scenario, play},
        protocol::{CheckpointId, CrashTarget, CrashWhen, Fact, LaneCommand, Tick},
        scenario::{Planned, PlannedFault, When},
    },
    ingest::{LoadEvent, LogIndex, spawn_loader},
};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs").join(name)
}

fn played(name: &str) -> Played {
    let open = open_scenario(&sample(name)).unwrap();
    let inline = play(&open, Driver::Inline, None);
    let threads = play(&open, Driver::Threads, None);
    assert_eq!(inline.failures, Vec::<String>::new());
    assert_eq!(inline.digest, threads.digest);
    assert_eq!(inline.journal, threads.journal);
    inline
}

#[test]
fn crash_and_replay_reads_734_records_twice_and_counts_them_once() {
    let played = played("crash-and-replay.json");
    let replay = played.facts.iter().find_map(|(_, fact)| match fact {
        Fact::ReplayFinished {
            from,
            to,
            merged_views,
            recount_views,
            every_read_views,
            same_as_never_crashed,
            ..
        } => Some((*from, *to, *merged_views, *recount_views, *every_read_views, *same_as_never_crashed)),
        _ => None,
    });
    assert_eq!(replay, Some((14_000, 14_734, 14_734, 14_734, 15_468, true)));
    let dropped = played.facts.iter().find_map(|(_, fact)| match fact {
        Fact::Restored { dropped_below_batch, .. } => Some(*dropped_below_batch),
        _ => None,
    });
    assert_eq!(dropped, Some(0), "the checkpoint holds nothing that batch covers");
    assert_eq!(played.frame.batch_covers, 31_106);
}

#[test]
fn an_old_checkpoint_does_not_count_below_the_batch_view_again() {
    let played = played("old-checkpoint.json");
    let restored = played.facts.iter().find_map(|(_, fact)| match fact {
        Fact::Restored { position, replay_to, dropped_below_batch, .. } => {
            Some((*position, *replay_to, *dropped_below_batch))
        }
        _ => None,
    });
    assert_eq!(restored, Some((6_000, 8_900, 6_000)));
}

const CRASH: LaneCommand = LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now };

fn opened(log: &str) -> OpenScenario {
    let mut open = open_log(&sample(log), &[]).unwrap();
    open.scenario.settings.checkpoint_every_records = 5;
    open.scenario.settings.batch_every_records = 0;
    open
}

fn plan(open: &OpenScenario) -> LanePlan {
    lane_plan(&open.scenario, &open.mapping, Driver::Inline, memory_disk())
}

fn lane(open: &OpenScenario) -> Lane {
    Lane::new(plan(open), Arc::clone(&open.index))
}

/// Plays on until `done`, building a frame at every tick.
fn until(lane: &mut Lane, what: &str, done: impl Fn(&Lane) -> bool) -> LaneFrame {
    let mut model = ReadModel::default();
    for _ in 0..20_000 {
        let frame = model.frame(lane);
        if done(lane) {
            return frame;
        }
        lane.tick();
    }
    panic!("waited in vain until {what}");
}

fn facts(lane: &mut Lane) -> Vec<Fact> {
    lane.take_facts().into_iter().map(|(_, fact)| fact).collect()
}

fn every_read(facts: &[Fact]) -> Option<(u64, u64)> {
    facts.iter().rev().find_map(|fact| match fact {
        Fact::ReplayFinished { recount_views, every_read_views, .. } => {
            Some((*recount_views, *every_read_views))
        }
        _ => None,
    })
}

#[test]
fn a_crash_during_the_replay_of_an_older_checkpoint_is_drawn_and_accounted_for() {
    let mut open = opened("clicks");
    open.scenario.settings.retain = 4;
    // No batch run ends before the second replay does.
    open.scenario.settings.batch_capacity = 1;
    let mut lane = lane(&open);
    until(&mut lane, "17 clicks", |lane| lane.stream_position() >= 17);
    lane.command(CRASH);
    lane.command(LaneCommand::Restore(Some(CheckpointId(1))));
    until(&mut lane, "the middle of the replay", |lane| lane.stream_position() >= 8);
    lane.command(CRASH);
    let frame = until(&mut lane, "a frame while it is down", Lane::is_down);
    assert!(frame.proof.from < frame.proof.to);
    assert_eq!(frame.proof.crash, Some(8));
    lane.command(LaneCommand::Restore(Some(CheckpointId(1))));
    let frame = until(&mut lane, "the end of the replay", |lane| lane.stream_position() >= 17);
    // 5 to 8 were read three times, 8 to 17 twice; the strip shows all of them.
    let read: Vec<(u64, u64, u32)> =
        frame.proof.read.iter().map(|run| (run.start, run.end, run.count)).collect();
    assert!(read.contains(&(5, 8, 3)) && read.contains(&(8, 17, 2)), "{read:?}");
    let point = frame.series.last().unwrap();
    // Had the totals never gone back: 12 more from the first crash, 3 more from the second.
    let beside = point.every_read.map(|every| every.views - point.memory.unwrap_or_default().views);
    assert_eq!(beside, Some(15));
    assert_eq!(every_read(&facts(&mut lane)), Some((17, 17 + 2 * 3 + 9)));
    until(&mut lane, "the end", Lane::is_finished);
    assert!(lane.merged_equals_recount() && lane.counted_more_than_once() == 0);
}

#[test]
fn records_read_and_not_counted_at_the_crash_are_read_twice() {
    let mut open = opened("clicks");
    open.scenario.settings.micro_batch_records = 5;
    open.scenario.settings.stream_capacity = 20;
    let fault = |point| PlannedFault { lane: 0, target: CrashTarget::Stream, point, record: 12 };
    open.scenario.faults = vec![fault(CrashPoint::BeforeApply)];
    let mut lane = lane(&open);
    until(&mut lane, "the crash", Lane::is_down);
    lane.command(LaneCommand::Restore(None));
    until(&mut lane, "the end of the replay", |lane| lane.stream_position() >= 15);
    // Nothing of the micro-batch was counted before the crash, all of it was read twice.
    assert_eq!(every_read(&facts(&mut lane)), Some((15, 20)));
}

#[test]
fn armed_crashes_survive_other_crashes_and_can_be_armed_while_the_stream_is_down() {
    let mut open = opened("clicks");
    let point = CrashPoint::AfterEmit;
    open.scenario.faults = vec![PlannedFault { lane: 0, target: CrashTarget::Stream, point, record: 9 }];
    let mut lane = lane(&open);
    until(&mut lane, "6 clicks", |lane| lane.stream_position() >= 6);
    lane.command(CRASH);
    let when = CrashWhen::At { point: CrashPoint::MidApply, record: 14 };
    lane.command(LaneCommand::Crash { target: CrashTarget::Stream, when });
    for crashes in 2..4 {
        lane.command(LaneCommand::Restore(None));
        until(&mut lane, "the next crash", Lane::is_down);
        assert_eq!(lane.stream_crashes(), crashes);
    }
    let points: Vec<CrashPoint> = facts(&mut lane)
        .iter()
        .filter_map(|fact| match fact {
            Fact::StreamCrashed { point, .. } => Some(*point),
            _ => None,
        })
        .collect();
    assert_eq!(points, [CrashPoint::BeforeApply, CrashPoint::AfterEmit, CrashPoint::MidApply]);
}

#[test]
fn batch_runs_crash_at_each_armed_record_however_fast_they_are() {
    let mut open = opened("clicks");
    open.scenario.settings.batch_capacity = 1_000_000;
    let point = CrashPoint::BeforeApply;
    let fault = |record| PlannedFault { lane: 0, target: CrashTarget::Batch, point, record };
    open.scenario.faults = vec![fault(12), fault(5)];
    let mut lane = lane(&open);
    until(&mut lane, "the end", Lane::is_finished);
    let crashes: Vec<(u64, u64)> = facts(&mut lane)
        .iter()
        .filter_map(|fact| match fact {
            Fact::BatchCrashed { cut, done } => Some((*cut, *done)),
            _ => None,
        })
        .collect();
    assert_eq!(crashes, [(20, 6), (20, 13)]);
}

#[test]
fn a_plan_that_waits_for_what_cannot_come_does_not_run_for_ever() {
    let mut open = opened("clicks");
    let planned = |at, command| Planned { at, lane: 0, command };
    open.scenario.commands =
        vec![planned(When::Position(9), CRASH), planned(When::Position(99), LaneCommand::Checkpoint)];
    let mut lane = lane(&open);
    until(&mut lane, "nothing can happen any more", Lane::is_stuck);
    assert!(lane.is_down());
}

#[test]
fn settings_beyond_all_measure_are_refused_and_not_played() {
    let mut settings = opened("clicks").scenario.settings;
    settings.rate = u64::MAX;
    assert!(settings.check().is_err());
    let mut lane = lane(&opened("clicks"));
    lane.command(LaneCommand::SetRate(u64::MAX));
    until(&mut lane, "the end", Lane::is_finished);
}

#[test]
fn a_command_at_the_tick_of_a_repeated_one_comes_after_it() {
    let open = opened("clicks");
    let at_900 = |lane: &Lane| lane.tick_now().0 == 900;
    let mut by_hand = lane(&open);
    until(&mut by_hand, "tick 900", at_900);
    by_hand.command(CRASH);
    by_hand.command(LaneCommand::Restore(None));
    let mut continued = lane(&open);
    continued.repeat(&[(900, CRASH)]);
    until(&mut continued, "tick 900", at_900);
    continued.command(LaneCommand::Restore(None));
    assert_eq!(continued.carried_out(), by_hand.carried_out());
    for lane in [&mut by_hand, &mut continued] {
        until(lane, "the end", Lane::is_finished);
    }
    assert_eq!(continued.journal().digest(), by_hand.journal().digest());
}

#[test]
fn a_checkpoint_is_written_at_once_where_no_micro_batch_comes() {
    let mut open = opened("clicks");
    open.scenario.settings.micro_batch_records = 8;
    open.scenario.settings.checkpoint_every_records = 0;
    // The last batch run goes on long after the stream has read everything.
    open.scenario.settings.batch_capacity = 1;
    let at = |tick, command| Planned { at: When::Tick(tick), lane: 0, command };
    let crash_there = CrashWhen::At { point: CrashPoint::AfterCheckpoint, record: 19 };
    open.scenario.commands = vec![
        at(0, LaneCommand::Checkpoint),
        at(1_010, LaneCommand::Checkpoint),
        at(2_500, LaneCommand::Checkpoint),
        at(2_600, LaneCommand::Crash { target: CrashTarget::Stream, when: crash_there }),
        at(2_700, LaneCommand::Checkpoint),
        at(2_800, LaneCommand::Restore(None)),
    ];
    let inline = play(&open, Driver::Inline, None);
    assert_eq!(inline.journal, play(&open, Driver::Threads, None).journal);
    let written = |(tick, fact): &(Tick, Fact)| match fact {
        Fact::CheckpointWritten { position, .. } => Some((tick.0, *position)),
        _ => None,
    };
    let checkpoints: Vec<(u64, u64)> = inline.facts.iter().filter_map(written).collect();
    assert_eq!(checkpoints, [(0, 0), (1_010, 8), (2_500, 20), (2_700, 20)]);
    let crashed =
        |fact: &Fact| matches!(fact, Fact::StreamCrashed { point: CrashPoint::AfterCheckpoint, .. });
    let restored = |fact: &Fact| matches!(fact, Fact::Restored { position: 20, replay_to: 20, .. });
    assert!(inline.facts.iter().any(|(tick, fact)| tick.0 == 2_700 && crashed(fact)));
    assert!(inline.facts.iter().any(|(_, fact)| restored(fact)));
    assert_eq!((inline.failures, inline.frame.merged_totals.views), (Vec::new(), 20));
}

/// All versions of a log as the loader publishes them.
fn versions(open: &OpenScenario) -> Vec<Arc<LogIndex>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let publish = {
        let seen = Arc::clone(&seen);
        move |event| match event {
            LoadEvent::Progress(index) | LoadEvent::Done(index) => seen.lock().unwrap().push(index),
            LoadEvent::Failed(error) => panic!("{error}"),
        }
    };
    let cancel = Arc::new(AtomicBool::new(false));
    spawn_loader(open.log.clone(), open.mapping.clone(), publish, cancel).unwrap().join().unwrap();
    std::mem::take(&mut *seen.lock().unwrap())
}

#[test]
fn a_log_played_while_it_is_loaded_plays_as_the_loaded_one() {
    let mut open = open_scenario(&sample("crash-and-replay.json")).unwrap();
    // Commands of all kinds, some at moments that the loader has not come to at the start.
    let at = |tick, command| Planned { at: When::Tick(tick), lane: 0, command };
    open.scenario.commands = vec![
        at(300, LaneCommand::BatchAt(500)),
        at(400, LaneCommand::SetRate(900)),
        at(700, CRASH),
        at(800, LaneCommand::Restore(Some(CheckpointId(1)))),
        at(850, LaneCommand::Crash { target: CrashTarget::Both, when: CrashWhen::Now }),
        at(900, LaneCommand::RestoreFromStart),
        at(1_200, LaneCommand::Checkpoint),
        at(1_300, LaneCommand::BatchNow),
    ];
    let whole = play(&open, Driver::Inline, None);
    let versions = versions(&open);
    assert!(versions.len() >= 3, "{}", versions.len());
    let early = versions.first().unwrap();
    for patience in [0, 3] {
        let mut lane = Lane::new(plan(&open), Arc::clone(early));
        let mut next = versions.iter().skip(1);
        let mut waits = 0;
        loop {
            match lane.tick() {
                Ticked::On if waits == 0 => {}
                Ticked::On => waits -= 1,
                Ticked::Finished => break,
                // Nothing may depend on how often it asks before more is there.
                Ticked::WaitsForLog if waits < patience => waits += 1,
                Ticked::WaitsForLog => lane.set_index(Arc::clone(next.next().unwrap())),
            }
        }
        assert_eq!(lane.journal().digest(), whole.digest);
        assert_eq!(lane.journal().lines(), whole.journal);
    }
}

#[test]
fn the_textbook_counts_16_and_5_then_32_and_10_until_batch_corrects_it() {
    let mut open = opened("textbook");
    open.scenario.settings.guarantee = GuaranteeId::Textbook;
    open.scenario.settings.checkpoint_every_records = 4;
    // Nobody runs a batch job before the stream has read everything twice.
    open.scenario.settings.batch_capacity = 1;
    open.scenario.settings.rate = 100;
    let mut lane = lane(&open);
    let speed = |frame: &LaneFrame| (frame.speed_totals.sum, frame.speed_totals.views);
    let frame = until(&mut lane, "all read", |lane| lane.stream_position() == 4);
    assert_eq!(speed(&frame), (21_000_000, 4), "16 and 5");
    lane.command(CRASH);
    lane.command(LaneCommand::Restore(None));
    let frame = until(&mut lane, "all read again", |lane| lane.stream_position() == 4);
    assert_eq!(speed(&frame), (42_000_000, 8), "32 and 10");
    let point = frame.series.last().unwrap();
    assert!(point.every_read.is_none() || point.every_read.map(|it| it.views) == Some(8), "nothing was lost");
    let frame = until(&mut lane, "the end", Lane::is_finished);
    assert_eq!(frame.merged_totals, Totals { views: 3, users: 0, sum: 18_000_000 }, "batch overrides");
    assert_eq!(lane.first_broken(), None, "nothing promised is broken");
    let states: Vec<(&str, bool)> = frame
        .invariants
        .iter()
        .map(|it| (it.id, matches!(it.state, InvariantState::NotPromised { .. })))
        .collect();
    let expected = [("I1", false), ("I2", true), ("I3", true), ("I4", true), ("I5", false), ("I7", false)];
    assert_eq!(states, expected);
    let honest = facts(&mut lane).iter().any(|fact| {
        matches!(
            fact,
            Fact::ReplayFinished { merged_views: 8, recount_views: 3, same_as_never_crashed: false, .. }
        )
    });
    assert!(honest);
}

/// Ticks on until the batch view covers `cut`.
fn published(lane: &mut Lane, cut: u64) -> LaneFrame {
    let mut model = ReadModel::default();
    for _ in 0..20_000 {
        let frame = model.frame(lane);
        if frame.batch_covers == cut {
            return frame;
        }
        lane.tick();
    }
    panic!("no batch run covers {cut}");
}

#[test]
fn under_the_textbook_what_batch_covers_is_right_again_and_what_it_does_not_counts_twice() {
    // Checkpoint at 10, batch covers 8, crash at 13: the restored state holds 0 to 9, and all is read again.
    let mut open = opened("clicks");
    open.scenario.settings.guarantee = GuaranteeId::Textbook;
    // What is read again is read again before more arrives.
    open.scenario.settings.stream_capacity = 2_000;
    let mut lane = lane(&open);
    until(&mut lane, "12 records", |lane| lane.stream_position() == 12);
    lane.command(LaneCommand::BatchAt(8));
    published(&mut lane, 8);
    until(&mut lane, "13 records", |lane| lane.stream_position() == 13);
    lane.command(CRASH);
    lane.command(LaneCommand::Restore(None));
    let both = |lane: &Lane| lane.stream_position() == 13 && !lane.is_replaying();
    let frame = until(&mut lane, "all read again", both);
    assert_eq!((frame.recount_totals.views, frame.merged_totals.views), (13, 15), "8 and 9 twice");
    let restored = facts(&mut lane).into_iter().find_map(|fact| match fact {
        Fact::Restored { position, dropped_below_batch, .. } => Some((position, dropped_below_batch)),
        _ => None,
    });
    assert_eq!(restored, Some((0, 8)));
    assert_eq!(lane.counted_more_than_once(), 2);
    lane.command(LaneCommand::BatchAt(9));
    let frame = published(&mut lane, 9);
    assert_eq!(frame.merged_totals.views, frame.recount_totals.views + 1, "9 twice");
    // A batch run that starts before the crash and ends after the restore, with its cut inside what came back.
    until(&mut lane, "16 records", |lane| lane.stream_position() == 16);
    lane.command(LaneCommand::BatchAt(11));
    lane.command(CRASH);
    lane.command(LaneCommand::Restore(None));
    let frame = published(&mut lane, 11);
    until(&mut lane, "all read again", |lane| !lane.is_replaying());
    assert!(frame.batch_covers == 11);
    let frame = until(&mut lane, "all read again", |lane| lane.stream_position() == 16);
    // Checkpoint 15 held 9 once too often, which 11 covers, and 11 to 14, which are read again.
    assert_eq!((frame.recount_totals.views, frame.merged_totals.views), (16, 20), "11 to 14 twice");
    let frame = until(&mut lane, "the end", Lane::is_finished);
    assert_eq!(frame.merged_totals, frame.recount_totals, "batch overrides");
    let at = |&(tick, command): &(u64, LaneCommand)| Planned { at: When::Tick(tick), lane: 0, command };
    open.scenario.commands = lane.carried_out().iter().map(at).collect();
    for driver in [Driver::Inline, Driver::Threads] {
        assert_eq!(play(&open, driver, None).digest, lane.final_digest().unwrap());
    }
}

/// Late records are missing until the next batch run covers them: the error goes up and ends with each publication.
#[test]
fn each_batch_run_counts_the_late_records_that_the_stream_dropped() {
    let open = open_scenario(&sample("late-events.json")).unwrap();
    let mut lane = Lane::new(plan(&open), Arc::clone(&open.index));
    let (mut published, mut missing, mut most) = (0, 0_u64, 0);
    let mut removed = Vec::new();
    let mut model = ReadModel::default();
    while lane.tick() == Ticked::On {
        // Often enough to see each publication's step, not more.
        if !lane.tick_now().0.is_multiple_of(20) {
            continue;
        }
        let frame = model.frame(&mut lane);
        let left_out = frame.approximation.late_missing;
        assert_eq!(
            frame.merged_totals.views + left_out,
            frame.recount_totals.views,
            "tick {}",
            lane.tick_now().0
        );
        if frame.batch_runs > published {
            published = frame.batch_runs;
            removed.push(missing.saturating_sub(left_out));
        }
        missing = left_out;
        most = most.max(left_out);
    }
    // The last one ends the run.
    assert_eq!(removed.len(), 5);
    assert!(removed.iter().all(|&records| records > 0), "{removed:?}");
    assert!(most > 50, "{most}");
    let frame = model.frame(&mut lane);
    assert_eq!((frame.approximation.late_missing, frame.approximation.late_dropped), (0, 311));
    // The same with workers on threads, to the letter, and as the scenario expects it.
    let threads = play(&open, Driver::Threads, None);
    assert_eq!(threads.failures, Vec::<String>::new());
    assert_eq!((threads.digest, threads.journal.as_str()), (lane.journal().digest(), lane.journal().lines()));
}

/// What version 1 dropped is missing until version 2, which closes no day, has read the log from its start.
#[test]
fn what_is_late_without_a_batch_layer_stays_missing_in_its_version() {
    played("kappa-late.json");
}

/// The hands-off story of the start: every batch run takes an error back, and none of them is large.
#[test]
fn in_the_shop_story_each_publication_removes_an_error() {
    let played = played("batch-speed-merged.json");
    let counted = played.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::BatchPublished { late_counted, .. } => Some(*late_counted),
        _ => None,
    });
    let counted: Vec<u64> = counted.collect();
    assert_eq!(counted, [18, 28, 29, 30, 32, 35, 16, 28]);
    assert_eq!(played.frame.approximation.late_dropped, counted.iter().sum::<u64>());
    let error = |point: &rederive::engine::frame::Point| point.recount.views - point.merged.views;
    let most = played.frame.series.iter().map(error).max().unwrap_or_default();
    assert!((30..=45).contains(&most), "of 4,000 records between two batch runs: {most}");
}

#[test]
fn what_a_replay_drops_as_late_again_is_not_said_to_count() {
    let mut open = open_scenario(&sample("batch-speed-merged.json")).unwrap();
    open.scenario.settings.batch_every_records = 0;
    let mut lane = lane(&open);
    while lane.stream_position() < 3_990 {
        lane.tick();
    }
    lane.command(CRASH);
    lane.command(LaneCommand::Restore(Some(CheckpointId(1))));
    lane.tick();
    while lane.stream_position() < 4_200 {
        lane.tick();
    }
    let frame = ReadModel::default().frame(&mut lane);
    let told = facts(&mut lane).into_iter().find_map(|fact| match fact {
        Fact::ReplayFinished { from, to, recount_views, every_read_views, late_missing, .. } => {
            Some((to - from, every_read_views - (recount_views - late_missing)))
        }
        _ => None,
    });
    let (reads_again, counted_again) = told.unwrap();
    let sum = |runs: &[Run]| runs.iter().map(|run| (run.end - run.start) * u64::from(run.count)).sum::<u64>();
    assert_eq!(counted_again, sum(&frame.proof.every_read) - sum(&frame.proof.counted), "as the strip");
    assert!(counted_again < reads_again, "some of it is late: {counted_again} of {reads_again}");
}
