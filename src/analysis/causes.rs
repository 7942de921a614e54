//! The causes by which views of one log differ.

use std::fmt;

/// Why a record counts in one view and not in another, or more often. The order is the order of the screen: what could
/// not be explained comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// What no other cause accounts for. 0 wherever both views are ours.
    Unexplained,
    /// The record lies at or above the position of one of the two.
    NotYetRead,
    /// The batch view covers it, so the speed view has dropped it.
    HandedOver,
    /// It came after its day was closed, and one of the two drops such records.
    Late,
    /// It was counted more than once: redelivered or replayed.
    CountedTwice,
    /// It was read and its effect is gone.
    Lost,
    /// It lies between what batch and what speed cover.
    Gap,
    /// It lies in what both batch and speed cover.
    Overlap,
    /// Its id, or its explicit offset, was seen before, and one of the two skips such records.
    DuplicateId,
    /// It counts on another day, because days begin elsewhere.
    OtherDayZone,
    /// It counts under another page: query strings, case or slashes are kept by one of the two.
    OtherPageRule,
    /// One of the two counts lines from which the other reads no event.
    Malformed,
    /// It has no user, and one of the two skips such records.
    NoUser,
    /// Distinct users of two parts were added where they must be united.
    UniquesAdded,
    /// One of the two estimates distinct users.
    SketchError,
}

impl Cause {
    /// All, in order.
    pub const ALL: [Cause; 15] = [
        Cause::Unexplained,
        Cause::NotYetRead,
        Cause::HandedOver,
        Cause::Late,
        Cause::CountedTwice,
        Cause::Lost,
        Cause::Gap,
        Cause::Overlap,
        Cause::DuplicateId,
        Cause::OtherDayZone,
        Cause::OtherPageRule,
        Cause::Malformed,
        Cause::NoUser,
        Cause::UniquesAdded,
        Cause::SketchError,
    ];

    /// In files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Cause::Unexplained => "unexplained",
            Cause::NotYetRead => "not-yet-read",
            Cause::HandedOver => "handed-over",
            Cause::Late => "late",
            Cause::CountedTwice => "counted-twice",
            Cause::Lost => "lost",
            Cause::Gap => "gap",
            Cause::Overlap => "overlap",
            Cause::DuplicateId => "duplicate-id",
            Cause::OtherDayZone => "other-day-zone",
            Cause::OtherPageRule => "other-page-rule",
            Cause::Malformed => "malformed",
            Cause::NoUser => "no-user",
            Cause::UniquesAdded => "uniques-added",
            Cause::SketchError => "sketch-error",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// How much of a difference (first view minus second) one cause makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseShare {
    /// Which cause.
    pub cause: Cause,
    /// Records behind it.
    pub records: u64,
    /// Its part of the difference in page views.
    pub views: i64,
    /// Its part of the difference in distinct users (summed over cells).
    pub users: i64,
}
