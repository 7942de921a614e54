//! What a hand-over counts, against the full recount.

use eframe::egui::{Align2, Color32, Label, RichText, Role, Sense, Ui, pos2, vec2};

use super::super::{
    theme::{self, tokens},
    widgets::named,
};
use crate::{
    app::{HandoverPage, State, format, verdict},
    engine::{frame::Totals, protocol::HandoverAnswer},
};

/// Width of a number's column.
const COLUMN: f32 = 88.0;

/// The sentence.
pub fn verdict_ui(ui: &mut Ui, page: &HandoverPage, answer: &HandoverAnswer) {
    let t = tokens(ui);
    let (text, is_right) = verdict(page.users, answer);
    let color = if is_right { t.success } else { t.error };
    ui.add_space(4.0);
    ui.add(Label::new(RichText::new(text).font(theme::strong(ui)).color(color)).wrap());
}

/// Both views, merged, the recount and the error, as a small table.
pub fn numbers_ui(ui: &mut Ui, state: &State, page: &HandoverPage, answer: &HandoverAnswer) {
    let t = tokens(ui);
    let has = |of: fn(&crate::engine::protocol::LogSummary) -> bool| state.summary.as_deref().is_none_or(of);
    let table =
        Table { has_users: has(|summary| summary.has_users), has_values: has(|summary| summary.has_values) };
    let merged = answer.merged(page.users);
    let gap = ui.spacing().item_spacing.y;
    table.head(ui);
    table.row(ui, "batch view", &answer.batch, t.batch_text);
    table.row(ui, "speed view", &answer.speed, t.speed_text);
    table.row(ui, "merged", &merged, t.strong);
    table.row(ui, "full recount", &answer.recount, t.text);
    table.error(ui, &merged, &answer.recount);
    ui.spacing_mut().item_spacing.y = gap;
}

#[derive(Debug, Clone, Copy)]
struct Table {
    has_users: bool,
    has_values: bool,
}

impl Table {
    fn head(self, ui: &mut Ui) {
        let color = tokens(ui).subdued;
        let names = ["page views", "unique users", "sum"].map(ToOwned::to_owned);
        self.cells(ui, "", &names, [color; 3], true);
    }

    fn row(self, ui: &mut Ui, name: &str, totals: &Totals, color: Color32) {
        let numbers = [
            format::thousands(totals.views),
            format::thousands(totals.users),
            format::millionths(totals.sum),
        ];
        self.cells(ui, name, &numbers, [color; 3], false);
    }

    fn error(self, ui: &mut Ui, merged: &Totals, recount: &Totals) {
        let difference = |a: u64, b: u64| i128::from(a) - i128::from(b);
        let (views, users) =
            (difference(merged.views, recount.views), difference(merged.users, recount.users));
        let sum = merged.sum - recount.sum;
        let sum_text =
            if sum > 0 { format!("+{}", format::millionths(sum)) } else { format::millionths(sum) };
        let t = tokens(ui);
        let numbers = [format::signed(views), format::signed(users), sum_text];
        let colors = [views, users, sum].map(|error| if error == 0 { t.success } else { t.error });
        self.cells(ui, "error", &numbers, colors, false);
    }

    /// Painted, so that columns stand under each other; read as one sentence.
    fn cells(self, ui: &mut Ui, name: &str, numbers: &[String; 3], colors: [Color32; 3], is_head: bool) {
        let scale = theme::scale(ui);
        let size = vec2(ui.available_width(), (theme::body(ui).size + 5.0).round());
        ui.spacing_mut().item_spacing.y = 1.0;
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        let shown = [self.has_values, self.has_users, true];
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let font = if is_head { theme::small(ui) } else { theme::mono(ui) };
        let mut right = rect.right() - 2.0;
        let cells = numbers.iter().zip(colors).rev().zip(shown);
        for ((number, color), _) in cells.filter(|(_, is_shown)| *is_shown) {
            let at = pos2(right, rect.center().y);
            painter.text(at, Align2::RIGHT_CENTER, number, font.clone(), color);
            right -= COLUMN * scale;
        }
        let ink = tokens(ui).subdued;
        painter.text(rect.left_center(), Align2::LEFT_CENTER, name, theme::body(ui), ink);
        if !is_head {
            let [views, users, sum] = numbers;
            let users = if self.has_users { format!(", {users} unique users") } else { String::new() };
            let sum = if self.has_values { format!(", sum {sum}") } else { String::new() };
            named(&response, Role::Label, format!("{name}: {views} page views{users}{sum}"));
        }
    }
}
