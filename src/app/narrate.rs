//! What just happened, in one sentence with the next key: the words of the window's second line.
//!
//! Pure: facts and the newest frame in, text out. When the books do not agree, the sentence says so.

use super::{
    format::{records, records_in, signed, thousands},
    narrate_versions::versions_sentence,
    state::{Happening, Measure, Phase, Prediction, State, lost},
};
use crate::{
    checkpoint::GuaranteeId,
    engine::{
        frame::{InvariantState, LaneFrame, StreamState},
        protocol::{CheckpointId, Fact, TICKS_PER_SECOND},
    },
};

/// How long a publication that took an error back is spoken of: six seconds of run time.
const DWELL_TICKS: u64 = 6 * TICKS_PER_SECOND;

/// How a sentence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As it goes.
    #[default]
    Plain,
    /// Something was lost or is under way.
    Warning,
    /// It came out right.
    Success,
    /// It came out wrong.
    Error,
}

/// The line: a short lead, large, and the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sentence {
    /// What happened.
    pub lead: String,
    /// What it means, and the next key.
    pub rest: String,
    /// How it is meant.
    pub tone: Tone,
}

impl Sentence {
    pub(super) fn new(tone: Tone, lead: impl Into<String>, rest: impl Into<String>) -> Sentence {
        Sentence { lead: lead.into(), rest: rest.into(), tone }
    }

    /// Lead and rest as one text.
    pub fn plain(&self) -> String {
        if self.rest.is_empty() { self.lead.clone() } else { format!("{} {}", self.lead, self.rest) }
    }
}

/// The sentence of this moment.
pub fn narrate(state: &State) -> Sentence {
    match &state.phase {
        Phase::Empty => Sentence::new(
            Tone::Plain,
            "No log is open.",
            "Watch a story, or open your own log: a directory, a file, or drop it here.",
        ),
        Phase::Opening(path) => Sentence::new(Tone::Plain, format!("Opening {}.", path.display()), ""),
        Phase::Failed(failure) => {
            Sentence::new(Tone::Error, "The log could not be opened.", failure.why.clone())
        }
        Phase::Open if state.shows_kappa() && state.kappa().is_some() => {
            state.kappa().map(|kappa| versions_sentence(state, kappa)).unwrap_or_default()
        }
        Phase::Open => match state.lane() {
            Some(lane) => lane_sentence(state, lane),
            None => Sentence::new(Tone::Plain, "The log is open.", "Waiting for its first records."),
        },
    }
}

/// How the prediction came out, once the replay is over.
pub fn predicted(state: &State) -> Option<String> {
    let said = state.prediction?;
    let Some(Fact::ReplayFinished { merged_views, recount_views, late_missing, .. }) =
        state.newest_facts().find(|fact| is_telling(fact))
    else {
        return None;
    };
    // What is late is missing with or without a crash.
    let is = match (merged_views + late_missing).cmp(recount_views) {
        std::cmp::Ordering::Less => Prediction::TooLow,
        std::cmp::Ordering::Equal => Prediction::Right,
        std::cmp::Ordering::Greater => Prediction::TooHigh,
    };
    Some(if said == is {
        format!("You said {}: so it is.", said.name())
    } else {
        format!("You said {}: it is {}.", said.name(), is.name())
    })
}

/// The question between crash and restore.
pub fn question(state: &State) -> Option<String> {
    match state.lane()?.stream {
        StreamState::Crashed { checkpoint, position, .. } if state.asks_prediction() => {
            let lost = lost(checkpoint, position);
            let (noun, verb) = if lost == 1 { ("record", "was") } else { ("records", "were") };
            Some(format!(
                "{} counted {noun} {verb} lost with the memory. After the restore the total will be:",
                thousands(lost)
            ))
        }
        _ => None,
    }
}

