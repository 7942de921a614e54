//! "Event time": the log as event time against arrival. Which allowed lateness is tried, and the answer in words.

use std::sync::Arc;

use super::{
    Effect, Look, State,
    format::{self, thousands},
    run_settings::start_with,
    update_command::ask,
};
use crate::{
    domain::{EventTime, Lateness},
    engine::protocol::{Answer, CloseUp, Command, EventTimes, Query, RunSettings, TilesOf, Window},
};

/// What the look holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventTimePage {
    /// The allowed lateness that is tried; `None`: the run's own.
    pub lateness: Option<Lateness>,
    /// The partition whose watermark stands out; `None`: the combined one.
    pub partition: Option<usize>,
    /// The newest answer, with the lateness that was asked about.
    pub times: Option<(Option<Lateness>, Arc<EventTimes>)>,
    /// The part that is looked at closer; `None`: all of it.
    pub window: Option<Window>,
    /// The newest answer about such a part.
    pub near: Option<Near>,
}

/// A part of the log closer up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// Under this lateness.
    pub lateness: Option<Lateness>,
    /// Of a log with so many records.
    pub records: u64,
    /// The part.
    pub part: Arc<CloseUp>,
}

impl EventTimePage {
    /// The part closer up, where it belongs to what is shown.
    pub fn near(&self) -> Option<&CloseUp> {
        let (lateness, times) = self.times.as_ref()?;
        let near = self.near.as_ref()?;
        (near.lateness == *lateness && near.records == times.records).then_some(&*near.part)
    }
}

/// Chosen in the look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTimeEdit {
    /// Try this lateness; `None`: the run's own.
    Lateness(Option<Lateness>),
    /// Let the watermark of this partition stand out; `None`: the combined one.
    Partition(Option<usize>),
    /// This part came into sight; `None`: all of it.
    Window(Option<Window>),
    /// Play the run again under the lateness that is tried.
    Play,
}

/// Something was chosen.
pub(super) fn edited(state: &mut State, edit: EventTimeEdit) -> Vec<Effect> {
    let mine = &mut state.answers.event_time;
    match edit {
        EventTimeEdit::Lateness(lateness) => mine.lateness = lateness,
        EventTimeEdit::Partition(partition) => mine.partition = partition,
        EventTimeEdit::Window(window) => {
            if std::mem::replace(&mut mine.window, window) == window {
                return Vec::new();
            }
            return look_closer(state);
        }
        EventTimeEdit::Play => {
            let Some((run, lateness)) = tried(state) else { return Vec::new() };
            state.answers.event_time.lateness = None;
            let mut effects = start_with(state, &run, RunSettings { lateness, ..run });
            effects.push(Effect::Send(Command::Play));
            return effects;
        }
    }
    put(state)
}

/// The settings of the run, and the lateness that is tried, where that is another one.
pub fn tried(state: &State) -> Option<(RunSettings, Lateness)> {
    let run = state.lane()?.settings;
    let lateness = state.answers.event_time.lateness.filter(|lateness| *lateness != run.lateness)?;
    Some((run, lateness))
}

/// Asks for what the look shows, where that is not there yet: the log has grown, or another lateness is tried.
pub(super) fn put(state: &mut State) -> Vec<Effect> {
    let mine = &state.answers.event_time;
    let lane = state.lane();
    let records = lane.map_or(0, |lane| lane.log_records);
    let own = lane.map_or_else(Lateness::default, |lane| lane.settings.lateness);
    // The same log may be played again under another lateness of its own.
    let wanted = mine.lateness.unwrap_or(own);
    let is_there = mine.times.as_ref().is_some_and(|(lateness, times)| {
        *lateness == mine.lateness && times.records == records && times.lateness == wanted
    });
    let is_asking = state.answers.pending.iter().any(|(_, query)| matches!(query, Query::EventTimes(_)));
    if is_there || is_asking || state.look != Look::EventTime {
        return Vec::new();
    }
    let lateness = mine.lateness;
    ask(state, Query::EventTimes(lateness))
}

/// Asks for the part in sight. A part that was asked for before is not waited for.
fn look_closer(state: &mut State) -> Vec<Effect> {
    let EventTimePage { lateness, window: Some(window), .. } = state.answers.event_time else {
        state.answers.event_time.near = None;
        return Vec::new();
    };
    ask(state, Query::Tiles(TilesOf { lateness, window }))
}

