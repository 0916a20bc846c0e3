# A batch that goes wrong in one way stops by itself: a revoked key, a provider that limits the rate.
. "$(dirname "$0")/lib_mini.sh"
launch() { # options... : until the runner ends
	MSWEA_FAKE_VERSION=2.4.6 "$TGMON" run --config "$WORK/agent.yml" --model-id label/model \
		--dataset "$WORK/rows.jsonl" --evaluator local --force --tag m --output "$WORK/runs" --headless "$@"
}
script() { # END TEXT : every instance ends so
	python3 - "$1" "$2" >"$WORK/script.json" <<'P'
import json, sys
print(json.dumps({f"own__name-{i}": {"steps": [{}], "end": sys.argv[1], "text": sys.argv[2]} for i in range(1, 6)}))
P
}
good() {
	python3 - >"$WORK/script.json" <<'P'
import json
patch = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
print(json.dumps({f"own__name-{i}": {"steps": [{}], "end": "Submitted", "patch": patch} for i in range(1, 6)}))
P
}
attempts() { field "$1" 'v["counts"]["attempts"]'; }

# A revoked key: the canary alone pays, headless ends with 5, and a person's answer goes on.
script AuthenticationError "litellm.AuthenticationError: invalid api key"
expect 5 launch --workers 3
run=$(ls -d "$WORK"/runs/*/ | tail -1)
run=${run%/}
[ "$(attempts "$run")" = 1 ] || fail "a dead key cost $(attempts "$run") attempts"
[ "$(field "$run" 'v["run"]["gate"]["row"]')" = '"key"' ] || fail "the gate: $(field "$run" 'v["run"]["gate"]')"
[ "$(field "$run" 'v["run"]["gate"]["since"] is not None and "tgmon answer" in v["run"]["gate"]["reopens"]')" = true ] ||
	fail "the gate does not say since when, or what reopens it"
[ "$(field "$run" 'v["run"]["state"]')" = '"stopped by the gate"' ] || fail "state: $(field "$run" 'v["run"]["state"]')"
expect 0 "$TGMON" status "$run"
says "launch gate closed by key since 20"
expect 2 "$TGMON" answer "$run" cause
says "it is closed by key"
expect 2 "$TGMON" answer "$run" pause
good
expect 0 "$TGMON" answer "$run" key
wait_end "$run" 120
[ "$(attempts "$run")" = 5 ] || fail "after the answer: $(attempts "$run") attempts"
[ "$(field "$run" 'sum(r["outcome"] == "done" for r in v["instances"])')" = 4 ] || fail "$(field "$run" 'v["counts"]')"
rm -rf "$WORK"/runs/*

# A rate limit for all: workers + 1 attempts while it holds; then every instance has its result.
script RateLimitError "litellm.RateLimitError: 429"
export TGMON_PROBE_MS=3000
launch --workers 2 --canary 0 >"$WORK/limit.out" 2>&1 &
pid=$!
for ((i = 0; i < 150; i++)); do
	run=$(ls -d "$WORK"/runs/*/ 2>/dev/null | tail -1)
	run=${run%/}
	[ -n "$run" ] && [ "$(field "$run" 'v["run"]["gate"]["row"]' 2>/dev/null)" = '"rate-limit"' ] && break
	sleep 0.2
done
sleep 5
n=$(attempts "$run")
[ "$n" -le 3 ] || fail "a rate limit cost $n attempts"
[ "$(field "$run" 'v["run"]["gate"]["row"]')" = '"rate-limit"' ] || fail "the gate: $(field "$run" 'v["run"]["gate"]')"
good
expect 0 "$TGMON" answer "$run" rate-limit
wait "$pid" || true
[ "$(field "$run" 'sum(r["outcome"] == "done" for r in v["instances"])')" = 5 ] || fail "$(field "$run" 'v["counts"]')"
[ "$(field "$run" 'v["counts"]["attempts"]')" = $((n + 5)) ] || fail "attempts: $(attempts "$run"), $n before"
[ "$(boxes_left)" = 0 ] || fail "containers left"
