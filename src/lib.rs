//! stub

pub mod app;
pub mod checkpoint;
pub mod domain;
pub mod engine;
#[cfg(feature = "gui")]
pub mod ui;
