# A published run that something else made, with its published evaluation and reports.
. "$(dirname "$0")/lib.sh"
src=$TGMON_SHARED/corpus/run20
[ -d "$src" ] || skip "the shared corpus is not here ($src)"
cp -r "$src/msa_glm46_lite_run20" "$WORK/run"
chmod -R u+w "$WORK/run"
own() { (cd "$WORK/run" && find . -path ./.tgmon -prune -o \( -name '*.traj.json' -o -name preds.json -o -name minisweagent.log -o -name 'exit_statuses_*' \) -type f -print0 | sort -z | xargs -0 sha256sum); }
own >"$WORK/before"
expect 0 "$TGMON" status --json "$WORK/run"
[ ! -e "$WORK/run/.tgmon" ] || fail "status wrote into a foreign folder"
expect "${TGMON_PROCESS_CODE:-0}" "$TGMON" process "$WORK/run" --evaluator import --eval-results "$src/eval/instance_results.jsonl" --reports keep --redact
own >"$WORK/after"
cmp "$WORK/before" "$WORK/after" || fail "the run's own agent files changed"
python3 - "$WORK/run" "$src" "$(status "$WORK/run" >"$WORK/status.json"; echo "$WORK/status.json")" <<'P'
import json, os, sys
run, src, status = sys.argv[1:4]
def path(name):
    derived = f"{run}/.tgmon/derived/{name}"
    return derived if os.path.exists(derived) else f"{run}/{name}"
rows = {}
for line in open(path("recomputed_governed_v2_agentic.jsonl")):
    r = json.loads(line)
    rows[r["instance_id"]] = r
published = {json.loads(l)["task"]: json.loads(l) for l in open(f"{src}/msa_glm46_lite_run20/msa_glm46_lite_run20_governed_v2_agentic.jsonl")}
assert len(rows) == 18 == len(published), len(rows)
assert sum(1 for r in rows.values() if r["patch"].strip()) == 15
assert sum(1 for r in rows.values() if r["resolved"] is True) == 6
count = {}
for iid, r in rows.items():
    count[r["final_decision"]] = count.get(r["final_decision"], 0) + 1
    assert r["final_decision"] == published[iid]["final_decision"], iid
    assert r["cri"] == published[iid]["cri"], (iid, r["cri"])
assert count == {"OK": 6, "ABSTAIN": 12}, count
v = json.load(open(status))
cls = {i["instance_id"]: i["patch"]["class"] for i in v["instances"]}
bare = {i: c for i, c in cls.items() if c in ("empty", "infra")}
assert bare == {"django__django-12284": "empty", "sympy__sympy-11897": "empty", "scikit-learn__scikit-learn-25638": "infra"}, bare
gate = open(path("ci_gate.txt")).read().splitlines()
want = open(f"{src}/tg_ci_gate.txt").read().splitlines()
assert gate[1:] == want[1:] and gate[0].startswith("[CI] \u03c4Guardian decisions from "), gate
assert v["counts"]["resolved"] == 6 and v["complete"] is True, (v["counts"], v["complete"], v["artifacts"])
print("18 rows, 15 diffs, 6 resolved, OK 6, ABSTAIN 12, VETO 0; gate text as published; complete")
P
# What stands there and says the same is used as it is; the proof holds in the folder and in the bundle.
[ ! -e "$WORK/run/.tgmon/derived/preds_filled.json" ] || fail "preds_filled.json says the same in another form, yet ours went elsewhere"
expect 0 "$TGMON" verify "$WORK/run"
expect 0 "$TGMON" verify "$WORK/run/proof_bundle.tgz"
# 17 trajectories carry a key: redacted copies travel, so the sums hold in what was unpacked.
mkdir "$WORK/x" && tar xzf "$WORK/run/proof_bundle.tgz" -C "$WORK/x"
(cd "$WORK"/x/* && sha256sum --quiet --strict -c proof/SHA256SUMS) || fail "SHA256SUMS does not hold in the bundle"
[ "$(grep -l 'REDACTED:json-member:49:' "$WORK"/x/*/*/*.traj.json | wc -l)" = 17 ] || fail "not 17 redacted trajectories"
! grep -rqF '"api_key": "0000' "$WORK/x" || fail "the key left in the bundle"
