//! Which column of theirs is what: as given, or guessed from names and contents.

use super::{
    AmountKind, ForeignError,
    cells::{parse_amount, parse_date},
    rows::Table,
};

/// `--columns` as given: what is `None` is guessed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct ColumnsText {
    page: Option<String>,
    date: Option<String>,
    views: Option<String>,
    users: Option<String>,
    sum: Option<String>,
}

/// Columns by number, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// The page.
    pub page: Option<usize>,
    /// The day.
    pub date: Option<usize>,
    /// Page views or the sum.
    pub amount: usize,
    /// Distinct users.
    pub users: Option<usize>,
    /// `page=page_id date=date views=total_views users=unique_users`.
    pub description: String,
}

const PAGE: &[&str] =
    &["page", "pageid", "url", "path", "uri", "key", "endpoint", "route", "resource", "name"];
const DATE: &[&str] =
    &["date", "day", "dt", "ds", "eventdate", "eventday", "time", "timestamp", "ts", "period"];
const VIEWS: &[&str] = &[
    "views",
    "totalviews",
    "pageviews",
    "hits",
    "count",
    "counts",
    "cnt",
    "n",
    "num",
    "events",
    "requests",
    "total",
    "countstar",
    "clicks",
    "records",
];
const USERS: &[&str] =
    &["users", "uniqueusers", "uniques", "visitors", "uniquevisitors", "uv", "distinctusers"];
const SUM: &[&str] = &["sum", "value", "totalvalue", "amount", "sumvalue"];

impl ColumnsText {
    /// Reads `page=..,date=..,views=..,users=..`; `sum=..` in the place of views compares sums. A number is the
    /// place of a column, from 1.
    pub fn parse(text: &str) -> Result<ColumnsText, ForeignError> {
        let bad = |cause| ForeignError::BadColumns { cause, text: text.to_owned() };
        let mut columns = ColumnsText::default();
        for part in text.split(',') {
            let (role, name) = part.split_once('=').ok_or_else(|| bad("not of the form ROLE=NAME"))?;
            let slot = match role.trim() {
                "page" => &mut columns.page,
                "date" => &mut columns.date,
                "views" => &mut columns.views,
                "users" => &mut columns.users,
                "sum" => &mut columns.sum,
                _ => return Err(bad("none of page, date, views, users, sum")),
            };
            if name.trim().is_empty() {
                return Err(bad("a column without a name"));
            }
            *slot = Some(name.trim().to_owned());
        }
        if columns.views.is_some() && columns.sum.is_some() {
            return Err(bad("views and sum at once"));
        }
        Ok(columns)
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        *self == ColumnsText::default()
    }

    /// Finds the columns in a table. `page_field` is the name of the page in the log: theirs may be called so too.
    pub(super) fn resolve(
        &self,
        file: &str,
        table: &Table,
        page_field: &str,
    ) -> Result<(Columns, AmountKind), ForeignError> {
        let mut finder = Finder { file, table, taken: Vec::new() };
        let users = finder.given(self.users.as_ref())?;
        let sum = finder.given(self.sum.as_ref())?;
        let views = finder.given(self.views.as_ref())?;
        let date = finder.given(self.date.as_ref())?;
        let page = finder.given(self.page.as_ref())?;
        let field = plain(page_field.rsplit('.').next().unwrap_or(page_field));
        let date = date.or_else(|| finder.named(DATE, "").filter(|&at| finder.is_dates(at)));
        finder.taken.extend(date);
        let date = date.or_else(|| finder.only(Finder::is_dates));
        finder.taken.extend(date);
        let page =
            page.or_else(|| finder.named(&[field.as_str()], "")).or_else(|| finder.named(PAGE, "page"));
        finder.taken.extend(page);
        let page = page.or_else(|| finder.only(|finder, at| !finder.is_numbers(at)));
        finder.taken.extend(page);
        let users = users
            .or_else(|| finder.named(USERS, "user"))
            .or_else(|| finder.containing(&["uniq", "distinct", "visitor"]));
        finder.taken.extend(users);
        let (amount, kind) = match (views, sum) {
            (_, Some(sum)) => (Some(sum), AmountKind::Sum),
            (Some(views), None) => (Some(views), AmountKind::Views),
            (None, None) => finder.amount(),
        };
        let Some(amount) = amount else { return Err(finder.missing("views")) };
        finder.taken.push(amount);
        // Without names the larger of two counts comes first.
        let users =
            users.or_else(|| if table.header.is_empty() { finder.only(Finder::is_numbers) } else { None });
        if page.is_none() && date.is_none() {
            return Err(finder.missing("page"));
        }
        let columns = Columns { page, date, amount, users, description: String::new() };
        let description = columns.describe(&table.header, kind);
        Ok((Columns { description, ..columns }, kind))
    }
}

