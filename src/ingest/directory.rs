//! A log on disk: partitions, their segments in order, and how a segment is opened.
//!
//! Opened read-only, never written into. Nothing here depends on the order in which the file system lists files.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use flate2::read::MultiGzDecoder;

use super::{LogError, natural_order};

/// One file of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Path relative to the log, with `/` between its parts. Names the segment everywhere.
    pub relative: Arc<str>,
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes on disk when the log was opened (compressed where the file is).
    pub bytes: u64,
}

/// A partition as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFiles {
    /// Its name.
    pub name: String,
    /// Its files in natural order of their relative paths.
    pub segments: Vec<Segment>,
}

/// A log directory (or a single file) with its partitions, as they were when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirectory {
    path: PathBuf,
    root: PathBuf,
    partitions: Vec<PartitionFiles>,
    ignored: Vec<String>,
}

impl LogDirectory {
    /// Lists a log. `path` is a directory, or a file that then is the only segment of partition `.`.
    pub fn open(path: &Path, files_are_partitions: bool) -> Result<LogDirectory, LogError> {
        let root = path.canonicalize().map_err(|cause| LogError::io("open", path, cause))?;
        let mut walk = Walk { root: &root, files: Vec::new(), empty: Vec::new(), ignored: Vec::new() };
        let metadata = fs::metadata(&root).map_err(|cause| LogError::io("open", path, cause))?;
        if metadata.is_dir() {
            walk.directory(&root, "", &mut vec![root.clone()])?;
        } else {
            let name = root.file_name().and_then(|name| name.to_str());
            let relative = name.ok_or_else(|| LogError::NameNotText(root.clone()))?.into();
            walk.files.push(Segment { relative, path: root.clone(), bytes: metadata.len() });
        }
        let Walk { files, empty, mut ignored, .. } = walk;
        if files.is_empty() {
            return Err(LogError::NoSegments(path.to_owned()));
        }
        ignored.sort();
        let mut partitions: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
        if !files_are_partitions {
            partitions.extend(empty.into_iter().map(|name| (name, Vec::new())));
        }
        for segment in files {
            let name = match segment.relative.split_once('/') {
                _ if files_are_partitions => segment.relative.to_string(),
                Some((first, _)) => first.to_owned(),
                None => ".".to_owned(),
            };
            partitions.entry(name).or_default().push(segment);
        }
        if partitions.len() > usize::from(u16::MAX) {
            return Err(LogError::TooManyPartitions(partitions.len()));
        }
        let partitions = partitions.into_iter().map(|(name, mut segments)| {
            segments.sort_by(|a, b| natural_order(&a.relative, &b.relative));
            PartitionFiles { name, segments }
        });
        Ok(LogDirectory { path: path.to_owned(), partitions: partitions.collect(), ignored, root })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Partitions by name in byte order. A subdirectory without segments is an empty partition.
    pub fn partitions(&self) -> &[PartitionFiles] {
        &self.partitions
    }

    /// Relative paths of what lies in the log and is not read: ignored names, links back to a directory that
    /// holds them, and what is neither file nor directory.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Bytes on disk of all segments.
    pub fn bytes(&self) -> u64 {
        self.segments().map(|segment| segment.bytes).sum()
    }

    /// All segments, by partition, then in their order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.partitions.iter().flat_map(|partition| &partition.segments)
    }

    /// Whether `other` is the log or lies in it. `other` need not exist yet: what exists of it is resolved.
    pub fn contains(&self, other: &Path) -> bool {
        resolve(other).is_some_and(|resolved| resolved.starts_with(&self.root))
    }
}

struct Walk<'a> {
    root: &'a Path,
    files: Vec<Segment>,
    /// Immediate subdirectories, whether anything lies in them or not.
    empty: Vec<String>,
    ignored: Vec<String>,
}

