//! Hand-made frames for tests and pictures: a small simulation of the story of `window.md`, no engine.

mod parts;
mod variants;

use std::sync::Arc;

use parts::{DAYS, PAGES, cost, groups, invariants};
pub(crate) use variants::{cells, density, fill_answers, wrong};

use crate::{
    app::{Happening, OpenFailure, Phase, Settings, State},
    checkpoint::CrashPoint,
    domain::Run,
    engine::{
        frame::{
            Approximation, Band, BandKind, BatchState, CheckpointInfo, Flow, Frame, LaneFrame, Loading, Mark,
            MarkKind, OutlinePoint, Point, Proof, StreamState, Totals,
        },
        protocol::{CheckpointId, Fact, Generation, Lacks, LaneId, LogSummary, RunId, RunSettings, Tick},
    },
};

const RATE: u64 = 170;
const LOG: u64 = 30_000;
const CRASH: u64 = 14_734;
const STEP: u64 = 10;

/// Where the story stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Untouched,
    FirstSeconds,
    Published,
    Crashed,
    Recovering,
    Replayed,
    Finished,
}

impl Moment {
    pub(crate) const ALL: [Moment; 7] = [
        Moment::Untouched,
        Moment::FirstSeconds,
        Moment::Published,
        Moment::Crashed,
        Moment::Recovering,
        Moment::Replayed,
        Moment::Finished,
    ];
}

pub(crate) fn totals(records: u64) -> Totals {
    let users = (records as f64).powf(0.72).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let users = users as u64;
    Totals { views: records, users, sum: i128::from(records) * 1_250_000 }
}

#[derive(Default)]
struct Story {
    tick: u64,
    arrived: u64,
    position: u64,
    served: u64,
    covers: u64,
    runs: u32,
    running: Option<(u64, u64)>,
    crashed_at: Option<u64>,
    replay: bool,
    repeated: u64,
    down: bool,
    series: Vec<Point>,
    marks: Vec<Mark>,
    bands: Vec<Band>,
    facts: Vec<Happening>,
    checkpoints: Vec<CheckpointInfo>,
}

impl Story {
    fn say(&mut self, fact: Fact) {
        self.facts.push(Happening { lane: LaneId(0), tick: Tick(self.tick), fact });
    }

    fn mark(&mut self, kind: MarkKind, record: u64) {
        self.marks.push(Mark { tick: self.tick, kind, record });
    }

    fn step(&mut self) {
        self.tick += STEP;
        self.arrived = (self.tick * RATE / 100).min(LOG);
        self.batch();
        if self.down {
            let since = self.crashed_at.unwrap_or_default();
            if let Some(band) = self.bands.iter_mut().rev().find(|band| band.kind == BandKind::Down) {
                band.to = self.tick;
            }
            if self.tick >= since + 800 {
                self.restore();
            }
        } else {
            self.stream();
        }
        self.point();
    }

    fn batch(&mut self) {
        match self.running {
            Some((cut, started)) if self.tick >= started + cut * 100 / 4_000 => {
                self.running = None;
                self.covers = cut;
                self.runs += 1;
                self.repeated = 0;
                self.mark(MarkKind::BatchPublished, cut);
                self.say(Fact::BatchPublished { cut, fingerprint: "f".repeat(32), late_counted: 0 });
            }
            Some(_) => {}
            None => {
                let due = (self.arrived / 4_000 * 4_000).max(if self.arrived == LOG { LOG } else { 0 });
                if due > self.covers {
                    self.running = Some((due, self.tick));
                    self.mark(MarkKind::BatchStarted, due);
                    self.bands.push(Band { from: self.tick, to: self.tick, kind: BandKind::BatchRun });
                }
            }
        }
        if self.running.is_some()
            && let Some(band) = self.bands.iter_mut().rev().find(|band| band.kind == BandKind::BatchRun)
        {
            band.to = self.tick;
        }
    }

    fn stream(&mut self) {
        let before = self.position;
        let mut next = (before + RATE * 2 * STEP / 100).min(self.arrived);
        if self.crashed_at.is_none() && next >= CRASH {
            next = CRASH;
        }
        let checkpoint = next / 1_000 * 1_000;
        if checkpoint > before {
            self.checkpoint(checkpoint);
        }
        self.position = next;
        if self.replay {
            if let Some(band) = self.bands.iter_mut().rev().find(|band| band.kind == BandKind::Replay) {
                band.to = self.tick;
            }
            if next >= CRASH {
                self.replay = false;
                self.mark(MarkKind::ReplayFinished, CRASH);
                self.say(Fact::ReplayFinished {
                    from: 14_000,
                    to: CRASH,
                    merged_views: CRASH,
                    recount_views: CRASH,
                    every_read_views: CRASH + 734,
                    late_missing: 0,
                    same_as_never_crashed: true,
                });
            }
        }
        if !self.replay {
            self.served = self.position;
        }
        if self.crashed_at.is_none() && next == CRASH {
            self.crash();
        }
    }

