//! Stream state as the sections of a checkpoint file, and back.
//!
//! The encoding is canonical: names by text, rows and users sorted, so equal states are equal bytes whatever ids the
//! names had. No wall time inside. The file means: *all records before the position, none after it*.

use std::collections::BTreeSet;

use super::{
    ContainerError, Decoder, Encoder, GuaranteeId, Section, SectionId, SinkPosition, decode, encode_snapshot,
    sections::{self, LocalNames},
};
use crate::{
    domain::{NameTable, Offsets},
    processing::{PROCESSOR_VERSION, StreamState},
};

/// Where reading goes on in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SavedPosition {
    /// Name of the partition.
    pub partition: String,
    /// The next record to read.
    pub record: u64,
    /// Segment that it lies in, relative to the log; empty where the source knows no files.
    pub segment: String,
    /// Where it starts in the segment's decompressed bytes.
    pub byte: u64,
    /// Lines before it in the segment.
    pub line: u64,
}

/// Everything about a checkpoint but the state itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp {
    /// The log's identity up to the position, as its owner encodes it.
    pub log_identity: Vec<u8>,
    /// One entry a partition. `None` in the textbook's listing, which always writes -1.
    pub positions: Option<Vec<SavedPosition>>,
    /// How much of the sink belongs to it.
    pub sink: SinkPosition,
    /// Hash of all settings that decide results.
    pub settings_hash: u128,
    /// What is saved when, and how output is written.
    pub guarantee: GuaranteeId,
}

/// A decoded checkpoint.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Its number.
    pub id: u64,
    /// About it.
    pub stamp: Stamp,
    /// Version of the processor that wrote it.
    pub processor_version: u32,
    /// The state; keys and users are places in `keys` and `users`.
    pub state: StreamState,
    /// Key texts, sorted.
    pub keys: Vec<String>,
    /// User texts, sorted.
    pub users: Vec<String>,
}

/// The state is not empty and claims that nothing was read: the textbook's mistake (R1), caught where it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("R1: the state is not empty, yet its position says that nothing was read")]
pub struct NothingRead;

/// R1: whether a position contradicts its state.
pub fn check_r1(position: &Offsets, state: &StreamState) -> Result<(), NothingRead> {
    if position.total() == 0 && !state.is_empty() { Err(NothingRead) } else { Ok(()) }
}

/// The bytes of a checkpoint file.
pub fn encode_checkpoint(
    id: u64,
    state: &StreamState,
    stamp: &Stamp,
    keys: &dyn NameTable,
    users: &dyn NameTable,
) -> Vec<u8> {
    let rows = || state.buckets.iter().flat_map(|bucket| bucket.view.rows());
    let key_ids: BTreeSet<u32> = rows().map(|row| row.cell.key.0).collect();
    let user_ids: BTreeSet<u32> = rows().flat_map(|row| row.users.iter().map(|user| user.0)).collect();
    let keys = LocalNames::new(keys, &key_ids);
    let users = LocalNames::new(users, &user_ids);
    let (cells, user_sets) = sections::cells(state, &keys, &users);
    let contents = [
        Section::new(SectionId::LogIdentity, stamp.log_identity.as_slice()),
        Section::new(SectionId::Positions, positions(stamp)),
        Section::new(SectionId::ExplicitOffsets, sections::explicit_offsets(state)),
        Section::new(SectionId::Watermarks, sections::watermarks(state)),
        Section::new(SectionId::ExcludedRanges, sections::excluded(state)),
        Section::new(SectionId::AppliedRanges, sections::effects(state)),
        Section::new(SectionId::Buckets, sections::buckets(state)),
        Section::new(SectionId::Names, sections::names(&keys, &users)),
        Section::new(SectionId::Cells, cells),
        Section::new(SectionId::UserSets, user_sets),
        Section::new(SectionId::Ids, sections::ids(state)),
        Section::new(SectionId::SinkPosition, sink_position(stamp)),
        Section::new(SectionId::Settings, settings(stamp)),
    ];
    encode_snapshot(id, &contents)
}

/// The state's own bytes, without position in files, sink and settings: what "byte for byte the same state" compares.
pub fn state_bytes(state: &StreamState, keys: &dyn NameTable, users: &dyn NameTable) -> Vec<u8> {
    encode_checkpoint(0, state, &Stamp::default(), keys, users)
}

