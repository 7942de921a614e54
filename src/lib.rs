//! stub

pub mod checkpoint;
pub mod domain;
pub mod engine;
pub mod ingest;
