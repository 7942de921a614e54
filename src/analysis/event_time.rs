//! The log as event time against arrival: where its records lie, how far event time has come when each of them arrives,
//! and which ones come after their day was closed.
//!
//! One pass in delivery order. What it hands out is bounded, whatever the size of the log: dots up to [`MOST_DOTS`], a
//! grid of tiles above. Lateness is judged as the stream judges it (semantics, section 3), under any allowed lateness:
//! watermarks do not depend on it.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::event_tiles::{LateBits, Window, tiles};
use crate::{
    domain::{
        Day, DayRule, Event, EventTime, Lateness, Offsets, PartitionIndex, Record, Verdict, Watermarks,
    },
    ingest::{Entry, LogIndex},
};

/// Logs of so many records are dots; larger ones are tiles.
pub const MOST_DOTS: u64 = 100_000;
/// Tiles across.
pub const TILE_COLUMNS: u32 = 240;
/// Tiles up.
pub const TILE_ROWS: u32 = 120;
/// Steps of a staircase.
pub const MOST_STEPS: u64 = 2_000;
/// Late records that are listed; all are counted.
pub const MOST_LATE: usize = 100_000;
/// Partitions with a staircase of their own.
pub const MOST_STAIRCASES: usize = 16;

/// By what lateness is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judging {
    /// Where days end.
    pub days: DayRule,
    /// How long a day stays open.
    pub lateness: Lateness,
    /// When a partition no longer holds the watermark back.
    pub idle_after_records: u64,
}

/// A record with an event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dot {
    /// Its number in delivery order.
    pub record: u32,
    /// Its partition.
    pub partition: PartitionIndex,
    /// Whether it comes too late.
    pub is_late: bool,
    /// When it happened.
    pub time: EventTime,
}

/// A part of the plane with at least one record in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// From the left.
    pub column: u32,
    /// From the bottom.
    pub row: u32,
    /// Records in it.
    pub records: u32,
    /// Of them, late ones.
    pub late: u32,
}

/// The records, as one can draw them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cloud {
    /// Each of them, in delivery order.
    Dots(Vec<Dot>),
    /// How many lie where: [`TILE_COLUMNS`] by [`TILE_ROWS`] over all records and all times.
    Tiles(Vec<Tile>),
}

/// From this record on the watermark stands at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatermarkStep {
    /// Records read.
    pub records: u64,
    /// The watermark then.
    pub time: EventTime,
}

/// A day with its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayBand {
    /// Which.
    pub day: Day,
    /// Where it begins.
    pub from: EventTime,
    /// Where it ends.
    pub to: EventTime,
    /// Records of it.
    pub records: u64,
    /// Of them, late ones.
    pub late: u64,
}

/// A record that comes after its day was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateDot {
    /// Its number in delivery order.
    pub record: u64,
    /// Its partition.
    pub partition: PartitionIndex,
    /// Its offset there.
    pub offset: u64,
    /// When it happened.
    pub time: EventTime,
    /// Its day.
    pub day: Day,
    /// The watermark that closed the day.
    pub watermark: EventTime,
}

/// The log, event time against arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTimes {
    /// Records looked at.
    pub records: u64,
    /// Of them, without an event time.
    pub without_time: u64,
    /// The earliest and the latest event time; the same twice where there is none.
    pub span: (EventTime, EventTime),
    /// The records.
    pub cloud: Cloud,
    /// The combined watermark.
    pub combined: Vec<WatermarkStep>,
    /// The watermark of each partition, the first few of them.
    pub partitions: Vec<(String, Vec<WatermarkStep>)>,
    /// Days, in order.
    pub days: Vec<DayBand>,
    /// By what it was judged.
    pub lateness: Lateness,
    /// Late records, in delivery order, up to a limit.
    pub late: Vec<LateDot>,
    /// How many there are.
    pub late_total: u64,
    /// How many there would be under each lateness asked about.
    pub what_if: Vec<(Lateness, u64)>,
    /// The shortest lateness in nanoseconds under which none is late.
    pub enough_nanos: u64,
}

