//! From record numbers back to lines of text, for the log browser.

use std::{collections::BTreeMap, sync::Arc};

use super::{LogError, LogIndex, cursor::Place};
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
        // In each partition the records of a range of numbers lie side by side.
        let mut wanted: BTreeMap<PartitionIndex, Vec<u64>> = BTreeMap::new();
        for (number, (chunk, at)) in (first..).zip(self.places(first, last)) {
            wanted.entry(chunk.partition(at)).or_default().push(number);
        }
        let offsets = self.offsets_at(first);
        let mut lines = Vec::new();
        for (partition, numbers) in wanted {
            self.lines_of(partition, offsets.get(partition), &numbers, &mut lines)?;
        }
        lines.sort_by_key(|line| line.number);
        Ok(lines)
    }

    fn lines_of(
        &self,
        partition: PartitionIndex,
        first: u64,
        numbers: &[u64],
        lines: &mut Vec<LogLine>,
    ) -> Result<(), LogError> {
        let layout = self.layout();
        let mut cursor = layout.cursor(partition.index());
        if let Some(mark) = self.mark_before(partition, first) {
            cursor.jump_to_line(mark.place, mark.offset)?;
        }
        let mut numbers = numbers.iter();
        while cursor.peek()? {
            if cursor.record() >= first {
                let Some(&number) = numbers.next() else { break };
                let Place { segment, line, .. } = cursor.place();
                let segments = layout.segments.get(partition.index());
                let segment = segments.and_then(|segments| segments.get(segment));
                let text = cursor.text();
                lines.push(LogLine {
                    number,
                    partition,
                    offset: cursor.record(),
                    segment: segment.map_or_else(|| "".into(), |segment| segment.relative.clone()),
                    line,
                    text: String::from_utf8_lossy(text.get(..MAX_TEXT_BYTES).unwrap_or(text)).into_owned(),
                });
            }
            cursor.skip()?;
        }
        Ok(())
    }
}
