//! The rules of the next version.

use eframe::egui::{self, Label, RichText, Ui};

use crate::{
    app::{AppCommand, Edit, Input, State, VersionEdit, VersionStep, VersionsPage},
    domain::Uniques,
    engine::{
        frame::KappaFrame,
        protocol::{Duplicates, NoUser},
    },
    ui::{
        theme::{self, tokens},
        widgets::{Out, command_button, hinted_field, named, section},
    },
};

/// What the next version will do otherwise.
pub(super) fn form_ui(ui: &mut Ui, state: &State, kappa: &KappaFrame, out: &mut Out) {
    let page = &state.versions;
    let next = kappa.serving.as_ref().map_or(2, |serving| serving.number.0 + 1);
    section(ui, "Rules of the next version");
    let mut edit = |edit| out.push(Input::Edit(Edit::Version(edit)));
    ui.horizontal(|ui| {
        let width = ui.available_width() - 72.0 * theme::scale(ui);
        let (response, changed) = hinted_field(ui, "Days in", &page.zone, "as the run", width);
        response.on_hover_text("A time zone such as Europe/Berlin; empty: as the run");
        if let Some(typed) = changed {
            edit(VersionEdit::Zone(typed));
        }
    });
    for zone in page.zones() {
        if ui.selectable_label(false, RichText::new(zone.to_string()).font(theme::mono(ui))).clicked() {
            edit(VersionEdit::TakeZone(zone));
        }
    }
    let duplicates = [
        (None, "as the run"),
        (Some(Duplicates::Drop), "count once"),
        (Some(Duplicates::Count), "count all"),
    ];
    choices(ui, "Same id again", &duplicates, page.duplicates, |one| edit(VersionEdit::Duplicates(one)));
    let no_user = [(None, "as the run"), (Some(NoUser::Skip), "skip"), (Some(NoUser::Count), "count")];
    choices(ui, "No user", &no_user, page.no_user, |one| edit(VersionEdit::NoUser(one)));
    lateness_ui(ui, page, &mut edit);
    let uniques =
        [(None, "as the run"), (Some(Uniques::Set), "in sets"), (Some(Uniques::Hll), "in sketches")];
    choices(ui, "Users", &uniques, page.uniques, |one| edit(VersionEdit::Uniques(one)));
    if let Err(why) = page.settings() {
        ui.add(Label::new(RichText::new(why).color(tokens(ui).error)).wrap());
    }
    ui.add_space(2.0);
    command_button(
        ui,
        state,
        out,
        AppCommand::Version(VersionStep::StartNext),
        &format!("Start version {next}"),
    );
}

/// How long a day stays open, and (where it closes at all) from when on a partition is idle.
fn lateness_ui(ui: &mut Ui, page: &VersionsPage, edit: &mut impl FnMut(VersionEdit)) {
    ui.horizontal(|ui| {
        let width = 96.0 * theme::scale(ui);
        let (response, changed) = hinted_field(ui, "Late after", &page.lateness, "as the run", width);
        response.on_hover_text(
            "How long a day stays open after its end: 2h, 1d, or for ever; empty: as the run",
        );
        if let Some(typed) = changed {
            edit(VersionEdit::Lateness(typed));
        }
        if page.lateness.trim().is_empty() {
            return;
        }
        let (response, changed) = hinted_field(ui, "idle after", &page.idle_after, "as the run", width);
        response.on_hover_text(
            "A partition that was not read while the others read so many records no longer holds the watermark back; empty: \
             as the run",
        );
        if let Some(typed) = changed {
            edit(VersionEdit::IdleAfter(typed));
        }
    });
}

fn choices<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    all: &[(T, &str)],
    chosen: T,
    mut take: impl FnMut(T),
) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.add(Label::new(RichText::new(name).color(tokens(ui).subdued)));
        ui.add_space(6.0);
        for &(one, label) in all {
            let response = ui.selectable_label(one == chosen, label);
            named(&response, egui::Role::Button, format!("{name}: {label}"));
            if response.clicked() {
                take(one);
            }
        }
    });
}
