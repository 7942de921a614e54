//! What a hand-over counts, twice or nowhere: one pass over the columns of the log, for a person who drags its handles.
//!
//! The same rule decides as in `rederive merge` ([`Boundary::counted_by`]); instead of views cell by cell there are
//! totals, a byte a user, and bins along each partition.

use std::sync::Arc;

use super::{
    describe::merge_command,
    protocol::{Answer, HandoverAnswer, HandoverBin, HandoverPartition, HandoverPoint, HandoverSetup, Tick},
    recount::each_record,
    session::Session,
};
use crate::{
    domain::{
        EventTime, LateRecords, Lateness, NameTable as _, Offsets, PartitionIndex, StreamRules, UserId,
        Verdict,
    },
    ingest::LogIndex,
    serving::{Boundary, BoundaryRule, CountedBy, LateReader, SpeedStart, sketched},
};

/// Bins of the longest partition; fewer where there are many partitions.
const BINS: u64 = 240;
/// Bins over all partitions.
const MOST_BINS: u64 = 48_000;
/// Points of the course.
const POINTS: u64 = 240;

const IN_BATCH: u8 = 1;
const IN_SPEED: u8 = 2;
const IN_RECOUNT: u8 = 4;

/// A question with all that its answer needs.
#[derive(Debug, Clone)]
pub(super) struct HandoverQuestion {
    pub index: Arc<LogIndex>,
    pub setup: HandoverSetup,
    /// What the published batch view covers.
    pub published: Offsets,
    /// How far the served speed view goes.
    pub position: Offsets,
    /// Records that have arrived.
    pub arrived: u64,
    pub tick: Tick,
    /// What the stream drops.
    pub late: LateRecords,
}

impl Session {
    pub(super) fn answer_handover(&mut self, number: u64, setup: &HandoverSetup) {
        let open = self.open.as_ref();
        let Some((open, lane)) = open.and_then(|open| Some((open, open.lane.as_ref()?))) else {
            return self.answer_later(number, || Answer::Nothing("nothing is there yet".to_owned()));
        };
        let rules = lane.stream_rules();
        let mut question = HandoverQuestion {
            index: Arc::clone(&lane.index),
            setup: setup.clone(),
            published: lane.lambda.batch().cut.clone(),
            position: lane.lambda.speed().position.clone(),
            arrived: lane.arrived,
            tick: lane.tick_now(),
            late: LateRecords::new(),
        };
        let (log, mapping) = (open.scenario.log.path.clone(), open.mapping.clone());
        self.answer_later(number, move || {
            let boundary = question.boundary();
            let options = rules.options;
            if options.lateness != Lateness::Unbounded {
                question.late = question.late_records(rules, &boundary.position);
            }
            let mut answer = question.answer(&boundary);
            answer.command = merge_command(&log, &mapping, &boundary, &question.setup, options);
            Answer::Handover(Arc::new(answer))
        });
    }
}

impl HandoverQuestion {
    /// The boundary that is asked about, within what has arrived.
    pub fn boundary(&self) -> Boundary {
        let end = self.index.offsets_at(self.arrived);
        let within = |vector: &Offsets| {
            let each = partitions(&end).map(|p| vector.get(p).min(end.get(p)));
            Offsets::from_vec(each.collect())
        };
        let cut = within(self.setup.cut.as_ref().unwrap_or(&self.published));
        let position = within(&self.position);
        if let Some(starts) = &self.setup.starts {
            return Boundary { cut, start: SpeedStart::At(within(starts)), position };
        }
        let latest = match self.setup.rule {
            BoundaryRule::EventTime => self.latest_below(&cut),
            BoundaryRule::Offsets | BoundaryRule::Scalar | BoundaryRule::None => None,
        };
        self.setup.rule.draw(cut, position, latest)
    }

