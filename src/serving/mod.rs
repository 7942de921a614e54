//! L2: the serving layer, arithmetic on views.
//!
//! Absent on purpose: reading the log (a refold is handed in), threads, disks.

#[cfg(test)]
mod approximation_tests;
mod lambda;
mod sketched;

pub use lambda::{Change, Emission, GroupTotals, Lambda, Numbers};
