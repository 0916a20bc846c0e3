# Shared by the swebench tests: a fake harness and a fake docker, each with a folder of its own.
. "$(dirname "$0")/lib.sh"
export TGMON_FAKE_DOCKER=$WORK/docker TGMON_FAKE_SWEBENCH=$WORK/harness
mkdir -p "$TGMON_FAKE_DOCKER/containers" "$TGMON_FAKE_DOCKER/images" "$TGMON_FAKE_SWEBENCH"
export PYTHONPATH=$TGMON_SOURCE/tests/tools/fake-swebench PATH=$TGMON_SOURCE/tests/tools/fake-docker:$PATH
unset VIRTUAL_ENV DOCKER_HOST
export PYTHONDONTWRITEBYTECODE=1

plan() { cat >"$TGMON_FAKE_SWEBENCH/plan.json"; }
boxes() { ls "$TGMON_FAKE_DOCKER/containers" | wc -l; }
no_boxes() { [ "$(boxes)" = 0 ] || fail "containers were left: $(ls "$TGMON_FAKE_DOCKER/containers")"; }
evaluation() { field "$1" "row('$2')['evaluation']['status']" | tr -d '"'; }
# is RUN ID WANT
is() { [ "$(evaluation "$1" "$2")" = "$3" ] || fail "$2 is $(evaluation "$1" "$2"), expected $3"; }
