//! Rows of a table: where one ends, and what its fields are.
//!
//! Quoting is that of RFC 4180 and no more: a quote opens a field at its start only, `""` is a quote, and behind the
//! closing one comes a comma or the row's end. Being strict here is what keeps one stray quote from swallowing a file: a
//! row that breaks the rule, or is still open after [`MAX_ROW_LINES`] lines, is its first line alone, malformed, and reading
//! goes on behind that. All of that is decided by bytes in front of the decision, so a file that grows is split the same way;
//! only a row that is open where the file ends is taken whole, and such a file may not grow.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Most lines of one row.
pub(crate) const MAX_ROW_LINES: u64 = 1_000;

/// What is wrong with the quotes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowFault {
    /// Something else than a comma or the row's end behind a closing quote. The row is its first line.
    TextBehindQuote,
    /// A quote is open for too many lines or bytes. The row is its first line.
    NotClosed,
    /// A quote is open where the file ends. The row is the rest of the file.
    Unfinished,
}

/// A row as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Bytes, line end included.
    pub length: usize,
    /// Lines.
    pub lines: u64,
    pub fault: Option<RowFault>,
}

/// Looks for the end of a row in bytes that come in pieces.
pub(crate) struct RowScan {
    /// Bytes looked at.
    at: usize,
    state: State,
    /// Line ends inside quotes.
    line_ends: u64,
    /// Length of the first line, where the row spans several.
    first_line: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote inside quotes: it closes, or the next one doubles it.
    Quote,
    /// Behind a closing quote and a CR.
    QuoteCr,
    /// Behind what must not be there.
    Broken,
}

impl RowScan {
    /// At the start of a row, whose first `skip` bytes (a byte order mark) are no part of its fields.
    pub fn new(skip: usize) -> RowScan {
        RowScan { at: skip, state: State::FieldStart, line_ends: 0, first_line: None }
    }

    /// Goes on in `bytes`, which begin where the row begins; `None` where its end is not among them.
    pub fn go_on(&mut self, bytes: &[u8]) -> Option<Row> {
        while let Some(&first) = bytes.get(self.at) {
            match self.state {
                State::FieldStart if first == b'"' => self.step(State::Quoted),
                State::FieldStart => self.state = State::Plain,
                State::Plain => match memchr2(b',', b'\n', rest_from(bytes, self.at)) {
                    Some(found) => {
                        self.at += found + 1;
                        if bytes.get(self.at - 1) == Some(&b'\n') {
                            return Some(self.row(None));
                        }
                        self.state = State::FieldStart;
                    }
                    None => self.at = bytes.len(),
                },
                State::Quoted => match memchr2(b'"', b'\n', rest_from(bytes, self.at)) {
                    Some(found) => {
                        self.at += found + 1;
                        if bytes.get(self.at - 1) == Some(&b'"') {
                            self.state = State::Quote;
                        } else {
                            self.line_ends += 1;
                            self.first_line.get_or_insert(self.at);
                            if self.line_ends >= MAX_ROW_LINES {
                                return self.first_line_only(RowFault::NotClosed);
                            }
                        }
                    }
                    None => self.at = bytes.len(),
                },
                State::Quote | State::QuoteCr if first == b'\n' => {
                    self.at += 1;
                    return Some(self.row(None));
                }
                State::Quote if first == b'"' => self.step(State::Quoted),
                State::Quote if first == b',' => self.step(State::FieldStart),
                State::Quote if first == b'\r' => self.step(State::QuoteCr),
                State::Quote | State::QuoteCr => self.state = State::Broken,
                State::Broken => {
                    if self.first_line.is_some() {
                        return self.first_line_only(RowFault::TextBehindQuote);
                    }
                    // Still on the first line.
                    match memchr(b'\n', rest_from(bytes, self.at)) {
                        Some(found) => {
                            self.at += found + 1;
                            return Some(self.row(Some(RowFault::TextBehindQuote)));
                        }
                        None => self.at = bytes.len(),
                    }
                }
            }
        }
        None
    }

    /// The row's first line alone, where it spans several: for one that is too long.
    pub fn first_line_only(&self, fault: RowFault) -> Option<Row> {
        self.first_line.map(|length| Row { length, lines: 1, fault: Some(fault) })
    }

    /// The file ends behind `bytes`.
    pub fn finish(&mut self, bytes: &[u8]) -> Row {
        self.at = bytes.len();
        match self.state {
            State::FieldStart | State::Plain | State::Quote | State::QuoteCr => self.row(None),
            State::Quoted => {
                let more = u64::from(bytes.last() != Some(&b'\n'));
                let lines = self.line_ends + more;
                Row { length: self.at, lines, fault: Some(RowFault::Unfinished) }
            }
            State::Broken => self.row(Some(RowFault::TextBehindQuote)),
        }
    }

