"""Faults that flap, through real senders: `bench/flaps.py BINARY [MINUTES] [SEED]`.

An exporter whose numbers follow a random script, two Prometheus servers that watch it (one sends its alerts to an
Alertmanager that calls our webhook, one sends them to us as to an Alertmanager), silences by amtool, and a receiver.
Labels churn (new pods), severities change, and faults flap. What the receiver believes is compared with the script:
how long its last word was false while nothing had changed for a while, and how many pages a fault took.
Needs Debian's `prometheus` and `prometheus-alertmanager` on the path.
"""

import http.server
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

# Seconds that senders need until they have told us: scrape, rule, group and send intervals.
SENDERS_S = 25
# Seconds within which the last word agrees.
AGREES_S = 60
SERVICES = [f"flap-{letter}" for letter in "abcdefghijkl"]

RULES = """
groups:
- name: flaps
  interval: 1s
  rules:
  - alert: ServiceFails
    expr: failing{side="SIDE"} > 0
    for: 2s
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.service }} fails"}
  - alert: ServiceIsSlow
    expr: slow{side="SIDE"} > 0
    for: 2s
    labels: {severity: warning}
    annotations: {summary: "{{ $labels.service }} on {{ $labels.pod }} is slow"}
  - alert: ServiceIsSlow
    expr: slow{side="SIDE"} > 5
    for: 2s
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.service }} on {{ $labels.pod }} is very slow"}
"""


class Script:
    """When each service has which fault: episodes of (service, start, end, kind), and what is so at a time."""

    def __init__(self, seed, seconds):
        draw = random.Random(seed)
        self.faults, self.states = [], {service: [] for service in SERVICES}
        at, free_at = 5.0, dict.fromkeys(SERVICES, 0)
        while at < seconds - 150:
            # What begins again within three minutes is the same fault.
            rested = [service for service in SERVICES if free_at[service] < at]
            if rested:
                service, length = draw.choice(rested), draw.uniform(45, 150)
                kind = draw.choice(["steady", "flaps", "churns", "worsens"])
                self.faults.append((service, at, at + length, kind))
                self.states[service] += list(self.fault(draw, kind, at, at + length))
                free_at[service] = at + length + 180
            at += draw.uniform(40, 90)
        self.sides = {service: "amgr" if number % 2 else "direct" for number, service in enumerate(SERVICES)}

    @staticmethod
    def fault(draw, kind, start, end):
        """Intervals (start, end, metric, value, pod) of one fault."""
        pod = lambda: f"{draw.getrandbits(32):08x}"
        at, name = start, pod()
        if kind == "steady":
            yield start, end, "failing", 1, name
        while at < end and kind != "steady":
            span = min(end, at + draw.uniform(8, 30))
            if kind == "flaps":
                yield at, span, "failing", 1, name
                at = span + draw.uniform(3, 20)
            elif kind == "churns":
                yield at, span, "slow", 9, pod()
                at = span
            else:
                yield at, span, "slow", draw.choice([2, 9]), name
                at = span

    def metrics(self, at):
        lines = []
        for service, states in self.states.items():
            for start, end, metric, value, pod in states:
                if start <= at < end:
                    labels = f'service="{service}",side="{self.sides[service]}",pod="{pod}"'
                    lines.append(f"{metric}{{{labels}}} {value}")
        return "\n".join(lines) + "\n"

    def pages(self, service, at):
        """Whether something fires at a paging severity, by the script alone."""
        return any(s <= at < e and (m == "failing" or v > 5) for s, e, m, v, _ in self.states[service])

    def fires(self, service, at):
        return any(s <= at < e for s, e, *_ in self.states[service])

    def steady_since(self, service, at):
        """Since when whether something fires has not changed."""
        changes = [t for s, e, *_ in self.states[service] for t in (s, e) if t <= at]
        return max(changes, default=0)


def serve(port, handle):
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            text = handle(self.path, body).encode()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def ready(url):
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} did not become ready")


def start(processes, folder, name, *command):
    log = open(folder / f"{name}.log", "w")
    processes.append(subprocess.Popen(command, stdout=log, stderr=log))


