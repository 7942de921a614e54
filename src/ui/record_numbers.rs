//! One record and every number that it touches, view by view; each number leads back to the records behind it.

use eframe::egui::{Label, RichText, ScrollArea, Sense, Ui};

use super::{
    grid::{Weight, row_ui},
    listing::list,
    listing::place,
    theme::{self, tokens},
    widgets::{Out, edit_button, fact_row, section, small_text},
};
use crate::{
    app::{
        Edit, LineageEdit, State,
        format::{millionths, thousands},
        lineage_text::the_view,
    },
    domain::Uniques,
    engine::protocol::{Listing, NumberOf, RecordNumbers, TouchedNumber, TouchedView},
};

/// Draws a record in the log browser.
pub fn record_numbers_ui(ui: &mut Ui, state: &State, numbers: &RecordNumbers, out: &mut Out) {
    let t = tokens(ui);
    let record = &numbers.record;
    ui.horizontal(|ui| {
        let title = format!("Record {}", thousands(record.number));
        ui.label(RichText::new(title).font(theme::strong(ui)).color(t.strong));
        edit_button(ui, out, "Back to the records", Edit::Lineage(LineageEdit::CloseNumbers));
    });
    ScrollArea::vertical().id_salt("record-numbers").auto_shrink(false).show(ui, |ui| {
        small_text(ui, place(record));
        let text = RichText::new(&record.text).font(theme::mono_small(ui)).color(t.text);
        ui.add(Label::new(text).wrap());
        for (name, value) in &numbers.fields {
            fact_row(ui, name, value);
        }
        small_text(ui, format!("read {}x, counted {}x in merged", record.read, record.counted));
        let has_values = state.summary.as_ref().is_some_and(|summary| summary.has_values);
        // The versions first while they are what is shown.
        let (versions, lambda): (Vec<_>, Vec<_>) =
            numbers.views.iter().partition(|touched| touched.view.is_version());
        let (first, last) = if state.shows_kappa() { (versions, lambda) } else { (lambda, versions) };
        for view in first.into_iter().chain(last) {
            view_ui(ui, view, has_values, out);
        }
    });
}

fn view_ui(ui: &mut Ui, touched: &TouchedView, has_values: bool, out: &mut Out) {
    section(ui, &format!("In {}: {}", the_view(touched.view), touched.fate.name()));
    let about = about(touched);
    if !about.is_empty() {
        small_text(ui, about);
    }
    if touched.numbers.is_empty() {
        small_text(ui, "It touches no number there.");
        return;
    }
    let mut widths = vec![46.0, 46.0, 56.0];
    let mut head = vec!["views".to_owned(), "users".to_owned(), "new user".to_owned()];
    if has_values {
        widths.insert(2, 56.0);
        head.insert(2, "sum".to_owned());
    }
    row_ui(ui, "Number", &head, &widths, Weight::Head, Sense::hover());
    for number in &touched.numbers {
        let mut texts = vec![
            thousands(number.totals.views),
            thousands(number.totals.users),
            if number.is_first_of_user { "yes" } else { "-" }.to_owned(),
        ];
        if has_values {
            texts.insert(2, millionths(number.totals.sum));
        }
        let response = row_ui(ui, &name_of(number), &texts, &widths, Weight::Plain, Sense::click());
        let part = format!(
            "{}: {} of them {} this record. Click for all records behind it.",
            name_of(number),
            number.views,
            plural(number.views)
        );
        if response.on_hover_text(part).clicked() {
            let of = NumberOf { page: number.page.clone(), day: number.day, within: None };
            list(Listing::Behind(touched.view, of), out);
        }
    }
}

/// What a version makes of the record that the run may make otherwise, and how exact the numbers are.
fn about(touched: &TouchedView) -> String {
    let mut parts = Vec::new();
    if let Some(reads) = touched.reads {
        let counted = touched.numbers.first().map_or(0, |number| number.views);
        parts.extend(touched.day.map(|day| format!("day {day}")));
        parts.push(format!("read {reads}x, counted {counted}x"));
    }
    if touched.uniques == Uniques::Hll && !touched.numbers.is_empty() {
        parts.push("users estimated".to_owned());
    }
    parts.join(" · ")
}

fn plural(count: u32) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn name_of(number: &TouchedNumber) -> String {
    match (&number.page, number.day) {
        (Some(page), Some(day)) => format!("{page}, {day}"),
        (Some(page), None) => page.clone(),
        (None, Some(day)) => day.to_string(),
        (None, None) => "the run".to_owned(),
    }
}