impl Walk<'_> {
    /// `above` holds the resolved directories from the root down to here: a link to one of them is a loop.
    fn directory(&mut self, path: &Path, prefix: &str, above: &mut Vec<PathBuf>) -> Result<(), LogError> {
        let entries = fs::read_dir(path).map_err(|cause| LogError::io("list", path, cause))?;
        for entry in entries {
            let entry = entry.map_err(|cause| LogError::io("list", path, cause))?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| LogError::NameNotText(entry.path()))?;
            let relative = format!("{prefix}{name}");
            if is_ignored(name) {
                self.ignored.push(relative);
            } else {
                self.entry(&entry.path(), &relative, above)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, relative: &str, above: &mut Vec<PathBuf>) -> Result<(), LogError> {
        let resolved = path.canonicalize().map_err(|cause| LogError::io("follow", path, cause))?;
        if !resolved.starts_with(self.root) {
            return Err(LogError::LinkOutside { link: path.to_owned(), target: resolved });
        }
        let metadata = fs::metadata(&resolved).map_err(|cause| LogError::io("open", path, cause))?;
        if metadata.is_file() {
            self.files.push(Segment {
                relative: relative.into(),
                path: path.to_owned(),
                bytes: metadata.len(),
            });
        } else if metadata.is_dir() && !above.contains(&resolved) {
            if !relative.contains('/') {
                self.empty.push(relative.to_owned());
            }
            above.push(resolved);
            self.directory(path, &format!("{relative}/"), above)?;
            above.pop();
        } else {
            self.ignored.push(relative.to_owned());
        }
        Ok(())
    }
}

fn is_ignored(name: &str) -> bool {
    let starts = [".", "_", "README", "LICENSE", "NOTICE"];
    starts.iter().any(|start| name.starts_with(start))
        || Path::new(name).extension().is_some_and(|ext| ext == "md")
}

/// Resolves the nearest ancestor that exists and appends the rest, following links to what does not exist yet.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut pending = std::path::absolute(path).ok()?;
    // More than 40 links in a row is what the kernel calls a loop.
    for _ in 0..40 {
        let mut resolved = PathBuf::new();
        let mut parts = pending.components();
        let link = loop {
            let Some(part) = parts.next() else { return Some(resolved) };
            match part {
                Component::ParentDir => {
                    resolved.pop();
                }
                Component::CurDir => {}
                part => resolved.push(part),
            }
            if let Ok(target) = fs::read_link(&resolved) {
                break target;
            }
        };
        resolved.pop();
        resolved.push(link);
        resolved.push(parts.as_path());
        pending = resolved;
    }
    None
}

/// An open segment: decompressed bytes, and how far the file on disk was read.
pub(crate) enum SegmentInput {
    Plain { file: File, read: u64 },
    Gzip(Box<MultiGzDecoder<BufReader<Counted>>>),
}

/// A file that knows how many bytes were read from it.
pub(crate) struct Counted {
    file: File,
    read: u64,
}

impl Segment {
    /// Opens the file at `byte` of its decompressed bytes. Compression is recognised by the bytes `1f 8b`.
    pub(crate) fn open(&self, byte: u64) -> Result<SegmentInput, LogError> {
        let failed = |cause| LogError::io("open", &self.path, cause);
        let mut file = File::open(&self.path).map_err(failed)?;
        let mut magic = Vec::with_capacity(2);
        (&mut file).take(2).read_to_end(&mut magic).map_err(failed)?;
        if magic != [0x1f, 0x8b] {
            file.seek(SeekFrom::Start(byte)).map_err(failed)?;
            return Ok(SegmentInput::Plain { file, read: byte });
        }
        file.rewind().map_err(failed)?;
        let counted = BufReader::with_capacity(1 << 16, Counted { file, read: 0 });
        let mut input = SegmentInput::Gzip(Box::new(MultiGzDecoder::new(counted)));
        // What cannot be decoded on the way is found again, and reported, by the first read.
        let _ = io::copy(&mut (&mut input).take(byte), &mut io::sink());
        Ok(input)
    }
}

impl SegmentInput {
    /// Bytes of the file on disk that were read so far.
    pub(crate) fn disk_bytes(&self) -> u64 {
        match self {
            SegmentInput::Plain { read, .. } => *read,
            SegmentInput::Gzip(decoder) => decoder.get_ref().get_ref().read,
        }
    }

