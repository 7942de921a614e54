//! The mapping options, shared by all commands that read a log.

use clap::Args;

use crate::ingest::{LogError, MappingOptions};

/// Which field is what. What is not given is guessed from the first records and said on standard error.
///
/// Comes last in each command: its help heading stays in force.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Mapping (what is not given is guessed)")]
pub struct MappingArgs {
    /// auto, jsonl, csv, tsv or combined [default: auto, seen from the first records].
    /// csv (RFC 4180) and tsv (no quotes): the first row of every file names its columns.
    /// combined: access logs; fields are host, ident, user, time, request, method, target (or path), protocol, status,
    /// bytes, referer, agent, extra1...; page is target and user is host unless given
    #[arg(long, value_name = "FORMAT")]
    pub input_format: Option<String>,
    /// Field of the page, as a dotted path or column name
    #[arg(long, value_name = "FIELD")]
    pub page: Option<String>,
    /// Field of the user
    #[arg(long, value_name = "FIELD")]
    pub user: Option<String>,
    /// Field of the event time
    #[arg(long, value_name = "FIELD")]
    pub time: Option<String>,
    /// Field of the arrival time, which then decides the delivery order
    #[arg(long, value_name = "FIELD")]
    pub arrival: Option<String>,
    /// Field of a value to be summed
    #[arg(long, value_name = "FIELD")]
    pub value: Option<String>,
    /// Field of an id by which duplicates are known (never guessed)
    #[arg(long, value_name = "FIELD")]
    pub id: Option<String>,
    /// Field of an explicit offset by which redeliveries are known
    #[arg(long, value_name = "FIELD")]
    pub offset: Option<String>,
    /// Field that names the partition (never guessed)
    #[arg(long, value_name = "FIELD")]
    pub partition: Option<String>,
    /// auto, rfc3339, epoch-s, epoch-ms, epoch-us, epoch-ns or a strftime pattern
    #[arg(long, value_name = "FORMAT")]
    pub time_format: Option<String>,
    /// Zone of times that name none [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub naive_zone: Option<String>,
    /// Zone of days, or as-written [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// Whether a record without a user counts as a view: skip or count [default: skip]
    #[arg(long, value_name = "RULE")]
    pub anonymous: Option<String>,
    /// Take only lines where FIELD=VALUE, FIELD!=VALUE or FIELD~REGEX holds (repeatable: all must hold)
    #[arg(long = "where", value_name = "CONDITION")]
    pub conditions: Vec<String>,
    /// What is done to pages: strip-query, lower-case
    #[arg(long, value_name = "STEPS")]
    pub page_clean: Option<String>,
    /// Make every file a partition
    #[arg(long)]
    pub files_are_partitions: bool,
}

impl MappingArgs {
    /// The options as the mapping takes them.
    pub fn options(&self) -> Result<MappingOptions, LogError> {
        let mut options = MappingOptions::default();
        let given = [
            ("input-format", &self.input_format),
            ("page", &self.page),
            ("user", &self.user),
            ("time", &self.time),
            ("arrival", &self.arrival),
            ("value", &self.value),
            ("id", &self.id),
            ("offset", &self.offset),
            ("partition", &self.partition),
            ("time-format", &self.time_format),
            ("naive-zone", &self.naive_zone),
            ("zone", &self.zone),
            ("anonymous", &self.anonymous),
            ("page-clean", &self.page_clean),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                options.set(name, value)?;
            }
        }
        for condition in &self.conditions {
            options.set("where", condition)?;
        }
        options.files_are_partitions = self.files_are_partitions;
        Ok(options)
    }
}
