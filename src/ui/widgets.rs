//! Small parts that several panels share.

use eframe::egui::{
    self, Align, Button, Color32, CornerRadius, FontId, Frame, Id, Label, Layout, Margin, Response, RichText,
    ScrollArea, Sense, Ui, vec2,
};

use super::theme::{self, tokens};
use crate::app::{AppCommand, Edit, Input, State};

/// What a panel hands back: inputs in the order in which they were given.
pub type Out = Vec<Input>;

/// A button for a command: disabled with its reason, key on hover, filled when it is the screen's next step.
pub fn command_button(
    ui: &mut Ui,
    state: &State,
    out: &mut Out,
    command: AppCommand,
    label: &str,
) -> Response {
    let enabled = command.enabled(state);
    let t = tokens(ui);
    let primary = state.primary() == command && enabled.is_ok();
    let mut text = RichText::new(label);
    let mut button = Button::new(text.clone());
    if primary {
        text = text.color(t.on_accent).font(theme::strong(ui));
        button = Button::new(text).fill(t.accent);
    }
    let response = ui.add_enabled(enabled.is_ok(), button.min_size(vec2(0.0, ui.spacing().interact_size.y)));
    let response = described(response, command, enabled.err());
    if response.clicked() {
        out.push(Input::Command(command));
    }
    response
}

/// Adds hint, key and the reason of a disabled control as hover text.
pub fn described(response: Response, command: AppCommand, reason: Option<&'static str>) -> Response {
    let spec = command.spec();
    let key = spec.shortcut.map(|shortcut| format!(" ({shortcut})")).unwrap_or_default();
    let text = format!("{}{key}", if spec.hint.is_empty() { spec.title } else { spec.hint });
    match reason {
        Some(reason) => response.on_disabled_hover_text(format!("{text}\n{reason}.")),
        None => response.on_hover_text(text),
    }
}

/// A row of a menu for a command.
pub fn menu_row(ui: &mut Ui, state: &State, out: &mut Out, command: AppCommand, checked: bool) {
    let spec = command.spec();
    let enabled = command.enabled(state);
    let key = spec.shortcut.map(|shortcut| shortcut.to_string()).unwrap_or_default();
    let button =
        Button::selectable(checked, spec.title).shortcut_text(RichText::new(key).font(theme::mono_small(ui)));
    let response = ui.add_enabled(enabled.is_ok(), button.min_size(vec2(220.0, 0.0)));
    let response = match enabled {
        Err(reason) => response.on_disabled_hover_text(reason),
        Ok(()) => response,
    };
    if response.clicked() {
        out.push(Input::Command(command));
        ui.close();
    }
}

/// A choice of a few commands side by side.
pub fn segmented(ui: &mut Ui, state: &State, out: &mut Out, choices: &[(AppCommand, &str, bool)]) {
    ui.spacing_mut().item_spacing.x = 2.0;
    for &(command, label, selected) in choices {
        let enabled = command.enabled(state);
        let t = tokens(ui);
        let text =
            RichText::new(label).font(theme::small(ui)).color(if selected { t.strong } else { t.subdued });
        let response = ui.add_enabled(enabled.is_ok(), Button::selectable(selected, text));
        if described(response, command, enabled.err()).clicked() {
            out.push(Input::Command(command));
        }
    }
    ui.spacing_mut().item_spacing.x = 8.0;
}

/// A plain button for an edit.
pub fn edit_button(ui: &mut Ui, out: &mut Out, label: &str, edit: Edit) -> Response {
    let response = ui.button(label);
    if response.clicked() {
        out.push(Input::Edit(edit));
    }
    response
}

/// A text field that edits a value of the state; its name is the label before it.
pub fn text_field(
    ui: &mut Ui,
    name: &str,
    value: &str,
    width: f32,
    mono: bool,
) -> (Response, Option<String>) {
    let label = ui.add(Label::new(RichText::new(name).color(tokens(ui).subdued)).selectable(false));
    field(ui, label.id, value, "", width, mono)
}

/// The same for a value in the fixed-width font, with what an empty field means inside it.
pub fn hinted_field(
    ui: &mut Ui,
    name: &str,
    value: &str,
    hint: &str,
    width: f32,
) -> (Response, Option<String>) {
    let label = ui.add(Label::new(RichText::new(name).color(tokens(ui).subdued)).selectable(false));
    field(ui, label.id, value, hint, width, true)
}

/// The same with a label that is drawn already.
pub fn field(
    ui: &mut Ui,
    label: Id,
    value: &str,
    hint: &str,
    width: f32,
    mono: bool,
) -> (Response, Option<String>) {
    let mut text = value.to_owned();
    let font = if mono { theme::mono(ui) } else { theme::body(ui) };
    let t = tokens(ui);
    let field = egui::TextEdit::singleline(&mut text)
        .font(font)
        .desired_width(width)
        .hint_text(RichText::new(hint).color(t.subdued))
        .margin(Margin::symmetric(8, 3))
        .frame(
            Frame::new()
                .fill(t.canvas)
                .stroke(egui::Stroke::new(1.0, t.hairline))
                .corner_radius(4)
                .inner_margin(Margin::symmetric(8, 3)),
        );
    let response = ui.add(field).labelled_by(label);
    let changed = (text != value).then_some(text);
    (response, changed)
}

