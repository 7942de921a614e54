//! A log as a run named it, loaded after it has grown.

use std::sync::{Arc, Mutex, atomic::AtomicBool};

use proptest::prelude::*;

use super::{
    testing::{Seen, TestLog, drain, line},
    *,
};
use crate::domain::Offsets;

fn seen(index: &Arc<LogIndex>) -> Vec<Seen> {
    drain(&mut IndexSource::new(Arc::clone(index)), 7)
}

/// Blank lines, junk and a tie among the partitions.
fn log() -> TestLog {
    let first = line(1) + "\n" + &line(5) + "junk\n\n";
    let other = line(1) + &line(2) + &line(9);
    TestLog::new(&[("a/1", &first), ("a/2", &line(3)), ("b/1", &other), ("c/1", "\n")])
}

fn grow(log: &TestLog) {
    log.append("a/2", (line(4) + &line(5)).as_bytes());
    log.write("a/3", line(0).as_bytes());
    log.append("b/1", line(1).as_bytes());
    log.append("c/1", line(1).as_bytes());
    log.write("aa/1", line(0).as_bytes());
}

#[test]
fn what_a_run_names_is_loaded_as_it_was_wherever_it_stopped() {
    let grown = log();
    let before = log();
    grow(&grown);
    let (dir, mapping) = (before.open(), before.mapping());
    let all = drain(&mut FileSource::open(&dir, &mapping).unwrap(), 9);
    for records in 0..=all.len() {
        let mut source = FileSource::open(&dir, &mapping).unwrap();
        source.read(records, &mut Vec::new()).unwrap();
        let identity = source.identity();
        for (log, expected) in [(&before, records < all.len()), (&grown, true)] {
            let index =
                load_recorded(&log.open(), &mapping, Some(&Recorded::Whole(identity.clone()))).unwrap();
            assert_eq!(seen(&index), all[..records], "{records}");
            assert_eq!(index.partitions(), ["a", "b", "c"]);
            assert!(index.complete() && index.identity().unwrap().records() == records as u64);
            assert_eq!(index.log_match() == LogMatch::Grown, expected, "{records}");
        }
    }
    let whole = load(&dir, &mapping).unwrap();
    let index =
        load_recorded(&grown.open(), &mapping, whole.identity().cloned().map(Recorded::Whole).as_ref())
            .unwrap();
    assert_eq!((index.counts(), index.issues()), (whole.counts(), whole.issues()));
    assert_eq!(index.read_lines(0, 99).unwrap(), whole.read_lines(0, 99).unwrap());
    assert!(load(&grown.open(), &mapping).unwrap().len() > whole.len());
}

#[test]
fn what_has_changed_is_refused_naming_the_segment() {
    let log = log();
    let identity = load(&log.open(), &log.mapping()).unwrap().identity().unwrap().clone();
    log.append("a/1", line(5).as_bytes());
    let refused = load_recorded(&log.open(), &log.mapping(), Some(&Recorded::Whole(identity.clone())))
        .unwrap_err()
        .to_string();
    assert!(refused.contains("grew where it must not") && refused.contains("a/1"), "{refused}");
    let told = Arc::new(Mutex::new(Vec::new()));
    let publish = {
        let told = Arc::clone(&told);
        move |event| told.lock().unwrap().push(event)
    };
    let cancel = Arc::new(AtomicBool::new(false));
    spawn_recorded_loader(log.open(), log.mapping(), Some(Recorded::Whole(identity)), publish, cancel)
        .unwrap()
        .join()
        .unwrap();
    let told = told.lock().unwrap();
    assert!(matches!(&told[..], [LoadEvent::Failed(error)] if error.to_string() == refused), "{told:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Also where a field makes the partitions, each of which stands at a place of its own in the same files.
    #[test]
    fn partitions_by_field_are_loaded_as_they_were(
        names in proptest::collection::vec((0_u8..3, 0_i64..50), 1..20), at in 0_usize..20, more in any::<bool>(),
    ) {
        let text = |names: &[(u8, i64)]| -> String {
            let one = |(name, time): &(u8, i64)| format!("{{\"t\":{time},\"p\":\"/\",\"k\":\"k{name}\"}}\n");
            names.iter().map(one).collect::<Vec<_>>().concat()
        };
        let (first, second) = names.split_at(names.len() / 2);
        let mut log = TestLog::new(&[("1", &text(first)), ("2", &text(second))]);
        log.mapping = log.mapping.replace('}', r#","partition":"k"}"#);
        let mut source = FileSource::open(&log.open(), &log.mapping()).unwrap();
        let all = drain(&mut FileSource::open(&log.open(), &log.mapping()).unwrap(), 9);
        source.read(at, &mut Vec::new()).unwrap();
        let identity = source.identity();
        if more {
            log.append("2", text(&[(0, 0), (1, 1), (7, 0)]).as_bytes());
        }
        let index = load_recorded(&log.open(), &log.mapping(), Some(&Recorded::Whole(identity.clone()))).unwrap();
        prop_assert_eq!(seen(&index), &all[..at.min(all.len())]);
        prop_assert_eq!(index.end().total(), source.position().total());
        prop_assert_eq!(index.end(), &Offsets::from_vec(source.position().as_slice().to_vec()));
    }
}
