//! The lines (or rows that may span lines) of one segment, in bounded memory, with the hash of what was handed out.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

use super::{
    ChainHash, LogError, Segment,
    directory::SegmentInput,
    rows::{Row, RowFault, RowScan},
};

/// Longest line (or row) that is parsed. A longer one is a malformed record; its bytes are skipped without being kept.
pub const MAX_LINE_BYTES: usize = 16 << 20;

const BUFFER_BYTES: usize = 128 << 10;
const LEAST_BUFFER_BYTES: usize = 4 << 10;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Where what is handed out at once ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// At the line end.
    Lines,
    /// At the first line end that is in no quotes.
    QuotedRows,
}

/// What the next line (or row) is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// A line with something on it; [`LineReader::text`] has it.
    Text,
    /// Longer than [`MAX_LINE_BYTES`].
    TooLong,
    /// A row whose quotes are not in order.
    Broken(RowFault),
    /// The rest of a compressed segment that cannot be decoded, with the decoder's words.
    Damaged(String),
}

/// Reads a segment line by line with one line of look-ahead. Blank lines are passed over.
///
/// A line counts as handed out once it is taken; [`LineReader::byte`] and the hash stand behind the last line
/// taken and the blank lines that follow it.
pub(crate) struct LineReader {
    segment: Segment,
    /// `None` at the end: small files are closed before their first line is parsed.
    input: Option<SegmentInput>,
    disk_bytes: u64,
    buffer: Vec<u8>,
    /// Bytes below are in the hash.
    hashed: usize,
    /// Start of the next line.
    start: usize,
    /// End of what was read.
    end: usize,
    split: Split,
    /// The line at `start`.
    peeked: Option<Peeked>,
    /// Why decoding stopped; becomes a record of its own.
    damage: Option<String>,
    damaged: bool,
    byte: u64,
    line: u64,
    ends_in_line_end: bool,
    hash: ChainHash,
}

struct Peeked {
    kind: LineKind,
    /// Bytes, line end included.
    length: usize,
    lines: u64,
}

impl Peeked {
    fn line(kind: LineKind, length: usize) -> Peeked {
        Peeked { kind, length, lines: 1 }
    }

    fn row(row: Row) -> Peeked {
        let Row { length, lines, fault } = row;
        Peeked { kind: fault.map_or(LineKind::Text, LineKind::Broken), length, lines }
    }
}

impl LineReader {
    /// Opens a segment at `byte`, which is the start of line `line` (from 1). `hash` covers the bytes before it.
    pub fn open(
        segment: Segment,
        byte: u64,
        line: u64,
        hash: ChainHash,
        split: Split,
    ) -> Result<LineReader, LogError> {
        let input = Some(segment.open(byte)?);
        Ok(LineReader {
            segment,
            input,
            disk_bytes: 0,
            buffer: Vec::new(),
            hashed: 0,
            start: 0,
            end: 0,
            split,
            peeked: None,
            damage: None,
            damaged: false,
            byte,
            line,
            ends_in_line_end: true,
            hash,
        })
    }

    /// Takes over how what lies before the start ended. Behind a damaged rest there is nothing.
    pub fn after(mut self, ends_in_line_end: bool, damaged: bool) -> LineReader {
        self.ends_in_line_end = ends_in_line_end;
        self.damaged = damaged;
        if damaged {
            self.input = None;
        }
        self
    }

    /// The segment that is read.
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The next line that is not blank; `None` at the end.
    pub fn peek(&mut self) -> Result<Option<&LineKind>, LogError> {
        while self.peeked.is_none() {
            let found = match self.split {
                Split::Lines => self.find_line()?,
                Split::QuotedRows => self.find_row()?,
            };
            let Some(found) = found else { return Ok(None) };
            let may_be_blank = found.kind == LineKind::Text;
            self.peeked = Some(found);
            if may_be_blank && self.text().iter().all(u8::is_ascii_whitespace) {
                self.take()?;
            }
        }
        Ok(self.peeked.as_ref().map(|peeked| &peeked.kind))
    }

