//! The approximations of the speed layer, each an explicit setting: none of them is a second copy of the logic.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How long a day stays open after its end, measured by the watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Lateness {
    /// For ever: nothing is late, and speed equals batch.
    #[default]
    Unbounded,
    /// For so many nanoseconds.
    Within(u64),
}

/// Not a duration that a lateness can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a duration such as 2h, 1d, 90m or inf: {0:?}")]
pub struct ParseLatenessError(pub String);

/// Idle after so many records, where nothing else is said.
pub const IDLE_AFTER_RECORDS: u64 = 10_000;

const NANOS: [(u64, &str); 4] =
    [(86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s")];

impl Lateness {
    /// Reads `inf` or a duration such as `2h`, `1d`, `90m`, `1h30m`. A day is 24 hours here; months and years have no
    /// length and are refused.
    pub fn parse(text: &str) -> Result<Lateness, ParseLatenessError> {
        if text == "inf" {
            return Ok(Lateness::Unbounded);
        }
        let nanos = || {
            let span: jiff::Span = text.parse().ok()?;
            let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
            // What does not fit into the range of event times is as good as for ever, and says so.
            u64::try_from(duration.as_nanos()).ok().filter(|&nanos| i64::try_from(nanos).is_ok())
        };
        nanos().map(Lateness::Within).ok_or_else(|| ParseLatenessError(text.to_owned()))
    }
}

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lateness::Within(nanos) = *self else { return f.write_str("inf") };
        match NANOS.into_iter().find(|(unit, _)| nanos > 0 && nanos.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{}{name}", nanos / unit),
            None if nanos == 0 => f.write_str("0s"),
            None => write!(f, "{nanos}ns"),
        }
    }
}

impl TryFrom<String> for Lateness {
    type Error = ParseLatenessError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Lateness::parse(&text)
    }
}

impl From<Lateness> for String {
    fn from(lateness: Lateness) -> String {
        lateness.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_printed() {
        for (text, printed) in [
            ("inf", "inf"),
            ("2h", "2h"),
            ("90m", "90m"),
            ("1d", "1d"),
            ("36h", "36h"),
            ("1h30m", "90m"),
            ("PT2H", "2h"),
            ("1w", "7d"),
            ("0s", "0s"),
            ("1ms", "1000000ns"),
        ] {
            let lateness = Lateness::parse(text).unwrap();
            assert_eq!(lateness.to_string(), printed, "{text}");
            assert_eq!(Lateness::parse(printed), Ok(lateness), "{text}");
        }
        for bad in ["", "2", "-1h", "1mo", "1y", "soon", "1000000d"] {
            assert!(Lateness::parse(bad).is_err(), "{bad}");
        }
    }
}
