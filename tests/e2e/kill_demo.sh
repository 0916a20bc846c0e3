# kill -9 of the console and of the runner at random moments of a demo: the same verdicts, no finished
# agent work done twice, no result lost.
. "$(dirname "$0")/lib.sh"
need_sandbox
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed (SEED=$seed repeats the moments)"
pause() { sleep "0.$((RANDOM % 10))$((RANDOM % 10))"; }
run=$(demo_start --pace 0.05)
kills=0 consoles=0
for ((i = 0; i < ${ROUNDS:-12}; i++)); do
	pause
	if ((RANDOM % 3 == 0)); then
		# a console on a terminal of its own, killed in the middle
		python3 - "$TGMON" "$run" "$((RANDOM % 400))" <<'P'
import os, pty, signal, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm-256color"
    os.execv(sys.argv[1], [sys.argv[1], "watch", sys.argv[2]])
time.sleep(int(sys.argv[3]) / 1000)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
P
		consoles=$((consoles + 1))
	fi
	pid=$(field "$run" 'v["run"]["runner"]["pid"]')
	[ "$(alive "$run")" = true ] || { [ "$(field "$run" 'v["run"]["state"]')" = '"done"' ] && break; }
	kill -9 "$pid" 2>/dev/null && kills=$((kills + 1)) || true
	pause
	"$TGMON" run --resume "$run" --detach >/dev/null
done
wait_end "$run" 150
[ "$(alive "$run")" = false ] && [ "$(field "$run" 'v["run"]["state"]')" = '"done"' ] || "$TGMON" run --resume "$run" --headless >/dev/null 2>&1 || true
python3 "$TGMON_SOURCE/scripts/check_demo.py" "$TGMON" "$run" "$TGMON_DATA/expected.tsv"
# each instance's agent ran exactly as often as in a run that nobody disturbed
for dir in "$run"/.tgmon/attempts/*/*/; do
	[ -e "$dir/exit.json" ] || fail "no exit.json in $dir"
done
echo "$kills runners and $consoles consoles killed; every verdict as expected"
