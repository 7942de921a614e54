//! Series of a frame as points to draw: stairs drawn explicitly, memory apart at each crash. Pure.

use egui_plot::PlotPoint;

use crate::{
    app::Measure,
    engine::{
        frame::{LaneFrame, OutlinePoint, Point, Totals},
        protocol::TICKS_PER_SECOND,
    },
};

/// Run time in seconds.
pub fn seconds(tick: u64) -> f64 {
    tick as f64 / TICKS_PER_SECOND as f64
}

/// The end of the common time axis: when the last record arrives, or now if that is later.
pub fn end_of_run(lane: &LaneFrame, now: u64) -> f64 {
    let log_end = lane.outline.last().map_or(0, |point| point.tick);
    let series_end = lane.series.last().map_or(0, |point| point.tick);
    seconds(log_end.max(series_end).max(now)).max(1.0)
}

/// When the record of a number arrives, in seconds: on a straight line between the points of the outline.
pub fn arrival(outline: &[OutlinePoint], record: u64) -> f64 {
    let after = outline.partition_point(|point| point.records <= record);
    let before = after.checked_sub(1).and_then(|index| outline.get(index));
    match (before, outline.get(after)) {
        (Some(a), Some(b)) => {
            let share = (record - a.records) as f64 / (b.records - a.records).max(1) as f64;
            seconds(a.tick) + share * (seconds(b.tick) - seconds(a.tick))
        }
        (Some(a), None) => seconds(a.tick),
        (None, _) => 0.0,
    }
}

/// Records that have arrived by a moment: the way back from [`arrival`].
pub fn arrived_by(outline: &[OutlinePoint], at: f64) -> u64 {
    let tick = at * TICKS_PER_SECOND as f64;
    let after = outline.partition_point(|point| (point.tick as f64) < tick);
    let before = after.checked_sub(1).and_then(|index| outline.get(index));
    match (before, outline.get(after)) {
        (Some(a), Some(b)) => {
            let share = (tick - a.tick as f64) / b.tick.saturating_sub(a.tick).max(1) as f64;
            let grown = b.records.saturating_sub(a.records) as f64 * share.clamp(0.0, 1.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between nothing and the records of the log"
            )]
            let grown = grown.round() as u64;
            a.records + grown
        }
        (Some(a), None) => a.records,
        (None, first) => first.map_or(0, |point| point.records),
    }
}

/// A value over time as stairs: it holds until the next point.
pub fn stairs(series: &[Point], value: impl Fn(&Point) -> f64) -> Vec<PlotPoint> {
    let mut out: Vec<PlotPoint> = Vec::with_capacity(series.len() * 2);
    for point in series {
        let (x, y) = (seconds(point.tick), value(point));
        match out.last() {
            Some(last) if (last.y - y).abs() > f64::EPSILON => {
                let held = last.y;
                out.push(PlotPoint { x, y: held });
                out.push(PlotPoint { x, y });
            }
            _ => out.push(PlotPoint { x, y }),
        }
    }
    out
}

/// Values over time (ticks), cut where they are missing.
pub fn pieces(values: impl IntoIterator<Item = (u64, Option<f64>)>) -> Vec<Vec<PlotPoint>> {
    let mut out = Vec::new();
    let mut piece: Vec<PlotPoint> = Vec::new();
    for (tick, value) in values {
        match value {
            Some(y) => piece.push(PlotPoint { x: seconds(tick), y }),
            None => flush(&mut out, &mut piece),
        }
    }
    flush(&mut out, &mut piece);
    out
}

fn flush(out: &mut Vec<Vec<PlotPoint>>, piece: &mut Vec<PlotPoint>) {
    if !piece.is_empty() {
        out.push(std::mem::take(piece));
    }
}

/// Without the points inside level stretches: dashes need room to show.
pub fn flat(piece: Vec<PlotPoint>) -> Vec<PlotPoint> {
    let mut out: Vec<PlotPoint> = Vec::new();
    for point in piece {
        if let [.., before, last] = out.as_mut_slice()
            && is_level(before, last)
            && is_level(last, &point)
        {
            *last = point;
        } else {
            out.push(point);
        }
    }
    out
}

