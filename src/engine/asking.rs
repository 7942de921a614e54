//! Questions to the serving layer: answered from a few cells at once, then held against a scan of the raw log.

use std::sync::Arc;

use super::{
    clock::Stopwatch,
    frame::Totals,
    lane_sides::StreamPhase,
    protocol::{Answer, Asked, AskedDay, EngineEvent, MOST_DAYS, Parts},
    session::Session,
};
use crate::{
    analysis::{find_pages, scan_log},
    domain::{Day, KeyId},
    serving::{Numbers, Reading, read_cells},
};

impl Session {
    /// Reads the cells now, as one snapshot of both layers; the scan follows on the thread for answers.
    pub(super) fn answer_asked(&mut self, number: u64, page: &str, from: Day, to: Day) {
        let days = i64::from(to.0) - i64::from(from.0);
        if !(1..=i64::from(MOST_DAYS)).contains(&days) {
            let why = format!("ask for 1 to {MOST_DAYS} days");
            return self.tell(EngineEvent::Answered(number, Answer::Nothing(why)));
        }
        let lane = self.open.as_ref().and_then(|open| open.lane.as_ref());
        let Some(lane) = lane else {
            let why = "nothing is there yet".to_owned();
            return self.tell(EngineEvent::Answered(number, Answer::Nothing(why)));
        };
        let index = Arc::clone(&lane.index);
        let key = index.keys().find(page).map(KeyId);
        let watch = Stopwatch::start();
        let reading =
            key.map(|key| read_cells(&lane.lambda, index.users(), key, from, to)).unwrap_or_default();
        let mut asked = answer_of(&reading, watch.nanos());
        asked.is_known = key.is_some();
        asked.tick = lane.tick_now();
        asked.batch_covers = lane.batch.covers;
        asked.covers = lane.covers();
        asked.arrived = lane.arrived;
        let is_down = matches!(lane.stream.phase, StreamPhase::Crashed { .. });
        asked.is_stale = is_down || lane.is_replaying();
        asked.write_reads = lane.batch.reads + lane.stream.reads;
        self.answer_later(number, move || {
            let watch = Stopwatch::start();
            // A page that nobody knows is looked for in vain, in every record.
            let key = key.unwrap_or(KeyId(u32::MAX - 1));
            let scanned = scan_log(&index, asked.covers, key, from, to);
            asked.scan_nanos = watch.nanos();
            asked.scan_records = scanned.records;
            let totals = scanned.totals;
            asked.scan = Totals { views: totals.views, users: totals.users, sum: totals.sum };
            Answer::Asked(Box::new(asked))
        });
    }

    /// Names of pages, for whoever types one.
    pub(super) fn answer_pages(&mut self, number: u64, text: String, most: u32) {
        let Some(index) = self.open.as_ref().and_then(|open| open.index.clone()) else {
            let why = "no log is open".to_owned();
            return self.tell(EngineEvent::Answered(number, Answer::Nothing(why)));
        };
        self.answer_later(number, move || {
            let (names, total) = find_pages(&index, &text, usize::try_from(most).unwrap_or(usize::MAX));
            Answer::Pages { names, total }
        });
    }
}

fn answer_of(reading: &Reading, read_nanos: u64) -> Asked {
    let parts = |batch: Numbers, merged: Numbers| Parts { final_totals: batch.into(), merged: merged.into() };
    let day = |of: &crate::serving::DayReading| AskedDay { day: of.day, parts: parts(of.batch, of.merged) };
    Asked {
        parts: parts(reading.batch, reading.merged),
        days: reading.days.iter().map(day).collect(),
        batch_cells: reading.batch_cells,
        speed_cells: reading.speed_cells,
        read_nanos,
        ..Asked::default()
    }
}
