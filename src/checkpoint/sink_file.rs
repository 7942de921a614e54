//! The bytes of `sink.log`: a header, then frames, each one emission.
//!
//! ```text
//! header   magic "RDRVSINK", version u16, epoch u64, sums u8 (1 where a value is mapped), CRC u32 of the fields before it
//! frame    length u32 of the payload, CRC u32 of length and payload, payload
//! payload  records before the emission's end, number of rows, rows
//! row      page, day, views, sum, unique users, users hash
//! ```

use super::codec::{CodecError, Decoder, Encoder};
use crate::domain::Day;

const MAGIC: &[u8; 8] = b"RDRVSINK";
const VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 23;
pub(super) const FRAME_HEADER_BYTES: usize = 8;
const CRC_BYTES: usize = 4;
/// Text length, day, views, sum and uniques of one byte each, then the hash.
const LEAST_ROW_BYTES: usize = 21;

/// One absolute row: what is true of a cell now, not what was added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinkRow<'a> {
    /// The page.
    pub page: &'a str,
    /// The day.
    pub day: Day,
    /// Number of events.
    pub views: u64,
    /// Sum of values, in millionths.
    pub sum: i128,
    /// Number of distinct users.
    pub unique_users: u64,
    /// Wrapping sum of the hashes of the distinct users.
    pub users_hash: u128,
}

/// Whether the sums in a sink's rows mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SinkSums {
    /// No value is mapped: every event is worth 1, and readers are shown no sum.
    #[default]
    Hidden,
    /// A value is mapped.
    Shown,
}

/// What a sink file starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Epoch(u64, SinkSums),
    UnknownVersion(u16),
    Damaged,
}

pub(super) fn encode_header(epoch: u64, sums: SinkSums) -> Vec<u8> {
    let mut header = Encoder::new();
    header.raw(MAGIC);
    header.fixed_u16(VERSION);
    header.fixed_u64(epoch);
    header.bool(sums == SinkSums::Shown);
    let mut header = header.finish();
    let crc = crc32fast::hash(&header);
    header.extend(crc.to_le_bytes());
    header
}

pub(super) fn decode_header(bytes: &[u8]) -> Header {
    let Some((fields, crc)) =
        bytes.get(..HEADER_BYTES).and_then(|header| header.split_at_checked(HEADER_BYTES - CRC_BYTES))
    else {
        return Header::Damaged;
    };
    let read = |mut decoder: Decoder<'_>| -> Result<_, CodecError> {
        let is_sink = decoder.raw(MAGIC.len())? == MAGIC;
        let (version, epoch) = (decoder.fixed_u16()?, decoder.fixed_u64()?);
        let sums = if decoder.bool()? { SinkSums::Shown } else { SinkSums::Hidden };
        Ok((is_sink, version, epoch, sums))
    };
    let crc_holds = Decoder::new(crc).fixed_u32() == Ok(crc32fast::hash(fields));
    match read(Decoder::new(fields)) {
        Ok((true, VERSION, epoch, sums)) if crc_holds => Header::Epoch(epoch, sums),
        Ok((true, version, ..)) if crc_holds => Header::UnknownVersion(version),
        _ => Header::Damaged,
    }
}

/// A frame; `None` where the rows do not fit into one.
pub(super) fn encode_frame(records: u64, rows: &[SinkRow<'_>]) -> Option<Vec<u8>> {
    let mut payload = Encoder::new();
    payload.u64(records);
    payload.count(rows.len());
    for row in rows {
        encode_row(&mut payload, row);
    }
    let payload = payload.finish();
    let length = u32::try_from(payload.len()).ok()?.to_le_bytes();
    let mut frame = Vec::with_capacity(FRAME_HEADER_BYTES + payload.len());
    frame.extend(length);
    frame.extend(frame_crc(&length, &payload).to_le_bytes());
    frame.extend(payload);
    Some(frame)
}

/// A frame's record total and rows, and its size; `None` when it is torn or damaged.
pub(super) fn decode_frame(bytes: &[u8]) -> Option<(u64, Vec<SinkRow<'_>>, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<CRC_BYTES>()?;
    let payload = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    if u32::from_le_bytes(*crc) != frame_crc(length, payload) {
        return None;
    }
    let (records, rows) = decode_payload(payload).ok()?;
    Some((records, rows, FRAME_HEADER_BYTES + payload.len()))
}

/// Bytes that a row takes in a frame.
pub(super) fn row_bytes(row: &SinkRow<'_>) -> u64 {
    let mut encoder = Encoder::new();
    encode_row(&mut encoder, row);
    encoder.len() as u64
}

fn decode_payload(payload: &[u8]) -> Result<(u64, Vec<SinkRow<'_>>), CodecError> {
    let mut decoder = Decoder::new(payload);
    let records = decoder.u64()?;
    let count = decoder.count(LEAST_ROW_BYTES)?;
    let rows = (0..count).map(|_| decode_row(&mut decoder)).collect::<Result<Vec<_>, _>>()?;
    decoder.finish()?;
    Ok((records, rows))
}

fn encode_row(encoder: &mut Encoder, row: &SinkRow<'_>) {
    encoder.str(row.page);
    encoder.i64(i64::from(row.day.0));
    encoder.u64(row.views);
    encoder.i128(row.sum);
    encoder.u64(row.unique_users);
    encoder.fixed_u128(row.users_hash);
}

fn decode_row<'a>(decoder: &mut Decoder<'a>) -> Result<SinkRow<'a>, CodecError> {
    Ok(SinkRow {
        page: decoder.str()?,
        day: Day(decoder.i32()?),
        views: decoder.u64()?,
        sum: decoder.i128()?,
        unique_users: decoder.u64()?,
        users_hash: decoder.fixed_u128()?,
    })
}

fn frame_crc(length: &[u8], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(length);
    crc.update(payload);
    crc.finalize()
}
