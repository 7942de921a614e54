//! Why no window could be opened, in words a person can act on: which library is missing, what to install.
//!
//! Only a look at the directories that the loader searches: nothing is loaded here, so a library that is there but broken
//! is not seen. The cause that the windowing crates gave is then said as it is.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A library that a window needs, and the Debian package that has it.
struct Library {
    /// Any of these will do.
    names: &'static [&'static str],
    package: &'static str,
}

const X11: [Library; 5] = [
    Library { names: &["libX11.so.6"], package: "libx11-6" },
    Library { names: &["libX11-xcb.so.1"], package: "libx11-xcb1" },
    Library { names: &["libXcursor.so.1"], package: "libxcursor1" },
    Library { names: &["libXi.so.6"], package: "libxi6" },
    Library { names: &["libxkbcommon-x11.so.0"], package: "libxkbcommon-x11-0" },
];

const WAYLAND: [Library; 3] = [
    Library { names: &["libwayland-client.so.0"], package: "libwayland-client0" },
    Library { names: &["libwayland-egl.so.1"], package: "libwayland-egl1" },
    Library { names: &["libxkbcommon.so.0"], package: "libxkbcommon0" },
];

const OPENGL: [Library; 1] = [Library { names: &["libGL.so.1", "libEGL.so.1"], package: "libgl1" }];

/// Packages that bring OpenGL in software, for machines without a graphics driver.
const OPENGL_PACKAGES: &str = "libgl1 libgl1-mesa-dri";

/// What `cause` means on this machine, and what to install.
pub fn explain(cause: &str) -> String {
    let wayland = env::var_os("WAYLAND_DISPLAY").is_some_and(|value| !value.is_empty());
    let platform: &[Library] = if wayland { &WAYLAND } else { &X11 };
    explain_with(cause, platform, &search_path())
}

fn explain_with(cause: &str, platform: &[Library], directories: &[PathBuf]) -> String {
    let missing: Vec<&Library> =
        platform.iter().chain(&OPENGL).filter(|library| !library.is_in(directories)).collect();
    let cause = without_braces(cause);
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|library| library.names.join(" or ")).collect();
        let packages: Vec<&str> = missing.iter().map(|library| library.package).collect();
        let (names, packages) = (names.join(", "), packages.join(" "));
        return format!("not found: {names}; on Debian: apt-get install {packages} ({cause})");
    }
    let is_opengl = ["glutin", "GLX", "EGL", "OpenGL"].iter().any(|word| cause.contains(word));
    if is_opengl {
        return format!(
            "OpenGL could not be started; on Debian: apt-get install {OPENGL_PACKAGES} ({cause})"
        );
    }
    cause
}

impl Library {
    fn is_in(&self, directories: &[PathBuf]) -> bool {
        let is_file = |path: PathBuf| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0);
        directories.iter().any(|directory| self.names.iter().any(|name| is_file(directory.join(name))))
    }
}

/// Where the loader looks: the variable, the usual directories, and one level below them (`/usr/lib/x86_64-linux-gnu`).
fn search_path() -> Vec<PathBuf> {
    let named = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = env::split_paths(&named).collect();
    for base in ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"].map(Path::new) {
        directories.push(base.to_owned());
        let inner = fs::read_dir(base).into_iter().flatten().flatten().map(|entry| entry.path());
        directories.extend(inner.filter(|path| path.is_dir()));
    }
    directories
}

/// Leaves out what stands in braces: a dump of a structure says nothing to a person.
fn without_braces(cause: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for letter in cause.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    let words: Vec<&str> = kept.split_whitespace().collect();
    words.join(" ").replace(" .", ".").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory_with(names: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(directory.path().join(name), "code").unwrap();
        }
        directory
    }

    fn explained(cause: &str, names: &[&str]) -> String {
        let directory = directory_with(names);
        explain_with(cause, &X11, &[directory.path().to_owned()])
    }

    const ALL: [&str; 6] = [
        "libX11.so.6",
        "libX11-xcb.so.1",
        "libXcursor.so.1",
        "libXi.so.6",
        "libxkbcommon-x11.so.0",
        "libEGL.so.1",
    ];

    #[test]
    fn a_missing_library_is_named_with_its_package() {
        let there: Vec<&str> = ALL.into_iter().filter(|name| *name != "libXi.so.6").collect();
        assert_eq!(
            explained("Failed to load one of xlib's shared libraries", &there),
            "not found: libXi.so.6; on Debian: apt-get install libxi6 (Failed to load one of xlib's shared libraries)"
        );
    }

    #[test]
    fn either_library_of_opengl_will_do_and_none_is_said() {
        let there = &ALL[..5];
        let why = explained("no context", there);
        assert_eq!(
            why,
            "not found: libGL.so.1 or libEGL.so.1; on Debian: apt-get install libgl1 (no context)"
        );
        assert_eq!(explained("no context", &[there, &["libGL.so.1"]].concat()), "no context");
    }

    #[test]
    fn opengl_that_does_not_start_is_said_without_a_dump() {
        let cause = "Found no glutin configs matching the template: ConfigTemplate { alpha: 8, of: Surface { a: 1 } }. Error: not found";
        assert_eq!(
            explained(cause, &ALL),
            "OpenGL could not be started; on Debian: apt-get install libgl1 libgl1-mesa-dri \
             (Found no glutin configs matching the template: ConfigTemplate. Error: not found)"
        );
    }

    #[test]
    fn a_display_that_cannot_be_reached_needs_no_package() {
        assert_eq!(
            explained("Failed to open connection to X server", &ALL),
            "Failed to open connection to X server"
        );
    }
}
