//! Lambda and Kappa on the same run, number beside number.

use eframe::egui::{self, Label, RichText, Ui, vec2};

use crate::{
    app::{
        Edit, Input,
        format::{self, thousands},
    },
    engine::frame::{Construction, KappaFrame, Known, RuleChange},
    ui::{
        theme::{self, tokens},
        widgets::{Out, section, small_text},
    },
};

/// A name, Lambda's number, Kappa's number.
type Row = (&'static str, String, String);

/// Draws both constructions.
pub(super) fn side_by_side(ui: &mut Ui, kappa: &KappaFrame, out: &mut Out) {
    section(ui, "Lambda and Kappa on this run");
    let (costs, change) = (costs(kappa), change(kappa));
    rows_ui(ui, &costs);
    small_text(ui, code_in_words(kappa));
    small_text(ui, "Each column counts from the start of its lane.");
    section(ui, "To change a rule");
    rows_ui(ui, &change);
    small_text(ui, change_in_words(kappa));
    if ui.button("Copy the comparison").clicked() {
        let lines: Vec<String> =
            costs.iter().chain(&change).map(|(name, a, b)| format!("{name}\t{a}\t{b}")).collect();
        out.push(Input::Edit(Edit::Copy(format!("\tLambda\tKappa\n{}\n", lines.join("\n")))));
    }
}

fn rows_ui(ui: &mut Ui, rows: &[Row]) {
    let t = tokens(ui);
    let number = ((ui.available_width() * 0.26).min(104.0 * theme::scale(ui))).floor();
    let (small, mono) = (theme::small(ui), theme::mono(ui));
    line(ui, number, ("", ["Lambda", "Kappa"]), &small, t.subdued);
    for (name, lambda, kappa) in rows {
        line(ui, number, (name, [lambda, kappa]), &mono, t.strong);
    }
}

fn line(
    ui: &mut Ui,
    number: f32,
    (name, cells): (&str, [&str; 2]),
    font: &egui::FontId,
    color: egui::Color32,
) {
    let subdued = tokens(ui).subdued;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let height = theme::body(ui).size + 5.0;
        let rest = ui.available_width() - 2.0 * number;
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(vec2(rest, height), left, |ui| {
            ui.set_min_width(rest);
            ui.add(Label::new(RichText::new(name).color(subdued)).truncate());
        });
        for cell in cells {
            let right = egui::Layout::right_to_left(egui::Align::Center);
            ui.allocate_ui_with_layout(vec2(number, height), right, |ui| {
                ui.set_min_width(number);
                ui.add(Label::new(RichText::new(cell).font(font.clone()).color(color)));
            });
        }
    });
}

fn costs(kappa: &KappaFrame) -> Vec<Row> {
    let (a, b) = (&kappa.lambda_cost, &kappa.kappa_cost);
    let row = |name, of: &dyn Fn(&Construction) -> String| (name, of(a), of(b));
    vec![
        row("Code that has to agree", &|c| c.code.len().to_string()),
        row("Views stored", &|c| c.stored_views.to_string()),
        row("Rows stored", &|c| thousands(c.stored_cells)),
        row("Records read", &|c| thousands(c.reads)),
        row("Reads a record", &|c| per(c.reads, c.records)),
        row("Wall time a record, measured", &|c| micros(c.micros, c.records)),
        row("Bytes a record", &|c| per(c.bytes_written, c.records)),
        row("Syncs a record", &|c| per(c.fsyncs, c.records)),
        row("Records not seen yet", &|c| thousands(c.behind_records)),
        row("Age, simulated", &|c| format::seconds(c.age_ticks)),
    ]
}

fn change(kappa: &KappaFrame) -> Vec<Row> {
    let (a, b) = (&kappa.lambda_cost.change, &kappa.kappa_cost.change);
    let row = |name, of: &dyn Fn(&RuleChange) -> String| (name, of(a), of(b));
    let folds = |code: &[&str]| code.iter().filter(|part| part.ends_with("fold")).count().to_string();
    vec![
        ("Folds to change", folds(&kappa.lambda_cost.code), folds(&kappa.kappa_cost.code)),
        row("Commands", &|c| c.commands.len().to_string()),
        row("Records read for it", &|c| thousands(c.reads)),
        row("Readers see less for", &|c| format::seconds(c.ticks_short)),
        row("Until the new rules serve", &|c| c.ticks_to_answer.map_or("never".to_owned(), format::seconds)),
        row("Commands back", &|c| c.commands_back.to_string()),
    ]
}

fn code_in_words(kappa: &KappaFrame) -> String {
    let list = |code: &[&str]| if code.is_empty() { "nothing yet".to_owned() } else { code.join(", ") };
    format!(
        "Code, as far as it has run: {}; {}.",
        list(&kappa.lambda_cost.code),
        list(&kappa.kappa_cost.code)
    )
}

fn change_in_words(kappa: &KappaFrame) -> String {
    let (lambda, own) = (&kappa.lambda_cost.change, &kappa.kappa_cost.change);
    let made = match own.known {
        Known::Measured => "Kappa is measured on the newest change",
        Known::Computed => "Kappa is computed for a change now",
    };
    format!(
        "Lambda: {}; computed for a change now, from what has arrived and the capacities. {made}: {}.",
        lambda.commands.join(", "),
        own.commands.join(", ")
    )
}

/// A share in thousandths, exact integers: `2.150`.
fn per(amount: u64, of: u64) -> String {
    let Some(thousandths) = amount.saturating_mul(1_000).checked_div(of) else {
        return "not yet".to_owned();
    };
    format!("{}.{:03}", thousands(thousandths / 1_000), thousandths % 1_000)
}

fn micros(micros: u64, records: u64) -> String {
    if records == 0 { "not yet".to_owned() } else { format!("{} µs", per(micros, records)) }
}
