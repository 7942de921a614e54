//! The trade-off: how stale each layer's view is against what a record costs, over a grid of intervals.
//!
//! The engine plays one point a question; asking for the next one is what keeps a sweep going, not asking ends it.

use std::collections::VecDeque;

use super::{
    Effect, Look, State,
    format::{self, thousands},
    update::say,
    update_command::ask,
};
use crate::engine::protocol::{
    Answer, Command, Knobs, LayerPrice, PointOf, Query, RunSettings, Swept, TradePoint,
};

/// Records a micro-batch that are tried, beside the present ones.
const MICRO_BATCHES: [u64; 8] = [1, 2, 5, 10, 25, 100, 250, 1_000];

/// What a record costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Price {
    /// CPU time, measured.
    #[default]
    Cpu,
    /// How often it is read.
    Reads,
    /// Bytes written.
    Bytes,
    /// Files synced.
    Syncs,
}

impl Price {
    /// All, in order.
    pub const ALL: [Price; 4] = [Price::Cpu, Price::Reads, Price::Bytes, Price::Syncs];

    /// In the window.
    pub fn name(self) -> &'static str {
        match self {
            Price::Cpu => "CPU time",
            Price::Reads => "reads",
            Price::Bytes => "bytes written",
            Price::Syncs => "files synced",
        }
    }

    /// With its unit, for an axis.
    pub fn unit(self) -> &'static str {
        match self {
            Price::Cpu => "µs of CPU a record, measured",
            Price::Reads => "reads of each record, simulated",
            Price::Bytes => "bytes written a record, simulated",
            Price::Syncs => "files synced a record, simulated",
        }
    }

    /// Of one record.
    pub fn of(self, price: &LayerPrice, records: u64) -> f64 {
        let amount = match self {
            Price::Cpu => price.micros,
            Price::Reads => price.reads,
            Price::Bytes => price.bytes,
            Price::Syncs => price.fsyncs,
        };
        amount as f64 / records.max(1) as f64
    }
}

/// Which of the two families a point belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The batch layer, by its interval.
    Batch,
    /// The stream layer, by micro-batch and checkpoint interval.
    Stream,
}

/// What the look holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TradeOffPage {
    /// What a record is priced in.
    pub price: Price,
    /// The knobs as they are turned; the run has its own until it is played again.
    pub knobs: Knobs,
    /// Values of each knob, rising.
    pub stops: Stops,
    /// Points played so far.
    pub points: Vec<TradePoint>,
    /// Points to play.
    pub todo: VecDeque<Knobs>,
    /// How much of the log is played for a point.
    pub swept: Swept,
    /// Whether points are being played.
    pub is_sweeping: bool,
    /// The same over the other part of the log, once it was chosen.
    aside: Option<Sweep>,
    /// Settings of the run and records of the log that all of this is about.
    about: Option<(RunSettings, u64)>,
}

/// What was played over a part of the log, and what is still to be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sweep {
    swept: Swept,
    stops: Stops,
    points: Vec<TradePoint>,
    todo: VecDeque<Knobs>,
}

/// The values that each knob can be turned to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stops {
    /// Records between batch runs.
    pub batch_every: Vec<u64>,
    /// Records a micro-batch.
    pub micro_batch: Vec<u64>,
    /// Records between checkpoints.
    pub checkpoint_every: Vec<u64>,
}

/// Turned or chosen in the look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeOffEdit {
    /// Price records in this.
    Price(Price),
    /// Turn the knobs.
    Knobs(Knobs),
    /// Play so much of the log for a point.
    Swept(Swept),
    /// Play the points that are missing.
    Sweep,
    /// Play no further point.
    Stop,
    /// Play the run again with the knobs as they are turned.
    Play,
}