    fn step(&mut self, state: State) {
        self.at += 1;
        self.state = state;
    }

    fn row(&self, fault: Option<RowFault>) -> Row {
        Row { length: self.at, lines: self.line_ends + 1, fault }
    }
}

fn rest_from(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

/// How the fields of a row are set apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Commas and quotes.
    Csv,
    /// Tabs, no quotes.
    Tsv,
}

/// The fields of a row, one after the other, of which only those are unquoted that are asked for.
#[derive(Debug, Clone)]
pub(crate) struct RowFields<'a> {
    dialect: Dialect,
    rest: Option<&'a str>,
}

/// A field as it stands, without the quotes around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowField<'a> {
    inner: &'a str,
    doubled: bool,
}

impl<'a> RowFields<'a> {
    /// Of a row without its line end, whose quotes are in order.
    pub fn new(row: &'a str, dialect: Dialect) -> RowFields<'a> {
        RowFields { dialect, rest: Some(row) }
    }
}

impl<'a> RowField<'a> {
    /// Its text.
    pub fn text(self) -> Cow<'a, str> {
        if self.doubled { Cow::Owned(self.inner.replace("\"\"", "\"")) } else { Cow::Borrowed(self.inner) }
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.inner.is_empty()
    }
}

impl<'a> Iterator for RowFields<'a> {
    type Item = RowField<'a>;

    fn next(&mut self) -> Option<RowField<'a>> {
        let rest = self.rest?;
        if self.dialect == Dialect::Csv
            && let Some(quoted) = rest.strip_prefix('"')
        {
            let (end, doubled) = closing_quote(quoted);
            self.rest = quoted.get(end + 1..).and_then(|behind| behind.strip_prefix(','));
            return Some(RowField { inner: quoted.get(..end).unwrap_or_default(), doubled });
        }
        let delimiter = match self.dialect {
            Dialect::Csv => b',',
            Dialect::Tsv => b'\t',
        };
        let end = memchr(delimiter, rest.as_bytes());
        self.rest = end.and_then(|end| rest.get(end + 1..));
        Some(RowField { inner: rest.get(..end.unwrap_or(rest.len())).unwrap_or_default(), doubled: false })
    }
}

