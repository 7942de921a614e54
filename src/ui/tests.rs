use std::{cell::RefCell, rc::Rc};

use eframe::egui::{self, Theme, vec2};
use egui_kittest::{
    Harness, SnapshotResults, TestRenderer,
    kittest::{NodeT as _, Queryable as _},
};

use super::{
    Window,
    fixture::{self, Moment},
    picture::{self, Rasteriser},
    theme,
};
use crate::{
    app::{
        AppCommand, Dialog, Edit, Effect, Input, LeftDrawer, Look, Measure, Prediction, RightDrawer,
        SaveKind, State, TableTwin, ThemeChoice,
    },
    engine::protocol::{Command, CrashTarget, CrashWhen, LaneCommand, LaneId},
};

struct App {
    window: Window,
    effects: Vec<Effect>,
}

/// kittest's renderer over our own rasteriser.
#[derive(Default)]
struct Soft(Rasteriser);

impl TestRenderer for Soft {
    fn handle_delta(&mut self, delta: &mut egui::TexturesDelta) {
        self.0.update(delta);
    }

    fn render(&mut self, ctx: &egui::Context, output: &egui::FullOutput) -> Result<image::RgbaImage, String> {
        let density = ctx.pixels_per_point();
        let primitives = ctx.tessellate(output.shapes.clone(), density);
        let background = egui::Rgba::from(ctx.global_style().visuals.panel_fill);
        let picture = self.0.paint(&primitives, density, ctx.content_rect().size() * density, background);
        image::RgbaImage::from_raw(picture.width, picture.height, picture.rgba)
            .ok_or_else(|| "size".to_owned())
    }
}

fn harness(state: State) -> Harness<'static, App> {
    harness_of(state, vec2(1440.0, 900.0))
}

fn harness_of(state: State, size: egui::Vec2) -> Harness<'static, App> {
    let installed = Rc::new(RefCell::new(false));
    let app = App { window: Window::with_state(state), effects: Vec::new() };
    let mut harness =
        Harness::builder().with_size(size).with_max_steps(12).renderer(Soft::default()).build_ui_state(
            move |ui, app: &mut App| {
                // Fonts can only be used in the frame after they were set.
                if !installed.replace(true) {
                    theme::install(ui.ctx());
                    ui.ctx().request_repaint();
                    return;
                }
                let effects = app.window.ui(ui);
                app.effects.extend(effects);
            },
            app,
        );
    harness.run();
    harness
}

fn sent(harness: &Harness<'_, App>) -> Vec<Command> {
    let sent = |effect: &Effect| match effect {
        Effect::Send(command) => Some(command.clone()),
        _ => None,
    };
    harness.state().effects.iter().filter_map(sent).collect()
}

fn lane(command: LaneCommand) -> Command {
    Command::Lane(LaneId(0), command)
}

#[test]
fn every_state_can_be_drawn_and_then_rests() {
    let mut states: Vec<State> = Moment::ALL.into_iter().map(fixture::state).collect();
    states.extend([fixture::empty(), fixture::opening(), fixture::loading(), fixture::failed()]);
    for state in states {
        // `run` fails when frames are asked for without end.
        harness(state).run();
    }
}

#[test]
fn the_sentence_and_the_strip_read_the_same_to_a_screen_reader() {
    let harness = harness(fixture::state(Moment::Replayed));
    harness.get_by_label("734 records were read twice and counted once.");
    harness.get_by_label_contains(
        "Same bytes as a run that never crashed. Counting every read would give 15,468 (+734).",
    );
    harness.get_by_label_contains(
        "Read twice: 734 records, 14,000 to 14,733. Counted once: 734 records, 14,000 to 14,733.",
    );
    harness.get_by_label_contains("Merged view: 14,");
    harness.get_by_label_contains("Timeline: ");
}

#[test]
fn seconds_0_10_60_are_on_the_screen() {
    harness(fixture::state(Moment::Untouched))
        .get_by_label("The grey line is a full recount of the log. Press Space.");
    harness(fixture::state(Moment::FirstSeconds))
        .get_by_label("Batch has published nothing yet: every number is provisional.");
    harness(fixture::state(Moment::Published)).get_by_label("Now press X.");
}

