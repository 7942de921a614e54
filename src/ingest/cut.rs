//! Cuts and positions as they are written on the command line: `OFFSETS` or `PERCENT`.

use super::{
    FileSource, LogDirectory, LogError, LogIndex, Mapping, RecordSource, fold_log, parallel::CountOnly,
};
use crate::domain::{Offsets, Value};

/// A cut as written: a comma list of offsets in partition order, or a share of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CutText {
    /// One position a partition; `None` for `end`.
    Offsets(Vec<Option<u64>>),
    /// The first so many per cent of the records in delivery order.
    Percent(Value),
}

impl CutText {
    /// Reads `3,end,0`, `end` (all ends) or `62.5%`.
    pub fn parse(text: &str) -> Result<CutText, LogError> {
        let bad = |cause: &str| LogError::BadOffsets { cause: cause.to_owned(), text: text.to_owned() };
        if let Some(number) = text.trim().strip_suffix('%') {
            let percent = Value::parse(number.trim()).ok_or_else(|| bad("not a percentage"))?;
            let within = (0..=100 * Value::ONE.0).contains(&percent.0);
            return if within { Ok(CutText::Percent(percent)) } else { Err(bad("not within 0% and 100%")) };
        }
        let position = |part: &str| match part.trim() {
            "end" => Ok(None),
            number => number.parse().map(Some).map_err(|_| bad("neither a number nor end")),
        };
        text.split(',').map(position).collect::<Result<_, _>>().map(CutText::Offsets)
    }

    /// The vector that it means in a log. Reads the log for `end`s and percentages, and to see that every
    /// position exists.
    pub fn resolve(
        &self,
        log: &LogDirectory,
        mapping: &Mapping,
        threads: usize,
    ) -> Result<Offsets, LogError> {
        match self {
            CutText::Percent(percent) => resolve_percent(log, mapping, *percent, threads),
            CutText::Offsets(positions) => at_most(positions, &log_end(log, mapping, threads)?),
        }
    }

    /// The same in a log that is loaded.
    pub fn resolve_in(&self, index: &LogIndex) -> Result<Offsets, LogError> {
        match self {
            CutText::Percent(percent) => Ok(index.offsets_at(share(*percent, index.len()))),
            CutText::Offsets(positions) => at_most(positions, index.end()),
        }
    }
}

/// Reads a comma list of offsets against the log's end, in which `end` stands for a partition's end, and alone for
/// all of them.
pub fn parse_offsets(text: &str, end: &Offsets) -> Result<Offsets, LogError> {
    match CutText::parse(text)? {
        CutText::Offsets(positions) => at_most(&positions, end),
        CutText::Percent(_) => Err(LogError::BadOffsets {
            cause: "a percentage where offsets belong".to_owned(),
            text: text.to_owned(),
        }),
    }
}

/// The number of records of each partition.
pub fn log_end(log: &LogDirectory, mapping: &Mapping, threads: usize) -> Result<Offsets, LogError> {
    fold_log(log, mapping, None, threads, CountOnly::default).map(|outcome| outcome.position)
}

/// The first ⌊percent · total / 100⌋ records in delivery order, as a vector.
pub fn resolve_percent(
    log: &LogDirectory,
    mapping: &Mapping,
    percent: Value,
    threads: usize,
) -> Result<Offsets, LogError> {
    let end = log_end(log, mapping, threads)?;
    let wanted = share(percent, end.total());
    if wanted >= end.total() {
        return Ok(end);
    }
    let mut source = FileSource::open(log, mapping)?;
    for _ in 0..wanted {
        source.next_record()?;
    }
    Ok(source.position().clone())
}

/// ⌊percent · total / 100⌋.
fn share(percent: Value, total: u64) -> u64 {
    let share = i128::from(percent.0) * i128::from(total) / (100 * i128::from(Value::ONE.0));
    u64::try_from(share).unwrap_or(0)
}

fn at_most(positions: &[Option<u64>], end: &Offsets) -> Result<Offsets, LogError> {
    let bad = |cause: String| {
        let shown: Vec<String> =
            positions.iter().map(|p| p.map_or_else(|| "end".to_owned(), |p| p.to_string())).collect();
        LogError::BadOffsets { cause, text: shown.join(",") }
    };
    if positions == [None] {
        return Ok(end.clone());
    }
    if positions.len() != end.len() {
        return Err(bad(format!("{} positions for {} partitions", positions.len(), end.len())));
    }
    let vector = positions.iter().zip(end.as_slice()).map(|(position, &end)| position.unwrap_or(end));
    let vector = Offsets::from_vec(vector.collect());
    if !vector.is_at_most(end) {
        return Err(bad(format!("beyond the end of the log at {end}")));
    }
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{
        load,
        testing::{TestLog, line},
    };

    #[test]
    fn offsets_and_percentages() {
        let end = Offsets::from_vec(vec![5, 3]);
        assert_eq!(parse_offsets("2, end", &end).unwrap(), Offsets::from_vec(vec![2, 3]));
        assert_eq!(parse_offsets("end", &end).unwrap(), end);
        for bad in ["", "1", "1,2,3", "6,0", "1,x", "-1,0", "50%"] {
            assert!(parse_offsets(bad, &end).is_err(), "{bad}");
        }
        for bad in ["101%", "-1%", "%", "x%"] {
            assert!(CutText::parse(bad).is_err(), "{bad}");
        }
        let log = TestLog::new(&[
            ("a/1", &[line(1), line(5), line(9)].concat()),
            ("b/1", &[line(2), line(3), line(4), line(6)].concat()),
        ]);
        let index = load(&log.open(), &log.mapping()).unwrap();
        let resolve = |text: &str| {
            let cut = CutText::parse(text).unwrap();
            let vector = cut.resolve(&log.open(), &log.mapping(), 2).unwrap();
            assert_eq!(cut.resolve_in(&index).unwrap(), vector, "{text}");
            vector
        };
        assert_eq!(resolve("0%"), Offsets::start(2));
        assert_eq!(resolve("43%"), Offsets::from_vec(vec![1, 2]), "3.01 of 7");
        assert_eq!(resolve("99.999999%"), Offsets::from_vec(vec![2, 4]));
        assert_eq!(resolve("100%"), Offsets::from_vec(vec![3, 4]));
        assert_eq!(resolve("end,1"), Offsets::from_vec(vec![3, 1]));
    }
}