/// Looks at all records of `index`. `what_if`: other allowances for which late records are counted as well. Which records
/// are late is handed out too, where they are too many for dots.
pub fn event_times(index: &LogIndex, judging: &Judging, what_if: &[Lateness]) -> (EventTimes, LateBits) {
    // Only a log that is loaded to its end says where a partition is finished.
    let end = if index.is_last() {
        index.end().clone()
    } else {
        Offsets::from_vec(vec![u64::MAX; index.partitions().len()])
    };
    let mut pass = Pass::new(index.partitions(), end, index.len(), judging, what_if);
    index.entries(0, index.len()).for_each(|entry| pass.take(&entry));
    let (span, late_bits) = (pass.span(), std::mem::take(&mut pass.late_bits));
    let whole = Window::of_all(index.len(), span);
    let tiles = || tiles(index.entries(0, index.len()), whole, (TILE_COLUMNS, TILE_ROWS), &late_bits);
    (pass.finish(tiles), late_bits)
}

struct Pass<'a> {
    judging: &'a Judging,
    stride: u64,
    position: Offsets,
    end: Offsets,
    marks: Watermarks,
    ends: FxHashMap<Day, EventTime>,
    days: BTreeMap<Day, (u64, u64)>,
    out: EventTimes,
    /// Which records are late, by number; only where they become tiles.
    late_bits: LateBits,
    dots: Vec<Dot>,
    records: u64,
    longest_delay: i128,
}

impl<'a> Pass<'a> {
    fn new(
        partitions: &[String],
        end: Offsets,
        records: u64,
        judging: &'a Judging,
        what_if: &[Lateness],
    ) -> Self {
        let names = partitions.iter().take(MOST_STAIRCASES).map(|name| (name.clone(), Vec::new()));
        Pass {
            judging,
            stride: records.div_ceil(MOST_STEPS).max(1),
            position: Offsets::start(partitions.len()),
            end,
            marks: Watermarks::new(partitions.len()),
            ends: FxHashMap::default(),
            days: BTreeMap::new(),
            out: EventTimes {
                records,
                without_time: 0,
                span: (EventTime(i64::MAX), EventTime(i64::MIN)),
                cloud: Cloud::Dots(Vec::new()),
                combined: Vec::new(),
                partitions: names.collect(),
                days: Vec::new(),
                lateness: judging.lateness,
                late: Vec::new(),
                late_total: 0,
                what_if: what_if.iter().map(|&lateness| (lateness, 0)).collect(),
                enough_nanos: 0,
            },
            late_bits: LateBits::default(),
            dots: Vec::new(),
            records,
            longest_delay: -1,
        }
    }

    fn take(&mut self, entry: &Entry) {
        let Record { partition, offset, event } = entry.record;
        self.marks.observe(partition, event.map(|event| event.time));
        let idle = self.judging.idle_after_records;
        let watermark = self.marks.at(partition, &self.position, &self.end, idle);
        self.position.set(partition, offset + 1);
        match event {
            None => self.out.without_time += 1,
            Some(Event { time, day, .. }) => {
                let span = &mut self.out.span;
                *span = (span.0.min(time), span.1.max(time));
                // What does not count anyway is not late.
                let late = watermark
                    .filter(|_| entry.verdict == Verdict::Counted)
                    .filter(|&watermark| self.is_late(day, watermark));
                let counts = self.days.entry(day).or_default();
                counts.0 += 1;
                counts.1 += u64::from(late.is_some());
                self.draw(entry.number, partition, time, late.is_some());
                if let Some(watermark) = late {
                    self.list(LateDot { record: entry.number, partition, offset, time, day, watermark });
                }
            }
        }
        let read = entry.number + 1;
        if read.is_multiple_of(self.stride) || read == self.records {
            self.step(read);
        }
    }

    /// Whether its day was closed, under the lateness that is judged by; counts for the others on the way.
    fn is_late(&mut self, day: Day, watermark: EventTime) -> bool {
        let rule = &self.judging.days;
        let end = *self.ends.entry(day).or_insert_with(|| rule.end_of(day));
        let delay = i128::from(watermark.0) - i128::from(end.0);
        if delay < 0 {
            return false;
        }
        self.longest_delay = self.longest_delay.max(delay);
        let late_under = |lateness| match lateness {
            Lateness::Unbounded => false,
            Lateness::Within(nanos) => i128::from(nanos) <= delay,
        };
        for (lateness, count) in &mut self.out.what_if {
            *count += u64::from(late_under(*lateness));
        }
        late_under(self.judging.lateness)
    }

