//! What freshness costs: the open log is played under other intervals, each time from its start to its end, in memory.
//!
//! Staleness is simulated (ticks of run time), and so are reads, bytes and syncs; CPU time is measured. What a batch run
//! publishes is written as `rederive batch --out` writes it, to a disk in memory that counts. One question is one play, so a
//! sweep shows its progress, and ends when nobody asks for the next point.

use std::sync::Arc;

use super::{
    clock::Stopwatch,
    driver::Driver,
    export::{Format, TableRow, render, sums},
    lane::{Lane, LanePlan, Ticked},
    play::{lane_plan, memory_disk},
    protocol::{Answer, EngineEvent, Knobs, LayerPrice, MOST_SWEPT, PointOf, Swept, TradePoint},
    scenario::Scenario,
    session::Session,
    wanted::Wanted,
};
use crate::{
    checkpoint::{Disk as _, MemoryDisk, SinkSums, replace},
    ingest::{LogIndex, Mapping},
};

/// A run that cannot end is given up after this many ticks.
const MOST_TICKS: u64 = 2_000_000;

impl Session {
    /// Plays one point of the curve on the thread for answers.
    pub(super) fn answer_trade_off(&mut self, number: u64, point: PointOf) {
        let open = self.open.as_ref();
        let Some((open, index)) = open.and_then(|open| open.index.clone().map(|index| (open, index))) else {
            let why = "no log is open".to_owned();
            return self.tell(EngineEvent::Answered(number, Answer::Nothing(why)));
        };
        let PointOf { knobs, swept } = point;
        if !index.is_last() && (swept == Swept::Whole || index.len() < MOST_SWEPT) {
            let why = "the log is still being loaded".to_owned();
            return self.tell(EngineEvent::Answered(number, Answer::Nothing(why)));
        }
        let (scenario, mapping) = (open.scenario.clone(), open.mapping.clone());
        let wanted = self.wanted(number);
        self.answer_at_length(number, move || {
            let index = Arc::new(index.prefix(swept.most(u64::MAX)));
            Answer::TradeOff(Box::new(play_point(index, &scenario, &mapping, knobs, &wanted)))
        });
    }
}

/// Plays the log under these knobs, without the crashes and commands of the scenario.
fn play_point(
    index: Arc<LogIndex>,
    scenario: &Scenario,
    mapping: &Mapping,
    knobs: Knobs,
    wanted: &Wanted,
) -> TradePoint {
    let watch = Stopwatch::start();
    let bare = Scenario { commands: Vec::new(), faults: Vec::new(), ..scenario.clone() };
    let settings = scenario.settings.turned(knobs);
    let plan = LanePlan { settings, ..lane_plan(&bare, mapping, Driver::Inline, memory_disk()) };
    let records = index.len();
    let mut lane = Lane::new(plan, index);
    let (mut batch, mut stream) = (Age::default(), Age::default());
    let mut shelf = Shelf::new(sums(mapping));
    while wanted.is_wanted() && lane.tick_now().0 < MOST_TICKS {
        let ticked = lane.tick();
        shelf.take(&lane);
        if ticked != Ticked::On {
            break;
        }
        if lane.arrived == records {
            // After the last arrival a view only gets fresher: that would flatter whoever comes late.
            continue;
        }
        batch.take(lane.arrived.saturating_sub(lane.batch.covers));
        stream.take(lane.arrived.saturating_sub(lane.served()));
    }
    let rate = settings.rate;
    let disk = lane.stream.disk;
    TradePoint {
        knobs,
        records,
        took_millis: watch.micros() / 1_000,
        batch: LayerPrice {
            reads: lane.batch.reads,
            micros: lane.batch.micros + shelf.micros,
            bytes: shelf.disk.stats().bytes_written,
            fsyncs: shelf.disk.stats().fsyncs,
            ..batch.price(rate)
        },
        stream: LayerPrice {
            reads: lane.stream.reads,
            micros: lane.stream.micros,
            bytes: disk.bytes_written,
            fsyncs: disk.fsyncs,
            ..stream.price(rate)
        },
    }
}

/// Where published batch views are put: each replaces the one before, as a file of its own.
struct Shelf {
    disk: MemoryDisk,
    sums: SinkSums,
    runs: u32,
    /// CPU time of writing, measured.
    micros: u64,
}

impl Shelf {
    fn new(sums: SinkSums) -> Shelf {
        Shelf { disk: MemoryDisk::new(), sums, runs: 0, micros: 0 }
    }

