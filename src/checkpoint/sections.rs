//! The content of each section that holds state.

use std::collections::{BTreeSet, HashMap};

use rustc_hash::FxBuildHasher;

use super::{CodecError, Decoder, Encoder, SectionId};
use crate::{
    domain::{
        Cell, Counts, Day, EventTime, KeyId, LateRecords, LateRun, NameTable, Offsets, PartitionIndex,
        PartitionMemory, RangeCounts, Row, Run, Sketch, UserId, View, Watermarks,
    },
    processing::{Bucket, StreamState},
};

/// How a cell's users are kept: as the exact set.
const EXACT_SET: u8 = 0;
/// As the registers of a sketch that are in use.
const SKETCH_OF_FEW: u8 = 1;
/// As all registers of a sketch.
const SKETCH: u8 = 2;

/// The names that a state uses, sorted by text and numbered anew.
pub(super) struct LocalNames<'a> {
    texts: Vec<&'a str>,
    numbers: HashMap<u32, u32, FxBuildHasher>,
}

impl<'a> LocalNames<'a> {
    pub(super) fn new(table: &'a dyn NameTable, ids: &BTreeSet<u32>) -> Self {
        let mut sorted: Vec<(&str, u32)> = ids.iter().map(|&id| (table.text(id), id)).collect();
        sorted.sort_unstable();
        let numbers = sorted.iter().zip(0_u32..).map(|(&(_, id), number)| (id, number)).collect();
        LocalNames { texts: sorted.into_iter().map(|(text, _)| text).collect(), numbers }
    }

    fn number(&self, id: u32) -> u32 {
        self.numbers.get(&id).copied().unwrap_or(u32::MAX)
    }
}

fn vector(out: &mut Encoder, offsets: &Offsets) {
    out.count(offsets.len());
    for &position in offsets.as_slice() {
        out.u64(position);
    }
}

fn read_vector(input: &mut Decoder<'_>) -> Result<Offsets, CodecError> {
    let count = input.count(1)?;
    (0..count).map(|_| input.u64()).collect::<Result<_, _>>().map(Offsets::from_vec)
}

pub(super) fn explicit_offsets(state: &StreamState) -> Vec<u8> {
    let mut out = Encoder::new();
    out.count(state.memories.len());
    for memory in &state.memories {
        out.option(memory.highest_explicit, Encoder::u64);
    }
    out.finish()
}

pub(super) fn read_explicit_offsets(mut input: Decoder<'_>) -> Result<Vec<PartitionMemory>, CodecError> {
    let count = input.count(1)?;
    let memories = (0..count)
        .map(|_| {
            let highest_explicit = input.option(Decoder::u64)?;
            Ok(PartitionMemory { highest_explicit, ..PartitionMemory::default() })
        })
        .collect::<Result<_, CodecError>>()?;
    input.finish()?;
    Ok(memories)
}

pub(super) fn ids(state: &StreamState) -> Vec<u8> {
    let mut out = Encoder::new();
    out.count(state.memories.len());
    for memory in &state.memories {
        let sorted: BTreeSet<u128> = memory.seen_ids.iter().copied().collect();
        out.count(sorted.len());
        for id in sorted {
            out.fixed_u128(id);
        }
    }
    out.finish()
}

pub(super) fn read_ids(mut input: Decoder<'_>, memories: &mut [PartitionMemory]) -> Result<(), CodecError> {
    if input.count(1)? != memories.len() {
        return Err(CodecError::Count);
    }
    for memory in memories {
        for _ in 0..input.count(16)? {
            memory.seen_ids.insert(input.fixed_u128()?);
        }
    }
    input.finish()
}

