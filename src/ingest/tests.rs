//! Sources and indexes against each other and against a plain model.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use proptest::prelude::*;

use super::{
    testing::{Seen, TestLog, drain, line},
    *,
};
use crate::domain::{Day, KeyId, NameTable, Offsets, PartitionIndex, Verdict};

/// A line of a generated log; -1 is junk, -2 a blank line, -3 one without a page.
fn text_of(times: &[i64], line_end: &str) -> String {
    let text = |&time: &i64| match time {
        -1 => "{junk\n".to_owned(),
        -2 => " \t\n".to_owned(),
        -3 => "{\"t\":1}\n".to_owned(),
        time => line(time),
    };
    times.iter().map(text).collect::<String>().replace('\n', line_end)
}

fn log_of(partitions: &[Vec<i64>], split: usize, line_end: &str, reverse: bool) -> TestLog {
    let log = TestLog::new(&[]);
    let mut files = Vec::new();
    for (number, times) in partitions.iter().enumerate() {
        let (first, second) = times.split_at(split.min(times.len()));
        files.push((format!("p{number}/s-9"), text_of(first, line_end)));
        files.push((format!("p{number}/s-10"), text_of(second, line_end)));
    }
    if reverse {
        files.reverse();
    }
    for (name, text) in &files {
        log.write(name, text.as_bytes());
    }
    log
}

/// Delivery order by the book: of the partitions' next records the earliest, ties by partition, no time first.
fn model(partitions: &[Vec<i64>], from: &Offsets) -> Vec<(u16, u64, i64)> {
    let records: Vec<Vec<i64>> = partitions
        .iter()
        .map(|times| times.iter().filter(|&&t| t != -2).map(|&t| t.max(-1)).collect())
        .collect();
    let mut next: Vec<usize> =
        (0..records.len()).map(|p| usize::try_from(from.as_slice()[p]).unwrap()).collect();
    let mut order = Vec::new();
    while let Some((time, p)) = (0..records.len()).filter_map(|p| Some((*records[p].get(next[p])?, p))).min()
    {
        order.push((u16::try_from(p).unwrap(), next[p] as u64, time));
        next[p] += 1;
    }
    order
}

fn bare(seen: &[Seen]) -> Vec<(u16, u64, i64)> {
    seen.iter().map(|&(partition, offset, time, ..)| (partition, offset, time)).collect()
}

