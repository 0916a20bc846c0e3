# Nothing is hard-coded: one changed line of a demo repository changes that instance's verdict.
. "$(dirname "$0")/lib.sh"
need_sandbox
cp -r "$TGMON_DATA" "$WORK/data-edited"
export TGMON_DATA=$WORK/data-edited XDG_CACHE_HOME=$WORK/cache
iid=quillworks__slugger-12
before=$("$TGMON" run --slice 0:1 --tag a --pace 0 --output "$WORK" --headless >/dev/null 2>&1; ls -d "$WORK"/msa_a_*)
[ "$(field "$before" "row('$iid')['verdict']['decision']")" = '"OK"' ] || fail "$iid is not OK before the edit"
# A comment beside the code that the recorded patch changes: the patch's context no longer stands there.
python3 - "$TGMON_DATA" "$iid" <<'P'
import json, re, subprocess, sys, tempfile, os
data, iid = sys.argv[1:3]
rows = [json.loads(l) for l in open(f"{data}/demo.jsonl")]
row = next(r for r in rows if r["instance_id"] == iid)
path = f"{data}/repos/{row['repo'].replace('/', '__')}.fi"
text = open(path).read()
# the first removed line of the gold patch is what every fix touches
gone = next(l[1:] for l in row["patch"].splitlines() if l.startswith("-") and not l.startswith("---"))
assert text.count(gone + "\n") >= 1, gone
open(path, "w").write(text.replace(gone + "\n", gone + "  # edited\n"))
with tempfile.TemporaryDirectory() as d:
    subprocess.run(["git", "init", "-q", "--bare", d], check=True)
    subprocess.run(["git", "-C", d, "fast-import", "--quiet"], stdin=open(path), check=True)
    tag = subprocess.run(["git", "-C", d, "rev-parse", f"base-{iid}^{{commit}}"], check=True, capture_output=True, text=True).stdout.strip()
assert tag != row["base_commit"], "the edit did not reach the base commit"
for r in rows:
    if r["repo"] == row["repo"]:
        r["base_commit"] = tag if r is row else r["base_commit"]
open(f"{data}/demo.jsonl", "w").write("".join(json.dumps(r) + "\n" for r in rows))
P
after=$("$TGMON" run --slice 0:1 --tag b --pace 0 --output "$WORK" --headless >/dev/null 2>&1 || true; ls -d "$WORK"/msa_b_*)
got=$(field "$after" "row('$iid')['verdict']['decision']")
[ "$got" != '"OK"' ] || fail "the verdict did not change: $got"
echo "before OK, after $got ($(field "$after" "row('$iid')['evaluation']['status']"))"
