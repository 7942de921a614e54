//! The fields of a record that somebody asked for; and one JSON line.
//!
//! The whole line is validated by `serde_json`; wanted values are kept as raw JSON text, so numbers keep their
//! literal text. Of duplicate keys the last wins; a literal key with a dot in it wins over a nested path.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::{SmallVec, smallvec};

use super::{ParseIssue, issue::quote};

/// Which fields to take from a line: a tree of keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    root: Node,
    paths: usize,
}

#[derive(Debug, Clone, Default)]
struct Node {
    keys: Vec<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    name: String,
    /// Slots whose path ends here.
    slots: Vec<usize>,
    /// What is wanted from inside, where this is an object.
    inside: Node,
}

impl Plan {
    /// One slot for each path, in their order.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p str>) -> Plan {
        let mut plan = Plan::default();
        for path in paths {
            plan.root.want(path, plan.paths);
            plan.paths += 1;
        }
        plan
    }

    /// Takes the fields out of a line.
    pub fn extract<'a>(&self, line: &'a [u8]) -> Result<Fields<'a>, ParseIssue> {
        let text = std::str::from_utf8(line).map_err(|_| ParseIssue::InvalidUtf8)?;
        let mut slots = smallvec![None; self.paths];
        if !text.trim_ascii_start().starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text).map_err(not_json)?;
            return Err(ParseIssue::NotAnObject);
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let visitor = Object { node: &self.root, depth: 0, slots: &mut slots };
        json.deserialize_map(visitor).and_then(|()| json.end()).map_err(not_json)?;
        Ok(Fields { slots: Slots::Json(slots) })
    }
}

/// The parser's words. A record is one line: its "line 1" would be taken for the file's.
#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`")]
fn not_json(error: serde_json::Error) -> ParseIssue {
    let place = format!(" at line {} column ", error.line());
    ParseIssue::NotJson(quote(&error.to_string().replacen(&place, " at column ", 1)))
}

impl Node {
    fn want(&mut self, path: &str, slot: usize) {
        self.key(path).slots.push(slot);
        if let Some((head, rest)) = path.split_once('.') {
            self.key(head).inside.want(rest, slot);
        }
    }

    fn key(&mut self, name: &str) -> &mut Key {
        let at = self.keys.iter().position(|key| key.name == name).unwrap_or(self.keys.len());
        if at == self.keys.len() {
            self.keys.push(Key { name: name.to_owned(), slots: Vec::new(), inside: Node::default() });
        }
        #[expect(clippy::indexing_slicing, reason = "found or just pushed")]
        &mut self.keys[at]
    }

    /// Forgets what an earlier key of the same name gave from inside: the later one replaces it whole.
    fn forget(&self, depth: usize, slots: &mut [Option<Found<'_>>]) {
        for key in &self.keys {
            for &slot in &key.slots {
                if let Some(found) = slots.get_mut(slot)
                    && found.is_some_and(|found| found.depth >= depth)
                {
                    *found = None;
                }
            }
            key.inside.forget(depth, slots);
        }
    }
}

/// The raw JSON text of a field, and how deep it was found.
#[derive(Debug, Clone, Copy)]
struct Found<'a> {
    depth: usize,
    raw: &'a str,
}

/// The fields of one record, borrowed from it where they stand in it as they are.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    slots: Slots<'a>,
}

/// As many as fields are usually asked for need no memory of their own: this is done for every record.
const USUAL_SLOTS: usize = 8;

#[derive(Debug)]
enum Slots<'a> {
    Json(SmallVec<[Option<Found<'a>>; USUAL_SLOTS]>),
    Plain(PlainSlots<'a>),
}

/// The texts of the slots, in their order.
pub(crate) type PlainSlots<'a> = SmallVec<[Option<Cow<'a, str>>; USUAL_SLOTS]>;

/// A field's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldText<'a> {
    /// No such key or field, or null.
    Absent,
    /// A string's or a field's text, or the literal text of a number or boolean.
    Text(Cow<'a, str>),
    /// An array or an object; its JSON text.
    Composite(&'a str),
}

impl<'a> Fields<'a> {
    /// Fields that are text and nothing else.
    pub fn plain(slots: PlainSlots<'a>) -> Fields<'a> {
        Fields { slots: Slots::Plain(slots) }
    }

    /// The field of a slot.
    pub fn get(&self, slot: usize) -> Result<FieldText<'_>, ParseIssue> {
        let slots = match &self.slots {
            Slots::Json(slots) => slots,
            Slots::Plain(slots) => {
                let text = slots.get(slot).and_then(Option::as_deref);
                return Ok(text.map_or(FieldText::Absent, |text| FieldText::Text(text.into())));
            }
        };
        let Some(raw) = slots.get(slot).copied().flatten().map(|found| found.raw) else {
            return Ok(FieldText::Absent);
        };
        Ok(match raw.as_bytes().first() {
            Some(b'{' | b'[') => FieldText::Composite(raw),
            Some(b'n') => FieldText::Absent,
            Some(b'"') => match raw.get(1..raw.len() - 1) {
                Some(plain) if memchr::memchr(b'\\', plain.as_bytes()).is_none() => {
                    FieldText::Text(plain.into())
                }
                _ => FieldText::Text(Cow::Owned(
                    serde_json::from_str(raw)
                        .map_err(|error: serde_json::Error| ParseIssue::BadString(error.to_string()))?,
                )),
            },
            _ => FieldText::Text(raw.into()),
        })
    }
}

struct Object<'n, 's, 'a> {
    node: &'n Node,
    depth: usize,
    slots: &'s mut [Option<Found<'a>>],
}

