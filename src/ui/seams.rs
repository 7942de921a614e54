//! The hand-over in run time, for plots and timeline.
//!
//! A handle stands where the first record behind it *arrived*. No other moment is the same for both layers: a batch run that
//! takes its cut ends exactly there, the stream reads the record from then on, later where it lags, and again after a
//! crash. The two handles of a partition are at one place where each of its records counts once.

use std::ops::Range;

use eframe::egui::{Color32, CornerRadius, Id, Painter, Rect, Stroke, Ui};

use super::{
    series::{arrival, arrived_by},
    sliding::{Slid, Slider},
    theme::Tokens,
    widgets::Out,
};
use crate::{
    app::{Edit, Handles, HandoverEdit, HandoverPage, Input, State},
    domain::PartitionIndex,
    engine::{
        frame::{LaneFrame, OutlinePoint},
        protocol::{HandoverAnswer, HandoverPartition},
    },
};

/// A partition's hand-over. Places are in seconds of run time.
#[derive(Debug, Clone, Copy)]
pub struct Seam<'a> {
    /// Which partition.
    pub index: PartitionIndex,
    /// What becomes of its records.
    pub partition: &'a HandoverPartition,
    /// Its handles, as offsets.
    pub handles: Handles,
    /// Where batch ends.
    pub cut: f64,
    /// Where speed starts; `None` where a time decides.
    pub start: Option<f64>,
    /// How far the stream has read.
    pub read: f64,
}

impl Seam<'_> {
    /// Where its handle stands: where speed starts; where a time decides, where batch ends.
    pub fn at(&self) -> f64 {
        self.start.unwrap_or(self.cut)
    }

    /// The offset at which it stands.
    pub fn start_offset(&self) -> u64 {
        self.handles.start.unwrap_or(self.handles.cut)
    }

    /// Whether speed starts where batch ends.
    pub fn is_closed(&self) -> bool {
        self.handles.start.is_none_or(|start| start == self.handles.cut)
    }

    /// Between the handles, as far as both have read: counted twice.
    fn twice(&self) -> (f64, f64) {
        (self.at(), self.cut.min(self.read))
    }

    /// Between the handles, as far as the stream has read: counted nowhere.
    fn nowhere(&self) -> (f64, f64) {
        (self.cut, self.at().min(self.read))
    }
}

/// The hand-over of all partitions.
#[derive(Debug)]
pub struct Seams<'a> {
    /// As it is set up.
    pub page: &'a HandoverPage,
    /// What comes of it.
    pub answer: &'a HandoverAnswer,
    /// In partition order.
    pub each: Vec<Seam<'a>>,
    outline: &'a [OutlinePoint],
}

impl<'a> Seams<'a> {
    /// Those to draw, if any are.
    pub fn of(state: &'a State, lane: &'a LaneFrame) -> Option<Seams<'a>> {
        let (page, answer) = state.handover_on_plots()?;
        let outline = &*lane.outline;
        let seam = |(index, partition): (PartitionIndex, &'a HandoverPartition)| {
            let handles = page.handles(index, partition);
            let at = |offset| arrival(outline, partition.record_at(offset, answer.bin_records));
            Seam {
                index,
                partition,
                handles,
                cut: at(handles.cut),
                start: handles.start.map(at),
                read: at(partition.position),
            }
        };
        let each = (0_u16..).map(PartitionIndex).zip(&answer.partitions).map(seam).collect();
        Some(Seams { page, answer, each, outline })
    }

    /// The offset of a partition at a moment.
    pub fn offset_at(&self, seam: &Seam<'_>, seconds: f64) -> u64 {
        seam.partition.offset_at(arrived_by(self.outline, seconds), self.answer.bin_records)
    }

    /// Which of them stand in so many rows: all, or those around the one that is selected.
    pub fn shown(&self, rows: usize) -> Range<usize> {
        page(self.each.len(), rows, self.page.selected.map_or(0, PartitionIndex::index))
    }

    /// The one whose handle is nearest to a moment.
    pub fn nearest(&self, seconds: f64) -> Option<PartitionIndex> {
        let far = |seam: &Seam<'_>| (seam.at() - seconds).abs();
        self.each.iter().min_by(|a, b| far(a).total_cmp(&far(b))).map(|seam| seam.index)
    }

    /// Spans of run time in which some partition's records are counted twice.
    pub fn overlaps(&self) -> Vec<(f64, f64)> {
        united(self.each.iter().map(Seam::twice))
    }

    /// Spans of run time in which some partition's records are counted nowhere.
    pub fn gaps(&self) -> Vec<(f64, f64)> {
        united(self.each.iter().map(Seam::nowhere))
    }

    /// Takes what is done to a handle. `id` is that of the handle of any partition.
    pub fn slid(
        &self,
        ui: &Ui,
        seam: &Seam<'_>,
        slid: Slid,
        to: fn(PartitionIndex, u64) -> HandoverEdit,
        id: impl Fn(PartitionIndex) -> Id,
        out: &mut Out,
    ) {
        let edit = match slid {
            Slid::To(offset) => to(seam.index, offset),
            Slid::Held if self.page.selected == Some(seam.index) => return,
            Slid::Held => HandoverEdit::Select(seam.index),
            Slid::Step(step) => {
                let last = self.each.len().saturating_sub(1);
                let next = seam.index.index().saturating_add_signed(step).min(last);
                let Some(next) = self.each.get(next) else { return };
                ui.memory_mut(|memory| memory.request_focus(id(next.index)));
                HandoverEdit::Select(next.index)
            }
        };
        out.push(Input::Edit(Edit::Handover(edit)));
    }

    /// A handle to be taken hold of.
    pub fn slider(&self, seam: &Seam<'_>, id: Id, hit: Rect, at: u64, place: &str) -> Slider {
        let name = format!("hand-over of {}{place}", seam.partition.name);
        let has_neighbours = self.each.len() > 1;
        Slider { id, hit, name, at, most: seam.partition.arrived, has_neighbours }
    }
}

