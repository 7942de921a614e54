//! What became of each record: rows of the views, and the lines from which no event could be read.

use eframe::egui::{Label, RichText, ScrollArea, Ui};

use super::{
    tables::{Column, table_ui},
    theme::{self, tokens},
    widgets::{Out, drawer_head, edit_button, section, small_text},
};
use crate::{
    app::{AppCommand, Edit, Input, RightDrawer, State, format},
    domain::CanonicalRow,
    engine::protocol::ViewKind,
};

const PAGE: u64 = 200;

/// Draws the drawer.
pub fn fates_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "What became of each record", AppCommand::Right(RightDrawer::Fates));
    let page = &state.answers.rows;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (view, name) in [
            (ViewKind::Merged, "merged"),
            (ViewKind::Batch, "batch"),
            (ViewKind::Speed, "speed"),
            (ViewKind::Recount, "full recount"),
        ] {
            if ui.selectable_label(page.view == view, name).clicked() {
                out.push(Input::Edit(Edit::Rows(view, 0)));
            }
        }
    });
    ui.horizontal(|ui| {
        small_text(ui, format!("{} rows", format::thousands(page.total)));
        ui.add_enabled_ui(page.first > 0, |ui| {
            edit_button(ui, out, "Earlier", Edit::Rows(page.view, page.first.saturating_sub(PAGE)));
        });
        ui.add_enabled_ui(page.first + PAGE < page.total, |ui| {
            edit_button(ui, out, "Later", Edit::Rows(page.view, page.first + PAGE));
        });
        if ui.button("Copy rows").clicked() {
            out.push(Input::Edit(Edit::Copy(as_text(&page.rows))));
        }
    });
    let height = ui.available_height();
    let malformed = (height * 0.34).clamp(60.0, 220.0);
    ui.allocate_ui(eframe::egui::vec2(ui.available_width(), height - malformed), |ui| rows_ui(ui, state));
    malformed_ui(ui, state);
}

fn rows_ui(ui: &mut Ui, state: &State) {
    let rows = &state.answers.rows.rows;
    if rows.is_empty() {
        small_text(ui, "No rows yet.");
        return;
    }
    let has_values = state.summary.as_ref().is_none_or(|summary| summary.has_values);
    let mut columns = vec![
        Column::text("Page"),
        Column::number("Day", 82.0),
        Column::number("Views", 56.0),
        Column::number("Users", 56.0),
    ];
    if has_values {
        columns.push(Column::number("Sum", 66.0));
    }
    table_ui(ui, "rows", &columns, rows.len(), |at| {
        rows.get(at).map_or_else(Vec::new, |row| {
            vec![
                row.page.clone(),
                row.day.to_string(),
                format::thousands(row.views),
                format::thousands(row.unique_users),
                format::millionths(row.sum),
            ]
        })
    });
}

fn as_text(rows: &[CanonicalRow]) -> String {
    let mut text = String::from("page\tdate\ttotal_views\tunique_users\tsum\n");
    for row in rows {
        let line = [
            row.page.clone(),
            row.day.to_string(),
            row.views.to_string(),
            row.unique_users.to_string(),
            format::millionths(row.sum).replace(',', ""),
        ];
        text.push_str(&line.join("\t"));
        text.push('\n');
    }
    text
}

fn malformed_ui(ui: &mut Ui, state: &State) {
    let page = &state.answers.malformed;
    section(ui, &format!("Lines without an event: {}", format::thousands(page.total)));
    ScrollArea::vertical().id_salt("malformed").auto_shrink(false).show(ui, |ui| {
        for line in &page.lines {
            let place = format!("{}:{}", line.file, line.line);
            ui.label(RichText::new(place).font(theme::mono_small(ui)).color(tokens(ui).text));
            ui.add(
                Label::new(RichText::new(&line.reason).font(theme::small(ui)).color(tokens(ui).subdued))
                    .wrap(),
            );
        }
        if page.total > page.lines.len() as u64 {
            small_text(ui, format!("and {} more", format::thousands(page.total - page.lines.len() as u64)));
        }
    });
}
