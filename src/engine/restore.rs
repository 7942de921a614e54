//! From a decoded checkpoint to the state of a processor over today's log.
//!
//! A log that only grew may have gained partitions, also between the old ones: what a checkpoint keeps by number of
//! partition is brought to where the partition of that name is now.

use std::{cell::RefCell, collections::BTreeMap};

use super::{identity_codec, source::WorkerSource, worker::StartError};
use crate::{
    checkpoint::{Checkpoint, Refused, checkpoint_name, restart_position},
    domain::PartitionIndex,
    processing::StreamState,
};

/// Brings `source` to where `checkpoint` left off. The state with the names and partitions of the source.
pub(super) fn restore(
    source: &mut dyn WorkerSource,
    checkpoint: Checkpoint,
) -> Result<StreamState, StartError> {
    let file = checkpoint_name(checkpoint.id);
    let misfit = |reason: &str| {
        StartError::AllRefused(vec![Refused { file: file.clone(), reason: reason.to_owned() }])
    };
    let saved = saved_partitions(&checkpoint);
    let places = places(&saved, source.partitions())
        .ok_or_else(|| misfit("section \"positions\": a partition that this log does not have"))?;
    let partitions = source.partitions().len();
    let position = restart_position(&checkpoint, saved.len());
    source.resume(&checkpoint)?;
    let ids = RefCell::new(source);
    let state = checkpoint
        .into_state(|text| ids.borrow_mut().key_id(text), |text| ids.borrow_mut().user_id(text))
        .ok_or_else(|| misfit("section \"names\": a name that this log does not have"))?;
    Ok(StreamState { position, ..state }.moved(&places, partitions))
}

/// Names of the partitions by which a checkpoint numbers them.
fn saved_partitions(checkpoint: &Checkpoint) -> Vec<String> {
    if let Some(positions) = &checkpoint.stamp.positions {
        return positions.iter().map(|at| at.partition.clone()).collect();
    }
    let identity = identity_codec::decode(&checkpoint.stamp.log_identity).unwrap_or_default();
    identity.partitions.into_iter().map(|partition| partition.name).collect()
}

fn places(saved: &[String], present: &[String]) -> Option<Vec<PartitionIndex>> {
    let present: BTreeMap<&String, PartitionIndex> =
        present.iter().zip((0..=u16::MAX).map(PartitionIndex)).collect();
    saved.iter().map(|name| present.get(name).copied()).collect()
}
