//! The close-up: which part of the run holds the last crash. Pure.

use super::State;
use crate::engine::{
    frame::{Mark, MarkKind},
    protocol::TICKS_PER_SECOND,
};

/// Room on both sides.
const MARGIN_TICKS: u64 = 3 * TICKS_PER_SECOND;

/// Run time after a replay that still belongs to its moment.
const AFTER_REPLAY_TICKS: u64 = 3 * TICKS_PER_SECOND;

impl State {
    /// What the close-up shows, as first and last tick: from just before the newest checkpoint below the last crash
    /// to just after now, or after the replay where that is over. `None` before the first crash.
    pub fn moment(&self) -> Option<(u64, u64)> {
        let lane = self.lane()?;
        let crash = lane.marks.iter().rfind(|mark| mark.kind == MarkKind::StreamCrashed)?;
        let before = |mark: &&Mark| mark.kind == MarkKind::Checkpoint && mark.tick <= crash.tick;
        let from = lane.marks.iter().rfind(before).map_or(crash.tick, |mark| mark.tick);
        let over = |mark: &&Mark| mark.kind == MarkKind::ReplayFinished && mark.tick >= crash.tick;
        let now = self.tick().0;
        let to = lane.marks.iter().find(over).map_or(now, |mark| now.min(mark.tick + AFTER_REPLAY_TICKS));
        Some((from.saturating_sub(MARGIN_TICKS), to.max(crash.tick) + MARGIN_TICKS))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{
        frame::{Frame, LaneFrame},
        protocol::Tick,
    };

    fn at(now: u64, marks: &[(u64, MarkKind)]) -> Option<(u64, u64)> {
        let marks = marks.iter().map(|&(tick, kind)| Mark { tick, kind, record: 0 }).collect();
        let lane = LaneFrame { marks, ..LaneFrame::default() };
        let frame = Frame { tick: Tick(now), lanes: vec![Arc::new(lane)], ..Frame::default() };
        State { frame: Some(Arc::new(frame)), ..State::default() }.moment()
    }

    #[test]
    fn the_close_up_goes_along_until_the_replay_is_over_and_then_stands() {
        use MarkKind::{Checkpoint, ReplayFinished, Restored, StreamCrashed};
        let mut marks = vec![(2_000, Checkpoint)];
        assert_eq!(at(2_500, &marks), None);
        marks.push((8_000, Checkpoint));
        marks.push((8_600, StreamCrashed));
        assert_eq!(at(8_600, &marks), Some((7_700, 8_900)));
        marks.extend([(9_100, Restored), (9_500, ReplayFinished)]);
        assert_eq!(at(9_600, &marks), Some((7_700, 9_900)));
        assert_eq!(at(20_000, &marks), Some((7_700, 10_100)));
        marks.push((10_000, Checkpoint));
        marks.push((10_050, StreamCrashed));
        assert_eq!(at(10_100, &marks), Some((9_700, 10_400)));
        assert_eq!(at(50, &[(20, StreamCrashed)]), Some((0, 350)), "no checkpoint");
    }
}
