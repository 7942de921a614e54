//! What could have been done differently: each hypothesis as plain data, with its sentence.

use super::{
    case::Case,
    late::WatermarkKind,
    pages::PageRule,
    words::{count, duration, quoted, time},
};
use crate::{analysis::Cause, domain::EventTime};

/// Whether a kind of record is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Taken {
    Skipped,
    Counted,
}

/// What is done with records without a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum AnonymousRule {
    Skipped,
    Counted,
    /// As a view, and "no user" as one more user of its cell.
    AsUser,
}

/// How users of a cell are counted: distinct, or distinct within parts that are then added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum UserRule {
    Distinct,
    PerSegment,
    PerPartition,
    PerHour,
    PerDay,
    PerPage,
    /// Every view is a user.
    PerView,
}

/// The settings of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    pub zone: u32,
    pub page: PageRule,
    pub anonymous: AnonymousRule,
    pub redelivered: Taken,
    pub duplicates: Taken,
    pub malformed: Taken,
    pub users: UserRule,
}

/// An order in which a range is a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Order {
    Partition(u16),
    Delivery,
    EventTime,
}

/// A set of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RecordSet {
    All,
    Partition(u16),
    Segment(u32),
    /// Segments whose names end so.
    Ending(String),
    /// Half-open, in places of an order.
    Range(Order, usize, usize),
    FirstOfSegments,
    LastOfSegments,
    /// Identical to an earlier line.
    Repeated,
    /// Late by a watermark and a lateness in nanoseconds.
    Late(WatermarkKind, i64),
}

/// What they could have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hypothesis {
    Rules(Rules, RuleChange),
    Missing(RecordSet),
    Doubled(RecordSet),
    /// Users are off by up to so many thousandths, in both directions.
    Sketch(i64),
}

/// Which of the rules is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum RuleChange {
    Zone,
    Page,
    Anonymous,
    Redelivered,
    Duplicates,
    Malformed,
    Users,
}

/// Families, simplest first: of two that explain alike the simpler is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Family {
    Rule(RuleChange),
    Whole,
    Segments,
    Lines,
    Late,
    Range,
    Sketch,
}

impl Hypothesis {
    pub fn family(&self) -> Family {
        match self {
            Hypothesis::Rules(_, change) => Family::Rule(*change),
            Hypothesis::Sketch(_) => Family::Sketch,
            Hypothesis::Missing(set) | Hypothesis::Doubled(set) => match set {
                RecordSet::All | RecordSet::Partition(_) | RecordSet::Ending(_) => Family::Whole,
                RecordSet::Segment(_) => Family::Segments,
                RecordSet::FirstOfSegments | RecordSet::LastOfSegments | RecordSet::Repeated => Family::Lines,
                RecordSet::Late(..) => Family::Late,
                RecordSet::Range(..) => Family::Range,
            },
        }
    }

    pub fn cause(&self, case: &Case<'_>) -> Cause {
        match self {
            Hypothesis::Rules(_, change) => match change {
                RuleChange::Zone => Cause::OtherDayZone,
                RuleChange::Page => Cause::OtherPageRule,
                RuleChange::Anonymous => Cause::NoUser,
                RuleChange::Redelivered | RuleChange::Duplicates => Cause::DuplicateId,
                RuleChange::Malformed => Cause::Malformed,
                RuleChange::Users => Cause::UniquesAdded,
            },
            Hypothesis::Missing(RecordSet::Late(..)) => Cause::Late,
            Hypothesis::Missing(RecordSet::Repeated) => Cause::DuplicateId,
            Hypothesis::Missing(RecordSet::Range(order, _, to)) if *to == length(case, *order) => {
                Cause::NotYetRead
            }
            Hypothesis::Missing(_) => Cause::Lost,
            Hypothesis::Doubled(_) => Cause::CountedTwice,
            Hypothesis::Sketch(_) => Cause::SketchError,
        }
    }

