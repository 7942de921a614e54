//! Which checkpoint to restore: a pure decision over what is on disk, with every outcome named.

use super::{Checkpoint, GuaranteeId, check_r1, decode_checkpoint};
use crate::{domain::Offsets, processing::PROCESSOR_VERSION};

/// What a checkpoint must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Hash of all settings that decide results.
    pub settings_hash: u128,
    /// What is saved when, and how output is written.
    pub guarantee: GuaranteeId,
}

/// A checkpoint that is there and is not used, with the reason in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The file.
    pub file: String,
    /// Why, naming the section where one is damaged.
    pub reason: String,
}

/// What to start from.
#[derive(Debug)]
pub enum RestoreDecision {
    /// There is no checkpoint: record 0.
    NothingThere,
    /// This one. `refused` are newer ones that could not be used.
    Restore {
        /// The newest that fits.
        checkpoint: Box<Checkpoint>,
        /// Its file.
        file: String,
        /// Newer ones, newest first.
        refused: Vec<Refused>,
    },
    /// There are checkpoints and none can be used: never a silent start from 0.
    AllRefused(Vec<Refused>),
}

/// Decides over `files`, newest first, as (name, content). `log_fits` compares the identity that a checkpoint names
/// with the log, `names_known` whether all its names are the log's.
pub fn resolve(
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
    expected: &Expected,
    log_fits: &mut dyn FnMut(&Checkpoint) -> Result<(), String>,
) -> RestoreDecision {
    let mut refused = Vec::new();
    for (file, bytes) in files {
        match inspect_one(&bytes, expected, log_fits) {
            Ok(checkpoint) => {
                return RestoreDecision::Restore { checkpoint: Box::new(checkpoint), file, refused };
            }
            Err(reason) => refused.push(Refused { file, reason }),
        }
    }
    if refused.is_empty() { RestoreDecision::NothingThere } else { RestoreDecision::AllRefused(refused) }
}

/// Whether one checkpoint file can be restored; if not, why not.
pub fn inspect_one(
    bytes: &[u8],
    expected: &Expected,
    log_fits: &mut dyn FnMut(&Checkpoint) -> Result<(), String>,
) -> Result<Checkpoint, String> {
    let checkpoint = decode_checkpoint(bytes).map_err(|error| error.to_string())?;
    let stamp = &checkpoint.stamp;
    if checkpoint.processor_version != PROCESSOR_VERSION {
        let found = checkpoint.processor_version;
        return Err(format!("written by processor version {found}, this is version {PROCESSOR_VERSION}"));
    }
    if stamp.guarantee != expected.guarantee {
        return Err(format!("written under guarantee \"{}\"", stamp.guarantee));
    }
    if stamp.settings_hash != expected.settings_hash {
        return Err("written under other settings (mapping, zone, rules or time-zone data)".to_owned());
    }
    if stamp.guarantee.is_exactly_once() {
        check_r1(&checkpoint.state.position, &checkpoint.state).map_err(|error| error.to_string())?;
        let read = checkpoint.state.counts.records();
        if read != checkpoint.state.position.total() {
            let position = checkpoint.state.position.total();
            return Err(format!("its books do not agree: {read} records read, position {position}"));
        }
    }
    log_fits(&checkpoint)?;
    Ok(checkpoint)
}

/// Where a restored processor goes on: its saved position, or the start where none is saved (the textbook's -1).
pub fn restart_position(checkpoint: &Checkpoint, partitions: usize) -> Offsets {
    match &checkpoint.stamp.positions {
        Some(saved) => Offsets::from_vec(saved.iter().map(|at| at.record).collect()),
        None => Offsets::start(partitions),
    }
}
