use super::*;
use crate::{
    app::{LeftDrawer, Measure, OpenDialog, Prediction},
    checkpoint::CrashPoint,
    engine::{
        frame::{Flow, LaneFrame, StreamState},
        protocol::{CrashTarget, CrashWhen, Lacks, LaneCommand, OpenRequest, Tick},
    },
};

fn frame(run: u64, tick: u64, stream: StreamState) -> Arc<Frame> {
    let lane = LaneFrame {
        stream,
        arrived: tick,
        position: tick,
        log_records: 100,
        rate: 170,
        ..LaneFrame::default()
    };
    Arc::new(Frame {
        run: RunId(run),
        tick: Tick(tick),
        pace_percent: 100,
        lanes: vec![Arc::new(lane)],
        ..Frame::default()
    })
}

fn running() -> State {
    let mut state = State::default();
    apply(&mut state, Input::Event(EngineEvent::Opening { run: RunId(1), path: "/log".into() }));
    apply(&mut state, Input::Event(EngineEvent::Opened { run: RunId(1), summary: Arc::default() }));
    apply(&mut state, Input::Frame(frame(1, 50, StreamState::Running)));
    state
}

fn give(state: &mut State, command: AppCommand) -> Vec<Effect> {
    apply(state, Input::Command(command))
}

#[test]
fn messages_of_older_runs_are_discarded_and_a_newer_run_is_adopted() {
    let mut state = running();
    let fact =
        |run| EngineEvent::Happened { run: RunId(run), lane: LaneId(0), tick: Tick(1), fact: Fact::Started };
    apply(&mut state, Input::Event(fact(1)));
    apply(&mut state, Input::Event(fact(0)));
    assert_eq!(state.facts.len(), 1);
    apply(&mut state, Input::Frame(frame(0, 99, StreamState::Running)));
    assert_eq!(state.tick(), Tick(50));
    apply(&mut state, Input::Frame(frame(2, 0, StreamState::Ready)));
    assert!(state.facts.is_empty());
    assert_eq!((state.run, state.tick()), (RunId(2), Tick(0)));
    apply(&mut state, Input::Event(failed(1, "/late", Lacks::Nothing)));
    assert_eq!(state.phase, Phase::Open);
}

#[test]
fn a_disabled_command_says_why_and_does_nothing() {
    let mut state = State::default();
    assert_eq!(give(&mut state, AppCommand::Crash), []);
    assert_eq!(state.notice.unwrap().text, "Open a log first");
    let mut state = running();
    assert_eq!(give(&mut state, AppCommand::Restore), []);
    assert_eq!(give(&mut state, AppCommand::Show(Measure::Users)), []);
    assert_eq!(state.measure, Measure::Views);
}

#[test]
fn crashes_go_where_and_when_they_were_set_up() {
    let mut state = running();
    let sent = |when| {
        vec![Effect::Send(Command::Lane(LaneId(0), LaneCommand::Crash { target: CrashTarget::Stream, when }))]
    };
    assert_eq!(give(&mut state, AppCommand::Crash), sent(CrashWhen::Now));
    give(&mut state, AppCommand::Point(Some(CrashPoint::AfterEmit)));
    assert_eq!(
        give(&mut state, AppCommand::Crash),
        sent(CrashWhen::At { point: CrashPoint::AfterEmit, record: 50 })
    );
    apply(&mut state, Input::Edit(Edit::CrashRecord("14,734".into())));
    assert_eq!(
        give(&mut state, AppCommand::Crash),
        sent(CrashWhen::At { point: CrashPoint::AfterEmit, record: 14_734 })
    );
    apply(&mut state, Input::Edit(Edit::CrashRecord("soon".into())));
    assert_eq!(give(&mut state, AppCommand::Crash), []);
    assert_eq!(state.notice.unwrap().text, "Not a record number: \"soon\"");
}

#[test]
fn a_clicker_restores_at_a_crash_and_a_prediction_lasts_until_the_next_one() {
    let mut state = running();
    assert_eq!(give(&mut state, AppCommand::StoryNext).len(), 1);
    let down = StreamState::Crashed { point: CrashPoint::BeforeApply, position: 50, checkpoint: None };
    apply(&mut state, Input::Frame(frame(1, 60, down)));
    assert!(state.asks_prediction());
    give(&mut state, AppCommand::Predict(Prediction::Right));
    assert!(!state.asks_prediction());
    assert_eq!(give(&mut state, AppCommand::StoryNext).len(), 2);
    let fact = Fact::StreamCrashed {
        point: CrashPoint::BeforeApply,
        position: 9,
        checkpoint: None,
        batch_covers: 0,
    };
    apply(
        &mut state,
        Input::Event(EngineEvent::Happened { run: RunId(1), lane: LaneId(0), tick: Tick(70), fact }),
    );
    assert_eq!(state.prediction, None);
}