    /// For files: stable, without spaces around the colon.
    pub fn id(&self, case: &Case<'_>) -> String {
        match self {
            Hypothesis::Rules(rules, change) => match change {
                RuleChange::Zone => {
                    format!("day-zone:{}", case.zones.get(rules.zone).map_or("", |zone| &zone.name))
                }
                RuleChange::Page => format!("pages:{}", rules.page.id()),
                RuleChange::Anonymous => match rules.anonymous {
                    AnonymousRule::Skipped => "anonymous:skip".to_owned(),
                    AnonymousRule::Counted => "anonymous:count".to_owned(),
                    AnonymousRule::AsUser => "anonymous:count-as-user".to_owned(),
                },
                RuleChange::Redelivered => "redeliveries:count".to_owned(),
                RuleChange::Duplicates => "duplicate-ids:count".to_owned(),
                RuleChange::Malformed => "malformed:count".to_owned(),
                RuleChange::Users => format!("users-added:{}", added_by(rules.users)),
            },
            Hypothesis::Missing(set) => format!("missing:{}", set.id(case)),
            Hypothesis::Doubled(set) => format!("doubled:{}", set.id(case)),
            Hypothesis::Sketch(_) => "users-estimated".to_owned(),
        }
    }

    /// For people; begins in lower case and has no full stop.
    pub fn sentence(&self, case: &Case<'_>) -> String {
        match self {
            Hypothesis::Rules(rules, change) => rule_sentence(case, rules, *change),
            Hypothesis::Missing(RecordSet::Repeated) => "it counts identical lines once".to_owned(),
            Hypothesis::Missing(RecordSet::Late(kind, lateness)) => format!(
                "it leaves out records that came {} after their day had ended ({})",
                if *lateness == 0 {
                    "at any time".to_owned()
                } else {
                    format!("{} or more", duration(*lateness))
                },
                kind.words(),
            ),
            Hypothesis::Missing(RecordSet::Range(order, from, to)) => missing_range(case, *order, *from, *to),
            Hypothesis::Missing(set) => format!("{} missing from it", set.words(case)),
            Hypothesis::Doubled(RecordSet::All) => "it counts everything twice".to_owned(),
            Hypothesis::Doubled(set) => format!("{} counted twice in it", set.words(case)),
            Hypothesis::Sketch(thousandths) => {
                format!("its users are estimated, within {}.{} %", thousandths / 10, thousandths % 10)
            }
        }
    }

