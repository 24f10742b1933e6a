"""A small shop in one file: `checkout`, `search` and `cart` behind nginx, over PostgreSQL and Redis.

It is written the way many small services are: a connection for each request, errors answered as 5xx and logged as JSON lines.
`--bug` makes one release of it faulty, so that a deploy can be the real cause of a fault.
"""
import argparse
import json
import random
import signal
import sys
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import psycopg2
import redis

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
args = None
cache = None
lock = threading.Lock()
requests_total = {}
db_errors_total = {}
cache_errors_total = 0
duration_buckets = [0] * (len(BUCKETS) + 1)
duration_sum = 0.0


def log(level, message, **fields):
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"time": now, "level": level, "service": args.service, "version": args.version, "message": message}
    print(json.dumps({**line, **fields}), flush=True)


def database():
    """A new connection for each request, as the shop has always done it."""
    return psycopg2.connect(host="127.0.0.1", port=5432, user="shop", dbname="shop", connect_timeout=3)


def checkout(query):
    item = random.randint(1, 200)
    with_connection = database()
    try:
        with with_connection, with_connection.cursor() as cursor:
            cursor.execute("SELECT name, price FROM products WHERE id = %s", (item,))
            name, price = cursor.fetchone()
            cursor.execute(
                "INSERT INTO orders (product, quantity, note) VALUES (%s, %s, %s) RETURNING id",
                (item, random.randint(1, 3), "x" * 1800),
            )
            order = cursor.fetchone()[0]
    finally:
        with_connection.close()
    if order % 50 == 0:
        log("info", f"order {order} placed", product=name, price=float(price))
    return {"order": order}


def search(query):
    word = query.get("q", ["lamp"])[0]
    cached = cache.get(f"search:{word}")
    if cached is not None:
        return json.loads(cached)
    with_connection = database()
    try:
        with with_connection, with_connection.cursor() as cursor:
            cursor.execute("SELECT id, name FROM products WHERE name LIKE %s ORDER BY id LIMIT 10", (f"%{word}%",))
            rows = cursor.fetchall()
            cursor.execute("INSERT INTO search_events (word, context) VALUES (%s, %s)", (word, "y" * 1800))
    finally:
        with_connection.close()
    if args.bug:
        # The release that ranks by a column which the query no longer selects.
        rows.sort(key=lambda row: row[2])
    found = [{"id": row[0], "name": row[1]} for row in rows]
    cache.set(f"search:{word}", json.dumps(found), ex=3)
    return found


def cart(query):
    user = query.get("user", ["1"])[0]
    cache.rpush(f"cart:{user}", random.randint(1, 200))
    cache.ltrim(f"cart:{user}", -20, -1)
    cache.expire(f"cart:{user}", 600)
    return {"items": cache.llen(f"cart:{user}")}


WORK = {"checkout": checkout, "search": search, "cart": cart}


def answer(path):
    """Runs the service's work and says which status it ends with."""
    global cache_errors_total
    parsed = urlparse(path)
    try:
        return 200, WORK[args.service](parse_qs(parsed.query))
    except psycopg2.OperationalError as error:
        reason = "connect" if error.pgcode is None else error.pgcode
        with lock:
            db_errors_total[reason] = db_errors_total.get(reason, 0) + 1
        log("error", f"database unavailable: {str(error).strip()}", path=parsed.path)
        return 503, {"error": "database unavailable"}
    except psycopg2.Error as error:
        with lock:
            db_errors_total[error.pgcode] = db_errors_total.get(error.pgcode, 0) + 1
        log("error", f"query failed: {str(error).strip()}", path=parsed.path)
        return 500, {"error": "query failed"}
    except redis.RedisError as error:
        with lock:
            cache_errors_total += 1
        log("error", f"cache failed: {error}", path=parsed.path)
        return 500, {"error": "cache failed"}
    except Exception as error:
        log("error", f"unhandled {type(error).__name__}: {error}", path=parsed.path)
        return 500, {"error": "internal error"}


def observe(status, seconds):
    global duration_sum
    with lock:
        requests_total[status] = requests_total.get(status, 0) + 1
        duration_sum += seconds
        slot = next((n for n, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        duration_buckets[slot] += 1


def exposition():
    same = f'service="{args.service}",version="{args.version}"'
    with lock:
        lines = ["# TYPE http_requests_total counter"]
        lines += [f'http_requests_total{{{same},code="{code}"}} {n}' for code, n in sorted(requests_total.items())]
        lines.append("# TYPE http_request_duration_seconds histogram")
        total = 0
        for bound, n in zip([*map(str, BUCKETS), "+Inf"], duration_buckets):
            total += n
            lines.append(f'http_request_duration_seconds_bucket{{{same},le="{bound}"}} {total}')
        lines.append(f"http_request_duration_seconds_sum{{{same}}} {duration_sum}")
        lines.append(f"http_request_duration_seconds_count{{{same}}} {total}")
        lines.append("# TYPE shop_db_errors_total counter")
        lines += [f'shop_db_errors_total{{{same},reason="{why}"}} {n}' for why, n in sorted(db_errors_total.items())]
        lines.append("# TYPE shop_cache_errors_total counter")
        lines.append(f"shop_cache_errors_total{{{same}}} {cache_errors_total}")
    return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/metrics":
            return self.send(200, exposition().encode(), "text/plain; version=0.0.4")
        start = time.monotonic()
        status, body = answer(self.path)
        observe(status, time.monotonic() - start)
        self.send(status, json.dumps(body).encode(), "application/json")

    def send(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    global args, cache
    parser = argparse.ArgumentParser()
    parser.add_argument("--service", choices=sorted(WORK), required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--bug", action="store_true")
    args = parser.parse_args()
    cache = redis.Redis(host="127.0.0.1", port=6379, socket_timeout=2, socket_connect_timeout=2)
    for status in (200, 500, 503):
        requests_total[status] = 0
    for reason in ("connect", "53100"):
        db_errors_total[reason] = 0
    server = ThreadingHTTPServer(("127.0.0.1", args.port), Handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    log("info", f"{args.service} {args.version} listens")
    server.serve_forever()
    log("info", f"{args.service} {args.version} stopped")
    sys.exit(0)


main()
