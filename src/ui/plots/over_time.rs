//! A plot over run time: the same axes, grid, reach and cursor for every plot of the run.

use std::{fmt::Debug, hash::Hash};

use eframe::egui::{Id, Rangef, Ui, Vec2b, vec2};
use egui_plot::{AxisHints, HoverPosition, Plot, PlotPoint};

use super::{marks, number};
use crate::ui::theme::{self, tokens};

/// A plot from 0 to `end` seconds and from 0 to `height`, zoomed and dragged along time only, together with all others of
/// its kind. `fit` shows all of the run again.
pub(super) fn over_time(ui: &Ui, id: impl Hash + Debug, end: f64, height: f64, fit: bool) -> Plot<'static> {
    let t = tokens(ui);
    let (font, color) = (theme::mono_small(ui), t.subdued);
    let time_axis = AxisHints::new_x()
        .formatter(|mark, _| format!("{} s", seconds_text(mark.value, mark.step_size)))
        .tick_label_font(font.clone())
        .label_spacing(Rangef::new(20.0, 40.0))
        .tick_label_color(color);
    let value_axis = AxisHints::new_y()
        .formatter(|mark, _| short(mark.value))
        .tick_label_font(font)
        .tick_label_color(color)
        .label_spacing(Rangef::new(10.0, 20.0))
        .min_thickness(30.0);
    let plot = Plot::new(id)
        .custom_x_axes(vec![time_axis])
        .custom_y_axes(vec![value_axis])
        .include_x(0.0)
        .include_x(end)
        .include_y(0.0)
        .include_y(height)
        .set_margin_fraction(vec2(0.0, 0.02))
        .allow_zoom(Vec2b::new(true, false))
        .allow_drag(Vec2b::new(true, false))
        .allow_scroll(false)
        .allow_axis_zoom_drag(Vec2b::new(true, false))
        .allow_boxed_zoom(false)
        .show_background(false)
        .show_crosshair(false)
        .grid_color(t.grid)
        .cursor_color(t.subdued)
        .x_grid_spacer(|input| marks::steps(&input, 84.0, 0.02))
        .y_grid_spacer(|input| marks::steps(&input, 46.0, 0.04))
        .grid_spacing(Rangef::new(10.0, 100.0))
        .link_axis(Id::unique("run-time"), Vec2b::new(true, false))
        .link_cursor(Id::unique("run-cursor"), Vec2b::new(true, false))
        .label_formatter(hover_label);
    if fit { plot.reset() } else { plot }
}

fn hover_label(position: &HoverPosition<'_>) -> Option<String> {
    match position {
        HoverPosition::NearDataPoint { plot_name, position, .. } => Some(hover_text(plot_name, position)),
        HoverPosition::Elsewhere { .. } => None,
    }
}

/// What a point of a line says.
pub(super) fn hover_text(name: &str, point: &PlotPoint) -> String {
    format!("{name}\n{} at {:.1} s", number(point.y), point.x)
}

/// Seconds with as many decimals as the steps between them need.
fn seconds_text(value: f64, step: f64) -> String {
    if step.fract().abs() < 1e-9 { number(value) } else { format!("{value:.1}") }
}

/// `12k` for 12,000: axis labels in narrow columns.
pub fn short(value: f64) -> String {
    let steps = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    match steps.into_iter().find(|(unit, _)| value.abs() >= *unit) {
        Some((unit, suffix)) => {
            let scaled = value / unit;
            if (scaled - scaled.round()).abs() < 0.05 {
                format!("{scaled:.0}{suffix}")
            } else {
                format!("{scaled:.1}{suffix}")
            }
        }
        None if value.fract().abs() > 1e-9 => String::new(),
        None => format!("{value:.0}"),
    }
}
