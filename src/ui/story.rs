//! The second line: what just happened and the next key, the question, and the start cards.

use eframe::egui::{self, Button, FontId, Label, Layout, RichText, Ui, vec2};

use super::{
    theme::{self, tokens},
    widgets::{Out, badge, described},
};
use crate::app::{
    AppCommand, Edit, ExampleKind, Input, Prediction, State, Tone, format::seconds, narrate, predicted,
    question,
};

/// Draws the sentence, and the question while it is open.
pub fn story_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let asks = question(state);
    let said = predicted(state);
    if asks.is_none() {
        return sentence_ui(ui, state, said.as_deref());
    }
    let all = ui.available_width();
    let right = (all * 0.38).clamp(300.0, 560.0 * theme::scale(ui));
    ui.horizontal_top(|ui| {
        let column = |width| vec2(width, 0.0);
        let down = Layout::top_down(egui::Align::LEFT);
        ui.allocate_ui_with_layout(column(all - right - 16.0), down, |ui| {
            ui.set_width(all - right - 16.0);
            sentence_ui(ui, state, None);
        });
        ui.allocate_ui_with_layout(column(right), down, |ui| question_ui(ui, state, out, asks.as_deref()));
    });
}

fn sentence_ui(ui: &mut Ui, state: &State, said: Option<&str>) {
    let sentence = narrate(state);
    let t = tokens(ui);
    let color = match sentence.tone {
        Tone::Plain => t.strong,
        Tone::Warning => t.warning,
        Tone::Success => t.success,
        Tone::Error => t.error,
    };
    let font = fitting(ui, &sentence.lead);
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.add(Label::new(RichText::new(&sentence.lead).font(font).color(color)).wrap());
    if sentence.rest.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if let Some(said) = said {
            badge(ui, said, t.accent);
        }
        ui.add(Label::new(RichText::new(&sentence.rest).color(t.text)).wrap());
    });
}

/// The story font, smaller where the lead would not fit on its line.
fn fitting(ui: &Ui, text: &str) -> FontId {
    let font = theme::story(ui);
    let width = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), tokens(ui).strong).size().x;
    let factor = (ui.available_width() / width.max(1.0)).clamp(0.7, 1.0);
    // Whole sizes only: every size is a set of glyphs in the atlas.
    FontId::new((font.size * factor).floor(), font.family)
}

fn question_ui(ui: &mut Ui, state: &State, out: &mut Out, asks: Option<&str>) {
    let Some(asks) = asks else { return };
    let t = tokens(ui);
    ui.add(Label::new(RichText::new(asks).color(t.strong)).wrap());
    ui.horizontal(|ui| {
        for (key, prediction) in (1..).zip(Prediction::ALL) {
            let command = AppCommand::Predict(prediction);
            let text = format!("{key}  {}", prediction.name());
            let response = ui.add_enabled(command.enabled(state).is_ok(), Button::new(text));
            if described(response, command, None).clicked() {
                out.push(Input::Command(command));
            }
        }
    });
}

/// Ways to begin, in a row: three, and first of all the run that was interrupted, where there is one.
pub fn start_cards(ui: &mut Ui, state: &State, out: &mut Out) {
    let cards = [
        (AppCommand::OpenExample(ExampleKind::Crash), "Watch a crash", "20 clicks, one minute"),
        (
            AppCommand::OpenExample(ExampleKind::Shop),
            "Batch, speed, merged",
            "The shop log: three minutes, hands off",
        ),
        (AppCommand::Open, "Open my own log", "A directory or a file, or drop one here"),
    ];
    let gap = 12.0;
    let count = if state.interrupted.is_some() { 4.0 } else { 3.0 };
    let width = ((ui.available_width() - (count - 1.0) * gap) / count).floor();
    let size = vec2(width, (76.0 * theme::scale(ui)).min(ui.available_height().max(64.0)));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap;
        if let Some(run) = &state.interrupted {
            let hint = format!("Interrupted at {}", seconds(run.last_tick));
            let why = "The program ended before the run did: it is played again up to there";
            let response = start_card(ui, "Continue the run", &hint, true, size);
            if response.on_hover_text(format!("{why}\n{}", run.log)).clicked() {
                out.push(Input::Edit(Edit::Continue(run.name.clone())));
            }
        }
        for (command, title, hint) in cards {
            let enabled = command.enabled(state);
            let response = start_card(ui, title, hint, enabled.is_ok(), size);
            if described(response, command, enabled.err()).clicked() {
                out.push(Input::Command(command));
            }
        }
    });
}

fn start_card(ui: &mut Ui, title: &str, hint: &str, enabled: bool, size: egui::Vec2) -> egui::Response {
    let t = tokens(ui);
    let sense = if enabled { egui::Sense::click() } else { egui::Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    let name = format!("{title}: {hint}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, enabled, &name));
    let fill = if response.hovered() || response.has_focus() {
        ui.visuals().widgets.hovered.weak_bg_fill
    } else {
        ui.visuals().widgets.inactive.weak_bg_fill
    };
    let ink = if enabled { t.strong } else { t.subdued };
    ui.painter().rect_filled(rect, 8, fill);
    let mark = if enabled { t.accent } else { t.hairline };
    let inner = rect.shrink2(vec2(16.0, 12.0));
    let tip = inner.right_center();
    let go = vec![tip + vec2(-8.0, -6.0), tip, tip + vec2(-8.0, 6.0)];
    ui.painter().add(egui::Shape::line(go, egui::Stroke::new(2.0, mark)));
    let heading = egui::TextStyle::Heading.resolve(ui.style());
    let painter = ui.painter().with_clip_rect(inner.with_max_x(inner.right() - 16.0));
    painter.text(inner.left_top(), egui::Align2::LEFT_TOP, title, heading, ink);
    let mut job = egui::text::LayoutJob::simple_singleline(hint.to_owned(), theme::body(ui), t.subdued);
    job.wrap = egui::text::TextWrapping::truncate_at_width(inner.width() - 16.0);
    let hint = painter.layout_job(job);
    painter.galley(inner.left_bottom() - vec2(0.0, hint.size().y), hint, t.subdued);
    response
}
