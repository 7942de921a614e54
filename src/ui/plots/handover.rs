//! The hand-over on a plot: lines where batch ends and speed starts, what is counted twice or nowhere as shaded spans, and
//! below the plot, on its time axis, a row with a handle for each partition; for those that have no row, one for all.

mod lines;

pub use lines::{Lines, Lit};

use lines::Edge;

use eframe::egui::{
    Align, Align2, Color32, Id, Label, Layout, Rect, RichText, Role, Sense, Shape, Stroke, TextFormat, Ui,
    pos2,
    text::{LayoutJob, TextWrapping},
    vec2,
};
use egui_plot::{Line, LineStyle, PlotPoint, PlotPoints, PlotTransform};

use super::{Panel, cards::Head};
use crate::{
    app::{AppCommand, Edit, HandoverEdit, Input, Measure, State, format::thousands, verdict, wrong},
    domain::PartitionIndex,
    engine::{frame::LaneFrame, protocol::HandoverPoint},
    ui::{
        canvas::hatch,
        seams::{Grip, Seam, Seams},
        series::arrival,
        theme::{self, AREA, BAND, Tokens, tokens},
        widgets::{Out, command_button, named, small_text},
    },
};

/// Height of a row.
const ROW: f32 = 17.0;
/// The rows take at most this share of a card.
const MOST: f32 = 0.36;
/// More partitions than this have no lines of their own.
const MOST_LINES: usize = 12;
/// Half the width of a handle.
const HALF: f32 = 4.0;

/// How many rows there are, and how high they are together.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    count: usize,
    height: f32,
}

impl Rows {
    /// Those for a card of a height.
    pub fn of(ui: &Ui, seams: Option<&Seams<'_>>, card: f32) -> Rows {
        let Some(seams) = seams else { return Rows { count: 0, height: 0.0 } };
        let row = ROW * theme::scale(ui);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few rows")]
        let room = ((card * MOST / row).max(1.0) as usize).min(MOST_LINES);
        let count = seams.each.len().min(room);
        Rows { count, height: count as f32 * row + 4.0 }
    }

    /// Together.
    pub fn height(self) -> f32 {
        self.height
    }
}

/// The sentence above the plots, while the handles stand there by choice.
pub fn sentence_ui(ui: &mut Ui, state: &State, out: &mut Out) {
    let page = &state.answers.handover;
    if !page.on_plots || state.shows_kappa() {
        return;
    }
    let t = tokens(ui);
    ui.horizontal(|ui| {
        let right = Layout::right_to_left(Align::Center);
        ui.with_layout(right, |ui| {
            command_button(ui, state, out, AppCommand::HandoverOnPlots, "Hide");
            ui.add_enabled_ui(page.is_changed(), |ui| {
                if ui.button("Put back").on_hover_text("The hand-over as the run has it").clicked() {
                    out.push(Input::Edit(Edit::Handover(HandoverEdit::Reset)));
                }
            });
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                small_text(ui, "Hand-over");
                let (text, color) = match &page.answer {
                    Some(answer) => {
                        let (text, is_right) = verdict(page.users, answer);
                        (text, if is_right { t.success } else { t.error })
                    }
                    None => ("Counting…".to_owned(), t.subdued),
                };
                ui.add(Label::new(RichText::new(text).color(color)).truncate());
            });
        });
    });
}

/// What would be merged as the records arrived, where that is wrong.
pub fn course(
    state: &State,
    lane: &LaneFrame,
    seams: &Seams<'_>,
    panel: Panel,
    t: &Tokens,
) -> Option<Line<'static>> {
    let (page, answer) = (seams.page, seams.answer);
    let measure = state.measure;
    let is_wrong = answer.twice() + answer.nowhere() > 0
        || measure.difference(&answer.merged(page.users), &answer.recount) != 0;
    if panel != Panel::Merged || !page.is_changed() || !is_wrong {
        return None;
    }
    let point = |point: &HandoverPoint| PlotPoint {
        x: arrival(&lane.outline, point.records),
        y: measure.of(&point.merged(page.users)),
    };
    // Before the first record that can be counted wrongly it is the merged line itself.
    let spans = seams.overlaps().into_iter().chain(seams.gaps()).map(|(from, _)| from);
    let by_time = seams.each.iter().filter(|seam| seam.start.is_none()).map(|seam| seam.cut);
    let from = spans.chain(by_time).reduce(f64::min);
    let points: Vec<PlotPoint> = answer.course.iter().map(point).collect();
    let first = from.map_or(0, |from| points.partition_point(|point| point.x < from).saturating_sub(1));
    let points = points.into_iter().skip(first).collect();
    let dash = LineStyle::Dashed { length: 6.0 };
    Some(Line::new("with this hand-over", PlotPoints::Owned(points)).color(t.crash).width(2.0).style(dash))
}

