//! Which log a result belongs to: per segment, records, bytes and a hash.
//!
//! Hashes are chained per MiB of decompressed bytes, so any prefix has a digest and a saved one can be resumed by
//! reading its last, unfinished MiB again.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{LogDirectory, LogError, Segment, lines::hash_bytes};

const BLOCK_BYTES: u64 = 1 << 20;

/// A hash of a growing stream of bytes.
#[derive(Clone, Default)]
pub(crate) struct ChainHash {
    /// Over the complete blocks.
    chain: u128,
    block: Xxh3,
    bytes: u64,
}

impl ChainHash {
    /// Continues behind complete blocks; `bytes` is rounded down to the last block's end.
    pub fn resume(chain: u128, bytes: u64) -> ChainHash {
        ChainHash { chain, block: Xxh3::new(), bytes: bytes / BLOCK_BYTES * BLOCK_BYTES }
    }

    /// Bytes hashed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(BLOCK_BYTES - self.bytes % BLOCK_BYTES).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.block.update(now);
            self.bytes += now.len() as u64;
            if self.bytes.is_multiple_of(BLOCK_BYTES) {
                self.chain =
                    xxh3_128(&[self.chain.to_le_bytes(), self.block.digest128().to_le_bytes()].concat());
                self.block.reset();
            }
            bytes = later;
        }
    }

    /// The hash of all bytes so far.
    pub fn digest(&self) -> u128 {
        let mut all = [self.chain.to_le_bytes(), self.block.digest128().to_le_bytes()].concat();
        all.extend_from_slice(&self.bytes.to_le_bytes());
        xxh3_128(&all)
    }

    /// The hash of the complete blocks.
    pub fn chain(&self) -> u128 {
        self.chain
    }
}

/// What was read of one segment. Bytes are decompressed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentIdentity {
    /// Path relative to the log.
    pub relative: String,
    /// Records.
    pub records: u64,
    /// Lines, blank ones included.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// Hash of the complete MiB, to resume from.
    pub chain: u128,
    /// Hash of all bytes.
    pub digest: u128,
    /// Whether the last byte is a line end: only then may the segment grow.
    pub ends_in_line_end: bool,
    /// Whether the undecodable rest of a compressed segment was read, as one record.
    pub damaged: bool,
}

/// What was read of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionIdentity {
    /// Its name.
    pub name: String,
    /// Its segments, up to the last one of which something was read.
    pub segments: Vec<SegmentIdentity>,
}

/// The log, or a prefix of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogIdentity {
    /// Whether a field of the records makes the partitions, so that each reads every segment.
    pub by_field: bool,
    /// Partitions by name.
    pub partitions: Vec<PartitionIdentity>,
}

/// How a log matches an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogMatch {
    /// It is that log, to the byte.
    Same,
    /// What the identity covers is unchanged; there is more behind it.
    Grown,
}

/// Why a log is not the one that an identity describes.
#[derive(Debug, thiserror::Error)]
pub enum IdentityMismatch {
    /// A partition is gone.
    #[error("the log has changed: a partition is gone: {0:?}")]
    PartitionGone(String),
    /// A segment is gone or was renamed.
    #[error("the log has changed: a segment is gone: {0:?}")]
    SegmentGone(String),
    /// A new segment sorts before one that was read.
    #[error("the log has changed: a new segment comes before others that were read: {0:?}")]
    SegmentInserted(String),
    /// A segment lost bytes.
    #[error("the log has changed: shorter than it was: {0:?}")]
    Shorter(String),
    /// Old bytes differ.
    #[error("the log has changed: old bytes differ in {0:?}")]
    Changed(String),
    /// A segment grew that may not: others follow it, or its last line was unfinished.
    #[error(
        "the log has changed: grew where it must not, before other segments or in an unfinished line: {0:?}"
    )]
    GrewInside(String),
    /// It cannot be compared.
    #[error(transparent)]
    Unreadable(#[from] LogError),
}

impl LogIdentity {
    /// Reads the log again and compares. A log that only grew is accepted: old bytes unchanged and ending in a
    /// line end, new segments sorting last in their partition, new partitions anywhere.
    pub fn verify(&self, directory: &LogDirectory) -> Result<LogMatch, IdentityMismatch> {
        let everything: Vec<Segment> = directory.segments().cloned().collect();
        let mut grown = !self.by_field && directory.partitions().len() > self.partitions.len();
        for partition in &self.partitions {
            let place = directory.partitions().iter().find(|place| place.name == partition.name);
            let segments = match place {
                _ if self.by_field => &everything,
                Some(place) => &place.segments,
                None => return Err(IdentityMismatch::PartitionGone(partition.name.clone())),
            };
            grown |= partition.verify(segments)? == LogMatch::Grown;
        }
        Ok(if grown { LogMatch::Grown } else { LogMatch::Same })
    }

