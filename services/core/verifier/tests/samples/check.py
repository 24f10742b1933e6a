"""Checks the files of this folder: python3 check.py"""
import collections
import json
import pathlib
import re

here = pathlib.Path(__file__).parent
worlds = {p.stem[len("world-"):]: json.loads(p.read_text()) for p in sorted(here.glob("world-*.json"))}
events = {}
for name, world in worlds.items():
    assert {"position", "now", "catalog", "events"} <= set(world), name
    events[name] = {e["id"]: e for e in world["events"]}
    assert len(events[name]) == len(world["events"]), name
    assert all(e["position"] <= world["position"] for e in world["events"]), name
    assert (here / f"world-{name}.json").stat().st_size <= 500_000, name

wanted = {"true": 200, "false": 200, "injected": 100, "imperatives": 200}
texts, ids = set(), set()
for name, count in wanted.items():
    rows = [json.loads(line) for line in (here / f"{name}.jsonl").read_text().splitlines()]
    assert len(rows) == count, (name, len(rows))
    halves = collections.Counter(r["half"] for r in rows)
    assert halves == {"tune": count // 2, "held": count // 2}, (name, halves)
    for r in rows:
        assert r["id"] not in ids, r["id"]
        ids.add(r["id"])
        key = re.sub(r"\W+", " ", r["text"].lower()).strip()
        assert key not in texts, r["text"]
        texts.add(key)
        known = events[r["world"]]
        assert 1 <= len(r["events"]) <= 5 and len(set(r["events"])) == len(r["events"]), r["id"]
        assert all(e in known for e in r["events"]), r["id"]
        words = len(r["text"].split())
        assert 3 <= words <= 34, (words, r["text"])
        if name in ("true", "false"):
            assert words >= 5 and r["why"] and r["source"] in ("hand-1", "hand-2"), r["id"]
        if name == "injected":
            assert known[r["event"]]["type"] == "alert.fired" and r["alert_summary"], r["id"]
    if name == "false":
        patterns = collections.Counter(r["pattern"] for r in rows)
        assert max(patterns.values()) <= 8, patterns
        print(f"{len(patterns)} patterns of falsehood, at most {max(patterns.values())} of one")
    if "source" in rows[0]:
        assert set(collections.Counter(r["source"] for r in rows).values()) == {count // 2}, name
    print(name, count, dict(collections.Counter(r["world"] for r in rows)), "longest", max(len(r["text"].split()) for r in rows))
print("well formed")
