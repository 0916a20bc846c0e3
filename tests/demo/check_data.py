#!/usr/bin/python3
"""Checks the demo data: check_data.py [DATA]

Every instance has an import file, a base tag that says what base_commit says, a trajectory and an
expected row; the gold patch makes all FAIL_TO_PASS and PASS_TO_PASS pass; without it each
FAIL_TO_PASS fails and each PASS_TO_PASS passes; and the recorded submission of the attempt that
counts comes, through the harness's ladders of both generations and plain unittest, to the evaluation
that expected.tsv names. This knows nothing of tgmon: it is the second opinion.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

COLUMNS = ["repo", "instance_id", "base_commit", "patch", "test_patch", "problem_statement",
           "hints_text", "created_at", "version", "FAIL_TO_PASS", "PASS_TO_PASS",
           "environment_setup_commit", "image", "eval_script", "log_parser", "eval_type"]
LADDER = {
    4: [["git", "apply", "--verbose"], ["git", "apply", "--verbose", "--reject"],
        ["patch", "--batch", "--fuzz=5", "-p1", "-i"]],
    5: [["git", "apply", "--verbose"], ["git", "apply", "--verbose", "--3way"],
        ["git", "apply", "--verbose", "--reject"],
        ["patch", "--batch", "--forward", "--fuzz=5", "-p1", "-i"]],
}
ENV = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null", LC_ALL="C.UTF-8",
           PYTHONDONTWRITEBYTECODE="1")
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
failures = []


def check(ok, text):
    if not ok:
        failures.append(text)
        print("FAIL " + text)


def run(argv, cwd=None, stdin=None):
    return subprocess.run(argv, cwd=cwd, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=ENV)


def must(argv, cwd=None, stdin=None):
    result = run(argv, cwd, stdin)
    if result.returncode:
        sys.exit("%s: %s" % (" ".join(argv), result.stdout.decode(errors="replace")))
    return result.stdout.decode().strip()


class Bench:
    """Imported repositories and work trees in a temporary folder."""

    def __init__(self, data, tmp):
        self.data, self.tmp, self.repos, self.count = Path(data), Path(tmp), {}, 0

    def repo(self, name):
        if name not in self.repos:
            flat = name.replace("/", "__")
            git = self.tmp / (flat + ".git")
            must(["git", "init", "-q", "--bare", "-b", "main", str(git)])
            must(["git", "--git-dir", str(git), "fast-import", "--quiet"],
                 stdin=(self.data / "repos" / (flat + ".fi")).read_bytes())
            self.repos[name] = git
        return self.repos[name]

    def tree(self, row):
        self.count += 1
        path = self.tmp / ("tree%d" % self.count)
        must(["git", "clone", "-q", "--no-checkout", str(self.repo(row["repo"])), str(path)])
        must(["git", "checkout", "-q", row["base_commit"]], path)
        return path

    def climb(self, tree, patch, generation):
        file = self.tmp / "patch.diff"
        file.write_bytes(patch)
        for n, rung in enumerate(LADDER[generation]):
            if n and generation == 5:
                must(["git", "checkout", "-q", "--", "."], tree)
                must(["git", "clean", "-qfd"], tree)
            if run(rung + [str(file)], tree).returncode == 0:
                return True
        return generation == 5 and run(
            ["git", "apply", "--check", "--reverse", str(file)], tree).returncode == 0


def test_ids(text):
    """unittest -v lines of Python 3.9 to 3.13 as module.Class.test -> ok or not."""
    out = {}
    for name, owner, status in re.findall(
            r"^(\w+) \(([\w.]+)\).*?\.\.\. .*?(ok|FAIL|ERROR)$", text, re.M):
        out[owner if owner.endswith("." + name) else owner + "." + name] = status == "ok"
    return out


def run_tests(bench, tree, row):
    """Restore the test files, put the test patch on top, run the row's own command."""
    names = re.findall(r"^\+\+\+ b/(.*)$", row["test_patch"], re.M)
    must(["git", "checkout", "-q", row["base_commit"], "--"] + names, tree)
    check(bench.climb(tree, row["test_patch"].encode(), 4), row["instance_id"] + ": test patch")
    command = re.search(r"^python3 (-m unittest -v .*)$", row["eval_script"], re.M).group(1)
    return test_ids(run([PYTHON] + command.split(), tree).stdout.decode())


