//! The drawer of late records: what a stream dropped, and the watermark that dropped it; each leads to its numbers.

use eframe::egui::{Role, ScrollArea, Sense, Ui};

use super::{
    grid::{ROW, Weight, row_ui},
    theme,
    widgets::{Out, drawer_head, edit_button, fact_row, named, small_text},
};
use crate::{
    app::{AppCommand, Edit, Input, LineageEdit, RightDrawer, State, format},
    domain::{EventTime, Lateness},
    engine::{
        frame::{LaneFrame, VersionFrame},
        protocol::{LateLine, LateOf},
    },
};

const PAGE: u64 = 200;

/// From this width on times are shown with their years.
const ROOMY: f32 = 408.0;

/// Draws the drawer.
pub fn late_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Late records", AppCommand::Right(RightDrawer::Late));
    let Some(lane) = state.lane() else { return };
    let of = state.late_of();
    views_ui(ui, state, of, out);
    match of {
        LateOf::Merged => summary(ui, lane),
        LateOf::Version(number) => {
            state.version(number).into_iter().for_each(|version| version_summary(ui, version));
        }
    }
    let page = &state.answers.late;
    if page.lines.is_empty() || page.of != of {
        return;
    }
    ui.horizontal(|ui| {
        small_text(ui, format!("{} missing now", format::thousands(page.total)));
        ui.add_enabled_ui(page.first > 0, |ui| {
            edit_button(ui, out, "Earlier", Edit::Late(of, page.first.saturating_sub(PAGE)));
        });
        ui.add_enabled_ui(page.first + PAGE < page.total, |ui| {
            edit_button(ui, out, "Later", Edit::Late(of, page.first + PAGE));
        });
        edit_button(ui, out, "Copy rows", Edit::Copy(as_text(&page.lines)));
    });
    rows_ui(ui, &page.lines, out);
}

/// A click on a record shows every number that it touches.
fn rows_ui(ui: &mut Ui, lines: &[LateLine], out: &mut Out) {
    // Where years do not fit, the copied rows have them.
    let is_roomy = ui.available_width() >= ROOMY * theme::scale(ui);
    let (offset, time) = if is_roomy { (62.0, 128.0) } else { (56.0, 92.0) };
    let shown = |time: Option<EventTime>| {
        let text = to_the_minute(time);
        if is_roomy { text } else { text.get(5..).map_or(text.clone(), str::to_owned) }
    };
    let widths = [offset, time, time];
    let head = ["Offset", "Happened", "Watermark"].map(str::to_owned);
    row_ui(ui, "Partition", &head, &widths, Weight::Head, Sense::hover());
    let scroll = ScrollArea::vertical().id_salt("late").auto_shrink(false);
    scroll.show_rows(ui, ROW * theme::scale(ui), lines.len(), |ui, range| {
        for line in lines.get(range).unwrap_or_default() {
            let texts = [format::thousands(line.offset), shown(line.time), shown(line.watermark)];
            let response = row_ui(ui, &line.partition, &texts, &widths, Weight::Plain, Sense::click());
            let hint = format!("Record {}, {}: its numbers", format::thousands(line.number), line.page);
            if response.on_hover_text(hint).clicked() {
                out.push(Input::Edit(Edit::Lineage(LineageEdit::Numbers(line.number))));
            }
        }
    });
}

/// From which view they are missing; offered once there are versions.
fn views_ui(ui: &mut Ui, state: &State, of: LateOf, out: &mut Out) {
    let Some(kappa) = state.kappa() else { return };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let mut numbers: Vec<_> = kappa.versions().map(|version| version.number).collect();
        numbers.sort_unstable();
        let versions =
            numbers.into_iter().map(|number| (LateOf::Version(number), format!("Version {number}")));
        for (one, label) in std::iter::once((LateOf::Merged, "Lambda".to_owned())).chain(versions) {
            let response = ui.selectable_label(one == of, &label);
            named(&response, Role::Button, format!("Late records of {label}"));
            if response.clicked() {
                out.push(Input::Edit(Edit::Late(one, 0)));
            }
        }
    });
}

fn version_summary(ui: &mut Ui, version: &VersionFrame) {
    match version.options.lateness {
        Lateness::Unbounded => {
            small_text(ui, "Days stay open for ever in this version: nothing is late.");
        }
        Lateness::Within(_) => {
            fact_row(ui, "A day stays open after its end for", version.options.lateness.to_string());
            fact_row(ui, "Its watermark", to_the_minute(version.watermark));
            fact_row(ui, "Missing from its view", format::thousands(version.late));
            small_text(
                ui,
                "No batch run counts them later: they stay missing until a version that waits longer has read the log.",
            );
        }
    }
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
