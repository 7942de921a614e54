//! Fields that are typed into, with what is wrong under them, and rows of choices: for drawers that set something.

use eframe::egui::{self, Align, Label, Layout, RichText, Ui, vec2};

use super::{
    theme::{self, tokens},
    widgets::{field, named},
};
use crate::{
    app::{
        event_time::lateness_name,
        typed::{lateness_text, parse_lateness},
    },
    domain::Lateness,
    engine::protocol::LATENESSES,
};

/// Width of the names in front of the fields.
const NAME: f32 = 150.0;

/// Width of a field.
const FIELD: f32 = 86.0;

/// A name, a field and the unit of what is typed, in columns. The text where it changed.
pub fn form_field(ui: &mut Ui, name: &str, text: &str, unit: &str) -> (egui::Response, Option<String>) {
    let scale = theme::scale(ui);
    ui.horizontal(|ui| {
        let size = vec2(NAME * scale, ui.spacing().interact_size.y);
        let label = ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(size.x);
            ui.add(Label::new(RichText::new(name).color(tokens(ui).subdued)).selectable(false).truncate())
        });
        let typed = field(ui, label.inner.id, text, FIELD * scale, true);
        if !unit.is_empty() {
            ui.label(RichText::new(unit).font(theme::small(ui)).color(tokens(ui).subdued));
        }
        typed
    })
    .inner
}

/// What is wrong, where something is.
pub fn problem(ui: &mut Ui, error: Option<&str>) {
    if let Some(error) = error {
        ui.add(Label::new(RichText::new(error).color(tokens(ui).error)).wrap());
    }
}

/// An allowed lateness: a field, what is wrong with it, and usual ones to choose. The text where it changed.
pub fn lateness_field(ui: &mut Ui, name: &str, text: &str, error: Option<&str>) -> Option<String> {
    let (_, mut changed) = form_field(ui, name, text, "");
    problem(ui, error);
    let usual: Vec<(Lateness, String)> = std::iter::once(Lateness::Unbounded)
        .chain(LATENESSES)
        .map(|lateness| (lateness, lateness_name(lateness)))
        .collect();
    let now = parse_lateness(text).ok();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (lateness, label) in &usual {
            let small = RichText::new(label).font(theme::small(ui));
            let response = ui.selectable_label(now == Some(*lateness), small);
            named(&response, egui::Role::Button, format!("{name}: {label}"));
            if response.clicked() {
                changed = Some(lateness_text(*lateness));
            }
        }
    });
    changed
}

/// One of a few, under its name.
pub fn choice_row<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    all: &[(T, &str)],
    chosen: T,
    mut take: impl FnMut(T),
) {
    ui.add(Label::new(RichText::new(name).color(tokens(ui).subdued)));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        for &(one, label) in all {
            let response = ui.selectable_label(one == chosen, RichText::new(label).font(theme::small(ui)));
            named(&response, egui::Role::Button, format!("{name}: {label}"));
            if response.clicked() {
                take(one);
            }
        }
    });
}
