//! The drawer of the hand-over: where batch ends and speed starts in each partition, by which rule, and what that counts
//! twice or nowhere.

mod numbers;
mod track;

use eframe::egui::{Align, DragValue, FontId, Label, Layout, RichText, Role, ScrollArea, Ui, vec2};

use super::{
    theme::{self, tokens},
    widgets::{Out, drawer_head, edit_button, named, number_right, small_text},
};
use crate::{
    app::{AppCommand, Edit, Handles, HandoverEdit, HandoverPage, Input, RightDrawer, State, format, wrong},
    domain::PartitionIndex,
    engine::protocol::{BoundaryRule, HandoverAnswer, HandoverPartition, MergedUsers},
};

/// Height of a partition: its name and its track.
const ROW: f32 = 74.0;
/// Height of its fields, where there is no room for them beside its name.
const FIELDS: f32 = 26.0;
/// So many partitions are no long list.
const FEW: usize = 8;
/// From this width on there is.
const ROOMY: f32 = 400.0;

/// Draws the drawer.
pub fn handover_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Hand-over", AppCommand::Right(RightDrawer::Handover));
    let page = &state.answers.handover;
    let Some(answer) = &page.answer else {
        small_text(ui, "Counting…");
        return;
    };
    let is_roomy = ui.available_width() >= ROOMY * theme::scale(ui);
    // What leads back and out stays in sight.
    let foot = ui.spacing().interact_size.y + ui.spacing().item_spacing.y + 4.0;
    let most = (ui.available_height() - foot).max(60.0);
    ScrollArea::vertical().auto_shrink(false).max_height(most).show(ui, |ui| {
        numbers::verdict_ui(ui, page, answer);
        choices_ui(ui, page, answer, is_roomy, out);
        // In a narrow window few of either are in sight at once: then the handles come first, unless they are many.
        let handles_first = !is_roomy && answer.partitions.len() <= FEW;
        if !handles_first {
            numbers::numbers_ui(ui, state, page, answer);
            ui.add_space(6.0);
        }
        track::legend_ui(ui, answer);
        for (index, partition) in (0_u16..).map(PartitionIndex).zip(&answer.partitions) {
            partition_ui(ui, page, answer, (index, partition), out);
        }
        if handles_first {
            numbers::numbers_ui(ui, state, page, answer);
        }
    });
    foot_ui(ui, page, answer, is_roomy, out);
}

fn choices_ui(ui: &mut Ui, page: &HandoverPage, answer: &HandoverAnswer, is_roomy: bool, out: &mut Out) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if is_roomy {
            name(ui, "Hand-over by");
        }
        for rule in BoundaryRule::ALL {
            if choice(ui, page.rule() == Some(rule), rule_name(rule)) {
                out.push(edit(HandoverEdit::Rule(rule)));
            }
        }
    });
    let words = RichText::new(in_words(page, answer)).font(theme::small(ui)).color(tokens(ui).subdued);
    ui.add(Label::new(words).wrap());
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        name(ui, "Unique users are");
        for (users, name) in [
            (MergedUsers::United, "united"),
            (MergedUsers::Sketched, "sketched"),
            (MergedUsers::Added, "added"),
        ] {
            if choice(ui, page.users == users, name) {
                out.push(edit(HandoverEdit::Users(users)));
            }
        }
    });
}

fn name(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).color(tokens(ui).text));
    ui.add_space(6.0);
}

fn choice(ui: &mut Ui, chosen: bool, name: &str) -> bool {
    let t = tokens(ui);
    let color = if chosen { t.strong } else { t.subdued };
    ui.selectable_label(chosen, RichText::new(name).font(theme::small(ui)).color(color)).clicked()
}

fn edit(edit: HandoverEdit) -> Input {
    Input::Edit(Edit::Handover(edit))
}

fn rule_name(rule: BoundaryRule) -> &'static str {
    match rule {
        BoundaryRule::Offsets => "offset vector",
        BoundaryRule::EventTime => "event time",
        BoundaryRule::Scalar => "one scalar",
        BoundaryRule::None => "none",
    }
}

/// The rule in a sentence.
fn in_words(page: &HandoverPage, answer: &HandoverAnswer) -> String {
    match page.rule() {
        None => "Speed starts where you have put it. Choose a rule to let go of that.".to_owned(),
        Some(BoundaryRule::Offsets) => "Speed starts in each partition exactly where batch ends.".to_owned(),
        Some(BoundaryRule::EventTime) => match answer.after {
            Some(time) => format!(
                "Speed counts what happened after {time}, the last event that batch has seen. What comes late is lost."
            ),
            None => "Batch has seen no event: speed counts everything.".to_owned(),
        },
        Some(BoundaryRule::Scalar) => match answer.partitions.first() {
            Some(first) => {
                format!(
                    "Speed starts at {1}, where batch ends in {0}, in all partitions.",
                    first.name,
                    format::thousands(first.cut)
                )
            }
            None => "There is no partition.".to_owned(),
        },
        Some(BoundaryRule::None) => "Speed counts everything that it has read.".to_owned(),
    }
}

