//! Values of options, and how those that are no plain names are read.

use std::ops::Range;

use clap::{
    ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    app::PanelId,
    checkpoint::{CrashPoint, GuaranteeId},
    domain::{Lateness, Uniques},
};

/// Form of a reconciliation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReconcileFormat {
    /// For people.
    Text,
    /// One object.
    Json,
    /// One line a difference.
    Csv,
}

/// How distinct users of two layers are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MergeUniques {
    /// Sets unite.
    Set,
    /// Sketches unite.
    Hll,
    /// Numbers are added, which is wrong.
    Added,
}

/// What separates the batch view from the speed view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BoundaryKind {
    /// One offset a partition.
    Offsets,
    /// An event time.
    EventTime,
    /// The first partition's offset for all.
    Scalar,
    /// Nothing.
    None,
}

/// How a scenario is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DriverKind {
    /// On one thread.
    Inline,
    /// On named threads.
    Threads,
}

/// Colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

/// Size of a picture, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Size {
    /// Width and height as drawing wants them.
    pub fn points(self) -> (f32, f32) {
        (self.width as f32, self.height as f32)
    }
}

/// A requested crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashAt {
    /// Where in the micro-batch.
    pub point: CrashPoint,
    /// In the micro-batch that contains this record, from 0 in delivery order.
    pub record: u64,
}

/// Panels by their ids; what is none is refused with the list.
pub(super) fn panel_ids() -> impl TypedValueParser<Value = PanelId> {
    PossibleValuesParser::new(PanelId::ALL.iter().map(|panel| panel.id))
        .try_map(|id| PanelId::find(&id).ok_or("no such panel"))
}

pub(super) fn parse_guarantee(text: &str) -> Result<GuaranteeId, String> {
    if GuaranteeId::NOT_YET.contains(&text) {
        return Err("not in this version yet".to_owned());
    }
    GuaranteeId::parse(text).ok_or_else(|| {
        let known: Vec<&str> = GuaranteeId::ALL.iter().map(|id| id.id()).collect();
        format!("no such guarantee (known: {})", known.join(", "))
    })
}

pub(super) fn parse_lateness(text: &str) -> Result<Lateness, String> {
    Lateness::parse(text).map_err(|error| error.to_string())
}

pub(super) fn parse_uniques(text: &str) -> Result<Uniques, String> {
    match text {
        "set" => Ok(Uniques::Set),
        "hll" => Ok(Uniques::Hll),
        _ => Err("no such kind (known: set, hll)".to_owned()),
    }
}

pub(super) fn parse_crash(text: &str) -> Result<CrashAt, String> {
    let (point, record) = text.split_once('@').ok_or("not of the form POINT@RECORD")?;
    let point = CrashPoint::parse(point).ok_or_else(|| {
        let known: Vec<&str> = CrashPoint::ALL.iter().map(|point| point.id()).collect();
        format!("no such crash point (known: {})", known.join(", "))
    })?;
    let record = record.parse().map_err(|_| "RECORD is not a number from 0".to_owned())?;
    Ok(CrashAt { point, record })
}

pub(super) fn parse_size(text: &str) -> Result<Size, String> {
    let parsed = text
        .split_once('x')
        .and_then(|(width, height)| Some(Size { width: width.parse().ok()?, height: height.parse().ok()? }));
    match parsed {
        Some(size) if (1..=8192).contains(&size.width) && (1..=8192).contains(&size.height) => Ok(size),
        _ => Err("not of the form WxH with numbers from 1 to 8192".to_owned()),
    }
}

pub(super) fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    match parsed {
        Some(seeds) if !seeds.is_empty() => Ok(seeds),
        _ => Err("not of the form A..B with A below B".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_forms() {
        assert_eq!(parse_crash("mid-apply@7"), Ok(CrashAt { point: CrashPoint::MidApply, record: 7 }));
        for bad in ["mid-apply", "mid@7", "mid-apply@", "mid-apply@-1", "mid-apply@x"] {
            assert!(parse_crash(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_size("2x3"), Ok(Size { width: 2, height: 3 }));
        assert!(parse_size("0x3").is_err() && parse_size("2").is_err());
        assert_eq!(parse_seeds("3..5"), Ok(3..5));
        assert!(parse_seeds("5..5").is_err() && parse_seeds("5").is_err());
    }
}