/// The page of `rows` out of `all` on which one stands: dragging it never turns the page.
fn page(all: usize, rows: usize, one: usize) -> Range<usize> {
    let rows = rows.max(1);
    let first = one.min(all.saturating_sub(1)) / rows * rows;
    first..(first + rows).min(all)
}

/// Spans that lie over each other as one: a tint means the same for one partition as for many.
fn united(spans: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = spans.filter(|(from, to)| from < to).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    spans.dedup_by(|next, before| {
        let joins = next.0 <= before.1;
        if joins {
            before.1 = before.1.max(next.1);
        }
        joins
    });
    spans
}

/// How a handle looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {
    /// Batch ends and speed starts here.
    Both,
    /// Batch ends here.
    Batch,
    /// Speed starts here.
    Speed,
}

impl Grip {
    /// Paints it, with a rim while it is under the pointer or has the focus.
    pub fn paint(self, painter: &Painter, rect: Rect, t: &Tokens, is_lit: bool) {
        let (left, right) = match self {
            Grip::Both => (t.batch, t.speed),
            Grip::Batch => (t.batch, t.batch),
            Grip::Speed => (t.speed, t.speed),
        };
        let radius = 3;
        let half = |color: Color32, rect: Rect, corners: CornerRadius| {
            painter.rect_filled(rect, corners, color);
        };
        let middle = rect.center().x;
        let corners = CornerRadius { nw: radius, sw: radius, ..CornerRadius::ZERO };
        half(left, rect.with_max_x(middle), corners);
        let corners = CornerRadius { ne: radius, se: radius, ..CornerRadius::ZERO };
        half(right, rect.with_min_x(middle), corners);
        if is_lit {
            let stroke = Stroke::new(1.5, t.strong);
            painter.rect_stroke(rect, radius, stroke, eframe::egui::StrokeKind::Outside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_over_each_other_are_one() {
        let spans = [(5, 9), (2, 6), (8, 3), (4, 4), (15, 20)];
        let spans = spans.map(|(from, to): (u32, u32)| (f64::from(from), f64::from(to)));
        assert_eq!(united(spans.into_iter()), [(2.0, 9.0), (15.0, 20.0)]);
    }

    #[test]
    fn a_page_of_handles_holds_the_one_that_is_moved() {
        assert_eq!(page(3, 5, 2), 0..3);
        assert_eq!(page(200, 6, 0), 0..6);
        assert_eq!(page(200, 6, 5), 0..6);
        assert_eq!(page(200, 6, 6), 6..12);
        assert_eq!(page(200, 6, 199), 198..200);
        assert_eq!(page(0, 6, 4), 0..0);
        assert_eq!(page(7, 0, 4), 4..5);
    }
}
