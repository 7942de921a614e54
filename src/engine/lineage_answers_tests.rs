use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{Day, KeyId, Lateness, ZoneName},
    engine::{
        driver::Driver,
        lane::Lane,
        play::{OpenScenario, lane_plan, memory_disk, open_log},
        protocol::{Duplicates, KappaCommand, LaneCommand, NoUser, VersionSettings},
    },
    serving::{Lambda, Numbers},
};

const HOUR: u64 = 3_600_000_000_000;

/// A record: page, user (0: none), hour, id.
type Line = (u8, u8, u8, u8);

fn any_line() -> impl Strategy<Value = Line> {
    (0_u8..3, 0_u8..6, 0_u8..96, 0_u8..20)
}

fn text_of(lines: &[Line]) -> String {
    let mut text = String::new();
    for &(page, user, hour, id) in lines {
        let user = if user == 0 { String::new() } else { format!(",\"user\":\"u{user}\"") };
        let (day, hour) = (10 + hour / 24, hour % 24);
        let time = format!("2024-01-{day}T{hour:02}:10:00Z");
        writeln!(text, "{{\"page\":\"/p{page}\",\"time\":\"{time}\",\"id\":\"{id}\"{user}}}").unwrap();
    }
    text
}

fn open(text: &str) -> (tempfile::TempDir, OpenScenario) {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    std::fs::create_dir_all(log.join("one")).unwrap();
    std::fs::write(log.join("one/a.jsonl"), text).unwrap();
    let options = [("page", "page"), ("user", "user"), ("time", "time"), ("id", "id")];
    let mut open = open_log(&log, &options.map(|(a, b)| (a.to_owned(), b.to_owned()))).unwrap();
    let settings = &mut open.scenario.settings;
    (settings.rate, settings.stream_capacity, settings.batch_capacity) = (60, 90, 200);
    (settings.micro_batch_records, settings.checkpoint_every_records) = (3, 20);
    (settings.batch_every_records, settings.lateness) = (9, Lateness::Within(20 * HOUR));
    (directory, open)
}

fn lane_over(open: &OpenScenario) -> Lane {
    let plan = lane_plan(&open.scenario, &open.mapping, Driver::Inline, memory_disk());
    let mut lane = Lane::new(plan, Arc::clone(&open.index));
    lane.command(LaneCommand::Kappa(KappaCommand::Start));
    lane
}

/// What the engine itself shows of a view.
fn shown(lane: &Lane, view: BookView) -> &Lambda {
    match view {
        BookView::Version(number) => lane.kappa.as_ref().unwrap().kappa.version(number).unwrap().view(),
        _ => &lane.lambda,
    }
}

fn numbers_shown(books: &LaneBooks, view: &Lambda, page: Option<&str>, day: Option<Day>) -> Numbers {
    let key = page.map(|page| KeyId(books.index.keys().find(page).unwrap()));
    match (key, day) {
        (None, None) => view.merged_numbers(),
        (Some(key), None) => view.key_numbers(key).1,
        (None, Some(day)) => view.day_numbers(day).1,
        (Some(key), Some(day)) => {
            let merged = view.merged_view(books.index.users());
            let row = merged.row(Cell { key, day }).unwrap();
            Numbers { views: row.views, users: row.unique_users(), sum: row.sum }
        }
    }
}

fn of_record(books: &LaneBooks, record: u64) -> RecordNumbers {
    match numbers(books, record) {
        Answer::Numbers(numbers) => *numbers,
        other => panic!("{other:?}"),
    }
}

fn in_view(books: &LaneBooks, record: u64, view: BookView) -> TouchedView {
    of_record(books, record).views.into_iter().find(|touched| touched.view == view).unwrap()
}

/// Number -> records -> numbers, in a view: exactly the records behind a number name it among theirs, as it is shown.
fn pairs(lane: &Lane, view: BookView) -> Result<(), TestCaseError> {
    let books = LaneBooks::of(lane);
    let all: Vec<TouchedView> = (0..books.index.len()).map(|record| in_view(&books, record, view)).collect();
    let mut named: BTreeMap<(Option<String>, Option<Day>), BTreeSet<u64>> = BTreeMap::new();
    for (record, touched) in (0..).zip(&all) {
        prop_assert_eq!(touched.numbers.len(), if touched.numbers.is_empty() { 0 } else { 4 });
        for number in &touched.numbers {
            named.entry((number.page.clone(), number.day)).or_default().insert(record);
            let is = numbers_shown(&books, shown(lane, view), number.page.as_deref(), number.day);
            prop_assert_eq!(&number.totals, &Totals::from(is), "{:?}: {:?}", view, number);
        }
    }
    for ((page, day), records) in named {
        let number = NumberOf { page: page.clone(), day, within: None };
        let Answer::Listed(listed) = listed(&books, &Listing::Behind(view, number), 0, 1_000) else {
            panic!("no list")
        };
        let found: BTreeSet<u64> = listed.records.iter().map(|record| record.number).collect();
        prop_assert_eq!(&found, &records, "{:?}: {:?} {:?}", view, page, day);
        let is = numbers_shown(&books, shown(lane, view), page.as_deref(), day);
        prop_assert_eq!(listed.views, is.views);
    }
    let Answer::Fates(fates) = fates(&books) else { panic!("no fates") };
    let of_view = fates.into_iter().find(|fates| fates.view == view).unwrap();
    for (fate, count) in of_view.fates {
        let records = all.iter().filter(|touched| touched.fate == fate).count() as u64;
        prop_assert_eq!(records, count, "{:?} in {:?}", fate, view);
    }
    Ok(())
}

