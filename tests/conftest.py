"""Options of the black-box tests, which run the program against servers on 127.0.0.1.

    /usr/bin/python3 -m pytest tests/faults            the short form, about ten seconds a scenario
    /usr/bin/python3 -m pytest tests/faults --full     20,000 lines/s for 60 s each (or SIDELIGHT_FULL=1)

SIDELIGHT names the program under test (default build/release/sidelight). In continuous integration (CI=true) a test that would be
skipped for want of something fails.
"""

import os
import pathlib
import re
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
for folder in ("faults", "components", "e2e/collectors"):
    sys.path.insert(0, str(TESTS / folder))

# Skips that want nothing: what --full runs, and what the engine, the kernel or the hour of the machine does not have.
NOTHING_IS_WANTED = re.compile(r"--full|this build of the engine|is built without|control groups|no cgroup v2|the day ends|no package has")


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", default=os.environ.get("SIDELIGHT_FULL", "") not in ("", "0"),
                     help="the long form: 20,000 lines/s for 60 s")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2]
        if not NOTHING_IS_WANTED.search(reason):
            report.outcome = "failed"
            report.longrepr = f"not skipped in continuous integration: {reason}"


@pytest.fixture(scope="session")
def full(request):
    return request.config.getoption("--full")


@pytest.fixture(scope="session")
def program():
    """The program under test. It is an error, not a skip, when it is missing."""
    path = pathlib.Path(os.environ.get("SIDELIGHT", TESTS.parent / "build" / "release" / "sidelight"))
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is missing: ./quickstart --build-only builds it", pytrace=False)
    return str(path)
