//! Following records: which are behind a number, which numbers a record touches, why two views differ.

use super::{
    Effect,
    state::{LeftDrawer, RightDrawer, State},
    update::PAGE_ROWS,
    update_command::ask,
};
use crate::engine::protocol::{
    Answer, BookView, Listed, Listing, Pair, PairDifference, Query, RecordLine, RecordNumbers, SearchKind,
    ViewFates,
};

/// Found lines that are kept; a search of the lines rests there until it is told to go on.
const MOST_FOUND: usize = 1_000;

/// Records asked for before the one that came into sight, so that scrolling back a little asks nothing.
const PAGE_MARGIN: u64 = 40;

/// What the drawer about fates shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FatesTab {
    /// Fates by view.
    #[default]
    Fates,
    /// A view row by row.
    Rows,
    /// Lines without an event.
    Malformed,
}

impl FatesTab {
    /// All, in order.
    pub const ALL: [FatesTab; 3] = [FatesTab::Fates, FatesTab::Rows, FatesTab::Malformed];

    /// In the window.
    pub fn name(self) -> &'static str {
        match self {
            FatesTab::Fates => "In each view",
            FatesTab::Rows => "Row by row",
            FatesTab::Malformed => "Lines without an event",
        }
    }
}

/// Records listed in the log browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingPage {
    /// Which records.
    pub listing: Listing,
    /// Number of the first record of the page in the listing.
    pub first: u64,
    /// The page; of a search of the lines all that was found.
    pub records: Vec<RecordLine>,
    /// Records in all.
    pub total: u64,
    /// How often they count in the view.
    pub views: u64,
    /// Up to which record lines were looked through, where there is more.
    pub searched_to: Option<u64>,
    /// So many found lines, and the search rests.
    pub rests_at: usize,
    /// Whether an answer has come.
    pub is_known: bool,
    /// Why there is none.
    pub problem: Option<String>,
}

/// What is looked for in the log browser.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchBox {
    /// Where.
    pub kind: SearchKind,
    /// As typed.
    pub text: String,
}

/// What was answered about records and views.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineagePages {
    /// What is typed into the search.
    pub search: SearchBox,
    /// The listing that stands in the log browser.
    pub listing: Option<ListingPage>,
    /// The record whose numbers stand in the log browser.
    pub numbers: Option<Box<RecordNumbers>>,
    /// Fates by view.
    pub fates: Vec<ViewFates>,
    /// What the drawer about fates shows.
    pub tab: FatesTab,
    /// Which views are compared.
    pub pair: Pair,
    /// Why they differ.
    pub difference: Option<Box<PairDifference>>,
    /// Why they cannot be compared now.
    pub problem: Option<String>,
    /// Whether a table stands for the waterfall.
    pub as_table: bool,
}

impl LineagePages {
    /// Of a pair that is not shown any more it does not matter.
    fn cannot_compare(&mut self, pair: Pair, why: String) {
        if pair == self.pair {
            (self.difference, self.problem) = (None, Some(why));
        }
    }
}

/// Chosen or typed while following records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineageEdit {
    /// List these records.
    List(Listing),
    /// This record of the listing came into sight.
    ListAt(u64),
    /// Go on looking through the lines.
    SearchOn,
    /// Back to all records.
    CloseListing,
    /// All records, from this one on.
    From(u64),
    /// Show every number that a record touches.
    Numbers(u64),
    /// Back to the records.
    CloseNumbers,
    /// What to look for.
    SearchText(String),
    /// Where to look for it.
    SearchIn(SearchKind),
    /// Look for it.
    Search,
    /// What the drawer about fates shows.
    Tab(FatesTab),
    /// Which views are compared.
    Compare(Pair),
    /// A table in place of the waterfall, or back.
    AsTable,
}

