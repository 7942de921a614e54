//! Random fault plans from seeds, played with every invariant checked after every tick.
//!
//! A seed decides everything: the log, the settings, who crashes when and where, which checkpoint is restored, when the disk
//! fails or loses what was not synced. A failing seed is a command to repeat.

mod kappa;

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use self::kappa::{KappaPlan, Promises, VersionDisks, picture_problem};
use super::{
    difference_answers::unexplained,
    driver::Driver,
    frame::{LaneFrame, Proof},
    lane::{Lane, OpenDisk, Ticked},
    play::lane_plan,
    protocol::{CheckpointId, CrashTarget, CrashWhen, LaneCommand},
    read_model::ReadModel,
    rng::RandomStream,
    scenario::{Expectations, LogReference, RunSettings, SCENARIO_VERSION, Scenario},
};
use crate::{
    checkpoint::{
        CrashPoint, DiskFault, DiskFaultEffect, FaultAt, FaultyDisk, GuaranteeId, MemoryDisk, SharedDisk,
    },
    domain::{IDLE_AFTER_RECORDS, Lateness, Run, Uniques},
    ingest::{LogIndex, Mapping},
};

/// Files of the log that a seed plays over: (relative path, content).
pub fn log_files(seed: u64) -> Vec<(String, String)> {
    let mut draws = RandomStream::new(seed, "log");
    let partitions = 1 + draws.below(3);
    let mut files = Vec::new();
    for partition in 0..partitions {
        for segment in 0..=draws.below(2) {
            let mut text = String::new();
            let mut time = 1_700_000_000 + draws.below(86_400);
            for _ in 0..draws.below(90) {
                // Mostly forwards, some late by up to two days.
                time += draws.below(3_000);
                let at = if draws.chance(8) { time - draws.below(172_800) } else { time };
                line(&mut draws, at, &mut text);
            }
            files.push((format!("p{partition}/{segment}.jsonl"), text));
        }
    }
    // A log needs one good record for its fields to be there.
    files.push((
        "p0/9.jsonl".to_owned(),
        "{\"page\":\"end\",\"user\":\"u0\",\"time\":1700000000}\n".to_owned(),
    ));
    files
}

fn line(draws: &mut RandomStream, time: u64, text: &mut String) {
    // Writing to a string cannot fail.
    let _infallible = match draws.below(100) {
        0..3 => writeln!(text, "not a record"),
        3..8 => writeln!(text, "{{\"page\":\"p{}\",\"time\":{time}}}", draws.below(6)),
        _ => writeln!(
            text,
            "{{\"page\":\"p{}\",\"user\":\"u{}\",\"time\":{time},\"id\":\"{}\"}}",
            draws.below(6),
            draws.below(12),
            draws.below(400)
        ),
    };
}

/// How the records of [`log_files`] are read: with ids, so that duplicates occur.
pub fn mapping_options() -> [(&'static str, &'static str); 4] {
    [("page", "page"), ("user", "user"), ("time", "time"), ("id", "id")]
}

fn settings(seed: u64) -> RunSettings {
    let mut draws = RandomStream::new(seed, "settings");
    let rate = 20 + draws.below(400);
    RunSettings {
        seed,
        rate,
        stream_capacity: rate / 2 + 1 + draws.below(rate * 2),
        batch_capacity: rate * (1 + draws.below(20)),
        batch_every_records: draws.below(120),
        checkpoint_every_records: draws.below(60),
        micro_batch_records: 1 + draws.below(12),
        retain: 2 + draws.below(3),
        // One in eight plays the listing as printed, which promises little and has to come to its end all the same.
        guarantee: if draws.chance(12) { GuaranteeId::Textbook } else { GuaranteeId::default() },
        ..approximations(seed)
    }
}

/// One run in three drops late records, one in four counts users by sketches.
fn approximations(seed: u64) -> RunSettings {
    let mut draws = RandomStream::new(seed, "approximations");
    let hours = draws.below(30);
    RunSettings {
        lateness: if draws.chance(33) {
            Lateness::Within(hours * 3_600_000_000_000)
        } else {
            Lateness::Unbounded
        },
        idle_after_records: if draws.chance(50) { 5 + draws.below(60) } else { IDLE_AFTER_RECORDS },
        uniques: if draws.chance(25) { Uniques::Hll } else { Uniques::Set },
        ..RunSettings::for_log(1)
    }
}

