//! What the Kappa lane is told to do. A step that is not allowed is refused in words and changes nothing.

use super::{Changed, Ground, KappaLane, side::VersionSide};
use crate::{
    checkpoint::CrashPoint,
    domain::{Anonymous, Ids, Reading, StreamOptions},
    engine::{
        fault::Armed,
        protocol::{CrashWhen, Duplicates, KappaCommand, KappaFact, NoUser, VersionSettings},
        thinned::Keep,
        worker::{Pick, StartError},
    },
    serving::{Changeover, Health, Refusal, VersionNumber},
};

/// What was asked for, to say what was refused.
pub(in crate::engine) fn name_of(command: KappaCommand) -> &'static str {
    match command {
        KappaCommand::Start => "start the first version",
        KappaCommand::StartVersion(_) => "start the next version",
        KappaCommand::Switch => "switch",
        KappaCommand::RollBack => "roll back",
        KappaCommand::Delete(_) => "delete the view",
        KappaCommand::Crash { .. } => "crash the version",
        KappaCommand::Restore { .. } | KappaCommand::RestoreFromStart(_) => "restore the version",
        KappaCommand::Checkpoint(_) => "write a checkpoint",
    }
}

/// A command as a step in words.
pub(super) fn in_words(command: KappaCommand) -> String {
    match command {
        KappaCommand::Start => "start version 1".to_owned(),
        KappaCommand::StartVersion(settings) => format!("start the next version: {settings}"),
        KappaCommand::Switch => "switch".to_owned(),
        KappaCommand::RollBack => "roll back".to_owned(),
        KappaCommand::Delete(version) => format!("delete the view of version {version}"),
        KappaCommand::Crash { version, .. } => format!("crash version {version}"),
        KappaCommand::Restore { version, .. } => format!("restore version {version}"),
        KappaCommand::RestoreFromStart(version) => format!("restart version {version} from record 0"),
        KappaCommand::Checkpoint(version) => format!("checkpoint of version {version}"),
    }
}

impl KappaLane {
    /// Carries a command out at the current tick, or says why not.
    pub(in crate::engine) fn command(
        &mut self,
        ground: &Ground<'_>,
        command: KappaCommand,
    ) -> Result<(), String> {
        let done = match command {
            KappaCommand::Start => self.start(ground, VersionSettings::default(), true),
            KappaCommand::StartVersion(settings) => self.start(ground, settings, false),
            KappaCommand::Switch => self.switch(ground),
            KappaCommand::RollBack => self.roll_back(ground),
            KappaCommand::Delete(number) => self.delete(ground, number),
            KappaCommand::Crash { version, when } => self.crash(ground, version, when),
            KappaCommand::Restore { version, checkpoint } => {
                let pick = checkpoint.map_or(Pick::Newest, |id| Pick::Number(id.0));
                self.restore(ground, version, pick)
            }
            KappaCommand::RestoreFromStart(version) => self.restore(ground, version, Pick::FromStart),
            KappaCommand::Checkpoint(version) => {
                let side = self.up(version)?;
                side.ask_for_checkpoint();
                Ok(())
            }
        };
        done?;
        self.steps.push((ground.tick, command));
        self.record(ground, Keep::Always);
        Ok(())
    }

    fn start(&mut self, ground: &Ground<'_>, settings: VersionSettings, first: bool) -> Result<(), String> {
        let reading = reading_of(ground, settings)?;
        let started = if first {
            self.kappa.start_first(reading.clone())
        } else {
            self.kappa.start_next(reading.clone())
        };
        let number = started.map_err(words)?;
        let mut side = VersionSide::new(number, settings, reading, ground);
        let told = side.start(ground, Pick::Newest, 0);
        self.told.fact(KappaFact::VersionStarted {
            version: number,
            settings: settings.to_string(),
            arrived: ground.arrived,
        });
        if let Err(error) = told {
            let fact = side.crashed(ground, &mut self.kappa, CrashPoint::BeforeApply, 0);
            self.told.fact(fact);
            self.told.fact(refused(number, &error));
        }
        self.gate_told = false;
        if let Some((place, free)) = self.sides.iter_mut().enumerate().find(|(_, place)| place.is_none()) {
            *free = Some(side);
            self.history.placed(number, place);
        }
        Ok(())
    }

    fn switch(&mut self, ground: &Ground<'_>) -> Result<(), String> {
        let views_before = self.served_views();
        let Changeover { from, to } = self.kappa.switch().map_err(words)?;
        self.changed = self.side(to).map(|side| Changed {
            ticks: ground.tick.saturating_sub(side.started_at_tick),
            reads: side.spent().reads,
        });
        self.check_everything(ground);
        let fact = KappaFact::Switched {
            from,
            to,
            position: self.kappa.serving().map_or(0, |version| version.position().total()),
            views_before,
            views_after: self.served_views(),
            fingerprint: self.print(to, ground),
        };
        self.told.fact(fact);
        Ok(())
    }

    fn roll_back(&mut self, ground: &Ground<'_>) -> Result<(), String> {
        let Changeover { from, to } = self.kappa.roll_back().map_err(words)?;
        self.check_everything(ground);
        let position = self.kappa.serving().map_or(0, |version| version.position().total());
        self.told.fact(KappaFact::RolledBack { from, to, position });
        Ok(())
    }

