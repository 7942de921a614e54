//! Dialogs: open, save, crash setup, confirmation; and the desktop's own file dialog on a thread of its own.

use std::{io, path::PathBuf};

use eframe::egui::{self, Id, Key, Label, Modal, RichText, TextEdit, Ui, text_selection::CCursorRange};

use super::{
    bar::target_name,
    empty::recent_ui,
    help, palette,
    theme::{self, tokens},
    typed::{Widths, form_field, problem},
    widgets::{Out, command_button, edit_button, section, small_text, text_field},
};
use crate::{
    app::{AppCommand, Dialog, Edit, FIELDS, Input, OpenDialog, Pick, SaveDialog, State, TheirsEdit, format},
    checkpoint::CrashPoint,
    engine::protocol::{CrashTarget, KeptRun},
};

/// Draws the dialog that is open, over everything else.
pub fn dialog_ui(ctx: &egui::Context, state: &State, out: &mut Out) {
    if state.dialog == Dialog::None {
        return;
    }
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(egui::Margin::same(20)).corner_radius(8);
    let modal = Modal::new(Id::unique("dialog")).frame(frame).show(ctx, |ui| {
        let room = ui.ctx().content_rect().width() - 80.0;
        ui.set_width((560.0 * theme::scale(ui)).min(room));
        match &state.dialog {
            Dialog::None => {}
            Dialog::Open(dialog) => open_ui(ui, state, dialog, out),
            Dialog::Save(dialog) => save_ui(ui, dialog, out),
            Dialog::Palette { query, chosen } => palette::palette_ui(ui, state, query, *chosen, out),
            Dialog::Help => help::help_ui(ui, out),
            Dialog::CrashSetup => crash_ui(ui, state, out),
            Dialog::DeleteRun(run) => delete_ui(ui, run, out),
            Dialog::OpenOrCompare(path) => open_or_compare_ui(ui, path, out),
        }
    });
    // Escape is a command of ours; only a click beside the dialog is left to the toolkit.
    if modal.backdrop_response.clicked() {
        out.push(Input::Command(AppCommand::Close));
    }
}

fn title(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).heading().color(tokens(ui).strong));
    ui.add_space(4.0);
}

/// A filled button: the one that Enter stands for.
fn primary(ui: &mut Ui, label: &str) -> bool {
    let t = tokens(ui);
    let text = RichText::new(label).font(theme::strong(ui)).color(t.on_accent);
    ui.add(egui::Button::new(text).fill(t.accent)).clicked()
}

/// The path field; true when Enter was pressed in it.
fn path_field(ui: &mut Ui, path: &str, out: &mut Out) -> bool {
    let width = ui.available_width() - 60.0 * theme::scale(ui);
    let mut entered = false;
    ui.horizontal(|ui| {
        let (response, changed) = text_field(ui, "Path", path, width, true);
        if let Some(text) = changed {
            out.push(Input::Edit(Edit::Path(text)));
        }
        let first_id = Id::unique("path-focused");
        let opened = ui.ctx().cumulative_frame_nr();
        let seen: Option<u64> = ui.data(|data| data.get_temp(first_id));
        if seen.is_none_or(|frame| frame + 1 < opened) {
            response.request_focus();
            select_all(ui, response.id, path);
        }
        ui.data_mut(|data| data.insert_temp(first_id, opened));
        entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    });
    entered
}

/// What is offered is replaced by typing, and kept by an arrow key.
fn select_all(ui: &Ui, field: Id, text: &str) {
    let mut edit = TextEdit::load_state(ui.ctx(), field).unwrap_or_default();
    edit.cursor.set_char_range(Some(CCursorRange::select_all_str(text)));
    edit.store(ui.ctx(), field);
}

fn open_ui(ui: &mut Ui, state: &State, dialog: &OpenDialog, out: &mut Out) {
    title(ui, "Open a log");
    small_text(
        ui,
        "A directory whose subdirectories are partitions, a single file, or a scenario. JSON lines, CSV, TSV or access \
         logs, gzipped or not; only ever read.",
    );
    ui.add_space(4.0);
    let entered = path_field(ui, &dialog.path, out);
    let entered = fields_ui(ui, dialog, out) || entered;
    problem(ui, dialog.error.as_deref());
    ui.horizontal(|ui| {
        if primary(ui, "Open") || entered {
            out.push(Input::Edit(Edit::OpenPath));
        }
        ui.add_enabled_ui(!dialog.picking, |ui| {
            edit_button(ui, out, "Browse for a directory…", Edit::Browse(Pick::Folder));
            edit_button(ui, out, "Browse for a file…", Edit::Browse(Pick::File));
        });
        if !dialog.shows_fields {
            edit_button(ui, out, "Name the fields…", Edit::ShowFields).on_hover_text(
                "Page, user and time are guessed from the first records, unless they are named",
            );
        }
        cancel(ui, out);
    });
    let hint = if dialog.picking {
        "The desktop's file dialog is open. If none appears, type the path."
    } else {
        "Or drop a directory or file on the window."
    };
    small_text(ui, hint);
    // Where fields are named it is about this log, and there is no room for others.
    if !state.settings.recent.is_empty() && !dialog.shows_fields {
        section(ui, "Recent");
        recent_ui(ui, state, out);
    }
}

