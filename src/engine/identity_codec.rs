//! Log identities as bytes, for checkpoints.

use crate::{
    checkpoint::{CodecError, Decoder, Encoder},
    ingest::{LogIdentity, PartitionIdentity, SegmentIdentity},
};

/// The bytes of an identity.
pub fn encode(identity: &LogIdentity) -> Vec<u8> {
    let mut out = Encoder::new();
    out.bool(identity.by_field);
    out.count(identity.partitions.len());
    for partition in &identity.partitions {
        out.str(&partition.name);
        out.count(partition.segments.len());
        for segment in &partition.segments {
            out.str(&segment.relative);
            out.u64(segment.records);
            out.u64(segment.lines);
            out.u64(segment.bytes);
            out.fixed_u128(segment.chain);
            out.fixed_u128(segment.digest);
            out.bool(segment.ends_in_line_end);
            out.bool(segment.damaged);
        }
    }
    out.finish()
}

/// The identity that `bytes` hold; `None` when they hold none.
pub fn decode(bytes: &[u8]) -> Option<LogIdentity> {
    read(Decoder::new(bytes)).ok()
}

fn read(mut input: Decoder<'_>) -> Result<LogIdentity, CodecError> {
    let by_field = input.bool()?;
    let count = input.count(2)?;
    let mut partitions = Vec::with_capacity(count);
    for _ in 0..count {
        let name = input.str()?.to_owned();
        let segments = (0..input.count(38)?).map(|_| segment(&mut input)).collect::<Result<_, _>>()?;
        partitions.push(PartitionIdentity { name, segments });
    }
    input.finish()?;
    Ok(LogIdentity { by_field, partitions })
}

fn segment(input: &mut Decoder<'_>) -> Result<SegmentIdentity, CodecError> {
    Ok(SegmentIdentity {
        relative: input.str()?.to_owned(),
        records: input.u64()?,
        lines: input.u64()?,
        bytes: input.u64()?,
        chain: input.fixed_u128()?,
        digest: input.fixed_u128()?,
        ends_in_line_end: input.bool()?,
        damaged: input.bool()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(bytes: u64, digest: u128) -> LogIdentity {
        let segment = SegmentIdentity {
            relative: "a/1.jsonl".to_owned(),
            records: 3,
            lines: 3,
            bytes,
            chain: 7,
            digest,
            ends_in_line_end: true,
            damaged: false,
        };
        let partition = PartitionIdentity { name: "a".to_owned(), segments: vec![segment] };
        LogIdentity { by_field: false, partitions: vec![partition] }
    }

    #[test]
    fn identities_round_trip() {
        let one = identity(10, 1);
        assert_eq!(decode(&encode(&one)), Some(one.clone()));
        assert_eq!(decode(&encode(&one)[1..]), None);
    }
}
