//! "Their views against ours": files that other systems made, compared with the open log; what was found, and the records
//! that prove it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Effect, State, dialogs::Dialog, format, opening::open, update::say, update_command::ask};
use crate::engine::protocol::{Answer, CompareRequest, Compared, ComparedView, ProofLine, ProofOf, Query};

/// Records that a page of the proof asks for.
pub const PROOF_ROWS: u32 = 200;

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Compared with the log.
    First,
    /// Compared with the log and with the first.
    Second,
}

/// What the panel holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TheirsPage {
    /// Whether it stands in the place of the plots.
    pub open: bool,
    /// Path of the first file, as typed.
    pub first: String,
    /// Path of the second, as typed; empty: one only.
    pub second: String,
    /// Names of the columns, as typed; empty: guessed.
    pub columns: String,
    /// Why the last comparison came to nothing.
    pub problem: Option<String>,
    /// The newest result.
    pub result: Option<Arc<Compared>>,
    /// Which of its views is shown.
    pub view: usize,
    /// Of what the records are shown.
    pub chosen: Option<ProofOf>,
    /// The records.
    pub proof: Vec<ProofLine>,
    /// Number of the first one shown.
    pub proof_first: u64,
    /// How many there are.
    pub proof_total: u64,
    /// Whether the records that were asked for have come.
    pub proof_there: bool,
}

/// Typed or chosen in the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TheirsEdit {
    /// A path, as typed.
    Path(Slot, String),
    /// Names of the columns.
    Columns(String),
    /// Compare what is typed.
    Compare,
    /// Show the other view.
    View(usize),
    /// Show the records of a finding or a cell.
    Choose(ProofOf),
    /// Show them from here.
    Proof(u64),
    /// Compare this file, which was dropped.
    CompareFile(PathBuf),
    /// Open it as a log.
    OpenFile(PathBuf),
}

impl TheirsPage {
    /// The view that is shown.
    pub fn shown(&self) -> Option<&ComparedView> {
        self.result.as_ref()?.views.get(self.view)
    }

    fn request(&self) -> CompareRequest {
        let typed = [self.first.trim(), self.second.trim()];
        CompareRequest {
            paths: typed.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect(),
            columns: self.columns.trim().to_owned(),
        }
    }
}

impl State {
    /// Whether a comparison is under way.
    pub fn compares(&self) -> bool {
        self.answers.pending.iter().any(|(_, query)| matches!(query, Query::Compare(_)))
    }
}

/// Something was typed or chosen.
pub(super) fn edited(state: &mut State, edit: TheirsEdit) -> Vec<Effect> {
    let mine = &mut state.answers.theirs;
    match edit {
        TheirsEdit::Path(Slot::First, text) => (mine.first, mine.problem) = (text, None),
        TheirsEdit::Path(Slot::Second, text) => (mine.second, mine.problem) = (text, None),
        TheirsEdit::Columns(text) => (mine.columns, mine.problem) = (text, None),
        TheirsEdit::Compare => return compare(state),
        TheirsEdit::View(view) => {
            mine.view = view;
            return choose_first(state);
        }
        TheirsEdit::Choose(of) => return choose(state, of),
        TheirsEdit::Proof(first) => {
            mine.proof_first = first;
            return ask_proof(state);
        }
        TheirsEdit::CompareFile(path) => return take_file(state, &path),
        TheirsEdit::OpenFile(path) => return open(state, path),
    }
    Vec::new()
}

/// The desktop's dialog is over.
pub(super) fn picked(state: &mut State, slot: Slot, path: &Path) -> Vec<Effect> {
    edited(state, TheirsEdit::Path(slot, path.display().to_string()))
}

/// Something was dropped: a table or JSON beside an open log may be a view of theirs.
pub(super) fn dropped(state: &mut State, path: PathBuf) -> Vec<Effect> {
    let ending = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    let is_table = ending.is_some_and(|ending| ending == "csv" || ending == "json");
    if is_table && state.lane().is_some() {
        state.dialog = Dialog::OpenOrCompare(path);
        return Vec::new();
    }
    open(state, path)
}

