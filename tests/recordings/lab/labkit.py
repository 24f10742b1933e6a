"""What the scenarios share: starting and stopping the lab's processes, the faults, and telling the recorder the truth.

Everything lives under /srv/shop and on loopback; nothing here touches a service that the machine runs by itself.
"""
import hashlib
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import psycopg2

ROOT = Path("/srv/shop")
LAB = Path(__file__).resolve().parent
RUN, LOG, PGDATA, TEXTFILES = ROOT / "run", ROOT / "log", ROOT / "pgdata", ROOT / "textfiles"
RECORDER = os.environ.get("HINDCAST_RECORDER", "http://127.0.0.1:17272")
APPS = {"checkout": (8101, 8102), "search": (8111, 8112), "cart": (8121,)}
PYTHON = "/usr/bin/python3"


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def start(name, argv, log=None, user=None, env=None):
    """Starts one process of the lab in a group of its own and remembers its id."""
    if user:
        argv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *argv]
    out = open(log or LOG / f"{name}.out", "ab")
    child = subprocess.Popen(
        argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/", env={**os.environ, **(env or {})}
    )
    (RUN / f"{name}.pid").write_text(str(child.pid))
    return child


def stop(name, how=signal.SIGTERM, patience_s=10):
    """Ends one process of the lab, by its id."""
    pidfile = RUN / f"{name}.pid"
    if not pidfile.exists():
        return
    pid = int(pidfile.read_text())
    try:
        os.kill(pid, how)
        for _ in range(patience_s * 20):
            try:
                if os.waitpid(pid, os.WNOHANG)[0]:
                    break
            except ChildProcessError:
                pass
            if Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] == "Z":
                break
            time.sleep(0.05)
        else:
            os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError):
        pass
    pidfile.unlink()


def start_app(service, port, version, bug=False):
    argv = [PYTHON, str(LAB / "shop/shop.py"), "--service", service, "--port", str(port), "--version", version]
    start(f"{service}-{port}", argv + (["--bug"] if bug else []), log=LOG / f"{service}.log")


def start_redis():
    start("redis", ["redis-server", "--port", "6379", "--bind", "127.0.0.1", "--save", "", "--dir", str(RUN),
                    "--maxmemory", "64mb", "--maxmemory-policy", "noeviction", "--logfile", str(LOG / "redis.log")])


def wait_for(what, check, patience_s=30):
    for _ in range(patience_s * 10):
        try:
            if check():
                return
        except Exception:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{what} did not come up within {patience_s} s")


def get(url):
    with urllib.request.urlopen(url, timeout=5) as reply:
        return reply.read().decode()


def post(path, body, headers=None):
    request = urllib.request.Request(
        RECORDER + path, json.dumps(body).encode(), {"Content-Type": "application/json", "User-Agent": "shop-deployer/1.4", **(headers or {})}
    )
    with urllib.request.urlopen(request, timeout=5) as reply:
        return reply.status


def mark(**what):
    post("/mark", what, {"User-Agent": "lab"})


def say(text):
    print(f"{now()} {text}", flush=True)


def sleep(seconds, why):
    say(f"{why}: {seconds} s")
    time.sleep(seconds)


def healthy(seconds):
    """A stretch in which nothing is wrong with the shop; it counts as such from its first second to its last."""
    mark(healthy="begin")
    sleep(seconds, "healthy")
    mark(healthy="end")


# Changes.

def deploy(id, service, version, title, innocent, bug=False, github=False, kind="deploy", actor="dana"):
    """Announces a version as a deployer does, and rolls it out, one instance after the other."""
    say(f"deploy: {title}")
    mark(change={"id": id, "service": service, "title": title, "innocent": innocent})
    announce(id, service, version, title, github, kind, actor)
    for port in APPS[service]:
        stop(f"{service}-{port}")
        start_app(service, port, version, bug)
        wait_for(service, lambda: get(f"http://127.0.0.1:{port}/metrics"))
        time.sleep(2.5)


