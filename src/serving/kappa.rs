//! Kappa serving: two versions of one stream view, of which one serves readers.
//!
//! Reprocessing starts the next version at record 0 into a *new* view while the first one serves. Readers change over in one
//! step, and only where both views stand at the same vector, so that no reader sees a record vanish or count twice. Both
//! processors go on after that: the way back stays open until the old view is deleted, which comes last. Source of the
//! construction: Kreps, "Questioning the Lambda Architecture"; semantics, section 5.
//!
//! A pure state machine: every transition has a name, and what is not allowed is refused in words. Absent on purpose:
//! processors, disks, the log.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Emission, Lambda};
use crate::{
    domain::{LateRecords, Offsets, Reading},
    processing::StreamState,
};

/// Number of a version, from 1 in the order in which they were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionNumber(pub u32);

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How the processor of a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// It reads what it has not read before.
    #[default]
    Reading,
    /// It was restored and reads again what its view holds already.
    Rereading,
    /// It crashed; its view stays as it was last written.
    Down,
}

/// One version: how it reads, where it stands, what it counted.
#[derive(Debug, Clone)]
pub struct Version {
    number: VersionNumber,
    reading: Reading,
    health: Health,
    /// A stream view alone: no batch layer below it.
    view: Lambda,
}

impl Version {
    fn new(number: VersionNumber, reading: Reading, partitions: usize) -> Version {
        let view = Lambda::new(partitions).counting(reading.options.uniques);
        Version { number, reading, health: Health::Reading, view }
    }

    /// Its number.
    pub fn number(&self) -> VersionNumber {
        self.number
    }

    /// How it reads the log.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// How its processor is.
    pub fn health(&self) -> Health {
        self.health
    }

    /// What its view holds.
    pub fn view(&self) -> &Lambda {
        &self.view
    }

    /// Records that it dropped as late. No batch run counts them later.
    pub fn late(&self) -> &LateRecords {
        &self.view.speed().late
    }

    /// The next record that its view does not hold, by partition.
    pub fn position(&self) -> &Offsets {
        &self.view.speed().position
    }
}

/// What the version that does not serve is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It catches up, to serve after the switch.
    Next,
    /// It served before the switch and is kept for the way back.
    Old,
}

/// Why readers cannot change over now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// There is no second version.
    #[error("there is no other version")]
    Alone,
    /// A processor is down.
    #[error("version {0} is down")]
    Down(VersionNumber),
    /// A processor reads again what it had read.
    #[error("version {0} still reads again what it had read before its crash")]
    Rereading(VersionNumber),
    /// The two views hold different records.
    #[error("version {serving} stands at {} and version {other} at {}", parts(serving_at), parts(other_at))]
    Apart {
        /// The one that serves.
        serving: VersionNumber,
        /// Where its view stands, by partition.
        serving_at: Offsets,
        /// The other one.
        other: VersionNumber,
        /// Where its view stands, by partition.
        other_at: Offsets,
    },
}

/// Positions by partition, as `5232 + 2986`.
fn parts(position: &Offsets) -> String {
    let parts: Vec<String> = position.as_slice().iter().map(u64::to_string).collect();
    parts.join(" + ")
}

/// Why a step is refused. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The first version was never started.
    #[error("no version has been started")]
    NotStarted,
    /// The first version is there already.
    #[error("version {0} serves already")]
    Started(VersionNumber),
    /// Two are the most.
    #[error("versions {0} and {1} are there: delete the one that does not serve first")]
    Two(VersionNumber, VersionNumber),
    /// Nothing catches up.
    #[error("there is no next version to switch to")]
    NothingNext,
    /// Nothing is kept.
    #[error("no old view is kept to go back to")]
    NothingOld,
    /// The gate is closed.
    #[error("readers change over only where both views hold the same records: {0}")]
    Gate(Closed),
    /// Readers would be left with nothing.
    #[error("version {0} serves readers: its view goes last")]
    Serves(VersionNumber),
    /// No such version.
    #[error("there is no version {0}")]
    Unknown(VersionNumber),
}

/// What a step of the change-over did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changeover {
    /// Served until now.
    pub from: VersionNumber,
    /// Serves from now on.
    pub to: VersionNumber,
}

/// Two versions at most; readers see exactly one.
#[derive(Debug, Clone, Default)]
pub struct Kappa {
    partitions: usize,
    last: u32,
    serving: Option<Version>,
    other: Option<(Role, Version)>,
}

impl Kappa {
    /// No version yet.
    pub fn new(partitions: usize) -> Kappa {
        Kappa { partitions, ..Kappa::default() }
    }

    /// Starts the first version at record 0: readers see its view grow.
    pub fn start_first(&mut self, reading: Reading) -> Result<VersionNumber, Refusal> {
        if let Some(serving) = &self.serving {
            return Err(Refusal::Started(serving.number));
        }
        let version = self.new_version(reading);
        Ok(self.serving.insert(version).number)
    }

