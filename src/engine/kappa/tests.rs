use std::sync::Arc;

use crate::{
    checkpoint::CrashPoint,
    domain::{Lateness, Uniques, ZoneName},
    engine::{
        driver::Driver,
        lane::{Lane, Ticked},
        play::{OpenScenario, lane_plan, memory_disk, open_log, open_scenario, play},
        protocol::{
            CheckpointId, CrashWhen, Duplicates, Fact, KappaCommand, KappaFact, LaneCommand, NoUser,
            VersionSettings,
        },
        read_model::ReadModel,
        rng::RandomStream,
        scenario::{Planned, When},
    },
    ingest::{LoadEvent, spawn_loader},
    serving::VersionNumber,
};

fn sample(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs").join(name)
}

/// A small log with everything that versions can differ in: days, ids, users.
fn small() -> (tempfile::TempDir, OpenScenario) {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    for (file, text) in crate::engine::simulate::log_files(7) {
        let path = log.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let options = crate::engine::simulate::mapping_options();
    let options: Vec<(String, String)> =
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut open = open_log(&log, &options).unwrap();
    let settings = &mut open.scenario.settings;
    (settings.rate, settings.stream_capacity, settings.batch_capacity) = (60, 90, 200);
    (settings.micro_batch_records, settings.checkpoint_every_records) = (3, 20);
    (directory, open)
}

fn lane(open: &OpenScenario, driver: Driver) -> Lane {
    Lane::new(lane_plan(&open.scenario, &open.mapping, driver, memory_disk()), Arc::clone(&open.index))
}

fn kappa(lane: &mut Lane, command: KappaCommand) -> bool {
    lane.command(LaneCommand::Kappa(command))
}

fn number(version: u32) -> VersionNumber {
    VersionNumber(version)
}

fn run(lane: &mut Lane, ticks: u64) {
    for _ in 0..ticks {
        lane.tick();
    }
}

/// What was refused since the last call.
fn refused(lane: &mut Lane) -> String {
    lane.take_troubles()
        .into_iter()
        .map(|(what, why)| format!("{what}: {why}"))
        .collect::<Vec<String>>()
        .join("; ")
}

fn facts(lane: &mut Lane) -> Vec<KappaFact> {
    let facts = lane.take_facts().into_iter();
    facts
        .filter_map(|(_, fact)| match fact {
            Fact::Kappa(fact) => Some(fact),
            _ => None,
        })
        .collect()
}

#[test]
fn the_shipped_scenario_holds_with_both_drivers() {
    let open = open_scenario(&sample("kappa-switch.json")).unwrap();
    let (inline, threads) = (play(&open, Driver::Inline, None), play(&open, Driver::Threads, None));
    assert_eq!(inline.failures, Vec::<String>::new());
    assert_eq!((&inline.digest, &inline.journal), (&threads.digest, &threads.journal));
    let switched: Vec<(u64, u64)> = inline
        .facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::Kappa(KappaFact::Switched { views_before, views_after, .. }) => {
                Some((*views_before, *views_after))
            }
            _ => None,
        })
        .collect();
    assert_eq!(switched.len(), 2);
    assert!(switched.iter().all(|(before, after)| before == after), "{switched:?}");
}

#[test]
fn a_lane_that_nobody_asked_for_leaves_no_trace() {
    let (_directory, open) = small();
    let mut alone = lane(&open, Driver::Inline);
    while alone.tick() == Ticked::On {}
    let mut asked = lane(&open, Driver::Inline);
    // Refused: nothing has been started, and nothing is.
    assert!(!kappa(&mut asked, KappaCommand::Switch));
    assert_eq!(refused(&mut asked), "switch: no version has been started");
    while asked.tick() == Ticked::On {}
    assert_eq!(alone.journal().digest(), asked.journal().digest());
    assert_eq!(alone.kappa_frame(&ReadModel::default()), None);
}

#[test]
fn settings_that_the_log_cannot_tell_are_refused() {
    let open = open_log(&sample("clicks"), &[]).unwrap();
    let mut lane = lane(&open, Driver::Inline);
    kappa(&mut lane, KappaCommand::Start);
    let settings = VersionSettings { duplicates: Some(Duplicates::Count), ..VersionSettings::default() };
    assert!(!kappa(&mut lane, KappaCommand::StartVersion(settings)));
    assert_eq!(
        refused(&mut lane),
        "start the next version: no id field is mapped: duplicates cannot be told"
    );
    let named = serde_json::from_str::<VersionSettings>("{\"zone\": \"as-written\"}");
    assert!(named.unwrap_err().to_string().contains("as-written"));
}

