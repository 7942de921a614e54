//! The checkpoint file: one frame with named sections, in which no cut and no changed byte goes unseen.
//!
//! ```text
//! file header     magic "RDRVCKPT", format version u16
//! frame header    length u64, kind u8, id u64, parent u64, sections u16, CRC u32 of the fields before it
//! section table   a section: id u16, version u16, length u64, CRC u32; then CRC u32 of frame header and table
//! sections        their bytes, in the order of the table
//! ```
//!
//! Little-endian. `length` counts table and sections. There is no wall time inside. The header has its own CRC so
//! that a damaged header is not blamed on the table; the table's CRC goes on from the header's, so that no table
//! fits under another header.

use std::{borrow::Cow, fmt};

use thiserror::Error;

use super::codec::{CodecError, Decoder, Encoder};

const MAGIC: &[u8; 8] = b"RDRVCKPT";
/// Version of the file format, the only one that this program reads.
pub const FORMAT_VERSION: u16 = 1;
const FILE_HEADER_BYTES: usize = 10;
const FRAME_HEADER_BYTES: usize = 31;
const TABLE_ENTRY_BYTES: usize = 16;
const CRC_BYTES: usize = 4;
const KIND_SNAPSHOT: u8 = 0;

/// The sections of a checkpoint. Every snapshot has each of them once, if only empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum SectionId {
    /// Which log the checkpoint belongs to.
    LogIdentity = 1,
    /// Next record and byte to read, by partition.
    Positions = 2,
    /// Highest explicit offset, by partition.
    ExplicitOffsets = 3,
    /// Watermarks and idle counters.
    Watermarks = 4,
    /// Late and otherwise excluded records.
    ExcludedRanges = 5,
    /// How often each record was applied.
    AppliedRanges = 6,
    /// Buckets and their bounds.
    Buckets = 7,
    /// Texts of the ids used in cells and user sets.
    Names = 8,
    /// Counts and sums.
    Cells = 9,
    /// User sets, with their kind.
    UserSets = 10,
    /// Event ids seen.
    Ids = 11,
    /// How much of the sink belongs to the checkpoint.
    SinkPosition = 12,
    /// Settings and their hash.
    Settings = 13,
}

impl SectionId {
    /// All of them, by number.
    pub const ALL: [SectionId; 13] = [
        SectionId::LogIdentity,
        SectionId::Positions,
        SectionId::ExplicitOffsets,
        SectionId::Watermarks,
        SectionId::ExcludedRanges,
        SectionId::AppliedRanges,
        SectionId::Buckets,
        SectionId::Names,
        SectionId::Cells,
        SectionId::UserSets,
        SectionId::Ids,
        SectionId::SinkPosition,
        SectionId::Settings,
    ];

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            SectionId::LogIdentity => "log identity",
            SectionId::Positions => "positions",
            SectionId::ExplicitOffsets => "explicit offsets",
            SectionId::Watermarks => "watermarks",
            SectionId::ExcludedRanges => "excluded ranges",
            SectionId::AppliedRanges => "applied ranges",
            SectionId::Buckets => "buckets",
            SectionId::Names => "names",
            SectionId::Cells => "cells",
            SectionId::UserSets => "user sets",
            SectionId::Ids => "ids",
            SectionId::SinkPosition => "sink position",
            SectionId::Settings => "settings",
        }
    }

    /// The version of its content that this program writes, and the only one that it reads.
    pub fn version(self) -> u16 {
        1
    }

    fn from_number(number: u16) -> Option<SectionId> {
        SectionId::ALL.into_iter().find(|&id| id as u16 == number)
    }
}

impl fmt::Display for SectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One section: an id, the version of its content, its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section<'a> {
    /// Which.
    pub id: SectionId,
    /// Version of its content.
    pub version: u16,
    /// Its content.
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> Section<'a> {
    /// A section in the version that this program writes.
    pub fn new(id: SectionId, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Section { id, version: id.version(), bytes: bytes.into() }
    }
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A whole state.
    Snapshot,
}

/// A frame whose every CRC held, with every section once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it holds.
    pub kind: FrameKind,
    /// Number of the checkpoint.
    pub id: u64,
    /// Number of the frame it builds on; 0 for a snapshot.
    pub parent: u64,
    /// Its sections in file order.
    pub sections: Vec<Section<'a>>,
}

