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

/// Widths of names and fields in points at normal size.
#[derive(Debug, Clone, Copy)]
pub struct Widths {
    name: f32,
    field: f32,
}

impl Widths {
    /// In a drawer: long names, short values.
    pub const DRAWER: Widths = Widths { name: 150.0, field: 86.0 };
    /// In a dialog: short names, paths.
    pub const DIALOG: Widths = Widths { name: 84.0, field: 180.0 };
}

/// A name, a field and a word on what is typed, in columns. The text where it changed.
pub fn form_field(
    ui: &mut Ui,
    name: &str,
    text: &str,
    word: &str,
    widths: Widths,
) -> (egui::Response, Option<String>) {
    let scale = theme::scale(ui);
    ui.horizontal(|ui| {
        let size = vec2(widths.name * scale, ui.spacing().interact_size.y);
        let label = ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(size.x);
            ui.add(Label::new(RichText::new(name).color(tokens(ui).subdued)).selectable(false).truncate())
        });
        let typed = field(ui, label.inner.id, text, "", widths.field * scale, true);
        if !word.is_empty() {
            ui.label(RichText::new(word).font(theme::small(ui)).color(tokens(ui).subdued));
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
    let (_, mut changed) = form_field(ui, name, text, "", Widths::DRAWER);
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