    fn latest_below(&self, cut: &Offsets) -> Option<EventTime> {
        let mut at = Positions::new(cut.len());
        let mut latest = None;
        for (chunk, place) in self.index.places(0, self.arrived) {
            let partition = chunk.partition(place);
            if cut.contains(partition, at.next(partition)) {
                latest = latest.max(chunk.time(place));
            }
        }
        latest
    }

    /// What the stream drops of what it has read.
    pub fn late_records(&self, rules: StreamRules, position: &Offsets) -> LateRecords {
        // A partition's end is known as soon as its last record is there, as it is to the stream.
        let end = if self.index.is_last() {
            self.index.end().clone()
        } else {
            Offsets::from_vec(vec![u64::MAX; position.len()])
        };
        let mut reader = LateReader::new(rules, position.clone(), end);
        each_record(&self.index, 0, self.arrived, |record| reader.apply(record));
        reader.finish()
    }

    /// What the boundary counts.
    pub fn answer(&self, boundary: &Boundary) -> HandoverAnswer {
        let mut books = Books::new(self, boundary);
        let mut at = Positions::new(boundary.cut.len());
        for (chunk, place) in self.index.places(0, self.arrived) {
            let partition = chunk.partition(place);
            let offset = at.next(partition);
            books.arrived(partition, offset);
            if chunk.verdict(place) != Some(Verdict::Counted) {
                continue;
            }
            if let Some(counted) = boundary.counted_by(partition, offset, chunk.time(place)) {
                let counted = match counted {
                    CountedBy::Both if self.late.contains(partition, offset) => Counted::By(CountedBy::Batch),
                    CountedBy::Speed if self.late.contains(partition, offset) => Counted::Late,
                    counted => Counted::By(counted),
                };
                let user = chunk.user(place).map(|user| user.0 as usize);
                books.count(partition, offset, counted, user, chunk.value(place).0);
            }
        }
        books.close(self, boundary)
    }
}

/// What becomes of a record that counts.
#[derive(Debug, Clone, Copy)]
enum Counted {
    By(CountedBy),
    /// Speed's, and dropped there.
    Late,
}

/// The offset of the next record of each partition.
struct Positions(Vec<u64>);

impl Positions {
    fn new(partitions: usize) -> Positions {
        Positions(vec![0; partitions])
    }

    fn next(&mut self, partition: PartitionIndex) -> u64 {
        let Some(slot) = self.0.get_mut(partition.index()) else { return u64::MAX };
        *slot += 1;
        *slot - 1
    }
}

/// What has been counted so far.
struct Books {
    answer: HandoverAnswer,
    /// Which views have seen a user.
    seen: Vec<u8>,
    /// Records so far, and records between two points of the course.
    records: u64,
    step: u64,
}

impl Books {
    fn new(question: &HandoverQuestion, boundary: &Boundary) -> Books {
        let end = question.index.offsets_at(question.arrived);
        let longest = end.as_slice().iter().copied().max().unwrap_or(0);
        let bins = (MOST_BINS / end.len().max(1) as u64).clamp(8, BINS);
        let bin_records = longest.div_ceil(bins).max(1);
        let names = question.index.partitions();
        let partition = |(p, name): (PartitionIndex, &String)| HandoverPartition {
            name: name.clone(),
            arrived: end.get(p),
            cut: boundary.cut.get(p),
            position: boundary.position.get(p),
            places: vec![0],
            bins: vec![
                HandoverBin::default();
                usize::try_from(end.get(p).div_ceil(bin_records)).unwrap_or(0)
            ],
            ..HandoverPartition::default()
        };
        let partitions = partitions(&end).zip(names).map(partition).collect();
        let answer =
            HandoverAnswer { tick: question.tick, partitions, bin_records, ..HandoverAnswer::default() };
        let step = question.arrived.div_ceil(POINTS).max(1);
        Books { answer, seen: vec![0; question.index.users().len()], records: 0, step }
    }