fn counted(lane: &Lane) -> [u64; 2] {
    let books = LaneBooks::of(lane);
    [1, 2].map(|number| books.counts(BookView::Version(VersionNumber(number))).counted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Of merged and of two versions of other days, ids, users, lateness; with users in sets and in sketches.
    #[test]
    fn records_and_numbers_of_versions_are_an_inverse_pair(
        lines in proptest::collection::vec(any_line(), 0..30),
        started in 0_u64..40,
        later in 0_u64..60,
        hours in 0_u64..30,
        counting in (any::<bool>(), any::<bool>()),
    ) {
        let uniques = |is_sketched: bool| if is_sketched { Uniques::Hll } else { Uniques::Set };
        // At least one counts.
        let lines: Vec<Line> = std::iter::once((0, 1, 0, 99)).chain(lines).collect();
        let (_directory, mut open) = open(&text_of(&lines));
        open.scenario.settings.uniques = uniques(counting.0);
        let mut lane = lane_over(&open);
        // Before the run is done.
        for _ in 0..started % lines.len() as u64 {
            lane.tick();
        }
        lane.command(LaneCommand::Kappa(KappaCommand::StartVersion(VersionSettings {
            zone: ZoneName::parse("Asia/Tokyo").ok(),
            duplicates: Some(Duplicates::Count),
            no_user: Some(NoUser::Count),
            lateness: Some(Lateness::Within(hours * HOUR)),
            uniques: Some(uniques(counting.1)),
            ..VersionSettings::default()
        })));
        for _ in 0..later {
            lane.tick();
        }
        let views = [BookView::Merged, BookView::Version(VersionNumber(1)), BookView::Version(VersionNumber(2))];
        // On the way, and where all that is there has been read.
        for view in views {
            pairs(&lane, view)?;
        }
        while !lane.is_stuck() {
            lane.tick();
        }
        for view in views {
            pairs(&lane, view)?;
        }
        prop_assert!(counted(&lane)[0] > 0);
    }
}

/// Where users are counted by sketches, the numbers of a record are the estimates that its view shows.
#[test]
fn estimated_users_are_those_that_the_view_shows() {
    const RECORDS: u64 = 400;
    let text = |at| {
        format!("{{\"page\":\"/p\",\"time\":\"2024-01-10T09:00:00Z\",\"user\":\"u{at}\",\"id\":\"{at}\"}}\n")
    };
    let (_directory, mut open) = open(&(0..RECORDS).map(text).collect::<String>());
    let settings = &mut open.scenario.settings;
    (settings.uniques, settings.batch_every_records) = (Uniques::Hll, 150);
    (settings.rate, settings.stream_capacity, settings.batch_capacity) = (400, 800, 800);
    let mut lane = lane_over(&open);
    while lane.stream_position() < RECORDS {
        lane.tick();
    }
    let books = LaneBooks::of(&lane);
    for view in [BookView::Merged, BookView::Version(VersionNumber(1))] {
        for record in [0, 77, 200, 333] {
            let touched = in_view(&books, record, view);
            assert_eq!((touched.uniques, touched.numbers.len()), (Uniques::Hll, 4));
            for number in &touched.numbers {
                let is = numbers_shown(&books, shown(&lane, view), number.page.as_deref(), number.day);
                assert_eq!(number.totals, Totals::from(is), "{view:?}: {number:?}");
                assert_eq!(number.totals.views, RECORDS);
                assert_ne!(number.totals.users, RECORDS, "an estimate that is not exact");
            }
        }
    }
    let batch = in_view(&books, 0, BookView::Batch);
    assert_eq!(
        (batch.uniques, batch.numbers[3].totals.users),
        (Uniques::Set, lane.lambda.batch_numbers().users)
    );
}

/// A day in another zone, a fate of its own: version by version.
#[test]
fn the_numbers_of_a_record_are_said_of_every_version() {
    // Late in the evening of day 10, then the same id again two days later.
    let (_directory, open) = open(&text_of(&[(0, 1, 23, 7), (1, 2, 47, 8), (0, 3, 47, 7)]));
    let mut lane = lane_over(&open);
    lane.command(LaneCommand::Kappa(KappaCommand::StartVersion(VersionSettings {
        zone: ZoneName::parse("Asia/Tokyo").ok(),
        duplicates: Some(Duplicates::Count),
        ..VersionSettings::default()
    })));
    while !lane.is_stuck() {
        lane.tick();
    }
    let books = LaneBooks::of(&lane);
    let said = |record| -> Vec<(BookView, Fate, String, Option<u32>, usize)> {
        let versions =
            of_record(&books, record).views.into_iter().filter(|touched| touched.view.is_version());
        versions
            .map(|one| (one.view, one.fate, one.day.unwrap().to_string(), one.reads, one.numbers.len()))
            .collect()
    };
    let [first, second] = [1, 2].map(|number| BookView::Version(VersionNumber(number)));
    assert_eq!(
        said(0),
        [
            (first, Fate::Counted, "2024-01-10".to_owned(), Some(1), 4),
            (second, Fate::Counted, "2024-01-11".to_owned(), Some(1), 4)
        ]
    );
    assert_eq!(
        said(2),
        [
            (first, Fate::Duplicate, "2024-01-11".to_owned(), Some(1), 0),
            (second, Fate::Counted, "2024-01-12".to_owned(), Some(1), 4)
        ]
    );
}
