//! Logs of rows against the same events as JSON lines, and what bad tables come to.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    testing::{Seen, TestLog, drain, load_guessed},
    *,
};
use crate::domain::{NameTable as _, Names, Record};

const CSV: &str = r#"{"input_format":"csv","page":"p","user":"u","time":"t","time_format":"epoch-s"}"#;

/// What stands in a file.
#[derive(Debug, Clone)]
enum Piece {
    Row { time: i64, page: String, user: String, note: String },
    Ragged,
    Blank,
}

fn piece() -> impl Strategy<Value = Piece> {
    let text = || prop_oneof![3 => "[a-d]{1,2}", 1 => "[a-c\",\n\r\u{e9} ]{1,6}"];
    let row = (0_i64..300_000, text(), prop_oneof![text(), Just(String::new())], text());
    prop_oneof![
        10 => row.prop_map(|(time, page, user, note)| Piece::Row { time, page, user, note }),
        1 => Just(Piece::Ragged),
        1 => Just(Piece::Blank),
    ]
}

/// A file as CSV, its columns in one of several orders.
fn csv_text(pieces: &[Piece], order: usize, line_end: &str) -> String {
    let orders = [["t", "p", "u", "note"], ["note", "u", "p", "t"], ["u", "note", "t", "p"]];
    let order = orders[order % orders.len()];
    let terminator = if line_end == "\n" { csv::Terminator::Any(b'\n') } else { csv::Terminator::CRLF };
    let written = |row: [&str; 4]| {
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(row).unwrap();
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    };
    let mut text = written(order);
    for piece in pieces {
        match piece {
            Piece::Row { time, page, user, note } => {
                let time = time.to_string();
                text += &written(order.map(|column| match column {
                    "t" => time.as_str(),
                    "p" => page.as_str(),
                    "u" => user.as_str(),
                    _ => note.as_str(),
                }));
            }
            Piece::Ragged => text += &["1,2,3,4,5", line_end].concat(),
            Piece::Blank => text += &[" ", line_end].concat(),
        }
    }
    text
}

fn json_text(pieces: &[Piece]) -> String {
    let line = |piece: &Piece| match piece {
        Piece::Row { time, page, user, .. } => {
            format!("{}\n", serde_json::json!({"t": time, "p": page, "u": user}))
        }
        Piece::Ragged => "1\n".to_owned(),
        Piece::Blank => "\n".to_owned(),
    };
    pieces.iter().map(line).collect()
}

struct Tables {
    csv: TestLog,
    json: TestLog,
}

fn tables(partitions: &[Vec<Piece>], split: usize, line_end: &str) -> Tables {
    let mut logs = Tables { csv: TestLog::new(&[]), json: TestLog::new(&[]) };
    logs.csv.mapping = CSV.to_owned();
    for (number, pieces) in partitions.iter().enumerate() {
        let (first, second) = pieces.split_at(split.min(pieces.len()));
        for (segment, part) in [first, second].into_iter().enumerate() {
            let name = format!("p{number}/{segment}");
            logs.csv.write(&name, csv_text(part, number + segment, line_end).as_bytes());
            logs.json.write(&name, json_text(part).as_bytes());
        }
    }
    logs
}

fn all_of(log: &TestLog) -> Vec<Seen> {
    drain(&mut FileSource::open(&log.open(), &log.mapping()).unwrap(), 7)
}

/// Counts verdicts: what a batch thread does with records, in short.
#[derive(Default)]
struct Tally(Vec<u64>);

