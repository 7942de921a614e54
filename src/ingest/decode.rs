//! From a record's text to an event: the mapping made ready, and what it makes of a line or row.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    LogError, Mapping, ParseIssue, TimeFormat,
    extract::{Extract, Ragged},
    filter::{Filter, PageClean},
    format::{FieldText, Fields},
    issue::quote,
    records::{Header, Reading},
};
use crate::domain::{Day, DayRule, EventTime, Value, parse_zone};

/// Name of the partition of lines that do not say theirs, where a field makes the partitions.
pub(crate) const NO_PARTITION: &str = ".";

/// A mapping made ready for lines. Cheap to share between readers.
#[derive(Debug, Clone)]
pub struct Decoder {
    extract: Extract,
    reading: Reading,
    slots: Slots,
    time_format: TimeFormat,
    arrival_format: TimeFormat,
    naive_zone: Option<TimeZone>,
    day_rule: DayRule,
    filters: Vec<(usize, Filter)>,
    page_clean: Vec<PageClean>,
}

#[derive(Debug, Clone)]
struct Slots {
    page: usize,
    time: usize,
    user: Option<usize>,
    arrival: Option<usize>,
    value: Option<usize>,
    id: Option<usize>,
    offset: Option<usize>,
    partition: Option<usize>,
}

/// The numbers of a well-formed line; its texts are in [`LineTexts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineEvent {
    pub has_user: bool,
    pub time: EventTime,
    /// The offset that the text of the time carried (0 where none), in seconds.
    pub written_offset_seconds: i32,
    /// Arrival time where one is mapped and usable.
    pub arrival: Option<EventTime>,
    pub day: Day,
    pub value: Value,
    pub id: Option<u128>,
    pub explicit_offset: Option<u64>,
}

/// The texts of a line, kept until it is handed out: only then do its names get their ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineTexts {
    pub page: String,
    pub user: String,
    /// Where a field makes the partitions.
    pub partition: String,
}

