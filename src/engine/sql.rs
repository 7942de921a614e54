//! "Copy as SQL": our view of a log as a DuckDB query, so that anybody can check us.

use std::fmt::Write as _;

use crate::{
    domain::{Anonymous, Offsets, PartitionIndex},
    ingest::{LogDirectory, Mapping, TimeFormat},
};

/// A DuckDB query (two statements) that computes our view of a log with a mapping: `page,date,total_views,unique_users`,
/// plus `sum` where a value is mapped. Every line is read as text, so that nothing is guessed on the way.
pub fn duckdb_sql(mapping: &Mapping, log: &LogDirectory) -> String {
    let what = "Daily page views by page, as Rederive computes them";
    format!("{}{}\n", counted(mapping, log, what), totals(mapping))
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

/// One of two sides: the records `[from, to)` of each partition, and what that is called.
#[derive(Debug, Clone, Copy)]
pub struct SqlSide<'a> {
    /// In words.
    pub name: &'a str,
    /// First position.
    pub from: &'a Offsets,
    /// One past the last.
    pub to: &'a Offsets,
}

/// The same for two sides beside each other: `first_views,second_views,first_users,second_users`, by page and day, by day or
/// in total. A side counts the fold of its records: what a stream drops as late is counted here. `None` where a field of
/// the lines makes the partitions: then the files do not say which record is which; and for other logs than JSON lines.
pub fn duckdb_comparison(
    mapping: &Mapping,
    log: &LogDirectory,
    by: SqlBy,
    sides: [SqlSide<'_>; 2],
) -> Option<String> {
    if mapping.partition.is_some() || !mapping.input_format.is_jsonl() {
        return None;
    }
    let [first, second] = sides;
    let what = format!("{} (first) and {} (second), as Rederive computes them", first.name, second.name);
    let group = match by {
        SqlBy::Cells => "page, day AS date",
        SqlBy::Days => "day AS date",
        SqlBy::Run => "",
    };
    let mut columns: Vec<String> = Vec::new();
    columns.extend((!group.is_empty()).then(|| group.to_owned()));
    let mut add = |what: &str, name: &str| {
        for side in ["first", "second"] {
            columns.push(format!("{what} FILTER (WHERE in_{side}) AS {side}_{name}"));
        }
    };
    add("count(*)", "views");
    if mapping.user.is_some() {
        add("count(DISTINCT usr)", "users");
    }
    if mapping.value.is_some() {
        add("sum(CAST(value AS DECIMAL(38, 6)))", "sum");
    }
    let end = match by {
        SqlBy::Cells => "\nGROUP BY page, day\nHAVING count(*) FILTER (WHERE in_first <> in_second) > 0\nORDER BY page, day"
            .to_owned(),
        SqlBy::Days => "\nGROUP BY day\nORDER BY day".to_owned(),
        SqlBy::Run => String::new(),
    };
    let names: Vec<&str> = log.partitions().iter().map(|partition| partition.name.as_str()).collect();
    Some(format!(
        "{}SELECT {}\nFROM (\n  SELECT *, {} AS in_first,\n    {} AS in_second\n  FROM events\n){}{end};\n",
        counted(mapping, log, &what),
        columns.join(", "),
        lies_in(&names, first),
        lies_in(&names, second),
        conditions(mapping),
    ))
}

/// Whether a record lies in a side.
fn lies_in(partitions: &[&str], side: SqlSide<'_>) -> String {
    let mut sql = "CASE partition".to_owned();
    for (partition, name) in (0..).map(PartitionIndex).zip(partitions) {
        let (from, to) = (side.from.get(partition), side.to.get(partition));
        let _ = write!(sql, " WHEN {} THEN record >= {from} AND record < {to}", text(name));
    }
    format!("{sql} ELSE false END")
}

/// Up to `events`: a row for each record that an event can be read from.
fn counted(mapping: &Mapping, log: &LogDirectory, what: &str) -> String {
    let mut sql = String::new();
    let mut add = |line: &str| {
        sql.push_str(line);
        sql.push('\n');
    };
    add(&format!("-- {what}. DuckDB 1.0 or later."));
    add(&format!("-- {}; days of {}", mapping.describe().replace('\n', " "), mapping.zone));
    add(&format!("SET TimeZone = {};", text(&mapping.naive_zone)));
    add("WITH lines AS (");
    add(&lines(log));
    add("), records AS (");
    add(&records(mapping));
    add("), fields AS (");
    add(&fields(mapping));
    add("), events AS (");
    add(&events(mapping));
    add(")");
    sql
}

/// All lines in the order of the log, each with its partition.
fn lines(log: &LogDirectory) -> String {
    let mut parts = Vec::new();
    for partition in log.partitions() {
        for segment in &partition.segments {
            let path = std::path::absolute(&segment.path).unwrap_or_else(|_| segment.path.clone());
            parts.push(format!(
                "  SELECT {} AS partition, {} AS segment, row_number() OVER () AS line, line AS text FROM read_csv({}, \
                 columns = {{'line': 'VARCHAR'}}, delim = '\\x00', quote = '', escape = '', header = false, \
                 auto_detect = false, max_line_size = 16777216{})",
                text(&partition.name),
                parts.len(),
                text(&path.display().to_string()),
                if segment.relative.ends_with(".gz") { ", compression = 'gzip'" } else { "" },
            ));
        }
    }
    parts.join("\n  UNION ALL\n")
}

/// Blank lines are none; those that a condition leaves out neither. One that nothing can be read from is one.
fn records(mapping: &Mapping) -> String {
    let mut sql = "  SELECT *, row_number() OVER (PARTITION BY partition ORDER BY segment, line) - 1 AS record\n  FROM \
                   lines WHERE regexp_matches(text, '[^\\s]')"
        .to_owned();
    for filter in &mapping.filters {
        let _ = write!(sql, "\n    AND CASE WHEN json_valid(text) THEN {} ELSE true END", condition(filter));
    }
    sql
}

fn fields(mapping: &Mapping) -> String {
    let mut columns = vec![
        "partition, segment, line, record".to_owned(),
        format!("{} AS page", clean(mapping, &field(&mapping.page))),
        format!("{} AS written", field(&mapping.time)),
    ];
    let mut optional = |name: &str, path: &Option<String>| {
        if let Some(path) = path {
            columns.push(format!("nullif({}, '') AS {name}", field(path)));
        }
    };
    optional("usr", &mapping.user);
    optional("id", &mapping.id);
    optional("explicit_offset", &mapping.offset);
    optional("value", &mapping.value);
    format!("  SELECT {}\n  FROM records WHERE json_valid(text)", columns.join(", "))
}

fn events(mapping: &Mapping) -> String {
    let time = time(mapping);
    let day = match mapping.zone.as_str() {
        "as-written" => "CAST(left(written, 10) AS DATE)".to_owned(),
        zone => format!("CAST(timezone({}, {time}) AS DATE)", text(zone)),
    };
    let order = "PARTITION BY partition ORDER BY segment, line";
    let mut columns = vec![format!("*, {day} AS day")];
    if mapping.offset.is_some() {
        columns.push(format!(
            "CAST(explicit_offset AS UBIGINT) <= max(CAST(explicit_offset AS UBIGINT)) OVER ({order} ROWS BETWEEN \
             UNBOUNDED PRECEDING AND 1 PRECEDING) AS redelivered"
        ));
    }
    if mapping.id.is_some() {
        columns.push(
            "id IS NOT NULL AND row_number() OVER (PARTITION BY partition, id ORDER BY segment, line) > 1 AS duplicate"
                .to_owned(),
        );
    }
    format!(
        "  SELECT {}\n  FROM fields WHERE page IS NOT NULL AND page <> '' AND {time} IS NOT NULL",
        columns.join(", ")
    )
}

fn totals(mapping: &Mapping) -> String {
    let users = if mapping.user.is_some() { "count(DISTINCT usr)" } else { "0" };
    let sum = if mapping.value.is_some() { ", sum(CAST(value AS DECIMAL(38, 6))) AS sum" } else { "" };
    format!(
        "SELECT page, day AS date, count(*) AS total_views, {users} AS unique_users{sum}\nFROM events{}\n\
         GROUP BY page, day ORDER BY page, day;",
        conditions(mapping)
    )
}

/// What an event has to be to count.
fn conditions(mapping: &Mapping) -> String {
    let mut conditions = Vec::new();
    if mapping.user.is_some() && mapping.anonymous == Anonymous::Skip {
        conditions.push("usr IS NOT NULL");
    }
    if mapping.value.is_some() {
        conditions.push("TRY_CAST(value AS DECIMAL(38, 6)) IS NOT NULL");
    }
    if mapping.offset.is_some() {
        conditions.push("redelivered IS NOT TRUE");
    }
    if mapping.id.is_some() {
        conditions.push("NOT duplicate");
    }
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// A field of a line as text; of a literal key with dots and a path the key wins, as in Rederive.
fn field(path: &str) -> String {
    let extract = |path: &str| format!("json_extract_string(text, {})", text(path));
    let quoted = |key: &str| format!("\"{}\"", key.replace('"', "\\\""));
    let literal = extract(&format!("$.{}", quoted(path)));
    if !path.contains('.') {
        return literal;
    }
    let keys: Vec<String> = path.split('.').map(quoted).collect();
    format!("coalesce({literal}, {})", extract(&format!("$.{}", keys.join("."))))
}

fn clean(mapping: &Mapping, page: &str) -> String {
    mapping.page_clean.iter().fold(page.to_owned(), |page, step| match step.as_str() {
        "strip-query" => format!("split_part({page}, '?', 1)"),
        "lower-case" => format!("lower({page})"),
        _ => page,
    })
}

fn time(mapping: &Mapping) -> String {
    let epoch = |divisor: &str| format!("to_timestamp(TRY_CAST(written AS DOUBLE) / {divisor})");
    match &mapping.time_format {
        TimeFormat::Rfc3339 => "TRY_CAST(written AS TIMESTAMPTZ)".to_owned(),
        TimeFormat::EpochSeconds => epoch("1"),
        TimeFormat::EpochMillis => epoch("1000"),
        TimeFormat::EpochMicros => epoch("1000000"),
        TimeFormat::EpochNanos => epoch("1000000000"),
        TimeFormat::Pattern(pattern) => {
            format!("CAST(try_strptime(written, {}) AS TIMESTAMPTZ)", text(pattern))
        }
    }
}

/// A `--where` condition.
fn condition(filter: &str) -> String {
    let at = filter.find(['=', '~']).unwrap_or(filter.len());
    let (name, rest) = filter.split_at(at);
    let (name, negated) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
    let (operator, value) = rest.split_at(rest.len().min(1));
    let test = if operator == "~" {
        format!("coalesce(regexp_matches({}, {}), false)", field(name), text(value))
    } else {
        format!("({} IS NOT DISTINCT FROM {})", field(name), text(value))
    };
    if negated { format!("NOT {test}") } else { test }
}

/// A text in SQL.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::play::open_log, ingest::Mapping};

    /// The text. That it gives our numbers was checked with DuckDB 2.0.1: batch and speed of the shop sample at a
    /// crash, by page and day, by day and in total, on plain and on gz files, with a zone and a condition.
    #[test]
    fn two_sides_are_counted_beside_each_other_within_their_positions() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/shop");
        let options = [("zone", "Asia/Tehran"), ("where", "platform!=tablet")];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let open = open_log(&path, &options).unwrap();
        let (start, cut) = (Offsets::start(3), Offsets::from_vec(vec![5, 6, 7]));
        let end = open.index.end().clone();
        let sides = [
            SqlSide { name: "batch", from: &start, to: &cut },
            SqlSide { name: "speed", from: &cut, to: &end },
        ];
        let query = |by| duckdb_comparison(&open.mapping, &open.log, by, sides).unwrap();
        let (cells, days, run) = (query(SqlBy::Cells), query(SqlBy::Days), query(SqlBy::Run));
        for sql in [&cells, &days, &run] {
            for part in [
                "-- batch (first) and speed (second)",
                "mobile/2024-W12.jsonl.gz",
                "compression = 'gzip'",
                "CASE WHEN json_valid(text) THEN NOT (json_extract_string(text, '$.\"platform\"')",
                "row_number() OVER (PARTITION BY partition ORDER BY segment, line) - 1 AS record",
                "WHEN 'desktop' THEN record >= 0 AND record < 5",
                "WHEN 'mobile' THEN record >= 6 AND record < ",
                "count(DISTINCT usr) FILTER (WHERE in_second) AS second_users",
                "timezone('Asia/Tehran'",
            ] {
                assert!(sql.contains(part), "no {part:?} in {sql}");
            }
        }
        assert!(
            cells.contains("SELECT page, day AS date, count(*)")
                && cells.contains("HAVING count(*) FILTER (WHERE in_first <> in_second) > 0")
        );
        assert!(
            days.contains("SELECT day AS date, count(*)") && days.ends_with("GROUP BY day\nORDER BY day;\n")
        );
        assert!(run.contains("SELECT count(*) FILTER") && !run.contains("GROUP BY"));
        let by_field = Mapping { partition: Some("shard".to_owned()), ..open.mapping.clone() };
        assert_eq!(duckdb_comparison(&by_field, &open.log, SqlBy::Run, sides), None, "files do not say it");
    }
}
