//! Judges views of theirs on the thread for questions, and keeps what was found for the questions that follow.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::{
    describe::quoted,
    protocol::{
        Answer, BetweenLine, CellLine, CompareRequest, Compared, ComparedView, EngineEvent, FindingLine,
        MOST_CELLS, ProofLine, ProofOf, RankedLine,
    },
    session::Session,
    sql::duckdb_sql,
};
use crate::{
    analysis::reconcile::{Moved, Reconciliation, Totals, between, grouped, reconcile_while},
    domain::{Anonymous, Value},
    ingest::{AmountKind, ColumnsText, ForeignView, LogDirectory, Mapping, RawLog},
};

/// Records handed out at once.
const MOST_RECORDS: u32 = 1_000;
/// So many rows that were kept aside are told one by one.
const MOST_SAID: usize = 3;

/// What belongs to the open log: the log as it was read for the first comparison, and the newest result.
#[derive(Debug, Default)]
pub(super) struct Comparing {
    /// Number of the newest comparison; an older one gives up.
    newest: AtomicU64,
    raw: Mutex<Option<Arc<RawLog>>>,
    found: Mutex<Arc<Vec<Reconciliation>>>,
}

impl Session {
    /// Judges views of theirs by and by; a newer question replaces an older one.
    pub(super) fn answer_compare(&mut self, number: u64, request: &CompareRequest) {
        let Some(open) = &self.open else {
            return self.tell(EngineEvent::Answered(number, Answer::Nothing("no log is open".to_owned())));
        };
        let (log, mapping) = (open.log.clone(), open.mapping.clone());
        let comparing = Arc::clone(&open.comparing);
        comparing.newest.store(number, Ordering::Relaxed);
        let request = request.clone();
        self.answer_at_length(number, move || match comparing.compare(number, &log, &mapping, &request) {
            Ok(compared) => Answer::Compared(Box::new(compared)),
            Err(why) => Answer::Nothing(why),
        });
    }

    /// The records behind a finding or a cell of the newest comparison.
    pub(super) fn answer_proof(&mut self, number: u64, view: usize, of: ProofOf, first: u64, count: u32) {
        let Some(open) = &self.open else {
            return self.tell(EngineEvent::Answered(number, Answer::Nothing("no log is open".to_owned())));
        };
        let comparing = Arc::clone(&open.comparing);
        self.answer_at_length(number, move || match comparing.proof(view, of, first, count) {
            Ok((lines, total)) => Answer::Proof { lines, total },
            Err(why) => Answer::Nothing(why),
        });
    }
}

impl Comparing {
    fn compare(
        &self,
        number: u64,
        log: &LogDirectory,
        mapping: &Mapping,
        request: &CompareRequest,
    ) -> Result<Compared, String> {
        let is_wanted = || {
            let newest = self.newest.load(Ordering::Relaxed) == number;
            newest.then_some(()).ok_or_else(|| "a newer comparison was asked for".to_owned())
        };
        is_wanted()?;
        let columns = match request.columns.trim() {
            "" => ColumnsText::default(),
            text => ColumnsText::parse(text).map_err(|error| error.to_string())?,
        };
        let mut views = Vec::new();
        for path in &request.paths {
            let view = ForeignView::read(path, &columns, &mapping.page).map_err(|error| error.to_string())?;
            views.push(view);
        }
        let raw = self.raw_log(log, mapping)?;
        let mut found = Vec::new();
        let mut told = Vec::new();
        for view in &views {
            is_wanted()?;
            let one = reconcile_while(&raw, mapping, view, &|| is_wanted().is_ok());
            let Some(one) = one.map_err(|error| error.to_string())? else {
                is_wanted()?;
                continue;
            };
            told.push(in_words(view, &one));
            found.push(one);
        }
        let between = match found.as_slice() {
            [first, second] => between_lines(first, second),
            _ => Vec::new(),
        };
        is_wanted()?;
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
        Ok(Compared {
            request: request.clone(),
            views: told,
            between,
            command: command(log, mapping, request),
            sql: mapping.input_format.is_jsonl().then(|| duckdb_sql(mapping, log)),
        })
    }

