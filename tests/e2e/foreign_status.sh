# Runs that something else made: opened without a trace, in every form, also while they are written.
. "$(dirname "$0")/lib.sh"
run=$WORK/out
mkdir -p "$run/a__a-1"
printf '{"a__a-1": {"model_name_or_path": "m", "instance_id": "a__a-1", "model_patch": "--- a/x\\n+++ b/x\\n"}}' >"$run/preds.json"
printf 'instances_by_exit_status:\n    Submitted:\n    - a__a-1\n    Uncaught TypeError:\n    - b__b-2\n' >"$run/exit_statuses_1.5.yaml"
before=$(cd "$WORK" && find out -printf '%p %s %T@\n' | sort)
expect 0 "$TGMON" status "$run"
says "a__a-1"
says "foreign"
[ "$(field "$run" 'row("b__b-2")["exit_status"]')" = '"Uncaught TypeError"' ] || fail "$(status "$run")"
[ "$(field "$run" 'v["run"]["expected_from"]')" = '"preds.json, exit statuses"' ] || fail "$(field "$run" 'v["run"]')"
expect 0 "$TGMON" watch --once "$run"
says "a__a-1"
expect 0 "$TGMON" status "$run/preds.json"
says "a__a-1"
[ "$(cd "$WORK" && find out -printf '%p %s %T@\n' | sort)" = "$before" ] || fail "the folder was changed"
expect 2 "$TGMON" process "$run/preds.json"
says "--output"
expect 2 "$TGMON" status "$WORK"
mkdir "$WORK/empty"
expect 2 "$TGMON" status "$WORK/empty"

# Somebody truncates and rewrites the files all the time: every look tells the same.
python3 - "$run" <<'P' &
import json, sys, time
run, end = sys.argv[1], time.time() + 8
preds = {f"i__i-{n}": {"instance_id": f"i__i-{n}", "model_patch": "--- a/x\n+++ b/x\n" + "+y\n" * 400} for n in range(60)}
text, yaml = json.dumps(preds), "instances_by_exit_status:\n    Submitted:\n" + "".join(f"    - {i}\n" for i in preds)
while time.time() < end:
    for name, what in (("preds.json", text), ("exit_statuses_1.5.yaml", yaml)):
        with open(f"{run}/{name}", "w") as f:
            f.write(what[:len(what) // 2])
            f.flush()
            f.write(what[len(what) // 2:])
    time.sleep(0.01)
P
writer=$!
for ((i = 0; i < 100; i++)); do
	[ "$(grep -c 'i__i-59' "$run/exit_statuses_1.5.yaml")" = 1 ] && break
	sleep 0.05
done
sleep 0.1
looks=0
while kill -0 "$writer" 2>/dev/null; do
	got=$(field "$run" '[len(v["instances"]), sum(r["outcome"] == "done" for r in v["instances"]), len(v["notes"])]')
	[ "$got" = "[60, 60, 0]" ] || fail "look $looks: $got"
	looks=$((looks + 1))
done
wait "$writer" || fail "the writer"
[ "$looks" -ge 5 ] || fail "only $looks looks"
echo "$looks looks at a folder under a writer, all the same"