/// Takes an edit.
pub(super) fn edited(state: &mut State, edit: LineageEdit) -> Vec<Effect> {
    let pages = &mut state.answers.lineage;
    match edit {
        LineageEdit::List(listing) => return list(state, listing),
        LineageEdit::ListAt(at) => return list_at(state, at),
        LineageEdit::SearchOn => return search_on(state),
        LineageEdit::CloseListing => return from(state, state.answers.records.first),
        LineageEdit::From(first) => return from(state, first),
        LineageEdit::Numbers(record) => {
            state.left = Some(LeftDrawer::Log);
            return ask(state, Query::NumbersOf { lane: state.lane, record });
        }
        LineageEdit::CloseNumbers => pages.numbers = None,
        LineageEdit::SearchText(text) => pages.search.text = text,
        LineageEdit::SearchIn(kind) => pages.search.kind = kind,
        LineageEdit::Search => {
            let SearchBox { kind, text } = pages.search.clone();
            if !text.trim().is_empty() {
                return list(state, Listing::Search(kind, text.trim().to_owned()));
            }
        }
        LineageEdit::Tab(tab) => {
            pages.tab = tab;
            return opened(state, RightDrawer::Fates);
        }
        LineageEdit::Compare(pair) => {
            (pages.pair, pages.difference, pages.problem) = (pair, None, None);
            return ask(state, Query::Differences { lane: state.lane, pair });
        }
        LineageEdit::AsTable => pages.as_table = !pages.as_table,
    }
    Vec::new()
}

/// The drawer about differences was opened, in the place of the drawer `before`: it is about versions while these are shown,
/// from their own drawer always about both, and never about one that is gone.
pub(super) fn compares(state: &mut State, before: Option<RightDrawer>) -> Vec<Effect> {
    let now = state.answers.lineage.pair;
    let is_there = |view| match view {
        BookView::Version(number) => state.version(number).is_some(),
        _ => true,
    };
    let is_gone = !now.views().into_iter().all(is_there);
    let comes_from_versions = before == Some(RightDrawer::Versions) && !now.is_of_versions();
    let wants_versions = is_gone
        || comes_from_versions
        || (state.shows_kappa() && !now.views().into_iter().any(BookView::is_version));
    let pair = match state.version_pair() {
        Ok(pair) if wants_versions => pair,
        _ if is_gone => Pair::default(),
        _ => now,
    };
    if pair != now {
        let pages = &mut state.answers.lineage;
        (pages.pair, pages.difference, pages.problem) = (pair, None, None);
    }
    opened(state, RightDrawer::Differences)
}

/// What a drawer that was opened asks for.
pub(super) fn opened(state: &mut State, drawer: RightDrawer) -> Vec<Effect> {
    let lane = state.lane;
    match (drawer, state.answers.lineage.tab) {
        (RightDrawer::Fates, FatesTab::Fates) => ask(state, Query::Fates { lane }),
        (RightDrawer::Fates, FatesTab::Rows) => {
            let (view, first) = (state.rows_of(), state.answers.rows.first);
            ask(state, Query::Rows { lane, view, first, count: PAGE_ROWS })
        }
        (RightDrawer::Fates, FatesTab::Malformed) => {
            ask(state, Query::Malformed { first: 0, count: PAGE_ROWS })
        }
        (RightDrawer::Differences, _) => {
            let pair = state.answers.lineage.pair;
            ask(state, Query::Differences { lane, pair })
        }
        _ => Vec::new(),
    }
}

/// Asks again for what the log browser shows.
pub(super) fn refresh_log(state: &mut State) -> Vec<Effect> {
    let lane = state.lane;
    if let Some(numbers) = &state.answers.lineage.numbers {
        let record = numbers.record.number;
        return ask(state, Query::NumbersOf { lane, record });
    }
    match &state.answers.lineage.listing {
        // The lines of a log do not change, and looking through them takes long.
        Some(page) if is_line_search(&page.listing) => Vec::new(),
        Some(page) => {
            let (listing, first) = (page.listing.clone(), page.first);
            ask(state, Query::RecordsOf { lane, listing, first, count: PAGE_ROWS })
        }
        None => {
            let first = state.answers.records.first;
            ask(state, Query::Records { first, count: PAGE_ROWS })
        }
    }
}

