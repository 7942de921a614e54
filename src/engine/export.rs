//! Views as text: CSV (RFC 4180, LF) and the textbook's JSON list. The same bytes from the window and headless.

use std::fmt::Write as _;

use crate::{
    checkpoint::{SinkRow, SinkSums},
    domain::{CanonicalRow, Day, Value},
    ingest::Mapping,
};

/// Whether sums are shown: where a value is mapped.
pub fn sums(mapping: &Mapping) -> SinkSums {
    if mapping.value.is_some() { SinkSums::Shown } else { SinkSums::Hidden }
}

/// How a view is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Header `page,date,total_views,unique_users`, plus `sum` where a value is mapped.
    #[default]
    Csv,
    /// The textbook's `page_view_summary.json`: a list of objects.
    Json,
}

/// One row of a view, ready to be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableRow<'a> {
    /// The page.
    pub page: &'a str,
    /// The day.
    pub day: Day,
    /// Number of events.
    pub views: u64,
    /// Number of distinct users.
    pub unique_users: u64,
    /// In millionths.
    pub sum: i128,
}

impl<'a> From<&'a CanonicalRow> for TableRow<'a> {
    fn from(row: &'a CanonicalRow) -> Self {
        let CanonicalRow { page, day, views, unique_users, sum } = row;
        TableRow { page, day: *day, views: *views, unique_users: *unique_users, sum: *sum }
    }
}

impl<'a> From<&SinkRow<'a>> for TableRow<'a> {
    fn from(row: &SinkRow<'a>) -> Self {
        let SinkRow { page, day, views, sum, unique_users, users_hash: _ } = *row;
        TableRow { page, day, views, unique_users, sum }
    }
}

/// The rows in the order given, as a whole file.
pub fn render(rows: &[TableRow<'_>], format: Format, sums: SinkSums) -> String {
    match format {
        Format::Csv => csv(rows, sums),
        Format::Json => json(rows, sums),
    }
}

fn csv(rows: &[TableRow<'_>], sums: SinkSums) -> String {
    let mut text = String::from("page,date,total_views,unique_users");
    text.push_str(if sums == SinkSums::Shown { ",sum\n" } else { "\n" });
    for row in rows {
        // Writing into a string cannot fail.
        let _ = write!(text, "{},{},{},{}", csv_field(row.page), row.day, row.views, row.unique_users);
        if sums == SinkSums::Shown {
            text.push(',');
            text.push_str(&Value::display_sum(row.sum));
        }
        text.push('\n');
    }
    text
}

/// Quoted where it has to be.
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

fn json(rows: &[TableRow<'_>], sums: SinkSums) -> String {
    let object = |row: &TableRow<'_>| {
        // Text always has a JSON form.
        let page = serde_json::to_string(row.page).unwrap_or_default();
        let (day, views, users) = (row.day, row.views, row.unique_users);
        let sum = match sums {
            SinkSums::Shown => format!(",\"sum\":{}", Value::display_sum(row.sum)),
            SinkSums::Hidden => String::new(),
        };
        format!(
            "{{\"page_id\":{page},\"date\":\"{day}\",\"total_views\":{views},\"unique_users\":{users}{sum}}}"
        )
    };
    let objects: Vec<String> = rows.iter().map(object).collect();
    if objects.is_empty() {
        return "[]\n".to_owned();
    }
    format!("[\n{}\n]\n", objects.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(page: &str, sum: i128) -> TableRow<'_> {
        TableRow { page, day: Day(19_844), views: 2, unique_users: 1, sum }
    }

    #[test]
    fn csv_quotes_what_it_must() {
        let rows = [row("/a b", 2_000_000), row("x,\"y\"\n", -1_500_000)];
        assert_eq!(
            render(&rows, Format::Csv, SinkSums::Shown),
            "page,date,total_views,unique_users,sum\n/a b,2024-05-01,2,1,2\n\"x,\"\"y\"\"\n\",2024-05-01,2,1,-1.5\n"
        );
        let plain = [row("p", 2_000_000)];
        assert_eq!(
            render(&plain, Format::Csv, SinkSums::Hidden),
            "page,date,total_views,unique_users\np,2024-05-01,2,1\n"
        );
    }

    #[test]
    fn json_is_a_list_of_objects() {
        let rows = [row("a\"\u{1}", 2_250_000), row("b", 0)];
        let text = render(&rows, Format::Json, SinkSums::Shown);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read[0]["page_id"], "a\"\u{1}");
        assert_eq!(read[0]["sum"], 2.25);
        assert!(text.contains("\"sum\":2.25}") && text.contains("\"sum\":0}"), "{text}");
        assert_eq!(render(&[], Format::Json, SinkSums::Hidden), "[]\n");
    }
}
