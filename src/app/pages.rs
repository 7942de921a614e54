//! What the engine has answered, page by page.

use super::{
    HandoverPage, asking::AskPage, event_time::EventTimePage, theirs::TheirsPage, trade_off::TradeOffPage,
};
use crate::{
    domain::CanonicalRow,
    engine::protocol::{
        CheckpointId, IssueLine, KeptRun, LateLine, LateOf, Query, RecordLine, Tick, ViewKind,
    },
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
    /// Of the merged view: how many page views of each row are final.
    pub finals: Vec<u64>,
    /// How many there are in all.
    pub total: u64,
}

/// A page of late records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LatePage {
    /// From which view they are missing.
    pub of: LateOf,
    /// Number of the first one asked for.
    pub first: u64,
    /// The records.
    pub lines: Vec<LateLine>,
    /// How many are missing in all.
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
    /// Late records.
    pub late: LatePage,
    /// An opened checkpoint.
    pub checkpoint: Option<CheckpointPage>,
    /// Kept runs.
    pub runs: Vec<KeptRun>,
    /// Fates, listings, differences.
    pub lineage: super::LineagePages,
    /// The hand-over.
    pub handover: HandoverPage,
    /// Questions to the serving layer.
    pub asking: AskPage,
    /// Views of theirs.
    pub theirs: TheirsPage,
    /// Event time against arrival.
    pub event_time: EventTimePage,
    /// Staleness against cost.
    pub trade_off: TradeOffPage,
    /// What is typed for the next start.
    pub run_settings: super::SettingsPage,
    /// Questions under way.
    pub pending: Vec<(u64, Query)>,
    /// Number of the last question.
    pub last_question: u64,
    /// Run time at which the open pages were asked for.
    pub asked_at: Tick,
}

impl Answers {
    /// Whether records to be listed are under way.
    pub fn is_listing(&self) -> bool {
        self.pending.iter().any(|(_, query)| matches!(query, Query::RecordsOf { .. }))
    }
}
