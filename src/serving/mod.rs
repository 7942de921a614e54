//! L2: the serving layer, arithmetic on views.
//!
//! Absent on purpose: reading the log (a refold is handed in), threads, disks.

mod lambda;
mod reading;

pub use lambda::{Change, GroupTotals, Lambda, Numbers};
pub use reading::{DayReading, Reading, read_cells};