/// Rows of one height without space between them, of which only those in sight are drawn.
///
/// `ScrollArea::show_rows` adds the spacing of the surrounding `Ui` to each row: set inside only, the list would be
/// longer than its rows, and its end would stay empty.
pub fn even_rows(
    ui: &mut Ui,
    id: impl std::hash::Hash + std::fmt::Debug,
    height: f32,
    total: usize,
    draw: impl FnOnce(&mut Ui, std::ops::Range<usize>),
) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical().id_salt(id).auto_shrink(false).show_rows(ui, height, total, draw);
    });
}

/// A number, right-aligned in what is left of the row.
pub fn number_right(ui: &mut Ui, text: impl Into<String>, font: FontId, color: Color32) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.add(Label::new(RichText::new(text).font(font).color(color)).truncate());
    });
}

/// One line of a list: name on the left, number on the right.
pub fn fact_row(ui: &mut Ui, name: &str, value: impl Into<String>) {
    let t = tokens(ui);
    let size = vec2(ui.available_width(), theme::body(ui).size + 5.0);
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.add(Label::new(RichText::new(name).color(t.subdued)));
        number_right(ui, value, theme::mono(ui), t.strong);
    });
}

/// Secondary text.
pub fn small_text(ui: &mut Ui, text: impl Into<String>) -> Response {
    let (font, color) = (theme::small(ui), tokens(ui).subdued);
    ui.label(RichText::new(text).font(font).color(color))
}

/// A heading of a part of a drawer.
pub fn section(ui: &mut Ui, title: &str) {
    ui.add_space(6.0);
    ui.label(RichText::new(title).font(theme::strong(ui)).color(tokens(ui).strong));
}

/// A card of panel colour.
pub fn card(ui: &Ui) -> Frame {
    Frame::new().fill(tokens(ui).panel).corner_radius(CornerRadius::same(8)).inner_margin(Margin::same(12))
}

/// A vertical hairline between groups of a bar.
pub fn divider(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(1.0, ui.spacing().interact_size.y - 8.0), Sense::hover());
    ui.painter().rect_filled(rect, 0, tokens(ui).hairline);
}

/// A pill with a word in it.
pub fn badge(ui: &mut Ui, text: &str, color: Color32) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::strong(ui), color);
    let height = galley.size().y + 6.0;
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 20.0, height), Sense::hover());
    ui.painter().rect_filled(rect, height / 2.0, color.gamma_multiply(0.12));
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, color);
    named(&response, egui::Role::Label, text);
    response
}

/// A button that opens a menu, with a small triangle behind its name.
pub fn menu_button(ui: &mut Ui, text: impl Into<RichText>, content: impl FnOnce(&mut Ui)) -> Response {
    let mark = egui::Atom::paint(vec2(8.0, 8.0), |ui, args| {
        let center = args.rect.center();
        let points = vec![center + vec2(-4.0, -2.0), center + vec2(4.0, -2.0), center + vec2(0.0, 3.0)];
        let ink = args.fallback_text_color.gamma_multiply(0.7);
        ui.painter().add(egui::Shape::convex_polygon(points, ink, egui::Stroke::NONE));
    });
    let button = Button::new((text.into(), mark)).gap(6.0);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, content);
    response
}

/// Gives something painted a name, so that it is read and can be found.
pub fn named(response: &Response, role: egui::Role, text: impl Into<String>) {
    let text = text.into();
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, text.clone()));
}

/// Heading and close button of a drawer.
pub fn drawer_head(ui: &mut Ui, out: &mut Out, title: &str, close: AppCommand) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).heading().color(tokens(ui).strong));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Close").on_hover_text(format!("Close {title}")).clicked() {
                out.push(Input::Command(close));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;

    use super::*;

    #[test]
    fn even_rows_fill_their_place() {
        let mut bottom = 0.0_f32;
        let mut harness = Harness::builder().with_size(vec2(200.0, 300.0)).build_ui(|ui| {
            ui.spacing_mut().item_spacing.y = 7.0;
            let area = ui.available_rect_before_wrap();
            even_rows(ui, "rows", 20.0, 100, |ui, range| {
                for _ in range {
                    let (rect, _) = ui.allocate_exact_size(vec2(50.0, 20.0), Sense::hover());
                    bottom = rect.bottom() - area.bottom();
                }
            });
        });
        harness.run();
        drop(harness);
        assert!(bottom >= 0.0, "{bottom} of the place is empty");
    }
}