/// Where the quote that closes is, and whether doubled ones stand before it. The end where there is none.
fn closing_quote(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    let (mut from, mut doubled) = (0, false);
    while let Some(found) = memchr(b'"', rest_from(bytes, from)) {
        if bytes.get(from + found + 1) != Some(&b'"') {
            return (from + found, doubled);
        }
        doubled = true;
        from += found + 2;
    }
    (text.len(), doubled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All rows of a text, as a reader with pieces of `chunk` bytes finds them.
    fn rows(text: &[u8], chunk: usize) -> Vec<(Row, String)> {
        let (mut found, mut start) = (Vec::new(), 0);
        while start < text.len() {
            let mut scan = RowScan::new(0);
            let mut end = start;
            let row = loop {
                if let Some(row) = scan.go_on(&text[start..end]) {
                    break row;
                }
                if end == text.len() {
                    break scan.finish(&text[start..end]);
                }
                end = (end + chunk).min(text.len());
            };
            let raw = String::from_utf8_lossy(&text[start..start + row.length]).into_owned();
            start += row.length;
            found.push((row, raw));
        }
        found
    }

    fn shape(text: &str) -> Vec<(String, u64, Option<RowFault>)> {
        let whole = rows(text.as_bytes(), text.len().max(1));
        for chunk in 1..5 {
            assert_eq!(rows(text.as_bytes(), chunk), whole, "{chunk}");
        }
        whole.into_iter().map(|(row, raw)| (raw, row.lines, row.fault)).collect()
    }

    fn row(raw: &str, lines: u64, fault: Option<RowFault>) -> (String, u64, Option<RowFault>) {
        (raw.to_owned(), lines, fault)
    }

    #[test]
    fn quotes_may_span_lines_and_stray_ones_cost_one_line() {
        let good = |raw, lines| row(raw, lines, None);
        assert_eq!(shape("a,\"b\nc\",d\ne"), [good("a,\"b\nc\",d\n", 2), good("e", 1)]);
        assert_eq!(shape("\"a\"\"\r\n\"\r\nb\"c\n"), [good("\"a\"\"\r\n\"\r\n", 2), good("b\"c\n", 1)]);
        let stray = Some(RowFault::TextBehindQuote);
        assert_eq!(
            shape("a,\"b\nc,\"d\"\ne\n"),
            [row("a,\"b\n", 1, stray), good("c,\"d\"\n", 1), good("e\n", 1)]
        );
        assert_eq!(shape("\"a\"b,c\nd"), [row("\"a\"b,c\n", 1, stray), good("d", 1)]);
        assert_eq!(shape("\"a\"\r,c\nd"), [row("\"a\"\r,c\n", 1, stray), good("d", 1)]);
        assert_eq!(shape("x\n\"a\"b"), [good("x\n", 1), row("\"a\"b", 1, stray)]);
        assert_eq!(shape("x\n\"a\nb\n"), [good("x\n", 1), row("\"a\nb\n", 2, Some(RowFault::Unfinished))]);
        assert_eq!(shape("\""), [row("\"", 1, Some(RowFault::Unfinished))]);
        assert_eq!(shape("a\rb\n\rc"), [good("a\rb\n", 1), good("\rc", 1)]);
    }

    #[test]
    fn an_open_quote_is_given_up_after_so_many_lines() {
        let lines = usize::try_from(MAX_ROW_LINES).unwrap();
        let open = format!("\"a,1\n{}", "b,2\n".repeat(lines - 1));
        let found = rows(open.as_bytes(), 100);
        assert_eq!((found.len(), found[0].1.as_str()), (lines, "\"a,1\n"));
        assert_eq!(found[0].0.fault, Some(RowFault::NotClosed));
        assert!(found[1..].iter().all(|(row, raw)| row.fault.is_none() && raw == "b,2\n"));
        let longest = format!("\"a,1\n{}\"\n", "b,2\n".repeat(lines - 2));
        let found = rows(longest.as_bytes(), 100);
        assert_eq!((found.len(), found[0].0.lines), (1, MAX_ROW_LINES));
    }

    #[test]
    fn fields_without_quotes() {
        let fields =
            |row, dialect| RowFields::new(row, dialect).map(|f| f.text().into_owned()).collect::<Vec<_>>();
        assert_eq!(fields("a,,\"b,\"\"c\"\"\",\"\",d\"e", Dialect::Csv), ["a", "", "b,\"c\"", "", "d\"e"]);
        assert_eq!(fields("a\t\"b\t\t", Dialect::Tsv), ["a", "\"b", "", ""]);
        assert_eq!(fields("", Dialect::Csv), [""]);
        assert_eq!(fields("\"\",", Dialect::Csv), ["", ""]);
    }

    fn cell() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[a-z]{0,3}", 1 => "[a\",\n\r\u{e9} ]{0,6}"]
    }

    proptest! {
        /// What the csv crate writes is found and read as it was written, with any pieces; it reads it the same way.
        #[test]
        fn written_rows_are_read_back(
            table in proptest::collection::vec(proptest::collection::vec(cell(), 2..5), 1..12), chunk in 1_usize..40,
            always in any::<bool>(),
        ) {
            let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
            let mut writer = csv::WriterBuilder::new().flexible(true).quote_style(style).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let found = rows(&text, chunk);
            prop_assert!(found.iter().all(|(row, _)| row.fault.is_none()));
            prop_assert_eq!(found.iter().map(|(row, _)| row.lines).sum::<u64>(), u64::try_from(memchr::memchr_iter(b'\n', &text).count()).unwrap());
            let read: Vec<Vec<String>> = found
                .iter()
                .map(|(_, raw)| RowFields::new(raw.strip_suffix('\n').unwrap(), Dialect::Csv).map(|f| f.text().into_owned()).collect())
                .collect();
            prop_assert_eq!(&read, &table);
            let mut reader = csv::ReaderBuilder::new()
                .flexible(true)
                .has_headers(false)
                .terminator(csv::Terminator::Any(b'\n'))
                .from_reader(&text[..]);
            let theirs: Vec<Vec<String>> =
                reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
            prop_assert_eq!(read, theirs);
        }

        /// Whatever the bytes: no piece size matters, and every byte belongs to exactly one row.
        #[test]
        fn any_bytes_are_split_alike(text in "[ab\",\n\r]{0,60}", chunk in 1_usize..9) {
            let found = rows(text.as_bytes(), chunk);
            prop_assert_eq!(found.iter().map(|(_, raw)| raw.as_str()).collect::<String>(), text.clone());
            prop_assert_eq!(found, rows(text.as_bytes(), 1_000));
        }

        /// What is found before the last row does not depend on what follows the file's end.
        #[test]
        fn a_file_that_grows_is_split_as_it_was(text in "([ab\",\n\r]{0,40}\n)?", more in "[ab\",\n\r]{0,40}") {
            let before = rows(text.as_bytes(), 7);
            prop_assume!(before.iter().all(|(row, _)| row.fault != Some(RowFault::Unfinished)));
            let after = rows([text, more].concat().as_bytes(), 7);
            prop_assert_eq!(&after[..before.len()], &before[..]);
        }
    }
}