/// The head of a plot under a hand-over that was changed: its number instead of the run's, the right one below.
pub fn head(head: Head, seams: &Seams<'_>, measure: Measure, panel: Panel, t: &Tokens) -> Head {
    let (page, answer) = (seams.page, seams.answer);
    let merged = answer.merged(page.users);
    let error = measure.difference(&merged, &answer.recount);
    let subdued = |text: &str| (text.to_owned(), t.subdued);
    let mut short_line = None;
    let (number, line) = match panel {
        Panel::Batch => ((measure.text(&answer.batch), t.strong), vec![subdued("with this hand-over")]),
        Panel::Speed => ((measure.text(&answer.speed), t.strong), vec![subdued("with this hand-over")]),
        Panel::Merged if error == 0 => {
            let right = ("full recount: the same".to_owned(), t.success);
            ((measure.text(&merged), t.strong), vec![right])
        }
        Panel::Merged => {
            let recount = subdued(&format!("full recount {} · ", measure.text(&answer.recount)));
            let off = (format!("off by {}", measure.difference_text(error)), t.error);
            let right = subdued(&format!("not {}: ", measure.text(&answer.recount)));
            short_line = Some(vec![right, (measure.difference_text(error), t.error)]);
            ((measure.text(&merged), t.error), vec![recount, off])
        }
    };
    Head { number, line, short_line, ..head }
}

/// What a changed hand-over makes of the merged number.
pub fn in_words(seams: &Seams<'_>, measure: Measure, panel: Panel) -> Option<String> {
    let (page, answer) = (seams.page, seams.answer);
    let merged = answer.merged(page.users);
    let error = measure.difference(&merged, &answer.recount);
    (panel == Panel::Merged && page.is_changed()).then(|| {
        let (merged, error) = (measure.text(&merged), measure.difference_text(error));
        format!(" With this hand-over {merged}, off by {error}.")
    })
}

/// What would be merged, where the hand-over was changed: how high the plot has to be.
pub fn height(seams: Option<&Seams<'_>>, measure: Measure) -> f64 {
    let changed = seams.filter(|seams| seams.page.is_changed());
    changed.map_or(0.0, |seams| measure.of(&seams.answer.merged(seams.page.users)))
}

/// Paints spans into a plot, with what is wrong there.
pub fn paint(ui: &Ui, seams: &Seams<'_>, panel: Panel, transform: &PlotTransform) {
    let t = tokens(ui);
    let frame = *transform.frame();
    let painter = ui.painter().with_clip_rect(frame.intersect(ui.clip_rect()));
    let x = |seconds: f64| transform.position_from_point_x(seconds);
    let span = |(from, to): (f64, f64)| Rect::from_x_y_ranges(x(from)..=x(to), frame.y_range());
    for twice in seams.overlaps().into_iter().map(span) {
        painter.rect_filled(twice, 0, t.crash.gamma_multiply(1.5 * BAND));
    }
    for nowhere in seams.gaps().into_iter().map(span) {
        hatch(&painter, nowhere, 6.0, t.error.gamma_multiply(0.6));
    }
    Lines { seams, panel, transform }.paint(ui);
    if panel == Panel::Merged {
        let text = wrong(seams.answer.twice(), seams.answer.nowhere(), 0);
        count_ui(ui, seams, transform, text);
    }
}