    /// Read once: an open log is the same for all comparisons.
    fn raw_log(&self, log: &LogDirectory, mapping: &Mapping) -> Result<Arc<RawLog>, String> {
        let mut known = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(raw) = &*known {
            return Ok(Arc::clone(raw));
        }
        let raw = Arc::new(RawLog::read(log, mapping).map_err(|error| error.to_string())?);
        *known = Some(Arc::clone(&raw));
        Ok(raw)
    }

    fn proof(
        &self,
        view: usize,
        of: ProofOf,
        first: u64,
        count: u32,
    ) -> Result<(Vec<ProofLine>, u64), String> {
        let found = Arc::clone(&*self.found.lock().unwrap_or_else(PoisonError::into_inner));
        let raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(one), Some(raw)) = (found.get(view), raw) else {
            return Err("nothing has been compared".to_owned());
        };
        let moved: Vec<Moved> = match of {
            ProofOf::Finding(number) => {
                one.findings.get(number).map(|finding| finding.moved.clone()).unwrap_or_default()
            }
            ProofOf::Cell(cell) => one.moved_of(cell),
        };
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let shown: Vec<Moved> =
            moved.iter().skip(first).take(count.min(MOST_RECORDS) as usize).copied().collect();
        let numbers: Vec<u32> = shown.iter().map(|moved| moved.record).collect();
        let lines = raw.lines(&numbers).map_err(|error| error.to_string())?;
        let lines = shown.iter().zip(lines).map(|(moved, line)| ProofLine {
            file: line.segment.to_string(),
            line: line.line,
            what: moved.words(),
            text: line.text,
        });
        Ok((lines.collect(), moved.len() as u64))
    }
}

fn in_words(view: &ForeignView, found: &Reconciliation) -> ComparedView {
    let amount = |amount: i64| amount_text(found.kind, amount);
    let cells = found.cells.iter().take(MOST_CELLS).map(|cell| CellLine {
        cell: cell.cell,
        page: cell.page.clone(),
        day: cell.day,
        amounts: [
            amount(cell.ours.amount),
            if cell.theirs_there { amount(cell.theirs.amount) } else { "no row".to_owned() },
        ],
        users: [cell.ours.users, cell.theirs.users],
        findings: cell.shares.iter().map(|share| share.finding).collect(),
        rest: match (cell.rest.amount, cell.rest.users) {
            (0, 0) => String::new(),
            (views, 0) => amount(views),
            (views, users) => format!("{} / {users}", amount(views)),
        },
    });
    let mut remarks = found.remarks.clone();
    remarks.extend(set_aside(view));
    ComparedView {
        name: view.name.clone(),
        columns: format!("{}{}", view.columns.description, if view.guessed { " (guessed)" } else { "" }),
        has_users: found.has_users,
        sizes: [size(found, &found.ours), size(found, &found.theirs)],
        differing: found.differing,
        apart: found.apart,
        unit: match found.kind {
            AmountKind::Views => 1,
            AmountKind::Sum => Value::ONE.0,
        },
        unexplained: found.unexplained,
        findings: found
            .findings
            .iter()
            .map(|finding| FindingLine {
                sentence: finding.sentence.clone(),
                also: finding.also.clone(),
                explained: finding.before - finding.after,
                records: finding.share.records,
                cause: finding.share.cause.id(),
            })
            .collect(),
        ranked: found
            .ranked
            .iter()
            .map(|ranked| RankedLine { sentence: ranked.sentence.clone(), explained: ranked.explained })
            .collect(),
        cells: Arc::new(cells.collect()),
        remarks,
    }
}

