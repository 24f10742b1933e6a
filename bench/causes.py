#!/usr/bin/env python3
"""How well `hindcast lab rca` finds the service that broke, with one set of cases left out at a time.

    bench/causes.py BINARY FOLDER [--one-by-one]

FOLDER holds one folder a set: cases as `hindcast lab rca` reads them, and `truth.csv` with `case,service`.
With --one-by-one a configuration is chosen anew for each set, on the other sets alone, among the values in use and
changes of one constant at a time; the figure of a set is then one that its own cases had no part in.
Without it, the values in use are scored alone. Calibration is of the probabilities as printed, which a map with two
constants made of shares, and of a map that is fitted anew on the other sets.
"""
import csv, json, math, os, subprocess, sys, tempfile

# One constant changed at a time, within the bounds that `CauseParameters` states.
CHANGES = {
    "volume": [0.02, 0.1], "io": [0.3, 1.0], "other_kind": [0.2, 0.6], "alarmed": [0.15, 0.6],
    "neighbours": [0.25, 1.0], "explained": [2.0, 4.0], "share": [0.5, 2.0], "deeper": [1.0, 2.5],
    "outside": [-5.0, -1.5], "unmeasured": [-4.0, -1.0], "unseen": [-5.0, -1.5], "fits": [0.5, 2.0],
    "error_base": [0.5, 2.0], "calls_max": [4.0, 12.0],
}


def answers(binary, folder, changed):
    """The ranking of each case under the values in use, but for those that are changed."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as weights:
        json.dump(changed, weights)
        weights.flush()
        command = [binary, "lab", "rca", folder] + (["--weights", weights.name] if changed else [])
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {answer["case"]: answer["ranked"] for answer in map(json.loads, lines)}


def places(ranked, truth):
    """The place of the right service of each case, from 1; none where it is not ranked."""
    place = lambda case: next((i for i, r in enumerate(ranked[case], 1) if r["service"] == truth[case]), math.inf)
    return {case: place(case) for case in truth}


def figures(places):
    n = len(places)
    top = lambda k: sum(p <= k for p in places.values()) / n
    return f"AC@1 {top(1):.3f}  AC@3 {top(3):.3f}  AC@5 {top(5):.3f}  MRR {sum(1 / p for p in places.values()) / n:.3f}  n {n}"


def calibration(ranked, truth):
    """Expected calibration error in ten bins, and the Brier score, of the first cause's probability."""
    pairs = [(r[0]["score"], r[0]["service"] == truth[c]) for c, r in ranked.items() if r]
    bins = [[] for _ in range(10)]
    for p, right in pairs:
        bins[min(9, int(p * 10))].append((p, right))
    n = len(pairs)
    mean = lambda v: sum(v) / len(v)
    error = sum(len(b) / n * abs(mean([p for p, _ in b]) - mean([r for _, r in b])) for b in bins if b)
    return error, sum((p - right) ** 2 for p, right in pairs) / n


def odds(p):
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))


def fitted(pairs):
    """The slope and the offset of the likeliest map from the log odds of a probability to those of being right."""
    def unlikely(slope, offset):
        chance = lambda p: 1 / (1 + math.exp(-(slope * odds(p) + offset)))
        return -sum(math.log(max(1e-9, chance(p) if right else 1 - chance(p))) for p, right in pairs)
    grid = [(a * 0.05, b * 0.1) for a in range(1, 61) for b in range(-30, 31)]
    return min(grid, key=lambda ab: unlikely(*ab))


def held_calibration(ranked, truth):
    """Calibration where the map is fitted anew for each set, on the other sets."""
    held = {}
    for s in ranked:
        others = [(r[0]["score"], r[0]["service"] == truth[o][c]) for o in ranked if o != s for c, r in ranked[o].items() if r]
        slope, offset = fitted(others)
        chance = lambda p: 1 / (1 + math.exp(-(slope * odds(p) + offset)))
        held |= {c: [{**r[0], "score": chance(r[0]["score"])}] for c, r in ranked[s].items() if r}
    return calibration(held, {c: t for s in truth for c, t in truth[s].items()})


def main(binary, data, one_by_one):
    sets = sorted(s for s in os.listdir(data) if os.path.exists(f"{data}/{s}/truth.csv"))
    truth = {s: {row["case"]: row["service"] for row in csv.DictReader(open(f"{data}/{s}/truth.csv"))} for s in sets}
    pool = [{}] + ([{k: v} for k, values in CHANGES.items() for v in values] if one_by_one else [])
    ranked = [{s: answers(binary, f"{data}/{s}", changed) for s in sets} for changed in pool]
    scored = [{s: places(one[s], truth[s]) for s in sets} for one in ranked]
    print("values in use")
    for s in sets:
        print(f"  {s:12} {figures(scored[0][s])}")
    pooled = {case: p for s in sets for case, p in scored[0][s].items()}
    print(f"  {'pooled':12} {figures(pooled)}")
    everything = {case: r for s in sets for case, r in ranked[0][s].items()}
    error, brier = calibration(everything, {case: t for s in sets for case, t in truth[s].items()})
    print(f"  calibration of the first cause, as printed: expected error {error:.3f}, Brier score {brier:.3f}")
    error, brier = held_calibration(ranked[0], truth)
    print(f"  the same with its map fitted on the other sets: expected error {error:.3f}, Brier score {brier:.3f}")
    if not one_by_one:
        return
    print("chosen on the other sets")
    held = {}
    for s in sets:
        def value(i):
            rest = [p for other in sets if other != s for p in scored[i][other].values()]
            return sum(p == 1 for p in rest), sum(1 / p for p in rest), -i
        best = max(range(len(pool)), key=value)
        held |= scored[best][s]
        print(f"  {s:12} {figures(scored[best][s])}  by {pool[best] or 'the values in use'}")
    print(f"  {'pooled':12} {figures(held)}")


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    if len(arguments) != 2:
        sys.exit(__doc__)
    main(*arguments, "--one-by-one" in sys.argv)
