//! Two views of a lane as DuckDB queries, where a query over the files gives their numbers.
//!
//! Whether it does is not taken for granted: what each view really counts is compared, record by record, with what its rules
//! say. A processor that was restored without exactly-once has counts that no file tells of.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    difference_answers::Comparison,
    protocol::{BookView, PairSql},
    sql::{SqlBy, SqlLayer, SqlLog, SqlSide, SqlUsers, duckdb_comparison},
};
use crate::{
    analysis::Uniques,
    domain::{
        Day, DayRule, EventTime, LateRecords, Lateness, PartitionMemory, Reading, Redelivery, Verdict,
        classify_in, in_range,
    },
    ingest::Entry,
    serving::LateReader,
};

impl Comparison {
    /// Both views as queries over the files of the log, and what is to be said of them.
    pub fn sql(&self) -> (Option<Box<PairSql>>, String) {
        let (sql, why_not) = match self.queries() {
            Ok(sql) => (Some(Box::new(sql)), None),
            Err(why) => (None, Some(format!("No SQL: {why}."))),
        };
        let mut notes: Vec<String> = why_not.into_iter().collect();
        if sql.is_some() && self.pair.views().into_iter().any(|view| self.estimates(view)) {
            notes.push("The queries count users exactly, the views estimate them by sketches.".to_owned());
        }
        let has_offsets = self.log.as_ref().is_some_and(|(_, mapping)| mapping.offset.is_some());
        if has_offsets && self.stream.verdicts.redelivery == Redelivery::Count {
            notes.push("The command counts a redelivery once, which this guarantee does not.".to_owned());
        }
        (sql, notes.join(" "))
    }

    fn queries(&self) -> Result<PairSql, String> {
        let (files, mapping) = self.log.as_ref().ok_or("no log is open")?;
        let index = &self.books.index;
        let log = SqlLog { files, mapping, partitions: index.partitions(), end: index.end() };
        let [first, second] = self.pair.views().map(|view| self.side(view));
        let sides = [first?, second?];
        let query = |by| duckdb_comparison(log, by, &sides);
        let sql = PairSql { cells: query(SqlBy::Cells)?, days: query(SqlBy::Days)?, run: query(SqlBy::Run)? };
        self.pair.views().into_iter().zip(&sides).try_for_each(|(view, side)| self.holds(view, side))?;
        Ok(sql)
    }

    fn estimates(&self, view: BookView) -> bool {
        self.uniques(view) == Uniques::Estimated
    }

    fn side(&self, view: BookView) -> Result<SqlSide, String> {
        let batch = Reading::as_loaded(self.of.rules);
        let stream = Reading { options: self.stream.options, ..Reading::as_loaded(self.stream.verdicts) };
        let layers = match view {
            BookView::Batch | BookView::Recount | BookView::Log => vec![(batch, view)],
            BookView::Speed | BookView::Memory => vec![(stream, view)],
            BookView::Merged => vec![(batch, BookView::Batch), (stream, BookView::Speed)],
            BookView::Version(number) => vec![(self.books.version(number)?.reading.clone(), view)],
        };
        let layers = layers.into_iter().map(|(reading, range)| {
            let (from, to) = self.books.range(range);
            let odd_days = self.odd_days(&reading);
            SqlLayer { reading, from: from.clone(), to: to.clone(), odd_days }
        });
        let users = if self.estimates(view) { SqlUsers::Estimated } else { SqlUsers::Counted };
        Ok(SqlSide { name: view.id().into_owned(), layers: layers.collect(), users })
    }

    fn days(&self, reading: &Reading) -> DayRule {
        reading.stream_rules(&self.stream.days).days
    }

    /// Days of the log that do not end with a plain midnight, where it matters when a day ends.
    fn odd_days(&self, reading: &Reading) -> BTreeMap<Day, EventTime> {
        let days = self.days(reading);
        if reading.options.lateness == Lateness::Unbounded || !matches!(days, DayRule::Zone(_)) {
            return BTreeMap::new();
        }
        let events = self.books.entries().filter_map(|entry| reading.of(&entry.record).event);
        let found: BTreeSet<Day> = events.map(|event| event.day).collect();
        let odd = found.into_iter().filter(|&day| !days.ends_at_midnight(day));
        odd.map(|day| (day, days.end_of(day))).collect()
    }

    /// Whether a view counts exactly what its rules say of the records in its layers.
    fn holds(&self, view: BookView, side: &SqlSide) -> Result<(), String> {
        let mut expected: Vec<Expected<'_>> =
            side.layers.iter().map(|layer| Expected::new(self, layer)).collect();
        let mut ledger = self.books.ledger_beside(view, view)?;
        let is_other = |entry: &Entry| {
            let times: u32 = expected.iter_mut().map(|layer| layer.times(entry)).sum();
            ledger.take(entry).times() != times
        };
        match self.books.entries().filter(is_other).count() {
            0 => Ok(()),
            other => Err(format!(
                "{} counts {other} {} twice or not at all against its rules, which no file tells",
                side.name,
                if other == 1 { "record" } else { "records" }
            )),
        }
    }
}

/// How often a layer should count each record, by its rules alone.
struct Expected<'a> {
    layer: &'a SqlLayer,
    memories: Vec<PartitionMemory>,
    late: LateRecords,
}

impl<'a> Expected<'a> {
    fn new(comparison: &Comparison, layer: &'a SqlLayer) -> Self {
        let reading = &layer.reading;
        let late = if reading.options.lateness == Lateness::Unbounded {
            LateRecords::new()
        } else {
            let books = &comparison.books;
            let rules = reading.stream_rules(&comparison.stream.days);
            let mut reader = LateReader::new(rules, layer.to.clone(), books.index.end().clone());
            books.entries().for_each(|entry| reader.apply(&reading.of(&entry.record)));
            reader.finish()
        };
        Expected { layer, memories: Vec::new(), late }
    }

    /// Records have to come from the first one on.
    fn times(&mut self, entry: &Entry) -> u32 {
        let SqlLayer { reading, from, to, .. } = self.layer;
        let record = reading.of(&entry.record);
        let counts = classify_in(&mut self.memories, &record, reading.rules) == Verdict::Counted
            && in_range(&record, from, to)
            && !self.late.contains(record.partition, record.offset);
        u32::from(counts)
    }
}
