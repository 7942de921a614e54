//! A window and an engine in a harness: events and frames go in, effects are carried out, as in the native window.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    time::Duration,
};

use eframe::egui::{self, Key, Modifiers, Pos2, Role};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use rederive::{
    app::{Edit, Effect, Input, Settings, State, ThemeChoice},
    engine::{
        Engine, EngineOptions,
        driver::Driver,
        frame::{Flow, LaneFrame},
        protocol::{Command, Fact, Tick, Until},
    },
    ui::{Window, picture, theme},
};

/// Frames after which a click has been taken, a menu is open and a button has moved to its place.
const SETTLE: usize = 4;

/// A wait ends after this many naps.
const NAPS: usize = 12_000;

/// A nap ends when the engine has something new, or after this time.
const NAP: Duration = Duration::from_millis(5);

/// While a test waits, what comes is taken at once and drawn at every so many naps: nobody looks at more.
const DRAWN_NAPS: usize = 8;

pub struct App {
    window: Window,
    engine: Engine,
    /// Rung by the engine.
    bell: Receiver<()>,
    copied: Vec<String>,
    installed: bool,
}

impl App {
    /// Takes what the engine has to say; whether that was anything.
    fn listen(&mut self) -> bool {
        let mut is_news = false;
        while let Some(event) = self.engine.next_event() {
            self.window.input(Input::Event(event));
            is_news = true;
        }
        if let Some(frame) = self.engine.newest_frame() {
            self.window.input(Input::Frame(frame));
            is_news = true;
        }
        let effects = self.window.take_effects();
        self.carry_out(effects);
        is_news
    }

    fn frame(&mut self, ui: &mut egui::Ui) {
        // Fonts can only be used in the frame after they were set.
        if !self.installed {
            self.installed = true;
            theme::install(ui.ctx());
            ui.ctx().request_repaint();
            return;
        }
        let effects = self.window.ui(ui);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(command) => self.engine.send(command).unwrap(),
                Effect::CopyText(text) => self.copied.push(text),
                // Nothing outside the window is touched by these tests.
                Effect::PickFile(_) | Effect::SavePicture(_) | Effect::SaveSettings(_) | Effect::Quit => {}
            }
        }
    }
}

/// A file that is dropped on the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("only the path is needed".to_owned())
    }
}

pub struct Live {
    pub h: Harness<'static, App>,
    /// Runs and files of this window.
    pub directory: tempfile::TempDir,
}

pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs").join(name)
}

impl Live {
    /// An empty window with its own state directory.
    pub fn start() -> Live {
        let directory = tempfile::tempdir().unwrap();
        let runs = directory.path().join("runs");
        Live::over(directory, runs)
    }

    /// An empty window over a directory of kept runs.
    pub fn over(directory: tempfile::TempDir, runs: PathBuf) -> Live {
        let (ring, bell) = sync_channel(1);
        let wake = Arc::new(move || {
            let _one_rings_already = ring.try_send(());
        });
        // Either driver makes the same run (`tests/session.rs` has workers on threads). On its own thread the supervisor
        // need not hand each tick to and fro, which takes long on a busy machine.
        let options = EngineOptions { runs: Some(runs), driver: Driver::Inline, wake };
        let mut app = App {
            window: Window::new(Settings::default(), Vec::new()),
            engine: Engine::start(options).unwrap(),
            bell,
            copied: Vec::new(),
            installed: false,
        };
        // As the native window does: an interrupted run is offered first.
        app.window.input(Input::Edit(Edit::Runs));
        let h = Harness::builder()
            .with_size([1440.0, 900.0])
            .with_max_steps(12)
            .build_ui_state(|ui, app: &mut App| app.frame(ui), app);
        let mut live = Live { h, directory };
        live.settle();
        live
    }

    /// A window with a log that is loaded.
    pub fn opened(path: &Path) -> Live {
        let mut live = Live::start();
        live.open(path);
        live
    }

