use proptest::prelude::*;

use super::*;
use crate::{
    domain::{DayRule, Ids, Lateness, Record, StreamOptions, StreamRules, Uniques},
    processing::{
        BatchProcessor, RangeFold, StreamProcessor,
        test_support::{any_log, names, rules},
    },
    serving::lambda_tests::{HOUR, late_by_definition, vector, with_times},
};

fn reading(ids: Ids) -> Reading {
    Reading { ids, ..Reading::as_loaded(rules()) }
}

/// Ids used or not, days that close or not, users in sets or in sketches.
fn any_reading() -> impl Strategy<Value = Reading> {
    let ids = prop_oneof![Just(Ids::Used), Just(Ids::Ignored)];
    let lateness = prop_oneof![
        2 => Just(Lateness::Unbounded),
        3 => (0_u64..40).prop_map(|hours| Lateness::Within(hours * HOUR.unsigned_abs())),
    ];
    let uniques = prop_oneof![3 => Just(Uniques::Set), 1 => Just(Uniques::Hll)];
    (ids, lateness, 1_u64..80, uniques).prop_map(|(ids, lateness, idle_after_records, uniques)| Reading {
        options: StreamOptions { lateness, idle_after_records, uniques },
        ..reading(ids)
    })
}

fn stream_rules(reading: &Reading) -> StreamRules {
    reading.stream_rules(&DayRule::Utc)
}

fn at(number: u32) -> VersionNumber {
    VersionNumber(number)
}

/// A processor beside its version: memory, the newest checkpoint, whether it is up.
struct Processor {
    number: VersionNumber,
    reading: Reading,
    /// Where partitions end: known before anything is read.
    end: Offsets,
    memory: Option<StreamProcessor>,
    checkpoint: StreamState,
    /// Records that the view holds: below it nothing is handed out.
    served: u64,
}

impl Processor {
    fn new(number: VersionNumber, reading: Reading, end: Offsets) -> Processor {
        let checkpoint = StreamState::new(2);
        let mut processor = Processor { number, reading, end, memory: None, checkpoint, served: 0 };
        processor.start();
        processor
    }

    fn start(&mut self) {
        let mut memory = StreamProcessor::new(stream_rules(&self.reading), self.checkpoint.clone());
        memory.ends_at(self.end.clone());
        self.memory = Some(memory);
    }

    fn read(&mut self, kappa: &mut Kappa, log: &[Record], records: usize) {
        let Some(memory) = &mut self.memory else { return };
        let from = usize::try_from(memory.state().position.total()).unwrap();
        for record in log.iter().skip(from).take(records) {
            memory.apply_named(&self.reading.of(record), &names().1);
        }
        let position = memory.state().position.total();
        if position >= self.served {
            self.served = position;
            kappa.replace(self.number, memory.state().clone());
            kappa.set_health(self.number, Health::Reading);
        }
    }

    fn crash(&mut self, kappa: &mut Kappa) {
        self.memory = None;
        kappa.set_health(self.number, Health::Down);
    }

    fn restore(&mut self, kappa: &mut Kappa) {
        if self.memory.is_none() {
            self.start();
            kappa.set_health(self.number, Health::Rereading);
        }
    }

