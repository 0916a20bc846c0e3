# Bad input: a clear sentence, its exit code, nothing half-written.
. "$(dirname "$0")/lib.sh"
out=$WORK/out
mkdir "$out"
nothing() { [ -z "$(ls -A "$out")" ] || fail "something was written: $(ls -A "$out")"; }
bad() { # words-expected options...
	local words=$1
	shift
	expect 2 "$TGMON" run --output "$out" "$@"
	says "$words"
	nothing
}
bad "slice" --slice abc
bad "slice" --slice 1:2:0
bad "no instance" --slice 100:200
bad "whole number" --workers many
bad "--tag" --tag 'a/b'
bad "unknown option" --wrokers 2
bad "needs a value" --slice
bad "--budget" --budget 0
printf 'model:\n  name: [a\nagent: {\n' >"$WORK/broken.yaml"
bad "broken.yaml:" --config "$WORK/broken.yaml" --model-id m
printf 'model: {}\n' >"$WORK/ok.yaml"
bad "--model-id" --config "$WORK/ok.yaml"
bad "does not exist" --policy "$WORK/no.yaml"
printf 'version: "1"\nast:\n  severity_map:\n    WEAK_HASH: terrible\n' >"$WORK/sev.yaml"
bad "sev.yaml:4:" --policy "$WORK/sev.yaml"
printf 'version: "1"\ntrajectory:\n  command_patterns:\n    - {code: X, regex: "(", severity: high}\n' >"$WORK/re.yaml"
bad "re.yaml:4:" --policy "$WORK/re.yaml"
row() { python3 - "$TGMON_DATA/demo.jsonl" "$1" >"$WORK/rows.jsonl" <<'P'
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])][:2]
exec(sys.argv[2])
for r in rows:
    print(json.dumps(r))
P
}
row 'rows[1]["instance_id"] = "../x"'; bad "rows.jsonl:2" --dataset "$WORK/rows.jsonl" --model-id m
row 'del rows[1]["base_commit"]'; bad "base_commit" --dataset "$WORK/rows.jsonl" --model-id m
row 'rows[0]["colour"] = "red"'; bad "colour" --dataset "$WORK/rows.jsonl" --model-id m
row 'rows[1]["instance_id"] = rows[0]["instance_id"]'; bad "twice" --dataset "$WORK/rows.jsonl" --model-id m
printf '{"a":1}\nnot json\n' >"$WORK/rows.jsonl"; bad "rows.jsonl" --dataset "$WORK/rows.jsonl" --model-id m
expect 2 "$TGMON" status "$out"; says "not a run directory"
expect 2 "$TGMON" status "$WORK/nowhere"; says "not a folder"
expect 2 "$TGMON" frobnicate; says "neither a command nor a folder"
expect 2 "$TGMON" process "$out"; says "not a run directory"
nothing
# a dry run writes nothing and names what would run
expect 0 "$TGMON" run --slice 1:4 --dry-run --output "$out"
says "quillworks__slugger-15"
nothing
# help and exit codes are the same table
expect 0 "$TGMON" --help
for code in 0 1 2 3 4 5 70 71 74 75; do
	grep -qE "^ +$code  " <<<"$OUT" || fail "--help does not name exit code $code"
	grep -qE "^\| $code \|" "$TGMON_SOURCE/docs/exit-codes.md" || fail "docs/exit-codes.md does not name $code"
done
for group in launch watch prove compare; do says "$group:"; done
# a corrupt journal record in the middle is refused; nothing is thrown away
need_sandbox
run=$("$TGMON" run --slice 0:1 --pace 0 --output "$WORK" --detach)
wait_end "$run" 60
cp "$run/.tgmon/journal.000001" "$WORK/journal"
python3 - "$run/.tgmon/journal.000001" <<'P'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
at = b.index(b"att.start")
b[at] ^= 1
open(sys.argv[1], "wb").write(b)
P
expect 74 "$TGMON" status "$run"; says "journal"
expect 74 "$TGMON" run --resume "$run" --headless
cp "$WORK/journal" "$run/.tgmon/journal.000001"
# a changed input is refused, by name
echo '# changed' >>"$run/policy/policy.yaml"
expect 2 "$TGMON" run --resume "$run" --headless; says "policy"
