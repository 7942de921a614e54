//! Why two views of a lane differ: the question, and the same as a file.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    books::{LaneBooks, speed_views},
    describe::{batch_command, merge_command, version_command},
    export::csv_field,
    frame::Totals,
    kappa::VersionShown,
    keeping::NEVER_WRITTEN,
    lane::Lane,
    protocol::{
        Answer, BookView, Cause, CausePart, CellDifference, EngineEvent, HandoverSetup, Pair, PairDifference,
        RunId,
    },
    recounts::{RecountOf, Recounts, Shown},
    runs::replace_file,
    session::Session,
};
use crate::{
    analysis::{Actual, GroupDifference, Grouping, Part, Scope, Side, Uniques, actual_of, differences},
    domain::{NameTable as _, Row, StreamRules, Value, View},
    ingest::{LogDirectory, LogIndex, Mapping},
    serving::{Boundary, Numbers, SpeedStart},
};

/// Most cells that go to the window; a file has all.
const MOST_CELLS: usize = 2_000;
/// What is needed to compare two views on another thread.
pub(super) struct Comparison {
    pub books: LaneBooks,
    speed: Vec<View>,
    recounts: Recounts,
    /// With the rules of the batch layer.
    pub of: RecountOf,
    /// Those of the speed layer.
    pub stream: StreamRules,
    /// What the speed and the merged view show over the run, and what the stream's memory holds.
    shown: [Numbers; 3],
    /// What the versions show that are compared.
    versions: Vec<VersionShown>,
    /// In force, where a view is that of a version.
    settings: [String; 2],
    pub pair: Pair,
    command: String,
    /// For the same as SQL.
    pub log: Option<(LogDirectory, Mapping)>,
    sums: bool,
}

/// What was found.
struct Compared {
    run: GroupDifference,
    cells: Vec<GroupDifference>,
    days: Vec<GroupDifference>,
}

impl Session {
    pub(super) fn answer_differences(&mut self, number: u64, pair: Pair) {
        let Some(mut comparison) = self.comparison(pair) else {
            let answer = Answer::Nothing("no log is open".to_owned());
            return self.tell(EngineEvent::Answered(number, answer));
        };
        comparison.books.wanted = self.wanted(number);
        self.answer_later(number, move || comparison.answer());
    }

    /// Writes why two views differ, cell by cell, by and by.
    pub(super) fn export_differences(&mut self, pair: Pair, path: PathBuf) {
        const WHAT: &str = "export the differences";
        if self.open.as_ref().is_some_and(|open| open.log.contains(&path)) {
            return self.failed(WHAT, NEVER_WRITTEN);
        }
        let Some(comparison) = self.comparison(pair) else {
            return self.failed(WHAT, "nothing is there yet");
        };
        self.tell_later(WHAT, move || match comparison.export(&path) {
            Ok(()) => EngineEvent::Saved(path),
            Err(why) => EngineEvent::Failed { what: WHAT.to_owned(), why },
        });
    }

    fn comparison(&self, pair: Pair) -> Option<Comparison> {
        let open = self.open.as_ref()?;
        let lane = open.lane.as_ref()?;
        let mut comparison = Comparison::of(lane, pair);
        let log = &open.scenario.log.path;
        let side = |view| match view {
            BookView::Version(number) => comparison.books.version(number).ok(),
            _ => None,
        };
        let sides = pair.views().map(side);
        let commands = pair.views().map(|view| comparison.command_of(view, log, &open.mapping));
        let settings = sides.map(|side| match side {
            Some(version) => {
                let guarantee = open.scenario.settings.guarantee;
                format!("{} guarantee={guarantee}", version_command(log, &open.mapping, version).1)
            }
            None => String::new(),
        });
        let [first, second] = commands;
        comparison.command = if first == second { first } else { format!("{first}\n{second}") };
        comparison.settings = settings;
        comparison.sums = open.summary.has_values;
        comparison.log = Some((open.log.clone(), open.mapping.clone()));
        (comparison.recounts, comparison.of.run) = (self.recounts.clone(), self.run);
        Some(comparison)
    }
}

/// What views of a lane differ by beyond what their books say, or by causes that do not add up: nothing, whatever
/// happened.
pub(super) fn unexplained(lane: &Lane) -> Option<String> {
    let pairs = [
        (BookView::Merged, BookView::Recount),
        (BookView::Batch, BookView::Speed),
        (BookView::Log, BookView::Merged),
        (BookView::Memory, BookView::Speed),
    ];
    let versions: Vec<BookView> =
        lane.version_books().iter().map(|version| BookView::Version(version.number)).collect();
    let versions = match versions[..] {
        [first, second] => Some((first, second)),
        _ => None,
    };
    pairs.into_iter().chain(versions).find_map(|(first, second)| {
        let Compared { run, cells, days } = Comparison::of(lane, Pair { first, second }).compare().ok()?;
        std::iter::once(run).chain(cells).chain(days).find_map(|group| {
            let by = group.first.views.cast_signed() - group.second.views.cast_signed();
            let users = group.first.users.cast_signed() - group.second.users.cast_signed();
            let sum = |of: fn(&Part) -> i64| group.parts.iter().map(of).sum::<i64>();
            let holds = sum(|part| part.views) == by
                && sum(|part| part.users) == users
                && group.parts.iter().all(|part| part.cause != Cause::Unexplained);
            (!holds)
                .then(|| format!("{} and {} differ beyond their books: {group:?}", first.id(), second.id()))
        })
    })
}

