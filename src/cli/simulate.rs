//! `rederive simulate`: random fault plans, every invariant after every tick.

use std::{env, fs, path::Path, process::ExitCode, sync::Arc};

use super::{CliError, args::SimulateArgs, output};
use crate::{
    engine::{
        driver::Driver,
        simulate::{log_files, mapping_options, simulate},
    },
    ingest::{LogDirectory, LogError, LogIndex, Mapping, MappingOptions, load},
};

pub(super) fn run(args: &SimulateArgs) -> Result<ExitCode, CliError> {
    let mut failed = 0_u64;
    let (mut crashes, mut version_crashes, mut changeovers) = (0, 0, 0);
    for seed in args.seeds.clone() {
        let directory = env::temp_dir().join(format!("rederive-simulate-{}-{seed}", std::process::id()));
        let loaded = write_log(seed, &directory).and_then(|()| Ok(load_log(&directory)?));
        // The index is in memory; its files are not needed any more.
        fs::remove_dir_all(&directory).map_err(|cause| CliError::io("remove", &directory, cause))?;
        let (index, mapping) = loaded?;
        let outcome = simulate(seed, &index, &mapping, Driver::Inline);
        crashes += outcome.crashes;
        version_crashes += outcome.version_crashes;
        changeovers += outcome.changeovers;
        let Some(failure) = outcome.failure else { continue };
        failed += 1;
        output::print(outcome.journal.as_bytes())?;
        output::print(format!("seed {seed} failed: {failure}\n").as_bytes())?;
        output::note(&format!("repeat with: rederive simulate --seeds {seed}..{}", seed + 1));
    }
    let seeds = args.seeds.end.saturating_sub(args.seeds.start);
    output::note(&format!(
        "{seeds} seeds, {crashes} crashes of the stream, {version_crashes} of versions, {changeovers} changes of version, \
         {failed} failed"
    ));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn write_log(seed: u64, directory: &Path) -> Result<(), CliError> {
    for (file, text) in log_files(seed) {
        let path = directory.join(file);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.map_err(|cause| CliError::io("write", &path, cause))?;
    }
    Ok(())
}

fn load_log(directory: &Path) -> Result<(Arc<LogIndex>, Mapping), LogError> {
    let mut options = MappingOptions::default();
    for (name, value) in mapping_options() {
        options.set(name, value)?;
    }
    let log = LogDirectory::open(directory, false)?;
    let (mapping, _) = Mapping::resolve(&options, &log)?;
    Ok((load(&log, &mapping)?, mapping))
}
