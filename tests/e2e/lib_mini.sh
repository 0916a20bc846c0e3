# Shared by the tests of the agent backend `mini`: stand-ins of mini-extra and docker, a data set of five rows.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_sandbox
TOOLS=$TGMON_SOURCE/tests/tools
mkdir -p "$WORK/bin" "$WORK/boxes" "$WORK/conf" "$WORK/runs"
cp "$TOOLS/fake-mini-extra" "$WORK/bin/mini-extra"
cp "$TOOLS/fake-mini-docker" "$WORK/bin/docker"
export MSWEA_FAKE_SCRIPT=$WORK/script.json MSWEA_FAKE_CALLS=$WORK/calls
export MSWEA_GLOBAL_CONFIG_DIR=$WORK/conf
export FAKE_API_KEY=sk-test-4711-not-to-be-written-down
BARE_PATH=$PATH
export PATH=$WORK/bin:$PATH
echo "OTHER_API_KEY='sk-dotenv-0815-not-to-be-written'" >"$WORK/conf/.env"
printf 'agent:\n  step_limit: 6\nenvironment:\n  cwd: "/testbed"\nmodel:\n  model_name: asked/model\n' >"$WORK/agent.yml"
python3 - "$WORK/rows.jsonl" <<'P'
import json, sys
with open(sys.argv[1], "w") as f:
    for i in range(1, 6):
        f.write(json.dumps({"repo": "own/name", "instance_id": f"own__name-{i}", "base_commit": "0" * 40, "patch": "",
            "test_patch": "", "problem_statement": "p", "hints_text": "", "created_at": "2022-03-03T15:14:54Z",
            "version": "1", "FAIL_TO_PASS": "[]", "PASS_TO_PASS": "[]", "environment_setup_commit": "0" * 40}) + "\n")
P
mini_start() { # VERSION options... : prints the run directory
	MSWEA_FAKE_VERSION=$1 "$TGMON" run --config "$WORK/agent.yml" --model-id label/model --dataset "$WORK/rows.jsonl" \
		--evaluator local --force --canary 0 --stop-after 0 --tag m --output "$WORK/runs" --detach "${@:2}" 2>"$WORK/start.err" | tail -1
}
boxes_left() { find "$WORK/boxes" -name '*.json' | wc -l; }
members_left() { # processes that carry a job of RUN
	local n=0 p
	for p in /proc/[0-9]*; do
		{ tr '\0' '\n' <"$p/environ"; } 2>/dev/null | grep -q "^TGMON_JOB=$1/" && n=$((n + 1)) || true
	done
	echo "$n"
}
of_attempt() { # VERB RUN: pids of our processes of that kind
	ps -eo pid=,args= | awk -v verb="$1" -v run="$2" '$3 == verb && index($0, run) { print $1 }'
}
cleanup_mini() {
	local r
	for r in "$WORK"/runs/*; do "$TGMON" stop --now "$r" >/dev/null 2>&1 || true; done
}
trap 'cleanup_mini; cleanup' EXIT
