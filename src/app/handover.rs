//! The hand-over's part of the state: handles, rule, the newest answer, and what it says. Drawer, plots and timeline show
//! the same.

use std::sync::Arc;

use super::{
    Effect, format,
    state::{RightDrawer, State},
    update_command::ask,
};
use crate::{
    domain::{Offsets, PartitionIndex},
    engine::protocol::{
        Answer, BoundaryRule, HandoverAnswer, HandoverPartition, HandoverSetup, MergedUsers, Query,
    },
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
    /// The partition whose handle was touched last: where there are many, it is the one that is seen.
    pub selected: Option<PartitionIndex>,
    /// Whether handles stand on plots and timeline while the drawer is closed.
    pub on_plots: bool,
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
    /// Chooses the partition that is seen where there are many.
    Select(PartitionIndex),
    /// Back to what the run does.
    Reset,
}

/// Where the two handles of a partition stand: as set, before the answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handles {
    /// Where batch ends.
    pub cut: u64,
    /// Where speed starts; `None` where a time decides.
    pub start: Option<u64>,
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

    /// The handles of a partition.
    pub fn handles(&self, index: PartitionIndex, partition: &HandoverPartition) -> Handles {
        let set =
            |vector: &Option<Offsets>| vector.as_ref().map(|vector| vector.get(index).min(partition.arrived));
        let cut = set(&self.setup.cut).unwrap_or(partition.cut);
        let start = match self.rule() {
            None => set(&self.setup.starts),
            Some(BoundaryRule::Offsets) => Some(cut),
            Some(BoundaryRule::EventTime | BoundaryRule::Scalar | BoundaryRule::None) => partition.start,
        };
        Handles { cut, start }
    }

    /// Drops the answer: it was about another run.
    pub(super) fn forget(&mut self) {
        let HandoverPage { setup, users, on_plots, .. } = std::mem::take(self);
        *self = HandoverPage { setup, users, on_plots, ..HandoverPage::default() };
    }
}

impl State {
    /// The hand-over that plots and timeline show: while its drawer is open, or by choice.
    pub fn handover_on_plots(&self) -> Option<(&HandoverPage, &HandoverAnswer)> {
        let page = &self.answers.handover;
        let is_on = self.follows_handover() && !self.shows_kappa();
        Some((page, page.answer.as_deref().filter(|_| is_on)?))
    }

    /// Whether the hand-over is counted again as the run goes on.
    pub(super) fn follows_handover(&self) -> bool {
        self.right == Some(RightDrawer::Handover) || self.answers.handover.on_plots
    }
}

/// Shows handles on plots and timeline, or takes them away.
pub(super) fn toggle_on_plots(state: &mut State) -> Vec<Effect> {
    let page = &mut state.answers.handover;
    page.on_plots = !page.on_plots;
    if page.on_plots { compute(state) } else { Vec::new() }
}

/// What a hand-over does to its records, in one sentence, and whether it is good news.
pub fn verdict(users: MergedUsers, answer: &HandoverAnswer) -> (String, bool) {
    let (twice, nowhere) = (answer.twice(), answer.nowhere());
    let counted = |count: u64, how: &str| {
        let is = if count == 1 { "is" } else { "are" };
        format!("{} {is} counted {how}.", format::records(count))
    };
    let mut parts = Vec::new();
    if twice > 0 {
        parts.push(counted(twice, "twice"));
    }
    if nowhere > 0 {
        parts.push(counted(nowhere, "nowhere"));
    }
    if answer.late() > 0 {
        let late = format::records(answer.late());
        parts.push(format!("{late} came late: only the next batch run counts them."));
    }
    let merged = answer.merged(users);
    let both = merged.users.saturating_sub(answer.united_users);
    if users == MergedUsers::Added && both > 0 {
        parts.push(match both {
            1 => "1 user is counted in both views.".to_owned(),
            _ => format!("{} users are counted in both views.", format::thousands(both)),
        });
    }
    let estimated = i128::from(merged.users) - i128::from(answer.united_users);
    if users == MergedUsers::Sketched && estimated != 0 {
        parts.push(format!("Sketches are off by {} users.", format::signed(estimated)));
    }
    if parts.is_empty() {
        return ("Every record is counted once: merged equals the full recount.".to_owned(), true);
    }
    (parts.join(" "), false)
}

/// What is wrong with some records, as short as it can be said; nothing where each counts once.
pub fn wrong(twice: u64, nowhere: u64, late: u64) -> Option<String> {
    let counts = [(twice, "twice"), (nowhere, "nowhere"), (late, "late")];
    let wrong = counts.into_iter().filter(|(count, _)| *count > 0);
    let wrong: Vec<String> =
        wrong.map(|(count, name)| format!("{} {name}", format::thousands(count))).collect();
    (!wrong.is_empty()).then(|| wrong.join(" · "))
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
        HandoverEdit::Select(partition) => {
            page.selected = Some(partition);
            return Vec::new();
        }
        HandoverEdit::Cut(partition, to) => {
            page.selected = Some(partition);
            let known = page.answer.as_ref().map(|answer| answer.cut());
            page.setup.cut = Some(moved(page.setup.cut.take().or(known), partition, to));
        }
        HandoverEdit::Start(partition, to) => {
            page.selected = Some(partition);
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
        engine::{
            frame::Totals,
            protocol::{Command, EngineEvent},
        },
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
    fn the_sentence_says_what_is_wrong() {
        let totals = |users| Totals { users, ..Totals::default() };
        let mut answer = HandoverAnswer {
            partitions: vec![HandoverPartition::default()],
            batch: totals(5),
            speed: totals(4),
            united_users: 7,
            recount: totals(7),
            ..HandoverAnswer::default()
        };
        let (united, added) = (MergedUsers::United, MergedUsers::Added);
        assert!(verdict(united, &answer).1);
        assert_eq!(verdict(added, &answer), ("2 users are counted in both views.".to_owned(), false));
        answer.partitions[0].twice = 1_234;
        answer.partitions[0].nowhere = 1;
        let (text, is_right) = verdict(united, &answer);
        assert_eq!(text, "1,234 records are counted twice. 1 record is counted nowhere.");
        assert!(!is_right);
        assert_eq!(wrong(1_234, 0, 2).as_deref(), Some("1,234 twice · 2 late"));
        assert_eq!(wrong(0, 0, 0), None);
    }

    #[test]
    fn handles_stand_on_the_plots_by_choice_and_with_the_drawer() {
        let mut state = State::default();
        let on = toggle_on_plots(&mut state);
        let question = asked(on);
        assert_eq!(question.len(), 1);
        assert!(state.handover_on_plots().is_none(), "nothing is known yet");
        tell(&mut state, question[0].0, known(40, Some(40)));
        assert!(state.handover_on_plots().is_some());
        // The one whose handle is moved is the one that is seen; choosing another one asks nothing.
        do_it(&mut state, HandoverEdit::Start(PartitionIndex(1), 50));
        assert_eq!(state.answers.handover.selected, Some(PartitionIndex(1)));
        assert_eq!(do_it(&mut state, HandoverEdit::Select(PartitionIndex(0))), []);
        assert_eq!(state.answers.handover.selected, Some(PartitionIndex(0)));
        // The handles stay as set for another run, its numbers do not.
        state.answers.handover.forget();
        assert!(state.answers.handover.is_changed() && state.handover_on_plots().is_none());
        assert_eq!(toggle_on_plots(&mut state), []);
        assert!(!state.follows_handover());
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