#[test]
fn the_run_stands_open_until_one_version_is_left() {
    let (_directory, open) = small();
    let mut lane = lane(&open, Driver::Inline);
    kappa(&mut lane, KappaCommand::Start);
    let settings = VersionSettings {
        zone: Some(ZoneName::parse("Asia/Tokyo").unwrap()),
        duplicates: Some(Duplicates::Count),
        no_user: Some(NoUser::Count),
        ..VersionSettings::default()
    };
    kappa(&mut lane, KappaCommand::StartVersion(settings));
    while !lane.is_stuck() {
        assert_eq!(lane.tick(), Ticked::On);
    }
    let frame = lane.kappa_frame(&ReadModel::default()).unwrap();
    let (serving, (_, other)) = (frame.serving.unwrap(), frame.other.unwrap());
    // Version 2 counts duplicates and records without a user too.
    assert!(other.totals.views > serving.totals.views);
    let (before, after) =
        frame.by_day.iter().fold((0, 0), |sum, day| (sum.0 + day.serving.views, sum.1 + day.other.views));
    assert_eq!((before, after), (serving.totals.views, other.totals.views));
    let found = lane.comparison().unwrap().differences();
    assert_eq!((found.first, found.second), (number(1), number(2)));
    assert_eq!((found.total.first, found.total.second), (serving.totals, other.totals));
    for day in found.days.iter().chain([&found.total]) {
        let views: i64 = day.causes.iter().map(|part| part.views).sum();
        let wanted = day.first.views.cast_signed() - day.second.views.cast_signed();
        assert_eq!(views, wanted, "{day:?}");
        assert!(day.causes.iter().all(|part| part.cause != "unexplained"), "{day:?}");
    }
    let causes: Vec<&str> = found.total.causes.iter().map(|part| part.cause).collect();
    assert_eq!(causes, ["duplicate-id", "other-day-zone", "no-user"]);
    assert!(kappa(&mut lane, KappaCommand::Switch), "{}", refused(&mut lane));
    assert!(lane.is_stuck() && lane.kappa_result().equals_batch);
    assert!(kappa(&mut lane, KappaCommand::Delete(number(1))));
    run(&mut lane, 1);
    assert!(lane.is_finished());
    assert_eq!(lane.first_broken(), None);
}

#[test]
fn every_crash_point_of_either_version_leaves_the_same_views() {
    let (_directory, open) = small();
    let outcome = |crash: Option<(u32, CrashPoint)>| {
        let mut lane = lane(&open, Driver::Inline);
        kappa(&mut lane, KappaCommand::Start);
        run(&mut lane, 40);
        let zone = Some(ZoneName::parse("Europe/Berlin").unwrap());
        kappa(&mut lane, KappaCommand::StartVersion(VersionSettings { zone, ..VersionSettings::default() }));
        if let Some((version, point)) = crash {
            let when = CrashWhen::At { point, record: 41 };
            kappa(&mut lane, KappaCommand::Crash { version: number(version), when });
        }
        for _ in 0..2_000 {
            lane.tick();
            for version in [1, 2] {
                if lane.kappa_result().crashes > 0 {
                    kappa(&mut lane, KappaCommand::Restore { version: number(version), checkpoint: None });
                }
            }
            if lane.is_stuck() {
                break;
            }
        }
        assert!(kappa(&mut lane, KappaCommand::Switch), "{}", refused(&mut lane));
        assert_eq!(lane.first_broken(), None);
        let frame = lane.kappa_frame(&ReadModel::default()).unwrap();
        let told = facts(&mut lane);
        let replays = told.iter().filter_map(|fact| match fact {
            KappaFact::ReplayFinished { same_as_never_crashed, .. } => Some(*same_as_never_crashed),
            _ => None,
        });
        assert_eq!(replays.collect::<Vec<bool>>(), vec![true; usize::from(crash.is_some())], "{crash:?}");
        let print = told.iter().find_map(|fact| match fact {
            KappaFact::Switched { fingerprint, .. } => Some(fingerprint.clone()),
            _ => None,
        });
        (print, frame.by_day)
    };
    let straight = outcome(None);
    for version in [1, 2] {
        for point in CrashPoint::ALL {
            assert_eq!(outcome(Some((version, point))), straight, "version {version} at {point}");
        }
    }
}

