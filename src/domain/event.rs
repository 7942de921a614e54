//! Records, events and positions.

use std::fmt;

use super::{Day, EventTime};

/// Dense index of a partition in the log's partition order (by name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionIndex(pub u16);

impl PartitionIndex {
    /// The index as a `usize`, for vectors with one entry a partition.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Interned key (page). Dense, meaningless outside the [`super::NameTable`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

/// Interned user. Dense, meaningless outside the [`super::NameTable`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u32);

/// A decimal with at most six fraction digits, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub i64);

impl Value {
    /// The value of an event where no value field is mapped.
    pub const ONE: Value = Value(1_000_000);

    /// Reads a decimal such as `3`, `-0.25` or `1e2`. `None` when it is no number, has more than six fraction
    /// digits or does not fit.
    pub fn parse(text: &str) -> Option<Value> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty()) || digits.ends_with('.') {
            return None;
        }
        let mut scaled: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
            scaled = scaled.checked_mul(10)?.checked_add(digit)?;
        }
        let mut shift = exponent.checked_add(6)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        while shift > 0 && scaled != 0 {
            scaled = scaled.checked_mul(10)?;
            shift -= 1;
        }
        while shift < 0 && scaled != 0 {
            if scaled % 10 != 0 {
                return None;
            }
            scaled /= 10;
            shift += 1;
        }
        i64::try_from(if negative { -scaled } else { scaled }).ok().map(Value)
    }

    /// Prints a sum of millionths without trailing zeros.
    pub fn display_sum(millionths: i128) -> String {
        let sign = if millionths < 0 { "-" } else { "" };
        let whole = millionths.unsigned_abs() / 1_000_000;
        let fraction = millionths.unsigned_abs() % 1_000_000;
        if fraction == 0 {
            return format!("{sign}{whole}");
        }
        let digits = format!("{fraction:06}");
        format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// A well-formed record: what the processors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The page.
    pub key: KeyId,
    /// `None` where the user is absent, null, empty or not mapped at all (see [`super::Rules::users_mapped`]).
    pub user: Option<UserId>,
    /// When it happened.
    pub time: EventTime,
    /// Calendar date of `time` under the settings' day rule.
    pub day: Day,
    /// [`Value::ONE`] where no value is mapped.
    pub value: Value,
    /// Hash of the event's id where one is mapped and present (128 bits of XXH3 over its text).
    pub id: Option<u128>,
    /// The offset that the event itself carries (the textbook's `offset`), where one is mapped.
    pub explicit_offset: Option<u64>,
}

/// One record of the log, well-formed or not. A malformed line keeps its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Where it lies.
    pub partition: PartitionIndex,
    /// 0-based position in its partition.
    pub offset: u64,
    /// `None` for a malformed line.
    pub event: Option<Event>,
}

/// A vector of positions, one a partition: in each, the next record to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Offsets(Vec<u64>);

impl Offsets {
    /// The log's start: zero in every partition.
    pub fn start(partitions: usize) -> Self {
        Offsets(vec![0; partitions])
    }

    /// From one position a partition.
    pub fn from_vec(positions: Vec<u64>) -> Self {
        Offsets(positions)
    }

    /// Number of partitions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no partition at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Position in `partition`; 0 for a partition that this vector does not know yet.
    pub fn get(&self, partition: PartitionIndex) -> u64 {
        self.0.get(partition.index()).copied().unwrap_or(0)
    }

    /// A partition's position, which then is one further on.
    pub fn next(&mut self, partition: PartitionIndex) -> u64 {
        if let Some(slot) = self.0.get_mut(partition.index()) {
            *slot += 1;
            return *slot - 1;
        }
        self.set(partition, 1);
        0
    }

    /// Sets the position in `partition`, growing the vector where needed.
    pub fn set(&mut self, partition: PartitionIndex, position: u64) {
        if self.0.len() <= partition.index() {
            self.0.resize(partition.index() + 1, 0);
        }
        if let Some(slot) = self.0.get_mut(partition.index()) {
            *slot = position;
        }
    }

    /// Number of records below the vector, over all partitions.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Whether `record` lies below the vector.
    pub fn contains(&self, partition: PartitionIndex, offset: u64) -> bool {
        offset < self.get(partition)
    }

    /// Whether every position is at most `other`'s.
    pub fn is_at_most(&self, other: &Offsets) -> bool {
        let partitions = self.len().max(other.len());
        (0..partitions).all(|p| self.0.get(p).unwrap_or(&0) <= other.0.get(p).unwrap_or(&0))
    }

    /// The larger position in each partition.
    #[must_use]
    pub fn max(&self, other: &Offsets) -> Offsets {
        let partitions = self.len().max(other.len());
        let at = |v: &Offsets, p: usize| v.0.get(p).copied().unwrap_or(0);
        Offsets((0..partitions).map(|p| at(self, p).max(at(other, p))).collect())
    }

    /// The same where partition `i` has become partition `places[i]` of `partitions`; the others stand at 0.
    #[must_use]
    pub fn moved(&self, places: &[PartitionIndex], partitions: usize) -> Offsets {
        let mut moved = Offsets::start(partitions);
        for (&place, &position) in places.iter().zip(&self.0) {
            moved.set(place, position);
        }
        moved
    }

    /// Positions in partition order.
    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }
}

/// What was kept of partition `i`, kept of partition `places[i]`; the default in between.
pub(crate) fn moved_to<T: Default>(places: &[PartitionIndex], kept: Vec<T>) -> Vec<T> {
    let mut moved: Vec<T> = Vec::new();
    for (place, item) in places.iter().zip(kept) {
        if moved.len() <= place.index() {
            moved.resize_with(place.index() + 1, T::default);
        }
        if let Some(slot) = moved.get_mut(place.index()) {
            *slot = item;
        }
    }
    moved
}

impl fmt::Display for Offsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, position) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{position}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_decimals() {
        assert_eq!(Value::parse("3"), Some(Value(3_000_000)));
        assert_eq!(Value::parse("-0.25"), Some(Value(-250_000)));
        assert_eq!(Value::parse("0.000001"), Some(Value(1)));
        assert_eq!(Value::parse("0.0000001"), None);
        assert_eq!(Value::parse("1.5e2"), Some(Value(150_000_000)));
        assert_eq!(Value::parse("10e-1"), Some(Value(1_000_000)));
        for bad in ["", "-", ".", "1.", "1e", "1x", "9223372036854775807"] {
            assert_eq!(Value::parse(bad), None, "{bad}");
        }
        assert_eq!(Value::display_sum(-1_250_000), "-1.25");
        assert_eq!(Value::display_sum(13_000_000), "13");
    }

    #[test]
    fn vectors_compare_by_partition() {
        let a = Offsets::from_vec(vec![3, 0, 7]);
        let b = Offsets::from_vec(vec![3, 1]);
        assert!(!a.is_at_most(&b));
        assert_eq!(a.max(&b), Offsets::from_vec(vec![3, 1, 7]));
        assert!(a.contains(PartitionIndex(0), 2) && !a.contains(PartitionIndex(0), 3));
        assert_eq!(a.to_string(), "3,0,7");
    }
}
