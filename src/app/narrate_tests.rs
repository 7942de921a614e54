use std::sync::Arc;

use super::*;
use crate::{
    checkpoint::CrashPoint,
    engine::{
        frame::{Approximation, Flow, Frame, InvariantStatus, Loading, Totals},
        protocol::{LaneId, LogSummary, Tick},
    },
};

fn state(lane: LaneFrame, facts: &[Fact]) -> State {
    let frame = Frame {
        tick: Tick(8_667),
        flow: Flow::Playing,
        loading: Loading { complete: true, ..Loading::default() },
        lanes: vec![Arc::new(lane)],
        ..Frame::default()
    };
    let facts = facts
        .iter()
        .map(|fact| crate::app::Happening { lane: LaneId(0), tick: Tick(1), fact: fact.clone() })
        .collect();
    State {
        phase: Phase::Open,
        summary: Some(Arc::new(LogSummary::default())),
        frame: Some(Arc::new(frame)),
        facts,
        ..State::default()
    }
}

fn with_guarantee(mut state: State, guarantee: GuaranteeId) -> State {
    state.summary = Some(Arc::new(LogSummary { guarantee, ..LogSummary::default() }));
    state
}

fn lane(position: u64, covers: u64) -> LaneFrame {
    LaneFrame {
        position,
        batch_covers: covers,
        arrived: position,
        log_records: 30_000,
        stream: StreamState::Running,
        ..LaneFrame::default()
    }
}

fn crash_lane(position: u64, checkpoint: Option<(u64, u64)>) -> LaneFrame {
    let checkpoint = checkpoint.map(|(id, at)| (CheckpointId(id), at));
    let stream = StreamState::Crashed { point: CrashPoint::BeforeApply, position, checkpoint };
    LaneFrame { stream, ..lane(0, 12_000) }
}

fn replay(from: u64, to: u64, merged: u64, recount: u64, every: u64, same: bool) -> Fact {
    Fact::ReplayFinished {
        from,
        to,
        merged_views: merged,
        recount_views: recount,
        every_read_views: every,
        late_missing: 0,
        same_as_never_crashed: same,
    }
}

fn restored(checkpoint: Option<u64>, position: u64, replay_to: u64) -> Fact {
    Fact::Restored {
        checkpoint: checkpoint.map(CheckpointId),
        position,
        replay_to,
        refused: Vec::new(),
        dropped_below_batch: 0,
    }
}

#[track_caller]
fn check(state: &State, expected: &str) {
    assert_eq!(narrate(state).plain(), expected);
}

#[test]
fn seconds_0_10_60() {
    check(
        &state(LaneFrame { log_records: 30_000, ..LaneFrame::default() }, &[Fact::Started]),
        "Nothing processed yet. The grey line is a full recount of the log. Press Space.",
    );
    check(
        &state(lane(1_700, 0), &[Fact::Started]),
        "Stream has counted 1,700. Batch has published nothing yet: every number is provisional.",
    );
    check(
        &state(
            lane(10_200, 8_000),
            &[Fact::BatchPublished { cut: 8_000, fingerprint: "f".into(), late_counted: 0 }],
        ),
        "Batch covers 8,000 of 10,200 records; the stream adds the newest 2,200. Now press X.",
    );
    check(
        &state(LaneFrame::default(), &[]),
        "This log is empty. It has no record; open another one with Ctrl+O.",
    );
}

#[test]
fn the_moment_in_five_steps() {
    let crashed = state(crash_lane(14_734, Some((14, 14_000))), &[]);
    check(
        &crashed,
        "Stream crashed at record 14,734; its memory is gone. On disk: checkpoint 14 = position 14,000 and its totals, in one file.",
    );
    assert_eq!(
        question(&crashed).unwrap(),
        "734 counted records were lost with the memory. After the restore the total will be:"
    );
    let recovering =
        LaneFrame { stream: StreamState::Recovering { from: 14_000, to: 14_734 }, ..lane(14_412, 12_000) };
    check(
        &state(recovering, &[restored(Some(14), 14_000, 14_734)]),
        "Position and totals went back together. Reading 14,000 to 14,733 again: 412 of 734.",
    );
    let mut after = state(lane(14_800, 12_000), &[replay(14_000, 14_734, 14_734, 14_734, 15_468, true)]);
    check(
        &after,
        "734 records were read twice and counted once. Total 14,734 = full recount 14,734. \
         Same bytes as a run that never crashed. Counting every read would give 15,468 (+734).",
    );
    assert_eq!(predicted(&after), None);
    after.prediction = Some(Prediction::TooHigh);
    assert_eq!(predicted(&after).unwrap(), "You said too high: it is right.");
    after.prediction = Some(Prediction::Right);
    assert_eq!(predicted(&after).unwrap(), "You said right: so it is.");
}

