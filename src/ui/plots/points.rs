//! From a point of a plot over the run to the records behind it.

use eframe::egui::{self, Pos2, Ui};
use egui_plot::{PlotResponse, PlotTransform};

use super::{
    super::{listing, series::arrived_by, widgets::Out},
    Panel,
};
use crate::{
    app::State,
    engine::{
        frame::LaneFrame,
        protocol::{BookView, Listing, NumberOf},
    },
};

/// A click lists what of the records that had arrived by then the view counts now; with Shift, what arrived between the
/// end of the listing that is open and here.
pub fn listed(
    ui: &Ui,
    (state, lane, panel): (&State, &LaneFrame, Panel),
    transform: &PlotTransform,
    clicked: Option<Pos2>,
    out: &mut Out,
) {
    let Some(at) = clicked else { return };
    let seconds = transform.value_from_position(at).x;
    list(ui, state, panel.book_view(), arrived_by(&lane.outline, seconds), out);
}

/// When in the run a plot was clicked, in seconds.
pub(super) fn clicked_at(response: &PlotResponse<()>) -> Option<f64> {
    let at = response.response.interact_pointer_pos().filter(|_| response.response.clicked())?;
    Some(response.transform.value_from_position(at).x)
}

/// Lists what a view counts of the records below `to`; with Shift, from the end of the listing that is open.
pub(super) fn list(ui: &Ui, state: &State, view: BookView, to: u64, out: &mut Out) {
    let before = ui.input(|input| input.modifiers.contains(egui::Modifiers::SHIFT)).then(|| last_end(state));
    let from = before.flatten().unwrap_or(0);
    let within = Some((from.min(to), from.max(to)));
    let number = NumberOf { within, ..NumberOf::default() };
    listing::list(Listing::Behind(view, number), out);
}

/// Where the stretch ended that was listed last.
fn last_end(state: &State) -> Option<u64> {
    match &state.answers.lineage.listing.as_ref()?.listing {
        Listing::Behind(_, NumberOf { within: Some((_, to)), .. }) => Some(*to),
        _ => None,
    }
}
