//! Why they differ: from one view to another by causes that add up, each with its records, cell by cell.

use std::fmt::Write as _;

use eframe::egui::{Color32, ComboBox, Label, RichText, ScrollArea, Sense, Ui};

use super::{
    grid::{ROW, Weight, row_ui},
    listing::list,
    theme::{self, Tokens, tokens},
    waterfall::{Step, waterfall_ui},
    widgets::{Out, command_button, drawer_head, edit_button, fact_row, section, small_text},
};
use crate::{
    app::{
        AppCommand, Edit, Input, LineageEdit, Measure, RightDrawer, SaveKind, State,
        format::{millionths, signed, thousands},
        lineage_text::{cause_name, cause_sentence, difference_text, part_text, part_value, view_name},
        theirs::capital,
    },
    domain::{Counts, Uniques},
    engine::frame::KappaFrame,
    engine::protocol::{
        BookView, Cause, CausePart, CellDifference, Listing, NumberOf, Pair, PairDifference, VersionNumber,
    },
};

/// Draws the drawer.
pub fn differences_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Why they differ", AppCommand::Right(RightDrawer::Differences));
    if state.shows_kappa() {
        if let Err(why) = state.version_pair() {
            small_text(ui, format!("Versions cannot be compared: {}.", uncapital(why)));
        }
        command_button(ui, state, out, AppCommand::Right(RightDrawer::Versions), "Two versions (Kappa)");
    }
    let pages = &state.answers.lineage;
    pair_ui(ui, state, pages.pair, out);
    let Some(difference) = &pages.difference else {
        match &pages.problem {
            Some(why) => {
                let text = RichText::new(format!("{}.", capital(why))).color(tokens(ui).warning);
                ui.add(Label::new(text).wrap());
            }
            None => {
                small_text(ui, "Comparing…");
            }
        }
        return;
    };
    ScrollArea::vertical().id_salt("differences").auto_shrink(false).show(ui, |ui| {
        ui.set_width(ui.available_width());
        difference_ui(ui, state, difference, out);
    });
}

fn compare(pair: Pair) -> Input {
    Input::Edit(Edit::Lineage(LineageEdit::Compare(pair)))
}

/// In the middle of a sentence.
fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|letter| letter.to_lowercase().collect()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

fn pair_ui(ui: &mut Ui, state: &State, pair: Pair, out: &mut Out) {
    let versions: Vec<BookView> = state
        .kappa()
        .into_iter()
        .flat_map(KappaFrame::versions)
        .map(|version| BookView::Version(version.number))
        .collect();
    let mut chosen = pair;
    let width = ((ui.available_width() - 44.0) / 2.0).min(150.0 * theme::scale(ui));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for (name, view) in [("First view", &mut chosen.first), ("Second view", &mut chosen.second)] {
            let combo = ComboBox::from_id_salt(name).width(width).selected_text(view_name(*view));
            let shown = combo.show_ui(ui, |ui| {
                for choice in versions.iter().copied().chain(BookView::ALL) {
                    ui.selectable_value(view, choice, view_name(choice));
                }
            });
            super::widgets::named(&shown.response, eframe::egui::Role::ComboBox, name);
            if name == "First view" {
                small_text(ui, "less");
            }
        }
    });
    if chosen != pair {
        out.push(compare(chosen));
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = eframe::egui::vec2(2.0, 2.0);
        if let Ok(wanted) = state.version_pair() {
            let name = format!("{}, {}", view_name(wanted.first), view_name(wanted.second));
            let text = RichText::new(name).font(theme::small(ui));
            if ui.selectable_label(pair == wanted, text).clicked() {
                out.push(compare(wanted));
            }
        }
        for (name, first, second) in [
            ("merged, recount", BookView::Merged, BookView::Recount),
            ("batch, speed", BookView::Batch, BookView::Speed),
            ("batch, merged", BookView::Batch, BookView::Merged),
            ("whole log, merged", BookView::Log, BookView::Merged),
            ("memory, served", BookView::Memory, BookView::Speed),
        ] {
            let wanted = Pair { first, second };
            let text = RichText::new(name).font(theme::small(ui));
            if ui.selectable_label(pair == wanted, text).clicked() {
                out.push(compare(wanted));
            }
        }
    });
}

