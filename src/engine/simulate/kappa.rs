//! What a random plan does to the Kappa lane, and what its readers must never see.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{faulty_disk, strip_problem};
use crate::{
    checkpoint::{CrashPoint, GuaranteeId, SharedDisk},
    domain::{Lateness, Offsets, Uniques, ZoneName},
    engine::{
        lane::{Lane, OpenVersionDisk},
        protocol::{
            CheckpointId, CrashWhen, DayCauses, Duplicates, KappaCommand, LaneCommand, NoUser, VersionNumber,
            VersionSettings,
        },
        read_model::ReadModel,
        rng::RandomStream,
    },
    serving::Health,
};

/// Versions that a plan starts at most: a run has to come to its end.
const MOST_VERSIONS: u64 = 4;

/// Crashes of versions that it plans at most.
const MOST_CRASHES: u64 = 8;

/// What the guarantee of a plan promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promises {
    /// Views are what they should be.
    ExactlyOnce,
    /// They may be anything, as long as the run comes to its end.
    Little,
}

impl Promises {
    /// Of a guarantee.
    pub(super) fn of(guarantee: GuaranteeId) -> Promises {
        if guarantee.is_exactly_once() { Promises::ExactlyOnce } else { Promises::Little }
    }
}

/// The disks of the versions, with faults as that of the stream.
#[derive(Clone, Default)]
pub(super) struct VersionDisks(Arc<Mutex<BTreeMap<VersionNumber, SharedDisk>>>);

impl VersionDisks {
    /// Opens the checkpoint directory of a version.
    pub(super) fn open(&self, seed: u64) -> OpenVersionDisk {
        let shared = self.clone();
        let opened = Mutex::new(BTreeMap::new());
        Box::new(move |version| {
            let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
            let open = opened.entry(version).or_insert_with(|| {
                let (open, disk) = faulty_disk(seed, &format!("disk of version {version}"));
                shared.0.lock().unwrap_or_else(PoisonError::into_inner).insert(version, disk);
                open
            });
            open()
        })
    }

    /// The machines of all versions went down: what was not synced is gone.
    fn power_failure(&self) {
        let disks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        disks.values().for_each(SharedDisk::power_failure);
    }
}

/// The plan of a seed for its Kappa lane.
pub(super) struct KappaPlan {
    draws: RandomStream,
    disks: VersionDisks,
    /// Three seeds in ten have such a lane.
    has_lane: bool,
    crashes: u64,
    /// What a reader has seen so far.
    seen: Option<Offsets>,
}

impl KappaPlan {
    /// Of a seed.
    pub(super) fn new(seed: u64, disks: VersionDisks) -> KappaPlan {
        let mut draws = RandomStream::new(seed, "kappa commands");
        let has_lane = draws.chance(30);
        KappaPlan { draws, disks, has_lane, crashes: 0, seen: None }
    }

    /// What is asked of the lane at this tick, if anything.
    pub(super) fn next_command(&mut self, lane: &Lane) -> Option<LaneCommand> {
        if !self.has_lane {
            return None;
        }
        self.next(lane).map(LaneCommand::Kappa)
    }

    fn next(&mut self, lane: &Lane) -> Option<KappaCommand> {
        let draws = &mut self.draws;
        let Some(kappa) = &lane.kappa else { return draws.chance(4).then_some(KappaCommand::Start) };
        let crashes = kappa.crashes();
        if crashes > self.crashes {
            self.crashes = crashes;
            if draws.chance(30) {
                self.disks.power_failure();
            }
        }
        // Liveness: sooner or later somebody restores what is down, and deletes what does not serve.
        let down = kappa.kappa.versions().find(|version| version.health() == Health::Down);
        if let Some(version) = down.map(crate::serving::Version::number)
            && draws.chance(3)
        {
            return Some(match draws.below(10) {
                0 => KappaCommand::RestoreFromStart(version),
                1..4 => KappaCommand::Restore { version, checkpoint: Some(CheckpointId(1 + draws.below(8))) },
                _ => KappaCommand::Restore { version, checkpoint: None },
            });
        }
        let started = kappa.started();
        let version = VersionNumber(u32::try_from(1 + draws.below(started.max(1))).unwrap_or(1));
        match draws.below(240) {
            0..8 if started < MOST_VERSIONS => Some(KappaCommand::StartVersion(any_settings(draws))),
            8..11 if crashes < MOST_CRASHES => Some(KappaCommand::Crash { version, when: CrashWhen::Now }),
            11..16 if crashes < MOST_CRASHES => {
                let point = usize::try_from(draws.below(6)).unwrap_or(0);
                let point = CrashPoint::ALL.get(point).copied().unwrap_or_default();
                let when = CrashWhen::At { point, record: draws.below(lane.log_records()) };
                Some(KappaCommand::Crash { version, when })
            }
            16..19 => Some(KappaCommand::Checkpoint(version)),
            19..27 => Some(KappaCommand::Switch),
            27..30 => Some(KappaCommand::RollBack),
            30..33 => kappa.kappa.other().map(|(_, other)| KappaCommand::Delete(other.number())),
            // What must be refused: whatever is asked for, readers keep a view.
            33 => Some(KappaCommand::Delete(version)),
            34 => Some(KappaCommand::Start),
            _ => None,
        }
    }