impl Comparison {
    fn of(lane: &Lane, pair: Pair) -> Comparison {
        Comparison {
            books: LaneBooks::of(lane),
            speed: speed_views(lane),
            recounts: Recounts::default(),
            of: RecountOf { run: RunId::default(), rules: lane.plan.rules, index: Arc::clone(&lane.index) },
            stream: lane.stream_rules(),
            shown: [lane.lambda.speed_numbers(), lane.lambda.merged_numbers(), lane.stream.memory],
            versions: pair
                .views()
                .into_iter()
                .filter_map(|view| match view {
                    BookView::Version(number) => lane.version_shown(number),
                    _ => None,
                })
                .collect(),
            settings: Default::default(),
            pair,
            command: String::new(),
            log: None,
            sums: false,
        }
    }

    /// The command line that computes a view.
    fn command_of(&self, view: BookView, log: &str, mapping: &Mapping) -> String {
        let (cut, position) = match view {
            BookView::Log => return batch_command(log, mapping),
            BookView::Version(number) => {
                let version = self.books.version(number);
                return version.map_or_else(|why| why, |version| version_command(log, mapping, version).0);
            }
            // Its memory has not handed over what batch has published since its last checkpoint.
            BookView::Memory => self.books.range(view),
            BookView::Batch | BookView::Speed | BookView::Merged | BookView::Recount => {
                self.books.hand_over()
            }
        };
        let start = SpeedStart::At(cut.clone());
        let boundary = Boundary { cut: cut.clone(), start, position: position.clone() };
        merge_command(log, mapping, &boundary, &HandoverSetup::default(), self.stream.options)
    }

