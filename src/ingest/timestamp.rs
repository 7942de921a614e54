//! Timestamps in text: RFC 3339, naive date and time, epoch numbers, and strftime patterns.

use std::fmt;

use jiff::{civil, fmt::strtime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::domain::{Day, EventTime};

const NANOS: i128 = 1_000_000_000;

/// How the time field is written. `auto` is resolved before a log is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TimeFormat {
    /// Date and time with an offset (RFC 3339), or without one, then in the naive zone; decided record by record.
    Rfc3339,
    /// Seconds since 1970, with a fraction where there is one.
    EpochSeconds,
    /// Milliseconds.
    EpochMillis,
    /// Microseconds.
    EpochMicros,
    /// Nanoseconds.
    EpochNanos,
    /// A strftime pattern.
    Pattern(String),
}

/// A time format that is neither a known name nor a strftime pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time format {0:?}")]
pub struct UnknownTimeFormat(pub String);

impl TryFrom<String> for TimeFormat {
    type Error = UnknownTimeFormat;

    fn try_from(text: String) -> Result<Self, UnknownTimeFormat> {
        Ok(match text.as_str() {
            "rfc3339" => TimeFormat::Rfc3339,
            "epoch-s" => TimeFormat::EpochSeconds,
            "epoch-ms" => TimeFormat::EpochMillis,
            "epoch-us" => TimeFormat::EpochMicros,
            "epoch-ns" => TimeFormat::EpochNanos,
            pattern if pattern.contains('%') => TimeFormat::Pattern(text),
            _ => return Err(UnknownTimeFormat(text)),
        })
    }
}

impl From<TimeFormat> for String {
    fn from(format: TimeFormat) -> String {
        format.to_string()
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeFormat::Rfc3339 => "rfc3339",
            TimeFormat::EpochSeconds => "epoch-s",
            TimeFormat::EpochMillis => "epoch-ms",
            TimeFormat::EpochMicros => "epoch-us",
            TimeFormat::EpochNanos => "epoch-ns",
            TimeFormat::Pattern(pattern) => pattern,
        })
    }
}

/// A point in time and the offset that its text carried (0 for numbers), in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedTime {
    /// When.
    pub time: EventTime,
    /// For the `as-written` day rule.
    pub written_offset_seconds: i32,
}

impl TimeFormat {
    /// Reads a time. `naive_zone` applies where the text has no offset (`None`: UTC). `None` when it cannot be
    /// read or lies outside the years 1678 to 2261.
    pub fn parse(&self, text: &str, naive_zone: Option<&TimeZone>) -> Option<ParsedTime> {
        match self {
            TimeFormat::Rfc3339 => parse_text(text.as_bytes(), naive_zone),
            TimeFormat::EpochSeconds => epoch(text, 9),
            TimeFormat::EpochMillis => epoch(text, 6),
            TimeFormat::EpochMicros => epoch(text, 3),
            TimeFormat::EpochNanos => epoch(text, 0),
            TimeFormat::Pattern(pattern) => parse_pattern(pattern, text, naive_zone),
        }
    }

    /// The format that a sample is written in: text, or a number whose magnitude tells its unit.
    ///
    /// Seconds below 1e11 (the year 5138), then milliseconds, microseconds and nanoseconds, a factor of 1,000 each.
    pub fn recognise(text: &str) -> Option<TimeFormat> {
        if parse_text(text.as_bytes(), None).is_some() {
            return Some(TimeFormat::Rfc3339);
        }
        let (whole, _) = decimal(text, 0)?;
        let format = match whole.unsigned_abs() {
            0..100_000_000_000 => TimeFormat::EpochSeconds,
            100_000_000_000..100_000_000_000_000 => TimeFormat::EpochMillis,
            100_000_000_000_000..100_000_000_000_000_000 => TimeFormat::EpochMicros,
            _ => TimeFormat::EpochNanos,
        };
        format.parse(text, None).map(|_| format)
    }
}

fn at(nanoseconds: i128, written_offset_seconds: i32) -> Option<ParsedTime> {
    Some(ParsedTime { time: EventTime(i64::try_from(nanoseconds).ok()?), written_offset_seconds })
}

fn epoch(text: &str, scale: i32) -> Option<ParsedTime> {
    at(decimal(text, scale)?.0, 0)
}

/// A decimal times 10^scale, rounded down, and whether that was exact. Exact arithmetic: a double has no
/// nanoseconds left at today's seconds.
fn decimal(text: &str, scale: i32) -> Option<(i128, bool)> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = mantissa.strip_prefix('-').map_or((false, mantissa), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || digits.ends_with('.') || digits.len() > 40 {
        return None;
    }
    let mut number: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    number = if negative { -number } else { number };
    let shift = scale.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    match power {
        Some(power) if shift >= 0 => number.checked_mul(power).map(|number| (number, true)),
        Some(power) => Some((number.div_euclid(power), number.rem_euclid(power) == 0)),
        None => (shift < 0 || number == 0).then_some((if number < 0 { -1 } else { 0 }, number == 0)),
    }
}

