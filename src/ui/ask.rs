//! The drawer "Ask": a page and a few days, answered from a few cells; beside it what the raw log would cost.

use eframe::egui::{
    Button, Color32, Key, Label, Rect, RichText, ScrollArea, Sense, Ui, pos2, text::LayoutJob,
    text::TextFormat, vec2,
};

use super::{
    listing::list,
    tables::{Cell, Column, table_ui},
    theme::{self, tokens},
    widgets::{Out, drawer_head, edit_button, fact_row, section, small_text, text_field},
};
use crate::{
    app::{AppCommand, AskEdit, AskPage, Edit, Input, Measure, Question, RightDrawer, State, asking, format},
    engine::protocol::{Asked, BookView, Listing, NumberOf},
};

/// The table of days is at least this high; what has no room scrolls.
const DAYS_LEAST: f32 = 170.0;

/// Width of a date field.
const DATE: f32 = 92.0;

/// Draws the drawer.
pub fn ask_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Ask", AppCommand::Right(RightDrawer::Ask));
    let page = &state.answers.asking;
    page_field(ui, page, out);
    days_fields(ui, page, out);
    if let Err(why) = page.question() {
        ui.add(Label::new(RichText::new(why).color(tokens(ui).error)).wrap());
    }
    ui.add_space(4.0);
    let Some((question, asked)) = &page.answer else {
        small_text(ui, "The answer is read from the batch view and the speed view, never from the log.");
        return;
    };
    let height = ui.available_height();
    ui.visuals_mut().panel_fill = tokens(ui).panel;
    ScrollArea::vertical().id_salt("answer").auto_shrink(false).show(ui, |ui| {
        let top = ui.cursor().top();
        answer_ui(ui, state, question, asked);
        let left = height - (ui.cursor().top() - top);
        days_ui(ui, state, (&question.page, asked), left.max(DAYS_LEAST), out);
    });
}

fn edit(out: &mut Out, edit: AskEdit) {
    out.push(Input::Edit(Edit::Ask(edit)));
}

fn page_field(ui: &mut Ui, page: &AskPage, out: &mut Out) {
    let width = ui.available_width() - 64.0 * theme::scale(ui);
    let mut focused = false;
    ui.horizontal(|ui| {
        let (response, changed) = text_field(ui, "Page", &page.page, width, true);
        if let Some(text) = changed {
            edit(out, AskEdit::Page(text));
        }
        focused = response.has_focus();
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if entered && page.offers {
            let chosen = page.names.get(page.chosen).unwrap_or(&page.page);
            edit(out, AskEdit::Take(chosen.clone()));
        }
    });
    if page.offers {
        offers_ui(ui, page, focused, out);
    }
}

/// Names that hold what was typed; arrow keys choose, Enter or a click takes one.
fn offers_ui(ui: &mut Ui, page: &AskPage, focused: bool, out: &mut Out) {
    if focused {
        let last = page.names.len().saturating_sub(1);
        if ui.input(|input| input.key_pressed(Key::ArrowDown)) {
            edit(out, AskEdit::Chosen((page.chosen + 1).min(last)));
        }
        if ui.input(|input| input.key_pressed(Key::ArrowUp)) {
            edit(out, AskEdit::Chosen(page.chosen.saturating_sub(1)));
        }
    }
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (at, name) in page.names.iter().enumerate() {
            let text = RichText::new(name).font(theme::mono(ui));
            let button = Button::selectable(at == page.chosen, text).truncate();
            if ui.add(button.min_size(vec2(ui.available_width(), 0.0))).clicked() {
                edit(out, AskEdit::Take(name.clone()));
            }
        }
    });
    let shown = page.names.len() as u64;
    if shown == 0 {
        small_text(ui, "No page has this in its name.");
    } else if page.names_total > shown {
        small_text(ui, format!("and {} more", format::thousands(page.names_total - shown)));
    }
}

fn days_fields(ui: &mut Ui, page: &AskPage, out: &mut Out) {
    let scale = theme::scale(ui);
    ui.horizontal(|ui| {
        let (_, changed) = text_field(ui, "From", &page.from, DATE * scale, true);
        if let Some(text) = changed {
            edit(out, AskEdit::From(text));
        }
        let (response, changed) = text_field(ui, "to", &page.to, DATE * scale, true);
        if let Some(text) = changed {
            edit(out, AskEdit::To(text));
        }
        response.on_hover_text("The last day; empty: one day only");
        edit_button(ui, out, "All days", Edit::Ask(AskEdit::AllDays));
    });
}

