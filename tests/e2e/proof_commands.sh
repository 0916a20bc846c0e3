# A signed run: every command of docs/verify.md accepts it, keys are guarded, two builds are the same bytes.
. "$(dirname "$0")/lib.sh"
need_sandbox
umask 022
expect 0 "$TGMON" keygen
KEYS=$WORK/data/tgmon/keys
[ "$(stat -c %a "$KEYS/tgmon.pem")" = 600 ] || fail "the key is not 0600"
expect 2 "$TGMON" keygen
chmod 640 "$KEYS/tgmon.pem"
expect 3 "$TGMON" run --dry-run --sign --output "$WORK"
says "may be read by others"
chmod 600 "$KEYS/tgmon.pem"
run=$(demo_start --sign 2>"$WORK/err") || fail "$(cat "$WORK/err")"
grep -q '^tgmon-registered ' "$WORK/err" || fail "no line to send ahead: $(cat "$WORK/err")"
wait_end "$run" 240
bundle=$run/proof_bundle.tgz
fingerprint=$(openssl pkey -pubin -in "$KEYS/tgmon.pub.pem" -outform DER | tail -c 32 | sha256sum | cut -d' ' -f1)
expect 0 "$TGMON" verify "$bundle" --key "$fingerprint"
for check in signature trust registered; do grep -q "^ok  *$check" <<<"$OUT" || fail "$check is not ok: $OUT"; done
expect 0 "$TGMON" verify "$run" --key "$KEYS/tgmon.pub.pem"

# Another key, and none where one was asked for.
expect 0 "$TGMON" keygen --output "$WORK/other/k.pem"
expect 1 "$TGMON" verify "$bundle" --key "$WORK/other/k.pub.pem"
says "you trust"

# The commands of the page, with the reader's own copy of the keys.
mkdir "$WORK/x" "$WORK/trusted"
tar -xzf "$bundle" -C "$WORK/x" --no-same-owner
cd "$WORK"/x/*
cp proof/keys/* "$WORK/trusted"
cmp "$KEYS/tgmon.pub.pem" "$WORK/trusted/tgmon.pub.pem" || fail "the key inside is another one"
KEYS=$WORK/trusted TGMON_DOC=$TGMON_SOURCE/docs/verify.md python3 - <<'P'
import os, re, shutil, subprocess, sys
blocks = re.findall(r"```sh\n(.*?)```", open(os.environ["TGMON_DOC"]).read(), re.S)
assert len(blocks) == 7, len(blocks)
for b in blocks:
    tool = b.split()[0]
    if tool in ("openssl", "ssh-keygen", "minisign", "sha256sum") and not shutil.which(tool):
        print("not here:", tool)
        continue
    r = subprocess.run(["bash", "-euo", "pipefail", "-c", b], capture_output=True, text=True)
    if r.returncode:
        sys.exit(f"failed: {b}\n{r.stdout}{r.stderr}")
print(len(blocks), "commands of docs/verify.md")
P
cd "$WORK"

# One instance without the rest.
id=$(field "$run" 'v["instances"][0]["instance_id"]' | tr -d '"')
expect 0 "$TGMON" proof "$run" --instance "$id" --output "$WORK/one"
expect 0 "$TGMON" verify "$WORK/one/proof.json" --key "$fingerprint"
sed -i 's/"OK"/"ok"/; s/"ABSTAIN"/"OK"/' "$WORK/one/row.json"
expect 1 "$TGMON" verify "$WORK/one/proof.json" --key "$fingerprint"

# The same run, elsewhere, in another locale, on another day: the same bytes.
cp -r "$run" "$WORK/elsewhere"
"$TGMON" verify --json "$WORK/elsewhere" >/dev/null || fail "a run that was moved does not verify"
for dir in "$run" "$WORK/elsewhere"; do
	job=$(ls -d "$dir"/.tgmon/jobs/bundle.*)
	cp "$dir/proof_bundle.tgz" "$dir.tgz"
	rm "$dir/proof_bundle.tgz"
	find "$dir" -type f -name '*.json' -exec touch -d '2001-01-01' {} +
	TZ=Asia/Tokyo LC_ALL=C.UTF-8 "$TGMON" stage bundle --run "$dir" --job "$job" || fail "the bundle of $dir cannot be built again"
	cmp "$dir.tgz" "$dir/proof_bundle.tgz" || fail "another build of $dir has other bytes"
done
cmp "$run.tgz" "$WORK/elsewhere.tgz" || fail "another path gives other bytes"
echo "signed, registered, checked with seven commands; same bytes elsewhere"

# Tampering: the same suite with a key, and without.
expect 0 python3 "$TGMON_SOURCE/tests/e2e/proof_tamper.py" "$TGMON" "$run.tgz" "$KEYS/tgmon.pub.pem" "$WORK"
tail -1 <<<"$OUT"
