//! The window over the real engine, by accessible label: what a person reads, clicks and types. No display is needed.
#![cfg(feature = "gui")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "window/asking.rs"]
mod asking;
#[path = "window/event_time.rs"]
mod event_time;
#[path = "window/files.rs"]
mod files;
#[path = "window/handover.rs"]
mod handover;
#[path = "window/handover_lines.rs"]
mod handover_lines;
#[path = "window/late.rs"]
mod late;
#[path = "window/lineage.rs"]
mod lineage;
#[path = "window/live.rs"]
mod live;
#[path = "window/look.rs"]
mod look;
#[path = "window/panels.rs"]
mod panels;
#[path = "window/runs.rs"]
mod runs;
#[path = "window/settings.rs"]
mod settings;
#[path = "window/story.rs"]
mod story;
#[path = "window/theirs.rs"]
mod theirs;
#[path = "window/trade_off.rs"]
mod trade_off;
#[path = "window/version_records.rs"]
mod version_records;
#[path = "window/versions.rs"]
mod versions;
