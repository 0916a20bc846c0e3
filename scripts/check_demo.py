#!/usr/bin/env python3
"""check_demo.py TGMON RUN EXPECTED.tsv: does the demo's run say what the table says, and is it complete?"""
import json
import subprocess
import sys


def main():
    tgmon, run, table = sys.argv[1:4]
    status = json.loads(subprocess.run([tgmon, "status", "--json", run], check=True,
                                       capture_output=True, text=True).stdout)
    rows = {i["instance_id"]: i for i in status["instances"]}
    bad = 0
    expected = {}
    for line in open(table, encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            iid, *words = line.rstrip("\n").split("\t")
            expected[iid] = words
    for iid, words in expected.items():
        row = rows.get(iid)
        if not row:
            print(f"missing: {iid}", file=sys.stderr)
            bad += 1
            continue
        got = [row["outcome"], (row["patch"] or {}).get("class"), (row["evaluation"] or {}).get("status"),
               (row["verdict"] or {}).get("decision"), str(row["attempts"])]
        if got != words:
            print(f"{iid}: expected {words}, got {got}", file=sys.stderr)
            bad += 1
    for iid in rows.keys() - expected.keys():
        print(f"not in the table: {iid}", file=sys.stderr)
        bad += 1
    missing = [k for k, a in status["artifacts"].items() if not a["present"]]
    if missing or status["complete"] is not True:
        print(f"complete is {status['complete']}, missing artefacts: {missing}", file=sys.stderr)
        bad += 1
    if not bad:
        print(f"{len(expected)} instances, every case as expected; complete: true", file=sys.stderr)
    return 1 if bad else 0


sys.exit(main())
