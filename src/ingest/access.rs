//! One line of an access log: Common or Combined Log Format, with any further fields behind.
//!
//! `host ident user [time] "request" status bytes "referer" "agent" ...`, by these names, and `method`, `target` (or
//! `path`) and `protocol` of the request; fields behind the agent are `extra1`, `extra2`, and so on. Texts are verbatim, with
//! their backslashes. `-` is an absent field, except that of `bytes` it is how the format writes 0.

use super::{ParseIssue, TimeFormat};

/// How the time is written.
pub(crate) const ACCESS_TIME: &str = "%d/%b/%Y:%H:%M:%S %z";

/// A field of an access log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessField {
    Host,
    Ident,
    User,
    Time,
    Request,
    Method,
    Target,
    Protocol,
    /// What stands behind the request, from 0: status, bytes, referer, agent, further ones.
    Behind(usize),
}

const BYTES: usize = 1;
/// Fields behind the request that have a name.
const NAMED_BEHIND: [&str; 4] = ["status", "bytes", "referer", "agent"];
const NAMED: [(&str, AccessField); 9] = [
    ("host", AccessField::Host),
    ("ident", AccessField::Ident),
    ("user", AccessField::User),
    ("time", AccessField::Time),
    ("request", AccessField::Request),
    ("method", AccessField::Method),
    ("target", AccessField::Target),
    ("path", AccessField::Target),
    ("protocol", AccessField::Protocol),
];

impl AccessField {
    /// The field of a name.
    pub fn parse(name: &str) -> Option<AccessField> {
        if let Some((_, field)) = NAMED.iter().find(|(known, _)| *known == name) {
            return Some(*field);
        }
        if let Some(at) = NAMED_BEHIND.iter().position(|known| *known == name) {
            return Some(AccessField::Behind(at));
        }
        let number = name.strip_prefix("extra")?;
        let at = number.parse::<usize>().ok().filter(|at| *at > 0 && !number.starts_with(['0', '+']))?;
        Some(AccessField::Behind(NAMED_BEHIND.len().checked_add(at - 1)?))
    }

    /// All names, for people.
    pub const NAMES: &str = "host, ident, user, time, request, method, target, protocol, status, bytes, referer, agent, extra1...";
}

/// The time format of access logs.
pub(crate) fn access_time() -> TimeFormat {
    TimeFormat::Pattern(ACCESS_TIME.to_owned())
}

/// The fields of a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccessLine<'a> {
    host: &'a str,
    ident: &'a str,
    user: &'a str,
    time: &'a str,
    request: &'a str,
    /// Behind the request.
    behind: &'a str,
}

impl<'a> AccessLine<'a> {
    /// Takes a line apart. A quote that is open where the line ends closes there, except that of the request: a log cuts
    /// long agents off, but half a request is none.
    pub fn parse(line: &'a str) -> Result<AccessLine<'a>, ParseIssue> {
        let words = line.split_once(' ').and_then(|(host, rest)| Some((host, rest.split_once(' ')?)));
        let (host, (ident, rest)) = words.ok_or(ParseIssue::NoBracketedTime)?;
        let (user, rest) = rest.split_once(" [").ok_or(ParseIssue::NoBracketedTime)?;
        let (time, rest) = rest.split_once(']').ok_or(ParseIssue::NoBracketedTime)?;
        let rest = rest.trim_start_matches(' ').strip_prefix('"').ok_or(ParseIssue::NoQuotedRequest)?;
        let end = closing_quote(rest).ok_or(ParseIssue::RequestNotClosed)?;
        let (request, behind) = rest.split_at(end);
        Ok(AccessLine { host, ident, user, time, request, behind: behind.get(1..).unwrap_or_default() })
    }

    /// A field; `None` where it is absent.
    pub fn get(&self, field: AccessField) -> Option<&'a str> {
        let mut words = self.request.split(' ').filter(|word| !word.is_empty());
        let text = match field {
            AccessField::Host => self.host,
            AccessField::Ident => self.ident,
            AccessField::User => self.user,
            AccessField::Time => self.time,
            AccessField::Request => self.request,
            AccessField::Method => words.next()?,
            AccessField::Target => words.nth(1)?,
            AccessField::Protocol => words.skip(2).last().filter(|word| word.starts_with("HTTP/"))?,
            AccessField::Behind(at) => {
                let text = Behind(self.behind).nth(at)?;
                if at == BYTES && text == "-" { "0" } else { text }
            }
        };
        (!text.is_empty() && text != "-").then_some(text)
    }

    /// All fields that are there, by name.
    pub fn fields(&self) -> impl Iterator<Item = (String, &'a str)> {
        let named = NAMED.into_iter().filter_map(|(name, field)| Some((name.to_owned(), self.get(field)?)));
        let count = Behind(self.behind).count();
        let behind = (0..count).filter_map(|at| Some((behind_name(at), self.get(AccessField::Behind(at))?)));
        named.chain(behind)
    }
}