    fn checkpoint(&mut self, position: u64) {
        let id = CheckpointId(position / 1_000);
        self.mark(MarkKind::Checkpoint, position);
        self.say(Fact::CheckpointWritten { id, position, bytes: 48_000 + position });
        self.checkpoints.insert(
            0,
            CheckpointInfo {
                id,
                position,
                bytes: 48_000 + position,
                write_micros: 2_340,
                tick: self.tick,
                refused: None,
            },
        );
        self.checkpoints.truncate(3);
    }

    fn crash(&mut self) {
        self.point();
        self.down = true;
        self.crashed_at = Some(self.tick);
        self.position = 0;
        self.mark(MarkKind::StreamCrashed, CRASH);
        self.bands.push(Band { from: self.tick, to: self.tick, kind: BandKind::Down });
        self.say(Fact::StreamCrashed {
            point: CrashPoint::BeforeApply,
            position: CRASH,
            checkpoint: Some((CheckpointId(14), 14_000)),
            batch_covers: self.covers,
        });
    }

    fn restore(&mut self) {
        self.down = false;
        self.replay = true;
        self.repeated = 734;
        self.position = 14_000;
        self.mark(MarkKind::Restored, 14_000);
        self.bands.push(Band { from: self.tick, to: self.tick, kind: BandKind::Replay });
        self.say(Fact::Restored {
            checkpoint: Some(CheckpointId(14)),
            position: 14_000,
            replay_to: CRASH,
            refused: Vec::new(),
            dropped_below_batch: 0,
        });
    }

    fn stale(&self) -> bool {
        self.down || self.replay
    }

    fn point(&mut self) {
        let memory = (!self.down).then(|| totals(self.position.saturating_sub(self.covers)));
        self.series.push(Point {
            tick: self.tick,
            batch: totals(self.covers),
            memory,
            speed: totals(self.served.saturating_sub(self.covers)),
            merged: totals(self.served.max(self.covers)),
            recount: totals(self.served.max(self.covers)),
            every_read: (self.repeated > 0)
                .then(|| totals(self.position.saturating_sub(self.covers) + self.repeated)),
            stale: self.stale(),
        });
    }

    fn proof(&self) -> Proof {
        let to = self.position.max(self.served);
        let from = if self.crashed_at.is_some() { 14_000 } else { to / 1_000 * 1_000 };
        let (to, crash) = match self.crashed_at {
            Some(_) => (CRASH.max(from), Some(CRASH)),
            None => (to, None),
        };
        let run = |start: u64, end: u64, count| Run { start, end, count };
        let again = if self.crashed_at.is_some() && !self.down { self.position.min(CRASH) } else { from };
        let pieces = |count| {
            let mut runs = Vec::new();
            if again > from {
                runs.push(run(from, again, count));
            }
            if to > again {
                runs.push(run(again, to, 1));
            }
            runs
        };
        Proof {
            from,
            to,
            checkpoint: Some(from),
            crash,
            read: pieces(2),
            counted: if to > from { vec![run(from, to, 1)] } else { Vec::new() },
            every_read: pieces(2),
            excluded: 0,
        }
    }

    fn stream_state(&self) -> StreamState {
        if self.tick == 0 {
            StreamState::Ready
        } else if self.down {
            StreamState::Crashed {
                point: CrashPoint::BeforeApply,
                position: CRASH,
                checkpoint: Some((CheckpointId(14), 14_000)),
            }
        } else if self.replay {
            StreamState::Recovering { from: 14_000, to: CRASH }
        } else if self.position >= LOG {
            StreamState::Finished
        } else {
            StreamState::Running
        }
    }

    fn lane(&self) -> LaneFrame {
        let done = |cut: u64, started: u64| ((self.tick - started) * 40).min(cut);
        LaneFrame {
            lane: LaneId(0),
            settings: run_settings(),
            knobs: run_settings().knobs(),
            rate: RATE,
            arrived: self.arrived,
            log_records: LOG,
            stream: self.stream_state(),
            generation: Generation(if self.crashed_at.is_some() && !self.down { 2 } else { 1 }),
            position: self.position,
            served_position: self.served,
            stale: self.stale(),
            batch: self.running.map_or(BatchState::Waiting, |(cut, started)| BatchState::Running {
                cut,
                done: done(cut, started),
            }),
            batch_covers: self.covers,
            batch_runs: self.runs,
            batch_totals: totals(self.covers),
            memory_totals: (!self.down).then(|| totals(self.position.saturating_sub(self.covers))),
            speed_totals: totals(self.served.saturating_sub(self.covers)),
            merged_totals: totals(self.served.max(self.covers)),
            recount_totals: totals(self.served.max(self.covers)),
            arrived_totals: totals(self.arrived),
            log_totals: totals(LOG),
            fingerprints: Some(("4e1f00c2a9".repeat(3), "4e1f00c2a9".repeat(3))),
            series: self.series.clone().into(),
            outline: (0..=200)
                .map(|n| n * LOG / 200)
                .map(|records| OutlinePoint { tick: records * 100 / RATE, records, totals: totals(records) })
                .collect(),
            marks: self.marks.clone().into(),
            bands: self.bands.clone().into(),
            by_page: groups(self.covers, self.served, &PAGES),
            by_day: groups(self.covers, self.served, &DAYS),
            proof: Arc::new(self.proof()),
            checkpoints: self.checkpoints.clone().into(),
            invariants: invariants(self.tick),
            batch_cost: cost(
                4_000,
                u64::from(self.runs) * self.covers / 2,
                self.covers,
                self.arrived - self.covers,
            ),
            stream_cost: cost(340, self.served + self.repeated, self.served, self.arrived - self.served),
            approximation: Approximation::default(),
        }
    }
}

