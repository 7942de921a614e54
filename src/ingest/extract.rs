//! The wanted fields of a record, whatever the format.

use std::{borrow::Cow, sync::Arc};

use smallvec::smallvec;

use super::{
    InputFormat, LogError, ParseIssue,
    access::{AccessField, AccessLine},
    format::{Fields, PlainSlots, Plan},
    records::{Header, Reading},
    rows::{Dialect, RowFields},
};

/// How the fields of a log are got at: one slot for each path.
#[derive(Debug, Clone)]
pub(crate) enum Extract {
    Json(Plan),
    Access(Arc<[AccessField]>),
    Table(Dialect, Reading),
}

/// What is made of a row with more or fewer fields than its header has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ragged {
    /// It is malformed, unless what it lacks is not wanted, or what it has too much is empty.
    Refuse,
    /// What is there is taken.
    Take,
}

impl Extract {
    /// For fields by the option that names each.
    pub fn new(format: InputFormat, paths: &[(&str, String)]) -> Result<Extract, LogError> {
        Ok(match format {
            InputFormat::Jsonl => Extract::Json(Plan::new(paths.iter().map(|(_, path)| path.as_str()))),
            InputFormat::Combined => {
                let field = |(option, name): &(&str, String)| {
                    let cause = || format!("an access log has {} only", AccessField::NAMES);
                    AccessField::parse(name).ok_or_else(|| LogError::option(option, cause(), name))
                };
                Extract::Access(paths.iter().map(field).collect::<Result<_, _>>()?)
            }
            InputFormat::Csv | InputFormat::Tsv => {
                let wanted = paths.iter().map(|(_, path)| path.clone()).collect();
                let dialect = if format == InputFormat::Tsv { Dialect::Tsv } else { Dialect::Csv };
                Extract::Table(dialect, Reading { format, wanted })
            }
        })
    }

    /// What a reader of the log has to know.
    pub fn reading(&self) -> Reading {
        match self {
            Extract::Json(_) => Reading::plain(InputFormat::Jsonl),
            Extract::Access(_) => Reading::plain(InputFormat::Combined),
            Extract::Table(_, reading) => reading.clone(),
        }
    }

    /// Takes the fields out of a record.
    pub fn fields<'a>(
        &self,
        record: &'a [u8],
        header: &Header,
        ragged: Ragged,
    ) -> Result<Fields<'a>, ParseIssue> {
        match self {
            Extract::Json(plan) => plan.extract(record),
            Extract::Access(wanted) => {
                let line = AccessLine::parse(text(record)?)?;
                let found = wanted.iter().map(|field| line.get(*field).map(Cow::Borrowed));
                Ok(Fields::plain(found.collect()))
            }
            Extract::Table(dialect, reading) => {
                let row = RowFields::new(text(record)?, *dialect);
                columns(row, header, reading.wanted.len(), ragged)
            }
        }
    }
}

fn text(record: &[u8]) -> Result<&str, ParseIssue> {
    std::str::from_utf8(record).map_err(|_| ParseIssue::InvalidUtf8)
}

fn columns<'a>(
    row: RowFields<'a>,
    header: &Header,
    slots: usize,
    ragged: Ragged,
) -> Result<Fields<'a>, ParseIssue> {
    if let Some(fault) = &header.fault {
        return Err(fault.clone());
    }
    let mut found: PlainSlots<'_> = smallvec![None; slots];
    let mut wanted = header.wanted.iter().peekable();
    let (mut count, mut surplus) = (0, false);
    for field in row {
        while let Some(&&(column, slot)) = wanted.peek()
            && column == count
        {
            if let Some(place) = found.get_mut(slot) {
                *place = Some(field.text());
            }
            wanted.next();
        }
        count += 1;
        surplus |= count > header.names.len() && !field.is_empty();
    }
    // A comma too many may have moved every field behind it.
    if ragged == Ragged::Refuse && (surplus || wanted.peek().is_some()) {
        return Err(ParseIssue::RaggedRow { fields: count, columns: header.names.len() });
    }
    Ok(Fields::plain(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{format::FieldText, records::RecordReader, testing::TestLog};

    /// The columns `b` and `d` of every row of a file.
    fn get(text: &str) -> Vec<String> {
        let log = TestLog::new(&[("f", text)]);
        let paths = [("page", "b".to_owned()), ("time", "d".to_owned())];
        let extract = Extract::new(InputFormat::Csv, &paths).unwrap();
        let segment = log.open().segments().next().unwrap().clone();
        let mut reader = RecordReader::start(segment, &extract.reading()).unwrap();
        let mut rows = Vec::new();
        while reader.peek().unwrap().is_some() {
            let fields = extract.fields(reader.text(), reader.header(), Ragged::Refuse);
            let show = |slot| match fields.as_ref().map(|fields| fields.get(slot)) {
                Ok(Ok(FieldText::Text(text))) => text.into_owned(),
                Ok(other) => format!("{other:?}"),
                Err(issue) => issue.to_string(),
            };
            rows.push(if fields.is_ok() { format!("{}|{}", show(0), show(1)) } else { show(0) });
            drop(fields);
            reader.take().unwrap();
        }
        rows
    }

    #[test]
    fn columns_are_found_by_name() {
        assert_eq!(get("a,b,c,d\n1,2,3,4\n1,\"x,\n\"\"\",,\n"), ["2|4", "x,\n\"|"]);
        assert_eq!(get("\u{feff}\"d\",b\r\n\n1,2\r\n"), ["2|1"]);
        assert_eq!(get("d,b,b\n1,2,3\n"), ["3|1"], "the last of one name");
        for empty in ["", "\n\n", "b,d", "b,d\n", "b,d\n \n"] {
            assert_eq!(get(empty), [""; 0], "{empty:?}");
        }
    }

    #[test]
    fn rows_of_another_length() {
        assert_eq!(
            get("a,b,c,d,e\n1,2,3\n1,2,3,4\n1,2,3,4,5,\n1,2,3,4,5,6\n"),
            ["row of 3 fields under a header of 5", "2|4", "2|4", "row of 6 fields under a header of 5"]
        );
    }

    #[test]
    fn headers_without_a_column_and_what_is_no_header() {
        assert_eq!(get("a,b\n1,2\n"), ["no column \"d\" in the header"]);
        assert_eq!(get("\"b\"x,d\n1,2\n"), ["header that cannot be read"; 2]);
        assert_eq!(get("b\rd\r1\r2\r"), [""; 0], "one line, which is the header");
    }
}
