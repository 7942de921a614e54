//! "Settings of the run": what is typed and chosen for the next start, what is wrong with it, how it is started.

use std::collections::BTreeMap;

use super::{
    Effect,
    dialogs::{Dialog, OpenDialog},
    format,
    state::State,
    typed::{lateness_text, parse_count, parse_lateness},
    update::say,
};
use crate::{
    checkpoint::GuaranteeId,
    domain::{Lateness, Uniques},
    engine::protocol::{Command, LogSummary, OpenRequest, RunSettings},
};

/// A setting that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingsField {
    /// How long a day stays open after its end.
    Lateness,
    /// When a partition no longer holds the watermark back.
    IdleAfter,
    /// Arrivals a second.
    Rate,
    /// What the stream manages a second.
    StreamCapacity,
    /// What batch manages a second.
    BatchCapacity,
    /// Records between batch runs.
    BatchEvery,
    /// Records between checkpoints.
    CheckpointEvery,
    /// Records a micro-batch.
    MicroBatch,
    /// Checkpoints kept.
    Retain,
    /// Seed of the schedule.
    Seed,
}

impl SettingsField {
    /// All, in order.
    pub const ALL: [SettingsField; 10] = [
        SettingsField::Lateness,
        SettingsField::IdleAfter,
        SettingsField::Rate,
        SettingsField::StreamCapacity,
        SettingsField::BatchCapacity,
        SettingsField::BatchEvery,
        SettingsField::CheckpointEvery,
        SettingsField::MicroBatch,
        SettingsField::Retain,
        SettingsField::Seed,
    ];

    /// In the window.
    pub fn name(self) -> &'static str {
        match self {
            SettingsField::Lateness => "Allowed lateness",
            SettingsField::IdleAfter => "A partition is idle after",
            SettingsField::Rate => "Arrivals",
            SettingsField::StreamCapacity => "Stream reads at most",
            SettingsField::BatchCapacity => "Batch reads",
            SettingsField::BatchEvery => "Batch run every",
            SettingsField::CheckpointEvery => "Checkpoint every",
            SettingsField::MicroBatch => "Micro-batch",
            SettingsField::Retain => "Checkpoints kept",
            SettingsField::Seed => "Seed",
        }
    }

    /// What its number counts.
    pub fn unit(self) -> &'static str {
        match self {
            SettingsField::Lateness | SettingsField::Retain | SettingsField::Seed => "",
            SettingsField::Rate | SettingsField::StreamCapacity | SettingsField::BatchCapacity => "records/s",
            SettingsField::IdleAfter
            | SettingsField::BatchEvery
            | SettingsField::CheckpointEvery
            | SettingsField::MicroBatch => "records",
        }
    }

    /// What it does.
    pub fn hint(self) -> &'static str {
        match self {
            SettingsField::Lateness => {
                "How long a day stays open after its end, by the watermark. What comes later is late: the stream drops it, \
                 the next batch run counts it"
            }
            SettingsField::IdleAfter => {
                "A partition that was not read while the others read so many records no longer holds the watermark back"
            }
            SettingsField::Rate => "At the start, in a second of simulated time",
            SettingsField::StreamCapacity => "In a second of simulated time: how fast it catches up",
            SettingsField::BatchCapacity => "In a second of simulated time: how long a batch run takes",
            SettingsField::BatchEvery => {
                "Each time that so many more have arrived; 0: only by hand and at the end"
            }
            SettingsField::CheckpointEvery => {
                "Each time that the stream has read so many more; 0: only by hand"
            }
            SettingsField::MicroBatch => "Read, counted and written out together",
            SettingsField::Retain => "The newest ones; older files are deleted",
            SettingsField::Seed => "Decides the order in which the workers get their turns",
        }
    }

    /// Its value as it is typed.
    fn text(self, settings: &RunSettings) -> String {
        let number = match self {
            SettingsField::Lateness => return lateness_text(settings.lateness),
            SettingsField::IdleAfter => settings.idle_after_records,
            SettingsField::Rate => settings.rate,
            SettingsField::StreamCapacity => settings.stream_capacity,
            SettingsField::BatchCapacity => settings.batch_capacity,
            SettingsField::BatchEvery => settings.batch_every_records,
            SettingsField::CheckpointEvery => settings.checkpoint_every_records,
            SettingsField::MicroBatch => settings.micro_batch_records,
            SettingsField::Retain => settings.retain,
            SettingsField::Seed => return settings.seed.to_string(),
        };
        format::thousands(number)
    }

    /// Puts what was typed into the settings.
    fn put(self, settings: &mut RunSettings, text: &str) -> Result<(), String> {
        let (number, least) = match self {
            SettingsField::Lateness => {
                settings.lateness = parse_lateness(text)?;
                return Ok(());
            }
            SettingsField::IdleAfter => (&mut settings.idle_after_records, 1),
            SettingsField::Rate => (&mut settings.rate, 1),
            SettingsField::StreamCapacity => (&mut settings.stream_capacity, 1),
            SettingsField::BatchCapacity => (&mut settings.batch_capacity, 1),
            SettingsField::BatchEvery => (&mut settings.batch_every_records, 0),
            SettingsField::CheckpointEvery => (&mut settings.checkpoint_every_records, 0),
            SettingsField::MicroBatch => (&mut settings.micro_batch_records, 1),
            SettingsField::Retain => (&mut settings.retain, 2),
            SettingsField::Seed => (&mut settings.seed, 0),
        };
        *number = parse_count(text, least)?;
        Ok(())
    }
}

