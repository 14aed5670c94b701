"""Grafana's own types and lists, from npm, kept in build/grafana-types; a test that cannot have them says why."""

import functools
import hashlib
import json
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent / "grafana_types"
BUILT = HERE.parents[2] / "build" / "grafana-types"


def _run(*command, timeout=300):
    done = subprocess.run(command, cwd=BUILT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:2])}: {done.stdout.strip()[-500:]}")
    return done.stdout


@functools.cache
def _made():
    """Installs and generates once; returns the reason why it cannot be done, "" if it can."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    sources = sorted(HERE.iterdir())
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sources)).hexdigest()
    stamp = BUILT / "made"
    if stamp.exists() and stamp.read_text() == digest:
        return ""
    BUILT.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copy(source, BUILT)
    try:
        # Two Grafanas side by side want two Reacts; only their lists are read.
        _run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps")
    except (RuntimeError, subprocess.TimeoutExpired) as e:
        return f"Grafana's types cannot be installed: {e}"
    _run("node", "make_schemas.cjs")
    # Bundled, since the Node of Debian 12 cannot require the modules that Grafana's data package requires.
    _run(str(BUILT / "node_modules" / ".bin" / "esbuild"), "lists.cjs", "--bundle", "--platform=node", "--log-level=error",
         "--outfile=lists_bundle.cjs")
    _run("node", "lists_bundle.cjs")
    stamp.write_text(digest)
    return ""


def need():
    reason = _made()
    if reason:
        pytest.skip(reason)


def validate(paths):
    """{path: [problem]}"""
    need()
    done = subprocess.run(["node", str(BUILT / "validate.cjs"), *map(str, paths)], stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return {pathlib.Path(path): problems for path, problems in json.loads(done.stdout).items()}


def lists():
    """{"units": [...], "reducers": [...], "transformations": [...]} that both Grafana 9.3 and today's know."""
    need()
    return json.loads((BUILT / "lists.json").read_text())
