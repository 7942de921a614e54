//! "Ask": one page and a few days, answered by the serving layer. What was typed, what is wrong with it, the answer in
//! words.

use super::{
    Effect, RightDrawer, State,
    format::{self, thousands},
    state::Measure,
    update_command::ask,
};
use crate::{
    domain::Day,
    engine::protocol::{Answer, Asked, MOST_DAYS, Parts, Query},
};

/// Names offered at once.
const MOST_NAMES: u32 = 6;

/// What the drawer holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskPage {
    /// The page as typed.
    pub page: String,
    /// The first day as typed.
    pub from: String,
    /// The last day as typed; empty: the first day only.
    pub to: String,
    /// Whether names are offered: from typing until one is taken.
    pub offers: bool,
    /// Names that hold what was typed.
    pub names: Vec<String>,
    /// How many names do.
    pub names_total: u64,
    /// Which of the names is chosen.
    pub chosen: usize,
    /// The newest answer, with its question.
    pub answer: Option<(Question, Asked)>,
}

/// A question that can be put: a page and the days `[from, to)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The page.
    pub page: String,
    /// First day.
    pub from: Day,
    /// One past the last day.
    pub to: Day,
}

/// Typed or chosen in the drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskEdit {
    /// The page's name, as typed.
    Page(String),
    /// A name that was offered, or what is typed as it stands.
    Take(String),
    /// Which of the offered names is chosen.
    Chosen(usize),
    /// The first day.
    From(String),
    /// The last day.
    To(String),
    /// All days of the log.
    AllDays,
}

impl AskPage {
    /// The question, or what is wrong with what was typed.
    ///
    /// # Errors
    /// The text is for a person.
    pub fn question(&self) -> Result<Question, String> {
        let page = self.page.clone();
        if page.is_empty() {
            return Err("Type a page.".to_owned());
        }
        let day = |text: &str| {
            Day::parse(text.trim()).ok_or_else(|| format!("Not a date: \"{text}\". Write it as 2024-04-26."))
        };
        let from = day(&self.from)?;
        let last = if self.to.trim().is_empty() { from } else { day(&self.to)? };
        if last < from {
            return Err("The last day comes before the first.".to_owned());
        }
        let to = Day(last.0.saturating_add(1));
        if i64::from(to.0) - i64::from(from.0) > i64::from(MOST_DAYS) {
            return Err(format!("Ask for {} days at most.", thousands(u64::from(MOST_DAYS.unsigned_abs()))));
        }
        Ok(Question { page, from, to })
    }
}

impl Question {
    /// `26 Apr 2024`, or `26 Apr 2024 to 2 May 2024`.
    pub fn days(&self) -> String {
        let last = Day(self.to.0.saturating_sub(1));
        if last <= self.from {
            return format::date(self.from);
        }
        format!("{} to {}", format::date(self.from), format::date(last))
    }
}

/// The drawer was opened: what can be asked is filled in, and asked.
pub(super) fn opened(state: &mut State) -> Vec<Effect> {
    let Some(lane) = state.lane() else { return Vec::new() };
    let (page, day) = (lane.by_page.first().map(|row| row.label.clone()), telling_day(state));
    let mine = &mut state.answers.asking;
    // Only where nobody has typed anything yet.
    if mine.page.is_empty()
        && mine.from.is_empty()
        && !mine.offers
        && let (Some(page), Some(day)) = (page, day)
    {
        (mine.page, mine.from) = (page, day);
    }
    put(state)
}

/// The day that says most: with something final and something provisional, else the one with most page views.
fn telling_day(state: &State) -> Option<String> {
    let days = &state.lane()?.by_day;
    let most = days.iter().max_by_key(|row| {
        let (last, merged) = (row.final_totals.views, row.merged.views);
        (last.min(merged.saturating_sub(last)), merged, row.log.views)
    })?;
    Some(most.label.clone())
}

