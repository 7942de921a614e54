//! Letters that are drawn before they are needed.
//!
//! A letter is drawn once for each size and each quarter of a pixel that it starts at; after that it is copied. The first
//! picture of a log needs hundreds of them at once, which would cost most of a frame. So they are made a few at a time
//! while there is nothing to see yet.

use eframe::egui::{
    FontId, Ui,
    text::{LayoutJob, TextFormat},
};

use super::theme::tokens;

/// Places within a pixel at which a letter can start.
const PLACES: usize = 4;

/// What the window's sentences, numbers and axes are made of.
const LETTERS: &str = "0123456789,.:+-−×/%()=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'\"…";

/// How far the letters are.
#[derive(Debug, Default)]
pub struct Letters {
    made: usize,
}

impl Letters {
    /// Makes a few more; whether there are others to make.
    pub fn make_some(&mut self, ui: &Ui) -> bool {
        let font = ui.style().text_styles.values().nth(self.made / PLACES).cloned();
        let Some(font) = font else { return false };
        make(ui, font, self.made % PLACES);
        self.made += 1;
        true
    }
}

fn make(ui: &Ui, font: FontId, place: usize) {
    let mut job = LayoutJob::default();
    job.wrap.max_width = f32::INFINITY;
    let place = u16::try_from(place).unwrap_or(0);
    let start = f32::from(place) / PLACES as f32 / ui.ctx().pixels_per_point();
    job.append(LETTERS, start, TextFormat::simple(font, tokens(ui).text));
    // Laying it out puts the letters where all later ones come from.
    let _laid_out = ui.painter().layout_job(job);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme;

    #[test]
    fn every_size_is_made_in_every_place_and_then_no_more() {
        let ctx = eframe::egui::Context::default();
        theme::install(&ctx);
        let (mut letters, mut steps) = (Letters::default(), 0);
        loop {
            let mut more = false;
            let mut output = ctx.run_ui(eframe::egui::RawInput::default(), |ui| more = letters.make_some(ui));
            output.textures_delta.clear();
            if !more {
                break;
            }
            steps += 1;
        }
        assert_eq!(steps % PLACES, 0);
        assert_eq!(steps / PLACES, ctx.global_style().text_styles.len());
    }
}
