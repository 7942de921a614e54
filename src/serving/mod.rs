//! L2: the serving layer, arithmetic on views.
//!
//! Absent on purpose: reading the log (a refold is handed in), threads, disks.

mod kappa;
mod lambda;

pub use kappa::{Changeover, Closed, Health, Kappa, Refusal, Role, Version, VersionNumber};
pub use lambda::{Change, GroupTotals, Lambda, Numbers};
