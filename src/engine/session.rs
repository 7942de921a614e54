//! The supervisor's thread behind the window: commands in, events and frames out. Never waits for the window, never makes
//! the window wait.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select};

use super::{
    answerer::{Answerer, Effort},
    clock::{Pacer, Stopwatch},
    event_times::EventTimesCache,
    frame::{Flow, Frame},
    handle::EngineOptions,
    lane::Ticked,
    open_log::{Loaded, OpenLog},
    protocol::{Answer, Command, EngineEvent, Fact, KappaFact, LaneCommand, RunId, Tick, Until},
    recounts::Recounts,
    scenario::Moment,
    wanted::{Newest, Wanted},
};

/// Frames at most 60 a second.
const FRAME_MICROS: u64 = 16_000;
/// Wall time spent on ticks before commands are looked at again.
const SLICE_MICROS: u64 = 8_000;

/// The supervisor's state.
pub(super) struct Session {
    pub(super) options: EngineOptions,
    events: Sender<EngineEvent>,
    frames: Sender<Arc<Frame>>,
    stale: Receiver<Arc<Frame>>,
    pub(super) loads: (Sender<Loaded>, Receiver<Loaded>),
    pub(super) run: RunId,
    pub(super) open: Option<OpenLog>,
    pub(super) flow: Flow,
    pace_percent: u32,
    pacer: Pacer,
    until: Option<Until>,
    /// A moment came up that the scenario or an advance stops at.
    moment: bool,
    answerer: Answerer,
    pub(super) newest: Newest,
    pub(super) event_times: EventTimesCache,
    pub(super) recounts: Recounts,
    drawn: Option<Stopwatch>,
    changed: bool,
    /// Run time stands until more of the log is loaded.
    waits_for_log: bool,
}

impl Session {
    pub(super) fn new(
        options: EngineOptions,
        events: Sender<EngineEvent>,
        frames: Sender<Arc<Frame>>,
        stale: Receiver<Arc<Frame>>,
    ) -> Session {
        Session {
            options,
            events,
            frames,
            stale,
            loads: bounded(64),
            run: RunId(0),
            open: None,
            flow: Flow::Paused,
            pace_percent: 100,
            pacer: Pacer::start(),
            until: None,
            moment: false,
            answerer: Answerer::default(),
            newest: Newest::default(),
            event_times: EventTimesCache::default(),
            recounts: Recounts::default(),
            drawn: None,
            changed: true,
            waits_for_log: false,
        }
    }

    pub(super) fn run(&mut self, inbox: &Receiver<Command>) {
        let loads = self.loads.1.clone();
        loop {
            self.draw();
            let wait = self.wait();
            select! {
                recv(inbox) -> command => match command {
                    Ok(Command::Shutdown) | Err(_) => break,
                    Ok(command) => self.command(command),
                },
                recv(loads) -> loaded => if let Ok(loaded) = loaded {
                    self.loaded(loaded);
                },
                default(wait) => {}
            }
            self.advance();
        }
        self.close();
    }

    /// How long nothing needs to be done, unless somebody asks.
    fn wait(&self) -> Duration {
        match self.flow {
            Flow::Advancing if !self.waits_for_log => Duration::ZERO,
            Flow::Advancing | Flow::Playing => Duration::from_millis(5),
            // What changed in the last moment before a pause still has to be drawn.
            Flow::Paused | Flow::Finished if self.changed => Duration::from_micros(FRAME_MICROS),
            Flow::Paused | Flow::Finished => Duration::from_hours(1),
        }
    }

    fn command(&mut self, command: Command) {
        self.changed = true;
        match command {
            Command::Open(request) => self.open(&request),
            Command::CancelLoading => self.cancel_loading(),
            Command::Play => self.set_flow(Flow::Playing, None),
            Command::Pause => self.set_flow(Flow::Paused, None),
            Command::Step(ticks) => {
                let now = self.tick();
                self.set_flow(Flow::Advancing, Some(Until::Tick(Tick(now.saturating_add(ticks)))));
            }
            Command::RunUntil(until) => self.set_flow(Flow::Advancing, Some(until)),
            Command::SetPace(percent) => {
                self.pace_percent = percent.clamp(1, 100_000);
                self.pacer.skip();
            }
            Command::Restart => self.restart(),
            Command::Resettle(settings) => self.resettle(settings),
            Command::GoTo(tick) => self.go_to(tick),
            Command::Lane(_, command) => self.lane_command(command),
            Command::SaveScenario(path) => self.save_scenario(&path),
            Command::ExportView(_, view, path) => self.export_view(view, path),
            Command::ExportDifferences(_, pair, path) => self.export_differences(pair, path),
            Command::Ask(number, query) => self.answer(number, &query),
            Command::Withdraw(number) => self.newest.withdraw(number),
            Command::DeleteRun(name) => self.delete_run(&name),
            Command::ContinueRun(name) => self.continue_run(&name),
            Command::Shutdown => {}
        }
    }

