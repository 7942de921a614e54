//! From the files to `events`: a row for each record that an event can be read from.

use std::fmt::Write as _;

use super::{Query, access, late, lateness_in_words, text, time};
use crate::ingest::{InputFormat, LogDirectory, Mapping, TimeFormat};

/// A number as Rederive reads it; DuckDB takes blanks and signs too.
const DECIMAL: &str = r"-?\d+(\.\d+)?([eE][+-]?\d+)?";
/// A value may lack the digits before the point.
const VALUE: &str = r"-?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d+)?";

impl Query<'_> {
    /// Up to `events`.
    pub(super) fn events(&self, log: &LogDirectory, what: &str) -> String {
        let mapping = self.mapping;
        let mut sql = String::new();
        let mut add = |line: &str| {
            sql.push_str(line);
            sql.push('\n');
        };
        add(&format!("-- {what}. DuckDB 1.1 or later."));
        add(&format!(
            "-- {}; days of {}",
            mapping.describe().replace('\n', " "),
            self.zones.join(" and of ")
        ));
        for late in &self.late {
            let words = lateness_in_words(late.options);
            add(&format!("-- Late records are left out where a stream drops them: {words}."));
        }
        add(&format!("SET TimeZone = {};", text(&mapping.naive_zone)));
        add("WITH lines AS (");
        add(&lines(log));
        add("), objects AS (");
        add(&objects(mapping));
        add("), records AS (");
        add(&records(mapping));
        add("), fields AS (");
        add(&fields(mapping));
        add("), times AS (");
        add(&times(mapping));
        add("), parsed AS (");
        add(&self.parsed());
        if !self.late.is_empty() {
            add("), delivered AS (");
            add(&late::delivered(mapping));
            add("), watermarks AS (");
            add(&late::watermarks(&self.late));
        }
        add("), events AS (");
        add(&self.counted());
        add(")");
        sql
    }

    /// The days of each event, and whether it is one: a line from which none can be read is a record too.
    fn parsed(&self) -> String {
        let mapping = self.mapping;
        let mut columns = vec!["* EXCLUDE (mistyped)".to_owned()];
        for zone in &self.zones {
            columns.push(format!("{} AS {}", time::day(mapping, zone), self.day_column(zone)));
        }
        let mut conditions = vec!["happened IS NOT NULL AND page <> '' AND mistyped IS NOT TRUE".to_owned()];
        if mapping.value.is_some() {
            conditions.push(
                "value IS NOT NULL AND value = round(value, 6) AND value BETWEEN -9223372036854.775808 AND \
                 9223372036854.775807"
                    .to_owned(),
            );
        }
        if mapping.offset.is_some() {
            conditions.push("(written_offset IS NULL OR explicit_offset IS NOT NULL)".to_owned());
        }
        columns.push(format!("coalesce({}, false) AS is_event", conditions.join(" AND ")));
        format!("  SELECT {}\n  FROM times", columns.join(", "))
    }

    /// The events, with what makes one count or not.
    fn counted(&self) -> String {
        let mut columns = vec!["*".to_owned()];
        let order = "PARTITION BY partition ORDER BY record";
        if self.mapping.offset.is_some() {
            columns.push(format!(
                "explicit_offset <= max(explicit_offset) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 \
                 PRECEDING) AS redelivered"
            ));
        }
        if self.mapping.id.is_some() {
            columns.push(
                "id IS NOT NULL AND row_number() OVER (PARTITION BY partition, id ORDER BY record) > 1 AS duplicate"
                    .to_owned(),
            );
        }
        for (number, late) in (1..).zip(&self.late) {
            columns.push(format!("{} AS late_{number}", late.condition()));
        }
        let from = if self.late.is_empty() { "parsed" } else { "watermarks" };
        format!("  SELECT {}\n  FROM {from} WHERE is_event", columns.join(",\n    "))
    }
}

