//! Marks that are painted, each a form of its own besides its colour: cross, diamond, hatching, dashes.

use eframe::egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2};

/// A crash.
pub fn cross(painter: &Painter, at: Pos2, size: f32, color: Color32) {
    let stroke = Stroke::new(2.0, color);
    painter.line_segment([at - vec2(size, size), at + vec2(size, size)], stroke);
    painter.line_segment([at + vec2(-size, size), at + vec2(size, -size)], stroke);
}

/// A checkpoint.
pub fn diamond(painter: &Painter, at: Pos2, size: f32, color: Color32, filled: bool) {
    let points = vec![at - vec2(0.0, size), at + vec2(size, 0.0), at + vec2(0.0, size), at - vec2(size, 0.0)];
    painter.add(if filled {
        Shape::convex_polygon(points, color, Stroke::NONE)
    } else {
        Shape::closed_line(points, Stroke::new(1.25, color))
    });
}

/// Diagonal lines over a rectangle, on one grid for the whole window, so that neighbours join.
pub fn hatch(painter: &Painter, rect: Rect, spacing: f32, color: Color32) {
    if rect.width() < 0.5 || rect.height() < 0.5 {
        return;
    }
    let painter = painter.with_clip_rect(painter.clip_rect().intersect(rect));
    let visible = painter.clip_rect();
    if visible.is_negative() {
        return;
    }
    let mut sum = ((visible.left() + visible.top()) / spacing).floor() * spacing;
    let end = visible.right() + visible.bottom();
    while sum < end {
        let from = pos2(sum - visible.top(), visible.top());
        let to = pos2(sum - visible.bottom(), visible.bottom());
        painter.line_segment([from, to], Stroke::new(1.0, color));
        sum += spacing;
    }
}

/// A dashed line through points.
pub fn dashed(painter: &Painter, points: &[Pos2], stroke: Stroke, dash: f32, gap: f32) {
    painter.extend(Shape::dashed_line(points, stroke, dash, gap));
}
