# A rerun destroys nothing and inflates nothing: which attempt counts was frozen at launch.
. "$(dirname "$0")/lib.sh"
need_sandbox
run=$(demo_start --retries 0)
wait_end "$run" 150
resolved=$(field "$run" 'v["counts"]["resolved"]')
old_bundle=$(sha256sum <"$run/proof_bundle.tgz")
infra=tidepool__cronette-3 unresolved=quillworks__slugger-15 empty=brasswing__conftree-2
[ "$(field "$run" "row('$infra')['outcome']")" = '"infra"' ] || fail "$infra did not fail by infrastructure"
[ "$(field "$run" "row('$unresolved')['evaluation']['status']")" = '"UNRESOLVED"' ] || fail "$unresolved"
# one key: the failed ones, of which UNRESOLVED is none
expect 2 "$TGMON" rerun "$run" no__such-1
# the infrastructure failure by its key in the console, on a terminal: find the row, press r
cat >"$WORK/press.py" <<'P'
import os, sys
sys.path.insert(0, os.path.join(os.environ["TGMON_SOURCE"], "tests", "e2e"))
from screen import Terminal
tgmon, run, iid = sys.argv[1:4]
t = Terminal([tgmon, "watch", run], rows=30, cols=140)
assert t.wait_text(iid, 10), t.text()
t.key("/" + iid.split("__")[1] + "\r")
assert t.wait_text(r"\u25b8 " + iid, 10) or iid in t.text(), t.text()
t.key("r")
assert t.wait_text(r"running|starting|queued|rerun", 15), t.text()
assert t.wait_text(r"2/2", 60), t.text()
t.key("q")
code = t.wait()
assert code == 0, code
P
python3 "$WORK/press.py" "$TGMON" "$run" "$infra" || fail "r did not rerun $infra"
wait_end "$run" 150
[ "$(field "$run" "row('$infra')['attempts']")" = 2 ] || fail "$infra: r made no second attempt"
expect 0 "$TGMON" rerun "$run" "$unresolved" "$empty"
wait_end "$run" 150
[ "$(field "$run" 'v["complete"]')" = true ] || fail "not complete after the rerun"
[ "$(field "$run" 'v["counts"]["resolved"]')" = $((resolved + 1)) ] || fail "only the infrastructure failure may count: $(status "$run")"
for i in "$unresolved" "$empty"; do
	[ "$(field "$run" "row('$i')['attempt']")" = 1 ] || fail "$i: attempt 1 counts"
	[ "$(field "$run" "row('$i')['attempts']")" = 2 ] || fail "$i: two attempts"
	[ "$(field "$run" "row('$i')['latest']['evaluation']['resolved']")" = true ] || fail "$i: resolved on attempt 2"
done
[ "$(field "$run" "row('$infra')['attempt']")" = 2 ] || fail "$infra: attempt 2 counts"
[ "$(field "$run" "row('$infra')['evaluation']['resolved']")" = true ] || fail "$infra: resolved"
for n in 001 002; do
	[ -e "$run/.tgmon/attempts/$infra/$n/exit.json" ] || fail "attempt $n of $infra is gone"
done
grep -rlF "${old_bundle%% *}" "$run/proof_manifest.json" >/dev/null || fail "the manifest does not name the earlier bundle"
[ "$(sha256sum <"$run"/proof/1/proof_bundle.tgz)" = "$old_bundle" ] || fail "the earlier bundle was not kept"
expect 0 "$TGMON" verify "$run/proof_bundle.tgz"
# everything that still has no usable patch is one key away
failed=$(field "$run" 'v["counts"]["failed"]')
expect 0 "$TGMON" rerun "$run" --failed
says "$failed instance"
wait_end "$run" 150
[ "$(field "$run" 'v["counts"]["resolved"]')" = $((resolved + 1)) ] || fail "the headline moved"