/// All lines in the order of the log, each with its partition.
fn lines(log: &LogDirectory) -> String {
    let mut parts = Vec::new();
    for partition in log.partitions() {
        for segment in &partition.segments {
            let path = std::path::absolute(&segment.path).unwrap_or_else(|_| segment.path.clone());
            parts.push(format!(
                "  SELECT {} AS directory, {} AS segment, row_number() OVER () AS line, line AS text FROM read_csv({}, \
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

/// Lines that are JSON objects, as strictly as Rederive takes it: DuckDB lets commas before a bracket and words for numbers pass.
/// Of a key twice DuckDB takes the first and Rederive the last: rather no answer than another one.
const OBJECTS: &str = r#"  SELECT *, CASE WHEN json_valid(text) THEN
      CASE WHEN json_type(text) <> 'OBJECT' OR regexp_matches(regexp_replace(text, '"(?:[^"\\]|\\.)*"', '', 'g'),
          '(?i),\s*[}\]]|nan|inf') THEN NULL
        WHEN len(json_keys(text)) > len(list_distinct(json_keys(text)))
          THEN error('a line has a key twice, and DuckDB would take the first: ' || text)
        ELSE text END
    END AS json
  FROM lines WHERE regexp_matches(text, '[^\s]')"#;

/// Each line as a JSON object, NULL where it is none; blank lines are left out.
fn objects(mapping: &Mapping) -> String {
    match mapping.input_format {
        InputFormat::Combined => access::objects(mapping),
        // There is no query for tables: nothing asks for one.
        InputFormat::Jsonl | InputFormat::Csv | InputFormat::Tsv => OBJECTS.to_owned(),
    }
}

/// The lines of `from` that are not blank, with `json` made of each.
pub(super) fn objects_of(json: &str, from: &str) -> String {
    format!("  SELECT *, {json} AS json\n  FROM {from} WHERE regexp_matches(text, '[^\\s]')")
}

/// Those that a condition leaves out are no records. One that nothing can be read from is one.
fn records(mapping: &Mapping) -> String {
    let partition = match &mapping.partition {
        None => "directory".to_owned(),
        // A line that does not say its partition belongs to this one.
        Some(path) => format!(
            "CASE WHEN {} IN ('OBJECT', 'ARRAY') THEN '.' ELSE coalesce(nullif({}, ''), '.') END",
            json_of(path, "json_type"),
            field(path)
        ),
    };
    let mut sql = format!(
        "  SELECT *, row_number() OVER (PARTITION BY partition ORDER BY segment, line) - 1 AS record\n  FROM (SELECT *, \
         {partition} AS partition FROM objects)"
    );
    for (number, filter) in mapping.filters.iter().enumerate() {
        let word = if number == 0 { "\n  WHERE" } else { "\n    AND" };
        let _ = write!(sql, "{word} CASE WHEN json IS NULL THEN true ELSE {} END", condition(filter));
    }
    sql
}

fn fields(mapping: &Mapping) -> String {
    let mut columns = vec![
        "partition, segment, record".to_owned(),
        format!("{} AS page", clean(mapping, &field(&mapping.page))),
        format!("{} AS written", field(&mapping.time)),
    ];
    let mut typed = vec![&mapping.page, &mapping.time];
    let named = [("usr", &mapping.user), ("id", &mapping.id), ("written_value", &mapping.value)];
    for (name, path) in named {
        if let Some(path) = path {
            columns.push(format!("nullif({}, '') AS {name}", field(path)));
            typed.push(path);
        }
    }
    if let Some(path) = &mapping.offset {
        columns.push(format!("{} AS written_offset", field(path)));
        typed.push(path);
    }
    columns.extend(time::parts(&mapping.time_format, "written"));
    if let Some(path) = &mapping.arrival {
        columns.push(format!("{} AS written_arrival", field(path)));
        columns.extend(time::parts(
            mapping.arrival_format.as_ref().unwrap_or(&mapping.time_format),
            "written_arrival",
        ));
    }
    let kinds: Vec<String> = typed.into_iter().map(|path| json_of(path, "json_type")).collect();
    columns.push(format!("list_has_any([{}], ['OBJECT', 'ARRAY']) AS mistyped", kinds.join(", ")));
    format!("  SELECT {}\n  FROM records", columns.join(",\n    "))
}

/// Texts as what they mean; times in nanoseconds.
fn times(mapping: &Mapping) -> String {
    let exclude = [("written_value", &mapping.value), ("written_arrival", &mapping.arrival)];
    let exclude: Vec<&str> =
        exclude.iter().filter(|(_, path)| path.is_some()).map(|(name, _)| *name).collect();
    let all = if exclude.is_empty() { "*".to_owned() } else { format!("* EXCLUDE ({})", exclude.join(", ")) };
    let mut columns =
        vec![all, format!("{} AS happened", time::instant(mapping, &mapping.time_format, "written"))];
    if mapping.arrival.is_some() {
        let format: &TimeFormat = mapping.arrival_format.as_ref().unwrap_or(&mapping.time_format);
        columns.push(format!("{} AS arrived", time::instant(mapping, format, "written_arrival")));
    }
    if mapping.value.is_some() {
        let number = number("written_value", VALUE, "DECIMAL(38, 18)");
        columns.push(format!("{number} AS value"));
    }
    if mapping.offset.is_some() {
        let number = number("written_offset", r"\+?\d+", "UBIGINT");
        columns.push(format!("{number} AS explicit_offset"));
    }
    format!("  SELECT {}\n  FROM fields", columns.join(",\n    "))
}

/// A text as a number, where all of it is one.
fn number(column: &str, shape: &str, kind: &str) -> String {
    format!("CASE WHEN regexp_full_match({column}, '{shape}') THEN TRY_CAST({column} AS {kind}) END")
}

/// The same for a number of seconds and the like.
pub(super) fn decimal(column: &str, kind: &str) -> String {
    number(column, DECIMAL, kind)
}

/// A field of a line as text; of a literal key with dots and a path the key wins, as in Rederive.
fn field(path: &str) -> String {
    json_of(path, "json_extract_string")
}

/// What a function of DuckDB says of a field.
fn json_of(path: &str, function: &str) -> String {
    let quoted = |key: &str| format!(".\"{}\"", key.replace('"', "\\\""));
    let keys: Vec<&str> = path.split('.').collect();
    let places = (0..keys.len()).map(|outer| {
        let (heads, rest) = keys.split_at(outer);
        let mut place = heads.iter().fold("$".to_owned(), |place, key| place + &quoted(key));
        place.push_str(&quoted(&rest.join(".")));
        format!("{function}(json, {})", text(&place))
    });
    let places: Vec<String> = places.collect();
    match &places[..] {
        [only] => only.clone(),
        several => format!("coalesce({})", several.join(", ")),
    }
}

fn clean(mapping: &Mapping, page: &str) -> String {
    mapping.page_clean.iter().fold(page.to_owned(), |page, step| match step.as_str() {
        "strip-query" => format!("split_part({page}, '?', 1)"),
        "lower-case" => format!("lower({page})"),
        _ => page,
    })
}

/// The field of a `--where` condition.
pub(super) fn filter_field(filter: &str) -> &str {
    let at = filter.find(['=', '~']).unwrap_or(filter.len());
    let name = filter.get(..at).unwrap_or_default();
    name.strip_suffix('!').unwrap_or(name)
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
