//! Pictures of what a window test stands at, for a person to look at: only where `REDERIVE_PICTURES` names a directory.

use std::path::PathBuf;

use eframe::egui::{Theme, vec2};
use rederive::{
    app::{Settings, State, ThemeChoice},
    ui::{Window, picture},
};

use super::live::Live;

/// Draws the state in both themes and two sizes.
pub fn look(live: &Live, name: &str) {
    let Some(directory) = std::env::var_os("REDERIVE_PICTURES").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&directory).unwrap();
    for (theme_name, theme) in [("dark", ThemeChoice::Dark), ("light", ThemeChoice::Light)] {
        for (width, height) in [(1440.0, 900.0), (960.0, 600.0)] {
            let state = live.state().clone();
            let settings = Settings { theme, ..state.settings.clone() };
            let mut window = Window::with_state(State { settings, ..state });
            let picture = picture::render(|ui| drop(window.ui(ui)), vec2(width, height), 1.0, Theme::Dark);
            picture.save(&directory.join(format!("{name}-{theme_name}-{width}.png"))).unwrap();
        }
    }
}
