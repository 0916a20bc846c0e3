# The launch gate pauses and never ends a run: budget, operator, stop, disk. Nothing is killed by it, nothing
# is lost, each change is on the record.
. "$(dirname "$0")/lib.sh"
need_sandbox
gates() { # RUN: the sequence of gate changes, "row" or "open"
	journal "$1" gate | python3 -c 'import json,sys
print(" ".join("open" if r["open"] else r["row"] for r in map(json.loads, sys.stdin)))'
}
closed_by() { # RUN ROW: what status --json says of the gate, all four
	local got
	got=$(field "$1" 'v["run"]["gate"]')
	python3 - "$2" "$got" <<'P' || fail "the gate: $got"
import datetime, json, sys
row, g = sys.argv[1], json.loads(sys.argv[2])
assert g["open"] is False and g["row"] == row and g["reopens"] and g["text"], g
since = datetime.datetime.fromisoformat(g["since"].replace("Z", "+00:00"))
assert 0 <= (datetime.datetime.now(datetime.timezone.utc) - since).total_seconds() < 120, g
P
}
none_cancelled() { # RUN
	journal "$1" att.end | python3 -c 'import json,sys
for r in map(json.loads, sys.stdin):
    assert r.get("cancel") is None and r.get("outcome") != "cancelled", r' || fail "an attempt was ended from outside"
}
# ---- the budget: what runs ends by itself, headless it is exit 5, resumable, and not complete
got=0
"$TGMON" run --tag budget --slice 0:6 --workers 2 --pace 0.01 --budget 0.10 --output "$WORK" --headless \
	>"$WORK/out" 2>&1 || got=$?
[ "$got" = 5 ] || fail "a budget that is spent: exit code $got, not 5: $(cat "$WORK/out")"
run=$(ls -d "$WORK"/msa_budget_*)
closed_by "$run" budget
[ "$(field "$run" 'v["complete"]')" = false ] || fail "stopped by the gate, and complete"
[ "$(field "$run" 'v["counts"]["attempts"]')" -lt 6 ] || fail "the budget held nothing back"
[ "$(field "$run" '[r["instance_id"] for r in v["instances"] if r["attempts"] and r["state"] != "done"]')" = '[]' ] ||
	fail "what had started was not brought to its end"
none_cancelled "$run"
# between an agent's end and the reading of its final cost the sum may fall short for a moment
grep -qxE 'budget( open budget)*' <<<"$(gates "$run")" || fail "gate records: $(gates "$run")"
got=0
"$TGMON" run --resume "$run" --headless >"$WORK/out" 2>&1 || got=$?
[ "$got" = 5 ] || fail "resumed within the same budget: exit code $got, not 5"
expect 0 "$TGMON" watch --once "$run"
says "budget"
# a person gives more: on the record, shown, and the run goes on to its end
expect 2 "$TGMON" resume "$run" --budget 0.01
says "spent already"
expect 0 "$TGMON" resume "$run" --budget 50
wait_end "$run" 60
[ "$(field "$run" 'v["complete"]')" = true ] || fail "not complete with a larger budget"
[ "$(field "$run" 'v["run"]["budget_usd"]')" = 50.0 ] || fail "status --json: the budget that holds now"
none_cancelled "$run"

# ---- the operator: pause starts nothing and kills nothing; resume goes on
run=$("$TGMON" run --tag pause --slice 0:4 --pace 0.15 --output "$WORK" --detach)
wait_for 20 'v["counts"]["by_state"]["running"]' "$run"
expect 0 "$TGMON" pause "$run"
wait_for 10 'v["run"]["gate"]["row"] == "pause"' "$run"
closed_by "$run" pause
wait_for 20 'v["counts"]["by_state"]["done"] and not v["counts"]["by_state"]["running"]' "$run"
before=$(field "$run" 'v["counts"]["attempts"]')
sleep 1
[ "$(field "$run" 'v["counts"]["attempts"]')" = "$before" ] || fail "something started while paused"
[ "$before" -lt 4 ] || fail "the pause came too late to prove anything"
expect 0 "$TGMON" resume "$run"
wait_end "$run" 60
[ "$(field "$run" 'v["complete"]')" = true ] || fail "not complete after pause and resume"
none_cancelled "$run"
[ "$(gates "$run")" = "pause open" ] || fail "gate records: $(gates "$run")"
expect 2 "$TGMON" pause "$run"
says "no runner"