    /// Pauses, plays or advances; nothing flows without a lane or after the end.
    pub(super) fn set_flow(&mut self, flow: Flow, until: Option<Until>) {
        let lane = self.open.as_ref().and_then(|open| open.lane.as_ref());
        let wanted = match lane {
            None if flow == Flow::Playing => {
                // Remembered: it starts as soon as the log is there.
                if let Some(open) = &mut self.open {
                    open.play_when_ready = true;
                }
                Flow::Paused
            }
            None => Flow::Paused,
            Some(lane) if lane.is_finished() => Flow::Finished,
            Some(_) => flow,
        };
        self.flow = wanted;
        self.until = until;
        self.moment = false;
        self.pacer.skip();
        self.changed = true;
    }

    fn tick(&self) -> u64 {
        self.open.as_ref().and_then(|open| open.lane.as_ref()).map_or(0, |lane| lane.tick_now().0)
    }

    fn lane_command(&mut self, command: LaneCommand) {
        let Some(open) = &mut self.open else { return };
        let Some(lane) = &mut open.lane else { return };
        let tick = lane.tick_now().0;
        if lane.command(command) {
            open.done.push((tick, command));
            let noted = open
                .directory
                .as_ref()
                .map(|directory| directory.note_command(tick, command.lane().0, command));
            if let Some(Err(error)) = noted {
                self.failed("note a command", &error.to_string());
            }
        }
        self.tell_facts();
        self.flush();
    }

    /// Lets run time flow for one slice of wall time.
    fn advance(&mut self) {
        let due = match self.flow {
            Flow::Paused | Flow::Finished => return,
            Flow::Playing => self.pacer.due(self.pace_percent),
            Flow::Advancing => u64::MAX,
        };
        let watch = Stopwatch::start();
        let mut left = due;
        while left > 0 && watch.micros() < SLICE_MICROS {
            if self.reached() {
                self.set_flow(Flow::Paused, None);
                break;
            }
            let Some(lane) = self.open.as_mut().and_then(|open| open.lane.as_mut()) else { break };
            let ticked = lane.tick();
            self.waits_for_log = ticked == Ticked::WaitsForLog;
            self.changed |= !self.waits_for_log;
            self.tell_facts();
            match ticked {
                Ticked::On => left -= 1,
                Ticked::WaitsForLog => break,
                Ticked::Finished => {
                    self.set_flow(Flow::Finished, None);
                    break;
                }
            }
            if self.moment && self.until != Some(Until::NextMoment) && self.flow == Flow::Playing {
                self.set_flow(Flow::Paused, None);
                break;
            }
        }
        self.flush();
    }

    fn reached(&self) -> bool {
        let Some(lane) = self.open.as_ref().and_then(|open| open.lane.as_ref()) else { return true };
        match self.until {
            None => false,
            // To the end of time: as far as anything happens.
            Some(Until::Tick(Tick(u64::MAX))) => lane.is_stuck(),
            Some(Until::Tick(tick)) => lane.tick_now() >= tick,
            Some(Until::Record(record)) => lane.stream_position() >= record || lane.is_stuck(),
            Some(Until::NextMoment) => self.moment || lane.is_stuck(),
        }
    }

    /// Hands out what happened, and notes whether it is a moment to stop at.
    pub(super) fn tell_facts(&mut self) {
        let Some(open) = &mut self.open else { return };
        let Some(lane) = &mut open.lane else { return };
        let (facts, troubles) = (lane.take_facts(), lane.take_troubles());
        if facts.is_empty() && troubles.is_empty() {
            return;
        }
        let stops = open.scenario.pause_at.clone();
        let advancing = self.until == Some(Until::NextMoment);
        for (tick, fact) in facts {
            if let Some(moment) = moment_of(&fact) {
                self.moment |= advancing || stops.contains(&moment);
            }
            self.moment |= advancing && matches!(fact, Fact::Finished { .. } | Fact::RestoreRefused { .. });
            self.tell(EngineEvent::Happened { run: self.run, lane: fact.lane(), tick, fact });
        }
        for (what, why) in troubles {
            self.failed(what, &why);
        }
    }