impl Frame<'_> {
    /// The content of a section. Empty only where it is empty in the file: [`decode`] refuses a missing one.
    pub fn section(&self, id: SectionId) -> &[u8] {
        self.sections.iter().find(|section| section.id == id).map_or(&[], |section| &section.bytes)
    }
}

/// A part of a checkpoint file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Magic and format version.
    FileHeader,
    /// Length, kind, ids.
    FrameHeader,
    /// Ids, versions, lengths and CRCs of the sections.
    SectionTable,
    /// A section.
    Section(SectionId),
    /// What comes after the frame.
    FileEnd,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::FileHeader => f.write_str("file header"),
            Part::FrameHeader => f.write_str("frame header"),
            Part::SectionTable => f.write_str("section table"),
            Part::Section(id) => write!(f, "section \"{id}\""),
            Part::FileEnd => f.write_str("end of file"),
        }
    }
}

/// What is wrong with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Problem {
    /// The file ends in it.
    #[error("cut short")]
    CutShort,
    /// Its bytes are not those that were written.
    #[error("checksum does not match")]
    Checksum,
    /// The magic is missing.
    #[error("not a Rederive checkpoint")]
    Magic,
    /// A newer or damaged file.
    #[error("unknown format version {0}")]
    FormatVersion(u16),
    /// A frame of a newer version.
    #[error("unknown frame kind {0}")]
    Kind(u8),
    /// The table's lengths do not add up to the frame's.
    #[error("lengths do not add up")]
    Lengths,
    /// A section of a newer version.
    #[error("unknown section {0}")]
    UnknownSection(u16),
    /// A section in a newer version.
    #[error("unknown section version {0}")]
    SectionVersion(u16),
    /// A snapshot without it.
    #[error("missing")]
    Missing,
    /// A section that is there twice.
    #[error("there twice")]
    Duplicate,
    /// Bytes after the frame.
    #[error("trailing bytes: {0}")]
    Trailing(usize),
    /// The checksum holds, the content makes no sense.
    #[error("{0}")]
    Content(#[from] CodecError),
}

/// Why a checkpoint file is refused, naming the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{part}: {problem}")]
pub struct ContainerError {
    /// Where.
    pub part: Part,
    /// What.
    pub problem: Problem,
}

impl ContainerError {
    /// For the reader of a section's content.
    pub fn content(id: SectionId, error: CodecError) -> Self {
        ContainerError { part: Part::Section(id), problem: Problem::Content(error) }
    }
}

/// The file of a snapshot.
pub fn encode_snapshot(id: u64, sections: &[Section<'_>]) -> Vec<u8> {
    let content: usize = sections.iter().map(|section| section.bytes.len()).sum();
    let length = sections.len() * TABLE_ENTRY_BYTES + CRC_BYTES + content;
    let mut frame = Encoder::new();
    frame.fixed_u64(length as u64);
    frame.u8(KIND_SNAPSHOT);
    frame.fixed_u64(id);
    frame.fixed_u64(0);
    frame.fixed_u16(u16::try_from(sections.len()).unwrap_or(u16::MAX));
    let header = frame.finish();
    let mut table = Encoder::new();
    for section in sections {
        table.fixed_u16(section.id as u16);
        table.fixed_u16(section.version);
        table.fixed_u64(section.bytes.len() as u64);
        table.fixed_u32(crc32fast::hash(&section.bytes));
    }
    let table = table.finish();
    let mut file = Encoder::new();
    file.raw(MAGIC);
    file.fixed_u16(FORMAT_VERSION);
    file.raw(&header);
    file.fixed_u32(crc32fast::hash(&header));
    file.raw(&table);
    file.fixed_u32(table_crc(&header, &table));
    for section in sections {
        file.raw(&section.bytes);
    }
    file.finish()
}

/// Reads a checkpoint file whole, or refuses it naming the first part that is wrong.
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, ContainerError> {
    let mut reader = Reader::new(bytes);
    reader.file_header()?;
    let header = reader.frame_header()?;
    let table = reader.table(&header)?;
    let mut sections: Vec<Section<'_>> = Vec::with_capacity(table.len());
    for entry in &table {
        let (id, content) = reader.section(entry)?;
        if sections.iter().any(|section| section.id == id) {
            return Err(ContainerError { part: Part::Section(id), problem: Problem::Duplicate });
        }
        sections.push(Section { id, version: entry.version, bytes: Cow::Borrowed(content) });
    }
    if let Some(id) = SectionId::ALL.into_iter().find(|&id| sections.iter().all(|section| section.id != id)) {
        return Err(ContainerError { part: Part::Section(id), problem: Problem::Missing });
    }
    reader.end()?;
    Ok(Frame { kind: FrameKind::Snapshot, id: header.id, parent: header.parent, sections })
}

/// One line of [`inspect`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Name of the part: `file header`, `section "cells"`, ...
    pub name: String,
    /// Its size in this file.
    pub bytes: u64,
    /// What is wrong with it.
    pub problem: Option<Problem>,
}

