"""Options of the black-box tests, which run the program against servers on 127.0.0.1.

    /usr/bin/python3 -m pytest tests/faults            the short form, about ten seconds a scenario
    /usr/bin/python3 -m pytest tests/faults --full     20,000 lines/s for 60 s each (or SIDELIGHT_FULL=1)

SIDELIGHT names the program under test (default build/release/sidelight).
"""

import os
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
for folder in ("faults", "components", "e2e/collectors"):
    sys.path.insert(0, str(TESTS / folder))


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", default=os.environ.get("SIDELIGHT_FULL", "") not in ("", "0"),
                     help="the long form: 20,000 lines/s for 60 s")


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