/// What the drawer holds: only what differs from the run was typed or chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsPage {
    typed: BTreeMap<SettingsField, String>,
    uniques: Option<Uniques>,
    guarantee: Option<GuaranteeId>,
}

/// Typed or chosen in the drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsEdit {
    /// A setting, as typed.
    Type(SettingsField, String),
    /// How the stream counts distinct users.
    Uniques(Uniques),
    /// What is saved, and when.
    Guarantee(GuaranteeId),
    /// Back to what the run has.
    Undo,
    /// Open the same log with other fields or another zone.
    OpenAgain,
}

impl SettingsPage {
    /// What the field shows, over a run with these settings.
    pub fn text(&self, field: SettingsField, run: &RunSettings) -> String {
        self.typed.get(&field).cloned().unwrap_or_else(|| field.text(run))
    }

    /// What is wrong with what was typed.
    pub fn error(&self, field: SettingsField) -> Option<String> {
        field.put(&mut RunSettings::default(), self.typed.get(&field)?).err()
    }

    /// How distinct users will be counted.
    pub fn uniques(&self, run: &RunSettings) -> Uniques {
        self.uniques.unwrap_or(run.uniques)
    }

    /// What will be saved, and when.
    pub fn guarantee(&self, run: &RunSettings) -> GuaranteeId {
        self.guarantee.unwrap_or(run.guarantee)
    }

    /// The settings as they are typed and chosen; `None` while something cannot be read.
    pub fn settings(&self, run: &RunSettings) -> Option<RunSettings> {
        let mut settings = RunSettings { uniques: self.uniques(run), guarantee: self.guarantee(run), ..*run };
        for (field, text) in &self.typed {
            field.put(&mut settings, text).ok()?;
        }
        Some(settings)
    }

    /// Whether anything was typed or chosen.
    pub fn is_untouched(&self) -> bool {
        *self == SettingsPage::default()
    }
}

/// Whether the log can be started again under what is typed; if not, why.
pub(super) fn enabled(state: &State) -> Result<(), &'static str> {
    let Some(run) = state.lane().map(|lane| lane.settings) else { return Err("Open a log first") };
    match state.answers.run_settings.settings(&run) {
        None => Err("Something that is typed cannot be read"),
        Some(settings) if settings == run => Err("The run has these settings"),
        Some(_) => Ok(()),
    }
}

/// Starts the log again under what is typed.
pub(super) fn start(state: &mut State) -> Vec<Effect> {
    let Some(run) = state.lane().map(|lane| lane.settings) else { return Vec::new() };
    let Some(settings) = state.answers.run_settings.settings(&run) else { return Vec::new() };
    state.answers.run_settings = SettingsPage::default();
    start_with(state, &run, settings)
}

/// Starts the log of a run again under other settings.
pub(super) fn start_with(state: &mut State, run: &RunSettings, settings: RunSettings) -> Vec<Effect> {
    state.fits += 1;
    say(state, format!("Started again: {}.", differences(run, &settings).join(", ")));
    vec![Effect::Send(Command::Resettle(settings))]
}

/// What is otherwise than before, in words.
fn differences(before: &RunSettings, after: &RunSettings) -> Vec<String> {
    let changed = SettingsField::ALL.into_iter().filter(|field| field.text(before) != field.text(after));
    let mut words: Vec<String> = changed
        .map(|field| {
            format!("{} {} {}", lower(field.name()), field.text(after), field.unit()).trim_end().to_owned()
        })
        .collect();
    if before.uniques != after.uniques {
        words.push(format!("unique users {}", uniques_name(after.uniques)));
    }
    if before.guarantee != after.guarantee {
        words.push(format!("saved: {}", after.guarantee.saved_in_words()));
    }
    words
}

fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// How distinct users are counted, in words.
pub fn uniques_name(uniques: Uniques) -> &'static str {
    match uniques {
        Uniques::Set => "by exact sets",
        Uniques::Hll => "estimated (HyperLogLog)",
    }
}

