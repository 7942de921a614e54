//! How a scenario or a kept run names its log, as text in its file.
//!
//! `1:` and the identity's bytes in hexadecimal name a log as it was: it may have grown since, and is then played over
//! the records that the name covers, so that digest and expectations still hold. `2:` and such bytes say how a log begins
//! that was not loaded to its end yet: it is played over all of it. 32 hexadecimal digits (older files) are
//! the digest of an identity, and mean a log that is equal to the byte.

use super::identity_codec;
use crate::ingest::{LogIdentity, LogIndex, Recorded};

/// Before the bytes of an identity; another number will mean another form.
const WHOLE: &str = "1:";
/// Before the bytes of the identity of a beginning.
const BEGINNING: &str = "2:";

/// Which log a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogName {
    /// Digest of an identity: the log must be equal.
    Digest(String),
    /// All of an identity: the log may have grown.
    Whole(LogIdentity),
    /// The identity of what was loaded when the run was last noted: the log goes on.
    Beginning(LogIdentity),
}

/// A text that names no log.
#[derive(Debug, thiserror::Error)]
#[error(
    "the log's identity is neither 32 hexadecimal digits nor \"{WHOLE}\" or \"{BEGINNING}\" and an identity: {0:?}"
)]
pub struct NoLogName(String);

impl LogName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<LogName, NoLogName> {
        let behind = |form| {
            text.strip_prefix(form).and_then(bytes_of).and_then(|bytes| identity_codec::decode(&bytes))
        };
        let named = behind(WHOLE).map(LogName::Whole).or_else(|| behind(BEGINNING).map(LogName::Beginning));
        if let Some(name) = named {
            return Ok(name);
        }
        let is_digest = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest {
            return Ok(LogName::Digest(text.to_ascii_lowercase()));
        }
        Err(NoLogName(text.chars().take(40).collect()))
    }

    /// The name of a log as far as it is loaded.
    pub fn text(index: &LogIndex) -> String {
        match index.identity() {
            Some(whole) => text(WHOLE, whole),
            None => text(BEGINNING, index.beginning()),
        }
    }

    /// What is known of the log before it is loaded.
    pub fn recorded(&self) -> Option<Recorded> {
        match self {
            LogName::Digest(_) => None,
            LogName::Whole(identity) => Some(Recorded::Whole(identity.clone())),
            LogName::Beginning(identity) => Some(Recorded::Beginning(identity.clone())),
        }
    }

    /// Why a loaded log is not the named one; one that was not loaded to its end cannot tell. What a whole identity
    /// covers was compared, segment by segment, before it was loaded.
    pub fn refuses(&self, index: &LogIndex) -> Option<String> {
        let found = index.identity().filter(|_| index.complete())?;
        match self {
            LogName::Digest(expected) => {
                let found = format!("{:032x}", found.digest());
                (*expected != found)
                    .then(|| format!("the log has changed: the run names log {expected}, this is {found}"))
            }
            LogName::Whole(identity) => (identity.records() != index.len())
                .then(|| "the log has changed while it was being read".to_owned()),
            // Compared before it was loaded.
            LogName::Beginning(_) => None,
        }
    }
}

fn text(form: &str, identity: &LogIdentity) -> String {
    let hex = identity_codec::encode(identity).into_iter().map(|byte| format!("{byte:02x}"));
    std::iter::once(form.to_owned()).chain(hex).collect()
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|n| u8::try_from(n).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{PartitionIdentity, SegmentIdentity};

    #[test]
    fn names_round_trip_and_others_are_refused() {
        let segment = SegmentIdentity {
            relative: "a/1.jsonl".to_owned(),
            records: 3,
            lines: 4,
            bytes: 5,
            chain: 6,
            digest: u128::MAX,
            ends_in_line_end: true,
            damaged: false,
        };
        let partition = PartitionIdentity { name: "a".to_owned(), segments: vec![segment] };
        let identity = LogIdentity { by_field: true, partitions: vec![partition] };
        let beginning = super::text(BEGINNING, &identity);
        assert_eq!(LogName::parse(&beginning).unwrap(), LogName::Beginning(identity.clone()));
        let text = super::text(WHOLE, &identity);
        assert_eq!(LogName::parse(&text).unwrap(), LogName::Whole(identity));
        let digest = "0123456789abcdef0123456789ABCDEF";
        assert_eq!(LogName::parse(digest).unwrap(), LogName::Digest(digest.to_ascii_lowercase()));
        for other in
            ["", "1:", "1:0", "2:00", &text.replace("1:", "3:"), &text[..text.len() - 2], &digest[1..]]
        {
            assert!(LogName::parse(other).is_err(), "{other}");
        }
    }
}
