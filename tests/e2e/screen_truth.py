"""screen_truth.py TGMON RUN [--figures]: watch a live run on a pty at random instants, and ask whether what stands
there, header and all rows together, is the fold of the journal up to one record that was the last one not longer
ago than LAG seconds. (The folds are made afterwards: `status --json` over each beginning of the journal.)

Prints one JSON object: instants, samples, p50_ms, p99_ms and most_ms from a journal record to the screen.
"""
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from screen import Terminal

LAG = float(os.environ.get("TGMON_SCREEN_LAG", "2"))
HEADER = re.compile(r"done (\d+)/(\d+) · OK (\d+) · ABSTAIN (\d+) · VETO (\d+) · resolved (\d+)")
TITLES = ["INSTANCE", "STATE", "NOW", "STEP", "COST", "IDLE", "TRY", "PATCH", "SIZE", "EVALUATION", "NEW", "VERDICT"]


def wall():
    return time.time()


class Poll(threading.Thread):
    """The steps that status --json reads from live trajectories, all the time."""

    def __init__(self, tgmon, run):
        super().__init__(daemon=True)
        self.argv = [tgmon, "status", "--json", run]
        self.seen = []
        self.over = False

    def run(self):
        while not self.over:
            t0 = wall()
            v = json.loads(subprocess.run(self.argv, check=True, capture_output=True).stdout)
            self.seen.append((t0, wall(), v["run"]["state"], facts(v)))
            time.sleep(0.02)


def facts(v):
    c = v["counts"]
    d = c["by_decision"]
    head = (c["by_state"]["done"], c["total"], d["OK"], d["ABSTAIN"], d["VETO"], c["resolved"])
    rows = {}
    for r in v["instances"]:
        shown = []
        for part, n in ((r, r["attempt"]), (r.get("latest"), (r.get("latest") or {}).get("attempt"))):
            if part:
                shown.append((r["state"], part["patch"]["class"] or "", part["evaluation"]["status"] or "",
                              (part["verdict"] or {}).get("decision", ""), f"{n}/{r['attempts']}" if n else ""))
        rows[r["instance_id"]] = (shown, "" if r["steps"] is None else str(r["steps"]))
    return head, rows


def read_screen(text):
    lines = text.split("\n")
    top = next((i for i, l in enumerate(lines) if "INSTANCE" in l and "VERDICT" in l), None)
    m = HEADER.search(text)
    if top is None or not m:
        return None
    title = lines[top]
    at = {t: title.index(t) for t in TITLES}
    rows = {}
    for line in lines[top + 1:]:
        iid = line[at["INSTANCE"]:at["STATE"]].strip()
        if "__" not in iid or line.startswith("─"):
            continue
        # right-aligned columns end under the end of their title, the others begin under its beginning
        def left(a, b):
            return line[at[a]:at[b]].strip(" ✓✗~●○◐▲!█│·")
        def right(t):
            return line[:at[t] + len(t)].split(" ")[-1] if line[at[t] + len(t) - 1:at[t] + len(t)].strip() else ""
        verdict = re.match(r"[^A-Za-z]*([A-Z]*)", line[at["VERDICT"]:])[1]
        rows[iid] = ((re.sub(r"^\W+", "", left("STATE", "NOW")), left("PATCH", "SIZE")[:15].strip(),
                      re.sub(r"^\W+", "", line[at["EVALUATION"]:at["NEW"]]).split(" ")[0], verdict, right("TRY")),
                     right("STEP"))
    return tuple(map(int, m.groups())), rows


def records(run):
    for segment in sorted(glob.glob(f"{run}/.tgmon/journal.0*")):
        for line in open(segment, "rb").read().rstrip(b"\0").splitlines():
            yield json.loads(line[18:])


# A record of attempt 1, and the first screen that shows it.
EVENTS = {
    ("att.start", None): lambda r: r[0] != "queued",
    ("stage.end", "triage"): lambda r: r[1] != "",
    ("stage.end", "evaluate"): lambda r: r[2] != "",
    ("inst.done", None): lambda r: r[0] == "done" or r[3] != "",
}


def latencies(run, first):
    out, done = [], set()
    for rec in records(run):
        key = (rec["ev"], rec.get("stage"))
        if key not in EVENTS or rec.get("a") != 1 or (key, rec["iid"]) in done:
            continue
        done.add((key, rec["iid"]))
        at = first.get((key, rec["iid"]))
        if at is not None:
            out.append(max(0.0, at * 1000 - rec["wall_ms"]))
    return sorted(out)