/// All records, from one on.
fn from(state: &mut State, first: u64) -> Vec<Effect> {
    let pages = &mut state.answers.lineage;
    (pages.listing, pages.numbers) = (None, None);
    state.left = Some(LeftDrawer::Log);
    ask(state, Query::Records { first, count: PAGE_ROWS })
}

fn list(state: &mut State, listing: Listing) -> Vec<Effect> {
    state.left = Some(LeftDrawer::Log);
    let pages = &mut state.answers.lineage;
    pages.numbers = None;
    pages.listing = Some(ListingPage {
        listing: listing.clone(),
        first: 0,
        records: Vec::new(),
        total: 0,
        views: 0,
        searched_to: None,
        rests_at: MOST_FOUND,
        is_known: false,
        problem: None,
    });
    ask(state, Query::RecordsOf { lane: state.lane, listing, first: 0, count: PAGE_ROWS })
}

fn list_at(state: &mut State, at: u64) -> Vec<Effect> {
    let is_asked = |query: &Query| matches!(query, Query::RecordsOf { .. });
    if state.answers.pending.iter().any(|(_, query)| is_asked(query)) {
        return Vec::new();
    }
    let Some(page) = state.answers.lineage.listing.as_ref().filter(|page| !is_line_search(&page.listing))
    else {
        return Vec::new();
    };
    let (listing, first) = (page.listing.clone(), at.saturating_sub(PAGE_MARGIN));
    ask(state, Query::RecordsOf { lane: state.lane, listing, first, count: PAGE_ROWS })
}

fn search_on(state: &mut State) -> Vec<Effect> {
    let Some(page) = &state.answers.lineage.listing else { return Vec::new() };
    let (Some(first), listing) = (page.searched_to, page.listing.clone()) else { return Vec::new() };
    ask(state, Query::RecordsOf { lane: state.lane, listing, first, count: PAGE_ROWS })
}

fn is_line_search(listing: &Listing) -> bool {
    matches!(listing, Listing::Search(SearchKind::Line, _))
}

/// Takes an answer; what it asks for next.
pub(super) fn answered(state: &mut State, query: Query, answer: Answer) -> Vec<Effect> {
    let pages = &mut state.answers.lineage;
    match (query, answer) {
        (Query::Fates { .. }, Answer::Fates(fates)) => pages.fates = fates,
        (Query::NumbersOf { .. }, Answer::Numbers(numbers)) => pages.numbers = Some(numbers),
        (Query::Differences { pair, .. }, Answer::Differences(difference)) if pair == pages.pair => {
            (pages.difference, pages.problem) = (Some(difference), None);
        }
        (Query::Differences { pair, .. }, Answer::Nothing(why)) => pages.cannot_compare(pair, why),
        (Query::RecordsOf { listing, first, .. }, Answer::Listed(listed))
            if pages.listing.as_ref().is_some_and(|page| page.listing == listing) =>
        {
            return take_page(state, first, listed);
        }
        (Query::RecordsOf { listing, .. }, Answer::Nothing(why)) => {
            if let Some(page) = pages.listing.as_mut().filter(|page| page.listing == listing) {
                (page.problem, page.is_known) = (Some(why), true);
            }
        }
        (_, Answer::Nothing(why)) => super::update::say(state, why),
        // An answer to something that is not shown any more.
        _ => {}
    }
    Vec::new()
}

fn take_page(state: &mut State, first: u64, listed: Listed) -> Vec<Effect> {
    let Some(page) = &mut state.answers.lineage.listing else { return Vec::new() };
    (page.is_known, page.problem, page.searched_to) = (true, None, listed.searched_to);
    if !is_line_search(&page.listing) {
        (page.first, page.records) = (first, listed.records);
        (page.total, page.views) = (listed.total, listed.views);
        return Vec::new();
    }
    page.records.extend(listed.records);
    page.total = page.records.len() as u64;
    // Full: a person says whether it goes on.
    if page.records.len() >= page.rests_at {
        page.rests_at += MOST_FOUND;
        return Vec::new();
    }
    search_on(state)
}