fn any_command(draws: &mut RandomStream) -> KappaCommand {
    let version = number(1 + u32::try_from(draws.below(4)).unwrap());
    match draws.below(10) {
        0 => KappaCommand::Start,
        1 => {
            let zone = ["UTC", "Europe/Berlin", "Asia/Tokyo"][usize::try_from(draws.below(3)).unwrap()];
            KappaCommand::StartVersion(VersionSettings {
                zone: ZoneName::parse(zone).ok(),
                duplicates: draws.chance(50).then_some(Duplicates::Count),
                no_user: draws.chance(50).then_some(NoUser::Count),
                lateness: draws.chance(50).then(|| Lateness::Within(draws.below(20) * 3_600_000_000_000)),
                idle_after_records: draws.chance(50).then(|| 1 + draws.below(60)),
                uniques: draws.chance(30).then_some(Uniques::Hll),
            })
        }
        2 | 3 => KappaCommand::Switch,
        4 => KappaCommand::RollBack,
        5 => KappaCommand::Delete(version),
        6 => KappaCommand::Crash { version, when: CrashWhen::Now },
        7 => {
            let point = CrashPoint::ALL[usize::try_from(draws.below(6)).unwrap()];
            KappaCommand::Crash { version, when: CrashWhen::At { point, record: draws.below(150) } }
        }
        8 if draws.chance(20) => KappaCommand::RestoreFromStart(version),
        8 => {
            let checkpoint = draws.chance(30).then(|| CheckpointId(1 + draws.below(6)));
            KappaCommand::Restore { version, checkpoint }
        }
        _ => KappaCommand::Checkpoint(version),
    }
}

