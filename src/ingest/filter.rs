//! `--where` and `--page-clean`: which lines are records at all, and what is done to a page.

use std::borrow::Cow;

use regex::Regex;

use super::{
    LogError, ParseIssue,
    format::{FieldText, Fields},
};

/// One `--where`, ready to be applied.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Path of the field.
    pub field: String,
    test: Test,
    /// What it takes to be a record: that the test holds, or that it does not.
    wanted: bool,
}

#[derive(Debug, Clone)]
enum Test {
    Equal(String),
    Match(Regex),
}

impl Filter {
    /// Reads `FIELD=VALUE`, `FIELD!=VALUE`, `FIELD~REGEX` or `FIELD!~REGEX`.
    pub fn parse(text: &str) -> Result<Filter, LogError> {
        let shape =
            || LogError::option("where", "not of the form FIELD=VALUE, FIELD!=VALUE or FIELD~REGEX", text);
        let at = text.find(['=', '~']).ok_or_else(shape)?;
        let (field, rest) = text.split_at(at);
        let (field, wanted) = field.strip_suffix('!').map_or((field, true), |field| (field, false));
        let (operator, value) = rest.split_at(1);
        if field.is_empty() {
            return Err(shape());
        }
        let condition = if operator == "=" {
            Test::Equal(value.to_owned())
        } else {
            Test::Match(Regex::new(value).map_err(|error| LogError::option("where", cause(&error), text))?)
        };
        Ok(Filter { field: field.to_owned(), test: condition, wanted })
    }

    /// Whether a line is a record. An absent or null field equals nothing and matches nothing.
    pub fn admits(&self, fields: &Fields<'_>, slot: usize) -> Result<bool, ParseIssue> {
        let text = match fields.get(slot)? {
            FieldText::Absent => return Ok(!self.wanted),
            FieldText::Text(text) => text,
            FieldText::Composite(raw) => Cow::Borrowed(raw),
        };
        let holds = match &self.test {
            Test::Equal(value) => text == value.as_str(),
            Test::Match(regex) => regex.is_match(&text),
        };
        Ok(holds == self.wanted)
    }
}

/// What is done to a page before it becomes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageClean {
    StripQuery,
    LowerCase,
}

impl PageClean {
    /// Reads a name of `--page-clean`.
    pub fn parse(text: &str) -> Result<PageClean, LogError> {
        match text {
            "strip-query" => Ok(PageClean::StripQuery),
            "lower-case" => Ok(PageClean::LowerCase),
            _ => Err(LogError::option("page-clean", "neither strip-query nor lower-case", text)),
        }
    }

    /// The page without what is to go.
    pub fn apply(self, page: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            PageClean::StripQuery => match page.find('?') {
                Some(at) => Cow::Owned(page.get(..at).unwrap_or_default().to_owned()),
                None => page,
            },
            PageClean::LowerCase => Cow::Owned(page.to_lowercase()),
        }
    }
}

/// What is wrong with a pattern, without the drawing of where that the whole message starts with.
fn cause(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
