//! Pictures of the shipped scenes, drawn on the CPU, for a person to look at.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]
#![cfg(feature = "gui")]

use std::path::Path;

use rederive::{
    app::PanelId,
    ui::{Still, picture_of},
};

/// Draws the story of the first scene into the directory named by `REDERIVE_PICTURES`; without it only one small picture.
#[test]
fn the_scene_can_be_drawn_without_a_display() {
    let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/crash-and-replay.json");
    let still = |at, size, is_dark| {
        picture_of(&scene, &Still { size, is_dark, at: Some(at), ..Still::default() }).unwrap()
    };
    let small = still(8_000, (960.0, 540.0), true);
    assert_eq!((small.width, small.height), (960, 540));
    assert!(small.rgba.chunks_exact(4).any(|pixel| pixel != &small.rgba[..4]), "an empty picture");
    let Ok(directory) = std::env::var("REDERIVE_PICTURES") else { return };
    for at in [0, 1_000, 6_000, 8_900, 9_250, 9_400, 9_600, 20_000] {
        for (is_dark, theme) in [(true, "dark"), (false, "light")] {
            let path = Path::new(&directory).join(format!("scene-{at:05}-{theme}.png"));
            still(at, (1440.0, 900.0), is_dark).save(&path).unwrap();
        }
    }
}

#[test]
fn panels_are_opened_and_answered_before_a_picture_is_drawn() {
    let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/clicks");
    let draw = |ids: &[&str]| {
        let panels = ids.iter().map(|id| PanelId::find(id).unwrap()).collect();
        picture_of(&scene, &Still { size: (960.0, 540.0), panels, at: Some(40), ..Still::default() })
    };
    let plain = draw(&[]).unwrap();
    for ids in [["handover"].as_slice(), &["log", "by-day"], &["fates"], &["tables"]] {
        assert!(draw(ids).unwrap().rgba != plain.rgba, "{ids:?} changes nothing");
    }
    let refused = draw(&["moment"]).unwrap_err();
    assert_eq!(refused, "the panel cannot be opened: The stream has not crashed yet: \"moment\"");
}