fn difference_ui(ui: &mut Ui, state: &State, difference: &PairDifference, out: &mut Out) {
    let t = tokens(ui);
    let measure = state.measure;
    let is_equal = difference.parts.is_empty() && difference.cells_in_all == 0;
    let by = difference_text(measure, &difference.first, &difference.second);
    let head = if is_equal {
        format!("Equal: {} {} in both, cell by cell.", measure.text(&difference.first), measure.name())
    } else {
        format!("{by} {}", measure.name())
    };
    let ink = if is_equal { t.success } else { t.strong };
    ui.add(Label::new(RichText::new(head).font(theme::strong(ui)).color(ink)).wrap());
    if state.answers.lineage.as_table {
        causes_table(ui, state, difference, out);
    } else {
        causes_waterfall(ui, state, difference, out);
    }
    ui.horizontal_wrapped(|ui| {
        let twin = if state.answers.lineage.as_table { "As a waterfall" } else { "As a table" };
        edit_button(ui, out, twin, Edit::Lineage(LineageEdit::AsTable));
        edit_button(ui, out, "Copy table", Edit::Copy(causes_text(difference)));
        edit_button(ui, out, "Copy as command", Edit::Copy(difference.command.clone()))
            .on_hover_text(&difference.command);
        if let Some(sql) = &difference.sql {
            for (name, query, what) in [
                ("SQL: total", &sql.run, "both views over the run"),
                ("SQL: by day", &sql.days, "both views day by day"),
                ("SQL: cells", &sql.cells, "the pages and days with records that only one of them counts"),
            ] {
                edit_button(ui, out, name, Edit::Copy(query.clone()))
                    .on_hover_text(format!("A DuckDB query over the files of the log: {what}"));
            }
        }
        if ui.button("Export…").on_hover_text("Every cell that differs, a line a cause").clicked() {
            out.push(Input::Command(AppCommand::Save(SaveKind::Differences)));
        }
    });
    if !difference.sql_note.is_empty() {
        small_text(ui, &difference.sql_note);
    }
    for note in sketch_notes(state, difference) {
        small_text(ui, note);
    }
    for part in &difference.parts {
        sentence_ui(ui, state, difference, part, out);
    }
    if difference.pair.is_of_versions() {
        groups_ui(ui, state, difference, (Groups::Days, &difference.days), out);
    }
    groups_ui(ui, state, difference, (Groups::Cells, &difference.cells), out);
    settings_ui(ui, state, difference);
}

/// Where a version counts users by sketches, what the copied command does with them.
fn sketch_notes(state: &State, difference: &PairDifference) -> Vec<String> {
    let lines: Vec<&str> = difference.command.lines().collect();
    let note = |(at, view): (usize, BookView)| {
        let BookView::Version(number) = view else { return None };
        let version = state.version(number)?;
        if version.options.uniques != Uniques::Hll {
            return None;
        }
        let line = lines.get(at).or(lines.first())?;
        let does = if line.contains("--uniques hll") {
            "its copied command does, too"
        } else {
            "its copied command counts them exactly"
        };
        Some(format!("Version {number} estimates unique users by sketches; {does}."))
    };
    difference.pair.views().into_iter().enumerate().filter_map(note).collect()
}

fn color_of(state: &State, view: BookView, t: &Tokens) -> Color32 {
    match view {
        BookView::Batch => t.batch,
        BookView::Speed | BookView::Memory => t.speed,
        BookView::Merged => t.merged,
        BookView::Recount | BookView::Log => t.recount,
        BookView::Version(number) => version_color(state, number, t),
    }
}

/// As the place of the version is drawn in the plots.
fn version_color(state: &State, number: VersionNumber, t: &Tokens) -> Color32 {
    let newest = state.kappa().and_then(|kappa| kappa.series.last());
    let first = newest.and_then(|point| point.versions.first().copied().flatten());
    if first.is_some_and(|first| first.version == number) { t.batch } else { t.speed }
}

/// What is as it should be is grey, what a rule decides is the accent, what went wrong warns.
fn cause_color(cause: Cause, t: &Tokens) -> Color32 {
    match cause {
        Cause::Unexplained => t.error,
        Cause::NotYetRead | Cause::HandedOver => t.subdued,
        Cause::DuplicateId
        | Cause::OtherDayZone
        | Cause::OtherPageRule
        | Cause::Malformed
        | Cause::NoUser => t.accent,
        Cause::Late
        | Cause::CountedTwice
        | Cause::Lost
        | Cause::Gap
        | Cause::Overlap
        | Cause::UniquesAdded
        | Cause::SketchError => t.warning,
    }
}

