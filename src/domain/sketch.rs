//! A `HyperLogLog` sketch of a set of users, in the place of the set.
//!
//! It sees the hash of a user's text, never an id, so equal sets of users are equal registers on any machine, in any
//! order, with any number of threads. Sketches unite as sets do. Few users take a few bytes: registers that were never
//! touched are not stored until an eighth of them is in use; which form it has depends on the registers alone.

use std::hash::BuildHasherDefault;

use hyperloglockless::HyperLogLog;
use rustc_hash::{FxHashSet, FxHasher};
use xxhash_rust::xxh3::xxh3_128;

use super::Row;

/// The estimator over all registers. Its hasher is never asked: hashes come from names.
type Dense = HyperLogLog<BuildHasherDefault<FxHasher>>;

/// An approximate set of users.
#[derive(Debug, Clone)]
pub struct Sketch {
    registers: Registers,
    /// The estimate of what it started from: those users are counted exactly elsewhere.
    start: u64,
}

/// Where the number of a register starts in a hash.
const PLACE_SHIFT: u32 = 64 - Sketch::PRECISION as u32;

#[derive(Debug, Clone)]
enum Registers {
    /// The registers in use as (place, value), by place.
    Few(Vec<(u16, u8)>),
    All(Box<Dense>),
}

impl Sketch {
    /// Two to this power registers.
    pub const PRECISION: u8 = 12;
    /// Registers of a sketch.
    pub const REGISTERS: usize = 1 << Self::PRECISION;
    /// The largest value of a register.
    pub const MOST_VALUE: u8 = 41;
    /// Up to so many registers in use, only these are stored.
    pub const MOST_FEW: usize = Self::REGISTERS / 8;
    /// The error to expect, in hundredths of a per cent: 1.04 / sqrt(registers).
    pub const STANDARD_ERROR_BASIS_POINTS: u32 = 162;

    /// Of nobody.
    pub fn new() -> Self {
        Sketch { registers: Registers::Few(Vec::new()), start: 0 }
    }

    /// Starts from users that are counted exactly elsewhere: [`Sketch::count`] says how many come to them. This is how
    /// the exact set of the batch view and the sketches of the speed layer unite: the error is that of what speed
    /// adds, and none where it adds nobody.
    pub fn beyond(users: impl IntoIterator<Item = u128>) -> Self {
        let mut sketch = Sketch::new();
        for hash in users {
            sketch.insert(hash);
        }
        sketch.counting_from_here()
    }

    /// The same, with the users that it has seen so far counted exactly elsewhere.
    #[must_use]
    pub fn counting_from_here(self) -> Self {
        Sketch { start: self.estimate(), ..self }
    }

    /// Adds a user by the hash of its text.
    pub fn insert(&mut self, hash: u128) {
        let high = u64::try_from(hash >> 64).unwrap_or(0);
        // No value above the largest: sums of powers of two are then exact, in whatever order users come.
        let hash = high | 1 << (Self::MOST_VALUE - 1);
        match &mut self.registers {
            Registers::All(dense) => dense.insert_hash(hash),
            Registers::Few(few) => {
                let place = u16::try_from(hash >> PLACE_SHIFT).unwrap_or(u16::MAX);
                raise(few, place, 1 + u8::try_from(hash.trailing_zeros()).unwrap_or(Self::MOST_VALUE));
                self.widen();
            }
        }
    }

    /// Adds the users of another sketch. What this one started from stays as it is.
    pub fn unite(&mut self, other: &Sketch) {
        match (&mut self.registers, &other.registers) {
            (Registers::All(mine), Registers::All(theirs)) => {
                // Both have the same length, so this cannot fail.
                let _united = mine.union(theirs);
            }
            (_, Registers::Few(theirs)) => {
                for &(place, value) in theirs {
                    self.raise(place, value);
                }
            }
            (Registers::Few(mine), Registers::All(theirs)) => {
                let mine = std::mem::take(mine);
                self.registers = Registers::All(theirs.clone());
                for (place, value) in mine {
                    self.raise(place, value);
                }
            }
        }
    }

    /// How many users, about; beyond those that it started from.
    pub fn count(&self) -> u64 {
        self.estimate().saturating_sub(self.start)
    }

    /// Whether it has seen nobody.
    pub fn is_empty(&self) -> bool {
        matches!(&self.registers, Registers::Few(few) if few.is_empty())
    }

    /// Registers in use as (place, value), by place.
    pub fn places(&self) -> Vec<(u16, u8)> {
        match &self.registers {
            Registers::Few(few) => few.clone(),
            Registers::All(dense) => (0..).zip(dense.iter()).filter(|&(_, value)| value > 0).collect(),
        }
    }