#[test]
fn edges_have_words_too() {
    check(
        &state(crash_lane(14_000, Some((14, 14_000))), &[]),
        "Stream crashed at record 14,000; its memory is gone. On disk: checkpoint 14 = position 14,000 and its totals, \
         in one file. It was written just before the crash: nothing to replay.",
    );
    check(
        &state(lane(14_000, 12_000), &[restored(Some(14), 14_000, 14_000)]),
        "Nothing to replay. Checkpoint 14 was written just before the crash; the stream goes on at 14,000.",
    );
    check(
        &state(crash_lane(734, None), &[]),
        "Stream crashed at record 734; its memory is gone. On disk: no checkpoint. Press R: the log is read again from record 0.",
    );
    check(
        &state(
            crash_lane(14_734, Some((14, 14_000))),
            &[Fact::RestoreRefused {
                refused: vec![("00000014.ckpt".into(), "CRC of section cells".into())],
            }],
        ),
        "No checkpoint could be restored. Refused: 00000014.ckpt (CRC of section cells). Restoring from record 0 reads the whole log again.",
    );
    let older =
        LaneFrame { stream: StreamState::Recovering { from: 13_000, to: 14_734 }, ..lane(13_100, 12_000) };
    let fact = Fact::Restored {
        checkpoint: Some(CheckpointId(13)),
        position: 13_000,
        replay_to: 14_734,
        refused: vec![("00000014.ckpt".into(), "torn".into())],
        dropped_below_batch: 0,
    };
    check(
        &state(older, &[fact]),
        "Position and totals went back together. Refused: 00000014.ckpt (torn). Reading 13,000 to 14,733 again: 100 of 1,734.",
    );
    check(
        &state(lane(14_734, 12_000), &[replay(13_000, 14_734, 14_734, 14_734, 16_468, true)]),
        "1,734 records were read twice and counted once. Total 14,734 = full recount 14,734. \
         Same bytes as a run that never crashed. Counting every read would give 16,468 (+1,734).",
    );
    check(
        &state(lane(14_734, 12_000), &[replay(14_000, 14_734, 14_700, 14_700, 15_430, true)]),
        "734 records were read twice; 730 of them count, and were counted once. Total 14,700 = full recount 14,700. \
         Same bytes as a run that never crashed. Counting every read would give 15,430 (+730).",
    );
    check(
        &state(lane(9_000, 8_000), &[Fact::BatchCrashed { cut: 12_000, done: 5_200 }]),
        "Batch run up to 12,000 crashed at record 5,200. It published nothing and will be run again. The batch view still covers 8,000.",
    );
}

#[test]
fn the_second_scene_names_what_was_dropped() {
    let lane = LaneFrame { stream: StreamState::Recovering { from: 60, to: 80 }, ..lane(64, 50) };
    let fact = Fact::Restored {
        checkpoint: Some(CheckpointId(6)),
        position: 60,
        replay_to: 80,
        refused: Vec::new(),
        dropped_below_batch: 50,
    };
    check(
        &state(lane, &[fact]),
        "Position and totals went back together. The checkpoint is older than the last batch run: 50 records below its \
         hand-over were dropped, or they would count twice. Reading 60 to 79 again: 4 of 20.",
    );
}

#[test]
fn wrong_books_are_called_wrong() {
    let textbook = with_guarantee(
        state(lane(14_734, 0), &[replay(0, 14_734, 28_734, 14_734, 29_468, false)]),
        GuaranteeId::Textbook,
    );
    check(
        &textbook,
        "14,000 records too many: they were read again and counted again. Total 28,734, full recount 14,734 (+14,000). \
         What was saved: totals, with a position that is always -1.",
    );
    assert_eq!(narrate(&textbook).tone, Tone::Error);
    let lost = state(lane(14_734, 0), &[replay(14_000, 14_734, 14_000, 14_734, 15_468, false)]);
    assert!(narrate(&lost).plain().starts_with(
        "734 records too few: they were lost in the crash. Total 14,000, full recount 14,734 (-734)."
    ));
    let bytes = state(lane(14_734, 0), &[replay(14_000, 14_734, 14_734, 14_734, 15_468, false)]);
    assert_eq!(narrate(&bytes).tone, Tone::Error);
    assert!(narrate(&bytes).plain().contains("But the bytes are not those of a run that never crashed."));
    let end = |merged| Fact::Finished {
        merged_views: merged,
        recount_views: 30_000,
        digest: "0123456789abcdef".into(),
    };
    check(
        &state(lane(30_000, 30_000), &[end(30_000)]),
        "Finished: total 30,000 = full recount 30,000. Batch covers the whole log; nothing is provisional any more. Run fingerprint 0123456789ab.",
    );
    let totals = Totals { views: 30_000, users: 12, sum: 5_500_000 };
    let ended = LaneFrame { merged_totals: totals, recount_totals: totals, ..lane(30_000, 30_000) };
    let mut in_sums = state(ended, &[end(30_000)]);
    in_sums.measure = Measure::Sum;
    assert_eq!(narrate(&in_sums).lead, "Finished: sum 5.5 = full recount 5.5.");
    assert!(
        narrate(&state(lane(30_000, 30_000), &[end(30_734)])).lead.contains("the books do not agree: +734")
    );
    let mut broken = lane(100, 0);
    broken.invariants = Arc::from([InvariantStatus {
        id: "I3",
        sentence: "merged equals a full recount",
        state: InvariantState::Broken { counterexample: "at 12: /a 3 instead of 2".into() },
    }]);
    check(
        &state(broken, &[]),
        "This must always hold, and does not: merged equals a full recount. at 12: /a 3 instead of 2",
    );
}