    /// The sample with a crash, stopped at it.
    pub fn at_the_crash() -> Live {
        let mut live = Live::opened(&sample("crash-and-replay.json"));
        live.fast();
        live.click("Play");
        live.until("the crash", |live| live.state().is_crashed() && live.flow() == Flow::Paused);
        live
    }

    /// Opens by typing the path; waits until the log is loaded.
    pub fn open(&mut self, path: &Path) {
        let before = self.state().run;
        self.type_open(path);
        self.until("the log is loaded", |live| {
            live.state().run > before
                && live
                    .state()
                    .frame
                    .as_ref()
                    .is_some_and(|frame| frame.loading.complete && !frame.lanes.is_empty())
        });
    }

    /// Types a path into the open dialog and presses Enter.
    pub fn type_open(&mut self, path: &Path) {
        self.ctrl(Key::O);
        self.type_over(&path.display().to_string());
        self.key(Key::Enter);
    }

    /// Replaces the text of the only text field.
    pub fn type_over(&mut self, text: &str) {
        self.h.get_by_role(Role::TextInput).focus();
        self.settle();
        self.ctrl(Key::A);
        self.h.get_by_role(Role::TextInput).type_text(text);
        self.settle();
    }

    /// Replaces the text of the field with this name.
    pub fn fill(&mut self, field: &str, text: &str) {
        self.h.get_by_label(field).focus();
        self.settle();
        self.ctrl(Key::A);
        self.h.get_by_label(field).type_text(text);
        self.settle();
    }

    pub fn drop_file(&mut self, path: &Path) {
        self.h.input_mut().dropped_files.push(Arc::new(Dropped(path.to_owned())));
        self.settle();
    }

    pub fn state(&self) -> &State {
        self.h.state().window.state()
    }

    pub fn lane(&self) -> &LaneFrame {
        self.state().lane().expect("a log is open")
    }

    pub fn tick(&self) -> u64 {
        self.state().tick().0
    }

    pub fn flow(&self) -> Flow {
        self.state().flow()
    }

    pub fn copied(&self) -> &[String] {
        &self.h.state().copied
    }

    /// Something typed or turned that has no text field of its own here.
    pub fn input(&mut self, input: Input) {
        self.h.state_mut().window.input(input);
        self.settle();
    }

    pub fn send(&self, command: Command) {
        self.h.state().engine.send(command).unwrap();
    }

    pub fn digest(&self) -> Option<String> {
        self.state().facts.iter().find_map(|happening| match &happening.fact {
            Fact::Finished { digest, .. } => Some(digest.clone()),
            _ => None,
        })
    }

    /// A few frames; not `run`, which demands rest.
    pub fn settle(&mut self) {
        (0..SETTLE).for_each(|_| self.step());
    }

    /// One frame of all that has come.
    fn step(&mut self) {
        self.h.state_mut().listen();
        self.h.step();
    }

    pub fn click(&mut self, label: &str) {
        self.h.get_by_label(label).click();
        self.settle();
    }

    /// Clicks a place.
    pub fn click_at(&mut self, at: Pos2) {
        self.h.hover_at(at);
        self.h.step();
        self.h.drag_at(at);
        self.h.drop_at(at);
        self.settle();
    }

    pub fn key(&mut self, key: Key) {
        self.h.key_press(key);
        self.settle();
    }

