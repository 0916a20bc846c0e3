#!/bin/bash
# bench/run.sh [TGMON]: measure on this machine, print the figures. No thresholds: bench/README.md says the goals.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tgmon=$(realpath "${1:-$here/../build/tgmon}")
[ -x "$tgmon" ] || { echo "bench: $tgmon is not there; build it first: scripts/bootstrap.sh build" >&2; exit 2; }
bwrap --unshare-all --ro-bind / / true 2>/dev/null || { echo "bench: no sandbox can start here (bubblewrap)" >&2; exit 3; }
work=$(mktemp -d "${TMPDIR:-/tmp}/tgmon-bench-XXXXXX")
trap 'code=$?; for r in "$work"/*/.tgmon; do "$tgmon" stop --now "$(dirname "$r")" >/dev/null 2>&1 || true; done; rm -rf "$work"; exit $code' EXIT
export TGMON_DATA=${TGMON_DATA:-$here/../data} XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache
export TGMON_RETRY_BASE_MS=200 TGMON_DISK_MIN_MB=64 LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
python3 "$here/measure.py" "$tgmon" "$work"
