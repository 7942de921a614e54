//! The batch fold over a log on several threads, its parts united by text.

use std::collections::BTreeMap;

use super::input::MOST_SAID;
use crate::{
    domain::{
        Cell, Counts, KeyId, NameTable as _, Names, Offsets, PartitionIndex, Record, Row, Rules, UserId, View,
    },
    ingest::{FoldPart, IssueLog, LogDirectory, LogError, Mapping, PartFold, fold_log},
    processing::{Bulk, Fold},
};

/// A folded log.
#[derive(Debug)]
pub(super) struct Folded {
    pub view: View,
    pub keys: Names,
    pub users: Names,
    pub counts: Counts,
    pub position: Offsets,
    pub partitions: Vec<String>,
    pub issues: IssueLog,
    /// Missing explicit offsets in words, the first few of each part.
    pub gaps: Vec<String>,
    /// How many such gaps there are in all.
    pub gaps_total: u64,
}

/// `fold(L[0, cut))`, or of the whole log.
pub(super) fn fold(
    log: &LogDirectory,
    mapping: &Mapping,
    cut: Option<&Offsets>,
    threads: usize,
) -> Result<Folded, LogError> {
    let rules = mapping.rules();
    let outcome = fold_log(log, mapping, cut, threads, || BatchPart::new(rules))?;
    let mut folded = Folded {
        view: View::new(),
        keys: Names::new(),
        users: Names::new(),
        counts: Counts::default(),
        position: outcome.position,
        partitions: outcome.partitions,
        issues: outcome.issues,
        gaps: Vec::new(),
        gaps_total: 0,
    };
    for part in outcome.parts {
        folded.unite(part);
    }
    Ok(folded)
}

/// The malformed records of `[0, cut)`.
pub(super) fn issues(
    log: &LogDirectory,
    mapping: &Mapping,
    cut: &Offsets,
    threads: usize,
) -> Result<IssueLog, LogError> {
    fold_log(log, mapping, Some(cut), threads, || ReadOnly).map(|outcome| outcome.issues)
}

impl Folded {
    fn unite(&mut self, part: FoldPart<BatchPart>) {
        let FoldPart { fold, keys, users } = part;
        self.gaps_total += fold.gaps.total;
        for (partition, from, to) in fold.gaps.listed {
            let name = self.partitions.get(partition.index()).map_or("", String::as_str);
            self.gaps.push(format!("partition {name:?}: explicit offsets {from} to {to} are missing"));
        }
        let (view, counts) = fold.fold.finish();
        self.counts.merge(&counts);
        if self.keys.is_empty() && self.users.is_empty() && self.view.is_empty() {
            (self.view, self.keys, self.users) = (view, keys, users);
            return;
        }
        let renamed = |names: &Names, into: &mut Names| -> Vec<u32> {
            let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
            (0..count).map(|id| into.intern(names.text(id))).collect()
        };
        let keys = renamed(&keys, &mut self.keys);
        let users = renamed(&users, &mut self.users);
        let id = |ids: &[u32], old: u32| ids.get(old as usize).copied().unwrap_or(u32::MAX);
        for row in view.rows() {
            self.view.add_row(&Row {
                cell: Cell { key: KeyId(id(&keys, row.cell.key.0)), day: row.cell.day },
                views: row.views,
                sum: row.sum,
                users: row.users.iter().map(|user| UserId(id(&users, user.0))).collect(),
                sketch: row.sketch.clone(),
            });
        }
    }
}

#[derive(Debug)]
struct BatchPart {
    fold: Fold<Bulk>,
    gaps: Gaps,
}

impl BatchPart {
    fn new(rules: Rules) -> Self {
        BatchPart { fold: Fold::new(rules), gaps: Gaps::default() }
    }
}

impl PartFold for BatchPart {
    fn record(&mut self, record: &Record, _: &Names, _: &Names) {
        self.fold.apply(record);
        if let Some(offset) = record.event.and_then(|event| event.explicit_offset) {
            self.gaps.see(record.partition, offset);
        }
    }
}

/// Explicit offsets that nobody delivered: between two records of a partition, not before its first.
#[derive(Debug, Default)]
struct Gaps {
    highest: BTreeMap<PartitionIndex, u64>,
    /// Partition, first and last missing offset of the first few.
    listed: Vec<(PartitionIndex, u64, u64)>,
    total: u64,
}

impl Gaps {
    fn see(&mut self, partition: PartitionIndex, offset: u64) {
        let highest = self.highest.entry(partition).or_insert(offset);
        if offset > *highest {
            if offset - *highest > 1 {
                self.total += 1;
                if self.listed.len() < MOST_SAID {
                    self.listed.push((partition, *highest + 1, offset - 1));
                }
            }
            *highest = offset;
        }
    }
}

struct ReadOnly;

impl PartFold for ReadOnly {
    fn record(&mut self, _: &Record, _: &Names, _: &Names) {}
}