impl Decoder {
    pub(crate) fn new(mapping: &Mapping) -> Result<Decoder, LogError> {
        let filters: Vec<Filter> =
            mapping.filters.iter().map(|text| Filter::parse(text)).collect::<Result<_, _>>()?;
        let mut paths = vec![("page", mapping.page.clone()), ("time", mapping.time.clone())];
        let mut add = |option: &'static str, path: &Option<String>| {
            path.as_ref().map(|path| {
                paths.push((option, path.clone()));
                paths.len() - 1
            })
        };
        let slots = Slots {
            page: 0,
            time: 1,
            user: add("user", &mapping.user),
            arrival: add("arrival", &mapping.arrival),
            value: add("value", &mapping.value),
            id: add("id", &mapping.id),
            offset: add("offset", &mapping.offset),
            partition: add("partition", &mapping.partition),
        };
        let first_filter = paths.len();
        paths.extend(filters.iter().map(|filter| ("where", filter.field.clone())));
        let extract = Extract::new(mapping.input_format, &paths)?;
        let zone = |option: &str, name: &str| {
            parse_zone(name).map_err(|_| LogError::option(option, "unknown time zone", name))
        };
        Ok(Decoder {
            reading: extract.reading(),
            extract,
            slots,
            time_format: mapping.time_format.clone(),
            arrival_format: mapping.arrival_format.clone().unwrap_or_else(|| mapping.time_format.clone()),
            naive_zone: match mapping.naive_zone.as_str() {
                "UTC" | "utc" | "Z" => None,
                name => Some(zone("naive-zone", name)?),
            },
            day_rule: DayRule::parse(&mapping.zone)
                .map_err(|_| LogError::option("zone", "unknown time zone", &mapping.zone))?,
            filters: (first_filter..).zip(filters).collect(),
            page_clean: mapping
                .page_clean
                .iter()
                .map(|step| PageClean::parse(step))
                .collect::<Result<_, _>>()?,
        })
    }

    /// What a line (or a row under `header`) is: `None` when a `--where` says that it is no record at all. One on which a
    /// condition cannot be tried, because it has no fields, is a (malformed) record.
    pub(crate) fn decode(
        &self,
        line: &[u8],
        header: &Header,
        texts: &mut LineTexts,
    ) -> Option<Result<LineEvent, ParseIssue>> {
        texts.partition.clear();
        if self.slots.partition.is_some() {
            texts.partition.push_str(NO_PARTITION);
        }
        let fields = match self.extract.fields(line, header, Ragged::Refuse) {
            Ok(fields) => fields,
            Err(issue) => return Some(Err(issue)),
        };
        for (slot, filter) in &self.filters {
            match filter.admits(&fields, *slot) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(issue) => return Some(Err(issue)),
            }
        }
        Some(self.event(&fields, texts))
    }

    fn event(&self, fields: &Fields<'_>, texts: &mut LineTexts) -> Result<LineEvent, ParseIssue> {
        if let Some(slot) = self.slots.partition
            && let Ok(FieldText::Text(name)) = fields.get(slot)
            && !name.is_empty()
        {
            texts.partition.clear();
            texts.partition.push_str(&name);
        }
        let written = match fields.get(self.slots.time)? {
            FieldText::Absent => return Err(ParseIssue::NoTime),
            FieldText::Text(text) if text.is_empty() => return Err(ParseIssue::NoTime),
            FieldText::Composite(raw) => return Err(ParseIssue::BadTime(quote(raw))),
            FieldText::Text(text) => text,
        };
        let parsed = self.time_format.parse(&written, self.naive_zone.as_ref());
        let parsed = parsed.ok_or_else(|| ParseIssue::BadTime(quote(&written)))?;
        self.page(fields, texts)?;
        texts.user.clear();
        if let Some(text) = present(fields, self.slots.user, ParseIssue::UserWrongType)? {
            texts.user.push_str(&text);
        }
        let id = present(fields, self.slots.id, ParseIssue::IdWrongType)?;
        Ok(LineEvent {
            has_user: !texts.user.is_empty(),
            time: parsed.time,
            written_offset_seconds: parsed.written_offset_seconds,
            arrival: self.arrival(fields),
            day: self.day_rule.day_of(parsed.time, parsed.written_offset_seconds),
            value: self.value(fields)?,
            id: id.map(|id| xxh3_128(id.as_bytes())),
            explicit_offset: self.explicit_offset(fields)?,
        })
    }

    /// What a laxer reader would make of a malformed line: page and time are there, the rest is taken where it can
    /// be read.
    pub(crate) fn salvage(&self, line: &[u8], header: &Header, texts: &mut LineTexts) -> Option<LineEvent> {
        let fields = self.extract.fields(line, header, Ragged::Take).ok()?;
        let Ok(FieldText::Text(written)) = fields.get(self.slots.time) else { return None };
        let parsed = self.time_format.parse(&written, self.naive_zone.as_ref())?;
        self.page(&fields, texts).ok()?;
        texts.user.clear();
        if let Ok(Some(text)) = present(&fields, self.slots.user, ParseIssue::UserWrongType) {
            texts.user.push_str(&text);
        }
        let id = present(&fields, self.slots.id, ParseIssue::IdWrongType).ok().flatten();
        Some(LineEvent {
            has_user: !texts.user.is_empty(),
            time: parsed.time,
            written_offset_seconds: parsed.written_offset_seconds,
            arrival: self.arrival(&fields),
            day: self.day_rule.day_of(parsed.time, parsed.written_offset_seconds),
            value: self.value(&fields).unwrap_or(Value(0)),
            id: id.map(|id| xxh3_128(id.as_bytes())),
            explicit_offset: self.explicit_offset(&fields).ok().flatten(),
        })
    }

    fn page(&self, fields: &Fields<'_>, texts: &mut LineTexts) -> Result<(), ParseIssue> {
        let page = present(fields, Some(self.slots.page), ParseIssue::PageWrongType)?;
        let page =
            self.page_clean.iter().fold(page.ok_or(ParseIssue::NoPage)?, |page, step| step.apply(page));
        if page.is_empty() {
            return Err(ParseIssue::NoPage);
        }
        texts.page.clear();
        texts.page.push_str(&page);
        Ok(())
    }

    /// An unusable arrival time does not spoil the record; it only goes first.
    fn arrival(&self, fields: &Fields<'_>) -> Option<EventTime> {
        match fields.get(self.slots.arrival?) {
            Ok(FieldText::Text(text)) => {
                self.arrival_format.parse(&text, self.naive_zone.as_ref()).map(|parsed| parsed.time)
            }
            _ => None,
        }
    }

    fn value(&self, fields: &Fields<'_>) -> Result<Value, ParseIssue> {
        let Some(slot) = self.slots.value else { return Ok(Value::ONE) };
        match fields.get(slot)? {
            FieldText::Absent => Err(ParseIssue::NoValue),
            FieldText::Text(text) if text.is_empty() => Err(ParseIssue::NoValue),
            FieldText::Text(text) => Value::parse(&text).ok_or_else(|| ParseIssue::BadValue(quote(&text))),
            FieldText::Composite(raw) => Err(ParseIssue::BadValue(quote(raw))),
        }
    }

    fn explicit_offset(&self, fields: &Fields<'_>) -> Result<Option<u64>, ParseIssue> {
        let Some(slot) = self.slots.offset else { return Ok(None) };
        match fields.get(slot)? {
            FieldText::Absent => Ok(None),
            // A row has no other way to say that there is none.
            FieldText::Text(text) if text.is_empty() && self.is_table() => Ok(None),
            FieldText::Text(text) => text.parse().map(Some).map_err(|_| ParseIssue::BadOffset(quote(&text))),
            FieldText::Composite(raw) => Err(ParseIssue::BadOffset(quote(raw))),
        }
    }

    fn is_table(&self) -> bool {
        self.reading.format.has_header()
    }

    /// What a reader of the log has to know.
    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Whether arrival time decides the delivery order.
    pub(crate) fn arrival_mapped(&self) -> bool {
        self.slots.arrival.is_some()
    }

    /// Whether a record's verdict can depend on those before it in its partition.
    pub(crate) fn verdicts_depend_on_prefix(&self) -> bool {
        self.slots.id.is_some() || self.slots.offset.is_some()
    }
}

