//! What just happened in the Kappa lane, in one sentence, and the next step.

use super::{
    format::{records, records_in, thousands},
    narrate::{Sentence, Tone},
    state::State,
    two_versions::is_down,
};
use crate::engine::{
    frame::{InvariantState, KappaFrame, Role, VersionFrame, VersionState},
    protocol::{Fact, KappaFact},
};

/// The sentence of this moment while versions are shown.
pub(super) fn versions_sentence(state: &State, kappa: &KappaFrame) -> Sentence {
    if let Some(broken) = kappa.invariants.iter().find_map(|invariant| match &invariant.state {
        InvariantState::Broken { counterexample } => Some((invariant.sentence, counterexample)),
        InvariantState::NotYet | InvariantState::Holds { .. } | InvariantState::NotPromised { .. } => None,
    }) {
        let lead = format!("This must always hold, and does not: {}.", broken.0);
        return Sentence::new(Tone::Error, lead, broken.1.clone());
    }
    let Some(serving) = &kappa.serving else {
        return Sentence::new(Tone::Plain, "No version has been started.", "");
    };
    let newest = newest(state);
    if let Some(down) = kappa.versions().find(|version| is_down(version)) {
        return crashed(down, serving, newest);
    }
    for version in kappa.versions() {
        if let VersionState::Rereading { from, to } = version.state {
            return rereading(version, from, to);
        }
    }
    match (&kappa.other, newest) {
        (
            _,
            Some(KappaFact::ReplayFinished {
                version,
                from,
                to,
                views,
                recount_views,
                late,
                same_as_never_crashed,
            }),
        ) => {
            let lead = if to > from {
                format!("{} were read twice and counted once in version {version}.", records(to - from))
            } else {
                format!("Version {version} had nothing to read again.")
            };
            let (tone, bytes) = if *same_as_never_crashed && views + late == *recount_views {
                (Tone::Success, "Same bytes as a version that never crashed.")
            } else {
                (Tone::Error, "Its bytes are not those of a version that never crashed.")
            };
            let without = if *late > 0 {
                format!(" without the {} late ones", thousands(*late))
            } else {
                String::new()
            };
            let rest = format!(
                "Its view: {} page views = a batch run over the same records{without}. {bytes}",
                thousands(*views)
            );
            Sentence::new(tone, lead, rest)
        }
        (Some((Role::Old, old)), _) => kept(serving, old, newest),
        (Some((Role::Next, next)), _) => catches_up(kappa, serving, next, newest),
        (None, _) => alone(kappa, serving, newest),
    }
}

/// The newest fact that the sentence dwells on.
fn newest(state: &State) -> Option<&KappaFact> {
    state.newest_facts().find_map(|fact| match fact {
        Fact::Kappa(KappaFact::CheckpointWritten { .. } | KappaFact::Mark { .. }) => None,
        Fact::Kappa(fact) => Some(fact),
        _ => None,
    })
}

fn crashed(down: &VersionFrame, serving: &VersionFrame, newest: Option<&KappaFact>) -> Sentence {
    let number = down.number;
    if let Some(KappaFact::RestoreRefused { version, .. }) = newest
        && *version == number
    {
        return Sentence::new(
            Tone::Error,
            format!("No checkpoint of version {number} could be restored."),
            "Its view stays as it is.",
        );
    }
    let lead =
        format!("Version {number} crashed at record {}; its memory is gone.", thousands(down.position));
    let disk = match down.state {
        VersionState::Crashed { checkpoint: Some((id, at)), .. } => {
            format!("On disk: checkpoint {} = position {} and its totals.", id.0, thousands(at))
        }
        _ => "On disk: no checkpoint; it would begin at record 0 again.".to_owned(),
    };
    let readers = if number == serving.number {
        format!("Readers still see its view of {}, which no longer grows.", records(down.view_position))
    } else {
        format!("Readers see version {} and notice nothing.", serving.number)
    };
    Sentence::new(Tone::Warning, lead, format!("{readers} {disk} Press Restore in the drawer."))
}