fn partitions() -> impl Strategy<Value = Vec<Vec<i64>>> {
    let time = prop_oneof![8 => 0_i64..200_000, 1 => -3_i64..0];
    proptest::collection::vec(proptest::collection::vec(time, 0..25), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn files_and_index_give_the_same_records_from_any_position(
        partitions in partitions(), split in 0_usize..25, chunk in 1_usize..9, at in 0_usize..60,
        any_vector in proptest::collection::vec(0_u64..25, 4), crlf in any::<bool>(),
    ) {
        let line_end = if crlf { "\r\n" } else { "\n" };
        let log = log_of(&partitions, split, line_end, false);
        let (dir, mapping) = (log.open(), log.mapping());
        let mut source = FileSource::open(&dir, &mapping).unwrap();
        let all = drain(&mut source, chunk);
        prop_assert_eq!(bare(&all), model(&partitions, &Offsets::start(partitions.len())));
        let identity = source.identity();
        prop_assert_eq!(identity.records(), all.len() as u64);
        prop_assert_eq!(identity.verify(&dir).unwrap(), LogMatch::Same);

        // Neither the order in which files were made nor the chunks in which records are read matter.
        let other = log_of(&partitions, split, line_end, true);
        prop_assert_eq!(&drain(&mut FileSource::open(&other.open(), &mapping).unwrap(), 7), &all);

        let index = load(&dir, &mapping).unwrap();
        prop_assert_eq!(&drain(&mut IndexSource::new(index.clone()), chunk), &all);
        prop_assert_eq!(index.identity(), Some(&identity));
        prop_assert_eq!(index.issues(), source.issues());

        // A prefix: sought, jumped to and walked to, everything goes on alike.
        let at = at.min(all.len());
        let prefix = index.offsets_at(at as u64);
        let mut walked = FileSource::open(&dir, &mapping).unwrap();
        walked.read(at, &mut Vec::new()).unwrap();
        prop_assert_eq!(walked.position(), &prefix);
        let (places, part) = (walked.partition_positions(), walked.identity());
        prop_assert_eq!(part.records(), at as u64);
        part.verify(&dir).unwrap();
        source.seek(&prefix).unwrap();
        prop_assert_eq!(source.identity(), part.clone());
        let mut jumped = FileSource::open(&dir, &mapping).unwrap();
        jumped.seek_to(&places, &part).unwrap();
        prop_assert_eq!(jumped.position(), &prefix);
        prop_assert_eq!((jumped.identity(), jumped.partition_positions()), (part, places));
        let mut indexed = IndexSource::new(index.clone());
        indexed.seek(&prefix).unwrap();
        prop_assert_eq!(indexed.record_number(), Some(at as u64));
        for source in [&mut walked as &mut dyn RecordSource, &mut source, &mut jumped, &mut indexed] {
            prop_assert_eq!(drain(source, chunk), &all[at..]);
        }
        prop_assert_eq!((walked.identity(), jumped.identity()), (identity.clone(), identity));

        // A vector that delivery does not pass through.
        let end = index.end().as_slice();
        let vector = Offsets::from_vec(end.iter().zip(&any_vector).map(|(&end, &v)| v.min(end)).collect());
        source.seek(&vector).unwrap();
        indexed.seek(&vector).unwrap();
        let rest = drain(&mut source, chunk);
        prop_assert_eq!(bare(&rest), model(&partitions, &vector));
        prop_assert_eq!(drain(&mut indexed, chunk), rest);
        prop_assert_eq!(indexed.position(), index.end());
    }

    #[test]
    fn raw_lines_are_found_again(partitions in partitions(), split in 0_usize..25, first in 0_u64..60) {
        let log = log_of(&partitions, split, "\n", false);
        let index = load(&log.open(), &log.mapping()).unwrap();
        let lines = index.read_lines(first, 10).unwrap();
        prop_assert_eq!(lines.len() as u64, index.len().saturating_sub(first).min(10));
        for (number, found) in (first..).zip(&lines) {
            let record = index.record(number).unwrap();
            prop_assert_eq!((found.number, found.partition, found.offset), (number, record.partition, record.offset));
            let file = fs::read_to_string(log.path().join(&*found.segment)).unwrap();
            prop_assert_eq!(file.lines().nth(usize::try_from(found.line).unwrap() - 1), Some(found.text.as_str()));
        }
    }
}

/// 10,000 records in three partitions, several chunks, some malformed, some without a user, some seen before.
fn large() -> TestLog {
    let mut log = TestLog::new(&[]);
    for partition in 0..3_i64 {
        let mut text = String::new();
        for n in 0..3_334_i64 {
            let time = n * 97 + partition * 31 - (n % 7) * 200 + 10_000;
            let user = if n % 11 == 0 { String::new() } else { format!("u{}", n * n % 401) };
            let id = if n % 50 == 3 { n - 1 } else { n };
            let value = n % 9;
            let line = match n % 97 {
                5 => "oops\n".to_owned(),
                _ => format!(
                    "{{\"t\":{time},\"p\":\"/{}\",\"u\":\"{user}\",\"i\":{id},\"v\":{value}}}\n",
                    n % 13
                ),
            };
            text += &line;
            text += if n % 40 == 0 { "\n" } else { "" };
        }
        log.write(&format!("p{partition}/log"), text.as_bytes());
    }
    log.mapping = log.mapping.replace('}', r#","id":"i","value":"v"}"#);
    log
}

#[test]
fn prefix_sums_agree_with_a_recount() {
    let log = large();
    let index = load(&log.open(), &log.mapping()).unwrap();
    assert_eq!((index.len(), index.complete()), (10_002, true));
    let counts = index.counts();
    assert!(counts.malformed > 0 && counts.missing_user > 0 && counts.duplicates > 0);
    let (mut totals, mut users) = (Totals::default(), BTreeSet::new());
    let mut keys: BTreeMap<KeyId, (u64, BTreeSet<u32>)> = BTreeMap::new();
    let mut days: BTreeMap<Day, (u64, BTreeSet<u32>)> = BTreeMap::new();
    let mut recount = GroupRecount::new();
    let mut offsets = Offsets::start(3);
    for n in 0..=index.len() {
        if n % 511 == 0 || n == index.len() || n % 4_096 <= 1 {
            assert_eq!(index.totals(n), totals, "{n}");
            assert_eq!(index.offsets_at(n), offsets);
            assert_eq!(index.counts_at(n).records(), n);
            recount.advance_to(&index, n);
            let group = |views: u64, users: &BTreeSet<u32>, totals: Totals| {
                assert_eq!((totals.views, totals.users), (views, users.len() as u64));
            };
            for (&key, (views, users)) in &keys {
                group(*views, users, recount.key(key));
            }
            for (&day, (views, users)) in &days {
                group(*views, users, recount.day(day));
            }
            assert_eq!(recount.keys().map(|(_, totals)| totals.views).sum::<u64>(), totals.views);
        }
        let Some(record) = index.record(n) else { break };
        assert_eq!(index.number_of(record.partition, record.offset), Some(n));
        offsets.set(record.partition, record.offset + 1);
        if index.verdict(n) == Some(Verdict::Counted) {
            let event = record.event.unwrap();
            let user = event.user.unwrap().0;
            totals.views += 1;
            totals.sum += i128::from(event.value.0);
            totals.users += u64::from(users.insert(user));
            let key = keys.entry(event.key).or_default();
            key.0 += 1;
            key.1.insert(user);
            let day = days.entry(event.day).or_default();
            day.0 += 1;
            day.1.insert(user);
        }
    }
    let half = index.len() / 2;
    recount.advance_to(&index, half);
    assert_eq!(recount.at(), half);
    assert_eq!(recount.key(KeyId(3)), index.key_totals(KeyId(3), half));
    assert_eq!(recount.day(Day(1)), index.day_totals(Day(1), half));
    assert_eq!(index.number_of(PartitionIndex(0), 3_334), None);
    let (segment, line) = index.locate(9_999).unwrap().unwrap();
    let record = index.record(9_999).unwrap();
    assert_eq!(
        (&*segment, line),
        (&*format!("p{}/log", record.partition.0), {
            let blank = (0..record.offset).filter(|n| n % 40 == 0).count() as u64;
            record.offset + 1 + blank
        })
    );
}

#[test]
fn versions_grow_and_the_last_one_is_the_log() {
    let log = large();
    let versions = Arc::new(Mutex::new(Vec::new()));
    let seen = versions.clone();
    let publish = move |event| seen.lock().unwrap().push(event);
    let cancel = Arc::new(AtomicBool::new(false));
    spawn_loader(log.open(), log.mapping(), publish, cancel.clone()).unwrap().join().unwrap();
    let events = std::mem::take(&mut *versions.lock().unwrap());
    let [LoadEvent::Progress(first), LoadEvent::Done(last)] = events.as_slice() else {
        panic!("two versions")
    };
    assert_eq!((first.len(), first.complete(), first.is_last()), (1_000, false, false));
    assert!(last.complete() && last.disk_bytes().0 == last.disk_bytes().1);
    for n in 0..1_000 {
        assert_eq!(first.record(n), last.record(n));
    }
    assert_eq!(first.keys().text(3), last.keys().text(3));
    // A source that came to the end of one version goes on with the next, from any vector.
    for vector in [vec![0, 0, 0], vec![0, 200, 10]] {
        let mut growing = IndexSource::new(first.clone());
        growing.seek(&Offsets::from_vec(vector.clone())).unwrap();
        let mut records = Vec::new();
        growing.read(usize::MAX, &mut records).unwrap();
        growing.update(last.clone());
        growing.read(usize::MAX, &mut records).unwrap();
        let mut whole = IndexSource::new(last.clone());
        whole.seek(&Offsets::from_vec(vector)).unwrap();
        let mut expected = Vec::new();
        whole.read(usize::MAX, &mut expected).unwrap();
        assert!(records == expected);
    }

    cancel.store(true, Ordering::Relaxed);
    let seen = versions.clone();
    let publish = move |event| seen.lock().unwrap().push(event);
    spawn_loader(log.open(), log.mapping(), publish, cancel).unwrap().join().unwrap();
    let events = std::mem::take(&mut *versions.lock().unwrap());
    let [LoadEvent::Done(part)] = events.as_slice() else { panic!("one version") };
    assert!(!part.complete() && part.is_last() && part.len() < 1_000);
}

#[test]
fn delivery_goes_by_arrival_where_it_is_mapped() {
    let mut log = TestLog::new(&[
        ("a/1", "{\"t\":9,\"p\":\"x\",\"a\":1}\n{\"t\":1,\"p\":\"x\",\"a\":5}\n{\"t\":2,\"p\":\"x\"}\n"),
        ("b/1", "{\"t\":1,\"p\":\"y\",\"a\":2}\nwhat\n{\"t\":1,\"p\":\"y\",\"a\":9}\n"),
    ]);
    log.mapping = log.mapping.replace('}', r#","arrival":"a"}"#);
    let index = load(&log.open(), &log.mapping()).unwrap();
    let mut source = FileSource::open(&log.open(), &log.mapping()).unwrap();
    let order: Vec<(u16, u64)> = drain(&mut source, 2).iter().map(|seen| (seen.0, seen.1)).collect();
    assert_eq!(order, [(0, 0), (1, 0), (1, 1), (0, 1), (0, 2), (1, 2)]);
    let mut indexed = IndexSource::new(index);
    for vector in [vec![0, 0], vec![1, 0], vec![0, 2], vec![2, 0]] {
        let vector = Offsets::from_vec(vector);
        source.seek(&vector).unwrap();
        indexed.seek(&vector).unwrap();
        assert_eq!(drain(&mut indexed, 2), drain(&mut source, 2));
    }
    assert_eq!(source.issues().len(), 1, "a replay lists nothing twice");
    assert_eq!((&*source.issues()[0].file, source.issues()[0].line), ("b/1", 2));
}

#[test]
fn a_field_can_make_the_partitions() {
    let mut log = TestLog::new(&[
        ("one.log", "{\"t\":1,\"p\":\"x\",\"k\":\"b\"}\njunk\n{\"t\":2,\"p\":\"x\",\"k\":7}\n"),
        ("two.log", "{\"t\":3,\"p\":\"x\",\"k\":\"b\"}\n{\"t\":4,\"p\":\"x\",\"k\":null}\n"),
    ]);
    log.mapping = log.mapping.replace('}', r#","partition":"k"}"#);
    let mut source = FileSource::open(&log.open(), &log.mapping()).unwrap();
    assert_eq!(source.partitions(), [".", "7", "b"]);
    assert_eq!(bare(&drain(&mut source, 9)), [(0, 0, -1), (2, 0, 1), (1, 0, 2), (2, 1, 3), (0, 1, 4)]);
    assert_eq!(source.identity().verify(&log.open()).unwrap(), LogMatch::Same);
    let index = load(&log.open(), &log.mapping()).unwrap();
    assert_eq!(index.read_lines(2, 1).unwrap()[0].line, 3);
    let (places, identity) = (source.partition_positions(), source.identity());
    let mut other = FileSource::open(&log.open(), &log.mapping()).unwrap();
    other.seek_to(&places, &identity).unwrap();
    assert_eq!((other.position(), other.identity()), (source.position(), identity));
}

#[test]
fn a_log_may_grow_and_nothing_else() {
    let (first, second, third) = (line(1) + &line(2), line(3), line(4));
    let log = TestLog::new(&[("a/1", &first), ("a/2", &second), ("b/1", &third)]);
    let identity = load(&log.open(), &log.mapping()).unwrap().identity().unwrap().clone();
    assert_eq!(identity.verify(&log.open()).unwrap(), LogMatch::Same);
    let digest = identity.digest();
    let verify = || identity.verify(&log.open()).map_err(|error| error.to_string());
    let refused = |why: &str, segment: &str| {
        let error = verify().unwrap_err();
        assert!(error.contains(why) && error.ends_with(&format!("{segment:?}")), "{error}");
    };

    log.append("b/1", line(5).as_bytes());
    log.write("a/10", line(6).as_bytes());
    log.write("c/1", line(7).as_bytes());
    assert_eq!(verify(), Ok(LogMatch::Grown));
    let grown = load(&log.open(), &log.mapping()).unwrap();
    assert_ne!(grown.identity().unwrap().digest(), digest);

    log.append("a/1", line(5).as_bytes());
    refused("grew where it must not", "a/1");
    log.write("a/1", first.replace("u1", "u9").as_bytes());
    refused("old bytes differ", "a/1");
    log.write("a/1", line(1).as_bytes());
    refused("shorter", "a/1");
    log.write("a/1", first.as_bytes());
    log.write("a/1b", b"\n");
    refused("new segment comes before", "a/1b");
    fs::remove_file(log.path().join("a/1b")).unwrap();
    fs::remove_file(log.path().join("a/1")).unwrap();
    refused("a segment is gone", "a/1");
    fs::remove_dir_all(log.path().join("a")).unwrap();
    refused("a partition is gone", "a");
}

#[test]
fn a_half_last_line_is_a_record_and_may_not_become_another() {
    let log = TestLog::new(&[("log", &(line(1) + line(2).trim_end()))]);
    let index = load(&log.open(), &log.mapping()).unwrap();
    assert_eq!((index.len(), index.counts().malformed), (2, 0));
    log.append("log", b"0}\n");
    let error = index.identity().unwrap().verify(&log.open()).unwrap_err().to_string();
    assert!(error.contains("unfinished line"), "{error}");
    let log = TestLog::new(&[("log", &(line(1) + "{\"t\":2,"))]);
    assert_eq!(load(&log.open(), &log.mapping()).unwrap().counts().malformed, 1);
}

#[test]
fn damaged_gzip_is_one_record_before_and_after_a_restore() {
    let text: String = (0..5_000).map(|n| line(n * 7_919 % 100_000)).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    let log = TestLog::new(&[]);
    log.write("whole.gz", &bytes);
    log.write("zz.gz", &bytes[..bytes.len() * 3 / 4]);
    let (dir, mapping) = (log.open(), log.mapping());
    let mut source = FileSource::open(&dir, &mapping).unwrap();
    let all = drain(&mut source, 1_000);
    assert!(all.len() > 6_000 && all.len() < 10_000);
    assert_eq!((source.issues().len(), all.last().unwrap().2), (1, -1));
    assert!(matches!(source.issues()[0].reason, ParseIssue::DamagedGzip(_)));
    assert_eq!(source.identity().verify(&dir).unwrap(), LogMatch::Same);
    for at in [0, 4_999, 5_000, 5_001, all.len() - 1, all.len()] {
        source.seek(&Offsets::from_vec(vec![at as u64])).unwrap();
        let mut jumped = FileSource::open(&dir, &mapping).unwrap();
        jumped.seek_to(&source.partition_positions(), &source.identity()).unwrap();
        assert_eq!(drain(&mut jumped, 999), &all[at..]);
        assert_eq!(jumped.identity(), {
            drain(&mut source, 1_000);
            source.identity()
        });
    }
    let index = load(&dir, &mapping).unwrap();
    assert_eq!(index.read_lines(5_000, 3).unwrap()[0].line, 1);
}

#[test]
fn what_grew_in_front_of_an_unread_segment_comes_first() {
    let log = TestLog::new(&[("1", &(line(1) + "\n")), ("2", ""), ("3", &line(5))]);
    let mut source = FileSource::open(&log.open(), &log.mapping()).unwrap();
    source.seek(&Offsets::from_vec(vec![1])).unwrap();
    let (places, identity) = (source.partition_positions(), source.identity());
    assert_eq!(places[0].segment, "3", "the look-ahead is there already");
    log.append("1", line(2).as_bytes());
    log.write("2", line(3).as_bytes());
    assert_eq!(identity.verify(&log.open()).unwrap(), LogMatch::Grown);
    let mut grown = FileSource::open(&log.open(), &log.mapping()).unwrap();
    grown.seek_to(&places, &identity).unwrap();
    assert_eq!(bare(&drain(&mut grown, 9)), [(0, 1, 2), (0, 2, 3), (0, 3, 5)]);
    let whole = load(&log.open(), &log.mapping()).unwrap();
    assert_eq!(Some(&grown.identity()), whole.identity());
}

#[test]
fn positions_that_do_not_fit_are_refused() {
    let log = TestLog::new(&[("a/1", &(line(1) + &line(2)))]);
    let mut source = FileSource::open(&log.open(), &log.mapping()).unwrap();
    assert!(source.seek(&Offsets::from_vec(vec![3])).is_err());
    source.seek(&Offsets::from_vec(vec![1])).unwrap();
    let (places, identity) = (source.partition_positions(), source.identity());
    let change = |edit: &dyn Fn(&mut PartitionCursor)| {
        let mut places = places.clone();
        edit(&mut places[0]);
        FileSource::open(&log.open(), &log.mapping()).unwrap().seek_to(&places, &identity)
    };
    assert!(change(&|_| {}).is_ok());
    assert!(change(&|place| place.record = 2).is_err());
    assert!(change(&|place| place.byte += 1).is_err());
    assert!(change(&|place| place.segment = "a/2".to_owned()).is_err());
    assert!(change(&|place| place.name = "b".to_owned()).is_err());
    log.write("a/1", (line(6) + &line(2)).as_bytes());
    assert!(change(&|_| {}).is_err(), "other bytes before it");
}

#[test]
fn odd_lines_are_counted_and_located() {
    let log = TestLog::new(&[]);
    log.write("log", b"\xEF\xBB\xBF{\"t\":1,\"p\":\"a\"}\r\n\n{\"t\":1,\"p\":\"\xff\"}\n[]\r\n{\"t\":1}\n");
    let index = load(&log.open(), &log.mapping()).unwrap();
    let issues: Vec<(u64, String)> = index.issues().iter().map(|i| (i.line, i.reason.to_string())).collect();
    let expected = [(3, "invalid UTF-8"), (4, "not a JSON object"), (5, "no page")];
    assert_eq!(issues, expected.map(|(line, reason)| (line, reason.to_owned())));
    assert_eq!((index.counts().missing_user, index.counts().malformed), (1, 3));
    assert_eq!(index.read_lines(0, 9).unwrap()[0].text, "{\"t\":1,\"p\":\"a\"}");
}