    /// One hash of it all.
    pub fn digest(&self) -> u128 {
        let mut text = vec![u8::from(self.by_field)];
        let name = |text: &mut Vec<u8>, name: &str| {
            text.extend_from_slice(&(name.len() as u64).to_le_bytes());
            text.extend_from_slice(name.as_bytes());
        };
        for partition in &self.partitions {
            name(&mut text, &partition.name);
            text.extend_from_slice(&(partition.segments.len() as u64).to_le_bytes());
            for segment in &partition.segments {
                name(&mut text, &segment.relative);
                text.extend_from_slice(&segment.records.to_le_bytes());
                text.extend_from_slice(&segment.bytes.to_le_bytes());
                text.extend_from_slice(&segment.digest.to_le_bytes());
                text.push(u8::from(segment.damaged));
            }
        }
        xxh3_128(&text)
    }

    /// Records it covers.
    pub fn records(&self) -> u64 {
        self.partitions.iter().map(PartitionIdentity::records).sum()
    }
}

impl PartitionIdentity {
    /// Records it covers.
    pub fn records(&self) -> u64 {
        self.segments.iter().map(|segment| segment.records).sum()
    }

    /// Without segments at the end of which nothing was read: they say nothing, and may still grow.
    pub(crate) fn trim(&mut self) {
        while self.segments.last().is_some_and(|segment| segment.bytes == 0 && segment.records == 0) {
            self.segments.pop();
        }
    }

    fn verify(&self, present: &[Segment]) -> Result<LogMatch, IdentityMismatch> {
        for (index, old) in self.segments.iter().enumerate() {
            let Some(segment) = present.get(index) else {
                return Err(IdentityMismatch::SegmentGone(old.relative.clone()));
            };
            if *segment.relative != *old.relative {
                let renamed = !present.iter().any(|other| *other.relative == *old.relative);
                return Err(if renamed {
                    IdentityMismatch::SegmentGone(old.relative.clone())
                } else {
                    IdentityMismatch::SegmentInserted(segment.relative.to_string())
                });
            }
            if old.verify(segment)? == LogMatch::Grown {
                if index + 1 < self.segments.len() || !old.ends_in_line_end {
                    return Err(IdentityMismatch::GrewInside(old.relative.clone()));
                }
                return Ok(LogMatch::Grown);
            }
        }
        let more = present.iter().skip(self.segments.len()).any(|segment| segment.bytes > 0);
        Ok(if more { LogMatch::Grown } else { LogMatch::Same })
    }
}

impl SegmentIdentity {
    /// Of a segment of which `hash` has been read.
    pub(crate) fn new(relative: &str, records: u64, hash: &ChainHash) -> Self {
        SegmentIdentity {
            relative: relative.to_owned(),
            records,
            lines: 0,
            bytes: hash.bytes(),
            chain: hash.chain(),
            digest: hash.digest(),
            ends_in_line_end: true,
            damaged: false,
        }
    }

    /// The hash to go on with, after reading the last, incomplete MiB again; fails where it differs.
    pub(crate) fn resume(&self, segment: &Segment) -> Result<ChainHash, IdentityMismatch> {
        let mut hash = ChainHash::resume(self.chain, self.bytes);
        self.compare(segment, &mut hash)?;
        Ok(hash)
    }

    fn verify(&self, segment: &Segment) -> Result<LogMatch, IdentityMismatch> {
        self.compare(segment, &mut ChainHash::default())
    }

    /// Reads from where `hash` stands to the end of what is covered, and looks whether there is more.
    fn compare(&self, segment: &Segment, hash: &mut ChainHash) -> Result<LogMatch, IdentityMismatch> {
        let failed = |cause| LogError::io("read", &segment.path, cause);
        let mut input = segment.open(hash.bytes())?;
        hash_bytes(&mut input, hash, self.bytes - hash.bytes()).map_err(failed)?;
        if hash.bytes() < self.bytes {
            return Err(IdentityMismatch::Shorter(self.relative.clone()));
        }
        if hash.digest() != self.digest {
            return Err(IdentityMismatch::Changed(self.relative.clone()));
        }
        let (more, _) = hash_bytes(&mut input, &mut ChainHash::default(), 1).map_err(failed)?;
        Ok(if more > 0 { LogMatch::Grown } else { LogMatch::Same })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_hash_sees_bytes_and_not_how_they_came(cuts in proptest::collection::vec(0_usize..3_000_000, 0..5)) {
            let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let mut whole = ChainHash::default();
            whole.update(&bytes);
            let mut cuts = cuts;
            cuts.sort_unstable();
            let (mut parts, mut from) = (ChainHash::default(), 0);
            for cut in cuts {
                parts.update(&bytes[from..cut]);
                from = cut;
            }
            let mut resumed = ChainHash::resume(parts.chain(), parts.bytes());
            let start = usize::try_from(resumed.bytes()).unwrap();
            resumed.update(&bytes[start..]);
            parts.update(&bytes[from..]);
            prop_assert_eq!(whole.digest(), parts.digest());
            prop_assert_eq!(whole.digest(), resumed.digest());
        }
    }
}
