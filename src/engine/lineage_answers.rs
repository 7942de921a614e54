//! Which records are behind a number, which numbers a record touches: answered from the books of a lane, on the thread
//! that answers.

use xxhash_rust::xxh3::xxh3_128;

use super::{
    books::LaneBooks,
    frame::Totals,
    kappa::VersionBooks,
    protocol::{
        Answer, BookView, EngineEvent, Fate, Listed, Listing, NumberOf, Pair, RecordLine, RecordNumbers,
        SearchKind, TouchedNumber, TouchedView, VersionNumber, ViewFates,
    },
    session::Session,
};
use crate::{
    analysis::{Follow, Ledger, Reader, Scope, Taken, Touched, causes_of, find, numbers_of, tally},
    domain::{Cell, NameTable as _, Uniques, Value},
    ingest::{Entry, LogIndex},
};

/// Records handed out at once.
const MOST_RECORDS: u32 = 1_000;
/// Longest line shown.
const MOST_TEXT: usize = 4_096;
/// Records whose lines are looked through before an answer says how far that went.
const LINES_AT_ONCE: u64 = 65_536;
/// Of them read from the files at a time.
const LINES_A_READ: u32 = 4_096;

impl Session {
    /// Answers from the books as they are now, by and by.
    pub(super) fn answer_from_books(
        &mut self,
        number: u64,
        work: impl FnOnce(&LaneBooks) -> Answer + Send + 'static,
    ) {
        let lane = self.open.as_ref().and_then(|open| open.lane.as_ref());
        let Some(books) = lane.map(|lane| LaneBooks::of(lane).for_answer(self.wanted(number))) else {
            let answer = Answer::Nothing("no log is open".to_owned());
            return self.tell(EngineEvent::Answered(number, answer));
        };
        self.answer_later(number, move || work(&books));
    }
}

