"""A server process: spawned, waited for, ended by its process id, started again in the same folder on the same ports."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

from ports import free_port


def accepts(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, seconds, what, process=None):
    """Polls until `condition` returns something true and returns that. Ends early when `process` has ended."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what}: the process ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class ServerProcess:
    """`begin` spawns and returns at once, so that servers start side by side; `ready` waits for the end of the start."""

    name = ""
    user = ""  # given up root for, by servers that refuse to run as root
    program = ""
    package = ""
    guardian = None

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.process = None
        self.output = self.folder / "output.txt"

    def missing(self):
        """Why the server cannot run here; "" when it can."""
        there = os.access(self.program, os.X_OK) if "/" in self.program else shutil.which(self.program, path="/usr/sbin:/usr/bin")
        return "" if there else f"{self.name} cannot be started: apt-get install {self.package}"

    def begin(self):
        raise NotImplementedError

    def ready(self, seconds=120):
        wait_until(self.is_ready, seconds, f"{self.name} on 127.0.0.1:{self.port} (its output: {self.output})", self.process)

    def is_ready(self):
        return accepts(self.port)

    def start(self):
        self.begin()
        self.ready()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, sig=signal.SIGTERM, patience=20):
        if not self.running():
            return
        self.process.send_signal(sig)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self):
        """SIGKILL for the server and its children."""
        if self.running():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    # -- for subclasses

    def as_user(self):
        if not self.user or os.geteuid() != 0:
            return []
        user = pwd.getpwnam(self.user)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]

    def make_folder(self, *parts):
        """A folder below ours that the server's user may write; nothing happens when it exists."""
        path = self.folder.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        if self.user and os.geteuid() == 0:
            shutil.chown(path, self.user, self.user)
        return path

    def spawn(self, command, **options):
        """In a process group of its own, which ends with the plant even if that is killed."""
        with open(self.output, "ab") as out:
            process = subprocess.Popen([*self.as_user(), *map(str, command)], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       start_new_session=True, **{"env": {**os.environ, "TZ": "UTC"}, "cwd": "/", **options})
        if self.guardian is not None:
            self.guardian.watch(process.pid)
        return process
