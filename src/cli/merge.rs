//! `rederive merge`: a batch view and a speed view merged at a boundary, right or wrong, against the full recount.
//!
//! The log is loaded into columns once: cuts, the latest event time and the fold itself then cost no further reading.

use std::{process::ExitCode, sync::Arc};

use super::{
    CliError,
    args::{BoundaryKind, MergeArgs, MergeUniques},
    input::{Input, MOST_SAID, say_issues},
    output,
};
use crate::{
    checkpoint::SinkSums,
    domain::{EventTime, LateRecords, Lateness, Offsets, RangeCounts, Record, StreamOptions, Value},
    engine::{
        export::{Format, TableRow, render, sums},
        play::stream_rules,
    },
    ingest::{IndexSource, LogError, LogIndex, RecordSource as _, load},
    serving::{
        Boundary, BoundaryRule, LateReader, MergeFold, Merged, MergedUsers, Numbers, SpeedStart, latest_time,
        rows_that_differ,
    },
};

/// Records read from the index at once.
const READ_AT_ONCE: usize = 4_096;

pub(super) fn run(args: &MergeArgs) -> Result<ExitCode, CliError> {
    let users = merged_users(args.uniques);
    let input = Input::open(&args.log, &args.mapping)?;
    input.say();
    let index = load(&input.log, &input.mapping)?;
    say_issues(index.issues(), index.counts().malformed);
    let boundary = boundary(args, &index)?;
    let late = late(args, &input, &index, &boundary.position)?;
    let merged = fold(&index, boundary, late)?;
    let rows = merged.rows(users, index.keys(), index.users());
    let recount = merged.recount.canonical(index.keys());
    let sums = sums(&input.mapping);
    let numbers = merged.numbers(users, index.users());
    let speed = merged.speed_numbers(users, index.users());
    let told = Told { merged: &merged, speed, numbers, users, sums, partitions: index.partitions() };
    told.say(args, rows_that_differ(&rows, &recount), rows.len().max(recount.len()));
    let rows: Vec<TableRow<'_>> = rows.iter().map(TableRow::from).collect();
    output::print(render(&rows, args.format.unwrap_or(Format::Csv), sums).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn merged_users(uniques: MergeUniques) -> MergedUsers {
    match uniques {
        MergeUniques::Set => MergedUsers::United,
        MergeUniques::Hll => MergedUsers::Sketched,
        MergeUniques::Added => MergedUsers::Added,
    }
}

/// What the stream drops, where anything can be late.
fn late(
    args: &MergeArgs,
    input: &Input,
    index: &Arc<LogIndex>,
    position: &Offsets,
) -> Result<LateRecords, LogError> {
    if args.lateness == Lateness::Unbounded {
        return Ok(LateRecords::new());
    }
    let options = StreamOptions {
        lateness: args.lateness,
        idle_after_records: args.idle_after,
        ..StreamOptions::default()
    };
    let rules = stream_rules(&input.mapping, options);
    let mut reader = LateReader::new(rules, position.clone(), index.end().clone());
    each_batch(index, |records| records.iter().for_each(|record| reader.apply(record)))?;
    Ok(reader.finish())
}

fn boundary(args: &MergeArgs, index: &Arc<LogIndex>) -> Result<Boundary, CliError> {
    let cut = args.cut.resolve_in(index)?;
    let position = args.position.resolve_in(index)?;
    if let Some(start) = &args.speed_from {
        let start = SpeedStart::At(start.resolve_in(index)?);
        return Ok(Boundary { cut, start, position });
    }
    let rule = match args.boundary {
        BoundaryKind::Offsets => BoundaryRule::Offsets,
        BoundaryKind::EventTime => BoundaryRule::EventTime,
        BoundaryKind::Scalar => BoundaryRule::Scalar,
        BoundaryKind::None => BoundaryRule::None,
    };
    let mut latest = None;
    if rule == BoundaryRule::EventTime {
        each_batch(index, |records| latest = latest.max(latest_time(records, &cut)))?;
    }
    Ok(rule.draw(cut, position, latest))
}

fn fold(index: &Arc<LogIndex>, boundary: Boundary, late: LateRecords) -> Result<Merged, LogError> {
    let mut fold = MergeFold::new(index.rules(), boundary).without(late);
    each_batch(index, |records| records.iter().for_each(|record| fold.apply(record)))?;
    Ok(fold.finish())
}

/// Hands out the whole log in delivery order.
fn each_batch(index: &Arc<LogIndex>, mut take: impl FnMut(&[Record])) -> Result<(), LogError> {
    let mut source = IndexSource::new(Arc::clone(index));
    let mut records = Vec::with_capacity(READ_AT_ONCE);
    while source.read(READ_AT_ONCE, &mut records)? > 0 {
        take(&records);
        records.clear();
    }
    Ok(())
}

/// What is said about a merge on standard error.
struct Told<'a> {
    merged: &'a Merged,
    speed: Numbers,
    numbers: Numbers,
    users: MergedUsers,
    sums: SinkSums,
    partitions: &'a [String],
}

impl Told<'_> {
    fn say(&self, args: &MergeArgs, rows_differ: u64, rows: usize) {
        let Merged { boundary, twice, nowhere, late, .. } = self.merged;
        let rule = if args.speed_from.is_some() { "as given" } else { rule_in_words(args.boundary) };
        let (batch, speed) = (self.merged.batch_numbers(), self.speed);
        output::note(&format!("batch: [0, {}): {}", boundary.cut, self.in_words(batch)));
        let start = start_in_words(&boundary.start);
        output::note(&format!(
            "speed: {rule}: {start}, read up to {}: {}",
            boundary.position,
            self.in_words(speed)
        ));
        let (merged, recount) = (self.numbers, self.merged.recount_numbers());
        let how = match self.users {
            MergedUsers::United => "users united",
            MergedUsers::Sketched => "users of speed by sketches",
            MergedUsers::Added => "users added",
        };
        output::note(&format!("merged: {} ({how})", self.in_words(merged)));
        output::note(&format!("full recount: [0, {}): {}", boundary.covers(), self.in_words(recount)));
        output::note(&format!("error: {}; {rows_differ} of {rows} rows differ", self.error(merged, recount)));
        for (name, wrong) in [("counted twice", twice), ("counted nowhere", nowhere)] {
            self.wrong(name, wrong, &boundary.covers());
        }
        if args.lateness != Lateness::Unbounded {
            self.wrong("late, dropped by speed", late, &boundary.covers());
        }
    }

    fn in_words(&self, numbers: Numbers) -> String {
        let Numbers { views, users, sum } = numbers;
        let sum = self.sum(|| Value::display_sum(sum));
        format!("{views} views, {users} unique users{sum}")
    }

    fn error(&self, merged: Numbers, recount: Numbers) -> String {
        let signed = |a: u64, b: u64| match i128::from(a) - i128::from(b) {
            0 => "0".to_owned(),
            error => format!("{error:+}"),
        };
        let sum = self.sum(|| {
            let error = merged.sum - recount.sum;
            format!("{}{}", if error > 0 { "+" } else { "" }, Value::display_sum(error))
        });
        format!(
            "{} views, {} unique users{sum}",
            signed(merged.views, recount.views),
            signed(merged.users, recount.users)
        )
    }

    fn sum(&self, text: impl FnOnce() -> String) -> String {
        match self.sums {
            SinkSums::Shown => format!(", sum {}", text()),
            SinkSums::Hidden => String::new(),
        }
    }

    fn wrong(&self, name: &str, wrong: &[RangeCounts], covers: &Offsets) {
        let total: u64 = wrong.iter().map(RangeCounts::total).sum();
        output::note(&format!("{name}: {total} of {} records", covers.total()));
        for (partition, runs) in self.partitions.iter().zip(wrong) {
            if !runs.runs().is_empty() {
                output::note(&format!("  partition {partition:?}: {}", ranges_in_words(runs)));
            }
        }
    }
}

