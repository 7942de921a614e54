//! Keys without a windowing library: what a shortcut is, how it reads.

use std::fmt;

/// A key of the keyboard, as far as a shortcut uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A letter, upper case.
    Letter(char),
    /// A digit 0 to 9.
    Digit(u8),
    /// The space bar.
    Space,
    /// `.`
    Period,
    /// `,`
    Comma,
    /// `+` (or `=`, the same key on many keyboards).
    Plus,
    /// `-`
    Minus,
    /// `/`
    Slash,
    /// `?`
    Question,
    /// Home.
    Home,
    /// Page down; also a clicker's "next".
    PageDown,
    /// Page up; also a clicker's "previous".
    PageUp,
    /// Escape.
    Escape,
    /// F11.
    F11,
}

/// A key, alone or with Ctrl or Shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortcut {
    /// Whether Ctrl (Cmd on a Mac) is held.
    pub ctrl: bool,
    /// Whether Shift is held; never set for keys that are typed with it.
    pub shift: bool,
    /// The key.
    pub key: Key,
}

impl Shortcut {
    /// The key alone.
    pub const fn bare(key: Key) -> Self {
        Shortcut { ctrl: false, shift: false, key }
    }

    /// With Ctrl.
    pub const fn ctrl(key: Key) -> Self {
        Shortcut { ctrl: true, shift: false, key }
    }

    /// With Shift.
    pub const fn shift(key: Key) -> Self {
        Shortcut { ctrl: false, shift: true, key }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Letter(letter) => write!(f, "{letter}"),
            Key::Digit(digit) => write!(f, "{digit}"),
            Key::Space => f.write_str("Space"),
            Key::Period => f.write_str("."),
            Key::Comma => f.write_str(","),
            Key::Plus => f.write_str("+"),
            Key::Minus => f.write_str("-"),
            Key::Slash => f.write_str("/"),
            Key::Question => f.write_str("?"),
            Key::Home => f.write_str("Home"),
            Key::PageDown => f.write_str("Page down"),
            Key::PageUp => f.write_str("Page up"),
            Key::Escape => f.write_str("Esc"),
            Key::F11 => f.write_str("F11"),
        }
    }
}

impl fmt::Display for Shortcut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl ")?;
        }
        if self.shift {
            f.write_str("Shift ")?;
        }
        self.key.fmt(f)
    }
}
