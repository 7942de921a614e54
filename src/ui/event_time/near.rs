//! Which part of the plane is asked for closer up: a little more than is in sight, in steps, so that moving by a pixel asks
//! nothing.

use egui_plot::PlotBounds;

use super::Plane;
use crate::{
    domain::EventTime,
    engine::protocol::{CloseUp, Cloud, EventTimes, Window},
};

/// With more than this share of the whole in sight, its tiles are fine enough.
const WHOLE: f64 = 0.6;

/// The part to be asked for; `None` where the whole is enough, or is dots anyway.
pub(super) fn window_of(times: &EventTimes, plane: Plane, bounds: &PlotBounds) -> Option<Window> {
    if matches!(times.cloud, Cloud::Dots(_)) {
        return None;
    }
    let records = times.records as f64;
    let height = plane.y(times.span.1);
    let across = part(bounds.min()[0], bounds.max()[0], records);
    let up = part(bounds.min()[1], bounds.max()[1], height);
    if across.is_none() && up.is_none() {
        return None;
    }
    let (from, to) = across.unwrap_or((0.0, records));
    let (low, high) = up.unwrap_or((0.0, height));
    let last = EventTime(times.span.1.0.saturating_add(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "record numbers of the log")]
    let records = (from.floor() as u64, (to.ceil() as u64).min(times.records));
    Some(Window { records, times: (plane.time(low), plane.time(high + 1.0).min(last)) })
}

/// A stretch of `[0, whole]` around `[from, to]`, at most two and a half times as long; `None` where nearly all is in sight.
fn part(from: f64, to: f64, whole: f64) -> Option<(f64, f64)> {
    let (from, to) = (from.clamp(0.0, whole), to.clamp(0.0, whole));
    let seen = to - from;
    if seen <= 0.0 || seen >= WHOLE * whole {
        return None;
    }
    // Whole halvings, so that zooming a little asks nothing either.
    let size = whole / (whole / seen).log2().floor().exp2();
    let step = size / 4.0;
    let start = (from / step).floor() * step;
    Some((start, (start + size + step).min(whole)))
}

/// Whether a part holds everything that is in sight.
pub(super) fn covers(part: &CloseUp, times: &EventTimes, plane: Plane, bounds: &PlotBounds) -> bool {
    let Window { records: (from, to), times: (low, high) } = part.window;
    let holds = |from: f64, to: f64, whole: f64, [low, high]: [f64; 2]| {
        from <= low.clamp(0.0, whole) && high.clamp(0.0, whole) <= to
    };
    let ([x0, y0], [x1, y1]) = (bounds.min(), bounds.max());
    holds(from as f64, to as f64, times.records as f64, [x0, x1])
        && holds(plane.y(low), plane.y(high), plane.y(times.span.1), [y0, y1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_holds_what_is_in_sight_and_stays_while_little_moves() {
        assert_eq!(part(0.0, 700.0, 1_000.0), None, "the whole is fine enough");
        for (from, to) in [(0.0, 100.0), (333.0, 444.0), (900.0, 1_000.0), (-50.0, 20.0), (410.0, 411.0)] {
            let (start, end) = part(from, to, 1_000.0).unwrap();
            assert!(start <= f64::max(from, 0.0) && to.min(1_000.0) <= end, "{from} {to}: {start} {end}");
            assert!(end - start <= 2.5 * (to - f64::max(from, 0.0)), "{from} {to}: {start} {end}");
        }
        assert_eq!(part(300.0, 400.0, 1_000.0), part(305.0, 398.0, 1_000.0));
    }
}
