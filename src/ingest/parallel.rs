//! The headless batch reader: a fold over the log on several threads.
//!
//! Work is dealt out before it starts, in runs of neighbouring segments (or partitions) of about equal size, so the
//! parts depend on the log and on the number of threads, never on timing; united by text they depend on the log only.

use std::{sync::Arc, thread};

use super::{
    IssueLog, LogDirectory, LogError, LogIdentity, Mapping, PartitionIdentity, Segment, SegmentIdentity,
    cursor::Cursor, source::Layout,
};
use crate::domain::{Names, Offsets, PartitionIndex, Record};

/// What is folded on one thread.
pub trait PartFold: Send {
    /// Takes the next record. `keys` and `users` are the names of this part. Records of one partition come in
    /// order; where neither an explicit offset nor an id is mapped, `record.offset` counts from the part's first
    /// record of that segment, since what lies before it is being read elsewhere.
    fn record(&mut self, record: &Record, keys: &Names, users: &Names);
}

/// What one thread hands back.
#[derive(Debug)]
pub struct FoldPart<F> {
    /// The fold.
    pub fold: F,
    /// Its pages.
    pub keys: Names,
    /// Its users.
    pub users: Names,
}

/// The folded log.
#[derive(Debug)]
pub struct FoldOutcome<F> {
    /// The parts in a fixed order, to be united by text.
    pub parts: Vec<FoldPart<F>>,
    /// How far each partition was read: the cut, or the log's end.
    pub position: Offsets,
    /// Malformed records by partition and offset.
    pub issues: IssueLog,
    /// The identity of what was read.
    pub identity: LogIdentity,
    /// Partition names.
    pub partitions: Vec<String>,
}

/// Threads that the machine runs at once.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Folds `[0, cut)`, or the whole log. A cut beyond a partition's end stops at the end.
///
/// In parallel by segment where verdicts do not depend on what lies before and there is no cut, else by partition.
pub fn fold_log<F: PartFold>(
    log: &LogDirectory,
    mapping: &Mapping,
    cut: Option<&Offsets>,
    threads: usize,
    make: impl Fn() -> F + Sync,
) -> Result<FoldOutcome<F>, LogError> {
    let layout = Layout::new(log, mapping)?;
    let whole_partitions = cut.is_some() || layout.by_field || layout.decoder.verdicts_depend_on_prefix();
    let units = units(&layout, cut, whole_partitions);
    let runs = deal(&units, threads);
    let make = &make;
    let layout_ref = &layout;
    let results: Vec<Result<WorkerResult<F>, LogError>> = thread::scope(|scope| {
        let spawn = |run| {
            let name = "batch-reader".to_owned();
            thread::Builder::new().name(name).spawn_scoped(scope, move || work(layout_ref, run, make()))
        };
        let (first, others) =
            runs.split_first().map_or((&[][..], &[][..]), |(first, others)| (*first, others));
        let handles: Vec<_> = others.iter().map(|run| spawn(*run)).collect();
        // This thread would only wait: it takes the first run itself.
        let mut results = vec![work(layout_ref, first, make())];
        results.extend(handles.into_iter().map(|handle| {
            let handle = handle.map_err(|cause| LogError::Worker(cause.to_string()))?;
            handle.join().unwrap_or_else(|_| Err(LogError::Worker("a batch reader panicked".to_owned())))
        }));
        results
    });
    gather(layout, results)
}

/// Counts nothing but what every fold counts: the records.
#[derive(Debug, Default)]
pub(crate) struct CountOnly;

impl PartFold for CountOnly {
    fn record(&mut self, _: &Record, _: &Names, _: &Names) {}
}

/// A run of segments of one partition, read from its start.
struct Unit {
    partition: usize,
    segments: Arc<[Segment]>,
    cut: Option<u64>,
    bytes: u64,
}

struct WorkerResult<F> {
    part: FoldPart<F>,
    issues: IssueLog,
    /// Partition, records and segments of each unit.
    read: Vec<(usize, u64, Vec<SegmentIdentity>)>,
}

fn units(layout: &Layout, cut: Option<&Offsets>, whole_partitions: bool) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut add = |partition: usize, segments: Arc<[Segment]>, cut: Option<u64>| {
        let bytes = segments.iter().map(|segment| segment.bytes).sum();
        units.push(Unit { partition, segments, cut, bytes });
    };
    for (partition, segments) in layout.segments.iter().enumerate() {
        if whole_partitions {
            let index = PartitionIndex(u16::try_from(partition).unwrap_or(u16::MAX));
            add(partition, segments.clone(), cut.map(|cut| cut.get(index)));
        } else {
            segments.iter().for_each(|segment| add(partition, Arc::new([segment.clone()]), None));
        }
    }
    units
}

