//! The three plots of the Kappa lane: version, version, what readers see. One time axis, one cursor, as in the Lambda lane.

use eframe::egui::{Color32, Rect, Role, Ui, UiBuilder};
use egui_plot::{FilledArea, Line, LineStyle, MarkerShape, PlotPoint, PlotPoints, PlotResponse, Points};

use super::{
    cards::{self, Head},
    over_time::over_time,
    points,
    version_bars::{Bars, Shown, bars_ui},
};
use crate::{
    app::{Look, Measure, State, format::thousands, is_down},
    engine::{
        frame::{
            KappaFrame, KappaPoint, LaneFrame, Role as Part, VersionFrame, VersionGroup, VersionPoint,
            VersionState,
        },
        protocol::{BookView, VersionNumber},
    },
    ui::{
        series::{end_of_run, log_height, pieces, seconds},
        theme::{AREA, Tokens, tokens},
        widgets::{Out, named},
    },
};

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Card {
    /// The version in this place.
    Place(usize),
    /// What readers see.
    Served,
}

impl Card {
    const ALL: [Card; 3] = [Card::Place(0), Card::Place(1), Card::Served];

    fn color(self, t: &Tokens) -> Color32 {
        match self {
            Card::Place(0) => t.batch,
            Card::Place(_) => t.speed,
            Card::Served => t.merged,
        }
    }
}

/// Draws the three cards.
pub(super) fn versions_ui(
    ui: &mut Ui,
    (state, lane, kappa): (&State, &LaneFrame, &KappaFrame),
    fit: bool,
    out: &mut Out,
) {
    cards::side_by_side(ui, Card::ALL, |ui, rect, place| {
        card_ui(ui, rect, (state, lane, kappa, place), fit, out);
    });
}

fn card_ui(
    ui: &mut Ui,
    rect: Rect,
    (state, lane, kappa, place): (&State, &LaneFrame, &KappaFrame, Card),
    fit: bool,
    out: &mut Out,
) {
    let head = head_of(state, kappa, place, tokens(ui));
    let body = cards::head_ui(ui, rect, &head);
    let mut child = ui.new_child(UiBuilder::new().max_rect(body));
    let rows = match state.look.of_versions() {
        Look::ByPage => Some(&kappa.by_page),
        Look::ByDay => Some(&kappa.by_day),
        Look::OverRun | Look::Moment | Look::EventTime | Look::TradeOff => None,
    };
    if let Some(rows) = rows {
        return bars_ui(&mut child, bars_of(kappa, place, rows, state.measure, tokens(ui)), out);
    }
    let response = plot_ui(&mut child, (state, lane, kappa, place), fit);
    let below: String = head.line.iter().map(|(text, _)| text.as_str()).collect();
    let label = format!("{}: {} {}. {below}.", head.title, head.number.0, state.measure.name());
    named(&response.response, Role::Image, label);
    let clicked = points::clicked_at(&response).and_then(|seconds| shown_at(kappa, place, seconds));
    if let Some((version, to)) = clicked {
        points::list(ui, state, BookView::Version(version), to, out);
    }
}

/// Which version a card showed at a moment, and how many records are in its number: at the nearest point that has one.
fn shown_at(kappa: &KappaFrame, card: Card, at: f64) -> Option<(VersionNumber, u64)> {
    let of = |point: &KappaPoint| match card {
        Card::Place(place) => {
            let version = point.versions.get(place).copied().flatten()?;
            let records = version.memory.map_or(version.view_position, |_| version.position);
            Some((version.version, records))
        }
        Card::Served => {
            let mut versions = point.versions.into_iter().flatten();
            let served = versions.find(|version| Some(version.version) == point.serving)?;
            Some((served.version, served.view_position))
        }
    };
    let after = kappa.series.partition_point(|point| seconds(point.tick) <= at);
    let before = after.checked_sub(1).and_then(|before| kappa.series.get(before));
    let near = before.into_iter().chain(kappa.series.get(after));
    let found = near.filter_map(|point| Some(((seconds(point.tick) - at).abs(), of(point)?)));
    found.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, found)| found)
}

