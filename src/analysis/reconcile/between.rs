//! Two views of theirs against each other, with the log as referee: what explains one and not the other.

use std::collections::BTreeMap;

use super::{Numbers, Reconciliation};
use crate::analysis::{Cause, CauseShare};

/// A cause of the difference between two views of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BetweenCause {
    /// The finding's id; `unexplained` for the rest.
    pub id: String,
    /// For people.
    pub sentence: String,
    /// Its part of the first view minus the second.
    pub share: CauseShare,
}

/// First minus second, split into causes that add up exactly; the unexplained rest first.
///
/// What both do alike cancels out: it is a difference from us, not between them.
pub fn between(first: &Reconciliation, second: &Reconciliation) -> (Numbers, Vec<BetweenCause>) {
    let total = Numbers {
        amount: first.theirs.numbers.amount - second.theirs.numbers.amount,
        users: first.theirs.numbers.users - second.theirs.numbers.users,
    };
    let mut causes: BTreeMap<String, BetweenCause> = BTreeMap::new();
    let mut rest =
        CauseShare { cause: Cause::Unexplained, records: 0, views: total.amount, users: total.users };
    // Ours minus second, less ours minus first.
    for (judged, sign, name) in [(first, -1, &first.name), (second, 1, &second.name)] {
        for finding in &judged.findings {
            let share = finding.share;
            let cause = causes.entry(finding.id.clone()).or_insert_with(|| BetweenCause {
                id: finding.id.clone(),
                sentence: format!("{name}: {}", finding.sentence),
                share: CauseShare { views: 0, users: 0, records: 0, ..share },
            });
            cause.share.records = cause.share.records.max(share.records);
            cause.share.views += sign * share.views;
            cause.share.users += sign * share.users;
            rest.views -= sign * share.views;
            rest.users -= sign * share.users;
        }
    }
    let unexplained =
        BetweenCause { id: rest.cause.id().to_owned(), sentence: "unexplained".to_owned(), share: rest };
    let mut causes: Vec<BetweenCause> =
        causes.into_values().filter(|cause| cause.share.views != 0 || cause.share.users != 0).collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.share.views.abs() + cause.share.users.abs()));
    (total, [vec![unexplained], causes].concat())
}
