# The arrows between the folders run only downward (docs/architecture.md), and a few habits of the house.
set -euo pipefail
cd "${TGMON_SOURCE:?}"
bad=0
complain() { echo "$*" >&2; bad=1; }

# folder: what it may include from
allow() {
	local folder=$1 file inc ok
	shift
	while IFS= read -r line; do
		file=${line%%:*}
		inc=${line#*\"}
		inc=${inc%/*}
		ok=
		for a in "$folder" "$@"; do [ "$inc" = "$a" ] && ok=1; done
		[ -n "$ok" ] || complain "$file includes $inc/: an arrow that $folder must not have"
	done < <(grep -rHE '^#include "(core|tui|views|cli)/' "src/$folder" --include='*.[ch]' | sed 's/:#include /:/')
}
lib=core/lib run=core/run dataset=core/dataset agent=core/agent patch=core/patch evaluate=core/evaluate
security=core/security govern=core/govern proof=core/proof evidence=core/evidence pipeline=core/pipeline
allow $lib
allow $run $lib
allow $dataset $lib
allow $agent $lib $run $dataset
allow $patch $lib $run $dataset $agent
allow $evaluate $lib $run $dataset $agent $patch
allow $govern $lib $run
allow $security $lib $run $dataset $agent $patch $govern
allow $proof $lib $run $govern
allow $evidence $lib $run
allow $pipeline $lib $run $dataset $agent $patch $evaluate $security $govern $proof $evidence core/doctor
allow core/runner $lib $run $pipeline
allow tui $lib
allow views tui $lib $run $patch core/runner

grep -rlE '#include <(curses|ncurses)' src | grep -vE '^src/tui/term' && complain "curses outside src/tui/term*.c"
grep -rnE '\b(system|popen|strcpy|strcat|sprintf|atoi|gets)\(' src --include='*.c' && complain "a call the house does not use"
grep -rnE '"(/home|/root|/work|/mnt)/' src scripts tests --include='*.[ch]' --include='*.sh' --include='*.py' |
	grep -vE 'tests/' && complain "a path of one machine"
[ "$(wc -l <src/main.c)" -lt 150 ] || complain "src/main.c is no longer a stub of a main"
[ "$bad" = 0 ] && echo "arrows and habits hold"
exit "$bad"
