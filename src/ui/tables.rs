//! Table twins: every plot and strip as rows that can be read, searched and copied.

mod cells;
mod versions;

pub use cells::Column;
pub(super) use cells::{Cell, table_ui};

use eframe::egui::{Ui, vec2};

use super::{
    listing::list,
    plots::selectors,
    series::{arrived_by, seconds},
    widgets::{Out, small_text},
};
use crate::{
    app::{
        Edit, Input, Price, State, TableTwin,
        event_time::late_sentence,
        format,
        trade_off::{age, amount},
    },
    domain::{Day, Run},
    engine::{
        frame::{GroupRow, KappaFrame, LaneFrame, MarkKind, Point, Proof, Totals},
        protocol::{BookView, EventTimes, LateDot, LayerPrice, Listing, NumberOf, TradePoint},
    },
};

#[derive(Default)]
struct Twin {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Twin {
    /// Of texts that lead nowhere.
    fn of_texts(columns: Vec<Column>, rows: impl Iterator<Item = Vec<String>>) -> Twin {
        let cells = |row: Vec<String>| row.into_iter().map(Cell::from).collect();
        Twin { columns, rows: rows.map(cells).collect() }
    }

    fn leads(&self) -> bool {
        self.rows.iter().flatten().any(|cell| cell.leads.is_some())
    }
}

/// The records of a view behind a number.
fn behind(view: BookView, number: &NumberOf) -> Option<Listing> {
    (*number != NumberOf::default()).then(|| Listing::Behind(view, number.clone()))
}

/// Draws the tables in place of the plots.
pub fn tables_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let Some(lane) = state.lane() else { return };
    selectors(ui, state, out);
    let long = (state.twin == TableTwin::Late).then_some(state.answers.event_time.times.as_ref()).flatten();
    let twin = twin(state, lane);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        for choice in TableTwin::ALL {
            if ui.selectable_label(state.twin == choice, choice.name()).clicked() {
                out.push(Input::Edit(Edit::Twin(choice)));
            }
        }
        ui.add_space(8.0);
        if ui.button("Copy table").on_hover_text("With tabs between columns").clicked() {
            let text = long.map_or_else(|| as_text(&twin), |(_, times)| late_as_text(times));
            out.push(Input::Edit(Edit::Copy(text)));
        }
        if twin.leads() {
            ui.add_space(6.0);
            small_text(ui, "Click a number for its records.");
        }
    });
    if let Some((_, times)) = long {
        return late_ui(ui, times, out);
    }
    let clicked = table_ui(ui, state.twin.name(), &twin.columns, twin.rows.len(), |at| {
        twin.rows.get(at).cloned().unwrap_or_default()
    });
    if let Some(listing) = clicked {
        list(listing, out);
    }
}

/// Records `[from, to)` of the log that count by its rules; on a day only, where one is given.
pub(super) fn stretch_of_log((from, to): (u64, u64), day: Option<Day>) -> Listing {
    Listing::Behind(BookView::Log, NumberOf { page: None, day, within: Some((from, to)) })
}

fn as_text(twin: &Twin) -> String {
    let titles: Vec<&str> = twin.columns.iter().map(|column| column.title).collect();
    let mut text = titles.join("\t");
    for row in &twin.rows {
        text.push('\n');
        let texts: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
        text.push_str(&texts.join("\t"));
    }
    text
}

fn twin(state: &State, lane: &LaneFrame) -> Twin {
    if let Some(kappa) = state.kappa().filter(|_| state.shows_kappa())
        && let Some(twin) = twin_of_versions(state, kappa)
    {
        return twin;
    }
    match state.twin {
        TableTwin::Plots => plots(state, lane),
        TableTwin::Proof => proof(&lane.proof),
        TableTwin::Timeline => timeline(lane),
        TableTwin::Pages => groups(state, "Page", &lane.by_page),
        TableTwin::Days => groups(state, "Day", &lane.by_day),
        TableTwin::Late => {
            Twin { columns: vec![Column::text("Ask for \"event time\" first")], rows: Vec::new() }
        }
        TableTwin::TradeOff => trade_off(state, lane),
    }
}

/// Of the Kappa lane; `None`: a table of the log or of the run.
fn twin_of_versions(state: &State, kappa: &KappaFrame) -> Option<Twin> {
    Some(match state.twin {
        TableTwin::Plots => versions::versions(state, kappa),
        TableTwin::Proof => kappa.proof.as_ref().map_or_else(Twin::default, |(_, strip)| proof(strip)),
        TableTwin::Timeline => versions::timeline(kappa),
        TableTwin::Pages => versions::groups(state, "Page", kappa, &kappa.by_page),
        TableTwin::Days => versions::groups(state, "Day", kappa, &kappa.by_day),
        TableTwin::Late | TableTwin::TradeOff => return None,
    })
}

