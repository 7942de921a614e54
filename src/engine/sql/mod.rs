//! "Copy as SQL": our views of a log as DuckDB queries, so that anybody can check us.
//!
//! A query reads the files line by line as text, so that nothing is guessed on the way, and says itself which record counts:
//! by the mapping, the rules of each side, and where the lateness is finite, by the watermark at which each record is read. What
//! cannot be said in SQL exactly is refused in words.

mod access;
mod late;
mod lines;
mod time;

use std::{collections::BTreeMap, fmt::Write as _};

use self::late::LateColumn;
use crate::{
    domain::{
        Anonymous, Day, EventTime, Ids, Offsets, PartitionIndex, Reading, Redelivery, Rules, StreamOptions,
    },
    ingest::{InputFormat, LogDirectory, Mapping},
};

/// With more files a query would be longer than anybody pastes.
const MOST_FILES: usize = 2_000;
/// With more partitions the watermark would be too many columns.
const MOST_PARTITIONS: usize = 32;

/// A DuckDB query (two statements) that computes our view of a log with a mapping: `page,date,total_views,unique_users`,
/// plus `sum` where a value is mapped. Of logs in JSON lines.
pub fn duckdb_sql(mapping: &Mapping, log: &LogDirectory) -> String {
    let what = "Daily page views by page, as Rederive computes them";
    let query = Query { mapping, zones: vec![plain_zone(&mapping.zone)], late: Vec::new() };
    format!("{}{}\n", query.events(log, what), totals(mapping))
}

/// Whether there are queries for logs in the format of this one. Those for tables would have to know every file's header, and
/// DuckDB reads some rows otherwise (a blank before a quote).
pub fn has_query(mapping: &Mapping) -> bool {
    match mapping.input_format {
        InputFormat::Jsonl | InputFormat::Combined => true,
        InputFormat::Csv | InputFormat::Tsv => false,
    }
}

/// What a comparison is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlBy {
    /// Pages and days: those with a record that one side has and the other has not.
    Cells,
    /// Days.
    Days,
    /// Nothing: one row.
    Run,
}

/// The log of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct SqlLog<'a> {
    /// Its files.
    pub files: &'a LogDirectory,
    /// What its lines mean.
    pub mapping: &'a Mapping,
    /// Names of its partitions, in their order.
    pub partitions: &'a [String],
    /// Where they end.
    pub end: &'a Offsets,
}

/// Records `[from, to)` of each partition, and how they are read.
#[derive(Debug, Clone)]
pub struct SqlLayer {
    /// The rules; a finite lateness leaves out what it drops.
    pub reading: Reading,
    /// First position.
    pub from: Offsets,
    /// One past the last.
    pub to: Offsets,
    /// Where the lateness is finite: days of the log that do not end with the only midnight of their zone, and when they end.
    pub odd_days: BTreeMap<Day, EventTime>,
}

/// How the view of a side comes to its unique users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlUsers {
    /// Exactly.
    Counted,
    /// By sketches: the query counts them exactly, and its column says so.
    Estimated,
}

/// One of two sides.
#[derive(Debug, Clone)]
pub struct SqlSide {
    /// In words.
    pub name: String,
    /// What it counts: no record lies in two of them.
    pub layers: Vec<SqlLayer>,
    /// Its unique users.
    pub users: SqlUsers,
}

/// What the sides have to be asked for.
struct Query<'a> {
    mapping: &'a Mapping,
    /// Zones of days, each once.
    zones: Vec<&'a str>,
    /// Which records are late, for each way of finding out.
    late: Vec<LateColumn<'a>>,
}

