#!/bin/bash
# The demo data against git, patch and unittest alone (tests/demo/check_data.py); no tgmon involved.
set -eu
for tool in python3 git patch; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
exec python3 "$TGMON_SOURCE/tests/demo/check_data.py" "$TGMON_SOURCE/data"