/// A disk in memory whose processors meet faults: writes that fail or tear, and (with the crash of a processor) the
/// loss of everything that was not synced.
fn faulty_disk(seed: u64, name: &str) -> (OpenDisk, SharedDisk) {
    let shared = SharedDisk::new(MemoryDisk::new());
    let draws = Mutex::new(RandomStream::new(seed, name));
    let opened = AtomicU64::new(0);
    let disk = shared.clone();
    let open: OpenDisk = Box::new(move || {
        let mut draws = draws.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The first incarnation starts on a sound disk, and half of the others.
        let plan = if opened.fetch_add(1, Ordering::Relaxed) > 0 && draws.chance(50) {
            let effect = match draws.below(2) {
                0 => DiskFaultEffect::Fail(std::io::ErrorKind::StorageFull),
                _ => DiskFaultEffect::Tear(usize::try_from(draws.below(40)).unwrap_or(0)),
            };
            vec![DiskFault { at: FaultAt::NthChange(draws.below(200)), effect }]
        } else {
            Vec::new()
        };
        Ok(Box::new(FaultyDisk::new(disk.clone(), plan)))
    });
    (open, shared)
}

/// What came of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The run fingerprint.
    pub digest: String,
    /// Crashes of the stream processor.
    pub crashes: u64,
    /// Crashes of versions of the Kappa lane.
    pub version_crashes: u64,
    /// How often its readers changed over, or back.
    pub changeovers: u64,
    /// The first thing that does not hold.
    pub failure: Option<String>,
    /// The journal, for a failing seed.
    pub journal: String,
}

/// A picture is drawn every so many ticks.
const FRAME_TICKS: u64 = 32;

/// Views are compared by their causes every so many ticks.
const COMPARED_TICKS: u64 = 512;

/// Ticks after which a run that cannot end is called a failure of liveness.
const MOST_TICKS: u64 = 60_000;

/// Plays a seed over its loaded log.
pub fn simulate(seed: u64, index: &Arc<LogIndex>, mapping: &Mapping, driver: Driver) -> Outcome {
    let scenario = scenario_of(seed, mapping);
    let (disk, shared) = faulty_disk(seed, "disk");
    let version_disks = VersionDisks::default();
    let mut plan = lane_plan(&scenario, mapping, driver, disk);
    plan.version_disk = version_disks.open(seed);
    let promises = Promises::of(scenario.settings.guarantee);
    let mut lane = Lane::new(plan, Arc::clone(index));
    let mut kappa = KappaPlan::new(seed, version_disks);
    let mut draws = RandomStream::new(seed, "commands");
    let mut model = ReadModel::default();
    let mut failure = None;
    let mut crashes = 0;
    while failure.is_none() && lane.tick() == Ticked::On {
        lane.check_everything();
        if lane.tick_now().0.is_multiple_of(FRAME_TICKS) {
            let frame = model.frame(&mut lane);
            failure = frame_problem(&frame);
            if failure.is_none() && lane.tick_now().0.is_multiple_of(COMPARED_TICKS) {
                failure = unexplained(&lane).or_else(|| picture_problem(&mut lane, &model, promises));
            }
        }
        failure = failure.or_else(|| kappa.seen_problem(&lane));
        if failure.is_some() {
            break;
        }
        failure =
            lane.first_broken().map(|(id, example)| format!("tick {}: {id}: {example}", lane.tick_now().0));
        if lane.stream_crashes() > crashes {
            crashes = lane.stream_crashes();
            // The machine went down with the processor: what was not synced is gone.
            if draws.chance(30) {
                shared.power_failure();
            }
        }
        if let Some(command) = next_command(&mut draws, &lane) {
            lane.command(command);
        }
        if let Some(command) = kappa.next_command(&lane) {
            lane.command(command);
        }
        if lane.tick_now().0 > MOST_TICKS {
            failure = Some("the run does not come to its end".to_owned());
        }
    }
    let failure = failure.or_else(|| end_problem(&lane, promises));
    let result = lane.kappa_result();
    let journal = if failure.is_some() { lane.journal().lines().to_owned() } else { String::new() };
    Outcome {
        digest: lane.journal().digest(),
        crashes: lane.stream_crashes(),
        version_crashes: result.crashes,
        changeovers: lane.changeovers(),
        failure,
        journal,
    }
}

fn scenario_of(seed: u64, mapping: &Mapping) -> Scenario {
    Scenario {
        rederive_scenario: SCENARIO_VERSION,
        name: format!("seed {seed}"),
        story: None,
        log: LogReference { path: String::new(), identity: None },
        mapping: Some(mapping.clone()),
        settings: settings(seed),
        commands: Vec::new(),
        faults: Vec::new(),
        pause_at: Vec::new(),
        until_tick: None,
        expect: Expectations::default(),
    }
}