fn rule_in_words(rule: BoundaryKind) -> &'static str {
    match rule {
        BoundaryKind::Offsets => "offset vector",
        BoundaryKind::EventTime => "event time",
        BoundaryKind::Scalar => "one scalar",
        BoundaryKind::None => "no boundary",
    }
}

fn start_in_words(start: &SpeedStart) -> String {
    match start {
        SpeedStart::At(start) => format!("from {start}"),
        SpeedStart::After(None) => "from the first event on, batch has seen none".to_owned(),
        // T itself belongs to speed: one nanosecond after the last that batch has seen.
        SpeedStart::After(Some(latest)) => {
            format!("what happened from {} on", EventTime(latest.0.saturating_add(1)))
        }
    }
}

/// `12 (offsets 3..9, 11..17 and 4 more ranges)`.
fn ranges_in_words(runs: &RangeCounts) -> String {
    let shown: Vec<String> =
        runs.runs().iter().take(MOST_SAID).map(|run| format!("{}..{}", run.start, run.end)).collect();
    let rest = runs.runs().len().saturating_sub(MOST_SAID);
    let more = match rest {
        0 => String::new(),
        1 => " and 1 more range".to_owned(),
        _ => format!(" and {rest} more ranges"),
    };
    format!("{} (offsets {}{more})", runs.total(), shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_few_words() {
        let mut runs = RangeCounts::new();
        runs.add(3, 9);
        assert_eq!(ranges_in_words(&runs), "6 (offsets 3..9)");
        (0..6).for_each(|n| runs.add(10 + 2 * n, 11 + 2 * n));
        assert_eq!(
            ranges_in_words(&runs),
            "12 (offsets 3..9, 10..11, 12..13, 14..15, 16..17 and 2 more ranges)"
        );
    }
}
