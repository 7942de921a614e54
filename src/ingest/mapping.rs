//! Which field is what: the options as given, and the mapping as resolved.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    Decoder, InputFormat, LogDirectory, LogError, TimeFormat,
    access::access_time,
    filter::{Filter, PageClean},
    guess,
};
use crate::domain::{Anonymous, Redelivery, Rules, TZDB_VERSION};

/// The mapping options of the command line. What is `None` is guessed or left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappingOptions {
    /// Format of the records; `None` for auto.
    pub input_format: Option<InputFormat>,
    /// Path of the page field.
    pub page: Option<String>,
    /// Path of the user field.
    pub user: Option<String>,
    /// Path of the event time.
    pub time: Option<String>,
    /// Path of the arrival time.
    pub arrival: Option<String>,
    /// Path of the value.
    pub value: Option<String>,
    /// Path of the id.
    pub id: Option<String>,
    /// Path of the explicit offset.
    pub offset: Option<String>,
    /// Path of the field that names the partition.
    pub partition: Option<String>,
    /// Format of event and arrival time; `None` for auto.
    pub time_format: Option<TimeFormat>,
    /// Zone of timestamps without an offset; `None` for UTC.
    pub naive_zone: Option<String>,
    /// Zone of days, or `as-written`; `None` for UTC.
    pub zone: Option<String>,
    /// Whether a record without a user counts.
    pub anonymous: Anonymous,
    /// Conditions on lines, as written.
    pub filters: Vec<String>,
    /// What is done to pages, by name.
    pub page_clean: Vec<String>,
    /// Whether every file is a partition. To be given to [`LogDirectory::open`] too.
    pub files_are_partitions: bool,
}

impl MappingOptions {
    /// Sets an option by its name on the command line, without dashes. `where` adds a condition.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), LogError> {
        let field = match name {
            "page" => &mut self.page,
            "user" => &mut self.user,
            "time" => &mut self.time,
            "arrival" => &mut self.arrival,
            "value" => &mut self.value,
            "id" => &mut self.id,
            "offset" => &mut self.offset,
            "partition" => &mut self.partition,
            "naive-zone" => &mut self.naive_zone,
            "zone" => &mut self.zone,
            _ => return self.set_other(name, value),
        };
        if value.is_empty() {
            return Err(LogError::option(name, "empty", value));
        }
        *field = Some(value.to_owned());
        Ok(())
    }

    fn set_other(&mut self, name: &str, value: &str) -> Result<(), LogError> {
        match name {
            "input-format" if value == "auto" => self.input_format = None,
            "input-format" => {
                let cause = "none of auto, jsonl, csv, tsv, combined";
                let format = InputFormat::parse(value);
                self.input_format = Some(format.ok_or_else(|| LogError::option(name, cause, value))?);
            }
            "time-format" if value == "auto" => self.time_format = None,
            "time-format" => {
                let format = TimeFormat::try_from(value.to_owned());
                let cause = "neither a known format nor a pattern with %";
                self.time_format = Some(format.map_err(|_| LogError::option(name, cause, value))?);
            }
            "anonymous" => {
                self.anonymous = parse_anonymous(value)
                    .ok_or_else(|| LogError::option(name, "neither skip nor count", value))?;
            }
            "where" => {
                Filter::parse(value)?;
                self.filters.push(value.to_owned());
            }
            "page-clean" => {
                let steps = value.split(',').map(str::trim);
                self.page_clean = steps
                    .map(|step| PageClean::parse(step).map(|_| step.to_owned()))
                    .collect::<Result<_, _>>()?;
            }
            "files-are-partitions" => match value {
                "" | "true" => self.files_are_partitions = true,
                "false" => self.files_are_partitions = false,
                _ => return Err(LogError::option(name, "neither true nor false", value)),
            },
            _ => return Err(LogError::option(name, "no such mapping option", value)),
        }
        Ok(())
    }
}

/// A resolved mapping: everything that decides what a line means. Part of scenarios and of the settings hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Format of the records. Left out where it is the usual, so that files without it stay as they are.
    #[serde(default, skip_serializing_if = "InputFormat::is_jsonl")]
    pub input_format: InputFormat,
    /// Path of the page field, or name of its column.
    pub page: String,
    /// Path of the user field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Path of the event time.
    pub time: String,
    /// Format of the event time.
    pub time_format: TimeFormat,
    /// Path of the arrival time, which then decides the delivery order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<String>,
    /// Format of the arrival time; absent: that of the event time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival_format: Option<TimeFormat>,
    /// Path of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Path of the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Path of the explicit offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// Path of the field that names the partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Zone of timestamps without an offset.
    #[serde(default = "utc")]
    pub naive_zone: String,
    /// Zone of days, or `as-written`.
    #[serde(default = "utc")]
    pub zone: String,
    /// Whether a record without a user counts.
    #[serde(default, with = "anonymous_text")]
    pub anonymous: Anonymous,
    /// Conditions on lines, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// What is done to pages, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub page_clean: Vec<String>,
    /// Whether every file is a partition.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub files_are_partitions: bool,
}

