//! Each guarantee as hooks in crash-point order. There are no conditionals on the guarantee anywhere else.

use super::{GuaranteeId, NothingRead, SavedPosition, check_r1};
use crate::{
    domain::{Offsets, Redelivery, Rules},
    processing::StreamState,
};

/// What one guarantee does at each point of a micro-batch where guarantees differ.
pub trait Guarantee: Send + Sync + std::fmt::Debug {
    /// Its name.
    fn id(&self) -> GuaranteeId;
    /// The rules under which records are classified.
    fn rules(&self, rules: Rules) -> Rules;
    /// The position that goes into the checkpoint, beside the state, in one atomic file.
    fn saved_positions(&self, positions: Vec<SavedPosition>) -> Option<Vec<SavedPosition>>;
    /// Whether a state may be written with a position.
    fn check_write(&self, position: &Offsets, state: &StreamState) -> Result<(), NothingRead>;
}

/// The hooks of a guarantee.
pub fn guarantee(id: GuaranteeId) -> &'static dyn Guarantee {
    match id {
        GuaranteeId::ExactlyOnceUpsertSink => &UpsertSink,
        GuaranteeId::Textbook => &Textbook,
    }
}

/// One atomic checkpoint of position and state; the sink takes absolute rows of changed cells.
#[derive(Debug)]
struct UpsertSink;

impl Guarantee for UpsertSink {
    fn id(&self) -> GuaranteeId {
        GuaranteeId::ExactlyOnceUpsertSink
    }

    fn rules(&self, rules: Rules) -> Rules {
        rules
    }

    fn saved_positions(&self, positions: Vec<SavedPosition>) -> Option<Vec<SavedPosition>> {
        Some(positions)
    }

    fn check_write(&self, position: &Offsets, state: &StreamState) -> Result<(), NothingRead> {
        check_r1(position, state)
    }
}

/// The textbook's listing as printed: the mocked `_get_last_batch` makes every saved position -1, so a restored
/// processor reads everything again on top of what it had; and nothing recognises a redelivered record.
#[derive(Debug)]
struct Textbook;

impl Guarantee for Textbook {
    fn id(&self) -> GuaranteeId {
        GuaranteeId::Textbook
    }

    fn rules(&self, rules: Rules) -> Rules {
        Rules { redelivery: Redelivery::Count, ..rules }
    }

    fn saved_positions(&self, _: Vec<SavedPosition>) -> Option<Vec<SavedPosition>> {
        None
    }

    fn check_write(&self, _: &Offsets, _: &StreamState) -> Result<(), NothingRead> {
        Ok(())
    }
}
