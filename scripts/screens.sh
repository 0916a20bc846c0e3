#!/usr/bin/env bash
# scripts/screens.sh [RUN]: text captures of the console into docs/screens/, with tmux and nothing else.
# Without RUN the embedded batch is launched first and looked at while it runs and when it has ended.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tgmon=${TGMON:-build/tgmon} into=${SCREENS:-docs/screens}
export TGMON_DATA=${TGMON_DATA:-$PWD/data}
[ -x "$tgmon" ] || { echo "screens: no $tgmon; build it first (scripts/bootstrap.sh build)" >&2; exit 2; }
command -v tmux >/dev/null || { echo "screens: tmux is missing (apt-get install tmux)" >&2; exit 3; }
tgmon=$(realpath "$tgmon")
mkdir -p "$into"
work=$(mktemp -d)
pane() { env -u TMUX LC_ALL=C.UTF-8 tmux -u -S "$work/socket" -f /dev/null "$@"; }
trap 'pane kill-server 2>/dev/null || true; rm -rf "$work"' EXIT

# shot NAME WxH KEY...: a console of its own, the keys one after the other, then what stands there
shot() {
	local name=$1 size=$2 key
	shift 2
	pane new-session -d -s "$name" -x "${size%x*}" -y "${size#*x}" "$tgmon" watch "$run"
	pane set -g status off
	pane resize-window -t "$name" -x "${size%x*}" -y "${size#*x}"
	sleep 1
	for key in "$@"; do
		pane send-keys -t "$name" "$key"
		sleep 0.4
	done
	pane capture-pane -p -t "$name" >"$into/$name.txt"
	pane kill-session -t "$name"
	echo "$into/$name.txt"
}

if [ $# -gt 0 ]; then
	run=$(realpath "$1")
else
	run=$("$tgmon" run --tag demo --workers 2 --timeout 15 --pace 0.4 --output "$work" --detach)
	sleep 9
	shot live 140x40
	while [[ $("$tgmon" status --json "$run") == *'"alive": true'* ]]; do sleep 1; done
fi
shot instances 140x40
shot instances-80x24 80x24
shot patch 140x40 Enter
shot help 140x40 '?'