/// What resolving a mapping had to make up, for standard error and the window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guesses {
    /// Names of the options that were guessed.
    pub guessed: Vec<&'static str>,
    /// Sentences worth saying, such as a given field that no sampled record has.
    pub notes: Vec<String>,
}

impl Mapping {
    /// Completes options with guesses from the first records of the whole log.
    ///
    /// Zones, filters and formats are checked here, so [`Mapping::decoder`] cannot fail on what this returns.
    pub fn resolve(options: &MappingOptions, log: &LogDirectory) -> Result<(Mapping, Guesses), LogError> {
        let (mapping, guesses) = guess::resolve(options, log)?;
        mapping.decoder()?;
        Ok((mapping, guesses))
    }

    /// `page=url user=host time=time (epoch-s)`, behind `format=csv` and the like where it is not JSON lines.
    pub fn describe(&self) -> String {
        let mut text = match self.input_format {
            InputFormat::Jsonl => format!("page={}", self.page),
            format => format!("format={format} page={}", self.page),
        };
        let mut add = |name: &str, field: &Option<String>| {
            if let Some(field) = field {
                text.extend([" ", name, "=", field]);
            }
        };
        add("user", &self.user);
        add("time", &Some(format!("{} ({})", self.time, self.time_format)));
        let format = self.arrival_format.as_ref().unwrap_or(&self.time_format);
        add("arrival", &self.arrival.as_ref().map(|arrival| format!("{arrival} ({format})")));
        add("value", &self.value);
        add("id", &self.id);
        add("offset", &self.offset);
        add("partition", &self.partition);
        text
    }

    /// Whether the time is written as this format of records always writes it, so that nobody has to say how.
    pub fn has_usual_time_format(&self) -> bool {
        self.input_format == InputFormat::Combined && self.time == "time" && self.time_format == access_time()
    }

    /// The settings that decide verdicts.
    pub fn rules(&self) -> Rules {
        Rules { users_mapped: self.user.is_some(), anonymous: self.anonymous, redelivery: Redelivery::Skip }
    }

    /// A hash of everything that decides what a line means, the time-zone rules included.
    pub fn settings_hash(&self) -> u128 {
        // Field order is that of the struct, so the text is canonical. Serialising plain text cannot fail.
        let text = serde_json::to_string(self).unwrap_or_default();
        xxh3_128(format!("mapping 1\ntzdb {TZDB_VERSION}\n{text}").as_bytes())
    }

    /// The mapping made ready for lines.
    pub fn decoder(&self) -> Result<Decoder, LogError> {
        Decoder::new(self)
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

fn parse_anonymous(text: &str) -> Option<Anonymous> {
    match text {
        "skip" => Some(Anonymous::Skip),
        "count" => Some(Anonymous::Count),
        _ => None,
    }
}

mod anonymous_text {
    use super::Anonymous;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(anonymous: &Anonymous, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match anonymous {
            Anonymous::Skip => "skip",
            Anonymous::Count => "count",
        })
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Anonymous, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_anonymous(&text)
            .ok_or_else(|| D::Error::custom(format!("neither skip nor count: {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked_when_set() {
        let mut options = MappingOptions::default();
        for (name, value) in [
            ("page", "url"),
            ("time-format", "epoch-ms"),
            ("where", "a.b!=x"),
            ("where", "c~^/x"),
            ("page-clean", "strip-query,lower-case"),
            ("anonymous", "count"),
            ("files-are-partitions", ""),
        ] {
            options.set(name, value).unwrap();
        }
        assert_eq!((options.filters.len(), options.page_clean.len()), (2, 2));
        for (name, value) in [
            ("page", ""),
            ("time-format", "epoch"),
            ("where", "x"),
            ("where", "=x"),
            ("where", "x~("),
            ("page-clean", "upper"),
            ("anonymous", "maybe"),
            ("pages", "x"),
        ] {
            let error = options.set(name, value).unwrap_err().to_string();
            assert!(error.contains(&format!("--{name}")), "{error}");
        }
    }

    #[test]
    fn a_mapping_survives_json_and_refuses_what_it_does_not_know() {
        let text = r#"{"page":"p","time":"t","time_format":"epoch-s","arrival":"a"}"#;
        let mapping: Mapping = serde_json::from_str(text).unwrap();
        assert_eq!(mapping.describe(), "page=p time=t (epoch-s) arrival=a (epoch-s)");
        let again: Mapping = serde_json::from_str(&serde_json::to_string(&mapping).unwrap()).unwrap();
        assert_eq!((again.settings_hash(), &again), (mapping.settings_hash(), &mapping));
        let other = Mapping { zone: "Europe/Berlin".to_owned(), ..mapping.clone() };
        assert_ne!(other.settings_hash(), mapping.settings_hash());
        assert!(serde_json::from_str::<Mapping>(&text.replace("arrival", "arrivall")).is_err());
        assert!(Mapping { zone: "Mars/X".to_owned(), ..mapping }.decoder().is_err());
    }
}
