//! From a point of a plot over the run to the records behind it.

use eframe::egui::{self, Ui};
use egui_plot::PlotResponse;

use super::{super::widgets::Out, Panel};
use crate::{
    app::{Edit, Input, LineageEdit, State},
    engine::{
        frame::LaneFrame,
        protocol::{Listing, NumberOf, TICKS_PER_SECOND},
    },
};

/// A click lists what of the records that had arrived by then the view counts now; with Shift, what arrived between the
/// end of the listing that is open and here.
pub fn listed(
    ui: &Ui,
    state: &State,
    lane: &LaneFrame,
    panel: Panel,
    response: &PlotResponse<()>,
    out: &mut Out,
) {
    if !response.response.clicked() {
        return;
    }
    let Some(at) = response.response.interact_pointer_pos() else { return };
    let seconds = response.transform.value_from_position(at).x;
    let to = arrived_by(lane, seconds * TICKS_PER_SECOND as f64);
    let before = ui.input(|input| input.modifiers.contains(egui::Modifiers::SHIFT)).then(|| last_end(state));
    let from = before.flatten().unwrap_or(0);
    let within = Some((from.min(to), from.max(to)));
    let number = NumberOf { within, ..NumberOf::default() };
    let listing = Listing::Behind(panel.book_view(), number);
    out.push(Input::Edit(Edit::Lineage(LineageEdit::List(listing))));
}

/// Where the stretch ended that was listed last.
fn last_end(state: &State) -> Option<u64> {
    match &state.answers.lineage.listing.as_ref()?.listing {
        Listing::Behind(_, NumberOf { within: Some((_, to)), .. }) => Some(*to),
        _ => None,
    }
}

/// Records that have arrived by a tick; between two points of the outline at an even rate.
fn arrived_by(lane: &LaneFrame, tick: f64) -> u64 {
    let after = lane.outline.partition_point(|point| (point.tick as f64) < tick);
    let Some(next) = lane.outline.get(after) else { return lane.log_records };
    let Some(last) = after.checked_sub(1).and_then(|at| lane.outline.get(at)) else { return next.records };
    let span = (next.tick - last.tick).max(1) as f64;
    let share = ((tick - last.tick as f64) / span).clamp(0.0, 1.0);
    let grown = (next.records - last.records) as f64 * share;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between nothing and the records of the log"
    )]
    let grown = grown.round() as u64;
    last.records + grown
}