fn rereading(version: &VersionFrame, from: u64, to: u64) -> Sentence {
    let done = version.position.clamp(from, to.max(from)) - from;
    Sentence::new(
        Tone::Warning,
        format!("Version {}: position and totals went back together.", version.number),
        format!(
            "Reading {} again, into its memory and not into its view: {} of {}.",
            records_in(from, to),
            thousands(done),
            thousands(to.saturating_sub(from))
        ),
    )
}

fn catches_up(
    kappa: &KappaFrame,
    serving: &VersionFrame,
    next: &VersionFrame,
    newest: Option<&KappaFact>,
) -> Sentence {
    if let Some(KappaFact::RolledBack { from, to, position }) = newest {
        return Sentence::new(
            Tone::Success,
            format!("Rolled back at record {}: readers see version {to} again.", thousands(*position)),
            format!("Nothing is missing or double. Version {from} goes on, and can be switched to again."),
        );
    }
    if kappa.closed.is_none() {
        let off = i128::from(next.totals.views) - i128::from(serving.totals.views);
        let views = match off {
            0 => "Both count the same page views in all; the days differ where the settings do.".to_owned(),
            off => format!(
                "Version {} counts {} page view{} {}.",
                next.number,
                thousands(u64::try_from(off.unsigned_abs()).unwrap_or(u64::MAX)),
                if off.unsigned_abs() == 1 { "" } else { "s" },
                if off > 0 { "more" } else { "fewer" }
            ),
        };
        return Sentence::new(
            Tone::Success,
            format!("Both versions stand at record {}: the gate is open.", thousands(next.view_position)),
            format!("{views} Switch (Shift V) changes readers over in one step."),
        );
    }
    let to_go = serving.view_position.saturating_sub(next.view_position);
    Sentence::new(
        Tone::Plain,
        format!(
            "Version {} catches up: {} of {}.",
            next.number,
            thousands(next.view_position),
            records(serving.view_position)
        ),
        format!(
            "{} to go, into a new view. Readers see version {}; the gate opens when both stand at the same record.",
            thousands(to_go),
            serving.number
        ),
    )
}

fn kept(serving: &VersionFrame, old: &VersionFrame, newest: Option<&KappaFact>) -> Sentence {
    let lead = match newest {
        Some(KappaFact::Switched { to, position, .. }) => {
            format!("Switched at record {}: readers see version {to}.", thousands(*position))
        }
        _ => format!("Readers see version {}.", serving.number),
    };
    Sentence::new(
        Tone::Success,
        lead,
        format!(
            "One step, nothing missing, nothing double. Version {} is kept and goes on: the way back is open. Its view goes last.",
            old.number
        ),
    )
}

fn alone(kappa: &KappaFrame, serving: &VersionFrame, newest: Option<&KappaFact>) -> Sentence {
    if let Some(KappaFact::Deleted { version, .. }) = newest {
        return Sentence::new(
            Tone::Success,
            format!("Version {version} is gone; version {} serves alone.", serving.number),
            format!("Its rules: {}. The log was read, nothing was migrated.", serving.settings),
        );
    }
    if serving.state == VersionState::CatchingUp {
        return Sentence::new(
            Tone::Plain,
            format!(
                "Version {} reads the log from its start: {} of {}.",
                serving.number,
                thousands(serving.view_position),
                records(kappa.arrived)
            ),
            "One fold and one view; Lambda goes on beside it.",
        );
    }
    Sentence::new(
        Tone::Plain,
        format!(
            "Version {} serves: {} page views of {}.",
            serving.number,
            thousands(serving.totals.views),
            records(serving.view_position)
        ),
        match serving.late {
            0 => "One fold, one view, nothing merged. Choose other rules in the drawer and start the next version."
                .to_owned(),
            late => format!(
                "{} came late and were dropped: no batch run counts them later. Start a version that waits longer.",
                records(late)
            ),
        },
    )
}
