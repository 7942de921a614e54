//! Guessing what was not given, from the first records of the whole log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{
    ChainHash, Guesses, LogDirectory, LogError, Mapping, MappingOptions, TimeFormat,
    lines::{LineKind, LineReader},
};

const SAMPLE_LINES: usize = 2_000;
const LINES_A_SEGMENT: usize = 200;
/// Sample texts kept of each field.
const TEXTS: usize = 200;

// Names without case, blanks, `_`, `-` and `@`, best first.
const PAGES: &[&str] = &[
    "page",
    "pageid",
    "pageurl",
    "pagepath",
    "pagename",
    "url",
    "requestpath",
    "path",
    "uri",
    "requesturi",
    "requesturl",
    "requesttarget",
    "route",
    "endpoint",
    "resource",
    "key",
    "event",
    "eventname",
    "eventtype",
    "action",
    "name",
    "item",
    "itemid",
    "productid",
    "product",
    "topic",
];
const USERS: &[&str] = &[
    "userid",
    "user",
    "uid",
    "username",
    "visitorid",
    "visitor",
    "customerid",
    "customer",
    "accountid",
    "account",
    "memberid",
    "anonymousid",
    "clientid",
    "client",
    "clienthost",
    "clientip",
    "remoteaddr",
    "remoteaddress",
    "remotehost",
    "remoteip",
    "ip",
    "ipaddress",
    "deviceid",
    "sessionid",
    "session",
    "host",
    "hostname",
];
const TIMES: &[&str] = &[
    "startutc",
    "eventtime",
    "eventtimestamp",
    "timestamp",
    "time",
    "ts",
    "datetime",
    "date",
    "occurredat",
    "createdat",
    "starttime",
    "startlocal",
    "requesttime",
    "when",
    "epoch",
    "unixtime",
    "t",
];
const ARRIVALS: &[&str] = &["arrivedat", "arrival", "arrivaltime", "receivedat", "ingestedat"];

/// What the sampled records say of one field.
#[derive(Default)]
struct Field {
    scalars: usize,
    integers: usize,
    texts: Vec<String>,
}

#[derive(Default)]
struct Sample {
    lines: usize,
    objects: usize,
    fields: BTreeMap<String, Field>,
}

pub(super) fn resolve(options: &MappingOptions, log: &LogDirectory) -> Result<(Mapping, Guesses), LogError> {
    let sample = Sample::take(log)?;
    let mut guesses = Guesses::default();
    let page =
        sample.required("page", options.page.as_ref(), log, &mut guesses, |s| s.best(PAGES, 2, |_| true))?;
    let time = sample.required("time", options.time.as_ref(), log, &mut guesses, |sample| {
        sample.best(TIMES, 2, |field| options.time_format.is_some() || field.time_format().is_some())
    })?;
    // A user may well be missing from most records; a page or a time may not.
    let user = options.user.clone().or_else(|| {
        let found = sample.best(USERS, 10, |_| true).filter(|user| *user != page && *user != time)?;
        guesses.guessed.push("user");
        Some(found)
    });
    let arrival = options.arrival.clone().or_else(|| {
        let found =
            sample.best(ARRIVALS, 2, |field| field.time_format().is_some()).filter(|found| *found != time)?;
        guesses.guessed.push("arrival");
        Some(found)
    });
    let value = options.value.clone().or_else(|| sample.beside_key("value", &mut guesses));
    let offset = options.offset.clone().or_else(|| sample.beside_key("offset", &mut guesses));
    let format_of = |field: &str| sample.fields.get(field).and_then(Field::time_format);
    let time_format = options.time_format.clone().or_else(|| format_of(&time)).unwrap_or(TimeFormat::Rfc3339);
    let arrival_format = match &options.time_format {
        None => arrival.as_deref().and_then(format_of).filter(|format| *format != time_format),
        Some(_) => None,
    };
    sample.note_unseen(options, &mut guesses);
    let mapping = Mapping {
        page,
        user,
        time,
        time_format,
        arrival,
        arrival_format,
        value,
        id: options.id.clone(),
        offset,
        partition: options.partition.clone(),
        naive_zone: options.naive_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        zone: options.zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        anonymous: options.anonymous,
        filters: options.filters.clone(),
        page_clean: options.page_clean.clone(),
        files_are_partitions: options.files_are_partitions,
    };
    Ok((mapping, guesses))
}

impl Sample {
    /// The first lines of the first segments of every partition, an equal share of the budget each.
    fn take(log: &LogDirectory) -> Result<Sample, LogError> {
        let mut sample = Sample::default();
        let share = (SAMPLE_LINES / log.partitions().len().max(1)).max(1);
        for partition in log.partitions().iter().take(SAMPLE_LINES) {
            let mut left = share;
            for segment in &partition.segments {
                let mut reader = LineReader::open(segment.clone(), 0, 1, ChainHash::default())?;
                let mut of_segment = left.min(LINES_A_SEGMENT);
                while of_segment > 0
                    && let Some(kind) = reader.peek()?
                {
                    let is_text = *kind == LineKind::Text;
                    sample.lines += 1;
                    if is_text && let Ok(Json::Object(object)) = serde_json::from_slice(reader.text()) {
                        sample.add(&object);
                    }
                    reader.take()?;
                    of_segment -= 1;
                    left -= 1;
                }
                if left == 0 {
                    break;
                }
            }
        }
        Ok(sample)
    }

