//! The lines of the hand-over on a plot. Each can be taken hold of as its handle below the plot can; a click that moves
//! nothing is one on the plot.

use eframe::egui::{
    Color32, CursorIcon, Id, Pos2, Rangef, Rect, Response, Role, Sense, Stroke, TextFormat, Ui,
    emath::GuiRounding as _, pos2, text::LayoutJob, vec2,
};
use egui_plot::PlotTransform;

use super::{MOST_LINES, handle_id};
use crate::{
    app::{AppCommand, HandoverEdit, Input, format::thousands, wrong},
    domain::PartitionIndex,
    ui::{
        plots::Panel,
        seams::{Seam, Seams},
        sliding::Slid,
        theme::{self, Tokens, tokens},
        widgets::{Out, named},
    },
};

/// How near to a line the pointer takes hold of it.
const REACH: f32 = 5.0;
/// Lines that are nearer to each other cannot be told apart.
const APART: f32 = 0.5;

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Batch ends here.
    Batch,
    /// Speed starts here; also where both are at one place.
    Speed,
}

impl Edge {
    /// What the handles below a plot move.
    pub fn of_handles(panel: Panel) -> Edge {
        match panel {
            Panel::Batch => Edge::Batch,
            Panel::Speed | Panel::Merged => Edge::Speed,
        }
    }

    fn color(self, t: &Tokens) -> Color32 {
        match self {
            Edge::Batch => t.batch,
            Edge::Speed => t.speed,
        }
    }

    /// Where it is, as seconds of run time and as an offset.
    fn of(self, seam: &Seam<'_>) -> (f64, u64) {
        match self {
            Edge::Batch => (seam.cut, seam.handles.cut),
            Edge::Speed => (seam.at(), seam.start_offset()),
        }
    }

    fn edit(self) -> fn(PartitionIndex, u64) -> HandoverEdit {
        match self {
            Edge::Batch => HandoverEdit::Cut,
            Edge::Speed => HandoverEdit::Start,
        }
    }
}

/// A line that is to be seen best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lit {
    /// Of which partition.
    pub index: PartitionIndex,
    /// Which of its lines.
    pub edge: Edge,
    /// How high up the pointer is, where it is at the line itself.
    pub pointer: Option<f32>,
}

/// What is done to the lines of a plot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken {
    /// The line that is held, or would be.
    pub lit: Option<Lit>,
    /// Where the plot was clicked through a line.
    pub clicked: Option<Pos2>,
}

/// The lines of a plot.
pub struct Lines<'a, 'b> {
    /// The hand-over.
    pub seams: &'a Seams<'b>,
    /// Of which plot.
    pub panel: Panel,
    /// Its time axis.
    pub transform: &'a PlotTransform,
}

/// A line, across the window.
struct Line<'a> {
    seam: &'a Seam<'a>,
    edge: Edge,
    x: f32,
    id: Id,
}

impl Lines<'_, '_> {
    /// Draws the lines: all, or where they are too many that of the partition that is selected.
    pub fn paint(&self, ui: &Ui) {
        let t = tokens(ui);
        let frame = *self.transform.frame();
        let painter = ui.painter().with_clip_rect(frame.intersect(ui.clip_rect()));
        let vertical = |seconds: f64, color: Color32, width: f32| {
            painter.vline(self.x(seconds), frame.y_range(), Stroke::new(width, color));
        };
        for seam in self.drawn() {
            if self.panel != Panel::Speed {
                vertical(seam.cut, t.batch, 1.5);
            }
            if let Some(start) = seam.start.filter(|_| self.panel != Panel::Batch) {
                let is_over_another = seam.is_closed() && self.panel == Panel::Merged;
                vertical(start, t.speed, if is_over_another { 0.75 } else { 1.5 });
            }
        }
    }

