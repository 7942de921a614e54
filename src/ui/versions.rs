//! The drawer "Two versions (Kappa)": the versions, the gate between them, why they differ, and Lambda beside Kappa.

use eframe::egui::{self, Label, Rect, RichText, ScrollArea, Sense, Ui, vec2};

use super::{
    numbers::invariant_ui,
    tables::{Column, table_ui},
    theme::{self, tokens},
    widgets::{
        Out, badge, command_button, drawer_head, edit_button, fact_row, named, section, small_text,
        text_field,
    },
};
use crate::{
    app::{
        AppCommand, Edit, Input, RightDrawer, State, VersionEdit, VersionStep, VersionsPage, cause_in_words,
        format::{self, records, signed, thousands},
        is_down,
    },
    domain::{Lateness, Uniques},
    engine::{
        frame::{Construction, Flow, KappaFrame, Role, VersionFrame, VersionState},
        protocol::{Duplicates, NoUser, VersionCause, VersionDifferences},
    },
};

/// Height of the table of days.
const DAYS: f32 = 190.0;

/// Draws the drawer.
pub fn versions_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Two versions (Kappa)", AppCommand::Right(RightDrawer::Versions));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        let Some(kappa) = state.kappa() else {
            return start_ui(ui, state, out);
        };
        if let Some(serving) = &kappa.serving {
            version_ui(ui, state, serving, "serves readers", out);
        }
        match &kappa.other {
            None => form_ui(ui, state, kappa, out),
            Some((role, other)) => {
                let part = match role {
                    Role::Next => "next",
                    Role::Old => "kept for the way back",
                };
                version_ui(ui, state, other, part, out);
                gate_ui(ui, kappa, other);
            }
        }
        steps_ui(ui, state, kappa, out);
        side_by_side(ui, kappa, out);
        if kappa.other.is_some() {
            differences_ui(ui, state, out);
        }
        section(ui, "Checked while it runs");
        for invariant in kappa.invariants.iter() {
            invariant_ui(ui, invariant);
        }
        section(ui, "Steps so far");
        for (tick, step) in kappa.steps.iter() {
            text(ui, format!("{}  {step}", format::seconds(*tick)));
        }
    });
}

fn text(ui: &mut Ui, words: impl Into<String>) {
    let color = tokens(ui).text;
    ui.add(Label::new(RichText::new(words).color(color)).wrap());
}

fn start_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    text(
        ui,
        "Kappa has no batch layer. One stream view serves; to change its rules, a second version reads the same log from \
         its start into a new view, and readers change over when both stand at the same record.",
    );
    small_text(ui, "Version 1 reads as the run does. Batch, speed and merged go on beside it.");
    ui.add_space(4.0);
    command_button(ui, state, out, AppCommand::Version(VersionStep::Start), "Start version 1");
}

fn version_ui(ui: &mut Ui, state: &State, version: &VersionFrame, part: &str, out: &mut Out) {
    let t = tokens(ui);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let title = format!("Version {}", version.number);
        ui.label(RichText::new(title).font(theme::strong(ui)).color(t.strong));
        let color = if part == "serves readers" { t.success } else { t.subdued };
        badge(ui, part, color);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let (word, edit) = if is_down(version) {
                ("Restore", VersionEdit::Restore(version.number))
            } else {
                ("Crash", VersionEdit::Crash(version.number))
            };
            // After the end of the run nothing is carried out any more.
            ui.add_enabled_ui(state.flow() != Flow::Finished, |ui| {
                let response = edit_button(ui, out, word, Edit::Version(edit));
                named(&response, egui::Role::Button, format!("{word} version {}", version.number));
            });
        });
    });
    let (stands, color) = match version.state {
        VersionState::CatchingUp => ("reads what has arrived".to_owned(), t.subdued),
        VersionState::UpToDate => ("up to date".to_owned(), t.subdued),
        VersionState::Rereading { from, to } => {
            let done = version.position.clamp(from, to) - from;
            (format!("reads again: {} of {}", thousands(done), thousands(to - from)), t.warning)
        }
        VersionState::Crashed { checkpoint: Some((id, at)), .. } => {
            (format!("down; checkpoint {} at {}", id.0, thousands(at)), t.error)
        }
        VersionState::Crashed { checkpoint: None, .. } => ("down; no checkpoint".to_owned(), t.error),
    };
    let line = RichText::new(format!("{} · {stands}", version.settings)).font(theme::small(ui)).color(color);
    ui.add(Label::new(line).wrap());
    fact_row(ui, "Its view stands at", thousands(version.view_position));
    fact_row(ui, "Page views", thousands(version.totals.views));
    let about = if version.options.uniques == Uniques::Hll { "about " } else { "" };
    fact_row(ui, "Unique users", format!("{about}{}", thousands(version.totals.users)));
    if version.options.lateness != Lateness::Unbounded {
        let missing = format!("{}, missing for good", records(version.late));
        fact_row(ui, "Dropped as late", missing);
    }
}