/// How many records are counted wrongly, beside where that is.
fn count_ui(ui: &Ui, seams: &Seams<'_>, transform: &PlotTransform, text: Option<String>) {
    let Some(text) = text else { return };
    let t = tokens(ui);
    let frame = *transform.frame();
    let painter = ui.painter().with_clip_rect(frame.intersect(ui.clip_rect()));
    let spans = || seams.overlaps().into_iter().chain(seams.gaps());
    let x = |seconds: f64| transform.position_from_point_x(seconds);
    let left = spans().map(|(from, _)| x(from)).fold(f32::INFINITY, f32::min);
    let right = spans().map(|(_, to)| x(to)).fold(f32::NEG_INFINITY, f32::max);
    let galley = painter.layout_no_wrap(text, theme::small(ui), t.error);
    let (width, y) = (galley.size().x + 10.0, frame.bottom() - 8.0);
    // Beside the span where there is room, else inside at the edge.
    let (anchor, at) = if right + width < frame.right() {
        (Align2::LEFT_BOTTOM, right + 6.0)
    } else if left - width > frame.left() {
        (Align2::RIGHT_BOTTOM, left - 6.0)
    } else {
        (Align2::RIGHT_BOTTOM, frame.right() - 6.0)
    };
    let at = anchor.anchor_size(pos2(at, y), galley.size());
    painter.rect_filled(at.expand2(vec2(3.0, 1.0)), 3, t.panel.gamma_multiply(0.9));
    painter.galley(at.min, galley, t.error);
}

/// The rows below a plot, with the handles.
pub struct Strip<'a, 'b> {
    /// The hand-over.
    pub seams: &'a Seams<'b>,
    /// Of which plot.
    pub panel: Panel,
    /// Its time axis.
    pub transform: &'a PlotTransform,
    /// How many rows.
    pub rows: Rows,
    /// The partition whose line is held, or would be.
    pub lit: Option<Lit>,
}

/// The handle of a partition below a plot.
fn handle_id(ui: &Ui, panel: Panel, index: PartitionIndex) -> Id {
    ui.scope_id().with(("hand-over", panel.title(), index.index()))
}

impl Strip<'_, '_> {
    /// Draws the rows and takes what is done to the handles; says which one is held, or would be.
    pub fn show(&self, ui: &Ui, rect: Rect, out: &mut Out) -> Option<Lit> {
        let row = ROW * theme::scale(ui);
        let frame = *self.transform.frame();
        let place = |at: usize| {
            let top = rect.top() + at as f32 * row;
            Rect::from_x_y_ranges(frame.x_range(), top + 1.5..=top + row - 1.5)
        };
        let all = self.seams.each.len();
        let has_band = all > self.rows.count;
        let shown = self.seams.shown(self.rows.count - usize::from(has_band && self.rows.count > 1));
        let each = self.seams.each.get(shown.clone()).unwrap_or_default();
        let mut lit = None;
        for (at, seam) in each.iter().enumerate() {
            lit = self.row(ui, place(at), seam, out).then_some(seam.index).or(lit);
        }
        if has_band && self.rows.count > 1 {
            let text = format!(
                "{} to {} of {}",
                thousands(shown.start as u64 + 1),
                thousands(shown.end as u64),
                thousands(all as u64)
            );
            self.band(ui, place(self.rows.count - 1), &text, out);
        }
        let edge = Edge::of_handles(self.panel);
        lit.map(|index| Lit { index, edge, pointer: None })
    }

    fn x(&self, seconds: f64) -> f32 {
        let frame = self.transform.frame();
        self.transform.position_from_point_x(seconds).clamp(frame.left(), frame.right())
    }

    fn seconds(&self, x: f32) -> f64 {
        self.transform.value_from_position(pos2(x, 0.0)).x
    }

    fn bar(&self, ui: &Ui, rect: Rect, seam: &Seam<'_>) {
        let t = tokens(ui);
        let painter = ui.painter();
        painter.rect_filled(rect, 2, t.grid.gamma_multiply(0.6));
        let span = |from: f64, to: f64| Rect::from_x_y_ranges(self.x(from)..=self.x(to), rect.y_range());
        let (start, cut, read) = (seam.at(), seam.cut, seam.read);
        let fill = |from: f64, to: f64, color: Color32| {
            if from < to {
                painter.rect_filled(span(from, to), 0, color.gamma_multiply(AREA + 0.1));
            }
        };
        if self.panel != Panel::Speed {
            fill(0.0, cut, t.batch);
        }
        let is_merged = self.panel == Panel::Merged;
        if self.panel != Panel::Batch {
            fill(if is_merged { start.max(cut) } else { start }, read, t.speed);
        }
        if is_merged && start < cut.min(read) {
            painter.rect_filled(span(start, cut.min(read)), 0, t.crash);
        }
        if is_merged && cut < start.min(read) {
            hatch(painter, span(cut, start.min(read)), 4.0, t.error);
        }
    }

