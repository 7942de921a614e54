//! Tokens: the only file with colour literals, sizes of type and fonts.

use std::{collections::BTreeMap, sync::Arc};

use eframe::egui::{
    self, Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke,
    Style, TextStyle, Theme, Visuals, vec2,
};

/// Colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// Behind everything.
    pub canvas: Color32,
    /// Bars and cards.
    pub panel: Color32,
    /// Resting controls.
    pub raised: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// Lines between things.
    pub hairline: Color32,
    /// Grid of plots.
    pub grid: Color32,
    /// Secondary text.
    pub subdued: Color32,
    /// Text.
    pub text: Color32,
    /// Headings and numbers that matter.
    pub strong: Color32,
    /// The next step.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Went wrong.
    pub error: Color32,
    /// Under way or lost.
    pub warning: Color32,
    /// Came out right.
    pub success: Color32,
    /// Batch view; solid.
    pub batch: Color32,
    /// Speed view.
    pub speed: Color32,
    /// Merged view; solid and thick.
    pub merged: Color32,
    /// Crash; cross.
    pub crash: Color32,
    /// Checkpoint; diamond.
    pub checkpoint: Color32,
    /// Full recount; outline.
    pub recount: Color32,
    /// Text about the batch view: its colour, dark enough to read.
    pub batch_text: Color32,
    /// Text about the speed view.
    pub speed_text: Color32,
}

const fn hex(rgb: u32) -> Color32 {
    let [_, red, green, blue] = rgb.to_be_bytes();
    Color32::from_rgb(red, green, blue)
}

/// Dark.
pub const DARK: Tokens = Tokens {
    canvas: hex(0x000F_1216),
    panel: hex(0x0015_1A20),
    raised: hex(0x001C_222A),
    hover: hex(0x0025_2D37),
    hairline: hex(0x002E_3742),
    grid: hex(0x0023_2A33),
    subdued: hex(0x008B_97A5),
    text: hex(0x00C6_CED8),
    strong: hex(0x00F2_F5F8),
    accent: hex(0x005A_A2FF),
    on_accent: hex(0x000B_0F14),
    error: hex(0x00FF_7A59),
    warning: hex(0x00F2_B84B),
    success: hex(0x003C_C08F),
    batch: hex(0x0056_B4E9),
    speed: hex(0x00E6_9F00),
    merged: hex(0x00F2_F5F8),
    crash: hex(0x00E8_502A),
    checkpoint: hex(0x002F_BF8F),
    recount: hex(0x007D_8997),
    batch_text: hex(0x0056_B4E9),
    speed_text: hex(0x00E6_9F00),
};

/// Light, for projectors.
pub const LIGHT: Tokens = Tokens {
    canvas: hex(0x00FF_FFFF),
    panel: hex(0x00F5_F6F8),
    raised: hex(0x00FF_FFFF),
    hover: hex(0x00E9_ECF0),
    hairline: hex(0x00D3_D9E0),
    grid: hex(0x00E6_E9EE),
    subdued: hex(0x005B_6673),
    text: hex(0x002A_323C),
    strong: hex(0x000B_0F14),
    accent: hex(0x000B_5FD0),
    on_accent: hex(0x00FF_FFFF),
    error: hex(0x00B3_340C),
    warning: hex(0x008A_5A00),
    success: hex(0x000B_7A55),
    batch: hex(0x0000_72B2),
    speed: hex(0x00C2_7400),
    merged: hex(0x0016_1B22),
    crash: hex(0x00B3_260C),
    checkpoint: hex(0x0000_805D),
    recount: hex(0x0086_919E),
    batch_text: hex(0x0000_629A),
    speed_text: hex(0x008A_5A00),
};

/// Share of a colour in a band.
pub const BAND: f32 = 0.12;

/// Share of a colour in a filled area.
pub const AREA: f32 = 0.42;

/// Body size that everything else is a multiple of.
const BODY: f32 = 13.0;

/// Body size in presenter mode.
const BODY_PRESENTER: f32 = 18.0;

/// Colours of the theme that is shown.
pub fn tokens(ui: &egui::Ui) -> &'static Tokens {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// How much larger than designed the type is (presenter mode).
pub fn scale(ui: &egui::Ui) -> f32 {
    body(ui).size / BODY
}

/// Text.
pub fn body(ui: &egui::Ui) -> FontId {
    TextStyle::Body.resolve(ui.style())
}

/// Secondary text.
pub fn small(ui: &egui::Ui) -> FontId {
    TextStyle::Small.resolve(ui.style())
}

/// Numbers.
pub fn mono(ui: &egui::Ui) -> FontId {
    TextStyle::Monospace.resolve(ui.style())
}

/// Small numbers.
pub fn mono_small(ui: &egui::Ui) -> FontId {
    named(ui, "mono-small")
}

/// The number of a card.
pub fn big_number(ui: &egui::Ui) -> FontId {
    named(ui, "big-number")
}

/// The sentence of the moment.
pub fn story(ui: &egui::Ui) -> FontId {
    named(ui, "story")
}

/// Titles of cards.
pub fn strong(ui: &egui::Ui) -> FontId {
    named(ui, "strong")
}

fn named(ui: &egui::Ui, name: &str) -> FontId {
    let style = ui.style();
    style.text_styles.get(&TextStyle::Name(name.into())).cloned().unwrap_or_else(|| body(ui))
}

/// Fonts and both styles. Once for each context.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    // Zoom is a command of ours, with its place in settings and palette.
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
    set_presenter(ctx, false);
}