    /// With Ctrl, which is also the command key here.
    pub fn ctrl(&mut self, key: Key) {
        let modifiers = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };
        self.h.key_press_modifiers(modifiers, key);
        self.settle();
    }

    /// Chooses a row of a menu.
    pub fn menu(&mut self, menu: &str, row: &str) {
        self.click(menu);
        // A drawer that is open has the same name as its row; only the row is a button.
        let button = |node: &egui_kittest::Node<'_>| node.accesskit_node().role() == Role::Button;
        self.h.query_all_by_label_contains(row).find(button).unwrap().click();
        self.settle();
    }

    pub fn sees(&self, text: &str) -> bool {
        self.h.query_all_by_label_contains(text).next().is_some()
    }

    /// Draws what is shown, in both themes and two sizes, into the directory named by `REDERIVE_PICTURES`.
    pub fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("REDERIVE_PICTURES").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&directory).unwrap();
        for (choice, theme_name) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
            for size in [egui::vec2(1440.0, 900.0), egui::vec2(960.0, 600.0)] {
                let mut state = self.state().clone();
                state.settings.theme = choice;
                let mut window = Window::with_state(state);
                let picture = picture::render(|ui| drop(window.ui(ui)), size, 1.0, egui::Theme::Dark);
                let file = format!("{name}-{theme_name}-{}x{}.png", size.x, size.y);
                picture.save(&directory.join(file)).unwrap();
            }
        }
    }

    /// Waits until a text can be read.
    pub fn until_sees(&mut self, text: &str) {
        self.until(text, |live| live.sees(text));
    }

    /// Waits for a state, never for a number of frames. What is then on the screen is that state.
    pub fn until(&mut self, what: &str, done: impl Fn(&Live) -> bool) {
        let mut undrawn = DRAWN_NAPS;
        for _ in 0..NAPS {
            let is_news = self.h.state_mut().listen();
            let is_at_rest = !matches!(self.flow(), Flow::Playing | Flow::Advancing);
            undrawn += 1;
            if undrawn > DRAWN_NAPS || is_news && (is_at_rest || done(self)) {
                self.h.step();
                undrawn = 0;
                if done(self) {
                    return;
                }
            }
            // Late or lost, a ring is only what ends a nap early.
            let _rung = self.h.state().bell.recv_timeout(NAP);
        }
        let state = self.state();
        panic!("waited in vain until {what}: {:?} {:?} {:?}", state.phase, state.facts.last(), state.notice);
    }

    /// Run time flows as fast as it can from now on: faster than by the key, so that nobody waits for the clock. Where a
    /// run is stopped on its way is then left to chance; [`Live::at_record`] and its like stop it at the same place.
    pub fn fast(&mut self) {
        self.send(Command::SetPace(100_000));
    }

    /// On to the tick, at which the run stands.
    pub fn at_tick(&mut self, tick: u64) {
        self.send(Command::RunUntil(Until::Tick(Tick(tick))));
        self.until("the tick", |live| live.tick() == tick && live.flow() == Flow::Paused);
        self.settle();
    }

    /// On to where the stream has read so many records, at which the run stands.
    pub fn at_record(&mut self, record: u64) {
        self.send(Command::RunUntil(Until::Record(record)));
        self.until("the record", |live| live.lane().position >= record && live.flow() == Flow::Paused);
        self.settle();
    }

    /// On to a state, looked for every so many ticks, at which the run stands.
    pub fn run_until(&mut self, what: &str, ticks: u64, done: impl Fn(&Live) -> bool) {
        while !done(self) {
            assert_ne!(self.flow(), Flow::Finished, "played in vain until {what}");
            let to = self.tick() + ticks;
            self.send(Command::RunUntil(Until::Tick(Tick(to))));
            self.until(what, |live| {
                live.tick() >= to && live.flow() != Flow::Advancing || live.flow() == Flow::Finished
            });
        }
        self.settle();
    }

    /// Steps on by the key until a state.
    pub fn step_until(&mut self, what: &str, done: impl Fn(&Live) -> bool) {
        for _ in 0..3_000 {
            if done(self) {
                return;
            }
            let before = self.tick();
            self.h.key_press(Key::Period);
            self.until("a step", |live| live.tick() > before && live.flow() != Flow::Advancing);
        }
        panic!("stepped in vain until {what}");
    }

    /// Plays to the end, on from every moment at which a scenario stops.
    pub fn finish(&mut self) -> String {
        while self.flow() != Flow::Finished {
            if self.flow() == Flow::Paused {
                let before = self.tick();
                self.click("Play");
                self.until("it plays", |live| live.tick() > before);
            }
            self.until("it stops", |live| matches!(live.flow(), Flow::Paused | Flow::Finished));
        }
        self.until("the run fingerprint", |live| live.digest().is_some());
        self.digest().unwrap()
    }
}