/// Two sides beside each other: `first_views,second_views,first_users,second_users`, plus sums where a value is mapped, by page
/// and day, by day or in total. Otherwise in words why there is no such query.
pub fn duckdb_comparison(log: SqlLog<'_>, by: SqlBy, sides: &[SqlSide; 2]) -> Result<String, String> {
    let mapping = log.mapping;
    if !has_query(mapping) {
        let format = mapping.input_format;
        return Err(format!("a query reads JSON lines and access logs, the log is {format}"));
    }
    let segments: usize = log.files.partitions().iter().map(|partition| partition.segments.len()).sum();
    if segments > MOST_FILES {
        return Err(format!("the log has {segments} files, a query names at most {MOST_FILES}"));
    }
    let mut query = Query { mapping, zones: Vec::new(), late: Vec::new() };
    let layers = || sides.iter().flat_map(|side| &side.layers);
    for layer in layers() {
        let zone = zone_of(mapping, &layer.reading);
        if !query.zones.contains(&zone) {
            query.zones.push(zone);
        }
    }
    for layer in layers() {
        if let Some(late) = LateColumn::of(log, &query, layer)?
            && !query.late.contains(&late)
        {
            query.late.push(late);
        }
    }
    let [first, second] = sides;
    let what = format!("{} (first) and {} (second), as Rederive computes them", first.name, second.name);
    let in_side = |side: &SqlSide| -> Result<String, String> {
        let layers = side.layers.iter().map(|layer| query.counts_in(log, layer));
        Ok(layers.collect::<Result<Vec<_>, _>>()?.join(" OR "))
    };
    let (in_first, in_second) = (in_side(first)?, in_side(second)?);
    let days = sides.each_ref().map(|side| query.day_of(side));
    Ok(format!(
        "{}, sides AS (\n  SELECT *, {in_first} AS in_first,\n    {in_second} AS in_second\n  FROM events\n)\n{};\n",
        query.events(log.files, &what).trim_end(),
        select(mapping, by, sides, &days),
    ))
}

/// The days of a reading by name.
fn zone_of<'a>(mapping: &'a Mapping, reading: &'a Reading) -> &'a str {
    plain_zone(reading.days.as_ref().map_or(&*mapping.zone, |days| days.name()))
}

fn plain_zone(zone: &str) -> &str {
    if matches!(zone, "utc" | "Z") { "UTC" } else { zone }
}

/// What is asked of the records that lie in either side.
fn select(mapping: &Mapping, by: SqlBy, sides: &[SqlSide; 2], days: &[String; 2]) -> String {
    let [first_day, second_day] = days;
    let (group, order) = match by {
        SqlBy::Cells => ("page, day AS date", "page, day"),
        SqlBy::Days => ("day AS date", "day"),
        SqlBy::Run => ("", ""),
    };
    let mut columns: Vec<String> = Vec::new();
    columns.extend((!group.is_empty()).then(|| group.to_owned()));
    let mut add = |what: &str, names: [&str; 2]| {
        for (side, name) in ["first", "second"].into_iter().zip(names) {
            columns.push(format!("{what} FILTER (WHERE in_{side}) AS {side}_{name}"));
        }
    };
    add("count(*)", ["views"; 2]);
    if mapping.user.is_some() {
        add(
            "count(DISTINCT usr)",
            sides.each_ref().map(|side| match side.users {
                SqlUsers::Counted => "users",
                SqlUsers::Estimated => "users_exact",
            }),
        );
    }
    if mapping.value.is_some() {
        add("sum(value)", ["sum"; 2]);
    }
    let moves = first_day != second_day && by != SqlBy::Run;
    let from = if moves { both_days(mapping, days) } else { "sides WHERE in_first OR in_second".to_owned() };
    let differs = if moves { "NOT shared" } else { "in_first <> in_second" };
    let end = match by {
        SqlBy::Run => String::new(),
        SqlBy::Days => format!("\nGROUP BY {order}\nORDER BY {order}"),
        SqlBy::Cells => {
            format!("\nGROUP BY {order}\nHAVING count(*) FILTER (WHERE {differs}) > 0\nORDER BY {order}")
        }
    };
    format!("SELECT {}\nFROM {from}{end}", columns.join(", "))
}

