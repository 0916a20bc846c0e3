"""A stand-in for the SWE-bench harness in tests: the files, the log lines and the faults that its two
generations are known for, without containers. $TGMON_FAKE_SWEBENCH_VERSION says which it is."""
import os

__version__ = os.environ.get("TGMON_FAKE_SWEBENCH_VERSION", "5.0.2")
