//! Sentences about what the stream leaves out and the next batch run puts right.

use super::{Sentence, Tone};
use crate::{app::format::thousands, engine::frame::LaneFrame};

/// `31 late records`.
pub(super) fn late_records(count: u64) -> String {
    if count == 1 { "1 late record".to_owned() } else { format!("{} late records", thousands(count)) }
}

/// A publication that took an error back.
pub(super) fn late_counted(lane: &LaneFrame, counted: u64, cut: u64) -> Sentence {
    let left = lane.approximation.late_missing;
    let records = late_records(counted);
    let off = i128::from(lane.recount_totals.views) - i128::from(lane.merged_totals.views);
    let batch = format!("Batch up to {} counts", thousands(cut));
    // What else is wrong is not called late.
    let (lead, rest) = if off != i128::from(left) {
        (format!("{batch} the {records} that the stream had dropped."), String::new())
    } else if left == 0 {
        (
            format!("{batch} the {records}: the error is gone."),
            format!(
                "Merged has all {} page views of the full recount.",
                thousands(lane.recount_totals.views)
            ),
        )
    } else {
        let before = thousands(counted + left);
        (
            format!("{batch} {records}: the error falls from {before} to {}.", thousands(left)),
            format!(
                "Merged is {} short, by what the stream dropped after record {}.",
                thousands(left),
                thousands(cut)
            ),
        )
    };
    let why =
        "The batch view overrides: what the stream leaves out is missing only until the next batch run.";
    let rest = if rest.is_empty() { why.to_owned() } else { format!("{rest} {why}") };
    Sentence::new(Tone::Success, lead, rest)
}

/// Late records before the first batch run.
pub(super) fn nothing_published(position: u64, late: u64) -> Sentence {
    Sentence::new(
        Tone::Plain,
        format!("Stream has read {} and dropped {} as late.", thousands(position), thousands(late)),
        format!(
            "Batch has published nothing yet: every number is provisional, and merged is {} short.",
            thousands(late)
        ),
    )
}

/// What is missing for now.
pub(super) fn late_missing(late: u64) -> String {
    format!(
        "The stream dropped {}: merged is {} short until the next batch run.",
        late_records(late),
        thousands(late)
    )
}

/// What is missing once the stream has read everything.
pub(super) fn late_at_the_end(late: u64) -> String {
    format!(
        "The stream has read the whole log; the next batch run makes the rest final and counts the {} that it dropped.",
        late_records(late)
    )
}