pub(super) fn watermarks(state: &StreamState) -> Vec<u8> {
    let (largest, idle) = state.watermarks.parts();
    // Of a partition that comes after all that were read nothing is known: it has been idle from the start.
    let used =
        largest.iter().zip(idle).rposition(|(time, &idle)| time.is_some() || idle < state.counts.records());
    let used = used.map_or(0, |last| last + 1);
    let (largest, idle) = (largest.get(..used).unwrap_or(largest), idle.get(..used).unwrap_or(idle));
    let mut out = Encoder::new();
    out.count(largest.len());
    for time in largest {
        out.option(*time, |out, time| out.i64(time.0));
    }
    out.count(idle.len());
    for &records in idle {
        out.u64(records);
    }
    out.finish()
}

pub(super) fn read_watermarks(mut input: Decoder<'_>) -> Result<Watermarks, CodecError> {
    let count = input.count(1)?;
    let largest = (0..count)
        .map(|_| input.option(Decoder::i64).map(|time| time.map(EventTime)))
        .collect::<Result<_, _>>()?;
    let count = input.count(1)?;
    let idle = (0..count).map(|_| input.u64()).collect::<Result<_, _>>()?;
    input.finish()?;
    Ok(Watermarks::from_parts(largest, idle))
}

/// How many records were excluded for which reason, and the late ranges with the watermark that dropped them.
pub(super) fn excluded(state: &StreamState) -> Vec<u8> {
    let counts = &state.counts;
    let mut out = Encoder::new();
    for count in [
        counts.malformed,
        counts.redelivered,
        counts.missing_user,
        counts.duplicates,
        counts.late,
        counts.counted,
    ] {
        out.u64(count);
    }
    out.count(state.late.partitions());
    for partition in (0_u16..).map(PartitionIndex).take(state.late.partitions()) {
        let runs = state.late.runs(partition);
        out.count(runs.len());
        let mut at = 0;
        for run in runs {
            out.u64(run.start - at);
            out.u64(run.end - run.start);
            out.i64(run.watermark.0);
            at = run.end;
        }
    }
    out.finish()
}

pub(super) fn read_excluded(mut input: Decoder<'_>) -> Result<(Counts, LateRecords), CodecError> {
    let counts = Counts {
        malformed: input.u64()?,
        redelivered: input.u64()?,
        missing_user: input.u64()?,
        duplicates: input.u64()?,
        late: input.u64()?,
        counted: input.u64()?,
    };
    let mut partitions = Vec::new();
    for _ in 0..input.count(1)? {
        let mut at = 0_u64;
        let mut runs = Vec::new();
        for _ in 0..input.count(3)? {
            let start = at.checked_add(input.u64()?).ok_or(CodecError::Number)?;
            let end = start.checked_add(input.u64()?).ok_or(CodecError::Number)?;
            runs.push(LateRun { start, end, watermark: EventTime(input.i64()?) });
            at = end;
        }
        partitions.push(runs);
    }
    if partitions.last().is_some_and(Vec::is_empty) {
        return Err(CodecError::Value);
    }
    let late = LateRecords::from_runs(partitions).ok_or(CodecError::Value)?;
    if late.total() > counts.late {
        return Err(CodecError::Count);
    }
    input.finish()?;
    Ok((counts, late))
}

pub(super) fn effects(state: &StreamState) -> Vec<u8> {
    let mut out = Encoder::new();
    // A partition of which nothing counts (any more) is the same as one of which nothing ever counted.
    let used = state.effects.iter().rposition(|runs| !runs.runs().is_empty()).map_or(0, |last| last + 1);
    out.count(used);
    for runs in state.effects.iter().take(used) {
        out.count(runs.runs().len());
        let mut at = 0;
        for run in runs.runs() {
            out.u64(run.start - at);
            out.u64(run.end - run.start);
            out.u64(u64::from(run.count));
            at = run.end;
        }
    }
    out.finish()
}

