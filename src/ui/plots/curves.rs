//! What the three plots over the run draw: lines, stacked areas, and how high they are.

use egui_plot::{FilledArea, Line, LineStyle, PlotPoint, PlotPoints};

use super::Panel;
use crate::{
    app::Measure,
    engine::frame::{LaneFrame, OutlinePoint, Point, Totals},
    ui::{
        series::{flat, log_height, pieces, seconds, stairs},
        theme::{AREA, Tokens},
    },
};

/// Where the values of a close-up lie. The stacked area loses its foot: what happens is at its edge.
pub(super) fn close_heights(
    lane: &LaneFrame,
    measure: Measure,
    panel: Panel,
    (from, to): (u64, u64),
    room: f64,
) -> std::ops::RangeInclusive<f64> {
    let points = || {
        let (first, last) =
            (lane.series.partition_point(|p| p.tick < from), lane.series.partition_point(|p| p.tick <= to));
        lane.series.get(first.saturating_sub(1)..last).unwrap_or_default().iter()
    };
    let top = |value: &dyn Fn(&Point) -> f64| points().map(value).fold(0.0, f64::max);
    let of = |totals: &Option<Totals>| totals.as_ref().map_or(0.0, |totals| measure.of(totals));
    let in_sight = |p: &&OutlinePoint| p.tick >= from && p.tick <= to;
    let recounted = |least: f64| {
        lane.outline.iter().filter(in_sight).map(|p| measure.of(&p.totals)).fold(least, f64::max)
    };
    let (low, high) = match panel {
        Panel::Batch => (0.0, recounted(top(&|p| measure.of(&p.batch)))),
        Panel::Speed => (0.0, top(&|p| measure.of(&p.speed).max(of(&p.memory)).max(of(&p.every_read)))),
        Panel::Merged => {
            let high = recounted(top(&|p| measure.of(&p.merged)));
            let low = points().map(|p| measure.of(&p.batch)).fold(high, f64::min);
            (low - 0.15 * (high - low), high)
        }
    };
    low..=(high + room * (high - low)).max(low + 1.0)
}

/// How high the plot of the speed view is.
pub(super) fn speed_height(lane: &LaneFrame, measure: Measure) -> f64 {
    let top = |point: &Point| {
        let memory = point.memory.as_ref().map_or(0.0, |totals| measure.of(totals));
        let every = point.every_read.as_ref().map_or(0.0, |totals| measure.of(totals));
        measure.of(&point.speed).max(memory).max(every)
    };
    lane.series.iter().map(top).fold(log_height(lane, measure) * 0.1, f64::max)
}

/// The lines of a plot.
pub(super) fn lines(lane: &LaneFrame, measure: Measure, panel: Panel, t: &Tokens) -> Vec<Line<'static>> {
    let outline = || {
        let points =
            lane.outline.iter().map(|p| PlotPoint { x: seconds(p.tick), y: measure.of(&p.totals) }).collect();
        Line::new("full recount", PlotPoints::Owned(points)).color(t.recount).width(1.5)
    };
    match panel {
        Panel::Batch => {
            let batch = stairs(&lane.series, |point| measure.of(&point.batch));
            vec![
                outline().width(1.0).color(t.recount.gamma_multiply(0.5)),
                Line::new("batch view", PlotPoints::Owned(batch)).color(t.batch).width(2.0).allow_band(false),
            ]
        }
        Panel::Speed => {
            let mut lines = Vec::new();
            let values = |value: &dyn Fn(&Point) -> Option<f64>| {
                lane.series.iter().map(|point| (point.tick, value(point))).collect::<Vec<_>>()
            };
            // Served and memory are one line until the memory is gone, or older than what is served.
            for piece in pieces(values(&|point| point.stale.then(|| measure.of(&point.speed)))) {
                let dash = LineStyle::Dashed { length: 3.0 };
                lines.push(
                    Line::new("served", PlotPoints::Owned(flat(piece))).color(t.speed).width(1.5).style(dash),
                );
            }
            for piece in pieces(values(&|point| point.memory.as_ref().map(|m| measure.of(m)))) {
                lines.push(
                    Line::new("in memory", PlotPoints::Owned(piece))
                        .color(t.speed)
                        .width(2.0)
                        .allow_band(false),
                );
            }
            for piece in pieces(values(&|point| point.every_read.as_ref().map(|m| measure.of(m)))) {
                let dash = LineStyle::Dashed { length: 6.0 };
                lines.push(
                    Line::new("if every read counted", PlotPoints::Owned(piece))
                        .color(t.crash)
                        .width(1.5)
                        .style(dash),
                );
            }
            lines
        }
        Panel::Merged => {
            let merged: Vec<PlotPoint> = lane
                .series
                .iter()
                .map(|p| PlotPoint { x: seconds(p.tick), y: measure.of(&p.merged) })
                .collect();
            vec![outline(), Line::new("merged view", PlotPoints::Owned(merged)).color(t.merged).width(2.5)]
        }
    }
}

/// The stacked areas of the merged plot.
pub(super) fn areas(lane: &LaneFrame, measure: Measure, panel: Panel, t: &Tokens) -> Vec<FilledArea> {
    if panel != Panel::Merged || lane.series.len() < 2 {
        return Vec::new();
    }
    let (mut xs, mut zero, mut batch, mut merged) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut push = |x: f64, low: f64, high: f64| {
        xs.push(x);
        zero.push(0.0);
        batch.push(low);
        merged.push(high.max(low));
    };
    let mut before: Option<(f64, f64)> = None;
    for point in lane.series.iter() {
        let (x, low, high) = (seconds(point.tick), measure.of(&point.batch), measure.of(&point.merged));
        if let Some((held, top)) = before
            && (held - low).abs() > f64::EPSILON
        {
            // A publication is a step: orange turns blue at once, and the top edge does not move.
            push(x, held, top.max(high));
        }
        push(x, low, high);
        before = Some((low, high));
    }
    vec![
        FilledArea::new("final", &xs, &zero, &batch)
            .fill_color(t.batch.gamma_multiply(AREA))
            .allow_hover(false),
        FilledArea::new("provisional", &xs, &batch, &merged)
            .fill_color(t.speed.gamma_multiply(AREA))
            .allow_hover(false),
    ]
}
