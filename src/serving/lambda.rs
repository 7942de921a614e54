//! Lambda serving: `merged = batch[0, B) ⊕ speed[B, N)` at an offset vector.
//!
//! Holds the published batch view and a copy of the speed view as the stream last emitted it, as one snapshot. The copy
//! outlives a crash of the stream, as an external store does. Source of the construction: the textbook's Lambda section;
//! the vector boundary: semantics, section 4.

use std::{cell::OnceCell, collections::HashMap, sync::Arc};

use rustc_hash::FxBuildHasher;

use super::sketched::SketchedUsers;
use crate::{
    domain::{
        Cell, Day, Fingerprint, KeyId, LateRun, NameTable, Offsets, PartitionIndex, RangeCounts, Row, Run,
        ScopeUsers, Uniques, View,
    },
    processing::{BatchView, Handover, StreamState},
};

/// Page views, sum and distinct users of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Number of events.
    pub views: u64,
    /// Distinct users, united; about, where speed counts them by sketches.
    pub users: u64,
    /// Sum of values in millionths.
    pub sum: i128,
}

/// Views and sums by page and by day.
#[derive(Debug, Clone, Default)]
pub struct GroupTotals {
    keys: HashMap<u32, (u64, i128), FxBuildHasher>,
    days: HashMap<i32, (u64, i128), FxBuildHasher>,
}

/// An absolute row that the stream emitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// First position of the bucket that the row belongs to.
    pub bucket: Offsets,
    /// The row.
    pub row: Row,
}

/// What the stream emitted after a micro-batch.
#[derive(Debug, Clone, Default)]
pub struct Emission<'a> {
    /// Absolute rows of the changed cells.
    pub changes: &'a [Change],
    /// Records newly counted, by partition.
    pub counted: &'a [(usize, Run)],
    /// Records newly found late.
    pub late: &'a [(PartitionIndex, LateRun)],
    /// The next record to read in each partition.
    pub position: Offsets,
}

/// What readers of merged see.
#[derive(Debug, Clone, Default)]
pub struct Lambda {
    batch: Arc<BatchView>,
    /// Fingerprint of the batch view, once somebody has asked.
    batch_print: OnceCell<Fingerprint>,
    batch_users: ScopeUsers,
    batch_groups: GroupTotals,
    speed: StreamState,
    speed_users: ScopeUsers,
    speed_groups: GroupTotals,
    /// Users of speed that batch does not have, by scope.
    beyond: ScopeUsers,
    /// The same about, where speed counts users by sketches.
    sketched: Option<SketchedUsers>,
}

impl GroupTotals {
    /// Of a view.
    pub fn of(view: &View) -> Self {
        let mut totals = GroupTotals::default();
        for row in view.rows() {
            totals.add(row.cell, row.views.cast_signed(), row.sum);
        }
        totals
    }

    /// Views and sum of a page.
    pub fn key(&self, key: KeyId) -> (u64, i128) {
        self.keys.get(&key.0).copied().unwrap_or_default()
    }

    /// Views and sum of a day.
    pub fn day(&self, day: Day) -> (u64, i128) {
        self.days.get(&day.0).copied().unwrap_or_default()
    }

    /// Days with anything in them, in no order.
    pub fn days(&self) -> impl Iterator<Item = Day> + '_ {
        self.days.iter().filter(|(_, totals)| totals.0 > 0).map(|(&day, _)| Day(day))
    }

    fn add(&mut self, cell: Cell, views: i64, sum: i128) {
        for slot in [self.keys.entry(cell.key.0).or_default(), self.days.entry(cell.day.0).or_default()] {
            slot.0 = slot.0.saturating_add_signed(views);
            slot.1 += sum;
        }
    }
}

impl Lambda {
    /// Nothing published, nothing emitted.
    pub fn new(partitions: usize) -> Self {
        Lambda { speed: StreamState::new(partitions), ..Lambda::default() }
    }

    /// The same over a speed layer that counts users in this way.
    #[must_use]
    pub fn counting(self, uniques: Uniques) -> Self {
        let sketched = match uniques {
            Uniques::Set => None,
            Uniques::Hll => Some(SketchedUsers::default()),
        };
        Lambda { sketched, ..self }
    }

    /// A batch run with this cut has started: the speed copy keeps both sides of it apart from now on.
    pub fn cut_started(&mut self, cut: &Offsets) {
        self.speed.split(cut);
    }

    /// Publishes a batch view: it overrides, and the speed view drops exactly what it covers, in one step.
    ///
    /// `refold` folds what counts at or above the cut, by the books, from the log; it is asked only where the cut is no
    /// bucket bound. `users` names the users of the batch view.
    pub fn publish(
        &mut self,
        batch: Arc<BatchView>,
        users: &dyn NameTable,
        refold: impl FnOnce(&Offsets, &[RangeCounts]) -> (View, Vec<RangeCounts>),
    ) {
        let batch_users = ScopeUsers::of(&batch.view);
        self.publish_counted(batch, batch_users, users, refold);
    }