/// Reads leading digits off the front of a text.
struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0;
        for &byte in digits {
            number = number * 10 + byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        }
        self.0 = rest;
        Some(number)
    }

    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        allowed.contains(&first).then(|| {
            self.0 = rest;
            first
        })
    }

    /// One to nine digits behind a point or a comma, as nanoseconds.
    fn fraction(&mut self) -> Option<i64> {
        if self.one_of(b".,").is_none() {
            return Some(0);
        }
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let missing = u32::try_from(9_usize.checked_sub(count)?).ok()?;
        (count > 0).then_some(())?;
        Some(self.digits(count)? * 10_i64.pow(missing))
    }

    /// `Z` or `+hh:mm`, `+hhmm`, `+hh`: seconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'-' => -1,
            b'+' => 1,
            _ => return Some(0),
        };
        let hours = self.digits(2)?;
        self.one_of(b":");
        let minutes = if self.0.is_empty() { 0 } else { self.digits(2)? };
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
    }
}

fn parse_text(text: &[u8], naive_zone: Option<&TimeZone>) -> Option<ParsedTime> {
    let mut scan = Scanner(text);
    let year = scan.digits(4)?;
    scan.one_of(b"-")?;
    let month = scan.digits(2)?;
    scan.one_of(b"-")?;
    let day = scan.digits(2)?;
    scan.one_of(b"Tt ")?;
    let hour = scan.digits(2)?;
    scan.one_of(b":")?;
    let minute = scan.digits(2)?;
    scan.one_of(b":")?;
    // A leap second is read as the second before it, which keeps its day.
    let second = scan.digits(2).filter(|&second| second <= 60)?.min(59);
    let nanos = scan.fraction()?;
    // Some writers put a blank before the offset.
    if scan.0.len() > 1 {
        scan.one_of(b" ");
    }
    let offset = if scan.0.is_empty() { None } else { Some(scan.offset()?) };
    if !scan.0.is_empty() || hour > 23 || minute > 59 {
        return None;
    }
    let small = |number: i64| i8::try_from(number).ok();
    let date = civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let Some(offset) = offset else {
        if let Some(zone) = naive_zone {
            let time =
                civil::Time::new(small(hour)?, small(minute)?, small(second)?, i32::try_from(nanos).ok()?);
            return in_zone(civil::DateTime::from_parts(date, time.ok()?), zone);
        }
        return parse_parts(date, hour * 3_600 + minute * 60 + second, nanos, 0);
    };
    parse_parts(date, hour * 3_600 + minute * 60 + second, nanos, offset)
}

fn parse_parts(date: civil::Date, second_of_day: i64, nanos: i64, offset: i64) -> Option<ParsedTime> {
    let seconds = i64::from(Day::from_date(date).0) * 86_400 + second_of_day - offset;
    at(i128::from(seconds) * NANOS + i128::from(nanos), i32::try_from(offset).ok()?)
}

/// A time that a zone skips or repeats is read as every calendar program does: later in a gap, the first of two.
fn in_zone(datetime: civil::DateTime, zone: &TimeZone) -> Option<ParsedTime> {
    let timestamp = zone.to_ambiguous_timestamp(datetime).compatible().ok()?;
    at(timestamp.as_nanosecond(), zone.to_offset(timestamp).seconds())
}