pub(super) fn read_effects(mut input: Decoder<'_>) -> Result<Vec<RangeCounts>, CodecError> {
    let partitions = input.count(1)?;
    let mut effects = Vec::with_capacity(partitions);
    for _ in 0..partitions {
        let mut at = 0_u64;
        let mut runs = Vec::new();
        for _ in 0..input.count(3)? {
            let start = at.checked_add(input.u64()?).ok_or(CodecError::Number)?;
            let end = start.checked_add(input.u64()?).ok_or(CodecError::Number)?;
            runs.push(Run { start, end, count: input.u32()? });
            at = end;
        }
        effects.push(RangeCounts::from_runs(runs).ok_or(CodecError::Value)?);
    }
    input.finish()?;
    Ok(effects)
}

pub(super) fn buckets(state: &StreamState) -> Vec<u8> {
    let mut out = Encoder::new();
    out.count(state.buckets.len());
    for bucket in &state.buckets {
        vector(&mut out, &bucket.from);
        out.option(bucket.to.as_ref(), vector);
        out.count(bucket.view.rows().len());
    }
    out.finish()
}

/// The empty buckets and how many rows each will have.
pub(super) fn read_buckets(mut input: Decoder<'_>) -> Result<(Vec<Bucket>, Vec<u64>), CodecError> {
    let count = input.count(3)?;
    let mut buckets = Vec::with_capacity(count);
    let mut sizes = Vec::with_capacity(count);
    for _ in 0..count {
        let from = read_vector(&mut input)?;
        let to = input.option(read_vector)?;
        buckets.push(Bucket { from, to, view: View::new() });
        sizes.push(input.u64()?);
    }
    input.finish()?;
    let in_order = buckets.windows(2).all(|pair| matches!(pair, [a, b] if a.to.as_ref() == Some(&b.from)));
    if buckets.last().is_none_or(|last| last.to.is_some()) || !in_order {
        return Err(CodecError::Value);
    }
    Ok((buckets, sizes))
}

pub(super) fn names(keys: &LocalNames<'_>, users: &LocalNames<'_>) -> Vec<u8> {
    let mut out = Encoder::new();
    for names in [keys, users] {
        out.count(names.texts.len());
        for text in &names.texts {
            out.str(text);
        }
    }
    out.finish()
}

pub(super) fn read_names(mut input: Decoder<'_>) -> Result<(Vec<String>, Vec<String>), CodecError> {
    let mut list = || -> Result<Vec<String>, CodecError> {
        let count = input.count(1)?;
        (0..count).map(|_| input.str().map(str::to_owned)).collect()
    };
    let (keys, users) = (list()?, list()?);
    input.finish()?;
    Ok((keys, users))
}

/// Rows of all buckets in order, sorted by key text, then day; and their user sets in the same order.
pub(super) fn cells(
    state: &StreamState,
    keys: &LocalNames<'_>,
    users: &LocalNames<'_>,
) -> (Vec<u8>, Vec<u8>) {
    let mut cells = Encoder::new();
    let mut sets = Encoder::new();
    for bucket in &state.buckets {
        let mut rows: Vec<(u32, Day, &Row)> =
            bucket.view.rows().iter().map(|row| (keys.number(row.cell.key.0), row.cell.day, row)).collect();
        rows.sort_unstable_by_key(|&(key, day, _)| (key, day));
        for (key, day, row) in rows {
            cells.u64(u64::from(key));
            cells.i64(i64::from(day.0));
            cells.u64(row.views);
            cells.i128(row.sum);
            user_set(&mut sets, row, users);
        }
    }
    (cells.finish(), sets.finish())
}

fn user_set(out: &mut Encoder, row: &Row, users: &LocalNames<'_>) {
    if let Some(sketch) = &row.sketch {
        return sketched(out, sketch);
    }
    let mut numbers: Vec<u32> = row.users.iter().map(|user| users.number(user.0)).collect();
    numbers.sort_unstable();
    out.u8(EXACT_SET);
    out.count(numbers.len());
    let mut at = 0;
    for number in numbers {
        out.u64(u64::from(number - at));
        at = number;
    }
}

