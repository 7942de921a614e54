//! The read path: a few cells of one page, looked up in the batch view and in the speed view and united.

use rustc_hash::FxHashSet;

use super::{Lambda, Numbers};
use crate::domain::{Cell, Day, KeyId, NameTable, Row, Sketch, UserId};

/// What one cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayReading {
    /// Its day.
    pub day: Day,
    /// From the batch view: final.
    pub batch: Numbers,
    /// Batch and speed united.
    pub merged: Numbers,
}

/// What the serving layer answers for one page over a range of days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// From the batch view: final.
    pub batch: Numbers,
    /// Batch and speed united.
    pub merged: Numbers,
    /// Days with something in them, in order.
    pub days: Vec<DayReading>,
    /// Cells of the batch view that were read.
    pub batch_cells: u64,
    /// Cells of the speed view that were read.
    pub speed_cells: u64,
}

/// Reads the cells of `key` on the days `[from, to)`. Costs one look-up a day and view; users unite over days and layers.
/// `users` names the users of the batch view.
pub fn read_cells(lambda: &Lambda, users: &dyn NameTable, key: KeyId, from: Day, to: Day) -> Reading {
    let mut reading = Reading::default();
    let (mut of_batch, mut of_speed) = (Vec::new(), Vec::new());
    for day in (from.0..to.0).map(Day) {
        let cell = Cell { key, day };
        let batch: Vec<&Row> = lambda.batch().view.row(cell).into_iter().collect();
        let buckets = &lambda.speed().buckets;
        let speed: Vec<&Row> = buckets.iter().filter_map(|bucket| bucket.view.row(cell)).collect();
        if batch.is_empty() && speed.is_empty() {
            continue;
        }
        let (batch_numbers, merged) = united(&batch, &speed, users);
        reading.days.push(DayReading { day, batch: batch_numbers, merged });
        of_batch.extend(batch);
        of_speed.extend(speed);
    }
    (reading.batch, reading.merged) = united(&of_batch, &of_speed, users);
    (reading.batch_cells, reading.speed_cells) = (of_batch.len() as u64, of_speed.len() as u64);
    reading
}

/// What the rows of batch come to, and those of both layers: counts add, users unite.
fn united(batch: &[&Row], speed: &[&Row], names: &dyn NameTable) -> (Numbers, Numbers) {
    let (of_batch, mut merged) = united_sets(batch, speed);
    let mut sketches = speed.iter().filter_map(|row| row.sketch.as_deref()).peekable();
    if sketches.peek().is_some() {
        // What they know beyond the exact users of batch.
        let exact: FxHashSet<UserId> = batch.iter().flat_map(|row| row.users.iter().copied()).collect();
        let mut beyond = Sketch::beyond(exact.iter().map(|user| names.hash(user.0)));
        sketches.for_each(|sketch| beyond.unite(sketch));
        merged.users += beyond.count();
    }
    (of_batch, merged)
}

fn united_sets(batch: &[&Row], speed: &[&Row]) -> (Numbers, Numbers) {
    let mut merged = Numbers::default();
    let mut users: FxHashSet<UserId> = FxHashSet::default();
    // One row alone has its users counted already.
    let is_alone = batch.len() + speed.len() == 1;
    let mut take = |rows: &[&Row]| {
        for row in rows {
            merged.views += row.views;
            merged.sum += row.sum;
            if is_alone {
                merged.users = row.users.len() as u64;
            } else {
                users.extend(&row.users);
                merged.users = users.len() as u64;
            }
        }
        merged
    };
    (take(batch), take(speed))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::{Offsets, Record, Verdict},
        processing::{
            BatchProcessor, Fold, StreamProcessor, StreamState,
            test_support::{any_log, names, rules},
        },
    };

    fn position_after(log: &[Record]) -> Offsets {
        let mut position = Offsets::start(2);
        for record in log {
            position.set(record.partition, record.offset + 1);
        }
        position
    }

    proptest! {
        /// For every hand-over: what is read from a few cells is what a scan of the raw log counts, and its final part is
        /// what a scan of the records below the cut counts.
        #[test]
        fn reading_cells_equals_scanning_the_log(
            log in any_log(2, 60), cut in 0_usize..60, from in -3_i32..6, days in 0_i32..6,
        ) {
            let cut = cut.min(log.len());
            let mut batch = BatchProcessor::new(rules(), position_after(&log[..cut]));
            let mut stream = StreamProcessor::new(rules(), StreamState::new(2));
            stream.cut_started(batch.cut());
            for record in &log {
                batch.apply(record);
                stream.apply(record);
            }
            let mut lambda = Lambda::new(2);
            lambda.replace(stream.state().clone(), |_, _| (crate::domain::View::new(), Vec::new()));
            lambda.publish(Arc::new(batch.publish().unwrap()), &names().1, |from, _| {
                crate::processing::fold_range(rules(), from, &log)
            });
            let (from, to) = (Day(from), Day(from + days));
            let scan = |records: &[Record], key: KeyId| {
                let mut fold: Fold<crate::domain::View> = Fold::new(rules());
                let (mut numbers, mut users) = (Numbers::default(), FxHashSet::default());
                for record in records {
                    let (Verdict::Counted, Some(event)) = (fold.apply(record), &record.event) else { continue };
                    if event.key != key || !(from..to).contains(&event.day) {
                        continue;
                    }
                    numbers.views += 1;
                    numbers.sum += i128::from(event.value.0);
                    users.extend(event.user);
                }
                numbers.users = users.len() as u64;
                numbers
            };
            for key in (0..4).map(KeyId) {
                let reading = read_cells(&lambda, &names().1, key, from, to);
                prop_assert_eq!(reading.merged, scan(&log, key));
                prop_assert_eq!(reading.batch, scan(&log[..cut], key));
                prop_assert_eq!(reading.days.iter().map(|day| day.merged.views).sum::<u64>(), reading.merged.views);
                prop_assert!(reading.batch_cells + reading.speed_cells >= reading.days.len() as u64);
            }
        }
    }
}
