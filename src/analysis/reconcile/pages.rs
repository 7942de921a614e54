//! What others do to a page before they count it.

use crate::{
    domain::{NameTable as _, Names},
    ingest::NO_NAME,
};

/// Steps that are done to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct PageRule(u8);

impl PageRule {
    pub const STRIP_QUERY: PageRule = PageRule(1);
    pub const LOWER_CASE: PageRule = PageRule(2);
    pub const NO_LAST_SLASH: PageRule = PageRule(4);
    pub const UPPER_CASE: PageRule = PageRule(8);
    const COUNT: u8 = 16;

    /// From the names of `--page-clean`.
    pub fn from_steps(steps: &[String]) -> PageRule {
        steps.iter().fold(PageRule::default(), |rule, step| match step.as_str() {
            "strip-query" => PageRule(rule.0 | PageRule::STRIP_QUERY.0),
            "lower-case" => PageRule(rule.0 | PageRule::LOWER_CASE.0),
            _ => rule,
        })
    }

    /// All rules.
    pub fn all() -> impl Iterator<Item = PageRule> {
        let rules = (0..PageRule::COUNT).map(PageRule);
        rules.filter(|rule| !(rule.has(PageRule::LOWER_CASE) && rule.has(PageRule::UPPER_CASE)))
    }

    fn has(self, step: PageRule) -> bool {
        self.0 & step.0 != 0
    }

    /// In how many steps two rules differ.
    pub fn distance(self, other: PageRule) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    fn apply(self, page: &str) -> String {
        let page = match page.find('?') {
            Some(at) if self.has(PageRule::STRIP_QUERY) => page.get(..at).unwrap_or_default(),
            _ => page,
        };
        let page = match page.strip_suffix('/') {
            Some(shorter) if self.has(PageRule::NO_LAST_SLASH) && !shorter.is_empty() => shorter,
            _ => page,
        };
        if self.has(PageRule::LOWER_CASE) {
            return page.to_lowercase();
        }
        if self.has(PageRule::UPPER_CASE) { page.to_uppercase() } else { page.to_owned() }
    }

    /// How pages under this rule differ from those under `ours`, in words.
    pub fn sentence(self, ours: PageRule) -> String {
        let steps = [
            (PageRule::STRIP_QUERY, "are without query strings", "keep their query strings"),
            (PageRule::LOWER_CASE, "are in lower case", "keep upper and lower case"),
            (PageRule::UPPER_CASE, "are in upper case", "keep upper and lower case"),
            (PageRule::NO_LAST_SLASH, "are without a slash at the end", "keep a slash at the end"),
        ];
        let changed = steps.into_iter().filter(|(step, ..)| self.has(*step) != ours.has(*step));
        let words: Vec<&str> =
            changed.map(|(step, with, without)| if self.has(step) { with } else { without }).collect();
        format!("its pages {}", words.join(" and "))
    }

    /// In files.
    pub fn id(self) -> String {
        let names = [
            (PageRule::STRIP_QUERY, "strip-query"),
            (PageRule::LOWER_CASE, "lower-case"),
            (PageRule::UPPER_CASE, "upper-case"),
            (PageRule::NO_LAST_SLASH, "no-last-slash"),
        ];
        let on: Vec<&str> =
            names.into_iter().filter(|(step, _)| self.has(*step)).map(|(_, name)| name).collect();
        if on.is_empty() { "as-written".to_owned() } else { on.join(",") }
    }
}

/// Pages under every rule.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// All pages of ours under any rule, and all of theirs.
    pub names: Names,
    /// By rule: from the number of a page as written to that of what becomes of it.
    tables: Vec<Vec<u32>>,
}

impl Pages {
    /// The tables for all pages of a log. Where their view has no pages, all are one.
    pub fn new(as_written: &Names, has_pages: bool) -> Pages {
        let mut pages = Pages::default();
        let count = u32::try_from(as_written.len()).unwrap_or(u32::MAX);
        for rule in PageRule::all() {
            let place = usize::from(rule.0);
            let cleaned = (0..count).map(|id| {
                let cleaned = rule.apply(as_written.text(id));
                match (cleaned.is_empty(), has_pages) {
                    (true, _) => NO_NAME,
                    (false, true) => pages.names.intern(&cleaned),
                    (false, false) => pages.names.intern(""),
                }
            });
            let table: Vec<u32> = cleaned.collect();
            pages.tables.resize(place, Vec::new());
            pages.tables.push(table);
        }
        pages
    }

    /// What becomes of a page; [`NO_NAME`] where nothing is left.
    pub fn page(&self, rule: PageRule, as_written: u32) -> u32 {
        let table = self.tables.get(usize::from(rule.0));
        table.and_then(|table| table.get(as_written as usize)).copied().unwrap_or(NO_NAME)
    }

    /// Whether a rule changes nothing for any page of the log.
    pub fn is_same(&self, one: PageRule, other: PageRule) -> bool {
        self.tables.get(usize::from(one.0)) == self.tables.get(usize::from(other.0))
    }
}
