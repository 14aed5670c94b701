"""Runs the program, the fault server and the writer for a test, each as a process of its own, ended by its process id."""

import http.client
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import threading
import time

from ports import free_port

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = sys.executable
STREAM = "logs-shop-default"


def wait_for(condition, seconds, what):
    """Polls until `condition` returns something true and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def http_json(port, method, path, body=None, timeout=30):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data else None
    finally:
        connection.close()


class FaultServer:
    """fault_server.py as a process."""

    def __init__(self, mode="faults"):
        self._run("fault_server.py", "--mode", mode)

    def _run(self, script, *arguments):
        self.process = subprocess.Popen([PYTHON, str(HERE / script), *arguments], stdout=subprocess.PIPE, text=True)
        ports = json.loads(self.process.stdout.readline())
        self.port, self.control_port = ports["port"], ports["control_port"]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _control(self, method, path, body=None):
        status, value = http_json(self.control_port, method, path, body)
        assert status == 200, value
        return value

    def fault(self, name, seconds=0, **params):
        self._control("POST", "/_fault", {"name": name, "for": seconds, **params})

    def clear(self):
        self._control("DELETE", "/_fault")

    def reset(self):
        self._control("POST", "/_reset")

    def stats(self):
        return self._control("GET", "/_stats")

    def verdict(self, count, optional=()):
        ranges = ",".join(f"{a}-{b}" for a, b in optional)
        return self._control("GET", f"/_verdict?expected={count}&optional={ranges}")

    def wait_delivered(self, truth, patience=20):
        """Waits until nothing is lost; gives up when nothing came for `patience` seconds. Returns the verdict."""
        last, since = -1, time.monotonic()
        while True:
            verdict = self.verdict(truth["count"], truth["optional"])
            if verdict["lost"] == 0:
                return verdict
            if verdict["stored"] != last:
                last, since = verdict["stored"], time.monotonic()
            if time.monotonic() - since > patience:
                return verdict
            time.sleep(0.2)


class FaultProxy(FaultServer):
    """fault_proxy.py as a process."""

    def __init__(self, upstream):  # pylint: disable=super-init-not-called
        self._run("fault_proxy.py", "--upstream", str(upstream))


class Sidelight:
    """The program under test with a state directory and a configuration of its own in `folder`."""

    def __init__(self, program, folder, hosts, paths=None, elasticsearch=None, output=None, log=None, extra=None, preexec=None,
                 environment=None, state_dir=None):
        self.program = program
        self.folder = pathlib.Path(folder)
        self.logs = self.folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.state = pathlib.Path(state_dir) if state_dir else self.folder / "state"
        self.http_port = free_port()
        self.config = self.folder / "sidelight.yaml"
        self.preexec = preexec
        self.environment = environment
        self.process = None
        self.stderr_path = self.folder / "sidelight.log"
        if output is None:
            where = {} if elasticsearch and "index" in elasticsearch else {"data_stream": STREAM}
            output = {"elasticsearch": {"hosts": hosts if isinstance(hosts, list) else [hosts], **where,
                                        "backoff_initial": "100ms", "backoff_max": "2s", "timeout": "5s", **(elasticsearch or {})},
                      "flush_interval": "200ms"}
        self.settings = {
            "logs": [{"paths": paths or [str(self.logs / "app.log")], "service": "shop", **(log or {})}],
            "output": output,
            "state_dir": str(self.state),
            "http": {"listen": f"127.0.0.1:{self.http_port}"},
            **(extra or {}),
        }
        self.write_config()

    def write_config(self):
        self.config.write_text(json.dumps(self.settings, indent=2) + "\n", encoding="utf-8")  # JSON is YAML

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.running():
            self.kill()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def start(self, ready=True):
        with open(self.stderr_path, "ab") as log:
            self.process = subprocess.Popen([self.program, "run", "--config", str(self.config)], stdout=log, stderr=log,
                                            preexec_fn=self.preexec, env={**os.environ, **(self.environment or {})},
                                            cwd=self.folder)
        if ready:
            wait_for(lambda: self.process.poll() is not None or self.ready(), 15, "/readyz")
            assert self.running(), f"ended with {self.process.returncode}:\n{self.log_text()[-3000:]}"
        return self

    def ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metric(self, name, **labels):
        """The sum of the samples of `name` whose labels include `labels`; None when there is none."""
        _, text = self.get("/metrics")
        total = None
        for line in text.splitlines():
            match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
            if not match or match.group(1) != name:
                continue
            have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or ""))
            if all(have.get(k) == v for k, v in labels.items()):
                total = (total or 0) + float(match.group(3))
        return total

    def kill(self):
        """SIGKILL, as the kernel or an impatient kubelet does it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=30):
        """SIGTERM; returns (exit status, seconds it took)."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {seconds} s after SIGTERM:\n{self.log_text()[-2000:]}") from None
        return status, time.monotonic() - begin

    def log_text(self):
        return self.stderr_path.read_text(encoding="utf-8", errors="replace") if self.stderr_path.exists() else ""

    def dead_letters(self):
        """All dead letters, parsed."""
        out = []
        for path in sorted((self.state / "dead-letters").glob("*.ndjson*")):
            for line in path.read_text(encoding="utf-8").splitlines():
                out.append(json.loads(line))
        return out

    def _status_mib(self, key):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
        raise AssertionError(f"no {key} of a running process")

    def rss_mib(self):
        return self._status_mib("VmRSS")

    def peak_mib(self):
        return self._status_mib("VmHWM")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class WriterProcess:
    """writer.py as a process."""

    def __init__(self, path, run, rate, seconds, **options):
        command = [PYTHON, str(HERE / "writer.py"), "--file", str(path), "--run", run, "--rate", str(rate), "--seconds", str(seconds)]
        for key, value in options.items():
            flag = "--" + key.replace("_", "-")
            command += [flag] if value is True else [flag, str(value)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def running(self):
        return self.process.poll() is None

    def truth(self, timeout=600):
        """Waits for the end of the writing."""
        out, _ = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0, "the writer failed"
        return json.loads(out)

    def end(self):
        if self.running():
            self.process.kill()
            self.process.wait()


class Repeatedly:
    """Calls `action` every `seconds` in a thread while the body of the with statement runs."""

    def __init__(self, seconds, action):
        self.seconds = seconds
        self.action = action
        self.stop = threading.Event()
        self.error = None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.stop.wait(self.seconds):
            try:
                self.action()
            except Exception as e:  # pylint: disable=broad-except  # reported by the test's thread
                self.error = e
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        if self.error:
            raise self.error


def limit_file_size(size):
    """A preexec_fn: writes beyond `size` bytes of any file fail with EFBIG."""

    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return apply


def limit_descriptors(most):
    """A preexec_fn: no more than `most` open files."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Tmpfs:
    """A small file system that can be filled. Needs root; `available` says whether it can be had."""

    def __init__(self, path, kib):
        self.path = pathlib.Path(path)
        self.kib = kib

    @staticmethod
    def available():
        return os.geteuid() == 0

    def __enter__(self):
        self.path.mkdir(parents=True, exist_ok=True)
        result = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.kib}k", "tmpfs", str(self.path)], capture_output=True,
                                text=True, check=False)
        if result.returncode != 0:
            raise OSError(result.stderr.strip())
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.path)], check=False)

    def fill(self):
        """Leaves no free byte."""
        with open(self.path / "filler", "ab", buffering=0) as f:
            for size in (65536, 4096):
                try:
                    while True:
                        f.write(bytes(size))
                except OSError:
                    pass

    def free(self):
        (self.path / "filler").unlink()
