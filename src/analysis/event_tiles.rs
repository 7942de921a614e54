//! Records as a grid of tiles: of the whole plane of event time against arrival, or closer up of a part of it.

use std::num::NonZeroU64;

use super::event_time::{Cloud, Dot, Tile};
use crate::{
    domain::EventTime,
    ingest::{Entry, LogIndex},
};

/// Tiles across a part that is looked at closer.
pub const NEAR_COLUMNS: u32 = 480;
/// Tiles up.
pub const NEAR_ROWS: u32 = 240;
/// A part with so many records or fewer is dots.
pub const MOST_NEAR_DOTS: usize = 20_000;

/// A part of the plane: the records `[from, to)` and the event times `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Record numbers.
    pub records: (u64, u64),
    /// Event times.
    pub times: (EventTime, EventTime),
}

impl Window {
    /// Everything: so many records, from the earliest to the latest event time.
    pub fn of_all(records: u64, (first, last): (EventTime, EventTime)) -> Window {
        Window { records: (0, records), times: (first, EventTime(last.0.saturating_add(1))) }
    }

    fn holds(&self, time: EventTime) -> bool {
        self.times.0 <= time && time < self.times.1
    }

    /// The tile of a record that lies in it.
    fn tile_of(&self, number: u64, time: EventTime, (columns, rows): (u32, u32)) -> (u32, u32) {
        let share = |at: i128, from: i128, to: i128, count: u32| {
            let place = (at - from) * i128::from(count) / (to - from).max(1);
            u32::try_from(place).unwrap_or(u32::MAX).min(count.saturating_sub(1))
        };
        let ((r0, r1), (t0, t1)) = (self.records, self.times);
        (
            share(i128::from(number), i128::from(r0), i128::from(r1), columns),
            share(i128::from(time.0), i128::from(t0.0), i128::from(t1.0), rows),
        )
    }
}

/// Which records are late, by number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LateBits(Vec<u64>);

impl LateBits {
    /// A record is late.
    pub fn set(&mut self, number: u64) {
        let (word, bit) = place(number);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= bit;
        }
    }

    /// Whether a record is late.
    pub fn has(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

impl FromIterator<u64> for LateBits {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut bits = LateBits::default();
        numbers.into_iter().for_each(|number| bits.set(number));
        bits
    }
}

fn place(number: u64) -> (usize, u64) {
    (usize::try_from(number / 64).unwrap_or(usize::MAX - 1), 1 << (number % 64))
}

/// A part of the log, as one can draw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseUp {
    /// Which part.
    pub window: Window,
    /// Its records. Tiles are [`NEAR_COLUMNS`] by [`NEAR_ROWS`] over the part.
    pub cloud: Cloud,
}

/// Looks closer at a part of the log, while somebody waits for it.
pub fn close_up(index: &LogIndex, window: Window, late: &LateBits, wanted: impl Fn() -> bool) -> CloseUp {
    const STEP: u64 = 4_096;
    let (from, to) = window.records;
    let inside = || {
        let waits = |entry: &Entry| !entry.number.is_multiple_of(STEP) || wanted();
        let entries = index.entries(from, to).take_while(waits);
        entries.filter(|entry| entry.record.event.is_some_and(|event| window.holds(event.time)))
    };
    let dot = |entry: Entry| {
        let event = entry.record.event?;
        Some(Dot {
            record: u32::try_from(entry.number).unwrap_or(u32::MAX),
            partition: entry.record.partition,
            is_late: late.has(entry.number),
            time: event.time,
        })
    };
    let dots: Vec<Dot> = inside().filter_map(dot).take(MOST_NEAR_DOTS + 1).collect();
    let cloud = if dots.len() > MOST_NEAR_DOTS {
        Cloud::Tiles(tiles(inside(), window, (NEAR_COLUMNS, NEAR_ROWS), late))
    } else {
        Cloud::Dots(dots)
    };
    CloseUp { window, cloud }
}

/// The records of a window, counted by tile.
pub(super) fn tiles(
    entries: impl Iterator<Item = Entry>,
    window: Window,
    grid: (u32, u32),
    late: &LateBits,
) -> Vec<Tile> {
    let (columns, rows) = grid;
    let mut counts: Vec<(u32, u32)> = vec![(0, 0); columns as usize * rows as usize];
    for entry in entries {
        let Some(event) = entry.record.event else { continue };
        let (column, row) = window.tile_of(entry.number, event.time, grid);
        if let Some((records, of_late)) = counts.get_mut(column as usize * rows as usize + row as usize) {
            *records += 1;
            *of_late += u32::from(late.has(entry.number));
        }
    }
    let rows = NonZeroU64::new(u64::from(rows)).unwrap_or(NonZeroU64::MIN);
    let tile = |(at, (records, late)): (u64, (u32, u32))| Tile {
        column: u32::try_from(at / rows).unwrap_or(u32::MAX),
        row: u32::try_from(at % rows).unwrap_or(u32::MAX),
        records,
        late,
    };
    (0..).zip(counts).filter(|(_, (records, _))| *records > 0).map(tile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::shop_index;

    #[test]
    fn a_part_holds_its_records_and_no_others() {
        let index = shop_index();
        let happened: Vec<EventTime> =
            index.entries(0, index.len()).filter_map(|entry| Some(entry.record.event?.time)).collect();
        let span = (*happened.iter().min().unwrap(), *happened.iter().max().unwrap());
        let middle = EventTime(i64::midpoint(span.0.0, span.1.0));
        let late: LateBits = [100, 20_500].into_iter().collect();
        let whole = Window::of_all(index.len(), span);
        let parts = [
            whole,
            Window { records: (0, 9_000), ..whole },
            Window { times: (span.0, middle), ..whole },
            Window { records: (20_000, 21_000), ..whole },
            Window { records: (5, 5), ..whole },
        ];
        for window in parts {
            let expected: Vec<(u64, EventTime)> = index
                .entries(window.records.0, window.records.1)
                .filter_map(|entry| Some((entry.number, entry.record.event?.time)))
                .filter(|(_, time)| window.holds(*time))
                .collect();
            let lates = expected.iter().filter(|(number, _)| late.has(*number)).count();
            match close_up(&index, window, &late, || true).cloud {
                Cloud::Dots(dots) => {
                    assert!(expected.len() <= MOST_NEAR_DOTS);
                    let found: Vec<_> = dots.iter().map(|dot| (u64::from(dot.record), dot.time)).collect();
                    assert_eq!(found, expected);
                    assert_eq!(dots.iter().filter(|dot| dot.is_late).count(), lates);
                }
                Cloud::Tiles(tiles) => {
                    assert!(expected.len() > MOST_NEAR_DOTS);
                    assert_eq!(tiles.iter().map(|tile| tile.records as usize).sum::<usize>(), expected.len());
                    assert_eq!(tiles.iter().map(|tile| tile.late as usize).sum::<usize>(), lates);
                    assert!(tiles.iter().all(|tile| tile.column < NEAR_COLUMNS && tile.row < NEAR_ROWS));
                }
            }
        }
        let given_up = close_up(&index, whole, &late, || false);
        assert_eq!(given_up.cloud, Cloud::Dots(Vec::new()), "nobody waits for it");
    }
}
