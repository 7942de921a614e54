//! The drawer of numbers: freshness, cost of both layers, and what has been checked.

use eframe::egui::{Color32, Label, RichText, ScrollArea, Ui, vec2};

use super::{
    approximate::{event_time, final_and_provisional},
    theme::{self, Tokens, tokens},
    widgets::{Out, drawer_head, edit_button, fact_row, section, small_text},
};
use crate::{
    app::{AppCommand, Edit, RightDrawer, State, format},
    engine::{
        frame::{Cost, InvariantState, InvariantStatus, LaneFrame},
        protocol::LogSummary,
    },
};

/// Draws the drawer.
pub fn numbers_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Numbers", AppCommand::Right(RightDrawer::Numbers));
    let Some(lane) = state.lane() else { return };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        freshness(ui, lane);
        final_and_provisional(ui, state, lane);
        event_time(ui, lane);
        section(ui, "Batch layer");
        cost(ui, &lane.batch_cost);
        section(ui, "Stream layer");
        cost(ui, &lane.stream_cost);
        fact_row(ui, "Attempt", lane.generation.0.to_string());
        section(ui, "Checked while it runs");
        for invariant in lane.invariants.iter() {
            invariant_ui(ui, invariant);
        }
        if !state.settings.presenter {
            prints(ui, lane);
        }
        if let Some(summary) = &state.summary {
            log_ui(ui, summary, out);
        }
    });
}

/// What is known of the log, and the command line that computes the same.
fn log_ui(ui: &mut Ui, summary: &LogSummary, out: &mut Out) {
    let t = tokens(ui);
    section(ui, "Log");
    let mut line = |name: &str, text: String| {
        small_text(ui, name);
        ui.add(Label::new(RichText::new(text).font(theme::mono_small(ui)).color(t.text)).wrap());
    };
    line("Path", summary.path.display().to_string());
    if let Some(scenario) = &summary.scenario {
        line("Scenario", scenario.clone());
    }
    line("Partitions", summary.partitions.join(", "));
    line("Format", summary.format.clone());
    line("Fields", summary.mapping.clone());
    line("Days in", summary.zone.clone());
    line("Same batch view from the command line", summary.batch_command.clone());
    edit_button(ui, out, "Copy as command", Edit::Copy(summary.batch_command.clone()));
}

fn freshness(ui: &mut Ui, lane: &LaneFrame) {
    section(ui, "Freshness");
    fact_row(ui, "Arrived", format::thousands(lane.arrived));
    fact_row(ui, "Records behind", format::thousands(lane.lag_records()));
    fact_row(
        ui,
        "Not yet in the batch view",
        format::thousands(lane.arrived.saturating_sub(lane.batch_covers)),
    );
    fact_row(ui, "Age of the batch view", format::seconds(lane.batch_cost.age_ticks));
    fact_row(ui, "Age of the speed view", format::seconds(lane.stream_cost.age_ticks));
    fact_row(ui, "Page views, merged", format::thousands(lane.merged_totals.views));
    fact_row(ui, "Full recount of the same records", format::thousands(lane.recount_totals.views));
}

fn cost(ui: &mut Ui, cost: &Cost) {
    let again = cost.reads.saturating_sub(cost.records);
    fact_row(ui, "Records read", format::thousands(cost.reads));
    fact_row(ui, "of them read again", format::thousands(again));
    fact_row(ui, "Reads of each record", per_record(cost.reads, cost.records));
    fact_row(
        ui,
        "Throughput, simulated",
        format!(
            "{}/s of {}/s",
            format::thousands(cost.simulated_throughput),
            format::thousands(cost.capacity)
        ),
    );
    let measured = if cost.measured_throughput == 0 {
        "not yet".to_owned()
    } else {
        format!("{}/s", format::thousands(cost.measured_throughput))
    };
    fact_row(ui, "Throughput, measured", measured);
    fact_row(ui, "Written to disk", format::bytes(cost.bytes_written));
    fact_row(ui, "Bytes written a record", per_record(cost.bytes_written, cost.records));
    fact_row(ui, "Files synced", format::thousands(cost.fsyncs));
    fact_row(ui, "Files synced a record", per_record(cost.fsyncs, cost.records));
}

/// A share in thousandths, exact integers: `2.150`.
fn per_record(amount: u64, records: u64) -> String {
    let Some(thousandths) = amount.saturating_mul(1_000).checked_div(records) else {
        return "not yet".to_owned();
    };
    format!("{}.{:03}", format::thousands(thousandths / 1_000), thousandths % 1_000)
}

fn standing(state: &InvariantState, t: &Tokens) -> (String, Color32) {
    match state {
        InvariantState::NotYet => ("not checked yet".to_owned(), t.subdued),
        InvariantState::Holds { checks } => (format!("holds, checked {}", format::times(*checks)), t.success),
        InvariantState::Broken { counterexample } => (format!("broken: {counterexample}"), t.error),
        InvariantState::NotPromised { breaks, counterexample } => (
            format!("broke {} times, as what is saved allows: {counterexample}", format::thousands(*breaks)),
            t.warning,
        ),
    }
}

pub(super) fn invariant_ui(ui: &mut Ui, invariant: &InvariantStatus) {
    let t = tokens(ui);
    let (words, color) = standing(&invariant.state, t);
    ui.horizontal_top(|ui| {
        let (rect, _) =
            ui.allocate_exact_size(vec2(8.0, theme::body(ui).size + 4.0), eframe::egui::Sense::hover());
        let filled = !matches!(invariant.state, InvariantState::NotYet);
        let center = rect.center();
        if filled {
            ui.painter().circle_filled(center, 4.0, color);
        } else {
            ui.painter().circle_stroke(center, 3.5, eframe::egui::Stroke::new(1.25, color));
        }
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.add(Label::new(RichText::new(invariant.sentence).color(t.text)).wrap())
                .on_hover_text(invariant.id);
            ui.add(Label::new(RichText::new(words).font(theme::small(ui)).color(color)).wrap());
        });
    });
}

fn prints(ui: &mut Ui, lane: &LaneFrame) {
    let Some((merged, recount)) = &lane.fingerprints else { return };
    section(ui, "Fingerprints");
    for (name, print) in [("merged", merged), ("full recount", recount)] {
        small_text(ui, name);
        ui.add(Label::new(RichText::new(print).font(theme::mono_small(ui)).color(tokens(ui).text)).wrap());
    }
    let same = merged == recount;
    let t = tokens(ui);
    let (text, color) = if same { ("the same", t.success) } else { ("different", t.error) };
    ui.label(RichText::new(text).color(color));
}