    fn save(&mut self) {
        if let Some(memory) = &self.memory {
            self.checkpoint = memory.state().clone();
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Arrive(usize),
    Read(usize, usize),
    Crash(usize),
    Restore(usize),
    Save(usize),
    StartNext(Reading),
    Switch,
    RollBack,
    Delete(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_usize..9).prop_map(Step::Arrive),
        9 => (0_usize..2, 1_usize..9).prop_map(|(which, records)| Step::Read(which, records)),
        1 => (0_usize..2).prop_map(Step::Crash),
        2 => (0_usize..2).prop_map(Step::Restore),
        2 => (0_usize..2).prop_map(Step::Save),
        2 => any_reading().prop_map(Step::StartNext),
        3 => Just(Step::Switch),
        2 => Just(Step::RollBack),
        1 => (0_usize..2).prop_map(Step::Delete),
    ]
}

/// What a reader of `kappa` may see: the fold of a prefix under the settings of the version that serves, without the
/// records that are late by definition. `whole` is the log, `log` what has arrived of it.
fn check(kappa: &Kappa, whole: &[Record], log: &[Record], seen: &Offsets) -> Result<(), TestCaseError> {
    let (keys, users) = names();
    let serving = kappa.serving().unwrap();
    prop_assert!(seen.is_at_most(serving.position()), "a record that was seen is missing");
    for version in kappa.versions() {
        // The batch fold over the same records under the same settings.
        let mut batch = BatchProcessor::new(version.reading().rules, version.position().clone());
        for record in log {
            batch.apply(&version.reading().of(record));
        }
        let batch = batch.publish().unwrap();
        let view = version.view();
        let rules = stream_rules(version.reading());
        let read: Vec<Record> = whole.iter().map(|record| version.reading().of(record)).collect();
        let late = late_by_definition(&read, &rules);
        let mut listed = 0;
        for record in log {
            let counted = view.effect(record.partition.index(), record.offset);
            let in_batch =
                batch.effects.get(record.partition.index()).map_or(0, |runs| runs.count(record.offset));
            let is_late = late.contains(&(record.partition.0, record.offset));
            prop_assert_eq!(counted, if is_late { 0 } else { in_batch }, "counted other than once");
            let is_listed = version.late().contains(record.partition, record.offset);
            prop_assert_eq!(
                is_listed,
                is_late && in_batch > 0,
                "listed and not late, or the other way round"
            );
            listed += u64::from(is_listed);
        }
        prop_assert_eq!(version.late().total(), listed);
        let mut fold = RangeFold::of_stream(&rules, Offsets::start(2), version.late().clone());
        let below = |record: &&Record| version.position().contains(record.partition, record.offset);
        log.iter().filter(below).for_each(|record| fold.apply_named(&version.reading().of(record), &users));
        let expected = fold.finish().0.fingerprint(&keys, &users);
        prop_assert_eq!(view.fingerprint(&keys, &users), expected);
        if !version.reading().options.is_approximate() {
            prop_assert_eq!(expected, batch.view.fingerprint(&keys, &users));
        }
    }
    Ok(())
}

fn version_at<'a>(kappa: &Kappa, processors: &'a mut [Processor], which: usize) -> Option<&'a mut Processor> {
    let number = kappa.versions().nth(which)?.number();
    processors.iter_mut().find(|one| one.number == number)
}

proptest! {
    /// Under live arrivals and whatever happens in whatever order: no reader sees a missing or a doubled record, and every
    /// view is the batch view of the records that it holds.
    #[test]
    fn no_reader_sees_a_missing_or_doubled_record(
        log in any_log(2, 70),
        first_reading in any_reading(),
        steps in proptest::collection::vec(any_step(), 1..120),
    ) {
        let log = with_times(log);
        let mut kappa = Kappa::new(2);
        let first = kappa.start_first(first_reading.clone()).unwrap();
        let mut processors = vec![Processor::new(first, first_reading, vector(&log))];
        let (mut arrived, mut seen) = (0, Offsets::start(2));
        for step in steps {
            let before = kappa.serving().unwrap().number();
            match step {
                Step::Arrive(records) => arrived = (arrived + records).min(log.len()),
                Step::Read(which, records) => {
                    let there = &log[..arrived];
                    if let Some(one) = version_at(&kappa, &mut processors, which) {
                        one.read(&mut kappa, there, records);
                    }
                }
                Step::Crash(which) => {
                    if let Some(one) = version_at(&kappa, &mut processors, which) {
                        one.crash(&mut kappa);
                    }
                }
                Step::Restore(which) => {
                    if let Some(one) = version_at(&kappa, &mut processors, which) {
                        one.restore(&mut kappa);
                    }
                }
                Step::Save(which) => {
                    version_at(&kappa, &mut processors, which).map(Processor::save);
                }
                Step::StartNext(reading) => {
                    if let Ok(number) = kappa.start_next(reading.clone()) {
                        processors.push(Processor::new(number, reading, vector(&log)));
                    }
                }
                Step::Switch | Step::RollBack => {
                    let open = kappa.gate().is_ok();
                    let done = if matches!(step, Step::Switch) { kappa.switch() } else { kappa.roll_back() };
                    prop_assert!(done.is_err() || open);
                    prop_assert_eq!(done.is_ok(), kappa.serving().unwrap().number() != before);
                }
                Step::Delete(which) => {
                    let number = kappa.versions().nth(which).map_or(at(0), Version::number);
                    let deleted = kappa.delete(number);
                    prop_assert_eq!(deleted.is_ok(), which == 1 && number != at(0));
                }
            }
            check(&kappa, &log, &log[..arrived], &seen)?;
            seen = kappa.serving().unwrap().position().clone();
        }
    }
}

