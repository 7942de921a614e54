//! L4: what the window shows and how it changes, without egui.
//!
//! [`State`] mirrors the session, [`apply`] is its only mutator, [`Effect`]s are what the composition root does
//! for it. Absent on purpose: drawing, threads, clocks, and files other than the settings.

pub mod asking;
mod command;
mod dialogs;
mod enabled;
pub mod event_time;
pub mod format;
pub mod freshness;
mod handover;
mod keys;
mod lineage;
pub mod lineage_text;
mod moment;
mod narrate;
mod narrate_versions;
mod opening;
mod pages;
mod panels;
mod proof_text;
mod refresh;
pub mod run_settings;
mod settings;
mod state;
pub mod theirs;
pub mod trade_off;
mod two_versions;
pub mod typed;
mod update;
mod update_command;

pub use asking::{AskEdit, AskPage, Question};
pub use command::{AppCommand, Group, Spec};
pub use dialogs::{Dialog, FIELDS, OpenDialog, SaveDialog, SaveKind};
pub use event_time::{EventTimeEdit, EventTimePage};
pub use handover::{Handles, HandoverEdit, HandoverPage, verdict, wrong};
pub use keys::{Key, Shortcut};
pub use lineage::{FatesTab, LineageEdit, LineagePages, ListingPage, SearchBox};
pub use narrate::{Sentence, Tone, narrate, predicted, question};
pub use pages::{Answers, CheckpointPage, LatePage, MalformedPage, RecordsPage, RowsPage};
pub use panels::PanelId;
pub use proof_text::proof_in_words;
pub use run_settings::{SettingsEdit, SettingsField, SettingsPage};
pub use settings::{MAX_RECENT, Settings, ThemeChoice, config_dir};
pub use state::{
    CrashSetup, Example, ExampleKind, Happening, LeftDrawer, Look, Measure, Notice, OpenFailure, Phase,
    Prediction, RightDrawer, State, TableTwin,
};
pub use theirs::{PROOF_ROWS, Slot, TheirsEdit, TheirsPage};
pub use trade_off::{Family, Price, TradeOffEdit, TradeOffPage};
pub use two_versions::{VersionEdit, VersionStep, VersionsPage, cause_in_words, is_down};
pub use update::{Edit, Effect, Input, Pick, apply};
