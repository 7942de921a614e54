//! The window over the real engine, by accessible label: what a person reads, clicks and types. No display is needed.
#![cfg(feature = "gui")]

#[path = "window/files.rs"]
mod files;
#[path = "window/live.rs"]
mod live;
#[path = "window/panels.rs"]
mod panels;
#[path = "window/runs.rs"]
mod runs;
#[path = "window/story.rs"]
mod story;
