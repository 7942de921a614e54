//! "Ask" through the window: a page and a day, answered from a few cells, held against a scan of the log.

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;

use super::{
    live::{Live, sample},
    look::look,
};

/// Replaces the text of the field with this name.
fn fill(live: &mut Live, field: &str, text: &str) {
    live.h.get_by_label(field).focus();
    live.settle();
    live.ctrl(Key::A);
    live.h.get_by_label(field).type_text(text);
    live.settle();
}

#[test]
fn a_page_and_a_day_are_answered_from_a_few_cells() {
    let mut live = Live::at_the_crash();
    live.key(Key::Slash);
    live.until_sees("product_view, ");
    // A name is offered by a part of it, and taken by Enter.
    fill(&mut live, "Page", "CATAL");
    live.until_sees("catalog");
    look(&live, "ask-typing");
    live.key(Key::Enter);
    live.until_sees("catalog, ");
    live.click("All days");
    live.until_sees("4 Jan 2024 to 29 Jun 2024");
    live.until("an answer over all days", |live| live.sees("The scan counts the same."));
    assert!(
        live.sees("From the raw log it would be 14,7"),
        "the scan looks at every record that merged covers"
    );
    assert!(live.sees("The stream is down or catching up"));
    assert!(live.sees("Users are united over the days"));
    look(&live, "ask-all-days");
    // A single day: one cell of each view at most.
    fill(&mut live, "From", "2024-03-20");
    fill(&mut live, "to", "2024-03-20");
    live.until_sees("catalog, 20 Mar 2024");
    live.until_sees("read (1 of batch, ");
    look(&live, "ask-one-day");
    // Its numbers lead to their records.
    let views = live.state().answers.asking.answer.as_ref().unwrap().1.days[0].parts.merged.views;
    let cell = live.h.query_all_by_label_contains("Counted in the merged view: catalog, 2024-03-20: ").next();
    cell.unwrap().click();
    live.until("the records behind the answer", |live| {
        let listing = live.state().answers.lineage.listing.as_ref();
        listing.is_some_and(|page| page.is_known && page.views == views)
    });
    live.key(Key::L);
    fill(&mut live, "From", "2024-02-30");
    live.until_sees("Not a date: \"2024-02-30\". Write it as 2024-04-26.");
    // The drawer goes along with the run.
    fill(&mut live, "From", "2024-03-20");
    live.click("Restore");
    let page = live.state().answers.asking.answer.clone().unwrap();
    live.click("Play");
    live.until("a newer answer", |live| {
        live.state().answers.asking.answer.as_ref().is_some_and(|(_, asked)| asked.tick > page.1.tick)
    });
}

#[test]
fn a_page_that_nobody_knows_is_said_to_be_unknown() {
    let mut live = Live::opened(&sample("clicks"));
    live.menu("View", "Ask");
    live.until_sees("product, 1 May 2024");
    fill(&mut live, "Page", "nowhere");
    live.until_sees("No page has this in its name.");
    live.key(Key::Enter);
    live.until_sees("No record of a page of this name has been loaded.");
    live.until_sees("Nothing on these days.");
    live.click("Close");
    assert!(!live.sees("Read path and write path"));
}