fn partition_ui(
    ui: &mut Ui,
    page: &HandoverPage,
    answer: &HandoverAnswer,
    (index, partition): (PartitionIndex, &HandoverPartition),
    out: &mut Out,
) {
    let scale = theme::scale(ui);
    let is_roomy = ui.available_width() >= ROOMY * scale;
    let height = if is_roomy { ROW } else { ROW + FIELDS };
    let size = vec2(ui.available_width(), height * scale);
    // A log can have thousands of partitions: what is out of sight only takes its place.
    let place = eframe::egui::Rect::from_min_size(ui.cursor().min, size);
    let is_selected = page.selected == Some(index) && answer.partitions.len() > FEW;
    if is_selected {
        scroll_to(ui, place, index);
    }
    if !ui.is_rect_visible(place) {
        ui.allocate_space(size);
        return;
    }
    ui.allocate_ui(size, |ui| {
        ui.set_min_size(size);
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.push_id(index.0, |ui| {
            let handles = page.handles(index, partition);
            ui.horizontal(|ui| {
                if name_ui(ui, partition, is_selected) {
                    out.push(edit(HandoverEdit::Select(index)));
                }
                if is_roomy {
                    fields_ui(ui, index, partition, handles, out);
                }
                wrong_ui(ui, partition);
            });
            track::track_ui(ui, answer, index, partition, handles, out);
            if !is_roomy {
                ui.horizontal(|ui| fields_ui(ui, index, partition, handles, out));
            }
        });
    });
}

/// Into sight, once, after it was selected elsewhere.
fn scroll_to(ui: &Ui, place: eframe::egui::Rect, index: PartitionIndex) {
    let id = eframe::egui::Id::unique("selected hand-over");
    let before = ui.data_mut(|data| data.get_temp::<u16>(id));
    if before != Some(index.0) {
        ui.data_mut(|data| data.insert_temp(id, index.0));
        if !ui.clip_rect().contains_rect(place) {
            ui.scroll_to_rect(place, Some(Align::Center));
        }
    }
}

/// The name of a partition; whether it was clicked.
fn name_ui(ui: &mut Ui, partition: &HandoverPartition, is_selected: bool) -> bool {
    let t = tokens(ui);
    let color = if is_selected { t.accent } else { t.text };
    let width = 76.0 * theme::scale(ui);
    let font = theme::strong(ui);
    let name = RichText::new(ending(ui, &partition.name, &font, width)).font(font).color(color);
    let place = vec2(width, ui.spacing().interact_size.y);
    let left = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(place, left, |ui| {
        ui.set_min_width(width);
        let name = ui.add(Label::new(name).truncate().sense(eframe::egui::Sense::click()));
        name.on_hover_text(&partition.name).clicked()
    })
    .inner
}

/// As much of the end of a name as there is room for: that is where names of one kind differ.
fn ending(ui: &Ui, name: &str, font: &FontId, width: f32) -> String {
    let fits = |text: &str| {
        let galley = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), tokens(ui).text);
        galley.size().x <= width
    };
    if fits(name) {
        return name.to_owned();
    }
    let ends = name.char_indices().skip(1).filter_map(|(at, _)| name.get(at..));
    ends.map(|end| format!("…{end}")).find(|text| fits(text)).unwrap_or_else(|| name.to_owned())
}

fn wrong_ui(ui: &mut Ui, partition: &HandoverPartition) {
    let t = tokens(ui);
    let wrong = wrong(partition.twice, partition.nowhere, partition.late);
    let (text, color) = wrong.map_or_else(|| ("each once".to_owned(), t.subdued), |wrong| (wrong, t.error));
    number_right(ui, text, theme::small(ui), color);
}

fn fields_ui(
    ui: &mut Ui,
    index: PartitionIndex,
    partition: &HandoverPartition,
    handles: Handles,
    out: &mut Out,
) {
    ui.spacing_mut().item_spacing.x = 4.0;
    let most = partition.arrived;
    if let Some(to) = field(ui, "batch up to", &partition.name, handles.cut, most) {
        out.push(edit(HandoverEdit::Cut(index, to)));
    }
    if let Some(start) = handles.start {
        if let Some(to) = field(ui, "speed from", &partition.name, start, most) {
            out.push(edit(HandoverEdit::Start(index, to)));
        }
    } else {
        small_text(ui, "speed by time");
    }
}

/// A number that can be typed or dragged; what it was changed to.
fn field(ui: &mut Ui, name: &str, partition: &str, value: u64, most: u64) -> Option<u64> {
    small_text(ui, name);
    let mut typed = value;
    let field = DragValue::new(&mut typed)
        // One scalar can lie beyond a partition's end.
        .range(0..=most.max(value))
        .speed((most as f64 / 400.0).max(0.1))
        .update_while_editing(false)
        .custom_formatter(|value, _| super::plots::number(value))
        .custom_parser(|text| text.replace(',', "").trim().parse().ok());
    let response = ui.add(field);
    let full = format!("{partition}: {name}");
    response.widget_info(|| {
        let mut info = eframe::egui::WidgetInfo::drag_value(true, value as f64);
        info.label = Some(full.clone());
        info
    });
    (response.changed() && typed != value).then_some(typed.min(most))
}

fn foot_ui(ui: &mut Ui, page: &HandoverPage, answer: &HandoverAnswer, is_roomy: bool, out: &mut Out) {
    ui.horizontal_wrapped(|ui| {
        ui.add_enabled_ui(page.is_changed(), |ui| {
            let name = "Back to the real hand-over";
            let label = if is_roomy { name } else { "Put back" };
            let response = edit_button(ui, out, label, Edit::Handover(HandoverEdit::Reset));
            named(&response, Role::Button, name);
        });
        let copies =
            [("Copy as command", answer.command(page.users)), ("Copy table", track::as_text(answer))];
        for (label, text) in copies {
            if ui.button(RichText::new(label).font(theme::small(ui))).clicked() {
                out.push(Input::Edit(Edit::Copy(text)));
            }
        }
    });
}
