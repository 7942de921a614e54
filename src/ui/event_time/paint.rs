//! The plane itself: bands, dots, tiles, staircases, positions. Everything in few meshes, bounded by the pixels.

use eframe::egui::{
    Align2, Color32, Mesh, Painter, Pos2, Rect, Response, Shape, Stroke, Ui, epaint::Vertex, pos2, vec2,
};
use egui_plot::{PlotPoint, PlotTransform};

use super::{Plane, is_finite};
use crate::{
    app::format::thousands,
    domain::EventTime,
    engine::{
        frame::LaneFrame,
        protocol::{
            CloseUp, Cloud, Dot, EventTimes, NEAR_COLUMNS, NEAR_ROWS, TILE_COLUMNS, TILE_ROWS, Tile,
            WatermarkStep, Window,
        },
    },
    ui::{
        canvas::dashed,
        theme::{self, Tokens, tokens},
    },
};

/// A band of a day is drawn from this height on.
const BAND_LEAST: f32 = 4.0;

/// A hollow circle.
const CIRCLE: f32 = 3.5;

/// What is drawn.
pub(super) struct Scene<'a> {
    pub times: &'a EventTimes,
    /// What is in sight, closer up, where it is there.
    pub near: Option<&'a CloseUp>,
    pub lane: &'a LaneFrame,
    pub plane: Plane,
    /// The partition whose watermark stands out.
    pub chosen: Option<usize>,
}

/// Where tiles lie in the plot.
#[derive(Debug, Clone, Copy)]
struct Grid {
    left: f64,
    first: f64,
    width: f64,
    height: f64,
}

impl Grid {
    /// The lower left corner of a tile.
    fn corner(self, column: u32, row: u32) -> PlotPoint {
        PlotPoint::new(self.left + f64::from(column) * self.width, self.first + f64::from(row) * self.height)
    }
}

struct Pen<'a> {
    painter: Painter,
    rect: Rect,
    transform: &'a PlotTransform,
    plane: Plane,
    t: &'static Tokens,
}

impl Pen<'_> {
    fn at(&self, record: f64, time: EventTime) -> Pos2 {
        self.transform.position_from_point(&PlotPoint::new(record, self.plane.y(time)))
    }

    fn x(&self, record: u64) -> f32 {
        self.transform.position_from_point_x(record as f64)
    }

    fn y(&self, time: EventTime) -> f32 {
        self.transform.position_from_point_y(self.plane.y(time))
    }
}

