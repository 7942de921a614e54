//! The hand-over on the timeline: a lane with a handle for each partition, one below the other over both rows; where there
//! are too many, those around the one that is selected, over ticks for all.

use eframe::egui::{Align2, Painter, Rect, Stroke, TextFormat, Ui, pos2, text::LayoutJob, vec2};

use crate::{
    app::{HandoverEdit, format::thousands, wrong},
    domain::PartitionIndex,
    ui::{
        canvas::hatch,
        plots::handover::density,
        seams::{Grip, Seam, Seams},
        sliding::Slid,
        theme::{self, BAND, tokens},
        widgets::Out,
    },
};

/// The least height of a lane.
const LANE: f32 = 9.0;
/// Half the width of a handle.
const HALF: f32 = 4.0;

/// Draws handles over the track, which goes from the start of the run to `end` seconds.
pub fn handover_ui(ui: &Ui, painter: &Painter, track: Rect, end: f64, seams: &Seams<'_>, out: &mut Out) {
    let t = tokens(ui);
    #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
    let x = |seconds: f64| track.left() + track.width() * (seconds / end).clamp(0.0, 1.0) as f32;
    let span = |(from, to)| Rect::from_x_y_ranges(x(from)..=x(to), track.y_range());
    for twice in seams.overlaps().into_iter().map(span) {
        painter.rect_filled(twice, 0, t.crash.gamma_multiply(2.0 * BAND));
    }
    for nowhere in seams.gaps().into_iter().map(span) {
        hatch(painter, nowhere, 5.0, t.error);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few lanes")]
    let most = ((track.height() / (LANE * theme::scale(ui))).max(1.0)) as usize;
    let all = seams.each.len();
    let shown = if all > most { seams.shown(1) } else { 0..all };
    if all > most {
        let foot = Rect::from_min_max(pos2(track.left(), track.center().y + 4.0), track.max);
        density(ui, foot, seams, x);
    }
    let lane = track.height() / shown.len().max(1) as f32;
    for (at, seam) in seams.each.get(shown).unwrap_or_default().iter().enumerate() {
        let top = track.top() + at as f32 * lane;
        let row = Rect::from_x_y_ranges(track.x_range(), top..=top + lane);
        let seconds = |x: f32| end * f64::from((x - track.left()) / track.width().max(1.0)).clamp(0.0, 1.0);
        handle_ui(ui, painter, row, seams, (seam, x(seam.cut), x(seam.at())), seconds, out);
    }
}

fn handle_ui(
    ui: &Ui,
    painter: &Painter,
    row: Rect,
    seams: &Seams<'_>,
    (seam, cut, start): (&Seam<'_>, f32, f32),
    seconds: impl Fn(f32) -> f64,
    out: &mut Out,
) {
    let t = tokens(ui);
    let handle = Rect::from_x_y_ranges(start - HALF..=start + HALF, row.shrink2(vec2(0.0, 0.75)).y_range());
    let scope = ui.scope_id();
    let id = |index: PartitionIndex| scope.with(("hand-over", index.index()));
    let offset = seam.start_offset();
    let hit = Rect::from_x_y_ranges(handle.expand(3.0).x_range(), row.y_range());
    let slider = seams.slider(seam, id(seam.index), hit, offset, "");
    let (response, slid) = slider.show(ui, |x| seams.offset_at(seam, seconds(x)));
    if let Some(slid) = slid {
        seams.slid(ui, seam, slid, HandoverEdit::Start, id, out);
    }
    let is_moved = matches!(slid, Some(Slid::To(_)));
    let is_lit = response.hovered() || response.dragged() || response.has_focus() || is_moved;
    let grip = if seam.is_closed() { Grip::Both } else { Grip::Speed };
    if grip == Grip::Speed {
        painter.vline(cut, row.y_range(), Stroke::new(2.0, t.batch));
    }
    grip.paint(painter, handle, t, is_lit);
    if is_lit || (seams.each.len() > 1 && seams.page.selected == Some(seam.index)) {
        label(ui, painter, row, handle, seam, offset);
    }
}

/// Name, offset and what is wrong, beside the handle that is moved.
fn label(ui: &Ui, painter: &Painter, row: Rect, handle: Rect, seam: &Seam<'_>, offset: u64) {
    let t = tokens(ui);
    let font = theme::small(ui);
    let mut job = LayoutJob::default();
    let mut add = |text: &str, color| job.append(text, 0.0, TextFormat::simple(font.clone(), color));
    add(&seam.partition.name, t.strong);
    add(&format!(" {}", thousands(offset)), t.text);
    if let Some(text) = wrong(seam.partition.twice, seam.partition.nowhere, 0) {
        add(&format!("  {text}"), t.error);
    }
    let galley = painter.layout_job(job);
    let (anchor, x) = if handle.center().x < row.center().x {
        (Align2::LEFT_CENTER, handle.right() + 6.0)
    } else {
        (Align2::RIGHT_CENTER, handle.left() - 6.0)
    };
    let at = anchor.anchor_size(pos2(x, row.center().y), galley.size());
    painter.rect_filled(at.expand2(vec2(4.0, 1.0)), 3, t.panel.gamma_multiply(0.92));
    painter.galley(at.min, galley, t.text);
}
