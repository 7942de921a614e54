//! `deliveries.log`: which records were read, by all incarnations of the processor.
//!
//! Written when a micro-batch is read and never synced: it survives a kill of the process, not the power. It proves
//! re-reading to a person; nothing is restored from it.

use std::io;

use super::{
    codec::{CodecError, Decoder, Encoder},
    disk::Disk,
};
use crate::domain::RangeCounts;

/// Name of the file.
pub const DELIVERIES_FILE: &str = "deliveries.log";

const FRAME_BYTES: usize = 28;
const CRC_BYTES: usize = 4;
/// First in each frame: names the format and its version.
const MARKER: &[u8; 4] = b"RDV1";

/// Deliveries as ranges of record numbers, with counts.
#[derive(Debug, Clone, Default)]
pub struct Deliveries {
    ranges: RangeCounts,
    highest_read: Option<u64>,
    last_incarnation: Option<u32>,
    /// Bytes of whole frames.
    bytes: u64,
    tail: Tail,
    damaged_frames: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tail {
    #[default]
    Clean,
    Torn,
}

impl Deliveries {
    /// Reads what earlier incarnations left; changes nothing. A torn tail is left out, and cut off by the next
    /// append; a damaged frame is left out and counted.
    pub fn open(disk: &dyn Disk) -> io::Result<Deliveries> {
        let mut deliveries = Deliveries::default();
        let bytes = disk.read(DELIVERIES_FILE)?.unwrap_or_default();
        let frames = bytes.chunks_exact(FRAME_BYTES);
        deliveries.tail = if frames.remainder().is_empty() { Tail::Clean } else { Tail::Torn };
        for frame in frames {
            deliveries.bytes += FRAME_BYTES as u64;
            match decode_frame(frame) {
                Some((incarnation, from, to)) => deliveries.count(incarnation, from, to),
                None => deliveries.damaged_frames += 1,
            }
        }
        Ok(deliveries)
    }

    /// Takes note that `incarnation` read the records `[from, to)`. An empty range is no delivery.
    pub fn append(&mut self, disk: &mut dyn Disk, incarnation: u32, from: u64, to: u64) -> io::Result<()> {
        if from >= to {
            return Ok(());
        }
        if self.tail == Tail::Torn {
            disk.truncate(DELIVERIES_FILE, self.bytes)?;
        }
        // Until the append has returned, part of the frame may be in the file.
        self.tail = Tail::Torn;
        disk.append(DELIVERIES_FILE, &encode_frame(incarnation, from, to))?;
        self.tail = Tail::Clean;
        self.bytes += FRAME_BYTES as u64;
        self.count(incarnation, from, to);
        Ok(())
    }

    /// How often each record number was read.
    pub fn ranges(&self) -> &RangeCounts {
        &self.ranges
    }

    /// The highest record number ever read.
    pub fn highest_read(&self) -> Option<u64> {
        self.highest_read
    }

    /// The highest incarnation that read anything.
    pub fn last_incarnation(&self) -> Option<u32> {
        self.last_incarnation
    }

    /// Frames that [`Deliveries::open`] left out because their checksums do not hold.
    pub fn damaged_frames(&self) -> u64 {
        self.damaged_frames
    }

    fn count(&mut self, incarnation: u32, from: u64, to: u64) {
        self.ranges.add(from, to);
        self.highest_read = self.highest_read.max(to.checked_sub(1));
        self.last_incarnation = self.last_incarnation.max(Some(incarnation));
    }
}

fn encode_frame(incarnation: u32, from: u64, to: u64) -> Vec<u8> {
    let mut frame = Encoder::new();
    frame.raw(MARKER);
    frame.fixed_u32(incarnation);
    frame.fixed_u64(from);
    frame.fixed_u64(to);
    let mut frame = frame.finish();
    let crc = crc32fast::hash(&frame);
    frame.extend(crc.to_le_bytes());
    frame
}

fn decode_frame(frame: &[u8]) -> Option<(u32, u64, u64)> {
    let (fields, crc) = frame.split_at_checked(FRAME_BYTES - CRC_BYTES)?;
    let crc_holds = Decoder::new(crc).fixed_u32() == Ok(crc32fast::hash(fields));
    let read = |mut d: Decoder<'_>| -> Result<_, CodecError> {
        Ok((d.raw(MARKER.len())? == MARKER, d.fixed_u32()?, d.fixed_u64()?, d.fixed_u64()?))
    };
    match read(Decoder::new(fields)) {
        Ok((true, incarnation, from, to)) if crc_holds && from < to => Some((incarnation, from, to)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkpoint::{DiskFault, DiskFaultEffect, DiskOperation, FaultAt, FaultyDisk, MemoryDisk},
        domain::Run,
    };

    #[test]
    fn deliveries_survive_a_kill_and_count_re_reading() {
        let mut disk = MemoryDisk::new();
        let mut first = Deliveries::open(&disk).unwrap();
        assert_eq!((first.highest_read(), first.last_incarnation()), (None, None));
        for from in [0, 5, 10] {
            first.append(&mut disk, 0, from, from + 5).unwrap();
        }
        assert_eq!(disk.list().unwrap(), [(DELIVERIES_FILE.to_owned(), 3 * 28)]);
        disk.process_crash();
        let mut second = Deliveries::open(&disk).unwrap();
        second.append(&mut disk, 1, 5, 10).unwrap();
        second.append(&mut disk, 1, 7, 7).unwrap();
        let third = Deliveries::open(&disk).unwrap();
        let runs = [
            Run { start: 0, end: 5, count: 1 },
            Run { start: 5, end: 10, count: 2 },
            Run { start: 10, end: 15, count: 1 },
        ];
        assert_eq!(third.ranges().runs(), runs);
        assert_eq!((third.highest_read(), third.last_incarnation()), (Some(14), Some(1)));
        assert_eq!(second.ranges(), third.ranges());
    }

    #[test]
    fn a_torn_tail_is_ignored_and_cut_off() {
        for length in 0..28 {
            let at = FaultAt::Nth(DiskOperation::Append, 1);
            let plan = vec![DiskFault { at, effect: DiskFaultEffect::Tear(length) }];
            let mut disk = FaultyDisk::new(MemoryDisk::new(), plan);
            let mut live = Deliveries::open(&disk).unwrap();
            live.append(&mut disk, 0, 0, 5).unwrap();
            live.append(&mut disk, 0, 5, 10).unwrap_err();
            let mut restarted = Deliveries::open(&disk).unwrap();
            assert_eq!(restarted.highest_read(), Some(4));
            restarted.append(&mut disk, 1, 5, 10).unwrap();
            let read = Deliveries::open(&disk).unwrap();
            assert_eq!((read.ranges().total(), read.damaged_frames()), (10, 0), "torn at {length}");
        }
    }

    #[test]
    fn a_damaged_frame_is_left_out_and_counted() {
        let mut disk = MemoryDisk::new();
        let mut live = Deliveries::open(&disk).unwrap();
        live.append(&mut disk, 0, 0, 5).unwrap();
        live.append(&mut disk, 0, 5, 9).unwrap();
        let sound = disk.read(DELIVERIES_FILE).unwrap().unwrap();
        for at in 0..28 {
            let mut damaged = sound.clone();
            damaged[at] ^= 4;
            disk.write(DELIVERIES_FILE, &damaged).unwrap();
            let read = Deliveries::open(&disk).unwrap();
            assert_eq!((read.ranges().total(), read.damaged_frames()), (4, 1), "byte {at}");
        }
    }
}
