# Images before a batch: resumable, patient with limits, honest about what is missing; and the way back.
. "$(dirname "$0")/lib_swebench.sh"
python3 - >"$WORK/rows.jsonl" <<'P'
import json
for i in range(5):
    print(json.dumps({"repo": "own/thing", "instance_id": f"own__thing-{i}", "base_commit": "0" * 40, "patch": "",
                      "test_patch": "", "problem_statement": "x", "hints_text": "", "created_at": "", "version": "1",
                      "FAIL_TO_PASS": "[]", "PASS_TO_PASS": "[]", "environment_setup_commit": "0" * 40,
                      **({"image": "mirror/shared:1"} if i > 2 else {})}))
P
pull() { "$TGMON" prepull --dataset "$WORK/rows.jsonl" "$@"; }
here() { ls "$TGMON_FAKE_DOCKER/images" | wc -l; }
image=swebench/sweb.eval.x86_64.own_1776_thing

expect 0 pull --dry-run
says "4 images: 0 here"   # two rows share one
says "$image-0:latest"
says "mirror/shared:1"
[ "$(here)" = 0 ] || fail "a dry run pulled"
expect 0 pull --dry-run --limit 2
says "4 pulls at your limit of 2 in 6 hours take at least 6 h"

expect 0 pull --slice :2
[ "$(here)" = 2 ] || fail "not two images"
echo "$image-2:latest" >"$TGMON_FAKE_DOCKER/refuse"
echo 2 >"$TGMON_FAKE_DOCKER/ratelimit"
: >"$TGMON_FAKE_DOCKER/calls"
expect 3 pull --jobs 2
says "limited"
says "given up $image-2:latest"
says "1 images could not be pulled"
[ "$(here)" = 3 ] || fail "one refused image kept others away"
grep -c '"pull"' "$TGMON_FAKE_DOCKER/calls" | grep -qx 4 || fail "what is here was pulled again"
rm "$TGMON_FAKE_DOCKER/refuse"
expect 0 pull
says "4 of 4 images are here"

expect 2 "$TGMON" clean --images : --dataset "$WORK/rows.jsonl"
says "$image-1:latest"
says "give --yes"
[ "$(here)" = 4 ] || fail "removed unasked"
expect 0 "$TGMON" clean --images :2 --dataset "$WORK/rows.jsonl" --yes
[ "$(here)" = 2 ] || fail "not these two"
expect 2 "$TGMON" clean
expect 2 pull --slice 9:
says "chooses no row"
expect 2 "$TGMON" prepull
echo down >"$TGMON_FAKE_DOCKER/down"
expect 3 pull
rm "$TGMON_FAKE_DOCKER/down"

# A run's containers, and only its own.
need_sandbox
echo '{"quillworks__slugger-12": {"end": "resolved"}}' | plan
run=$("$TGMON" run --slice :1 --pace 0.01 --evaluator swebench --output "$WORK" --detach)
wait_end "$run" 60
read -r _ id <"$TGMON_FAKE_SWEBENCH/starts"
touch "$TGMON_FAKE_DOCKER/containers/sweb.eval.quillworks__slugger-12.$id" "$TGMON_FAKE_DOCKER/containers/sweb.eval.other__x-1.tg-00000000-1-0"
expect 2 "$TGMON" clean "$run"
says "sweb.eval.quillworks__slugger-12.$id"
[ "$(boxes)" = 2 ] || fail "removed unasked"
expect 0 "$TGMON" clean --yes "$run"
[ "$(ls "$TGMON_FAKE_DOCKER/containers")" = sweb.eval.other__x-1.tg-00000000-1-0 ] || fail "the wrong ones"
echo "prepull and clean: as they say"
