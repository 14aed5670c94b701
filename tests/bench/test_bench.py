"""The benchmark as a test: each target of bench.py is met. About six minutes; see README.md."""

import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent


@pytest.mark.parametrize("part", ["speed", "redaction", "idle", "memory", "latency"])
def test_targets_are_met(program, part):
    result = subprocess.run([sys.executable, str(HERE / "bench.py"), "--only", part], capture_output=True, text=True, check=False)
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
