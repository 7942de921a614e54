//! What a hand-over counts, against the full recount.

use eframe::egui::{Align, Color32, Label, Layout, RichText, Ui, vec2};

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
    let merged = answer.merged(users);
    let both = merged.users.saturating_sub(answer.united_users);
    if users == MergedUsers::Added && both > 0 {
        parts.push(match both {
            1 => "1 user is counted in both views.".to_owned(),
            _ => format!("{} users are counted in both views.", format::thousands(both)),
        });
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
    ui.add_space(6.0);
    table.head(ui);
    table.row(ui, "batch view", &answer.batch, t.batch_text);
    table.row(ui, "speed view", &answer.speed, t.speed_text);
    table.row(ui, "merged", &merged, t.strong);
    table.row(ui, "full recount", &answer.recount, t.text);
    table.error(ui, &merged, &answer.recount);
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
        self.cells(ui, "", names, color, true);
    }

    fn row(self, ui: &mut Ui, name: &str, totals: &Totals, color: Color32) {
        let numbers = [
            format::thousands(totals.views),
            format::thousands(totals.users),
            format::millionths(totals.sum),
        ];
        self.cells(ui, name, numbers, color, false);
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
        self.cells(ui, "error", numbers, color, false);
    }

    fn cells(self, ui: &mut Ui, name: &str, numbers: [String; 3], color: Color32, is_head: bool) {
        let font = if is_head { theme::small(ui) } else { theme::mono(ui) };
        let (subdued, small) = (tokens(ui).subdued, theme::body(ui));
        let [views, users, sum] = numbers;
        let shown = [(true, views), (self.has_users, users), (self.has_values, sum)];
        let shown: Vec<String> =
            shown.into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, n)| n).collect();
        let height = theme::body(ui).size + 6.0;
        let width = ui.available_width();
        let column = ((width - 84.0 * theme::scale(ui)) / 3.0).floor();
        let spoken = format!("{name}: {}", shown.join(", "));
        let row =
            ui.allocate_ui_with_layout(vec2(width, height), Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
                for number in shown.iter().rev() {
                    ui.allocate_ui_with_layout(
                        vec2(column, height),
                        Layout::right_to_left(Align::Center),
                        |ui| {
                            ui.add(
                                Label::new(RichText::new(number).font(font.clone()).color(color)).truncate(),
                            );
                        },
                    );
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(RichText::new(name).font(small).color(subdued)));
                });
            });
        if !is_head {
            named(&row.response, eframe::egui::Role::Label, spoken);
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