impl Stops {
    /// Values around those of the run, as far as a log of `records` records can tell them apart.
    fn around(now: Knobs, records: u64) -> Stops {
        let times = |value: u64, factors: &[(u64, u64)], most: u64| {
            let scaled = factors.iter().map(|&(up, down)| value.saturating_mul(up) / down);
            rising(scaled.filter(|&value| (1..=most.max(1)).contains(&value)).chain([value]))
        };
        let batch = times(now.batch_every, &[(1, 8), (1, 4), (1, 2), (2, 1), (4, 1)], records / 2);
        let checkpoints = times(now.checkpoint_every, &[(1, 8), (1, 2), (4, 1)], records / 2);
        let micro = MICRO_BATCHES.into_iter().filter(|&size| size <= (records / 16).max(1));
        Stops {
            batch_every: batch,
            micro_batch: rising(micro.chain([now.micro_batch])),
            checkpoint_every: checkpoints,
        }
    }

    /// Every point of the two families, those on the curves of the run first.
    fn grid(&self, now: Knobs) -> VecDeque<Knobs> {
        let batch = self.batch_every.iter().map(|&batch_every| Knobs { batch_every, ..now });
        let stream = |checkpoint_every: u64| {
            let point = move |&micro_batch: &u64| Knobs { micro_batch, checkpoint_every, ..now };
            self.micro_batch.iter().map(point)
        };
        let others = self.checkpoint_every.iter().copied().filter(|&every| every != now.checkpoint_every);
        let mut grid = VecDeque::from([now]);
        let all = batch.chain(stream(now.checkpoint_every)).chain(others.flat_map(stream));
        for point in all {
            if !grid.contains(&point) {
                grid.push_back(point);
            }
        }
        grid
    }
}

fn rising(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut values: Vec<u64> = values.filter(|&value| value > 0).collect();
    values.sort_unstable();
    values.dedup();
    values
}

impl TradeOffPage {
    /// The point of the batch layer at these knobs: micro-batches do not matter to it.
    pub fn batch_point(&self, knobs: Knobs, now: Knobs) -> Option<&TradePoint> {
        let wanted = Knobs { batch_every: knobs.batch_every, ..now };
        self.points.iter().find(|point| point.knobs == wanted)
    }

    /// The point of the stream layer at these knobs: the batch interval does not matter to it.
    pub fn stream_point(&self, knobs: Knobs, now: Knobs) -> Option<&TradePoint> {
        let wanted = Knobs { batch_every: now.batch_every, ..knobs };
        self.points.iter().find(|point| point.knobs == wanted)
    }

    /// Points of a family by knob, each curve in rising order of its knob: one for batch, one a checkpoint interval for
    /// the stream.
    pub fn curves(&self, family: Family, now: Knobs) -> Vec<Vec<&TradePoint>> {
        match family {
            Family::Batch => {
                let knob = |&batch_every: &u64| Knobs { batch_every, ..now };
                vec![self.stops.batch_every.iter().filter_map(|at| self.batch_point(knob(at), now)).collect()]
            }
            Family::Stream => {
                let curve = |&checkpoint_every: &u64| {
                    let knob = |&micro_batch: &u64| Knobs { micro_batch, checkpoint_every, ..now };
                    self.stops.micro_batch.iter().filter_map(|at| self.stream_point(knob(at), now)).collect()
                };
                self.stops.checkpoint_every.iter().map(curve).collect()
            }
        }
    }

    /// Points played, and points in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.points.len(), self.points.len() + self.todo.len())
    }

    /// How long the points that are missing will take, as long as they take on average; nothing where none was played.
    pub fn left_millis(&self) -> Option<u64> {
        let played = self.points.len() as u64;
        let took: u64 = self.points.iter().map(|point| point.took_millis).sum();
        took.saturating_mul(self.todo.len() as u64).checked_div(played)
    }

    /// Takes up another part of the log; what was played over the one before is kept aside.
    fn choose(&mut self, swept: Swept, (now, records): (Knobs, u64)) {
        let before = Sweep {
            swept: self.swept,
            stops: std::mem::take(&mut self.stops),
            points: std::mem::take(&mut self.points),
            todo: std::mem::take(&mut self.todo),
        };
        self.swept = swept;
        let known = self.aside.take().filter(|aside| aside.swept == swept);
        let stops = known.as_ref().map(|known| known.stops.clone());
        let stops = stops.unwrap_or_else(|| Stops::around(now, swept.most(records)));
        self.points = known.map(|known| known.points).unwrap_or_default();
        self.todo = self.missing(&stops, now);
        self.stops = stops;
        self.aside = Some(before);
    }

    /// The points around the run that were not played.
    fn missing(&self, stops: &Stops, now: Knobs) -> VecDeque<Knobs> {
        let is_known = |knobs: &Knobs| self.points.iter().any(|point| point.knobs == *knobs);
        stops.grid(now).into_iter().filter(|knobs| !is_known(knobs)).collect()
    }
}

