//! The first records of a log, field by field, for guessing which is what.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    InputFormat, LogDirectory, LogError, Segment, TimeFormat,
    access::AccessLine,
    lines::LineKind,
    records::{Reading, RecordReader},
    rows::{Dialect, RowFields},
};

const SAMPLE_LINES: usize = 2_000;
const LINES_A_SEGMENT: usize = 200;
/// Sample texts kept of each field.
const TEXTS: usize = 200;

/// What the sampled records say of one field.
#[derive(Default)]
pub(super) struct Field {
    /// Records that have it.
    pub scalars: usize,
    /// Those in which it is a whole number.
    pub integers: usize,
    texts: Vec<String>,
}

/// The fields of the first records.
#[derive(Default)]
pub(super) struct Sample {
    /// Lines (or rows) looked at.
    pub lines: usize,
    /// Those that fields could be read from.
    pub records: usize,
    /// By path, or name of the column.
    pub fields: BTreeMap<String, Field>,
}

impl Sample {
    /// The first records of the first segments of every partition, an equal share of the budget each.
    pub fn take(log: &LogDirectory, format: InputFormat) -> Result<Sample, LogError> {
        let mut sample = Sample::default();
        let share = (SAMPLE_LINES / log.partitions().len().max(1)).max(1);
        for partition in log.partitions().iter().take(SAMPLE_LINES) {
            let mut left = share;
            for segment in &partition.segments {
                left -= sample.segment(segment, format, left.min(LINES_A_SEGMENT))?;
                if left == 0 {
                    break;
                }
            }
        }
        Ok(sample)
    }

    /// Up to `most` records of a segment; how many.
    fn segment(&mut self, segment: &Segment, format: InputFormat, most: usize) -> Result<usize, LogError> {
        let mut reader = RecordReader::start(segment.clone(), &Reading::plain(format))?;
        let mut count = 0;
        while count < most
            && let Some(kind) = reader.peek()?
        {
            let is_text = *kind == LineKind::Text;
            self.lines += 1;
            if is_text {
                self.record(reader.text(), &reader.header().names, format);
            }
            reader.take()?;
            count += 1;
        }
        let columns = &reader.header().names;
        self.lines += usize::from(!columns.is_empty());
        // They are there even where no row says anything in them.
        for name in columns {
            self.fields.entry(name.clone()).or_default();
        }
        Ok(count)
    }

    fn record(&mut self, text: &[u8], columns: &[String], format: InputFormat) {
        let dialect = match format {
            InputFormat::Jsonl => {
                if let Ok(Json::Object(object)) = serde_json::from_slice(text) {
                    self.add(&object);
                }
                return;
            }
            InputFormat::Combined => {
                let line = std::str::from_utf8(text).ok().and_then(|text| AccessLine::parse(text).ok());
                if let Some(line) = line {
                    self.records += 1;
                    line.fields().for_each(|(name, text)| self.add_text(name, text));
                }
                return;
            }
            InputFormat::Csv => Dialect::Csv,
            InputFormat::Tsv => Dialect::Tsv,
        };
        let Ok(row) = std::str::from_utf8(text) else { return };
        self.records += 1;
        for (name, field) in columns.iter().zip(RowFields::new(row, dialect)) {
            self.add_text(name.clone(), &field.text());
        }
    }

    fn add_text(&mut self, name: String, text: &str) {
        let is_integer = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
        let field = self.fields.entry(name).or_default();
        if !text.is_empty() {
            field.add(text.to_owned(), usize::from(is_integer));
        }
    }

    fn add(&mut self, object: &serde_json::Map<String, Json>) {
        self.records += 1;
        for (name, value) in object {
            match value {
                Json::Object(inner) => {
                    for (inner_name, value) in inner {
                        let path = format!("{name}.{inner_name}");
                        // A literal key with a dot in it wins.
                        if !object.contains_key(&path) {
                            self.add_value(path, value);
                        }
                    }
                }
                value => self.add_value(name.clone(), value),
            }
        }
    }

    fn add_value(&mut self, path: String, value: &Json) {
        let field = self.fields.entry(path).or_default();
        let text = match value {
            Json::Null | Json::Array(_) | Json::Object(_) => return,
            Json::String(text) if text.is_empty() => return,
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        field.add(text, usize::from(value.is_i64() || value.is_u64()));
    }
}

impl Field {
    fn add(&mut self, text: String, integers: usize) {
        self.scalars += 1;
        self.integers += integers;
        if self.texts.len() < TEXTS {
            self.texts.push(text);
        }
    }

    /// The format of most of the sampled texts; `None` where most are no times.
    pub fn time_format(&self) -> Option<TimeFormat> {
        let mut tally: Vec<(usize, TimeFormat)> = Vec::new();
        for format in self.texts.iter().filter_map(|text| TimeFormat::recognise(text)) {
            match tally.iter_mut().find(|(_, known)| *known == format) {
                Some((count, _)) => *count += 1,
                None => tally.push((1, format)),
            }
        }
        let known: usize = tally.iter().map(|&(count, _)| count).sum();
        if known * 2 < self.texts.len() {
            return None;
        }
        // Of equals the first seen: `max_by_key` alone would take the last.
        tally.into_iter().rev().max_by_key(|&(count, _)| count).map(|(_, format)| format)
    }
}
