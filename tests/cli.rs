//! The real program without a window: results, exit codes, crashes, kills and damaged files.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

#[path = "cli/approximation.rs"]
mod approximation;
#[path = "cli/batch.rs"]
mod batch;
#[path = "cli/crash.rs"]
mod crash;
#[path = "cli/damage.rs"]
mod damage;
#[path = "cli/formats.rs"]
mod formats;
#[path = "cli/growth.rs"]
mod growth;
#[path = "cli/merge.rs"]
mod merge;
#[path = "cli/reconcile.rs"]
mod reconcile;
#[path = "cli/stream.rs"]
mod stream;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/usage.rs"]
mod usage;