/// Rows kept aside and cells that were there more than once.
fn set_aside(view: &ForeignView) -> Vec<String> {
    let mut said = Vec::new();
    for (page, day, times) in view.repeated.iter().take(MOST_SAID) {
        let day = day.map_or_else(String::new, |day| format!(", {day}"));
        said.push(format!("{page}{day} is there {times} times; added up"));
    }
    let more = view.repeated.len().saturating_sub(MOST_SAID);
    if more > 0 {
        said.push(format!("and {more} more cells that are there more than once"));
    }
    for bad in view.bad.iter().take(MOST_SAID) {
        said.push(format!("kept aside: {} line {}: {}", bad.file, bad.line, bad.reason));
    }
    let more = view.bad_total.saturating_sub(MOST_SAID as u64);
    if more > 0 {
        said.push(format!("and {more} more rows kept aside"));
    }
    said
}

fn size(found: &Reconciliation, totals: &Totals) -> String {
    let amount = amount_text(found.kind, totals.numbers.amount);
    let amounts = match found.kind {
        AmountKind::Views => format!("{amount} page views"),
        AmountKind::Sum => format!("a sum of {amount}"),
    };
    let users = if found.has_users {
        format!(", {} users over cells", whole(totals.numbers.users))
    } else {
        String::new()
    };
    format!("{} cells, {amounts}{users}", grouped(usize::try_from(totals.cells).unwrap_or(usize::MAX)))
}

fn between_lines(first: &Reconciliation, second: &Reconciliation) -> Vec<BetweenLine> {
    let (_, causes) = between(first, second);
    let line = |cause: crate::analysis::reconcile::BetweenCause| BetweenLine {
        sentence: of_which(first, second, &cause.sentence),
        views: amount_text(first.kind, cause.share.views),
        users: cause.share.users,
    };
    causes.into_iter().map(line).collect()
}

/// A path names the view in a sentence; here its last part is enough.
fn of_which(first: &Reconciliation, second: &Reconciliation, sentence: &str) -> String {
    for name in [&first.name, &second.name] {
        if let Some(rest) = sentence.strip_prefix(name.as_str()) {
            return format!("{}{rest}", name.rsplit('/').next().unwrap_or(name));
        }
    }
    sentence.to_owned()
}

/// Page views as they are, sums as decimals.
fn amount_text(kind: AmountKind, amount: i64) -> String {
    match kind {
        AmountKind::Views if amount < 0 => format!("-{}", whole(amount)),
        AmountKind::Views => whole(amount),
        AmountKind::Sum => Value::display_sum(i128::from(amount)),
    }
}

fn whole(number: i64) -> String {
    grouped(usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX))
}

/// The command line that finds the same.
fn command(log: &LogDirectory, mapping: &Mapping, request: &CompareRequest) -> String {
    let absolute = |path: &std::path::Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut words =
        vec!["rederive reconcile".to_owned(), quoted(&absolute(log.path()).display().to_string())];
    let mut option = |name: &str, value: &str| {
        words.push(format!("--{name}"));
        words.push(quoted(value));
    };
    for path in &request.paths {
        option("against", &absolute(path).display().to_string());
    }
    if !request.columns.trim().is_empty() {
        option("columns", request.columns.trim());
    }
    option("page", &mapping.page);
    option("time", &mapping.time);
    option("time-format", &mapping.time_format.to_string());
    let given = [
        ("user", &mapping.user),
        ("arrival", &mapping.arrival),
        ("value", &mapping.value),
        ("id", &mapping.id),
        ("offset", &mapping.offset),
        ("partition", &mapping.partition),
    ];
    for (name, field) in given {
        if let Some(field) = field {
            option(name, field);
        }
    }
    for (name, zone) in [("zone", &mapping.zone), ("naive-zone", &mapping.naive_zone)] {
        if zone != "UTC" {
            option(name, zone);
        }
    }
    if mapping.anonymous == Anonymous::Count {
        option("anonymous", "count");
    }
    for filter in &mapping.filters {
        option("where", filter);
    }
    if !mapping.page_clean.is_empty() {
        option("page-clean", &mapping.page_clean.join(","));
    }
    if mapping.files_are_partitions {
        words.push("--files-are-partitions".to_owned());
    }
    words.join(" ")
}
