//! Pictures of the window without a window, a display or a GPU: a headless egui context and a CPU rasteriser.
//!
//! Used by `rederive picture` and by the snapshot tests, so both show the same bytes on every machine.

mod raster;

use std::{io, path::Path};

use eframe::egui::{self, Context, Pos2, RawInput, Rect, Theme, Ui, Vec2, ViewportId};

pub use raster::Rasteriser;

use crate::engine::runs::replace_contents;

/// Frames after which panels have their sizes and plots their bounds.
const FRAMES: u32 = 4;

/// An image: rows of RGBA, 8 bits a channel, opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
}

impl Picture {
    /// The image as a PNG file's bytes.
    pub fn png(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(io::Error::other)?;
        writer.write_image_data(&self.rgba).map_err(io::Error::other)?;
        writer.finish().map_err(io::Error::other)?;
        Ok(bytes)
    }

    /// Writes it as PNG: the old or the new file is there at any moment.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        replace_contents(path, &self.png()?)
    }
}

/// Draws `run_ui` in a window of `size` points for a few frames and returns the last one.
///
/// `theme` is what the "desktop" says; fonts and styles are the window's own. Deterministic: time does not pass.
pub fn render(mut run_ui: impl FnMut(&mut Ui), size: Vec2, pixels_per_point: f32, theme: Theme) -> Picture {
    let ctx = Context::default();
    super::theme::install(&ctx);
    let mut raster = Rasteriser::default();
    let mut shapes = Vec::new();
    for _ in 0..FRAMES {
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size / ctx.zoom_factor())),
            system_theme: Some(theme),
            time: Some(0.0),
            focused: true,
            ..RawInput::default()
        };
        input.viewports.entry(ViewportId::ROOT).or_default().native_pixels_per_point = Some(pixels_per_point);
        let mut output = ctx.run_ui(input, |ui| run_ui(ui));
        raster.update(&mut output.textures_delta);
        shapes = std::mem::take(&mut output.shapes);
    }
    let density = ctx.pixels_per_point();
    let background = egui::Rgba::from(ctx.global_style().visuals.panel_fill);
    raster.paint(&ctx.tessellate(shapes, density), density, size * pixels_per_point, background)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{Color32, vec2};

    #[test]
    fn rectangles_have_their_colour_and_their_edges() {
        let picture = render(
            |ui| {
                let rect = Rect::from_min_max(Pos2::new(2.0, 2.0), Pos2::new(6.0, 6.0));
                ui.painter().rect_filled(rect, 0, Color32::from_rgb(10, 200, 30));
            },
            vec2(8.0, 8.0),
            2.0,
            Theme::Dark,
        );
        assert_eq!((picture.width, picture.height), (16, 16));
        let pixel = |x: usize, y: usize| &picture.rgba[(y * 16 + x) * 4..(y * 16 + x) * 4 + 4];
        assert_eq!(pixel(8, 8), [10, 200, 30, 255]);
        assert_eq!(pixel(6, 10), [10, 200, 30, 255]);
        assert_eq!(pixel(1, 1), pixel(14, 14));
        assert_ne!(pixel(1, 1), pixel(8, 8));
        let png = picture.png().unwrap();
        let back = image::load_from_memory(&png).unwrap().to_rgba8();
        assert_eq!(back.as_raw(), &picture.rgba);
    }
}