    /// The same, where the distinct users of the batch view are known already.
    pub fn publish_counted(
        &mut self,
        batch: Arc<BatchView>,
        batch_users: ScopeUsers,
        users: &dyn NameTable,
        refold: impl FnOnce(&Offsets, &[RangeCounts]) -> (View, Vec<RangeCounts>),
    ) {
        if self.speed.drop_below(&batch.cut) == Handover::Refold {
            let refolded = refold(&batch.cut, &self.speed.effects);
            self.speed.replace_from(&batch.cut, refolded);
        }
        if let Some(sketched) = &mut self.sketched {
            sketched.start(&batch.view, users);
        }
        self.batch_users = batch_users;
        self.batch_groups = GroupTotals::of(&batch.view);
        self.batch = batch;
        self.batch_print = OnceCell::new();
        self.recount_speed();
    }

    /// Takes what the stream emitted after a micro-batch.
    pub fn apply(&mut self, emission: Emission<'_>) {
        let mut recount = false;
        for Change { bucket, row } in emission.changes {
            let Some(mine) = self.speed.buckets.iter_mut().find(|mine| mine.from == *bucket) else {
                continue;
            };
            let (old_views, old_sum) = mine.view.row(row.cell).map_or((0, 0), |old| (old.views, old.sum));
            let known = mine.view.replace_row(row);
            let grown = row.views.cast_signed() - old_views.cast_signed();
            self.speed_groups.add(row.cell, grown, row.sum - old_sum);
            recount |= known.is_none();
            for &user in row.users.get(known.unwrap_or(usize::MAX)..).unwrap_or_default() {
                self.speed_users.add(row.cell, user);
                self.beyond.add_beyond(&self.batch_users, row.cell, user);
            }
            if let (Some(sketched), Some(sketch)) = (&mut self.sketched, &row.sketch) {
                sketched.add(row.cell, sketch);
            }
        }
        for &(partition, run) in emission.counted {
            if self.speed.effects.len() <= partition {
                self.speed.effects.resize_with(partition + 1, RangeCounts::new);
            }
            if let Some(runs) = self.speed.effects.get_mut(partition) {
                runs.add(run.start, run.end);
            }
        }
        for &(partition, run) in emission.late {
            self.speed.late.add(partition, run);
        }
        // A hand-over may have covered some of it already.
        self.speed.late.clip_below(&self.batch.cut);
        self.speed.position = emission.position;
        if recount {
            self.recount_speed();
        }
    }

    /// Replaces the speed copy by the stream's whole state: after a replay. What lies below the batch cut goes.
    pub fn replace(
        &mut self,
        state: StreamState,
        refold: impl FnOnce(&Offsets, &[RangeCounts]) -> (View, Vec<RangeCounts>),
    ) {
        self.speed = state;
        if self.speed.drop_below(&self.batch.cut) == Handover::Refold {
            let refolded = refold(&self.batch.cut, &self.speed.effects);
            self.speed.replace_from(&self.batch.cut, refolded);
        }
        self.recount_speed();
    }

    /// The published batch view with its cut.
    pub fn batch(&self) -> &Arc<BatchView> {
        &self.batch
    }

    /// The speed view as last emitted.
    pub fn speed(&self) -> &StreamState {
        &self.speed
    }

    /// One past the last record that merged covers, by partition.
    pub fn covers(&self) -> Offsets {
        self.batch.cut.max(&self.speed.position)
    }

    /// The batch view over the run.
    pub fn batch_numbers(&self) -> Numbers {
        let view = &self.batch.view;
        Numbers { views: view.total_views(), users: self.batch_users.run_count(), sum: view.total_sum() }
    }

    /// The speed view over the run.
    pub fn speed_numbers(&self) -> Numbers {
        let views = self.speed.buckets.iter().map(|bucket| bucket.view.total_views()).sum();
        let sum = self.speed.buckets.iter().map(|bucket| bucket.view.total_sum()).sum();
        let sketched = self.sketched.as_ref().map_or(0, SketchedUsers::speed_count);
        Numbers { views, users: self.speed_users.run_count() + sketched, sum }
    }

    /// The merged view over the run: counts add, users unite.
    pub fn merged_numbers(&self) -> Numbers {
        let (batch, speed) = (self.batch_numbers(), self.speed_numbers());
        Numbers {
            views: batch.views + speed.views,
            users: batch.users
                + self.beyond.run_count()
                + self.sketched.as_ref().map_or(0, SketchedUsers::run_count),
            sum: batch.sum + speed.sum,
        }
    }

