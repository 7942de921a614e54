//! Lines of an access log as JSON objects, so that the rest of a query is the same for every format.

use super::{
    lines::{filter_field, objects_of},
    text,
};
use crate::ingest::Mapping;

/// What stands between a quote and the one that closes it: the latter is before a blank or the line's end, and behind no
/// backslash of its own.
const QUOTED: &str = r#"(?:[^"\\]|\\.|"+(?:[^ "\\]|\\.))*"*"#;
/// Names of the fields behind the request.
const BEHIND: [&str; 4] = ["status", "bytes", "referer", "agent"];

/// The fields of each line by name, those that the query needs.
pub(super) fn objects(mapping: &Mapping) -> String {
    let line = format!(r#"^([^ ]*) ([^ ]*) ((?:[^ ]| +[^ \[])* *) \[([^\]]*)\] *"({QUOTED})"(?: (.*))?$"#);
    let given = [
        Some(&mapping.page),
        Some(&mapping.time),
        mapping.user.as_ref(),
        mapping.arrival.as_ref(),
        mapping.value.as_ref(),
        mapping.id.as_ref(),
        mapping.offset.as_ref(),
        mapping.partition.as_ref(),
    ];
    let mut names: Vec<&str> = given.into_iter().flatten().map(String::as_str).collect();
    names.extend(mapping.filters.iter().map(|filter| filter_field(filter)));
    names.sort_unstable();
    names.dedup();
    let fields: Vec<String> =
        names.into_iter().map(|name| format!("{}, {}", text(name), present(name))).collect();
    let parts = "['host', 'ident', 'usr', 'time', 'request', 'behind']";
    let parsed = format!(
        "SELECT * REPLACE (regexp_replace(text, '\\r$', '') AS text), regexp_extract(regexp_replace(text, '\\r$', ''), {}, \
         {parts}) AS f FROM lines",
        text(&line)
    );
    objects_of(
        &format!(
            "CASE WHEN regexp_matches(text, {}) THEN json_object({}) END",
            text(&line),
            fields.join(", ")
        ),
        &format!("({parsed})"),
    )
}

/// A field by name; NULL where it is absent.
fn present(name: &str) -> String {
    let part = |name: &str| format!("f.{name}");
    let word = |shape: &str| format!("regexp_extract(f.request, {}, 1)", text(shape));
    let field = match name {
        "host" | "ident" | "request" => part(name),
        "user" => part("usr"),
        // A leap second is read as the second before it.
        "time" => "regexp_replace(f.time, ':60 ', ':59 ')".to_owned(),
        "method" => word("^ *([^ ]+)"),
        "target" | "path" => word("^ *[^ ]+ +([^ ]+)"),
        "protocol" => word("^ *[^ ]+ +[^ ]+ +(?:.* )?(HTTP/[^ ]*) *$"),
        "bytes" => format!("regexp_replace({}, '^-$', '0')", behind(1)),
        name => behind(place_behind(name)),
    };
    format!("nullif(nullif({field}, ''), '-')")
}

/// The number of a field behind the request, from 0.
fn place_behind(name: &str) -> usize {
    let extra = || name.strip_prefix("extra")?.parse::<usize>().ok();
    let named = BEHIND.iter().position(|known| *known == name);
    named.unwrap_or_else(|| BEHIND.len() - 1 + extra().unwrap_or(0))
}

/// A field behind the request: in quotes, in quotes that the line's end closes, or bare.
fn behind(at: usize) -> String {
    let item = format!(r#" *(?:"{QUOTED}"(?: |$)|[^ "][^ ]*(?: |$))"#);
    let shape = format!(r#"^(?:{item}){{{at}}} *(?:"({QUOTED})"(?: .*)?$|"(.*)$|([^ "][^ ]*))"#);
    let found = format!("regexp_extract(f.behind, {}, ['shut', 'open', 'bare'])", text(&shape));
    format!("concat(({found}).shut, ({found}).open, ({found}).bare)")
}
