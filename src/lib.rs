//! stub

pub mod checkpoint;
pub mod cli;
pub mod domain;
pub mod engine;
pub mod ingest;
pub mod processing;
pub mod serving;
