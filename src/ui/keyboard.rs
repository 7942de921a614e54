//! Keys to commands. No bare letter acts while a text field has the focus or a dialog is up.

use std::collections::BTreeSet;

use eframe::egui;

use super::widgets::Out;
use crate::app::{AppCommand, Dialog, Input, Key, Shortcut, State};

/// Turns this frame's key presses into commands.
pub fn keyboard(ctx: &egui::Context, state: &State, out: &mut Out) {
    let presses = presses(ctx);
    let typing = ctx.text_edit_focused();
    let focused = ctx.memory(|memory| memory.focused().is_some());
    for spec in AppCommand::ALL {
        let Some(shortcut) = spec.shortcut else { continue };
        let always = spec.command == AppCommand::Close || shortcut.ctrl;
        if !always && (typing || state.dialog != Dialog::None) && spec.command != AppCommand::Help {
            continue;
        }
        if typing && !always {
            continue;
        }
        // A focused button answers to the space bar itself.
        if focused && shortcut.key == Key::Space {
            continue;
        }
        // These keys say nothing when they mean nothing; all others tell the reason.
        let command = spec.command;
        let silent = matches!(command, AppCommand::Close | AppCommand::Predict(_));
        let is_pressed = presses.iter().any(|press| press.fits(shortcut));
        if is_pressed && (!silent || command.enabled(state).is_ok()) {
            out.push(Input::Command(command));
        }
    }
}

/// A key that went down, or is held and says so again.
#[derive(Debug, Clone, Copy)]
struct Press {
    key: egui::Key,
    modifiers: egui::Modifiers,
    repeats: bool,
}

impl Press {
    fn fits(self, shortcut: Shortcut) -> bool {
        let Press { key, modifiers, repeats } = self;
        let steps = matches!(shortcut.key, Key::Period | Key::Comma);
        let shift_fits = !matches!(shortcut.key, Key::Letter(_)) || modifiers.shift == shortcut.shift;
        keys(shortcut.key).contains(&key)
            && (modifiers.ctrl || modifiers.command) == shortcut.ctrl
            && !modifiers.alt
            && shift_fits
            && (steps || !repeats)
    }
}

/// Keys of the keyboard that are down, by their place on it.
#[derive(Debug, Clone, Default)]
struct Held(BTreeSet<egui::Key>);

/// This frame's presses. Whether one repeats is told by the place of the key: the toolkit tells it by the sign, and where
/// Shift is let go before `=`, what went down as `+` comes up as `=`, and every later `+` would seem to repeat.
fn presses(ctx: &egui::Context) -> Vec<Press> {
    let id = egui::Id::unique("keys that are down");
    let mut held = ctx.data(|data| data.get_temp::<Held>(id)).unwrap_or_default();
    let mut presses = Vec::new();
    ctx.input(|input| {
        for event in &input.events {
            match event {
                egui::Event::Key { key, physical_key, pressed: true, repeat, modifiers } => {
                    let repeats = physical_key.map_or(*repeat, |place| !held.0.insert(place));
                    presses.push(Press { key: *key, modifiers: *modifiers, repeats });
                }
                egui::Event::Key { physical_key: Some(place), pressed: false, .. } => {
                    held.0.remove(place);
                }
                // Of keys that come up elsewhere nothing is heard.
                egui::Event::WindowFocused(false) => held.0.clear(),
                _ => {}
            }
        }
    });
    ctx.data_mut(|data| data.insert_temp(id, held));
    presses
}

/// The keys of the toolkit that stand for one of ours.
fn keys(key: Key) -> Vec<egui::Key> {
    match key {
        Key::Letter(letter) => egui::Key::from_name(&letter.to_string()).into_iter().collect(),
        Key::Digit(digit) => egui::Key::from_name(&digit.to_string()).into_iter().collect(),
        Key::Space => vec![egui::Key::Space],
        Key::Period => vec![egui::Key::Period],
        Key::Comma => vec![egui::Key::Comma],
        Key::Plus => vec![egui::Key::Plus, egui::Key::Equals],
        Key::Minus => vec![egui::Key::Minus],
        Key::Slash => vec![egui::Key::Slash],
        Key::Question => vec![egui::Key::Questionmark],
        Key::Home => vec![egui::Key::Home],
        Key::PageDown => vec![egui::Key::PageDown],
        Key::PageUp => vec![egui::Key::PageUp],
        Key::Escape => vec![egui::Key::Escape],
        Key::F11 => vec![egui::Key::F11],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Presses in frames of these events, each with whether it repeats.
    fn told(frames: Vec<Vec<egui::Event>>) -> Vec<(egui::Key, bool)> {
        let ctx = egui::Context::default();
        let mut told = Vec::new();
        for events in frames {
            let input = egui::RawInput { events, ..egui::RawInput::default() };
            let mut output = ctx.run_ui(input, |ui| {
                told.extend(presses(ui.ctx()).iter().map(|press| (press.key, press.repeats)));
            });
            output.textures_delta.clear();
        }
        told
    }

    fn event(key: egui::Key, place: egui::Key, pressed: bool) -> egui::Event {
        let modifiers = egui::Modifiers::NONE;
        egui::Event::Key { key, physical_key: Some(place), pressed, repeat: false, modifiers }
    }

    #[test]
    fn a_plus_that_comes_up_as_an_equals_sign_is_taken_each_time() {
        use egui::Key::{Equals, Plus};
        // Shift is let go first, then the key.
        let down_and_up = || vec![event(Plus, Equals, true), event(Equals, Equals, false)];
        assert_eq!(told(vec![down_and_up(), down_and_up()]), [(Plus, false), (Plus, false)]);
        assert_eq!(told(vec![[down_and_up(), down_and_up()].concat()]), [(Plus, false), (Plus, false)]);
    }

    #[test]
    fn a_key_that_is_held_repeats_until_it_comes_up_or_the_window_loses_the_keyboard() {
        use egui::Key::{Equals, Plus};
        let down = || event(Plus, Equals, true);
        let frames = vec![vec![down()], vec![down()], vec![egui::Event::WindowFocused(false)], vec![down()]];
        assert_eq!(told(frames), [(Plus, false), (Plus, true), (Plus, false)]);
        // Where the place of a key is not known, the toolkit is believed.
        let nowhere = || egui::Event::Key {
            key: Plus,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: egui::Modifiers::NONE,
        };
        assert_eq!(told(vec![vec![nowhere()], vec![nowhere()]]), [(Plus, false), (Plus, true)]);
    }
}
