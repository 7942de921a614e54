//! Numbers, times and names as they stand in sentences.

use crate::domain::EventTime;

/// `31,106`.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// In quotation marks.
pub(super) fn quoted(name: &str) -> String {
    format!("{name:?}")
}

/// An event time.
pub(super) fn time(time: EventTime) -> String {
    time.to_string()
}

const UNITS: [(i64, &str); 6] = [
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "min"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1, "ns"),
];

/// `36h`, `90s`: in the largest unit of which it is a multiple.
pub(super) fn duration(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".to_owned();
    }
    let unit = UNITS.into_iter().find(|(unit, _)| nanos % unit == 0);
    let (unit, name) = unit.unwrap_or((1, "ns"));
    format!("{}{name}", nanos / unit)
}

/// The roundest duration in `(low, high]`, from 0.
pub(super) fn round_between(low: i64, high: i64) -> i64 {
    if low < 0 {
        return 0;
    }
    let steps = [24, 12, 6, 1].map(|hours| hours * 3_600_000_000_000);
    let finer = [1_800, 600, 300, 60, 30, 10, 5, 1].map(|seconds| seconds * 1_000_000_000);
    let mut all = steps.into_iter().chain(finer).chain([1_000_000]);
    let next = |step: i64| (low / step + 1).saturating_mul(step);
    all.find(|&step| next(step) <= high).map_or(high, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_round_as_they_can_be() {
        const H: i64 = 3_600_000_000_000;
        assert_eq!(round_between(-5, 7), 0);
        assert_eq!(round_between(H - 1, 3 * H), H);
        assert_eq!(round_between(20 * H, 50 * H), 24 * H);
        assert_eq!(round_between(7, 9), 9);
        assert_eq!(
            (duration(36 * H), duration(48 * H), duration(90 * H / 3_600)),
            ("36h".into(), "2d".into(), "90s".into())
        );
        assert_eq!(
            (count(31_106), count(999), count(1_000_000)),
            ("31,106".into(), "999".into(), "1,000,000".into())
        );
    }
}
