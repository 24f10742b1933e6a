"""`lab.py up` starts the shop and what watches it, from nothing; `lab.py down` ends exactly that again."""
import os
import shutil
import subprocess
import sys
import time

from labkit import (APPS, LAB, LOG, PGDATA, PYTHON, ROOT, RUN, TEXTFILES, admin, backup_age, certificate_days, get, start,
                    start_app, start_redis, stop, wait_for)

CONFIG = LAB / "config"
PG = max((p for p in os.listdir("/usr/lib/postgresql")), key=int)
PGBIN = f"/usr/lib/postgresql/{PG}/bin"
ORDER = ["load", "alertmanager", "prometheus", "node-exporter", "redis-exporter", "postgres-exporter", "nginx-exporter", "mtail",
         "nginx", *[f"{s}-{p}" for s, ports in APPS.items() for p in ports], "redis", "postgres"]
SCHEMA = """
CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, price numeric NOT NULL);
INSERT INTO products SELECT n, (ARRAY['red','blue','oak','tall','small','old'])[1 + n % 6] || ' ' ||
  (ARRAY['lamp','chair','desk','shelf','rug'])[1 + n % 5], 5 + n % 90 FROM generate_series(1, 200) n;
CREATE TABLE orders (id bigserial PRIMARY KEY, product int NOT NULL, quantity int NOT NULL, note text, at timestamptz DEFAULT now());
ALTER TABLE orders ALTER COLUMN note SET STORAGE PLAIN;
CREATE TABLE search_events (id bigserial PRIMARY KEY, word text NOT NULL, context text, at timestamptz DEFAULT now());
ALTER TABLE search_events ALTER COLUMN context SET STORAGE PLAIN;
CREATE ROLE shop LOGIN; CREATE ROLE reports LOGIN;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO shop; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO shop;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reports;
"""
POSTGRES_CONF = """
listen_addresses = '127.0.0.1'
port = 5432
unix_socket_directories = ''
max_connections = 40
superuser_reserved_connections = 3
shared_buffers = 32MB
fsync = off
checkpoint_timeout = 1h
max_wal_size = 1GB
autovacuum = off
jit = off
logging_collector = on
log_directory = '/srv/shop/log'
log_filename = 'postgres.log'
log_file_mode = 0644
log_timezone = 'UTC'
timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_min_duration_statement = 2s
"""


def run(*argv, user=None):
    if user:
        argv = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *argv)
    subprocess.run(argv, check=True, cwd="/", stdout=subprocess.DEVNULL)


def postgres_up():
    """The data stand on a small file system of their own, the write-ahead log does not: as a database on a volume."""
    image, wal = ROOT / "pgdata.img", ROOT / "pgwal"
    run("truncate", "-s", "200M", str(image))
    run("mkfs.ext4", "-q", "-m", "0", str(image))
    run("mount", "-o", "loop", str(image), str(PGDATA))
    shutil.rmtree(PGDATA / "lost+found", ignore_errors=True)
    for folder in (PGDATA, wal, LOG):
        folder.mkdir(exist_ok=True)
        shutil.chown(folder, "postgres", "postgres")
    PGDATA.chmod(0o700)
    run(f"{PGBIN}/initdb", "-D", str(PGDATA), f"--waldir={wal}", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", user="postgres")
    (PGDATA / "postgresql.conf").write_text(POSTGRES_CONF)
    start("postgres", [f"{PGBIN}/postgres", "-D", str(PGDATA)], user="postgres")
    wait_for("postgres", lambda: admin().close() is None)
    with admin() as connection, connection.cursor() as cursor:
        cursor.execute("COMMIT")
        cursor.execute("CREATE DATABASE shop")
    connection.close()
    import psycopg2
    with psycopg2.connect(host="127.0.0.1", user="postgres", dbname="shop") as connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA)
    connection.close()


def up():
    down()
    for folder in (RUN, LOG, PGDATA, TEXTFILES):
        folder.mkdir(parents=True, exist_ok=True)
    TEXTFILES.chmod(0o755)
    backup_age(3)
    certificate_days(60)
    postgres_up()
    start_redis()
    wait_for("redis", lambda: subprocess.run(["redis-cli", "ping"], capture_output=True, check=True))
    for service, version in (("checkout", "v41"), ("search", "v17"), ("cart", "v9")):
        for port in APPS[service]:
            start_app(service, port, version)
    start("nginx", ["nginx", "-c", str(CONFIG / "nginx.conf"), "-e", str(LOG / "nginx-error.log")])
    wait_for("nginx", lambda: get("http://127.0.0.1:8088/cart/add"))
    start("mtail", ["mtail", "--address", "127.0.0.1", "--port", "3903", "--progs", str(CONFIG), "--emit_prog_label=false",
                    "--logs", str(LOG / "nginx-access.log"), "--poll_interval", "500ms", "--logtostderr"])
    start("nginx-exporter", ["prometheus-nginx-exporter", "-web.listen-address=127.0.0.1:9113",
                             "-nginx.scrape-uri=http://127.0.0.1:8088/stub_status"])
    start("postgres-exporter", ["prometheus-postgres-exporter", "--web.listen-address=127.0.0.1:9187"],
          env={"DATA_SOURCE_NAME": "postgresql://postgres@127.0.0.1:5432/postgres?sslmode=disable"})
    start("redis-exporter", ["prometheus-redis-exporter", "-web.listen-address=127.0.0.1:9121", "-redis.addr=redis://127.0.0.1:6379"])
    start("node-exporter", ["prometheus-node-exporter", "--web.listen-address=127.0.0.1:9100", "--collector.disable-defaults",
                            "--collector.filesystem", "--collector.textfile", "--collector.loadavg", "--collector.meminfo",
                            f"--collector.textfile.directory={TEXTFILES}",
                            "--collector.filesystem.mount-points-exclude=^/($|boot|dev|home|mnt|proc|root|run|sys|tmp|var|work)"])
    start("load", [PYTHON, str(LAB / "shop/load.py")])
    time.sleep(5)
    start("alertmanager", ["prometheus-alertmanager", f"--config.file={CONFIG / 'alertmanager.yml'}", f"--storage.path={ROOT / 'alertmanager'}",
                           "--web.listen-address=127.0.0.1:9093", "--web.external-url=http://127.0.0.1:9093", "--cluster.listen-address="])
    start("prometheus", ["prometheus", f"--config.file={CONFIG / 'prometheus.yml'}", f"--storage.tsdb.path={ROOT / 'prometheus'}",
                         "--web.listen-address=127.0.0.1:9090", "--web.external-url=http://127.0.0.1:9090",
                         "--rules.alert.resend-delay=15s"])
    wait_for("prometheus", lambda: "Ready" in get("http://127.0.0.1:9090/-/ready"))
    print("the lab is up: http://127.0.0.1:8088 (shop), http://127.0.0.1:9090 (Prometheus), http://127.0.0.1:9093 (Alertmanager)")


def down():
    for name in ORDER:
        stop(name)
    if os.path.ismount(PGDATA):
        run("umount", str(PGDATA))
    if ROOT.exists():
        shutil.rmtree(ROOT)


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]]()