#[test]
fn keys_and_buttons_send_the_same_commands() {
    let mut harness = harness(fixture::state(Moment::Published));
    harness.key_press(egui::Key::X);
    harness.run();
    harness.get_by_label("Crash").click();
    harness.run();
    let crash = lane(LaneCommand::Crash { target: CrashTarget::Stream, when: CrashWhen::Now });
    assert_eq!(sent(&harness), [crash.clone(), crash]);
    harness.state_mut().effects.clear();
    for key in [egui::Key::Space, egui::Key::Home, egui::Key::C, egui::Key::Period] {
        harness.key_press(key);
        harness.run();
    }
    assert_eq!(
        sent(&harness),
        [Command::Pause, Command::Restart, lane(LaneCommand::Checkpoint), Command::Step(10)]
    );
}

#[test]
fn at_a_crash_one_predicts_and_then_restores() {
    let mut harness = harness(fixture::state(Moment::Crashed));
    harness
        .get_by_label("734 counted records were lost with the memory. After the restore the total will be:");
    harness.get_by_label("2  right");
    harness.key_press(egui::Key::Num3);
    harness.run();
    assert_eq!(harness.state().window.state().prediction, Some(Prediction::TooHigh));
    assert!(harness.query_by_label("2  right").is_none());
    harness.get_by_label("Restore").click();
    harness.run();
    assert_eq!(sent(&harness), [lane(LaneCommand::Restore(None))]);
    harness.get_by_label("stream down");
}

#[test]
fn bare_letters_are_text_while_a_field_has_the_focus() {
    let mut harness = harness(fixture::state(Moment::Published));
    harness.key_press_modifiers(egui::Modifiers::CTRL, egui::Key::O);
    harness.run();
    assert!(matches!(harness.state().window.state().dialog, Dialog::Open(_)));
    harness.key_press(egui::Key::X);
    harness.run();
    assert_eq!(sent(&harness), []);
    let field = harness.get_by_role(egui::Role::TextInput);
    assert!(field.accesskit_node().is_focused());
    harness.key_press(egui::Key::Escape);
    harness.run();
    assert_eq!(harness.state().window.state().dialog, Dialog::None);
}

#[test]
fn a_typed_path_opens() {
    let mut harness = harness(fixture::empty());
    harness.get_by_label("Open…").click();
    harness.run();
    harness.state_mut().window.input(Input::Edit(Edit::Path("/tmp/log".into())));
    harness.run();
    harness.get_by_label("Open").click();
    harness.run();
    assert!(matches!(sent(&harness).as_slice(), [Command::Open(request)] if request.path.ends_with("log")));
}

#[test]
fn the_palette_finds_and_runs_a_command() {
    let mut harness = harness(fixture::state(Moment::Published));
    harness.key_press_modifiers(egui::Modifiers::CTRL, egui::Key::K);
    harness.run();
    harness.get_by_role(egui::Role::TextInput).type_text("batch run now");
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
    assert_eq!(sent(&harness), [lane(LaneCommand::BatchNow)]);
    assert_eq!(harness.state().window.state().dialog, Dialog::None);
}

#[test]
fn drawers_and_tables_open_and_read() {
    let mut harness = harness(fixture::state(Moment::Replayed));
    for (drawer, text) in [
        (RightDrawer::Checkpoints, "Checkpoint 14"),
        (RightDrawer::Numbers, "merged equals a full recount at every step"),
        (RightDrawer::Fates, "Looking through the records…"),
        (RightDrawer::Differences, "Comparing…"),
        (RightDrawer::Handover, "Counting…"),
        (RightDrawer::Runs, "No run is kept."),
    ] {
        harness.state_mut().window.input(Input::Command(AppCommand::Right(drawer)));
        harness.run();
        harness.get_by_label(text);
    }
    harness.key_press(egui::Key::T);
    harness.run();
    harness.get_by_label("If every read counted");
    harness.state_mut().window.input(Input::Edit(Edit::Twin(TableTwin::Proof)));
    harness.run();
    harness.get_by_label("14,000 to 14,733");
}

/// Renders every state into `REDERIVE_PICTURES`, to be looked at.
#[test]
fn pictures() {
    let Some(directory) = std::env::var_os("REDERIVE_PICTURES").map(std::path::PathBuf::from) else { return };
    let only = std::env::var("REDERIVE_PICTURES_ONLY").unwrap_or_default();
    std::fs::create_dir_all(&directory).unwrap();
    for (name, state) in scenes() {
        for (theme_name, choice) in [("dark", ThemeChoice::Dark), ("light", ThemeChoice::Light)] {
            for size in [vec2(1440.0, 900.0), vec2(960.0, 600.0), vec2(960.0, 540.0)] {
                let file = format!("{name}-{theme_name}-{}x{}.png", size.x, size.y);
                if !file.contains(&only) {
                    continue;
                }
                let mut state = state.clone();
                state.settings.theme = choice;
                let mut window = Window::with_state(state);
                let picture = picture::render(|ui| drop(window.ui(ui)), size, 1.0, Theme::Dark);
                picture.save(&directory.join(file)).unwrap();
            }
        }
    }
}

