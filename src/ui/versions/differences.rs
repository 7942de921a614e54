//! Why two versions differ: over all days, and day by day.

use eframe::egui::{ScrollArea, Sense, Ui};

use crate::{
    app::{
        Edit, Input, State, cause_in_words,
        format::{records, signed, thousands},
    },
    engine::protocol::{BookView, DayCauses, Listing, NumberOf, Pair, VersionCause, VersionDifferences},
    ui::{
        grid::{ROW, Weight, row_ui},
        listing::list,
        theme,
        widgets::{Out, fact_row, section, small_text},
    },
};

/// Draws the comparison of the two versions.
pub(super) fn differences_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    section(ui, "Why they differ");
    let Some(found) = &state.versions.differences else {
        small_text(ui, "Being compared, record by record.");
        return;
    };
    let (first, second) = (found.first, found.second);
    let total = &found.total;
    let off = i128::from(total.first.views) - i128::from(total.second.views);
    fact_row(ui, &format!("Version {first} minus version {second}"), format!("{} page views", signed(off)));
    fact_row(
        ui,
        "Days that differ",
        format!("{} of {}", thousands(found.days.len() as u64), thousands(found.all_days)),
    );
    if total.causes.is_empty() {
        small_text(ui, "No record counts otherwise.");
    }
    for part in &total.causes {
        fact_row(ui, cause_in_words(part.cause), cause_numbers(part));
    }
    if found.days.is_empty() {
        return;
    }
    if ui.button("Copy the days").on_hover_text("With tabs between columns").clicked() {
        out.push(Input::Edit(Edit::Copy(days_as_text(found))));
    }
    days_ui(ui, found, out);
}

/// A click on a day lists the records by which it differs.
fn days_ui(ui: &mut Ui, found: &VersionDifferences, out: &mut Out) {
    let is_roomy = ui.available_width() >= 380.0 * theme::scale(ui);
    let (mut widths, mut head) = (vec![58.0], vec!["differs".to_owned()]);
    if is_roomy {
        widths.splice(0..0, [58.0, 58.0]);
        head.splice(0..0, [found.first, found.second].map(|version| format!("V{version}")));
    }
    row_ui(ui, "Day: causes, records", &head, &widths, Weight::Head, Sense::hover());
    let row = ROW * theme::scale(ui);
    let height = row * (found.days.len().min(8) as f32 + 0.5);
    let rows = ScrollArea::vertical().id_salt("version-days").max_height(height).auto_shrink([false, true]);
    rows.show_rows(ui, row, found.days.len(), |ui, range| {
        for day in found.days.get(range).unwrap_or_default() {
            let off = i128::from(day.first.views) - i128::from(day.second.views);
            let mut texts = vec![signed(off)];
            if is_roomy {
                texts.splice(0..0, [day.first, day.second].map(|totals| thousands(totals.views)));
            }
            let name = format!("{}: {}", date(day), causes_in_words(day));
            let response = row_ui(ui, &name, &texts, &widths, Weight::Plain, Sense::click());
            if response.on_hover_text(format!("{name}. Click for the records.")).clicked() {
                list(differing(found, day), out);
            }
        }
    });
}

/// The records by which the two differ on a day.
fn differing(found: &VersionDifferences, day: &DayCauses) -> Listing {
    let [first, second] = [found.first, found.second].map(BookView::Version);
    let number = NumberOf { day: day.day, ..NumberOf::default() };
    Listing::Differing(Pair { first, second }, None, number)
}

fn date(day: &DayCauses) -> String {
    day.day.map(|day| day.to_string()).unwrap_or_default()
}

fn causes_in_words(day: &DayCauses) -> String {
    let part = |part: &VersionCause| format!("{} {}", short_cause(part.cause), thousands(part.records));
    day.causes.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn cause_numbers(part: &VersionCause) -> String {
    if part.records == 0 && part.views == 0 {
        return format!("{} unique users", signed(i128::from(part.users)));
    }
    format!("{} ({})", records(part.records), signed(i128::from(part.views)))
}

/// In a narrow column.
fn short_cause(id: &str) -> &str {
    match id {
        "other-day-zone" => "other day",
        "not-yet-read" => "not read",
        "duplicate-id" => "duplicate",
        "no-user" => "no user",
        "sketch-error" => "estimated",
        other => other,
    }
}

fn days_as_text(found: &VersionDifferences) -> String {
    let mut text = format!("day\tversion {}\tversion {}\tdifference\tcauses\n", found.first, found.second);
    for day in &found.days {
        let causes: Vec<String> =
            day.causes.iter().map(|part| format!("{} {}", part.cause, part.records)).collect();
        let off = i128::from(day.first.views) - i128::from(day.second.views);
        let line = [
            date(day),
            day.first.views.to_string(),
            day.second.views.to_string(),
            off.to_string(),
            causes.join(", "),
        ];
        text.push_str(&line.join("\t"));
        text.push('\n');
    }
    text
}