    /// Batch and merged numbers of a page.
    pub fn key_numbers(&self, key: KeyId) -> (Numbers, Numbers) {
        let sketched = self.sketched.as_ref().map_or(0, |sketched| sketched.key_count(key));
        let users = (self.batch_users.key_count(key), self.beyond.key_count(key) + sketched);
        group(self.batch_groups.key(key), self.speed_groups.key(key), users)
    }

    /// Batch and merged numbers of a day.
    pub fn day_numbers(&self, day: Day) -> (Numbers, Numbers) {
        let sketched = self.sketched.as_ref().map_or(0, |sketched| sketched.day_count(day));
        let users = (self.batch_users.day_count(day), self.beyond.day_count(day) + sketched);
        group(self.batch_groups.day(day), self.speed_groups.day(day), users)
    }

    /// Days of the speed view, in no order.
    pub fn speed_days(&self) -> impl Iterator<Item = Day> + '_ {
        self.speed_groups.days()
    }

    /// The merged view, cell by cell. `users` names the users of the batch view.
    pub fn merged_view(&self, users: &dyn NameTable) -> View {
        let mut view = self.batch.view.clone();
        for bucket in &self.speed.buckets {
            view.merge_named(&bucket.view, users);
        }
        view
    }

    /// Fingerprint of the batch view. `keys` and `users` name the ids of the log that all of this is about.
    pub fn batch_fingerprint(&self, keys: &dyn NameTable, users: &dyn NameTable) -> Fingerprint {
        *self.batch_print.get_or_init(|| self.batch.view.fingerprint(keys, users))
    }

    /// Fingerprint of the merged view: that of batch, with the cells that speed adds to replaced.
    pub fn fingerprint(&self, keys: &dyn NameTable, users: &dyn NameTable) -> Fingerprint {
        let mut print = self.batch_fingerprint(keys, users);
        let buckets = &self.speed.buckets;
        for (number, bucket) in buckets.iter().enumerate() {
            for row in bucket.view.rows() {
                let seen = buckets.iter().take(number).any(|earlier| earlier.view.row(row.cell).is_some());
                if seen {
                    continue;
                }
                let mut cell = View::new();
                if let Some(batch) = self.batch.view.row(row.cell) {
                    print = Fingerprint(print.0.wrapping_sub(batch.hash(keys, users)));
                    cell.add_row(batch);
                }
                let later = buckets.iter().skip(number);
                later.filter_map(|bucket| bucket.view.row(row.cell)).for_each(|row| {
                    cell.merge_row(row, users);
                });
                print = cell.rows().iter().fold(print, |print, row| print.with(row.hash(keys, users)));
            }
        }
        print
    }

    /// (cell, user) pairs that [`Lambda::fingerprint`] looks at.
    pub fn provisional_pairs(&self) -> u64 {
        let rows = self.speed.buckets.iter().flat_map(|bucket| bucket.view.rows());
        rows.map(|row| {
            let batch = self.batch.view.row(row.cell).map_or(0, |row| row.users.len());
            1 + (row.users.len() + 2 * batch) as u64
        })
        .sum()
    }

    /// How often a record counts in merged: in batch below its cut, else in speed.
    pub fn effect(&self, partition: usize, offset: u64) -> u32 {
        let below_cut = self.batch.cut.as_slice().get(partition).is_some_and(|&cut| offset < cut);
        let batch = self.batch.effects.get(partition).map_or(0, |runs| runs.count(offset));
        let speed = self.speed.effects.get(partition).map_or(0, |runs| runs.count(offset));
        // Not an either-or: a record that both layers count shows as 2.
        if below_cut { batch + speed } else { speed }
    }

    fn recount_speed(&mut self) {
        self.speed_users = ScopeUsers::default();
        self.speed_groups = GroupTotals::default();
        self.beyond = ScopeUsers::default();
        if let Some(sketched) = &mut self.sketched {
            sketched.restart();
        }
        for row in self.speed.buckets.iter().flat_map(|bucket| bucket.view.rows()) {
            self.speed_groups.add(row.cell, row.views.cast_signed(), row.sum);
            for &user in &row.users {
                self.speed_users.add(row.cell, user);
                self.beyond.add_beyond(&self.batch_users, row.cell, user);
            }
            if let (Some(sketched), Some(sketch)) = (&mut self.sketched, &row.sketch) {
                sketched.add(row.cell, sketch);
            }
        }
    }
}

fn group(batch: (u64, i128), speed: (u64, i128), (users, beyond): (u64, u64)) -> (Numbers, Numbers) {
    (
        Numbers { views: batch.0, users, sum: batch.1 },
        Numbers { views: batch.0 + speed.0, users: users + beyond, sum: batch.1 + speed.1 },
    )
}