fn lane_sentence(state: &State, lane: &LaneFrame) -> Sentence {
    if let Some(broken) = lane.invariants.iter().find_map(|invariant| match &invariant.state {
        InvariantState::Broken { counterexample } => Some((invariant.sentence, counterexample)),
        InvariantState::NotYet | InvariantState::Holds { .. } | InvariantState::NotPromised { .. } => None,
    }) {
        return Sentence::new(
            Tone::Error,
            format!("This must always hold, and does not: {}.", broken.0),
            broken.1.clone(),
        );
    }
    if state.is_untouched() {
        return untouched(state, lane);
    }
    match lane.stream {
        StreamState::Crashed { position, checkpoint, .. } => crashed(state, position, checkpoint),
        StreamState::Recovering { from, to } => recovering(state, lane, from, to),
        StreamState::Ready | StreamState::Running | StreamState::Finished => {
            match state.newest_happenings().find(|happening| is_telling(&happening.fact)) {
                Some(happening) => told(state, lane, happening),
                None => running(state, lane),
            }
        }
    }
}

/// Facts that the sentence dwells on until the next one of them.
fn is_telling(fact: &Fact) -> bool {
    match fact {
        Fact::BatchPublished { .. }
        | Fact::BatchCrashed { .. }
        | Fact::StreamCrashed { .. }
        | Fact::Restored { .. }
        | Fact::RestoreRefused { .. }
        | Fact::ReplayFinished { .. }
        | Fact::Finished { .. } => true,
        Fact::Started
        | Fact::BatchStarted { .. }
        | Fact::CheckpointWritten { .. }
        | Fact::StreamFinished { .. }
        | Fact::Kappa(_)
        | Fact::InvariantBroken { .. } => false,
    }
}

fn untouched(state: &State, lane: &LaneFrame) -> Sentence {
    let loading = state.frame.as_ref().map(|frame| frame.loading.clone()).unwrap_or_default();
    if !loading.complete {
        return Sentence::new(
            Tone::Plain,
            "Nothing processed yet.",
            format!(
                "Loading: {} so far. What is loaded can be played: press Space.",
                records(loading.records)
            ),
        );
    }
    if lane.log_records == 0 {
        return Sentence::new(
            Tone::Warning,
            "This log is empty.",
            "It has no record; open another one with Ctrl+O.",
        );
    }
    let what = if loading.cancelled {
        format!(
            "Loading was stopped: the log is its first {} now, and the grey line recounts these. Press Space.",
            records(loading.records)
        )
    } else {
        "The grey line is a full recount of the log. Press Space.".to_owned()
    };
    Sentence::new(Tone::Plain, "Nothing processed yet.", what)
}

fn crashed(state: &State, position: u64, checkpoint: Option<(CheckpointId, u64)>) -> Sentence {
    if let Some(Fact::RestoreRefused { refused }) = state.newest_facts().find(|fact| is_telling(fact)) {
        return Sentence::new(
            Tone::Error,
            "No checkpoint could be restored.",
            format!("Refused: {}. Restoring from record 0 reads the whole log again.", reasons(refused)),
        );
    }
    let lead = format!("Stream crashed at record {}; its memory is gone.", thousands(position));
    let rest = match checkpoint {
        None => "On disk: no checkpoint. Press R: the log is read again from record 0.".to_owned(),
        Some((id, at)) => {
            let holds = match guarantee(state) {
                GuaranteeId::ExactlyOnceUpsertSink => {
                    format!("position {} and its totals, in one file", thousands(at))
                }
                GuaranteeId::Textbook => GuaranteeId::Textbook.saved_in_words().to_owned(),
            };
            let so =
                if at == position { " It was written just before the crash: nothing to replay." } else { "" };
            format!("On disk: checkpoint {} = {holds}.{so}", id.0)
        }
    };
    Sentence::new(Tone::Warning, lead, rest)
}

