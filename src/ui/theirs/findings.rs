//! What explains the difference: bars that add up, the unexplained rest first; then each hypothesis alone.

use eframe::egui::{
    Align, Button, Color32, Label, Layout, Rect, RichText, ScrollArea, Sense, Ui, pos2, vec2,
};

use super::edit;
use crate::{
    app::{
        TheirsEdit, TheirsPage,
        format::thousands,
        theirs::{amount, capital},
    },
    engine::protocol::{BetweenLine, Compared, ComparedView, FindingLine, ProofOf},
    ui::{
        theme::{self, tokens},
        widgets::{Out, section, small_text},
    },
};

/// Other names that are shown for one finding.
const MOST_NAMES: usize = 4;

/// Draws the left column.
pub fn findings_ui(ui: &mut Ui, page: &TheirsPage, result: &Compared, view: &ComparedView, out: &mut Out) {
    ScrollArea::vertical().id_salt("findings").auto_shrink(false).show(ui, |ui| {
        let t = tokens(ui);
        section(ui, "What explains it, together");
        let rest_color = if view.unexplained == 0 { t.success } else { t.error };
        let rest = format!("Unexplained: {} of {}", amount(view, view.unexplained), amount(view, view.apart));
        ui.add(Label::new(RichText::new(rest).color(rest_color)).wrap());
        bar(ui, view.unexplained, view.apart, t.error);
        for (at, finding) in view.findings.iter().enumerate() {
            finding_ui(ui, page, view, at, finding, out);
        }
        remarks_ui(ui, view);
        if !view.ranked.is_empty() {
            section(ui, &format!("Each alone explains, of {}", amount(view, view.apart)));
            for ranked in &view.ranked {
                let text = RichText::new(capital(&ranked.sentence)).color(t.text);
                row(ui, text, amount(view, ranked.explained));
                bar(ui, ranked.explained, view.apart, t.recount);
            }
        }
        between_ui(ui, result);
    });
}

/// What else is worth saying.
pub fn remarks_ui(ui: &mut Ui, view: &ComparedView) {
    for remark in &view.remarks {
        let text = RichText::new(capital(remark)).font(theme::small(ui)).color(tokens(ui).warning);
        ui.add(Label::new(text).wrap());
    }
}

fn finding_ui(
    ui: &mut Ui,
    page: &TheirsPage,
    view: &ComparedView,
    at: usize,
    finding: &FindingLine,
    out: &mut Out,
) {
    let t = tokens(ui);
    let is_chosen = page.chosen == Some(ProofOf::Finding(at));
    let text = RichText::new(format!("{}. {}", at + 1, capital(&finding.sentence)));
    let button = Button::selectable(is_chosen, text.color(t.strong)).wrap();
    let response = ui.add(button.min_size(vec2(ui.available_width(), 0.0)));
    if response.on_hover_text("Show the records that prove it").clicked() {
        edit(out, TheirsEdit::Choose(ProofOf::Finding(at)));
    }
    let records = match finding.records {
        0 => String::new(),
        1 => ", 1 record".to_owned(),
        records => format!(", {} records", thousands(records)),
    };
    let explains =
        format!("explains {} of {}{records}", amount(view, finding.explained), amount(view, view.apart));
    small_text(ui, explains);
    if !finding.also.is_empty() {
        let names: Vec<&str> = finding.also.iter().take(MOST_NAMES).map(String::as_str).collect();
        let more = finding.also.len() - names.len();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let text = format!("In this log the same as {}{more}", names.join(", "));
        let text = RichText::new(text).font(theme::small(ui)).color(t.subdued);
        ui.add(Label::new(text).wrap());
    }
    bar(ui, finding.explained, view.apart, t.accent);
}

fn row(ui: &mut Ui, text: RichText, number: String) {
    let strong = tokens(ui).strong;
    let size = vec2(ui.available_width(), theme::body(ui).size + 5.0);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.label(RichText::new(number).font(theme::mono(ui)).color(strong));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add(Label::new(text).truncate());
        });
    });
}

/// A share of the whole; a sliver where there is anything at all.
fn bar(ui: &mut Ui, part: i64, whole: i64, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 4.0), Sense::hover());
    ui.painter().rect_filled(rect, 2, tokens(ui).grid);
    if part <= 0 || whole <= 0 {
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
    let share = (part as f64 / whole as f64).clamp(0.0, 1.0) as f32;
    let end = (rect.left() + rect.width() * share).max(rect.left() + 2.0);
    ui.painter().rect_filled(Rect::from_min_max(rect.min, pos2(end, rect.bottom())), 2, color);
}

fn between_ui(ui: &mut Ui, result: &Compared) {
    if result.between.is_empty() {
        return;
    }
    section(ui, "The first minus the second");
    for BetweenLine { sentence, views, users } in &result.between {
        let text = RichText::new(sentence).color(tokens(ui).text);
        let users = if *users == 0 { String::new() } else { format!(", {users} users") };
        row(ui, text, format!("{views}{users}"));
    }
}
