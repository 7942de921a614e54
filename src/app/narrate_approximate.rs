//! Sentences about what the stream leaves out and the next batch run puts right.

use super::{Sentence, Tone};
use crate::{
    app::format::{records, thousands},
    engine::frame::LaneFrame,
};

/// `31 late records`.
pub(super) fn late_records(count: u64) -> String {
    if count == 1 { "1 late record".to_owned() } else { format!("{} late records", thousands(count)) }
}

/// A publication that took an error back.
pub(super) fn late_counted(lane: &LaneFrame, counted: u64, cut: u64) -> Sentence {
    let (were, them) = if counted == 1 { ("was", "it") } else { ("were", "them") };
    let lead = format!(
        "{} {were} missing from the stream's part; the batch run up to {} counts {them}.",
        late_records(counted),
        thousands(cut)
    );
    let left = lane.approximation.late_missing;
    let rest = match left {
        0 => "Nothing late is missing now: merged is the full recount.".to_owned(),
        _ => format!(
            "Merged is {} closer to the full recount; {left} newer late ones are still missing.",
            records(counted)
        ),
    };
    Sentence::new(Tone::Success, lead, rest)
}

/// What is missing for now.
pub(super) fn late_missing(lane: &LaneFrame) -> String {
    let missing = lane.approximation.late_missing;
    let (are, them) = if missing == 1 { ("is", "it") } else { ("are", "them") };
    format!(
        "{} {are} missing from the stream's part; the next batch run counts {them}.",
        late_records(missing)
    )
}
