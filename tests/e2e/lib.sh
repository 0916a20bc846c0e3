# Shared by the end-to-end tests: a scratch folder, a quick demo run, checks that say what failed.
set -euo pipefail
: "${TGMON:?}" "${TGMON_SOURCE:?}"
export TGMON_DATA=${TGMON_DATA:-$TGMON_SOURCE/data}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/tgmon-e2e-XXXXXX")
export XDG_STATE_HOME=$WORK/state XDG_DATA_HOME=$WORK/data XDG_CONFIG_HOME=$WORK/config
export TGMON_RETRY_BASE_MS=200 TGMON_DISK_MIN_MB=${TGMON_DISK_MIN_MB:-64}

cleanup() {
	local code=$?
	# A runner that a failed test left must not outlive it.
	for lock in "$WORK"/*/.tgmon/lock; do
		[ -e "$lock" ] && "$TGMON" stop --now "$(dirname "$(dirname "$lock")")" >/dev/null 2>&1 || true
	done
	[ "$code" = 0 ] || { [ -n "${KEEP:-}" ] && echo "kept: $WORK"; }
	[ -n "${KEEP:-}" ] || rm -rf "$WORK"
	exit "$code"
}
trap cleanup EXIT

fail() { echo "FAIL: $*" >&2; exit 1; }
skip() { echo "SKIPPED: $*"; exit 77; }

# expect CODE command...: run it, keep its output in $OUT, check the exit code
expect() {
	local want=$1 got=0
	shift
	OUT=$("$@" 2>&1) || got=$?
	[ "$got" = "$want" ] || fail "exit code $got, expected $want: $*
$OUT"
}
says() { grep -qF -- "$1" <<<"$OUT" || fail "the output does not say '$1':
$OUT"; }

status() { "$TGMON" status --json "$1"; }
field() { status "$1" | python3 -c 'import json,sys
v=json.load(sys.stdin)
print(json.dumps(eval(sys.argv[1], {"v": v, "row": lambda i: next(r for r in v["instances"] if r["instance_id"] == i)})))' "$2"; }

alive() { field "$1" 'v["run"]["runner"]["alive"]'; }
wait_end() { # RUN SECONDS
	local i
	for ((i = 0; i < $2 * 5; i++)); do
		[ "$(alive "$1")" = true ] || return 0
		sleep 0.2
	done
	"$TGMON" status "$1" >&2
	fail "the runner of $1 did not end within $2 s"
}

# The whole demo as fast as it goes; prints the run directory. Further options are passed on.
demo_start() {
	"$TGMON" run --tag demo --workers 2 --timeout 6 --retries 1 --pace 0.01 --output "$WORK" --detach "$@"
}
need_sandbox() {
	bwrap --unshare-all --ro-bind / / true 2>/dev/null || skip "no sandbox can start here (bubblewrap)"
}
