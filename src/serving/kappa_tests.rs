use proptest::prelude::*;

use super::*;
use crate::{
    domain::{Ids, Record},
    processing::{
        BatchProcessor, StreamProcessor,
        test_support::{any_log, names, rules},
    },
};

fn reading(ids: Ids) -> Reading {
    Reading { ids, ..Reading::as_loaded(rules()) }
}

fn at(number: u32) -> VersionNumber {
    VersionNumber(number)
}

/// A processor beside its version: memory, the newest checkpoint, whether it is up.
struct Processor {
    number: VersionNumber,
    reading: Reading,
    memory: Option<StreamProcessor>,
    checkpoint: StreamState,
    /// Records that the view holds: below it nothing is handed out.
    served: u64,
}

impl Processor {
    fn new(number: VersionNumber, reading: Reading) -> Processor {
        let state = StreamState::new(2);
        let memory = Some(StreamProcessor::new(reading.rules, state.clone()));
        Processor { number, reading, memory, checkpoint: state, served: 0 }
    }

    fn read(&mut self, kappa: &mut Kappa, log: &[Record], records: usize) {
        let Some(memory) = &mut self.memory else { return };
        let from = usize::try_from(memory.state().position.total()).unwrap();
        for record in log.iter().skip(from).take(records) {
            memory.apply(&self.reading.of(record));
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
            self.memory = Some(StreamProcessor::new(self.reading.rules, self.checkpoint.clone()));
            kappa.set_health(self.number, Health::Rereading);
        }
    }

    fn save(&mut self) {
        if let Some(memory) = &self.memory {
            self.checkpoint = memory.state().clone();
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Arrive(usize),
    Read(usize, usize),
    Crash(usize),
    Restore(usize),
    Save(usize),
    StartNext(bool),
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
        2 => any::<bool>().prop_map(Step::StartNext),
        3 => Just(Step::Switch),
        2 => Just(Step::RollBack),
        1 => (0_usize..2).prop_map(Step::Delete),
    ]
}

/// What a reader of `kappa` may see: the fold of a prefix under the settings of the version that serves.
fn check(kappa: &Kappa, log: &[Record], seen: &Offsets) -> Result<(), TestCaseError> {
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
        prop_assert_eq!(view.fingerprint(&keys, &users), batch.view.fingerprint(&keys, &users));
        for record in log {
            let counted = view.effect(record.partition.index(), record.offset);
            let expected =
                batch.effects.get(record.partition.index()).map_or(0, |runs| runs.count(record.offset));
            prop_assert_eq!(counted, expected, "counted other than once");
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
        steps in proptest::collection::vec(any_step(), 1..120),
    ) {
        let mut kappa = Kappa::new(2);
        let first = kappa.start_first(reading(Ids::Used)).unwrap();
        let mut processors = vec![Processor::new(first, reading(Ids::Used))];
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
                Step::StartNext(used) => {
                    let reading = reading(if used { Ids::Used } else { Ids::Ignored });
                    if let Ok(number) = kappa.start_next(reading.clone()) {
                        processors.push(Processor::new(number, reading));
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
            check(&kappa, &log[..arrived], &seen)?;
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