/// Cuts the units into at most `threads` runs of neighbours with about equally many bytes.
fn deal(units: &[Unit], threads: usize) -> Vec<&[Unit]> {
    let mut runs = Vec::new();
    let mut rest = units;
    for left in (1..=threads.max(1)).rev() {
        let bytes: u64 = rest.iter().map(|unit| unit.bytes).sum();
        let share = bytes / left as u64;
        let mut taken = 0;
        let mut end = 0;
        // A unit goes where the larger half of it falls.
        while let Some(unit) = rest.get(end)
            && (left == 1 || taken + unit.bytes / 2 <= share)
        {
            taken += unit.bytes;
            end += 1;
        }
        let (run, others) = rest.split_at(end);
        rest = others;
        if !run.is_empty() {
            runs.push(run);
        }
    }
    runs
}

fn work<F: PartFold>(layout: &Layout, run: &[Unit], mut fold: F) -> Result<WorkerResult<F>, LogError> {
    let (mut keys, mut users) = (Names::new(), Names::new());
    let mut issues = IssueLog::default();
    let mut read = Vec::with_capacity(run.len());
    for unit in run {
        let index = PartitionIndex(u16::try_from(unit.partition).unwrap_or(u16::MAX));
        let only = if layout.by_field { layout.names.get(unit.partition).cloned() } else { None };
        let mut cursor = Cursor::new(index, layout.decoder.clone(), unit.segments.clone(), only);
        while unit.cut.is_none_or(|cut| cursor.record() < cut) && cursor.peek()? {
            if let Some(issue) = cursor.issue() {
                issues.push(issue);
            }
            if let Some(record) = cursor.take(&mut keys, &mut users)? {
                fold.record(&record, &keys, &users);
            }
        }
        // As a source stands: in front of the next record, behind blank lines.
        cursor.peek()?;
        read.push((unit.partition, cursor.record(), cursor.whole_identity()));
    }
    Ok(WorkerResult { part: FoldPart { fold, keys, users }, issues, read })
}

