#!/usr/bin/env python3
"""Single mutations of a good bundle: each must be detected, good bundles must not.
usage: proof_tamper.py TGMON BUNDLE.tgz KEY.pub.pem|- WORK   (-: the bundle is not signed)"""
import gzip, hashlib, io, json, os, random, subprocess, sys, tarfile

TGMON, GOOD, KEY, WORK = sys.argv[1:5]
SIGNED = KEY != "-"
MANIFEST, SUMS, ROWS = "proof_manifest.json", "proof/SHA256SUMS", "recomputed_governed_v2_agentic.jsonl"
tar = tarfile.open(GOOD)
TOP = tar.getnames()[0].split("/")[0]
FILES = {m.name[len(TOP) + 1:]: tar.extractfile(m).read() for m in tar.getmembers()}
OUTSIDE = [n for n in FILES if n.startswith(SUMS) or n.startswith("proof/keys/") or n.endswith("intoto.jsonl")]
cases, missed = [], []
jobs = []


def pack(files, path, extra=(), order=None):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        for name in order or sorted(files):
            info = tarfile.TarInfo(f"{TOP}/{name}")
            info.size = len(files[name])
            t.addfile(info, io.BytesIO(files[name]))
        for info, data in extra:
            t.addfile(info, io.BytesIO(data) if data is not None else None)
    with open(path, "wb") as f:
        f.write(gzip.compress(out.getvalue(), 1, mtime=0))


def resum(files):
    """Rewrite the manifest's list and SHA256SUMS so that digests hold again."""
    files = dict(files)
    if MANIFEST in files:
        m = json.loads(files[MANIFEST])
        m["tgmon"]["files"] = [{"bytes": len(files[n]), "path": n, "sha256": hashlib.sha256(files[n]).hexdigest()}
                               for n in sorted(files, key=str.encode) if n not in OUTSIDE and n != MANIFEST]
        for n in m["hashes"]:
            if n in files:
                m["hashes"][n] = hashlib.sha256(files[n]).hexdigest()
        files[MANIFEST] = json.dumps(m, indent=2, sort_keys=True).encode()
    files[SUMS] = "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n"
                          for n in sorted(files, key=str.encode) if n not in OUTSIDE).encode()
    return files


def run(path):
    argv = [TGMON, "verify", "--json", path] + (["--key", KEY] if SIGNED else [])
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def settle(limit):
    while len(jobs) > limit:
        name, path, p = jobs.pop(0)
        out, _ = p.communicate(timeout=120)
        if p.returncode != 1:
            missed.append(f"{name}: exit code {p.returncode}\n{out.decode(errors='replace')[:400]}")
        os.unlink(path)


def case(name, files=None, **kw):
    if name in cases or (files == FILES and not kw):
        sys.exit(f"the suite is wrong: {name} twice, or it changes nothing")
    cases.append(name)
    path = f"{WORK}/t{len(cases)}.tgz"
    if "raw" in kw:
        with open(path, "wb") as f:
            f.write(kw["raw"])
    else:
        pack(files, path, kw.get("extra", ()), kw.get("order"))
    jobs.append((name, path, run(path)))
    settle(3)


def edit(name, change):
    files = dict(FILES)
    files[name] = change(files[name])
    return files


def both(name, files):
    """As it is; and, where a key would notice, with every digest rewritten."""
    case(name, files)
    if SIGNED and resum(files) != FILES:
        case(name + " (digests rewritten)", resum(files))


def flip(b, at, bit=0):
    b = bytearray(b)
    b[at] ^= 1 << bit
    return bytes(b)


