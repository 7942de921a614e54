//! What lies over the window: opening, saving, finding, asking.

use std::path::PathBuf;

use crate::engine::protocol::{KeptRun, OpenRequest, VersionNumber};

/// What is written to a file for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveKind {
    /// What readers of the lane that is shown see, as CSV or JSON: the merged view, or that of the version that serves.
    View,
    /// The view of a version as CSV or JSON.
    Version(VersionNumber),
    /// Why two views differ, as CSV.
    Differences,
    /// The window as PNG.
    Picture,
    /// The run as a scenario.
    Scenario,
}

impl SaveKind {
    /// Heading of its dialog.
    pub fn title(self) -> String {
        match self {
            SaveKind::View => "Export the merged view".to_owned(),
            SaveKind::Version(number) => format!("Export the view of version {number}"),
            SaveKind::Differences => "Export why they differ".to_owned(),
            SaveKind::Picture => "Save a picture".to_owned(),
            SaveKind::Scenario => "Save the run as a scenario".to_owned(),
        }
    }

    /// Whether the extension of the file decides how it is written.
    pub fn has_formats(self) -> bool {
        matches!(self, SaveKind::View | SaveKind::Version(_))
    }

    /// The file name that is offered.
    pub fn file_name(self) -> String {
        match self {
            SaveKind::View => "merged.csv".to_owned(),
            SaveKind::Version(number) => format!("version-{number}.csv"),
            SaveKind::Differences => "differences.csv".to_owned(),
            SaveKind::Picture => "rederive.png".to_owned(),
            SaveKind::Scenario => "run.scenario.json".to_owned(),
        }
    }
}

/// The open dialog.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenDialog {
    /// The path as typed.
    pub path: String,
    /// What went wrong with the last try.
    pub error: Option<String>,
    /// Whether the desktop's own dialog is up.
    pub picking: bool,
    /// Whether the fields of a record are named here too.
    pub shows_fields: bool,
    /// Which field is what and how it is written, in the order of [`FIELDS`]; empty ones are guessed.
    pub fields: Box<[String; FIELDS.len()]>,
    /// Options of the mapping that have no field here, by their command-line names.
    pub others: Vec<(String, String)>,
}

/// The fields that can be named when a log is opened, and what they are for.
pub const FIELDS: [(&str, &str); 10] = [
    ("page", "what is counted"),
    ("user", "who; distinct ones are counted"),
    ("time", "when it happened"),
    ("arrival", "when it came into the log; decides the order"),
    ("value", "what is summed"),
    ("id", "the same id again is counted once"),
    ("zone", "whose days: UTC, a time zone, or as-written"),
    ("naive-zone", "where times without an offset were written"),
    ("anonymous", "records without a user: skip or count"),
    ("input-format", "jsonl, csv, tsv or combined (access logs)"),
];

impl OpenDialog {
    /// For another try of what was asked for.
    pub fn again(request: &OpenRequest) -> OpenDialog {
        let given = |name: &str| request.mapping.iter().find(|(field, _)| field == name);
        OpenDialog {
            path: request.path.display().to_string(),
            shows_fields: !request.mapping.is_empty(),
            fields: Box::new(
                FIELDS.map(|(name, _)| given(name).map(|(_, path)| path.clone()).unwrap_or_default()),
            ),
            others: request.mapping.iter().filter(|(name, _)| !has_field(name)).cloned().collect(),
            ..OpenDialog::default()
        }
    }

    /// What is asked for: the path as typed, and the fields that were named.
    pub fn request(&self) -> OpenRequest {
        let named = FIELDS.iter().zip(self.fields.iter()).filter(|(_, path)| !path.trim().is_empty());
        let named = named.map(|((name, _), path)| ((*name).to_owned(), path.trim().to_owned()));
        OpenRequest {
            path: PathBuf::from(self.path.trim()),
            mapping: named.chain(self.others.iter().cloned()).collect(),
        }
    }
}

fn has_field(option: &str) -> bool {
    FIELDS.iter().any(|(name, _)| *name == option)
}

/// A save dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveDialog {
    /// What is saved.
    pub kind: SaveKind,
    /// The path as typed.
    pub path: String,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// What lies over the window. One at a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Dialog {
    /// Nothing.
    #[default]
    None,
    /// Choosing a log.
    Open(OpenDialog),
    /// Choosing a file to write.
    Save(SaveDialog),
    /// Finding a command.
    Palette {
        /// What was typed.
        query: String,
        /// Which match is chosen.
        chosen: usize,
    },
    /// Keys and words.
    Help,
    /// Whether a file that was dropped is a log, or a view to be compared.
    OpenOrCompare(PathBuf),
    /// Where and when to crash.
    CrashSetup,
    /// Whether an old run may be deleted.
    DeleteRun(KeptRun),
}