impl Scene<'_> {
    /// Paints it, clipped to the plot.
    pub fn paint(&self, ui: &Ui, response: &Response, transform: &PlotTransform) {
        let rect = *transform.frame();
        let painter = ui.painter().with_clip_rect(rect.intersect(response.rect).intersect(ui.clip_rect()));
        let pen = Pen { painter, rect, transform, plane: self.plane, t: tokens(ui) };
        self.bands(&pen);
        match self.cloud() {
            Cloud::Dots(dots) => self.dots(&pen, dots),
            Cloud::Tiles(tiles) => self.tiles(&pen, tiles),
        }
        self.staircases(&pen);
        self.positions(&pen, ui);
        legend(&pen, ui, is_finite(self.times) && self.times.late_total > 0);
    }

    /// The records that are drawn.
    pub fn cloud(&self) -> &Cloud {
        self.near.map_or(&self.times.cloud, |part| &part.cloud)
    }

    /// The part of the plane that tiles divide, and into how many.
    fn tiled(&self) -> (Window, u32, u32) {
        match self.near {
            Some(part) => (part.window, NEAR_COLUMNS, NEAR_ROWS),
            None => (Window::of_all(self.times.records, self.times.span), TILE_COLUMNS, TILE_ROWS),
        }
    }

    fn grid(&self) -> Grid {
        let (window, columns, rows) = self.tiled();
        let (left, right) = (window.records.0 as f64, window.records.1 as f64);
        let (first, last) = (self.plane.y(window.times.0), self.plane.y(window.times.1));
        Grid {
            left,
            first,
            width: (right - left).max(1.0) / f64::from(columns),
            height: (last - first).max(1e-9) / f64::from(rows),
        }
    }

    /// Records `[from, to)` and event times of the tile at a place, or beside it by a tile: they are small.
    pub fn tile_at(&self, place: PlotPoint) -> Option<((u64, u64), (EventTime, EventTime))> {
        let Cloud::Tiles(tiles) = self.cloud() else { return None };
        let grid = self.grid();
        let middle = |at: u32| f64::from(at) + 0.5;
        let (across, up) = ((place.x - grid.left) / grid.width, (place.y - grid.first) / grid.height);
        let distance = |tile: &Tile| (middle(tile.column) - across).abs().max((middle(tile.row) - up).abs());
        let nearest = tiles.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        if distance(nearest) > 1.5 {
            return None;
        }
        let low = grid.corner(nearest.column, nearest.row);
        let high = grid.corner(nearest.column.saturating_add(1), nearest.row.saturating_add(1));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "record numbers of the log"
        )]
        let records = (low.x.floor() as u64, (high.x.ceil() as u64).min(self.times.records));
        Some((records, (self.plane.time(low.y), self.plane.time(high.y))))
    }

    /// Every second day is shaded.
    fn bands(&self, pen: &Pen<'_>) {
        for band in &self.times.days {
            let (top, bottom) = (pen.y(band.to), pen.y(band.from));
            let is_shaded = band.day.0.rem_euclid(2) == 0;
            if is_shaded && bottom - top >= BAND_LEAST && bottom > pen.rect.top() && top < pen.rect.bottom() {
                let rect = Rect::from_x_y_ranges(pen.rect.x_range(), top..=bottom);
                pen.painter.rect_filled(rect, 0, pen.t.grid.gamma_multiply(0.45));
            }
        }
    }

    /// Final, provisional, or not yet read: as the views have it.
    fn color(&self, record: u64, t: &Tokens) -> Color32 {
        if record < self.lane.batch_covers {
            t.batch
        } else if record < self.lane.served_position {
            t.speed
        } else {
            t.subdued
        }
    }

    fn dots(&self, pen: &Pen<'_>, dots: &[Dot]) {
        let (first, last) = {
            let x = pen.transform.bounds().range_x();
            let first = dots.partition_point(|dot| f64::from(dot.record) < *x.start() - 1.0);
            (first, dots.partition_point(|dot| f64::from(dot.record) <= *x.end() + 1.0))
        };
        let dots = dots.get(first..last).unwrap_or_default();
        let size = if dots.len() < 3_000 { 3.0 } else { 2.0 };
        let mut drawn = Taken::new(pen.rect, size);
        let mut mesh = Mesh::default();
        for dot in dots.iter().filter(|dot| !dot.is_late) {
            let at = pen.at(f64::from(dot.record), dot.time);
            if drawn.take(at) {
                let color = self.color(u64::from(dot.record), pen.t).gamma_multiply(0.85);
                mesh.add_colored_rect(Rect::from_center_size(at, vec2(size, size)), color);
            }
        }
        let mut drawn = Taken::new(pen.rect, CIRCLE);
        for dot in dots.iter().filter(|dot| dot.is_late) {
            let at = pen.at(f64::from(dot.record), dot.time);
            if drawn.take(at) {
                ring(&mut mesh, at, CIRCLE, pen.t.crash);
            }
        }
        pen.painter.add(Shape::mesh(mesh));
    }

    /// The more records the stronger; a frame where some of them are late.
    fn tiles(&self, pen: &Pen<'_>, tiles: &[Tile]) {
        let most = tiles.iter().map(|tile| tile.records).max().unwrap_or(1).max(1);
        let grid = self.grid();
        let (mut fill, mut frames) = (Mesh::default(), Mesh::default());
        for tile in tiles {
            let corner = |column: u32, row: u32| pen.transform.position_from_point(&grid.corner(column, row));
            let rect = Rect::from_two_pos(
                corner(tile.column, tile.row),
                corner(tile.column.saturating_add(1), tile.row.saturating_add(1)),
            );
            if !rect.intersects(pen.rect) {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "a strength between 0 and 1")]
            let share = (f64::from(tile.records).ln_1p() / f64::from(most).ln_1p()) as f32;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a record number")]
            let record = (grid.left + (f64::from(tile.column) + 0.5) * grid.width) as u64;
            // A pixel at least, so that a lonely record is seen.
            let rect =
                rect.expand2(vec2((1.0 - rect.width()).max(0.0), (1.0 - rect.height()).max(0.0)) / 2.0);
            // A single record among a hundred thousand is to be seen as well, also where it is not yet read.
            fill.add_colored_rect(rect, self.color(record, pen.t).gamma_multiply(0.5 + 0.5 * share));
            if tile.late > 0 {
                ring(&mut frames, rect.center(), CIRCLE - 0.5, pen.t.crash);
            }
        }
        pen.painter.add(Shape::mesh(fill));
        pen.painter.add(Shape::mesh(frames));
    }

    fn staircases(&self, pen: &Pen<'_>) {
        let stairs = |steps: &[WatermarkStep]| -> Vec<Pos2> {
            let mut line: Vec<Pos2> = Vec::with_capacity(2 * steps.len());
            for step in steps {
                let at = pen.at(step.records as f64, step.time);
                if let Some(last) = line.last().copied() {
                    line.push(pos2(at.x, last.y));
                }
                line.push(at);
            }
            if let Some(last) = line.last().copied() {
                line.push(pos2(pen.x(self.times.records), last.y));
            }
            line
        };
        if let Some((_, steps)) = self.chosen.and_then(|at| self.times.partitions.get(at)) {
            pen.painter
                .line(stairs(&self.times.combined), Stroke::new(1.0, pen.t.accent.gamma_multiply(0.5)));
            dashed(&pen.painter, &stairs(steps), Stroke::new(2.0, pen.t.accent), 6.0, 3.0);
        } else {
            pen.painter.line(stairs(&self.times.combined), Stroke::new(2.0, pen.t.accent));
        }
    }

    /// Up to where batch covers and the stream has read; what has not arrived yet is veiled.
    fn positions(&self, pen: &Pen<'_>, ui: &Ui) {
        let arrived = pen.x(self.lane.arrived);
        if self.lane.arrived < self.times.records && arrived < pen.rect.right() {
            let rect =
                Rect::from_x_y_ranges(arrived.max(pen.rect.left())..=pen.rect.right(), pen.rect.y_range());
            pen.painter.rect_filled(rect, 0, pen.t.panel.gamma_multiply(0.55));
        }
        let positions = [
            (self.lane.batch_covers, "batch covers", pen.t.batch, 20.0),
            (self.lane.served_position, "stream has read", pen.t.speed, 6.0),
        ];
        let seen = positions.map(|(record, word, color, rise)| {
            let x = pen.x(record);
            (record > 0 && pen.rect.x_range().contains(x)).then_some((x, record, word, color, rise))
        });
        for (x, _, _, color, _) in seen.into_iter().flatten() {
            pen.painter.vline(x, pen.rect.y_range(), Stroke::new(1.5, color.gamma_multiply(0.8)));
        }
        // Words over all lines.
        for (x, record, word, _, rise) in seen.into_iter().flatten() {
            let right = x > pen.rect.center().x;
            let (anchor, dx) = if right { (Align2::RIGHT_BOTTOM, -5.0) } else { (Align2::LEFT_BOTTOM, 5.0) };
            let text = format!("{word} {}", thousands(record));
            let galley = pen.painter.layout_no_wrap(text, theme::mono_small(ui), pen.t.text);
            let place = anchor.anchor_size(pos2(x + dx, pen.rect.bottom() - rise), galley.size());
            pen.painter.rect_filled(place.expand(2.0), 2, pen.t.panel.gamma_multiply(0.9));
            pen.painter.galley(place.min, galley, pen.t.text);
        }
    }
}