def watch(poll, t):
    """Until the run is through: screens at random instants, and when each event was first on the screen."""
    instants, first = [], {}
    assert t.wait_text(r"VERDICT", 10), t.text()
    until, at = wall() + 150, wall() + random.random() / 4
    while wall() < until:
        before = t.bytes
        t.read(0.02)
        if t.screen.in_frame:
            continue
        if t.bytes != before:
            shown = read_screen(t.text())
            for iid, (row, _) in (shown[1] if shown else {}).items():
                for key, is_shown in EVENTS.items():
                    if is_shown(row):
                        first.setdefault((key, iid), wall())
        if wall() >= at:
            instants.append((wall(), read_screen(t.text()), t.text()))
            at = wall() + random.random() / 4
            if len(instants) >= 100 and poll.seen and poll.seen[-1][2] != "running":
                break
    poll.over = True
    poll.join()
    return instants, first, poll.seen


def folds(tgmon, run):
    """[(wall seconds, facts)] after each record: a folder with nothing but the journal's first records."""
    out = []
    with tempfile.TemporaryDirectory() as d:
        bare = os.path.join(d, os.path.basename(run))
        os.makedirs(f"{bare}/.tgmon")
        for name in ("run.json", "dataset.jsonl"):
            shutil.copy(f"{run}/.tgmon/{name}", f"{bare}/.tgmon/{name}")
        with open(f"{bare}/.tgmon/journal.000001", "wb") as journal:
            for line in open(f"{run}/.tgmon/journal.000001", "rb").read().rstrip(b"\0").splitlines(True):
                journal.write(line)
                journal.flush()
                v = json.loads(subprocess.run([tgmon, "status", "--json", bare], check=True, capture_output=True).stdout)
                out.append((json.loads(line[18:])["wall_ms"] / 1000, facts(v)))
    return out


def row_is(screen, shown_as):
    return any(all(s == f or (f and s.endswith("…") and f.startswith(s[:-1])) for s, f in zip(screen, fold))
               for fold in shown_as)


def differs(shown, at, fold):
    """None, or what on the screen was not so."""
    if shown is None:
        return "no table on the screen"
    near = [f for i, (t, f) in enumerate(fold)
            if t <= at + 0.05 and (i + 1 == len(fold) or fold[i + 1][0] >= at - LAG)]
    wrong = []
    for head, rows in near:
        bad = [i for i, (row, _) in shown[1].items() if not row_is(row, rows[i][0])]
        if head == shown[0] and not bad:
            return None
        wrong.append((len(bad), f"header {shown[0]}, fold {head}; " +
                      "; ".join(f"{i}: {shown[1][i][0]}, fold {rows[i][0]}" for i in bad)))
    return min(wrong)[1] if wrong else "no fold for this moment"


def steps_differ(shown, at, seen):
    near = [rows for t0, t1, _, (_, rows) in seen if t1 >= at - LAG and t0 <= at + 0.2]
    for iid, (row, steps) in shown[1].items():
        was = [int(r[iid][1]) for r in near if r[iid][1]]
        if steps and was and not min(was) <= int(steps) <= max(was):
            return f"{iid}: step {steps}, its trajectory had {sorted(set(was))}"
    return None


def main():
    tgmon, run = sys.argv[1:3]
    poll = Poll(tgmon, run)
    poll.start()
    while not poll.seen:  # before the screen begins, so that all it can show is on file
        time.sleep(0.01)
    t = Terminal([tgmon, "watch", run], rows=44, cols=170)
    instants, first, seen = watch(poll, t)
    t.key("q")
    t.wait(5)
    assert len(instants) >= 100 and len(seen) > 50, (len(instants), len(seen))
    assert len(instants[0][1][1]) == 15, "not all rows are on the screen"
    moved = len({str(i[1]) for i in instants})
    assert moved > 20, f"only {moved} different screens: not a live run"
    fold = folds(tgmon, run)
    for at, shown, text in instants:
        wrong = differs(shown, at, fold) or steps_differ(shown, at, seen)
        if wrong:
            sys.exit(f"the screen is not true: {wrong}\n{text}")
    ms = latencies(run, first)
    assert len(ms) >= 40, len(ms)
    print(json.dumps({"instants": len(instants), "different_screens": moved, "folds": len(fold), "samples": len(ms),
                      "p50_ms": round(ms[len(ms) // 2]), "p99_ms": round(ms[min(len(ms) - 1, int(len(ms) * 0.99))]),
                      "most_ms": round(ms[-1]), "bytes": t.bytes}))
    if "--figures" not in sys.argv:
        assert ms[-1] < 3000, f"{ms[-1]:.0f} ms from the journal to the screen"


if __name__ == "__main__":
    main()