    /// Starts the next version at record 0 into a new view; the one that serves goes on.
    pub fn start_next(&mut self, reading: Reading) -> Result<VersionNumber, Refusal> {
        let serving = self.serving.as_ref().ok_or(Refusal::NotStarted)?.number;
        if let Some((_, other)) = &self.other {
            return Err(Refusal::Two(serving, other.number));
        }
        let version = self.new_version(reading);
        let number = version.number;
        self.other = Some((Role::Next, version));
        Ok(number)
    }

    /// Whether readers can change over now: both processors up, both views at the same vector.
    pub fn gate(&self) -> Result<&Offsets, Closed> {
        let (Some(serving), Some((_, other))) = (&self.serving, &self.other) else {
            return Err(Closed::Alone);
        };
        for version in [serving, other] {
            match version.health {
                Health::Reading => {}
                Health::Rereading => return Err(Closed::Rereading(version.number)),
                Health::Down => return Err(Closed::Down(version.number)),
            }
        }
        if serving.position() != other.position() {
            return Err(Closed::Apart {
                serving: serving.number,
                serving_at: serving.position().clone(),
                other: other.number,
                other_at: other.position().clone(),
            });
        }
        Ok(serving.position())
    }

    /// Readers see the next version from now on, in one step; the old view is kept and goes on.
    pub fn switch(&mut self) -> Result<Changeover, Refusal> {
        self.change_over(Role::Next, Refusal::NothingNext)
    }

    /// Readers see the old version again, in one step; the other one becomes the next one again.
    pub fn roll_back(&mut self) -> Result<Changeover, Refusal> {
        self.change_over(Role::Old, Refusal::NothingOld)
    }

    /// Whether the view of a version may be deleted: never the one that serves.
    pub fn may_delete(&self, number: VersionNumber) -> Result<(), Refusal> {
        if self.serving.as_ref().is_some_and(|serving| serving.number == number) {
            return Err(Refusal::Serves(number));
        }
        match &self.other {
            Some((_, other)) if other.number == number => Ok(()),
            _ => Err(Refusal::Unknown(number)),
        }
    }

    /// Deletes the view of a version that does not serve: the old one after a switch, or a next one that is given up.
    pub fn delete(&mut self, number: VersionNumber) -> Result<Version, Refusal> {
        self.may_delete(number)?;
        self.other.take().map(|(_, version)| version).ok_or(Refusal::Unknown(number))
    }

    /// A version wrote the rows that its last micro-batches changed.
    pub fn apply(&mut self, number: VersionNumber, emission: Emission<'_>) {
        if let Some(version) = self.version_mut(number) {
            version.view.apply(emission);
        }
    }

    /// A version has read again all that its view holds: the whole of its state takes the view's place.
    pub fn replace(&mut self, number: VersionNumber, state: StreamState) {
        if let Some(version) = self.version_mut(number) {
            // Without a batch cut nothing is ever folded again.
            version.view.replace(state, |_, _| Default::default());
        }
    }

    /// The processor of a version crashed, was restored, or has caught up with its view.
    pub fn set_health(&mut self, number: VersionNumber, health: Health) {
        if let Some(version) = self.version_mut(number) {
            version.health = health;
        }
    }

    /// The version that readers see.
    pub fn serving(&self) -> Option<&Version> {
        self.serving.as_ref()
    }

    /// The version that they do not see, and what it is there for.
    pub fn other(&self) -> Option<(Role, &Version)> {
        self.other.as_ref().map(|(role, version)| (*role, version))
    }

    /// How many versions were started so far.
    pub fn started(&self) -> u64 {
        u64::from(self.last)
    }

    /// A version by its number.
    pub fn version(&self, number: VersionNumber) -> Option<&Version> {
        self.versions().find(|version| version.number == number)
    }

    /// All, the one that serves first.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.serving.iter().chain(self.other.iter().map(|(_, version)| version))
    }

    fn version_mut(&mut self, number: VersionNumber) -> Option<&mut Version> {
        let other = self.other.iter_mut().map(|(_, version)| version);
        self.serving.iter_mut().chain(other).find(|version| version.number == number)
    }

    fn new_version(&mut self, reading: Reading) -> Version {
        self.last += 1;
        Version::new(VersionNumber(self.last), reading, self.partitions)
    }

    fn change_over(&mut self, wanted: Role, nothing: Refusal) -> Result<Changeover, Refusal> {
        let serving = self.serving.as_ref().ok_or(Refusal::NotStarted)?.number;
        if self.other.as_ref().is_none_or(|(role, _)| *role != wanted) {
            return Err(nothing);
        }
        self.gate().map_err(Refusal::Gate)?;
        let Some((role, other)) = self.other.take() else { return Err(nothing) };
        let to = other.number;
        let was_serving = self.serving.replace(other);
        let becomes = match role {
            Role::Next => Role::Old,
            Role::Old => Role::Next,
        };
        self.other = was_serving.map(|version| (becomes, version));
        Ok(Changeover { from: serving, to })
    }
}

#[cfg(test)]
#[path = "kappa_tests.rs"]
mod tests;
