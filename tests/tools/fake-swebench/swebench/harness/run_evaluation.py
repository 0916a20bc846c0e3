"""Plays one evaluation. $TGMON_FAKE_SWEBENCH/plan.json says per instance how it ends:

    {"<iid>": {"end": "resolved" | "unresolved" | "apply_failed" | "timeout" | "crash" | "hang" |
                      "no_log" | "other_patch",
               "tests_s": 0.3, "stop_s": 15, "forge": false}}

forge: lines of the harness's own form stand in what the patch can print. A container is a file in
the fake docker's folder. Every start is appended to $TGMON_FAKE_SWEBENCH/starts."""
import argparse
import json
import os
import pathlib
import resource
import sys
import time
import traceback

import swebench

GENERATION = int(swebench.__version__.split(".")[0])
LADDER = {
    4: ["git apply --verbose", "git apply --verbose --reject", "patch --batch --fuzz=5 -p1 -i"],
    5: ["git apply --verbose", "git apply --verbose --3way", "git apply --verbose --reject",
        "patch --batch --forward --fuzz=5 -p1 -i"],
}[GENERATION]
BOXES = pathlib.Path(os.environ["TGMON_FAKE_DOCKER"]) / "containers"
HOME = pathlib.Path(os.environ["TGMON_FAKE_SWEBENCH"])
FORGED = ("2026-01-01 00:00:00,000 - INFO - {0}\n")


class EvaluationError(Exception):
    pass


class Log:
    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def say(self, text, level="INFO"):
        now = time.time()
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        self.file.write(f"{stamp},{int(now * 1000) % 1000:03d} - {level} - {text}\n")
        self.file.flush()


def create_box(iid, run_id, log):
    name = f"sweb.eval.{iid.lower()}.{run_id}"
    log.say(f"Creating container for {iid}...")
    BOXES.mkdir(parents=True, exist_ok=True)
    if (BOXES / name).exists():
        if GENERATION == 5:
            (BOXES / name).unlink()
            log.say(f"Removed existing container {name}")
        else:
            text = (f'409 Client Error: Conflict ("Conflict. The container name "/{name}" is '
                    'already in use by container "0123")')
            log.say(f"Error creating container for {iid}: {text}", "ERROR")
            raise EvaluationError(text)
    (BOXES / name).touch()
    log.say(f"Container for {iid} created: {'0' * 64}")
    log.say(f"Container for {iid} started: {'0' * 64}")
    return name


def apply_failed(iid, log, forge):
    said = "patch unexpectedly ends in middle of line\n" \
           "patch: **** Only garbage was found in the patch input.\n"
    if forge:
        said = FORGED.format(">>>>> Applied Patch:") + said
    for rung in LADDER:
        log.say(f"Failed to apply patch to container: {rung}")
    log.say(f">>>>> Patch Apply Failed:\n{said}")
    if GENERATION == 4:  # its error prints itself again and again
        for _ in range(900):
            log.say("Traceback (most recent call last):\n  File \"run_evaluation.py\", line 182\n"
                    f"swebench.harness.utils.EvaluationError: {iid}: >>>>> Applied Patch:\n"
                    f"Result for {iid}: resolved: True\n" + "x" * 100)
    raise EvaluationError("patch")


def make_report(iid, row, end):
    names = {k: json.loads(row[k]) if isinstance(row[k], str) else row[k]
             for k in ("FAIL_TO_PASS", "PASS_TO_PASS")}
    good = end in ("resolved", "other_patch")
    status = {
        "FAIL_TO_PASS": {"success": names["FAIL_TO_PASS"] if good else [],
                         "failure": [] if good else names["FAIL_TO_PASS"]},
        "PASS_TO_PASS": {"success": names["PASS_TO_PASS"], "failure": []},
        "FAIL_TO_FAIL": {"success": [], "failure": []},
        "PASS_TO_FAIL": {"success": [], "failure": []},
    }
    one = {"patch_is_None": False, "patch_exists": True, "patch_successfully_applied": True,
           "resolved": good}
    if GENERATION == 5:
        one["infra_failure"] = False
    one["tests_status"] = status
    return {iid: one}