/// Version 2 closes days and counts users by sketches; the difference names both, and nothing else.
#[test]
fn a_version_that_closes_days_lists_what_it_drops_and_the_comparison_says_so() {
    let open = open_scenario(&sample("late-events.json")).unwrap();
    let mut open = OpenScenario { scenario: open.scenario.clone(), ..open };
    open.scenario.settings.lateness = Lateness::Unbounded;
    open.scenario.commands.clear();
    let mut lane = lane(&open, Driver::Inline);
    kappa(&mut lane, KappaCommand::Start);
    let settings: VersionSettings =
        serde_json::from_str(r#"{"lateness": "1h", "idle_after_records": 5000, "uniques": "hll"}"#).unwrap();
    assert!(kappa(&mut lane, KappaCommand::StartVersion(settings)), "{}", refused(&mut lane));
    while !lane.is_stuck() {
        assert_eq!(lane.tick(), Ticked::On);
    }
    lane.check_everything();
    assert_eq!(lane.first_broken(), None);
    let frame = lane.kappa_frame(&ReadModel::default()).unwrap();
    let (serving, (_, other)) = (frame.serving.unwrap(), frame.other.unwrap());
    assert_eq!((serving.totals.views, serving.late), (31_106, 0));
    assert!(other.late > 100 && other.totals.views + other.late == 31_106, "{other:?}");
    let found = lane.comparison().unwrap().differences();
    for day in found.days.iter().chain([&found.total]) {
        let views: i64 = day.causes.iter().map(|part| part.views).sum();
        let users: i64 = day.causes.iter().map(|part| part.users).sum();
        assert_eq!(views, day.first.views.cast_signed() - day.second.views.cast_signed(), "{day:?}");
        assert_eq!(users, day.first.users.cast_signed() - day.second.users.cast_signed(), "{day:?}");
        assert!(day.causes.iter().all(|part| ["late", "sketch-error"].contains(&part.cause)), "{day:?}");
    }
    let dropped = found.total.causes.iter().find(|part| part.cause == "late").unwrap();
    assert_eq!((dropped.records, dropped.views), (other.late, other.late.cast_signed()));
    // Readers change over to fewer page views: that is what the new rules say, and it is not lost silently.
    assert!(kappa(&mut lane, KappaCommand::Switch), "{}", refused(&mut lane));
    let result = lane.kappa_result();
    assert!(result.equals_batch && result.late == other.late, "{result:?}");
}

/// What is not said is as the run reads it: a version of a run that closes days closes them as its stream does.
#[test]
fn a_version_of_a_run_that_closes_days_drops_what_the_stream_drops() {
    let open = open_scenario(&sample("late-events.json")).unwrap();
    let mut lane = lane(&open, Driver::Inline);
    kappa(&mut lane, KappaCommand::Start);
    let settings = VersionSettings { lateness: Some(Lateness::Unbounded), ..VersionSettings::default() };
    kappa(&mut lane, KappaCommand::StartVersion(settings));
    while !lane.is_stuck() {
        assert_eq!(lane.tick(), Ticked::On);
    }
    let frame = lane.kappa_frame(&ReadModel::default()).unwrap();
    let (serving, (_, other)) = (frame.serving.unwrap(), frame.other.unwrap());
    assert!(serving.late > 100, "{serving:?}");
    assert_eq!((serving.totals.views + serving.late, other.totals.views, other.late), (31_106, 31_106, 0));
    assert_eq!(lane.first_broken(), None);
}

#[test]
fn run_time_stands_until_the_log_is_loaded_where_a_version_closes_days() {
    let mut open = open_log(&sample("shop"), &[]).unwrap();
    let close = |hours: u64| VersionSettings {
        lateness: Some(Lateness::Within(hours * 3_600_000_000_000)),
        ..VersionSettings::default()
    };
    // The first version of the index, after 1,000 records.
    let (sender, versions) = std::sync::mpsc::channel();
    let publish = move |event| {
        if let LoadEvent::Progress(index) = event {
            sender.send(index).unwrap();
        }
    };
    let loader = spawn_loader(open.log.clone(), open.mapping.clone(), publish, Arc::default()).unwrap();
    loader.join().unwrap();
    let loading = versions.recv().unwrap();
    assert!(!loading.is_last());
    let at_start = |open: &OpenScenario| {
        let plan = lane_plan(&open.scenario, &open.mapping, Driver::Inline, memory_disk());
        Lane::new(plan, Arc::clone(&loading))
    };
    // Nothing closes days: run time flows while the log is loaded.
    assert_eq!(at_start(&open).tick(), Ticked::On);
    // By a command.
    let mut asked = at_start(&open);
    kappa(&mut asked, KappaCommand::Start);
    assert_eq!(asked.tick(), Ticked::On);
    kappa(&mut asked, KappaCommand::StartVersion(close(2)));
    assert_eq!(asked.tick(), Ticked::WaitsForLog);
    asked.set_index(Arc::clone(&open.index));
    assert_eq!(asked.tick(), Ticked::On);
    // By an earlier playing of the same run.
    let mut again = at_start(&open);
    again.repeat(&[(50, LaneCommand::Kappa(KappaCommand::StartVersion(close(2))))]);
    assert_eq!(again.tick(), Ticked::WaitsForLog);
    // By a plan.
    let command = LaneCommand::Kappa(KappaCommand::StartVersion(close(2)));
    open.scenario.commands.push(Planned { at: When::Tick(50), lane: 1, command });
    assert_eq!(at_start(&open).tick(), Ticked::WaitsForLog);
}

/// Random schedules over the real processors, disks and checkpoints: views never go back for a reader, every view is the
/// batch view of what it holds, and both drivers write the same journal.
#[test]
fn random_schedules_show_readers_nothing_missing_or_doubled() {
    let (_directory, open) = small();
    let mut changeovers = 0;
    for seed in 0..40 {
        let mut play = |driver| {
            let mut draws = RandomStream::new(seed, "kappa commands");
            let mut lane = lane(&open, driver);
            kappa(&mut lane, KappaCommand::Start);
            let mut seen = 0;
            for _ in 0..900 {
                lane.tick();
                if draws.chance(6) {
                    kappa(&mut lane, any_command(&mut draws));
                }
                lane.check_everything();
                let at = lane
                    .kappa_frame(&ReadModel::default())
                    .and_then(|frame| frame.serving)
                    .map_or(0, |one| one.view_position);
                assert!(at >= seen, "seed {seed}: a reader saw {seen} records, then {at}");
                seen = at;
                assert_eq!(lane.first_broken(), None, "seed {seed}");
            }
            assert!(lane.kappa_result().equals_batch, "seed {seed}");
            let told = facts(&mut lane).into_iter();
            let steps =
                told.filter(|fact| matches!(fact, KappaFact::Switched { .. } | KappaFact::RolledBack { .. }));
            changeovers += steps.count();
            (lane.journal().digest(), lane.kappa_result())
        };
        let inline = play(Driver::Inline);
        if seed % 10 == 0 {
            assert_eq!(play(Driver::Threads), inline, "seed {seed}");
        }
    }
    assert!(changeovers > 20, "readers changed over {changeovers} times only");
}
