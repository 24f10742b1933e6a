"""Checks a recording against itself: each firing alert belongs to a marked fault, each fault to alerts, and healthy stretches are quiet.

usage: check.py FOLDER…    needs `zstd` on the path; ends with 1 if something does not fit
"""
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

LATE = timedelta(seconds=60)  # the longest that an alert may outlast its fault
FORBIDDEN = re.compile(r"/(?:root|home|work|tmp)/|(?<!\d)(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+\.\d+(?!\d)")


def lines(path):
    return subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True, text=True).stdout.splitlines()


def moment(text):
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00"))


def alerts(request):
    body = json.loads(request["body"])
    if request["channel"] == "prometheus":
        at = moment(request["at"])
        return [(a["labels"], moment(a["startsAt"]), moment(a["endsAt"]), moment(a["endsAt"]) <= at) for a in body]
    return [(a["labels"], moment(a["startsAt"]), moment(a["endsAt"]), a["status"] == "resolved") for a in body["alerts"]]


def check(folder):
    wrong = []
    manifest, truth = (json.loads((folder / name).read_text()) for name in ("recording.json", "truth.json"))
    requests = [json.loads(line) for line in lines(folder / "requests.ndjson.zst")]
    by_channel = Counter(request["channel"] for request in requests)
    if requests != sorted(requests, key=lambda request: request["at"]):
        wrong.append("requests are not in the order of their arrival")
    faults = truth["faults"]
    caused, sent = defaultdict(set), Counter()
    for request in requests:
        if request["channel"] not in ("prometheus", "alertmanager"):
            continue
        for labels, starts, ends, resolved in alerts(request):
            sent[request["channel"]] += 1
            name, service = labels["alertname"], labels.get("service")
            of = [f for f in faults if name in f["alerts"] and service in f["services"]
                  and moment(f["injected_at"]) <= starts <= moment(f["ended_at"]) + LATE / 2]
            if len(of) != 1:
                wrong.append(f"{request['at']} {name} of {service}, since {starts}, belongs to {[f['id'] for f in of]}")
                continue
            caused[request["channel"], of[0]["id"]].add((name, service))
            if resolved:
                for stretch in truth["healthy"]:
                    if of[0]["kind"] != "unrelated" and starts < moment(stretch["to"]) and ends > moment(stretch["from"]):
                        wrong.append(f"{name} of {service} fires in the healthy stretch from {stretch['from']}")
    for channel in ("prometheus", "alertmanager"):
        for fault in faults:
            names = {name for name, _ in caused[channel, fault["id"]]}
            if names != set(fault["alerts"]):
                wrong.append(f"{fault['id']} should cause {sorted(fault['alerts'])}, {channel} sent {sorted(names)}")
    for name in ("requests.ndjson.zst", "logs.ndjson.zst", "metrics.csv.zst"):
        for line in lines(folder / name):
            if FORBIDDEN.search(line):
                wrong.append(f"{name} names a path or an address of the machine: {line[:200]}")
                break
    print(f"{folder.name}: {manifest['duration_s']:.0f} s, requests {dict(by_channel)}, alerts in them {dict(sent)}")
    for fault in faults:
        print(f"  {fault['injected_at']} {fault['id']} ({fault['kind']}): {sorted(caused['prometheus', fault['id']])}")
    healthy = [(moment(h["to"]) - moment(h["from"])).total_seconds() for h in truth["healthy"]]
    print(f"  healthy {[round(h) for h in healthy]}: {sum(int(h // 60) for h in healthy)} windows of 60 s")
    print("  sizes", {p.name: p.stat().st_size for p in sorted(folder.iterdir())})
    for line in wrong:
        print("  WRONG", line)
    return not wrong


sys.exit(0 if all([check(Path(folder)) for folder in sys.argv[1:]]) else 1)
