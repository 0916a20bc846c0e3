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

RUN_PACKAGES=(git patch python3 bubblewrap ncurses-base ca-certificates util-linux)
BUILD_PACKAGES=(gcc libc6-dev make cmake pkg-config libncurses-dev libcjson-dev libgit2-dev libssl-dev libarchive-dev
	libyaml-dev libpcre2-dev libutf8proc-dev libtree-sitter-dev)
TEST_PACKAGES=(libcmocka-dev libvterm-dev clang tmux procps openssh-client)

say() { printf '== %s\n' "$*" >&2; }
part() { say "$* (after $SECONDS s)"; }
die() { # exit code, message
	printf 'bootstrap: %s\n' "$2" >&2
	exit "$1"
}

missing() {
	local p
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || printf '%s ' "$p"
	done
}

# Without a terminal nobody can type sudo's password.
sudo_works() { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
	command -v dpkg-query >/dev/null || { say "not a Debian system: install by hand what the README lists"; return 0; }
	local want log
	want=$(missing "$@")
	# The Python grammar comes through npm once; a folder that holds it already makes npm needless.
	if [ ! -e node_modules/tree-sitter-python/src/parser.c ] && [ -z "${TGMON_GRAMMAR_DIR:-}" ] &&
		! command -v npm >/dev/null; then
		want+=npm
	fi
	[ -n "${want// /}" ] || return 0
	if [ "$(id -u)" != 0 ] && ! sudo_works; then
		die 3 "packages are missing, and neither root nor sudo is at hand. As root: apt-get install -y --no-install-recommends $want"
	fi
	say "installing: $want"
	log=$(mktemp)
	# shellcheck disable=SC2086
	if ! as_root apt-get update -qq >"$log" 2>&1 || ! as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $want >>"$log" 2>&1; then
		grep -E '^(E|W):' "$log" | head -n 20 >&2 || tail -n 20 "$log" >&2
		die 3 "apt-get could not install: $want (all it said is in $log)"
	fi
	rm -f "$log"
}

configure() { # folder, further options; quiet unless it fails
	local dir=$1
	shift
	mkdir -p "$dir"
	cmake -S . -B "$dir" ${TGMON_GRAMMAR_DIR:+-DTGMON_GRAMMAR_DIR="$TGMON_GRAMMAR_DIR"} "$@" >"$dir/configure.log" ||
		die 1 "configuring $dir failed; all of it is in $dir/configure.log"
}

compile() { # folder, further options; quiet unless it fails
	local dir=$1 log=$1/compile.log
	shift
	if ! cmake --build "$dir" -j"$jobs" "$@" >"$log" 2>&1; then
		grep -E '(warning|error): |[*]{3}' -A 3 "$log" | head -n 60 >&2
		die 1 "the build in $dir failed; all of it is in $log"
	fi
}

build() {
	install_packages "${RUN_PACKAGES[@]}" "${BUILD_PACKAGES[@]}"
	say "building build/tgmon"
	configure build
	compile build --target tgmon
}

# One line whenever it changed, until the runner has gone.
wait_for_end() { # run directory
	local all line last=
	while all=$(build/tgmon status --json "$1"); do
		line=$(build/tgmon status "$1" | sed -n '/instances,/p')
		[ "$line" = "$last" ] || printf '%s\n' "$line" >&2
		last=$line
		[[ $all == *'"alive": true'* ]] || return 0
		sleep 2
	done
}

demo() {
	build
	local out=${TGMON_DEMO_DIR:-$top/build/demo} run code=0
	mkdir -p "$out"
	export TGMON_DATA=$top/data TGMON_RETRY_BASE_MS=${TGMON_RETRY_BASE_MS:-500}
	[ "$(locale charmap 2>/dev/null)" = UTF-8 ] || export LC_ALL=C.UTF-8
	local args=(--tag demo --workers 2 --timeout 15 --retries 1 --pace "${TGMON_DEMO_PACE:-0.4}" --output "$out")
	if [ -z "${CI:-}" ] && [ -t 0 ] && [ -t 1 ]; then
		run=$(build/tgmon run "${args[@]}" --detach)
		build/tgmon watch "$run"
		say "waiting for the run to end (closing the console does not stop it)"
	else
		run=$(TGMON_HEADLESS=1 build/tgmon run "${args[@]}" --detach)
	fi
	wait_for_end "$run"
	python3 scripts/check_demo.py build/tgmon "$run" data/expected.tsv || code=$?
	build/tgmon gate "$run" | tail -n 1 || true
	[ ! -e "$run/proof_bundle.tgz" ] || printf '%s\n' "$run/proof_bundle.tgz"
	return "$code"
}

# ctest's closing line is the last thing that a part prints, so what it leaves out is said before.
run_tests() {
	install_packages "${RUN_PACKAGES[@]}" "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
	local shared=${TGMON_SHARED:-$top/../shared}
	if [ ! -d "$shared/corpus" ]; then
		say "no $shared/corpus (TGMON_SHARED names another place): SKIPPED is what needs it, in"
		grep -rlE 'TGMON_SHARED|cm_shared\(|departures\.h' tests/unit tests/e2e --include='test_*.c' \
			--include='*.sh' | grep -v '/lib\.sh$' | sort | sed 's/^/     /' >&2
	fi
	part "gcc, warnings are errors"
	configure build -DTGMON_WERROR=ON
	compile build
	part "clang, warnings are errors"
	configure build-clang -DCMAKE_C_COMPILER=clang -DTGMON_WERROR=ON
	compile build-clang
	part "AddressSanitizer and UndefinedBehaviorSanitizer: unit tests"
	configure build-asan -DCMAKE_BUILD_TYPE=Debug -DTGMON_SANITIZE=ON
	compile build-asan
	ctest --test-dir build-asan --no-tests=error --output-on-failure -R '^unit\.' -j"$jobs"
	part "everything, as an operator uses it"
	# What is no unit test drives live processes against clocks; on a machine that others load, one that fails is tried
	# once more, and ctest's output shows both tries. What fails twice fails.
	ctest --test-dir build --no-tests=error --output-on-failure -R '^unit\.' -j"$jobs"
	ctest --test-dir build --no-tests=error --output-on-failure -E '^unit\.' -j"$jobs" --repeat until-pass:2
}

install_program() {
	local prefix=${PREFIX:-/usr/local} up
	build
	up=$prefix
	while [ ! -e "$up" ]; do up=$(dirname "$up"); done
	if [ -w "$up" ]; then
		cmake --install build --prefix "$prefix" >build/install.log
	else
		[ "$(id -u)" = 0 ] || sudo_works || die 3 "$prefix needs root; or give a folder of yours: PREFIX=\$HOME/.local $0 install"
		as_root cmake --install build --prefix "$prefix" >build/install.log
	fi
	say "installed $prefix/bin/tgmon, its data in $prefix/share/tgmon"
}

case "${1:-}" in
build) build ;;
demo) demo ;;
test) run_tests ;;
install) install_program ;;
*)
	sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
