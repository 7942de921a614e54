//! The hand-over on the plots: where batch ends and speed starts in each partition, by the moment at which those records
//! arrived. Drawn while its drawer is open.

use eframe::egui::{Align2, Color32, Rect, Stroke, Ui, vec2};
use egui_plot::{PlotPoint, PlotTransform};

use crate::{
    app::{RightDrawer, State},
    engine::{frame::LaneFrame, protocol::HandoverAnswer},
    ui::{
        canvas::hatch,
        series::arrival,
        theme::{self, BAND, tokens},
    },
};

/// More partitions than this are drawn as one.
const MOST_LINES: usize = 12;

/// A span of run time between the two handles of a partition, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seam {
    /// When the first record behind batch's end arrives.
    pub cut: f64,
    /// When the first record of speed's start arrives; `None` where a time decides.
    pub start: Option<f64>,
}

/// The seams to draw: those of the drawer's answer, while it is open.
pub fn seams(state: &State, lane: &LaneFrame) -> Vec<Seam> {
    let answer =
        state.answers.handover.answer.as_deref().filter(|_| state.right == Some(RightDrawer::Handover));
    answer.map(|answer| of_answer(answer, lane)).unwrap_or_default()
}

fn of_answer(answer: &HandoverAnswer, lane: &LaneFrame) -> Vec<Seam> {
    let seam = |partition: &crate::engine::protocol::HandoverPartition| Seam {
        cut: arrival(&lane.outline, partition.cut_record),
        start: partition.start_record.map(|record| arrival(&lane.outline, record)),
    };
    answer.partitions.iter().take(MOST_LINES).map(seam).collect()
}

/// Spans of run time in which some partition's records are counted twice.
pub fn overlaps(seams: &[Seam]) -> impl Iterator<Item = (f64, f64)> {
    united(seams.iter().filter_map(|seam| seam.start.map(|start| (start, seam.cut))))
}

/// Spans of run time in which some partition's records are counted nowhere.
pub fn gaps(seams: &[Seam]) -> impl Iterator<Item = (f64, f64)> {
    united(seams.iter().filter_map(|seam| seam.start.map(|start| (seam.cut, start))))
}

/// Spans that lie over each other as one: a tint means the same for one partition as for many.
fn united(spans: impl Iterator<Item = (f64, f64)>) -> impl Iterator<Item = (f64, f64)> {
    let mut spans: Vec<(f64, f64)> = spans.filter(|(from, to)| from < to).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    spans.dedup_by(|next, before| {
        let joins = next.0 <= before.1;
        if joins {
            before.1 = before.1.max(next.1);
        }
        joins
    });
    spans.into_iter()
}

/// Paints the seams into a plot.
pub fn paint(ui: &Ui, state: &State, lane: &LaneFrame, transform: &PlotTransform) {
    let seams = seams(state, lane);
    if seams.is_empty() {
        return;
    }
    let t = tokens(ui);
    let frame = *transform.frame();
    let painter = ui.painter().with_clip_rect(frame.intersect(ui.clip_rect()));
    let x = |seconds: f64| transform.position_from_point(&PlotPoint { x: seconds, y: 0.0 }).x;
    let span = |(from, to): (f64, f64)| Rect::from_x_y_ranges(x(from)..=x(to), frame.y_range());
    for twice in overlaps(&seams).map(span) {
        painter.rect_filled(twice, 0, t.crash.gamma_multiply(1.5 * BAND));
    }
    for nowhere in gaps(&seams).map(span) {
        hatch(&painter, nowhere, 6.0, t.error.gamma_multiply(0.6));
    }
    let vertical = |seconds: f64, color: Color32, width: f32| {
        painter.vline(x(seconds), frame.y_range(), Stroke::new(width, color));
    };
    for seam in &seams {
        vertical(seam.cut, t.batch, 1.5);
        if let Some(start) = seam.start {
            vertical(start, t.speed, if (start - seam.cut).abs() < 1e-9 { 0.75 } else { 1.5 });
        }
    }
    let first = seams.iter().map(|seam| x(seam.cut)).fold(f32::INFINITY, f32::min);
    let galley = painter.layout_no_wrap("hand-over".to_owned(), theme::small(ui), t.text);
    let right = first + 6.0 + galley.size().x < frame.right();
    let (anchor, offset) = if right { (Align2::LEFT_BOTTOM, 6.0) } else { (Align2::RIGHT_BOTTOM, -6.0) };
    let at = anchor.anchor_size(eframe::egui::pos2(first + offset, frame.bottom() - 6.0), galley.size());
    painter.rect_filled(at.expand2(vec2(3.0, 1.0)), 3, t.panel.gamma_multiply(0.85));
    painter.galley(at.min, galley, t.text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_over_each_other_are_one() {
        let seam = |cut: u32, start: u32| Seam { cut: f64::from(cut), start: Some(f64::from(start)) };
        let seams =
            [seam(9, 5), seam(6, 2), seam(3, 8), Seam { cut: 1.0, start: None }, seam(4, 4), seam(20, 15)];
        assert_eq!(overlaps(&seams).collect::<Vec<_>>(), [(2.0, 9.0), (15.0, 20.0)]);
        assert_eq!(gaps(&seams).collect::<Vec<_>>(), [(3.0, 8.0)]);
    }
}
