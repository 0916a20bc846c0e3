#!/usr/bin/python3
"""Kill -9 the runner (and, in a second series, shims) at random moments, resume, and compare.

usage: kill.py FAKE_RUNNER FOLDER SECONDS [SEED]
Fails when an instance was lost, its agent ran more or less than once, the end state differs from that
of an undisturbed run, or the journal does not replay.
"""
import collections
import json
import os
import random
import signal
import subprocess
import sys
import time

PROGRAM, FOLDER, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else int.from_bytes(os.urandom(4), 'little')
N, WORKERS = 24, 4


def dump(run):
    out = subprocess.run([PROGRAM, 'dump', run], capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f'seed {SEED}: {run}: journal does not replay: {out.stderr}')
    return [line for line in out.stdout.splitlines() if not line.startswith('#')]


def ledger(run):
    try:
        with open(f'{run}/ledger') as f:
            return collections.Counter(line.split()[0] for line in f)
    except FileNotFoundError:
        return collections.Counter()


def jobs(run):
    """Job directories whose shim showed itself and has not published its exit."""
    for folder, _, files in os.walk(f'{run}/.tgmon'):
        if 'pid.json' in files and 'exit.json' not in files:
            yield folder


def kill_a_shim(run, rnd):
    live = sorted(jobs(run))
    if not live:
        return 0
    try:
        with open(rnd.choice(live) + '/pid.json') as f:
            pid = json.load(f)
        with open(f"/proc/{pid['pid']}/stat") as f: # never a stranger with a reused number
            if int(f.read().rsplit(')', 1)[1].split()[19]) != pid['starttime']:
                return 0
        os.kill(pid['pid'], signal.SIGKILL)
        return 1
    except (OSError, ValueError):
        return 0


def start(run):
    return subprocess.Popen([PROGRAM, 'run', run], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=open(f'{run}.log', 'ab'))


def one_run(run, rnd, shim_share):
    """Disturb one run until it ends by itself."""
    kills = shims = 0
    subprocess.run([PROGRAM, 'init', run, str(N), str(WORKERS)], check=True)
    while True:
        p = start(run)
        until = time.monotonic() + rnd.choice((0.004, 0.02, 0.08)) * rnd.uniform(0.2, 2)
        while time.monotonic() < until and p.poll() is None:
            if rnd.random() < shim_share:
                shims += kill_a_shim(run, rnd)
            time.sleep(max(0, min(0.003, until - time.monotonic())))
        if p.poll() is None:
            p.kill()
            kills += 1
        code = p.wait()
        if code == 0:
            return kills, shims
        if code != -signal.SIGKILL:
            raise SystemExit(f'seed {SEED}: {run}: the runner ended with {code}, see {run}.log')


def check(run, reference):
    bad = [f'{iid}: its agent ran {n} times' for iid, n in ledger(run).items() if n != 1]
    bad += [f'{line}: never paid' for line in reference[:N] if line.split()[0] not in ledger(run)]
    bad += [f'{a!r} instead of {b!r}' for a, b in zip(dump(run), reference) if a != b]
    return bad


def series(name, reference, rnd, shim_share, seconds):
    until, runs, kills, shims, bad = time.monotonic() + seconds, 0, 0, 0, []
    while time.monotonic() < until and not bad:
        run = f'{FOLDER}/{name}{runs}'
        k, s = one_run(run, rnd, shim_share)
        runs, kills, shims = runs + 1, kills + k, shims + s
        bad = check(run, reference)
    print(f'{name}: {runs} runs of {N}, {kills} kills of the runner, {shims} of shims, '
          f'{len(bad)} violations')
    for text in bad:
        print(f'  {text}')
    if not kills or (shim_share and not shims):
        raise SystemExit(f'seed {SEED}: {name}: nothing was killed, so nothing was shown')
    return bad


def main():
    print(f'seed {SEED}')
    rnd = random.Random(SEED)
    os.makedirs(FOLDER, exist_ok=True)
    subprocess.run([PROGRAM, 'init', f'{FOLDER}/reference', str(N), str(WORKERS)], check=True)
    if start(f'{FOLDER}/reference').wait():
        raise SystemExit('the undisturbed run failed')
    reference = dump(f'{FOLDER}/reference')
    if reference[-1] != 'done 1' or any(n != 1 for n in ledger(f'{FOLDER}/reference').values()):
        raise SystemExit('the undisturbed run is wrong already')
    bad = series('runner', reference, rnd, 0, SECONDS / 2)
    bad += series('shim', reference, rnd, 0.3, SECONDS / 2)
    return 1 if bad else 0


sys.exit(main())
