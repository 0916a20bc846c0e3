# The program stands on the libraries that it names, and uses each of them.
. "$(dirname "$0")/lib.sh"
for tool in ldd nm; do command -v "$tool" >/dev/null || skip "no $tool"; done
ldd "$TGMON" >"$WORK/ldd"
nm -D --undefined-only "$TGMON" | awk '{sub(/@.*/, "", $2); print $2}' | sort -u >"$WORK/wanted"
for name in ncursesw cjson git2 crypto archive; do
	path=$(awk -v lib="lib$name.so" 'index($1, lib) == 1 { print $3 }' "$WORK/ldd")
	[ -n "$path" ] || fail "ldd does not name lib$name"
	nm -D --defined-only "$path" | awk '{sub(/@.*/, "", $3); print $3}' | sort -u >"$WORK/given"
	used=$(comm -12 "$WORK/wanted" "$WORK/given" | wc -l)
	[ "$used" -gt 0 ] || fail "lib$name is linked and not used"
	echo "lib$name: $used of its functions and objects are used"
done
