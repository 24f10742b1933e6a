"""Asks all questions of servers that have played the recordings, and counts right, wrong and unknown answers by half.

usage: ask.py RECORDING=URL ... [--show tune]

A recording is played with: hindcast up --demo RECORDING_FOLDER --speed 0
Lines of the half `held` are counted and never printed.
"""

import json
import re
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
UNKNOWN = re.compile(
    r"not (known|recorded)|cannot|can't|do not know|no .* (is|are|was) recorded|nothing is (known|recorded)|"
    r"unknown|did you mean|could mean|understood", re.I)


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"} if data else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        return {"answer": f"{problem.get('status')} {problem.get('detail')}", "conversation": None, "items": []}


def incident_of(url, row):
    """The incident by its id, or the one that was opened at that time under that title."""
    if row["incident"] is None:
        return None
    items = call(f"{url}/api/v1/incidents?limit=100")["items"]
    by_id = [item["id"] for item in items if item["id"] == row["incident"]]
    opened = (row.get("incident_opened_at") or "")[:19]
    by_time = [item["id"] for item in items if item["opened_at"][:19] == opened]
    return (by_id or by_time or [None])[0]


def ask(url, row):
    body = {"question": row["question"]}
    incident = incident_of(url, row)
    if incident:
        body["incident"] = incident
    if row["position"]:
        body["as_of"] = row["position"]
    if row["after"]:
        first = call(f"{url}/api/v1/ask", {**body, "question": row["after"]})
        if first["conversation"]:
            body["conversation"] = first["conversation"]
    began = time.monotonic()
    answer = call(f"{url}/api/v1/ask", body)
    return answer["answer"], time.monotonic() - began


def verdict(row, text):
    lines = [line for line in text.splitlines() if line.strip()]
    first, five = lines[: row.get("lines", 5)], lines[:5]
    wrong = any(re.search(pattern, line, re.I) for pattern in row["wrong"] for line in five)
    if wrong:
        return "wrong"
    if all(any(re.search(pattern, line, re.I) for line in first) for pattern in row["right"]):
        return "right"
    unknown = any(UNKNOWN.search(line) for line in lines[:2])
    if unknown and row["unknown_ok"]:
        return "right"
    return "unknown" if unknown else "other"


def main():
    servers = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    show = sys.argv[sys.argv.index("--show") + 1] if "--show" in sys.argv else None
    counts, times = {}, []
    for name in ("written.jsonl", "paraphrased.jsonl"):
        for line in (HERE / name).read_text().splitlines():
            row = json.loads(line)
            if row["recording"] not in servers:
                continue
            text, took = ask(servers[row["recording"]], row)
            times.append(took)
            said = verdict(row, text)
            half = counts.setdefault(row["half"], {})
            half[said] = half.get(said, 0) + 1
            if show == row["half"] and said != "right":
                print(f"{said} {row['id']} {row['question']!r} (after {row['after']!r})\n    " + text[:400].replace("\n", "\n    "))
    for half, found in sorted(counts.items()):
        total = sum(found.values())
        shares = ", ".join(f"{said} {count} ({count / total:.2f})" for said, count in sorted(found.items()))
        print(f"{half}: {total} questions: {shares}")
    times.sort()
    if times:
        print(f"seconds: median {times[len(times) // 2]:.3f}, 99th of 100 {times[int(len(times) * 0.99)]:.3f}")


if __name__ == "__main__":
    main()
