"""Ports for servers of the tests, which several test runs on one machine do not take from each other."""

import fcntl
import os
import pathlib
import random
import socket
import tempfile

# Below those that the kernel gives to outgoing connections, so that a server that is slow to start, or starts again, still finds its own.
RANGE = range(20000, 32000)

_held = {}  # by port, the locked file that keeps it ours until this process ends


def free_port():
    """A port that nobody listens on and that no other test process was given. Never the same one twice."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"sidelight-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    while True:
        port = random.choice(RANGE)
        if port in _held:
            continue
        lock = open(folder / str(port), "w")  # noqa: SIM115 - open as long as the port is ours
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _held[port] = lock
        return port
