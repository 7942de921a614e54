//! The records of one segment: its lines or rows, without the header where its format has one.

use std::sync::Arc;

use super::{
    ChainHash, InputFormat, LogError, ParseIssue, Segment,
    lines::{LineKind, LineReader},
    rows::{Dialect, RowFields},
};

/// What a reader has to know of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub format: InputFormat,
    /// Columns that are looked for in every header, a slot each.
    pub wanted: Arc<[String]>,
}

impl Reading {
    /// Of a format, without looking for columns.
    pub fn plain(format: InputFormat) -> Reading {
        Reading { format, wanted: Arc::new([]) }
    }
}

/// The first row of a segment, and where in it the wanted columns are. Empty where the format has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub names: Vec<String>,
    /// Wanted columns by place: column and slot.
    pub wanted: Vec<(usize, usize)>,
    /// Why no row under it can be read.
    pub fault: Option<ParseIssue>,
}

impl Header {
    fn read(row: &[u8], reading: &Reading) -> Header {
        let Ok(row) = std::str::from_utf8(row) else { return Header::unreadable() };
        let dialect = if reading.format == InputFormat::Tsv { Dialect::Tsv } else { Dialect::Csv };
        let names: Vec<String> =
            RowFields::new(row, dialect).map(|field| field.text().into_owned()).collect();
        let mut wanted = Vec::with_capacity(reading.wanted.len());
        let mut fault = None;
        for (slot, name) in reading.wanted.iter().enumerate() {
            // Of two columns of one name the last wins, as of two keys of a JSON object.
            match names.iter().rposition(|column| column == name) {
                Some(column) => wanted.push((column, slot)),
                None => fault = fault.or_else(|| Some(ParseIssue::NoColumn(name.clone()))),
            }
        }
        wanted.sort_unstable();
        Header { names, wanted, fault }
    }

    fn unreadable() -> Header {
        Header { fault: Some(ParseIssue::NoHeader), ..Header::default() }
    }
}

/// A [`LineReader`] that keeps the header of its segment to itself. It is no record, and what is handed out of a segment
/// includes it from the first look on.
pub(crate) struct RecordReader {
    lines: LineReader,
    reading: Reading,
    header: Header,
    /// Whether the header is still to come.
    header_ahead: bool,
}

impl RecordReader {
    /// At the start of a segment.
    pub fn start(segment: Segment, reading: &Reading) -> Result<RecordReader, LogError> {
        RecordReader::open(segment, 0, 1, ChainHash::default(), reading)
    }

    /// Opens a segment at `byte`, which is the start of line `line` (from 1). `hash` covers the bytes before it. The header
    /// is read from the segment's start, wherever it is opened.
    pub fn open(
        segment: Segment,
        byte: u64,
        line: u64,
        hash: ChainHash,
        reading: &Reading,
    ) -> Result<RecordReader, LogError> {
        let split = reading.format.split();
        let mut header = None;
        if reading.format.has_header() && byte > 0 {
            let mut top = RecordReader::start(segment.clone(), reading)?;
            top.look()?;
            // Only blank lines may lie before: then the header comes yet.
            header = (!top.header_ahead && top.lines.byte() <= byte).then_some(top.header);
        }
        Ok(RecordReader {
            lines: LineReader::open(segment, byte, line, hash, split)?,
            reading: reading.clone(),
            header_ahead: reading.format.has_header() && header.is_none(),
            header: header.unwrap_or_default(),
        })
    }

    /// Takes over how what lies before the start ended. Behind a damaged rest there is nothing.
    pub fn after(self, ends_in_line_end: bool, damaged: bool) -> RecordReader {
        RecordReader { lines: self.lines.after(ends_in_line_end, damaged), ..self }
    }

    /// The segment that is read.
    pub fn segment(&self) -> &Segment {
        self.lines.segment()
    }

    /// The next record; `None` at the end.
    pub fn peek(&mut self) -> Result<Option<&LineKind>, LogError> {
        self.look()?;
        self.lines.peek()
    }

    /// The header of the segment, known from the first look on.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The text of the record that was peeked at, without byte order mark and line end.
    pub fn text(&self) -> &[u8] {
        self.lines.text()
    }

    /// Hands out the record that was peeked at.
    pub fn take(&mut self) -> Result<(), LogError> {
        self.lines.take()
    }

    /// Decompressed bytes before the next record.
    pub fn byte(&self) -> u64 {
        self.lines.byte()
    }

    /// Number of the first line of the next record, from 1.
    pub fn line(&self) -> u64 {
        self.lines.line()
    }

    /// Whether what was handed out ends in a line end (true at the start) that ends a record.
    pub fn ends_in_line_end(&self) -> bool {
        self.lines.ends_in_line_end()
    }

    /// Whether the undecodable rest of the segment was handed out.
    pub fn damaged(&self) -> bool {
        self.lines.damaged()
    }

    /// Bytes of the file on disk that were read.
    pub fn disk_bytes(&self) -> u64 {
        self.lines.disk_bytes()
    }

    /// The hash of the bytes before the next record.
    pub fn hash(&self) -> ChainHash {
        self.lines.hash()
    }

    /// Reads the header where it comes next. What stands in its place and is no row stays a (malformed) record.
    fn look(&mut self) -> Result<(), LogError> {
        if !self.header_ahead {
            return Ok(());
        }
        match self.lines.peek()? {
            None => return Ok(()),
            Some(LineKind::Text) => {
                self.header = Header::read(self.lines.text(), &self.reading);
                self.lines.take()?;
            }
            Some(_) => self.header = Header::unreadable(),
        }
        self.header_ahead = false;
        Ok(())
    }
}
