//! The approximations of the speed layer, each an explicit setting: none of them is a second copy of the logic.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Day, DayRule, Rules, Sketch};

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

/// How the speed layer counts distinct users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Uniques {
    /// By the set of them.
    #[default]
    Set,
    /// By a `HyperLogLog` sketch.
    Hll,
}

/// The settings of one stream processor that make its numbers approximate. The default is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamOptions {
    /// How late a record may be and still count.
    pub lateness: Lateness,
    /// A partition that was not read while the others read so many records no longer holds the watermark back.
    pub idle_after_records: u64,
    /// How distinct users are counted.
    pub uniques: Uniques,
}

/// Everything by which a stream processor decides what counts, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRules {
    /// The rules of verdicts that both layers share.
    pub verdicts: Rules,
    /// Where days end.
    pub days: DayRule,
    /// What is approximate.
    pub options: StreamOptions,
}

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

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions {
            lateness: Lateness::Unbounded,
            idle_after_records: IDLE_AFTER_RECORDS,
            uniques: Uniques::Set,
        }
    }
}

impl StreamOptions {
    /// What decides results, for a hash of settings.
    pub fn settings_text(&self) -> String {
        let lateness = match self.lateness {
            Lateness::Unbounded => "unbounded".to_owned(),
            Lateness::Within(nanos) => format!("{nanos} idle after {}", self.idle_after_records),
        };
        let uniques = match self.uniques {
            Uniques::Set => "set".to_owned(),
            Uniques::Hll => format!("hll {}", Sketch::PRECISION),
        };
        format!("lateness {lateness}\nuniques {uniques}\n")
    }

    /// Whether its numbers can differ from those of a batch run over the same records.
    pub fn is_approximate(&self) -> bool {
        self.lateness != Lateness::Unbounded || self.uniques != Uniques::Set
    }
}

impl StreamRules {
    /// The watermark, in nanoseconds, from which on records of `day` are late: the end of the day plus the lateness.
    /// `None` where nothing ever is.
    pub fn closes(&self, day: Day) -> Option<i128> {
        let Lateness::Within(nanos) = self.options.lateness else { return None };
        Some(i128::from(self.days.end_of(day).0) + i128::from(nanos))
    }
}

/// Exact: nothing is late, users are sets.
impl From<Rules> for StreamRules {
    fn from(verdicts: Rules) -> Self {
        StreamRules { verdicts, days: DayRule::Utc, options: StreamOptions::default() }
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

    #[test]
    fn a_day_closes_when_the_watermark_has_passed_its_end_by_the_lateness() {
        let options = StreamOptions { lateness: Lateness::Within(5), ..StreamOptions::default() };
        let rules = StreamRules { options, ..StreamRules::from(Rules::default()) };
        let end = DayRule::Utc.end_of(Day(3)).0;
        assert_eq!(rules.closes(Day(3)), Some(i128::from(end) + 5));
        assert_eq!(StreamRules::from(Rules::default()).closes(Day(3)), None);
    }

    #[test]
    fn the_text_for_the_hash_tells_settings_apart() {
        let exact = StreamOptions::default();
        assert_eq!(exact.settings_text(), "lateness unbounded\nuniques set\n");
        assert!(!exact.is_approximate());
        let other_idle = StreamOptions { idle_after_records: 5, ..exact };
        assert_eq!(other_idle.settings_text(), exact.settings_text(), "nothing is late either way");
        let finite = StreamOptions { lateness: Lateness::Within(1), ..exact };
        assert_ne!(finite.settings_text(), StreamOptions { idle_after_records: 5, ..finite }.settings_text());
        assert!(StreamOptions { uniques: Uniques::Hll, ..exact }.is_approximate());
    }
}
