#!/usr/bin/env python3
"""Make the log `shop` from the synthetic shop dataset `ecom.csv.gz` of retentioneering (Apache-2.0).

    python3 make_shop.py ecom.csv.gz shop

Every row of the table becomes one JSON line; no row is added, dropped or changed:

- `event` becomes `page_id`, `timestamp` is written as RFC 3339 in UTC, the other columns keep name and text;
- `arrived_at` is added: the event's time plus a delay, as if the clicks had reached a collector over the network.
  96 % of the delays last 0.2 to 20 seconds, 3 % last 1 to 12 hours (a phone without a connection), 1 % last
  1 to 4 days (a device that was switched off). Rows that are equal in the table arrive together and stay
  equal lines;
- each platform is a partition (a directory), each ISO week of arrival a file, and the lines of a file stand in
  order of arrival, so event times step back wherever something came late;
- the files of the newest two weeks are plain, older ones are gzip without name and time.

The delays come from one seeded generator, two draws a row in the order of the table: the same input makes the same
log. Only the standard library is used.
"""

import csv
import gzip
import io
import json
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

SEED = 20240104
PLAIN_WEEKS = 2
HOUR_MILLIS = 3_600_000
COPIED = ["session_id", "platform", "acquisition_channel", "user_cohort", "user_lifecycle"]


def delay_millis(rng):
    """Draw one delay: log-uniform seconds, log-uniform hours or uniform days."""
    kind, size = rng.random(), rng.random()
    if kind < 0.96:
        return round(200 * 100**size)
    if kind < 0.99:
        return round(HOUR_MILLIS * 12**size)
    return round(24 * HOUR_MILLIS * (1 + 3 * size))


def read_events(table):
    """Return the events as (arrival, line) by platform, in the order of the table."""
    rng = random.Random(SEED)
    delays = {}
    events = {}
    with gzip.open(table, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            drawn = delay_millis(rng)
            delay = delays.setdefault(tuple(row.values()), drawn)
            time = datetime.strptime(row["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
            arrival = time + timedelta(milliseconds=delay)
            record = {
                "user_id": row["user_id"],
                "page_id": row["event"],
                "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "arrived_at": arrival.strftime("%Y-%m-%dT%H:%M:%S.") + f"{arrival.microsecond // 1000:03d}Z",
            }
            record.update((name, row[name]) for name in COPIED)
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
            events.setdefault(row["platform"], []).append((arrival, line))
    return events


def compressed(data):
    """Return `data` as gzip whose bytes depend on nothing else."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def week_of(arrival):
    """Return the ISO week of an arrival, such as `2024-W04`."""
    year, week, _ = arrival.isocalendar()
    return f"{year}-W{week:02d}"


def write_log(events, directory):
    """Write one directory a platform and one file a week of arrival."""
    newest = sorted({week_of(arrival) for rows in events.values() for arrival, _ in rows})[-PLAIN_WEEKS:]
    for platform, rows in sorted(events.items()):
        weeks = {}
        for arrival, line in sorted(rows, key=lambda row: row[0]):
            weeks.setdefault(week_of(arrival), []).append(line)
        partition = directory / platform
        partition.mkdir(parents=True, exist_ok=True)
        for old in partition.glob("*.jsonl*"):
            old.unlink()
        for week, lines in weeks.items():
            data = "".join(line + "\n" for line in lines).encode("utf-8")
            if week in newest:
                (partition / f"{week}.jsonl").write_bytes(data)
            else:
                (partition / f"{week}.jsonl.gz").write_bytes(compressed(data))


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: make_shop.py ECOM_CSV_GZ OUTPUT_DIRECTORY")
    write_log(read_events(sys.argv[1]), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