    /// The next record in delivery order, whether or not it counts.
    fn arrived(&mut self, partition: PartitionIndex, offset: u64) {
        if self.records.is_multiple_of(self.step) {
            self.point();
        }
        let bin_records = self.answer.bin_records;
        if let Some(partition) = self.answer.partitions.get_mut(partition.index()) {
            // The last place moves along with the newest record.
            if offset.is_multiple_of(bin_records) {
                partition.places.pop();
                partition.places.extend([self.records, self.records + 1]);
            } else if let Some(last) = partition.places.last_mut() {
                *last = self.records + 1;
            }
        }
        self.records += 1;
    }

    fn point(&mut self) {
        let HandoverAnswer { batch, speed, united_users, .. } = self.answer;
        self.answer.course.push(HandoverPoint { records: self.records, batch, speed, united_users });
    }

    fn count(
        &mut self,
        partition: PartitionIndex,
        offset: u64,
        counted: Counted,
        user: Option<usize>,
        value: i64,
    ) {
        let answer = &mut self.answer;
        let Some(partition) = answer.partitions.get_mut(partition.index()) else { return };
        let bin = usize::try_from(offset / answer.bin_records).unwrap_or(usize::MAX);
        let mut unused = HandoverBin::default();
        let bin = partition.bins.get_mut(bin).unwrap_or(&mut unused);
        let mut views = IN_RECOUNT;
        match counted {
            Counted::Late => (partition.late, bin.late) = (partition.late + 1, bin.late + 1),
            Counted::By(CountedBy::Neither) => {
                (partition.nowhere, bin.nowhere) = (partition.nowhere + 1, bin.nowhere + 1);
            }
            Counted::By(CountedBy::Both) => {
                (partition.twice, bin.twice) = (partition.twice + 1, bin.twice + 1);
                views |= IN_BATCH | IN_SPEED;
            }
            Counted::By(CountedBy::Batch) => {
                bin.batch += 1;
                views |= IN_BATCH;
            }
            Counted::By(CountedBy::Speed) => {
                bin.speed += 1;
                views |= IN_SPEED;
            }
        }
        let totals =
            [(IN_BATCH, &mut answer.batch), (IN_SPEED, &mut answer.speed), (IN_RECOUNT, &mut answer.recount)];
        for (view, totals) in totals {
            if views & view != 0 {
                totals.views += 1;
                totals.sum += i128::from(value);
            }
        }
        if let Some(seen) = user.and_then(|user| self.seen.get_mut(user)) {
            let is_new = |view: u8| u64::from(*seen & view == 0 && views & view != 0);
            answer.batch.users += is_new(IN_BATCH);
            answer.speed.users += is_new(IN_SPEED);
            answer.recount.users += is_new(IN_RECOUNT);
            answer.united_users += is_new(IN_BATCH | IN_SPEED);
            *seen |= views;
        }
    }

    fn close(mut self, question: &HandoverQuestion, boundary: &Boundary) -> HandoverAnswer {
        self.point();
        let Books { mut answer, seen, .. } = self;
        let ids = |views: u8| -> Vec<UserId> {
            (0..)
                .map(UserId)
                .zip(&seen)
                .filter(|(_, seen)| *seen & views != 0)
                .map(|(user, _)| user)
                .collect()
        };
        answer.sketched_users = sketched(ids(IN_BATCH), ids(IN_SPEED), question.index.users());
        if let SpeedStart::At(start) = &boundary.start {
            for (p, partition) in (0_u16..).map(PartitionIndex).zip(&mut answer.partitions) {
                partition.start = Some(start.get(p));
            }
        }
        if let SpeedStart::After(latest) = boundary.start {
            answer.after = latest;
        }
        answer
    }
}

fn partitions(end: &Offsets) -> impl Iterator<Item = PartitionIndex> {
    (0..end.len()).filter_map(|p| u16::try_from(p).ok()).map(PartitionIndex)
}

#[cfg(test)]
#[path = "handover_tests.rs"]
mod tests;