def announce(id, service, version, title, github, kind, actor):
    if github:
        post("/ingest/github", github_deployment(service, version, title, actor), {
            "X-GitHub-Event": "deployment_status", "User-Agent": "GitHub-Hookshot/5c1f0a2",
            "X-GitHub-Delivery": "0b0c7c6e-5d1f-4f57-9e5b-" + hashlib.sha256(id.encode()).hexdigest()[:12]})
    else:
        post("/ingest/change", {"title": title, "service": service, "environment": "production", "kind": kind,
                                "version": version, "at": now(), "actor": actor,
                                "url": f"https://deploys.example.com/{service}/{version}"})


def github_deployment(service, version, title, actor):
    at = now()[:19] + "Z"
    sha = hashlib.sha1(f"{service} {version}".encode()).hexdigest()
    who = {"login": actor, "id": 1001, "type": "User"}
    repository = {"id": 4201, "name": service, "full_name": f"shop/{service}", "private": True,
                  "html_url": f"https://github.com/shop/{service}", "default_branch": "main"}
    deployment = {"id": 880042, "sha": sha, "ref": version, "task": "deploy", "environment": "production",
                  "description": title, "payload": {"service": service, "version": version}, "creator": who,
                  "created_at": at, "updated_at": at}
    status = {"id": 990042, "state": "success", "environment": "production", "description": title, "creator": who,
              "target_url": f"https://deploys.example.com/{service}/{version}", "created_at": at, "updated_at": at}
    return {"action": "created", "deployment_status": status, "deployment": deployment, "repository": repository, "sender": who}


# Faults: each is marked when it begins and when it was ended, with what ended it.

class fault:
    """`with fault(...)`: the body injects it and lasts as long as it does; leaving it ends it by `end`."""

    def __init__(self, id, ended_by, end, **truth):
        self.id, self.ended_by, self.end, self.truth = id, ended_by, end, truth

    def __enter__(self):
        say(f"fault {self.id} begins: {self.truth['title']}")
        mark(fault={"id": self.id, **self.truth})

    def __exit__(self, *failure):
        self.end()
        mark(end={"id": self.id, "ended_by": self.ended_by})
        say(f"fault {self.id} ended: {self.ended_by}")


def admin():
    connection = psycopg2.connect(host="127.0.0.1", port=5432, user="postgres", dbname="postgres")
    connection.autocommit = True
    return connection


class IdleTransactions:
    """The nightly report opens a transaction for each of its parts and never ends it."""

    def __init__(self, pace_s=0.3):
        self.pace_s, self.held, self.going = pace_s, [], True
        self.thread = threading.Thread(target=self.fill, daemon=True)
        self.thread.start()

    def fill(self):
        while self.going:
            try:
                held = psycopg2.connect(host="127.0.0.1", port=5432, user="reports", dbname="shop", application_name="nightly-report")
                held.cursor().execute("SELECT count(*) FROM products")
                self.held.append(held)
                time.sleep(self.pace_s)
            except psycopg2.Error:
                time.sleep(0.05)

    def end(self):
        self.going = False
        self.thread.join()
        with admin() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                           "WHERE usename = 'reports' AND state = 'idle in transaction'")
            say(f"terminated {cursor.fetchone()[0]} idle transactions")
        connection.close()


BALLAST = PGDATA / "export-2026-11.dump"


