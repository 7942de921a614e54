//! The drawer of late records: what the stream dropped, and the watermark that dropped it.

use eframe::egui::Ui;

use super::{
    tables::{Column, table_ui},
    theme,
    widgets::{Out, drawer_head, edit_button, fact_row, small_text},
};
use crate::{
    app::{AppCommand, Edit, RightDrawer, State, format},
    domain::{EventTime, Lateness},
    engine::{frame::LaneFrame, protocol::LateLine},
};

const PAGE: u64 = 200;

/// From this width on there is room for full dates.
const ROOMY: f32 = 404.0;

/// Draws the drawer.
pub fn late_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Late records", AppCommand::Right(RightDrawer::Late));
    let Some(lane) = state.lane() else { return };
    summary(ui, lane);
    let page = &state.answers.late;
    if page.lines.is_empty() {
        return;
    }
    ui.horizontal(|ui| {
        small_text(ui, format!("{} missing now", format::thousands(page.total)));
        ui.add_enabled_ui(page.first > 0, |ui| {
            edit_button(ui, out, "Earlier", Edit::Late(page.first.saturating_sub(PAGE)));
        });
        ui.add_enabled_ui(page.first + PAGE < page.total, |ui| {
            edit_button(ui, out, "Later", Edit::Late(page.first + PAGE));
        });
        edit_button(ui, out, "Copy rows", Edit::Copy(as_text(&page.lines)));
    });
    // Where the drawer is narrow the year is left out.
    let is_roomy = ui.available_width() >= ROOMY * theme::scale(ui);
    let (offset, time) = if is_roomy { (62.0, 128.0) } else { (54.0, 90.0) };
    let columns = [
        Column::text("Partition"),
        Column::number("Offset", offset),
        Column::number("Happened", time),
        Column::number("Watermark", time),
    ];
    let shown = |time: Option<EventTime>| {
        let text = to_the_minute(time);
        let short = text.get(5..).filter(|_| !is_roomy && text.len() == 16).map(ToOwned::to_owned);
        short.unwrap_or(text)
    };
    table_ui(ui, "late", &columns, page.lines.len(), |at| {
        page.lines.get(at).map_or_else(Vec::new, |line| {
            vec![
                line.partition.clone(),
                format::thousands(line.offset),
                shown(line.time),
                shown(line.watermark),
            ]
        })
    });
}

fn summary(ui: &mut Ui, lane: &LaneFrame) {
    let approximation = &lane.approximation;
    match approximation.lateness {
        Lateness::Unbounded => {
            small_text(
                ui,
                "Days stay open for ever in this run: nothing is late, and the stream counts all that it reads.",
            );
        }
        Lateness::Within(_) => {
            fact_row(ui, "A day stays open after its end for", approximation.lateness.to_string());
            fact_row(ui, "Dropped by the stream so far", format::thousands(approximation.late_dropped));
            fact_row(ui, "Missing from merged now", format::thousands(approximation.late_missing));
            small_text(
                ui,
                "A record is late when the watermark has passed the end of its day by that long. The next batch run counts it.",
            );
        }
    }
}

/// `2024-01-31 09:13`: seconds do not fit, and do not matter for days.
pub fn to_the_minute(time: Option<EventTime>) -> String {
    let Some(time) = time else { return "-".to_owned() };
    let text = time.to_string();
    text.get(..16).map_or(text.clone(), |minute| minute.replace('T', " "))
}

fn as_text(lines: &[LateLine]) -> String {
    let mut text = String::from("record\tpartition\toffset\tpage\thappened\twatermark\n");
    let exact = |time: Option<EventTime>| time.map_or("-".to_owned(), |time| time.to_string());
    for line in lines {
        let cells = [
            line.number.to_string(),
            line.partition.clone(),
            line.offset.to_string(),
            line.page.clone(),
            exact(line.time),
            exact(line.watermark),
        ];
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}