fn run_settings() -> RunSettings {
    RunSettings { batch_every_records: 4_000, ..RunSettings::for_log(31_106) }
}

pub(crate) fn summary() -> LogSummary {
    LogSummary {
        path: "/logs/shop".into(),
        partitions: vec!["web-1".into(), "web-2".into()],
        format: "JSON lines".into(),
        mapping: "page=url user=visitor time=ts (rfc 3339) value=amount".into(),
        has_users: true,
        has_values: true,
        zone: "UTC".into(),
        log: "/logs/shop".into(),
        mapping_options: [("page", "url"), ("user", "visitor"), ("time", "ts"), ("value", "amount")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        batch_command: "rederive batch /logs/shop --page url --user visitor".into(),
        stream_command: "rederive stream /logs/shop --page url --user visitor".into(),
        ..LogSummary::default()
    }
}

/// The state of the window at a moment of the story.
pub(crate) fn state(moment: Moment) -> State {
    let mut story = Story::default();
    story.say(Fact::Started);
    let mut steps = 0;
    while !reached(&story, moment) && steps < 30_000 {
        story.step();
        steps += 1;
    }
    if moment == Moment::Finished {
        story.say(Fact::Finished { merged_views: LOG, recount_views: LOG, digest: "9d41c07be2a1".repeat(2) });
    }
    let flow = match moment {
        Moment::Untouched => Flow::Paused,
        Moment::Finished => Flow::Finished,
        _ => Flow::Playing,
    };
    let frame = Frame {
        run: RunId(1),
        tick: Tick(story.tick),
        flow,
        pace_percent: 100,
        loading: Loading {
            records: LOG,
            bytes: 4_100_000,
            bytes_total: 4_100_000,
            complete: true,
            ..Loading::default()
        },
        lanes: vec![Arc::new(story.lane())],
        kappa: None,
    };
    State {
        run: RunId(1),
        phase: Phase::Open,
        summary: Some(Arc::new(summary())),
        frame: Some(Arc::new(frame)),
        facts: story.facts,
        ..State::new(settings(), examples())
    }
}

fn reached(story: &Story, moment: Moment) -> bool {
    match moment {
        Moment::Untouched => true,
        Moment::FirstSeconds => story.position >= 1_700,
        Moment::Published => story.covers >= 8_000 && story.position >= 10_200,
        Moment::Crashed => story.crashed_at.is_some_and(|at| story.tick >= at + 700),
        Moment::Recovering => story.replay && story.position >= 14_412,
        Moment::Replayed => story.crashed_at.is_some() && !story.stale() && story.position >= 14_900,
        Moment::Finished => story.covers >= LOG && story.position >= LOG,
    }
}

pub(crate) fn settings() -> Settings {
    Settings { recent: vec!["/logs/shop".into(), "/srv/access-logs/2024".into()], ..Settings::default() }
}

pub(crate) fn examples() -> Vec<crate::app::Example> {
    use crate::app::{Example, ExampleKind};
    vec![
        Example { kind: ExampleKind::Crash, path: "/examples/crash".into() },
        Example { kind: ExampleKind::Shop, path: "/examples/shop".into() },
    ]
}

/// Nothing opened yet.
pub(crate) fn empty() -> State {
    State::new(settings(), examples())
}

/// The directory is being read.
pub(crate) fn opening() -> State {
    State { run: RunId(1), phase: Phase::Opening("/logs/shop".into()), ..empty() }
}

/// Records are being loaded; what is there can be played.
pub(crate) fn loading() -> State {
    let mut state = state(Moment::Untouched);
    let mut frame = state.frame.as_deref().cloned().unwrap_or_default();
    frame.loading = Loading {
        records: 12_400,
        malformed: 3,
        bytes: 1_700_000,
        bytes_total: 4_100_000,
        ..Loading::default()
    };
    state.frame = Some(Arc::new(frame));
    state
}

/// It could not be opened.
pub(crate) fn failed() -> State {
    let why = "cannot guess the page field in \"/logs/shop\" (give --page); fields seen: \"at, who, what\"";
    let failure = OpenFailure { path: "/logs/shop".into(), why: why.into(), lacks: Lacks::Fields };
    State { run: RunId(1), phase: Phase::Failed(failure), ..empty() }
}
