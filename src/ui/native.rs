//! The native window: eframe around [`Window`], the engine behind it.
//!
//! The window's thread drains messages for a bounded time, draws, and sends commands without waiting. What can take long
//! (file dialogs, writing pictures) runs on threads of its own.

use std::{
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui;

use super::{Letters, Window, dialog::in_background, pick_file, picture::Picture};
use crate::{
    app::{Edit, Effect, Example, Input, Pick, Settings},
    engine::{
        Engine, EngineOptions,
        clock::Stopwatch,
        driver::Driver,
        protocol::{Command, EngineEvent, OpenRequest},
    },
};

/// Time spent on messages in one frame.
const DRAIN_MICROS: u64 = 4_000;

/// What the window starts with.
#[derive(Debug, Clone, Default)]
pub struct NativeOptions {
    /// Log or scenario to open, with mapping options.
    pub open: Option<OpenRequest>,
    /// Logs that come with the program.
    pub examples: Vec<Example>,
    /// Directory of the window's runs.
    pub runs: Option<PathBuf>,
    /// Directory of the settings.
    pub config: Option<PathBuf>,
}

/// Why no window can be opened here, as far as that can be told beforehand.
pub fn why_no_window() -> Option<String> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_display = !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    (!has_display).then(|| "no display was found (neither WAYLAND_DISPLAY nor DISPLAY is set)".to_owned())
}

/// Opens the window and stays until it is closed.
///
/// # Errors
/// The cause in one line when no window can be opened: no display, a missing library, no OpenGL.
pub fn run_window(options: NativeOptions) -> Result<(), String> {
    // A missing library is a panic deep in the windowing crates: said in words, not as a backtrace.
    let opened = Arc::new(AtomicBool::new(false));
    let (is_open, hook_open) = (Arc::clone(&opened), Arc::clone(&opened));
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if hook_open.load(Ordering::Relaxed) {
            default_hook(info);
        }
    }));
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| open_window(options, is_open)));
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(in_one_line(&why)),
        Err(panic) if opened.load(Ordering::Relaxed) => std::panic::resume_unwind(panic),
        Err(panic) => Err(in_one_line(panic_text(panic.as_ref()))),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it could not be opened")
}

/// The cause in one line. Where in a library's sources it arose helps nobody.
fn in_one_line(why: &str) -> String {
    let cause =
        why.rfind(".rs:").and_then(|at| why.get(at..)?.split_once(": ")).map_or(why, |(_, cause)| cause);
    let line: Vec<&str> = cause.split_whitespace().collect();
    line.join(" ")
}

fn open_window(options: NativeOptions, opened: Arc<AtomicBool>) -> Result<(), String> {
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Rederive")
            .with_app_id("rederive")
            .with_inner_size([1440.0, 900.0])
            .with_min_inner_size([960.0, 540.0]),
        renderer: eframe::Renderer::Glow,
        ..Default::default()
    };
    let create: eframe::AppCreator<'_> = Box::new(move |cc| {
        opened.store(true, Ordering::Relaxed);
        Ok(Box::new(NativeApp::new(&cc.egui_ctx, options)?))
    });
    eframe::run_native("Rederive", native, create).map_err(|error| error.to_string())
}

struct NativeApp {
    window: Window,
    engine: Engine,
    config: Option<PathBuf>,
    inputs: (Sender<Input>, Receiver<Input>),
    letters: Letters,
}

impl NativeApp {
    fn new(ctx: &egui::Context, options: NativeOptions) -> Result<Self, std::io::Error> {
        super::theme::install(ctx);
        let (settings, note) = match &options.config {
            Some(config) => Settings::load(config),
            None => (Settings::default(), None),
        };
        let waker = ctx.clone();
        let engine = Engine::start(EngineOptions {
            runs: options.runs,
            driver: Driver::Threads,
            wake: Arc::new(move || waker.request_repaint()),
        })?;
        let mut window = Window::new(settings, options.examples);
        if let Some(why) = note {
            window.input(Input::Event(EngineEvent::Failed { what: "Settings".to_owned(), why }));
        }
        // Interrupted runs are offered before anything else is opened.
        window.input(Input::Edit(Edit::Runs));
        let opened = options.open.map_or(Ok(()), |request| engine.send(Command::Open(request)));
        if let Err(why) = opened {
            return Err(std::io::Error::other(why));
        }
        Ok(NativeApp {
            window,
            engine,
            config: options.config,
            inputs: bounded(64),
            letters: Letters::default(),
        })
    }

