//! What a question costs without views: every record has to be looked at.

use rustc_hash::FxHashSet;

use crate::{
    domain::{Day, KeyId, Verdict},
    ingest::{LogIndex, Totals},
};

/// What a scan of the raw log counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scanned {
    /// Records looked at.
    pub records: u64,
    /// What the matching ones come to.
    pub totals: Totals,
}

/// Counts the events of `key` on the days `[from, to)` among the first `records` records, one after the other.
pub fn scan_log(index: &LogIndex, records: u64, key: KeyId, from: Day, to: Day) -> Scanned {
    let mut scanned = Scanned::default();
    let mut users = FxHashSet::default();
    for (chunk, at) in index.places(0, records) {
        scanned.records += 1;
        let is_match = chunk.key(at) == key && (from..to).contains(&chunk.day(at));
        if is_match && chunk.verdict(at) == Some(Verdict::Counted) {
            let is_new = chunk.user(at).is_some_and(|user| users.insert(user.0));
            scanned.totals.add(chunk.value(at), is_new);
        }
    }
    scanned
}

/// Pages whose name holds `text` in any case: those that start with it first, then by name. At most `most` of them, and
/// how many there are.
pub fn find_pages(index: &LogIndex, text: &str, most: usize) -> (Vec<String>, u64) {
    use crate::domain::NameTable as _;
    let wanted = text.to_lowercase();
    let names = index.keys();
    let mut found: Vec<(bool, &str)> = (0..u32::try_from(names.len()).unwrap_or(u32::MAX))
        .map(|id| names.text(id))
        .filter_map(|name| {
            let at = name.to_lowercase().find(&wanted)?;
            Some((at > 0, name))
        })
        .collect();
    let count = found.len() as u64;
    if found.len() > most {
        found.select_nth_unstable(most);
        found.truncate(most);
    }
    found.sort_unstable();
    (found.into_iter().map(|(_, name)| name.to_owned()).collect(), count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::NameTable as _,
        ingest::{GroupRecount, shop_index},
    };

    #[test]
    fn a_scan_agrees_with_the_prefix_sums_and_names_are_found_by_a_part() {
        let index = shop_index();
        let mut recount = GroupRecount::new();
        for records in [0, 5_000, index.len()] {
            recount.advance_to(&index, records);
            for (key, totals) in recount.keys() {
                let scanned = scan_log(&index, records, key, Day(i32::MIN), Day(i32::MAX));
                assert_eq!(scanned, Scanned { records, totals }, "{}", index.keys().text(key.0));
            }
        }
        assert_eq!(find_pages(&index, "CART", 1), (vec!["cart".to_owned()], 2), "add_to_cart has it inside");
        assert_eq!(find_pages(&index, "no such page", 5), (vec![], 0));
        let (all, count) = find_pages(&index, "", usize::MAX);
        assert_eq!(all.len() as u64, count);
        assert_eq!(index.keys().find("product_view").map(|id| index.keys().text(id)), Some("product_view"));
        assert_eq!(index.keys().find("no such page"), None);
    }
}
