//! Where results and messages go: the only file of the program that prints.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::CliError;
use crate::{engine::runs::replace_contents, ingest::LogDirectory};

/// A line on standard error. That nobody reads it is no error.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Bytes on standard output. A closed pipe is no error: the reader has had enough.
pub(super) fn print(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Stdout(error)),
        _ => Ok(()),
    }
}

/// Where a result is written, checked before the work starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Stdout,
    /// Replaced atomically.
    File(PathBuf),
    /// A pipe or device: there is nothing to replace.
    Stream(PathBuf),
}

/// What a result is called in a directory that is given as its file.
pub(super) type NameInDirectory = Option<&'static str>;

impl Target {
    /// The target of `option`, which was given as `path`. Nothing is written into `log`.
    pub fn of(
        option: &str,
        path: &Path,
        name: NameInDirectory,
        log: Option<&LogDirectory>,
    ) -> Result<Target, CliError> {
        refuse_inside(option, path, log)?;
        let is_directory = path.is_dir();
        let path = match name {
            Some(name) if is_directory => path.join(name),
            None if is_directory => {
                return Err(CliError::path(format!("{option} is a directory, not a file"), path));
            }
            _ => path.to_owned(),
        };
        // `/dev/stdout` may lead to a regular file that someone holds open: replaced, they would never see it.
        let is_special = path.starts_with("/dev") || path.starts_with("/proc");
        if is_special || fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(Target::Stream(path));
        }
        // Through a link, what it leads to is replaced, not the link.
        let path = path.canonicalize().unwrap_or(path);
        refuse_inside(option, &path, log)?;
        if path.file_name().is_none() || !parent(&path).is_dir() {
            return Err(CliError::path(format!("{option}: no such directory"), parent(&path)));
        }
        Ok(Target::File(path))
    }

    /// Whether both would replace one file.
    pub fn is_same_file(&self, other: &Target) -> bool {
        let (Target::File(a), Target::File(b)) = (self, other) else { return false };
        a.file_name() == b.file_name()
            && parent(a).canonicalize().ok().is_some_and(|a| parent(b).canonicalize().is_ok_and(|b| a == b))
    }

    /// Writes the whole result.
    pub fn write(&self, bytes: &[u8]) -> Result<(), CliError> {
        match self {
            Target::Stdout => print(bytes),
            Target::File(path) => {
                replace_contents(path, bytes).map_err(|cause| CliError::io("write", path, cause))
            }
            Target::Stream(path) => {
                let written = fs::OpenOptions::new().append(true).open(path);
                match written.and_then(|mut stream| stream.write_all(bytes)) {
                    Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                        Err(CliError::io("write", path, cause))
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Refuses a path that is the log or lies in it.
pub(super) fn refuse_inside(option: &str, path: &Path, log: Option<&LogDirectory>) -> Result<(), CliError> {
    match log {
        Some(log) if log.contains(path) => {
            Err(CliError::path(format!("{option} lies inside the log, which is never written into"), path))
        }
        _ => Ok(()),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("view.csv");
        for text in ["long old content", "new"] {
            Target::of("--out", &path, None, None).unwrap().write(text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let inside = Target::of("--out", directory.path(), Some("s.json"), None).unwrap();
        inside.write(b"[]").unwrap();
        assert_eq!(fs::read(directory.path().join("s.json")).unwrap(), b"[]");
        assert!(Target::of("--out", directory.path(), None, None).is_err());
        assert!(Target::of("--out", &directory.path().join("no/view.csv"), None, None).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_what_is_replaced_and_devices_are_written() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real"), directory.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        Target::of("--out", &link, None, None).unwrap().write(b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        let null = Target::of("--out", Path::new("/dev/null"), None, None).unwrap();
        assert_eq!(null, Target::Stream("/dev/null".into()));
        null.write(b"x").unwrap();
    }
}
