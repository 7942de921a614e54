//! What is worst among the records of each pixel column of the strip: however many records share a column, one that is
//! lost or counts twice is seen.

use std::collections::BTreeMap;

use eframe::egui::{Painter, Rect, pos2};

use crate::{
    domain::Run,
    engine::frame::{Gap, GapKind, Proof},
    ui::theme::Tokens,
};

/// Height of the mark over a column in which some record does not count.
const CAP: f32 = 3.0;

/// The worst that becomes of a record of a column, worse ones last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worst {
    /// It never counts.
    Never,
    /// It should count and does not.
    Lost,
    /// It counts so often.
    Again(u32),
}

/// Columns in which not every record counts once. `x` is where a record is.
pub(super) fn columns(proof: &Proof, x: impl Fn(u64) -> f32) -> BTreeMap<i32, Worst> {
    let mut columns = BTreeMap::new();
    let mut note = |start: u64, end: u64, worst: Worst| {
        #[expect(clippy::cast_possible_truncation, reason = "pixel columns")]
        let (first, last) =
            (x(start).floor() as i32, (x(end).ceil() as i32 - 1).max(x(start).floor() as i32));
        for column in first..=last {
            let known = columns.entry(column).or_insert(worst);
            *known = worst.max(*known);
        }
    };
    for &Gap { start, end, kind } in &proof.gaps {
        note(
            start,
            end,
            match kind {
                GapKind::Lost => Worst::Lost,
                GapKind::Never => Worst::Never,
            },
        );
    }
    for &Run { start, end, count } in proof.counted.iter().filter(|run| run.count > 1) {
        note(start, end, Worst::Again(count));
    }
    columns
}

/// Paints them over the row that ends at `row`'s foot; `unit` is the height of one count.
pub(super) fn paint(painter: &Painter, row: Rect, unit: f32, columns: &BTreeMap<i32, Worst>, t: &Tokens) {
    let mut each = columns.iter().peekable();
    while let Some((&first, &worst)) = each.next() {
        let mut last = first;
        while each.next_if(|(column, next)| **column == last + 1 && **next == worst).is_some() {
            last += 1;
        }
        let (left, right) = (first as f32, (last + 1) as f32);
        let (top, foot, color) = match worst {
            Worst::Never => (row.bottom() - unit, row.bottom() - unit + CAP, t.subdued),
            Worst::Lost => (row.bottom() - unit, row.bottom() - unit + CAP, t.crash),
            Worst::Again(times) => {
                (row.bottom() - unit * times as f32, row.bottom(), t.crash.gamma_multiply(0.8))
            }
        };
        painter.rect_filled(Rect::from_min_max(pos2(left, top), pos2(right, foot)), 0, color);
    }
}

/// What becomes of the records of a piece, in words.
pub(super) fn in_words(proof: &Proof, from: u64, to: u64) -> String {
    let within = |start: u64, end: u64| end.min(to).saturating_sub(start.max(from));
    let mut parts = Vec::new();
    let mut counts: Vec<u32> = Vec::new();
    for run in proof.counted.iter().filter(|run| within(run.start, run.end) > 0) {
        if !counts.contains(&run.count) {
            counts.push(run.count);
        }
    }
    for count in counts {
        let runs = proof.counted.iter().filter(|run| run.count == count);
        let records: u64 = runs.map(|run| within(run.start, run.end)).sum();
        parts.push(format!("{records} counted {count}x"));
    }
    for (kind, words) in [(GapKind::Lost, "lost"), (GapKind::Never, "never counted")] {
        let gaps = proof.gaps.iter().filter(|gap| gap.kind == kind);
        let records: u64 = gaps.map(|gap| within(gap.start, gap.end)).sum();
        if records > 0 {
            parts.push(format!("{records} {words}"));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_among_many_is_seen_in_its_column_and_the_worst_is_what_is_seen() {
        // A hundred records a column.
        let x = |record: u64| record as f32 / 100.0;
        let gap = |start, kind| Gap { start, end: start + 1, kind };
        let proof = Proof {
            to: 1_000_000,
            counted: vec![
                Run { start: 0, end: 512_345, count: 1 },
                Run { start: 512_345, end: 512_346, count: 2 },
                Run { start: 512_346, end: 1_000_000, count: 1 },
            ],
            gaps: vec![
                gap(70, GapKind::Never),
                gap(71, GapKind::Lost),
                gap(250, GapKind::Never),
                gap(512_301, GapKind::Lost),
            ],
            ..Proof::default()
        };
        let expected = [(0, Worst::Lost), (2, Worst::Never), (5_123, Worst::Again(2))];
        assert_eq!(columns(&proof, x), BTreeMap::from(expected));
        assert_eq!(in_words(&proof, 512_300, 512_400), "99 counted 1x, 1 counted 2x, 1 lost");
    }
}