/// How far the other version is, and whether readers can change over.
fn gate_ui(ui: &mut Ui, kappa: &KappaFrame, other: &VersionFrame) {
    let t = tokens(ui);
    let Some(serving) = &kappa.serving else { return };
    let (at, to) = (other.view_position, serving.view_position);
    ui.add_space(4.0);
    #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
    let share = (at as f64 / to.max(1) as f64).clamp(0.0, 1.0) as f32;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    ui.painter().rect_filled(rect, 4, t.grid);
    let done = Rect::from_min_size(rect.min, vec2(rect.width() * share, rect.height()));
    ui.painter().rect_filled(done, 4, if kappa.closed.is_none() { t.success } else { t.accent });
    named(
        &response,
        egui::Role::ProgressIndicator,
        format!("Version {} stands at {} of {}", other.number, thousands(at), thousands(to)),
    );
    let behind = to.saturating_sub(at);
    let pace = format!("{} at {}/s, simulated", thousands(behind), thousands(other.capacity));
    fact_row(ui, "Records to go", if behind == 0 { "none".to_owned() } else { pace });
    ui.horizontal_wrapped(|ui| match &kappa.closed {
        None => {
            badge(ui, "gate open", t.success);
            small_text(ui, format!("Both stand at record {}.", thousands(to)));
        }
        Some(why) => {
            badge(ui, "gate closed", t.warning);
            small_text(ui, format!("It opens when both stand at the same record. Now {why}."));
        }
    });
}

fn steps_ui(ui: &mut Ui, state: &State, kappa: &KappaFrame, out: &mut Out) {
    if kappa.other.is_none() {
        return;
    }
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        for (step, label) in [
            (VersionStep::Switch, "Switch"),
            (VersionStep::RollBack, "Roll back"),
            (
                VersionStep::Delete,
                match kappa.other {
                    Some((Role::Next, _)) => "Give up the new view",
                    _ => "Delete the old view",
                },
            ),
        ] {
            command_button(ui, state, out, AppCommand::Version(step), label);
        }
    });
}

/// What the next version will do otherwise.
fn form_ui(ui: &mut Ui, state: &State, kappa: &KappaFrame, out: &mut Out) {
    let page = &state.versions;
    let next = kappa.serving.as_ref().map_or(2, |serving| serving.number.0 + 1);
    section(ui, "Rules of the next version");
    let mut edit = |edit| out.push(Input::Edit(Edit::Version(edit)));
    ui.horizontal(|ui| {
        let width = ui.available_width() - 72.0 * theme::scale(ui);
        let (response, changed) = text_field(ui, "Days in", &page.zone, width, true);
        response.on_hover_text("A time zone such as Europe/Berlin; empty: as the run");
        if let Some(typed) = changed {
            edit(VersionEdit::Zone(typed));
        }
    });
    for zone in page.zones() {
        if ui.selectable_label(false, RichText::new(zone.to_string()).font(theme::mono(ui))).clicked() {
            edit(VersionEdit::TakeZone(zone));
        }
    }
    let duplicates = [
        (None, "as the run"),
        (Some(Duplicates::Drop), "count once"),
        (Some(Duplicates::Count), "count all"),
    ];
    choices(ui, "Same id again", &duplicates, page.duplicates, |one| edit(VersionEdit::Duplicates(one)));
    let no_user = [(None, "as the run"), (Some(NoUser::Skip), "skip"), (Some(NoUser::Count), "count")];
    choices(ui, "No user", &no_user, page.no_user, |one| edit(VersionEdit::NoUser(one)));
    lateness_ui(ui, page, &mut edit);
    let uniques =
        [(None, "as the run"), (Some(Uniques::Set), "in sets"), (Some(Uniques::Hll), "in sketches")];
    choices(ui, "Users", &uniques, page.uniques, |one| edit(VersionEdit::Uniques(one)));
    if let Err(why) = page.settings() {
        ui.add(Label::new(RichText::new(why).color(tokens(ui).error)).wrap());
    }
    ui.add_space(2.0);
    command_button(
        ui,
        state,
        out,
        AppCommand::Version(VersionStep::StartNext),
        &format!("Start version {next}"),
    );
}

/// How long a day stays open, and (where it closes at all) from when on a partition is idle.
fn lateness_ui(ui: &mut Ui, page: &VersionsPage, edit: &mut impl FnMut(VersionEdit)) {
    ui.horizontal(|ui| {
        let width = 64.0 * theme::scale(ui);
        let (response, changed) = text_field(ui, "Late after", &page.lateness, width, true);
        response.on_hover_text(
            "How long a day stays open after its end: 2h, 1d, or inf for ever; empty: as the run",
        );
        if let Some(typed) = changed {
            edit(VersionEdit::Lateness(typed));
        }
        if page.lateness.trim().is_empty() {
            return;
        }
        let (response, changed) = text_field(ui, "idle after", &page.idle_after, width, true);
        response.on_hover_text(
            "A partition that was not read while the others read so many records no longer holds the watermark back; empty: \
             as the run",
        );
        if let Some(typed) = changed {
            edit(VersionEdit::IdleAfter(typed));
        }
    });
}

