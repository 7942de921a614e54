//! Wall time: the only file that reads a clock. It sets the pace and measures durations; no result depends on it.

#![allow(clippy::disallowed_methods, reason = "this is the one place")]

use std::time::{Duration, Instant};

use super::protocol::TICKS_PER_SECOND;

/// Turns wall time into due ticks.
#[derive(Debug)]
pub struct Pacer {
    last: Instant,
    /// Fractions of a tick not handed out yet, in per-cent nanoseconds.
    carry: u128,
}

/// Ticks handed out at once at most: after a stall run time goes on, it does not jump.
const MOST_TICKS_AT_ONCE: u64 = 4 * TICKS_PER_SECOND;

impl Pacer {
    /// Starts now.
    pub fn start() -> Self {
        Pacer { last: Instant::now(), carry: 0 }
    }

    /// Forgets the time that has passed.
    pub fn skip(&mut self) {
        self.last = Instant::now();
        self.carry = 0;
    }

    /// Ticks due since the last call at `pace_percent` of simulated time.
    pub fn due(&mut self, pace_percent: u32) -> u64 {
        let now = Instant::now();
        let passed = now.duration_since(self.last);
        self.last = now;
        self.due_after(passed, pace_percent)
    }

    fn due_after(&mut self, passed: Duration, pace_percent: u32) -> u64 {
        let tick = 100 * 1_000_000_000 / u128::from(TICKS_PER_SECOND);
        self.carry += passed.as_nanos() * u128::from(pace_percent);
        let due = u64::try_from(self.carry / tick).unwrap_or(u64::MAX);
        self.carry %= tick;
        // The larger the pace, the more ticks a frame is worth.
        due.min(MOST_TICKS_AT_ONCE.saturating_mul(u64::from(pace_percent / 100).max(1)))
    }
}

/// Measures how long something took.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// Nanoseconds since the start, for what takes less than a microsecond.
    pub fn nanos(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Microseconds since the start.
    pub fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_add_up_whatever_the_slices() {
        let mut pacer = Pacer::start();
        let ticks: u64 = (0..1000).map(|_| pacer.due_after(Duration::from_micros(16_667), 100)).sum();
        assert_eq!(ticks, 1666);
        assert_eq!(pacer.due_after(Duration::from_hours(1), 100), MOST_TICKS_AT_ONCE);
    }
}