#[test]
fn answers_go_to_the_page_that_asked_and_others_are_dropped() {
    let mut state = running();
    let effects = give(&mut state, AppCommand::Left(LeftDrawer::Log));
    assert!(matches!(effects.as_slice(), [Effect::Send(Command::Ask(1, Query::Records { first: 0, .. }))]));
    apply(&mut state, Input::Event(EngineEvent::Answered(7, Answer::Records(vec![]))));
    let line = crate::engine::protocol::RecordLine { number: 3, ..Default::default() };
    apply(&mut state, Input::Event(EngineEvent::Answered(1, Answer::Records(vec![line]))));
    assert_eq!(state.answers.records.records.len(), 1);
    // While run time flows the open page is asked for again, once in a while.
    let flowing = |tick| {
        let still = frame(1, tick, StreamState::Running);
        Input::Frame(Arc::new(Frame { flow: Flow::Playing, ..Frame::clone(&still) }))
    };
    assert_eq!(apply(&mut state, flowing(60)), []);
    assert_eq!(apply(&mut state, flowing(160)).len(), 1);
}

#[test]
fn opening_by_path_recent_drop_and_picker_is_the_same() {
    for input in [
        Input::Dropped("/a".into()),
        Input::Edit(Edit::OpenRecent("/a".into())),
        Input::Picked(Pick::Folder, Some("/a".into())),
        Input::Edit(Edit::OpenPath),
    ] {
        let mut state = State { dialog: Dialog::Open(OpenDialog::default()), ..State::default() };
        apply(&mut state, Input::Edit(Edit::Path(" /a ".into())));
        let effects = apply(&mut state, input);
        let request = OpenRequest { path: "/a".into(), mapping: vec![] };
        assert_eq!(effects.first(), Some(&Effect::Send(Command::Open(request))));
        assert_eq!(state.dialog, Dialog::None);
        // Remembered is what could be opened.
        assert!(state.settings.recent.is_empty());
        let summary = LogSummary { path: "/a".into(), ..LogSummary::default() };
        let opened = EngineEvent::Opened { run: RunId(1), summary: Arc::new(summary) };
        let effects = apply(&mut state, Input::Event(opened));
        assert_eq!(state.settings.recent, [PathBuf::from("/a")]);
        assert_eq!(effects, [Effect::SaveSettings(state.settings.clone())]);
    }
    let mut state = State { dialog: Dialog::Open(OpenDialog::default()), ..State::default() };
    assert_eq!(apply(&mut state, Input::Edit(Edit::OpenPath)), []);
    assert!(matches!(&state.dialog, Dialog::Open(OpenDialog { error: Some(_), .. })));
}

#[test]
fn an_interrupted_run_is_offered_though_a_log_is_opened_meanwhile() {
    let mut state = State::default();
    apply(&mut state, Input::Edit(Edit::Runs));
    let summary = LogSummary { path: "/log".into(), ..LogSummary::default() };
    apply(&mut state, Input::Event(EngineEvent::Opened { run: RunId(1), summary: Arc::new(summary) }));
    let run =
        |name: &str, last_tick, ended| KeptRun { name: name.into(), last_tick, ended, ..KeptRun::default() };
    let runs = vec![run("run-3", 0, false), run("run-2", 5, true), run("run-1", 5, false)];
    apply(&mut state, Input::Event(EngineEvent::Answered(1, Answer::Runs(runs))));
    assert_eq!(state.interrupted.map(|run| run.name).as_deref(), Some("run-1"));
}

fn failed(run: u64, path: &str, lacks: Lacks) -> EngineEvent {
    EngineEvent::OpenFailed { run: RunId(run), path: path.into(), message: "no".into(), lacks }
}

#[test]
fn what_failed_is_tried_again_as_it_was_asked_for() {
    let settings = Settings { recent: vec!["/another".into()], ..Settings::default() };
    let mut state = State::new(settings, Vec::new());
    apply(&mut state, Input::Event(failed(1, "/given/at/the/start", Lacks::Nothing)));
    let again = OpenRequest { path: "/given/at/the/start".into(), mapping: vec![] };
    assert_eq!(apply(&mut state, Input::Edit(Edit::OpenAgain)), [Effect::Send(Command::Open(again))]);
    assert_eq!(state.settings.recent, [PathBuf::from("/another")]);
    // The fields that were named are still there.
    apply(&mut state, Input::Event(failed(2, "/given/at/the/start", Lacks::Fields)));
    apply(&mut state, Input::Edit(Edit::NameFields));
    apply(&mut state, Input::Edit(Edit::Field(0, " req.url ".into())));
    let mapping = vec![("page".to_owned(), "req.url".to_owned())];
    let named = OpenRequest { path: "/given/at/the/start".into(), mapping };
    let effects = apply(&mut state, Input::Edit(Edit::OpenPath));
    assert_eq!(effects, [Effect::Send(Command::Open(named.clone()))]);
    apply(&mut state, Input::Event(failed(3, "/given/at/the/start", Lacks::Fields)));
    apply(&mut state, Input::Edit(Edit::NameFields));
    assert!(matches!(&state.dialog, Dialog::Open(dialog) if dialog.request() == named));
}
