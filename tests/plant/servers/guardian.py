"""Ends the servers of a plant whose process was killed: a process of its own, told of each server by a pipe that breaks with the plant.

    guardian.py     reads "pid start-time" lines; at the end of its input kills those process groups that are the same processes still
"""

import os
import pathlib
import signal
import subprocess
import sys


def start_time(pid):
    """When the process began, in clock ticks since boot; "" when there is none. A pid alone may be another process by now."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()[19]
    except OSError:
        return ""


class Guardian:
    def __init__(self):
        # In a session of its own: Ctrl-C on the terminal is for the plant.
        self._process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, start_new_session=True, cwd="/")

    def watch(self, pid):
        self._process.stdin.write(f"{pid} {start_time(pid)}\n".encode())
        self._process.stdin.flush()

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def main():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    told = [line.split() for line in sys.stdin]
    for pid, began in (entry for entry in told if len(entry) == 2):
        if start_time(pid) == began:
            try:
                os.killpg(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass


if __name__ == "__main__":
    main()
