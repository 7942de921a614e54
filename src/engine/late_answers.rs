//! Answers about late records: which are missing from a view, and the watermark that dropped each.

use super::{
    lane::Lane,
    protocol::{Answer, LateLine, LateOf},
    session::Session,
};
use crate::domain::{KeyId, LateRecords, LateRun, NameTable as _, PartitionIndex};

impl Session {
    /// Late records of a view from the `first` on.
    pub(super) fn late(&self, of: LateOf, first: u64, count: u32) -> Answer {
        let lane = self.open.as_ref().and_then(|open| open.lane.as_ref());
        let Some(lane) = lane else { return Answer::Nothing("nothing is there yet".to_owned()) };
        let records = match of {
            LateOf::Merged => &lane.lambda.speed().late,
            LateOf::Version(number) => {
                let kappa = lane.kappa.as_ref();
                match kappa.and_then(|kappa| kappa.kappa.version(number)) {
                    Some(version) => version.late(),
                    None => return Answer::Nothing(format!("there is no version {number}")),
                }
            }
        };
        Answer::Late { lines: lines(lane, records, first, count), total: records.total() }
    }
}

fn lines(lane: &Lane, records: &LateRecords, first: u64, count: u32) -> Vec<LateLine> {
    let mut skip = first;
    let mut places: Vec<(PartitionIndex, LateRun, u64)> = Vec::new();
    for (partition, run) in records.iter() {
        let left = u64::from(count) - places.len() as u64;
        let from = run.start.saturating_add(skip).min(run.end);
        skip -= from - run.start;
        let to = run.end.min(from.saturating_add(left));
        places.extend((from..to).map(|offset| (partition, run, offset)));
    }
    places.into_iter().map(|(partition, run, offset)| line(lane, partition, run, offset)).collect()
}

fn line(lane: &Lane, partition: PartitionIndex, run: LateRun, offset: u64) -> LateLine {
    let index = &lane.index;
    let number = index.number_of(partition, offset).unwrap_or_default();
    let event = index.record(number).and_then(|record| record.event);
    let page = |key: KeyId| index.keys().text(key.0).to_owned();
    LateLine {
        number,
        partition: index.partitions().get(partition.index()).cloned().unwrap_or_default(),
        offset,
        page: event.map(|event| page(event.key)).unwrap_or_default(),
        time: event.map(|event| event.time),
        watermark: Some(run.watermark),
    }
}