fn gather<F>(
    layout: Layout,
    results: Vec<Result<WorkerResult<F>, LogError>>,
) -> Result<FoldOutcome<F>, LogError> {
    let mut outcome = FoldOutcome {
        parts: Vec::with_capacity(results.len()),
        position: Offsets::start(layout.names.len()),
        issues: IssueLog::default(),
        identity: LogIdentity { by_field: layout.by_field, partitions: Vec::new() },
        partitions: layout.names.clone(),
    };
    let named = layout.names.into_iter().map(|name| PartitionIdentity { name, segments: Vec::new() });
    outcome.identity.partitions.extend(named);
    for result in results {
        let WorkerResult { part, issues, read } = result?;
        outcome.parts.push(part);
        outcome.issues.append(&issues);
        for (partition, records, segments) in read {
            let index = PartitionIndex(u16::try_from(partition).unwrap_or(u16::MAX));
            outcome.position.set(index, outcome.position.get(index) + records);
            if let Some(identity) = outcome.identity.partitions.get_mut(partition) {
                identity.segments.extend(segments);
            }
        }
    }
    outcome.identity.partitions.iter_mut().for_each(PartitionIdentity::trim);
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Cell, NameTable, PartitionMemory, Rules, Verdict, View},
        ingest::{
            FileSource, MappingOptions, RecordSource,
            testing::{TestLog, drain, line},
        },
    };
    use std::{
        collections::{BTreeMap, BTreeSet},
        path::Path,
    };

    struct Fold {
        rules: Rules,
        memory: BTreeMap<u16, PartitionMemory>,
        view: View,
        verdicts: Vec<Verdict>,
    }

    impl PartFold for Fold {
        fn record(&mut self, record: &Record, _: &Names, _: &Names) {
            let memory = self.memory.entry(record.partition.0).or_default();
            let verdict = memory.classify(record, self.rules);
            self.verdicts.push(verdict);
            if let (Verdict::Counted, Some(event)) = (verdict, record.event) {
                self.view.add(Cell { key: event.key, day: event.day }, event.user, event.value);
            }
        }
    }

    type Rows = BTreeMap<(String, String), (u64, BTreeSet<String>)>;

    fn fold(
        log: &LogDirectory,
        mapping: &Mapping,
        cut: Option<&Offsets>,
        threads: usize,
    ) -> (Rows, FoldOutcome<Fold>) {
        let rules = mapping.rules();
        let make = || Fold { rules, memory: BTreeMap::new(), view: View::new(), verdicts: Vec::new() };
        let outcome = fold_log(log, mapping, cut, threads, make).unwrap();
        let mut rows = Rows::new();
        for part in &outcome.parts {
            for row in part.fold.view.rows() {
                let page = part.keys.text(row.cell.key.0).to_owned();
                let into = rows.entry((page, row.cell.day.to_string())).or_default();
                into.0 += row.views;
                into.1.extend(row.users.iter().map(|user| part.users.text(user.0).to_owned()));
            }
        }
        (rows, outcome)
    }

    fn many() -> TestLog {
        let text = |from: i64| (from..from + 60).map(line).collect::<String>() + "junk\n\n";
        let files: Vec<(String, String)> =
            (0..12).map(|n| (format!("p{}/s{n}", n % 4), text(n * 40_000))).collect();
        TestLog::new(&files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
    }

    #[test]
    fn the_result_does_not_depend_on_threads() {
        let log = many();
        for mapping in [
            log.mapping.clone(),
            log.mapping.replace('}', r#","id":"u"}"#),
            log.mapping.replace('}', r#","partition":"u"}"#),
        ] {
            let mapping: Mapping = serde_json::from_str(&mapping).unwrap();
            let mut source = FileSource::open(&log.open(), &mapping).unwrap();
            drain(&mut source, 1_000);
            let (rows, one) = fold(&log.open(), &mapping, None, 1);
            assert!(!rows.is_empty());
            assert_eq!(one.identity, source.identity());
            assert_eq!((&one.position, one.issues.total()), (source.position(), 12));
            for threads in [2, 3, 5, 40] {
                let (again, outcome) = fold(&log.open(), &mapping, None, threads);
                assert_eq!(again, rows);
                assert_eq!(
                    (outcome.identity, outcome.position),
                    (one.identity.clone(), one.position.clone())
                );
                assert_eq!(outcome.issues, one.issues);
            }
        }
    }

    #[test]
    fn a_cut_is_the_prefix() {
        let log = many();
        let cut = Offsets::from_vec(vec![70, 0, 1_000, 3]);
        let (rows, outcome) = fold(&log.open(), &log.mapping(), Some(&cut), 2);
        assert_eq!(outcome.position, Offsets::from_vec(vec![70, 0, 183, 3]));
        assert_eq!(rows.values().map(|(views, _)| views).sum::<u64>(), 69 + 180 + 3);
        let mut source = FileSource::open(&log.open(), &log.mapping()).unwrap();
        source.seek(&outcome.position).unwrap();
        assert_eq!(source.identity(), outcome.identity);
    }

    #[test]
    fn real_logs_give_the_expected_rows() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        for (log, expected, valid, malformed) in [
            ("bunyan_corpus/log", "bunyan_corpus/expected.csv", 45, 7),
            ("zoo_crowdsec/traefik_json", "zoo_crowdsec/expected_traefik_json.csv", 80, 0),
            ("zoo_crowdsec/apache_probing", "zoo_crowdsec/expected_apache_probing.csv", 77, 0),
            ("elastic_apache/log", "elastic_apache/expected.csv", 10_000, 0),
            ("zanbil_shop_1000/log", "zanbil_shop_1000/expected.csv", 1_000, 0),
            ("nasa_tsv/log", "nasa_tsv/expected.csv", 30_969, 0),
            ("rete_ecom/log", "rete_ecom/expected.csv", 31_106, 0),
        ] {
            let Ok(log) = LogDirectory::open(&data.join(log), false) else {
                println!("skipped: no {log} in {}", data.display());
                continue;
            };
            let expected = std::fs::read_to_string(data.join(expected)).unwrap();
            let (mapping, _) = Mapping::resolve(&MappingOptions::default(), &log).unwrap();
            let (rows, outcome) = fold(&log, &mapping, None, 2);
            let row = |((page, day), (views, users)): (&(String, String), &(u64, BTreeSet<String>))| {
                (page.clone(), day.clone(), *views, users.len() as u64)
            };
            let mut rows: Vec<_> = rows.iter().map(row).collect();
            let mut reader = csv::Reader::from_reader(expected.as_bytes());
            let mut expected: Vec<(String, String, u64, u64)> =
                reader.deserialize().collect::<Result<_, _>>().unwrap();
            rows.sort();
            expected.sort();
            assert_eq!(rows, expected);
            let verdicts: Vec<Verdict> =
                outcome.parts.into_iter().flat_map(|part| part.fold.verdicts).collect();
            let count = |verdict| verdicts.iter().filter(|&&v| v == verdict).count();
            assert_eq!((count(Verdict::Counted), count(Verdict::MissingUser)), (valid, 0));
            assert_eq!((count(Verdict::Malformed), outcome.issues.total()), (malformed, malformed as u64));
        }
    }
}
