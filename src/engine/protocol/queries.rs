//! Questions about what is too large for a frame, and their answers.

use std::sync::Arc;

use super::{
    Asked, CheckpointId, CloseUp, CompareRequest, Compared, EventTimes, HandoverAnswer, HandoverSetup,
    LaneId, Listed, Listing, Pair, PairDifference, PointOf, ProofLine, ProofOf, RecordNumbers, TilesOf,
    TradePoint, VersionDifferences, VersionNumber, ViewFates,
};
use crate::domain::{CanonicalRow, Day, EventTime, Lateness};

/// Which of a lane's views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ViewKind {
    /// Published by the last batch run.
    Batch,
    /// Served by the speed layer, since the last batch run.
    Speed,
    /// Batch and speed merged.
    #[default]
    Merged,
    /// A full recount of the log up to where merged stands.
    Recount,
    /// The view of a version of the Kappa lane.
    Version(VersionNumber),
}

/// From which view late records are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LateOf {
    /// Merged: the stream dropped them, and no batch run has counted them yet.
    #[default]
    Merged,
    /// The view of a version of the Kappa lane: no batch run will count them.
    Version(VersionNumber),
}

/// A question about something too large for a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Records by number in delivery order.
    Records {
        /// First record.
        first: u64,
        /// How many, at most 1,000.
        count: u32,
    },
    /// Malformed lines, in the order in which they were found.
    Malformed {
        /// First to show.
        first: u64,
        /// How many.
        count: u32,
    },
    /// Rows of a view, sorted by page, then day.
    Rows {
        /// Of which lane.
        lane: LaneId,
        /// Which view.
        view: ViewKind,
        /// First row.
        first: u64,
        /// How many.
        count: u32,
    },
    /// Late records that are missing from a view, by partition and offset.
    Late {
        /// From which view.
        of: LateOf,
        /// First to show.
        first: u64,
        /// How many.
        count: u32,
    },
    /// What a checkpoint file holds.
    CheckpointContents {
        /// Of which lane.
        lane: LaneId,
        /// Which checkpoint.
        id: CheckpointId,
    },
    /// Why the two versions of the Kappa lane differ.
    VersionDifferences,
    /// Runs kept in the state directory.
    Runs,
    /// What became of all records, in each view.
    Fates {
        /// Of which lane.
        lane: LaneId,
    },
    /// The records of a listing, in delivery order.
    RecordsOf {
        /// Of which lane.
        lane: LaneId,
        /// Which records.
        listing: Listing,
        /// Number of the first one in the listing; where lines are searched, the record to go on from.
        first: u64,
        /// How many, at most 1,000.
        count: u32,
    },
    /// Every number that a record touches.
    NumbersOf {
        /// Of which lane.
        lane: LaneId,
        /// The record, by number.
        record: u64,
    },
    /// Why two views differ.
    Differences {
        /// Of which lane.
        lane: LaneId,
        /// Which views.
        pair: Pair,
    },
    /// What a hand-over counts, twice or nowhere.
    Handover {
        /// Of which lane.
        lane: LaneId,
        /// Where batch is cut and speed starts.
        setup: HandoverSetup,
    },
    /// What the serving layer says of a page on the days `[from, to)`, at most [`super::MOST_DAYS`] of them.
    Ask {
        /// Of which lane.
        lane: LaneId,
        /// The page's name.
        page: String,
        /// First day.
        from: Day,
        /// One past the last day.
        to: Day,
    },
    /// Judges views that other systems made, with the log as referee.
    Compare(CompareRequest),
    /// The records behind a part of the newest comparison.
    Proof {
        /// Which of its views.
        view: usize,
        /// A finding or a cell.
        of: ProofOf,
        /// First record.
        first: u64,
        /// How many, at most 1,000.
        count: u32,
    },
    /// The log as event time against arrival; `None`: judged by the run's own allowed lateness.
    EventTimes(Option<Lateness>),
    /// A part of the same, closer up.
    Tiles(TilesOf),
    /// One play of the log under other knobs.
    TradeOff(PointOf),
    /// Names of pages that hold a text.
    Pages {
        /// The text, in any case.
        text: String,
        /// How many at most.
        most: u32,
    },
}

