"""Checks the questions: python3 check.py [RECORDING=URL …]

With URLs of servers that have played the recordings, the incidents are looked up there too.
"""
import collections, json, pathlib, re, sys, urllib.request

HERE = pathlib.Path(__file__).parent
RECORDINGS = {"pg-pool", "shop-day", "calm-day"}
FIELDS = {"id", "recording", "incident", "incident_title", "incident_opened_at", "position", "question", "after", "kind",
          "right", "wrong", "lines", "unknown_ok", "half", "because"}


def read(name):
    return [json.loads(line) for line in (HERE / name).read_text().splitlines()]


def judge(row, answer):
    lines = [line for line in answer.splitlines() if line.strip()]
    found = all(any(re.search(p, line, re.I) for line in lines[:row["lines"]]) for p in row["right"])
    return found and not any(re.search(p, line, re.I) for p in row["wrong"] for line in lines[:5])


def main():
    written, paraphrased, faults = read("written.jsonl"), read("paraphrased.jsonl"), []
    rows = {row["id"]: row for row in written + paraphrased}
    if len(rows) != len(written) + len(paraphrased):
        faults.append("an id is there twice")
    asked = collections.Counter((r["recording"], r["incident"], r["position"], r["question"].lower(), r["after"]) for r in rows.values())
    faults += [f"asked twice: {key}" for key, n in asked.items() if n > 1]
    for row in rows.values():
        if FIELDS - set(row) or row["recording"] not in RECORDINGS or row["half"] not in ("tune", "held") or row["lines"] not in (1, 5):
            faults.append(f"{row['id']}: fields")
        if not row["right"] or not row["because"] or (row["position"] or "9") < (row["incident_opened_at"] if "after it opened" not in row["kind"] and row["incident"] else ""):
            faults.append(f"{row['id']}: no pattern, no evidence, or a moment before the opening")
        for pattern in row["right"] + row["wrong"]:
            try:
                re.compile(pattern)
            except re.error as error:
                faults.append(f"{row['id']}: {pattern}: {error}")
            if re.search(r"\(\?[=!<]|\\[1-9]", pattern):
                faults.append(f"{row['id']}: {pattern} has a look-around or a back-reference")
        if "of" in row and any(row[k] != rows[row["of"]][k] for k in ("half", "recording", "incident", "position")):
            faults.append(f"{row['id']}: differs from {row['of']}")
    examples = read("examples.jsonl")
    for example in examples:
        row = rows[example["id"]]
        faults += [f"{row['id']}: right, and judged wrong: {a}" for a in example["good"] if not judge(row, a)]
        faults += [f"{row['id']}: wrong, and judged right: {a}" for a in example["poor"] if judge(row, a)]
    for recording, url in (arg.split("=", 1) for arg in sys.argv[1:]):
        items = {i["id"]: i for i in json.load(urllib.request.urlopen(f"{url}/api/v1/incidents?limit=500"))["items"]}
        for row in (r for r in rows.values() if r["recording"] == recording and r["incident"]):
            item = items.get(row["incident"])
            if not item or (item["title"], item["opened_at"]) != (row["incident_title"], row["incident_opened_at"]):
                faults.append(f"{row['id']}: no such incident in {recording}")
            elif row["position"]:
                urllib.request.urlopen(f"{url}/api/v1/incidents/{row['incident']}?as_of={row['position']}").read()
    for name, part in (("written", written), ("paraphrased", paraphrased)):
        print(name, len(part), dict(collections.Counter(r["half"] for r in part)), dict(collections.Counter(r["recording"] for r in part)))
    print("example answers", sum(len(e["good"]) + len(e["poor"]) for e in examples), "· faults", len(faults))
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