/// Takes what was typed or chosen.
pub(super) fn edited(state: &mut State, edit: SettingsEdit) -> Vec<Effect> {
    let run = state.lane().map(|lane| lane.settings).unwrap_or_default();
    let page = &mut state.answers.run_settings;
    match edit {
        SettingsEdit::Type(field, text) if text == field.text(&run) => {
            page.typed.remove(&field);
        }
        SettingsEdit::Type(field, text) => {
            page.typed.insert(field, text);
        }
        SettingsEdit::Uniques(uniques) => {
            page.uniques = Some(uniques).filter(|uniques| *uniques != run.uniques);
        }
        SettingsEdit::Guarantee(chosen) => {
            page.guarantee = Some(chosen).filter(|chosen| *chosen != run.guarantee);
        }
        SettingsEdit::Undo => *page = SettingsPage::default(),
        SettingsEdit::OpenAgain => {
            if let Some(summary) = &state.summary {
                let request =
                    OpenRequest { path: summary.log.clone(), mapping: summary.mapping_options.clone() };
                state.dialog = Dialog::Open(OpenDialog { shows_fields: true, ..OpenDialog::again(&request) });
            }
        }
    }
    Vec::new()
}

/// The command line of a stream processor that ends in the same view.
pub fn stream_command(summary: &LogSummary, settings: &RunSettings) -> String {
    let mut words = vec![summary.stream_command.clone(), "--checkpoints DIR".to_owned()];
    if settings.checkpoint_every_records > 0 {
        words.push(format!("--checkpoint-every {}", settings.checkpoint_every_records));
    }
    if settings.lateness != Lateness::Unbounded {
        words.push(format!("--lateness {} --idle-after {}", settings.lateness, settings.idle_after_records));
    }
    if settings.uniques == Uniques::Hll {
        words.push("--uniques hll".to_owned());
    }
    if settings.guarantee != GuaranteeId::default() {
        words.push(format!("--guarantee {}", settings.guarantee.id()));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Lateness = Lateness::Within(3_600_000_000_000);

    #[test]
    fn only_what_was_typed_differs_from_the_run() {
        let run = RunSettings::for_log(31_106);
        let mut page = SettingsPage::default();
        assert_eq!((page.settings(&run), page.is_untouched()), (Some(run), true));
        assert_eq!(page.text(SettingsField::BatchEvery, &run), "4,000");
        page.typed.insert(SettingsField::Lateness, "1h".to_owned());
        page.typed.insert(SettingsField::BatchEvery, "6,000".to_owned());
        page.uniques = Some(Uniques::Hll);
        let settings = page.settings(&run).unwrap();
        let expected =
            RunSettings { lateness: HOUR, batch_every_records: 6_000, uniques: Uniques::Hll, ..run };
        assert_eq!(settings, expected);
        assert_eq!(
            differences(&run, &settings),
            ["allowed lateness 1h", "batch run every 6,000 records", "unique users estimated (HyperLogLog)"]
        );
        page.typed.insert(SettingsField::Retain, "1".to_owned());
        assert_eq!(page.settings(&run), None);
        assert_eq!(page.error(SettingsField::Retain).as_deref(), Some("At least 2."));
        assert_eq!(page.error(SettingsField::Lateness), None);
    }

    /// What the window lets through, the engine takes: and the other way round.
    #[test]
    fn every_field_is_refused_where_the_engine_refuses_it() {
        let run = RunSettings::for_log(31_106);
        for field in SettingsField::ALL {
            for text in ["0", "1", "2", "1000000000000"] {
                let mut settings = run;
                if field.put(&mut settings, text).is_ok() {
                    assert!(settings.check().is_ok(), "{field:?} {text}");
                    // What is shown can be typed again.
                    let mut again = run;
                    field.put(&mut again, &field.text(&settings)).unwrap();
                    assert_eq!(again, settings);
                }
            }
        }
    }

    #[test]
    fn the_command_line_names_what_is_not_usual() {
        let summary = LogSummary {
            stream_command: "rederive stream shop --page url".to_owned(),
            ..LogSummary::default()
        };
        let run = RunSettings { checkpoint_every_records: 1_000, ..RunSettings::default() };
        let usual = "rederive stream shop --page url --checkpoints DIR --checkpoint-every 1000";
        assert_eq!(stream_command(&summary, &run), usual);
        let other =
            RunSettings { lateness: HOUR, uniques: Uniques::Hll, guarantee: GuaranteeId::Textbook, ..run };
        assert_eq!(
            stream_command(&summary, &other),
            format!("{usual} --lateness 1h --idle-after 10000 --uniques hll --guarantee textbook")
        );
    }
}