/// Which field of a record is what; true when Enter was pressed in one of them.
fn fields_ui(ui: &mut Ui, dialog: &OpenDialog, out: &mut Out) -> bool {
    if !dialog.shows_fields {
        return false;
    }
    section(ui, "Fields of a record");
    small_text(
        ui,
        "By name (of a column, in a table), or by a path with dots: req.url. What is left empty is guessed.",
    );
    let mut entered = false;
    for (at, ((name, what), path)) in FIELDS.iter().zip(dialog.fields.iter()).enumerate() {
        let (response, changed) = form_field(ui, name, path, what, Widths::DIALOG);
        entered |= response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if let Some(text) = changed {
            out.push(Input::Edit(Edit::Field(at, text)));
        }
    }
    if !dialog.others.is_empty() {
        let others = dialog.others.iter().map(|(name, value)| format!("{name} {value}"));
        small_text(ui, format!("As before: {}", others.collect::<Vec<_>>().join(", ")));
    }
    ui.add_space(4.0);
    entered
}

fn save_ui(ui: &mut Ui, dialog: &SaveDialog, out: &mut Out) {
    title(ui, &dialog.kind.title());
    let entered = path_field(ui, &dialog.path, out);
    problem(ui, dialog.error.as_deref());
    if dialog.kind.has_formats() {
        small_text(ui, "The extension decides: .csv or .json");
    }
    ui.horizontal(|ui| {
        if primary(ui, "Save") || entered {
            out.push(Input::Edit(Edit::SavePath));
        }
        edit_button(ui, out, "Browse…", Edit::Browse(Pick::Save(dialog.kind)));
        cancel(ui, out);
    });
}

fn cancel(ui: &mut Ui, out: &mut Out) {
    if ui.button("Cancel").clicked() {
        out.push(Input::Command(AppCommand::Close));
    }
}

fn crash_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    title(ui, "Crash at a record");
    small_text(ui, "A crash ends the processor abruptly. What survives is on disk.");
    section(ui, "What it hits");
    ui.horizontal(|ui| {
        for target in [CrashTarget::Stream, CrashTarget::Batch, CrashTarget::Both] {
            if ui.radio(state.crash.target == target, target_name(target)).clicked() {
                out.push(Input::Command(AppCommand::Target(target)));
            }
        }
    });
    section(ui, "Where in the micro-batch");
    for point in std::iter::once(None).chain(CrashPoint::ALL.into_iter().map(Some)) {
        let spec = AppCommand::Point(point).spec();
        let name = spec.title.trim_start_matches("Crash point: ");
        let response = ui.radio(state.crash.point == point, name);
        let response = match point {
            Some(point) => response.on_hover_text(format!("{}\n{}", spec.hint, point.id())),
            None => response.on_hover_text(spec.hint),
        };
        if response.clicked() {
            out.push(Input::Command(AppCommand::Point(point)));
        }
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let (_, changed) = text_field(ui, "At record", &state.crash.record, 120.0, true);
        if let Some(text) = changed {
            out.push(Input::Edit(Edit::CrashRecord(text)));
        }
        small_text(ui, "empty: the next one that is read");
    });
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        command_button(ui, state, out, AppCommand::Crash, "Crash");
        if ui.button("Close").clicked() {
            out.push(Input::Command(AppCommand::Close));
        }
    });
}

fn delete_ui(ui: &mut Ui, run: &KeptRun, out: &mut Out) {
    title(ui, "Delete this run?");
    ui.add(
        Label::new(format!(
            "{} of {}: journal and checkpoints are deleted, the log is not touched.",
            format::bytes(run.bytes),
            run.name
        ))
        .wrap(),
    );
    ui.horizontal(|ui| {
        if primary(ui, "Delete") {
            out.push(Input::Edit(Edit::Delete(run.name.clone())));
        }
        cancel(ui, out);
    });
}

fn open_or_compare_ui(ui: &mut Ui, path: &std::path::Path, out: &mut Out) {
    title(ui, "Open it, or compare it?");
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    ui.add(
        Label::new(format!("{name} may be a log, or a view that another system made of the open log."))
            .wrap(),
    );
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        if primary(ui, "Compare with the open log") {
            out.push(Input::Edit(Edit::Theirs(TheirsEdit::CompareFile(path.to_owned()))));
        }
        edit_button(ui, out, "Open it instead", Edit::Theirs(TheirsEdit::OpenFile(path.to_owned())));
        cancel(ui, out);
    });
}

/// Does something slow on a thread of its own.
pub fn in_background(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(())
}

/// Asks the desktop for a path on a thread named `file-dialog`; `done` is called there with the answer.
///
/// `None` is both "cancelled" and "this desktop has no file dialog", so every dialog also has a path field.
pub fn pick_file(pick: Pick, done: impl FnOnce(Option<PathBuf>) + Send + 'static) -> io::Result<()> {
    in_background("file-dialog", move || {
        let dialog = rfd::FileDialog::new();
        done(match pick {
            Pick::Folder => dialog.set_title("Open a log directory").pick_folder(),
            Pick::Theirs(_) => dialog.set_title("A view that another system made").pick_file(),
            Pick::File => dialog.set_title("Open a log file or scenario").pick_file(),
            Pick::Save(kind) => dialog.set_title(kind.title()).set_file_name(kind.file_name()).save_file(),
        });
    })
}