/// Newest first: that is what one looks for while it runs.
fn plots(state: &State, lane: &LaneFrame) -> Twin {
    let text = |totals: &Totals| state.measure.text(totals);
    let maybe = |totals: &Option<Totals>| totals.as_ref().map_or("-".to_owned(), text);
    let off = |a: &Totals, b: &Totals| state.measure.difference_text(state.measure.difference(a, b));
    let columns = [
        "Run time",
        "Batch, final",
        "In memory",
        "Served",
        "Merged",
        "Provisional",
        "Full recount",
        "Off by",
        "If every read counted",
    ];
    let width = |title: &str| if title.len() > 14 { 128.0 } else { 88.0 };
    let row = |point: &Point| {
        // As a click on the plot: what had arrived by then.
        let within = Some((0, arrived_by(&lane.outline, seconds(point.tick))));
        let number = NumberOf { within, ..NumberOf::default() };
        let leads = |text: String, view| Cell::leading(text, behind(view, &number));
        vec![
            format::seconds(point.tick).into(),
            leads(text(&point.batch), BookView::Batch),
            point
                .memory
                .as_ref()
                .map_or_else(|| "-".to_owned().into(), |memory| leads(text(memory), BookView::Memory)),
            leads(text(&point.speed), BookView::Speed),
            leads(text(&point.merged), BookView::Merged),
            off(&point.merged, &point.batch).trim_start_matches('+').to_owned().into(),
            leads(text(&point.recount), BookView::Recount),
            off(&point.merged, &point.recount).into(),
            maybe(&point.every_read).into(),
        ]
    };
    Twin {
        columns: columns.into_iter().map(|title| Column::number(title, width(title))).collect(),
        rows: lane.series.iter().rev().map(row).collect(),
    }
}

fn proof(proof: &Proof) -> Twin {
    let mut bounds: Vec<u64> = [&proof.read, &proof.counted, &proof.every_read]
        .into_iter()
        .flatten()
        .flat_map(|run| [run.start, run.end])
        .collect();
    bounds.extend(proof.mixed.iter().flat_map(|piece| [piece.start, piece.end]));
    bounds.sort_unstable();
    bounds.dedup();
    // Where in a mixed piece a record is that comes to something else is not known.
    let piece_before = |at: u64| {
        let behind = proof.mixed.partition_point(|piece| piece.start < at);
        behind.checked_sub(1).and_then(|before| proof.mixed.get(before))
    };
    bounds.retain(|at| piece_before(*at).is_none_or(|piece| *at >= piece.end));
    let counts = |runs: &[Run], from: u64, to: u64| {
        let first = runs.partition_point(|run| run.end <= from);
        let within = || runs.iter().skip(first).take_while(|run| run.start < to);
        let covered: u64 = within().map(|run| run.end.min(to) - run.start.max(from)).sum();
        let most = within().map(|run| run.count).max().unwrap_or(0);
        let least = within().map(|run| run.count).min().filter(|_| covered == to - from).unwrap_or(0);
        if least == most { format!("{most}x") } else { format!("{least}x to {most}x") }
    };
    let rows = bounds.windows(2).filter_map(|pair| {
        let [from, to] = pair else { return None };
        Some(vec![
            format::records_in(*from, *to),
            format::thousands(to - from),
            counts(&proof.read, *from, *to),
            counts(&proof.counted, *from, *to),
            counts(&proof.every_read, *from, *to),
        ])
    });
    let mut columns = vec![Column::text("Records")];
    columns.extend(
        ["How many", "Read", "Counted", "If every read counted"].map(|title| Column::number(title, 132.0)),
    );
    Twin::of_texts(columns, rows)
}

fn timeline(lane: &LaneFrame) -> Twin {
    let word = |kind| match kind {
        MarkKind::BatchStarted => "batch run started, covers up to",
        MarkKind::BatchPublished => "batch run published, covers up to",
        MarkKind::BatchCrashed => "batch run crashed at",
        MarkKind::Checkpoint => "checkpoint at",
        MarkKind::StreamCrashed => "stream crashed at",
        MarkKind::Restored => "stream restored at",
        MarkKind::ReplayFinished => "everything read again up to",
    };
    let columns =
        vec![Column::number("Run time", 92.0), Column::text("What"), Column::number("Record", 108.0)];
    let rows = lane.marks.iter().rev().map(|mark| {
        vec![format::seconds(mark.tick), word(mark.kind).to_owned(), format::thousands(mark.record)]
    });
    Twin::of_texts(columns, rows)
}

