"""measure.py TGMON WORK: the figures of bench/README.md, one JSON object. All of one machine, in one go; ratios
are what can be compared with another machine's."""
import glob
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e"))
from screen import Terminal  # noqa: E402


def run_ms(argv, times=15):
    took = []
    for _ in range(times):
        t = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        took.append((time.perf_counter() - t) * 1000)
    return statistics.median(took)


def status(tgmon, run):
    return json.loads(subprocess.run([tgmon, "status", "--json", run], check=True, capture_output=True).stdout)


def start(tgmon, out, *options):
    return subprocess.run([tgmon, "run", "--detach", "--output", out, *options], check=True, capture_output=True,
                          text=True).stdout.strip()


def cpu_ns(pid):
    """Time on a processor, of all threads (schedstat counts nanoseconds, stat only ticks of 10 ms)."""
    return sum(int(open(f).read().split()[0]) for f in glob.glob(f"/proc/{pid}/task/*/schedstat"))


def idle_cpu(tgmon, out, seconds):
    """The runner while one agent sleeps: per cent of a core, without and with a console attached."""
    run = start(tgmon, out, "--tag", "idle", "--slice", "11:12", "--timeout", "3600", "--pace", "0")
    while "step 4" not in (status(tgmon, run)["instances"][0]["doing"] or ""):
        time.sleep(0.2)
    time.sleep(2)
    pid = status(tgmon, run)["run"]["runner"]["pid"]
    shims = [int(p) for p in os.listdir("/proc") if p.isdigit() and is_shim(p, run)]
    figures = {}
    for what, console in (("", None), ("_watched", Terminal([tgmon, "watch", run], 44, 150))):
        before, shim_before, at = cpu_ns(pid), sum(map(cpu_ns, shims)), time.monotonic()
        con_before = cpu_ns(console.pid) if console else 0
        while time.monotonic() < at + seconds:
            if console:
                console.read(0.5)
            else:
                time.sleep(0.5)
        wall = (time.monotonic() - at) * 1e9
        figures["runner_cpu_percent" + what] = round(100 * (cpu_ns(pid) - before) / wall, 4)
        figures["shim_cpu_percent" + what] = round(100 * (sum(map(cpu_ns, shims)) - shim_before) / wall, 4)
        if console:
            figures["console_cpu_percent"] = round(100 * (cpu_ns(console.pid) - con_before) / wall, 4)
            console.key("q")
            console.wait(5)
    subprocess.run([tgmon, "stop", "--now", run], check=True, stdout=subprocess.DEVNULL)
    return figures


def is_shim(pid, run):
    try:
        args = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
    except OSError:
        return False
    return b"shim" in args and any(run.encode() in a for a in args)


def first_frame(tgmon, run, times=7):
    took = []
    for _ in range(times):
        t = time.perf_counter()
        term = Terminal([tgmon, "watch", run], 44, 150)
        assert term.wait_text("VERDICT", 10), term.text()
        took.append((time.perf_counter() - t) * 1000)
        term.key("q")
        term.wait(5)
    return statistics.median(took)


def main():
    tgmon, work = sys.argv[1:3]
    seconds = int(os.environ.get("BENCH_IDLE_SECONDS", "20"))
    figures = {"cores": os.cpu_count(), "load_1m": round(os.getloadavg()[0], 2), "idle_seconds": seconds}
    run = start(tgmon, work, "--tag", "screen", "--workers", "2", "--timeout", "6", "--retries", "1", "--pace", "0.2")
    out = subprocess.run([sys.executable, os.path.join(HERE, "../tests/e2e/screen_truth.py"), tgmon, run, "--figures"],
                         check=True, capture_output=True, text=True).stdout
    screen = json.loads(out)
    figures["event_to_screen_ms"] = {k: screen[f"{k}_ms"] for k in ("p50", "p99", "most")}
    figures["event_to_screen_samples"] = screen["samples"]
    while status(tgmon, run)["run"]["runner"]["alive"]:
        time.sleep(0.3)
    big = os.path.join(work, "synthetic")
    subprocess.run([sys.executable, os.path.join(HERE, "synthetic.py"), run, "300", big], check=True,
                   stdout=subprocess.DEVNULL)
    spawn = run_ms([tgmon, "--version"])
    small_ms, big_ms = run_ms([tgmon, "status", "--json", run]), run_ms([tgmon, "status", "--json", big])
    small_frame, big_frame = first_frame(tgmon, run), first_frame(tgmon, big)
    figures.update(
        spawn_ms=round(spawn, 2), status_15_ms=round(small_ms, 2), status_300_ms=round(big_ms, 2),
        status_300_over_15=round(big_ms / small_ms, 2), first_frame_15_ms=round(small_frame, 1),
        first_frame_300_ms=round(big_frame, 1), first_frame_300_over_15=round(big_frame / small_frame, 2),
        instances_synthetic=len(status(tgmon, big)["instances"]))
    figures.update(idle_cpu(tgmon, work, seconds))
    print(json.dumps(figures, indent=2))


main()
