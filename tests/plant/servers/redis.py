"""Redis 7 with an ACL user that may only look."""

import subprocess

from .process import ServerProcess


LOOK = ("+info", "+ping", "+role", "+hello", "+auth", "+client|setname", "+config|get")


class Redis(ServerProcess):
    """The default user has no password (the services); `sidelight` may run INFO, PING, ROLE and the like alone."""

    name = "redis"
    program = "redis-server"
    package = "redis-server"

    def __init__(self, folder, passwords, maxmemory="64mb", primary=None):
        super().__init__(folder)
        self.passwords = passwords
        self.maxmemory = maxmemory
        self.primary = primary  # another Redis of which this is a replica
        self.log = self.folder / "redis.log"
        self.url = f"redis://127.0.0.1:{self.port}"

    def begin(self):
        self.make_folder()
        arguments = ["--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder, "--logfile", self.log, "--save", "",
                     "--maxmemory", self.maxmemory, "--maxmemory-policy", "allkeys-lru",
                     "--user", "sidelight", "on", f">{self.passwords['sidelight']}", "resetkeys", "-@all", *LOOK]
        if self.primary is not None:
            arguments += ["--replicaof", "127.0.0.1", self.primary.port, "--repl-diskless-sync-delay", "0"]
        self.process = self.spawn([self.program, *arguments])

    def command(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *map(str, words)], capture_output=True, text=True,
                              check=True).stdout.strip()

    def info(self, section="everything"):
        """INFO as a dictionary of strings."""
        pairs = (line.split(":", 1) for line in self.command("info", section).splitlines() if ":" in line and not line.startswith("#"))
        return dict(pairs)
