# However an attempt ends, no container and no process of it is left; a resume from a bare shell uses the same tools.
. "$(dirname "$0")/lib_mini.sh"
echo '{"own__name-1": {"steps": [{"delay": 0.1}], "hang": true}}' >"$WORK/script.json"
cp "$WORK/script.json" "$WORK/hang.json"
gone() { # RUN WHAT
	local i
	for ((i = 0; i < 100; i++)); do
		[ "$(boxes_left)" = 0 ] && [ "$(members_left "$1")" = 0 ] && return 0
		sleep 0.2
	done
	fail "$2: $(boxes_left) containers, $(members_left "$1") processes left"
}
begun() { # RUN: its second step is under way
	local i
	for ((i = 0; i < 100; i++)); do
		grep -q '"steps": 1' "$1/.tgmon/attempts/own__name-1/001/work/progress.json" 2>/dev/null && return 0
		sleep 0.1
	done
	fail "the attempt did not begin: $(cat "$1/.tgmon/attempts/own__name-1/001/out.log")"
}
for version in 2.4.6 1.17.5; do
	for how in now wrapper tool all timeout; do
		limit=600
		[ $how = timeout ] && limit=3
		run=$(mini_start "$version" --slice 0:1 --timeout "$limit")
		begun "$run"
		a=$run/.tgmon/attempts/own__name-1/001
		case $how in
		now) "$TGMON" stop --now "$run" >/dev/null ;;
		wrapper) kill -KILL $(of_attempt agent-mini "$run") || true ;;
		tool) kill -TERM $(ps -eo pid=,args= | awk -v run="$run" '/mini-extra swebench/ && index($0, run) { print $1 }') || true ;;
		all) kill -KILL $(of_attempt shim "$run") $(of_attempt agent-mini "$run") || true ;;
		esac
		if [ $how = all ]; then # nobody's result: it is started again, so the run is stopped too
			sleep 2
			"$TGMON" stop --now "$run" >/dev/null || true
		fi
		wait_end "$run" 90
		gone "$run" "$version, $how"
		case $how in
		timeout) [ -s "$a/work/salvaged.diff" ] || fail "$version: nothing salvaged at the time limit" ;;
		esac
		[ "$how" != timeout ] || [ "$(field "$run" "row('own__name-1')['outcome']")" = '"timeout"' ] ||
			fail "$version: $(field "$run" "row('own__name-1')")"
		[ "$how" != timeout ] || [ "$(field "$run" "row('own__name-1')['cost_usd']")" = 0.01 ] ||
			fail "$version: what was paid is not shown: $(field "$run" "row('own__name-1')")"
	done
done
# stopped in the middle, resumed by a shell that knows nothing
run=$(mini_start 2.4.6 --slice 0:1)
begun "$run"
"$TGMON" stop --now "$run" >/dev/null
wait_end "$run" 60
echo '{"own__name-1": {"steps": [{}], "end": "LimitsExceeded"}}' >"$WORK/script.json"
env -i HOME="$HOME" PATH="$BARE_PATH" XDG_STATE_HOME="$XDG_STATE_HOME" TGMON_DATA="$TGMON_DATA" \
	"$TGMON" run --resume "$run" --detach >/dev/null
wait_end "$run" 90
[ "$(field "$run" "row('own__name-1')['outcome']")" = '"limit"' ] || fail "after the resume: $(field "$run" "row('own__name-1')")"
gone "$run" resume
