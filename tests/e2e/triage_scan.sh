# triage and scan on the command line: one line a prediction in input order, one a file.
. "$(dirname "$0")/lib.sh"
cat >"$WORK/preds.jsonl" <<'P'
{"instance_id":"a__b-1","model_patch":null}
{"instance_id":"a__b-2","model_patch":" \n"}
{"instance_id":"a__b-1","model_patch":"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"}
P
expect 0 "$TGMON" triage --json "$WORK/preds.jsonl"
python3 -c 'import json,sys
r = [json.loads(l) for l in sys.argv[1].splitlines()]
assert [(x["instance_id"], x["index"], x["class"], x["applies"]) for x in r] == [
    ("a__b-1", 0, "empty", None), ("a__b-2", 1, "prose", False), ("a__b-1", 2, "ok", None)], r
assert set(r[0]) >= {"reason", "remedy", "rung", "flags", "bytes", "sha256"}, r[0]' "$OUT" || fail "triage: $OUT"
expect 2 "$TGMON" triage "$WORK/preds.jsonl" --ladder 3; says "4 or 5"
expect 2 "$TGMON" triage "$WORK/preds.jsonl" --repos "$WORK/none"; says "no folder"
printf 'import random as r\nr.random()\neval(x)\n' >"$WORK/a.py"
printf 'print "x"\n' >"$WORK/b.py"
expect 0 "$TGMON" scan --json "$WORK/a.py" "$WORK/b.py"
python3 -c 'import json,sys
a, b = [json.loads(l) for l in sys.argv[1].splitlines()]
assert a["parsed"] and a["codes"] == ["DANGEROUS_EVAL"] and a["extra_codes"] == ["WEAK_RNG_ALIAS"], a
assert [f["line"] for f in a["findings"]] == [2, 3], a
assert not b["parsed"] and b["codes"] == ["SYNTAX_ERROR_PREVENTS_SECURITY_SCAN"], b' "$OUT" || fail "scan: $OUT"
expect 0 "$TGMON" scan "$WORK/b.py"; says "not scanned"
