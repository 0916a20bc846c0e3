# A batch graded through a harness (a fake of each generation): the outcomes, forged logs, what is
# left behind, and that the row says what happens.
. "$(dirname "$0")/lib_swebench.sh"
need_sandbox
start() { # VERSION further options
	TGMON_FAKE_SWEBENCH_VERSION=$1 "$TGMON" run --tag swe --slice :4 --workers 2 --pace 0.01 \
		--evaluator swebench --eval-timeout 4 --output "$WORK" --detach "${@:2}"
}
for version in 4.1.0 5.0.2; do
	export TGMON_FAKE_SWEBENCH_VERSION=$version
	plan <<'P'
{"quillworks__slugger-12": {"end": "resolved", "forge": true},
 "quillworks__slugger-15": {"end": "unresolved", "forge": true, "tests_s": 4},
 "quillworks__slugger-19": {"end": "timeout", "stop_s": 1},
 "quillworks__slugger-21": {"end": "apply_failed", "forge": true}}
P
	: >"$TGMON_FAKE_SWEBENCH/starts"
	run=$(start $version)
	seen=no
	for ((i = 0; i < 100; i++)); do
		case "$(field "$run" "[r['doing'] for r in v['instances'] if r['state'] in ('scan', 'evaluate')]")" in
		*'testing 0:0'*) seen=yes ;;
		esac
		[ "$(alive "$run")" = true ] || break
		sleep 0.2
	done
	wait_end "$run" 60
	is "$run" quillworks__slugger-12 RESOLVED
	is "$run" quillworks__slugger-15 UNRESOLVED
	is "$run" quillworks__slugger-19 TIMEOUT
	is "$run" quillworks__slugger-21 PATCH_APPLY_FAILED
	[ "$seen" = yes ] || fail "the row of an evaluation never said that it tests"
	no_boxes
	[ "$(wc -l <"$TGMON_FAKE_SWEBENCH/starts")" = 4 ] || fail "not one harness an instance"
	[ "$(field "$run" 'v["complete"]')" = true ] || fail "not complete"
	expect 0 "$TGMON" verify "$run"
	grep -q 'the patch does not apply' "$run"/.tgmon/attempts/*21/001/evaluate.1/result.json || fail "no reason"
	# the patch that was graded, byte for byte, and no result came 15 s late
	python3 - "$run" <<'P'
import glob, hashlib, json, sys
for d in glob.glob(sys.argv[1] + "/.tgmon/attempts/*/001/evaluate.1"):
    r = json.load(open(d + "/result.json"))
    b = open(d + "/work/patch.diff", "rb").read()
    assert hashlib.sha256(b).hexdigest() == r["sum"]["patch_sha256"], d
    assert open(d + "/../extract.1/work/patch.diff", "rb").read() == b, d
    x = json.load(open(d + "/exit.json"))
    assert x["ended_ms"] - x["started_ms"] < 13000, (d, x)
    assert not [f for f in r["files"] if f["path"].startswith(("logs/", "progress"))], r["files"]
tools = {t["name"]: t for t in json.load(open(sys.argv[1] + "/.tgmon/run.json"))["tools"]}
assert tools["swebench"]["path"].startswith("/") and tools["docker"]["path"].startswith("/")
P
done
echo "both generations: four outcomes each, no container left"
