use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    checkpoint::GuaranteeId,
    domain::{Offsets, ZoneName},
    engine::{
        driver::Driver,
        lineage_answers::listed,
        play::{OpenScenario, lane_plan, memory_disk, open_log},
        protocol::{
            CrashTarget, CrashWhen, Duplicates, KappaCommand, LaneCommand, Listing, NoUser, NumberOf,
            VersionSettings,
        },
    },
    serving::{MergeFold, Merged, MergedUsers, VersionNumber},
};

const VERSIONS: Pair =
    Pair { first: BookView::Version(VersionNumber(1)), second: BookView::Version(VersionNumber(2)) };

/// What a record is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    /// Both versions count it alike.
    Plain,
    /// Its id was seen before: version 2 counts it too.
    SeenBefore,
    /// Without a user: version 2 counts it too.
    NoUser,
    /// Late in the evening: the next day for version 2.
    Evening,
    /// Ten days late: version 2 drops it.
    Late,
}

impl Planted {
    fn line(self, at: usize) -> String {
        let time = match self {
            Planted::Plain | Planted::SeenBefore | Planted::NoUser => "2024-01-10T09:00:00Z",
            Planted::Evening => "2024-01-10T23:30:00Z",
            Planted::Late => "2024-01-01T09:00:00Z",
        };
        let id = if self == Planted::SeenBefore { 0 } else { at };
        let user = if self == Planted::NoUser { String::new() } else { format!(",\"user\":\"u{}\"", at % 5) };
        format!("{{\"page\":\"/p{}\",\"time\":\"{time}\",\"id\":\"{id}\"{user}}}\n", at % 3)
    }
}

/// By cause, records and page views of version 1 minus version 2.
type Parts = BTreeMap<Cause, (u64, i64)>;

/// What was planted, read up to these records.
fn expected(planted: &[Planted], [first, second]: [u64; 2]) -> Parts {
    let mut parts = Parts::new();
    for (at, planted) in (0..).zip(planted) {
        let counts = [
            at < first && matches!(planted, Planted::Plain | Planted::Evening | Planted::Late),
            at < second && *planted != Planted::Late,
        ];
        let (cause, views) = match (counts, planted) {
            ([true, true], Planted::Evening) => (Cause::OtherDayZone, 0),
            ([true, false], _) => (if at < second { Cause::Late } else { Cause::NotYetRead }, 1),
            ([false, true], _) if at >= first => (Cause::NotYetRead, -1),
            ([false, true], Planted::SeenBefore) => (Cause::DuplicateId, -1),
            ([false, true], _) => (Cause::NoUser, -1),
            _ => continue,
        };
        let part = parts.entry(cause).or_default();
        *part = (part.0 + 1, part.1 + views);
    }
    parts
}

fn open(planted: &[Planted]) -> (tempfile::TempDir, OpenScenario) {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    std::fs::create_dir_all(log.join("one")).unwrap();
    let lines: String = planted.iter().enumerate().map(|(at, planted)| planted.line(at)).collect();
    std::fs::write(log.join("one/a.jsonl"), lines).unwrap();
    let options = [("page", "page"), ("user", "user"), ("time", "time"), ("id", "id")];
    let mut open = open_log(&log, &options.map(|(a, b)| (a.to_owned(), b.to_owned()))).unwrap();
    let settings = &mut open.scenario.settings;
    (settings.rate, settings.stream_capacity, settings.batch_capacity) = (60, 90, 200);
    (settings.micro_batch_records, settings.checkpoint_every_records) = (3, 20);
    (directory, open)
}

