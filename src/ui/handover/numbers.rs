//! What a hand-over counts, against the full recount.

use eframe::egui::{Align2, Color32, Label, RichText, Role, Sense, Ui, pos2, vec2};

use super::super::{
    theme::{self, tokens},
    widgets::named,
};
use crate::{
    app::{HandoverPage, State, format},
    engine::{
        frame::Totals,
        protocol::{HandoverAnswer, MergedUsers},
    },
};

/// Width of a number's column.
const COLUMN: f32 = 88.0;

/// One sentence, and whether it is good news.
fn verdict(users: MergedUsers, answer: &HandoverAnswer) -> (String, bool) {
    let (twice, nowhere) = (answer.twice(), answer.nowhere());
    let counted = |count: u64, how: &str| {
        let is = if count == 1 { "is" } else { "are" };
        format!("{} {is} counted {how}.", format::records(count))
    };
    let mut parts = Vec::new();
    if twice > 0 {
        parts.push(counted(twice, "twice"));
    }
    if nowhere > 0 {
        parts.push(counted(nowhere, "nowhere"));
    }
    if answer.late() > 0 {
        let late = format::records(answer.late());
        parts.push(format!("{late} came late: only the next batch run counts them."));
    }
    let merged = answer.merged(users);
    let both = merged.users.saturating_sub(answer.united_users);
    if users == MergedUsers::Added && both > 0 {
        parts.push(match both {
            1 => "1 user is counted in both views.".to_owned(),
            _ => format!("{} users are counted in both views.", format::thousands(both)),
        });
    }
    let estimated = i128::from(merged.users) - i128::from(answer.united_users);
    if users == MergedUsers::Sketched && estimated != 0 {
        parts.push(format!("Sketches are off by {} users.", format::signed(estimated)));
    }
    if parts.is_empty() {
        return ("Every record is counted once: merged equals the full recount.".to_owned(), true);
    }
    (parts.join(" "), false)
}

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
        self.cells(ui, "", &names, color, true);
    }

    fn row(self, ui: &mut Ui, name: &str, totals: &Totals, color: Color32) {
        let numbers = [
            format::thousands(totals.views),
            format::thousands(totals.users),
            format::millionths(totals.sum),
        ];
        self.cells(ui, name, &numbers, color, false);
    }

    fn error(self, ui: &mut Ui, merged: &Totals, recount: &Totals) {
        let difference = |a: u64, b: u64| i128::from(a) - i128::from(b);
        let (views, users) =
            (difference(merged.views, recount.views), difference(merged.users, recount.users));
        let sum = merged.sum - recount.sum;
        let sum_text =
            if sum > 0 { format!("+{}", format::millionths(sum)) } else { format::millionths(sum) };
        let t = tokens(ui);
        let is_right = views == 0 && users == 0 && sum == 0;
        let color = if is_right { t.success } else { t.error };
        let numbers = [format::signed(views), format::signed(users), sum_text];
        self.cells(ui, "error", &numbers, color, false);
    }

    /// Painted, so that columns stand under each other; read as one sentence.
    fn cells(self, ui: &mut Ui, name: &str, numbers: &[String; 3], color: Color32, is_head: bool) {
        let scale = theme::scale(ui);
        let size = vec2(ui.available_width(), (theme::body(ui).size + 5.0).round());
        ui.spacing_mut().item_spacing.y = 1.0;
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        let shown = [self.has_values, self.has_users, true];
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let font = if is_head { theme::small(ui) } else { theme::mono(ui) };
        let mut right = rect.right() - 2.0;
        for (number, _) in numbers.iter().rev().zip(shown).filter(|(_, is_shown)| *is_shown) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::protocol::HandoverPartition;

    #[test]
    fn the_sentence_says_what_is_wrong() {
        let totals = |users| Totals { users, ..Totals::default() };
        let mut answer = HandoverAnswer {
            partitions: vec![HandoverPartition::default()],
            batch: totals(5),
            speed: totals(4),
            united_users: 7,
            recount: totals(7),
            ..HandoverAnswer::default()
        };
        let (united, added) = (MergedUsers::United, MergedUsers::Added);
        assert!(verdict(united, &answer).1);
        assert_eq!(verdict(added, &answer), ("2 users are counted in both views.".to_owned(), false));
        answer.partitions[0].twice = 1_234;
        answer.partitions[0].nowhere = 1;
        let (text, is_right) = verdict(united, &answer);
        assert_eq!(text, "1,234 records are counted twice. 1 record is counted nowhere.");
        assert!(!is_right);
    }
}
