//! Names of the guarantees and of the crash points: the same in files, on the command line and in messages.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where in one micro-batch a crash can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrashPoint {
    /// Read, nothing applied.
    #[default]
    BeforeApply,
    /// After ⌊n/2⌋ of its n records.
    MidApply,
    /// All applied, nothing emitted.
    AfterApply,
    /// Emitted to the sink, no checkpoint.
    AfterEmit,
    /// Part of the checkpoint's bytes on disk.
    MidCheckpoint,
    /// Checkpoint durable, not acknowledged.
    AfterCheckpoint,
}

impl CrashPoint {
    /// In the order in which a micro-batch reaches them.
    pub const ALL: [CrashPoint; 6] = [
        CrashPoint::BeforeApply,
        CrashPoint::MidApply,
        CrashPoint::AfterApply,
        CrashPoint::AfterEmit,
        CrashPoint::MidCheckpoint,
        CrashPoint::AfterCheckpoint,
    ];

    /// The name on the command line and in files.
    pub fn id(self) -> &'static str {
        match self {
            CrashPoint::BeforeApply => "before-apply",
            CrashPoint::MidApply => "mid-apply",
            CrashPoint::AfterApply => "after-apply",
            CrashPoint::AfterEmit => "after-emit",
            CrashPoint::MidCheckpoint => "mid-checkpoint",
            CrashPoint::AfterCheckpoint => "after-checkpoint",
        }
    }

    /// Reads [`CrashPoint::id`].
    pub fn parse(text: &str) -> Option<CrashPoint> {
        CrashPoint::ALL.into_iter().find(|point| point.id() == text)
    }
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What is saved when, and how output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuaranteeId {
    /// One atomic checkpoint; the sink is a log of absolute rows of changed cells, last wins.
    #[default]
    ExactlyOnceUpsertSink,
    /// The textbook's listing as printed: one atomic file whose position is always -1.
    Textbook,
}

impl GuaranteeId {
    /// All that this version knows.
    pub const ALL: [GuaranteeId; 2] = [GuaranteeId::ExactlyOnceUpsertSink, GuaranteeId::Textbook];

    /// Named by the contract, not known to this version.
    pub const NOT_YET: [&'static str; 6] = [
        "at-most-once",
        "at-least-once",
        "two-files-state-first",
        "two-files-offset-first",
        "exactly-once-append-sink",
        "exactly-once-same-commit",
    ];

    /// The name on the command line and in files.
    pub fn id(self) -> &'static str {
        match self {
            GuaranteeId::ExactlyOnceUpsertSink => "exactly-once-upsert-sink",
            GuaranteeId::Textbook => "textbook",
        }
    }

    /// Reads [`GuaranteeId::id`].
    pub fn parse(text: &str) -> Option<GuaranteeId> {
        GuaranteeId::ALL.into_iter().find(|guarantee| guarantee.id() == text)
    }

    /// Whether I2, I4, I5 and R1 bind it.
    pub fn is_exactly_once(self) -> bool {
        match self {
            GuaranteeId::ExactlyOnceUpsertSink => true,
            GuaranteeId::Textbook => false,
        }
    }

    /// What is saved, and when, in words.
    pub fn saved_in_words(self) -> &'static str {
        match self {
            GuaranteeId::ExactlyOnceUpsertSink => "position and totals together, in one file",
            GuaranteeId::Textbook => "totals, with a position that is always -1",
        }
    }

    /// How output is written, in words.
    pub fn output_in_words(self) -> &'static str {
        "changed rows, last one wins"
    }
}

impl fmt::Display for GuaranteeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
