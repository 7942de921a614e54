//! `auto`: which format a log is written in, seen from the first records of its files.

use std::{collections::BTreeSet, path::Path};

use super::{
    InputFormat, LogDirectory, LogError, Segment,
    access::AccessLine,
    lines::LineKind,
    records::{Reading, RecordReader},
    rows::{Dialect, RowFields},
};

/// At most so many files are looked into.
const FILES: usize = 500;
/// Records looked at in each.
const RECORDS: usize = 20;

/// The format of all files of which one can be seen; `None` where there are none. Two formats in one log are an error
/// that names a file of each.
pub(super) fn detect(log: &LogDirectory) -> Result<Option<InputFormat>, LogError> {
    let mut seen: Option<(InputFormat, &Segment)> = None;
    for segment in log.segments().take(FILES) {
        let Some(format) = format_of(segment)? else { continue };
        match seen {
            None => seen = Some((format, segment)),
            Some((known, _)) if known == format => {}
            Some((first_format, first)) => {
                return Err(LogError::MixedFormats {
                    first: first.relative.to_string(),
                    first_format,
                    second: segment.relative.to_string(),
                    second_format: format,
                });
            }
        }
    }
    Ok(seen.map(|(format, _)| format))
}

fn format_of(segment: &Segment) -> Result<Option<InputFormat>, LogError> {
    let lines = first_records(segment, InputFormat::Jsonl)?;
    let is_object = |line: &String| {
        line.trim_start().starts_with('{')
            && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok()
    };
    let objects = lines.records.iter().filter(|line| is_object(line)).count();
    let accesses = lines.records.iter().filter(|line| AccessLine::parse(line).is_ok()).count();
    // Among objects there may be any junk: that is what JSON lines in the wild look like.
    if objects > 0 && objects >= accesses {
        return Ok(Some(InputFormat::Jsonl));
    }
    if accesses > 0 {
        return Ok((accesses * 2 >= lines.records.len()).then_some(InputFormat::Combined));
    }
    let hint = Hint::of(&segment.relative);
    if hint == Hint::Json {
        return Ok(None);
    }
    for (format, dialect, own) in
        [(InputFormat::Tsv, Dialect::Tsv, Hint::Tsv), (InputFormat::Csv, Dialect::Csv, Hint::Csv)]
    {
        let table = first_records(segment, format)?;
        if is_table(&table, dialect, hint == own) {
            return Ok(Some(format));
        }
    }
    Ok(None)
}

/// What a file's name says of its format: a hint where the records say little.
#[derive(PartialEq, Eq)]
enum Hint {
    Json,
    Csv,
    Tsv,
    Nothing,
}

impl Hint {
    fn of(name: &str) -> Hint {
        let name = name.strip_suffix(".gz").unwrap_or(name);
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json" | "jsonl" | "ndjson") => Hint::Json,
            Some("csv") => Hint::Csv,
            Some("tsv") => Hint::Tsv,
            _ => Hint::Nothing,
        }
    }
}

struct First {
    columns: Vec<String>,
    records: Vec<String>,
}

fn first_records(segment: &Segment, format: InputFormat) -> Result<First, LogError> {
    let mut reader = RecordReader::start(segment.clone(), &Reading::plain(format))?;
    let mut records = Vec::new();
    while records.len() < RECORDS
        && let Some(kind) = reader.peek()?
    {
        let is_text = *kind == LineKind::Text;
        let text = if is_text { std::str::from_utf8(reader.text()) } else { Ok("") };
        // What is no text counts against every format.
        records.push(text.unwrap_or_default().to_owned());
        reader.take()?;
    }
    Ok(First { columns: reader.header().names.clone(), records })
}

/// Whether the first row names columns and most of the others have as many fields.
fn is_table(first: &First, dialect: Dialect, is_named_so: bool) -> bool {
    let columns = &first.columns;
    let names: BTreeSet<&String> = columns.iter().collect();
    let is_name = |name: &String| {
        let is_number = name.parse::<f64>().is_ok();
        !name.trim().is_empty()
            && !is_number
            && !name.starts_with(['{', '[', '#'])
            && !name.contains(char::is_control)
    };
    // The column of row numbers that some writers put in front has no name.
    let titles = columns.iter().skip(usize::from(columns.first().is_some_and(String::is_empty)));
    // With one column there is no telling; a log has a page and a time at least.
    if columns.len() < 2 || names.len() != columns.len() || !titles.into_iter().all(is_name) {
        return false;
    }
    let fits = |row: &&String| RowFields::new(row, dialect).count() == columns.len();
    let fitting = first.records.iter().filter(fits).count();
    if first.records.is_empty() { is_named_so } else { fitting * 2 > first.records.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::testing::TestLog;

    const ACCESS: &str = "h - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1\n";

    fn seen(files: &[(&str, &str)]) -> Option<InputFormat> {
        detect(&TestLog::new(files).open()).unwrap()
    }

    #[test]
    fn the_records_say_it() {
        for (name, text, format) in [
            ("a", "{\"a\":1}\n", Some(InputFormat::Jsonl)),
            ("a.csv", "junk, junk\n{\"a\":1}\n", Some(InputFormat::Jsonl)),
            ("a", ACCESS, Some(InputFormat::Combined)),
            ("a.tsv", "user,page\nu,/\n", Some(InputFormat::Csv)),
            ("a", "\u{feff}user,page\r\n\"a\nb\",\"c,d\"\r\n", Some(InputFormat::Csv)),
            ("a", ",page,user\n0,/,u\n1,/,v\n", Some(InputFormat::Csv)),
            ("a", "user\tpage\nu\t/\n", Some(InputFormat::Tsv)),
            ("a", "user\tpage, or so\nu\t/\n", Some(InputFormat::Tsv)),
            ("a.csv", "user,page\n", Some(InputFormat::Csv)),
            ("a.csv", "user\nu\n", None),
            ("a", "user,page\n", None),
            ("a.jsonl", "user,page\nu,/\n", None),
            ("a", "1,2\n3,4\n", None),
            ("a", "a,a\n3,4\n", None),
            ("a", "Dear Sir, or Madam,\nhow are you\n", None),
            ("a.csv", "a,b\r1,2\r", None),
            ("a", "", None),
            ("a", "u\0s\0,\0p\0\n", None),
        ] {
            assert_eq!(seen(&[(name, text)]), format, "{name} {text:?}");
        }
    }

    #[test]
    fn of_many_files_those_count_that_say_something() {
        let files = [("p/1", ""), ("p/2", "no idea\n"), ("q/3.csv", "a,b\n1,2\n"), ("q/4.csv", "b,a\n")];
        assert_eq!(seen(&files), Some(InputFormat::Csv));
        let mixed = TestLog::new(&[("p/1", "{}\n"), ("p/2", ACCESS), ("p/3", ACCESS)]);
        let error = detect(&mixed.open()).unwrap_err().to_string();
        assert_eq!(
            error,
            "two formats in one log: jsonl in \"p/1\", combined in \"p/2\" (give --input-format, or a part of the log)"
        );
    }
}
