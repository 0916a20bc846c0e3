"""What the user's own Python has: one JSON line after a marker. Called with a JSON object on standard
input: model_name, model_class, registry. Nothing is called, no key is read."""
import dataclasses
import importlib
import importlib.metadata
import json
import os
import sys

os.environ.setdefault("MSWEA_SILENT_STARTUP", "1")
PACKAGES = {"minisweagent": "mini-swe-agent", "swebench": "swebench", "yaml": "PyYAML", "datasets": "datasets",
            "litellm": "litellm"}


def package(name):
    try:
        module = importlib.import_module(name)
    except BaseException as e:  # an import can end in anything, SystemExit included
        return {"error": "%s: %s" % (type(e).__name__, str(e).split("\n")[0][:200])}
    version = getattr(module, "__version__", None)
    if not isinstance(version, str):
        try:
            version = importlib.metadata.version(PACKAGES[name])
        except Exception:
            version = "?"
    return {"version": version}


def fields(cls):
    if dataclasses.is_dataclass(cls):
        return [f.name for f in dataclasses.fields(cls)]
    return list(getattr(cls, "model_fields", None) or getattr(cls, "__fields__", None) or []) or None


def accepted(module, name):
    try:
        return fields(getattr(importlib.import_module(module), name))
    except Exception:
        return None


def model_config(model_class):
    """The config class of a model class, short name or dotted path, as the agent itself finds it."""
    if model_class in ("", "litellm"):
        return accepted("minisweagent.models.litellm_model", "LitellmModelConfig")
    try:
        from minisweagent.models import get_model_class

        cls = get_model_class("any", model_class)
        module = importlib.import_module(cls.__module__)
        return fields(getattr(module, cls.__name__ + "Config"))
    except Exception:
        return None


def price(name, registry):
    """USD per token in and out as litellm knows them, or None."""
    try:
        import litellm

        if registry and os.path.exists(registry):
            with open(registry, encoding="utf-8") as f:
                litellm.utils.register_model(json.load(f))
        known = litellm.get_model_info(name)
        return [known["input_cost_per_token"], known["output_cost_per_token"]]
    except AttributeError:
        return None  # a litellm that cannot say
    except Exception:
        return []


def main():
    asked = json.load(sys.stdin)
    out = {"python": "%d.%d.%d" % sys.version_info[:3], "venv": sys.prefix != sys.base_prefix,
           "packages": {name: package(name) for name in PACKAGES}}
    if "version" in out["packages"]["minisweagent"]:
        out["accepted"] = {
            "agent": accepted("minisweagent.agents.default", "AgentConfig"),
            "model": model_config(asked.get("model_class") or ""),
            "environment": accepted("minisweagent.environments.docker", "DockerEnvironmentConfig"),
        }
    if asked.get("model_name") and "version" in out["packages"]["litellm"]:
        out["price"] = price(asked["model_name"], asked.get("registry"))
    sys.stdout.write("\nTGMON-FACTS " + json.dumps(out) + "\n")


main()