    /// Whether a failed read means damaged data rather than a failing disk.
    pub(crate) fn is_damage(&self, error: &io::Error) -> bool {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        matches!(self, SegmentInput::Gzip(_))
            && matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
    }
}

impl Read for SegmentInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            SegmentInput::Plain { file, read } => {
                let count = file.read(buffer)?;
                *read += count as u64;
                Ok(count)
            }
            SegmentInput::Gzip(decoder) => decoder.read(buffer),
        }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}\n").unwrap();
        }
    }

    fn shape(log: &LogDirectory) -> Vec<(String, Vec<String>)> {
        let names = |p: &PartitionFiles| p.segments.iter().map(|s| s.relative.to_string()).collect();
        log.partitions().iter().map(|p| (p.name.clone(), names(p))).collect()
    }

    #[test]
    fn subdirectories_are_partitions_and_files_beside_them_form_the_dot() {
        let root = tempfile::tempdir().unwrap();
        write(
            root.path(),
            &["b/part-10", "b/part-2", "b/deep/er/x", "a/1", "z", ".hid", "_tmp/x", "a/README.txt"],
        );
        write(root.path(), &["LICENSE.upstream", "a/NOTICE", "notes.md"]);
        fs::create_dir(root.path().join("void")).unwrap();
        let log = LogDirectory::open(root.path(), false).unwrap();
        let part =
            |name: &str, files: &[&str]| (name.to_owned(), files.iter().map(ToString::to_string).collect());
        assert_eq!(
            shape(&log),
            [
                part(".", &["z"]),
                part("a", &["a/1"]),
                part("b", &["b/deep/er/x", "b/part-2", "b/part-10"]),
                part("void", &[])
            ]
        );
        assert_eq!(
            log.ignored(),
            [".hid", "LICENSE.upstream", "_tmp", "a/NOTICE", "a/README.txt", "notes.md"]
        );
        let flat = LogDirectory::open(root.path(), true).unwrap();
        assert_eq!(flat.partitions().len(), 5);
        assert_eq!(flat.partitions()[1].name, "b/deep/er/x");
        let single = LogDirectory::open(&root.path().join("a/1"), false).unwrap();
        assert_eq!(shape(&single), [part(".", &["1"])]);
    }

    #[test]
    fn an_empty_log_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let error = LogDirectory::open(root.path(), false).unwrap_err().to_string();
        assert!(error.starts_with("no log files in"), "{error}");
        assert!(
            LogDirectory::open(&root.path().join("none"), false).unwrap_err().to_string().contains("none")
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_may_stay_inside_and_never_lead_out() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        write(root.path(), &["a/1"]);
        write(outside.path(), &["secret"]);
        symlink("1", root.path().join("a/2")).unwrap();
        symlink("..", root.path().join("a/up")).unwrap();
        symlink(".", root.path().join("loop")).unwrap();
        let log = LogDirectory::open(root.path(), false).unwrap();
        assert_eq!(shape(&log), [("a".to_owned(), vec!["a/1".to_owned(), "a/2".to_owned()])]);
        assert_eq!(log.ignored(), ["a/up", "loop"]);
        symlink(outside.path().join("secret"), root.path().join("a/out")).unwrap();
        let error = LogDirectory::open(root.path(), false).unwrap_err();
        assert!(matches!(&error, LogError::LinkOutside { link, .. } if link.ends_with("a/out")), "{error}");
        fs::remove_file(root.path().join("a/out")).unwrap();
        let log = LogDirectory::open(root.path(), false).unwrap();
        // A link outside whose target, not there yet, would lie in the log.
        symlink(root.path().join("a/later"), outside.path().join("door")).unwrap();
        assert!(log.contains(&outside.path().join("door")));
        assert!(log.contains(&root.path().join("new/dir/file")));
        assert!(log.contains(&outside.path().join("no/../..").join(root.path()).join(".")));
        assert!(log.contains(root.path()));
        assert!(!log.contains(&root.path().join("a/../../elsewhere")));
        assert!(!log.contains(outside.path()));
        assert!(!log.contains(Path::new("relative.csv")));
    }
}