#[test]
fn late_records_are_missing_until_a_batch_run_counts_them() {
    let views = |views| Totals { views, ..Totals::default() };
    let with = |late_missing: u64, lane: LaneFrame| LaneFrame {
        approximation: Approximation { late_missing, ..Approximation::default() },
        merged_totals: views(lane.position - late_missing),
        recount_totals: views(lane.position),
        ..lane
    };
    check(
        &state(with(7, lane(1_700, 0)), &[Fact::Started]),
        "Stream has read 1,700 and dropped 7 as late. Batch has published nothing yet: every number is provisional, and \
         merged is 7 short.",
    );
    check(
        &state(with(12, lane(10_200, 8_000)), &[Fact::Started]),
        "Batch covers 8,000 of 10,200 records; the stream adds the newest 2,200. The stream dropped 12 late records: \
         merged is 12 short until the next batch run. Now press X.",
    );
    let published = [Fact::BatchPublished { cut: 8_000, fingerprint: "f".into(), late_counted: 31 }];
    let said = |left, ticks_ago| {
        let mut state = state(with(left, lane(8_340, 8_000)), &published);
        state.facts[0].tick = Tick(state.tick().0 - ticks_ago);
        narrate(&state).plain()
    };
    let why =
        "The batch view overrides: what the stream leaves out is missing only until the next batch run.";
    assert_eq!(
        said(0, 600),
        format!(
            "Batch up to 8,000 counts the 31 late records: the error is gone. Merged has all 8,340 page views of the full \
             recount. {why}"
        )
    );
    assert_eq!(
        said(2, 1),
        format!(
            "Batch up to 8,000 counts 31 late records: the error falls from 33 to 2. Merged is 2 short, by what the \
             stream dropped after record 8,000. {why}"
        )
    );
    assert!(said(2, 601).starts_with("Batch covers 8,000 of 8,340 records"), "{}", said(2, 601));
    let lost = LaneFrame { merged_totals: views(8_000), ..with(2, lane(8_340, 8_000)) };
    let mut state = state(lost, &published);
    state.facts[0].tick = state.tick();
    assert_eq!(
        narrate(&state).plain(),
        format!("Batch up to 8,000 counts the 31 late records that the stream had dropped. {why}"),
        "what else is wrong is not called late"
    );
}

#[test]
fn a_replay_with_late_records_is_right_without_them() {
    let mut fact = replay(14_000, 14_734, 14_700, 14_734, 15_430, true);
    if let Fact::ReplayFinished { late_missing, .. } = &mut fact {
        *late_missing = 34;
    }
    let text = narrate(&state(lane(14_734, 12_000), &[fact])).plain();
    let expected = "Total 14,700 = full recount 14,734 without 34 late records. Same bytes";
    assert!(text.contains(expected), "{text}");
    // Of what was read again, four records were dropped as late again.
    assert!(
        text.starts_with("734 records were read twice; 730 of them count, and were counted once."),
        "{text}"
    );
    assert!(text.ends_with("Counting every read would give 15,430 (+730)."), "{text}");
}

#[test]
fn a_load_that_was_stopped_says_how_much_of_the_log_there_is() {
    let mut stopped = state(LaneFrame { log_records: 12_000, ..LaneFrame::default() }, &[]);
    let loading = Loading { records: 12_000, complete: true, cancelled: true, ..Loading::default() };
    stopped.frame = Some(Arc::new(Frame {
        lanes: vec![Arc::new(LaneFrame { log_records: 12_000, ..LaneFrame::default() })],
        loading,
        ..Frame::default()
    }));
    assert!(narrate(&stopped).rest.starts_with("Loading was stopped: the log is its first 12,000 records"));
}
