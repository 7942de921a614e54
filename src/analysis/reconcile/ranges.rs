//! The range of an order that, left out or counted twice, explains most.
//!
//! Start points come from the largest sum of a contiguous run (each record weighted by how likely its cell lacks it) and
//! from windows of as many records as are missing; from there one end is moved while the other stands, by the exact
//! difference, until nothing improves.

use super::{
    case::{Case, NO_CELL, at},
    hypothesis::{Order, RecordSet, list},
    state::State,
};

/// How a range changes the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Missing,
    Doubled,
}

/// A record that counts: its cell, what it adds, and its place in the order.
#[derive(Debug, Clone, Copy)]
struct Item {
    cell: u32,
    amount: i64,
    place: usize,
}

/// Windows are tried from the whole size down by halves.
const WINDOW_SIZES: u32 = 8;
const MOST_MOVES: usize = 6;

/// The best range and how much it explains of the amounts.
pub(super) fn best_range(
    case: &Case<'_>,
    state: &State,
    order: Order,
    effect: Effect,
) -> Option<(RecordSet, i64)> {
    let sign = match effect {
        Effect::Missing => 1,
        Effect::Doubled => -1,
    };
    let records = list(case, order);
    let items: Vec<Item> = records
        .iter()
        .enumerate()
        .filter(|(_, number)| at(&state.weights, **number) > 0 && at(&state.cells, **number) != NO_CELL)
        .map(|(place, &number)| Item {
            cell: at(&state.cells, number),
            amount: sign * case.amount(number) * i64::from(at(&state.weights, number)),
            place,
        })
        .collect();
    let mut search = Search { items: &items, rest: state.rest(case), most: 0 };
    let lacking = search.lacking();
    let most: i64 = lacking.iter().map(|(_, lacking)| lacking).sum();
    if most == 0 {
        return None;
    }
    // With amounts of both signs a loss can be made good by any that follow.
    let of_one_sign = items.iter().all(|item| item.amount * sign >= 0);
    search.most = if of_one_sign { most } else { i64::MAX / 2 };
    let mut best = (0, 0, 0);
    let mut starts = vec![search.likely_run(&lacking)];
    for half in 0..WINDOW_SIZES {
        starts.push(search.window(most >> half));
    }
    // Where the end stands at first does not matter: it is moved before the start is.
    let mut tried: Vec<usize> = Vec::new();
    for (from, to, _) in starts.into_iter().filter(|(from, to, _)| from < to) {
        if tried.contains(&from) || !case.is_wanted() {
            continue;
        }
        tried.push(from);
        let found = search.improve(from, to);
        // Of equals the shorter.
        if (found.2, from.wrapping_sub(to)) > (best.2, 0) && found.2 > best.2 {
            best = found;
        }
    }
    let (from, to, gain) = best;
    let first = items.get(from)?.place;
    let last = items.get(to.checked_sub(1)?)?.place;
    // Behind the last record that counts nothing speaks against the end.
    let to = if to == items.len() { records.len() } else { last + 1 };
    let from = if from == 0 { 0 } else { first };
    // Everything is no range.
    (gain > 0 && to - from < records.len()).then_some((RecordSet::Range(order, from, to), gain))
}

struct Search<'a> {
    items: &'a [Item],
    /// Theirs minus the count, by cell. Restored after each scan.
    rest: Vec<i64>,
    /// No run can explain more than this.
    most: i64,
}

type Found = (usize, usize, i64);

