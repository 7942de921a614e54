//! Opening a log: what is asked for, and what becomes of it.

use std::path::PathBuf;

use super::{
    dialogs::{Dialog, OpenDialog, SaveDialog},
    state::{OpenFailure, Phase, State},
    update::Effect,
};
use crate::engine::protocol::{Command, Lacks, LogSummary, OpenRequest};

/// Opens a log with guessed fields.
pub(super) fn open(state: &mut State, path: PathBuf) -> Vec<Effect> {
    request(state, OpenRequest { path, mapping: Vec::new() })
}

/// Opens what the dialog says.
pub(super) fn open_typed(state: &mut State) -> Vec<Effect> {
    let Dialog::Open(dialog) = &mut state.dialog else { return Vec::new() };
    if dialog.path.trim().is_empty() {
        dialog.error = Some("Type a path, or browse for it.".to_owned());
        return Vec::new();
    }
    let asked = dialog.request();
    request(state, asked)
}

/// Opens once more what could not be opened, as it was asked for.
pub(super) fn open_again(state: &mut State) -> Vec<Effect> {
    last_request(state).map(|asked| request(state, asked)).unwrap_or_default()
}

/// The dialog for another try, with the fields to be named.
pub(super) fn name_fields(state: &mut State) {
    if let Some(asked) = last_request(state) {
        state.dialog = Dialog::Open(OpenDialog { shows_fields: true, ..OpenDialog::again(&asked) });
    }
}

/// The one that is open stays so: the dialog says why, over the run that goes on.
pub(super) fn refused(state: &mut State, asked: &OpenRequest, why: String, lacks: Lacks) {
    let dialog = OpenDialog::again(asked);
    let shows_fields = dialog.shows_fields || lacks == Lacks::Fields;
    state.dialog = Dialog::Open(OpenDialog { error: Some(why), shows_fields, ..dialog });
}

/// Remembers a log that a person asked for, once it is known to be one.
pub(super) fn remember(state: &mut State, summary: &LogSummary) -> Vec<Effect> {
    let Some(asked) = state.asked_for.as_ref().filter(|asked| asked.path == summary.path) else {
        return Vec::new();
    };
    if state.settings.recent.first() == Some(&asked.path) {
        return Vec::new();
    }
    state.settings.remember(&asked.path);
    vec![Effect::SaveSettings(state.settings.clone())]
}

fn request(state: &mut State, asked: OpenRequest) -> Vec<Effect> {
    state.dialog = Dialog::None;
    state.asked_for = Some(asked.clone());
    vec![Effect::Send(Command::Open(asked))]
}

/// What could not be opened: as a person asked for it, or as the program was called.
fn last_request(state: &State) -> Option<OpenRequest> {
    let Phase::Failed(OpenFailure { path, .. }) = &state.phase else { return None };
    let asked = state.asked_for.clone().filter(|asked| asked.path == *path);
    Some(asked.unwrap_or_else(|| OpenRequest { path: path.clone(), mapping: Vec::new() }))
}

/// A path is being typed in the open or the save dialog.
pub(super) fn path_typed(state: &mut State, text: String) {
    if let Dialog::Open(OpenDialog { path, error, .. }) | Dialog::Save(SaveDialog { path, error, .. }) =
        &mut state.dialog
    {
        (*path, *error) = (text, None);
    }
    // What is not in sight is not carried over to another log.
    if let Dialog::Open(dialog) = &mut state.dialog {
        dialog.others.clear();
    }
}

/// The name of a field is being typed in the open dialog.
pub(super) fn field_typed(state: &mut State, at: usize, text: String) {
    if let Dialog::Open(OpenDialog { fields, error, .. }) = &mut state.dialog
        && let Some(field) = fields.get_mut(at)
    {
        (*field, *error) = (text, None);
    }
}

/// The open dialog offers to name fields.
pub(super) fn show_fields(state: &mut State) {
    if let Dialog::Open(dialog) = &mut state.dialog {
        dialog.shows_fields = true;
    }
}