    /// Other names for the same: zones that cut this log alike.
    pub fn also(&self, case: &Case<'_>) -> Vec<String> {
        match self {
            Hypothesis::Rules(rules, RuleChange::Zone) => {
                case.zones.get(rules.zone).map(|zone| zone.also.clone()).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

fn rule_sentence(case: &Case<'_>, rules: &Rules, change: RuleChange) -> String {
    match change {
        RuleChange::Zone => match case.zones.get(rules.zone).map(|zone| zone.name.as_str()) {
            Some("as-written") => "its days are the dates as written in the log".to_owned(),
            name => format!("its days are those of {}", name.unwrap_or_default()),
        },
        RuleChange::Page => rules.page.sentence(case.base.page),
        RuleChange::Anonymous => match rules.anonymous {
            AnonymousRule::Skipped => "it leaves out records without a user".to_owned(),
            AnonymousRule::Counted => "it counts records without a user".to_owned(),
            AnonymousRule::AsUser => {
                "it counts records without a user, and \"no user\" as one more user".to_owned()
            }
        },
        RuleChange::Redelivered => "it counts redelivered offsets again".to_owned(),
        RuleChange::Duplicates => "it counts records whose id was there before".to_owned(),
        RuleChange::Malformed => "it counts lines from which we read no event".to_owned(),
        RuleChange::Users => match rules.users {
            UserRule::PerView => "it counts every view as a user".to_owned(),
            rule => format!("it adds up the users of each {}", added_by(rule)),
        },
    }
}

fn added_by(rule: UserRule) -> &'static str {
    match rule {
        UserRule::Distinct => "nothing",
        UserRule::PerSegment => "file",
        UserRule::PerPartition => "partition",
        UserRule::PerHour => "hour",
        UserRule::PerDay => "day",
        UserRule::PerPage => "page",
        UserRule::PerView => "view",
    }
}

/// How many places an order has.
pub(super) fn length(case: &Case<'_>, order: Order) -> usize {
    list(case, order).len()
}

/// The records of an order.
pub(super) fn list<'a>(case: &'a Case<'_>, order: Order) -> &'a [u32] {
    match order {
        Order::Partition(partition) => {
            case.by_partition.get(usize::from(partition)).map_or(&[], Vec::as_slice)
        }
        Order::Delivery => &case.delivery,
        Order::EventTime => &case.by_time,
    }
}

fn missing_range(case: &Case<'_>, order: Order, from: usize, to: usize) -> String {
    if to < length(case, order) {
        return format!("{} missing from it", RecordSet::Range(order, from, to).words(case));
    }
    match order {
        Order::Partition(partition) => {
            format!(
                "it has read partition {} up to offset {} only",
                partition_name(case, partition),
                count(from)
            )
        }
        Order::Delivery => format!("it has read the first {} records only", count(from)),
        Order::EventTime => format!("it holds events before {} only", time(event_time(case, from))),
    }
}

fn event_time(case: &Case<'_>, place: usize) -> EventTime {
    let record = case.by_time.get(place).and_then(|&record| case.raw.records().get(record as usize));
    record.map_or(EventTime(0), |record| record.time)
}

fn partition_name(case: &Case<'_>, partition: u16) -> String {
    quoted(case.raw.partitions().get(usize::from(partition)).map_or("", String::as_str))
}

impl RecordSet {
    /// With the verb.
    fn words(&self, case: &Case<'_>) -> String {
        let segment =
            |segment: u32| case.raw.segments().get(segment as usize).map_or("", |segment| &segment.path);
        match self {
            RecordSet::All => "everything is".to_owned(),
            RecordSet::Partition(partition) => format!("partition {} is", partition_name(case, *partition)),
            RecordSet::Segment(number) => format!("file {} is", quoted(segment(*number))),
            RecordSet::Ending(ending) => format!("all files that end in {} are", quoted(ending)),
            RecordSet::FirstOfSegments => "the first line of every file is".to_owned(),
            RecordSet::LastOfSegments => "the last line of every file is".to_owned(),
            RecordSet::Repeated => "repeated lines are".to_owned(),
            RecordSet::Late(..) => "late records are".to_owned(),
            RecordSet::Range(Order::Partition(partition), from, to) => format!(
                "offsets {} to {} of partition {} are",
                count(*from),
                count(to.saturating_sub(1)),
                partition_name(case, *partition)
            ),
            RecordSet::Range(Order::Delivery, from, to) => {
                format!("records {} to {} in delivery order are", count(*from), count(to.saturating_sub(1)))
            }
            RecordSet::Range(Order::EventTime, from, to) => format!(
                "events from {} to {} are",
                time(event_time(case, *from)),
                time(event_time(case, to.saturating_sub(1)))
            ),
        }
    }

    fn id(&self, case: &Case<'_>) -> String {
        let partition =
            |partition: u16| case.raw.partitions().get(usize::from(partition)).cloned().unwrap_or_default();
        match self {
            RecordSet::All => "everything".to_owned(),
            RecordSet::Partition(number) => format!("partition:{}", partition(*number)),
            RecordSet::Segment(number) => {
                let path = case.raw.segments().get(*number as usize).map_or("", |segment| &*segment.path);
                format!("segment:{path}")
            }
            RecordSet::Ending(ending) => format!("files:*{ending}"),
            RecordSet::FirstOfSegments => "first-lines".to_owned(),
            RecordSet::LastOfSegments => "last-lines".to_owned(),
            RecordSet::Repeated => "repeated-lines".to_owned(),
            RecordSet::Late(kind, lateness) => format!("late:{}:{}", kind.id(), duration(*lateness)),
            RecordSet::Range(Order::Partition(number), from, to) => {
                format!("offsets:{}:{from}..{to}", partition(*number))
            }
            RecordSet::Range(Order::Delivery, from, to) => format!("records:{from}..{to}"),
            RecordSet::Range(Order::EventTime, from, to) => format!(
                "times:{}..={}",
                time(event_time(case, *from)),
                time(event_time(case, to.saturating_sub(1)))
            ),
        }
    }
}
