//! Distinct users of merged where the speed layer counts them by sketches.
//!
//! Batch stays exact. In each scope (the run, a page, a day) a sketch starts from the exact users of the batch view and
//! takes in the sketches of the speed view; what its estimate has risen by comes to the exact number. So the error
//! is that of what speed adds, and ends with the next publication.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use crate::domain::{Cell, Day, KeyId, NameTable, Sketch, View};

/// One sketch a scope.
#[derive(Debug, Clone, Default)]
struct Scopes {
    run: Sketch,
    keys: HashMap<u32, Sketch, FxBuildHasher>,
    days: HashMap<i32, Sketch, FxBuildHasher>,
}

/// What speed adds to the users of batch, about.
#[derive(Debug, Clone, Default)]
pub(super) struct SketchedUsers {
    /// Started from the users of batch, in every scope that has any.
    batch: Scopes,
    /// The same with those of speed, in the scopes that speed touches.
    united: Scopes,
    /// Those of speed alone, over the run.
    speed: Sketch,
}

impl SketchedUsers {
    /// Another batch view was published: nothing of speed is in yet.
    pub fn start(&mut self, batch: &View, users: &dyn NameTable) {
        let mut scopes = Scopes::default();
        for row in batch.rows() {
            let key = scopes.keys.entry(row.cell.key.0).or_default();
            let day = scopes.days.entry(row.cell.day.0).or_default();
            for hash in row.users.iter().map(|user| users.hash(user.0)) {
                scopes.run.insert(hash);
                key.insert(hash);
                day.insert(hash);
            }
        }
        let from_here = |sketch: &mut Sketch| *sketch = std::mem::take(sketch).counting_from_here();
        from_here(&mut scopes.run);
        scopes.keys.values_mut().for_each(from_here);
        scopes.days.values_mut().for_each(from_here);
        self.batch = scopes;
        self.restart();
    }

    /// Nothing of speed is in.
    pub fn restart(&mut self) {
        self.united = Scopes { run: self.batch.run.clone(), ..Scopes::default() };
        self.speed = Sketch::new();
    }

    /// Takes in the users of a cell of speed.
    pub fn add(&mut self, cell: Cell, sketch: &Sketch) {
        let (batch, united) = (&self.batch, &mut self.united);
        let start = |of: Option<&Sketch>| of.cloned().unwrap_or_default();
        self.speed.unite(sketch);
        united.run.unite(sketch);
        let key = cell.key.0;
        united.keys.entry(key).or_insert_with(|| start(batch.keys.get(&key))).unite(sketch);
        let day = cell.day.0;
        united.days.entry(day).or_insert_with(|| start(batch.days.get(&day))).unite(sketch);
    }

    /// Users of speed over the run.
    pub fn speed_count(&self) -> u64 {
        self.speed.count()
    }

    /// Users that speed adds over the run.
    pub fn run_count(&self) -> u64 {
        self.united.run.count()
    }

    /// Users that speed adds to a page.
    pub fn key_count(&self, key: KeyId) -> u64 {
        self.united.keys.get(&key.0).map_or(0, Sketch::count)
    }

    /// Users that speed adds to a day.
    pub fn day_count(&self, day: Day) -> u64 {
        self.united.days.get(&day.0).map_or(0, Sketch::count)
    }
}
