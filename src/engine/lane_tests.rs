//! Workers that fail or panic, forged checkpoints, batch runs that disagree: what a lane says and how it goes on.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    driver::Driver,
    jobs::BatchJob,
    lane::{Lane, OpenDisk, Ticked},
    play::{OpenScenario, memory_disk},
    protocol::{CrashTarget, CrashWhen, Fact, LaneCommand},
    test_support::{lane, lane_on, opened, until},
};
use crate::{
    checkpoint::{
        Disk, DiskFault, DiskFaultEffect, DiskOperation, DiskStats, FaultAt, FaultyDisk, MemoryDisk,
        SharedDisk, decode_checkpoint, encode_checkpoint, list_checkpoints,
    },
    domain::{NameTable, Names, Offsets, Record, Value},
    ingest::{IndexSource, LogError, RecordSource},
    processing::BatchProcessor,
};

const CRASH: LaneCommand = LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now };
const DRIVERS: [Driver; 2] = [Driver::Inline, Driver::Threads];

fn clicks() -> OpenScenario {
    let mut open = opened("clicks");
    open.scenario.settings.checkpoint_every_records = 5;
    open
}

/// To the end, which is right; the run's digest.
fn ends_right(lane: &mut Lane) -> String {
    while lane.tick() == Ticked::On {}
    assert!(lane.is_finished() && lane.merged_equals_recount());
    assert_eq!((lane.first_broken(), lane.counted_more_than_once()), (None, 0));
    lane.final_digest().unwrap()
}

/// `first` the first time, the disk itself after that.
fn first_time<D: Disk + 'static>(
    disk: SharedDisk,
    first: impl Fn(SharedDisk) -> D + Send + 'static,
) -> OpenDisk {
    let opened = AtomicU64::new(0);
    Box::new(move || {
        Ok(match opened.fetch_add(1, Ordering::Relaxed) {
            0 => Box::new(first(disk.clone())),
            _ => Box::new(disk.clone()),
        })
    })
}

/// Panics at its 12th append, as a bug of the program would.
#[derive(Debug)]
struct PanickingDisk(SharedDisk, u64);