/// What the forms and colours mean.
fn legend(pen: &Pen<'_>, ui: &Ui, has_late: bool) {
    let font = theme::small(ui);
    let entries: [(&str, Color32); 5] = [
        ("final", pen.t.batch),
        ("provisional", pen.t.speed),
        ("not yet read", pen.t.subdued),
        ("watermark", pen.t.accent),
        ("late", pen.t.crash),
    ];
    let mut x = pen.rect.left() + 10.0;
    let y = pen.rect.top() + 12.0;
    let width: f32 = entries.iter().map(|(word, _)| 24.0 + 6.5 * word.len() as f32).sum();
    let back = Rect::from_min_size(pos2(x - 6.0, y - 9.0), vec2(width, 18.0));
    pen.painter.rect_filled(back, 4, pen.t.panel.gamma_multiply(0.85));
    for (word, color) in entries {
        let mark = pos2(x + 4.0, y);
        match word {
            "watermark" => {
                pen.painter.hline(x - 2.0..=x + 10.0, y, Stroke::new(2.0, color));
            }
            "late" if !has_late => continue,
            "late" => {
                pen.painter.circle_stroke(mark, CIRCLE, Stroke::new(1.25, color));
            }
            _ => {
                pen.painter.rect_filled(Rect::from_center_size(mark, vec2(4.0, 4.0)), 0, color);
            }
        }
        let place =
            pen.painter.text(pos2(x + 14.0, y), Align2::LEFT_CENTER, word, font.clone(), pen.t.subdued);
        x = place.right() + 14.0;
    }
}

