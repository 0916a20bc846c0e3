# Installed into a folder of its own, the program finds its data beside itself and runs from there.
. "$(dirname "$0")/lib.sh"
build=$(dirname "$TGMON")
command -v cmake >/dev/null || skip "no cmake"
[ -e "$build/cmake_install.cmake" ] || skip "$TGMON does not lie in a build folder"
expect 0 cmake --install "$build" --prefix "$WORK/prefix"
unset TGMON_DATA
tgmon=$WORK/prefix/bin/tgmon
[ -x "$tgmon" ] || fail "no $tgmon"
for name in demo.jsonl expected.tsv policy/default_policy.yaml rules/python.yaml themes/default.theme; do
	[ -e "$WORK/prefix/share/tgmon/$name" ] || fail "not installed: share/tgmon/$name"
done
[ -s "$WORK/prefix/share/man/man1/tgmon.1" ] || fail "no man page"
grep -q "^.B tgmon run" "$WORK/prefix/share/man/man1/tgmon.1" || fail "the man page does not list the commands"
( . "$WORK/prefix/share/bash-completion/completions/tgmon" && COMP_WORDS=(tgmon ver) COMP_CWORD=1 && _tgmon && [ "${COMPREPLY[*]}" = verify ] ) || fail "the completion does not complete"
need_sandbox
expect 1 "$tgmon" run --headless --slice 4:5 --tag installed --pace 0.01 --output "$WORK/out"
says "gate FAIL"
run=$(echo "$WORK"/out/msa_installed_*)
path=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1] + "/.tgmon/run.json"))["dataset"]["path"])' "$run")
[ "$path" = "$WORK/prefix/share/tgmon/demo.jsonl" ] || fail "the data set came from $path"
expect 0 "$tgmon" verify "$run/proof_bundle.tgz"