# ---- a disk without room (the mark is an option of the environment): closed, and open again by itself
huge=$(($(df -Pm "$WORK" | awk 'NR==2 {print $4}') + 100000))
run=$(TGMON_DISK_MIN_MB=$huge "$TGMON" run --tag mark --slice 0:1 --pace 0 --output "$WORK" --detach)
wait_for 10 'v["run"]["gate"]["row"] == "disk"' "$run"
closed_by "$run" disk
sleep 1
[ "$(alive "$run")" = true ] || fail "a full disk ended the runner"
[ "$(field "$run" 'v["counts"]["attempts"]')" = 0 ] || fail "something started on a full disk"
expect 0 "$TGMON" stop "$run"
wait_end "$run" 20
expect 0 "$TGMON" run --resume "$run" --headless
check_one=$(field "$run" 'v["complete"]')
[ "$check_one" = true ] || fail "not complete after there was room again"

# ---- stop, drain, now; then --resume: the verdicts that an undisturbed run has
as_expected() { # RUN: by the table, for the instances of the slice; an attempt that was ended does not count
	status "$1" >"$WORK/status.json"
	python3 - "$TGMON_DATA/expected.tsv" "$WORK/status.json" <<'P'
import json, sys
table = {l.split("\t")[0]: l.rstrip("\n").split("\t")[1:] for l in open(sys.argv[1]) if l.strip() and l[0] != "#"}
v = json.load(open(sys.argv[2]))
for r in v["instances"]:
    got = [r["outcome"], r["patch"]["class"], r["evaluation"]["status"], r["verdict"]["decision"]]
    assert got == table[r["instance_id"]][:4], (r["instance_id"], got)
    ended = sum(a["outcome"] == "cancelled" for a in r["attempts_detail"])
    assert r["attempts"] == int(table[r["instance_id"]][4]) + ended, r["attempts_detail"]
assert v["complete"] is True and len(v["instances"]) == 6
print(sum(r["attempts"] for r in v["instances"]), "attempts for 6 instances")
P
}
for how in "" --drain --now; do
	run=$(demo_start --pace 0.4 --slice 4:10 --tag "stop${how#--}")
	wait_for 30 'v["counts"]["by_state"]["done"] and v["counts"]["by_state"]["queued"] >= 2' "$run"
	# shellcheck disable=SC2086
	expect 0 "$TGMON" stop "$run" $how
	wait_end "$run" 60
	[ "$(field "$run" 'v["counts"]["by_state"]["done"]')" -lt 6 ] || fail "stop $how: nothing was left to do"
	[ "$how" != --drain ] || none_cancelled "$run"
	got=0
	"$TGMON" run --resume "$run" --headless >"$WORK/out" 2>&1 || got=$?
	[ "$got" = 1 ] || fail "after stop $how and --resume: exit code $got: $(tail -3 "$WORK/out")"
	as_expected "$run"
done

# ---- a disk that fills in the middle of a run: first low, then without a single block
[ "$(id -u)" = 0 ] || skip "the full disk: only root can mount a small file system"
small=$WORK/small
mkdir "$small"
mount -t tmpfs -o size=64m,nr_inodes=40k tmpfs "$small" 2>/dev/null || skip "the full disk: tmpfs cannot be mounted"
trap 'code=$?; umount -l "$small" 2>/dev/null; (exit $code); cleanup' EXIT
free_kb() { df -Pk "$small" | awk 'NR==2 {print $4}'; }
# --force: on so small a disk the checks before a run would not let it start at all
run=$(TGMON_DISK_MIN_MB=20 "$TGMON" run --tag full --slice 4:10 --workers 2 --pace 0.1 --retries 1 --output "$small" --force --detach)
wait_for 30 'v["counts"]["by_state"]["running"]' "$run"
dd if=/dev/zero of="$small/ballast1" bs=1k count=$(($(free_kb) - 12000)) 2>/dev/null
wait_for 20 'v["run"]["gate"]["row"] == "disk" and not v["counts"]["by_state"]["running"]' "$run"
closed_by "$run" disk
before=$(field "$run" 'v["counts"]["attempts"]')
[ "$before" -lt 6 ] || fail "the disk filled too late to prove anything"
dd if=/dev/zero of="$small/ballast2" bs=4k 2>/dev/null || true
[ "$(free_kb)" -lt 16 ] || fail "the disk did not fill"
sleep 3
[ "$(alive "$run")" = true ] || fail "a full disk ended the runner: $(tail -3 "$run/.tgmon/runner.log")"
[ "$(field "$run" 'v["counts"]["attempts"]')" = "$before" ] || fail "something started on a full disk"
expect 3 "$TGMON" pause "$run"
says "No space left"
rm "$small"/ballast?
wait_end "$run" 90
[ "$(field "$run" 'v["run"]["state"]')" = '"done"' ] || fail "the run did not end by itself: $(tail -5 "$run/.tgmon/runner.log")"
[ "$(gates "$run")" = "disk open" ] || fail "gate records: $(gates "$run")"
as_expected "$run"
expect 0 "$TGMON" verify "$run"