/// The records of each side on its own days, where these differ. A record that both sides count on one day is shared.
fn both_days(mapping: &Mapping, [first_day, second_day]: &[String; 2]) -> String {
    let optional = |name: &str, path: &Option<String>| match path {
        Some(_) => format!(" {name},"),
        None => String::new(),
    };
    let columns = optional("usr", &mapping.user) + &optional("value", &mapping.value);
    let side = |day: &str, sides: &str, this: &str, other: &str| {
        format!(
            "  SELECT page, {day} AS day,{columns} {sides},\n    {other} AND {first_day} = {second_day} AS shared\n  FROM \
             sides WHERE {this}"
        )
    };
    format!(
        "(\n{}\n  UNION ALL\n{}\n)",
        side(first_day, "true AS in_first, false AS in_second", "in_first", "in_second"),
        side(second_day, "false AS in_first, true AS in_second", "in_second", "in_first"),
    )
}

impl<'a> Query<'a> {
    /// The column of a zone's days.
    fn day_column(&self, zone: &str) -> String {
        match self.zones.iter().position(|known| *known == zone) {
            Some(at) if self.zones.len() > 1 => format!("day_{}", at + 1),
            _ => "day".to_owned(),
        }
    }

    /// The column of a side's days: all of its layers have the same.
    fn day_of(&self, side: &'a SqlSide) -> String {
        let zone = side
            .layers
            .first()
            .map_or(plain_zone(&self.mapping.zone), |layer| zone_of(self.mapping, &layer.reading));
        self.day_column(zone)
    }

    /// Whether a record counts in a layer.
    fn counts_in(&self, log: SqlLog<'_>, layer: &'a SqlLayer) -> Result<String, String> {
        let mut sql = lies_in(log.partitions, layer);
        let Reading { rules, ids, .. } = &layer.reading;
        for condition in conditions(self.mapping, *rules, *ids) {
            let _ = write!(sql, " AND {condition}");
        }
        if let Some(late) = LateColumn::of(log, self, layer)?
            && let Some(at) = self.late.iter().position(|known| *known == late)
        {
            let _ = write!(sql, " AND NOT late_{}", at + 1);
        }
        Ok(sql)
    }
}

/// Whether a record lies in a layer.
fn lies_in(partitions: &[String], layer: &SqlLayer) -> String {
    let mut sql = "CASE partition".to_owned();
    for (partition, name) in (0..).map(PartitionIndex).zip(partitions) {
        let (from, to) = (layer.from.get(partition), layer.to.get(partition));
        let _ = write!(sql, " WHEN {} THEN record >= {from} AND record < {to}", text(name));
    }
    format!("{sql} ELSE false END")
}

fn totals(mapping: &Mapping) -> String {
    let users = if mapping.user.is_some() { "count(DISTINCT usr)" } else { "0" };
    let sum = if mapping.value.is_some() { ", sum(value) AS sum" } else { "" };
    let conditions = conditions(mapping, mapping.rules(), Ids::Used);
    let conditions =
        if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    format!(
        "SELECT page, day AS date, count(*) AS total_views, {users} AS unique_users{sum}\nFROM events{conditions}\n\
         GROUP BY page, day ORDER BY page, day;"
    )
}

/// What an event has to be to count.
fn conditions(mapping: &Mapping, rules: Rules, ids: Ids) -> Vec<&'static str> {
    let mut conditions = Vec::new();
    if mapping.user.is_some() && rules.anonymous == Anonymous::Skip {
        conditions.push("usr IS NOT NULL");
    }
    if mapping.offset.is_some() && rules.redelivery == Redelivery::Skip {
        conditions.push("redelivered IS NOT TRUE");
    }
    if mapping.id.is_some() && ids == Ids::Used {
        conditions.push("NOT duplicate");
    }
    conditions
}

/// A text in SQL.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A lateness in words.
fn lateness_in_words(options: StreamOptions) -> String {
    format!(
        "a day closes {} after its end, a partition is idle after {} records of the others",
        options.lateness, options.idle_after_records
    )
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
