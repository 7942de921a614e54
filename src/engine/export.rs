//! Views as CSV and JSON text: the same bytes from the window and headless.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::{CanonicalRow, Value};

/// How a view is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ViewFormat {
    /// Header `page,date,total_views,unique_users`, plus `sum` where a value is mapped; LF.
    #[default]
    Csv,
    /// The textbook's `page_view_summary.json`: a list of objects.
    Json,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    page_id: &'a str,
    date: String,
    total_views: u64,
    unique_users: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Box<RawValue>>,
}

/// The text of a view. `has_sum`: whether a value is mapped.
pub fn view_text(rows: &[CanonicalRow], has_sum: bool, format: ViewFormat) -> String {
    match format {
        ViewFormat::Csv => csv(rows, has_sum),
        ViewFormat::Json => json(rows, has_sum),
    }
}

fn csv(rows: &[CanonicalRow], has_sum: bool) -> String {
    let mut text = String::from("page,date,total_views,unique_users");
    text.push_str(if has_sum { ",sum\n" } else { "\n" });
    for row in rows {
        // Writing to a string cannot fail.
        let _infallible =
            write!(text, "{},{},{},{}", quoted(&row.page), row.day, row.views, row.unique_users);
        if has_sum {
            text.push(',');
            text.push_str(&Value::display_sum(row.sum));
        }
        text.push('\n');
    }
    text
}

/// RFC 4180: quoted where it holds a comma, a quote or a line end.
fn quoted(field: &str) -> std::borrow::Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\"")).into()
    } else {
        field.into()
    }
}

fn json(rows: &[CanonicalRow], has_sum: bool) -> String {
    let rows: Vec<JsonRow<'_>> = rows
        .iter()
        .map(|row| JsonRow {
            page_id: &row.page,
            date: row.day.to_string(),
            total_views: row.views,
            unique_users: row.unique_users,
            // As literal digits: a sum of 128 bits is no JSON number of 64.
            sum: has_sum.then(|| RawValue::from_string(Value::display_sum(row.sum)).ok()).flatten(),
        })
        .collect();
    serde_json::to_string_pretty(&rows).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Day;

    #[test]
    fn rows_are_written_by_the_contract() {
        let row = |page: &str| CanonicalRow {
            page: page.to_owned(),
            day: Day(0),
            views: 2,
            unique_users: 1,
            sum: 13_500_000,
        };
        let rows = [row("a,\"b\""), row("c")];
        let expected = "page,date,total_views,unique_users,sum\n\"a,\"\"b\"\"\",1970-01-01,2,1,13.5\nc,1970-01-01,2,1,13.5\n";
        assert_eq!(view_text(&rows, true, ViewFormat::Csv), expected);
        let json = view_text(&rows[1..], true, ViewFormat::Json);
        assert_eq!(
            json,
            "[\n  {\n    \"page_id\": \"c\",\n    \"date\": \"1970-01-01\",\n    \"total_views\": 2,\n    \"unique_users\": 1,\n    \"sum\": 13.5\n  }\n]\n"
        );
        assert_eq!(view_text(&[], false, ViewFormat::Json), "[]\n");
    }
}
