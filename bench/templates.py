#!/usr/bin/env python3
"""How well `lab_logs` finds the templates of labelled logs, with one system left out at a time.

    bench/templates.py BINARY FOLDER [--one-by-one]

BINARY is `cargo build --release -p hindcast-log-templates --example lab_logs`.
FOLDER holds one folder a system: `messages.txt`, and `truth.csv` with `line,event_id,template`.
With --one-by-one the settings of each system are chosen on the other systems alone, from the poorest value of every
setting, one setting at a time until none helps; the figure of a system is then one that its own lines had no part in.
Without it, the settings in use are scored alone.

GA is the share of lines whose group is exactly a true group, FGA is F1 over groups, PA is the share of lines with the
right template, FTA is F1 over groups that also have the right template (Jiang et al., Loghub-2.0, ISSTA 2024).
"""
import collections, concurrent.futures, csv, io, json, os, re, subprocess, sys

# Values to choose from, within the bounds that `TemplateSettings` states; the first is where the search begins.
CHOICES = {
    "named_agreeing": [2, 1, 3, 4], "agreeing": [2, 1, 3, 4], "variants": [3, 2, 4, 5, 6, 8],
    "variants_two": [3, 4, 5, 6, 8], "keyed_variants": [8, 2, 3, 4, 5], "quoted_variants": [8, 2, 3, 4, 5], "bracketed_variants": [8, 2, 3, 4, 5], "shouted_variants": [2, 4, 6, 8, 12],
    "signs": [0, 1, 2, 3], "opened": [0, 1, 2], "list": [64, 4, 8, 16], "quoted": [0, 4, 8, 16], "soft": [0, 1, 2],
    "parts": [False, True], "digit_first": [False, True], "hosts": [False, True], "accounts": [False, True],
    "wordy_paths": [False, True],
}
MEASURES = ("GA", "FGA", "PA", "FTA")


def plain(template):
    return " ".join(re.sub(r"(<\*>)+", "<*>", re.sub(r"<:[A-Z0-9_]+:>|<[A-Z0-9_]+>", "<*>", template)).split())


class System:
    def __init__(self, folder):
        self.messages = f"{folder}/messages.txt"
        with open(f"{folder}/truth.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.groups = collections.defaultdict(list)
        for line, row in enumerate(rows):
            self.groups[row["event_id"]].append(line)
        self.exact = {tuple(lines) for lines in self.groups.values()}
        self.templates = [plain(row["template"]) for row in rows]

    def figures(self, binary, settings):
        command = [binary, self.messages] + ([json.dumps(settings)] if settings else [])
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows, groups, shown = list(csv.DictReader(io.StringIO(answer))), collections.defaultdict(list), {}
        for line, row in enumerate(rows):
            groups[row["template_id"]].append(line)
            shown.setdefault(row["template"], None)
        shown = {template: plain(template) for template in shown}
        right = [shown[row["template"]] == true for row, true in zip(rows, self.templates)]
        found = [lines for lines in groups.values() if tuple(lines) in self.exact]
        f1 = lambda count: 2 * count / (len(groups) + len(self.groups))
        n = len(rows)
        return sum(map(len, found)) / n, f1(len(found)), sum(right) / n, f1(sum(right[lines[0]] for lines in found))


class Search:
    def __init__(self, binary, systems):
        self.binary, self.systems, self.known = binary, systems, {}
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())

    def figures(self, settings):
        """The figures of all systems under these settings."""
        key = json.dumps(settings, sort_keys=True)
        if key not in self.known:
            each = self.pool.map(lambda system: system.figures(self.binary, settings), self.systems.values())
            self.known[key] = dict(zip(self.systems, each))
        return self.known[key]

    def without(self, left_out):
        """Settings chosen on the others."""
        others = [name for name in self.systems if name != left_out]
        worth = lambda settings: sum(sum(self.figures(settings)[name]) for name in others)
        best = {name: values[0] for name, values in CHOICES.items()}
        while True:
            before = dict(best)
            for name, values in CHOICES.items():
                best = max(({**best, name: value} for value in [best[name]] + values), key=worth)
            if best == before:
                return best


def show(name, figures):
    print(f"{name:12}", "  ".join(f"{measure} {figure:.3f}" for measure, figure in zip(MEASURES, figures)))


def mean(rows):
    return [sum(column) / len(column) for column in zip(*rows)]


def main(binary, folder, one_by_one):
    names = sorted(name for name in os.listdir(folder) if os.path.exists(f"{folder}/{name}/truth.csv"))
    search = Search(binary, {name: System(f"{folder}/{name}") for name in names})
    print("settings in use")
    used = search.figures({})
    for name in names:
        show(name, used[name])
    show("mean", mean(used.values()))
    if one_by_one:
        print("settings chosen on the other systems")
        rows, chosen = [], {}
        for name in names:
            chosen[name] = search.without(name)
            rows.append(search.figures(chosen[name])[name])
            show(name, rows[-1])
        show("mean", mean(rows))
        for setting in CHOICES:
            print(f"{setting:16}", "  ".join(f"{name} {chosen[name][setting]}" for name in names))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], "--one-by-one" in sys.argv[3:])