/// What became of all records in each view.
pub(super) fn fates(books: &LaneBooks) -> Answer {
    let of_lambda = BookView::ALL.into_iter().filter_map(|view| Some((view, books.reader(view)?)));
    let mut readers: Vec<(BookView, Reader<'_>)> = of_lambda.collect();
    let versions = books.versions().iter();
    let mut versions: Vec<_> =
        versions.map(|version| (BookView::Version(version.number), version.ledger())).collect();
    let mut ledgers: Vec<&mut dyn Ledger> =
        readers.iter_mut().map(|(_, reader)| reader as &mut dyn Ledger).collect();
    ledgers.extend(versions.iter_mut().map(|(_, ledger)| ledger as &mut dyn Ledger));
    let tallies = tally(books.entries(), &mut ledgers);
    let names = readers.iter().map(|(view, _)| *view).chain(versions.iter().map(|(view, _)| *view));
    let views = names.zip(tallies).map(|(view, tally)| ViewFates {
        view,
        fates: Fate::ALL.map(|fate| (fate, tally.of(fate))).to_vec(),
        views: tally.views(),
    });
    Answer::Fates(views.collect())
}

/// Records by number.
pub(super) fn records(books: &LaneBooks, first: u64, count: u32) -> Answer {
    let last = first.saturating_add(u64::from(count.min(MOST_RECORDS)));
    match lines(books, books.index.entries(first, last).collect()) {
        Ok(records) => Answer::Records(records),
        Err(why) => Answer::Nothing(why),
    }
}

/// A page of a listing.
pub(super) fn listed(books: &LaneBooks, listing: &Listing, first: u64, count: u32) -> Answer {
    let count = count.min(MOST_RECORDS);
    if let Listing::Search(SearchKind::Line, text) = listing {
        return lines_with(books, text, first, count).map_or_else(Answer::Nothing, Answer::Listed);
    }
    let mut wanted = match wanted(books, listing) {
        Ok(wanted) => wanted,
        Err(why) => return Answer::Nothing(why),
    };
    let mut views = 0;
    let versions = versions_of(listing);
    let (from, to) = match listing {
        Listing::Behind(_, NumberOf { within: Some(within), .. }) if versions.is_empty() => *within,
        _ => (0, books.index.len()),
    };
    let mut take = |entry: &Entry| {
        let times = wanted(entry)?;
        views += u64::from(times);
        Some(*entry)
    };
    // Only what the question touches is looked at, where its page or its day says what that is. A version has days of its
    // own, and remembers the ids of all records.
    let scope = match listing {
        _ if !versions.is_empty() => Ok(Scope::default()),
        Listing::Behind(_, number) | Listing::Differing(_, _, number) => scope_of(&books.index, number),
        Listing::Fate(..) | Listing::Search(..) => Ok(Scope::default()),
    };
    let found = match scope {
        Ok(scope) if scope != Scope::default() => {
            let is_in = |key, day, _| scope.holds(Cell { key, day });
            find(books.index.entries_where(from, to, is_in), first, count, &mut take)
        }
        _ => find(books.walk(from, to), first, count, &mut take),
    };
    drop(wanted);
    let read = lines(books, found.page).and_then(|records| said_by_versions(books, &versions, records));
    match read {
        Ok(records) => Answer::Listed(Listed { records, total: found.total, views, searched_to: None }),
        Err(why) => Answer::Nothing(why),
    }
}

/// Says of a record whether it is listed, and how often it counts there.
type Wanted<'a> = Box<dyn FnMut(&Entry) -> Option<u32> + 'a>;

fn wanted<'a>(books: &'a LaneBooks, listing: &'a Listing) -> Result<Wanted<'a>, String> {
    let reader = |view| books.ledger_beside(view, view);
    Ok(match listing {
        Listing::Behind(view, number) => {
            let (mut reader, scope) = (reader(*view)?, scope_of(&books.index, number)?);
            let within = number.within.unwrap_or((0, u64::MAX));
            Box::new(move |entry| {
                let taken = reader.take(entry);
                let is_in = lies_in(taken, scope) && (within.0..within.1).contains(&entry.number);
                (taken.times() > 0 && is_in).then(|| taken.times())
            })
        }
        Listing::Fate(view, fate) => {
            let mut reader = reader(*view)?;
            Box::new(move |entry| {
                let taken = reader.take(entry);
                (taken.fate == *fate).then(|| taken.times())
            })
        }
        Listing::Differing(Pair { first, second }, cause, number) => {
            let mut first_ledger = books.ledger_beside(*first, *second)?;
            let mut second_ledger = books.ledger_beside(*second, *first)?;
            let scope = scope_of(&books.index, number)?;
            Box::new(move |entry| {
                let (first, second) = (first_ledger.take(entry), second_ledger.take(entry));
                let is_in = lies_in(first, scope) || lies_in(second, scope);
                let is_wanted = |found| cause.is_none_or(|cause| cause == found);
                let has_cause = || causes_of(first, second).iter().any(|(found, _)| is_wanted(*found));
                (is_in && has_cause()).then_some(0)
            })
        }
        Listing::Search(kind, text) => searched(&books.index, *kind, text.trim())?,
    })
}

/// The versions that a listing is about.
fn versions_of(listing: &Listing) -> Vec<VersionNumber> {
    let views = match listing {
        Listing::Behind(view, _) | Listing::Fate(view, _) => vec![*view],
        Listing::Differing(pair, ..) => pair.views().to_vec(),
        Listing::Search(..) => Vec::new(),
    };
    let number = |view| match view {
        BookView::Version(number) => Some(number),
        _ => None,
    };
    views.into_iter().filter_map(number).collect()
}

/// Records as the versions that are asked about see them, in place of what merged makes of them.
fn said_by_versions(
    books: &LaneBooks,
    versions: &[VersionNumber],
    mut records: Vec<RecordLine>,
) -> Result<Vec<RecordLine>, String> {
    let Some(last) = records.last().map(|record| record.number) else { return Ok(records) };
    let mut all_said = vec![Vec::new(); records.len()];
    for (at, &number) in versions.iter().enumerate() {
        let version = books.version(number)?;
        let mut ledger = version.ledger();
        let mut shown = records.iter_mut().zip(&mut all_said).peekable();
        // Verdicts depend on all records before.
        for entry in books.walk(0, last + 1) {
            let taken = ledger.take(&entry);
            let Some((record, said)) = shown.next_if(|(record, _)| record.number == entry.number) else {
                continue;
            };
            // Of two versions the second one, which is taken away, is not what a count is about.
            if at == 0 {
                record.read = version.deliveries.count(entry.number);
                record.counted = taken.times();
            }
            said.push((number, taken));
        }
    }
    for (record, said) in records.iter_mut().zip(all_said) {
        if !said.is_empty() {
            record.fate = in_short(&said);
        }
    }
    Ok(records)
}

/// The fates of a record; where two versions have the same one on other days, these.
fn in_short(said: &[(VersionNumber, Taken)]) -> String {
    let day = |taken: &Taken| taken.cell.map(|cell| cell.day);
    let shown = |taken: &Taken, other: &Taken| match day(taken) {
        Some(day_here) if taken.fate == other.fate && day(taken) != day(other) => day_here.to_string(),
        _ => taken.fate.name().to_owned(),
    };
    match said {
        [(first, taken), (second, other)] => {
            format!("{first}: {}, {second}: {}", shown(taken, other), shown(other, taken))
        }
        _ => said.first().map_or("", |(_, taken)| taken.fate.name()).to_owned(),
    }
}

/// A record without an event lies in no scope but the run.
fn lies_in(taken: Taken, scope: Scope) -> bool {
    taken.cell.map_or(scope == Scope::default(), |cell| scope.holds(cell))
}

fn scope_of(index: &LogIndex, number: &NumberOf) -> Result<Scope, String> {
    let key = match &number.page {
        Some(page) => {
            let known = index.keys().find(page).ok_or_else(|| format!("no page is named {page:?}"))?;
            Some(crate::domain::KeyId(known))
        }
        None => None,
    };
    Ok(Scope { key, day: number.day })
}

/// By id, which names are wanted.
fn ids_of(names: &crate::ingest::IndexNames, is_wanted: impl Fn(&str) -> bool) -> Vec<bool> {
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    (0..count).map(|id| is_wanted(names.text(id))).collect()
}

fn searched<'a>(index: &'a LogIndex, kind: SearchKind, text: &str) -> Result<Wanted<'a>, String> {
    if text.is_empty() {
        return Err("type what to look for".to_owned());
    }
    let lower = text.to_lowercase();
    let has_part = |name: &str| name.to_lowercase().contains(&lower);
    let once = |is_found: bool| is_found.then_some(0);
    let is_set = |ids: &[bool], id: u32| ids.get(id as usize).copied().unwrap_or(false);
    Ok(match kind {
        SearchKind::Page => {
            let keys = ids_of(index.keys(), has_part);
            Box::new(move |entry| once(entry.record.event.is_some_and(|event| is_set(&keys, event.key.0))))
        }
        SearchKind::User => {
            let users = ids_of(index.users(), has_part);
            Box::new(move |entry| {
                let user = entry.record.event.and_then(|event| event.user);
                once(user.is_some_and(|user| is_set(&users, user.0)))
            })
        }
        SearchKind::Id => {
            let id = Some(xxh3_128(text.as_bytes()));
            Box::new(move |entry| once(entry.record.event.is_some_and(|event| event.id == id)))
        }
        SearchKind::Offset => {
            let (partition, offset) = match text.rsplit_once(':') {
                Some((name, offset)) => {
                    let named = index.partition_named(name);
                    (Some(named.ok_or_else(|| format!("no partition is named {name:?}"))?), offset)
                }
                None => (None, text),
            };
            let offset: u64 = offset
                .replace(',', "")
                .parse()
                .map_err(|_| format!("neither an offset nor partition:offset: {text:?}"))?;
            Box::new(move |entry| {
                let is_there = partition.is_none_or(|partition| partition == entry.record.partition);
                once(is_there && entry.record.offset == offset)
            })
        }
        SearchKind::Line => return Err("lines are looked through in the files".to_owned()),
    })
}