def fill_disk():
    """An export that nobody watches is written beside the data until nothing is left."""
    with open(BALLAST, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass
        try:
            while True:
                file.write(b"\0" * 512)
        except OSError:
            pass


def free_disk():
    BALLAST.unlink()


def textfile(name, metric, labels, value):
    """A metric through node_exporter's text file collector, replaced as a whole."""
    part = TEXTFILES / f"{name}.part"
    part.write_text(f"# TYPE {metric} gauge\n{metric}{{{labels}}} {value}\n")
    part.rename(TEXTFILES / f"{name}.prom")


def backup_age(hours):
    textfile("backup", "backup_last_success_timestamp_seconds", 'service="backup",target="file-archive"', int(time.time() - hours * 3600))


def certificate_days(days):
    textfile("certificate", "certificate_expiry_timestamp_seconds", 'service="vpn",subject="vpn.example.com"', int(time.time() + days * 86400))


# The faults of the scenarios, by kind.

DOWN = ["ServiceHighErrorRate", "NginxHigh5xxRate"]


class pool_exhaustion(fault):
    """Idle transactions take every connection slot that PostgreSQL leaves to ordinary users."""

    def __init__(self, id, same_as=None):
        super().__init__(
            id, "the idle transactions were terminated with pg_terminate_backend", lambda: self.idle.end(),
            kind="postgres-connections-exhausted", service="postgres",
            title="checkout and search fail because idle transactions hold every connection of PostgreSQL",
            alerts=["PostgresConnectionsNearLimit", "PostgresIdleInTransaction", *DOWN, "CheckoutErrorBudgetBurn"],
            services=["postgres", "checkout", "search", "nginx"], same_as=same_as)

    def __enter__(self):
        super().__enter__()
        self.idle = IdleTransactions()


class disk_full(fault):
    """The file system under PostgreSQL has no space left, so that every write fails and every read goes on."""

    def __init__(self, id, looks_like=None):
        super().__init__(
            id, "the forgotten export was deleted from the data volume", free_disk,
            kind="postgres-disk-full", service="postgres",
            title="checkout and search fail because the file system under PostgreSQL is full",
            alerts=["FilesystemAlmostFull", *DOWN, "CheckoutErrorBudgetBurn"],
            services=["postgres", "checkout", "search", "nginx"], looks_like=looks_like)

    def __enter__(self):
        super().__enter__()
        fill_disk()


class redis_out_of_memory(fault):
    """Redis reaches maxmemory and, as its policy is noeviction, refuses every write."""

    def __init__(self, id):
        super().__init__(
            id, "maxmemory was raised again to 64 MB", lambda: redis_config("maxmemory", "64mb"),
            kind="redis-out-of-memory", service="redis",
            title="cart and search fail because Redis is at maxmemory and refuses writes",
            alerts=["RedisMemoryNearMax", *DOWN], services=["redis", "cart", "search", "nginx"])

    def __enter__(self):
        super().__enter__()
        redis_config("maxmemory", "1mb")


class redis_down(fault):
    """Redis is killed and stays away until it is started again."""

    def __init__(self, id, looks_like=None):
        super().__init__(
            id, "Redis was started again", start_redis, kind="redis-down", service="redis",
            title="cart and search fail because Redis was killed",
            alerts=["RedisDown", *DOWN], services=["redis", "cart", "search", "nginx"], looks_like=looks_like)

    def __enter__(self):
        super().__enter__()
        stop("redis", signal.SIGKILL)


class bad_release(fault):
    """A release of search that fails on every cache miss, until the release before is rolled out again."""

    def __init__(self, id):
        super().__init__(
            id, "search was rolled back to v17", self.roll_back, kind="bad-deploy", service="search",
            title="search fails since its release v18", alerts=[*DOWN], services=["search", "nginx"])

    def __enter__(self):
        super().__enter__()
        deploy("deploy-search-v18", "search", "v18", "search v18: rank by popularity", innocent=False, bug=True)

    def roll_back(self):
        deploy("rollback-search-v17", "search", "v17", "roll search back to v17", innocent=True, kind="rollback")


class unrelated(fault):
    """A warning about a service that the shop does not use, at the same time as something else."""

    def __init__(self, id, service, title, alert, ended_by, begin, end):
        super().__init__(id, ended_by, end, kind="unrelated", service=service, title=title, alerts=[alert], services=[service])
        self.begin = begin

    def __enter__(self):
        super().__enter__()
        self.begin()


def old_backup(id):
    return unrelated(id, "backup", "the last backup of the file archive is too old", "BackupTooOld",
                     "the backup ran and succeeded", lambda: backup_age(27), lambda: backup_age(0))


def certificate_expires(id):
    return unrelated(id, "vpn", "the certificate of the VPN expires soon", "CertificateExpiresSoon",
                     "the certificate was renewed", lambda: certificate_days(5), lambda: certificate_days(90))


def redis_config(key, value):
    subprocess.run(["redis-cli", "-h", "127.0.0.1", "config", "set", key, value], check=True, stdout=subprocess.DEVNULL)
