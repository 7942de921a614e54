//! L5: the window. All of egui lives here and in `main.rs`.
//!
//! Every panel is a function `x_ui(ui, &State, &mut Out)`: it reads the state and pushes inputs; only
//! [`Window`] applies them. [`run_window`] puts it into a native window with the engine behind it. Absent on purpose:
//! computation over records, and waiting for anything on the window's thread.

mod approximate;
mod ask;
mod bar;
mod bars;
mod canvas;
mod checkpoints;
mod dialog;
mod differences;
mod empty;
mod event_time;
mod fates;
mod grid;
mod handover;
mod help;
mod keyboard;
mod late;
mod letters;
mod listing;
mod log_browser;
mod native;
mod numbers;
mod palette;
pub mod picture;
mod plots;
mod proof_strip;
mod record_numbers;
mod run_settings;
mod runs;
mod seams;
mod series;
mod shell;
mod sliding;
mod status;
mod still;
mod story;
mod tables;
mod theirs;
pub mod theme;
mod timeline;
mod trade_off;
mod typed;
mod versions;
mod waterfall;
mod widgets;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use dialog::pick_file;
pub use letters::Letters;
pub use native::{NativeOptions, run_window, why_no_window};
pub use shell::Window;
pub use still::{Still, picture_of};