    /// Hands an event out; never dropped while anybody listens.
    pub(super) fn tell(&self, event: EngineEvent) {
        let _nobody_listens = self.events.send(event);
        (self.options.wake)();
    }

    /// Answers a question later, from a thread of its own, so that run time goes on meanwhile. `work` takes all that it
    /// needs with it: the session may have opened another log by then. A newer question of the same topic takes its place;
    /// `work` may look at [`Session::wanted`] and end early, with whatever answer.
    pub(super) fn answer_later(&mut self, number: u64, work: impl FnOnce() -> Answer + Send + 'static) {
        self.answer_with(Effort::Walk, number, work);
    }

    /// The same for what takes seconds.
    pub(super) fn answer_at_length(&mut self, number: u64, work: impl FnOnce() -> Answer + Send + 'static) {
        self.answer_with(Effort::Long, number, work);
    }

    /// Whether a question is still to be answered, for the thread that answers it.
    pub(super) fn wanted(&self, number: u64) -> Wanted {
        self.newest.wanted(number)
    }

    fn answer_with(&mut self, effort: Effort, number: u64, work: impl FnOnce() -> Answer + Send + 'static) {
        let answered = move |answer| EngineEvent::Answered(number, answer);
        let refused = move |why: &str| answered(Answer::Nothing(why.to_owned()));
        let wanted = self.wanted(number);
        self.later(effort, refused, move || {
            let answer = if wanted.is_wanted() { work() } else { Answer::Replaced };
            // What was given up on the way is no answer.
            answered(if wanted.is_wanted() { answer } else { Answer::Replaced })
        });
    }

    /// Does something later and tells what came of it.
    pub(super) fn tell_later(
        &mut self,
        what: &'static str,
        work: impl FnOnce() -> EngineEvent + Send + 'static,
    ) {
        let refused = move |why: &str| EngineEvent::Failed { what: what.to_owned(), why: why.to_owned() };
        self.later(Effort::Long, refused, work);
    }

    fn later(
        &mut self,
        effort: Effort,
        refused: impl Fn(&str) -> EngineEvent + Send + Copy + 'static,
        work: impl FnOnce() -> EngineEvent + Send + 'static,
    ) {
        let (events, wake) = (self.events.clone(), Arc::clone(&self.options.wake));
        let taken = self.answerer.take(effort, move || {
            let event = catch_unwind(AssertUnwindSafe(work))
                .unwrap_or_else(|_| refused("this cannot be answered: a bug in the program"));
            let _nobody_listens = events.send(event);
            wake();
        });
        if let Err(why) = taken {
            self.tell(refused(&why.to_string()));
        }
    }

    pub(super) fn failed(&mut self, what: &str, why: &str) {
        self.tell(EngineEvent::Failed { what: what.to_owned(), why: why.to_owned() });
    }

    /// Something to draw has changed.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// Hands out a frame when something changed and the last one is old enough.
    fn draw(&mut self) {
        let too_soon = self.drawn.is_some_and(|drawn| drawn.micros() < FRAME_MICROS);
        if !self.changed || too_soon {
            return;
        }
        self.changed = false;
        self.drawn = Some(Stopwatch::start());
        let frame = Arc::new(self.frame());
        // Newest wins: a frame that was not taken is replaced.
        if let Err(TrySendError::Full(frame)) = self.frames.try_send(frame) {
            let _older = self.stale.try_recv();
            let _closed = self.frames.try_send(frame);
        }
        (self.options.wake)();
    }

    fn frame(&mut self) -> Frame {
        let mut frame = Frame {
            run: self.run,
            tick: Tick(self.tick()),
            flow: self.flow,
            pace_percent: self.pace_percent,
            ..Frame::default()
        };
        if let Some(open) = &mut self.open {
            frame.loading = open.loading();
            if let Some(lane) = &mut open.lane {
                frame.lanes.push(Arc::new(open.model.frame(lane)));
                frame.kappa = lane.kappa_frame(&open.model).map(Arc::new);
            }
        }
        frame
    }
}

fn moment_of(fact: &Fact) -> Option<Moment> {
    match fact {
        Fact::BatchPublished { .. } => Some(Moment::BatchPublished),
        Fact::StreamCrashed { .. } => Some(Moment::StreamCrashed),
        Fact::Restored { .. } => Some(Moment::Restored),
        Fact::ReplayFinished { .. } => Some(Moment::ReplayFinished),
        Fact::Kappa(fact) => kappa_moment(fact),
        Fact::Started
        | Fact::BatchStarted { .. }
        | Fact::BatchCrashed { .. }
        | Fact::CheckpointWritten { .. }
        | Fact::RestoreRefused { .. }
        | Fact::StreamFinished { .. }
        | Fact::Finished { .. }
        | Fact::InvariantBroken { .. } => None,
    }
}

