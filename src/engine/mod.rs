//! L3: supervision, lanes and threads.
pub mod frame;
pub mod protocol;
