//! What became of each record: fates by view, views row by row, and the lines from which no event could be read.

use eframe::egui::{Label, RichText, ScrollArea, Sense, Ui};

use super::{
    grid::{ROW, Weight, cells_ui, row_ui},
    listing::list,
    theme::{self, tokens},
    widgets::{Out, drawer_head, edit_button, small_text},
};
use crate::{
    app::{
        AppCommand, Edit, FatesTab, Input, LineageEdit, RightDrawer, State, format, freshness,
        lineage_text::{fate_hint, fate_short, view_name, view_short},
    },
    domain::CanonicalRow,
    engine::{
        frame::KappaFrame,
        protocol::{BookView, Fate, Listing, NumberOf, ViewFates, ViewKind},
    },
};

const PAGE: u64 = 200;

/// Draws the drawer.
pub fn fates_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "What became of each record", AppCommand::Right(RightDrawer::Fates));
    let tab = state.answers.lineage.tab;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for choice in FatesTab::ALL {
            let name = RichText::new(choice.name()).font(theme::small(ui));
            if ui.selectable_label(tab == choice, name).clicked() {
                out.push(Input::Edit(Edit::Lineage(LineageEdit::Tab(choice))));
            }
        }
    });
    match tab {
        FatesTab::Fates => table_ui(ui, state, out),
        FatesTab::Rows => view_rows_ui(ui, state, out),
        FatesTab::Malformed => malformed_ui(ui, state),
    }
}

/// The views of the table: while versions are shown, these beside a full recount. The recount of the whole log has nothing
/// to say here.
fn shown(state: &State) -> Vec<&ViewFates> {
    let shows_kappa = state.shows_kappa();
    let is_shown = |view: BookView| match view {
        BookView::Version(_) => shows_kappa,
        BookView::Batch | BookView::Speed | BookView::Memory | BookView::Merged => !shows_kappa,
        BookView::Recount => true,
        BookView::Log => false,
    };
    let mut shown: Vec<&ViewFates> =
        state.answers.lineage.fates.iter().filter(|fates| is_shown(fates.view)).collect();
    shown.sort_by_key(|fates| fates.view == BookView::Recount);
    shown
}

fn count(view: &ViewFates, fate: Fate) -> u64 {
    view.fates.iter().find(|(known, _)| *known == fate).map_or(0, |(_, count)| *count)
}

fn table_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let fates = shown(state);
    if fates.is_empty() {
        small_text(ui, "Looking through the records…");
        return;
    }
    let most = fates.iter().flat_map(|view| &view.fates).map(|(_, count)| *count).max().unwrap_or(0);
    // Columns as wide as the largest number asks for, and the head.
    let least = if fates.len() > 4 { 46.0 } else { 60.0 };
    let width = (format::thousands(most).len() as f32 * 6.4 + 8.0).clamp(least, 74.0);
    let widths = vec![width; fates.len()];
    let has_room = ui.available_width() / theme::scale(ui) - width * fates.len() as f32 >= 112.0;
    small_text(ui, "One fate a record in each view. Click a number for its records.");
    ScrollArea::vertical().id_salt("fates").auto_shrink(false).show(ui, |ui| {
        let head: Vec<String> = fates.iter().map(|view| view_short(view.view).into_owned()).collect();
        row_ui(ui, "Records", &head, &widths, Weight::Head, Sense::hover());
        for fate in Fate::ALL {
            let counts: Vec<u64> = fates.iter().map(|view| count(view, fate)).collect();
            if counts.iter().all(|&count| count == 0) {
                continue;
            }
            let cells = fates.iter().zip(counts).map(|(view, count)| {
                let title = format!("{}, {}: {}", view_name(view.view), fate.name(), format::records(count));
                match count {
                    0 => ("-".to_owned(), String::new()),
                    _ => (format::thousands(count), title),
                }
            });
            let cells: Vec<(String, String)> = cells.collect();
            if let Some(view) = cells_ui(
                ui,
                if has_room { fate.name() } else { fate_short(fate) },
                fate_hint(fate),
                &cells,
                &widths,
            )
            .and_then(|at| fates.get(at))
            {
                list(Listing::Fate(view.view, fate), out);
            }
        }
        let sums = |of: &dyn Fn(&ViewFates) -> u64| -> Vec<String> {
            fates.iter().map(|view| format::thousands(of(view))).collect()
        };
        let all = |view: &ViewFates| view.fates.iter().map(|(_, count)| count).sum();
        row_ui(ui, "all records", &sums(&all), &widths, Weight::Strong, Sense::hover());
        row_ui(ui, "page views", &sums(&|view| view.views), &widths, Weight::Strong, Sense::hover());
    });
}

