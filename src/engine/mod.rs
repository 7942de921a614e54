//! L3: supervision, lanes and threads.
//!
//! A [`lane::Lane`] is a pure function of log, settings, commands and faults, tick by tick; [`driver`] runs its workers inline or on
//! threads; [`protocol`] and [`frame`] are all that the window sees of it.
//!
//! Absent on purpose: egui. Wall time only in [`clock`].

mod answerer;
mod answers;
mod asking;
mod batch_runs;
mod books;
pub mod clock;
mod describe;
mod difference_answers;
mod difference_sql;
pub mod driver;
mod event_times;
pub mod export;
pub mod fault;
pub mod frame;
mod handle;
mod handover;
mod identity_codec;
mod invariants;
mod jobs;
pub mod journal;
mod kappa;
mod kappa_lane;
mod keeping;
mod lane;
mod lane_commands;
mod lane_sides;
mod lane_source;
#[cfg(test)]
mod lane_tests;
mod late_answers;
mod ledger;
mod lineage_answers;
mod log_name;
mod open_log;
mod opening;
pub mod play;
pub mod protocol;
mod read_model;
mod recount;
mod recounts;
mod recovery;
mod restore;
mod rng;
pub mod runs;
pub mod scenario;
mod series;
mod session;
pub mod simulate;
mod source;
pub mod sql;
mod strip;
mod sweep;
#[cfg(test)]
mod test_support;
mod theirs;
mod thinned;
mod view_rows;
mod wanted;
mod work;
mod worker;

pub use handle::{Engine, EngineOptions};
pub use lane::{Lane, LanePlan, OpenDisk, Ticked};
pub use lane_source::FileWorkerSource;
pub use read_model::ReadModel;
pub use source::WorkerSource;
pub use worker::{Pick, Resumed, StartError, StreamWorker, WorkError, WorkerSettings, Written};
