# The console is disposable: a terminal that goes away, a second runner, a machine that went down.
. "$(dirname "$0")/lib.sh"
need_sandbox
export PYTHONPATH=$TGMON_SOURCE/tests/e2e PYTHONDONTWRITEBYTECODE=1
# ---- the terminal that launched it closes in the middle
mkdir "$WORK/runs"
cat >"$WORK/launch.py" <<'P'
import json, os, subprocess, sys, time
from screen import Terminal
tgmon, out = sys.argv[1:3]
t = Terminal([tgmon, "run", "--tag", "tty", "--slice", "4:10", "--workers", "2", "--pace", "0.3", "--timeout", "6",
              "--output", out])
assert t.wait_text(r"running", 20), t.text()
assert t.wait_text(r"step \d|STEP", 10), t.text()
run, = [os.path.join(out, n) for n in os.listdir(out)]
t.hang_up()
code = t.wait(10)
assert code in (-1, 129), f"the console after SIGHUP: {code}"
status = lambda: json.loads(subprocess.run([tgmon, "status", "--json", run], check=True, capture_output=True).stdout)
v = status()
assert v["run"]["runner"]["alive"] and v["run"]["state"] == "running", v["run"]
# from another terminal: attach, see it move, detach; it says that the run goes on
t = Terminal([tgmon, "watch", run])
assert t.wait_text(r"ledgerlite-7.*(running|done|scan|govern|evaluate|extract|triage)", 10), t.text()
t.key("q")
assert t.wait(5) == 0
assert "the run goes on" in t.text(), t.text()
assert status()["run"]["runner"]["alive"], "q ended the run"
print(run)
P
run=$(python3 "$WORK/launch.py" "$TGMON" "$WORK/runs")

# ---- one writer: the second runner is refused by the name of the first
pid=$(field "$run" 'v["run"]["runner"]["pid"]')
expect 75 "$TGMON" runner "$run"
says "pid $pid"
expect 75 "$TGMON" run --resume "$run" --headless
says "pid $pid"
[ "$(journal "$run" runner.start | wc -l)" = 1 ] || fail "a second runner wrote into the journal"

# ---- the machine goes down: runner and shims die at once
wait_for 20 'v["counts"]["by_state"]["running"]' "$run"
python3 - "$run" "$pid" <<'P'
import os, signal, sys, time
run, pid = sys.argv[1], int(sys.argv[2])
def ours():
    found = []
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            args = open(f"/proc/{p}/cmdline", "rb").read().split(b"\0")
            env = open(f"/proc/{p}/environ", "rb").read()
        except OSError:
            continue
        if int(p) == pid or (run.encode() in env or any(run.encode() in a for a in args)) and int(p) != os.getpid():
            if b"tgmon" in args[0] or b"bwrap" in args[0]:
                found.append(int(p))
    return found
os.kill(pid, signal.SIGSTOP)   # it must not see its shims die
for p in [p for p in ours() if p != pid] + [pid]:
    try:
        os.kill(p, signal.SIGKILL)
    except ProcessLookupError:
        pass
P
wait_for 10 'not v["run"]["runner"]["alive"]' "$run"
[ "$(field "$run" 'v["run"]["state"]')" = '"interrupted"' ] || fail "state: $(field "$run" 'v["run"]["state"]')"

# ---- `tgmon` says so first, and one key resumes it
cat >"$WORK/resume.py" <<'P'
import json, subprocess, sys, time
from screen import Terminal
tgmon, out, run = sys.argv[1:4]
t = Terminal([tgmon], cwd=out)
assert t.wait_text(r"interrupted", 5), t.text()
first = t.text().splitlines()[0]
assert "1 run was interrupted" in first and "r resumes it" in first, first
t.key("r")
assert t.wait_text(r"INSTANCE", 15), t.text()
t.read(1)
v = json.loads(subprocess.run([tgmon, "status", "--json", run], check=True, capture_output=True).stdout)
assert v["run"]["runner"]["alive"], (v["run"], t.text())
t.key("q")
assert t.wait(5) == 0, t.text()
P
python3 "$WORK/resume.py" "$TGMON" "$WORK/runs" "$run"
wait_end "$run" 90
[ "$(field "$run" 'v["complete"]')" = true ] || fail "not complete after the power came back"
python3 - "$TGMON_DATA/expected.tsv" <(status "$run") <<'P'
import json, sys
table = {l.split("\t")[0]: l.rstrip("\n").split("\t")[1:] for l in open(sys.argv[1]) if l.strip() and l[0] != "#"}
v = json.load(open(sys.argv[2]))
for r in v["instances"]:
    got = [r["outcome"], r["patch"]["class"], r["evaluation"]["status"], r["verdict"]["decision"]]
    assert got == table[r["instance_id"]][:4], (r["instance_id"], got, r["attempts_detail"])
lost = [r["instance_id"] for r in v["instances"] for a in r["attempts_detail"] if a["end"] and a["end"] != "exit"]
print("attempts cut off with the machine, kept and made again:", lost)
P
# a finished run is no interrupted one
expect 0 "$TGMON" watch --once "$run"
grep -q interrupted <<<"$OUT" && fail "a finished run is called interrupted"
# from anywhere: through the registry, and read-only
mkdir "$WORK/elsewhere"
(cd "$WORK/elsewhere" && expect 0 "$TGMON" watch --once && says "$(basename "$run" | cut -c1-12)")
