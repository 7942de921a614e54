//! What a headless command can fail with. All of it is exit code 2.

use std::{io, path::PathBuf};

use crate::{
    engine::{StartError, WorkError, play::PlayError},
    ingest::{ForeignError, LogError},
};

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The arguments cannot be used together, or not here.
    #[error("{0}")]
    Usage(String),
    /// A path cannot be used for what it was given.
    #[error("{what}: {path:?}")]
    Path {
        /// What is wrong, with the option or the role.
        what: String,
        /// The path as given.
        path: PathBuf,
    },
    /// Named by the contract, not done by this version.
    #[error("not in this version yet: {0}")]
    NotYet(String),
    /// A file of ours could not be used.
    #[error("cannot {action} {path:?}: {cause}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// Standard output could not be written.
    #[error("cannot write to standard output: {0}")]
    Stdout(#[source] io::Error),
    /// Signal handlers could not be set.
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] io::Error),
    /// The log or its mapping.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A view of theirs.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// A scenario or its log.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The checkpoint directory says no.
    #[error("{error}{}", hint(error))]
    Start {
        /// Why.
        #[from]
        error: StartError,
    },
    /// A micro-batch or a checkpoint failed.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// The checkpoint directory cannot be used; the text names it.
    #[error("cannot open the checkpoints: {0}")]
    Directory(#[source] io::Error),
}

impl CliError {
    pub(super) fn path(what: impl Into<String>, path: impl Into<PathBuf>) -> CliError {
        CliError::Path { what: what.into(), path: path.into() }
    }

    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>, cause: io::Error) -> CliError {
        CliError::Io { action, path: path.into(), cause }
    }
}

fn hint(error: &StartError) -> &'static str {
    match error {
        StartError::AllRefused(_) => " (--from-start sets them aside and reads everything again)",
        StartError::Disk(_) | StartError::Log(_) => "",
    }
}