/// A text that is there and not empty.
fn present<'a>(
    fields: &'a Fields<'_>,
    slot: Option<usize>,
    wrong_type: ParseIssue,
) -> Result<Option<Cow<'a, str>>, ParseIssue> {
    match slot.map(|slot| fields.get(slot)).transpose()? {
        None | Some(FieldText::Absent) => Ok(None),
        Some(FieldText::Text(text)) => Ok((!text.is_empty()).then_some(text)),
        Some(FieldText::Composite(_)) => Err(wrong_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(mapping: &str, line: &str) -> Option<Result<(LineEvent, LineTexts), String>> {
        let mapping: Mapping = serde_json::from_str(mapping).unwrap();
        let mut texts = LineTexts::default();
        let decoded = mapping.decoder().unwrap().decode(line.as_bytes(), &Header::default(), &mut texts)?;
        Some(decoded.map(|event| (event, texts)).map_err(|issue| issue.to_string()))
    }

    const ALL: &str =
        r#"{"page":"p","user":"u","time":"t","time_format":"epoch-s","value":"v","id":"i","offset":"o"}"#;
    const PLAIN: &str = r#"{"page":"p","user":"u","time":"t","time_format":"epoch-s"}"#;

    #[test]
    fn a_whole_event() {
        let line = r#"{"p":"/a","u":7,"t":86400,"v":"2.5","i":"x","o":3}"#;
        let (event, texts) = decode(ALL, line).unwrap().unwrap();
        assert_eq!((texts.page.as_str(), texts.user.as_str(), event.day), ("/a", "7", Day(1)));
        assert_eq!((event.value, event.explicit_offset), (Value(2_500_000), Some(3)));
        assert_eq!(event.id, Some(xxh3_128(b"x")));
    }

    #[test]
    fn every_reason() {
        for (line, reason) in [
            (r#"{"p":"/a"}"#, "no time"),
            (r#"{"p":"/a","t":""}"#, "no time"),
            (r#"{"p":"/a","t":"soon"}"#, "bad time \"soon\""),
            (r#"{"p":"/a","t":{}}"#, "bad time \"{}\""),
            (r#"{"t":1}"#, "no page"),
            (r#"{"t":1,"p":null}"#, "no page"),
            (r#"{"t":1,"p":""}"#, "no page"),
            (r#"{"t":1,"p":[]}"#, "page of wrong type"),
            (r#"{"t":1,"p":"a","u":{}}"#, "user of wrong type"),
            (r#"{"t":1,"p":"a","i":[]}"#, "id of wrong type"),
            (r#"{"t":1,"p":"a"}"#, "no value"),
            (r#"{"t":1,"p":"a","v":"x"}"#, "bad value \"x\""),
            (r#"{"t":1,"p":"a","v":1,"o":-1}"#, "bad offset \"-1\""),
            ("3", "not a JSON object"),
        ] {
            assert_eq!(decode(ALL, line).unwrap().unwrap_err(), reason, "{line}");
        }
        for user in ["null", "\"\""] {
            let line = format!(r#"{{"t":1,"p":true,"u":{user}}}"#);
            let (event, texts) = decode(PLAIN, &line).unwrap().unwrap();
            assert_eq!((event.has_user, texts.page.as_str()), (false, "true"));
        }
    }

    #[test]
    fn filters_decide_what_is_a_record() {
        let with = |filters: &str| PLAIN.replace('}', &format!(r#","filters":{filters}}}"#));
        let line = r#"{"t":1,"p":"/a","s":200,"m":null,"x":{"y":"v=1"}}"#;
        for (filter, admitted) in [
            ("s=200", true),
            ("s=20", false),
            ("s!=200", false),
            ("m!=a", true),
            ("m=a", false),
            ("s~^2", true),
            ("s!~^2", false),
            ("q~.", false),
            ("x.y=v=1", true),
        ] {
            assert_eq!(decode(&with(&format!("[{filter:?}]")), line).is_some(), admitted, "{filter}");
        }
        assert!(decode(&with(r#"["s=200","p=/b"]"#), line).is_none(), "all must hold");
        assert!(
            decode(&with(r#"["s=200"]"#), "junk").unwrap().is_err(),
            "cannot be tried: a malformed record"
        );
    }

    #[test]
    fn pages_are_cleaned() {
        let clean = PLAIN.replace('}', r#","page_clean":["strip-query","lower-case"]}"#);
        let page = |line: &str| decode(&clean, line).unwrap().map(|(_, texts)| texts.page);
        assert_eq!(page(r#"{"t":1,"p":"/A?Q=1?2"}"#).unwrap(), "/a");
        assert_eq!(page(r#"{"t":1,"p":"?Q"}"#).unwrap_err(), "no page");
    }
}
