//! What the engine has answered, page by page.

use super::HandoverPage;
use super::{asking::AskPage, theirs::TheirsPage};
use crate::{
    domain::CanonicalRow,
    engine::protocol::{CheckpointId, IssueLine, KeptRun, Query, RecordLine, Tick, ViewKind},
};

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordsPage {
    /// Number of the first record asked for.
    pub first: u64,
    /// As typed into "go to record".
    pub go_to: String,
    /// The records.
    pub records: Vec<RecordLine>,
}

/// A page of malformed lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MalformedPage {
    /// Number of the first line asked for.
    pub first: u64,
    /// The lines.
    pub lines: Vec<IssueLine>,
    /// How many there are in all.
    pub total: u64,
}

/// A page of a view's rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowsPage {
    /// Which view.
    pub view: ViewKind,
    /// Number of the first row asked for.
    pub first: u64,
    /// The rows.
    pub rows: Vec<CanonicalRow>,
    /// How many there are in all.
    pub total: u64,
}

/// What a checkpoint holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckpointPage {
    /// Which.
    pub id: CheckpointId,
    /// Section name, bytes, content in words.
    pub sections: Vec<(String, u64, String)>,
}

/// What the engine has answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// Log browser.
    pub records: RecordsPage,
    /// Malformed lines.
    pub malformed: MalformedPage,
    /// Rows of a view.
    pub rows: RowsPage,
    /// An opened checkpoint.
    pub checkpoint: Option<CheckpointPage>,
    /// Kept runs.
    pub runs: Vec<KeptRun>,
    /// The hand-over.
    pub handover: HandoverPage,
    /// Questions to the serving layer.
    pub asking: AskPage,
    /// Views of theirs.
    pub theirs: TheirsPage,
    /// Questions under way.
    pub pending: Vec<(u64, Query)>,
    /// Number of the last question.
    pub last_question: u64,
    /// Run time at which the open pages were asked for.
    pub asked_at: Tick,
}
