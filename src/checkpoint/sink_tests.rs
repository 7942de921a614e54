use std::collections::BTreeMap;

use super::*;
use crate::{
    checkpoint::{DiskFault, DiskFaultEffect, DiskOperation, FaultAt, FaultyDisk, MemoryDisk, RealDisk},
    domain::{UserId, Value, View},
};
use proptest::prelude::*;

const PAGES: [&str; 4] = ["/a", "/b", "/\u{e9}", "/\u{1f600}"];

fn row(page: &str, day: i32, views: u64) -> SinkRow<'_> {
    SinkRow { page, day: Day(day), views, sum: -i128::from(views), unique_users: 1, users_hash: u128::MAX }
}

fn reopened(disk: &dyn Disk, sink: &Sink) -> Sink {
    let read = Sink::open(disk).unwrap();
    assert_eq!(read.rows(), sink.rows());
    assert_eq!((read.position(), read.records()), (sink.position(), sink.records()));
    assert_eq!((read.fingerprint(), read.live_bytes), (sink.fingerprint(), sink.live_bytes));
    read
}

proptest! {
    #[test]
    fn the_last_row_wins_and_any_truncation_leaves_whole_emissions(
        emissions in proptest::collection::vec(
            proptest::collection::vec((0_usize..4, -2_i32..2, any::<u64>()), 0..6), 1..8),
        cut in 0_usize..2000,
    ) {
        let (mut disk, mut sink) = (MemoryDisk::new(), Sink::default());
        let mut model: BTreeMap<(&str, Day), u64> = BTreeMap::new();
        let mut states = vec![(0, SinkPosition::default(), Fingerprint::default(), model.clone())];
        for (number, emission) in emissions.iter().enumerate() {
            let rows: Vec<SinkRow<'_>> = emission.iter().map(|&(p, d, v)| row(PAGES[p], d, v)).collect();
            sink.append(&mut disk, number as u64 + 1, &rows).unwrap();
            model.extend(rows.iter().map(|row| ((row.page, row.day), row.views)));
            states.push((sink.records(), sink.position(), sink.fingerprint(), model.clone()));
        }
        reopened(&disk, &sink);
        let file = disk.read(SINK_FILE).unwrap().unwrap();
        let cut = 22 + cut % (file.len() - 21);
        disk.truncate(SINK_FILE, cut as u64).unwrap();
        let read = Sink::open(&disk).unwrap();
        let kept = states.iter().rposition(|state| state.1.bytes <= cut as u64).unwrap();
        let rows: BTreeMap<_, _> = read.rows().iter().map(|row| ((row.page, row.day), row.views)).collect();
        prop_assert_eq!((read.records(), read.fingerprint(), &rows), (states[kept].0, states[kept].2, &states[kept].3));
        let canonical: Vec<_> = read.rows().iter().map(|row| (row.page, row.day)).collect();
        prop_assert_eq!(canonical, states[kept].3.keys().copied().collect::<Vec<_>>());
        for state in &states {
            prop_assert_eq!(read.contains(state.1), state.1.bytes <= read.position().bytes);
        }
        let mut read = read;
        read.append(&mut disk, 99, &[row("/new", 0, 1)]).unwrap();
        reopened(&disk, &read);
    }
}

#[test]
fn the_fingerprint_is_that_of_the_view() {
    let (mut keys, mut users, mut view) = (Names::new(), Names::new(), View::new());
    for (page, day, user) in [("/a", 1, "x"), ("/b", 1, "x"), ("/a", 1, "y"), ("/a", 2, "x"), ("/a", 1, "x")]
    {
        let cell = Cell { key: KeyId(keys.intern(page)), day: Day(day) };
        view.add(cell, Some(UserId(users.intern(user))), Value::ONE);
    }
    let (mut disk, mut sink) = (MemoryDisk::new(), Sink::default());
    sink.append(&mut disk, 1, &[row("/a", 1, 1), row("/b", 1, 7)]).unwrap();
    let rows: Vec<SinkRow<'_>> = view
        .rows()
        .iter()
        .map(|row| SinkRow {
            page: keys.text(row.cell.key.0),
            day: row.cell.day,
            views: row.views,
            sum: row.sum,
            unique_users: row.users.len() as u64,
            users_hash: row.users_hash(&users),
        })
        .collect();
    sink.append(&mut disk, 5, &rows).unwrap();
    assert_eq!(sink.fingerprint(), view.fingerprint(&keys, &users));
    assert_eq!(sink.row("/a", Day(1)).unwrap().views, 3);
    assert_eq!(sink.row("/a", Day(9)), None);
}

#[test]
fn every_flipped_byte_drops_its_emission_and_what_follows() {
    let (mut disk, mut sink) = (MemoryDisk::new(), Sink::default());
    sink.append(&mut disk, 5, &[row("/a", 0, 1)]).unwrap();
    let first = sink.position();
    sink.append(&mut disk, 10, &[row("/a", 0, 2), row("/b", 0, 3)]).unwrap();
    let sound = disk.read(SINK_FILE).unwrap().unwrap();
    for at in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x10;
        disk.write(SINK_FILE, &damaged).unwrap();
        let read = Sink::open(&disk).unwrap();
        let expected = if at < 22 { 0 } else { u64::from(at as u64 >= first.bytes) * 5 };
        assert_eq!(read.records(), expected, "byte {at}");
        assert!(!read.contains(sink.position()) && read.dropped_bytes() > 0, "byte {at}");
    }
}