fn bars_of<'a>(
    kappa: &KappaFrame,
    card: Card,
    rows: &'a [VersionGroup],
    measure: Measure,
    t: &Tokens,
) -> Bars<'a> {
    let serving = kappa.serving.as_ref().map(|serving| serving.number);
    let number = |place| version_in(kappa, place).map(|version| version.number);
    let serves = |place: &usize| number(*place).is_some() && number(*place) == serving;
    let (id, shown, color) = match card {
        Card::Place(place) if serves(&place) => ("serving", number(place).map(Shown::Serving), card.color(t)),
        Card::Place(place) => ("other", number(place).map(Shown::Other), card.color(t)),
        // In the colour of the version that serves.
        Card::Served => {
            let place = [0, 1].into_iter().find(serves).map_or(card, Card::Place);
            ("served", serving.map(Shown::Served), place.color(t))
        }
    };
    Bars { id, rows, shown, measure, color }
}

fn head_of(state: &State, kappa: &KappaFrame, place: Card, t: &Tokens) -> Head {
    let none = || ("-".to_owned(), t.subdued);
    let mut short = None;
    let (title, number, line, color) = match place {
        Card::Served => {
            let serving = kappa.serving.as_ref();
            let line = serving.map(|serving| {
                format!("version {}, up to {}", serving.number, thousands(serving.view_position))
            });
            let number = serving.map(|serving| (state.measure.text(&serving.totals), t.strong));
            ("Served".to_owned(), number.unwrap_or_else(none), line.unwrap_or_default(), t.subdued)
        }
        Card::Place(at) => match (version_in(kappa, at), past_version(kappa, at)) {
            (Some(version), _) => {
                let color = if is_down(version) { t.crash } else { t.subdued };
                let ink = if is_down(version) { t.crash } else { t.strong };
                let number = (state.measure.text(&version.totals), ink);
                short = Some(format!("{} · {}", part(kappa, version), version.settings));
                (format!("Version {}", version.number), number, stands(kappa, version), color)
            }
            (None, Some(number)) => {
                let gone = "its view and its checkpoints are gone".to_owned();
                short = Some("view and checkpoints gone".to_owned());
                (format!("Version {number}, deleted"), none(), gone, t.subdued)
            }
            (None, None) => {
                let next = "choose its rules in the drawer (V)".to_owned();
                ("No second version".to_owned(), none(), next, t.subdued)
            }
        },
    };
    let thickness = if place == Card::Served { 4.0 } else { 3.0 };
    let short_title = title.clone();
    Head {
        title,
        short_title,
        swatch: (place.color(t), thickness),
        number,
        line: vec![(line, color)],
        short_line: short.map(|text| vec![(text, color)]),
    }
}

fn part(kappa: &KappaFrame, version: &VersionFrame) -> &'static str {
    match &kappa.other {
        Some((Part::Next, other)) if other.number == version.number => "next",
        Some((Part::Old, other)) if other.number == version.number => "kept",
        _ => "serves",
    }
}

/// What part a version plays, where it stands, by which rules.
fn stands(kappa: &KappaFrame, version: &VersionFrame) -> String {
    let part = part(kappa, version);
    let stands = match version.state {
        VersionState::Crashed { .. } => "down".to_owned(),
        VersionState::Rereading { .. } => "reads again".to_owned(),
        VersionState::CatchingUp | VersionState::UpToDate => {
            format!("up to {}", thousands(version.view_position))
        }
    };
    format!("{part} · {stands} · {}", version.settings)
}

fn version_in(kappa: &KappaFrame, place: usize) -> Option<&VersionFrame> {
    let number = kappa.series.last()?.versions.get(place).copied().flatten()?.version;
    kappa.versions().find(|version| version.number == number)
}

/// The version that was in a place last.
fn past_version(kappa: &KappaFrame, place: usize) -> Option<VersionNumber> {
    let there = |point: &KappaPoint| point.versions.get(place).copied().flatten();
    kappa.series.iter().rev().find_map(there).map(|version| version.version)
}