/// A version whose view stands at `position` with nothing in it.
fn stand(kappa: &mut Kappa, number: u32, position: &[u64]) {
    let position = Offsets::from_vec(position.to_vec());
    kappa.replace(at(number), StreamState { position, ..StreamState::new(2) });
}

#[test]
fn every_step_that_is_not_allowed_is_refused_in_words() {
    let mut kappa = Kappa::new(2);
    let reading = || reading(Ids::Used);
    assert_eq!(kappa.start_next(reading()), Err(Refusal::NotStarted));
    assert_eq!(kappa.switch(), Err(Refusal::NotStarted));
    kappa.start_first(reading()).unwrap();
    assert_eq!(kappa.start_first(reading()), Err(Refusal::Started(at(1))));
    assert_eq!(kappa.switch(), Err(Refusal::NothingNext));
    assert_eq!(kappa.roll_back(), Err(Refusal::NothingOld));
    stand(&mut kappa, 1, &[7, 4]);
    kappa.start_next(reading()).unwrap();
    assert_eq!(
        kappa.start_next(reading()).unwrap_err().to_string(),
        "versions 1 and 2 are there: delete the one that does not serve first"
    );
    // As many records, and not the same ones: a count is no position.
    stand(&mut kappa, 2, &[4, 7]);
    assert_eq!(
        kappa.switch().unwrap_err().to_string(),
        "readers change over only where both views hold the same records: version 1 stands at 7 + 4 and version 2 at 4 + 7"
    );
    stand(&mut kappa, 2, &[7, 4]);
    kappa.set_health(at(2), Health::Down);
    assert_eq!(kappa.switch(), Err(Refusal::Gate(Closed::Down(at(2)))));
    kappa.set_health(at(2), Health::Rereading);
    assert_eq!(kappa.switch(), Err(Refusal::Gate(Closed::Rereading(at(2)))));
    kappa.set_health(at(2), Health::Reading);
    assert_eq!(kappa.roll_back(), Err(Refusal::NothingOld));
    assert_eq!(kappa.delete(at(1)).unwrap_err(), Refusal::Serves(at(1)));
    assert_eq!(kappa.switch(), Ok(Changeover { from: at(1), to: at(2) }));
}

#[test]
fn the_way_back_stays_open_until_the_old_view_goes_which_comes_last() {
    let mut kappa = Kappa::new(2);
    kappa.start_first(reading(Ids::Used)).unwrap();
    kappa.start_next(reading(Ids::Ignored)).unwrap();
    kappa.switch().unwrap();
    assert_eq!(kappa.delete(at(2)).unwrap_err(), Refusal::Serves(at(2)));
    assert_eq!(kappa.roll_back(), Ok(Changeover { from: at(2), to: at(1) }));
    assert_eq!(kappa.other().map(|(role, version)| (role, version.number())), Some((Role::Next, at(2))));
    kappa.switch().unwrap();
    stand(&mut kappa, 2, &[1, 0]);
    assert!(matches!(kappa.roll_back(), Err(Refusal::Gate(Closed::Apart { .. }))));
    assert_eq!(kappa.delete(at(1)).unwrap().number(), at(1));
    assert_eq!(
        (kappa.delete(at(1)).unwrap_err(), kappa.roll_back()),
        (Refusal::Unknown(at(1)), Err(Refusal::NothingOld))
    );
    assert_eq!(kappa.start_next(reading(Ids::Used)), Ok(at(3)));
}
