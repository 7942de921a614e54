//! How one version of a view reads the log: the same records, another day, other verdicts.

use super::{DayRule, Record, Rules, StreamOptions, StreamRules};

/// Whether the ids of events say that a record is a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ids {
    /// A record whose id occurred earlier counts nowhere.
    #[default]
    Used,
    /// Every record counts.
    Ignored,
}

/// The settings of a version, as they bear on a record that was loaded under other ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The rules of verdicts.
    pub rules: Rules,
    /// Days are found anew from the event time; `None`: as the log was loaded.
    pub days: Option<DayRule>,
    /// What ids mean.
    pub ids: Ids,
    /// What its stream processor makes approximate.
    pub options: StreamOptions,
}

impl Reading {
    /// As the log was loaded.
    pub fn as_loaded(rules: Rules) -> Reading {
        Reading { rules, ..Reading::default() }
    }

    /// By what its stream processor decides what counts. `loaded`: the days as the log was loaded.
    pub fn stream_rules(&self, loaded: &DayRule) -> StreamRules {
        let days = self.days.as_ref().unwrap_or(loaded).clone();
        StreamRules { verdicts: self.rules, days, options: self.options }
    }

    /// The record as this version sees it.
    #[must_use]
    pub fn of(&self, record: &Record) -> Record {
        let mut record = *record;
        if let Some(event) = &mut record.event {
            if let Some(days) = &self.days {
                // The offset in the text is not kept; no zone asks for it.
                event.day = days.day_of(event.time, 0);
            }
            match self.ids {
                Ids::Used => {}
                Ids::Ignored => event.id = None,
            }
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Day, Event, EventTime, KeyId, PartitionIndex, Value, ZoneName};

    #[test]
    fn days_and_ids_are_as_the_version_says() {
        let event = Event {
            key: KeyId(0),
            user: None,
            // 2024-01-01T23:30:00Z: the next day in Berlin.
            time: EventTime(1_704_151_800_000_000_000),
            day: Day(19_723),
            value: Value::ONE,
            id: Some(7),
            explicit_offset: None,
        };
        let record = Record { partition: PartitionIndex(0), offset: 0, event: Some(event) };
        assert_eq!(Reading::default().of(&record), record);
        let days = Some(ZoneName::parse("Europe/Berlin").unwrap().days());
        let other = Reading { days, ids: Ids::Ignored, ..Reading::default() }.of(&record).event.unwrap();
        assert_eq!((other.day, other.id, other.time), (Day(19_724), None, event.time));
        let malformed = Record { event: None, ..record };
        assert_eq!(Reading { ids: Ids::Ignored, ..Reading::default() }.of(&malformed), malformed);
    }
}