    fn answer(&self) -> Answer {
        let Compared { run, mut cells, days } = match self.compare() {
            Ok(found) => found,
            Err(why) => return Answer::Nothing(why),
        };
        let index = &self.books.index;
        let cells_in_all = cells.len() as u64;
        let size = |cell: &GroupDifference| {
            let views = cell.first.views.abs_diff(cell.second.views);
            (views, cell.first.users.abs_diff(cell.second.users), cell.parts.len())
        };
        let by_text = text_order(index);
        cells.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| by_text(a, b)));
        cells.truncate(MOST_CELLS);
        let read = self.pair.views().map(|view| self.books.counts(view));
        let (sql, sql_note) = self.sql();
        Answer::Differences(Box::new(PairDifference {
            pair: self.pair,
            first: run.first.into(),
            second: run.second.into(),
            parts: parts(&run.parts),
            cells: cells.iter().map(|cell| cell_of(index, cell)).collect(),
            cells_in_all,
            days: days.iter().map(|day| cell_of(index, day)).collect(),
            settings: self.settings.clone(),
            read,
            command: self.command.clone(),
            sql,
            sql_note,
        }))
    }

    /// Over the run, every cell that differs, and of two versions every day that does.
    fn compare(&self) -> Result<Compared, String> {
        let Pair { first, second } = self.pair;
        let mut first_ledger = self.books.ledger_beside(first, second)?;
        let mut second_ledger = self.books.ledger_beside(second, first)?;
        let shown = [first, second].map(|view| self.shown(view));
        let [[run_first, cells_first], [run_second, cells_second]] = shown.each_ref().map(|shown| &**shown);
        let days = self.version(first).zip(self.version(second));
        let mut groupings =
            vec![(Grouping::Cells, cells_first, cells_second), (Grouping::Run, run_first, run_second)];
        groupings.extend(days.map(|(first, second)| (Grouping::Days, &first.by_day, &second.by_day)));
        let mut found = differences(
            self.books.entries(),
            &mut Side { ledger: &mut *first_ledger, uniques: self.uniques(first) },
            &mut Side { ledger: &mut *second_ledger, uniques: self.uniques(second) },
            &groupings,
        );
        let mut days = if days.is_some() { found.pop().unwrap_or_default() } else { Vec::new() };
        days.sort_by_key(|day| day.scope.day);
        let run = found.pop().and_then(|run| run.into_iter().next());
        match (run, found.pop()) {
            (Some(run), Some(cells)) => Ok(Compared { run, cells, days }),
            _ => Err("nothing was compared".to_owned()),
        }
    }

    /// What a version that is compared shows.
    fn version(&self, view: BookView) -> Option<&VersionShown> {
        let BookView::Version(number) = view else { return None };
        self.versions.iter().find(|version| version.number == number)
    }

    /// What a view shows: over the run, and by cell.
    fn shown(&self, view: BookView) -> Shown {
        let batch = &self.books.batch.view;
        let speed = || self.speed.iter();
        // Cell by cell the memory is known by its books only; over the run by what it tells itself.
        let memory = (view == BookView::Memory).then(|| self.books.memory_view()).flatten();
        let views: Vec<&View> = match view {
            BookView::Batch => vec![batch],
            BookView::Speed => speed().collect(),
            BookView::Memory => memory.iter().collect(),
            BookView::Merged => std::iter::once(batch).chain(speed()).collect(),
            BookView::Version(_) => {
                self.version(view).into_iter().flat_map(|version| &version.views).collect()
            }
            BookView::Recount | BookView::Log => {
                // A recount of its own, which shares nothing with the books but the rules.
                return self.recounts.shown(&self.of, self.books.reach(view), &self.books.wanted);
            }
        };
        if self.uniques(view) == Uniques::United && view != BookView::Memory {
            return Arc::new([Grouping::Run, Grouping::Cells].map(|grouping| actual_of(&views, grouping)));
        }
        if let Some(version) = self.version(view) {
            return Arc::new([version.whole.clone(), self.estimated(&views)]);
        }
        let [speed, merged, memory] = self.shown;
        let run = match view {
            BookView::Merged => merged,
            BookView::Memory => memory,
            _ => speed,
        };
        Arc::new([Actual::from([(Scope::default(), run)]), self.estimated(&views)])
    }

    /// How a view comes to its unique users.
    pub fn uniques(&self, view: BookView) -> Uniques {
        if self.books.sketched(view).contains(&true) { Uniques::Estimated } else { Uniques::United }
    }

    /// What views, with sketches or without, show together, by cell.
    fn estimated(&self, views: &[&View]) -> Actual {
        let mut merged = View::new();
        for view in views {
            merged.merge_named(view, self.books.index.users());
        }
        let numbers = |row: &Row| Numbers { views: row.views, users: row.unique_users(), sum: row.sum };
        merged.rows().iter().map(|row| (Grouping::Cells.scope(row.cell), numbers(row))).collect()
    }

    fn export(&self, path: &Path) -> Result<(), String> {
        let Compared { run, mut cells, .. } = self.compare()?;
        let index = &self.books.index;
        cells.sort_by(text_order(index));
        let mut text = String::from(
            "page,date,first_views,second_views,first_users,second_users,cause,records,views,users",
        );
        text.push_str(if self.sums { ",sum\n" } else { "\n" });
        self.rows(&run, ",", &mut text);
        for cell in &cells {
            let cell_text = cell_of(index, cell);
            self.rows(cell, &format!("{},{}", csv_field(&cell_text.page), cell_text.day), &mut text);
        }
        replace_file(path, text.as_bytes()).map_err(|error| error.to_string())
    }

    /// A line a cause. The run's have neither page nor day.
    fn rows(&self, group: &GroupDifference, name: &str, text: &mut String) {
        let (first, second) = (group.first, group.second);
        for part in &group.parts {
            // Writing into a string cannot fail.
            let _ = write!(
                text,
                "{name},{},{},{},{},{},{},{},{}",
                first.views,
                second.views,
                first.users,
                second.users,
                part.cause,
                part.records,
                part.views,
                part.users
            );
            if self.sums {
                text.push(',');
                text.push_str(&Value::display_sum(part.sum));
            }
            text.push('\n');
        }
    }
}

fn text_order(index: &LogIndex) -> impl Fn(&GroupDifference, &GroupDifference) -> std::cmp::Ordering {
    let page = |group: &GroupDifference| group.scope.key.map_or("", |key| index.keys().text(key.0));
    move |a, b| page(a).cmp(page(b)).then_with(|| a.scope.day.cmp(&b.scope.day))
}

fn parts(parts: &[Part]) -> Vec<CausePart> {
    let part = |part: &Part| CausePart {
        cause: part.cause,
        records: part.records,
        views: part.views,
        users: part.users,
        sum: part.sum,
    };
    parts.iter().map(part).collect()
}

fn cell_of(index: &LogIndex, cell: &GroupDifference) -> CellDifference {
    CellDifference {
        page: cell.scope.key.map_or("", |key| index.keys().text(key.0)).to_owned(),
        day: cell.scope.day.unwrap_or(crate::domain::Day(0)),
        first: Totals::from(cell.first),
        second: Totals::from(cell.second),
        parts: parts(&cell.parts),
    }
}

#[cfg(test)]
#[path = "difference_answers_tests.rs"]
mod tests;
