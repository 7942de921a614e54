//! A run with a Kappa lane, killed and continued.

use rederive::{
    domain::{Lateness, ZoneName},
    engine::{
        frame::{Flow, VersionFrame},
        protocol::{
            Command, CrashWhen, Fact, KAPPA, KappaCommand, KappaFact, LaneCommand, Tick, Until,
            VersionNumber, VersionSettings,
        },
    },
};

use super::{Watched, copy_tree, sample};

fn kappa(watched: &Watched, command: KappaCommand) {
    watched.send(Command::Lane(KAPPA, LaneCommand::Kappa(command)));
}

fn run_to(watched: &mut Watched, tick: u64) {
    watched.send(Command::RunUntil(Until::Tick(Tick(tick))));
    watched.until("there", |w| w.frame.flow == Flow::Paused && w.frame.tick.0 >= tick);
}

/// Both versions as they stand: numbers, positions, views, late records.
fn standing(watched: &Watched) -> Vec<(VersionNumber, u64, u64, u64)> {
    let kappa = watched.frame.kappa.as_ref().unwrap();
    let stands = |one: &VersionFrame| (one.number, one.position, one.totals.views, one.late);
    kappa.versions().map(stands).collect()
}

#[test]
fn a_run_that_was_killed_while_version_2_caught_up_is_continued_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    let mut watched = Watched::open(Some(runs.clone()), sample("shop"));
    kappa(&watched, KappaCommand::Start);
    run_to(&mut watched, 6_000);
    let settings = VersionSettings {
        zone: ZoneName::parse("Europe/Berlin").ok(),
        lateness: Lateness::parse("2h").ok(),
        ..VersionSettings::default()
    };
    kappa(&watched, KappaCommand::StartVersion(settings));
    run_to(&mut watched, 6_060);
    let version = VersionNumber(2);
    kappa(&watched, KappaCommand::Crash { version, when: CrashWhen::Now });
    run_to(&mut watched, 6_080);
    kappa(&watched, KappaCommand::Restore { version, checkpoint: None });
    run_to(&mut watched, 6_120);
    // On its way: not at its start, and not there.
    let before = standing(&watched);
    assert!(before[1].1 > 1_500 && before[1].1 < before[0].1, "{before:?}");
    let name = std::fs::read_dir(&runs).unwrap().next().unwrap().unwrap().file_name();
    let copy = directory.path().join("copy");
    copy_tree(&runs, &copy);
    let mut again = Watched::start(Some(copy));
    again.send(Command::ContinueRun(name.to_string_lossy().into_owned()));
    again.until("continued", |w| w.frame.kappa.is_some() && w.frame.flow == Flow::Paused);
    assert!(again.frame.tick.0 >= 6_080, "{:?}", again.frame.tick);
    run_to(&mut again, 6_120);
    assert_eq!(standing(&again), before);
    let digests = [&mut watched, &mut again].map(|run| {
        run_to(run, 20_000);
        let kappa_frame = run.frame.kappa.clone().unwrap();
        assert_eq!(kappa_frame.closed, None);
        assert!(standing(run)[1].3 > 20, "late records: {:?}", standing(run));
        kappa(run, KappaCommand::Switch);
        kappa(run, KappaCommand::Delete(VersionNumber(1)));
        run.finish()
    });
    assert_eq!(digests[0], digests[1]);
    let replayed = |run: &Watched| {
        run.facts.iter().any(|fact| {
            matches!(fact, Fact::Kappa(KappaFact::ReplayFinished { same_as_never_crashed: true, .. }))
        })
    };
    assert!(replayed(&watched) && replayed(&again));
}
