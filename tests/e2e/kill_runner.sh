#!/bin/bash
# Kill -9 of the runner and of shims at random moments: nothing lost, nothing paid twice, same end.
# KILL_SECONDS (default 40) and KILL_SEED (default random, printed) repeat or extend a run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${TGMON_FAKE_RUNNER:-$(dirname "${TGMON:?}")/tests/runner/fake_runner}
if [ ! -x "$program" ]; then
	echo "skipped: $program was not built"
	exit 77
fi
folder=$(mktemp -d)
trap 'rc=$?; [ $rc = 0 ] && rm -rf "$folder" || echo "kept: $folder"; exit $rc' EXIT
/usr/bin/python3 "$here/../runner/kill.py" "$program" "$folder" "${KILL_SECONDS:-40}" ${KILL_SEED:-}
