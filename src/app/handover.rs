//! The hand-over drawer's part of the state: handles, rule, and the newest answer.

use std::sync::Arc;

use super::{Effect, state::State, update_command::ask};
use crate::{
    domain::{Offsets, PartitionIndex},
    engine::protocol::{Answer, BoundaryRule, HandoverAnswer, HandoverSetup, MergedUsers, Query},
};

/// The hand-over as it is set up, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandoverPage {
    /// Rule and handles.
    pub setup: HandoverSetup,
    /// How distinct users are merged.
    pub users: MergedUsers,
    /// What came of it last.
    pub answer: Option<Arc<HandoverAnswer>>,
    /// Something was changed while a question was under way: it is put again.
    asks_again: bool,
}

/// What a person does to the hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoverEdit {
    /// Chooses a rule; handles of speed that were moved by hand go back to it.
    Rule(BoundaryRule),
    /// Chooses how users are merged.
    Users(MergedUsers),
    /// Moves the end of batch in a partition.
    Cut(PartitionIndex, u64),
    /// Moves the start of speed in a partition.
    Start(PartitionIndex, u64),
    /// Back to what the run does.
    Reset,
}

impl HandoverPage {
    /// Whether anything differs from what the run does.
    pub fn is_changed(&self) -> bool {
        self.setup != HandoverSetup::default() || self.users != MergedUsers::default()
    }

    /// The rule, unless speed's handles were moved.
    pub fn rule(&self) -> Option<BoundaryRule> {
        self.setup.starts.is_none().then_some(self.setup.rule)
    }

    /// Drops the answer: it was about another run.
    pub(super) fn forget(&mut self) {
        *self = HandoverPage { setup: self.setup.clone(), users: self.users, ..HandoverPage::default() };
    }
}

/// Carries out an edit. A changed hand-over is computed anew.
pub(super) fn edit(state: &mut State, edit: HandoverEdit) -> Vec<Effect> {
    let page = &mut state.answers.handover;
    match edit {
        HandoverEdit::Rule(rule) => (page.setup.rule, page.setup.starts) = (rule, None),
        HandoverEdit::Users(users) => {
            page.users = users;
            return Vec::new();
        }
        HandoverEdit::Cut(partition, to) => {
            let known = page.answer.as_ref().map(|answer| answer.cut());
            page.setup.cut = Some(moved(page.setup.cut.take().or(known), partition, to));
        }
        HandoverEdit::Start(partition, to) => {
            let known = page.answer.as_ref().map(|answer| answer.starts());
            page.setup.starts = Some(moved(page.setup.starts.take().or(known), partition, to));
        }
        HandoverEdit::Reset => (page.setup, page.users) = Default::default(),
    }
    compute(state)
}

fn moved(vector: Option<Offsets>, partition: PartitionIndex, to: u64) -> Offsets {
    let mut vector = vector.unwrap_or_default();
    vector.set(partition, to);
    vector
}

/// Asks what comes of the hand-over: one question at a time, and the newest wins.
pub(super) fn compute(state: &mut State) -> Vec<Effect> {
    let is_pending = state.answers.pending.iter().any(|(_, asked)| matches!(asked, Query::Handover { .. }));
    state.answers.handover.asks_again = is_pending;
    if is_pending {
        return Vec::new();
    }
    let setup = state.answers.handover.setup.clone();
    ask(state, Query::Handover { lane: state.lane, setup })
}

/// Takes an answer; asks again where the handles have moved on.
pub(super) fn answered(state: &mut State, answer: Answer) -> Vec<Effect> {
    let page = &mut state.answers.handover;
    let again = std::mem::take(&mut page.asks_again);
    match answer {
        Answer::Handover(answer) => page.answer = Some(answer),
        Answer::Nothing(why) => {
            super::update::say(state, why);
            return Vec::new();
        }
        _ => {}
    }
    if again { compute(state) } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{Edit, Input, apply},
        engine::protocol::{Command, EngineEvent, HandoverPartition},
    };

    fn do_it(state: &mut State, edit: HandoverEdit) -> Vec<(u64, HandoverSetup)> {
        asked(apply(state, Input::Edit(Edit::Handover(edit))))
    }

    fn asked(effects: Vec<Effect>) -> Vec<(u64, HandoverSetup)> {
        let question = |effect| match effect {
            Effect::Send(Command::Ask(number, Query::Handover { setup, .. })) => Some((number, setup)),
            _ => None,
        };
        effects.into_iter().filter_map(question).collect()
    }

    fn tell(state: &mut State, number: u64, answer: Answer) -> Vec<(u64, HandoverSetup)> {
        asked(apply(state, Input::Event(EngineEvent::Answered(number, answer))))
    }

    fn known(cut: u64, start: Option<u64>) -> Answer {
        let partition = HandoverPartition { cut, start, arrived: 100, ..HandoverPartition::default() };
        Answer::Handover(Arc::new(HandoverAnswer {
            partitions: vec![partition; 2],
            ..HandoverAnswer::default()
        }))
    }

    #[test]
    fn one_question_at_a_time_and_the_newest_wins() {
        let mut state = State::default();
        let (a, b) = (PartitionIndex(0), PartitionIndex(1));
        let first = do_it(&mut state, HandoverEdit::Rule(BoundaryRule::Scalar));
        assert_eq!(first.len(), 1);
        for to in [3, 5, 7] {
            assert_eq!(do_it(&mut state, HandoverEdit::Cut(a, to)), [], "a question is under way");
        }
        let again = tell(&mut state, first[0].0, known(40, Some(40)));
        assert_eq!(again.len(), 1, "what was changed meanwhile is asked once");
        assert_eq!(again[0].1.cut.as_ref().map(|cut| cut.get(a)), Some(7));
        assert_eq!(tell(&mut state, again[0].0, known(7, Some(7))), []);
        assert!(state.answers.handover.answer.is_some());
        // A handle of speed that is moved by hand starts from where speed starts now.
        let by_hand = do_it(&mut state, HandoverEdit::Start(b, 9));
        assert_eq!(by_hand[0].1.starts, Some(Offsets::from_vec(vec![7, 9])));
        assert_eq!(state.answers.handover.rule(), None);
        // When nothing comes back it is not asked without end.
        assert_eq!(do_it(&mut state, HandoverEdit::Reset), []);
        assert_eq!(tell(&mut state, by_hand[0].0, Answer::Nothing("no".to_owned())), []);
        assert!(!state.answers.handover.is_changed());
    }

    #[test]
    fn where_a_time_decides_the_handles_start_at_the_cut() {
        let mut state = State::default();
        let first = do_it(&mut state, HandoverEdit::Rule(BoundaryRule::EventTime));
        tell(&mut state, first[0].0, known(40, None));
        let by_hand = do_it(&mut state, HandoverEdit::Start(PartitionIndex(1), 50));
        assert_eq!(by_hand[0].1.starts, Some(Offsets::from_vec(vec![40, 50])));
    }
}