    /// What a reader must never see: a record that was there and is not there any more. That none is missing or counts
    /// twice below where the view stands is among the invariants.
    pub(super) fn seen_problem(&mut self, lane: &Lane) -> Option<String> {
        let serving = lane.kappa.as_ref().and_then(|kappa| kappa.kappa.serving());
        let Some(serving) = serving else {
            return self.seen.is_some().then(|| "readers of the Kappa lane are left with nothing".to_owned());
        };
        let now = serving.position().clone();
        let went_back = self.seen.as_ref().is_some_and(|seen| !seen.is_at_most(&now));
        let before = self.seen.replace(now.clone()).unwrap_or_default();
        went_back.then(|| {
            let (number, before) = (serving.number(), before.as_slice());
            format!("a reader saw records up to {before:?}, then version {number} up to {:?}", now.as_slice())
        })
    }
}

/// What pictures and comparisons of the lane must never show.
pub(super) fn picture_problem(lane: &mut Lane, model: &ReadModel, promises: Promises) -> Option<String> {
    let frame = lane.kappa_frame(model);
    let strip = frame.as_ref().and_then(|frame| frame.proof.as_ref());
    if let Some(problem) = strip.and_then(|(_, strip)| strip_problem(strip)) {
        return Some(problem);
    }
    if let Some(frame) = &frame
        && let (Some(serving), Some((_, other))) = (&frame.serving, &frame.other)
    {
        for groups in [&frame.by_page, &frame.by_day] {
            let sums =
                groups.iter().fold((0, 0), |sum, row| (sum.0 + row.serving.views, sum.1 + row.other.views));
            if sums != (serving.totals.views, other.totals.views) {
                return Some(format!("groups of two versions have {sums:?} page views, their totals differ"));
            }
        }
    }
    let found = lane.comparison().filter(|_| promises == Promises::ExactlyOnce)?.differences();
    let mut all = found.days.iter().chain([&found.total]);
    all.find(|group| !adds_up(group))
        .map(|group| format!("two versions differ beyond their causes: {group:?}"))
}

fn adds_up(group: &DayCauses) -> bool {
    let views: i64 = group.causes.iter().map(|part| part.views).sum();
    let users: i64 = group.causes.iter().map(|part| part.users).sum();
    views == group.first.views.cast_signed() - group.second.views.cast_signed()
        && users == group.first.users.cast_signed() - group.second.users.cast_signed()
        && group.causes.iter().all(|part| part.cause != "unexplained")
}

fn any_settings(draws: &mut RandomStream) -> VersionSettings {
    let zone = match draws.below(4) {
        0 => ZoneName::parse("Asia/Tokyo").ok(),
        1 => ZoneName::parse("America/New_York").ok(),
        2 => Some(ZoneName::UTC),
        _ => None,
    };
    let duplicates = [None, Some(Duplicates::Drop), Some(Duplicates::Count)];
    let no_user = [None, Some(NoUser::Skip), Some(NoUser::Count)];
    let uniques = [None, Some(Uniques::Set), Some(Uniques::Hll)];
    let hours = draws.below(30);
    let lateness = [None, Some(Lateness::Unbounded), Some(Lateness::Within(hours * 3_600_000_000_000))];
    let mut pick = || usize::try_from(draws.below(3)).unwrap_or(0);
    VersionSettings {
        zone,
        duplicates: duplicates.get(pick()).copied().flatten(),
        no_user: no_user.get(pick()).copied().flatten(),
        uniques: uniques.get(pick()).copied().flatten(),
        lateness: lateness.get(pick()).copied().flatten(),
        idle_after_records: draws.chance(50).then(|| 1 + draws.below(60)),
    }
}
