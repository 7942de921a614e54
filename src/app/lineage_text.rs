//! The sentences about fates, listings and differences.

use std::borrow::Cow;

use super::{
    Measure,
    format::{self, signed, thousands},
};
use crate::engine::{
    frame::Totals,
    protocol::{BookView, Cause, CausePart, Fate, Listing, NumberOf, Pair, SearchKind},
};

/// A view by name.
pub fn view_name(view: BookView) -> Cow<'static, str> {
    Cow::Borrowed(match view {
        BookView::Version(number) => return Cow::Owned(format!("version {number}")),
        BookView::Batch => "batch view",
        BookView::Speed => "speed view",
        BookView::Memory => "stream's memory",
        BookView::Merged => "merged view",
        BookView::Recount => "full recount",
        BookView::Log => "whole log",
    })
}

/// The same inside a sentence.
pub fn the_view(view: BookView) -> String {
    let article = if view.is_version() { "" } else { "the " };
    format!("{article}{}", view_name(view))
}

/// A view by name, as the head of a narrow column.
pub fn view_short(view: BookView) -> Cow<'static, str> {
    Cow::Borrowed(match view {
        BookView::Version(number) => return Cow::Owned(format!("V{number}")),
        BookView::Batch => "Batch",
        BookView::Speed => "Speed",
        BookView::Memory => "Memory",
        BookView::Merged => "Merged",
        BookView::Recount => "Recount",
        BookView::Log => "Log",
    })
}

/// Where to look, in a few words.
pub fn search_name(kind: SearchKind) -> &'static str {
    match kind {
        SearchKind::Page => "page",
        SearchKind::User => "user",
        SearchKind::Id => "id",
        SearchKind::Offset => "offset",
        SearchKind::Line => "line",
    }
}

/// What is typed there.
pub fn search_hint(kind: SearchKind) -> &'static str {
    match kind {
        SearchKind::Page => "part of a page",
        SearchKind::User => "part of a user",
        SearchKind::Id => "a whole id",
        SearchKind::Offset => "partition:offset",
        SearchKind::Line => "text in the line",
    }
}

/// A fate by name, in a narrow column.
pub fn fate_short(fate: Fate) -> &'static str {
    match fate {
        Fate::CountedInBatch => "in batch",
        Fate::CountedInSpeed => "in speed",
        Fate::CountedAgain => "many times",
        Fate::Lost => "lost",
        Fate::Gap => "in between",
        Fate::Duplicate => "duplicate",
        Fate::Counted | Fate::Late | Fate::Redelivery | Fate::NoUser | Fate::Malformed | Fate::NotYetRead => {
            fate.name()
        }
    }
}

/// What a fate means, in one sentence.
pub fn fate_hint(fate: Fate) -> &'static str {
    match fate {
        Fate::CountedInBatch => "The batch layer counts it.",
        Fate::CountedInSpeed => "The speed layer counts it.",
        Fate::Counted => "It counts.",
        Fate::CountedAgain => "It counts more than once: redelivered, replayed, or in both layers.",
        Fate::Late => "It came after its day was closed, and the stream drops such records.",
        Fate::Duplicate => "Its id was seen before.",
        Fate::Redelivery => "Its own offset is not above the highest seen.",
        Fate::NoUser => "It has no user, and such records are skipped.",
        Fate::Malformed => "No event could be read from the line.",
        Fate::Lost => "It was read, and its effect is gone: with the memory, until it is read again.",
        Fate::Gap => "It lies between what batch and what speed cover.",
        Fate::NotYetRead => "It has not been read for this view.",
    }
}

/// A cause by name.
pub fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Unexplained => "unexplained",
        Cause::NotYetRead => "not yet read",
        Cause::HandedOver => "handed over to batch",
        Cause::Late => "late",
        Cause::CountedTwice => "counted twice",
        Cause::Lost => "read, and lost",
        Cause::Gap => "between the layers",
        Cause::Overlap => "in both layers",
        Cause::DuplicateId => "duplicate id",
        Cause::OtherDayZone => "on another day",
        Cause::OtherPageRule => "on another page",
        Cause::Malformed => "malformed",
        Cause::NoUser => "no user",
        Cause::UniquesAdded => "uniques added",
        Cause::SketchError => "estimated",
    }
}

