//! Views that other systems made, judged by the log: which rule, which records make the difference.
//!
//! Each hypothesis is a change of our own count (other rules, records left out or taken twice), so what it explains is
//! exact: the sum over cells of how far the count is from theirs, before and after. Hypotheses are tried alone, and
//! together: the best first, then the best for the rest. What they explain and the unexplained rest add up to the difference.
//!
//! Pure functions over a [`RawLog`] and a [`ForeignView`]; reading either is [`crate::ingest`]'s.

mod between;
mod candidates;
mod case;
mod hypothesis;
mod late;
mod pages;
mod pairs;
mod ranges;
mod report;
mod search;
mod state;
mod words;
mod zones;

#[cfg(test)]
mod tests;

pub use between::{BetweenCause, between};
pub use report::{
    CellDifference, CellShare, Finding, Moved, Numbers, RankedHypothesis, Reconciliation, Totals,
};

pub(crate) use words::count as grouped;

use case::{Case, Grid};

use crate::{
    domain::ParseZoneError,
    ingest::{ForeignView, Mapping, RawLog},
};

/// Judges a view of theirs. `mapping` is what `raw` was read with, and says how we count.
pub fn reconcile(
    raw: &RawLog,
    mapping: &Mapping,
    view: &ForeignView,
) -> Result<Reconciliation, ParseZoneError> {
    judge(raw, mapping, view, &|| true)
}

/// The same, while `wanted` says that somebody waits for it; `None` where nobody does any more. It is asked every few
/// milliseconds.
pub fn reconcile_while(
    raw: &RawLog,
    mapping: &Mapping,
    view: &ForeignView,
    wanted: &dyn Fn() -> bool,
) -> Result<Option<Reconciliation>, ParseZoneError> {
    let found = judge(raw, mapping, view, wanted)?;
    // What was given up on the way is no finding.
    Ok(wanted().then_some(found))
}

fn judge(
    raw: &RawLog,
    mapping: &Mapping,
    view: &ForeignView,
    wanted: &dyn Fn() -> bool,
) -> Result<Reconciliation, ParseZoneError> {
    let mut grid = Grid::default();
    let case = Case::new(raw, mapping, view, &mut grid, wanted)?;
    let found = search::search(&case, &mut grid);
    Ok(report::report(&case, &grid, view, &found))
}