    fn draw(&mut self, number: u64, partition: PartitionIndex, time: EventTime, is_late: bool) {
        if self.records <= MOST_DOTS {
            let record = u32::try_from(number).unwrap_or(u32::MAX);
            self.dots.push(Dot { record, partition, is_late, time });
        } else if is_late {
            self.late_bits.set(number);
        }
    }

    fn list(&mut self, late: LateDot) {
        self.out.late_total += 1;
        if self.out.late.len() < MOST_LATE {
            self.out.late.push(late);
        }
    }

    /// How far the watermarks have come after so many records.
    fn step(&mut self, records: u64) {
        let push = |steps: &mut Vec<WatermarkStep>, time: Option<EventTime>| {
            if let Some(time) = time.filter(|time| steps.last().is_none_or(|last| last.time != *time)) {
                steps.push(WatermarkStep { records, time });
            }
        };
        let idle = self.judging.idle_after_records;
        push(&mut self.out.combined, self.marks.combined(&self.position, &self.end, idle));
        for ((_, steps), partition) in self.out.partitions.iter_mut().zip((0..).map(PartitionIndex)) {
            push(steps, self.marks.of(partition));
        }
    }

    /// The earliest and the latest event time so far.
    fn span(&self) -> (EventTime, EventTime) {
        let (first, last) = self.out.span;
        if first > last { (EventTime(0), EventTime(0)) } else { (first, last) }
    }

    fn finish(mut self, tiles: impl FnOnce() -> Vec<Tile>) -> EventTimes {
        let rule = &self.judging.days;
        let band = |(&day, &(records, late)): (&Day, &(u64, u64))| DayBand {
            day,
            from: rule.end_of(Day(day.0.saturating_sub(1))),
            to: rule.end_of(day),
            records,
            late,
        };
        self.out.days = self.days.iter().map(band).collect();
        self.out.enough_nanos = u64::try_from(self.longest_delay + 1).unwrap_or(u64::MAX);
        self.out.span = self.span();
        self.out.cloud = if self.records <= MOST_DOTS {
            Cloud::Dots(std::mem::take(&mut self.dots))
        } else {
            Cloud::Tiles(tiles())
        };
        self.out
    }
}

