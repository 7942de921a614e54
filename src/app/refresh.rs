//! When open pages are asked for anew: now and then while run time flows; at rest, until they are of this very moment.

use super::{
    Effect, asking, handover, lineage,
    state::{LeftDrawer, RightDrawer, State},
    two_versions,
    update::PAGE_ROWS,
    update_command::{ask, looked_at},
};
use crate::engine::{frame::Flow, protocol::Query};

/// Run time after which an open page is asked for anew while the run goes on.
const REFRESH_TICKS: u64 = 50;

/// Whether run time goes on by itself.
pub(super) fn flows(flow: Flow) -> bool {
    match flow {
        Flow::Playing | Flow::Advancing => true,
        Flow::Paused | Flow::Finished => false,
    }
}

/// Whether what open pages show is too old beside the newest frame.
pub(super) fn is_due(state: &State) -> bool {
    let behind = state.tick().0.abs_diff(state.answers.asked_at.0);
    if flows(state.flow()) { behind >= REFRESH_TICKS } else { behind > 0 }
}

/// Asks again for what open pages show, unless they wait for an answer: [`at_rest`] then comes back to it.
pub(super) fn pages(state: &mut State) -> Vec<Effect> {
    // What takes seconds has a thread of its own; pages are refreshed meanwhile.
    let is_long =
        |query: &Query| matches!(query, Query::TradeOff(_) | Query::Compare(_) | Query::Proof { .. });
    if state.answers.pending.iter().any(|(_, query)| !is_long(query)) {
        return Vec::new();
    }
    let mut effects = Vec::new();
    if state.left == Some(LeftDrawer::Log) {
        effects.extend(lineage::refresh_log(state));
    }
    if let Some(drawer @ (RightDrawer::Fates | RightDrawer::Differences)) = state.right {
        effects.extend(lineage::opened(state, drawer));
    }
    effects.extend(two_versions::refresh(state));
    if state.follows_handover() {
        effects.extend(handover::compute(state));
    }
    if state.right == Some(RightDrawer::Late) {
        let query = late_query(state);
        effects.extend(ask(state, query));
    }
    if state.asks() {
        effects.extend(asking::opened(state));
    }
    effects.extend(looked_at(state));
    effects
}

/// An answer came: where run time has stopped since its question, no frame will ask for a newer one.
pub(super) fn at_rest(state: &mut State) -> Vec<Effect> {
    if !flows(state.flow()) && is_due(state) { pages(state) } else { Vec::new() }
}

pub(super) fn late_query(state: &State) -> Query {
    let page = &state.answers.late;
    Query::Late { of: state.late_of(), first: page.first, count: PAGE_ROWS }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        app::{Input, Phase, apply},
        engine::{
            frame::{Frame, LaneFrame},
            protocol::{Answer, Command, EngineEvent, Tick},
        },
    };

    fn framed(state: &mut State, tick: u64, flow: Flow) -> Option<u64> {
        let lanes = vec![Arc::new(LaneFrame::default())];
        let frame = Frame { tick: Tick(tick), flow, lanes, ..Frame::default() };
        asked(&apply(state, Input::Frame(Arc::new(frame))))
    }

    fn asked(effects: &[Effect]) -> Option<u64> {
        effects.iter().find_map(|effect| match effect {
            Effect::Send(Command::Ask(number, _)) => Some(*number),
            _ => None,
        })
    }

    fn answered(state: &mut State, number: u64) -> Option<u64> {
        let answer = Answer::Late { lines: Vec::new(), total: 0 };
        asked(&apply(state, Input::Event(EngineEvent::Answered(number, answer))))
    }

    #[test]
    fn an_open_page_ends_up_at_the_moment_at_which_run_time_stands() {
        for flowing in [Flow::Playing, Flow::Advancing] {
            let mut state = State { phase: Phase::Open, right: Some(RightDrawer::Late), ..State::default() };
            let first = framed(&mut state, 100, flowing).expect("the page is asked for");
            // Run time stops while the answer is under way, less than a refresh later.
            assert_eq!(framed(&mut state, 110, Flow::Paused), None);
            let second = answered(&mut state, first).expect("what came is of tick 100");
            assert_eq!(answered(&mut state, second), None, "it is of tick 110");
            assert_eq!(framed(&mut state, 110, Flow::Paused), None);
            // A step of a few ticks.
            assert_eq!(framed(&mut state, 115, flowing), None, "too soon while it flows");
            assert!(framed(&mut state, 120, Flow::Paused).is_some());
        }
    }
}