    /// From [`Sketch::places`]; `None` when they are out of order or no values of registers.
    pub fn from_places(places: Vec<(u16, u8)>) -> Option<Self> {
        let sound = places.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0))
            && places.iter().all(|&(place, value)| {
                usize::from(place) < Self::REGISTERS && (1..=Self::MOST_VALUE).contains(&value)
            });
        if !sound {
            return None;
        }
        let mut sketch = Sketch { registers: Registers::Few(places), start: 0 };
        sketch.widen();
        Some(sketch)
    }

    /// A hash of the registers: the same users, the same hash.
    pub fn hash(&self) -> u128 {
        let mut bytes = Vec::new();
        for (place, value) in self.places() {
            bytes.extend(place.to_le_bytes());
            bytes.push(value);
        }
        xxh3_128(&bytes)
    }

    fn raise(&mut self, place: u16, value: u8) {
        match &mut self.registers {
            Registers::Few(few) => {
                raise(few, place, value);
                self.widen();
            }
            Registers::All(dense) => dense.insert_hash(u64::from(place) << PLACE_SHIFT | 1 << (value - 1)),
        }
    }

    fn widen(&mut self) {
        let Registers::Few(few) = &self.registers else { return };
        if few.len() > Self::MOST_FEW {
            let mut dense = Dense::with_hasher(Self::PRECISION, BuildHasherDefault::new());
            for &(place, value) in few {
                dense.insert_hash(u64::from(place) << PLACE_SHIFT | 1 << (value - 1));
            }
            self.registers = Registers::All(Box::new(dense));
        }
    }

    fn estimate(&self) -> u64 {
        let raw = match &self.registers {
            Registers::Few(few) if few.is_empty() => return 0,
            Registers::Few(few) => {
                // The estimator looks at how many registers are 0 and at this sum alone.
                let zeros = Self::REGISTERS - few.len();
                let sum: f64 = few.iter().map(|&(_, value)| 1.0 / (1_u64 << value) as f64).sum();
                let registers = vec![0; Self::REGISTERS].into();
                Dense::from_parts(registers, BuildHasherDefault::new(), zeros, zeros as f64 + sum).raw_count()
            }
            Registers::All(dense) => dense.raw_count(),
        };
        whole(raw)
    }
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch::new()
    }
}

impl PartialEq for Sketch {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.places() == other.places()
    }
}

impl Eq for Sketch {}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate is a small positive number"
)]
fn whole(estimate: f64) -> u64 {
    estimate.round() as u64
}

fn raise(few: &mut Vec<(u16, u8)>, place: u16, value: u8) {
    match few.binary_search_by_key(&place, |&(place, _)| place) {
        Ok(at) => few.get_mut(at).into_iter().for_each(|register| register.1 = register.1.max(value)),
        Err(at) => few.insert(at, (place, value)),
    }
}

/// Distinct users of several rows together: exactly, or where a row has a sketch, about.
#[derive(Debug, Clone, Default)]
pub struct UnitedUsers {
    exact: FxHashSet<u32>,
    sketch: Sketch,
}

impl UnitedUsers {
    /// The users of `rows`.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut users = UnitedUsers::default();
        for row in rows {
            users.add(row);
        }
        users
    }

    /// Adds those of a row.
    pub fn add(&mut self, row: &Row) {
        self.exact.extend(row.users.iter().map(|user| user.0));
        if let Some(sketch) = &row.sketch {
            self.sketch.unite(sketch);
        }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.exact.len() as u64 + self.sketch.count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hashes(range: std::ops::Range<u32>) -> impl Iterator<Item = u128> {
        range.map(|user| xxh3_128(format!("user-{user}").as_bytes()))
    }

    fn sketch(range: std::ops::Range<u32>) -> Sketch {
        let mut sketch = Sketch::new();
        for hash in hashes(range) {
            sketch.insert(hash);
        }
        sketch
    }

    proptest! {
        /// A sketch is a function of the set: order, repetition and the way it was united do not matter.
        #[test]
        fn sketches_unite_as_sets_do(a in 0_u32..900, b in 0_u32..900, c in 0_u32..900) {
            let (low, high) = (a.min(b), a.max(b));
            let whole = sketch(0..high.max(c));
            let mut united = sketch(low..high.max(c));
            united.unite(&sketch(0..c));
            united.unite(&sketch(0..high));
            prop_assert_eq!(&united, &whole);
            prop_assert_eq!(united.count(), whole.count());
            prop_assert_eq!(united.hash(), whole.hash());
            prop_assert_eq!(Sketch::from_places(whole.places()), Some(whole.clone()));
            let mut backwards = Sketch::new();
            let all: Vec<u128> = hashes(0..high.max(c)).collect();
            all.iter().rev().chain(&all).for_each(|&hash| backwards.insert(hash));
            prop_assert_eq!(backwards, whole);
        }
    }

    #[test]
    fn the_estimate_is_near_and_exact_for_a_few() {
        for users in [0, 1, 2, 5, 10] {
            assert_eq!(sketch(0..users).count(), u64::from(users));
        }
        // Within three standard errors; which of them it is does not change from run to run.
        for users in [100, 500, 600, 5_000, 50_000, 500_000] {
            let off = sketch(0..users).count().abs_diff(u64::from(users));
            let most = u64::from(users) * 3 * u64::from(Sketch::STANDARD_ERROR_BASIS_POINTS) / 10_000;
            assert!(off <= most.max(1), "{users}: off by {off}");
        }
    }

    #[test]
    fn what_it_started_from_is_not_counted() {
        let mut beyond = Sketch::beyond(hashes(0..10_000));
        assert_eq!(beyond.count(), 0);
        beyond.unite(&sketch(2_000..9_000));
        assert_eq!(beyond.count(), 0, "nobody new, no error");
        beyond.unite(&sketch(9_000..11_000));
        assert!(beyond.count().abs_diff(1_000) < 200, "{}", beyond.count());
    }

    #[test]
    fn a_hash_of_zeros_fits_into_a_register() {
        let mut sketch = sketch(0..3_000);
        sketch.insert(0);
        assert!(sketch.places().contains(&(0, Sketch::MOST_VALUE)));
        assert!(Sketch::from_places(vec![(0, Sketch::MOST_VALUE + 1)]).is_none());
        assert!(Sketch::from_places(vec![(4_096, 1)]).is_none());
        assert!(Sketch::from_places(vec![(5, 1), (5, 2)]).is_none());
    }
}
