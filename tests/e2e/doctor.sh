# tgmon doctor, and the same checks before tgmon run, over stand-in tools: a Python with modules named like
# the real ones (their config classes have 1.17's fields), a docker that answers. No model is called.
. "$(dirname "$0")/lib.sh"

bin=$WORK/bin modules=$WORK/modules
mkdir -p "$bin" "$modules"/{minisweagent/{agents,models,environments},swebench,yaml} "$WORK/config/mini-swe-agent" "$WORK/repos"
python=$(command -v python3)
export PATH=$bin:$PATH PYTHONPATH=$modules XDG_CACHE_HOME=$WORK/cache PYTHONDONTWRITEBYTECODE=1 CALLS=$WORK/calls
unset VIRTUAL_ENV TGMON_PYTHON ZAI_API_KEY MSWEA_MODEL_NAME MSWEA_MODEL_API_KEY MSWEA_COST_TRACKING

printf '#!%s\nprint("This is mini-swe-agent version 1.17.5.")\n' "$python" >"$bin/mini-extra"
cat >"$bin/docker" <<'END'
#!/bin/sh
case "$1 $2" in
"info --format") echo '{"ServerVersion":"27.1.1","OperatingSystem":"Debian","DockerRootDir":"/var/lib"}' ;;
"image ls") ls "$IMAGES_HERE" 2>/dev/null | tr % / ;;
"image inspect") echo 1000000000 ;;
"version "*) echo 27.1.1 ;;
"ps "*) ;;
*) exit 1 ;;
esac
END
chmod +x "$bin"/*

cat >"$modules/minisweagent/__init__.py" <<'END'
import os
__version__ = "1.17.5"
print("banner on standard output")
for line in open(os.path.join(os.environ["XDG_CONFIG_HOME"], "mini-swe-agent", ".env")):
    name, _, value = line.strip().partition("=")
    os.environ.setdefault(name, value)
END
touch "$modules/minisweagent/"{agents,models,environments}/__init__.py
cat >"$modules/minisweagent/agents/default.py" <<'END'
from dataclasses import dataclass
@dataclass
class AgentConfig:
    system_template: str = ""
    instance_template: str = ""
    timeout_template: str = ""
    format_error_template: str = ""
    action_observation_template: str = ""
    action_regex: str = ""
    step_limit: int = 0
    cost_limit: float = 3.0
END
cat >"$modules/minisweagent/models/litellm_model.py" <<'END'
from dataclasses import dataclass
@dataclass
class LitellmModelConfig:
    model_name: str
    model_kwargs: dict
    litellm_model_registry: str = ""
    set_cache_control: str = ""
    cost_tracking: str = "default"
END
cat >"$modules/minisweagent/environments/docker.py" <<'END'
from dataclasses import dataclass
@dataclass
class DockerEnvironmentConfig:
    image: str
    cwd: str = "/"
    env: dict = None
    forward_env: list = None
    timeout: int = 30
    executable: str = "docker"
    run_args: list = None
    container_timeout: str = "2h"
    pull_timeout: int = 120
END
echo '__version__ = "4.1.0"' >"$modules/swebench/__init__.py"
echo '__version__ = "6.0"' >"$modules/yaml/__init__.py"
cat >"$modules/litellm.py" <<'END'
import os
__version__ = "1.75"
class AuthenticationError(Exception):
    status_code = 401
class cost_calculator:
    @staticmethod
    def completion_cost(answer, model): return 0.000012
def get_model_info(name):
    if name != "zai/glm-4.6":
        raise Exception("not mapped")
    return {"input_cost_per_token": 6e-7, "output_cost_per_token": 2.2e-6}
def completion(model, messages, max_tokens, **kw):
    open(os.environ["CALLS"], "a").write("%s %d %r\n" % (model, max_tokens, sorted(kw)))
    if os.environ.get("DEAD"):
        raise AuthenticationError("Incorrect API key provided: " + os.environ["ZAI_API_KEY"])
    return object()
END

cat >"$WORK/good.yaml" <<'END'
agent:
  system_template: You are a programmer.
  instance_template: |
    {{task}}
    Submit: echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && git add -A && git diff --cached
  step_limit: 250
environment:
  cwd: /testbed
  pull_timeout: 1200
model:
  model_name: zai/glm-4.6
  model_kwargs: {temperature: 0.0}
END
echo 'ZAI_API_KEY=sk-do-not-show-me' >"$WORK/config/mini-swe-agent/.env"
export IMAGES_HERE=$WORK/images
mkdir -p "$IMAGES_HERE"
for i in brasswing__conftree-2 brasswing__conftree-4 northbay__ledgerlite-7; do
	touch "$IMAGES_HERE/swebench%sweb.eval.x86_64.${i/__/_1776_}:latest"
done
ask=(--config "$WORK/good.yaml" --model-id zai/glm-4.6 --dataset demo --slice :3 --output "$WORK")
line() { python3 -c 'import json,sys
d=json.loads(sys.argv[1])
assert d["schema"]=="tgmon.doctor.v1"
l=[c for c in d["checks"] if c["id"]==sys.argv[2]]
print(l[0]["state"], l[0]["text"], "->", l[0]["mend"]) if l else print("none")' "$OUT" "$1"; }
is() { case "$(line "$1")" in "$2"*) ;; *) fail "$1 is '$(line "$1")', expected '$2...'" ;; esac; }

# ---- a machine with which nothing is wrong
OUT=$("$TGMON" doctor "${ask[@]}" --json) || fail "exit code $? on a good machine: $OUT"
is python ok; is mini-swe-agent "ok version 1.17.5"; is swebench "ok version 4.1.0"; is containers "ok $bin/docker 27.1.1"
is config ok; is config-keys "ok every key is known to mini-swe-agent 1.17.5"; is cwd ok; is model-id ok
is keys "ok ZAI_API_KEY is set in $WORK/config/mini-swe-agent/.env"; is cost "ok 0.60 USD in"
is dataset "ok demo, split test"; is slice "ok :3: 3 instances"; is place ok
is repositories ok

# ---- the config that the runbook warns of (B, G2)
sed 's/model_name/model_id/; /cwd/d; /pull_timeout/d' "$WORK/good.yaml" >"$WORK/glm.yaml"
bad=(--config "$WORK/glm.yaml" --model-id zai/glm-4.6 --dataset demo --slice :3 --output "$WORK")
expect 2 "$TGMON" doctor "${bad[@]}"
says "model.model_id (did you mean model_name?)"; says "runbook B"
says "block 'environment:' is empty"
expect 2 "$TGMON" run "${bad[@]}" --detach
says "nothing was started"; says "--force"
ls -d "$WORK"/msa_* 2>/dev/null && fail "a refused run left a directory"

# ---- the key: by name, its value nowhere
got=0; OUT=$("$TGMON" doctor "${ask[@]}" --json 2>&1; "$TGMON" doctor "${ask[@]}" 2>&1) || got=$?
[ "$got" = 0 ] || fail "exit code $got"
grep -q sk-do-not <<<"$OUT" && fail "a key's value was shown"
mv "$WORK/config/mini-swe-agent/.env" "$WORK/env.aside"; touch "$WORK/config/mini-swe-agent/.env"
expect 3 "$TGMON" doctor "${ask[@]}"
says "needs ZAI_API_KEY"; says "mini-extra config set ZAI_API_KEY"
mv "$WORK/env.aside" "$WORK/config/mini-swe-agent/.env"

# ---- a live call: asked first, one token, its cost; a dead key is no secret told
expect 0 "$TGMON" doctor "${ask[@]}" --ping </dev/null
says "at most 0.00001"; says "Not called"
[ ! -e "$CALLS" ] || fail "it was called without leave"
expect 0 "$TGMON" doctor "${ask[@]}" --ping --yes
says "the call cost 0.000012 USD"
[ "$(cat "$CALLS")" = "zai/glm-4.6 1 ['num_retries', 'temperature', 'timeout']" ] || fail "the call: $(cat "$CALLS")"
expect 3 env DEAD=1 "$TGMON" doctor "${ask[@]}" --ping --yes
says "refuses the key (AuthenticationError)"
grep -q sk-do-not <<<"$OUT" && fail "the provider's words held the key"

# ---- tools that are missing
expect 3 env PYTHONPATH=/nowhere "$TGMON" doctor "${ask[@]}"
says "cannot import minisweagent"; says "pip install"
printf '#!/bin/sh\nsleep 60\n' >"$bin/docker"
expect 3 "$TGMON" doctor "${ask[@]}"
says "no answer within 5 s"

# ---- repeats that are none (F): a run of the same name with another config stands there
expect 0 "$TGMON" run --dry-run --tag glm_r2 --slice :1 --output "$WORK"
run=$("$TGMON" run --tag glm_r1 --slice :1 --pace 0 --output "$WORK" --detach 2>/dev/null)
wait_end "$run" 60
expect 2 "$TGMON" run --tag glm_r1 --slice :1 --pace 0 --output "$WORK" --detach
says "the very same tag"
expect 2 "$TGMON" run --tag glm_r2 --slice :2 --pace 0 --output "$WORK" --detach
says "another slice"

# ---- glued commands (G1)
expect 2 "$TGMON" run --slice :1 --output "$WORK/runmini-extra" --detach
says "glued together"

# ---- a data set by name, through the user's Python; its ids in mini-extra's order
lite=$TGMON_SHARED/corpus/swebench-lite/lite.jsonl.xz
[ -r "$lite" ] || { echo "the real rows are not here ($lite): the rest is skipped"; exit 0; }
export LITE=$lite
cat >"$modules/datasets.py" <<'END'
import json, lzma, os
def load_dataset(name, split):
    assert (name, split) == ("princeton-nlp/SWE-Bench_Lite", "test"), (name, split)
    return [json.loads(l) for l in lzma.open(os.environ["LITE"], "rt", encoding="utf-8")]
END
for slice in 50:100 0:5 -7: ::37 ::-100 290:400; do
	"$TGMON" run --dry-run --dataset lite --slice="$slice" --agent replay --evaluator local --output "$WORK" \
		>"$WORK/ids" 2>"$WORK/plan" || true
	python3 - "$slice" "$lite" "$WORK/ids" <<'END' || fail "--slice $slice: $(cat "$WORK/plan")"
import json, lzma, sys
rows = [json.loads(l) for l in lzma.open(sys.argv[2], "rt", encoding="utf-8")]
want = rows[slice(*[int(x) if x else None for x in sys.argv[1].split(":")])]
assert [r["instance_id"] for r in want] == open(sys.argv[3]).read().split(), sys.argv[1]
END
done
grep -q "lite_test.jsonl (300 rows" "$WORK/plan" || fail "the plan: $(cat "$WORK/plan")"
rm "$modules/datasets.py" # cached by now
"$TGMON" run --dry-run --dataset lite --slice :1 --agent replay --evaluator local --output "$WORK" >"$WORK/ids" 2>&1 || true
grep -q astropy__astropy-12907 "$WORK/ids" || fail "not from the cache: $(cat "$WORK/ids")"
echo "doctor: every line as expected"
