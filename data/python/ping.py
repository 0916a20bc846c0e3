"""One call of one token, as the agent would make it: its key comes from the environment or from
mini-swe-agent's own .env. A JSON object on standard input: model_name, model_class, model_kwargs.
What the provider says is not passed on: it may quote a key."""
import json
import os
import sys

os.environ.setdefault("MSWEA_SILENT_STARTUP", "1")
os.environ["MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT"] = "1"


def call(asked):
    import minisweagent  # noqa: F401  (loads the .env, as it does for the agent)

    kwargs = dict(asked.get("model_kwargs") or {}, max_tokens=1)
    message = [{"role": "user", "content": "1"}]
    if (asked.get("model_class") or "litellm").startswith("litellm"):
        import litellm

        answer = litellm.completion(model=asked["model_name"], messages=message, num_retries=0, timeout=60,
                                    **kwargs)
        try:
            return litellm.cost_calculator.completion_cost(answer, model=asked["model_name"])
        except Exception:
            return None
    from minisweagent.models import get_model

    model = get_model(asked["model_name"], {"model_class": asked["model_class"], "model_kwargs": kwargs})
    model.query(message)
    return getattr(model, "cost", None)


def main():
    try:
        out = {"ok": True, "cost": call(json.load(sys.stdin))}
    except BaseException as e:
        status = getattr(e, "status_code", None)
        out = {"ok": False, "error": type(e).__name__, "status": status if isinstance(status, int) else None}
    sys.stdout.write("\nTGMON-PING " + json.dumps(out) + "\n")


main()