/// A file that was dropped: beside one that is already compared it is the second.
fn take_file(state: &mut State, path: &Path) -> Vec<Effect> {
    state.dialog = Dialog::None;
    let mine = &mut state.answers.theirs;
    let text = path.display().to_string();
    if mine.open && !mine.first.trim().is_empty() && mine.first != text {
        mine.second = text;
    } else {
        (mine.first, mine.second) = (text, String::new());
    }
    mine.open = true;
    compare(state)
}

fn compare(state: &mut State) -> Vec<Effect> {
    let request = state.answers.theirs.request();
    if request.paths.is_empty() {
        state.answers.theirs.problem = Some("Type the path of a file, or browse for it.".to_owned());
        return Vec::new();
    }
    state.answers.theirs.problem = None;
    ask(state, Query::Compare(request))
}

/// Of an answer only what was asked last is shown.
pub(super) fn answered(state: &mut State, query: &Query, answer: Answer) -> Vec<Effect> {
    let newer = state.compares();
    let mine = &mut state.answers.theirs;
    match (query, answer) {
        (Query::Compare(_), _) if newer => {}
        (Query::Compare(_), Answer::Compared(compared)) => {
            (mine.result, mine.view) = (Some(Arc::from(compared)), 0);
            return choose_first(state);
        }
        (Query::Compare(_), Answer::Nothing(why)) => {
            (mine.problem, mine.result, mine.chosen) = (Some(why), None, None);
        }
        (Query::Proof { view, of, first, .. }, Answer::Proof { lines, total })
            if (mine.view, mine.chosen, mine.proof_first) == (*view, Some(*of), *first) =>
        {
            (mine.proof, mine.proof_total, mine.proof_there) = (lines, total, true);
        }
        (_, Answer::Nothing(why)) => say(state, why),
        _ => {}
    }
    Vec::new()
}

/// The first finding is what a person wants to see proved.
fn choose_first(state: &mut State) -> Vec<Effect> {
    let mine = &mut state.answers.theirs;
    (mine.chosen, mine.proof_total) = (None, 0);
    mine.proof.clear();
    if mine.shown().is_some_and(|view| !view.findings.is_empty()) {
        return choose(state, ProofOf::Finding(0));
    }
    Vec::new()
}

fn choose(state: &mut State, of: ProofOf) -> Vec<Effect> {
    let mine = &mut state.answers.theirs;
    (mine.chosen, mine.proof_first, mine.proof_total, mine.proof_there) = (Some(of), 0, 0, false);
    mine.proof.clear();
    ask_proof(state)
}

fn ask_proof(state: &mut State) -> Vec<Effect> {
    let mine = &state.answers.theirs;
    let (view, first) = (mine.view, mine.proof_first);
    let Some(of) = mine.chosen else { return Vec::new() };
    ask(state, Query::Proof { view, of, first, count: PROOF_ROWS })
}

/// What was found, in one sentence.
pub fn sentence(view: &ComparedView) -> String {
    if view.differing == 0 {
        return "Every cell has the same numbers.".to_owned();
    }
    let cells = format::thousands(view.differing);
    let noun = if view.differing == 1 { "cell differs" } else { "cells differ" };
    let first = match view.findings.as_slice() {
        [] => "Nothing that was tried explains it.".to_owned(),
        [only] if view.unexplained == 0 => format!("{}: that explains all of it.", capital(&only.sentence)),
        [first, ..] if view.unexplained == 0 => {
            format!(
                "{}; together {} findings explain all of it.",
                capital(&first.sentence),
                view.findings.len()
            )
        }
        [first, ..] => format!(
            "{}; {} of {} is left unexplained.",
            capital(&first.sentence),
            amount(view, view.unexplained),
            amount(view, view.apart)
        ),
    };
    format!("{cells} {noun}. {first}")
}

/// A difference in page views (or in sums).
pub fn amount(view: &ComparedView, amount: i64) -> String {
    if view.unit <= 1 {
        return format::thousands(amount.unsigned_abs());
    }
    format::millionths(i128::from(amount))
}

/// A sentence's first letter in upper case.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