fn answer_ui(ui: &mut Ui, state: &State, question: &Question, asked: &Asked) {
    let t = tokens(ui);
    let head = format!("{}, {}", question.page, question.days());
    ui.add(Label::new(RichText::new(head).font(theme::strong(ui)).color(t.strong)).wrap());
    if !asked.is_known {
        let text = "No record of a page of this name has been loaded.";
        ui.add(Label::new(RichText::new(text).color(t.warning)).wrap());
    }
    sentence_ui(ui, state.measure, asked);
    split_bar(ui, state.measure, asked);
    let summary = state.summary.as_deref();
    for measure in Measure::ALL {
        let is_mapped = match measure {
            Measure::Views => true,
            Measure::Users => summary.is_none_or(|summary| summary.has_users),
            Measure::Sum => summary.is_none_or(|summary| summary.has_values),
        };
        if is_mapped && measure != state.measure {
            fact_row(ui, measure.name(), asking::split(measure, &asked.parts));
        }
    }
    if let Some(added) = asking::users_added(asked) {
        small_text(
            ui,
            format!(
                "Users are united over the days; adding the days would say {}.",
                format::thousands(added)
            ),
        );
    }
    cost_ui(ui, asked);
}

/// `93 = 88 final + 5 provisional`, large, in the colours of the two views.
fn sentence_ui(ui: &mut Ui, measure: Measure, asked: &Asked) {
    let t = tokens(ui);
    let parts = &asked.parts;
    let mut job = LayoutJob::default();
    let mut add = |text: String, font, color: Color32| {
        job.append(&text, 0.0, TextFormat::simple(font, color));
    };
    add(measure.text(&parts.merged), theme::big_number(ui), t.strong);
    add(format!(" {} = ", measure.name()), theme::body(ui), t.subdued);
    add(format!("{} final", measure.text(&parts.final_totals)), theme::strong(ui), t.batch_text);
    add(" + ".to_owned(), theme::body(ui), t.subdued);
    add(format!("{} provisional", asking::provisional(measure, parts)), theme::strong(ui), t.speed_text);
    job.wrap.max_width = ui.available_width();
    ui.label(job);
}

fn split_bar(ui: &mut Ui, measure: Measure, asked: &Asked) {
    let t = tokens(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    let whole = measure.of(&asked.parts.merged);
    ui.painter().rect_filled(rect, 2, t.grid);
    if whole <= 0.0 {
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
    let share = (measure.of(&asked.parts.final_totals) / whole).clamp(0.0, 1.0) as f32;
    let middle = rect.left() + rect.width() * share;
    let part = |from: f32, to: f32| Rect::from_min_max(pos2(from, rect.top()), pos2(to, rect.bottom()));
    ui.painter().rect_filled(part(rect.left(), middle), 2, t.batch);
    ui.painter().rect_filled(part(middle, rect.right()), 2, t.speed);
}

fn cost_ui(ui: &mut Ui, asked: &Asked) {
    let t = tokens(ui);
    let line = |ui: &mut Ui, text: String, color: Color32| {
        ui.add(Label::new(RichText::new(text).color(color)).wrap());
    };
    section(ui, "Read path and write path");
    let [read, scan] = asking::read_cost(asked);
    line(ui, read, t.text);
    line(ui, scan, t.text);
    match asking::scan_differs(asked) {
        None => line(ui, "The scan counts the same.".to_owned(), t.success),
        Some(text) => line(ui, text, t.warning),
    }
    let text = format!(
        "The work was done before: to keep both views, {} have been read so far.",
        format::records(asked.write_reads)
    );
    line(ui, text, t.subdued);
    let when = format!("As of {} of run time. {}", format::seconds(asked.tick.0), asking::freshness(asked));
    line(ui, when, if asked.is_stale { t.warning } else { t.subdued });
}

/// A click on a number lists its records.
fn days_ui(ui: &mut Ui, state: &State, (page, asked): (&str, &Asked), height: f32, out: &mut Out) {
    let measure = state.measure;
    section(ui, &format!("By day, {}", measure.name()));
    if asked.days.is_empty() {
        small_text(ui, "Nothing on these days.");
        return;
    }
    let columns = [
        Column::number("Day", 84.0),
        Column::number("Final", 68.0),
        Column::number("Provisional", 76.0),
        Column::number("Merged", 68.0),
    ];
    let row = |at: usize| {
        asked.days.get(at).map_or_else(Vec::new, |day| {
            let number = NumberOf { page: Some(page.to_owned()), day: Some(day.day), within: None };
            let behind = |text, view| Cell::leading(text, Some(Listing::Behind(view, number.clone())));
            vec![
                Cell::from(day.day.to_string()),
                behind(measure.text(&day.parts.final_totals), BookView::Batch),
                behind(asking::provisional(measure, &day.parts), BookView::Speed),
                behind(measure.text(&day.parts.merged), BookView::Merged),
            ]
        })
    };
    // The heading above takes its part.
    let size = vec2(ui.available_width(), height - 32.0);
    ui.allocate_ui(size, |ui| {
        ui.set_max_height(size.y);
        if let Some(listing) = table_ui(ui, "asked-days", &columns, asked.days.len(), row) {
            list(listing, out);
        }
    });
}