fn behind_name(at: usize) -> String {
    NAMED_BEHIND
        .get(at)
        .map_or_else(|| format!("extra{}", at + 1 - NAMED_BEHIND.len()), |name| (*name).to_owned())
}

/// Where the quote that closes is: before a blank or the end, and not behind a backslash of its own.
fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..)?) {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            if matches!(bytes.get(at + 1), None | Some(b' ')) {
                return Some(at);
            }
            at += 1;
        } else {
            at += 2;
        }
    }
    None
}

/// What stands behind the request: bare or quoted, set apart by blanks.
struct Behind<'a>(&'a str);

impl<'a> Iterator for Behind<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start_matches(' ');
        if rest.is_empty() {
            return None;
        }
        let (text, behind) = if let Some(quoted) = rest.strip_prefix('"') {
            let end = closing_quote(quoted).unwrap_or(quoted.len());
            (quoted.get(..end), quoted.get(end + 1..))
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            (rest.get(..end), rest.get(end..))
        };
        self.0 = behind.unwrap_or_default();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(line: &str, field: &str) -> Option<String> {
        AccessLine::parse(line).unwrap().get(AccessField::parse(field).unwrap()).map(str::to_owned)
    }

    const COMBINED: &str = r#"10.0.0.1 - eva w [22/Jan/2019:03:56:14 +0330] "GET /a,b?\"c\\\" HTTP/1.1" 200 - "-" "Mo \"x\" z" "9" 0.2"#;

    #[test]
    fn every_field_by_its_name() {
        for (field, text) in [
            ("host", "10.0.0.1"),
            ("user", "eva w"),
            ("time", "22/Jan/2019:03:56:14 +0330"),
            ("request", r#"GET /a,b?\"c\\\" HTTP/1.1"#),
            ("method", "GET"),
            ("target", r#"/a,b?\"c\\\""#),
            ("path", r#"/a,b?\"c\\\""#),
            ("protocol", "HTTP/1.1"),
            ("status", "200"),
            ("bytes", "0"),
            ("agent", r#"Mo \"x\" z"#),
            ("extra1", "9"),
            ("extra2", "0.2"),
        ] {
            assert_eq!(get(COMBINED, field).as_deref(), Some(text), "{field}");
        }
        for absent in ["ident", "referer", "extra3"] {
            assert_eq!(get(COMBINED, absent), None, "{absent}");
        }
        for unknown in ["", "url", "extra", "extra0", "extra01", "extra+1", "extra-1"] {
            assert_eq!(AccessField::parse(unknown), None, "{unknown}");
        }
        let all: Vec<String> = AccessLine::parse(COMBINED).unwrap().fields().map(|(name, _)| name).collect();
        assert_eq!(
            all.join(" "),
            "host user time request method target path protocol status bytes agent extra1 extra2"
        );
    }

    #[test]
    fn what_scanners_send() {
        let line = |request: &str| format!(r#"::1 - - [29/Sep/2021:12:37:05 +0000] "{request}" 400 226"#);
        for (request, method, target, protocol) in [
            ("GET /x?cmd=ls -al&y", Some("GET"), Some("/x?cmd=ls"), None),
            ("GET /", Some("GET"), Some("/"), None),
            ("GET /a b HTTP/1.0", Some("GET"), Some("/a"), Some("HTTP/1.0")),
            ("-", None, None, None),
            ("", None, None, None),
            (r"\x16\x03\x01", Some(r"\x16\x03\x01"), None, None),
            (r#"GET /?q="a"b HTTP/1.1"#, Some("GET"), Some(r#"/?q="a"b"#), Some("HTTP/1.1")),
        ] {
            let found = ["method", "target", "protocol"].map(|field| get(&line(request), field));
            let wanted = [method, target, protocol].map(|text| text.map(str::to_owned));
            // A lone word is a method without a target.
            assert_eq!(found, wanted, "{request}");
        }
    }

    #[test]
    fn cut_lines() {
        let cut = |to: &str| {
            let end = COMBINED.find(to).unwrap() + to.len();
            AccessLine::parse(COMBINED.get(..end).unwrap()).map(|line| line.get(AccessField::Behind(3)))
        };
        assert_eq!(cut("Mo").unwrap(), Some("Mo"));
        assert_eq!(cut("200").unwrap(), None);
        assert_eq!(cut("/a,b").unwrap_err(), ParseIssue::RequestNotClosed);
        assert_eq!(cut("+0330]").unwrap_err(), ParseIssue::NoQuotedRequest);
        for text in ["", "x", "a b c", "a b c [d", "{\"a\":1}"] {
            assert_eq!(AccessLine::parse(text).unwrap_err(), ParseIssue::NoBracketedTime, "{text}");
        }
    }
}