/// Looks through the lines from record `from` on, until `count` are found or [`LINES_AT_ONCE`] were looked at.
fn lines_with(books: &LaneBooks, text: &str, from: u64, count: u32) -> Result<Listed, String> {
    if text.is_empty() {
        return Err("type what to look for".to_owned());
    }
    let stop = from.saturating_add(LINES_AT_ONCE).min(books.index.len());
    let (mut at, mut found) = (from, Vec::new());
    while at < stop && found.len() < count as usize && books.wanted.is_wanted() {
        let read = books.index.read_lines(at, LINES_A_READ).map_err(|error| error.to_string())?;
        at = (at + u64::from(LINES_A_READ)).min(books.index.len());
        found.extend(read.into_iter().filter(|line| line.text.contains(text)).map(|line| line.number));
    }
    // What is beyond the page is found again by the next question, which starts behind the last one shown.
    if let Some(&beyond) = found.get(count as usize) {
        found.truncate(count as usize);
        at = beyond;
    }
    let entries = found.iter().filter_map(|&number| books.index.entry(number)).collect();
    let records = lines(books, entries)?;
    let searched_to = (at < books.index.len()).then_some(at);
    Ok(Listed { total: records.len() as u64, records, views: 0, searched_to })
}

/// Records with their lines and what merged makes of them.
fn lines(books: &LaneBooks, entries: Vec<Entry>) -> Result<Vec<RecordLine>, String> {
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    let read = books.index.read_lines_of(&numbers).map_err(|error| error.to_string())?;
    let mut merged = books.reader(BookView::Merged);
    let mut read = read.into_iter().peekable();
    let records = entries.into_iter().map(|entry| {
        let taken = merged.as_mut().map(|merged| merged.take(&entry));
        let partition = books.index.partitions().get(entry.record.partition.index());
        let mut record = RecordLine {
            number: entry.number,
            partition: partition.cloned().unwrap_or_default(),
            offset: entry.record.offset,
            fate: taken.map_or("", |taken| taken.fate.name()).to_owned(),
            read: books.deliveries.count(entry.number),
            counted: taken.map_or(0, Taken::times),
            ..RecordLine::default()
        };
        if let Some(line) = read.next_if(|line| line.number == entry.number) {
            record.file = line.segment.to_string();
            record.line = line.line;
            record.text = line.text.chars().take(MOST_TEXT).collect();
        }
        record
    });
    Ok(records.collect())
}