/// The look was opened, or another run came: what is known of other knobs or another log is forgotten.
pub(super) fn opened(state: &mut State) -> Vec<Effect> {
    let Some((settings, records)) = state.lane().map(|lane| (lane.settings, lane.log_records)) else {
        return Vec::new();
    };
    let now = settings.knobs();
    if state.look != Look::TradeOff || !state.frame.as_ref().is_some_and(|frame| frame.loading.complete) {
        return Vec::new();
    }
    let mine = &mut state.answers.trade_off;
    if mine.about == Some((settings, records)) {
        return next(state);
    }
    let same_log = mine.about.is_some_and(|(before, of)| of == records && before.turned(now) == settings);
    // Another log is looked at in part first: it may be far longer.
    let swept = if same_log { mine.swept } else { Swept::default() };
    let stops = if same_log { mine.stops.clone() } else { Stops::around(now, swept.most(records)) };
    if !same_log {
        mine.points.clear();
        mine.aside = None;
        // A point that is still under way is of the settings before.
        state.answers.pending.retain(|(_, query)| !matches!(query, Query::TradeOff(_)));
    }
    let mine = &mut state.answers.trade_off;
    (mine.about, mine.swept) = (Some((settings, records)), swept);
    let todo = mine.missing(&stops, now);
    (mine.knobs, mine.stops, mine.todo, mine.is_sweeping) = (now, stops, todo, true);
    next(state)
}

/// The look was left: a point that is under way is given up, and played when somebody looks again.
pub(super) fn left(state: &State) -> Vec<Effect> {
    let asked = state.answers.pending.iter().filter(|(_, query)| matches!(query, Query::TradeOff(_)));
    asked.map(|(number, _)| Effect::Send(Command::Withdraw(*number))).collect()
}

/// Asks for the next point, where points are to be played and none is under way.
fn next(state: &mut State) -> Vec<Effect> {
    let is_asking = state.answers.pending.iter().any(|(_, query)| matches!(query, Query::TradeOff(_)));
    let mine = &mut state.answers.trade_off;
    if is_asking || !mine.is_sweeping || state.look != Look::TradeOff {
        return Vec::new();
    }
    let Some(&point) = mine.todo.front() else {
        mine.is_sweeping = false;
        return Vec::new();
    };
    let swept = mine.swept;
    ask(state, Query::TradeOff(PointOf { knobs: point, swept }))
}

/// Takes a point, and asks for the next one.
pub(super) fn answered(state: &mut State, of: PointOf, answer: Answer) -> Vec<Effect> {
    let mine = &mut state.answers.trade_off;
    let PointOf { knobs, swept } = of;
    match answer {
        Answer::TradeOff(point) if mine.swept == swept && mine.todo.contains(&knobs) => {
            mine.todo.retain(|point| *point != knobs);
            mine.points.push(*point);
        }
        // A point of a grid that was given up, or one that was given up itself.
        Answer::TradeOff(_) | Answer::Replaced => {}
        _ => mine.is_sweeping = false,
    }
    next(state)
}

