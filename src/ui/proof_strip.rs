//! The proof strip: how often each record was read, how often it counted, and what counting every read would give.

mod odd;

use std::collections::BTreeMap;

use eframe::egui::{Align2, Color32, Painter, Rect, Role, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{
    canvas::{cross, diamond, hatch},
    theme::{self, Tokens, tokens},
    widgets::{Out, named},
};
use crate::{
    app::{
        Edit, Input, LineageEdit, State,
        format::{records_in, signed, thousands},
        proof_in_words,
    },
    domain::Run,
    engine::{
        frame::{GapKind, Proof},
        protocol::VersionNumber,
    },
};

/// Up to this many records are drawn as numbered cells.
const CELLS: u64 = 50;

/// Height at normal size.
pub const HEIGHT: f32 = 110.0;

/// Whether its records are, or will be, numbered cells, which need the height.
pub fn has_cells(state: &State) -> bool {
    let (Some(lane), Some(strip)) = (state.lane(), Subject::of(state)) else { return false };
    let shown = strip.proof.to.saturating_sub(strip.proof.from);
    lane.log_records <= CELLS || (1..=CELLS).contains(&shown)
}

/// Whose strip it is.
#[derive(Debug, Clone, Copy)]
struct Subject<'a> {
    proof: &'a Proof,
    /// `None`: the stream of the Lambda lane.
    version: Option<VersionNumber>,
    /// What is said where nothing has crashed.
    before: &'static str,
}

impl<'a> Subject<'a> {
    fn of(state: &'a State) -> Option<Self> {
        let Some(kappa) = state.kappa().filter(|_| state.shows_kappa()) else {
            let before = "After a crash: how often each record was read, and how often it counts.";
            return Some(Subject { proof: &state.lane()?.proof, version: None, before });
        };
        let before =
            "After the crash of a version: how often it read each record, and how often its view counts it.";
        Some(match &kappa.proof {
            Some((version, proof)) => Subject { proof, version: Some(*version), before },
            None => Subject { proof: &NOTHING, version: None, before },
        })
    }

    fn names(self) -> [String; 3] {
        let every = "if every read counted".to_owned();
        match self.version {
            None => ["read".to_owned(), "counted".to_owned(), every],
            Some(version) => [format!("read by version {version}"), "counted in its view".to_owned(), every],
        }
    }

    fn in_words(self) -> String {
        let title = self
            .version
            .map_or("Proof strip".to_owned(), |version| format!("Proof strip of version {version}"));
        format!("{title}. {}", proof_in_words(self.proof))
    }
}

/// No version has crashed.
static NOTHING: Proof = Proof {
    from: 0,
    to: 0,
    checkpoint: None,
    crash: None,
    read: Vec::new(),
    counted: Vec::new(),
    every_read: Vec::new(),
    excluded: 0,
    gaps: Vec::new(),
    mixed: Vec::new(),
};

/// Draws the strip. A click goes to its record in the log browser.
pub fn proof_strip_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let Some(subject) = Subject::of(state) else { return };
    let size = vec2(ui.available_width(), ui.available_height());
    let sense = if subject.proof.read.is_empty() { Sense::hover() } else { Sense::click() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    named(&response, Role::Image, subject.in_words());
    let strip = Strip::new(ui, rect, subject);
    strip.paint();
    let pointer = response.interact_pointer_pos().filter(|_| response.clicked());
    if let Some(record) = pointer.and_then(|pointer| strip.record_at(pointer.x)) {
        out.push(Input::Edit(Edit::Lineage(LineageEdit::From(record))));
    }
    if let Some(text) = response.hover_pos().and_then(|pointer| strip.at(pointer.x)) {
        response.on_hover_text_at_pointer(text);
    }
}

struct Strip<'a> {
    painter: Painter,
    subject: Subject<'a>,
    proof: &'a Proof,
    rect: Rect,
    track: Rect,
    t: &'static Tokens,
    label: eframe::egui::FontId,
    digits: eframe::egui::FontId,
}

impl<'a> Strip<'a> {
    fn new(ui: &Ui, rect: Rect, subject: Subject<'a>) -> Self {
        let scale = theme::scale(ui);
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let left = rect.left() + 136.0 * scale;
        let track = Rect::from_min_max(pos2(left, rect.top()), rect.max - vec2(118.0 * scale, 16.0 * scale));
        Strip {
            painter,
            subject,
            proof: subject.proof,
            rect,
            track,
            t: tokens(ui),
            label: theme::small(ui),
            digits: theme::mono_small(ui),
        }
    }

    fn records(&self) -> u64 {
        self.proof.to.saturating_sub(self.proof.from).max(1)
    }