fn recovering(state: &State, lane: &LaneFrame, from: u64, to: u64) -> Sentence {
    let mut parts = Vec::new();
    let mut lead = match guarantee(state) {
        GuaranteeId::ExactlyOnceUpsertSink => "Position and totals went back together.",
        GuaranteeId::Textbook => "The totals came back, the position did not.",
    };
    if let Some(Fact::Restored { checkpoint, refused, dropped_below_batch, .. }) =
        state.newest_facts().find(|fact| is_telling(fact))
    {
        if checkpoint.is_none() {
            lead = "There was no checkpoint: the stream starts at record 0 with empty totals.";
        }
        if !refused.is_empty() {
            parts.push(format!("Refused: {}.", reasons(refused)));
        }
        if *dropped_below_batch > 0 {
            parts.push(format!(
                "The checkpoint is older than the last batch run: {} below its hand-over were dropped, or they would count twice.",
                records(*dropped_below_batch)
            ));
        }
    }
    let done = lane.position.clamp(from, to.max(from)) - from;
    parts.push(format!(
        "Reading {} again: {} of {}.",
        records_in(from, to),
        thousands(done),
        thousands(to.saturating_sub(from))
    ));
    Sentence::new(Tone::Warning, lead, parts.join(" "))
}

fn told(state: &State, lane: &LaneFrame, happening: &Happening) -> Sentence {
    let fact = &happening.fact;
    match fact {
        Fact::ReplayFinished { .. } => replayed(state, fact),
        Fact::Restored { position, replay_to, checkpoint, .. } if replay_to <= position => Sentence::new(
            Tone::Success,
            "Nothing to replay.",
            match checkpoint {
                Some(id) => format!(
                    "Checkpoint {} was written just before the crash; the stream goes on at {}.",
                    id.0,
                    thousands(*position)
                ),
                None => "Nothing had been counted before the crash.".to_owned(),
            },
        ),
        Fact::BatchCrashed { cut, done } => Sentence::new(
            Tone::Warning,
            format!("Batch run up to {} crashed at record {}.", thousands(*cut), thousands(*done)),
            format!(
                "It published nothing and will be run again. The batch view still covers {}.",
                thousands(lane.batch_covers)
            ),
        ),
        Fact::BatchPublished { late_counted, cut, .. }
            if *late_counted > 0 && state.tick().0 <= happening.tick.0 + DWELL_TICKS =>
        {
            approximate::late_counted(lane, *late_counted, *cut)
        }
        Fact::Finished { merged_views, recount_views, digest } => {
            finished(state, lane, (*merged_views, *recount_views), digest)
        }
        _ => running(state, lane),
    }
}

fn replayed(state: &State, fact: &Fact) -> Sentence {
    let Fact::ReplayFinished {
        from,
        to,
        merged_views,
        recount_views,
        every_read_views,
        late_missing,
        same_as_never_crashed,
    } = fact
    else {
        return Sentence::default();
    };
    let (merged, recount) = (thousands(*merged_views), thousands(*recount_views));
    let off = i128::from(*merged_views) + i128::from(*late_missing) - i128::from(*recount_views);
    if off != 0 {
        let what = records(u64::try_from(off.unsigned_abs()).unwrap_or(u64::MAX));
        let lead = if off > 0 {
            format!("{what} too many: they were read again and counted again.")
        } else {
            format!("{what} too few: they were lost in the crash.")
        };
        let saved = guarantee(state).saved_in_words();
        let rest =
            format!("Total {merged}, full recount {recount} ({}). What was saved: {saved}.", signed(off));
        return Sentence::new(Tone::Error, lead, rest);
    }
    let again = to.saturating_sub(*from);
    let repeats = every_read_views.saturating_sub(recount_views.saturating_sub(*late_missing));
    let (tone, bytes) = if *same_as_never_crashed {
        (Tone::Success, "Same bytes as a run that never crashed.")
    } else {
        (Tone::Error, "But the bytes are not those of a run that never crashed.")
    };
    let total = match late_missing {
        0 => format!("Total {merged} = full recount {recount}. {bytes}"),
        late => {
            format!(
                "Total {merged} = full recount {recount} without {}. {bytes}",
                approximate::late_records(*late)
            )
        }
    };
    if again == 0 {
        return Sentence::new(tone, "Nothing to replay.", total);
    }
    let were = if again == 1 { "was" } else { "were" };
    let lead = match repeats.cmp(&again) {
        std::cmp::Ordering::Equal => format!("{} {were} read twice and counted once.", records(again)),
        std::cmp::Ordering::Less => format!(
            "{} {were} read twice; {} of them count, and were counted once.",
            records(again),
            thousands(repeats)
        ),
        std::cmp::Ordering::Greater => {
            format!("{} {were} read again, some more than twice, and counted once.", records(again))
        }
    };
    let every = thousands(*every_read_views);
    let rest = format!("{total} Counting every read would give {every} ({}).", signed(i128::from(repeats)));
    Sentence::new(tone, lead, rest)
}