def run_instance(row, pred, run_id, timeout, plan):
    iid, end, forge = row["instance_id"], plan.get("end", "unresolved"), plan.get("forge", False)
    if GENERATION == 5:
        row["image"], row["eval_script"], row["log_parser"], row["eval_type"]
    folder = pathlib.Path("logs/run_evaluation") / run_id / \
        pred["model_name_or_path"].replace("/", "__") / iid
    if (folder / "report.json").exists():
        return print("1 instances already run, skipping...")
    if end == "no_log":
        raise KeyError("image")
    folder.mkdir(parents=True, exist_ok=True)
    log, box = Log(folder / "run_instance.log"), None
    try:
        box = create_box(iid, run_id, log)
        text = pred["model_patch"] + ("# not yours\n" if end == "other_patch" else "")
        (folder / "patch.diff").write_text(text)
        log.say(f"Intermediate patch for {iid} written to {folder}/patch.diff, now applying to "
                "container...")
        if end == "apply_failed":
            apply_failed(iid, log, forge)
        lies = "".join(FORGED.format(t) for t in (
            ">>>>> Patch Apply Failed:", f"Grading answer for {iid}...",
            f"Result for {iid}: resolved: True", f"Test timed out after {timeout} seconds."))
        log.say(">>>>> Applied Patch:\n" + (lies if forge else "Applied patch cleanly.\n"))
        log.say("Git diff before:\n" + text)
        (folder / "eval.sh").write_text(row.get("eval_script") or "#!/bin/bash\n")
        log.say(f"Eval script for {iid} written to {folder}/eval.sh; copying to container...")
        if end == "hang":
            time.sleep(3600)
        time.sleep(timeout if end == "timeout" else plan.get("tests_s", 0.3))
        log.say("Test runtime: 0.30 seconds")
        with open(folder / "test_output.txt", "w", encoding="utf-8") as f:
            f.write(">>>>> Start Test Output\n...\n>>>>> End Test Output\n")
            if forge:
                f.write(f"\n\nTimeout error: {timeout} seconds exceeded.")
            if end == "timeout":
                f.write(f"\n\nTimeout error: {timeout} seconds exceeded.")
                raise EvaluationError(f"Test timed out after {timeout} seconds.")
        if end == "crash":
            raise EvaluationError("'utf-8' codec can't decode byte 0xff")
        log.say("Git diff after:\n" + text)
        log.say(f"Grading answer for {iid}...")
        report = make_report(iid, row, end)
        log.say(f"report: {report}\nResult for {iid}: resolved: {report[iid]['resolved']}")
        body = json.dumps(report, indent=4)
        with open(folder / "report.json", "w", encoding="utf-8") as f:
            f.write(body[:len(body) // 2])  # a reader can see half of it
            f.flush()
            time.sleep(0.3)
            f.write(body[len(body) // 2:])
    except EvaluationError:
        log.say(traceback.format_exc())
    finally:
        if box:
            log.say(f"Attempting to stop container {box}...")
            time.sleep(plan.get("stop_s", 15))
            (BOXES / box).unlink(missing_ok=True)
            log.say(f"Container {box} stopped successfully.")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--dataset_name", required=True)
    p.add_argument("--split", default="test")
    p.add_argument("--predictions_path", required=True)
    p.add_argument("--instance_ids", nargs="+")
    p.add_argument("--run_id", required=True)
    p.add_argument("--max_workers", type=int, default=4)
    p.add_argument("--timeout", type=int, default=1800)
    p.add_argument("--open_file_limit", type=int, default=4096)
    if GENERATION == 4:
        p.add_argument("--cache_level", choices=["none", "base", "env", "instance"], default="env")
        p.add_argument("--namespace", default="swebench")
    a = p.parse_args()
    with open(HOME / "starts", "a", encoding="utf-8") as f:
        f.write(f"{a.instance_ids[0]} {a.run_id}\n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (a.open_file_limit, a.open_file_limit))
    plan = json.loads((HOME / "plan.json").read_text())
    rows = {r["instance_id"]: r for r in json.loads(pathlib.Path(a.dataset_name).read_text())}
    preds = json.loads(pathlib.Path(a.predictions_path).read_text())
    print(f"Running {len(a.instance_ids)} instances...")
    for pred in preds:
        iid = pred["instance_id"]
        if iid not in rows:
            raise ValueError(f"Some prediction IDs not found in dataset!\nMissing IDs:\n{iid}")
        if iid in a.instance_ids and pred["model_patch"]:
            run_instance(rows[iid], pred, a.run_id, a.timeout, plan.get(iid, {}))
    print("All instances run.")
    name = preds[0]["model_name_or_path"].replace("/", "__") + "." + a.run_id + ".json"
    pathlib.Path(name).write_text("{}")


if __name__ == "__main__":
    sys.exit(main())
