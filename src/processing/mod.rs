//! L1: the processors as step machines.
//!
//! One fold ([`Fold`]) stands behind batch and stream; they differ in how long they keep it. Absent on purpose: reading,
//! writing, threads, time. Records are handed in, results are taken out.

mod accumulate;
mod batch;
mod range;
mod stream;

pub use accumulate::{Accumulate, Bulk, Fold};
pub use batch::{BatchProcessor, BatchView};
pub use range::{RangeFold, Refold, fold_range};
pub use stream::{Bucket, Handover, StreamProcessor, StreamState};

/// Version of what the stream processor keeps in its state. A checkpoint of another version is refused.
pub const PROCESSOR_VERSION: u32 = 1;

/// Random logs and rules for property tests of the layers above.
#[cfg(test)]
pub(crate) mod test_support {
    pub(crate) use super::accumulate::tests::{any_log, names, rules};
}