fn finished(state: &State, lane: &LaneFrame, (merged, recount): (u64, u64), digest: &str) -> Sentence {
    let off = i128::from(merged) - i128::from(recount);
    if off != 0 {
        return Sentence::new(
            Tone::Error,
            format!("Finished, and the books do not agree: {}.", signed(off)),
            format!(
                "Total {}, full recount {}. What was saved: {}.",
                thousands(merged),
                thousands(recount),
                guarantee(state).saved_in_words()
            ),
        );
    }
    let print = match digest.get(..12) {
        Some(short) if !state.settings.presenter => format!(" Run fingerprint {short}."),
        _ => String::new(),
    };
    Sentence::new(
        Tone::Success,
        // In the number that the plots show.
        match state.measure {
            Measure::Views => {
                format!("Finished: total {} = full recount {}.", thousands(merged), thousands(recount))
            }
            Measure::Users | Measure::Sum => {
                let (merged, recount) = (&lane.merged_totals, &lane.recount_totals);
                let measure = state.measure;
                let (name, merged, recount) = (measure.name(), measure.text(merged), measure.text(recount));
                format!("Finished: {name} {merged} = full recount {recount}.")
            }
        },
        format!("Batch covers the whole log; nothing is provisional any more.{print}"),
    )
}

fn running(state: &State, lane: &LaneFrame) -> Sentence {
    let (covers, position) = (lane.batch_covers, lane.position);
    let dropped = lane.approximation.late_missing;
    if covers == 0 && dropped > 0 {
        return approximate::nothing_published(position, dropped);
    }
    if covers == 0 {
        return Sentence::new(
            Tone::Plain,
            format!("Stream has counted {}.", thousands(position)),
            "Batch has published nothing yet: every number is provisional.",
        );
    }
    if covers > position {
        return Sentence::new(
            Tone::Plain,
            format!("Batch covers {}; the stream has read up to {}.", thousands(covers), thousands(position)),
            format!("It goes on, and adds nothing below the hand-over at {}.", thousands(covers)),
        );
    }
    let lead = format!(
        "Batch covers {} of {}; the stream adds the newest {}.",
        thousands(covers),
        records(position),
        thousands(position - covers)
    );
    let has_crashed = state.newest_facts().any(|fact| matches!(fact, Fact::StreamCrashed { .. }));
    let rest = match lane.stream {
        StreamState::Finished if dropped > 0 => {
            return Sentence::new(Tone::Plain, lead, approximate::late_at_the_end(dropped));
        }
        StreamState::Finished => {
            "The stream has read the whole log; the next batch run makes the rest final."
        }
        _ if dropped > 0 => {
            let next = if has_crashed { "" } else { " Now press X." };
            return Sentence::new(Tone::Plain, lead, approximate::late_missing(dropped) + next);
        }
        _ if has_crashed => "At a hand-over orange turns blue, and the top edge does not move.",
        _ => "Now press X.",
    };
    Sentence::new(Tone::Plain, lead, rest)
}

fn guarantee(state: &State) -> GuaranteeId {
    state.summary.as_ref().map(|summary| summary.guarantee).unwrap_or_default()
}

fn reasons(refused: &[(String, String)]) -> String {
    let mut text: Vec<String> = refused.iter().take(2).map(|(file, why)| format!("{file} ({why})")).collect();
    if refused.len() > 2 {
        text.push(format!("and {} more", refused.len() - 2));
    }
    text.join(", ")
}

#[path = "narrate_approximate.rs"]
mod approximate;

#[cfg(test)]
#[path = "narrate_tests.rs"]
mod tests;