/// From the first view down to the second: what the first has more is taken away.
fn steps(state: &State, difference: &PairDifference, t: &Tokens) -> Vec<Step> {
    let (measure, Pair { first, second }) = (state.measure, difference.pair);
    let total = |view: BookView, totals| Step {
        name: view_name(view).into_owned(),
        text: measure.text(totals),
        from: 0.0,
        to: measure.of(totals),
        is_total: true,
        color: color_of(state, view, t),
        words: format!("{}: {} {}", view_name(view), measure.text(totals), measure.name()),
    };
    let mut steps = vec![total(first, &difference.first)];
    let mut at = measure.of(&difference.first);
    for part in &difference.parts {
        let value = part_value(measure, part);
        let taken = CausePart { views: -part.views, users: -part.users, sum: -part.sum, ..*part };
        let text = part_text(measure, &taken);
        steps.push(Step {
            name: cause_name(part.cause).to_owned(),
            words: format!("{}: {text} {}", cause_name(part.cause), measure.name()),
            text,
            from: at,
            to: at - value,
            is_total: false,
            color: cause_color(part.cause, t),
        });
        at -= value;
    }
    steps.push(total(second, &difference.second));
    steps
}

fn causes_waterfall(ui: &mut Ui, state: &State, difference: &PairDifference, out: &mut Out) {
    let steps = steps(state, difference, tokens(ui));
    let part = waterfall_ui(ui, &steps).and_then(|at| difference.parts.get(at.checked_sub(1)?));
    if let Some(part) = part {
        list(Listing::Differing(difference.pair, Some(part.cause), NumberOf::default()), out);
    }
}

fn causes_table(ui: &mut Ui, state: &State, difference: &PairDifference, out: &mut Out) {
    let has_values = state.summary.as_ref().is_some_and(|summary| summary.has_values);
    let (mut widths, mut head) = (vec![60.0, 60.0, 60.0], vec!["records", "views", "users"]);
    if has_values {
        widths.push(70.0);
        head.push("sum");
    }
    let head: Vec<String> = head.into_iter().map(str::to_owned).collect();
    row_ui(ui, "Cause", &head, &widths, Weight::Head, Sense::hover());
    for part in &difference.parts {
        let mut texts =
            vec![thousands(part.records), signed(i128::from(part.views)), signed(i128::from(part.users))];
        if has_values {
            texts.push(millionths(part.sum));
        }
        let response = row_ui(ui, cause_name(part.cause), &texts, &widths, Weight::Plain, Sense::click());
        if response.clicked() {
            list(Listing::Differing(difference.pair, Some(part.cause), NumberOf::default()), out);
        }
    }
    let (first, second) = (&difference.first, &difference.second);
    let mut texts = vec![
        String::new(),
        difference_text(Measure::Views, first, second),
        difference_text(Measure::Users, first, second),
    ];
    if has_values {
        texts.push(millionths(first.sum - second.sum));
    }
    row_ui(ui, "together", &texts, &widths, Weight::Strong, Sense::hover());
}

fn causes_text(difference: &PairDifference) -> String {
    let mut text = String::from("cause\trecords\tpage views\tunique users\tsum");
    for part in &difference.parts {
        let sum = millionths(part.sum).replace(',', "");
        let line = [
            part.cause.id().to_owned(),
            part.records.to_string(),
            part.views.to_string(),
            part.users.to_string(),
            sum,
        ];
        text.push('\n');
        text.push_str(&line.join("\t"));
    }
    text
}

fn sentence_ui(ui: &mut Ui, state: &State, difference: &PairDifference, part: &CausePart, out: &mut Out) {
    let t = tokens(ui);
    let mut text = cause_sentence(difference.pair, part);
    if state.measure != Measure::Views {
        text = format!("{text} {} {}.", part_text(state.measure, part), state.measure.name());
    }
    let ink = if part.cause == Cause::Unexplained { t.error } else { t.text };
    ui.add(Label::new(RichText::new(text).color(ink)).wrap());
    if part.records > 0 {
        let label = format!("List the records: {}", cause_name(part.cause));
        if ui.link(RichText::new(label).font(theme::small(ui))).clicked() {
            list(Listing::Differing(difference.pair, Some(part.cause), NumberOf::default()), out);
        }
    }
}

/// What is listed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Groups {
    Cells,
    Days,
}

