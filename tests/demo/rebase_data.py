#!/usr/bin/python3
"""After repos/*.fi of a copy of the demo data were edited: rebase_data.py DATA

Imports every repository again and writes the ids that the base tags have now into demo.jsonl
(base_commit, environment_setup_commit). Prints the rows that changed.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def git(repo, *args, stdin=None):
    return subprocess.run(["git", "--git-dir", str(repo)] + list(args), input=stdin, check=True,
                          stdout=subprocess.PIPE).stdout.decode().strip()


def main():
    data = Path(sys.argv[1])
    file = data / "demo.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as tmp:
        for text in sorted((data / "repos").glob("*.fi")):
            repo = Path(tmp) / text.stem
            git(repo, "init", "-q", "--bare")
            git(repo, "fast-import", "--quiet", stdin=text.read_bytes())
        for row in rows:
            repo = Path(tmp) / row["repo"].replace("/", "__")
            now = git(repo, "rev-parse", "refs/tags/base-" + row["instance_id"])
            if now != row["base_commit"]:
                print("%s %s" % (row["instance_id"], now))
            row["base_commit"] = row["environment_setup_commit"] = now
    part = file.with_suffix(".partial")
    part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
                    encoding="utf-8")
    os.replace(part, file)


if __name__ == "__main__":
    main()
