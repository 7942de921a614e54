//! The lines of the hand-over in the plots: taken hold of by mouse as the handles below are; elsewhere the plots are plots.

use eframe::egui::{Pos2, pos2};
use egui_kittest::kittest::Queryable as _;
use rederive::engine::protocol::{HandoverSetup, Listing};

use crate::{
    handover::{answer, drag, many, place, settled},
    live::Live,
    look::look,
};

const LINE: &str = "line of partition-001, merged view";
const HANDLE: &str = "hand-over of partition-001, merged view";

fn setup(live: &Live) -> HandoverSetup {
    live.state().answers.handover.setup.clone()
}

fn focus(live: &mut Live, label: &str) {
    live.h.get_by_label(label).focus();
    live.settle();
}

fn click(live: &mut Live, at: Pos2) {
    live.h.hover_at(at);
    live.settle();
    live.h.drag_at(at);
    live.h.drop_at(at);
    live.settle();
}

fn listed_to(live: &Live) -> Option<u64> {
    match &live.state().answers.lineage.listing.as_ref()?.listing {
        Listing::Behind(_, number) => number.within.map(|(_, to)| to),
        _ => None,
    }
}

#[test]
fn a_line_moves_as_its_handle_does_and_a_click_on_it_is_one_on_the_plot() {
    let (mut live, _log) = many(3);
    let cut = answer(&live).partitions[1].cut;
    // All lines are at one place here: the one whose handle has the focus is taken, else the first.
    live.h.get_by_label("line of partition-000, merged view");
    assert!(!live.sees(LINE));
    focus(&mut live, HANDLE);
    drag(&mut live, LINE, -20.0);
    let by_line = setup(&live);
    assert!(answer(&live).partitions[1].twice > 0, "{by_line:?}");
    live.until_sees(" counted twice.");
    live.click("Put back");
    settled(&mut live);
    assert_ne!(setup(&live), by_line);
    drag(&mut live, HANDLE, -20.0);
    assert_eq!(setup(&live), by_line, "the same by its handle");
    // Now it stands alone. A click on it and one beside it list what had arrived by then, and move nothing.
    let there = place(&live, LINE);
    click(&mut live, there);
    let on_it = listed_to(&live).expect("records are listed");
    // With the log browser open the plots are narrower.
    let there = place(&live, LINE);
    click(&mut live, pos2(there.x - 12.0, there.y));
    let beside = listed_to(&live).unwrap();
    assert!(0 < beside && beside < on_it, "{beside} {on_it}");
    assert_eq!(setup(&live), by_line);
    // The plot itself is still dragged elsewhere.
    let from = pos2(there.x + 60.0, there.y);
    live.h.drag_at(from);
    live.settle();
    live.h.hover_at(pos2(from.x + 30.0, from.y));
    live.settle();
    live.h.drop_at(pos2(from.x + 30.0, from.y));
    live.settle();
    assert!(place(&live, LINE).x > there.x + 20.0, "the plot has moved");
    assert_eq!(setup(&live), by_line);
    // In the batch view the end of batch is moved.
    focus(&mut live, "hand-over of partition-001, batch view");
    drag(&mut live, "line of partition-001, batch view", -15.0);
    assert!(answer(&live).partitions[1].cut < cut);
}

#[test]
fn the_line_that_would_be_taken_is_marked_with_its_name() {
    let (mut live, _log) = many(3);
    focus(&mut live, HANDLE);
    drag(&mut live, LINE, -20.0);
    let there = place(&live, LINE);
    live.h.hover_at(pos2(there.x + 3.0, there.y));
    live.settle();
    look(&live, "handover-line-hovered");
    live.h.drag_at(there);
    live.settle();
    live.h.hover_at(pos2(there.x + 15.0, there.y + 20.0));
    settled(&mut live);
    look(&live, "handover-line-dragged");
    live.h.drop_at(pos2(there.x + 15.0, there.y + 20.0));
    settled(&mut live);
    let now = place(&live, LINE);
    assert!(now.x > there.x + 10.0, "{there:?} {now:?}");
}

#[test]
fn of_many_partitions_the_line_of_the_one_that_is_selected_is_taken() {
    let (mut live, _log) = many(40);
    drag(&mut live, "line of partition-000, merged view", -20.0);
    assert!(answer(&live).partitions[0].twice > 0);
    let there = place(&live, "line of partition-000, merged view");
    live.h.hover_at(there);
    live.settle();
    look(&live, "handover-line-of-40");
}
