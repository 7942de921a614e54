//! A series over run time, thinned for the window.

use std::sync::Arc;

use super::frame::MAX_SERIES_POINTS;

/// A point of a series.
pub(super) trait At: Copy {
    /// When.
    fn tick(&self) -> u64;
}

/// At most [`MAX_SERIES_POINTS`] points, a plain one every so many ticks.
#[derive(Debug, Clone)]
pub(super) struct Thinned<P> {
    points: Vec<P>,
    /// A plain point is kept every so many ticks.
    stride: u64,
    /// Whether the newest point stands for no moment.
    is_plain: bool,
    shared: Option<Arc<[P]>>,
}

impl<P> Default for Thinned<P> {
    fn default() -> Self {
        Thinned { points: Vec::new(), stride: 1, is_plain: false, shared: None }
    }
}

/// Whether a point stands for a moment or only for the time between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Kept until the series is full.
    Always,
    /// Kept every stride.
    EveryStride,
}

impl<P: At> Thinned<P> {
    /// Adds a point. `is_marked` says at which ticks something happened: when points have to go, those stay longest.
    pub(super) fn push(&mut self, point: P, keep: Keep, is_marked: impl Fn(u64) -> bool) {
        self.shared = None;
        let (stride, is_plain) = (self.stride, keep == Keep::EveryStride);
        match self.points.last_mut() {
            Some(last) if last.tick() == point.tick() => {
                *last = point;
                self.is_plain &= is_plain;
            }
            // Between strides the newest point moves along, so that the line always ends now.
            Some(last) if is_plain && self.is_plain && !last.tick().is_multiple_of(stride) => *last = point,
            _ => {
                self.points.push(point);
                self.is_plain = is_plain;
            }
        }
        if self.points.len() > MAX_SERIES_POINTS {
            self.thin(is_marked);
        }
    }

    fn thin(&mut self, is_marked: impl Fn(u64) -> bool) {
        self.stride *= 2;
        let stride = self.stride;
        let newest = self.points.pop();
        self.points.retain(|point| point.tick().is_multiple_of(stride) || is_marked(point.tick()));
        // Marks alone can fill the series: then every other point goes.
        if self.points.len() > MAX_SERIES_POINTS * 3 / 4 {
            let mut odd = false;
            self.points.retain(|_| {
                odd = !odd;
                odd
            });
        }
        self.points.extend(newest);
    }

    /// Points so far.
    pub(super) fn points(&mut self) -> Arc<[P]> {
        let points = &self.points;
        Arc::clone(self.shared.get_or_insert_with(|| points.as_slice().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl At for u64 {
        fn tick(&self) -> u64 {
            *self
        }
    }

    #[test]
    fn a_series_stays_short_ends_now_and_keeps_what_happened() {
        let mut series = Thinned::default();
        let happened = |tick: u64| tick % 1_000 == 7;
        for tick in 0..50_000_u64 {
            let keep = if happened(tick) { Keep::Always } else { Keep::EveryStride };
            series.push(tick, keep, happened);
            let points = series.points();
            assert_eq!(points.last(), Some(&tick));
            assert!(points.len() <= MAX_SERIES_POINTS);
        }
        let points = series.points();
        assert!(points.is_sorted() && points.len() > MAX_SERIES_POINTS / 3, "{}", points.len());
        assert!((0..50_000).filter(|&tick| happened(tick)).all(|tick| points.contains(&tick)));
        // Moments alone are thinned too, but for the newest.
        let mut moments = Thinned::default();
        (0..9_000_u64).for_each(|tick| moments.push(tick, Keep::Always, |_| true));
        assert!(moments.points().len() <= MAX_SERIES_POINTS && moments.points().last() == Some(&8_999));
    }
}