def check_row(bench, row):
    iid = row["instance_id"]
    check(sorted(row) == sorted(COLUMNS), iid + ": columns")
    check(all(isinstance(value, str) for value in row.values()), iid + ": a column is no string")
    git = str(bench.repo(row["repo"]))
    tagged = must(["git", "--git-dir", git, "rev-parse", "refs/tags/base-" + iid])
    check(tagged == row["base_commit"],
          "%s: base_commit is %s, its tag says %s" % (iid, row["base_commit"], tagged))
    f2p, p2p = json.loads(row["FAIL_TO_PASS"]), json.loads(row["PASS_TO_PASS"])
    check(f2p and p2p and not set(f2p) & set(p2p), iid + ": test lists")
    tree = bench.tree(row)
    before = run_tests(bench, tree, row)
    for test in f2p:
        check(not before.get(test), "%s: %s passes without the patch" % (iid, test))
    for test in p2p:
        check(before.get(test), "%s: %s fails without the patch" % (iid, test))
    tree = bench.tree(row)
    check(bench.climb(tree, row["patch"].encode(), 4), iid + ": gold patch does not apply")
    after = run_tests(bench, tree, row)
    for test in f2p + p2p:
        check(after.get(test), "%s: %s fails with the gold patch" % (iid, test))


def recorded(data, iid, attempts):
    folder = Path(data) / "trajectories"
    for name in ["%s.%d" % (iid, attempts), iid]:
        path = folder / (name + ".traj.json")
        if path.exists():
            return json.loads(path.read_text())
    return None


def verdict(bench, row, submission, generation):
    if submission == "":
        return "EMPTY_PATCH"
    tree = bench.tree(row)
    if not bench.climb(tree, submission.encode(), generation):
        return "PATCH_APPLY_FAILED"
    got = run_tests(bench, tree, row)
    wanted = json.loads(row["FAIL_TO_PASS"]) + json.loads(row["PASS_TO_PASS"])
    return "RESOLVED" if all(got.get(test) for test in wanted) else "UNRESOLVED"


def main():
    data = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("TGMON_DATA", "data")
    with open(os.path.join(data, "demo.jsonl"), encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with open(os.path.join(data, "expected.tsv"), encoding="utf-8") as lines:
        expected = {line.split("\t")[0]: line.rstrip("\n").split("\t")[1:]
                    for line in lines if not line.startswith("#")}
    check(sorted(expected) == sorted(row["instance_id"] for row in rows), "expected.tsv: ids")
    with tempfile.TemporaryDirectory() as tmp:
        bench = Bench(data, tmp)
        for row in rows:
            iid = row["instance_id"]
            check_row(bench, row)
            if iid not in expected:
                continue
            traj = recorded(data, iid, int(expected[iid][4]))
            check(traj is not None, iid + ": no trajectory")
            if traj is None:
                continue
            for generation in LADDER:
                got = verdict(bench, row, traj["info"]["submission"], generation)
                check(got == expected[iid][2], "%s: ladder %d gives %s, expected.tsv says %s"
                      % (iid, generation, got, expected[iid][2]))
            print("%-26s %s" % (iid, expected[iid][2]))
            # What a rerun by hand finds: a second recording that was not the counted one resolves.
            second = Path(data) / "trajectories" / (iid + ".2.traj.json")
            if second.exists() and expected[iid][4] == "1":
                later = json.loads(second.read_text())["info"]["submission"]
                check(verdict(bench, row, later, 5) == "RESOLVED", iid + ": second recording")
    print("%d instances, %d failures" % (len(rows), len(failures)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