    /// Whether its handle is held, or would be.
    fn row(&self, ui: &Ui, rect: Rect, seam: &Seam<'_>, out: &mut Out) -> bool {
        self.bar(ui, rect, seam);
        let t = tokens(ui);
        let (at, offset, place, to): (_, _, _, fn(PartitionIndex, u64) -> HandoverEdit) = match self.panel {
            Panel::Batch => (seam.cut, seam.handles.cut, ", batch view", HandoverEdit::Cut),
            Panel::Speed => (seam.at(), seam.start_offset(), ", speed view", HandoverEdit::Start),
            Panel::Merged => (seam.at(), seam.start_offset(), ", merged view", HandoverEdit::Start),
        };
        let grip = match self.panel {
            _ if seam.is_closed() => Grip::Both,
            Panel::Batch => Grip::Batch,
            Panel::Speed | Panel::Merged => Grip::Speed,
        };
        if self.panel == Panel::Merged && grip != Grip::Both {
            ui.painter().vline(self.x(seam.cut), rect.y_range(), Stroke::new(2.0, t.batch));
        }
        let x = self.x(at);
        let handle = Rect::from_x_y_ranges(x - HALF..=x + HALF, rect.y_range()).expand2(vec2(0.0, 1.0));
        let hit = handle.expand2(vec2(3.0, 0.5));
        let id = |index: PartitionIndex| handle_id(ui, self.panel, index);
        let slider = self.seams.slider(seam, id(seam.index), hit, offset, place);
        let offset_at = |x: f32| self.seams.offset_at(seam, self.seconds(x));
        let (response, slid) = slider.show(ui, offset_at);
        if let Some(slid) = slid {
            self.seams.slid(ui, seam, slid, to, id, out);
        }
        let is_held = response.hovered() || response.dragged();
        let is_lit = is_held || response.has_focus() || self.lit.is_some_and(|lit| lit.index == seam.index);
        match self.beyond(at) {
            Some(way) => Self::pointer(ui, rect, way, t.text),
            None => grip.paint(ui.painter(), handle, t, is_lit),
        }
        self.label(ui, rect, handle, seam, is_lit.then_some(offset));
        let text = format!("{}: {}", seam.partition.name, thousands(offset));
        response.on_hover_text(text);
        is_held
    }

    /// Towards which end a moment lies outside of what the plot shows.
    fn beyond(&self, seconds: f64) -> Option<f32> {
        let bounds = self.transform.bounds();
        let (from, to) = (bounds.min().first().copied(), bounds.max().first().copied());
        if from.is_some_and(|from| seconds < from) {
            return Some(-1.0);
        }
        to.is_some_and(|to| seconds > to).then_some(1.0)
    }

    /// The handle is further on that way.
    fn pointer(ui: &Ui, row: Rect, way: f32, color: Color32) {
        let tip = if way < 0.0 { row.left_center() } else { row.right_center() };
        let corners = [vec2(0.0, 0.0), vec2(-6.0 * way, -5.0), vec2(-6.0 * way, 5.0)];
        let corners = corners.map(|offset| tip + offset).to_vec();
        ui.painter().add(Shape::convex_polygon(corners, color, Stroke::NONE));
    }

