//! One partition on a track: its records by the views that count them, and the two handles.
//!
//! What counts once stands one step high; blue is batch's, orange speed's. Counted twice it stands two steps high, counted
//! nowhere it leaves a hole. All tracks share one scale, so one scalar is one vertical line.

use std::fmt::Write as _;

use eframe::egui::{Color32, Painter, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::{
    super::{
        canvas::hatch,
        sliding::{Slid, Slider},
        theme::{self, AREA, Tokens, tokens},
        widgets::{Out, named, small_text},
    },
    edit,
};
use crate::{
    app::{Handles, HandoverEdit, format},
    domain::PartitionIndex,
    engine::protocol::{HandoverAnswer, HandoverBin, HandoverPartition},
};

/// Height of a track, handles included.
const HEIGHT: f32 = 44.0;
/// Height of what counts once.
const STEP: f32 = 12.0;
/// Half the width of a handle, and its height.
const HANDLE: f32 = 6.0;
/// What is wrong is at least so high and wide.
const LEAST: f32 = 4.0;

#[derive(Debug, Clone, Copy)]
enum Handle {
    Cut,
    Start,
}

struct Track {
    painter: Painter,
    rect: Rect,
    /// Where what counts stands on.
    floor: f32,
    step: f32,
    /// Offsets from left to right.
    scale: u64,
    t: &'static Tokens,
}

/// Draws the track and takes what is done to its handles.
pub fn track_ui(
    ui: &mut Ui,
    answer: &HandoverAnswer,
    index: PartitionIndex,
    partition: &HandoverPartition,
    handles: Handles,
    out: &mut Out,
) {
    let scale = theme::scale(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT * scale), Sense::hover());
    named(&response, Role::Image, spoken(partition));
    let rect = rect.shrink2(vec2(HANDLE * scale, 0.0));
    let track = Track {
        painter: ui.painter().with_clip_rect(rect.expand(HANDLE * scale).intersect(ui.clip_rect())),
        rect,
        floor: rect.bottom() - (HANDLE * 1.4 * scale).round(),
        step: STEP * scale,
        scale: answer.partitions.iter().map(|partition| partition.arrived).max().unwrap_or(0).max(1),
        t: tokens(ui),
    };
    track.records(answer.bin_records, partition);
    track.read_mark(partition);
    let mut moved = |slid: Option<Slid>, to: fn(PartitionIndex, u64) -> HandoverEdit| match slid {
        Some(Slid::To(offset)) => out.push(edit(to(index, offset))),
        Some(Slid::Held) => out.push(edit(HandoverEdit::Select(index))),
        Some(Slid::Step(_)) | None => {}
    };
    moved(track.handle(ui, Handle::Cut, handles.cut, partition), HandoverEdit::Cut);
    if let Some(start) = handles.start {
        moved(track.handle(ui, Handle::Start, start, partition), HandoverEdit::Start);
    }
}

fn spoken(partition: &HandoverPartition) -> String {
    let start = partition.start.map_or_else(
        || "speed starts by time".to_owned(),
        |start| format!("speed from {}", format::thousands(start)),
    );
    format!(
        "{}: batch up to {}, {start}, read up to {}; {} counted twice, {} counted nowhere, {} late.",
        partition.name,
        format::thousands(partition.cut),
        format::thousands(partition.position),
        format::thousands(partition.twice),
        format::thousands(partition.nowhere),
        format::thousands(partition.late)
    )
}

