"""Views of the shop sample and of traefik_json as DuckDB computes them: right, and each wrong in a known way.

    pip install duckdb==2.0.1
    python tests/data/reconcile/make_duckdb.py

Run from the root of the package. It writes the files beside itself; README.md says what each is.
"""

import glob
import gzip
import json
import os

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
SHOP = "sample_logs/shop"
TRAEFIK = "tests/data/traefik_json/log"

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")


def load(table, root, page, user, time, arrival=None):
    rows, number, offsets = [], 0, {}
    for path in sorted(glob.glob(root + "/**/*.*", recursive=True)):
        if path.endswith(".md"):
            continue
        segment = os.path.relpath(path, root)
        partition = segment.split("/")[0] if "/" in segment else "."
        with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
            for line in file:
                event = json.loads(line)
                offset = offsets.get(partition, 0)
                offsets[partition] = offset + 1
                arrived = event[arrival] if arrival else None
                rows.append((number, segment, partition, offset, line, event[page], event[user], event[time], arrived))
                number += 1
    db.execute(
        f"CREATE TABLE {table} (n BIGINT, segment VARCHAR, part VARCHAR, off BIGINT, line VARCHAR, page VARCHAR,"
        " usr VARCHAR, ts TIMESTAMPTZ, arrived TIMESTAMPTZ)"
    )
    with open("/tmp/rows.json", "w", encoding="utf-8") as file:
        names = ["n", "segment", "part", "off", "line", "page", "usr", "ts", "arrived"]
        for row in rows:
            file.write(json.dumps(dict(zip(names, row))) + "\n")
    db.execute(
        f"INSERT INTO {table} SELECT * FROM read_json('/tmp/rows.json', format = 'newline_delimited', columns ="
        " {n: 'BIGINT', segment: 'VARCHAR', part: 'VARCHAR', off: 'BIGINT', line: 'VARCHAR', page: 'VARCHAR',"
        " usr: 'VARCHAR', ts: 'TIMESTAMPTZ', arrived: 'TIMESTAMPTZ'})"
    )


def view(name, source="shop", zone="UTC", users="count(DISTINCT usr)", page="page", options="HEADER"):
    query = (
        f"SELECT {page} AS page_id, CAST(timezone('{zone}', ts) AS DATE) AS date, count(*) AS total_views,"
        f" {users} AS unique_users FROM {source} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    path = os.path.join(HERE, name)
    rows = db.execute(query).fetchall()
    text = "page_id,date,total_views,unique_users\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    if name.endswith(".gz"):
        with open(path, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as zipped:
            zipped.write(text.encode())
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


load("shop", SHOP, "page_id", "user_id", "timestamp", "arrived_at")
load("traefik", TRAEFIK, "RequestPath", "ClientHost", "StartUTC")

LOST = "(SELECT * FROM shop WHERE segment <> 'mobile/2024-W12.jsonl.gz')"
TWICE = "(SELECT * FROM shop UNION ALL SELECT * FROM shop WHERE part = 'desktop' AND off >= 7000 AND off < 7500)"
BOTH = (
    "(SELECT * FROM shop WHERE segment <> 'mobile/2024-W12.jsonl.gz'"
    " UNION ALL SELECT * FROM shop WHERE part = 'desktop' AND off >= 7000 AND off < 7500)"
)
LATE = "(SELECT * FROM shop WHERE arrived < date_trunc('day', ts) + INTERVAL 26 HOUR)"
PREFIX = "(SELECT * FROM shop WHERE NOT (part = 'desktop' AND off >= 15000))"

view("shop_right.csv.gz")
view("shop_tehran.csv.gz", zone="Asia/Tehran")
view("shop_without_segment.csv.gz", LOST)
view("shop_lines_twice.csv.gz", TWICE)
view("shop_distinct_lines.csv.gz", "(SELECT DISTINCT ON (line) * FROM shop)")
view("shop_late.csv.gz", LATE)
view("shop_prefix.csv.gz", PREFIX)
view("shop_users_by_hour.csv.gz", users="count(DISTINCT usr || '|' || date_trunc('hour', ts))")
view("shop_users_estimated.csv.gz", users="approx_count_distinct(usr)")
view("shop_mix.csv.gz", BOTH, zone="Asia/Tehran")
view("traefik_right.csv", "traefik")
view("traefik_tokyo.csv", "traefik", zone="Asia/Tokyo")
view("traefik_lower_case.csv", "traefik", page="lower(page)")