impl Search<'_> {
    /// By cell of the order: how much it lacks (in the direction of the effect), and what is there.
    fn lacking(&self) -> Vec<(i64, i64)> {
        let mut cells = vec![(0_i64, 0_i64); self.rest.len()];
        for item in self.items {
            if let Some((there, _)) = cells.get_mut(item.cell as usize) {
                *there += item.amount;
            }
        }
        for ((there, lacking), &rest) in cells.iter_mut().zip(&self.rest) {
            let opposed = (*there > 0 && rest < 0) || (*there < 0 && rest > 0);
            *lacking = if opposed { rest.abs().min(there.abs()) } else { 0 };
        }
        cells
    }

    /// The contiguous run with the largest sum of `2p - 1`, where p is the share of its cell that is lacking.
    fn likely_run(&self, lacking: &[(i64, i64)]) -> Found {
        let (mut sum, mut from) = (0.0_f64, 0);
        let mut best = (0.0_f64, 0, 0);
        for (place, item) in self.items.iter().enumerate() {
            let (there, lacking) = at(lacking, item.cell);
            let likely = if there == 0 { 0.0 } else { lacking as f64 / there.abs() as f64 };
            if sum <= 0.0 {
                (sum, from) = (0.0, place);
            }
            sum += (2.0 * likely - 1.0) * item.amount.abs() as f64;
            if sum > best.0 {
                best = (sum, from, place + 1);
            }
        }
        (best.1, best.2, 0)
    }

    /// The best of all runs that add up to `size`.
    fn window(&mut self, size: i64) -> Found {
        let (mut from, mut held, mut gain) = (0, 0_i64, 0_i64);
        let mut best = (0, 0, 0);
        if size <= 0 {
            return best;
        }
        for to in 0..self.items.len() {
            let Some(&item) = self.items.get(to) else { break };
            gain += self.take(item, 1);
            held += item.amount.abs();
            while held > size
                && let Some(&first) = self.items.get(from)
            {
                gain += self.take(first, -1);
                held -= first.amount.abs();
                from += 1;
            }
            if gain > best.2 {
                best = (from, to + 1, gain);
            }
        }
        self.undo(from, self.items.len());
        best
    }

    /// Moves one end at a time to where it explains most.
    fn improve(&mut self, from: usize, to: usize) -> Found {
        let mut best = (from, to, i64::MIN);
        for _ in 0..MOST_MOVES {
            let before = best.2;
            let (end, gain) = self.best_end(best.0);
            if gain > best.2 {
                best = (best.0, end, gain);
            }
            let (start, gain) = self.best_start(best.1);
            if gain > best.2 {
                best = (start, best.1, gain);
            }
            if best.2 == before {
                break;
            }
        }
        best
    }

    fn best_end(&mut self, from: usize) -> (usize, i64) {
        let (mut gain, mut left, mut best) = (0, self.most, (from, 0));
        let mut seen = from;
        // Further on there is no more to explain than what is left: enough of a loss cannot be made good.
        while gain + left > best.1
            && let Some(&item) = self.items.get(seen)
        {
            seen += 1;
            let closer = self.take(item, 1);
            gain += closer;
            left -= closer.max(0);
            if gain > best.1 {
                best = (seen, gain);
            }
        }
        self.undo(from, seen);
        best
    }

    fn best_start(&mut self, to: usize) -> (usize, i64) {
        let (mut gain, mut left, mut best) = (0, self.most, (to, 0));
        let mut seen = to;
        while gain + left > best.1
            && let Some(&item) = seen.checked_sub(1).and_then(|at| self.items.get(at))
        {
            seen -= 1;
            let closer = self.take(item, 1);
            gain += closer;
            left -= closer.max(0);
            if gain > best.1 {
                best = (seen, gain);
            }
        }
        self.undo(seen, to);
        best
    }

    /// Takes a record into the run (or out of it, by -1); how much closer that comes.
    fn take(&mut self, item: Item, times: i64) -> i64 {
        let Some(rest) = self.rest.get_mut(item.cell as usize) else { return 0 };
        let before = rest.abs();
        *rest += times * item.amount;
        before - rest.abs()
    }

    fn undo(&mut self, from: usize, to: usize) {
        for item in self.items.get(from..to).unwrap_or_default() {
            if let Some(rest) = self.rest.get_mut(item.cell as usize) {
                *rest -= item.amount;
            }
        }
    }
}