fn kappa_moment(fact: &KappaFact) -> Option<Moment> {
    match fact {
        KappaFact::GateOpened { .. } => Some(Moment::GateOpened),
        KappaFact::Switched { .. } | KappaFact::RolledBack { .. } => Some(Moment::Switched),
        KappaFact::Crashed { .. } => Some(Moment::VersionCrashed),
        KappaFact::VersionStarted { .. } => Some(Moment::VersionStarted),
        KappaFact::CaughtUp { .. }
        | KappaFact::Deleted { .. }
        | KappaFact::CheckpointWritten { .. }
        | KappaFact::Restored { .. }
        | KappaFact::RestoreRefused { .. }
        | KappaFact::ReplayFinished { .. }
        | KappaFact::Mark { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::engine::driver::Driver;

    #[test]
    fn a_session_sleeps_unless_there_is_something_to_do() {
        let (outbox, _events) = bounded(8);
        let (frame_out, frames) = bounded(1);
        let drawn = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&drawn);
        let wake = Arc::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let options = EngineOptions { runs: None, driver: Driver::Inline, wake };
        let mut session = Session::new(options, outbox, frame_out, frames);
        // The first picture, then none while nothing changes.
        session.draw();
        for flow in [Flow::Paused, Flow::Finished] {
            session.flow = flow;
            assert!(session.wait() >= Duration::from_mins(1), "{flow:?}");
            session.advance();
            session.draw();
        }
        assert_eq!(drawn.load(Ordering::Relaxed), 1);
        session.touch();
        assert!(!session.wait().is_zero() && session.wait() < Duration::from_mins(1), "to draw it");
        // Run time that stands until more of the log is there does not turn in circles.
        session.flow = Flow::Advancing;
        session.waits_for_log = true;
        assert!(session.wait() >= Duration::from_millis(1));
        session.waits_for_log = false;
        assert!(session.wait().is_zero());
        session.flow = Flow::Playing;
        assert!(session.wait() >= Duration::from_millis(1));
    }

    #[test]
    fn a_newer_question_takes_the_place_of_an_older_one_and_long_ones_hold_nobody_up() {
        use crate::engine::wanted::Topic;
        let (outbox, events) = bounded(8);
        let (frame_out, frames) = bounded(1);
        let options = EngineOptions { runs: None, driver: Driver::Inline, wake: Arc::new(|| {}) };
        let mut session = Session::new(options, outbox, frame_out, frames);
        let (begun, has_begun) = bounded::<()>(1);
        let (go, wait) = bounded::<()>(0);
        let answer = |words: &str| Answer::Nothing(words.to_owned());
        let [first, second, other, long] = ["first", "second", "other", "long"].map(answer);
        let (told_long, wait_long) = bounded::<()>(0);
        session.newest.put(1, Topic::TradeOff);
        session.answer_at_length(1, move || {
            let _gone = wait_long.recv();
            long
        });
        session.newest.put(2, Topic::Listing);
        session.answer_later(2, move || {
            begun.send(()).unwrap();
            wait.recv().unwrap();
            first
        });
        has_begun.recv().unwrap();
        session.newest.put(3, Topic::Fates);
        session.answer_later(3, move || other);
        session.newest.put(4, Topic::Listing);
        session.answer_later(4, move || second);
        go.send(()).unwrap();
        let told: Vec<(u64, Answer)> = events
            .iter()
            .take(3)
            .map(|event| match event {
                EngineEvent::Answered(number, answer) => (number, answer),
                event => panic!("{event:?}"),
            })
            .collect();
        assert_eq!(told, [(2, Answer::Replaced), (3, answer("other")), (4, answer("second"))]);
        drop(told_long);
        let last = events.recv().unwrap();
        assert!(matches!(last, EngineEvent::Answered(1, Answer::Nothing(_))), "{last:?}");
    }

    #[test]
    fn nothing_flows_without_a_lane() {
        let (outbox, _events) = bounded(8);
        let (frame_out, frames) = bounded(1);
        let options = EngineOptions { runs: None, driver: Driver::Inline, wake: Arc::new(|| {}) };
        let mut session = Session::new(options, outbox, frame_out, frames);
        for flow in [Flow::Playing, Flow::Advancing] {
            session.set_flow(flow, None);
            assert_eq!(session.flow, Flow::Paused);
        }
    }
}