    /// The partition's name beside its handle, and what is wrong; where it stands while it is moved.
    fn label(&self, ui: &Ui, row: Rect, handle: Rect, seam: &Seam<'_>, offset: Option<u64>) {
        let t = tokens(ui);
        let painter = ui.painter();
        let partition = seam.partition;
        let count = wrong(partition.twice, partition.nowhere, 0).filter(|_| self.panel == Panel::Merged);
        let count = count.map(|text| (format!("  {text}"), t.error));
        let mut words = vec![(partition.name.clone(), t.strong)];
        words.extend(offset.map(|offset| (format!(" {}", thousands(offset)), t.text)));
        words.extend(count.clone());
        // Behind the bar, so that it hides nothing; before the handle where that leaves more room.
        let bar = match self.panel {
            Panel::Batch => seam.cut,
            Panel::Speed | Panel::Merged => seam.read.max(seam.cut),
        };
        let end = self.x(bar).max(handle.right());
        let on_right = row.right() - end >= handle.left() - row.left() || row.right() - end > 90.0;
        let room = if on_right { row.right() - end } else { handle.left() - row.left() } - 8.0;
        let font = theme::small(ui);
        let layout = |words: &[(String, Color32)], width: f32| {
            let mut job = LayoutJob::default();
            for (text, color) in words {
                job.append(text, 0.0, TextFormat::simple(font.clone(), *color));
            }
            job.wrap = TextWrapping::truncate_at_width(width);
            painter.layout_job(job)
        };
        // The name stands in the other plots too; what is wrong only here.
        let fits = layout(&words, f32::INFINITY).size().x <= room;
        let words =
            count.filter(|_| !fits).map_or(words, |(text, color)| vec![(text.trim().to_owned(), color)]);
        let galley = layout(&words, room.max(0.0));
        let (anchor, at) = if on_right {
            (Align2::LEFT_CENTER, pos2(end + 5.0, row.center().y))
        } else {
            (Align2::RIGHT_CENTER, pos2(handle.left() - 5.0, row.center().y))
        };
        let at = anchor.anchor_size(at, galley.size());
        painter.rect_filled(at.expand2(vec2(3.0, 0.0)).intersect(row), 2, t.panel.gamma_multiply(0.8));
        painter.galley(at.min, galley, t.text);
    }

    /// All handles as one: how many stand where. A click chooses the nearest.
    fn band(&self, ui: &Ui, rect: Rect, text: &str, out: &mut Out) {
        let t = tokens(ui);
        let response =
            ui.interact(rect, ui.scope_id().with(("all hand-overs", self.panel.title())), Sense::click());
        named(&response, Role::Button, format!("All partitions, {}: {text}", self.panel.title()));
        let response = response.on_hover_text("Click: the partition whose hand-over is nearest");
        if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.clicked())
            && let Some(nearest) = self.seams.nearest(self.seconds(pointer.x))
        {
            out.push(Input::Edit(Edit::Handover(HandoverEdit::Select(nearest))));
        }
        density(ui, rect, self.seams, |seconds| self.x(seconds));
        let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::small(ui), t.subdued);
        // On the side where fewer handles are.
        let on_left = self.seams.each.iter().filter(|seam| self.x(seam.at()) < rect.center().x).count();
        let at = if on_left * 2 > self.seams.each.len() {
            Align2::RIGHT_CENTER.anchor_size(rect.right_center() - vec2(4.0, 0.0), galley.size())
        } else {
            Align2::LEFT_CENTER.anchor_size(rect.left_center() + vec2(4.0, 0.0), galley.size())
        };
        ui.painter().rect_filled(at.expand2(vec2(3.0, 0.0)), 2, t.panel.gamma_multiply(0.8));
        ui.painter().galley(at.min, galley, t.subdued);
    }
}

/// How many handles stand where, as ticks that grow with their number; spans that are counted wrongly.
pub fn density(ui: &Ui, rect: Rect, seams: &Seams<'_>, x: impl Fn(f64) -> f32) {
    let t = tokens(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    painter.rect_filled(rect, 2, t.grid.gamma_multiply(0.6));
    for (from, to) in seams.overlaps() {
        let span = Rect::from_x_y_ranges(x(from)..=x(to), rect.y_range());
        painter.rect_filled(span, 0, t.crash.gamma_multiply(0.5));
    }
    for (from, to) in seams.gaps() {
        hatch(&painter, Rect::from_x_y_ranges(x(from)..=x(to), rect.y_range()), 4.0, t.error);
    }
    let mut columns: std::collections::BTreeMap<i32, f32> = std::collections::BTreeMap::new();
    for seam in &seams.each {
        #[expect(clippy::cast_possible_truncation, reason = "a place in pixels")]
        let column = x(seam.at()).round() as i32;
        *columns.entry(column).or_default() += 1.0;
    }
    let most = columns.values().copied().fold(1.0, f32::max);
    for (column, count) in columns {
        let height = rect.height() * (0.3 + 0.7 * count / most);
        let tick = rect.bottom() - height..=rect.bottom();
        painter.vline(column as f32, tick, Stroke::new(1.5, t.speed));
    }
}