/// What comes back for a [`Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records with the raw line.
    Records(Vec<RecordLine>),
    /// Malformed lines, and how many there are in all (the list is capped).
    Malformed {
        /// The lines asked for.
        lines: Vec<IssueLine>,
        /// How many the whole log has.
        total: u64,
    },
    /// Rows of a view, and how many there are in all.
    Rows {
        /// The rows asked for.
        rows: Vec<CanonicalRow>,
        /// Of the merged view: how many page views of each row are final.
        finals: Vec<u64>,
        /// How many the view has.
        total: u64,
    },
    /// Late records, and how many there are in all.
    Late {
        /// The records asked for.
        lines: Vec<LateLine>,
        /// How many are missing from the view.
        total: u64,
    },
    /// Section name, bytes, and its content in words.
    CheckpointContents(Vec<(String, u64, String)>),
    /// Why the two versions of the Kappa lane differ.
    VersionDifferences(Box<VersionDifferences>),
    /// Kept runs, newest first.
    Runs(Vec<KeptRun>),
    /// What became of all records, in each view.
    Fates(Vec<ViewFates>),
    /// A page of a listing.
    Listed(Listed),
    /// A record and every number that it touches.
    Numbers(Box<RecordNumbers>),
    /// Why two views differ.
    Differences(Box<PairDifference>),
    /// What a hand-over counts.
    Handover(Arc<HandoverAnswer>),
    /// What the serving layer says.
    Asked(Box<Asked>),
    /// Views of theirs, judged.
    Compared(Box<Compared>),
    /// Records that prove something, in the order of the log, and how many there are in all.
    Proof {
        /// The records asked for.
        lines: Vec<ProofLine>,
        /// How many there are.
        total: u64,
    },
    /// The log as event time against arrival.
    EventTimes(Arc<EventTimes>),
    /// A part of it, closer up.
    Tiles(Arc<CloseUp>),
    /// One play of the log.
    TradeOff(Box<TradePoint>),
    /// Names of pages, and how many there are in all.
    Pages {
        /// Those that begin with the text first, then by name.
        names: Vec<String>,
        /// How many hold the text.
        total: u64,
    },
    /// The question cannot be answered (any more); why.
    Nothing(String),
    /// A newer question of the same kind was put meanwhile; that one is answered.
    Replaced,
}

/// One record as the log browser shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordLine {
    /// 0-based number in delivery order.
    pub number: u64,
    /// Partition name.
    pub partition: String,
    /// Offset in its partition.
    pub offset: u64,
    /// File, relative to the log.
    pub file: String,
    /// 1-based line in the file.
    pub line: u64,
    /// The line itself, cut at 4 KiB.
    pub text: String,
    /// What became of it, in words.
    pub fate: String,
    /// How often the stream has read it.
    pub read: u32,
    /// How often it counts in merged.
    pub counted: u32,
}

/// A record that came after its day was closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LateLine {
    /// 0-based number in delivery order.
    pub number: u64,
    /// Partition name.
    pub partition: String,
    /// Offset in its partition.
    pub offset: u64,
    /// Its page.
    pub page: String,
    /// When it happened.
    pub time: Option<EventTime>,
    /// The combined watermark at which it was read, past the end of its day by the lateness.
    pub watermark: Option<EventTime>,
}

/// One malformed line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueLine {
    /// File, relative to the log.
    pub file: String,
    /// 1-based line.
    pub line: u64,
    /// Why no event could be read from it.
    pub reason: String,
}

/// A run kept in the state directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptRun {
    /// Its directory's name.
    pub name: String,
    /// The log it played.
    pub log: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// The last tick in its journal.
    pub last_tick: u64,
    /// Whether it ended by itself or by the person; if not, it was interrupted.
    pub ended: bool,
}
