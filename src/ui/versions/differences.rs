//! Why two versions differ: over all days, and day by day.

use eframe::egui::{Ui, vec2};

use crate::{
    app::{
        Edit, Input, State, cause_in_words,
        format::{records, signed, thousands},
    },
    engine::protocol::{VersionCause, VersionDifferences},
    ui::{
        tables::{Column, table_ui},
        theme,
        widgets::{Out, fact_row, section, small_text},
    },
};

/// Height of the table of days.
const DAYS: f32 = 190.0;

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
    days_ui(ui, found);
}

fn days_ui(ui: &mut Ui, found: &VersionDifferences) {
    let is_roomy = ui.available_width() >= 380.0 * theme::scale(ui);
    let mut columns = vec![Column::number("Day", 82.0)];
    if is_roomy {
        columns.extend([Column::number("Serves", 58.0), Column::number("Other", 58.0)]);
    }
    columns.extend([Column::number("Differs", 48.0), Column::text("Cause, records")]);
    let height = DAYS * theme::scale(ui);
    ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
        ui.set_max_height(height);
        table_ui(ui, "version-days", &columns, found.days.len(), |at| {
            let Some(day) = found.days.get(at) else { return Vec::new() };
            let off = i128::from(day.first.views) - i128::from(day.second.views);
            let causes: Vec<String> = day
                .causes
                .iter()
                .map(|part| format!("{} {}", short_cause(part.cause), thousands(part.records)))
                .collect();
            let mut cells = vec![day.day.clone()];
            if is_roomy {
                cells.extend([thousands(day.first.views), thousands(day.second.views)]);
            }
            cells.extend([signed(off), causes.join(", ")]);
            cells
        });
    });
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
            day.day.clone(),
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