def main():
    binary, minutes = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 20
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    script = Script(seed, minutes * 60)
    folder, processes, heard = Path(tempfile.mkdtemp(prefix="hindcast-flaps-")), [], []
    began = [None]
    now = lambda: time.time() - began[0]
    exporter, receiver, ours, amgr = (free_port() for _ in range(4))
    exporter_server = serve(exporter, lambda *_: script.metrics(now()) if began[0] else "\n")
    serve(receiver, lambda _, body: heard.append((now() if began[0] else 0, json.loads(body))) or "")
    print(f"seed {seed}, {minutes:g} minutes, {len(script.faults)} faults; load {open('/proc/loadavg').read().strip()}")
    try:
        start(processes, folder, "hindcast", binary, "--data", str(folder / "data"), "up", "--listen",
              f"127.0.0.1:{ours}", "--notify", f"http://127.0.0.1:{receiver}/")
        ready(f"http://127.0.0.1:{ours}/readyz")
        config = folder / "alertmanager.yml"
        config.write_text(json.dumps({
            "route": {"receiver": "us", "group_by": ["service"], "group_wait": "1s", "group_interval": "5s",
                      "repeat_interval": "1m"},
            "receivers": [{"name": "us", "webhook_configs": [
                {"url": f"http://127.0.0.1:{ours}/ingest/alertmanager", "send_resolved": True}]}],
        }))
        start(processes, folder, "alertmanager", "prometheus-alertmanager", f"--config.file={config}",
              f"--storage.path={folder / 'amgr'}", f"--web.listen-address=127.0.0.1:{amgr}",
              "--cluster.listen-address=")
        ready(f"http://127.0.0.1:{amgr}/-/ready")
        for side, port in (("direct", ours), ("amgr", amgr)):
            (folder / f"{side}-rules.yml").write_text(RULES.replace("SIDE", side))
            prometheus = folder / f"{side}.yml"
            prometheus.write_text(json.dumps({
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"},
                "rule_files": [str(folder / f"{side}-rules.yml")],
                "scrape_configs": [{"job_name": "flaps", "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}]}],
                "alerting": {"alertmanagers": [
                    {"api_version": "v2", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]},
            }))
            web = free_port()
            start(processes, folder, side, "prometheus", f"--config.file={prometheus}",
                  f"--storage.tsdb.path={folder / side}", f"--web.listen-address=127.0.0.1:{web}",
                  "--rules.alert.resend-delay=10s")
            ready(f"http://127.0.0.1:{web}/-/ready")
        began[0] = time.time()
        watch(script, heard, now, minutes * 60, ours)
        audit = subprocess.run([binary, "--server", f"http://127.0.0.1:{ours}", "audit", "pages", "--json"],
                               capture_output=True, text=True)
        for what in ("alerts?status=firing", "incidents"):
            with urllib.request.urlopen(f"http://127.0.0.1:{ours}/api/v1/{what}") as answer:
                items = json.load(answer)["items"]
            told = ("name", "service", "started_at", "last_received_at", "id", "status", "opened_at", "resolved_at")
            print(f"{what} at the end:", [{k: item[k] for k in told if item.get(k)} for item in items])
        print("audit:", audit.stdout.strip()[:600] or audit.stderr.strip()[:600])
    finally:
        for process in processes:
            process.kill()
            process.wait()
        exporter_server.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def watch(script, heard, now, seconds, ours):
    """Compares what was heard with the script each second, and works silences by amtool meanwhile."""
    false_for, worst, silenced = {}, {}, 0
    api = f"--alertmanager.url=http://127.0.0.1:{ours}"
    while now() < seconds:
        time.sleep(1)
        at = now()
        if int(at) % 97 == 50:
            # A silence that matches nothing of the script, made, listed and ended as an operator does.
            made = subprocess.run(["amtool", api, "silence", "add", "service=elsewhere", "--duration=1h", "--comment=x"],
                                  capture_output=True, text=True)
            listed = subprocess.run(["amtool", api, "silence", "query"], capture_output=True, text=True)
            ended = subprocess.run(["amtool", api, "silence", "expire", made.stdout.strip()], capture_output=True)
            silenced += made.returncode == 0 and "elsewhere" in listed.stdout and ended.returncode == 0
        named, latest, last = {}, {}, {}
        for _, message in list(heard):
            incident = message.get("incident")
            for alert in message.get("alerts", []):
                text = json.dumps(alert)
                for service in (service for service in SERVICES if service in text):
                    named.setdefault(incident, set()).add(service)
                    latest[service] = incident
            last[incident] = message["status"]
        wrong = set()
        for incident, services in named.items():
            # It is said to go on, and nothing of it has fired for a while.
            over = all(not script.fires(s, at) and at - script.steady_since(s, at) > SENDERS_S for s in services)
            if last[incident] != "resolved" and over:
                wrong.add(incident)
        for service in SERVICES:
            # It is said to be over, or nothing is said, and it has fired for a while.
            fires = script.fires(service, at) and at - script.steady_since(service, at) > SENDERS_S
            if fires and last.get(latest.get(service), "resolved") == "resolved":
                wrong.add(service)
        for what in wrong | set(false_for):
            false_for[what] = false_for[what] + 1 if what in wrong and what in false_for else int(what in wrong)
            worst[what] = max(worst.get(what, 0), false_for[what])
    pages = [message for _, message in heard if message.get("page")]
    paged = sum(any(script.pages(service, start + s) for s in range(int(end - start)))
                for service, start, end, _ in script.faults)
    print(f"{len(heard)} messages, {len(pages)} pages, {paged} faults at a paging severity: "
          f"{len(pages) / max(paged, 1):.2f} pages a fault")
    print(f"last word false for longer than {AGREES_S} s: "
          f"{ {service: seconds for service, seconds in worst.items() if seconds > AGREES_S} }; worst "
          f"{max(worst.values(), default=0)} s; silences by amtool that worked: {silenced}")
    reasons = {}
    for message in pages:
        reasons[message["reason"]] = reasons.get(message["reason"], 0) + 1
    print("pages by reason:", reasons)
    for service, start, end, kind in script.faults:
        print(f"{start:7.1f} {end:7.1f} {service} ({script.sides[service]}) {kind}")
    for at, message in heard:
        kind = "page" if message.get("page") else "notice"
        print(f"{at:7.1f} {kind:6} {message['reason']:12} {message['status']:9} {message.get('incident')} {message['title']}")


if __name__ == "__main__":
    main()
