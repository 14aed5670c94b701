"""A machine with a Linux of its own (user-mode Linux, an ordinary process without any right), whatever control groups the host has: it has
version 2 with all controllers. Sidelight runs there in a group with limits of CPU and memory, beside a process that wants all the CPU and
one that was killed for its memory.

The files are the host's, read only. There is no network; GET of `port` goes through a serial line to Sidelight's own port.
"""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import sys
import threading

from components import Component, wait

GUEST = pathlib.Path(__file__).with_name("machine_guest.py")
PORT = 9464


class Machine(Component):
    """Runs `program` with the process collector and `more` of a configuration."""

    name = "machine"

    def __init__(self, program, more=None):
        super().__init__()
        self._program = os.path.realpath(program)
        self._settings = {"http": {"listen": f"127.0.0.1:{PORT}"}, "collectors": {"process": {"interval": "1s"}}, **(more or {})}
        self._lock = threading.Lock()
        self._line = self._server = None

    def start(self):
        config = self.folder / "sidelight.yaml"
        config.write_text(json.dumps(self._settings))
        wanted = self.folder / "wanted.json"
        wanted.write_text(json.dumps({"port": PORT, "command": [self._program, "run", "--config", str(config)]}))
        self._line, theirs = socket.socketpair()
        self._line.settimeout(60)
        self.spawn([shutil.which("linux.uml"), "mem=256M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet", "con=null",
                    "con0=null,fd:1", f"ssl0=fd:{theirs.fileno()}", "init=/usr/bin/python3", "--", str(GUEST), str(wanted)],
                   pass_fds=[theirs.fileno()], start_new_session=True, env={"PATH": os.environ["PATH"], "TMPDIR": str(self.folder), "HOME": str(self.folder)})
        theirs.close()
        machine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                status, body = machine.ask(self.path)
                with contextlib.suppress(ConnectionError):  # who asks did not wait
                    self.send_response(status)
                    self.send_header("Content-Type", "text/plain; version=0.0.4")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        assert self._exactly(2) == b"!\n"
        wait(lambda: self.ask("/readyz")[0] == 200, 60, "sidelight in the machine", self.process)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def ask(self, path):
        """(status, page) of Sidelight's port in the machine."""
        with self._lock:
            self._line.sendall(path.encode() + b"\n")
            head = self._exactly(1)
            while not head.endswith(b"\n"):
                head += self._exactly(1)
            status, length = map(int, head.split())
            return status, self._exactly(length)

    def _exactly(self, length):
        data = b""
        while len(data) < length:
            more = self._line.recv(length - len(data))
            if not more:
                raise ConnectionError("the machine is gone")
            data += more
        return data

    def stop(self, sig=None):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # there is nothing in it to be kept
            self.process.wait()
        if self._line is not None:
            self._line.close()


if __name__ == "__main__":
    with Machine(sys.argv[1]) as one:
        print(one.ask("/metrics")[1].decode())