fn groups_ui(
    ui: &mut Ui,
    state: &State,
    difference: &PairDifference,
    (groups, shown): (Groups, &[CellDifference]),
    out: &mut Out,
) {
    let measure = state.measure;
    let (title, all, first) = match groups {
        Groups::Cells => ("Cells that differ", difference.cells_in_all, "Page"),
        Groups::Days => ("Days that differ", shown.len() as u64, "Day"),
    };
    section(ui, &format!("{title}: {}", thousands(all)));
    if shown.is_empty() {
        return;
    }
    let (mut widths, mut head) = (vec![54.0, 54.0, 54.0], vec!["first", "second", "by"]);
    if groups == Groups::Cells {
        widths.insert(0, 74.0);
        head.insert(0, "day");
    }
    let head: Vec<String> = head.into_iter().map(str::to_owned).collect();
    row_ui(ui, first, &head, &widths, Weight::Head, Sense::hover());
    let row = ROW * theme::scale(ui);
    let height = row * (shown.len().min(8) as f32 + 0.5);
    let rows = ScrollArea::vertical().id_salt(title).max_height(height).auto_shrink([false, true]);
    rows.show_rows(ui, row, shown.len(), |ui, range| {
        for group in shown.get(range).unwrap_or_default() {
            let day = group.day.to_string();
            let mut texts = vec![
                measure.text(&group.first),
                measure.text(&group.second),
                difference_text(measure, &group.first, &group.second),
            ];
            let label = match groups {
                Groups::Cells => {
                    texts.insert(0, day);
                    &group.page
                }
                Groups::Days => &day,
            };
            let response = row_ui(ui, label, &texts, &widths, Weight::Plain, Sense::click());
            if response.on_hover_text(cell_words(measure, group)).clicked() {
                let page = Some(group.page.clone()).filter(|_| groups == Groups::Cells);
                let number = NumberOf { page, day: Some(group.day), within: None };
                list(Listing::Differing(difference.pair, None, number), out);
            }
        }
    });
    if all > shown.len() as u64 {
        small_text(ui, "The largest differences; the file has all.");
    }
}

fn cell_words(measure: Measure, cell: &CellDifference) -> String {
    let part = |part: &CausePart| format!("{} {}", cause_name(part.cause), part_text(measure, part));
    let parts: Vec<String> = cell.parts.iter().map(part).collect();
    let page = if cell.page.is_empty() { String::new() } else { format!("{}, ", cell.page) };
    format!("{page}{}: {}", cell.day, parts.join(", "))
}

fn settings_ui(ui: &mut Ui, state: &State, difference: &PairDifference) {
    section(ui, "Read and skipped");
    let Pair { first, second } = difference.pair;
    for (view, counts) in [first, second].into_iter().zip(&difference.read) {
        fact_row(ui, &format!("{}, up to record", view_name(view)), thousands(counts.records()));
        small_text(ui, skipped(counts));
    }
    section(ui, "Settings");
    let mono = |ui: &mut Ui, text: &str| {
        let text = RichText::new(text).font(theme::mono_small(ui)).color(tokens(ui).subdued);
        ui.add(Label::new(text).wrap());
    };
    for (view, settings) in difference.pair.views().into_iter().zip(&difference.settings) {
        if !settings.is_empty() {
            small_text(ui, capital(&view_name(view)));
            mono(ui, settings);
        }
    }
    if let Some(summary) = state.summary.as_ref().filter(|_| !difference.pair.is_of_versions()) {
        let guarantee = summary.guarantee;
        let mut settings = format!("{} zone={} guarantee={guarantee}", summary.mapping, summary.zone);
        if let Some(lane) = state.lane() {
            let approximation = &lane.approximation;
            let _ = write!(
                settings,
                " lateness={} uniques={} batch-every={} micro-batch={}",
                approximation.lateness,
                match approximation.uniques {
                    Uniques::Set => "set",
                    Uniques::Hll => "hll",
                },
                lane.knobs.batch_every,
                lane.knobs.micro_batch
            );
        }
        mono(ui, &settings);
    }
}

fn skipped(counts: &Counts) -> String {
    let Counts { malformed, redelivered, missing_user, duplicates, late, counted } = *counts;
    let mut parts = vec![format!("{} count", thousands(counted))];
    let named = [
        (malformed, "malformed"),
        (redelivered, "redelivered"),
        (missing_user, "without a user"),
        (duplicates, "with an id seen before"),
        (late, "late"),
    ];
    let named = named.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(named.map(|(count, name)| format!("{} {name}", thousands(count))));
    parts.join(", ")
}