/// Something was typed or chosen.
pub(super) fn edited(state: &mut State, edit: AskEdit) -> Vec<Effect> {
    let all_days = all_days(state);
    let mine = &mut state.answers.asking;
    match edit {
        AskEdit::Page(text) => {
            (mine.page, mine.offers, mine.chosen) = (text, true, 0);
            return find_names(state);
        }
        AskEdit::Take(name) => (mine.page, mine.offers) = (name, false),
        AskEdit::Chosen(at) => {
            mine.chosen = at;
            return Vec::new();
        }
        AskEdit::From(text) => mine.from = text,
        AskEdit::To(text) => mine.to = text,
        AskEdit::AllDays => {
            if let Some((first, last)) = all_days {
                (mine.from, mine.to) = (first, last);
            }
        }
    }
    put(state)
}

fn all_days(state: &State) -> Option<(String, String)> {
    let days = &state.lane()?.by_day;
    Some((days.first()?.label.clone(), days.last()?.label.clone()))
}

/// Puts the question, where it can be put. One is under way at a time: the newest follows its answer.
pub(super) fn put(state: &mut State) -> Vec<Effect> {
    let is_asking = state.answers.pending.iter().any(|(_, query)| matches!(query, Query::Ask { .. }));
    let Ok(Question { page, from, to }) = state.answers.asking.question() else { return Vec::new() };
    if is_asking {
        return Vec::new();
    }
    ask(state, Query::Ask { lane: state.lane, page, from, to })
}

fn find_names(state: &mut State) -> Vec<Effect> {
    let is_asking = state.answers.pending.iter().any(|(_, query)| matches!(query, Query::Pages { .. }));
    if is_asking {
        return Vec::new();
    }
    let text = state.answers.asking.page.clone();
    ask(state, Query::Pages { text, most: MOST_NAMES })
}

/// Takes an answer; asks again where something else has been typed meanwhile.
pub(super) fn answered(state: &mut State, query: Query, answer: Answer) -> Vec<Effect> {
    let mine = &mut state.answers.asking;
    match (query, answer) {
        (Query::Ask { page, from, to, .. }, Answer::Asked(asked)) => {
            let question = Question { page, from, to };
            let is_newest = mine.offers || mine.question().as_ref() == Ok(&question);
            mine.answer = Some((question, *asked));
            if is_newest { Vec::new() } else { put(state) }
        }
        (Query::Pages { text, .. }, Answer::Pages { names, total }) => {
            let is_newest = mine.page == text;
            (mine.names, mine.names_total) = (names, total);
            mine.chosen = mine.chosen.min(mine.names.len().saturating_sub(1));
            if is_newest || !mine.offers { Vec::new() } else { find_names(state) }
        }
        _ => Vec::new(),
    }
}

/// `93 = 88 final + 5 provisional`.
pub fn split(measure: Measure, parts: &Parts) -> String {
    let rest = provisional(measure, parts);
    let (merged, last) = (measure.text(&parts.merged), measure.text(&parts.final_totals));
    format!("{merged} = {last} final + {rest} provisional")
}

/// What the stream adds to what is final.
pub fn provisional(measure: Measure, parts: &Parts) -> String {
    let (merged, last) = (&parts.merged, &parts.final_totals);
    match measure {
        Measure::Views => thousands(merged.views.saturating_sub(last.views)),
        Measure::Users => thousands(merged.users.saturating_sub(last.users)),
        Measure::Sum => format::millionths(merged.sum - last.sum),
    }
}

/// What reading cost, and what it would cost without views.
pub fn read_cost(asked: &Asked) -> [String; 2] {
    let cells = asked.batch_cells + asked.speed_cells;
    let cell = if cells == 1 { "1 cell".to_owned() } else { format!("{} cells", thousands(cells)) };
    let read = format!(
        "{cell} read ({} of batch, {} of speed), in {}.",
        thousands(asked.batch_cells),
        thousands(asked.speed_cells),
        format::duration(asked.read_nanos)
    );
    let scan = format!(
        "From the raw log it would be {}: {} over the log in memory, nothing read from files.",
        format::records(asked.scan_records),
        format::duration(asked.scan_nanos)
    );
    [read, scan]
}