/// What must not be at the end of a run.
fn end_problem(lane: &Lane, promises: Promises) -> Option<String> {
    let kappa = lane.kappa_result();
    let kappa_differs = kappa.serving.is_some() && !kappa.equals_batch;
    let problem = if !lane.merged_equals_recount() {
        "merged is not the full recount at the end"
    } else if lane.counted_more_than_once() > 0 {
        // The batch view overrides: at the end nothing is left of what a guarantee does not promise.
        "records count more than once at the end"
    } else if promises == Promises::ExactlyOnce && kappa_differs {
        "what readers of the Kappa lane see is not the batch view at the end"
    } else {
        return None;
    };
    Some(problem.to_owned())
}

/// What a proof strip must never show.
fn strip_problem(proof: &Proof) -> Option<String> {
    let ordered = |runs: &[Run]| {
        runs.windows(2).all(|pair| matches!(pair, [a, b] if a.end <= b.start))
            && runs.iter().all(|run| proof.from <= run.start && run.end <= proof.to)
    };
    if proof.from > proof.to
        || ![&proof.read, &proof.counted, &proof.every_read].into_iter().all(|it| ordered(it))
    {
        return Some(format!("the proof strip is out of order: {proof:?}"));
    }
    None
}

/// What a picture of a lane must never show, whatever happened.
fn frame_problem(frame: &LaneFrame) -> Option<String> {
    if let Some(problem) = strip_problem(&frame.proof) {
        return Some(problem);
    }
    for rows in [&frame.by_page, &frame.by_day] {
        let (merged, recount) =
            rows.iter().fold((0, 0), |sum, row| (sum.0 + row.merged.views, sum.1 + row.recount.views));
        if (merged, recount) != (frame.merged_totals.views, frame.recount_totals.views) {
            return Some(format!("groups have {merged} and {recount} page views, the totals differ"));
        }
    }
    None
}

fn next_command(draws: &mut RandomStream, lane: &Lane) -> Option<LaneCommand> {
    if lane.is_down() {
        // A batch run can start and publish while the stream is down, with any cut.
        match draws.below(200) {
            0 => return Some(LaneCommand::BatchAt(draws.below(lane.log_records()))),
            1 => return Some(LaneCommand::BatchNow),
            2 => return Some(LaneCommand::Crash { target: CrashTarget::Batch, when: CrashWhen::Now }),
            _ => {}
        }
        // Liveness: sooner or later somebody restores it, from any checkpoint that is there or from the start.
        let pick = draws.below(300);
        let checkpoints = lane.checkpoint_ids();
        return match pick {
            0..6 => Some(LaneCommand::Restore(None)),
            6..10 => {
                let any = usize::try_from(draws.below(checkpoints.len() as u64)).unwrap_or(0);
                checkpoints.get(any).map(|&id| LaneCommand::Restore(Some(CheckpointId(id))))
            }
            10 => Some(LaneCommand::RestoreFromStart),
            _ => None,
        };
    }
    let records = lane.log_records();
    let target = match draws.below(4) {
        0 => CrashTarget::Batch,
        1 => CrashTarget::Both,
        _ => CrashTarget::Stream,
    };
    match draws.below(400) {
        // The longer a run lasts the fewer crashes: it has to come to its end.
        // A second crash before the first replay is over: positions, books and strip have to bear it.
        0..40 if lane.is_replaying() && lane.stream_crashes() < 12 => {
            Some(LaneCommand::Crash { target, when: CrashWhen::Now })
        }
        0..4 if lane.stream_crashes() < 12 => Some(LaneCommand::Crash { target, when: CrashWhen::Now }),
        4..8 if lane.stream_crashes() < 12 => {
            let point = usize::try_from(draws.below(6)).unwrap_or(0);
            let point = CrashPoint::ALL.get(point).copied().unwrap_or_default();
            let when = CrashWhen::At { point, record: draws.below(records) };
            Some(LaneCommand::Crash { target, when })
        }
        8..10 => Some(LaneCommand::Checkpoint),
        10 => Some(LaneCommand::BatchNow),
        11..13 => Some(LaneCommand::BatchAt(draws.below(records))),
        13 => Some(LaneCommand::SetRate(10 + draws.below(600))),
        _ => None,
    }
}
