//! Tables whose cells are made as they come into sight; numbers in them may lead to the records behind them.

use eframe::egui::{Align, Label, Layout, RichText, Role, Sense, Ui};
use egui_extras::{Column as Width, TableBuilder};

use crate::{
    app::lineage_text::listing_title,
    engine::protocol::Listing,
    ui::{
        theme::{self, tokens},
        widgets::named,
    },
};

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub(super) title: &'static str,
    /// Width of a right-aligned number in points at normal size; 0: text, which takes what is left.
    width: f32,
}

impl Column {
    /// Text, left-aligned, as wide as there is room.
    pub const fn text(title: &'static str) -> Column {
        Column { title, width: 0.0 }
    }

    /// A number, right-aligned.
    pub const fn number(title: &'static str, width: f32) -> Column {
        Column { title, width }
    }

    fn is_number(self) -> bool {
        self.width > 0.0
    }
}

/// A cell of a table.
#[derive(Debug, Clone, Default)]
pub(in crate::ui) struct Cell {
    /// What it says.
    pub text: String,
    /// The records behind it, where it is a number that leads to them.
    pub leads: Option<Listing>,
}

impl Cell {
    /// A number with the records behind it.
    pub fn leading(text: String, leads: Option<Listing>) -> Cell {
        Cell { text, leads }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, leads: None }
    }
}

/// A table whose cells are made as they come into sight; the records behind the number that was clicked.
pub(in crate::ui) fn table_ui(
    ui: &mut Ui,
    id: &str,
    columns: &[Column],
    rows: usize,
    cells: impl Fn(usize) -> Vec<Cell>,
) -> Option<Listing> {
    let height = ui.spacing().interact_size.y;
    let scale = theme::scale(ui);
    let mut clicked = None;
    ui.push_id(id, |ui| {
        let t = tokens(ui);
        let mut builder = TableBuilder::new(ui).striped(true).auto_shrink(false);
        for column in columns {
            builder = builder.column(if column.is_number() {
                Width::exact(column.width * scale).clip(true)
            } else {
                Width::remainder().at_least(60.0).clip(true)
            });
        }
        // Without a text column an empty one keeps the numbers together on the left.
        if columns.iter().all(|column| column.is_number()) {
            builder = builder.column(Width::remainder());
        }
        builder
            .header(height, |mut header| {
                for column in columns {
                    header.col(|ui| {
                        let text = RichText::new(column.title).font(theme::small(ui)).color(t.subdued);
                        aligned(ui, column.is_number(), text);
                    });
                }
            })
            .body(|body| {
                body.rows(height, rows, |mut row| {
                    for (column, cell) in columns.iter().zip(cells(row.index())) {
                        row.col(|ui| {
                            if let Some(listing) = cell_ui(ui, *column, cell) {
                                clicked = Some(listing);
                            }
                        });
                    }
                });
            });
    });
    clicked
}

/// Draws a cell; the records behind it when it was clicked.
fn cell_ui(ui: &mut Ui, column: Column, cell: Cell) -> Option<Listing> {
    let t = tokens(ui);
    let font = if column.is_number() { theme::mono(ui) } else { theme::body(ui) };
    let Some(listing) = cell.leads else {
        aligned(ui, column.is_number(), RichText::new(cell.text).font(font).color(t.text));
        return None;
    };
    let place = ui.max_rect();
    let response = ui.interact(place, ui.unique_id().with("leads"), Sense::click());
    let is_under = response.hovered() || response.has_focus();
    if is_under {
        ui.painter().rect_filled(place, 4, t.hover);
    }
    named(&response, Role::Button, format!("{}: {}", listing_title(&listing), cell.text));
    let ink = if is_under { t.strong } else { t.text };
    aligned(ui, column.is_number(), RichText::new(cell.text).font(font).color(ink));
    response.clicked().then_some(listing)
}

fn aligned(ui: &mut Ui, right: bool, text: RichText) {
    let layout =
        if right { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
    ui.with_layout(layout, |ui| ui.add(Label::new(text).truncate()));
}
