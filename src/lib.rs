//! Rederive: derived data made visible. A batch processor and a stateful stream processor over one immutable log, their
//! views side by side, and crashes from which replay visibly does not double-count.
//!
//! # Bird's-eye view
//!
//! A log directory is read once ([`ingest`]) into records in *delivery order*. Two processors ([`processing`]) share one
//! fold: batch runs fold everything anew up to a *cut*, the stream folds record by record and keeps its state in buckets
//! bounded by those cuts. The serving layer ([`serving`]) shows `batch[0, B) ⊕ speed[B, N)` at an offset vector. What must
//! survive a crash goes through the [`checkpoint::Disk`] trait: checkpoints, the sink, the record of reads. The
//! [`engine`] plays all of that tick by tick as a pure function of log, settings, seed and commands; wall time only sets the
//! pace. The window ([`app`], `ui`) draws the engine's immutable frames and sends commands; the command line ([`cli`])
//! drives the same engine without it. Beside the Lambda lane a run can have a Kappa lane: two versions of one stream view
//! ([`serving::Kappa`], `engine/kappa`) over the same arrivals, of which one serves.
//!
//! # Layers
//!
//! Imports point down only; `tests/architecture.rs` holds it.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | L0 | [`domain`] | values, days, verdicts, views, fingerprints; no I/O, clock, thread, JSON or egui |
//! | L1 | [`ingest`] | bytes to records: partitions, segments, mapping, identity, the columnar index |
//! | L1 | [`processing`] | the processors as step machines, sans I/O |
//! | L2 | [`serving`] | arithmetic on views |
//! | L2 | [`checkpoint`] | disks, checkpoint files, sink, guarantees, the restore decision |
//! | L3 | [`analysis`] | why numbers differ: causes that add up, down to the record |
//! | L3 | [`engine`] | lanes, workers, drivers, journal, scenarios, the session behind the window |
//! | L4 | [`app`] | what the window shows, without egui |
//! | L5 | `ui` (feature `gui`), [`cli`] | the window; the headless commands |
//!
//! # Invariants
//!
//! - Ranges are half-open and every position is the next record to read.
//! - Merged equals the fold of the same prefix of the log at every step.
//! - Under an exactly-once guarantee every counted record has exactly one effect, however often it was read.
//! - Order never depends on the file system, hashing, thread timing or the host's time zone.
//! - Same log, settings and commands: the same journal, byte for byte, with either driver, with or without a window.
//! - The log directory is never written to; files that are written are replaced atomically.
//!
//! # Names
//!
//! | use | for |
//! | --- | --- |
//! | log, partition, segment, record, event, offset, position (next to read) | input |
//! | event time / tick | when it happened / virtual run time |
//! | cut (batch), boundary (serving), position (stream) | vectors of offsets |
//! | batch view, speed view, merged view | outputs |
//! | checkpoint (durable), snapshot (in memory), restore, replay, generation | recovery |
//! | crash, fault (injected), error (handled) | failure |
//! | delivery, effect, fate | accounting (in the window: read, counted, what became of it) |
//!
//! # Reading order
//!
//! [`domain`], then [`processing::StreamProcessor`], [`serving::Lambda`], `engine/lane.rs`, `engine/worker.rs`; the rest
//! follows from these.

pub mod analysis;
pub mod app;
pub mod checkpoint;
pub mod cli;
pub mod domain;
pub mod engine;
pub mod ingest;
pub mod processing;
pub mod serving;
#[cfg(feature = "gui")]
pub mod ui;