    fn x(&self, record: u64) -> f32 {
        let share = record.saturating_sub(self.proof.from) as f64 / self.records() as f64;
        #[expect(clippy::cast_possible_truncation, reason = "a share of a width in pixels")]
        let share = share.min(1.0) as f32;
        self.track.left() + self.track.width() * share
    }

    fn record_at(&self, x: f32) -> Option<u64> {
        if !self.track.x_range().contains(x) || self.proof.read.is_empty() {
            return None;
        }
        let share = f64::from((x - self.track.left()) / self.track.width().max(1.0));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the strip's records"
        )]
        let record = self.proof.from + (share * self.records() as f64) as u64;
        Some(record)
    }

    fn at(&self, x: f32) -> Option<String> {
        let record = self.record_at(x)?;
        let count = |runs: &[Run]| {
            runs.iter().find(|run| (run.start..run.end).contains(&record)).map_or(0, |run| run.count)
        };
        let (read, counted) = (count(&self.proof.read), count(&self.proof.counted));
        if let Some(piece) = self.proof.mixed.iter().find(|piece| piece.contains(&record)) {
            let became = odd::in_words(self.proof, piece.start, piece.end);
            let records = records_in(piece.start, piece.end);
            return Some(format!("Records {records}: read {read}x; {became}"));
        }
        let gap = self.proof.gaps.iter().find(|gap| (gap.start..gap.end).contains(&record));
        let why = match gap.map(|gap| gap.kind) {
            Some(GapKind::Lost) => " (lost)",
            Some(GapKind::Never) => " (it cannot count)",
            None => "",
        };
        Some(format!("Record {}: read {read}x, counted {counted}x{why}", thousands(record)))
    }

    fn paint(&self) {
        let proof = self.proof;
        let [read, counts, every] = self.subject.names();
        let rows = [
            (read, &proof.read, self.t.text),
            (counts, &proof.counted, self.t.success),
            (every, &proof.every_read, self.t.crash),
        ];
        let most =
            rows.iter().flat_map(|(_, runs, _)| runs.iter()).map(|run| run.count).max().unwrap_or(1).max(2);
        let height = (self.track.height() / 3.0).floor();
        let total =
            |runs: &[Run]| runs.iter().map(|run| (run.end - run.start) * u64::from(run.count)).sum::<u64>();
        let counted = total(&proof.counted);
        if proof.crash.is_none() {
            self.painter.text(
                self.track.center(),
                Align2::CENTER_CENTER,
                self.subject.before,
                self.label.clone(),
                self.t.subdued,
            );
        }
        for (at, (name, runs, color)) in (0_u8..).zip(rows) {
            let top = self.track.top() + height * f32::from(at);
            let row =
                Rect::from_min_size(pos2(self.track.left(), top), vec2(self.track.width(), height - 6.0));
            self.painter.text(
                pos2(self.rect.left(), row.bottom()),
                Align2::LEFT_BOTTOM,
                name,
                self.label.clone(),
                self.t.text,
            );
            if proof.crash.is_some() {
                self.painter.hline(self.track.x_range(), row.bottom(), Stroke::new(1.0, self.t.hairline));
            }
            let sum = total(runs);
            let is_more = runs.iter().any(|run| run.count > 1);
            let wrong = at > 0 && is_more;
            // Single records that count again are marked one by one.
            let color = match (at, wrong) {
                (1, true) if runs.iter().all(|run| run.count > 1) => self.t.crash,
                (2, false) => self.t.recount,
                _ => color,
            };
            self.runs(row, runs, most, color, at == 0);
            if at == 1 && self.records() <= CELLS {
                self.cells(row, runs, row.height() / most as f32);
            } else if at == 1 {
                let columns = odd::columns(proof, |record| self.x(record));
                odd::paint(&self.painter, row, row.height() / most as f32, &columns, self.t);
            }
            let text = if at == 2 && sum > counted {
                format!("{} ({})", thousands(sum), signed(i128::from(sum) - i128::from(counted)))
            } else {
                thousands(sum)
            };
            let ink = if wrong { self.t.error } else { self.t.strong };
            self.painter.text(
                pos2(self.rect.right(), row.bottom()),
                Align2::RIGHT_BOTTOM,
                text,
                self.digits.clone(),
                ink,
            );
        }
        self.ends();
    }

    /// Blocks as high as the count; second and later reads hatched.
    fn runs(&self, row: Rect, runs: &[Run], most: u32, color: Color32, hatched: bool) {
        let unit = row.height() / most as f32;
        let cells = self.records() <= CELLS;
        if runs.len() as f32 > row.width() {
            return self.density(row, runs, most, color);
        }
        for run in runs {
            let (left, right) = (self.x(run.start), self.x(run.end));
            let right = right.max(left + 1.0);
            let top = row.bottom() - unit * run.count as f32;
            let block = Rect::from_min_max(pos2(left, top), pos2(right, row.bottom()));
            self.painter.rect_filled(block, 0, color.gamma_multiply(0.62));
            if hatched && run.count > 1 {
                let upper = Rect::from_min_max(block.min, pos2(right, row.bottom() - unit));
                self.painter.rect_filled(upper, 0, self.t.canvas.gamma_multiply(0.72));
                hatch(&self.painter, upper, 5.0, color);
                self.painter.rect_stroke(upper, 0, Stroke::new(1.0, color), StrokeKind::Inside);
            }
            if cells {
                for record in run.start..run.end {
                    self.painter.vline(self.x(record + 1), block.y_range(), Stroke::new(1.5, self.t.canvas));
                }
            }
        }
    }

    /// Numbers of single records; those that do not count have an empty cell.
    fn cells(&self, row: Rect, runs: &[Run], unit: f32) {
        for record in self.proof.from..self.proof.to {
            let cell = Rect::from_x_y_ranges(self.x(record)..=self.x(record + 1), row.y_range());
            if !runs.iter().any(|run| (run.start..run.end).contains(&record)) {
                let empty = cell.with_min_y(row.bottom() - unit).shrink2(vec2(2.0, 0.5));
                self.painter.rect_stroke(empty, 2, Stroke::new(1.0, self.t.subdued), StrokeKind::Inside);
            }
            // A number that does not fit its cell helps nobody; the pointer tells it.
            let galley = self.painter.layout_no_wrap(thousands(record), self.digits.clone(), self.t.strong);
            if galley.size().x + 4.0 <= cell.width() && self.digits.size <= unit + 3.0 {
                let middle = cell.bottom() - (unit / 2.0).max(self.digits.size / 2.0 + 1.0);
                let place = pos2(cell.center().x, middle) - galley.size() / 2.0;
                self.painter.galley(place, galley, self.t.strong);
            }
        }
    }

    /// More runs than pixels: the mean count of each pixel column.
    #[expect(clippy::cast_possible_truncation, reason = "pixel columns and heights")]
    fn density(&self, row: Rect, runs: &[Run], most: u32, color: Color32) {
        let mut columns: BTreeMap<i64, f32> = BTreeMap::new();
        for run in runs {
            let (left, right) = (self.x(run.start), self.x(run.end));
            for column in left.floor() as i64..=right.floor() as i64 {
                let start = column as f32;
                let share = (right.min(start + 1.0) - left.max(start)).max(0.0);
                *columns.entry(column).or_default() += share * run.count as f32;
            }
        }
        for (column, mean) in columns {
            let height = row.height() * (mean / most as f32).min(1.0);
            let x = column as f32;
            let bar = Rect::from_min_max(pos2(x, row.bottom() - height), pos2(x + 1.0, row.bottom()));
            self.painter.rect_filled(bar, 0, color.gamma_multiply(0.62));
        }
    }

    fn ends(&self) {
        let proof = self.proof;
        let y = self.track.bottom();
        let base = self.rect.bottom();
        if proof.read.is_empty() {
            return;
        }
        let mut taken = f32::NEG_INFINITY;
        let mut mark = |record: u64, text: String, color| {
            let x = self.x(record);
            let galley = self.painter.layout_no_wrap(text, self.digits.clone(), color);
            let left =
                (x - galley.size().x / 2.0).clamp(self.track.left(), self.track.right() - galley.size().x);
            if left > taken {
                taken = left + galley.size().x + 8.0;
                self.painter.galley(pos2(left, base - galley.size().y), galley, color);
            }
            x
        };
        match proof.checkpoint {
            Some(at) => {
                let x = mark(at, format!("checkpoint {}", thousands(at)), self.t.success);
                diamond(
                    &self.painter,
                    pos2(x.max(self.track.left() + 5.0), y - 3.0),
                    4.0,
                    self.t.checkpoint,
                    true,
                );
            }
            None => {
                mark(proof.from, thousands(proof.from), self.t.subdued);
            }
        }
        if let Some(at) = proof.crash {
            let x = mark(at, format!("crash {}", thousands(at)), self.t.error);
            cross(&self.painter, pos2(x.min(self.track.right() - 5.0), y - 3.0), 4.0, self.t.crash);
        }
        if proof.crash != Some(proof.to) {
            mark(proof.to, thousands(proof.to), self.t.subdued);
        }
    }
}
