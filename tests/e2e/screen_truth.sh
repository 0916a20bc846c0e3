# What the screen shows is the fold of the journal: at 100 random instants of a live demo, on a real terminal;
# a source that is silent or unreadable is said within 5 s.
. "$(dirname "$0")/lib.sh"
need_sandbox
export PYTHONPATH=$TGMON_SOURCE/tests/e2e PYTHONDONTWRITEBYTECODE=1
run=$(demo_start --pace 0.15)
python3 "$TGMON_SOURCE/tests/e2e/screen_truth.py" "$TGMON" "$run"
wait_end "$run" 60

# ---- the agent that hangs: its row shows since when; then its live trajectory turns to rubbish
run=$("$TGMON" run --tag quiet --slice 11:12 --timeout 40 --pace 0 --output "$WORK" --detach)
cat >"$WORK/quiet.py" <<'P'
import glob, json, os, re, subprocess, sys, time
from screen import Terminal
tgmon, run = sys.argv[1:3]
iid = "tidepool__cronette-10"
live = f"{run}/.tgmon/attempts/{iid}/001/work/live.traj.json"
t = Terminal([tgmon, "watch", run], rows=30, cols=170)
assert t.wait_text(r"cronette-10 .*running .*step 4", 20), t.text()
last = max(os.stat(p).st_mtime for p in (live, os.path.dirname(live), f"{run}/.tgmon/attempts/{iid}/001/out.log"))
assert t.wait_text(r"cronette-10 .*\s[56]s 1/1", 10), t.text()
assert 4 <= time.time() - last <= 8, f"idle 5 s is said after {time.time() - last:.1f} s"

def unreadable(what):
    at = time.time()
    assert t.wait_text(r"cronette-10 .*cannot be read", 5), f"{what}: not said within 5 s\n" + t.text()
    v = json.loads(subprocess.run([tgmon, "status", "--json", run], check=True, capture_output=True).stdout)
    assert "cannot be read" in v["instances"][0]["doing"], v["instances"][0]
    print(f"{what}: said after {time.time() - at:.1f} s")

good = open(live, "rb").read()
open(live, "wb").write(b"\x1b]0;x\x07 rubbish {" * 50)
unreadable("rubbish")
open(live, "wb").write(good)
assert t.wait_text(r"cronette-10 .*step 4", 5), "readable again, and not said\n" + t.text()
os.rename(live, live + ".old")
os.symlink(live + ".old", live)       # an agent may not point us at other files
unreadable("a link")
os.unlink(live)
if os.getuid():
    os.rename(live + ".old", live)
    os.chmod(live, 0)
    unreadable("no permission")
t.key("q")
assert t.wait(5) == 0
P
python3 "$WORK/quiet.py" "$TGMON" "$run"
expect 0 "$TGMON" stop --now "$run"
wait_end "$run" 20