/// How many records lie where.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::testing::entries_of,
        domain::{KeyId, StreamOptions, StreamRules, UserId, Value},
        processing::{StreamProcessor, StreamState, test_support::rules},
    };
    use proptest::prelude::*;

    fn judging(lateness: Lateness) -> Judging {
        Judging { days: DayRule::Utc, lateness, idle_after_records: 1_000 }
    }

    const DAY: i64 = 86_400_000_000_000;

    /// Records of one partition at these hours, each counted.
    fn at_hours(hours: &[i64]) -> Vec<Entry> {
        let record = |(offset, &hour): (u64, &i64)| Record {
            partition: PartitionIndex(0),
            offset,
            event: Some(Event {
                key: KeyId(0),
                user: Some(UserId(0)),
                time: EventTime(hour * DAY / 24),
                day: Day(i32::try_from(hour / 24).unwrap()),
                value: Value::ONE,
                id: None,
                explicit_offset: None,
            }),
        };
        let records: Vec<Record> = (0..).zip(hours).map(record).collect();
        entries_of(&records)
    }

    fn look(entries: &[Entry], judging: &Judging, what_if: &[Lateness]) -> EventTimes {
        let end = entries.iter().fold(Offsets::start(2), |mut end, entry| {
            end.set(entry.record.partition, entry.record.offset + 1);
            end
        });
        let names = ["a".to_owned(), "b".to_owned()];
        let names = names.get(..end.len()).unwrap();
        let mut pass = Pass::new(names, end, entries.len() as u64, judging, what_if);
        for entry in entries {
            pass.take(entry);
        }
        pass.finish(Vec::new)
    }

    const HOUR: u64 = 3_600_000_000_000;

    #[test]
    fn records_after_the_close_of_their_day_are_late_and_each_is_listed() {
        // Day 0 ends at hour 24. Hour 30 brings the watermark 6 hours past it.
        let entries = at_hours(&[1, 23, 30, 2, 31, 3]);
        let under = |lateness| look(&entries, &judging(lateness), &[Lateness::Within(5 * HOUR)]);
        let none = under(Lateness::Unbounded);
        assert_eq!(none.late_total, 0);
        assert_eq!(none.what_if, [(Lateness::Within(5 * HOUR), 2)]);
        assert_eq!(none.enough_nanos, 7 * HOUR + 1, "the last one is late up to seven hours");
        let records = |of: &EventTimes| of.late.iter().map(|late| late.record).collect::<Vec<_>>();
        assert_eq!(records(&under(Lateness::Within(6 * HOUR))), [3, 5]);
        let seven = under(Lateness::Within(7 * HOUR));
        assert_eq!(records(&seven), [5]);
        assert_eq!(under(Lateness::Within(7 * HOUR + 1)).late_total, 0);
        let [first, second] = seven.days.as_slice() else { panic!("two days") };
        assert_eq!((first.records, first.late, second.records, second.late), (4, 1, 2, 0));
        assert_eq!((first.to, second.from), (EventTime(DAY), EventTime(DAY)));
        let Cloud::Dots(dots) = &seven.cloud else { panic!("a small log is dots") };
        assert_eq!(dots.iter().filter(|dot| dot.is_late).map(|dot| dot.record).collect::<Vec<_>>(), [5]);
        let [(_, own), ..] = seven.partitions.as_slice() else { panic!("a staircase") };
        let steps: Vec<u64> = own.iter().map(|step| step.records).collect();
        assert_eq!(steps, [1, 2, 3, 5], "it rises only where event time comes further");
    }

    #[test]
    fn tiles_hold_every_record_once() {
        let entries = at_hours(&[1, 23, 30, 2, 31, 3]);
        let of = look(&entries, &judging(Lateness::Within(0)), &[]);
        let late: LateBits = [3, 5].into_iter().collect();
        let whole = Window::of_all(6, of.span);
        let tiles = tiles(entries.iter().copied(), whole, (TILE_COLUMNS, TILE_ROWS), &late);
        assert_eq!(tiles.iter().map(|tile| tile.records).sum::<u32>(), 6);
        assert_eq!(tiles.iter().map(|tile| tile.late).sum::<u32>(), 2);
        assert!(tiles.iter().all(|tile| tile.column < TILE_COLUMNS && tile.row < TILE_ROWS));
        assert_eq!(tiles.first().map(|tile| (tile.column, tile.row)), Some((0, 0)));
    }

    proptest! {
        /// What is drawn as late is what the stream drops, record for record, with the watermark that it met.
        #[test]
        fn late_dots_are_the_records_that_the_stream_drops(
            raw in proptest::collection::vec((0_u16..2, 0_i64..120), 0..80),
            lateness in 0_u64..60, idle in 1_u64..30,
        ) {
            let mut next = [0_u64; 2];
            let record = |&(partition, hour): &(u16, i64)| {
                let mut record = at_hours(&[hour]).remove(0).record;
                record.partition = PartitionIndex(partition);
                record.offset = next[usize::from(partition)];
                next[usize::from(partition)] += 1;
                record
            };
            let records: Vec<Record> = raw.iter().map(record).collect();
            let lateness = Lateness::Within(lateness * HOUR);
            let options = StreamOptions { lateness, idle_after_records: idle, ..StreamOptions::default() };
            let stream_rules = StreamRules { verdicts: rules(), days: DayRule::Utc, options };
            let mut stream = StreamProcessor::new(stream_rules, StreamState::new(2));
            stream.ends_at(Offsets::from_vec(next.to_vec()));
            let dropped: Vec<u64> = (0..)
                .zip(&records)
                .filter_map(|(number, record)| (stream.apply(record) == Verdict::Late).then_some(number))
                .collect();
            let judging = Judging { days: DayRule::Utc, lateness, idle_after_records: idle };
            let drawn = look(&entries_of(&records), &judging, &[lateness]);
            prop_assert_eq!(drawn.late.iter().map(|late| late.record).collect::<Vec<_>>(), dropped);
            prop_assert_eq!(drawn.what_if, vec![(lateness, drawn.late_total)]);
            for late in &drawn.late {
                let met = stream.state().late.watermark_of(late.partition, late.offset);
                prop_assert_eq!(met, Some(late.watermark));
            }
        }
    }
}