/// All that is said of the two versions now is what was planted, and every cause lists its records.
fn compare(lane: &Lane, planted: &[Planted]) -> Result<(), TestCaseError> {
    let books = LaneBooks::of(lane);
    let positions = VERSIONS.views().map(|view| books.reach(view));
    let comparison = Comparison::of(lane, VERSIONS);
    let Compared { run, cells, days } = comparison.compare().unwrap();
    let found: Parts = run.parts.iter().map(|part| (part.cause, (part.records, part.views))).collect();
    let found_views = found.iter().filter(|(_, part)| **part != (0, 0)).map(|(a, b)| (*a, *b)).collect();
    let planted = expected(planted, positions);
    prop_assert_eq!(&planted, &found_views, "at {:?}", positions);
    for group in std::iter::once(&run).chain(&cells).chain(&days) {
        let views: i64 = group.parts.iter().map(|part| part.views).sum();
        let users: i64 = group.parts.iter().map(|part| part.users).sum();
        prop_assert_eq!(views, group.first.views.cast_signed() - group.second.views.cast_signed());
        prop_assert_eq!(users, group.first.users.cast_signed() - group.second.users.cast_signed());
        prop_assert!(group.parts.iter().all(|part| part.cause != Cause::Unexplained), "{group:?}");
    }
    for groups in [&cells, &days] {
        let by: i64 = groups.iter().flat_map(|group| &group.parts).map(|part| part.views).sum();
        let run: i64 = run.parts.iter().map(|part| part.views).sum();
        prop_assert_eq!(by, run);
    }
    for (cause, (records, _)) in planted {
        let listing = Listing::Differing(VERSIONS, Some(cause), NumberOf::default());
        let Answer::Listed(listed) = listed(&books, &listing, 0, 1_000) else { panic!("no list") };
        prop_assert_eq!(listed.total, records, "{:?}", cause);
        let has_place = |line: u64, number| line == number + 1;
        prop_assert!(
            listed.records.iter().all(|one| has_place(one.line, one.number) && one.file == "one/a.jsonl")
        );
        prop_assert!(listed.records.iter().all(|one| one.fate.starts_with("1: ")));
    }
    for (view, counts) in VERSIONS.views().into_iter().zip(VERSIONS.views().map(|view| books.counts(view))) {
        prop_assert_eq!(counts.records(), books.reach(view));
        let listing = Listing::Behind(view, NumberOf::default());
        let Answer::Listed(listed) = listed(&books, &listing, 0, 1) else { panic!("no list") };
        prop_assert_eq!((listed.total, listed.views), (counts.counted, counts.counted));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Zone, duplicates, missing users, late records and what is not read yet come out exactly, at every moment.
    #[test]
    fn planted_differences_of_two_versions_come_out_exactly(
        early in proptest::collection::vec(0_u8..3, 0..40),
        evening in 0_usize..12,
        late in 0_usize..12,
        started in 0_u64..60,
    ) {
        let mut planted = vec![Planted::Plain];
        planted.extend(early.into_iter().map(|kind| match kind {
            0 => Planted::Plain,
            1 => Planted::SeenBefore,
            _ => Planted::NoUser,
        }));
        planted.extend(std::iter::repeat_n(Planted::Evening, evening));
        planted.extend(std::iter::repeat_n(Planted::Late, late));
        let (_directory, open) = open(&planted);
        let plan = lane_plan(&open.scenario, &open.mapping, Driver::Inline, memory_disk());
        let mut lane = Lane::new(plan, Arc::clone(&open.index));
        lane.command(LaneCommand::Kappa(KappaCommand::Start));
        // Before the run is done.
        for _ in 0..started % planted.len() as u64 {
            lane.tick();
        }
        let settings = VersionSettings {
            zone: Some(ZoneName::parse("Asia/Tokyo").unwrap()),
            duplicates: Some(Duplicates::Count),
            no_user: Some(NoUser::Count),
            lateness: Some(crate::domain::Lateness::Within(3_600_000_000_000)),
            ..VersionSettings::default()
        };
        lane.command(LaneCommand::Kappa(KappaCommand::StartVersion(settings)));
        while !lane.is_stuck() {
            compare(&lane, &planted)?;
            for _ in 0..7 {
                lane.tick();
            }
        }
        compare(&lane, &planted)?;
        prop_assert_eq!(unexplained(&lane), None);
    }
}

#[test]
fn a_version_that_is_not_there_is_said_to_be_missing() {
    let (_directory, open) = open(&[Planted::Plain]);
    let plan = lane_plan(&open.scenario, &open.mapping, Driver::Inline, memory_disk());
    let mut lane = Lane::new(plan, Arc::clone(&open.index));
    lane.command(LaneCommand::Kappa(KappaCommand::Start));
    let why = Comparison::of(&lane, VERSIONS).compare().err();
    assert_eq!(why.as_deref(), Some("version 2 is not there"));
    let listing = Listing::Behind(VERSIONS.second, NumberOf::default());
    let answer = listed(&LaneBooks::of(&lane), &listing, 0, 1);
    assert_eq!(answer, Answer::Nothing("version 2 is not there".to_owned()));
}

/// A lane over `records` records of as many users, with a second version under these settings, after eight of twenty ticks.
fn with_version(
    records: usize,
    settings: VersionSettings,
    guarantee: GuaranteeId,
) -> (tempfile::TempDir, OpenScenario, Lane) {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    std::fs::create_dir_all(log.join("one")).unwrap();
    let written = |at: usize| {
        format!(
            "{{\"page\":\"/p{}\",\"time\":\"2024-01-10T09:00:00Z\",\"id\":\"{at}\",\"user\":\"u{at}\"}}\n",
            at % 3
        )
    };
    std::fs::write(log.join("one/a.jsonl"), (0..records).map(written).collect::<String>()).unwrap();
    let options = [("page", "page"), ("user", "user"), ("time", "time"), ("id", "id")];
    let mut open = open_log(&log, &options.map(|(a, b)| (a.to_owned(), b.to_owned()))).unwrap();
    let run = &mut open.scenario.settings;
    // Twenty ticks.
    let rate = records as u64 * 3;
    (run.rate, run.stream_capacity, run.micro_batch_records) = (rate, 2 * rate, 20);
    (run.batch_capacity, run.batch_every_records, run.checkpoint_every_records) = (1_000_000, 0, 500);
    (run.guarantee, run.uniques) = (guarantee, settings.uniques.unwrap_or_default());
    let mut lane = Lane::new(
        lane_plan(&open.scenario, &open.mapping, Driver::Inline, memory_disk()),
        Arc::clone(&open.index),
    );
    lane.command(LaneCommand::Kappa(KappaCommand::Start));
    for _ in 0..8 {
        lane.tick();
    }
    lane.command(LaneCommand::BatchAt(records as u64 / 10));
    assert!(
        lane.command(LaneCommand::Kappa(KappaCommand::StartVersion(settings))),
        "{:?}",
        lane.take_troubles()
    );
    (directory, open, lane)
}

/// What `rederive merge --uniques hll` counts: merged over the run and cell by cell, and speed over the run.
fn sketched(open: &OpenScenario, (cut, position): (&Offsets, &Offsets)) -> (Numbers, Vec<u64>, Numbers) {
    let start = SpeedStart::At(cut.clone());
    let boundary = Boundary { cut: cut.clone(), start, position: position.clone() };
    let index = &open.index;
    let mut fold = MergeFold::new(index.rules(), boundary);
    index.entries(0, index.len()).for_each(|entry| fold.apply(&entry.record));
    let merged = fold.finish();
    let rows = merged.rows(MergedUsers::Sketched, index.keys(), index.users());
    let rows = rows.iter().map(|row| row.unique_users).collect();
    let [run, speed] =
        [Merged::numbers, Merged::speed_numbers].map(|of| of(&merged, MergedUsers::Sketched, index.users()));
    (run, rows, speed)
}

#[test]
fn the_command_estimates_users_as_a_version_and_merged_with_sketches_do() {
    // Few users are registers in a list, many are all registers.
    for records in [40, 6_000] {
        let settings =
            VersionSettings { uniques: Some(crate::domain::Uniques::Hll), ..VersionSettings::default() };
        let (_directory, open, mut lane) = with_version(records, settings, GuaranteeId::default());
        let mut was_merged = false;
        while !lane.is_stuck() {
            lane.tick();
            for view in [BookView::Version(VersionNumber(2)), BookView::Merged, BookView::Speed] {
                let comparison = Comparison::of(&lane, Pair { first: view, second: BookView::Log });
                let books = &comparison.books;
                let is_version = matches!(view, BookView::Version(_));
                let range = if is_version { books.range(view) } else { books.hand_over() };
                let (run, cells, speed) = sketched(&open, range);
                let shown = comparison.shown(view);
                let [shown_run, shown_cells] = &*shown;
                let expected = if view == BookView::Speed { speed } else { run };
                assert_eq!(shown_run.get(&Scope::default()), Some(&expected), "{view:?} at {range:?}");
                if view != BookView::Speed {
                    let mut shown: Vec<_> = shown_cells.iter().collect();
                    shown.sort_by_key(|(scope, _)| open.index.keys().text(scope.key.unwrap().0));
                    assert_eq!(shown.iter().map(|(_, cell)| cell.users).collect::<Vec<_>>(), cells);
                }
                let cut = range.0.total();
                was_merged |= view == BookView::Merged && cut > 0 && run.users > cut;
                let command = comparison.command_of(view, "log", &open.mapping);
                assert!(command.ends_with(" --uniques hll"), "{command}");
            }
        }
        assert!(was_merged, "merged has exact users and sketches");
        let pair = Pair { first: BookView::Version(VersionNumber(2)), second: BookView::Log };
        let mut comparison = Comparison::of(&lane, pair);
        assert_eq!(comparison.command_of(BookView::Log, "log", &open.mapping).find("--uniques"), None);
        comparison.log = Some((open.log.clone(), open.mapping.clone()));
        let (sql, note) = comparison.sql();
        assert!(
            sql.unwrap().run.contains(
                "AS first_users_exact, count(DISTINCT usr) FILTER (WHERE in_second) AS second_users"
            )
        );
        assert_eq!(note, "The queries count users exactly, the views estimate them by sketches.");
    }
}

#[test]
fn there_is_no_query_for_what_no_file_tells() {
    let settings = VersionSettings::default();
    let (_directory, open, mut lane) = with_version(2_000, settings, GuaranteeId::Textbook);
    let sql = |lane: &Lane, first, second| {
        let mut comparison = Comparison::of(lane, Pair { first, second });
        assert_eq!(comparison.sql(), (None, "No SQL: no log is open.".to_owned()));
        comparison.log = Some((open.log.clone(), open.mapping.clone()));
        comparison.sql()
    };
    lane.tick();
    let (query, note) = sql(&lane, BookView::Memory, BookView::Recount);
    assert!(query.is_some() && note.is_empty(), "{note}");
    lane.command(LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now });
    while !lane.is_down() {
        lane.tick();
    }
    lane.command(LaneCommand::Restore(None));
    let refused = (0..9).find_map(|_| {
        lane.tick();
        let (query, note) = sql(&lane, BookView::Memory, BookView::Recount);
        query.is_none().then_some(note)
    });
    let note = refused.unwrap();
    assert!(note.starts_with("No SQL: memory counts "), "{note}");
    assert!(note.ends_with(" records twice or not at all against its rules, which no file tells."), "{note}");
    assert!(sql(&lane, BookView::Batch, BookView::Log).0.is_some());
}