impl Columns {
    fn describe(&self, header: &[String], kind: AmountKind) -> String {
        let amount = match kind {
            AmountKind::Views => "views",
            AmountKind::Sum => "sum",
        };
        let named =
            [("page", self.page), ("date", self.date), (amount, Some(self.amount)), ("users", self.users)];
        let texts = named.into_iter().filter_map(|(role, at)| {
            let at = at?;
            let name = header.get(at).cloned().unwrap_or_else(|| (at + 1).to_string());
            Some(format!("{role}={name}"))
        });
        texts.collect::<Vec<_>>().join(" ")
    }
}

struct Finder<'a> {
    file: &'a str,
    table: &'a Table,
    taken: Vec<usize>,
}

impl Finder<'_> {
    fn given(&mut self, name: Option<&String>) -> Result<Option<usize>, ForeignError> {
        let Some(name) = name else { return Ok(None) };
        let by_name = self.table.header.iter().position(|column| column == name);
        let by_number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let at = by_name.or(by_number.filter(|&at| at < self.table.width));
        let at = at.ok_or_else(|| ForeignError::MissingColumn {
            name: name.clone(),
            file: self.file.to_owned(),
            seen: self.seen(),
        })?;
        self.taken.push(at);
        Ok(Some(at))
    }

    /// The first name of a list that is there, else the first column whose name ends in `ending`.
    fn named(&self, names: &[&str], ending: &str) -> Option<usize> {
        let free = || self.table.header.iter().enumerate().filter(|(at, _)| !self.taken.contains(at));
        let known = names.iter().find_map(|name| free().find(|(_, column)| plain(column) == *name));
        let ends = || free().find(|(_, column)| !ending.is_empty() && plain(column).ends_with(ending));
        known.or_else(ends).map(|(at, _)| at)
    }

    fn containing(&self, parts: &[&str]) -> Option<usize> {
        let free = self.table.header.iter().enumerate().filter(|(at, _)| !self.taken.contains(at));
        free.filter(|(at, _)| self.is_numbers(*at))
            .find(|(_, column)| parts.iter().any(|part| plain(column).contains(part)))
            .map(|(at, _)| at)
    }

    /// The only free column that fits; the first one where there are several and no header names them.
    fn only(&self, fits: impl Fn(&Self, usize) -> bool) -> Option<usize> {
        let mut free = (0..self.table.width).filter(|at| !self.taken.contains(at) && fits(self, *at));
        let first = free.next()?;
        (self.table.header.is_empty() || free.next().is_none()).then_some(first)
    }

    fn amount(&self) -> (Option<usize>, AmountKind) {
        let views = self.named(VIEWS, "views").or_else(|| self.containing(&["count", "hits", "views"]));
        if views.is_some() {
            return (views, AmountKind::Views);
        }
        match self.named(SUM, "sum") {
            Some(sum) => (Some(sum), AmountKind::Sum),
            None => (self.only(Finder::is_numbers), AmountKind::Views),
        }
    }

    fn samples(&self, at: usize) -> impl Iterator<Item = &str> {
        let rows = self.table.rows.iter().filter_map(|row| row.cells.as_ref().ok());
        rows.filter_map(move |cells| cells.get(at).and_then(Option::as_deref)).take(100)
    }

    /// Most of a column can be read as dates (a few bad rows must not hide it).
    fn is_dates(&self, at: usize) -> bool {
        self.mostly(at, |text| parse_date(text).is_some())
    }

    fn is_numbers(&self, at: usize) -> bool {
        self.mostly(at, |text| parse_amount(text, AmountKind::Sum).is_some())
    }

    fn mostly(&self, at: usize, fits: impl Fn(&str) -> bool) -> bool {
        let (mut seen, mut good) = (0, 0);
        for text in self.samples(at) {
            seen += 1;
            good += usize::from(fits(text));
        }
        good > 0 && good * 2 > seen
    }

    fn seen(&self) -> String {
        if self.table.header.is_empty() {
            return (1..=self.table.width).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
        }
        self.table.header.join(",")
    }

    fn missing(&self, role: &'static str) -> ForeignError {
        ForeignError::NoColumn { role, file: self.file.to_owned(), seen: self.seen() }
    }
}

/// A name without what writers of names differ in.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
