//! Interned text: dense ids inside, text at every edge.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use xxhash_rust::xxh3::xxh3_128;

/// Read access to interned names. Ids are dense and given in order of first appearance.
pub trait NameTable {
    /// The text of a name; empty for an id that this table never gave.
    fn text(&self, id: u32) -> &str;
    /// 128 bits of XXH3 over the text, for fingerprints.
    fn hash(&self, id: u32) -> u128;
    /// Number of names.
    fn len(&self) -> usize;
    /// Whether no name was interned yet.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A growing table of names.
#[derive(Debug, Clone, Default)]
pub struct Names {
    ids: HashMap<Box<str>, u32, FxBuildHasher>,
    texts: Vec<(Box<str>, u128)>,
}

impl Names {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of `text`, given now when it is new.
    ///
    /// # Panics
    /// After 2^32 different names.
    #[expect(clippy::expect_used, reason = "four thousand million names do not fit in memory either")]
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = u32::try_from(self.texts.len()).expect("fewer than 2^32 names");
        self.ids.insert(text.into(), id);
        self.texts.push((text.into(), xxh3_128(text.as_bytes())));
        id
    }

    /// The id of `text` where it is known.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }
}

impl NameTable for Names {
    fn text(&self, id: u32) -> &str {
        self.texts.get(id as usize).map_or("", |(text, _)| text)
    }

    fn hash(&self, id: u32) -> u128 {
        self.texts.get(id as usize).map_or(0, |&(_, hash)| hash)
    }

    fn len(&self) -> usize {
        self.texts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_dense_and_stable() {
        let mut names = Names::new();
        assert_eq!((names.intern("a"), names.intern("b"), names.intern("a")), (0, 1, 0));
        assert_eq!((names.text(1), names.len(), names.find("c")), ("b", 2, None));
        assert_ne!(names.hash(0), names.hash(1));
    }
}
