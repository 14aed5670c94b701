"""The reference Lumberjack server as a process (tests/components/lumberjack), which can be killed and started again on its port."""

import collections
import json
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def missing():
    """Why it cannot run here; "" when it can."""
    return "" if shutil.which("go") else "the Lumberjack server cannot be built: apt-get install golang-go"


def build():
    done = subprocess.run([str(HERE / "setup.sh"), "lumberjack"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the Lumberjack server cannot be built:\n{done.stderr[-1500:]}")
    return pathlib.Path(done.stdout.strip()) / "lumberjack-server"


class LumberjackServer:
    """`options` are those of the program, as delay="3s"; cert, key and ca turn TLS on."""

    def __init__(self, **options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sidelight-lumberjack-"))
        self.out = self.folder / "events.ndjson"
        self.port = 0
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, **options):
        self.options = {**self.options, **options}
        command = [str(build()), "-bind", f"127.0.0.1:{self.port}", "-out", str(self.out)]
        for name, value in self.options.items():
            command += [f"-{name}", str(value)]
        with open(self.folder / "log.txt", "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        address = self.process.stdout.readline().strip()
        if not address:
            raise RuntimeError("the Lumberjack server ended: " + self.log_text()[-1000:])
        self.port = int(address.rsplit(":", 1)[1])
        return self

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def log_text(self):
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    def events(self):
        """All that were written whole so far: a killed server may leave half a line at the end, or a whole one behind it."""
        if not self.out.exists():
            return []
        found = []
        for line in self.out.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found


def summary(events, number):
    """(numbers seen, ids by number, how often each id came); `number` takes an event's message to its number."""
    ids = collections.defaultdict(set)
    times = collections.Counter()
    for event in events:
        key = event["@metadata"]["_id"]
        ids[number(event["message"])].add(key)
        times[key] += 1
    return set(ids), ids, times
