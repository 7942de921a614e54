//! From a point of a plot over the run to the records behind it.

use eframe::egui::{self, Pos2, Ui};
use egui_plot::PlotTransform;

use super::{
    super::{series::arrived_by, widgets::Out},
    Panel,
};
use crate::{
    app::{Edit, Input, LineageEdit, State},
    engine::{
        frame::LaneFrame,
        protocol::{Listing, NumberOf},
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
    let to = arrived_by(&lane.outline, seconds);
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
