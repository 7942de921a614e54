//! From record numbers back to lines of text, for the log browser.

use std::{collections::BTreeMap, sync::Arc};

use super::{Entry, LogError, LogIndex, Segment, cursor::Place};
use crate::domain::PartitionIndex;

/// Longest text of a line that is handed out, in bytes; a table cell shows less.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// The line of a record as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Number in delivery order.
    pub number: u64,
    /// Partition.
    pub partition: PartitionIndex,
    /// Offset in it.
    pub offset: u64,
    /// Path of the segment, relative to the log.
    pub segment: Arc<str>,
    /// Line in it, from 1.
    pub line: u64,
    /// The text without its line end; what is no UTF-8 is replaced, what is beyond 64 KiB left out.
    pub text: String,
}

impl LogIndex {
    /// Segment and line of record `n`. Reads the file from the nearest remembered line on, at most 256 records.
    pub fn locate(&self, n: u64) -> Result<Option<(Arc<str>, u64)>, LogError> {
        let lines = self.read_lines(n, 1)?;
        Ok(lines.into_iter().next().map(|line| (line.segment, line.line)))
    }

    /// The lines of `count` records from number `first` on, in delivery order. Fewer at the end, or where a file has
    /// shrunk since.
    pub fn read_lines(&self, first: u64, count: u32) -> Result<Vec<LogLine>, LogError> {
        let last = first.saturating_add(u64::from(count));
        self.lines_of_entries(self.entries(first, last))
    }

    /// The lines of records by number, which may lie anywhere; in delivery order. From one to the next the file is read
    /// on, or opened anew where that is nearer.
    pub fn read_lines_of(&self, numbers: &[u64]) -> Result<Vec<LogLine>, LogError> {
        self.lines_of_entries(numbers.iter().filter_map(|&number| self.entry(number)))
    }

    fn lines_of_entries(&self, entries: impl Iterator<Item = Entry>) -> Result<Vec<LogLine>, LogError> {
        let mut wanted: BTreeMap<PartitionIndex, Vec<(u64, u64)>> = BTreeMap::new();
        for Entry { number, record, .. } in entries {
            wanted.entry(record.partition).or_default().push((record.offset, number));
        }
        let mut lines = Vec::new();
        for (partition, mut wanted) in wanted {
            wanted.sort_unstable();
            self.lines_of(partition, &wanted, &mut lines)?;
        }
        lines.sort_by_key(|line| line.number);
        Ok(lines)
    }

    fn lines_of(
        &self,
        partition: PartitionIndex,
        wanted: &[(u64, u64)],
        lines: &mut Vec<LogLine>,
    ) -> Result<(), LogError> {
        let layout = self.layout();
        let mut cursor = layout.cursor(partition.index());
        let segments = layout.segments.get(partition.index());
        for &(offset, number) in wanted {
            if let Some(mark) = self.mark_before(partition, offset) {
                let ahead = mark.offset > cursor.record();
                // To go on inside a compressed file means reading it up to there, from its start or from here.
                let here = cursor.place().segment == mark.place.segment && cursor.record() > 0;
                let packed = |segment: &Segment| segment.relative.ends_with(".gz");
                let is_packed = segments.and_then(|all| all.get(mark.place.segment)).is_some_and(packed);
                if ahead && !(here && is_packed) {
                    cursor.jump_to_line(mark.place, mark.offset)?;
                }
            }
            while cursor.peek()? && cursor.record() < offset {
                cursor.skip()?;
            }
            if !cursor.peek()? || cursor.record() != offset {
                continue;
            }
            let Place { segment, line, .. } = cursor.place();
            let segment = segments.and_then(|segments| segments.get(segment));
            let text = cursor.text();
            lines.push(LogLine {
                number,
                partition,
                offset,
                segment: segment.map_or_else(|| "".into(), |segment| segment.relative.clone()),
                line,
                text: String::from_utf8_lossy(text.get(..MAX_TEXT_BYTES).unwrap_or(text)).into_owned(),
            });
        }
        Ok(())
    }
}
