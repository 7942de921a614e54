//! L2: the serving layer, arithmetic on views.
//!
//! Absent on purpose: reading the log (a refold is handed in), threads, disks.

mod boundary;
mod kappa;
mod lambda;
#[cfg(test)]
mod lambda_tests;
mod reading;
mod sketched;

pub use boundary::{
    Boundary, BoundaryRule, CountedBy, LateReader, MergeFold, Merged, MergedUsers, SpeedStart, latest_time,
    rows_that_differ, sketched,
};
pub use kappa::{Changeover, Closed, Health, Kappa, Refusal, Role, Version, VersionNumber};
pub use lambda::{Change, Emission, GroupTotals, Lambda, Numbers};
pub use reading::{DayReading, Reading, read_cells};
