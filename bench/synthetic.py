"""synthetic.py RUN N OUT: a finished run of N instances, made from the journal of a finished one: each instance's
records again and again under new ids, framed, summed and chained anew. For measuring; no program runs in it."""
import glob
import hashlib
import json
import os
import sys

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xffffffff
    for b in data:
        crc = crc >> 8 ^ TABLE[(crc ^ b) & 0xff]
    return crc ^ 0xffffffff


def records(run):
    for segment in sorted(glob.glob(f"{run}/.tgmon/journal.0*")):
        for line in open(segment, "rb").read().rstrip(b"\0").splitlines():
            yield json.loads(line[18:])


def main():
    run, n, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    spec = json.load(open(f"{run}/.tgmon/run.json"))
    ids = spec["expected"]
    new = [f"synthetic__case-{i}" for i in range(n)]
    spec["expected"] = new
    os.makedirs(f"{out}/.tgmon")
    json.dump(spec, open(f"{out}/.tgmon/run.json", "w"))
    rows = [json.loads(l) for l in open(f"{run}/.tgmon/dataset.jsonl")]
    with open(f"{out}/.tgmon/dataset.jsonl", "w") as f:
        for i, name in enumerate(new):
            f.write(json.dumps({**rows[i % len(rows)], "instance_id": name}) + "\n")
    recs = list(records(run))
    body = []
    for r in recs:
        if r["ev"] == "seg.next":
            continue
        if r.get("iid"):
            body += [{**r, "iid": name} for i, name in enumerate(new) if ids[i % len(ids)] == r["iid"]]
        elif r["ev"] == "run.open":
            digest = hashlib.sha256(open(f"{out}/.tgmon/run.json", "rb").read()).hexdigest()
            body.append({**r, "expected": n, "run_sha256": digest})
        else:
            body.append(r)
    prev = "0" * 64
    with open(f"{out}/.tgmon/journal.000001", "wb") as f:
        for seq, r in enumerate(body, 1):
            r.update(prev=prev, seq=seq)
            line = json.dumps(r, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            prev = hashlib.sha256(line).hexdigest()
            f.write(b"%08x %08x %s\n" % (len(line), crc32c(line), line))
    print(f"{n} instances, {len(body)} records, {os.path.getsize(out + '/.tgmon/journal.000001')} bytes")


main()
