//! L2: durable state, only through the [`Disk`] trait.
//!
//! Absent on purpose: clocks, threads, `serde_json`, and files anywhere but in `disk_real.rs`. Invariants: what is
//! read from a disk never panics and never allocates more than its bytes justify; every cut and every changed byte
//! of a checkpoint is seen, and the part named.

mod codec;
mod container;
mod deliveries;
mod directory;
mod disk;
mod disk_faulty;
mod disk_memory;
mod disk_real;
mod guarantee;
mod guarantee_id;
mod resolve;
mod sections;
mod sink;
mod sink_file;
mod snapshot;

pub use codec::{CodecError, Decoder, Encoder};
pub use container::{
    ContainerError, FORMAT_VERSION, Frame, FrameKind, Inspected, Part, Problem, Section, SectionId, decode,
    encode_snapshot, inspect,
};
pub use deliveries::{DELIVERIES_FILE, Deliveries};
pub use directory::{
    CheckpointFile, LEAST_KEPT, checkpoint_id, checkpoint_name, clean_temporary, list_checkpoints,
    next_checkpoint_id, retain, set_aside,
};
pub use disk::{Disk, DiskStats, LOCK_NAME, TEMPORARY_SUFFIX, replace};
pub use disk_faulty::{DiskFault, DiskFaultEffect, DiskOperation, FaultAt, FaultyDisk};
pub use disk_memory::{MemoryDisk, SharedDisk};
pub use disk_real::RealDisk;
pub use guarantee::{Guarantee, guarantee};
pub use guarantee_id::{CrashPoint, GuaranteeId};
pub use resolve::{Expected, Refused, RestoreDecision, inspect_one, resolve, restart_position};
pub use sink::{SINK_FILE, Sink, SinkPosition};
pub use sink_file::{SinkRow, SinkSums};
pub use snapshot::{
    Checkpoint, NothingRead, SavedPosition, Stamp, check_r1, decode_checkpoint, encode_checkpoint,
    state_bytes,
};
