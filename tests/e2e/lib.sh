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

# The journal, one record a line (frames: length, checksum, JSON); the chain is the program's own affair.
journal() { # RUN [EV]
	python3 - "$1" "${2:-}" <<'P'
import glob, sys
for segment in sorted(glob.glob(f"{sys.argv[1]}/.tgmon/journal.0*")):
    for line in open(segment, "rb").read().rstrip(b"\0").splitlines():
        if not sys.argv[2] or f'"ev":"{sys.argv[2]}"'.encode() in line:
            print(line[18:].decode())
P
}
# wait_for SECONDS EXPRESSION RUN: until the expression over status --json holds
wait_for() {
	local i
	for ((i = 0; i < $1 * 5; i++)); do
		[ "$(field "$3" "bool($2)")" = true ] && return 0
		sleep 0.2
	done
	"$TGMON" status "$3" >&2
	fail "within $1 s not so: $2"
}
check_demo() { python3 "$TGMON_SOURCE/scripts/check_demo.py" "$TGMON" "$1" "$TGMON_DATA/expected.tsv"; }