    fn delete(&mut self, ground: &Ground<'_>, number: VersionNumber) -> Result<(), String> {
        let deleted = self.kappa.delete(number).map_err(words)?;
        let place =
            self.sides.iter_mut().find(|place| place.as_ref().is_some_and(|side| side.number == number));
        if let Some(mut side) = place.and_then(Option::take) {
            side.end();
            self.gone.add(&side.spent());
            self.gone_crashes += side.crashes;
            self.gone_read_again += super::read_again(&side);
        }
        let cells = deleted.view().speed().buckets.iter().map(|bucket| bucket.view.rows().len() as u64).sum();
        self.told.fact(KappaFact::Deleted { version: number, cells });
        if let Err(error) = delete_files(ground, number) {
            self.told.trouble("delete the checkpoints of the version", error.to_string());
        }
        Ok(())
    }

    fn crash(&mut self, ground: &Ground<'_>, number: VersionNumber, when: CrashWhen) -> Result<(), String> {
        match when {
            CrashWhen::At { point, record } => {
                let side = self.side_mut(number).ok_or_else(|| words(Refusal::Unknown(number)))?;
                side.arm(Armed { point, record });
            }
            CrashWhen::Now => {
                self.up(number)?;
                let place = self.sides.iter_mut().flatten().find(|side| side.number == number);
                if let Some(side) = place {
                    let position = side.position;
                    let fact = side.crashed(ground, &mut self.kappa, CrashPoint::BeforeApply, position);
                    self.told.fact(fact);
                }
            }
        }
        Ok(())
    }

    fn restore(&mut self, ground: &Ground<'_>, number: VersionNumber, pick: Pick) -> Result<(), String> {
        let place = self.sides.iter_mut().flatten().find(|side| side.number == number);
        let side = place.ok_or_else(|| words(Refusal::Unknown(number)))?;
        if !side.is_down() {
            return Err(format!("version {number} is not down"));
        }
        let fact = match side.restore(ground, &mut self.kappa, pick) {
            Ok(fact) => fact,
            Err(error) => refused(number, &error),
        };
        self.told.fact(fact);
        Ok(())
    }

    /// A version that is up.
    fn up(&mut self, number: VersionNumber) -> Result<&mut VersionSide, String> {
        let is_down = self.kappa.version(number).is_some_and(|version| version.health() == Health::Down);
        let side = self.side_mut(number).ok_or_else(|| words(Refusal::Unknown(number)))?;
        if is_down { Err(format!("version {number} is down")) } else { Ok(side) }
    }

    fn served_views(&self) -> u64 {
        self.kappa.serving().map_or(0, |version| version.view().merged_numbers().views)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
fn words(refusal: Refusal) -> String {
    refusal.to_string()
}

fn refused(version: VersionNumber, error: &StartError) -> KappaFact {
    let refused = match error {
        StartError::AllRefused(refused) => {
            refused.iter().map(|one| (one.file.clone(), one.reason.clone())).collect()
        }
        StartError::Disk(_) | StartError::Log(_) => vec![("-".to_owned(), error.to_string())],
    };
    KappaFact::RestoreRefused { version, refused }
}

fn delete_files(ground: &Ground<'_>, number: VersionNumber) -> std::io::Result<()> {
    let mut disk = (ground.plan.version_disk)(number)?;
    for (name, _) in disk.list()? {
        disk.remove(&name)?;
    }
    disk.sync_directory()
}

/// How a version with these settings reads the log of the run.
fn reading_of(ground: &Ground<'_>, settings: VersionSettings) -> Result<Reading, String> {
    let mapping = &ground.plan.mapping;
    let mut reading = Reading::as_loaded(ground.plan.rules);
    reading.days = settings.zone.map(crate::domain::ZoneName::days);
    if settings.duplicates.is_some() && mapping.id.is_none() {
        return Err("no id field is mapped: duplicates cannot be told".to_owned());
    }
    reading.ids = match settings.duplicates {
        None | Some(Duplicates::Drop) => Ids::Used,
        Some(Duplicates::Count) => Ids::Ignored,
    };
    if settings.no_user.is_some() && mapping.user.is_none() {
        return Err("no user field is mapped: every record counts".to_owned());
    }
    match settings.no_user {
        None => {}
        Some(NoUser::Skip) => reading.rules.anonymous = Anonymous::Skip,
        Some(NoUser::Count) => reading.rules.anonymous = Anonymous::Count,
    }
    if settings.uniques.is_some() && mapping.user.is_none() {
        return Err("no user field is mapped: there are no users to count".to_owned());
    }
    if settings.idle_after_records == Some(0) {
        return Err("a partition is idle after at least 1 record".to_owned());
    }
    let run = ground.plan.stream_rules.options;
    reading.options = StreamOptions {
        lateness: settings.lateness.unwrap_or(run.lateness),
        idle_after_records: settings.idle_after_records.unwrap_or(run.idle_after_records),
        uniques: settings.uniques.unwrap_or(run.uniques),
    };
    Ok(reading)
}