impl Inspected {
    /// Whether nothing is wrong with it.
    pub fn is_ok(&self) -> bool {
        self.problem.is_none()
    }
}

/// The parts of a file, sound or not, as far as they can be told apart.
pub fn inspect(bytes: &[u8]) -> Vec<Inspected> {
    let mut reader = Reader::new(bytes);
    let mut parts = Vec::new();
    let mut list = |part: String, bytes: usize, problem: Option<Problem>| {
        parts.push(Inspected { name: part, bytes: bytes as u64, problem });
        problem.is_none()
    };
    let before = reader.left();
    let result = reader.file_header();
    if !list(Part::FileHeader.to_string(), before - reader.left(), problem(&result)) {
        return parts;
    }
    let before = reader.left();
    let header = reader.frame_header();
    list(Part::FrameHeader.to_string(), before - reader.left(), problem(&header));
    let Ok(header) = header else { return parts };
    let before = reader.left();
    let table = reader.table(&header);
    list(Part::SectionTable.to_string(), before - reader.left(), problem(&table));
    let Ok(table) = table else { return parts };
    let mut seen = Vec::new();
    for entry in &table {
        let before = reader.left();
        let mut found = problem(&reader.section(entry));
        if found.is_none() && seen.contains(&entry.id) {
            found = Some(Problem::Duplicate);
        }
        seen.push(entry.id);
        list(entry.name(), before - reader.left(), found);
    }
    for id in SectionId::ALL.into_iter().filter(|&id| !seen.contains(&(id as u16))) {
        list(Part::Section(id).to_string(), 0, Some(Problem::Missing));
    }
    if let Err(error) = reader.end() {
        list(error.part.to_string(), reader.left(), Some(error.problem));
    }
    parts
}

fn problem<T>(result: &Result<T, ContainerError>) -> Option<Problem> {
    result.as_ref().err().map(|error| error.problem)
}

struct FrameHeader<'a> {
    bytes: &'a [u8],
    length: u64,
    id: u64,
    parent: u64,
    sections: u16,
}

struct TableEntry {
    id: u16,
    version: u16,
    length: u64,
    crc: u32,
}

impl TableEntry {
    fn part(&self) -> Result<SectionId, ContainerError> {
        let unknown = ContainerError { part: Part::SectionTable, problem: Problem::UnknownSection(self.id) };
        SectionId::from_number(self.id).ok_or(unknown)
    }

    fn name(&self) -> String {
        let unknown = || format!("section {}", self.id);
        SectionId::from_number(self.id).map_or_else(unknown, |id| Part::Section(id).to_string())
    }
}

