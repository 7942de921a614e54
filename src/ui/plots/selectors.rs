//! The choices above the plots: which number, which look, which lane.

use eframe::egui::Ui;

use crate::{
    app::{AppCommand, Look, Measure, State},
    engine::protocol::{KAPPA, LAMBDA},
    ui::widgets::{Out, segmented},
};

/// Which number and which look.
pub fn selectors(ui: &mut Ui, state: &State, out: &mut Out) {
    ui.horizontal_wrapped(|ui| {
        let measures = Measure::ALL.map(|m| (AppCommand::Show(m), m.name(), state.measure == m));
        segmented(ui, state, out, &measures);
        ui.add_space(8.0);
        let shown = if state.shows_kappa() { Look::OF_VERSIONS.as_slice() } else { Look::ALL.as_slice() };
        let now = if state.shows_kappa() { state.look.of_versions() } else { state.look };
        let looks: Vec<(AppCommand, &str, bool)> = shown
            .iter()
            .map(|&look| (AppCommand::Look(look), look.name(), now == look && !state.tables))
            .collect();
        segmented(ui, state, out, &looks);
        segmented(ui, state, out, &[(AppCommand::Tables, "as tables", state.tables)]);
        lanes(ui, state, out);
    });
}

/// Several lanes stand side by side over one log; one is shown.
fn lanes(ui: &mut Ui, state: &State, out: &mut Out) {
    if state.kappa().is_none() {
        return;
    }
    ui.add_space(8.0);
    let lanes = [(LAMBDA, "Lambda"), (KAPPA, "Kappa")];
    let lanes = lanes.map(|(lane, name)| (AppCommand::Lane(lane), name, state.shown_lane() == lane));
    segmented(ui, state, out, &lanes);
}