impl Track {
    fn x(&self, offset: u64) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
        let share = (offset as f64 / self.scale as f64).min(1.0) as f32;
        self.rect.left() + self.rect.width() * share
    }

    fn offset(&self, x: f32) -> u64 {
        let share = f64::from((x - self.rect.left()) / self.rect.width().max(1.0)).clamp(0.0, 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count, from 0 to 1"
        )]
        let offset = (share * self.scale as f64).round() as u64;
        offset
    }

    fn records(&self, bin_records: u64, partition: &HandoverPartition) {
        let ground = Rect::from_min_max(
            pos2(self.rect.left(), self.floor),
            pos2(self.x(partition.arrived), self.floor + 2.0),
        );
        self.painter.rect_filled(ground, 0, self.t.hairline);
        let mut at = 0;
        // Neighbours of one mixture are painted as one, without seams.
        for alike in partition.bins.chunk_by(|a, b| shares(a) == shares(b)) {
            let from = at;
            at += bin_records * alike.len() as u64;
            if let Some(bin) = alike.first() {
                let (left, right) = (self.x(from).round(), self.x(at.min(partition.arrived)).round());
                self.bin(bin, left, right.max(left + 1.0));
            }
        }
    }

    fn bin(&self, bin: &HandoverBin, left: f32, right: f32) {
        let counted = bin.batch + bin.speed + bin.twice + bin.nowhere + bin.late;
        if counted == 0 {
            return;
        }
        let height = |records: u64| {
            #[expect(clippy::cast_possible_truncation, reason = "a height in pixels")]
            let share = (records as f64 / counted as f64) as f32;
            share * self.step
        };
        let block = |low: f32, high: f32| {
            Rect::from_min_max(pos2(left, self.floor - high), pos2(right, self.floor - low))
        };
        // A few records among many are still seen.
        let seen = |block: Rect| block.expand2(vec2(((LEAST - block.width()) / 2.0).max(0.0), 0.0));
        let batch = height(bin.batch + bin.twice);
        let top = batch + height(bin.speed + bin.twice);
        self.painter.rect_filled(block(0.0, batch), 0, self.t.batch.gamma_multiply(AREA + 0.2));
        self.painter.rect_filled(block(batch, top), 0, self.t.speed.gamma_multiply(AREA + 0.2));
        if bin.twice > 0 {
            let over = seen(block(self.step.min(top), top.max(self.step + LEAST)));
            self.painter.rect_filled(over, 0, self.t.crash);
        }
        let mut high = self.step;
        for (records, color) in [(bin.nowhere, self.t.error), (bin.late, self.t.warning)] {
            if records > 0 {
                let missing = seen(block(high - height(records).max(LEAST), high));
                high -= missing.height();
                self.painter.rect_filled(missing, 0, self.t.panel);
                hatch(&self.painter, missing, 4.0, color);
                self.painter.line_segment([missing.left_top(), missing.right_top()], Stroke::new(1.0, color));
            }
        }
    }

    /// How far the stream has read.
    fn read_mark(&self, partition: &HandoverPartition) {
        let x = self.x(partition.position);
        let line = [pos2(x, self.floor - self.step), pos2(x, self.floor + 2.0)];
        self.painter.line_segment(line, Stroke::new(1.0, self.t.text));
    }

    /// A handle; what was done to it.
    fn handle(&self, ui: &Ui, which: Handle, offset: u64, partition: &HandoverPartition) -> Option<Slid> {
        let x = self.x(offset);
        let size = self.step / STEP * HANDLE;
        // Batch's handle hangs from above, speed's stands below: they can be told apart at one place.
        let middle = self.floor - self.step;
        let (hit, name) = match which {
            Handle::Cut => (
                Rect::from_x_y_ranges(x - size - 1.0..=x + size + 1.0, self.rect.top()..=middle),
                "end of batch",
            ),
            Handle::Start => (
                Rect::from_x_y_ranges(x - size - 1.0..=x + size + 1.0, middle..=self.rect.bottom()),
                "start of speed",
            ),
        };
        let slider = Slider {
            id: ui.scope_id().with(name),
            hit,
            name: format!("{}: {name}", partition.name),
            at: offset,
            most: partition.arrived,
            has_neighbours: false,
        };
        let (response, slid) = slider.show(ui, |x| self.offset(x));
        let lit = response.hovered() || response.dragged() || response.has_focus();
        self.paint_handle(which, x, size, lit);
        slid
    }

    fn paint_handle(&self, which: Handle, x: f32, size: f32, lit: bool) {
        let (color, tip, base) = match which {
            Handle::Cut => (self.t.batch, self.rect.top() + size * 1.4, self.rect.top()),
            Handle::Start => (self.t.speed, self.rect.bottom() - size * 1.4, self.rect.bottom()),
        };
        let line = match which {
            Handle::Cut => [pos2(x, tip), pos2(x, self.floor)],
            Handle::Start => [pos2(x, self.floor - self.step), pos2(x, tip)],
        };
        self.painter.line_segment(line, Stroke::new(if lit { 2.5 } else { 1.5 }, color));
        let corners: Vec<Pos2> = vec![pos2(x - size, base), pos2(x + size, base), pos2(x, tip)];
        let rim = if lit { Stroke::new(1.5, self.t.strong) } else { Stroke::new(0.0, Color32::TRANSPARENT) };
        self.painter.add(Shape::convex_polygon(corners, color, rim));
    }
}

/// What a bin looks like, in steps that an eye can tell apart.
fn shares(bin: &HandoverBin) -> [u64; 5] {
    let each = [bin.batch, bin.speed, bin.twice, bin.nowhere, bin.late];
    let counted = each.iter().sum::<u64>().max(1);
    each.map(|count| (count * 24).div_ceil(counted))
}

/// What the forms mean.
pub fn legend_ui(ui: &mut Ui, answer: &HandoverAnswer) {
    let t = tokens(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let mut forms = vec![
            ("batch", t.batch.gamma_multiply(AREA + 0.2), false),
            ("speed", t.speed.gamma_multiply(AREA + 0.2), false),
            ("twice", t.crash, false),
            ("nowhere", t.error, true),
        ];
        if answer.late() > 0 {
            forms.push(("late", t.warning, true));
        }
        for (name, color, is_hatched) in forms {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 10.0), Sense::hover());
            if is_hatched {
                hatch(ui.painter(), rect, 4.0, color);
                ui.painter().line_segment([rect.left_top(), rect.right_top()], Stroke::new(1.0, color));
            } else {
                ui.painter().rect_filled(rect, 0, color);
            }
            small_text(ui, name);
            ui.add_space(2.0);
        }
    });
}

/// The tracks as a table.
pub fn as_text(answer: &HandoverAnswer) -> String {
    let mut text = String::from(
        "partition\tbatch up to\tspeed from\tread up to\tcounted twice\tcounted nowhere\tlate\n",
    );
    for partition in &answer.partitions {
        let start = partition.start.map_or_else(|| "by time".to_owned(), |start| start.to_string());
        let HandoverPartition { name, cut, position, twice, nowhere, late, .. } = partition;
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{name}\t{cut}\t{start}\t{position}\t{twice}\t{nowhere}\t{late}");
    }
    text
}