/// What a cause did, in one sentence. `views` of the part tell which of the two views lacks the records.
pub fn cause_sentence(pair: Pair, part: &CausePart) -> String {
    let (lacking, other) = if part.views < 0 || (part.views == 0 && part.users < 0) {
        (pair.first, pair.second)
    } else {
        (pair.second, pair.first)
    };
    let (lacking, other) = (the_view(lacking), the_view(other));
    let records = many(part.records, "record");
    match part.cause {
        Cause::Unexplained => {
            "The records do not account for this: a view shows something else than its books.".to_owned()
        }
        Cause::NotYetRead => format!("{records} not yet read for {lacking}; {other} counts them."),
        Cause::HandedOver => format!("{records} that batch covers; {lacking} has handed them over."),
        Cause::Late => format!("{records} came after their day was closed; {lacking} dropped them."),
        Cause::CountedTwice => format!("{records} counted more than once in {other}."),
        Cause::Lost => format!("{records} read, and lost with the memory; {lacking} lacks them."),
        Cause::Gap => format!("{records} between what batch and what speed cover; {lacking} lacks them."),
        Cause::Overlap => format!("{records} counted in both layers of {other}."),
        Cause::DuplicateId => {
            format!("{records} seen before; {lacking} skips them, {other} counts them.")
        }
        Cause::OtherDayZone => format!("{records} counted on another day."),
        Cause::OtherPageRule => format!("{records} counted on another page."),
        Cause::Malformed => format!("{records} without an event in {lacking}; {other} counts them."),
        Cause::NoUser => {
            format!("{records} without a user; {lacking} skips them, {other} counts them.")
        }
        Cause::UniquesAdded => "Unique users of two parts were added where they must be united.".to_owned(),
        Cause::SketchError => "One of the two estimates unique users.".to_owned(),
    }
}

/// The part of a cause in the chosen number, with its sign.
pub fn part_text(measure: Measure, part: &CausePart) -> String {
    match measure {
        Measure::Views => signed(i128::from(part.views)),
        Measure::Users => signed(i128::from(part.users)),
        Measure::Sum if part.sum < 0 => format::millionths(part.sum),
        Measure::Sum => format!("+{}", format::millionths(part.sum)),
    }
}

/// The part of a cause as a value to be drawn.
pub fn part_value(measure: Measure, part: &CausePart) -> f64 {
    match measure {
        Measure::Views => part.views as f64,
        Measure::Users => part.users as f64,
        Measure::Sum => part.sum as f64 / 1_000_000.0,
    }
}

/// First minus second in the chosen number, with its sign.
pub fn difference_text(measure: Measure, first: &Totals, second: &Totals) -> String {
    match measure {
        Measure::Views => signed(i128::from(first.views) - i128::from(second.views)),
        Measure::Users => signed(i128::from(first.users) - i128::from(second.users)),
        Measure::Sum => {
            let difference = first.sum - second.sum;
            let sign = if difference > 0 { "+" } else { "" };
            format!("{sign}{}", format::millionths(difference))
        }
    }
}

fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{} {what}s", thousands(count)) }
}

/// What is listed.
pub fn listing_title(listing: &Listing) -> String {
    match listing {
        Listing::Behind(view, number) => format!("Counted in {}{}", the_view(*view), of(number)),
        Listing::Fate(view, fate) => format!("In {}: {}", the_view(*view), fate.name()),
        Listing::Differing(pair, cause, number) => {
            let cause = cause.map_or("what differs", cause_name);
            let (first, second) = (the_view(pair.first), the_view(pair.second));
            format!("{} less {second}: {cause}{}", super::theirs::capital(&first), of(number))
        }
        Listing::Search(kind, text) => format!("Search in {}: {text}", search_name(*kind)),
    }
}

fn of(number: &NumberOf) -> String {
    let mut text = String::new();
    if let Some(page) = &number.page {
        text.push_str(": ");
        text.push_str(page);
    }
    if let Some(day) = number.day {
        text.push_str(if number.page.is_some() { ", " } else { ": " });
        text.push_str(&day.to_string());
    }
    if let Some((from, to)) = number.within {
        text.push_str(": ");
        text.push_str(&format::records_in(from, to));
    }
    text
}

/// How much is listed.
pub fn listing_count(listing: &Listing, total: u64, views: u64, searched_to: Option<u64>) -> String {
    match listing {
        Listing::Behind(..) if views != total => {
            format!("{}, {}", many(total, "record"), many(views, "page view"))
        }
        Listing::Search(SearchKind::Line, _) => match searched_to {
            Some(at) => format!("{} so far; looked through {}", many(total, "record"), many(at, "line")),
            None => many(total, "record"),
        },
        _ => many(total, "record"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_says_which_view_lacks_the_records() {
        let pair = Pair { first: BookView::Merged, second: BookView::Recount };
        let part = CausePart { cause: Cause::Lost, records: 734, views: -734, users: -12, sum: 0 };
        assert_eq!(
            cause_sentence(pair, &part),
            "734 records read, and lost with the memory; the merged view lacks them."
        );
        let turned = Pair { first: BookView::Recount, second: BookView::Merged };
        let turned_part = CausePart { views: 734, ..part };
        assert_eq!(cause_sentence(turned, &turned_part), cause_sentence(pair, &part));
        assert_eq!(part_text(Measure::Views, &part), "-734");
        assert_eq!(part_text(Measure::Users, &CausePart { users: 1_200, ..part }), "+1,200");
    }

    #[test]
    fn a_listing_says_what_and_how_much() {
        let number = NumberOf { page: Some("/a".to_owned()), day: None, within: None };
        let listing = Listing::Behind(BookView::Merged, number);
        assert_eq!(listing_title(&listing), "Counted in the merged view: /a");
        assert_eq!(listing_count(&listing, 1, 1, None), "1 record");
        assert_eq!(listing_count(&listing, 1_000, 1_001, None), "1,000 records, 1,001 page views");
    }
}
