//! Dates and counts as others write them.

use jiff::{Timestamp, civil};

use super::AmountKind;
use crate::domain::{Day, Value};

/// A day: `2024-05-01`, with a time behind it, `2024/05/01`, `20240501`, days or seconds (or finer) since 1970.
pub(super) fn parse_date(text: &str) -> Option<Day> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            8 => written(text.get(..4)?, text.get(4..6)?, text.get(6..)?),
            1..=5 => i32::try_from(number).ok().map(Day),
            _ => since_1970(number),
        };
    }
    if let Some((whole, fraction)) = text.split_once('.')
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && whole.len() >= 6
        && let Ok(number) = whole.parse::<i64>()
    {
        return since_1970(number);
    }
    let date = text.get(..10)?;
    let separator = date.as_bytes().get(4).copied().filter(|byte| matches!(byte, b'-' | b'/'))?;
    let behind = text.as_bytes().get(10);
    if date.as_bytes().get(7) != Some(&separator) || !matches!(behind, None | Some(b'T' | b' ')) {
        return None;
    }
    written(date.get(..4)?, date.get(5..7)?, date.get(8..)?)
}

fn written(year: &str, month: &str, day: &str) -> Option<Day> {
    let date = civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    date.ok().map(Day::from_date)
}

/// Seconds below 1e11, then milliseconds, microseconds, nanoseconds.
fn since_1970(number: i64) -> Option<Day> {
    let seconds = match number.unsigned_abs() {
        0..100_000_000_000 => number,
        100_000_000_000..100_000_000_000_000 => number.div_euclid(1_000),
        100_000_000_000_000..100_000_000_000_000_000 => number.div_euclid(1_000_000),
        _ => number.div_euclid(1_000_000_000),
    };
    Timestamp::from_second(seconds).ok()?;
    i32::try_from(seconds.div_euclid(86_400)).ok().map(Day)
}

/// A count (a whole number from 0, `12.0` too) or a sum in millionths.
pub(super) fn parse_amount(text: &str, kind: AmountKind) -> Option<i64> {
    let millionths = Value::parse(text.strip_prefix('+').unwrap_or(text))?.0;
    match kind {
        AmountKind::Sum => Some(millionths),
        AmountKind::Views => {
            (millionths >= 0 && millionths % 1_000_000 == 0).then_some(millionths / 1_000_000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_every_form() {
        for text in [
            "2024-05-01",
            "2024-05-01T00:00:00Z",
            "2024-05-01 23:59:59.5+03:30",
            "2024/05/01",
            "20240501",
            "19844",
            "1714521600",
            "1714521600.0",
            "1714521600000",
            "1714607999999999",
        ] {
            assert_eq!(parse_date(text), Some(Day(19_844)), "{text}");
        }
        for bad in ["", "2024-13-01", "2024-05-01x", "01.05.2024", "soon", "2024-05/01", "-", "20241301"] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        assert_eq!(parse_amount("12.0", AmountKind::Views), Some(12));
        for bad in ["-1", "1.5", "x", "", "NaN"] {
            assert_eq!(parse_amount(bad, AmountKind::Views), None, "{bad}");
        }
        assert_eq!(parse_amount("-1.5", AmountKind::Sum), Some(-1_500_000));
    }
}
