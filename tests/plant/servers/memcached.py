"""memcached: the shop's session cache."""

import os
import socket

from .process import ServerProcess


class Memcached(ServerProcess):
    name = "memcached"
    program = "memcached"
    package = "memcached"

    def begin(self):
        self.make_folder()
        command = [self.program, "-l", "127.0.0.1", "-p", self.port, "-U", "0", "-m", "16", "-t", "1"]
        if os.geteuid() == 0:
            command += ["-u", "nobody"]
        self.process = self.spawn(command)

    def stats(self):
        """`stats` as a dictionary of strings."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            s.sendall(b"stats\r\n")
            answer = b""
            while not answer.endswith(b"END\r\n"):
                answer += s.recv(65536)
        return dict(line.split(" ", 2)[1:] for line in answer.decode().splitlines() if line.startswith("STAT "))