/// Reads a checkpoint file, or refuses it naming the section.
pub fn decode_checkpoint(bytes: &[u8]) -> Result<Checkpoint, ContainerError> {
    let frame = decode(bytes)?;
    let content = |id: SectionId| Decoder::new(frame.section(id));
    let named = |id: SectionId| move |error| ContainerError::content(id, error);
    let positions = read_positions(content(SectionId::Positions)).map_err(named(SectionId::Positions))?;
    let (processor_version, guarantee, settings_hash) =
        read_settings(content(SectionId::Settings)).map_err(named(SectionId::Settings))?;
    let sink = read_sink(content(SectionId::SinkPosition)).map_err(named(SectionId::SinkPosition))?;
    let (keys, users) = sections::read_names(content(SectionId::Names)).map_err(named(SectionId::Names))?;
    let (excluded, late) = sections::read_excluded(content(SectionId::ExcludedRanges))
        .map_err(named(SectionId::ExcludedRanges))?;
    let mut state = StreamState {
        watermarks: sections::read_watermarks(content(SectionId::Watermarks))
            .map_err(named(SectionId::Watermarks))?,
        counts: excluded,
        late,
        effects: sections::read_effects(content(SectionId::AppliedRanges))
            .map_err(named(SectionId::AppliedRanges))?,
        memories: sections::read_explicit_offsets(content(SectionId::ExplicitOffsets))
            .map_err(named(SectionId::ExplicitOffsets))?,
        ..StreamState::default()
    };
    sections::read_ids(content(SectionId::Ids), &mut state.memories).map_err(named(SectionId::Ids))?;
    let mut user_sets = content(SectionId::UserSets);
    let (buckets, sizes) =
        sections::read_buckets(content(SectionId::Buckets)).map_err(named(SectionId::Buckets))?;
    state.buckets = buckets;
    let counts = (keys.len(), users.len());
    sections::read_cells(content(SectionId::Cells), &mut user_sets, &sizes, counts, &mut state)
        .map_err(|(id, error)| ContainerError::content(id, error))?;
    user_sets.finish().map_err(named(SectionId::UserSets))?;
    let partitions = positions.as_ref().map_or(0, Vec::len);
    state.position = Offsets::start(partitions);
    if let Some(saved) = &positions {
        state.position = Offsets::from_vec(saved.iter().map(|at| at.record).collect());
    }
    let stamp = Stamp {
        log_identity: frame.section(SectionId::LogIdentity).to_vec(),
        positions,
        sink,
        settings_hash,
        guarantee,
    };
    Ok(Checkpoint { id: frame.id, stamp, processor_version, state, keys, users })
}

impl Checkpoint {
    /// The state with the ids of another name table. `None` when that table cannot give one.
    pub fn into_state(
        self,
        mut key_id: impl FnMut(&str) -> Option<u32>,
        mut user_id: impl FnMut(&str) -> Option<u32>,
    ) -> Option<StreamState> {
        let keys: Vec<u32> = self.keys.iter().map(|text| key_id(text)).collect::<Option<_>>()?;
        let users: Vec<u32> = self.users.iter().map(|text| user_id(text)).collect::<Option<_>>()?;
        let mut state = self.state;
        for bucket in &mut state.buckets {
            bucket.view = sections::renamed(&bucket.view, &keys, &users)?;
        }
        Some(state)
    }
}

fn positions(stamp: &Stamp) -> Vec<u8> {
    let mut out = Encoder::new();
    out.option(stamp.positions.as_ref(), |out, positions| {
        out.count(positions.len());
        for at in positions {
            out.str(&at.partition);
            out.u64(at.record);
            out.str(&at.segment);
            out.u64(at.byte);
            out.u64(at.line);
        }
    });
    out.finish()
}

fn read_positions(mut input: Decoder<'_>) -> Result<Option<Vec<SavedPosition>>, super::CodecError> {
    let positions = input.option(|input| {
        let count = input.count(5)?;
        (0..count)
            .map(|_| {
                Ok(SavedPosition {
                    partition: input.str()?.to_owned(),
                    record: input.u64()?,
                    segment: input.str()?.to_owned(),
                    byte: input.u64()?,
                    line: input.u64()?,
                })
            })
            .collect()
    })?;
    input.finish()?;
    Ok(positions)
}

fn sink_position(stamp: &Stamp) -> Vec<u8> {
    let mut out = Encoder::new();
    out.u64(stamp.sink.epoch);
    out.u64(stamp.sink.bytes);
    out.finish()
}

fn read_sink(mut input: Decoder<'_>) -> Result<SinkPosition, super::CodecError> {
    let sink = SinkPosition { epoch: input.u64()?, bytes: input.u64()? };
    input.finish()?;
    Ok(sink)
}

fn settings(stamp: &Stamp) -> Vec<u8> {
    let mut out = Encoder::new();
    out.fixed_u32(PROCESSOR_VERSION);
    out.str(stamp.guarantee.id());
    out.fixed_u128(stamp.settings_hash);
    out.finish()
}

fn read_settings(mut input: Decoder<'_>) -> Result<(u32, GuaranteeId, u128), super::CodecError> {
    let version = input.fixed_u32()?;
    let guarantee = GuaranteeId::parse(input.str()?).ok_or(super::CodecError::Value)?;
    let hash = input.fixed_u128()?;
    input.finish()?;
    Ok((version, guarantee, hash))
}
