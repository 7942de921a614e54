//! What is typed into fields, read: durations and counts, with the reason where they cannot be read.

use crate::{domain::Lateness, engine::protocol::MOST_RECORDS};

use super::format::thousands;

/// How an allowed lateness without an end is written.
pub const FOR_EVER: &str = "for ever";

/// An allowed lateness as it is typed: `1h`, `for ever`.
pub fn lateness_text(lateness: Lateness) -> String {
    match lateness {
        Lateness::Unbounded => FOR_EVER.to_owned(),
        Lateness::Within(_) => lateness.to_string(),
    }
}

/// Reads an allowed lateness; empty: for ever.
///
/// # Errors
/// The text is for a person.
pub fn parse_lateness(text: &str) -> Result<Lateness, String> {
    match text.trim() {
        "" | FOR_EVER => Ok(Lateness::Unbounded),
        text => Lateness::parse(text).map_err(|_| {
            format!("Not a duration: \"{text}\". Write it as 90m, 2h or 1d, or leave it empty.")
        }),
    }
}

/// Reads a number of at least `least`; commas between thousands are welcome.
///
/// # Errors
/// The text is for a person.
pub fn parse_count(text: &str, least: u64) -> Result<u64, String> {
    let plain = text.trim().replace(',', "");
    let all_digits = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits {
        return Err(format!("Not a whole number: \"{}\".", text.trim()));
    }
    match plain.parse::<u64>() {
        Ok(count) if count < least => Err(format!("At least {}.", thousands(least))),
        Ok(count) if count <= MOST_RECORDS => Ok(count),
        Ok(_) | Err(_) => Err(format!("At most {}.", thousands(MOST_RECORDS))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read_or_refused_with_a_reason() {
        let hour = Lateness::Within(3_600_000_000_000);
        for (text, lateness) in [
            ("", Lateness::Unbounded),
            ("for ever", Lateness::Unbounded),
            ("inf", Lateness::Unbounded),
            (" 1h ", hour),
        ] {
            assert_eq!(parse_lateness(text), Ok(lateness), "{text}");
            assert_eq!(parse_lateness(&lateness_text(lateness)), Ok(lateness));
        }
        assert!(parse_lateness("soon").unwrap_err().starts_with("Not a duration: \"soon\"."));
        assert_eq!(parse_count(" 4,000 ", 1), Ok(4_000));
        for (text, why) in [
            ("", "Not a whole number: \"\"."),
            ("-3", "Not a whole number: \"-3\"."),
            ("1", "At least 2."),
            ("99999999999999999999", "At most 1,000,000,000,000."),
        ] {
            assert_eq!(parse_count(text, 2).unwrap_err(), why);
        }
    }
}
