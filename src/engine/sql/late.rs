//! Late records in SQL: delivery order, and the watermark at which each record is read.
//!
//! Delivery takes the partitions' next records by time. What is behind a later record of its partition waits for it, so the
//! order is that of the largest time up to each record, then of the partition, then of the record. A record is late when the
//! partitions that count have all gone past the close of its day; those that are read to their end or idle do not count.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{MOST_PARTITIONS, Query, SqlLayer, SqlLog, text, zone_of};
use crate::{
    domain::{Day, EventTime, Lateness, PartitionIndex, StreamOptions},
    ingest::Mapping,
};

/// One way of finding out which records are late.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LateColumn<'a> {
    pub options: StreamOptions,
    /// Nanoseconds.
    lateness: u64,
    /// Zone of the days.
    zone: &'a str,
    /// The column of the days.
    day: String,
    odd_days: &'a BTreeMap<Day, EventTime>,
    /// Names and ends.
    partitions: Vec<(&'a str, u64)>,
}

impl<'a> LateColumn<'a> {
    /// For a layer; `None` where nothing is ever late.
    pub fn of(
        log: SqlLog<'a>,
        query: &Query<'_>,
        layer: &'a SqlLayer,
    ) -> Result<Option<LateColumn<'a>>, String> {
        let options = layer.reading.options;
        let Lateness::Within(lateness) = options.lateness else { return Ok(None) };
        let partitions = log.partitions.len();
        if partitions > MOST_PARTITIONS {
            return Err(format!(
                "late records depend on the watermark of {partitions} partitions, a query follows at most \
                 {MOST_PARTITIONS}"
            ));
        }
        let zone = zone_of(log.mapping, &layer.reading);
        let named = (0..).map(PartitionIndex).zip(log.partitions);
        Ok(Some(LateColumn {
            options,
            lateness,
            zone,
            day: query.day_column(zone),
            odd_days: &layer.odd_days,
            partitions: named.map(|(partition, name)| (&**name, log.end.get(partition))).collect(),
        }))
    }

    /// Whether an event is late.
    pub fn condition(&self) -> String {
        let closes = format!("({} + {})", self.day_end(), self.lateness);
        let idle_after = self.options.idle_after_records;
        let mut sql = String::new();
        for (at, (name, end)) in self.partitions.iter().enumerate() {
            let and = if at == 0 { "" } else { "\n      AND " };
            let _ = write!(
                sql,
                "{and}(coalesce(high_{at} >= {closes}, false) OR partition <> {} AND (read_{at} >= {end} OR number - \
                 coalesce(last_{at}, -1) >= {idle_after}))",
                text(name)
            );
        }
        format!("({sql})")
    }

    /// When the day of an event ends, in nanoseconds.
    fn day_end(&self) -> String {
        let day = &self.day;
        let plain = match self.zone {
            "UTC" | "as-written" => {
                return format!("CAST({day} - DATE '1970-01-01' + 1 AS HUGEINT) * 86400000000000");
            }
            zone => {
                format!(
                    "CAST(epoch_us(timezone({}, CAST({day} + 1 AS TIMESTAMP))) AS HUGEINT) * 1000",
                    text(zone)
                )
            }
        };
        if self.odd_days.is_empty() {
            return plain;
        }
        // Days at the end of which the clocks are changed: zones differ in what midnight then is.
        let mut sql = format!("CASE {day}");
        for (day, end) in self.odd_days {
            let _ = write!(sql, " WHEN DATE '{day}' THEN {}", end.0);
        }
        format!("{sql} ELSE {plain} END")
    }
}

/// All records by number in the order of delivery.
pub(super) fn delivered(mapping: &Mapping) -> String {
    let time = if mapping.arrival.is_some() { "arrived" } else { "happened" };
    // Files come in the order of their partitions.
    let partition = if mapping.partition.is_some() { "partition" } else { "segment" };
    format!(
        "  SELECT *, row_number() OVER (ORDER BY reached NULLS FIRST, {partition}, record) - 1 AS number\n  FROM (SELECT *, \
         max(CASE WHEN is_event THEN {time} END) OVER (PARTITION BY partition ORDER BY record) AS reached FROM parsed)"
    )
}

/// For each partition, how far its event time had come when a record was read, how much of it had been, and when last.
pub(super) fn watermarks(late: &[LateColumn<'_>]) -> String {
    let mut columns = vec!["*".to_owned()];
    let partitions = late.first().map_or(&[][..], |late| &late.partitions);
    for (at, (name, _)) in partitions.iter().enumerate() {
        let here = format!("FILTER (WHERE partition = {}", text(name));
        columns.push(format!(
            "max(happened) {here} AND is_event) OVER so_far AS high_{at}, count(*) {here}) OVER so_far AS read_{at}, max(number) \
             {here}) OVER so_far AS last_{at}"
        ));
    }
    format!(
        "  SELECT {}\n  FROM delivered WINDOW so_far AS (ORDER BY number ROWS UNBOUNDED PRECEDING)",
        columns.join(",\n    ")
    )
}
