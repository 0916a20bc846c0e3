# Where the sandbox cannot start, nothing is launched and the message names the one line that mends it.
. "$(dirname "$0")/lib.sh"
mkdir "$WORK/bin" "$WORK/out"
for tool in git patch python3 setpriv unshare prlimit; do
	ln -s "$(command -v "$tool")" "$WORK/bin/$tool"
done
refused() { # what mends it, how it is started...
	local mend=$1
	shift
	expect 3 "$@" "$TGMON" run --tag words --output "$WORK/out"
	says "$mend"
	[ -z "$(ls -A "$WORK/out")" ] || fail "a run directory was made: $(ls "$WORK/out")"
}
refused "apt-get install bubblewrap" env PATH="$WORK/bin"
# bubblewrap's own words where a container's filter forbids namespaces
cat >"$WORK/bin/bwrap" <<'B'
#!/bin/sh
echo "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces." >&2
exit 1
B
chmod +x "$WORK/bin/bwrap"
refused "--security-opt seccomp=unconfined" env PATH="$WORK/bin"
# the kernel's own limit, set in a namespace that ends with the test
if unshare -Ur true 2>/dev/null; then
	refused "sysctl -w user.max_user_namespaces=10000" unshare -Urpf --mount-proc \
		sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh
else
	echo "SKIPPED in part: no user namespace can be made here, so none can be forbidden"
fi
# Root in a container: few processes, so that a process number of the sandbox means nobody outside.
if [ "$(id -u)" = 0 ] && unshare -pf --mount-proc bwrap --unshare-all --ro-bind / / true 2>/dev/null; then
	expect 0 unshare -pf --mount-proc "$TGMON" run --dry-run --output "$WORK/out"
fi
