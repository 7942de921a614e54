//! Composition root: arguments become a headless command or the window, nothing else happens here.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    rederive::cli::run(std::env::args_os(), window)
}

/// Opens the window over a log, a scenario or, without an argument, the shipped sample.
fn window(_path: Option<&Path>) -> ExitCode {
    rederive::cli::refuse("the window needs the gui feature")
}
