//! L2: durable state, only through the [`Disk`] trait.
mod guarantee_id;
pub use guarantee_id::{CrashPoint, GuaranteeId};
