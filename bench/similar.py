#!/usr/bin/env python3
"""How often `hindcast lab similar` finds the right text first, with the shares of words and passages chosen on the
other families of texts.

    bench/similar.py BINARY FOLDER [--one-by-one]

FOLDER holds one folder a family: `corpus.ndjson` and `queries.ndjson` with `{"id","text"}`, `truth.csv` with `query,doc`.
With --one-by-one the shares of each family are chosen on the others alone, over a grid: the place whose neighbourhood is
best, not the best place, since a family has few queries. Without it, the shares in use are scored alone.
"""
import csv, json, os, subprocess, sys

# The shares in use, `LikenessShares` of `hindcast-similarity`.
USED = (0.8, 0.5)
WORDS = [n / 10 for n in range(11)]
PASSAGES = [n / 4 for n in range(5)]


def places(binary, folder):
    """A function from shares to the place of the right text of each query."""
    command = [binary, "lab", "similar", "--corpus", f"{folder}/corpus.ndjson", "--queries", f"{folder}/queries.ndjson"]
    lines = subprocess.run(command + ["--parts"], check=True, capture_output=True, text=True).stdout.splitlines()
    answers = {answer["query"]: answer["parts"] for answer in map(json.loads, lines)}
    with open(f"{folder}/truth.csv", newline="") as file:
        truth = {row["query"]: row["doc"] for row in csv.DictReader(file)}

    def of(shares):
        words, passages = shares
        found = []
        for query, right in truth.items():
            near = lambda part: words * ((1 - passages) * part["words"] + passages * part["passage"]) \
                + (1 - words) * min(max(part["cosine"], 0), 1)
            ranked = sorted(answers[query], key=lambda part: (-near(part), part["id"]))
            found.append(1 + [part["id"] for part in ranked].index(right))
        return found

    return of


def figures(found):
    n = len(found)
    return sum(place == 1 for place in found) / n, sum(place <= 5 for place in found) / n, sum(1 / p for p in found) / n


def main(binary, data, one_by_one):
    families = sorted(name for name in os.listdir(data) if os.path.exists(f"{data}/{name}/truth.csv"))
    of = {name: places(binary, f"{data}/{name}") for name in families}
    show = lambda name, found: print(f"{name:14}", "R@1 %.3f  R@5 %.3f  MRR %.3f" % figures(found), f" n {len(found)}")
    print("shares in use", USED)
    for name in families:
        show(name, of[name](USED))
    if not one_by_one:
        return
    grid = [(words, passages) for words in WORDS for passages in PASSAGES]
    worth = {name: {shares: figures(of[name](shares)) for shares in grid} for name in families}
    print("shares chosen on the other families")
    for name in families:
        def around(shares):
            others = [sum(worth[other][near][k] for other in families if other != name for k in (0, 2))
                      for near in grid if abs(near[0] - shares[0]) < 0.11 and abs(near[1] - shares[1]) < 0.26]
            return sum(others) / len(others)
        chosen = max(grid, key=around)
        show(name, of[name](chosen))
        print(" " * 14, "words %.1f, passages %.2f" % chosen)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], "--one-by-one" in sys.argv[3:])