    /// Takes what is done to them.
    pub fn take(&self, ui: &Ui, out: &mut Out) -> Taken {
        let mut taken = Taken::default();
        let frame = *self.transform.frame();
        for (line, cell) in self.to_be_held(ui) {
            let hit = Rect::from_x_y_ranges(cell, frame.y_range());
            // The keyboard finds the handle below; a second stop at the same thing would be in its way.
            let response = ui.interact(hit, line.id, Sense::CLICK | Sense::DRAG);
            let response = response.on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
            let place = self.panel.title().to_lowercase();
            let name = match (self.panel, line.edge) {
                (Panel::Merged, Edge::Batch) => {
                    format!("end of batch in {}, {place}", line.seam.partition.name)
                }
                _ => format!("line of {}, {place}", line.seam.partition.name),
            };
            named(&response, Role::Splitter, name);
            self.moved(ui, &line, &response, out);
            if response.hovered() || response.dragged() {
                let pointer = response.interact_pointer_pos().or(response.hover_pos());
                let pointer = pointer.map(|pointer| pointer.y);
                taken.lit = Some(Lit { index: line.seam.index, edge: line.edge, pointer });
            }
            if response.clicked() {
                taken.clicked = response.interact_pointer_pos();
            }
            if response.double_clicked() {
                out.push(Input::Command(AppCommand::Fit));
            }
        }
        taken
    }

    fn moved(&self, ui: &Ui, line: &Line<'_>, response: &Response, out: &mut Out) {
        use eframe::egui::PointerButton::Primary;
        let (seam, edge) = (line.seam, line.edge);
        let handle = |index| handle_id(ui, self.panel, index);
        if response.drag_started_by(Primary) {
            if edge == Edge::of_handles(self.panel) {
                ui.memory_mut(|memory| memory.request_focus(handle(seam.index)));
            }
            self.seams.slid(ui, seam, Slid::Held, edge.edit(), handle, out);
        }
        let held_at = response.interact_pointer_pos().filter(|_| response.dragged_by(Primary));
        let Some(pointer) = held_at else { return };
        let seconds = self.transform.value_from_position(pos2(pointer.x, 0.0)).x;
        let to = self.seams.offset_at(seam, seconds).min(seam.partition.arrived);
        if to != edge.of(seam).1 {
            self.seams.slid(ui, seam, Slid::To(to), edge.edit(), handle, out);
        }
    }

    /// The line that is held or would be, its partition's name and what is wrong there.
    pub fn highlight(&self, ui: &Ui, lit: Lit) {
        let Some(seam) = self.seams.each.get(lit.index.index()) else { return };
        let is_drawn = lit.edge == Edge::Batch || self.panel == Panel::Merged || seam.start.is_some();
        let x = self.x(lit.edge.of(seam).0);
        let t = tokens(ui);
        let frame = *self.transform.frame();
        if !is_drawn || !frame.x_range().contains(x) {
            return;
        }
        let painter = ui.painter().with_clip_rect(frame.intersect(ui.clip_rect()));
        painter.vline(x, frame.y_range(), Stroke::new(7.0, t.strong.gamma_multiply(0.16)));
        painter.vline(x, frame.y_range(), Stroke::new(2.5, lit.edge.color(t)));
        if let Some(y) = lit.pointer {
            self.tag(ui, pos2(x, y), seam, lit.edge);
        }
    }

    /// Beside the pointer: whose line it is, where it stands, what is wrong.
    fn tag(&self, ui: &Ui, at: Pos2, seam: &Seam<'_>, edge: Edge) {
        let t = tokens(ui);
        let frame = *self.transform.frame();
        let painter = ui.painter().with_clip_rect(frame.intersect(ui.clip_rect()));
        let font = theme::small(ui);
        let mut job = LayoutJob::default();
        let mut add = |text: &str, color| job.append(text, 0.0, TextFormat::simple(font.clone(), color));
        add(&seam.partition.name, t.strong);
        add(&format!(" {}", thousands(edge.of(seam).1)), t.text);
        let partition = seam.partition;
        if let Some(text) =
            wrong(partition.twice, partition.nowhere, 0).filter(|_| self.panel == Panel::Merged)
        {
            add(&format!("\n{text}"), t.error);
        }
        let galley = painter.layout_job(job);
        let size = galley.size();
        // On the side where there is more room, above the pointer's own picture.
        let left = if at.x < frame.center().x { at.x + REACH + 5.0 } else { at.x - REACH - 5.0 - size.x };
        let top = (at.y - size.y - 8.0).clamp(frame.top() + 4.0, (frame.bottom() - size.y).max(frame.top()));
        let place = Rect::from_min_size(pos2(left, top).round_to_pixels(ui.pixels_per_point()), size);
        painter.rect_filled(place.expand2(vec2(5.0, 3.0)), 4, t.raised);
        painter.rect_stroke(
            place.expand2(vec2(5.0, 3.0)),
            4,
            Stroke::new(1.0, t.hairline),
            eframe::egui::StrokeKind::Outside,
        );
        painter.galley(place.min, galley, t.text);
    }

