//! Guessing what was not given, from the first records of the whole log.

use std::collections::BTreeSet;

use super::{
    Guesses, InputFormat, LogDirectory, LogError, Mapping, MappingOptions, TimeFormat,
    access::access_time,
    detect::detect,
    sample::{Field, Sample},
};

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
/// What is looked for where no format is given and none is seen.
const UNKNOWN: &str = "JSON object, access log line or row under a header";
const ARRIVALS: &[&str] = &["arrivedat", "arrival", "arrivaltime", "receivedat", "ingestedat"];

pub(super) fn resolve(options: &MappingOptions, log: &LogDirectory) -> Result<(Mapping, Guesses), LogError> {
    let mut guesses = Guesses::default();
    let (format, what) = match options.input_format {
        Some(format) => (format, format.record_name()),
        None => detect(log)?.map_or((InputFormat::Jsonl, UNKNOWN), |format| (format, format.record_name())),
    };
    // What is taken for granted where nothing else is seen goes without saying.
    if options.input_format.is_none() && !format.is_jsonl() {
        guesses.guessed.push("format");
    }
    let sample = Sample::take(log, format)?;
    let required = Required { sample: &sample, what, log };
    let page = required.field("page", options.page.as_ref(), &mut guesses, |sample| match format {
        InputFormat::Combined => Some("target".to_owned()),
        InputFormat::Jsonl | InputFormat::Csv | InputFormat::Tsv => sample.best(PAGES, 2, |_| true),
    })?;
    let time = required.field("time", options.time.as_ref(), &mut guesses, |sample| match format {
        InputFormat::Combined => Some("time".to_owned()),
        InputFormat::Jsonl | InputFormat::Csv | InputFormat::Tsv => {
            sample.best(TIMES, 2, |field| options.time_format.is_some() || field.time_format().is_some())
        }
    })?;
    let user = options.user.clone().or_else(|| sample.user(format, [&page, &time], &mut guesses));
    let arrival = options.arrival.clone().or_else(|| {
        let found =
            sample.best(ARRIVALS, 2, |field| field.time_format().is_some()).filter(|found| *found != time)?;
        guesses.guessed.push("arrival");
        Some(found)
    });
    let value = options.value.clone().or_else(|| sample.beside_key("value", &mut guesses));
    let offset = options.offset.clone().or_else(|| sample.beside_key("offset", &mut guesses));
    let format_of = |field: &str| match format {
        InputFormat::Combined if field == "time" => Some(access_time()),
        _ => sample.fields.get(field).and_then(Field::time_format),
    };
    let time_format = options.time_format.clone().or_else(|| format_of(&time)).unwrap_or(TimeFormat::Rfc3339);
    let arrival_format = match &options.time_format {
        None => arrival.as_deref().and_then(format_of).filter(|format| *format != time_format),
        Some(_) => None,
    };
    sample.note_unseen(options, &mut guesses);
    let mapping = Mapping {
        input_format: format,
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

/// A field without which nothing can be read.
struct Required<'a> {
    sample: &'a Sample,
    /// What a record is called.
    what: &'static str,
    log: &'a LogDirectory,
}

impl Required<'_> {
    fn field(
        &self,
        role: &'static str,
        given: Option<&String>,
        guesses: &mut Guesses,
        best: impl Fn(&Sample) -> Option<String>,
    ) -> Result<String, LogError> {
        if let Some(given) = given {
            return Ok(given.clone());
        }
        let log = self.log.path().to_owned();
        if self.sample.records == 0 {
            return Err(LogError::NoRecords { what: self.what, log, lines: self.sample.lines });
        }
        guesses.guessed.push(role);
        best(self.sample).ok_or_else(|| {
            let seen: Vec<&str> = self.sample.fields.keys().take(100).map(String::as_str).collect();
            LogError::CannotGuess { role, log, fields: seen.join(", ") }
        })
    }
}

impl Sample {
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
            let rare = field.scalars * one_in < self.records;
            let fewer = if rare { self.records - field.scalars.min(self.records) } else { 0 };
            Some(((rare, fewer, nested, rank), path.clone()))
        };
        self.fields.iter().filter_map(ranked).min().map(|(_, path)| path)
    }

    /// A user may well be missing from most records; a page or a time may not.
    fn user(&self, format: InputFormat, taken: [&String; 2], guesses: &mut Guesses) -> Option<String> {
        let found = match format {
            InputFormat::Combined => Some("host".to_owned()),
            InputFormat::Jsonl | InputFormat::Csv | InputFormat::Tsv => self.best(USERS, 10, |_| true),
        };
        let found = found.filter(|user| !taken.contains(&user))?;
        guesses.guessed.push("user");
        Some(found)
    }

    /// A field exactly so named, an integer in every record, and `key` beside it in every record.
    fn beside_key(&self, name: &'static str, guesses: &mut Guesses) -> Option<String> {
        let key = self.fields.get("key")?;
        let field = self.fields.get(name)?;
        if self.records == 0 || key.scalars != self.records || field.integers != self.records {
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
                let records = self.records;
                guesses
                    .notes
                    .push(format!("none of the first {records} records has the --{name} field {field:?}"));
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
        assert!(
            error("a;b\n1;2\n")
                .starts_with("no JSON object, access log line or row under a header among the")
        );
        let given = |format: &str, lines: &str| {
            let mut options = MappingOptions::default();
            options.set("input-format", format).unwrap();
            guess_with(lines, &options).unwrap_err().to_string()
        };
        assert!(given("jsonl", "a,b\n1,2\n").starts_with("no JSON object among the first 2 lines"));
        assert!(given("csv", "page,time\n").starts_with("no row under a header among the first 1 lines"));
        assert!(given("combined", "{}\n").starts_with("no access log line among the first 1 lines"));
        assert!(
            given("csv", "u1,/,2024-01-01 00:00:00\nu2,x,y\n")
                .ends_with("fields seen: \"/, 2024-01-01 00:00:00, u1\"")
        );
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
        let access = "format=combined page=target user=host time=time (%d/%b/%Y:%H:%M:%S %z)";
        for (log, expected) in [
            ("bunyan_corpus/log", "page=name user=hostname time=time (rfc3339)"),
            ("zoo_crowdsec/traefik_json", "page=RequestPath user=ClientHost time=StartUTC (rfc3339)"),
            ("rete_ecom/log", "format=csv page=event user=user_id time=timestamp (rfc3339)"),
            ("nasa_tsv/log", "format=tsv page=url user=host time=time (epoch-s)"),
            ("elastic_apache/log", access),
            ("zanbil_shop_1000/log", access),
            ("zoo_crowdsec/apache_probing", access),
        ] {
            let Ok(log) = LogDirectory::open(&data.join(log), false) else {
                println!("skipped: no {log} in {}", data.display());
                continue;
            };
            assert_eq!(Mapping::resolve(&MappingOptions::default(), &log).unwrap().0.describe(), expected);
        }
    }
}
