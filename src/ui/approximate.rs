//! Parts of the drawer of numbers: what is final and what provisional, how far event time has come, how good estimates are.

use eframe::egui::{Label, RichText, Ui};

use super::{
    late::to_the_minute,
    theme::{self, tokens},
    widgets::{fact_row, section, small_text},
};
use crate::{
    app::{Measure, State, format},
    domain::{Lateness, Sketch, Uniques},
    engine::frame::{Hold, LaneFrame},
};

/// Final and provisional of each measure, and how far merged is from the full recount.
pub fn final_and_provisional(ui: &mut Ui, state: &State, lane: &LaneFrame) {
    section(ui, "Final and provisional");
    let is_shown = |measure: &Measure| match (measure, &state.summary) {
        (Measure::Views, _) | (_, None) => true,
        (Measure::Users, Some(summary)) => summary.has_users,
        (Measure::Sum, Some(summary)) => summary.has_values,
    };
    for measure in Measure::ALL.into_iter().filter(is_shown) {
        let mut name = measure.name().to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        small_text(ui, name);
        let text = RichText::new(in_words(measure, lane)).font(theme::mono(ui)).color(tokens(ui).strong);
        ui.add(Label::new(text).wrap());
        let off = measure.difference(&lane.merged_totals, &lane.recount_totals);
        fact_row(ui, "off the full recount by", measure.difference_text(off));
    }
}

/// `88 final + 5 provisional`.
pub fn in_words(measure: Measure, lane: &LaneFrame) -> String {
    let provisional = measure.difference(&lane.merged_totals, &lane.batch_totals);
    let about =
        if measure == Measure::Users && lane.approximation.uniques == Uniques::Hll { "about " } else { "" };
    format!(
        "{} final + {about}{} provisional",
        measure.text(&lane.batch_totals),
        measure.difference_text(provisional).trim_start_matches('+')
    )
}

/// How far event time has come, and what came too late for it.
pub fn event_time(ui: &mut Ui, lane: &LaneFrame) {
    let approximation = &lane.approximation;
    section(ui, "Event time");
    fact_row(ui, "Watermark", to_the_minute(approximation.watermark));
    for partition in approximation.watermarks.iter() {
        let word = match partition.hold {
            Hold::Active => "",
            Hold::Idle => " idle",
            Hold::Finished => " read",
        };
        fact_row(ui, &partition.partition, format!("{}{word}", to_the_minute(partition.time)));
    }
    let open = match approximation.lateness {
        Lateness::Unbounded => "for ever".to_owned(),
        Lateness::Within(_) => format!("{} after its end", approximation.lateness),
    };
    fact_row(ui, "A day stays open", open);
    fact_row(ui, "Late records dropped", format::thousands(approximation.late_dropped));
    fact_row(ui, "missing from merged now", format::thousands(approximation.late_missing));
    let users = match approximation.uniques {
        Uniques::Set => "exactly".to_owned(),
        Uniques::Hll => {
            let error = Sketch::STANDARD_ERROR_BASIS_POINTS;
            format!("about, ±{}.{:02} %", error / 100, error % 100)
        }
    };
    fact_row(ui, "The stream counts users", users);
}
