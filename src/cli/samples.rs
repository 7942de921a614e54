//! The sample logs that come with the program: beside it in a checkout, else unpacked from the binary.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};
use xxhash_rust::xxh3::Xxh3;

static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sample_logs");

/// The scene that is played where no window can be.
pub const FIRST_SCENE: &str = "crash-and-replay.json";

/// What the window opens where nothing else is said: the shop log with late records that each batch run makes good.
pub const SHOP_STORY: &str = "batch-speed-merged.json";

/// The directory of the samples.
///
/// # Errors
/// When there is none beside the program and none can be written below `$XDG_DATA_HOME`.
pub fn samples_dir() -> io::Result<PathBuf> {
    let here = Path::new("sample_logs");
    if is_samples(here) {
        return Ok(here.to_owned());
    }
    let program = env::current_exe()?;
    let beside = program.ancestors().skip(1).take(4).map(|directory| directory.join("sample_logs"));
    match beside.into_iter().find(|directory| is_samples(directory)) {
        Some(found) => Ok(found),
        None => unpack(&data_dir()?),
    }
}

fn is_samples(directory: &Path) -> bool {
    [FIRST_SCENE, SHOP_STORY].iter().all(|scene| directory.join(scene).is_file())
        && directory.join("shop").is_dir()
}

fn data_dir() -> io::Result<PathBuf> {
    let base = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")));
    let unknown = || io::Error::new(io::ErrorKind::NotFound, "neither XDG_DATA_HOME nor HOME is set");
    base.map(|base| base.join("rederive")).ok_or_else(unknown)
}

/// Unpacks beside the target and renames, so that a kill leaves no half sample behind.
fn unpack(data: &Path) -> io::Result<PathBuf> {
    let target = data.join(format!("samples-{:016x}", digest()));
    if is_samples(&target) {
        return Ok(target);
    }
    let temporary = data.join(format!("samples.{}.tmp", std::process::id()));
    fs::create_dir_all(&temporary)?;
    SAMPLES.extract(&temporary)?;
    match fs::rename(&temporary, &target) {
        // Another process was faster.
        Err(_) if is_samples(&target) => fs::remove_dir_all(&temporary)?,
        other => other?,
    }
    Ok(target)
}

fn digest() -> u64 {
    fn add(directory: &Dir<'_>, hasher: &mut Xxh3) {
        for file in directory.files() {
            hasher.update(file.path().as_os_str().as_encoded_bytes());
            hasher.update(file.contents());
        }
        directory.dirs().for_each(|inner| add(inner, hasher));
    }
    let mut hasher = Xxh3::new();
    add(&SAMPLES, &mut hasher);
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_program_has_its_samples_too() {
        let directory = tempfile::tempdir().unwrap();
        let unpacked = unpack(directory.path()).unwrap();
        assert!(is_samples(&unpacked));
        assert_eq!(unpack(directory.path()).unwrap(), unpacked, "once");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