fn parse_pattern(pattern: &str, text: &str, naive_zone: Option<&TimeZone>) -> Option<ParsedTime> {
    let broken_down = strtime::parse(pattern, text).ok()?;
    if let Some(offset) = broken_down.offset() {
        return at(broken_down.to_timestamp().ok()?.as_nanosecond(), offset.seconds());
    }
    if broken_down.iana_time_zone().is_some() {
        let zoned = broken_down.to_zoned().ok()?;
        return at(zoned.timestamp().as_nanosecond(), zoned.offset().seconds());
    }
    match (broken_down.to_datetime(), broken_down.to_timestamp()) {
        (_, Ok(timestamp)) => at(timestamp.as_nanosecond(), 0),
        (Ok(datetime), Err(_)) => in_zone(datetime, naive_zone.unwrap_or(&TimeZone::UTC)),
        (Err(_), Err(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::parse_zone;
    use proptest::prelude::*;

    fn read(format: &str, text: &str, zone: Option<&str>) -> Option<(String, i32)> {
        let format = TimeFormat::try_from(format.to_owned()).unwrap();
        let zone = zone.map(|name| parse_zone(name).unwrap());
        let parsed = format.parse(text, zone.as_ref())?;
        Some((parsed.time.to_string(), parsed.written_offset_seconds))
    }

    #[expect(clippy::unnecessary_wraps, reason = "to stand beside what is read")]
    fn some(text: &str, offset: i32) -> Option<(String, i32)> {
        Some((text.to_owned(), offset))
    }

    #[test]
    fn text_with_and_without_an_offset() {
        let z = "2024-03-13T10:21:14Z";
        for text in [z, "2024-03-13 10:21:14", "2024-03-13t10:21:14z", "2024-03-13T10:21:14.000000000Z"] {
            assert_eq!(read("rfc3339", text, None), some(z, 0), "{text}");
        }
        assert_eq!(read("rfc3339", "2024-03-13T10:21:14+05:30", None), some("2024-03-13T04:51:14Z", 19_800));
        assert_eq!(
            read("rfc3339", "2024-03-13 10:21:14.5 -0330", None),
            some("2024-03-13T13:51:14.5Z", -12_600)
        );
        assert_eq!(read("rfc3339", "2016-12-31T23:59:60Z", None), some("2016-12-31T23:59:59Z", 0));
        let berlin = Some("Europe/Berlin");
        assert_eq!(read("rfc3339", "2024-07-01 00:30:00", berlin), some("2024-06-30T22:30:00Z", 7_200));
        assert_eq!(read("rfc3339", "2024-07-01T00:30:00Z", berlin), some("2024-07-01T00:30:00Z", 0));
        assert_eq!(
            read("rfc3339", "2024-03-31 02:30:00", berlin),
            some("2024-03-31T01:30:00Z", 7_200),
            "gap"
        );
        assert_eq!(
            read("rfc3339", "2024-10-27 02:30:00", berlin),
            some("2024-10-27T00:30:00Z", 7_200),
            "fold"
        );
        for bad in [
            "",
            "2024-03-13",
            "2024-02-30T00:00:00Z",
            "2024-03-13T24:00:00Z",
            "2024-03-13T10:21:14.1234567890Z",
            "2024-03-13T10:21:14.Z",
            "2024-03-13T10:21:14Zx",
            "2024-03-13T10:21:14 ",
            "1600-01-01T00:00:00Z",
            "1710325274",
        ] {
            assert_eq!(read("rfc3339", bad, None), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_exact() {
        let text = "2024-03-13T10:21:14.123456789Z";
        assert_eq!(read("epoch-s", "1710325274.123456789", None), some(text, 0));
        assert_eq!(read("epoch-s", "1.710325274123456789e9", None), some(text, 0));
        assert_eq!(read("epoch-ns", "1710325274123456789", None), some(text, 0));
        assert_eq!(read("epoch-us", "1710325274123456.789", None), some(text, 0));
        assert_eq!(read("epoch-ms", "-1", None), some("1969-12-31T23:59:59.999Z", 0));
        for bad in ["", "-", "1.", ".5", "1x", "1e400", "99999999999999999999", "true"] {
            assert_eq!(read("epoch-s", bad, None), None, "{bad}");
        }
    }

    #[test]
    fn patterns_go_through_jiff() {
        assert_eq!(
            read("%d/%b/%Y:%H:%M:%S %z", "13/Mar/2024:10:21:14 +0330", None),
            some("2024-03-13T06:51:14Z", 12_600)
        );
        assert_eq!(read("%Y%m%d %H%M", "20240701 0030", Some("Europe/Berlin")).unwrap().1, 7_200);
        assert_eq!(read("%d.%m.%Y", "13.03.2024", None), some("2024-03-13T00:00:00Z", 0));
        assert_eq!(read("%s", "1710325274", None), some("2024-03-13T10:21:14Z", 0));
        assert!(TimeFormat::try_from("epoch".to_owned()).is_err());
    }

    #[test]
    fn magnitude_tells_the_unit() {
        for (text, name) in [
            ("1710325274", "epoch-s"),
            ("1710325274.5", "epoch-s"),
            ("1710325274123", "epoch-ms"),
            ("1710325274123456", "epoch-us"),
            ("1710325274123456789", "epoch-ns"),
            ("2024-03-13 10:21:14", "rfc3339"),
        ] {
            assert_eq!(TimeFormat::recognise(text).map(String::from).as_deref(), Some(name));
        }
        assert_eq!(TimeFormat::recognise("user_17"), None);
    }

    proptest! {
        #[test]
        fn what_jiff_prints_is_read_back(nanos in any::<i64>(), offset in -1_000..1_000_i32) {
            let time = jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
            let written = time.display_with_offset(jiff::tz::Offset::from_seconds(offset * 60).unwrap()).to_string();
            let parsed = TimeFormat::Rfc3339.parse(&written, None).unwrap();
            prop_assert_eq!(parsed, ParsedTime { time: EventTime(nanos), written_offset_seconds: offset * 60 });
        }
    }
}