fn view_rows_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let page = &state.answers.rows;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let views = [
            (ViewKind::Merged, "merged"),
            (ViewKind::Batch, "batch"),
            (ViewKind::Speed, "speed"),
            (ViewKind::Recount, "full recount"),
        ];
        let versions = state.kappa().into_iter().flat_map(KappaFrame::versions);
        let versions = versions.map(|one| (ViewKind::Version(one.number), format!("version {}", one.number)));
        for (view, name) in views.map(|(view, name)| (view, name.to_owned())).into_iter().chain(versions) {
            if ui.selectable_label(page.view == view, name).clicked() {
                out.push(Input::Edit(Edit::Rows(view, 0)));
            }
        }
    });
    ui.horizontal_wrapped(|ui| {
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
    if let Some(lane) = state.lane() {
        small_text(ui, freshness::of_view(page.view, lane));
    }
    rows_ui(ui, state, out);
}

/// Which books stand behind a view.
fn book_view(view: ViewKind) -> BookView {
    match view {
        ViewKind::Batch => BookView::Batch,
        ViewKind::Speed => BookView::Speed,
        ViewKind::Merged => BookView::Merged,
        ViewKind::Recount => BookView::Recount,
        ViewKind::Version(number) => BookView::Version(number),
    }
}

fn rows_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let page = &state.answers.rows;
    if page.rows.is_empty() {
        small_text(ui, "No rows yet.");
        return;
    }
    let has_values = state.summary.as_ref().is_none_or(|summary| summary.has_values);
    let is_merged = page.finals.len() == page.rows.len();
    let room = ui.available_width() / theme::scale(ui);
    // Where there is no room for it, it is said under the pointer.
    let shows_final = is_merged && (!has_values || room >= 396.0);
    let mut columns = vec![(76.0, "day"), (52.0, "views")];
    if shows_final {
        columns.push((52.0, "final"));
    }
    columns.push((52.0, "users"));
    if has_values {
        columns.push((62.0, "sum"));
    }
    let widths: Vec<f32> = columns.iter().map(|(width, _)| *width).collect();
    let head: Vec<String> = columns.iter().map(|(_, name)| (*name).to_owned()).collect();
    row_ui(ui, "Page", &head, &widths, Weight::Head, Sense::hover());
    let row_height = ROW * theme::scale(ui);
    let scroll = ScrollArea::vertical().id_salt("rows").auto_shrink(false);
    scroll.show_rows(ui, row_height, page.rows.len(), |ui, range| {
        let first = range.start;
        for (at, row) in (first..).zip(page.rows.get(range).unwrap_or_default()) {
            let last = page.finals.get(at).copied().filter(|_| is_merged);
            let mut texts = vec![row.day.to_string(), format::thousands(row.views)];
            texts.extend(last.filter(|_| shows_final).map(format::thousands));
            texts.push(format::thousands(row.unique_users));
            if has_values {
                texts.push(format::millionths(row.sum));
            }
            let response = row_ui(ui, &row.page, &texts, &widths, Weight::Plain, Sense::click());
            let hint = last.map_or_else(String::new, |last| {
                let rest = format::thousands(row.views.saturating_sub(last));
                format!("{} final + {rest} provisional\n", format::thousands(last))
            });
            if response.on_hover_text(hint + "The records behind it").clicked() {
                let number = NumberOf { page: Some(row.page.clone()), day: Some(row.day), within: None };
                let listing = Listing::Behind(book_view(page.view), number);
                list(listing, out);
            }
        }
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
    small_text(ui, format!("Lines without an event: {}", format::thousands(page.total)));
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