    fn add(&mut self, object: &serde_json::Map<String, Json>) {
        self.objects += 1;
        for (name, value) in object {
            match value {
                Json::Object(inner) => {
                    for (inner_name, value) in inner {
                        let path = format!("{name}.{inner_name}");
                        // A literal key with a dot in it wins.
                        if !object.contains_key(&path) {
                            self.add_value(path, value);
                        }
                    }
                }
                value => self.add_value(name.clone(), value),
            }
        }
    }

    fn add_value(&mut self, path: String, value: &Json) {
        let field = self.fields.entry(path).or_default();
        let text = match value {
            Json::Null | Json::Array(_) | Json::Object(_) => return,
            Json::String(text) if text.is_empty() => return,
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        field.scalars += 1;
        field.integers += usize::from(value.is_i64() || value.is_u64());
        if field.texts.len() < TEXTS {
            field.texts.push(text);
        }
    }

    /// The first candidate that at least one in `one_in` records has; without one, the candidate most records have.
    /// Top-level fields go before nested ones.
    fn best(&self, candidates: &[&str], one_in: usize, fits: impl Fn(&Field) -> bool) -> Option<String> {
        let ranked = |(path, field): (&String, &Field)| {
            let nested = path.contains('.');
            let name = plain(path.rsplit('.').next().unwrap_or(path));
            let rank = candidates.iter().position(|candidate| *candidate == name)?;
            if field.scalars == 0 || !fits(field) {
                return None;
            }
            let rare = field.scalars * one_in < self.objects;
            let fewer = if rare { self.objects - field.scalars.min(self.objects) } else { 0 };
            Some(((rare, fewer, nested, rank), path.clone()))
        };
        self.fields.iter().filter_map(ranked).min().map(|(_, path)| path)
    }

    fn required(
        &self,
        role: &'static str,
        given: Option<&String>,
        log: &LogDirectory,
        guesses: &mut Guesses,
        best: impl Fn(&Sample) -> Option<String>,
    ) -> Result<String, LogError> {
        if let Some(given) = given {
            return Ok(given.clone());
        }
        let log = log.path().to_owned();
        if self.objects == 0 {
            return Err(LogError::NoObjects { log, lines: self.lines });
        }
        guesses.guessed.push(role);
        best(self).ok_or_else(|| {
            let seen: Vec<&str> = self.fields.keys().take(100).map(String::as_str).collect();
            LogError::CannotGuess { role, log, fields: seen.join(", ") }
        })
    }

    /// A field exactly so named, an integer in every record, and `key` beside it in every record.
    fn beside_key(&self, name: &'static str, guesses: &mut Guesses) -> Option<String> {
        let key = self.fields.get("key")?;
        let field = self.fields.get(name)?;
        if self.objects == 0 || key.scalars != self.objects || field.integers != self.objects {
            return None;
        }
        guesses.guessed.push(name);
        Some(name.to_owned())
    }

    /// Notes of fields that were given and that no sampled record has: allowed, and likely a slip.
    fn note_unseen(&self, options: &MappingOptions, guesses: &mut Guesses) {
        let given = [
            ("page", &options.page),
            ("user", &options.user),
            ("time", &options.time),
            ("arrival", &options.arrival),
            ("value", &options.value),
            ("id", &options.id),
            ("offset", &options.offset),
            ("partition", &options.partition),
        ];
        for (name, field) in given {
            if let Some(field) = field
                && !self.has(field)
            {
                let objects = self.objects;
                guesses
                    .notes
                    .push(format!("none of the first {objects} records has the --{name} field {field:?}"));
            }
        }
    }

    /// Whether a field was seen. Deeper paths than the sample keeps count as seen when their first two parts were.
    fn has(&self, path: &str) -> bool {
        let parts: BTreeSet<String> = path.match_indices('.').map(|(at, _)| path[..at].to_owned()).collect();
        self.fields.contains_key(path)
            || parts.iter().any(|part| part.contains('.') && self.fields.contains_key(part))
    }
}

impl Field {
    /// The format of most of the sampled texts; `None` where most are no times.
    fn time_format(&self) -> Option<TimeFormat> {
        let mut tally: Vec<(usize, TimeFormat)> = Vec::new();
        for format in self.texts.iter().filter_map(|text| TimeFormat::recognise(text)) {
            match tally.iter_mut().find(|(_, known)| *known == format) {
                Some((count, _)) => *count += 1,
                None => tally.push((1, format)),
            }
        }
        let known: usize = tally.iter().map(|&(count, _)| count).sum();
        if known * 2 < self.texts.len() {
            return None;
        }
        // Of equals the first seen: `max_by_key` alone would take the last.
        tally.into_iter().rev().max_by_key(|&(count, _)| count).map(|(_, format)| format)
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '@' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    fn guess_with(lines: &str, options: &MappingOptions) -> Result<(String, Guesses), LogError> {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("log.jsonl"), lines).unwrap();
        let log = LogDirectory::open(root.path(), false).unwrap();
        Mapping::resolve(options, &log).map(|(mapping, guesses)| (mapping.describe(), guesses))
    }

