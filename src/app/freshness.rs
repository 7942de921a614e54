//! How much of a view is final, how old it is, and how many arrived records are not in it: the same words everywhere.

use super::{
    format::{seconds, thousands},
    state::Measure,
};
use crate::engine::{
    frame::{LaneFrame, Totals},
    protocol::ViewKind,
};

/// Arrived records that the batch view does not cover.
pub fn not_in_batch(lane: &LaneFrame) -> u64 {
    lane.arrived.saturating_sub(lane.batch_covers)
}

/// Arrived records that are neither in the served speed view nor below the hand-over.
pub fn not_in_speed(lane: &LaneFrame) -> u64 {
    lane.arrived.saturating_sub(lane.served_position.max(lane.batch_covers))
}

/// `12.9 s old, 2,200 not in it`: of the batch view.
pub fn batch_age(lane: &LaneFrame) -> String {
    format!("{} old, {} not in it", seconds(lane.batch_cost.age_ticks), thousands(not_in_batch(lane)))
}

/// The same of the served speed view.
pub fn speed_age(lane: &LaneFrame) -> String {
    format!("{} old, {} not in it", seconds(lane.stream_cost.age_ticks), thousands(not_in_speed(lane)))
}

/// `8,000 final + 2,182 provisional`.
pub fn split(measure: Measure, finals: &Totals, merged: &Totals) -> String {
    let rest = measure.difference(merged, finals);
    format!(
        "{} final + {} provisional",
        measure.text(finals),
        measure.difference_text(rest).trim_start_matches('+')
    )
}

/// A sentence or two on a view: what of it is final, how old it is.
pub fn of_view(view: ViewKind, lane: &LaneFrame) -> String {
    match view {
        ViewKind::Batch => format!("All of it is final. {}.", batch_age(lane)),
        ViewKind::Speed => format!("All of it is provisional. {}.", speed_age(lane)),
        ViewKind::Merged => {
            let split = split(Measure::Views, &lane.batch_totals, &lane.merged_totals);
            let missing = match lane.approximation.late_missing {
                0 => String::new(),
                missing => format!(" {} late are missing.", thousands(missing)),
            };
            format!("Page views: {split}. {} arrived and not in it.{missing}", thousands(not_in_speed(lane)))
        }
        ViewKind::Version(number) => {
            format!("As version {number} counts it: there is no batch layer that would make it final.")
        }
        ViewKind::Recount => "The records that merged covers, counted again from the log.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::frame::{Approximation, Cost};

    #[test]
    fn every_view_says_what_is_final_and_what_is_not_in_it() {
        let views = |views| Totals { views, ..Totals::default() };
        let lane = LaneFrame {
            arrived: 10_200,
            batch_covers: 8_000,
            served_position: 10_198,
            batch_totals: views(8_000),
            merged_totals: views(10_180),
            batch_cost: Cost { age_ticks: 1_290, ..Cost::default() },
            stream_cost: Cost { age_ticks: 2, ..Cost::default() },
            approximation: Approximation { late_missing: 18, ..Approximation::default() },
            ..LaneFrame::default()
        };
        assert_eq!(of_view(ViewKind::Batch, &lane), "All of it is final. 12.9 s old, 2,200 not in it.");
        assert_eq!(of_view(ViewKind::Speed, &lane), "All of it is provisional. 0.0 s old, 2 not in it.");
        assert_eq!(
            of_view(ViewKind::Merged, &lane),
            "Page views: 8,000 final + 2,180 provisional. 2 arrived and not in it. 18 late are missing."
        );
        // Batch ahead of a stream that is down: what it covers is in merged.
        let ahead = LaneFrame { served_position: 7_000, ..lane };
        assert_eq!(not_in_speed(&ahead), 2_200);
    }
}
