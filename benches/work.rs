//! How long the work takes for which `README.md` has figures: folding, following with checkpoints, recovering, showing and
//! judging a log of a fixed seed. `cargo bench` runs all in a minute or two, `cargo bench -- checkpoint` a part.
//!
//! These are for comparing one state of the program with another on one machine. Whole programs are measured from outside,
//! as `README.md` says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that cannot go on fails"
)]

#[path = "work/folding.rs"]
mod folding;
#[path = "work/judging.rs"]
mod judging;
#[path = "work/log.rs"]
mod log;
#[path = "work/recovering.rs"]
mod recovering;
#[path = "work/showing.rs"]
mod showing;

fn main() {
    divan::main();
}