    /// The line that was peeked at, without byte order mark and line end.
    pub fn text(&self) -> &[u8] {
        let length = self.peeked.as_ref().map_or(0, |peeked| peeked.length);
        let line = self.buffer.get(self.start..self.start + length).unwrap_or_default();
        let line = if self.byte == 0 { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Hands out the line that was peeked at.
    pub fn take(&mut self) -> Result<(), LogError> {
        let Some(Peeked { kind, length, lines }) = self.peeked.take() else { return Ok(()) };
        self.line += lines;
        self.advance(length);
        match kind {
            LineKind::Text | LineKind::Broken(RowFault::TextBehindQuote | RowFault::NotClosed) => {}
            // More may still come inside its quotes.
            LineKind::Broken(RowFault::Unfinished) => self.ends_in_line_end = false,
            LineKind::TooLong => {
                while !self.ends_in_line_end && self.fill()? {
                    let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
                    self.advance(memchr(b'\n', rest).map_or(rest.len(), |at| at + 1));
                }
            }
            LineKind::Damaged(_) => {
                self.damage = None;
                self.damaged = true;
                self.ends_in_line_end = false;
            }
        }
        Ok(())
    }

    /// Decompressed bytes before the next line.
    pub fn byte(&self) -> u64 {
        self.byte
    }

    /// Number of the next line, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether what was handed out ends in a line end (true at the start).
    pub fn ends_in_line_end(&self) -> bool {
        self.ends_in_line_end
    }

    /// Whether the undecodable rest of the segment was handed out.
    pub fn damaged(&self) -> bool {
        self.damaged
    }

    /// Bytes of the file on disk that were read.
    pub fn disk_bytes(&self) -> u64 {
        self.input.as_ref().map_or(self.disk_bytes, SegmentInput::disk_bytes)
    }

    /// The hash of the bytes before the next line.
    pub fn hash(&self) -> ChainHash {
        let mut hash = self.hash.clone();
        hash.update(self.buffer.get(self.hashed..self.start).unwrap_or_default());
        hash
    }

    fn find_line(&mut self) -> Result<Option<Peeked>, LogError> {
        let mut searched = 0;
        loop {
            let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
            let rest = unread.get(searched..).unwrap_or_default();
            if let Some(at) = memchr(b'\n', rest) {
                let length = searched + at + 1;
                let kind = if length > MAX_LINE_BYTES + 1 { LineKind::TooLong } else { LineKind::Text };
                return Ok(Some(Peeked::line(kind, length)));
            }
            searched = unread.len();
            if searched > MAX_LINE_BYTES {
                return Ok(Some(Peeked::line(LineKind::TooLong, searched)));
            }
            if !self.fill()? {
                return Ok(self.at_end(searched, |_| Peeked::line(LineKind::Text, searched)));
            }
        }
    }

    fn find_row(&mut self) -> Result<Option<Peeked>, LogError> {
        let mark = if self.byte == 0 { self.skip_mark()? } else { 0 };
        let mut scan = RowScan::new(mark);
        loop {
            let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
            let length = unread.len();
            let mut found = scan.go_on(unread);
            // What is too long in several lines is given up for its first one.
            if found.map_or(length, |row| row.length) > MAX_LINE_BYTES + 1 {
                found = scan.first_line_only(RowFault::NotClosed).or(found);
                let length = found.map_or(length, |row| row.length);
                let row = found.filter(|_| length <= MAX_LINE_BYTES + 1).map(Peeked::row);
                return Ok(Some(row.unwrap_or_else(|| Peeked::line(LineKind::TooLong, length))));
            }
            if found.is_some() {
                return Ok(found.map(Peeked::row));
            }
            if !self.fill()? {
                return Ok(self.at_end(length, |unread| Peeked::row(scan.finish(unread))));
            }
        }
    }

    /// Length of the byte order mark in front.
    fn skip_mark(&mut self) -> Result<usize, LogError> {
        while self.end - self.start < BOM.len() && self.fill()? {}
        let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
        Ok(if unread.starts_with(BOM) { BOM.len() } else { 0 })
    }

    /// What the last, unended `length` bytes are.
    fn at_end(&self, length: usize, rest: impl FnOnce(&[u8]) -> Peeked) -> Option<Peeked> {
        match &self.damage {
            Some(cause) => Some(Peeked::line(LineKind::Damaged(cause.clone()), length)),
            None if length == 0 => None,
            None => Some(rest(self.buffer.get(self.start..self.end).unwrap_or_default())),
        }
    }

    fn advance(&mut self, length: usize) {
        let taken = self.buffer.get(self.start..self.start + length).unwrap_or_default();
        if let Some(&last) = taken.last() {
            self.ends_in_line_end = last == b'\n';
        }
        self.start += length;
        self.byte += length as u64;
    }

    /// Reads more behind what is there, up to the buffer's end; whether anything came.
    fn fill(&mut self) -> Result<bool, LogError> {
        let Some(mut input) = self.input.take() else { return Ok(false) };
        self.make_room();
        let before = self.end;
        while let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) {
            match input.read(room) {
                Ok(0) => {
                    self.disk_bytes = input.disk_bytes();
                    return Ok(self.end > before);
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if input.is_damage(&error) => {
                    self.disk_bytes = input.disk_bytes();
                    self.damage = Some(error.to_string());
                    return Ok(self.end > before);
                }
                Err(cause) => return Err(LogError::io("read", &self.segment.path, cause)),
            }
        }
        self.input = Some(input);
        Ok(true)
    }

    /// Moves the unread bytes to the front; grows for a long line, shrinks after it.
    fn make_room(&mut self) {
        self.hash.update(self.buffer.get(self.hashed..self.start).unwrap_or_default());
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        (self.start, self.hashed) = (0, 0);
        if self.end * 2 >= self.buffer.len() {
            // Thousands of small files, each a partition, must not cost a large buffer each.
            let least = usize::try_from(self.segment.bytes).unwrap_or(usize::MAX);
            let least = least.saturating_add(1).clamp(LEAST_BUFFER_BYTES, BUFFER_BYTES);
            let size = (self.buffer.len() * 2).clamp(least, MAX_LINE_BYTES + BUFFER_BYTES);
            self.buffer.resize(size, 0);
        } else if self.buffer.len() > 4 * BUFFER_BYTES && self.end * 4 < BUFFER_BYTES {
            self.buffer.truncate(BUFFER_BYTES);
            self.buffer.shrink_to_fit();
        }
    }
}

/// Reads `bytes` of `input` into `hash`; how many came, and whether the last one was a line end.
pub(crate) fn hash_bytes(
    input: &mut SegmentInput,
    hash: &mut ChainHash,
    bytes: u64,
) -> io::Result<(u64, bool)> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let (mut left, mut line_end) = (bytes, true);
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(BUFFER_BYTES);
        let count = match input.read(buffer.get_mut(..want).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if input.is_damage(&error) => break,
            Err(error) => return Err(error),
        };
        let read = buffer.get(..count).unwrap_or_default();
        hash.update(read);
        line_end = memrchr(b'\n', read) == Some(count - 1);
        left -= count as u64;
    }
    Ok((bytes - left, line_end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write, path::Path};

    fn segment(path: &Path) -> Segment {
        Segment { relative: "s".into(), path: path.to_owned(), bytes: 0 }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn lines(bytes: &[u8]) -> Vec<(u64, String)> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let mut reader =
            LineReader::open(segment(file.path()), 0, 1, ChainHash::default(), Split::Lines).unwrap();
        let mut found = Vec::new();
        while let Some(kind) = reader.peek().unwrap().cloned() {
            let text = match kind {
                LineKind::Text => String::from_utf8_lossy(reader.text()).into_owned(),
                LineKind::TooLong => "TOO LONG".to_owned(),
                LineKind::Broken(fault) => format!("{fault:?}"),
                LineKind::Damaged(_) => "DAMAGED".to_owned(),
            };
            found.push((reader.line(), text));
            reader.take().unwrap();
        }
        found
    }

    fn numbered(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
        expected.iter().map(|&(line, text)| (line, text.to_owned())).collect()
    }

    #[test]
    fn marks_line_ends_and_blank_lines_are_no_part_of_records() {
        let text = b"\xEF\xBB\xBF{1}\r\n\r\n  \t\n{2}\n\n{3}";
        assert_eq!(lines(text), numbered(&[(1, "{1}"), (4, "{2}"), (6, "{3}")]));
        assert_eq!(lines(b"\xEF\xBB\xBF\n\n"), []);
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"a\xEF\xBB\xBF"), numbered(&[(1, "a\u{feff}")]));
    }

    #[test]
    fn gzip_members_follow_each_other_and_damage_is_one_record() {
        let both = [gzip(b"a\nb"), gzip(b"c\nd\n")].concat();
        assert_eq!(lines(&both), numbered(&[(1, "a"), (2, "bc"), (3, "d")]));
        let mut text = Vec::new();
        for n in 0..20_000_u32 {
            writeln!(text, "{}", n.wrapping_mul(2_654_435_761)).unwrap();
        }
        let whole = gzip(&text);
        let cut = lines(&whole[..whole.len() / 2]);
        let expected = lines(&text);
        assert!(cut.len() > 1_000 && cut.len() < expected.len());
        assert_eq!(cut.last().unwrap().1, "DAMAGED");
        assert_eq!(cut[..cut.len() - 1], expected[..cut.len() - 1]);
        assert_eq!(lines(&whole[..2]), numbered(&[(1, "DAMAGED")]));
        assert_eq!(lines(&[gzip(b"a\n"), b"junk".to_vec()].concat()), numbered(&[(1, "a"), (2, "DAMAGED")]));
    }

    #[test]
    fn a_huge_line_is_skipped_and_the_rest_is_read() {
        let mut text = b"a\n".to_vec();
        text.resize(text.len() + 3 * MAX_LINE_BYTES, b'x');
        text.extend_from_slice(b"\nb\n");
        assert_eq!(lines(&text), numbered(&[(1, "a"), (2, "TOO LONG"), (3, "b")]));
        let longest = vec![b'x'; MAX_LINE_BYTES];
        let longest = [longest.as_slice(), b"\n", &longest, b"x\nb"].concat();
        let found = lines(&longest);
        assert_eq!(found[0].1.len(), MAX_LINE_BYTES);
        assert_eq!(found[1..], numbered(&[(2, "TOO LONG"), (3, "b")]));
    }
}
