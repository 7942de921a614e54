//! Composition root: arguments become a headless command or the window, nothing else happens here.

use std::process::ExitCode;

use rederive::cli::{self, Desk};

fn main() -> ExitCode {
    cli::run(std::env::args_os(), Desk { window: desk::window, picture: desk::picture })
}

#[cfg(not(feature = "gui"))]
mod desk {
    use std::{path::Path, process::ExitCode};

    use rederive::cli::{args::PictureArgs, refuse, story};

    pub fn window(path: Option<&Path>) -> ExitCode {
        story::instead_of_window(
            "this build has no window (it was made without the feature \"gui\")",
            path,
            None,
        )
        .unwrap_or_else(|error| refuse(&error.to_string()))
    }

    pub fn picture(_: &PictureArgs) -> Result<Vec<u8>, String> {
        Err("rederive picture needs a build with the feature \"gui\"".to_owned())
    }
}

#[cfg(feature = "gui")]
mod desk {
    use std::{path::Path, process::ExitCode};

    use rederive::{
        app::{Example, ExampleKind, config_dir},
        cli::{
            args::{PictureArgs, Theme},
            no_window::explain,
            refuse,
            samples::{SHOP_STORY, samples_dir},
            story,
        },
        engine::{protocol::OpenRequest, runs::runs_dir},
        ui::{NativeOptions, Still, picture_of, run_window, why_no_window},
    };

    pub fn window(path: Option<&Path>) -> ExitCode {
        let outcome = why_no_window().map_or_else(|| open(path), Err);
        let Err(why) = outcome else { return ExitCode::SUCCESS };
        let draw = |scene: &Path, at| {
            let still = Still { size: (1440.0, 900.0), is_dark: true, at: Some(at), ..Still::default() };
            picture_of(scene, &still)?.png().map_err(|error| error.to_string())
        };
        story::instead_of_window(&why, path, Some(&draw)).unwrap_or_else(|error| refuse(&error.to_string()))
    }

    fn open(path: Option<&Path>) -> Result<(), String> {
        let samples = samples_dir().map_err(|error| format!("the sample logs cannot be found: {error}"));
        let path = match path {
            Some(path) => path.to_owned(),
            None => samples.clone()?.join(SHOP_STORY),
        };
        let example =
            |kind, name: &str| samples.as_ref().ok().map(|dir| Example { kind, path: dir.join(name) });
        let examples = [
            (ExampleKind::Crash, "clicks"),
            (ExampleKind::Shop, SHOP_STORY),
            (ExampleKind::Late, "late-events.json"),
        ];
        run_window(NativeOptions {
            open: Some(OpenRequest { path, mapping: Vec::new() }),
            examples: examples.into_iter().filter_map(|(kind, name)| example(kind, name)).collect(),
            runs: runs_dir(),
            config: config_dir(),
        })
        .map_err(|cause| explain(&cause))
    }

    pub fn picture(args: &PictureArgs) -> Result<Vec<u8>, String> {
        let still = Still {
            size: args.size.points(),
            is_dark: args.theme == Theme::Dark,
            at: args.at,
            panels: args.panels.clone(),
            against: args.against.clone(),
        };
        picture_of(&args.path, &still)?.png().map_err(|error| error.to_string())
    }
}
