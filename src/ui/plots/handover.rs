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
    for seam in &seams {
        let cut = x(seam.cut);
        let Some(start) = seam.start.map(x) else { continue };
        let span = Rect::from_x_y_ranges(cut.min(start)..=cut.max(start), frame.y_range());
        if start < cut {
            painter.rect_filled(span, 0, t.crash.gamma_multiply(BAND * 1.5));
        } else {
            hatch(&painter, span, 6.0, t.error.gamma_multiply(0.6));
        }
    }
    let line = |seconds: f64, color: Color32, width: f32| {
        painter.vline(x(seconds), frame.y_range(), Stroke::new(width, color));
    };
    for seam in &seams {
        line(seam.cut, t.batch, 1.5);
        if let Some(start) = seam.start {
            line(start, t.speed, if (start - seam.cut).abs() < 1e-9 { 0.75 } else { 1.5 });
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