    fn drain(&mut self) {
        let watch = Stopwatch::start();
        while let Ok(input) = self.inputs.1.try_recv() {
            self.window.input(input);
        }
        while watch.micros() < DRAIN_MICROS
            && let Some(event) = self.engine.next_event()
        {
            self.window.input(Input::Event(event));
        }
        if let Some(frame) = self.engine.newest_frame() {
            self.window.input(Input::Frame(frame));
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>, ctx: &egui::Context) {
        for effect in effects {
            match effect {
                Effect::Send(command) => self.send(command),
                Effect::PickFile(pick) => self.pick(pick, ctx),
                Effect::CopyText(text) => ctx.copy_text(text),
                Effect::SavePicture(path) => self.save_picture(path, ctx),
                Effect::SaveSettings(settings) => self.save_settings(settings, ctx),
                Effect::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            }
        }
    }

    fn send(&mut self, command: Command) {
        if let Err(why) = self.engine.send(command) {
            self.failed("Command", why);
        }
    }

    fn failed(&mut self, what: &str, why: &str) {
        let event = EngineEvent::Failed { what: what.to_owned(), why: why.to_owned() };
        self.window.input(Input::Event(event));
    }

    fn pick(&mut self, pick: Pick, ctx: &egui::Context) {
        let (outbox, ctx) = (self.inputs.0.clone(), ctx.clone());
        let picked = pick_file(pick, move |path| {
            let _closed = outbox.send(Input::Picked(pick, path));
            ctx.request_repaint();
        });
        if let Err(error) = picked {
            self.failed("Open the file dialog", &error.to_string());
        }
    }

    fn save_picture(&self, path: PathBuf, ctx: &egui::Context) {
        let (outbox, waker) = (self.inputs.0.clone(), ctx.clone());
        ctx.request_screenshot(move |image: Arc<egui::ColorImage>| {
            let save = move || {
                let size = |length: usize| u32::try_from(length).unwrap_or(0);
                let [width, height] = image.size;
                let rgba = image.pixels.iter().flat_map(egui::Color32::to_array).collect();
                let picture = Picture { width: size(width), height: size(height), rgba };
                let event = match picture.save(&path) {
                    Ok(()) => EngineEvent::Saved(path),
                    Err(error) => {
                        EngineEvent::Failed { what: "Save the picture".to_owned(), why: error.to_string() }
                    }
                };
                let _closed = outbox.send(Input::Event(event));
                waker.request_repaint();
            };
            // Without a thread there is no picture, and nothing else to do about it here.
            let _no_thread = in_background("picture", save);
        });
        ctx.request_repaint();
    }

    fn save_settings(&mut self, settings: Settings, ctx: &egui::Context) {
        let Some(config) = self.config.clone() else { return };
        let (outbox, waker) = (self.inputs.0.clone(), ctx.clone());
        let save = move || {
            if let Err(error) = settings.save(&config) {
                let what = "Save the settings".to_owned();
                let event = EngineEvent::Failed { what, why: error.to_string() };
                let _closed = outbox.send(Input::Event(event));
                waker.request_repaint();
            }
        };
        if let Err(error) = in_background("settings", save) {
            self.failed("Save the settings", &error.to_string());
        }
    }
}

impl eframe::App for NativeApp {
    /// What shows beside the rounded corners of panels.
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.drain();
        let effects = self.window.take_effects();
        self.carry_out(effects, ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        // Before there is anything to see, time is cheap.
        if self.window.state().lane().is_none() && self.letters.make_some(ui) {
            ui.ctx().request_repaint();
        }
        let effects = self.window.ui(ui);
        let ctx = ui.ctx().clone();
        self.carry_out(effects, &ctx);
    }
}