    /// Writes what the lane has published since.
    fn take(&mut self, lane: &Lane) {
        const NAME: &str = "batch.csv";
        if lane.batch.runs == self.runs {
            return;
        }
        self.runs = lane.batch.runs;
        let watch = Stopwatch::start();
        let rows = lane.lambda.batch().view.canonical(lane.index.keys());
        let rows: Vec<TableRow<'_>> = rows.iter().map(TableRow::from).collect();
        let text = render(&rows, Format::Csv, self.sums);
        // A disk in memory does not fail.
        let _written = replace(&mut self.disk, NAME, text.as_bytes());
        self.micros += watch.micros();
    }
}

/// How far a view was behind, over the ticks of a run.
#[derive(Debug, Clone, Copy, Default)]
struct Age {
    ticks: u64,
    missing: u128,
    most: u64,
}

impl Age {
    fn take(&mut self, missing: u64) {
        self.ticks += 1;
        self.missing += u128::from(missing);
        self.most = self.most.max(missing);
    }

    /// Records behind as run time, at the rate at which they arrive.
    fn price(self, rate: u64) -> LayerPrice {
        let micros =
            |records: u128| u64::try_from(records * 1_000_000 / u128::from(rate.max(1))).unwrap_or(u64::MAX);
        let mean = self.missing * 1_000 / u128::from(self.ticks.max(1));
        LayerPrice {
            mean_age_micros: micros(mean) / 1_000,
            most_age_micros: micros(u128::from(self.most)),
            mean_missing_thousandths: u64::try_from(mean).unwrap_or(u64::MAX),
            ..LayerPrice::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::play::open_log;

    fn point(knobs: Knobs) -> TradePoint {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/clicks");
        let open = open_log(&path, &[]).unwrap();
        let point =
            play_point(Arc::clone(&open.index), &open.scenario, &open.mapping, knobs, &Wanted::default());
        // What was measured is another number each time.
        let quiet = |price: LayerPrice| LayerPrice { micros: 0, ..price };
        TradePoint { batch: quiet(point.batch), stream: quiet(point.stream), took_millis: 0, ..point }
    }

    /// Bytes of the view over the whole log, as a file.
    fn open_view_bytes() -> u64 {
        use crate::engine::recount::Recount;
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/clicks");
        let open = open_log(&path, &[]).unwrap();
        let mut recount = Recount::new(open.mapping.rules());
        let rows = recount.view(&open.index, open.index.len()).canonical(open.index.keys());
        let rows: Vec<TableRow<'_>> = rows.iter().map(TableRow::from).collect();
        render(&rows, Format::Csv, sums(&open.mapping)).len() as u64
    }

    #[test]
    fn fresher_views_cost_more_and_a_play_repeats() {
        let base = Knobs { batch_every: 8, micro_batch: 1, checkpoint_every: 5 };
        let now = point(base);
        assert_eq!(now, point(base), "all but CPU time is simulated");
        let often = point(Knobs { batch_every: 2, ..base });
        assert!(often.batch.mean_age_micros < now.batch.mean_age_micros, "{often:?} {now:?}");
        assert!(often.batch.reads > now.batch.reads, "each batch run reads everything anew");
        // 20 records: runs at 8, 16 and the end; a file and a directory for each. The last view is the longest.
        assert_eq!(now.batch.fsyncs, 2 * 3, "{now:?}");
        assert!(often.batch.fsyncs > now.batch.fsyncs && often.batch.bytes > now.batch.bytes);
        let end = open_view_bytes();
        assert!((end..=3 * end).contains(&now.batch.bytes), "{now:?} {end}");
        let coarse = point(Knobs { micro_batch: 5, ..base });
        assert!(coarse.stream.mean_age_micros > now.stream.mean_age_micros, "{coarse:?} {now:?}");
        assert!(coarse.stream.bytes < now.stream.bytes, "rows of one micro-batch are written once");
        let safe = point(Knobs { checkpoint_every: 1, ..base });
        assert!(safe.stream.fsyncs > now.stream.fsyncs && safe.stream.bytes > now.stream.bytes);
        assert_eq!(
            safe.stream.mean_age_micros, now.stream.mean_age_micros,
            "checkpoints make nothing fresher"
        );
        assert!(now.stream.mean_age_micros < now.batch.mean_age_micros);
    }
}
