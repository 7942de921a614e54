//! Settings and recent logs on disk, as JSON below the XDG config directory.
//!
//! Nothing here is needed to run: a missing file means the defaults, a broken one means the defaults and a note.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Most recent logs that are kept.
pub const MAX_RECENT: usize = 10;

const FILE: &str = "settings.json";

/// Which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the desktop says.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light, for projectors.
    Light,
}

/// What is remembered between sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which colours.
    pub theme: ThemeChoice,
    /// Size of everything in per cent.
    pub zoom_percent: u32,
    /// Whether the text is large.
    pub presenter: bool,
    /// Logs opened last, newest first.
    pub recent: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { theme: ThemeChoice::System, zoom_percent: 100, presenter: false, recent: Vec::new() }
    }
}

impl Settings {
    /// Reads the settings below `dir`, with a note for the person if the file could not be used.
    pub fn load(dir: &Path) -> (Settings, Option<String>) {
        let path = dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (Settings::default(), None),
            Err(error) => return (Settings::default(), Some(note(&path, &error.to_string()))),
        };
        match serde_json::from_str::<Settings>(&text) {
            Ok(mut settings) => {
                settings.recent.truncate(MAX_RECENT);
                settings.zoom_percent = settings.zoom_percent.clamp(50, 300);
                (settings, None)
            }
            Err(error) => (Settings::default(), Some(note(&path, &error.to_string()))),
        }
    }

    /// Writes them below `dir`: a new file, then a rename, so that a reader sees the old or the new one.
    pub fn save(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        let temp = dir.join(format!("{FILE}.{}.tmp", std::process::id()));
        fs::write(&temp, serde_json::to_string_pretty(self)?)?;
        fs::rename(&temp, dir.join(FILE))
    }

    /// Puts a log first among the recent ones.
    pub fn remember(&mut self, path: &Path) {
        self.recent.retain(|known| known != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(MAX_RECENT);
    }
}

/// `$XDG_CONFIG_HOME/rederive`, else `~/.config/rederive`; `None` where neither is known.
pub fn config_dir() -> Option<PathBuf> {
    let base = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("rederive"))
}

fn note(path: &Path, why: &str) -> String {
    format!("the settings in {} were not used: {why}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_round_trip_and_a_broken_file_is_only_a_note() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Settings::load(dir.path()), (Settings::default(), None));
        let mut settings = Settings { theme: ThemeChoice::Light, zoom_percent: 125, ..Settings::default() };
        for n in 0..12 {
            settings.remember(Path::new(&format!("/logs/{n}")));
        }
        settings.remember(Path::new("/logs/5"));
        assert_eq!(settings.recent.len(), MAX_RECENT);
        assert_eq!(settings.recent[0], Path::new("/logs/5"));
        settings.save(dir.path()).unwrap();
        assert_eq!(Settings::load(dir.path()), (settings, None));
        fs::write(dir.path().join(FILE), "{\"theme\": 7").unwrap();
        let (read, note) = Settings::load(dir.path());
        assert_eq!(read, Settings::default());
        assert!(note.unwrap().contains("were not used"));
        fs::write(dir.path().join(FILE), "{\"zoom_percent\": 9000, \"unknown\": 1}").unwrap();
        assert_eq!(Settings::load(dir.path()).0.zoom_percent, 300);
    }
}
