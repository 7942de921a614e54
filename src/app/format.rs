//! Numbers as people read them: thousands separators, run time, bytes. No locale, so pictures repeat.

use crate::{domain::Day, engine::protocol::TICKS_PER_SECOND};

/// `14734` as `14,734`.
pub fn thousands(number: u64) -> String {
    group(&number.to_string())
}

/// `-734` as `-734`, `734` as `+734`, `0` as `0`.
pub fn signed(number: i128) -> String {
    let digits = group(&number.unsigned_abs().to_string());
    match number {
        0 => digits,
        n if n < 0 => format!("-{digits}"),
        _ => format!("+{digits}"),
    }
}

/// A sum in millionths, without trailing zeros.
pub fn millionths(sum: i128) -> String {
    let sign = if sum < 0 { "-" } else { "" };
    let whole = group(&(sum.unsigned_abs() / 1_000_000).to_string());
    let rest = sum.unsigned_abs() % 1_000_000;
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = format!("{rest:06}");
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}

/// Run time in seconds with one decimal: `86.7 s`.
pub fn seconds(ticks: u64) -> String {
    let tenths = ticks.saturating_mul(10) / TICKS_PER_SECOND;
    format!("{}.{} s", group(&(tenths / 10).to_string()), tenths % 10)
}

/// A measured time in the unit that keeps it short: `0.9 µs`, `12.3 ms`, `1.2 s`.
pub fn duration(nanos: u64) -> String {
    let (unit, name) = match nanos {
        0..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let tenths = nanos.saturating_mul(10) / unit;
    format!("{}.{} {name}", group(&(tenths / 10).to_string()), tenths % 10)
}

/// `26 Apr 2024`.
pub fn date(day: Day) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = day.to_string();
    let mut parts = text.rsplitn(3, '-');
    let (date, month, year) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?));
    match (date, month, year) {
        (Some(date), Some(month), Some(year)) => {
            format!("{} {month} {year}", date.trim_start_matches('0'))
        }
        _ => text,
    }
}

/// Bytes in the largest unit that keeps them readable.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut tenths = count.saturating_mul(10) / 1024;
    for unit in UNITS {
        if tenths < 10_240 || unit == "TiB" {
            return format!("{}.{} {unit}", group(&(tenths / 10).to_string()), tenths % 10);
        }
        tenths /= 1024;
    }
    format!("{count} B")
}

/// A half-open range of records by its first and last number: `14,000 to 14,733`.
pub fn records_in(from: u64, to: u64) -> String {
    match to.saturating_sub(from) {
        0 => "no record".to_owned(),
        1 => thousands(from),
        _ => format!("{} to {}", thousands(from), thousands(to - 1)),
    }
}

/// `1 record`, `734 records`.
pub fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{} records", thousands(count)) }
}

fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(
            (signed(-734).as_str(), signed(0).as_str(), signed(1734).as_str()),
            ("-734", "0", "+1,734")
        );
        assert_eq!((millionths(1_500_000).as_str(), millionths(-2_000_000).as_str()), ("1.5", "-2"));
        assert_eq!(seconds(8_670), "86.7 s");
        assert_eq!(
            (bytes(512).as_str(), bytes(1536).as_str(), bytes(5 << 30).as_str()),
            ("512 B", "1.5 KiB", "5.0 GiB")
        );
        assert_eq!([850, 12_345_678, 2_100_000_000].map(duration), ["0.8 µs", "12.3 ms", "2.1 s"]);
        assert_eq!(Day::parse("2024-04-06").map(date).as_deref(), Some("6 Apr 2024"));
        assert_eq!(bytes(u64::MAX), "1,677,721.5 TiB");
        assert_eq!(records_in(14_000, 14_734), "14,000 to 14,733");
        assert_eq!((records(1).as_str(), records(2).as_str()), ("1 record", "2 records"));
    }
}