fn is_level(a: &PlotPoint, b: &PlotPoint) -> bool {
    (a.y - b.y).abs() <= f64::EPSILON
}

/// The point that holds at a tick.
pub fn at(series: &[Point], tick: u64) -> Option<&Point> {
    let after = series.partition_point(|point| point.tick <= tick);
    after.checked_sub(1).and_then(|index| series.get(index))
}

/// What the memory held last at or before a tick.
pub fn memory_before(series: &[Point], tick: u64) -> Option<(u64, Totals)> {
    let after = series.partition_point(|point| point.tick <= tick);
    series.get(..after)?.iter().rev().find_map(|point| point.memory.map(|memory| (point.tick, memory)))
}

/// What the memory held first at or after a tick.
pub fn memory_after(series: &[Point], tick: u64) -> Option<(u64, Totals)> {
    let from = series.partition_point(|point| point.tick < tick);
    series.get(from..)?.iter().find_map(|point| point.memory.map(|memory| (point.tick, memory)))
}

/// Spans in which the served view is stale, as first and last index of the series.
pub fn stale_spans(series: &[Point]) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut start = None;
    for (index, point) in series.iter().enumerate() {
        match (point.stale, start) {
            (true, None) => start = Some(index),
            (false, Some(from)) => {
                spans.push((from, index));
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        spans.push((from, series.len().saturating_sub(1)));
    }
    spans
}

/// The largest value of the merged plot: the whole log's recount.
pub fn log_height(lane: &LaneFrame, measure: Measure) -> f64 {
    let log = measure.of(&lane.log_totals);
    let outline = lane.outline.last().map_or(0.0, |point| measure.of(&point.totals));
    log.max(outline).max(measure.of(&lane.merged_totals)).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(tick: u64, views: u64, memory: Option<u64>, stale: bool) -> Point {
        let totals = |views| Totals { views, ..Totals::default() };
        Point { tick, batch: totals(views), memory: memory.map(totals), stale, ..Point::default() }
    }

    #[test]
    fn stairs_hold_their_value_and_memory_is_cut_at_a_crash() {
        let series = [
            point(0, 0, Some(0), false),
            point(100, 0, Some(10), false),
            point(200, 50, None, true),
            point(300, 50, None, true),
            point(400, 50, Some(4), false),
        ];
        let xy: Vec<(f64, f64)> =
            stairs(&series, |p| Measure::Views.of(&p.batch)).iter().map(|p| (p.x, p.y)).collect();
        assert_eq!(xy, [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (2.0, 50.0), (3.0, 50.0), (4.0, 50.0)]);
        let memory = pieces(series.iter().map(|p| (p.tick, p.memory.map(|m| Measure::Views.of(&m)))));
        assert_eq!(memory.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(memory_before(&series, 300).unwrap().0, 100);
        assert_eq!(memory_after(&series, 200).unwrap().0, 400);
        assert_eq!(stale_spans(&series), [(2, 4)]);
        let level: Vec<f64> = flat(stairs(&series, |_| 7.0)).iter().map(|p| p.x).collect();
        assert_eq!(level, [0.0, 4.0]);
        assert_eq!(at(&series, 250).unwrap().tick, 200);
    }

    #[test]
    fn a_record_arrives_between_the_points_of_the_outline() {
        let point = |tick, records| OutlinePoint { tick, records, ..OutlinePoint::default() };
        let outline = [point(0, 0), point(100, 50), point(400, 100)];
        let arrivals = [0, 25, 50, 75, 100, 200].map(|record| format!("{:.2}", arrival(&outline, record)));
        assert_eq!(arrivals, ["0.00", "0.50", "1.00", "2.50", "4.00", "4.00"]);
        assert_eq!(arrival(&[], 5).to_bits(), 0.0_f64.to_bits());
        assert_eq!([0.0, 0.5, 1.0, 2.5, 9.0].map(|at| arrived_by(&outline, at)), [0, 25, 50, 75, 100]);
        assert_eq!(arrived_by(&[], 5.0), 0);
    }
}
