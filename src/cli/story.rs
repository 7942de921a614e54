//! The first scene without a window: what the window would say at each moment, the counts, the invariants.

use std::{fmt::Write as _, path::Path, process::ExitCode, sync::Arc};

use super::{
    CliError,
    output::Target,
    samples::{FIRST_SCENE, samples_dir},
    say,
};
use crate::{
    app::{Input, Sentence, Settings, State, apply, narrate, proof_in_words},
    engine::{
        driver::Driver,
        frame::{Flow, Frame, InvariantState, Loading},
        play::{OpenScenario, PlayError, Played, open_scenario, play},
        protocol::{EngineEvent, Fact, RunId, TICKS_PER_SECOND, Tick},
    },
};

/// The picture of the story, in the directory where the program was called.
const PICTURE: &str = "rederive-story.png";

/// A played scene, told.
#[derive(Debug)]
pub struct Story {
    /// The text.
    pub text: String,
    /// Whether all expectations and invariants hold.
    pub holds: bool,
    /// A tick at which a picture says the most: right after the replay, else the end.
    pub picture_at: Tick,
}

/// Plays a scenario and tells it moment by moment.
///
/// # Errors
/// When the scenario or its log cannot be read.
pub fn tell(path: &Path) -> Result<Story, PlayError> {
    let open = open_scenario(path)?;
    let whole = play(&open, Driver::Inline, None);
    let mut text = format!("{}\n", open.scenario.name);
    if let Some(story) = &open.scenario.story {
        text.push_str(story);
        text.push('\n');
    }
    text.push('\n');
    let mut picture_at = whole.tick;
    let mut last = String::new();
    for (tick, fact) in &whole.facts {
        if !is_moment(fact) {
            continue;
        }
        // The sentence of a moment is what the window says once that moment is there: one tick later.
        let then = play(&open, Driver::Inline, Some(Tick(tick.0 + 1)));
        let said = sentence(&open, then);
        // A publication needs its numbers only; keys to press and colours to watch are for the window.
        let said = if matches!(fact, Fact::BatchPublished { .. }) { said.lead } else { said.plain() };
        if last != said {
            line(&mut text, *tick, &said);
            last = said;
        }
        if matches!(fact, Fact::ReplayFinished { .. }) {
            picture_at = Tick(tick.0 + 1);
        }
    }
    counts(&mut text, &whole);
    Ok(Story { holds: whole.failures.is_empty(), text, picture_at })
}

fn is_moment(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::BatchPublished { .. }
            | Fact::StreamCrashed { .. }
            | Fact::Restored { .. }
            | Fact::ReplayFinished { .. }
            | Fact::Finished { .. }
    )
}

fn line(text: &mut String, tick: Tick, sentence: &str) {
    let tenths = tick.0 * 10 / TICKS_PER_SECOND;
    // Writing to a string cannot fail.
    let _infallible = writeln!(text, "{:>5}.{} s  {sentence}", tenths / 10, tenths % 10);
}

fn sentence(open: &OpenScenario, played: Played) -> Sentence {
    let run = RunId(1);
    let mut state = State::new(Settings::default(), Vec::new());
    let summary = Arc::new(open.summary.clone());
    apply(&mut state, Input::Event(EngineEvent::Opened { run, summary }));
    let ended = played.facts.iter().any(|(_, fact)| matches!(fact, Fact::Finished { .. }));
    for (tick, fact) in played.facts {
        apply(&mut state, Input::Event(EngineEvent::Happened { run, lane: fact.lane(), tick, fact }));
    }
    let frame = Frame {
        run,
        tick: played.tick,
        flow: if ended { Flow::Finished } else { Flow::Playing },
        pace_percent: 100,
        loading: Loading { records: open.index.len(), complete: true, ..Loading::default() },
        lanes: vec![Arc::new(played.frame)],
        kappa: played.kappa.map(Arc::new),
    };
    apply(&mut state, Input::Frame(Arc::new(frame)));
    narrate(&state)
}

fn counts(text: &mut String, whole: &Played) {
    let _infallible = writeln!(text, "\n{}\n\nInvariants:", proof_in_words(&whole.frame.proof));
    for invariant in whole.frame.invariants.iter() {
        let state = match &invariant.state {
            InvariantState::NotYet => "not checked in this run".to_owned(),
            InvariantState::Holds { checks } => format!("holds ({checks} checks)"),
            InvariantState::Broken { counterexample } => format!("BROKEN: {counterexample}"),
            InvariantState::NotPromised { counterexample, .. } => format!("not promised: {counterexample}"),
        };
        let _infallible = writeln!(text, "  {}: {state}", invariant.sentence);
    }
    for failure in &whole.failures {
        let _infallible = writeln!(text, "  FAILED {failure}");
    }
    let _infallible = writeln!(text, "\nRun fingerprint {}", whole.digest);
}

/// Draws the scene at a tick as a PNG file's bytes.
pub type DrawScene<'a> = &'a dyn Fn(&Path, u64) -> Result<Vec<u8>, String>;

/// What the program does where no window can be: says why and what would help, then plays the story in text, with its
/// picture in a file. A log that was asked for is not replaced by a story: that is an error.
///
/// # Errors
/// When the scene or the log cannot be read, or the picture not written.
pub fn instead_of_window(
    why: &str,
    path: Option<&Path>,
    draw: Option<DrawScene<'_>>,
) -> Result<ExitCode, CliError> {
    let is_scenario =
        |path: &&Path| path.is_file() && path.extension().is_some_and(|extension| extension == "json");
    let scene = match path {
        None => samples_dir().map_err(|cause| CliError::io("find", "sample_logs", cause))?.join(FIRST_SCENE),
        Some(path) if is_scenario(&path) => path.to_owned(),
        Some(path) => {
            let path = path.display();
            return Err(CliError::Usage(format!(
                "no window: {why}; without one, use rederive batch {path} or rederive stream {path} --checkpoints DIR"
            )));
        }
    };
    say(&format!("No window: {why}."));
    say("The story is played without it.\n");
    let story = tell(&scene)?;
    super::tell(&story.text)?;
    if let Some(draw) = draw {
        let png = draw(&scene, story.picture_at.0).map_err(CliError::Usage)?;
        let file = Path::new(PICTURE);
        let target = Target::of("the picture", file, None, None)?;
        target.write(&png)?;
        say(&format!("\nPicture of the moment after the replay: {PICTURE}"));
    }
    Ok(if story.holds { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
