# A batch with a stand-in of mini-swe-agent, of either line: outcomes, costs, live rows, keys, containers.
. "$(dirname "$0")/lib_mini.sh"
cat >"$WORK/script.json" <<'J'
{"own__name-1": {"steps": [{}, {"cost": 0.02}], "end": "Submitted",
  "patch": "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"},
 "own__name-2": {"steps": [{}, {}, {}], "end": "LimitsExceeded"},
 "own__name-3": {"steps": [{}, {"retry": 32.0, "delay": 6}], "end": "APIError", "text": "litellm.APIError: 500"},
 "own__name-4": {"no_environment": true, "end": "CalledProcessError", "text": "Command '['docker', 'run']' returned non-zero exit status 125."},
 "own__name-5": {"uncaught": true, "end": "TypeError", "text": "LitellmModelConfig.__init__() got an unexpected keyword argument 'model_id'"}}
J
for version in 2.4.6 1.17.5; do
	rm -f "$WORK/calls"
	run=$(mini_start "$version" --workers 5)
	[ -d "$run" ] || fail "no run with $version: $run"
	seen='' row=''
	for ((i = 0; i < 100; i++)); do
		row=$(field "$run" "row('own__name-3')['doing']")
		[ "$row" = '"rate limited, next try in 32 s"' ] && seen=1 && break
		sleep 0.1
	done
	[ -n "$seen" ] || fail "$version: the rate limit was not shown, last: $row"
	wait_end "$run" 120
	check() { [ "$(field "$run" "row('own__name-$1')['$2']")" = "$3" ] || fail "$version own__name-$1 $2: $(field "$run" "row('own__name-$1')")"; }
	check 1 outcome '"done"'
	check 1 steps 2
	check 1 cost_usd 0.03
	check 2 outcome '"limit"'
	check 2 steps 3
	check 3 outcome '"model_api"'
	check 4 outcome '"infra"'
	check 5 outcome '"bug"'
	a=$run/.tgmon/attempts
	[ -s "$a/own__name-2/001/work/salvaged.diff" ] || fail "$version: nothing was salvaged at the limit"
	[ ! -e "$a/own__name-1/001/work/salvaged.diff" ] || fail "$version: salvaged from what was submitted"
	[ "$(boxes_left)" = 0 ] || fail "$version: $(boxes_left) containers left"
	[ "$(members_left "$run")" = 0 ] || fail "$version: processes left"
	if grep -rlF -e "$FAKE_API_KEY" -e sk-dotenv-0815 "$run"; then fail "$version: a key was written down"; fi
	python3 - "$WORK/calls" "$version" <<'P' || fail "$version: how the tool was called"
import json, sys
calls = [json.loads(line) for line in open(sys.argv[1])]
assert len(calls) == 5 and all(c["key"] for c in calls), calls
for c in calls:
    a = c["argv"][1:]
    assert a[0] == "swebench" and all(x.startswith("--") for x in a[1::2]), a
    assert a[a.index("--filter") + 1] == "^" + c["iid"] + "$" and a[a.index("--workers") + 1] == "1", a
    assert a.count("--config") == (3 if sys.argv[2][0] == "2" else 1), a
P
	python3 - "$run" "$version" <<'P' || fail "$version: run.json"
import json, sys
spec = json.load(open(sys.argv[1] + "/.tgmon/run.json"))
tools = {t["name"]: t for t in spec["tools"]}
assert tools["mini-extra"]["version"] == sys.argv[2] and tools["mini-extra"]["path"].endswith("/bin/mini-extra")
assert tools["docker"]["path"].endswith("/bin/docker")
assert not [e for e in spec["agent_env"] if "KEY" in e], spec["agent_env"]
P
done
# what is missing is said before anything is made
PATH=$BARE_PATH expect 3 "$TGMON" run --config "$WORK/agent.yml" --model-id l/m --dataset "$WORK/rows.jsonl" --evaluator local --force --output "$WORK/none"
says "no mini-extra in PATH"
[ ! -e "$WORK/none" ] || fail "a refused launch left something behind"