/// A speed layer that counts by sketches has no sets: a row has one or the other.
fn sketched(out: &mut Encoder, sketch: &Sketch) {
    let places = sketch.places();
    if places.len() <= Sketch::MOST_FEW {
        out.u8(SKETCH_OF_FEW);
        out.count(places.len());
        let mut at = 0;
        for (place, value) in places {
            out.u64(u64::from(place - at));
            out.u8(value);
            at = place;
        }
        return;
    }
    let mut registers = vec![0; Sketch::REGISTERS];
    for (place, value) in places {
        registers.get_mut(usize::from(place)).into_iter().for_each(|register| *register = value);
    }
    out.u8(SKETCH);
    out.raw(&registers);
}

fn read_sketch(kind: u8, input: &mut Decoder<'_>) -> Result<Sketch, CodecError> {
    let mut places = Vec::new();
    match kind {
        SKETCH_OF_FEW => {
            let mut at = 0_u16;
            for _ in 0..input.count(2)? {
                let step = u16::try_from(input.u64()?).map_err(|_| CodecError::Number)?;
                at = at.checked_add(step).ok_or(CodecError::Number)?;
                places.push((at, input.u8()?));
            }
        }
        SKETCH => {
            let registers = input.raw(Sketch::REGISTERS)?;
            places.extend((0..).zip(registers.iter().copied()).filter(|&(_, value)| value > 0));
        }
        _ => return Err(CodecError::Value),
    }
    // One form for each set of registers.
    let is_few = places.len() <= Sketch::MOST_FEW;
    if is_few != (kind == SKETCH_OF_FEW) {
        return Err(CodecError::Value);
    }
    Sketch::from_places(places).ok_or(CodecError::Value)
}

/// Fills the buckets of `state` with their rows.
pub(super) fn read_cells(
    mut cells: Decoder<'_>,
    sets: &mut Decoder<'_>,
    sizes: &[u64],
    (keys, users): (usize, usize),
    state: &mut StreamState,
) -> Result<(), (SectionId, CodecError)> {
    for (bucket, &size) in state.buckets.iter_mut().zip(sizes) {
        for _ in 0..size {
            let mut row = read_row(&mut cells, keys).map_err(|error| (SectionId::Cells, error))?;
            read_users(sets, users, &mut row).map_err(|error| (SectionId::UserSets, error))?;
            bucket.view.add_row(&row);
        }
    }
    cells.finish().map_err(|error| (SectionId::Cells, error))
}

fn read_row(input: &mut Decoder<'_>, keys: usize) -> Result<Row, CodecError> {
    let key = input.u32()?;
    if key as usize >= keys {
        return Err(CodecError::Value);
    }
    let cell = Cell { key: KeyId(key), day: Day(input.i32()?) };
    Ok(Row { views: input.u64()?, sum: input.i128()?, ..Row::new(cell) })
}

fn read_users(input: &mut Decoder<'_>, users: usize, row: &mut Row) -> Result<(), CodecError> {
    let kind = input.u8()?;
    if kind != EXACT_SET {
        row.sketch = Some(Box::new(read_sketch(kind, input)?));
        return Ok(());
    }
    let mut at = 0_u32;
    for _ in 0..input.count(1)? {
        at = at.checked_add(input.u32()?).ok_or(CodecError::Number)?;
        if at as usize >= users {
            return Err(CodecError::Value);
        }
        row.users.push(UserId(at));
    }
    Ok(())
}

/// The view with other ids: `keys` and `users` give the new id of each old one.
pub(super) fn renamed(view: &View, keys: &[u32], users: &[u32]) -> Option<View> {
    let mut renamed = View::new();
    for row in view.rows() {
        let key = KeyId(*keys.get(row.cell.key.0 as usize)?);
        let users = row.users.iter().map(|user| users.get(user.0 as usize).map(|&id| UserId(id)));
        renamed.add_row(&Row {
            cell: Cell { key, day: row.cell.day },
            views: row.views,
            sum: row.sum,
            users: users.collect::<Option<_>>()?,
            sketch: row.sketch.clone(),
        });
    }
    Some(renamed)
}