/// Reads part by part; every error names its part.
struct Reader<'a> {
    rest: Decoder<'a>,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: Decoder::new(bytes) }
    }

    fn left(&self) -> usize {
        self.rest.remaining()
    }

    fn take(&mut self, length: usize, part: Part) -> Result<&'a [u8], ContainerError> {
        let cut = ContainerError { part, problem: Problem::CutShort };
        self.rest.raw(length).map_err(|_| cut)
    }

    fn file_header(&mut self) -> Result<(), ContainerError> {
        let wrong = |problem| ContainerError { part: Part::FileHeader, problem };
        let mut header = Decoder::new(self.take(FILE_HEADER_BYTES, Part::FileHeader)?);
        if header.raw(MAGIC.len()).map_err(|_| wrong(Problem::CutShort))? != MAGIC {
            return Err(wrong(Problem::Magic));
        }
        match header.fixed_u16() {
            Ok(FORMAT_VERSION) => Ok(()),
            Ok(version) => Err(wrong(Problem::FormatVersion(version))),
            Err(_) => Err(wrong(Problem::CutShort)),
        }
    }

    fn frame_header(&mut self) -> Result<FrameHeader<'a>, ContainerError> {
        let wrong = |problem| ContainerError { part: Part::FrameHeader, problem };
        let bytes = self.take(FRAME_HEADER_BYTES, Part::FrameHeader)?;
        let (fields, crc) = bytes.split_at_checked(FRAME_HEADER_BYTES - CRC_BYTES).unwrap_or((bytes, &[]));
        if Decoder::new(crc).fixed_u32() != Ok(crc32fast::hash(fields)) {
            return Err(wrong(Problem::Checksum));
        }
        let (kind, header) = frame_fields(fields).map_err(|error| wrong(error.into()))?;
        if kind != KIND_SNAPSHOT {
            return Err(wrong(Problem::Kind(kind)));
        }
        Ok(header)
    }

    fn table(&mut self, header: &FrameHeader<'_>) -> Result<Vec<TableEntry>, ContainerError> {
        let wrong = |problem| ContainerError { part: Part::SectionTable, problem };
        let table_bytes = usize::from(header.sections) * TABLE_ENTRY_BYTES;
        let table = self.take(table_bytes, Part::SectionTable)?;
        let crc = self.take(CRC_BYTES, Part::SectionTable)?;
        if Decoder::new(crc).fixed_u32() != Ok(table_crc(header.bytes, table)) {
            return Err(wrong(Problem::Checksum));
        }
        let mut fields = Decoder::new(table);
        let mut entries = Vec::with_capacity(usize::from(header.sections));
        let mut length = Some((table_bytes + CRC_BYTES) as u64);
        for _ in 0..header.sections {
            let entry = table_entry(&mut fields).map_err(|error| wrong(error.into()))?;
            length = length.and_then(|length| length.checked_add(entry.length));
            entries.push(entry);
        }
        if length == Some(header.length) { Ok(entries) } else { Err(wrong(Problem::Lengths)) }
    }

    fn section(&mut self, entry: &TableEntry) -> Result<(SectionId, &'a [u8]), ContainerError> {
        // The bytes first, so that `inspect` can go on behind a section that it does not know.
        let known = entry.part();
        let part = known.as_ref().map_or(Part::SectionTable, |&id| Part::Section(id));
        let length = usize::try_from(entry.length).unwrap_or(usize::MAX);
        let bytes = self.take(length, part)?;
        let id = known?;
        if entry.version != id.version() {
            return Err(ContainerError { part, problem: Problem::SectionVersion(entry.version) });
        }
        if crc32fast::hash(bytes) != entry.crc {
            return Err(ContainerError { part, problem: Problem::Checksum });
        }
        Ok((id, bytes))
    }

    fn end(&self) -> Result<(), ContainerError> {
        match self.left() {
            0 => Ok(()),
            left => Err(ContainerError { part: Part::FileEnd, problem: Problem::Trailing(left) }),
        }
    }
}

fn frame_fields(bytes: &[u8]) -> Result<(u8, FrameHeader<'_>), CodecError> {
    let mut fields = Decoder::new(bytes);
    let (length, kind) = (fields.fixed_u64()?, fields.u8()?);
    let (id, parent, sections) = (fields.fixed_u64()?, fields.fixed_u64()?, fields.fixed_u16()?);
    fields.finish()?;
    Ok((kind, FrameHeader { bytes, length, id, parent, sections }))
}

fn table_entry(fields: &mut Decoder<'_>) -> Result<TableEntry, CodecError> {
    let (id, version) = (fields.fixed_u16()?, fields.fixed_u16()?);
    Ok(TableEntry { id, version, length: fields.fixed_u64()?, crc: fields.fixed_u32()? })
}

fn table_crc(header: &[u8], table: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(header);
    crc.update(table);
    crc.finalize()
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