impl Disk for PanickingDisk {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.0.list()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.0.read(name)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.write(name, bytes)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.1 += 1;
        assert!(self.1 < 12, "on purpose");
        self.0.append(name, bytes)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.0.truncate(name, length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.0.sync(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.0.sync_directory()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn stats(&self) -> DiskStats {
        self.0.stats()
    }
}

/// The stream processor goes down by itself, the lane says why, a restore puts it right.
fn goes_down_and_is_restored(disk: &dyn Fn() -> OpenDisk, why: &str) {
    let digests = DRIVERS.map(|driver| {
        let mut lane = lane_on(&clicks(), driver, disk());
        until(&mut lane, "it is down", Lane::is_down);
        assert!(!lane.stream.slot.is_running() && lane.stream.memory.views == 0);
        let troubles = lane.take_troubles();
        assert!(
            matches!(&troubles[..], [("run the stream processor", told)] if told.contains(why)),
            "{troubles:?}"
        );
        let before = lane.stream_position();
        assert!(before >= 5, "a checkpoint is there: {before}");
        assert!(lane.command(LaneCommand::Restore(None)));
        assert!(lane.stream.slot.is_running() && lane.stream_position() >= 5);
        let digest = ends_right(&mut lane);
        assert_eq!(lane.take_troubles(), []);
        digest
    });
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_stream_processor_whose_disk_fails_is_dropped_and_can_be_restored() {
    let fault = DiskFault {
        at: FaultAt::Nth(DiskOperation::Append, 12),
        effect: DiskFaultEffect::Fail(io::ErrorKind::StorageFull),
    };
    let disk =
        || first_time(SharedDisk::new(MemoryDisk::new()), move |disk| FaultyDisk::new(disk, vec![fault]));
    goes_down_and_is_restored(&disk, "checkpoint directory");
}

#[test]
fn a_stream_processor_that_panics_is_dropped_and_can_be_restored() {
    let disk = || first_time(SharedDisk::new(MemoryDisk::new()), |disk| PanickingDisk(disk, 0));
    goes_down_and_is_restored(&disk, "it panicked");
}

/// A source that fails, or panics, at its first read.
struct BrokenSource {
    source: IndexSource,
    panics: bool,
}

impl RecordSource for BrokenSource {
    fn partitions(&self) -> &[String] {
        self.source.partitions()
    }

    fn position(&self) -> &Offsets {
        self.source.position()
    }

    fn seek(&mut self, position: &Offsets) -> Result<(), LogError> {
        self.source.seek(position)
    }

    fn read(&mut self, _: usize, _: &mut Vec<Record>) -> Result<usize, LogError> {
        assert!(!self.panics, "on purpose");
        Err(LogError::NoSegments("nowhere".into()))
    }

    fn keys(&self) -> &dyn NameTable {
        self.source.keys()
    }

    fn users(&self) -> &dyn NameTable {
        self.source.users()
    }
}

#[test]
fn a_batch_run_that_fails_or_panics_publishes_nothing_and_is_run_again() {
    for (panics, why) in [(false, "nowhere"), (true, "it panicked")] {
        let digests = DRIVERS.map(|driver| {
            let mut lane = lane_on(&clicks(), driver, memory_disk());
            until(&mut lane, "a batch run", |lane| lane.batch.slot.is_running());
            let cut = lane.batch.cut;
            let source = BrokenSource { source: IndexSource::new(Arc::clone(&lane.index)), panics };
            let processor = BatchProcessor::new(lane.plan.rules, lane.vector(cut));
            lane.batch.slot.start(BatchJob::over(Box::new(source), processor), driver).unwrap();
            lane.take_facts();
            until(&mut lane, "its end", |lane| lane.batch.rerun.is_some());
            assert!(!lane.batch.slot.is_running() && lane.batch.covers == 0);
            let troubles = lane.take_troubles();
            assert!(
                matches!(&troubles[..], [("finish the batch run", told)] if told.contains(why)),
                "{troubles:?}"
            );
            assert!(
                matches!(&lane.take_facts()[..], [.., (_, Fact::BatchCrashed { cut: at, .. })] if *at == cut)
            );
            until(&mut lane, "the publication", |lane| lane.batch.runs == 1);
            assert_eq!(lane.batch.covers, cut);
            ends_right(&mut lane)
        });
        assert_eq!(digests[0], digests[1]);
    }
}

/// Counts one view too many in a cell of the newest checkpoint, and writes it back with good sums.
fn forge(disk: &mut SharedDisk) {
    let name = list_checkpoints(disk).unwrap().swap_remove(0).name;
    let mut checkpoint = decode_checkpoint(&disk.read(&name).unwrap().unwrap()).unwrap();
    let [keys, users] = [&checkpoint.keys, &checkpoint.users].map(|texts| {
        let mut names = Names::new();
        for text in texts {
            names.intern(text);
        }
        names
    });
    let view = &mut checkpoint.state.buckets.last_mut().unwrap().view;
    let cell = view.rows()[0].cell;
    view.add(cell, None, Value::ONE);
    let bytes = encode_checkpoint(checkpoint.id, &checkpoint.state, &checkpoint.stamp, &keys, &users);
    disk.write(&name, &bytes).unwrap();
}

fn broken(lane: &mut Lane) -> Vec<(&'static str, String)> {
    let facts = lane.take_facts().into_iter();
    let broken = facts.filter_map(|(_, fact)| match fact {
        Fact::InvariantBroken { id, counterexample } => Some((id, counterexample)),
        _ => None,
    });
    broken.collect()
}

#[test]
fn a_restored_state_that_is_not_that_of_a_run_that_never_crashed_is_told_once() {
    let mut disk = SharedDisk::new(MemoryDisk::new());
    let mut open = clicks();
    open.scenario.settings.batch_every_records = 0;
    let opened = disk.clone();
    let mut lane = lane_on(&open, Driver::Inline, Box::new(move || Ok(Box::new(opened.clone()))));
    for position in [12, 13] {
        until(&mut lane, "the crash", |lane| lane.stream_position() == position);
        assert_eq!(lane.first_broken().is_some(), position == 13);
        lane.command(CRASH);
        if position == 12 {
            forge(&mut disk);
        }
        lane.command(LaneCommand::Restore(None));
        until(&mut lane, "it has read again", |lane| {
            lane.stream_position() == position && !lane.is_replaying()
        });
    }
    let broken = broken(&mut lane);
    let of = |wanted: &str| broken.iter().filter(|(id, _)| *id == wanted).collect::<Vec<_>>();
    assert_eq!(of("I4").len(), 1, "{broken:?}");
    assert!(of("I4")[0].1.contains("at record 12"), "{broken:?}");
    assert_eq!(of("I3").len(), 1, "merged is wrong too: {broken:?}");
}

#[test]
fn batch_runs_of_two_playings_that_disagree_are_told_once() {
    let open = clicks();
    let mut first = lane(&open);
    until(&mut first, "a publication", |lane| lane.batch.runs == 1);
    let mut known = first.invariants.publications().clone();
    let cut = first.batch.covers;
    assert_eq!(known.len(), 1);

    let mut again = lane(&open);
    again.invariants.know(known.clone());
    ends_right(&mut again);
    assert_eq!(broken(&mut again), []);

    let other = known.get_mut(&cut).unwrap();
    other.0 = other.0.wrapping_add(1);
    let mut wrong = lane(&open);
    wrong.invariants.know(known);
    while wrong.tick() == Ticked::On {}
    let told = broken(&mut wrong);
    assert!(matches!(&told[..], [("I1", why)] if why.contains(&format!("over {cut} records"))), "{told:?}");
}
