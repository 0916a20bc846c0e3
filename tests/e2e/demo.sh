# The embedded batch, end to end: every case as its table says, nine artefacts, gate FAIL by the veto.
. "$(dirname "$0")/lib.sh"
need_sandbox
run=$(demo_start)
wait_end "$run" 150
python3 "$TGMON_SOURCE/scripts/check_demo.py" "$TGMON" "$run" "$TGMON_DATA/expected.tsv"
[ "$(field "$run" 'v["complete"]')" = true ] || fail "not complete"
[ "$(field "$run" 'len([a for a in v["artifacts"].values() if a["present"]])')" = 9 ] || fail "not nine artefacts"
expect 1 "$TGMON" gate "$run"
says "FAIL: 1 VETO decision(s) present"
expect 0 "$TGMON" verify "$run"
expect 0 "$TGMON" verify "$run/proof_bundle.tgz"
cp -r "$run" "$WORK/copy"
rm -rf "$WORK/copy/.tgmon/attempts"   # what a stranger gets needs no control folder
echo '{}' >>"$WORK/copy/preds_filled.json"
expect 1 "$TGMON" verify "$WORK/copy"
expect 0 "$TGMON" report "$run" --format md
says "OK "
# Paths in the manifest are relative, and what it lists is there.
python3 - "$run" <<'P'
import json, os, sys, hashlib
run = sys.argv[1]
m = json.load(open(f"{run}/proof_manifest.json"))
assert m["schema"] == "tauguardian.proof_manifest.v1"
assert os.path.abspath(run) not in open(f"{run}/proof_manifest.json").read(), "an absolute path"
for k, v in m["hashes"].items():
    if isinstance(v, str):
        assert hashlib.sha256(open(f"{run}/{k}", "rb").read()).hexdigest() == v, k
preds = json.load(open(f"{run}/preds.json"))
assert isinstance(preds, dict) and len(preds) == 15
rows = [json.loads(l) for l in open(f"{run}/recomputed_governed_v2_agentic.jsonl")]
assert len({r["instance_id"] for r in rows}) == 15
for r in rows:
    assert r["instance_id"] == r["task"] and r["patch_sha256"] == hashlib.sha256(r["patch"].encode()).hexdigest()
P
# The reference's own tools read the tar; nothing leaves its top folder.
tar tzf "$run/proof_bundle.tgz" | grep -vq "^$(basename "$run")/" && fail "a member outside the top folder"
(cd "$WORK" && mkdir x && tar xzf "$run/proof_bundle.tgz" -C x && cd "x/$(basename "$run")" && sha256sum --quiet -c proof/SHA256SUMS)
# A console attached to a finished run, once.
expect 0 "$TGMON" watch --once "$run"
says "VETO"
