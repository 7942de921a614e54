//! Rust sources as words and paths, as far as the house rules need them.
#![allow(clippy::panic, reason = "a source that cannot be read must fail the test")]

use std::{fs, path::Path};

pub struct Source {
    /// Path below the folder that was read, with forward slashes.
    pub file: String,
    pub lines: usize,
    pub tokens: Vec<Token>,
    /// The tokens outside test modules.
    pub production: Vec<Token>,
}

#[derive(Clone)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Source {
    pub fn new(file: &str, text: &str) -> Self {
        let tokens = tokens(text);
        // Files that are declared under `#[cfg(test)]`.
        let is_test = file.ends_with("tests.rs")
            || file.contains("/tests/")
            || file.ends_with("/testing.rs")
            || file.contains("/fixture");
        let production = if is_test { Vec::new() } else { without_test_modules(&tokens) };
        Self { file: file.to_owned(), lines: text.lines().count(), tokens, production }
    }

    /// Whether the file's path starts with one of `places`.
    pub fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.file.starts_with(place))
    }

    /// The module that the file is, as names below the crate.
    fn module(&self) -> Vec<String> {
        let path = self.file.trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').map(str::to_owned).collect()
    }
}

/// Every source below a folder of the package, by path.
pub fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut waiting, mut found) = (vec![root.clone()], Vec::new());
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display())) {
            let path = entry.unwrap_or_else(|e| panic!("{}: {e}", directory.display())).path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                let file = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                found.push(Source::new(&file, &text));
            }
        }
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    found
}

/// Cuts a text into words, `::` and single signs. Comments vanish, a string becomes `"`, a character `'`.
fn tokens(text: &str) -> Vec<Token> {
    let (mut found, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let (length, kept) = token_at(rest, first);
        let (taken, after) = rest.split_at(length);
        if let Some(text) = kept {
            found.push(Token { text: text.to_owned(), line });
        }
        line += taken.matches('\n').count();
        rest = after;
    }
    found
}

/// The length of the token at the start of `rest`, and what to keep of it.
fn token_at(rest: &str, first: char) -> (usize, Option<&str>) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(word);
    let hashes = after.len() - after.trim_start_matches('#').len();
    if rest.starts_with("//") {
        (rest.find('\n').unwrap_or(rest.len()), None)
    } else if rest.starts_with("/*") {
        (comment_length(rest), None)
    } else if matches!(name, "r" | "br" | "cr") && after.trim_start_matches('#').starts_with('"') {
        let start = word + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        let body = rest.get(start..).and_then(|body| body.find(&end));
        (body.map_or(rest.len(), |body| start + body + end.len()), Some("\""))
    } else if matches!(name, "" | "b" | "c") && after.starts_with('"') {
        (word + quoted_length(after, '"'), Some("\""))
    } else if matches!(name, "" | "b") && after.starts_with('\'') {
        let mut inside = after.chars().skip(1);
        let is_char = inside.next() == Some('\\') || inside.next() == Some('\'');
        (word + if is_char { quoted_length(after, '\'') } else { 1 }, Some("'"))
    } else if word > 0 {
        (word, Some(name))
    } else if rest.starts_with("::") {
        (2, Some("::"))
    } else {
        (first.len_utf8(), rest.get(..first.len_utf8()).filter(|_| !first.is_whitespace()))
    }
}

fn comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    for (at, pair) in rest.as_bytes().windows(2).enumerate() {
        match pair {
            b"/*" => depth += 1,
            b"*/" if depth == 1 => return at + 2,
            b"*/" => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if !is_escaped && c == quote {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    rest.len()
}

fn without_test_modules(tokens: &[Token]) -> Vec<Token> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let (mut kept, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        let attribute = attribute_at(tokens, at);
        let has = |name: &str| attribute.iter().any(|token| token.text == name);
        if attribute.first().is_some_and(|first| first.text == "cfg") && has("test") && !has("not") {
            let mut item = at + attribute.len() + 3;
            while text(item) == "#" {
                item += attribute_at(tokens, item).len() + 3;
            }
            if text(item) == "mod" && text(item + 2) == "{" {
                at = closing(tokens, item + 2) + 1;
                continue;
            }
        }
        kept.push(token.clone());
        at += 1;
    }
    kept
}

/// What stands between `#[` and `]` at `at`; empty where no attribute starts.
pub fn attribute_at(tokens: &[Token], at: usize) -> &[Token] {
    let is_attribute = tokens.get(at).is_some_and(|token| token.text == "#")
        && tokens.get(at + 1).is_some_and(|token| token.text == "[");
    if is_attribute { tokens.get(at + 2..closing(tokens, at + 1)).unwrap_or_default() } else { &[] }
}

/// The place of the bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" if depth <= 1 => return at,
            "}" | "]" | ")" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Every path that starts with one of `heads`, with its groups spread out and each `super` followed; `crate` and `std`
/// themselves are left out. A path that stays inside its own module is not listed.
pub fn paths(source: &Source, tokens: &[Token], heads: &[&str]) -> Vec<(Vec<String>, usize)> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let (mut found, mut module, mut ends) = (Vec::new(), source.module(), Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        if token.text == "mod" && text(at + 2) == "{" {
            ends.push(closing(tokens, at + 2));
            module.push(text(at + 1).to_owned());
        }
        if ends.last() == Some(&at) {
            ends.pop();
            module.pop();
        }
        let is_inside =
            at > 0 && text(at - 1) == "::" && (at < 2 || (is_name(text(at - 2)) && text(at - 2) != "use"));
        let is_head = heads.contains(&token.text.as_str()) && !is_inside && text(at.wrapping_sub(1)) != "in";
        let is_path = text(at + 1) == "::" || (text(at + 1) == "as" && token.text == "crate");
        if is_head && is_path {
            let start = if token.text == "super" { module.clone() } else { Vec::new() };
            spread(tokens, if token.text == "super" { at } else { at + 2 }, start, &mut found);
        }
    }
    found
}

/// Spreads the path tree at `at` below `prefix`; returns the place after it.
fn spread(
    tokens: &[Token],
    mut at: usize,
    mut prefix: Vec<String>,
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let line = tokens.get(at).map_or(0, |token| token.line);
    loop {
        match text(at) {
            "{" => {
                let end = closing(tokens, at);
                at += 1;
                while at < end {
                    at = spread(tokens, at, prefix.clone(), found);
                    while at < end && text(at) != "," {
                        at += 1;
                    }
                    at += 1;
                }
                return end + 1;
            }
            "super" => drop(prefix.pop()),
            "self" => {}
            name if is_name(name) || name == "*" => prefix.push(name.to_owned()),
            _ => {
                found.push((prefix, line));
                return at;
            }
        }
        at += 1;
        if text(at) != "::" {
            found.push((prefix, line));
            return at;
        }
        at += 1;
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}