fn choices<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    all: &[(T, &str)],
    chosen: T,
    mut take: impl FnMut(T),
) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.add(Label::new(RichText::new(name).color(tokens(ui).subdued)));
        ui.add_space(6.0);
        for &(one, label) in all {
            let response = ui.selectable_label(one == chosen, label);
            named(&response, egui::Role::Button, format!("{name}: {label}"));
            if response.clicked() {
                take(one);
            }
        }
    });
}

fn differences_ui(ui: &mut Ui, state: &State, out: &mut Out) {
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

/// Both constructions on this run, number beside number.
fn side_by_side(ui: &mut Ui, kappa: &KappaFrame, out: &mut Out) {
    section(ui, "Lambda and Kappa on this run");
    let rows = comparison(kappa);
    let t = tokens(ui);
    let number = ((ui.available_width() * 0.26).min(104.0 * theme::scale(ui))).floor();
    let (small, mono) = (theme::small(ui), theme::mono(ui));
    let line = |ui: &mut Ui, name: &str, cells: [&str; 2], font: &egui::FontId, color: egui::Color32| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            let height = theme::body(ui).size + 5.0;
            let rest = ui.available_width() - 2.0 * number;
            let left = egui::Layout::left_to_right(egui::Align::Center);
            ui.allocate_ui_with_layout(vec2(rest, height), left, |ui| {
                ui.set_min_width(rest);
                ui.add(Label::new(RichText::new(name).color(t.subdued)).truncate());
            });
            for cell in cells {
                let right = egui::Layout::right_to_left(egui::Align::Center);
                ui.allocate_ui_with_layout(vec2(number, height), right, |ui| {
                    ui.set_min_width(number);
                    ui.add(Label::new(RichText::new(cell).font(font.clone()).color(color)));
                });
            }
        });
    };
    line(ui, "", ["Lambda", "Kappa"], &small, t.subdued);
    for (name, lambda, kappa) in &rows {
        line(ui, name, [lambda, kappa], &mono, t.strong);
    }
    small_text(
        ui,
        "Code: the batch fold, the stream fold and the merge in Lambda, the stream fold in Kappa. Each column counts from the \
         start of its lane. Steps are the commands given; the rules of the Lambda lane are those of the whole run, so a \
         change there is another run.",
    );
    if ui.button("Copy the comparison").clicked() {
        let lines: Vec<String> = rows.iter().map(|(name, a, b)| format!("{name}\t{a}\t{b}")).collect();
        out.push(Input::Edit(Edit::Copy(format!("\tLambda\tKappa\n{}\n", lines.join("\n")))));
    }
}

fn comparison(kappa: &KappaFrame) -> Vec<(&'static str, String, String)> {
    let (a, b) = (&kappa.lambda_cost, &kappa.kappa_cost);
    let both = |of: &dyn Fn(&Construction) -> String| (of(a), of(b));
    let row = |name, (lambda, kappa): (String, String)| (name, lambda, kappa);
    vec![
        row("Code that has to agree", both(&|c| c.code_paths.to_string())),
        row("Views stored", both(&|c| c.stored_views.to_string())),
        row("Rows stored", both(&|c| thousands(c.stored_cells))),
        row("Records read", both(&|c| thousands(c.reads))),
        row("Reads a record", both(&|c| per(c.reads, c.records))),
        row("Time a record, measured", both(&|c| micros(c.micros, c.records))),
        row("Bytes a record", both(&|c| per(c.bytes_written, c.records))),
        row("Syncs a record", both(&|c| per(c.fsyncs, c.records))),
        row("Records not seen yet", both(&|c| thousands(c.behind_records))),
        row("Age, simulated", both(&|c| format::seconds(c.age_ticks))),
        (
            "Steps taken so far",
            // The rules of a Lambda lane are those of its run.
            "-".to_owned(),
            kappa.steps.len().to_string(),
        ),
    ]
}

/// A share in thousandths, exact integers: `2.150`.
fn per(amount: u64, of: u64) -> String {
    let Some(thousandths) = amount.saturating_mul(1_000).checked_div(of) else {
        return "not yet".to_owned();
    };
    format!("{}.{:03}", thousands(thousandths / 1_000), thousandths % 1_000)
}

fn micros(micros: u64, records: u64) -> String {
    if records == 0 { "not yet".to_owned() } else { format!("{} µs", per(micros, records)) }
}
