//! The status line: how far behind, how old, how fast; and a line for the person.

use eframe::egui::{Align, Layout, RichText, Ui};

use super::{
    theme::{self, tokens},
    widgets::Out,
};
use crate::{
    app::{AppCommand, Input, State, format, freshness},
    engine::frame::LaneFrame,
};

/// From this width on there is room for all readings beside a message.
const ROOM_FOR_ALL: f32 = 1_300.0;

/// Draws the status line. `hidden` names a drawer that does not fit, `frame_micros` is how long the last frame took.
pub fn status_ui(ui: &mut Ui, state: &State, hidden: Option<&str>, frame_micros: Option<u64>, out: &mut Out) {
    ui.horizontal_centered(|ui| {
        let t = tokens(ui);
        if let Some(lane) = state.lane() {
            // A message needs the room more.
            let has_message = state.notice.is_some() || hidden.is_some();
            let is_short = has_message && ui.available_width() / theme::scale(ui) < ROOM_FOR_ALL;
            for (name, value) in readings(state, lane, frame_micros, is_short) {
                ui.spacing_mut().item_spacing.x = 4.0;
                ui.label(RichText::new(name).font(theme::small(ui)).color(t.subdued));
                ui.label(RichText::new(value).font(theme::mono_small(ui)).color(t.text));
                ui.add_space(10.0);
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(notice) = &state.notice {
                if ui.small_button("Dismiss").on_hover_text("Esc").clicked() {
                    out.push(Input::Command(AppCommand::Close));
                }
                let color = if notice.is_error { t.error } else { t.strong };
                let text = RichText::new(&notice.text).font(theme::small(ui)).color(color);
                ui.add(eframe::egui::Label::new(text).truncate());
            } else if let Some(hidden) = hidden {
                let text = format!("{hidden} needs a wider window");
                ui.label(RichText::new(text).font(theme::small(ui)).color(t.warning));
            }
        });
    });
}

fn readings(
    state: &State,
    lane: &LaneFrame,
    frame_micros: Option<u64>,
    is_short: bool,
) -> Vec<(&'static str, String)> {
    let mut readings = vec![("Records behind", format::thousands(lane.lag_records()))];
    if let Some(frame) = state.frame.as_ref().filter(|frame| !frame.loading.complete) {
        let loading = &frame.loading;
        readings.push((
            "Loading",
            format!("{} ({})", format::thousands(loading.records), format::bytes(loading.bytes)),
        ));
    }
    if is_short {
        return readings;
    }
    readings.push(("Batch view", freshness::batch_age(lane)));
    readings.push(("Speed view", freshness::speed_age(lane)));
    readings.push(("Batch", format!("{}/s", format::thousands(lane.batch_cost.simulated_throughput))));
    readings.push((
        "Stream",
        format!(
            "{}/s of {}/s",
            format::thousands(lane.stream_cost.simulated_throughput),
            format::thousands(lane.stream_cost.capacity)
        ),
    ));
    if let Some(micros) = frame_micros {
        readings.push(("Frame", format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)));
    }
    readings
}