/// Something was turned or chosen.
pub(super) fn edited(state: &mut State, edit: TradeOffEdit) -> Vec<Effect> {
    let mine = &mut state.answers.trade_off;
    match edit {
        TradeOffEdit::Price(price) => mine.price = price,
        TradeOffEdit::Knobs(knobs) => mine.knobs = knobs,
        TradeOffEdit::Stop => {
            mine.is_sweeping = false;
            return left(state);
        }
        TradeOffEdit::Swept(swept) => {
            let about = mine.about.map(|(settings, records)| (settings.knobs(), records));
            let Some(about) = about.filter(|_| mine.swept != swept) else { return Vec::new() };
            mine.choose(swept, about);
            mine.is_sweeping = true;
            // A point that is under way is of the other part: the first one of this takes its place.
            state.answers.pending.retain(|(_, query)| !matches!(query, Query::TradeOff(_)));
            return next(state);
        }
        TradeOffEdit::Sweep => {
            mine.is_sweeping = true;
            return next(state);
        }
        TradeOffEdit::Play => {
            let knobs = mine.knobs;
            let Some(settings) = state.lane().map(|lane| lane.settings.turned(knobs)) else {
                return Vec::new();
            };
            state.look = Look::OverRun;
            state.fits += 1;
            say(
                state,
                format!(
                    "Played again with {}, {} and {}.",
                    every(knobs.batch_every, "batch run"),
                    micro_batches(knobs.micro_batch),
                    every(knobs.checkpoint_every, "checkpoint")
                ),
            );
            return vec![Effect::Send(Command::Resettle(settings)), Effect::Send(Command::Play)];
        }
    }
    Vec::new()
}

fn every(records: u64, what: &str) -> String {
    format!("a {what} every {}", format::records(records))
}

fn micro_batches(records: u64) -> String {
    format!("micro-batches of {}", thousands(records))
}

/// A share with as many decimals as it needs: `0.004`, `3.1`, `184`.
pub fn amount(value: f64) -> String {
    match value {
        _ if value == 0.0 => "0".to_owned(),
        _ if value < 0.1 => format!("{value:.4}"),
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// How old a view is, from microseconds: `4 ms`, `12.3 s`.
pub fn age(micros: u64) -> String {
    match micros {
        0..1_000 => "under 1 ms".to_owned(),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{} s", thousands(micros / 1_000_000), micros / 100_000 % 10),
    }
}

/// What a layer says at its knobs, in words.
pub fn in_words(family: Family, point: &TradePoint) -> String {
    let of = |price: Price, layer: &LayerPrice| amount(price.of(layer, point.records));
    match family {
        Family::Batch => format!(
            "Batch run every {}: its view is {} old on average, {} at most; each record is read {} times and costs {} µs of CPU, {} bytes and {} syncs.",
            format::records(point.knobs.batch_every),
            age(point.batch.mean_age_micros),
            age(point.batch.most_age_micros),
            of(Price::Reads, &point.batch),
            of(Price::Cpu, &point.batch),
            of(Price::Bytes, &point.batch),
            of(Price::Syncs, &point.batch),
        ),
        Family::Stream => format!(
            "Micro-batches of {}, checkpoint every {}: the view is {} old on average, {} at most; each record costs {} µs of CPU, {} bytes and {} syncs.",
            thousands(point.knobs.micro_batch),
            format::records(point.knobs.checkpoint_every),
            age(point.stream.mean_age_micros),
            age(point.stream.most_age_micros),
            of(Price::Cpu, &point.stream),
            of(Price::Bytes, &point.stream),
            of(Price::Syncs, &point.stream),
        ),
    }
}

/// How long something will take, about.
pub fn about(millis: u64) -> String {
    match millis.div_ceil(1_000) {
        seconds @ 0..90 => format!("about {} s", seconds.max(1)),
        seconds => format!("about {} min", seconds.div_ceil(60)),
    }
}

/// How much is played for a point.
pub fn played(records: u64, log_records: u64) -> String {
    if records < log_records {
        format!("Each point plays the first {} of {}", thousands(records), format::records(log_records))
    } else {
        format!("Each point plays all {}", format::records(records))
    }
}

#[cfg(test)]
#[path = "trade_off_tests.rs"]
mod tests;