/// How the scan of the raw log compares: nothing to say where it counts the same.
pub fn scan_differs(asked: &Asked) -> Option<String> {
    let (served, scan) = (asked.parts.merged, asked.scan);
    if served == scan {
        return None;
    }
    let signed = |of: i128| format::signed(of);
    Some(format!(
        "The scan counts {} page views and {} unique users: what is served is off by {} and {}.",
        thousands(scan.views),
        thousands(scan.users),
        signed(i128::from(served.views) - i128::from(scan.views)),
        signed(i128::from(served.users) - i128::from(scan.users)),
    ))
}

/// How fresh the answer is.
pub fn freshness(asked: &Asked) -> String {
    let covers = format!(
        "Batch covers up to {}, the stream up to {}",
        thousands(asked.batch_covers),
        thousands(asked.covers)
    );
    match (asked.is_stale, asked.arrived.saturating_sub(asked.covers)) {
        (true, behind) => {
            format!(
                "{covers}. The stream is down or catching up: {} arrived and are not in it.",
                format::records(behind)
            )
        }
        (false, 0) => format!("{covers}: everything that has arrived."),
        (false, behind) => format!("{covers}; {} more have arrived.", format::records(behind)),
    }
}

/// Users of the days added up, where that differs from the users united.
pub fn users_added(asked: &Asked) -> Option<u64> {
    let added = asked.days.iter().map(|day| day.parts.merged.users).sum();
    (added != asked.parts.merged.users).then_some(added)
}

impl State {
    /// Whether the drawer for questions is open.
    pub fn asks(&self) -> bool {
        self.right == Some(RightDrawer::Ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::frame::Totals;

    fn typed(page: &str, from: &str, to: &str) -> Result<Question, String> {
        AskPage { page: page.into(), from: from.into(), to: to.into(), ..AskPage::default() }.question()
    }

    #[test]
    fn what_was_typed_becomes_a_question_or_a_reason() {
        let one = typed("home", "2024-04-26", "").unwrap();
        assert_eq!((one.to.0 - one.from.0, one.days().as_str()), (1, "26 Apr 2024"));
        let more = typed("home", "2024-04-26 ", "2024-05-02").unwrap();
        assert_eq!(more.days(), "26 Apr 2024 to 2 May 2024");
        for (page, from, to, why) in [
            ("", "2024-04-26", "", "Type a page."),
            ("home", "soon", "", "Not a date: \"soon\"."),
            ("home", "2024-04-26", "2024-04-25", "before the first"),
            ("home", "1900-01-01", "2024-04-25", "10,000 days at most"),
        ] {
            assert!(typed(page, from, to).unwrap_err().contains(why), "{why}");
        }
    }

    #[test]
    fn an_answer_reads_as_a_sentence() {
        let totals = |views, users| Totals { views, users, sum: 0 };
        let parts = Parts { final_totals: totals(88, 60), merged: totals(93, 64) };
        assert_eq!(split(Measure::Views, &parts), "93 = 88 final + 5 provisional");
        assert_eq!(split(Measure::Users, &parts), "64 = 60 final + 4 provisional");
        let asked = Asked {
            parts,
            batch_cells: 1,
            speed_cells: 1,
            read_nanos: 900,
            scan_records: 31_106,
            scan_nanos: 1_234_567,
            scan: totals(93, 64),
            batch_covers: 12_000,
            covers: 14_734,
            arrived: 15_000,
            is_stale: true,
            ..Asked::default()
        };
        let [read, scan] = read_cost(&asked);
        assert_eq!(read, "2 cells read (1 of batch, 1 of speed), in 0.9 µs.");
        assert!(scan.starts_with("From the raw log it would be 31,106 records: 1.2 ms"), "{scan}");
        assert!(freshness(&asked).ends_with("266 records arrived and are not in it."));
        assert_eq!(scan_differs(&asked), None);
        let off = Asked { scan: totals(90, 64), ..asked };
        assert!(scan_differs(&off).unwrap().ends_with("off by +3 and 0."));
    }
}
