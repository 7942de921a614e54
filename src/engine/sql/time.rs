//! Times in SQL: nanoseconds since 1970, as in Rederive, and the days that they fall on.

use super::{lines::decimal, text};
use crate::ingest::{Mapping, TimeFormat};

/// Date, clock, fraction and offset of a text.
const SHAPE: &str = r"^(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60))(?:[.,](\d{1,9}))?(?: ?([Zz]|([+-])([01]\d|2[0-3])(?::?([0-5]\d)|:)?))?$";

/// The nanoseconds of a time that stands in `column` as text; NULL where it cannot be read.
pub(super) fn instant(mapping: &Mapping, format: &TimeFormat, column: &str) -> String {
    let epoch = |digits: u8, factor: &str| {
        let number = decimal(column, &format!("DECIMAL(28, {digits})"));
        format!("TRY_CAST(floor({number} * {factor}) AS BIGINT)")
    };
    match format {
        TimeFormat::Rfc3339 => written(&mapping.naive_zone, column),
        TimeFormat::EpochSeconds => epoch(9, "1000000000"),
        TimeFormat::EpochMillis => epoch(6, "1000000"),
        TimeFormat::EpochMicros => epoch(3, "1000"),
        TimeFormat::EpochNanos => epoch(0, "1"),
        TimeFormat::Pattern(pattern) => format!(
            "TRY_CAST(CAST(epoch_us(CAST(try_strptime({column}, {}) AS TIMESTAMPTZ)) AS HUGEINT) * 1000 AS BIGINT)",
            text(pattern)
        ),
    }
}

/// The parts of a text with date and time, as a column.
pub(super) fn parts(format: &TimeFormat, column: &str) -> Option<String> {
    let names = "['date', 'clock', 'fraction', 'zone', 'sign', 'hours', 'minutes']";
    (*format == TimeFormat::Rfc3339)
        .then(|| format!("regexp_extract({column}, '{SHAPE}', {names}) AS {column}_parts"))
}

/// Of date and time with an offset, or without one.
fn written(naive_zone: &str, column: &str) -> String {
    let part = |name: &str| format!("{column}_parts.{name}");
    // A leap second is read as the second before it.
    let local = format!(
        "TRY_CAST({} || ' ' || regexp_replace({}, ':60$', ':59') AS TIMESTAMP)",
        part("date"),
        part("clock")
    );
    let micros = match naive_zone {
        "UTC" | "utc" | "Z" => format!("epoch_us({local})"),
        zone => {
            // Of a time that a zone has twice, the first.
            let hour = "INTERVAL 1 HOUR";
            let at = format!("timezone({}, {local})", text(zone));
            format!(
                "CASE WHEN {} <> '' THEN epoch_us({local}) WHEN timezone({}, {at} - {hour}) = {local} THEN epoch_us({at} \
                 - {hour}) ELSE epoch_us({at}) END",
                part("zone"),
                text(zone)
            )
        }
    };
    format!(
        "TRY_CAST(CAST({micros} AS HUGEINT) * 1000\n      + CAST(rpad({}, 9, '0') AS INTEGER)\n      - CASE {} WHEN '-' THEN \
         -1 ELSE 1 END * (CAST('0' || {} AS BIGINT) * 60 + CAST('0' || {} AS BIGINT)) * 60000000000 AS BIGINT)",
        part("fraction"),
        part("sign"),
        part("hours"),
        part("minutes"),
    )
}

/// The day of an event in a zone.
pub(super) fn day(mapping: &Mapping, zone: &str) -> String {
    // Whole days, rounded down before 1970 too.
    let utc = "DATE '1970-01-01' + CAST((happened - (happened % 86400000000000 + 86400000000000) % 86400000000000) // \
               86400000000000 AS INTEGER)";
    match (zone, &mapping.time_format) {
        ("as-written", TimeFormat::Rfc3339) => {
            "CASE WHEN happened IS NOT NULL THEN CAST(left(written, 10) AS DATE) END".to_owned()
        }
        ("as-written", TimeFormat::Pattern(_)) if mapping.has_usual_time_format() => {
            "CASE WHEN happened IS NOT NULL THEN CAST(try_strptime(split_part(written, ':', 1), '%d/%b/%Y') AS DATE) END"
                .to_owned()
        }
        ("as-written", TimeFormat::Pattern(pattern)) => {
            format!("CAST(try_strptime(written, {}) AS DATE)", text(pattern))
        }
        ("as-written" | "UTC", _) => utc.to_owned(),
        (zone, _) => format!("CAST(timezone({}, make_timestamptz(happened // 1000)) AS DATE)", text(zone)),
    }
}
