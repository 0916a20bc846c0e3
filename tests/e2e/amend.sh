# A changed config is refused, unless it is amended on the record.
. "$(dirname "$0")/lib.sh"
need_sandbox
sha() { sha256sum <"$1" | cut -d' ' -f1; }
config=$WORK/agent.yaml
printf 'agent:\n  step_limit: 20\n  cost_limit: 3.0\nmodel:\n  model_kwargs:\n    temperature: 0.0\n    api_key: "not-for-the-journal"\n' >"$config"
start() { # TAG SLICE options...
	local tag=$1 slice=$2
	shift 2
	"$TGMON" run --tag "$tag" --slice "$slice" --agent replay --evaluator local --config "$config" --model-id x/y \
		--dataset "$TGMON_DATA/demo.jsonl" --workers 2 --pace 0.01 --timeout 6 --output "$WORK" --detach "$@"
}
run=$(start amend 8:11)
wait_end "$run" 90
old=$(sha "$config")
infra=tidepool__cronette-3
[ "$(field "$run" "row('$infra')['outcome']")" = '"infra"' ] || fail "$infra: with --retries 0 it fails by infrastructure"
[ "$(field "$run" 'v["run"]["config_digests"]')" = 1 ] || fail "one config, as yet"
[ "$(sha "$run"/config/*agent.yaml)" = "$old" ] || fail "the config of the launch is not frozen"

# ---- edited in place: a plain --resume refuses, names the file and the way on
cp "$config" "$WORK/agent.was"
sed -i 's/temperature: 0.0/temperature: 0.7/; s/not-for-the-journal/nor-this-one/' "$config"
expect 2 "$TGMON" run --resume "$run" --headless
says "$config"
says "tgmon rerun RUN --config"
expect 2 "$TGMON" rerun "$run" "$infra"
says "$config"
[ -z "$(ls "$run/.tgmon/inbox")" ] || fail "a command that was refused waits for the next runner"
printf 'agent: [\n' >"$WORK/broken.yaml"
expect 2 "$TGMON" rerun "$run" "$infra" --config "$WORK/broken.yaml"
says "broken.yaml:"
expect 2 "$TGMON" rerun "$run" "$infra" --config "$WORK/nowhere.yaml"
says "nowhere.yaml"
[ -z "$(journal "$run" amend)" ] || fail "an amendment that was refused is on the record"

# ---- amended: old and new digest and the difference, each attempt with its own, said where it counts
expect 0 "$TGMON" rerun "$run" "$infra" --config "$config"
wait_end "$run" 60
new=$(sha "$config")
python3 - "$old" "$new" "$infra" <(journal "$run" amend) <(journal "$run" att.start) "$run" <<'P'
import json, sys
old, new, iid, amends, starts, run = sys.argv[1:7]
a, = [json.loads(l) for l in open(amends)]
assert (a["what"], a["old_sha256"], a["new_sha256"]) == ("config", old, new), a
assert "-    temperature: 0.0" in a["diff"] and "+    temperature: 0.7" in a["diff"], a["diff"]
assert "journal" not in a["diff"] and "nor-this" not in a["diff"], "a key went into the journal"
got = [(s["iid"], s["a"], s["config_sha256"]) for s in map(json.loads, open(starts))]
assert [c for i, n, c in got if n == 1] == [old] * 3, got
assert [(i, c) for i, n, c in got if n == 2] == [(iid, new)], got
P
[ "$(field "$run" "[a['config_sha256'] for a in row('$infra')['attempts_detail']]")" = "[\"$old\", \"$new\"]" ] ||
	fail "status --json: each attempt carries its config digest"
[ "$(field "$run" "row('$infra')['attempt']")" = 2 ] || fail "attempt 2 counts"
[ "$(field "$run" 'v["run"]["config_digests"]')" = 2 ] || fail "attempts were made with two configs"
grep -q "config" "$run/ci_gate.txt" || fail "the gate's text does not say that two configs were used: $(cat "$run/ci_gate.txt")"
python3 - "$run" "$old" "$new" <<'P'
import json, sys
run, old, new = sys.argv[1:4]
text = open(f"{run}/proof_manifest.json").read()
assert old in text and new in text, "the manifest does not name both configs"
assert sorted(json.loads(text)["tgmon"]["config_digests"]) == sorted([old, new]), "config_digests"
print("gate text:", [l for l in open(f"{run}/ci_gate.txt").read().splitlines() if "config" in l])
P
[ "$(field "$run" 'v["complete"]')" = true ] || fail "not complete after the amendment"
expect 0 "$TGMON" verify "$run/proof_bundle.tgz"
got=0
"$TGMON" run --resume "$run" --headless >"$WORK/out" 2>&1 || got=$?
[ "$got" -le 1 ] || fail "a run that was amended cannot be resumed: $(cat "$WORK/out")"
[ "$(field "$run" 'v["counts"]["attempts"]')" = 4 ] || fail "a resume of a run that is through started something"

# ---- a rerun under another config of an attempt that does not count says nothing of two configs
cp "$WORK/agent.was" "$config"
run=$(start same 1:2)
wait_end "$run" 60
sed 's/step_limit: 20/step_limit: 30/' "$config" >"$WORK/mended.yaml"
expect 0 "$TGMON" rerun "$run" quillworks__slugger-15 --config "$WORK/mended.yaml"
wait_end "$run" 60
python3 -c 'import json,sys
assert len(json.load(open(sys.argv[1] + "/proof_manifest.json"))["tgmon"]["config_digests"]) == 1' "$run" || fail "one counted attempt, one config"
[ "$(journal "$run" amend | wc -l)" = 1 ] || fail "the amendment is not on the record"
grep -q "config" "$run/ci_gate.txt" && fail "the gate speaks of two configs where one counts"
echo "amended on the record"
