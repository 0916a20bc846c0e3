#!/usr/bin/env bash
# Everything from a fresh Debian or Ubuntu: installs what is missing, builds, and then
#   scripts/bootstrap.sh build     only that
#   scripts/bootstrap.sh demo      runs the embedded batch end to end (no Docker, no keys, no network)
#   scripts/bootstrap.sh test      builds with gcc and clang and runs all tests, also under sanitizers
#   scripts/bootstrap.sh install   installs into $PREFIX (/usr/local)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
top=$PWD
jobs=$(nproc)

RUN_PACKAGES=(git patch python3 bubblewrap ncurses-base ca-certificates)
BUILD_PACKAGES=(gcc libc6-dev make cmake pkg-config libncurses-dev libcjson-dev libgit2-dev libssl-dev libarchive-dev
	libyaml-dev libpcre2-dev libutf8proc-dev libtree-sitter-dev libcmocka-dev libvterm-dev)
TEST_PACKAGES=(clang libclang-rt-14-dev tmux jq python3-pil procps util-linux)

say() { printf '== %s\n' "$*" >&2; }

missing() {
	local p
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || printf '%s ' "$p"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"
	else
		echo "bootstrap: root is needed for: $*" >&2
		exit 3
	fi
}

install_packages() {
	command -v dpkg-query >/dev/null || { say "not a Debian system: install by hand what the README lists"; return 0; }
	local want
	want=$(missing "$@")
	# The Python grammar comes through npm once; a folder that holds it already makes npm needless.
	if [ ! -e node_modules/tree-sitter-python/src/parser.c ] && [ -z "${TGMON_GRAMMAR_DIR:-}" ] &&
		! command -v npm >/dev/null; then
		want="$want npm"
	fi
	# The sanitizers' runtime follows the version of clang that this release has.
	case "$want" in *libclang-rt-14-dev*)
		apt-cache show libclang-rt-14-dev >/dev/null 2>&1 || want=${want/libclang-rt-14-dev/} ;;
	esac
	[ -n "${want// /}" ] || return 0
	say "installing: $want"
	as_root apt-get update -qq
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $want >/dev/null
}

configure() { # folder, further options
	local dir=$1
	shift
	cmake -S . -B "$dir" ${TGMON_GRAMMAR_DIR:+-DTGMON_GRAMMAR_DIR="$TGMON_GRAMMAR_DIR"} "$@" >/dev/null
}

compile() { # folder, further options; quiet unless it fails
	local dir=$1 log=$1/compile.log
	shift
	if ! cmake --build "$dir" -j"$jobs" "$@" >"$log" 2>&1; then
		grep -E 'warning|error|\*\*\*' -A 3 "$log" | head -n 60 >&2
		echo "bootstrap: the build in $dir failed; all of it is in $log" >&2
		exit 1
	fi
}

build() {
	install_packages "${RUN_PACKAGES[@]}" "${BUILD_PACKAGES[@]}"
	configure build
	compile build --target tgmon
}

demo() {
	build
	local out=${TGMON_DEMO_DIR:-$top/build/demo} run code=0
	mkdir -p "$out"
	export TGMON_DATA=$top/data TGMON_RETRY_BASE_MS=${TGMON_RETRY_BASE_MS:-500}
	local args=(--tag demo --workers 2 --timeout 15 --retries 1 --pace "${TGMON_DEMO_PACE:-0.4}" --output "$out")
	run=$(build/tgmon run "${args[@]}" --detach)
	say "run directory: $run"
	if [ -z "${CI:-}" ] && [ -t 0 ] && [ -t 1 ]; then
		build/tgmon watch "$run"
		say "waiting for the run to end (the console may be closed, the run is not)"
	fi
	while build/tgmon status --json "$run" | grep -q '"alive": true'; do
		build/tgmon status "$run" | sed -n '/instances,/p' >&2
		sleep 3
	done
	python3 scripts/check_demo.py build/tgmon "$run" data/expected.tsv || code=$?
	build/tgmon gate "$run" | tail -n 1
	printf '%s\n' "$run/proof_bundle.tgz"
	return "$code"
}

run_tests() {
	install_packages "${RUN_PACKAGES[@]}" "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
	say "gcc, warnings are errors"
	configure build -DTGMON_WERROR=ON
	compile build
	say "clang, warnings are errors"
	configure build-clang -DCMAKE_C_COMPILER=clang -DTGMON_WERROR=ON
	compile build-clang
	say "AddressSanitizer and UndefinedBehaviorSanitizer: unit tests"
	configure build-asan -DCMAKE_BUILD_TYPE=Debug -DTGMON_SANITIZE=ON
	compile build-asan
	ctest --test-dir build-asan --no-tests=error --output-on-failure -R '^unit\.' -j"$jobs"
	say "everything, as an operator uses it"
	ctest --test-dir build --no-tests=error --output-on-failure -j"$jobs"
}

case "${1:-}" in
build) build ;;
demo) demo ;;
test) run_tests ;;
install)
	build
	as_root cmake --install build --prefix "${PREFIX:-/usr/local}"
	;;
*)
	sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
