# --notify PROGRAM: one process per event, the event as JSON on its standard input, no shell; one that hangs
# is ended after 10 s and holds nothing up. Nobody is attached.
. "$(dirname "$0")/lib.sh"
need_sandbox
# A name that a shell would take apart.
hook="$WORK/a hook; touch pwned \$(id)"
cat >"$hook" <<P
#!/bin/sh
echo "\$#" >>"$WORK/argc"
cat >>"$WORK/events"
P
chmod +x "$hook"
run=$(demo_start --tag told --slice 4:7 --budget 100 --notify "$hook")
wait_end "$run" 60
[ ! -e "$WORK/pwned" ] && [ ! -e pwned ] && [ ! -e "$run/pwned" ] || fail "a shell took the program's name apart"
grep -qvx 0 "$WORK/argc" && fail "the program got arguments"
python3 - "$WORK/events" "$run" <<'P'
import json, sys
events = [json.loads(l) for l in open(sys.argv[1])]
by = {}
for e in events:
    assert e["run_dir"] == sys.argv[2] and e["schema"] == "tgmon.event.v1" and e["at"] and e["text"], e
    by.setdefault(e["event"], []).append(e)
assert [e["instance_id"] for e in by["veto"]] == ["northbay__ledgerlite-7"], by
assert len(by["done"]) == 1 and by["done"][0]["instance_id"] is None, by
assert set(by) == {"veto", "done"}, by
P
# the gate, closed by a person and by the budget
: >"$WORK/events"
run=$("$TGMON" run --tag gate --slice 0:6 --pace 0.1 --budget 0.08 --notify "$hook" --output "$WORK" --detach)
wait_for 20 'v["counts"]["by_state"]["running"]' "$run"
expect 0 "$TGMON" pause "$run"
wait_for 10 'v["run"]["gate"]["row"] == "pause"' "$run"
expect 0 "$TGMON" resume "$run"
wait_for 60 'v["run"]["gate"]["row"] == "budget" and not v["counts"]["by_state"]["running"]' "$run"
[ "$(alive "$run")" = true ] || fail "with a person who may come the runner waits at the budget"
expect 0 "$TGMON" stop "$run"
wait_end "$run" 20
python3 - "$WORK/events" <<'P'
import json, sys
got = [(e["event"], e["text"]) for e in map(json.loads, open(sys.argv[1]))]
assert [g for g in got if g[0] == "gate" and "paused by the operator" in g[1]], got
assert [g for g in got if g[0] == "budget" and "USD are spent" in g[1]], got
P
# the runner before this one was killed
kill_run=$("$TGMON" run --tag lost --slice 0:1 --pace 0.3 --notify "$hook" --output "$WORK" --detach)
: >"$WORK/events"
kill -9 "$(field "$kill_run" 'v["run"]["runner"]["pid"]')"
"$TGMON" run --resume "$kill_run" --detach >/dev/null
wait_end "$kill_run" 60
grep -q '"runner-lost"' "$WORK/events" || fail "nobody was told that the runner was lost: $(cat "$WORK/events")"
# an agent that shows no sign of life
: >"$WORK/events"
run=$(TGMON_STUCK_MS=1500 "$TGMON" run --tag stuck --slice 11:12 --timeout 9 --pace 0 --notify "$hook" --output "$WORK" --detach)
wait_end "$run" 60
[ "$(grep -c '"stuck"' "$WORK/events")" = 1 ] || fail "one word about the agent that hangs: $(cat "$WORK/events")"
# a program that hangs, with a child that would outlive it
cat >"$WORK/hang" <<P
#!/bin/sh
echo \$\$ >>"$WORK/hang.pid"
sleep 300 &
echo \$! >>"$WORK/hang.pid"
wait
P
chmod +x "$WORK/hang"
run=$(demo_start --tag hang --slice 4:7 --notify "$WORK/hang")
wait_for 20 'v["run"]["state"] == "done" and v["complete"]' "$run"
[ "$(field "$run" 'v["run"]["elapsed_s"]')" -lt 15 ] || fail "a program that hangs delayed the run"
wait_end "$run" 40
grep -q "longer than 10 s" "$run/.tgmon/runner.log" || fail "runner.log does not say that the program was ended"
while read -r pid; do
	[ ! -e "/proc/$pid" ] || [ "$(cut -d' ' -f3 "/proc/$pid/stat")" = Z ] || fail "process $pid of the program lives on"
done <"$WORK/hang.pid"
# one that is not there is said, and holds nothing up
run=$(demo_start --tag none --slice 0:1 --notify /nonexistent/program) || true
[ -z "$run" ] || { wait_end "$run" 40; [ "$(field "$run" 'v["complete"]')" = true ] || fail "not complete"; }