/// Every number that a record touches, view by view.
pub(super) fn numbers(books: &LaneBooks, record: u64) -> Answer {
    let Some(target) = books.index.entry(record) else {
        return Answer::Nothing(format!("there is no record {record}"));
    };
    let line = match lines(books, vec![target]) {
        Ok(lines) => lines.into_iter().next().unwrap_or_default(),
        Err(why) => return Answer::Nothing(why),
    };
    let fields = fields(&books.index, &target);
    Answer::Numbers(Box::new(RecordNumbers { record: line, fields, views: touched(books, &target) }))
}

/// What each view makes of a record, those of the versions last.
fn touched(books: &LaneBooks, target: &Entry) -> Vec<TouchedView> {
    let taken = taken_by_versions(books, target);
    let of_lambda = BookView::ALL.into_iter().filter_map(|view| {
        let mut reader = books.reader(view)?;
        let ledger: Box<dyn Ledger + '_> = Box::new(reader.clone());
        Some((view, reader.take(target), ledger))
    });
    let of_versions = books.versions().iter().zip(taken).map(|(version, taken)| {
        let ledger: Box<dyn Ledger + '_> = Box::new(version.ledger());
        (BookView::Version(version.number), taken, ledger)
    });
    let mut views: Vec<_> = of_lambda.chain(of_versions).collect();
    let mut followed: Vec<Follow<'_>> = views
        .iter_mut()
        .map(|(view, taken, ledger)| Follow {
            taken: *taken,
            ledger: &mut **ledger,
            sketched: books.sketched(*view),
        })
        .collect();
    let touched = numbers_of(books.entries(), &mut followed, target, books.index.users());
    views
        .iter()
        .zip(touched)
        .map(|((view, ..), touched)| touched_view(books, *view, touched, target))
        .collect()
}

/// What each version makes of a record: its verdict depends on all records before.
fn taken_by_versions(books: &LaneBooks, target: &Entry) -> Vec<Taken> {
    let mut ledgers: Vec<_> = books.versions().iter().map(VersionBooks::ledger).collect();
    let unread = Taken { layers: [0, 0], cell: None, fate: Fate::NotYetRead };
    let mut taken = vec![unread; ledgers.len()];
    for entry in books.walk(0, target.number + 1) {
        for (taken, ledger) in taken.iter_mut().zip(&mut ledgers) {
            *taken = ledger.take(&entry);
        }
    }
    taken
}

fn touched_view(books: &LaneBooks, view: BookView, touched: Touched, target: &Entry) -> TouchedView {
    let numbers = touched.touches.into_iter().map(|touch| TouchedNumber {
        page: touch.scope.key.map(|key| books.index.keys().text(key.0).to_owned()),
        day: touch.scope.day,
        totals: Totals::from(touch.numbers),
        views: touch.views,
        sum: touch.sum,
        is_first_of_user: touch.is_first_of_user,
    });
    let reads = match view {
        BookView::Version(number) => {
            books.version(number).ok().map(|version| version.deliveries.count(target.number))
        }
        _ => None,
    };
    let is_sketched = books.sketched(view).contains(&true);
    TouchedView {
        view,
        fate: touched.taken.fate,
        day: touched.taken.cell.map(|cell| cell.day),
        reads,
        uniques: if is_sketched { Uniques::Hll } else { Uniques::Set },
        numbers: numbers.collect(),
    }
}

fn fields(index: &LogIndex, entry: &Entry) -> Vec<(&'static str, String)> {
    let Some(event) = entry.record.event else { return Vec::new() };
    let mut fields = vec![("page", index.keys().text(event.key.0).to_owned())];
    if let Some(user) = event.user {
        fields.push(("user", index.users().text(user.0).to_owned()));
    }
    fields.push(("day", event.day.to_string()));
    fields.push(("value", Value::display_sum(i128::from(event.value.0))));
    if let Some(offset) = event.explicit_offset {
        fields.push(("its own offset", offset.to_string()));
    }
    fields
}

#[cfg(test)]
#[path = "lineage_answers_tests.rs"]
mod tests;
