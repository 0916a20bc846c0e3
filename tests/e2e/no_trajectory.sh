# An attempt without a trajectory counts only through a .traj.json that says so; the manifest counts these apart.
. "$(dirname "$0")/lib.sh"
need_sandbox
marked() { # FILE: is it a marked one, with why, how it ended and the log's tail, and no messages?
	python3 - "$1" <<'P'
import json, sys
t = json.load(open(sys.argv[1]))
assert t["tgmon"]["no_trajectory"] is True and t["tgmon"]["why"] and t["messages"] == [], t
assert not t["info"]["submission"] and "exit_status" in t["info"], t
assert t["tgmon"]["log_tail"] and t["tgmon"]["exit"]["why"] in ("signal", "timeout", "exit"), t["tgmon"]
P
}
apart() { # FILE: tgmon.counts.no_trajectory
	python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["tgmon"]["counts"]["no_trajectory"])' "$1"
}
run=$(demo_start --slice 12:15 --retries 0)
wait_end "$run" 60
crash=brasswing__conftree-6 limit=brasswing__conftree-4
marked "$run/$crash/$crash.traj.json" || fail "the crash is not marked"
grep -q no_trajectory "$run/$limit/$limit.traj.json" && fail "$limit has a trajectory of its own"
[ "$(apart "$run/proof_manifest.json")" = 1 ] || fail "the manifest does not count it apart"
[ "$(field "$run" 'v["counts"]["no_trajectory"]')" = 1 ] && [ "$(field "$run" 'v["complete"]')" = true ] ||
	fail "status --json: one without a trajectory, and complete"
[ "$(field "$run" "row('$crash')['outcome']")" = '"crash"' ] || fail "outcome of $crash"
# its cost is a lower bound, and so is the run's
[ "$(field "$run" "row('$crash')['cost_lower_bound'] and v['run']['cost_lower_bound']")" = true ] || fail "not >="
# without that file the run is not complete, and nobody takes it for another
mv "$run/$crash/$crash.traj.json" "$WORK/kept"
[ "$(field "$run" 'v["complete"]')" = false ] || fail "complete without a trajectory"
expect 1 "$TGMON" verify "$run"
printf '{"info": {"exit_status": "Submitted", "submission": ""}, "messages": []}\n' >"$run/$crash/$crash.traj.json"
expect 1 "$TGMON" verify "$run"
says "$crash"
mv "$WORK/kept" "$run/$crash/$crash.traj.json"
expect 0 "$TGMON" verify "$run"

# ---- the same for a folder that something else made: a prediction, and no trajectory for it
foreign=$WORK/foreign
mkdir "$foreign"
for i in brasswing__conftree-2 "$limit"; do
	cp -r "$run/$i" "$foreign/"
done
cp "$run/preds.json" "$run/minisweagent.log" "$foreign/"
python3 - "$foreign/preds.json" "$crash" <<'P'
import json, sys
p = json.load(open(sys.argv[1]))
assert sys.argv[2] in p, list(p)
P
own=$(cd "$foreign" && find . -type f | sort | xargs sha256sum)
got=0
"$TGMON" process "$foreign" --dataset "$TGMON_DATA/demo.jsonl" --evaluator local >"$WORK/out" 2>&1 || got=$?
[ "$got" -le 1 ] || fail "process: exit code $got: $(tail -5 "$WORK/out")"
[ "$(field "$foreign" 'len(v["instances"])')" = 3 ] || fail "three instances are expected"
[ "$(field "$foreign" 'v["counts"]["no_trajectory"]')" = 1 ] || fail "process does not count it apart: $(status "$foreign" | head -60)"
python3 - "$foreign/$crash/$crash.traj.json" <<'P' || fail "process made no marked trajectory"
import json, sys
t = json.load(open(sys.argv[1]))
assert t["tgmon"]["no_trajectory"] is True and t["tgmon"]["why"] and t["messages"] == [], t
P
[ "$(apart "$foreign/proof_manifest.json")" = 1 ] || fail "its manifest does not count it apart"
(cd "$foreign" && sha256sum --quiet -c <<<"$own") || fail "process touched the agent's own files"
echo "one without a trajectory: marked, counted apart"
