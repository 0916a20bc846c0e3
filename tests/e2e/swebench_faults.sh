# What a harness and its machine can do wrong: each is named, none becomes a verdict, nothing stays.
. "$(dirname "$0")/lib_swebench.sh"
need_sandbox
one() { # VERSION END [plan members]: run one instance with this end; $run, $got, $why
	export TGMON_FAKE_SWEBENCH_VERSION=$1
	echo "{\"quillworks__slugger-12\": {\"end\": \"$2\", \"stop_s\": 0.2 ${3:-}}}" | plan
	run=$("$TGMON" run --tag f --slice :1 --pace 0.01 --evaluator swebench --eval-timeout 4 \
		--output "$WORK" --detach)
	wait_end "$run" 60
	got=$(evaluation "$run" quillworks__slugger-12)
	why=$(field "$run" "row('quillworks__slugger-12')['evaluation']")
	no_boxes
}
reason() { # what the last evaluation's result.json says
	python3 -c 'import glob, json, sys
r = json.load(open(sorted(glob.glob(sys.argv[1] + "/.tgmon/attempts/*/001/evaluate.*/result.json"))[-1]))
print(r["sum"].get("reason") or r["error"])' "$run"
}
tries() { ls -d "$run"/.tgmon/attempts/*/001/evaluate.* | wc -l; }

one 5.0.2 crash ', "forge": true'
[ "$got" = INFRA ] || fail "a harness that broke after the patch was applied gave $got"
[ "$(tries)" = 2 ] || fail "trouble of the machine is tried once more, not $(tries) times"
OUT=$(reason) && says "left no report after the patch was applied"

one 5.0.2 no_log
[ "$got" = INFRA ] || fail "a harness that did not begin gave $got"
OUT=$(reason) && says "KeyError: 'image'"

one 4.1.0 other_patch
[ "$got" = INFRA ] || fail "a report about another patch gave $got"
OUT=$(reason) && says "is not the patch that it was given"

# A container of an earlier try is in the way: 4.x would fail with a conflict.
touch "$TGMON_FAKE_DOCKER/containers/sweb.eval.somebody__else-1.theirs"
one_box() {
	export TGMON_FAKE_SWEBENCH_VERSION=4.1.0
	echo '{"quillworks__slugger-12": {"end": "hang"}}' | plan
	run=$("$TGMON" run --tag k --slice :1 --pace 0.01 --evaluator swebench --eval-timeout 60 \
		--output "$WORK" --detach)
	for ((i = 0; i < 100; i++)); do
		[ "$(boxes)" = 2 ] && break
		sleep 0.1
	done
	[ "$(boxes)" = 2 ] || fail "no container came"
}
left() { ls "$TGMON_FAKE_DOCKER/containers" | grep -cv theirs || true; }
one_box
# kill -9 of the stage in the middle: the shim clears up behind it; the next try goes through
pid=$(pgrep -f "^[^ ]*tgmon stage evaluate --run $run")
kill -9 "$pid"
for ((i = 0; i < 80; i++)); do
	[ "$(wc -l <"$TGMON_FAKE_SWEBENCH/starts")" -ge 1 ] && [ -e "$run/.tgmon/attempts/quillworks__slugger-12/001/evaluate.2" ] && break
	sleep 0.1
done
[ -e "$run/.tgmon/attempts/quillworks__slugger-12/001/evaluate.2" ] || fail "not tried again"
# stop now: no container stays behind, and the resumed run comes to a verdict
expect 0 "$TGMON" stop --now "$run"
wait_end "$run" 60
[ "$(left)" = 0 ] || fail "stop left $(ls "$TGMON_FAKE_DOCKER/containers")"
[ "$(evaluation "$run" quillworks__slugger-12)" != RESOLVED ] || fail "a verdict out of nothing"
echo '{"quillworks__slugger-12": {"end": "resolved"}}' | plan
env -u PYTHONPATH -u VIRTUAL_ENV PATH=/usr/bin:/bin "$TGMON" run --resume "$run" --detach >/dev/null # a bare shell
wait_end "$run" 60
is "$run" quillworks__slugger-12 RESOLVED
[ "$(left)" = 0 ] || fail "left: $(ls "$TGMON_FAKE_DOCKER/containers")"
[ "$(boxes)" = 1 ] || fail "somebody else's container was removed"
# Another attempt makes the same patch: it is graded again, under a name of its own; an old report
# stands for nothing.
echo '{"quillworks__slugger-12": {"end": "unresolved"}}' | plan
expect 0 "$TGMON" rerun "$run" quillworks__slugger-12
for ((i = 0; i < 100; i++)); do
	[ "$(field "$run" 'len(row("quillworks__slugger-12")["attempts_detail"])')" = 2 ] && break
	sleep 0.1
done
wait_end "$run" 60
grep -q '"status":"UNRESOLVED"' "$run"/.tgmon/attempts/*/002/evaluate.1/result.json || fail "attempt 2 was not graded by itself"
is "$run" quillworks__slugger-12 RESOLVED # the attempt that counts is the first
[ "$(tail -n 2 "$TGMON_FAKE_SWEBENCH/starts" | sort -u | wc -l)" = 2 ] || fail "two attempts, one run id"
rm "$TGMON_FAKE_DOCKER/containers/"*

# Nothing there: refused before anything is spent, and it says what mends it.
echo down >"$TGMON_FAKE_DOCKER/down"
expect 3 "$TGMON" run --slice :1 --evaluator swebench --output "$WORK" --dry-run
says "Cannot connect to the Docker daemon"
rm "$TGMON_FAKE_DOCKER/down"
expect 3 env PYTHONPATH= "$TGMON" run --slice :1 --evaluator swebench --output "$WORK" --dry-run
says "swebench"
expect 3 env TGMON_FAKE_SWEBENCH_VERSION=3.0.17 "$TGMON" run --slice :1 --evaluator swebench --output "$WORK" --dry-run
says "3.0.17"
echo "faults named, nothing left behind"