rnd = random.Random(5)
# 1. a bit in each file: first byte, last byte, somewhere
for n in sorted(FILES):
    size = len(FILES[n])
    if size:
        case(f"bit at {size // 2} of {n}", edit(n, lambda b: flip(b, len(b) // 2)))
    case(f"{n} deleted", {k: v for k, v in FILES.items() if k != n})
# 2. each line of the files of lines: deleted, doubled; two swapped
for n in [ROWS, "eval/instance_results.jsonl", "agentic_risk.jsonl", "proof/journal.jsonl", SUMS,
          "proof/attestations.intoto.jsonl"]:
    if n not in FILES:
        continue
    lines = FILES[n].splitlines(True)
    for i in range(min(len(lines), 6)):
        both(f"line {i} of {n} deleted", edit(n, lambda b: b"".join(lines[:i] + lines[i + 1:])))
        case(f"line {i} of {n} twice", edit(n, lambda b: b"".join(lines[:i + 1] + lines[i:])))
    if len(lines) > 1:
        both(f"lines of {n} swapped", edit(n, lambda b: b"".join([lines[1], lines[0]] + lines[2:])))
# 3. each member of each row of the first rows
rows = [json.loads(l) for l in FILES[ROWS].splitlines()]
for i, key in [(k % len(rows), key) for k, key in enumerate(sorted(rows[0]))]:
    if key not in rows[i]:
        continue
    changed = [dict(r) for r in rows]
    v = changed[i][key]
    changed[i][key] = (not v) if isinstance(v, bool) else v + 1 if isinstance(v, (int, float)) else "x" if v != "x" else "y"
    both(f"{key} of row {i}", edit(ROWS, lambda b: "".join(json.dumps(r) + "\n" for r in changed).encode()))
# 4. each statement of the manifest
manifest = json.loads(FILES[MANIFEST])


def leaves(v, path=()):
    if isinstance(v, dict):
        for k in v:
            yield from leaves(v[k], path + (k,))
    elif isinstance(v, list):
        for i, x in enumerate(v[:2]):
            yield from leaves(x, path + (i,))
    else:
        yield path, v


seen = set()
for path, v in leaves(manifest):
    kind = tuple(p for p in path if not isinstance(p, int))[:4]
    if kind in seen:
        continue
    seen.add(kind)
    m = json.loads(FILES[MANIFEST])
    at = m
    for p in path[:-1]:
        at = at[p]
    at[path[-1]] = (not v) if isinstance(v, bool) else v + 1 if isinstance(v, (int, float)) else "x"
    both(f"manifest {'.'.join(map(str, path))}", {**FILES, MANIFEST: json.dumps(m, indent=2, sort_keys=True).encode()})
for name, text in [("{}", b"{}"), ("[]", b"[]"), ("empty", b""), ("null", b"null")]:
    case(f"manifest {name}", {**FILES, MANIFEST: text})
# 5. trajectories, reports, evidence of one instance in the place of another's
ids = [r["instance_id"] for r in rows]
for fmt in ["{0}/{0}.traj.json", "security_reports/{0}.json"]:
    a, b = (fmt.format(i) for i in ids[:2])
    if FILES[a] != FILES[b]:
        both(f"{a} and {b} swapped", {**FILES, a: FILES[b], b: FILES[a]})
# 6. what a person would forge
both("the gate says PASS anyhow", edit("ci_gate.txt", lambda b: b.replace(b"VETO    : ", b"VETO    :  ")))
both("every row OK", edit(ROWS, lambda b: b.replace(b'"ABSTAIN"', b'"OK"').replace(b'"VETO"', b'"OK"')))
preds = json.loads(FILES["preds_filled.json"])
both("predictions without one", edit("preds_filled.json", lambda b: json.dumps(preds[1:] if isinstance(preds, list) else dict(list(preds.items())[1:])).encode()))
policy = next(n for n in FILES if n.startswith("policy/"))
both("another policy", edit(policy, lambda b: b.replace(b"high", b"low", 1)))
if any('"why"' in l.decode() and '"retry"' in l.decode() for l in FILES["proof/journal.jsonl"].splitlines()):
    both("an attempt hidden", edit("proof/journal.jsonl", lambda b: b"".join(l for l in b.splitlines(True) if b'"retry"' not in l)))
both("README rewritten", edit("README.txt", lambda b: b.replace(b"does NOT prove", b"proves")))
# 7. the archive
def member(name, kind=tarfile.REGTYPE, link="", data=b"x"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    return (info, data if kind == tarfile.REGTYPE else None)


for name, m in {"../x": member("../x"), "/abs": member("/tmp/abs"), "twin": member(f"{TOP}/{MANIFEST}"),
                "second folder": member("other/x"), "newline": member(f"{TOP}/a\nb"), "escape": member(f"{TOP}/\x1b]0;x"),
                "inner ..": member(f"{TOP}/a/../x"), "symlink": member(f"{TOP}/z", tarfile.SYMTYPE, "/etc/passwd"),
                "hard link": member(f"{TOP}/z", tarfile.LNKTYPE, f"{TOP}/{MANIFEST}"),
                "fifo": member(f"{TOP}/z", tarfile.FIFOTYPE), "device": member(f"{TOP}/z", tarfile.CHRTYPE),
                "unlisted file": member(f"{TOP}/extra.txt"), "unlisted in proof/": member(f"{TOP}/proof/x"),
                "unlisted key": member(f"{TOP}/proof/keys/other.pem"), "file as folder": member(TOP)}.items():
    case(f"member {name}", FILES, extra=[m])
good = open(GOOD, "rb").read()
for cut in (100, len(good) // 3, len(good) // 2, len(good) - 2000, len(good) - 9):
    case(f"archive cut at {cut}", raw=good[:cut])
case("archive: nothing", raw=b"")
case("archive: an empty tar", raw=gzip.compress(b"\0" * 10240, mtime=0))
inner = gzip.decompress(good)
flips = 0
while flips < 25:
    at, bit = rnd.randrange(20, len(good)), rnd.randrange(8)
    b = flip(good, at, bit)
    try:
        if gzip.decompress(b) == inner:
            continue
    except Exception:
        pass
    flips += 1
    case(f"archive bit {bit} of {at}", raw=b)
# 8. signatures
if SIGNED:
    names = [n for n in OUTSIDE if n != SUMS]
    case("signatures stripped", {k: v for k, v in FILES.items() if k not in names})
    m = json.loads(FILES[MANIFEST])
    m["tgmon"]["signed"], m["tgmon"]["key_id"] = False, None
    case("signatures stripped, and the manifest says so",
         resum({**{k: v for k, v in FILES.items() if k not in names}, MANIFEST: json.dumps(m, indent=2, sort_keys=True).encode()}))
    for n in names:
        case(f"{n} empty", {**FILES, n: b""})
        case(f"{n} with one byte more", {**FILES, n: FILES[n] + b"\n"})
        for k in range(2):
            at = rnd.randrange(len(FILES[n]))
            case(f"{n}: bit of byte {at}", edit(n, lambda b: flip(b, at, k)))
settle(0)
print(f"{len(cases)} mutations ({'signed' if SIGNED else 'unsigned'}), {len(cases) - len(missed)} detected, {len(missed)} missed")
for m in missed:
    print("MISSED", m)
need = 200 if SIGNED else 150
if missed or len(cases) < need:
    sys.exit(f"needed: {need} mutations, all detected")