fn groups(state: &State, first: &'static str, rows: &[GroupRow]) -> Twin {
    let text = |totals: &Totals| state.measure.text(totals);
    let mut columns = vec![Column::text(first)];
    columns.extend(
        ["Final", "Provisional", "Merged", "Full recount", "Off by", "Whole log"]
            .map(|title| Column::number(title, 96.0)),
    );
    let measure = state.measure;
    let difference = |a: &Totals, b: &Totals| measure.difference_text(measure.difference(a, b));
    let row = |row: &GroupRow| {
        let number = NumberOf { page: row.page.clone(), day: row.day, within: None };
        let leads = |totals: &Totals, view| Cell::leading(text(totals), behind(view, &number));
        let provisional = difference(&row.merged, &row.final_totals);
        vec![
            row.label.clone().into(),
            leads(&row.final_totals, BookView::Batch),
            Cell::leading(provisional, behind(BookView::Speed, &number)),
            leads(&row.merged, BookView::Merged),
            leads(&row.recount, BookView::Recount),
            difference(&row.merged, &row.recount).into(),
            leads(&row.log, BookView::Log),
        ]
    };
    Twin { columns, rows: rows.iter().map(row).collect() }
}

fn late_columns() -> [Column; 6] {
    [
        Column::number("Record", 92.0),
        Column::text("Partition"),
        Column::number("Offset", 92.0),
        Column::number("Event time", 190.0),
        Column::number("Day", 92.0),
        Column::number("Watermark", 190.0),
    ]
}

fn late_row(times: &EventTimes, late: &LateDot) -> Vec<String> {
    let partition = times.partitions.get(late.partition.index());
    vec![
        format::thousands(late.record),
        partition.map_or_else(|| late.partition.0.to_string(), |(name, _)| name.clone()),
        format::thousands(late.offset),
        late.time.to_string(),
        late.day.to_string(),
        late.watermark.to_string(),
    ]
}

/// Late records: there can be very many, so that rows are made as they come into sight.
fn late_ui(ui: &mut Ui, times: &EventTimes, out: &mut Out) {
    let listed = times.late.len() as u64;
    let more = times.late_total.saturating_sub(listed);
    let note = if more > 0 {
        format!(" The first {} are listed.", format::thousands(listed))
    } else {
        String::new()
    };
    small_text(ui, late_sentence(times) + &note);
    let clicked = table_ui(ui, "late", &late_columns(), times.late.len(), |at| {
        times.late.get(at).map_or_else(Vec::new, |late| {
            let mut cells: Vec<Cell> = late_row(times, late).into_iter().map(Cell::from).collect();
            if let Some(record) = cells.first_mut() {
                record.leads = Some(stretch_of_log((late.record, late.record + 1), None));
            }
            cells
        })
    });
    if let Some(listing) = clicked {
        list(listing, out);
    }
}

fn late_as_text(times: &EventTimes) -> String {
    let titles = late_columns().map(|column| column.title);
    let mut text = titles.join("\t");
    for late in &times.late {
        text.push('\n');
        text.push_str(&late_row(times, late).join("\t"));
    }
    text
}

/// Every point that was played, in the order of its knobs.
fn trade_off(state: &State, lane: &LaneFrame) -> Twin {
    let page = &state.answers.trade_off;
    let mut columns = vec![
        Column::number("Batch every", 84.0),
        Column::number("Micro-batch", 80.0),
        Column::number("Checkpoint", 80.0),
    ];
    columns.extend(
        ["Batch age", "Reads", "CPU µs", "Stream age", "CPU µs", "Bytes", "Syncs"]
            .map(|title| Column::number(title, 78.0)),
    );
    columns.push(Column::text(""));
    let mut points: Vec<&TradePoint> = page.points.iter().collect();
    points.sort_by_key(|point| point.knobs);
    let row = |point: &&TradePoint| {
        let of = |price: Price, layer: &LayerPrice| amount(price.of(layer, point.records));
        let is_now = if point.knobs == lane.knobs { "this run" } else { "" };
        vec![
            format::thousands(point.knobs.batch_every),
            format::thousands(point.knobs.micro_batch),
            format::thousands(point.knobs.checkpoint_every),
            age(point.batch.mean_age_micros),
            of(Price::Reads, &point.batch),
            of(Price::Cpu, &point.batch),
            age(point.stream.mean_age_micros),
            of(Price::Cpu, &point.stream),
            of(Price::Bytes, &point.stream),
            of(Price::Syncs, &point.stream),
            is_now.to_owned(),
        ]
    };
    Twin::of_texts(columns, points.iter().map(row))
}