/// A few kept pictures, drawn on the CPU: layout, colours and type in both themes.
#[test]
fn pictures_stay_as_they_are() {
    let mut results = SnapshotResults::new();
    let close_up = State { look: Look::Moment, ..fixture::state(Moment::Replayed) };
    for (name, state, choice) in [
        ("untouched-light", fixture::state(Moment::Untouched), ThemeChoice::Light),
        ("crashed-dark", fixture::state(Moment::Crashed), ThemeChoice::Dark),
        ("close-up-dark", close_up, ThemeChoice::Dark),
        ("numbered-cells-light", fixture::cells(), ThemeChoice::Light),
    ] {
        let settings = crate::app::Settings { theme: choice, ..state.settings.clone() };
        let mut harness = harness_of(State { settings, ..state }, vec2(960.0, 600.0));
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}

/// Menus need a pointer, so they are drawn through the harness.
#[test]
fn menus() {
    let mut harness = harness(fixture::state(Moment::Published));
    for (name, inside) in
        [("View", "Measure: sum"), ("Menu", "Keys and words"), ("stream", "Crash target: both")]
    {
        harness.get_by_label(name).click();
        harness.run();
        harness.get_by_label_contains(inside);
        if let Some(directory) = std::env::var_os("REDERIVE_PICTURES") {
            let image = harness.render().unwrap();
            image.save(std::path::PathBuf::from(directory).join(format!("40-menu-{name}.png"))).unwrap();
        }
        harness.key_press(egui::Key::Escape);
        harness.run();
    }
}

fn scenes() -> Vec<(&'static str, State)> {
    let at = fixture::state;
    let mut scenes = vec![
        ("00-empty", fixture::empty()),
        ("01-opening", fixture::opening()),
        ("02-loading", fixture::loading()),
        ("03-failed", fixture::failed()),
        ("10-untouched", at(Moment::Untouched)),
        ("11-first-seconds", at(Moment::FirstSeconds)),
        ("12-published", at(Moment::Published)),
        ("13-crashed", at(Moment::Crashed)),
        ("14-recovering", at(Moment::Recovering)),
        ("15-replayed", at(Moment::Replayed)),
        ("16-finished", at(Moment::Finished)),
    ];
    scenes.extend([
        ("17-wrong", fixture::wrong()),
        ("18-cells", fixture::cells()),
        ("19-density", fixture::density()),
    ]);
    let drawers = |right| {
        let mut state = State { left: Some(LeftDrawer::Log), right: Some(right), ..at(Moment::Replayed) };
        fixture::fill_answers(&mut state);
        state
    };
    scenes.extend(vec![
        ("20-checkpoints", drawers(RightDrawer::Checkpoints)),
        ("21-numbers", drawers(RightDrawer::Numbers)),
        ("21-fates", drawers(RightDrawer::Fates)),
        ("21-runs", drawers(RightDrawer::Runs)),
    ]);
    scenes.extend([
        ("25-moment-crashed", State { look: Look::Moment, ..at(Moment::Crashed) }),
        ("25-moment-replayed", State { look: Look::Moment, frame_time: true, ..at(Moment::Replayed) }),
        ("22-by-page", State { look: Look::ByPage, ..at(Moment::Published) }),
        ("23-by-day-users", State { look: Look::ByDay, measure: Measure::Users, ..at(Moment::Crashed) }),
        ("24-tables", State { tables: true, ..at(Moment::Replayed) }),
    ]);
    for (name, command) in [
        ("30-open", AppCommand::Open),
        ("31-palette", AppCommand::Palette),
        ("32-help", AppCommand::Help),
        ("33-crash-setup", AppCommand::CrashSetup),
        ("34-save", AppCommand::Save(SaveKind::View)),
        ("35-presenter", AppCommand::Presenter),
    ] {
        let mut state = at(Moment::Replayed);
        crate::app::apply(&mut state, Input::Command(command));
        scenes.push((name, state));
    }
    scenes
}
