# Over a hundred patches that try to be judged OK, through triage, scan, stub rows, govern and gate.
. "$(dirname "$0")/lib.sh"
need_sandbox
suite=$TGMON_SOURCE/tests/adversarial/suite.py
mkdir "$WORK/adv"
python3 "$suite" make "$WORK/adv"
[ "$(python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))))' "$WORK/adv/cases.json")" -ge 100 ] || fail "fewer than 100 patches"
"$TGMON" triage --json "$WORK/adv/run/preds.json" --dataset "$WORK/adv/rows.jsonl" --repos "$WORK/adv/repos" >"$WORK/adv/triage.jsonl" || fail "triage ended with $?"
# VETOs are there, so the gate fails: 1 is the right code, and no other.
expect 1 "$TGMON" process "$WORK/adv/run" --evaluator import --eval-results "$WORK/adv/results.jsonl" --reports scan \
	--dataset "$WORK/adv/rows.jsonl" --repos "$WORK/adv/repos" --workers 2
[ "$(field "$WORK/adv/run" 'v["counts"]["by_state"]["done"]')" = "$(wc -l <"$WORK/adv/triage.jsonl")" ] || fail "not every instance is judged: $(field "$WORK/adv/run" 'v["counts"]')"
! grep -rlE 'AddressSanitizer|runtime error:' "$WORK/adv/run/.tgmon" || fail "a sanitizer spoke"
python3 "$suite" check "$WORK/adv" "$WORK/adv/run"