impl PartFold for Tally {
    fn record(&mut self, record: &Record, keys: &Names, _: &Names) {
        self.0.push(record.event.map_or(0, |event| 1 + keys.text(event.key.0).len() as u64));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// From any position, by any way to get there.
    #[test]
    fn rows_are_the_events_of_the_same_json_lines(
        partitions in proptest::collection::vec(proptest::collection::vec(piece(), 0..14), 1..4),
        split in 0_usize..14, chunk in 1_usize..9, at in 0_usize..40, crlf in any::<bool>(),
    ) {
        let logs = tables(&partitions, split, if crlf { "\r\n" } else { "\n" });
        let (dir, mapping) = (logs.csv.open(), logs.csv.mapping());
        let all = all_of(&logs.csv);
        prop_assert_eq!(&all, &all_of(&logs.json));

        let mut source = FileSource::open(&dir, &mapping).unwrap();
        drain(&mut source, chunk);
        let identity = source.identity();
        prop_assert_eq!(identity.verify(&dir).unwrap(), LogMatch::Same);
        let index = load(&dir, &mapping).unwrap();
        prop_assert_eq!(&drain(&mut IndexSource::new(Arc::clone(&index)), chunk), &all);
        prop_assert_eq!((index.identity(), index.issues()), (Some(&identity), source.issues()));

        let at = at.min(all.len());
        let prefix = index.offsets_at(at as u64);
        let mut walked = FileSource::open(&dir, &mapping).unwrap();
        walked.read(at, &mut Vec::new()).unwrap();
        let (places, part) = (walked.partition_positions(), walked.identity());
        let mut jumped = FileSource::open(&dir, &mapping).unwrap();
        jumped.seek_to(&places, &part).unwrap();
        prop_assert_eq!((jumped.position(), jumped.identity()), (&prefix, part.clone()));
        source.seek(&prefix).unwrap();
        prop_assert_eq!(source.identity(), part.clone());
        for source in [&mut walked, &mut jumped, &mut source] {
            prop_assert_eq!(drain(source, chunk), &all[at..]);
            prop_assert_eq!(source.identity(), identity.clone());
        }
        let recorded = load_recorded(&dir, &mapping, Some(&part)).unwrap();
        prop_assert_eq!(drain(&mut IndexSource::new(recorded), chunk), &all[..at]);

        let folded = |threads| {
            let outcome = fold_log(&dir, &mapping, None, threads, Tally::default).unwrap();
            let mut tally: Vec<u64> = outcome.parts.into_iter().flat_map(|part| part.fold.0).collect();
            tally.sort_unstable();
            (tally, outcome.identity, outcome.position, outcome.issues)
        };
        let one = folded(1);
        prop_assert_eq!(&one.1, &identity);
        prop_assert_eq!((&folded(2), &folded(5)), (&one, &one));
    }

    /// The browser and `reconcile` show the row itself, at the line where it begins.
    #[test]
    fn rows_are_found_again(
        partitions in proptest::collection::vec(proptest::collection::vec(piece(), 0..14), 1..4), first in 0_u64..30,
    ) {
        let logs = tables(&partitions, 3, "\n");
        let index = load(&logs.csv.open(), &logs.csv.mapping()).unwrap();
        let lines = index.read_lines(first, 8).unwrap();
        prop_assert_eq!(lines.len() as u64, index.len().saturating_sub(first).min(8));
        let raw = RawLog::read(&logs.csv.open(), &logs.csv.mapping()).unwrap();
        for line in &lines {
            let file = std::fs::read_to_string(logs.csv.path().join(&*line.segment)).unwrap();
            let before = file.match_indices('\n').nth(usize::try_from(line.line).unwrap() - 2).unwrap().0 + 1;
            let row = [line.text.as_str(), "\n"].concat();
            prop_assert!(file[before..].starts_with(&row), "{:?}", line);
            let number = raw.records().iter().position(|record| {
                (u64::from(record.line), &raw.segments()[record.segment as usize].path) == (line.line, &line.segment)
            });
            let again = raw.lines(&[u32::try_from(number.unwrap()).unwrap()]).unwrap();
            prop_assert_eq!((again[0].line, &again[0].text), (line.line, &line.text));
        }
        let of_page = raw.lines(&(0..u32::try_from(raw.records().len()).unwrap()).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(of_page.len() as u64, index.len());
    }
}

/// Records with a page, and the issues as `file:line: reason`, of one file.
fn read(format: &str, text: &[u8]) -> (Vec<String>, Vec<String>) {
    let mut log = TestLog::new(&[]);
    log.write("f", text);
    log.mapping = CSV.replace("csv", format);
    let mut source = FileSource::open(&log.open(), &log.mapping()).unwrap();
    let seen = drain(&mut source, 3);
    let pages = seen.into_iter().filter(|seen| seen.2 >= 0).map(|seen| seen.3).collect();
    let issues = source.issues().iter().map(|issue| format!("{}: {}", issue.line, issue.reason)).collect();
    (pages, issues)
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn bad_tables() {
    let open = "quote still open at the end of the file";
    for (format, text, pages, issues) in [
        ("csv", "", &[][..], &[][..]),
        ("csv", "t,p,u\n", &[], &[]),
        ("csv", "t,p,u", &[], &[]),
        ("csv", "\u{feff}t,p,u\r\n1,/a,u\r\n\r\n2,/b,", &["/a", "/b"], &[]),
        ("csv", "t,p,u\n1,/a,u\n2,\"/b,u\n3,/c,u\n", &["/a"], &[(3, open)]),
        ("csv", "t,p,u\n1,\"/a\n2,\"/b\",u\n3,/c,u\n", &["/b", "/c"], &[(2, "text behind a closing quote")]),
        (
            "csv",
            "t,p,u\n1,/a\n1\n1,/a,u,x\n1,/b,u,\n",
            &["/b"],
            &[
                (2, "row of 2 fields under a header of 3"),
                (3, "row of 1 fields under a header of 3"),
                (4, "row of 4 fields under a header of 3"),
            ],
        ),
        ("csv", "t,p,u\n1,/a\0b,u\0\n", &["/a\0b"], &[]),
        (
            "csv",
            "t,p\n1,/a\n\n2,/b\n",
            &[],
            &[(2, "no column \"u\" in the header"), (4, "no column \"u\" in the header")],
        ),
        ("csv", "\"t,p,u\n1,/a,u\n", &[], &[(1, open)]),
        (
            "csv",
            "\"t\"x,p,u\n1,/a,u\n",
            &[],
            &[(1, "text behind a closing quote"), (2, "header that cannot be read")],
        ),
        ("csv", "t,p,u\r1,/a,u\r2,/b,u\r", &[], &[]),
        ("csv", "t,p,u\n1,/a\r/b,u\n", &["/a\r/b"], &[]),
        (
            "csv",
            "t,p,u\n1,,u\n,/a,u\nx,/a,u\n",
            &[],
            &[(2, "no page"), (3, "no time"), (4, "bad time \"x\"")],
        ),
        ("tsv", "t\tp\tu\tx\n1\t\"/a\tu\t\n2\t/b,c\tu\n\t\t\n3\t/c\tu\t\t\t\n", &["\"/a", "/b,c", "/c"], &[]),
    ] {
        let issues: Vec<String> = issues.iter().map(|(line, reason)| format!("{line}: {reason}")).collect();
        assert_eq!(read(format, text.as_bytes()), (texts(pages), issues), "{text:?}");
    }
    let (pages, issues) = read("csv", b"t,p,u\n1,/\xff,u\n2,/b,u\n");
    assert_eq!((pages, issues), (texts(&["/b"]), texts(&["2: invalid UTF-8"])));
}

#[test]
fn a_quote_that_stays_open_costs_one_line_and_never_more_than_so_many_bytes() {
    let rows = "1,/b,u\n".repeat(1_500);
    let (pages, issues) = read("csv", ["t,p,u\n1,\"/a,u\n", &rows].concat().as_bytes());
    assert_eq!((pages.len(), issues), (1_500, texts(&["2: quote still open after 1,000 lines or 16 MiB"])));
    let long = "x".repeat(MAX_LINE_BYTES);
    let huge = ["t,p,u\n1,\"/a\n", &long, "\n", &long, "\n3,/c,u\n\"", &long, "\n4,/d,u\n"].concat();
    let (pages, issues) = read("csv", huge.as_bytes());
    assert_eq!(pages, ["/c", "/d"]);
    let words: Vec<&str> = issues.iter().map(String::as_str).collect();
    assert_eq!(
        words,
        [
            "2: quote still open after 1,000 lines or 16 MiB",
            "3: row of 1 fields under a header of 3",
            "4: row of 1 fields under a header of 3",
            "6: line longer than 16 MiB",
        ]
    );
}

#[test]
fn a_table_may_grow_and_one_that_ends_inside_quotes_may_not() {
    let grown = |text: &str, more: &str| {
        let mut log = TestLog::new(&[("f", text)]);
        log.mapping = CSV.to_owned();
        let mut source = FileSource::open(&log.open(), &log.mapping()).unwrap();
        drain(&mut source, 9);
        let (identity, places) = (source.identity(), source.partition_positions());
        log.append("f", more.as_bytes());
        let same = identity.verify(&log.open()).map_err(|error| error.to_string())?;
        let mut resumed = FileSource::open(&log.open(), &log.mapping()).unwrap();
        resumed.seek_to(&places, &identity).unwrap();
        let rest: Vec<Seen> = drain(&mut resumed, 9);
        let fresh = all_of(&log);
        assert_eq!(fresh[fresh.len() - rest.len()..], rest);
        Ok::<_, String>((same, rest.len()))
    };
    assert_eq!(grown("t,p,u\n1,/a,u\n", "2,\"/\nb\",u\n"), Ok((LogMatch::Grown, 1)));
    assert_eq!(grown("", "t,p,u\n2,/b,u\n"), Ok((LogMatch::Grown, 1)));
    assert_eq!(
        grown("\n\n", "u,t,p\nu,2,/b\n"),
        Ok((LogMatch::Grown, 1)),
        "the header comes behind what was read"
    );
    assert_eq!(grown("t,p,u\n", "2,/b,u\n"), Ok((LogMatch::Grown, 1)));
    for unfinished in ["t,p", "t,p,u\n1,\"/a\n", "t,p,u\n1,/a"] {
        assert!(grown(unfinished, "\",u\n").unwrap_err().contains("unfinished line"), "{unfinished:?}");
    }
}

#[test]
fn conditions_values_and_partitions_go_by_column() {
    let mut log = TestLog::new(&[
        (
            "1",
            "shop,t,p,u,v,o,s\na,1,/x,u,2.5,1,200\nb,2,/y,,1,,200\n,3,/z,w,1,7,200\na,4,/x,u,1,1,200\na,5,/q,u,1,9,404\n",
        ),
        ("2", "s,o,v,u,p,t,shop\n200,-,1,u,/x,6,a\n200,,,u,/x,7,b\n"),
        ("3", "o,v,u,p,t,shop\n1,1,u,/x,6,a\n"),
    ]);
    log.mapping = CSV.replace('}', r#","value":"v","offset":"o","partition":"shop","filters":["s=200"]}"#);
    let index = load(&log.open(), &log.mapping()).unwrap();
    assert_eq!(index.partitions(), [".", "a", "b"]);
    let counts = index.counts();
    assert_eq!(index.len(), 7);
    assert_eq!((counts.counted, counts.missing_user, counts.redelivered), (2, 1, 1));
    let mut issues: Vec<String> =
        index.issues().iter().map(|issue| format!("{}:{}", issue.file, issue.reason)).collect();
    issues.sort();
    assert_eq!(issues, ["2:bad offset \"-\"", "2:no value", "3:no column \"s\" in the header"]);
}

#[test]
fn a_small_real_table_is_seen_for_what_it_is() {
    let log = TestLog::new(&[
        (
            "a/1.csv",
            "user_id,event,timestamp\nu1,home,2024-03-13 10:21:14\nu2,\"a, b\",2024-03-13 23:59:59\n",
        ),
        ("b/1.csv", "timestamp,event,user_id\n2024-03-14 00:00:00,home,u1\n"),
    ]);
    let index = load_guessed(log.path());
    assert_eq!((index.len(), index.issues().len()), (3, 0));
    assert_eq!(index.totals(3).views, 3);
}