#[test]
fn a_torn_append_is_cut_off_by_the_next_one() {
    for length in 0..30 {
        let at = FaultAt::Nth(DiskOperation::Append, 1);
        let plan = vec![DiskFault { at, effect: DiskFaultEffect::Tear(length) }];
        let mut disk = FaultyDisk::new(MemoryDisk::new(), plan);
        let mut sink = Sink::open(&disk).unwrap();
        sink.append(&mut disk, 5, &[row("/a", 0, 1)]).unwrap();
        sink.append(&mut disk, 10, &[row("/a", 0, 2)]).unwrap_err();
        assert_eq!(Sink::open(&disk).unwrap().records(), 5);
        sink.append(&mut disk, 10, &[row("/a", 0, 2)]).unwrap();
        assert_eq!(reopened(&disk, &sink).dropped_bytes(), 0);
    }
}

#[test]
fn a_power_failure_takes_what_was_not_synced_and_the_rest_is_contained() {
    let (mut disk, mut sink) = (MemoryDisk::new(), Sink::default());
    sink.sync(&mut disk).unwrap();
    assert!(sink.contains(SinkPosition::default()));
    sink.append(&mut disk, 5, &[row("/a", 0, 1)]).unwrap();
    sink.sync(&mut disk).unwrap();
    let synced = sink.position();
    sink.append(&mut disk, 10, &[row("/a", 0, 2)]).unwrap();
    disk.power_failure();
    let read = Sink::open(&disk).unwrap();
    assert_eq!((read.position(), read.records()), (synced, 5));
    assert!(read.contains(synced) && !read.contains(sink.position()));
}

#[test]
fn an_outgrown_file_is_compacted_and_older_positions_stay_contained() {
    let (mut disk, mut sink) = (MemoryDisk::new(), Sink::default());
    let page = "/".repeat(8000);
    let mut n = 0;
    while sink.position().bytes <= COMPACT_ABOVE_BYTES {
        assert!(!sink.compact(&mut disk).unwrap());
        n += 1;
        sink.append(&mut disk, n, &[row(&page, 0, n), row("/b", 1, n)]).unwrap();
    }
    let (before, position) = (sink.clone(), sink.position());
    let original = disk.clone();
    assert!(sink.compact(&mut disk).unwrap());
    assert!(!sink.compact(&mut disk).unwrap());
    assert_eq!((sink.rows(), sink.records()), (before.rows(), n));
    assert!(sink.position().epoch == 2 && sink.position().bytes < 9000 && sink.contains(position));
    sink.append(&mut disk, n + 1, &[row("/c", 0, 1)]).unwrap();
    reopened(&disk, &sink);
    for change in 0..4 {
        let effect = DiskFaultEffect::Tear(100);
        let plan = vec![DiskFault { at: FaultAt::NthChange(change), effect }];
        let mut faulty = FaultyDisk::new(original.clone(), plan);
        let mut sink = before.clone();
        sink.compact(&mut faulty).unwrap_err();
        let read = Sink::open(&faulty).unwrap();
        assert_eq!((read.rows(), read.records()), (before.rows(), n), "killed at change {change}");
        // A failure that the process survives.
        sink.append(&mut faulty, n + 1, &[row("/c", 0, 1)]).unwrap();
        assert_eq!(reopened(&faulty, &sink).dropped_bytes(), 0);
    }
}

#[test]
fn a_lost_file_is_rebuilt_in_a_later_epoch() {
    let (mut disk, mut sink) = (MemoryDisk::new(), Sink::default());
    sink.append(&mut disk, 5, &[row("/a", 0, 1), row("/b", 0, 1)]).unwrap();
    let saved = sink.position();
    disk.remove(SINK_FILE).unwrap();
    let mut sink = Sink::open(&disk).unwrap();
    assert!(!sink.contains(saved));
    sink.rebuild(&mut disk, &[row("/a", 0, 1)], 5, saved).unwrap();
    assert!(sink.contains(saved) && sink.position().epoch == 2);
    disk.power_failure();
    assert_eq!(reopened(&disk, &sink).len(), 1);
    sink.rebuild(&mut disk, &[], 3, saved).unwrap();
    assert_eq!(reopened(&disk, &sink).records(), 3);
}

#[test]
fn a_newer_version_is_refused_and_not_overwritten() {
    let mut header = sink_file::encode_header(1, SinkSums::Hidden);
    header[8] = 9;
    let crc = crc32fast::hash(&header[..19]);
    header[19..].copy_from_slice(&crc.to_le_bytes());
    let mut disk = MemoryDisk::new();
    disk.write(SINK_FILE, &header).unwrap();
    assert_eq!(Sink::open(&disk).unwrap_err().to_string(), "unknown version of sink.log: 9");
}

#[test]
fn a_real_directory_is_read_while_its_writer_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut disk = RealDisk::open(directory.path()).unwrap();
    let mut sink = Sink::open(&disk).unwrap();
    sink.append(&mut disk, 5, &[row("/a", 0, 1)]).unwrap();
    sink.rebuild(&mut disk, &[row("/a", 0, 2)], 6, sink.position()).unwrap();
    sink.append(&mut disk, 7, &[row("/b", 0, 1)]).unwrap();
    sink.sync(&mut disk).unwrap();
    disk.append(SINK_FILE, b"torn").unwrap();
    let reader = RealDisk::open_read_only(directory.path()).unwrap();
    assert_eq!(reopened(&reader, &sink).dropped_bytes(), 4);
    drop(disk);
    let mut disk = RealDisk::open(directory.path()).unwrap();
    let mut sink = Sink::open(&disk).unwrap();
    sink.append(&mut disk, 8, &[row("/b", 0, 2)]).unwrap();
    assert_eq!(reopened(&disk, &sink).dropped_bytes(), 0);
}
