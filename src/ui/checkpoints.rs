//! The drawer of checkpoints: what is on disk, and what each file holds.

use eframe::egui::{Label, RichText, ScrollArea, Ui};

use super::{
    theme::{self, tokens},
    widgets::{Out, drawer_head, edit_button, fact_row, section, small_text},
};
use crate::{
    app::{AppCommand, Edit, RightDrawer, State, format},
    engine::frame::{CheckpointInfo, LaneFrame},
};

/// Draws the drawer.
pub fn checkpoints_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    drawer_head(ui, out, "Checkpoints", AppCommand::Right(RightDrawer::Checkpoints));
    let Some(lane) = state.lane() else { return };
    if let Some(summary) = &state.summary {
        small_text(
            ui,
            format!(
                "Saved: {}. Output: {}.",
                summary.guarantee.saved_in_words(),
                summary.guarantee.output_in_words()
            ),
        )
        .on_hover_text(summary.guarantee.id());
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        if lane.checkpoints.is_empty() {
            ui.add_space(8.0);
            small_text(ui, "Nothing on disk yet. C writes a checkpoint now.");
        }
        for info in lane.checkpoints.iter() {
            checkpoint_ui(ui, state, lane, info, out);
        }
    });
}

fn checkpoint_ui(ui: &mut Ui, state: &State, lane: &LaneFrame, info: &CheckpointInfo, out: &mut Out) {
    let t = tokens(ui);
    section(ui, &format!("Checkpoint {}", info.id.0));
    fact_row(ui, "All records before", format::thousands(info.position));
    fact_row(ui, "Written at", format::seconds(info.tick));
    fact_row(ui, "Size", format::bytes(info.bytes));
    if info.write_micros > 0 {
        fact_row(
            ui,
            "Write and sync, measured",
            format!("{}.{} ms", info.write_micros / 1_000, info.write_micros % 1_000 / 100),
        );
    }
    if let Some(why) = &info.refused {
        let said = RichText::new(format!("Refused: {why}")).font(theme::small(ui)).color(t.error);
        ui.add(Label::new(said).wrap());
    }
    if info.position < lane.batch_covers {
        ui.label(RichText::new("Older than the last batch run").font(theme::small(ui)).color(t.warning))
            .on_hover_text(
                "On a restore, what lies below the hand-over is dropped, or it would count twice.",
            );
    }
    let opened = state.answers.checkpoint.as_ref().filter(|page| page.id == info.id);
    ui.horizontal(|ui| {
        let (label, target) = match opened {
            Some(_) => ("Hide contents", None),
            None => ("Show contents", Some(info.id)),
        };
        edit_button(ui, out, label, Edit::Contents(target))
            .on_hover_text(format!("Checkpoint {}", info.id.0));
        if state.is_crashed() {
            edit_button(ui, out, &format!("Restore from {}", info.id.0), Edit::RestoreFrom(info.id));
        }
    });
    if let Some(page) = opened {
        for (name, bytes, words) in &page.sections {
            fact_row(ui, name, format::bytes(*bytes));
            ui.add(Label::new(RichText::new(words).font(theme::small(ui)).color(t.text)).wrap());
        }
    }
    ui.separator();
}
