//! From files to a [`ForeignView`].

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::read::MultiGzDecoder;

use super::{
    AmountKind, BadRow, Columns, ColumnsText, ForeignError, ForeignRow, ForeignView, MAX_BAD_ROWS,
    cells::{parse_amount, parse_date},
    rows::{Table, table},
};
use crate::ingest::{LogError, natural_order};

/// How deep a directory of parts may nest (`date=2024-05-01/part-0.csv`).
const MOST_LEVELS: usize = 4;

impl ForeignView {
    /// Reads a file, or all part files of a directory. `page_field` is the page's name in the log.
    pub fn read(path: &Path, columns: &ColumnsText, page_field: &str) -> Result<ForeignView, ForeignError> {
        let files = list(path)?;
        let mut view = ForeignView {
            name: path.display().to_string(),
            files: files.iter().map(|(name, _)| Arc::from(name.as_str())).collect(),
            columns: Columns::default(),
            guessed: columns.is_empty(),
            amount: AmountKind::Views,
            rows: Vec::new(),
            repeated: Vec::new(),
            bad: Vec::new(),
            bad_total: 0,
        };
        let mut cells = Cells::new();
        let mut known: Option<(Vec<String>, usize)> = None;
        for (number, (name, path)) in (0_u32..).zip(&files) {
            let bytes = contents(path)?;
            let header = known.as_ref().map_or(&[][..], |(header, _)| header.as_slice());
            let mut table = table(name, &bytes, header)?;
            add_directories(name, &mut table);
            if table.width == 0 {
                continue;
            }
            // Parts of one view may each carry the header, or only the first; JSON parts name their columns themselves.
            let same = known.as_ref().is_some_and(|(header, width)| {
                *width == table.width && (table.header.is_empty() || *header == table.header)
            });
            if !same {
                (view.columns, view.amount) = columns.resolve(name, &table, page_field)?;
                known = Some((table.header.clone(), table.width));
            }
            view.take(number, name, table, &mut cells);
        }
        view.finish(cells);
        Ok(view)
    }

    fn take(&mut self, file: u32, name: &str, table: Table, cells: &mut Cells) {
        for row in table.rows {
            let line = row.line;
            let read = row.cells.and_then(|cells| self.row(&cells, file, line));
            match read {
                Ok(row) => {
                    let key = (row.page.clone(), row.day);
                    cells.entry(key).or_default().push(row);
                }
                Err(reason) => {
                    self.bad_total += 1;
                    if self.bad.len() < MAX_BAD_ROWS {
                        self.bad.push(BadRow { file: name.into(), line, reason });
                    }
                }
            }
        }
    }

    fn row(&self, cells: &[Option<String>], file: u32, line: u64) -> Result<ForeignRow, String> {
        let cell = |at: usize| cells.get(at).and_then(Option::as_deref);
        let page = match self.columns.page {
            Some(at) => cell(at).ok_or("no page")?.to_owned(),
            None => String::new(),
        };
        let day = match self.columns.date {
            Some(at) => {
                let text = cell(at).ok_or("no date")?;
                Some(parse_date(text).ok_or_else(|| format!("bad date {text:?}"))?)
            }
            None => None,
        };
        let text = cell(self.columns.amount).ok_or("no count")?;
        let amount = parse_amount(text, self.amount).ok_or_else(|| format!("bad count {text:?}"))?;
        let users = match self.columns.users.and_then(cell) {
            Some(text) => {
                let users = parse_amount(text, AmountKind::Views);
                let users = users.and_then(|users| u64::try_from(users).ok());
                Some(users.ok_or_else(|| format!("bad number of users {text:?}"))?)
            }
            None => None,
        };
        Ok(ForeignRow { page, day, amount, users, file, line })
    }

    fn finish(&mut self, cells: Cells) {
        for ((page, day), rows) in cells {
            if rows.len() > 1 {
                self.repeated.push((page, day, rows.len() as u64));
            }
            let sum = rows.into_iter().reduce(|sum, row| ForeignRow {
                amount: sum.amount.saturating_add(row.amount),
                users: sum.users.zip(row.users).map(|(sum, users)| sum.saturating_add(users)),
                ..sum
            });
            self.rows.extend(sum);
        }
    }
}

/// Rows by page (code point) and day.
type Cells = BTreeMap<(String, Option<crate::domain::Day>), Vec<ForeignRow>>;

/// The files of a view with their names relative to it, in natural order.
fn list(path: &Path) -> Result<Vec<(String, PathBuf)>, ForeignError> {
    let failed = |cause| LogError::io("open", path, cause);
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        return Ok(vec![(name.unwrap_or_else(|| path.display().to_string()), path.to_owned())]);
    }
    let mut files = Vec::new();
    walk(path, "", MOST_LEVELS, &mut files)?;
    if files.is_empty() {
        return Err(ForeignError::NoFiles(path.to_owned()));
    }
    files.sort_by(|(a, _), (b, _)| natural_order(a, b));
    Ok(files)
}

fn walk(
    path: &Path,
    prefix: &str,
    levels: usize,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), ForeignError> {
    let failed = |cause| LogError::io("list", path, cause);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_checksum = Path::new(&name).extension().is_some_and(|ending| ending == "crc");
        if name.starts_with(['.', '_']) || is_checksum {
            continue;
        }
        let relative = format!("{prefix}{name}");
        let metadata =
            fs::metadata(entry.path()).map_err(|cause| LogError::io("open", entry.path(), cause))?;
        if metadata.is_file() {
            files.push((relative, entry.path()));
        } else if metadata.is_dir() && levels > 0 {
            walk(&entry.path(), &format!("{relative}/"), levels - 1, files)?;
        }
    }
    Ok(())
}

fn contents(path: &Path) -> Result<Vec<u8>, LogError> {
    let bytes = fs::read(path).map_err(|cause| LogError::io("read", path, cause))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut text)
        .map_err(|cause| LogError::io("decompress", path, cause))?;
    Ok(text)
}

/// Directories of the form `name=value` are columns of the files below them.
fn add_directories(name: &str, table: &mut Table) {
    for (column, value) in name.split('/').rev().skip(1).filter_map(|part| part.split_once('=')) {
        if table.width == 0 || table.header.iter().any(|known| known == column) {
            continue;
        }
        if table.header.is_empty() {
            table.header = (1..=table.width).map(|number| number.to_string()).collect();
        }
        for row in &mut table.rows {
            if let Ok(cells) = &mut row.cells {
                cells.resize(table.width, None);
                cells.push(Some(value.to_owned()));
            }
        }
        table.header.push(column.to_owned());
        table.width += 1;
    }
}
