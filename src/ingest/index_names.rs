//! Names shared by all versions of an index: full blocks never change, only the last one is made anew.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use crate::domain::{NameTable, Names};

const BLOCK_NAMES: usize = 4_096;

/// An immutable table of names. Cloning shares the blocks.
#[derive(Debug, Clone, Default)]
pub struct IndexNames {
    blocks: Vec<Arc<Block>>,
}

#[derive(Debug, Default)]
struct Block {
    text: String,
    /// Where each name ends in `text`.
    ends: Vec<usize>,
    hashes: Vec<u128>,
}

impl IndexNames {
    /// This table with the names that `names` has gained since.
    pub(crate) fn extend(&mut self, names: &Names) {
        if self.blocks.last().is_some_and(|last| last.ends.len() < BLOCK_NAMES) {
            self.blocks.pop();
        }
        for first in (self.blocks.len() * BLOCK_NAMES..names.len()).step_by(BLOCK_NAMES) {
            let mut block = Block::default();
            for id in (first..names.len().min(first + BLOCK_NAMES)).filter_map(|id| u32::try_from(id).ok()) {
                block.text.push_str(names.text(id));
                block.ends.push(block.text.len());
                block.hashes.push(names.hash(id));
            }
            block.text.shrink_to_fit();
            self.blocks.push(Arc::new(block));
        }
    }

    /// The id of a text, where it has one. Goes through all names, by their hashes.
    pub fn find(&self, text: &str) -> Option<u32> {
        let wanted = xxh3_128(text.as_bytes());
        let hashes = self.blocks.iter().flat_map(|block| block.hashes.iter());
        let found = hashes.into_iter().position(|&hash| hash == wanted);
        found.and_then(|id| u32::try_from(id).ok())
    }

    fn place(&self, id: u32) -> Option<(&Block, usize)> {
        let id = id as usize;
        Some((self.blocks.get(id / BLOCK_NAMES)?, id % BLOCK_NAMES))
    }
}

impl NameTable for IndexNames {
    fn text(&self, id: u32) -> &str {
        let Some((block, at)) = self.place(id) else { return "" };
        let start = if at == 0 { 0 } else { block.ends.get(at - 1).copied().unwrap_or(0) };
        block.ends.get(at).and_then(|&end| block.text.get(start..end)).unwrap_or("")
    }

    fn hash(&self, id: u32) -> u128 {
        self.place(id).and_then(|(block, at)| block.hashes.get(at)).copied().unwrap_or(0)
    }

    fn len(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK_NAMES + last.ends.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_agree_with_the_table_they_came_from() {
        let (mut names, mut index) = (Names::new(), IndexNames::default());
        for n in 0..10_000_u32 {
            names.intern(&format!("name {n}"));
            if n % 1_700 == 3 || n == 9_999 {
                index.extend(&names);
                assert_eq!(index.len(), names.len());
                for id in (0..n + 2).step_by(7) {
                    assert_eq!((index.text(id), index.hash(id)), (names.text(id), names.hash(id)));
                }
            }
        }
        assert_eq!((index.text(20_000), index.hash(20_000)), ("", 0));
    }
}
