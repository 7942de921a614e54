//! The palette: any command by a part of its name.

use eframe::egui::{Button, Id, Key, RichText, ScrollArea, Ui, vec2};

use super::{
    theme::{self, tokens},
    widgets::{Out, small_text, text_field},
};
use crate::app::{AppCommand, Edit, Input, Spec, State};

/// Draws the palette.
pub fn palette_ui(ui: &mut Ui, state: &State, query: &str, chosen: usize, out: &mut Out) {
    let found = matches(query);
    let width = ui.available_width() - 130.0 * theme::scale(ui);
    let mut run = None;
    ui.horizontal(|ui| {
        let (response, changed) = text_field(ui, "Find a command", query, width, false);
        if let Some(text) = changed {
            out.push(Input::Edit(Edit::Query(text)));
        }
        if ui.input(|input| input.key_pressed(Key::Enter)) && (response.has_focus() || response.lost_focus())
        {
            run = found.get(chosen).map(|spec| spec.command);
        }
        if ui.memory(|memory| memory.focused().is_none()) {
            response.request_focus();
        }
    });
    let last = found.len().saturating_sub(1);
    if ui.input(|input| input.key_pressed(Key::ArrowDown)) {
        out.push(Input::Edit(Edit::Chosen((chosen + 1).min(last))));
    }
    if ui.input(|input| input.key_pressed(Key::ArrowUp)) {
        out.push(Input::Edit(Edit::Chosen(chosen.saturating_sub(1))));
    }
    ScrollArea::vertical().id_salt(Id::unique("palette")).max_height(380.0).auto_shrink([false, true]).show(
        ui,
        |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (at, spec) in found.iter().enumerate() {
                if row_ui(ui, state, spec, at == chosen) {
                    run = Some(spec.command);
                }
            }
            if found.is_empty() {
                small_text(ui, "No command has this in its name.");
            }
        },
    );
    if let Some(command) = run {
        out.push(Input::Command(AppCommand::Close));
        out.push(Input::Command(command));
    }
}

fn row_ui(ui: &mut Ui, state: &State, spec: &Spec, chosen: bool) -> bool {
    let t = tokens(ui);
    let enabled = spec.command.enabled(state);
    let key = spec.shortcut.map(|shortcut| shortcut.to_string()).unwrap_or_default();
    let button = Button::selectable(chosen, RichText::new(spec.title))
        .shortcut_text(RichText::new(key).font(theme::mono_small(ui)).color(t.subdued))
        .min_size(vec2(ui.available_width(), 0.0));
    let response = ui.add_enabled(enabled.is_ok(), button);
    if chosen {
        response.scroll_to_me(None);
    }
    let response = match enabled {
        Ok(()) => response.on_hover_text(spec.hint),
        Err(reason) => response.on_disabled_hover_text(reason),
    };
    response.clicked()
}

/// Commands whose title or hint holds every word of the query; titles first.
fn matches(query: &str) -> Vec<&'static Spec> {
    let words: Vec<String> = query.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let holds = |text: &str| words.iter().all(|word| text.contains(word.as_str()));
    let listed = || {
        AppCommand::ALL.iter().filter(|spec| !matches!(spec.command, AppCommand::Close | AppCommand::Palette))
    };
    let in_title = |spec: &&Spec| holds(&spec.title.to_lowercase());
    let in_both = |spec: &&Spec| holds(&format!("{} {}", spec.title, spec.hint).to_lowercase());
    let mut found: Vec<&Spec> = listed().filter(in_title).collect();
    found.extend(listed().filter(|spec| !in_title(spec) && in_both(spec)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_come_before_hints_and_all_words_must_match() {
        assert_eq!(matches("restore").first().unwrap().command, AppCommand::Restore);
        assert_eq!(matches("batch now").first().unwrap().command, AppCommand::BatchNow);
        assert!(matches("zebra").is_empty());
        assert!(matches("").len() > 40);
    }
}