    fn x(&self, seconds: f64) -> f32 {
        self.transform.position_from_point_x(seconds)
    }

    fn drawn(&self) -> &[Seam<'_>] {
        let all = self.seams.each.len();
        let lines = if all > MOST_LINES { self.seams.shown(1) } else { 0..all };
        self.seams.each.get(lines).unwrap_or_default()
    }

    fn line<'s>(&self, ui: &Ui, seam: &'s Seam<'s>, edge: Edge) -> Line<'s> {
        let frame = self.transform.frame().x_range();
        let id = ui.scope_id().with(("hand-over line", self.panel.title(), edge, seam.index.index()));
        // One that is held stays while the pointer is beyond the end of the plot.
        let x = self.x(edge.of(seam).0);
        let x = if is_held(ui, id) { frame.clamp(x) } else { x };
        Line { seam, edge, x, id }
    }

    /// Lines within sight with the part of the width that belongs to each, none of them over another. Of those at one
    /// place it is the one that is held, else the one whose handle has the focus, else the first.
    fn to_be_held(&self, ui: &Ui) -> Vec<(Line<'_>, Rangef)> {
        let frame = self.transform.frame().x_range();
        let line = |seam, edge| self.line(ui, seam, edge);
        let mut lines: Vec<Line<'_>> = Vec::new();
        for seam in self.drawn() {
            match self.panel {
                Panel::Batch => lines.push(line(seam, Edge::Batch)),
                Panel::Speed => lines.extend(seam.start.map(|_| line(seam, Edge::Speed))),
                Panel::Merged => {
                    lines.push(line(seam, Edge::Speed));
                    let has_two = !seam.is_closed();
                    lines.extend(has_two.then(|| line(seam, Edge::Batch)));
                }
            }
        }
        lines.retain(|line| frame.contains(line.x));
        let focused = ui.memory(eframe::egui::Memory::focused);
        let rank = |line: &Line<'_>| {
            let has_focus = line.edge == Edge::of_handles(self.panel)
                && focused == Some(handle_id(ui, self.panel, line.seam.index));
            match (is_held(ui, line.id), has_focus) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            }
        };
        lines.sort_by(|a, b| a.x.total_cmp(&b.x));
        let mut nearest: Vec<Line<'_>> = Vec::new();
        let mut place = f32::NEG_INFINITY;
        for line in lines {
            let order = |line: &Line<'_>| (rank(line), line.seam.index);
            match nearest.last_mut() {
                Some(other) if line.x - place < APART => {
                    if order(&line) < order(other) {
                        *other = line;
                    }
                }
                _ => {
                    place = line.x;
                    nearest.push(line);
                }
            }
        }
        let cells = cells(&nearest.iter().map(|line| line.x).collect::<Vec<_>>());
        nearest.into_iter().zip(cells).collect()
    }
}

/// Whether the pointer went down on it and is not up yet.
fn is_held(ui: &Ui, id: Id) -> bool {
    ui.ctx().read_response(id).is_some_and(|response| response.is_pointer_button_down_on())
}

/// What belongs to each of some places, rising: all within reach that is nearer to it than to another.
fn cells(places: &[f32]) -> Vec<Rangef> {
    let half_way = |a: Option<&f32>, b: Option<&f32>| a.zip(b).map(|(a, b)| a.midpoint(*b));
    let cell = |(at, x): (usize, &f32)| {
        let before = half_way(at.checked_sub(1).and_then(|at| places.get(at)), Some(x));
        let behind = half_way(Some(x), places.get(at + 1));
        Rangef::new(
            before.map_or(x - REACH, |edge| edge.max(x - REACH)),
            behind.map_or(x + REACH, |edge| edge.min(x + REACH)),
        )
    };
    places.iter().enumerate().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_line_within_reach_is_taken() {
        let ranges = |places: &[f32]| -> Vec<(f32, f32)> {
            cells(places).into_iter().map(|cell| (cell.min, cell.max)).collect()
        };
        assert_eq!(ranges(&[]), []);
        assert_eq!(ranges(&[100.0]), [(95.0, 105.0)]);
        assert_eq!(ranges(&[100.0, 104.0, 200.0]), [(95.0, 102.0), (102.0, 109.0), (195.0, 205.0)]);
    }
}
