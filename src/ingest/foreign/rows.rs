//! Rows of a file as texts, whatever the file's form.

use super::{ForeignError, json::json_rows};

/// One row: a text a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextRow {
    /// From 1.
    pub line: u64,
    /// The cells, or why there are none.
    pub cells: Result<Vec<Option<String>>, String>,
}

/// A file as a table of texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table {
    /// Column names; empty where the file has no header.
    pub header: Vec<String>,
    /// How many columns there are.
    pub width: usize,
    pub rows: Vec<TextRow>,
}

/// Reads the whole text of a file. `known` is the header of an earlier part of the same view.
pub(super) fn table(file: &str, text: &[u8], known: &[String]) -> Result<Table, ForeignError> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let Some(first) = text.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        return Ok(Table::default());
    };
    if matches!(first, b'{' | b'[') {
        return json_rows(file, text);
    }
    csv_rows(file, text, known)
}

fn csv_rows(file: &str, text: &[u8], known: &[String]) -> Result<Table, ForeignError> {
    let first =
        text.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let count = |wanted: u8| memchr::memchr_iter(wanted, first).count();
    let delimiter =
        [b',', b'\t', b';', b'|'].into_iter().rev().max_by_key(|&byte| count(byte)).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text);
    let mut table = Table::default();
    for record in reader.byte_records() {
        let record = record
            .map_err(|error| ForeignError::NoRows { file: file.to_owned(), cause: error.to_string() })?;
        let line = record.position().map_or(0, csv::Position::line);
        let texts: Result<Vec<String>, String> = record
            .iter()
            .map(|cell| std::str::from_utf8(cell).map(|cell| cell.trim().to_owned()))
            .collect::<Result<_, _>>()
            .map_err(|_| "invalid UTF-8".to_owned());
        if let (Ok(cells), true) = (&texts, table.width == 0) {
            table.width = cells.len();
            if is_header(cells, known) {
                table.header.clone_from(cells);
                continue;
            }
        }
        let cells = texts.and_then(|cells| {
            if cells.len() != table.width {
                return Err(format!("{} columns where {} belong", cells.len(), table.width));
            }
            Ok(cells.into_iter().map(|cell| (!cell.is_empty()).then_some(cell)).collect())
        });
        table.rows.push(TextRow { line, cells });
    }
    Ok(table)
}

/// A first line without any number is a header: rows have at least their count.
fn is_header(cells: &[String], known: &[String]) -> bool {
    cells == known || !cells.iter().any(|cell| cell.parse::<f64>().is_ok())
}
