//! `--report`: counts over `[0, position)`, as JSON.

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

use super::{CliError, input::Input, output::Target};
use crate::{
    domain::{Counts, Fingerprint, Offsets},
    ingest::IssueLog,
};

/// What a run read and made of it.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    records: u64,
    valid: u64,
    missing_user: u64,
    malformed: u64,
    redelivered: u64,
    duplicates: u64,
    late: u64,
    fingerprint: String,
    /// Next record to read, by partition.
    position: BTreeMap<&'a str, u64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    stream: Option<StreamPart>,
    issues: Vec<IssueLine<'a>>,
}

/// What only a stream has to say.
#[derive(Debug, Serialize)]
pub(super) struct StreamPart {
    /// Position of the restored checkpoint, in records.
    pub resumed_from: Option<u64>,
    /// Records that this process read and an earlier one had read before.
    pub replayed: u64,
    pub checkpoints_written: u64,
    pub checkpoints_refused: Vec<RefusedLine>,
    pub sink_fingerprint: String,
    /// Reads of all processes over this directory.
    pub deliveries: u64,
    /// How many records count how often in the state.
    pub effects: BTreeMap<u32, u64>,
    /// The first late records with the watermark that dropped each; `late` says how many there are.
    pub late_records: Vec<LateLine>,
    /// Said where unique users are estimates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uniques: Option<UniquesLine>,
}

/// A record that came after its day was closed.
#[derive(Debug, Serialize)]
pub(super) struct LateLine {
    pub partition: String,
    pub offset: u64,
    pub watermark: String,
}

/// How good estimates of unique users are.
#[derive(Debug, Serialize)]
pub(super) struct UniquesLine {
    pub estimated: bool,
    pub standard_error_percent: f64,
}

/// A checkpoint that was not used.
#[derive(Debug, Serialize)]
pub(super) struct RefusedLine {
    pub file: String,
    pub reason: String,
}

#[derive(Debug, Serialize)]
struct IssueLine<'a> {
    file: &'a str,
    line: u64,
    reason: String,
}

impl<'a> Report<'a> {
    pub fn new(
        counts: &Counts,
        fingerprint: Fingerprint,
        partitions: &'a [String],
        position: &Offsets,
        issues: &'a IssueLog,
    ) -> Report<'a> {
        let issues = issues.listed().iter();
        Report {
            records: counts.records(),
            valid: counts.valid(),
            missing_user: counts.missing_user,
            malformed: counts.malformed,
            redelivered: counts.redelivered,
            duplicates: counts.duplicates,
            late: counts.late,
            fingerprint: fingerprint.to_string(),
            position: partitions
                .iter()
                .map(String::as_str)
                .zip(position.as_slice().iter().copied())
                .collect(),
            stream: None,
            issues: issues
                .map(|issue| IssueLine {
                    file: &issue.file,
                    line: issue.line,
                    reason: issue.reason.to_string(),
                })
                .collect(),
        }
    }

    pub fn with_stream(self, stream: StreamPart) -> Report<'a> {
        Report { stream: Some(stream), ..self }
    }

    pub fn write(&self, target: &Target) -> Result<(), CliError> {
        // Numbers and text always have a JSON form.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        target.write(format!("{text}\n").as_bytes())
    }
}

/// Where `--report` goes.
pub(super) fn target(path: Option<&Path>, input: &Input) -> Result<Option<Target>, CliError> {
    path.map(|path| Target::of("--report", path, None, Some(&input.log))).transpose()
}

/// The counts in one line.
pub(super) fn summary(counts: &Counts) -> String {
    format!(
        "{} records: {} valid ({} redelivered, {} duplicates, {} late), {} without user, {} malformed",
        counts.records(),
        counts.valid(),
        counts.redelivered,
        counts.duplicates,
        counts.late,
        counts.missing_user,
        counts.malformed
    )
}