/// Takes the part in sight.
pub(super) fn looked_closer(state: &mut State, of: TilesOf, answer: Answer) {
    let Answer::Tiles(part) = answer else { return };
    let mine = &mut state.answers.event_time;
    let records = mine.times.as_ref().map_or(0, |(_, times)| times.records);
    if mine.window == Some(of.window) {
        mine.near = Some(Near { lateness: of.lateness, records, part });
    }
}

/// Takes an answer; asks again where another lateness is tried meanwhile.
pub(super) fn answered(state: &mut State, asked: Option<Lateness>, answer: Answer) -> Vec<Effect> {
    let Answer::EventTimes(times) = answer else { return Vec::new() };
    let mine = &mut state.answers.event_time;
    mine.times = Some((asked, times));
    if mine.lateness == asked { look_closer(state) } else { put(state) }
}

/// `1 h`, `7 days`; `for ever` where nothing is late.
pub fn lateness_name(lateness: Lateness) -> String {
    let Lateness::Within(nanos) = lateness else { return "for ever".to_owned() };
    if nanos == 0 { "none".to_owned() } else { span(nanos) }
}

/// A span of event time in its two largest units: `2 d 3 h`, `45 min`.
pub fn span(nanos: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = nanos / 1_000_000_000;
    if seconds == 0 {
        return "less than a second".to_owned();
    }
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        if left >= unit && parts.len() < 2 {
            parts.push(format!("{} {name}", thousands(left / unit)));
            left %= unit;
        } else if !parts.is_empty() {
            break;
        }
    }
    parts.join(" ")
}

/// An event time as `26 Apr 2024 14:05`, in UTC.
pub fn moment(time: EventTime) -> String {
    let text = time.to_string();
    let (Some(day), Some(clock)) = (text.get(..10).and_then(crate::domain::Day::parse), text.get(11..16))
    else {
        return text;
    };
    format!("{} {clock}", format::date(day))
}

/// How many come too late, on how many days, and what would be enough.
pub fn late_sentence(times: &EventTimes) -> String {
    if times.lateness == Lateness::Unbounded {
        let none = "Days stay open for ever: nothing is late.";
        return match times.what_if.iter().find(|(_, count)| *count > 0) {
            None => format!("{none} Nothing would be, even if each day closed at its end."),
            Some(_) => {
                format!("{none} With less than {} of allowed lateness something would be.", enough(times))
            }
        };
    }
    let days = times.days.iter().filter(|day| day.late > 0).count() as u64;
    let on = if days == 1 { "1 day".to_owned() } else { format!("{} days", thousands(days)) };
    if times.late_total == 0 {
        return "Nothing is late: no record comes after its day was closed.".to_owned();
    }
    format!(
        "{} of {} come after their day was closed, on {on}. {} of allowed lateness would be enough for all.",
        thousands(times.late_total),
        format::records(times.records),
        enough(times)
    )
}

/// The shortest lateness under which nothing is late, rounded up to whole seconds.
fn enough(times: &EventTimes) -> String {
    span(times.enough_nanos.div_ceil(1_000_000_000).saturating_mul(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::protocol::Cloud;

    const HOUR: u64 = 3_600_000_000_000;

    fn times(lateness: Lateness, late_total: u64) -> EventTimes {
        EventTimes {
            records: 31_106,
            without_time: 0,
            span: (EventTime(0), EventTime(1)),
            cloud: Cloud::Dots(Vec::new()),
            combined: Vec::new(),
            partitions: Vec::new(),
            days: Vec::new(),
            lateness,
            late: Vec::new(),
            late_total,
            what_if: vec![(Lateness::Within(0), 40)],
            enough_nanos: 51 * HOUR + 1,
        }
    }

    #[test]
    fn lateness_reads_as_a_sentence() {
        assert_eq!(span(51 * HOUR), "2 d 3 h");
        assert_eq!(span(90 * 60_000_000_000), "1 h 30 min");
        assert_eq!(span(86_400_000_000_000 + 5_000_000_000), "1 d", "seconds do not matter beside days");
        assert_eq!([Lateness::Unbounded, Lateness::Within(0)].map(lateness_name), ["for ever", "none"]);
        assert!(
            late_sentence(&times(Lateness::Unbounded, 0))
                .ends_with("With less than 2 d 3 h of allowed lateness something would be.")
        );
        let some = late_sentence(&times(Lateness::Within(HOUR), 31));
        assert_eq!(
            some,
            "31 of 31,106 records come after their day was closed, on 0 days. 2 d 3 h of allowed lateness would be enough for all."
        );
        assert_eq!(moment(EventTime(1_714_140_300_000_000_000)), "26 Apr 2024 14:05");
    }
}