/// Sizes of type for a desk or for a room.
pub fn set_presenter(ctx: &egui::Context, presenter: bool) {
    let factor = if presenter { BODY_PRESENTER / BODY } else { 1.0 };
    ctx.set_style_of(Theme::Dark, Arc::new(style(&DARK, true, factor)));
    ctx.set_style_of(Theme::Light, Arc::new(style(&LIGHT, false, factor)));
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let own: [(&str, &'static [u8]); 3] = [
        ("inter", include_bytes!("../../assets/fonts/Inter-Regular.otf")),
        ("inter-semibold", include_bytes!("../../assets/fonts/Inter-SemiBold.otf")),
        ("jetbrains-mono", include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf")),
    ];
    for (name, bytes) in own {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    // The defaults stay behind as a fallback for text of logs in scripts that Inter lacks.
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (family, first) in [
        (FontFamily::Proportional, "inter"),
        (FontFamily::Monospace, "jetbrains-mono"),
        (FontFamily::Name("strong".into()), "inter-semibold"),
    ] {
        let mut names = vec![first.to_owned()];
        names.extend(fallback.iter().cloned());
        fonts.families.insert(family, names);
    }
    fonts
}

fn text_styles(factor: f32) -> BTreeMap<TextStyle, FontId> {
    let strong = FontFamily::Name("strong".into());
    let (text, mono) = (FontFamily::Proportional, FontFamily::Monospace);
    [
        (TextStyle::Small, 11.0, text.clone()),
        (TextStyle::Body, BODY, text.clone()),
        (TextStyle::Button, BODY, text),
        (TextStyle::Monospace, BODY - 0.5, mono.clone()),
        (TextStyle::Heading, 16.0, strong.clone()),
        (TextStyle::Name("strong".into()), BODY, strong.clone()),
        (TextStyle::Name("story".into()), 22.0, strong),
        (TextStyle::Name("big-number".into()), 22.0, mono.clone()),
        (TextStyle::Name("mono-small".into()), 10.5, mono),
    ]
    .into_iter()
    .map(|(style, size, family)| (style, FontId::new(size * factor, family)))
    .collect()
}

fn style(tokens: &Tokens, dark: bool, factor: f32) -> Style {
    let mut style =
        Style { text_styles: text_styles(factor), visuals: visuals(tokens, dark), ..Style::default() };
    style.animation_time = 0.0;
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 6.0);
    spacing.button_padding = vec2(10.0, 3.0);
    spacing.interact_size = vec2(24.0, (24.0 * factor).round());
    spacing.window_margin = Margin::same(16);
    spacing.menu_margin = Margin::same(6);
    spacing.scroll = egui::style::ScrollStyle::thin();
    style
}

fn visuals(tokens: &Tokens, dark: bool) -> Visuals {
    let mut visuals = if dark { Visuals::dark() } else { Visuals::light() };
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(tokens.subdued);
    visuals.hyperlink_color = tokens.accent;
    visuals.faint_bg_color = tokens.panel.lerp_to_gamma(tokens.hover, 0.4);
    visuals.extreme_bg_color = tokens.canvas;
    visuals.text_edit_bg_color = Some(tokens.canvas);
    visuals.code_bg_color = tokens.raised;
    visuals.warn_fg_color = tokens.warning;
    visuals.error_fg_color = tokens.error;
    visuals.window_fill = tokens.panel;
    visuals.window_stroke = Stroke::new(1.0, tokens.hairline);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.menu_corner_radius = CornerRadius::same(6);
    visuals.panel_fill = tokens.canvas;
    let shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: Color32::from_black_alpha(if dark { 110 } else { 40 }),
    };
    visuals.window_shadow = shadow;
    visuals.popup_shadow = shadow;
    visuals.selection.bg_fill = tokens.accent.gamma_multiply(0.28);
    visuals.selection.stroke = Stroke::new(1.0, tokens.strong);
    visuals.disabled_alpha = 0.45;
    let radius = CornerRadius::same(4);
    let widgets = &mut visuals.widgets;
    for (widget, fill, text) in [
        (&mut widgets.noninteractive, tokens.panel, tokens.text),
        (&mut widgets.inactive, tokens.raised, tokens.text),
        (&mut widgets.hovered, tokens.hover, tokens.strong),
        (&mut widgets.active, tokens.hover, tokens.strong),
        (&mut widgets.open, tokens.hover, tokens.strong),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::NONE;
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    // Radio buttons and checkboxes have no frame of their own.
    widgets.inactive.bg_fill = tokens.hairline;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, tokens.hairline);
    // Keyboard focus uses the hovered style; a resting light button needs its edge to be seen on white.
    if !dark {
        widgets.inactive.weak_bg_fill = tokens.hover;
        widgets.hovered.weak_bg_fill = tokens.hairline;
        widgets.active.weak_bg_fill = tokens.hairline;
    }
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f64 {
        let [red, green, blue, _] = color.to_array().map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn all_text_can_be_read() {
        for (theme, t) in [("dark", DARK), ("light", LIGHT)] {
            for ground in [t.canvas, t.panel, t.raised] {
                for (name, ink) in [
                    ("text", t.text),
                    ("strong", t.strong),
                    ("subdued", t.subdued),
                    ("error", t.error),
                    ("warning", t.warning),
                    ("success", t.success),
                    ("batch", t.batch_text),
                    ("speed", t.speed_text),
                ] {
                    let (a, b) = (luminance(ground) + 0.05, luminance(ink) + 0.05);
                    let contrast = if a > b { a / b } else { b / a };
                    assert!(contrast >= 4.9, "{theme} {name} on {ground:?}: {contrast:.2}");
                }
            }
        }
    }
}