/// A hollow circle, as few triangles.
fn ring(mesh: &mut Mesh, center: Pos2, radius: f32, color: Color32) {
    const CORNERS: u32 = 8;
    let first = u32::try_from(mesh.vertices.len()).unwrap_or(0);
    for corner in 0..CORNERS {
        let angle = std::f32::consts::TAU * corner as f32 / CORNERS as f32;
        let direction = vec2(angle.cos(), angle.sin());
        for distance in [radius, radius - 1.25] {
            let pos = center + direction * distance;
            mesh.vertices.push(Vertex { pos, uv: eframe::egui::epaint::WHITE_UV, color });
        }
    }
    for corner in 0..CORNERS {
        let (here, next) = (first + 2 * corner, first + 2 * ((corner + 1) % CORNERS));
        mesh.add_triangle(here, here + 1, next);
        mesh.add_triangle(here + 1, next + 1, next);
    }
}

/// Which places of the screen have a mark already: what would lie on it is not drawn again.
struct Taken {
    origin: Pos2,
    size: f32,
    columns: usize,
    places: Vec<bool>,
}

impl Taken {
    fn new(rect: Rect, size: f32) -> Taken {
        let count = |length: f32| cells(length, size) + 1;
        let (columns, rows) = (count(rect.width()), count(rect.height()));
        Taken { origin: rect.min, size, columns, places: vec![false; columns * rows] }
    }

    /// Whether nothing is there yet; there is from now on. Nothing outside of the plot is taken.
    fn take(&mut self, at: Pos2) -> bool {
        let offset = at - self.origin;
        if offset.x < 0.0 || offset.y < 0.0 {
            return false;
        }
        let (column, row) = (cells(offset.x, self.size), cells(offset.y, self.size));
        if column >= self.columns {
            return false;
        }
        let place = self.places.get_mut(row.saturating_mul(self.columns).saturating_add(column));
        place.is_some_and(|taken| !std::mem::replace(taken, true))
    }
}

fn cells(length: f32, size: f32) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of pixels, not negative"
    )]
    let cells = (length.max(0.0) / size) as usize;
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_once_and_only_inside() {
        let mut taken = Taken::new(Rect::from_min_size(pos2(10.0, 10.0), vec2(20.0, 10.0)), 2.0);
        assert!(taken.take(pos2(11.0, 11.0)) && !taken.take(pos2(11.5, 11.9)));
        assert!(taken.take(pos2(13.0, 11.0)));
        assert!(
            !taken.take(pos2(9.0, 11.0))
                && !taken.take(pos2(1_000.0, 11.0))
                && !taken.take(pos2(11.0, 500.0))
        );
        let mut mesh = Mesh::default();
        ring(&mut mesh, pos2(0.0, 0.0), 4.0, Color32::TRANSPARENT);
        assert!(mesh.is_valid());
    }
}