    fn guess(lines: &str) -> String {
        guess_with(lines, &MappingOptions::default()).unwrap().0
    }

    #[test]
    fn common_shapes() {
        for (line, expected) in [
            (
                r#"{"user_id":"u","page_id":"p","timestamp":"2024-01-01T00:00:00Z","arrived_at":1704067200000}"#,
                "page=page_id user=user_id time=timestamp (rfc3339) arrival=arrived_at (epoch-ms)",
            ),
            (
                r#"{"key":"user_a","value":10,"offset":1,"timestamp":1704067200}"#,
                "page=key time=timestamp (epoch-s) value=value offset=offset",
            ),
            (r#"{"URL":"/","Host":"h","TS":1704067200123}"#, "page=URL user=Host time=TS (epoch-ms)"),
            (
                r#"{"req":{"path":"/","user":"x"},"@timestamp":"2024-01-01 00:00:00"}"#,
                "page=req.path user=req.user time=@timestamp (rfc3339)",
            ),
            (
                r#"{"name":"n","hostname":"h","req":{"url":"/"},"time":"2024-01-01T00:00:00Z","id":"7","partition":1}"#,
                "page=name user=hostname time=time (rfc3339)",
            ),
        ] {
            assert_eq!(guess(line), expected);
        }
    }

    #[test]
    fn value_and_offset_must_be_integers_everywhere_and_beside_key() {
        let first = r#"{"key":"a","value":10,"offset":1,"timestamp":1704067200}"#;
        for (second, expected) in [
            (
                r#"{"key":"a","value":1.5,"offset":2,"timestamp":1}"#,
                "page=key time=timestamp (epoch-s) offset=offset",
            ),
            (r#"{"key":"a","value":1,"timestamp":1}"#, "page=key time=timestamp (epoch-s) value=value"),
            (r#"{"value":1,"offset":2,"timestamp":1}"#, "page=key time=timestamp (epoch-s)"),
        ] {
            assert_eq!(guess(&format!("{first}\n{second}\n")), expected);
        }
    }

    #[test]
    fn times_must_look_like_times() {
        assert_eq!(
            guess(r#"{"page":"p","time":"slow","ts":"2024-01-01T00:00:00Z"}"#),
            "page=page time=ts (rfc3339)"
        );
    }

    #[test]
    fn nothing_to_guess_is_said_plainly() {
        let error = |lines: &str| guess_with(lines, &MappingOptions::default()).unwrap_err().to_string();
        assert!(error(r#"{"x":1,"time":1704067200,"y":{"z":2}}"#).ends_with("fields seen: \"time, x, y.z\""));
        assert!(error(r#"{"page":1,"x":3}"#).starts_with("cannot guess the time field"));
        assert!(error("a,b\n1,2\n").starts_with("no JSON object among the first 2 lines"));
        let mut options = MappingOptions::default();
        options.set("input-format", "csv").unwrap();
        assert!(guess_with("{}", &options).unwrap_err().to_string().contains("not in this version yet"));
    }

    #[test]
    fn given_fields_are_taken_and_noted_when_no_record_has_them() {
        let mut options = MappingOptions::default();
        for (name, value) in [("page", "nope"), ("id", "eid"), ("user", "a.b.c"), ("time", "t")] {
            options.set(name, value).unwrap();
        }
        let line = r#"{"a":{"b":{"c":1}},"t":1,"eid":2}"#;
        let (text, guesses) = guess_with(line, &options).unwrap();
        assert_eq!(text, "page=nope user=a.b.c time=t (epoch-s) id=eid");
        assert_eq!(guesses.notes, ["none of the first 1 records has the --page field \"nope\""]);
        assert!(guesses.guessed.is_empty());
    }

    #[test]
    fn real_logs() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        for (log, expected) in [
            ("bunyan_corpus/log", "page=name user=hostname time=time (rfc3339)"),
            ("zoo_crowdsec/traefik_json", "page=RequestPath user=ClientHost time=StartUTC (rfc3339)"),
        ] {
            let Ok(log) = LogDirectory::open(&data.join(log), false) else {
                println!("skipped: no {log} in {}", data.display());
                continue;
            };
            assert_eq!(Mapping::resolve(&MappingOptions::default(), &log).unwrap().0.describe(), expected);
        }
    }
}
