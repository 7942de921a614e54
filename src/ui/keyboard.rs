//! Keys to commands. No bare letter acts while a text field has the focus or a dialog is up.

use eframe::egui;

use super::widgets::Out;
use crate::app::{AppCommand, Dialog, Input, Key, Shortcut, State};

/// Turns this frame's key presses into commands.
pub fn keyboard(ctx: &egui::Context, state: &State, out: &mut Out) {
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
        if pressed(ctx, shortcut) && (!silent || command.enabled(state).is_ok()) {
            out.push(Input::Command(command));
        }
    }
}

fn pressed(ctx: &egui::Context, shortcut: Shortcut) -> bool {
    ctx.input(|input| {
        input.events.iter().any(|event| match event {
            egui::Event::Key { key, pressed: true, modifiers, repeat, .. } => {
                let steps = matches!(shortcut.key, Key::Period | Key::Comma);
                let shift_fits = !matches!(shortcut.key, Key::Letter(_)) || modifiers.shift == shortcut.shift;
                keys(shortcut.key).contains(key)
                    && (modifiers.ctrl || modifiers.command) == shortcut.ctrl
                    && !modifiers.alt
                    && shift_fits
                    && (steps || !repeat)
            }
            _ => false,
        })
    })
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