fn plot_ui(
    ui: &mut Ui,
    (state, lane, kappa, which): (&State, &LaneFrame, &KappaFrame, Card),
    fit: bool,
) -> PlotResponse<()> {
    let t = tokens(ui);
    let measure = state.measure;
    let end = end_of_run(lane, state.tick().0);
    let height =
        kappa.versions().map(|version| measure.of(&version.totals)).fold(log_height(lane, measure), f64::max);
    let plot = over_time(ui, ("version-plot", format!("{which:?}")), end, height * 1.04, fit);
    plot.show(ui, |plot| {
        let outline: Vec<PlotPoint> = kappa
            .outline
            .iter()
            .map(|p| PlotPoint { x: seconds(p.tick), y: measure.of(&p.totals) })
            .collect();
        plot.line(
            Line::new("full recount, rules of the run", PlotPoints::Owned(outline))
                .color(t.recount.gamma_multiply(0.5))
                .width(1.0),
        );
        match which {
            Card::Place(place) => version_lines(plot, kappa, measure, place, which.color(t), t),
            Card::Served => served_lines(plot, kappa, measure, t),
        }
    })
}

fn version_lines(
    plot: &mut egui_plot::PlotUi<'_>,
    kappa: &KappaFrame,
    measure: Measure,
    place: usize,
    color: Color32,
    t: &Tokens,
) {
    let at = |point: &KappaPoint| point.versions.get(place).copied().flatten();
    let values = |value: &dyn Fn(VersionPoint) -> Option<f64>| {
        kappa.series.iter().map(|point| (point.tick, at(point).and_then(value))).collect::<Vec<_>>()
    };
    let stale = |v: VersionPoint| v.is_stale.then(|| measure.of(&v.view));
    for piece in pieces(values(&stale)) {
        let dash = LineStyle::Dashed { length: 3.0 };
        plot.line(Line::new("its view", PlotPoints::Owned(piece)).color(color).width(1.5).style(dash));
    }
    let memory = |v: VersionPoint| v.memory.as_ref().map(|totals| measure.of(totals));
    let lines = pieces(values(&memory));
    let ends: Vec<[f64; 2]> = crashes(kappa, place, measure);
    for piece in lines {
        plot.line(Line::new("in memory", PlotPoints::Owned(piece)).color(color).width(2.0).allow_band(false));
    }
    if !ends.is_empty() {
        plot.points(Points::new("crash", ends).shape(MarkerShape::Cross).radius(5.0).color(t.crash));
    }
}

/// The last point of the memory before each crash.
fn crashes(kappa: &KappaFrame, place: usize, measure: Measure) -> Vec<[f64; 2]> {
    let mut ends = Vec::new();
    for pair in kappa.series.windows(2) {
        let [before, after] = pair else { continue };
        let at = |point: &KappaPoint| point.versions.get(place).copied().flatten();
        if let (Some(before_it), Some(after_it)) = (at(before), at(after))
            && before_it.version == after_it.version
            && let (Some(memory), None) = (before_it.memory, after_it.memory)
        {
            ends.push([seconds(before.tick), measure.of(&memory)]);
        }
    }
    ends
}

/// The area under what readers see has the colour of the version that served.
fn served_lines(plot: &mut egui_plot::PlotUi<'_>, kappa: &KappaFrame, measure: Measure, t: &Tokens) {
    let place_of = |point: &KappaPoint| {
        let serving = point.serving?;
        point.versions.iter().position(|version| version.is_some_and(|version| version.version == serving))
    };
    let mut from = 0;
    let points = &kappa.series;
    while let Some(first) = points.get(from) {
        let place = place_of(first);
        let same = points.iter().skip(from).take_while(|point| place_of(point) == place).count().max(1);
        // One point further, so that the pieces touch.
        let piece: Vec<&KappaPoint> = points.iter().skip(from).take(same + 1).collect();
        let xs: Vec<f64> = piece.iter().map(|point| seconds(point.tick)).collect();
        let tops: Vec<f64> = piece.iter().map(|point| measure.of(&point.served)).collect();
        let zero = vec![0.0; xs.len()];
        if let (Some(place), true) = (place, xs.len() > 1) {
            let fill = Card::Place(place).color(t).gamma_multiply(AREA);
            plot.add(FilledArea::new("served by", &xs, &zero, &tops).fill_color(fill).allow_hover(false));
        }
        from += same;
    }
    let line: Vec<PlotPoint> =
        points.iter().map(|p| PlotPoint { x: seconds(p.tick), y: measure.of(&p.served) }).collect();
    plot.line(Line::new("served", PlotPoints::Owned(line)).color(t.merged).width(2.5));
}