impl<'a> Visitor<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(wanted) = map.next_key_seed(WantedKey(self.node))? {
            let Some(key) = wanted else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let raw = map.next_value::<&'a RawValue>()?.get();
            for &slot in &key.slots {
                if let Some(found) = self.slots.get_mut(slot)
                    && found.is_none_or(|found| found.depth >= self.depth)
                {
                    *found = Some(Found { depth: self.depth, raw });
                }
            }
            if !key.inside.keys.is_empty() {
                key.inside.forget(self.depth + 1, self.slots);
                if raw.starts_with('{') {
                    let inner = Object { node: &key.inside, depth: self.depth + 1, slots: self.slots };
                    let mut json = serde_json::Deserializer::from_str(raw);
                    json.deserialize_map(inner).map_err(serde::de::Error::custom)?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a key without keeping its text.
struct WantedKey<'n>(&'n Node);

impl<'de, 'n> DeserializeSeed<'de> for WantedKey<'n> {
    type Value = Option<&'n Key>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for WantedKey<'n> {
    type Value = Option<&'n Key>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.keys.iter().find(|key| key.name == text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(paths: &[&str], line: &str) -> Result<Vec<String>, ParseIssue> {
        let fields = Plan::new(paths.iter().copied()).extract(line.as_bytes())?;
        let show = |slot| {
            Ok(match fields.get(slot)? {
                FieldText::Absent => "-".to_owned(),
                FieldText::Text(text) => text.into_owned(),
                FieldText::Composite(raw) => format!("<{raw}>"),
            })
        };
        (0..paths.len()).map(show).collect()
    }

    #[test]
    fn literals_are_kept_and_strings_unescaped() {
        let line = r#" {"a":1.50e1,"b":true,"c":null,"d":"x\u00e9\"\\","e":[1, 2],"z":{"q":[{}]},"f":18446744073709551616} "#;
        assert_eq!(
            get(&["a", "b", "c", "d", "e", "f", "g"], line).unwrap(),
            ["1.50e1", "true", "-", "xé\"\\", "<[1, 2]>", "18446744073709551616", "-"]
        );
    }

    #[test]
    fn dotted_paths_and_literal_keys() {
        assert_eq!(get(&["a.b"], r#"{"a":{"b":1}}"#).unwrap(), ["1"]);
        for line in [r#"{"a":{"b":1},"a.b":2}"#, r#"{"a.b":2,"a":{"b":1}}"#] {
            assert_eq!(get(&["a.b", "a"], line).unwrap(), ["2", r#"<{"b":1}>"#]);
        }
        assert_eq!(get(&["a.b.c"], r#"{"a":{"b.c":1,"b":{"c":2}}}"#).unwrap(), ["1"]);
        assert_eq!(get(&["a.b.c"], r#"{"a":{"b":{"c":2}}}"#).unwrap(), ["2"]);
        assert_eq!(get(&["a.b", "a.c"], r#"{"a":[1]}"#).unwrap(), ["-", "-"]);
    }

    #[test]
    fn of_duplicate_keys_the_last_wins() {
        assert_eq!(get(&["a"], r#"{"a":1,"a":"two"}"#).unwrap(), ["two"]);
        assert_eq!(get(&["a"], r#"{"a":1,"\u0061":3}"#).unwrap(), ["3"]);
        assert_eq!(get(&["a.b"], r#"{"a":{"b":1},"a":{"b":2}}"#).unwrap(), ["2"]);
        assert_eq!(get(&["a.b"], r#"{"a":{"b":1},"a":{"c":2}}"#).unwrap(), ["-"]);
        assert_eq!(get(&["a.b"], r#"{"a":{"b":1},"a":3}"#).unwrap(), ["-"]);
        assert_eq!(get(&["a.b"], r#"{"a.b":9,"a":{"b":1},"a":3}"#).unwrap(), ["9"]);
    }

    #[test]
    fn the_whole_line_is_validated() {
        for bad in [r#"{"a":1"#, r#"{"a":1} x"#, r#"{"a":1}}"#, r#"{"a":1,"b":tru}"#, "{'a':1}", "junk", ""] {
            assert!(matches!(get(&["a"], bad), Err(ParseIssue::NotJson(_))), "{bad}");
        }
        let words = get(&["a"], "junk").unwrap_err().to_string();
        assert_eq!(words, "not JSON: expected value at column 1");
        assert_eq!(get(&["a"], "[1]"), Err(ParseIssue::NotAnObject));
        assert!(matches!(get(&["a"], r#"{"a":"\ud800"}"#), Err(ParseIssue::BadString(_))));
        let invalid = Plan::new(["a"]).extract(b"{\"a\":\"\xff\"}");
        assert_eq!(invalid.unwrap_err(), ParseIssue::InvalidUtf8);
    }
}
