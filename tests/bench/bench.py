#!/usr/bin/python3
"""Measures the program: speed per CPU-second beside a bare floor program and beside rsyslog and syslog-ng, memory, idle CPU, latency.

    tests/bench/bench.py [--mib 256] [--only speed,redaction,memory,idle,latency] [--seconds 20] [--no-peers] [--json FILE]

See README.md beside this file. Exits with 1 when a target is missed.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "faults"), str(HERE.parent / "components")]

import lines  # noqa: E402
import peers  # noqa: E402
from ports import free_port  # noqa: E402
from rig import FaultServer, Sidelight, WriterProcess, wait_for  # noqa: E402

PROGRAM = os.environ.get("SIDELIGHT", str(ROOT / "build" / "release" / "sidelight"))
FLUSH_MS = 1000
SPEED_RUNS = 9
RESCANS_SECONDS = 60  # two of the rescan interval: two looks at all globs fall into it
ROWS = [  # form, gzip, the floor's mode
    ("raw", False, "send"),
    ("raw", True, "gzip"),
    ("json", False, "json"),
    ("json", True, "json_gzip"),
]


class Report:
    def __init__(self):
        self.rows = []

    def add(self, what, value, unit, target=None, bad=False):
        self.rows.append({"what": what, "value": value, "unit": unit, "target": target, "missed": bad})
        mark = "MISSED" if bad else ("ok" if target else "")
        print(f"{what:<58} {value:>10.2f} {unit:<16} {target or '':<22} {mark}", flush=True)

    def missed(self):
        return [r for r in self.rows if r["missed"]]


def build(name):
    source, target = HERE / f"{name}.cpp", ROOT / "build" / "bench" / name
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", str(source), "-o", str(target),
                        "-lsimdjson", "-ldeflate"], check=True)
    return target


class Sink:
    """sink.cpp as a process: it takes less of the processor than what is measured."""

    def __enter__(self):
        self.process = subprocess.Popen([str(build("sink"))], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def stats(self):
        with urllib.request.urlopen(f"{self.url}/_stats", timeout=10) as answer:
            return json.load(answer)


def peak_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_of(process, terminate_after):
    """Waits with `terminate_after`, ends the process and returns (CPU-seconds of all its threads, peak MiB)."""
    terminate_after()
    peak = peak_mib(process.pid)
    process.terminate()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime, peak


def thread_seconds(pid):
    """CPU of all threads, to the nanosecond."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


def settings_for(sink, form, gzip):
    return {"output": {"elasticsearch": {"hosts": [sink.url] if sink else [], "data_stream": "logs-shop-default", "compression": "gzip" if gzip else "none"}},
            "log": {"format": form}}


def wait_documents(sink, count, process, seconds=600):
    def there():
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode}")
        return sink.stats()["documents"] >= count

    wait_for(there, seconds, f"{count} documents")


# What the program takes from the downward API is left out: documents are the same on every machine.
NOBODYS_POD = {name: "" for name in ("POD_NAME", "POD_NAMESPACE", "POD_UID", "POD_IP", "NODE_NAME", "CONTAINER_NAME", "CLUSTER_NAME")}


# -- speed -----------------------------------------------------------------------------------------------------------------------


def one_speed(work, log, form, gzip, count):
    return one_speed_of(work, log, settings_for(None, form, gzip), count)


def one_speed_of(work, log, settings, count):
    with Sink() as sink, tempfile.TemporaryDirectory(dir=work) as folder:  # a first start each time
        compression = settings["output"]["elasticsearch"]["compression"]
        settings["output"]["elasticsearch"] = {"hosts": [sink.url], "index": "bench", "create_template": False, "compression": compression}
        sidelight = Sidelight(PROGRAM, folder, sink.url, paths=[str(log)], environment=NOBODYS_POD, **settings).start(ready=False)
        result = cpu_of(sidelight.process, lambda: wait_documents(sink, count, sidelight.process))
        sent = sink.stats()["documents"]
    if sent != count:
        raise RuntimeError(f"{sent} documents instead of {count}")
    return result


def one_peer(peer, root, work, log, form, count):
    with Sink() as sink:
        runner = peer(root, work / f"{peer.name}-{form}", log, form, sink.port)
        process = runner.start()
        try:
            return cpu_of(process, lambda: wait_documents(sink, count, process))
        except (RuntimeError, AssertionError) as e:
            if process.poll() is None:
                process.kill()
                process.wait()
            said = (runner.folder / "output.txt").read_text(errors="replace")[-500:]
            print(f"  {peer.name} {form}: {e}\n{said}", file=sys.stderr)
            return None


def speed(report, work, mib, with_peers):
    floor = build("floor")
    root, why = peers.unpack() if with_peers else (None, "--no-peers")
    if root is None:
        print(f"no peers: {why}")
    for form in ("raw", "json"):
        log = work / f"{form}.log"
        count, size = lines.make_file(log, form, mib)
        rates = {}
        if root is not None:
            small = work / f"{form}-peers.log"
            small_count, small_size = lines.make_file(small, form, min(mib, 64))
            for peer in peers.PEERS:
                got = one_peer(peer, root, work, small, form, small_count)
                if got:
                    rates[peer.name] = small_size / 1e6 / got[0]
                    report.add(f"{form}: {peer.name}", rates[peer.name], "MB/CPU-s")
            small.unlink()
        for row_form, gzip, mode in ROWS:
            if row_form != form:
                continue
            name = f"{form}{', gzip' if gzip else ''}"
            runs, measured = [], []
            for _ in range(SPEED_RUNS):  # by turns: a machine that is shared is not the same from one minute to the next
                bare_run = subprocess.run([str(floor), str(log), mode], capture_output=True, text=True, check=True)
                runs.append(json.loads(bare_run.stdout)["mb_per_cpu_second"])
                measured.append(one_speed(work, log, form, gzip, count))
            bare = statistics.median(runs)
            report.add(f"{name}: floor", bare, "MB/CPU-s")
            rates_of_runs = [size / 1e6 / seconds for seconds, _ in measured]
            rate = statistics.median(rates_of_runs)
            report.add(f"{name}: sidelight", rate, "MB/CPU-s")
            share = statistics.median(ours / bare_rate for ours, bare_rate in zip(rates_of_runs, runs))  # of neighbours in time
            report.add(f"{name}: sidelight / floor", share, "ratio", "> 0.5", share <= 0.5)
            if not gzip and "rsyslog" in rates:
                times = rate / rates["rsyslog"]
                report.add(f"{name}: sidelight / rsyslog", times, "ratio", ">= 10", times < 10)
            peak = max(m[1] for m in measured)
            report.add(f"{name}: peak memory at full speed", peak, "MiB", "< 64", peak >= 64)
        log.unlink()


# -- redaction --------------------------------------------------------------------------------------------------------------------


def with_personal_data(source, target, every):
    """The same lines, with an e-mail address, a phone number and a card in the message of each `every`th."""
    size = 0
    with open(source, encoding="utf-8") as lines_in, open(target, "w", encoding="utf-8") as out:
        for n, line in enumerate(lines_in):
            if n % every == 0:
                note = f"mail user{n}@shop.example call +7 916 {n % 900 + 100}-45-67 card 4111 1111 1111 1111 "
                line = line.replace(" id=", f" {note}id=", 1)
            size += out.write(line)
    return size


def redaction(report, work, mib):
    """CPU of the run with all kinds hidden, beside the same run without: lines without personal data, with some, and with some in each."""
    for form in ("raw", "json"):
        plain = work / f"{form}.log"
        count, size = lines.make_file(plain, form, mib)
        for name, every, limit in (("none", 0, 2), ("in each 10th line", 10, 2), ("in each line", 1, 4)):  # see README.md
            log = plain
            if every:
                log = work / f"{form}-{every}.log"
                size = with_personal_data(plain, log, every)
            seconds = {False: [], True: []}
            for _ in range(SPEED_RUNS):
                for processors in ([], [{"redact": {}}]):
                    settings = {**settings_for(None, form, False), "extra": {"processors": processors} if processors else {}}
                    seconds[bool(processors)].append(one_speed_of(work, log, settings, count)[0])
            times = statistics.median(b / a for a, b in zip(seconds[False], seconds[True]))
            seconds = {redacts: statistics.median(runs) for redacts, runs in seconds.items()}
            report.add(f"{form}, personal data {name}: without redaction", size / 1e6 / seconds[False], "MB/CPU-s")
            report.add(f"{form}, personal data {name}: with redaction", size / 1e6 / seconds[True], "MB/CPU-s")
            report.add(f"{form}, personal data {name}: CPU with / without", times, "ratio", f"<= {limit}", times > limit)
            if every:
                log.unlink()
        plain.unlink()


# -- memory and idling -----------------------------------------------------------------------------------------------------------


def idle(report, work, seconds):
    with FaultServer("sink") as sink:
        sidelight = Sidelight(PROGRAM, work / "quiet", sink.url, **settings_for(sink, "raw", True))
        (sidelight.logs / "app.log").write_text("2026-11-22T10:00:00.000Z INFO a line\n" * 1000, encoding="ascii")
        with sidelight:
            wait_documents(sink, 1000, sidelight.process)
            time.sleep(5)
            begin = thread_seconds(sidelight.process.pid)
            time.sleep(seconds)
            used = thread_seconds(sidelight.process.pid) - begin
            report.add("one quiet file: memory", sidelight.rss_mib(), "MiB", "< 20", sidelight.rss_mib() >= 20)
            report.add("one quiet file: CPU", 100 * used / seconds, "% of a core")
            lines.make_file(sidelight.logs / "app.log.new", "raw", 1)
            os.replace(sidelight.logs / "app.log.new", sidelight.logs / "app.log")
            wait_documents(sink, 1000 + lines.BLOCK, sidelight.process)
            time.sleep(5)
            report.add("quiet again after 50,000 lines at once: memory", sidelight.rss_mib(), "MiB")
    with FaultServer("sink") as sink:
        folder = work / "many"
        sidelight = Sidelight(PROGRAM, folder, sink.url, paths=[str(folder / "logs" / "*.log")], **settings_for(sink, "raw", True))
        for i in range(10000):
            (sidelight.logs / f"app-{i:05d}.log").write_text(f"2026-11-22T10:00:00.000Z INFO the only line of file {i}\n", encoding="ascii")
        with sidelight:
            wait_documents(sink, 10000, sidelight.process)
            report.add("10,000 new files: CPU until all are shipped", thread_seconds(sidelight.process.pid), "s")
            time.sleep(15)  # the files are let go
            begin = thread_seconds(sidelight.process.pid)
            time.sleep(RESCANS_SECONDS)
            share = 100 * (thread_seconds(sidelight.process.pid) - begin) / RESCANS_SECONDS
            report.add("10,000 quiet files: memory", sidelight.peak_mib(), "MiB peak", "< 64", sidelight.peak_mib() >= 64)
            report.add("10,000 quiet files: CPU", share, "% of a core", "< 0.2", share >= 0.2)
            sidelight.stop()
            sidelight.start()
            time.sleep(5)
            report.add("10,000 files found again: CPU of the first 5 s", thread_seconds(sidelight.process.pid), "s")
            report.add("10,000 files found again: memory", sidelight.peak_mib(), "MiB peak", "< 64", sidelight.peak_mib() >= 64)


def outage(report, work, seconds):
    dead = f"http://127.0.0.1:{free_port()}"
    sidelight = Sidelight(PROGRAM, work / "outage", dead, output={"elasticsearch": {"hosts": [dead], "data_stream": "logs-shop-default"}})
    with sidelight:
        WriterProcess(sidelight.logs / "app.log", "outage", 20000, seconds, rotate="rename", every=3, keep=3).truth()
        report.add("destination down at 20,000 lines/s: memory", sidelight.peak_mib(), "MiB peak", "< 64", sidelight.peak_mib() >= 64)


# -- latency ---------------------------------------------------------------------------------------------------------------------


def latency(report, work, seconds):
    with FaultServer("sink") as sink:
        sidelight = Sidelight(PROGRAM, work / "latency", sink.url, **settings_for(sink, "raw", True))
        with sidelight:
            count = WriterProcess(sidelight.logs / "app.log", "latency", 1000, seconds, stamp=True).truth()["count"]
            wait_documents(sink, count, sidelight.process)
            got = sink.stats()["latency_ms"]
    limit = FLUSH_MS + 50
    report.add("1,000 lines/s, written -> request: p50", got["p50"], "ms")
    report.add("1,000 lines/s, written -> request: p99", got["p99"], "ms", f"< {limit}", got["p99"] >= limit)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=256, help="size of the file for the speed rows (peers: at most 64)")
    parser.add_argument("--only", default="speed,redaction,idle,memory,latency")
    parser.add_argument("--seconds", type=float, default=20, help="length of the idle, outage and latency rows")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", help="also write the rows there")
    arguments = parser.parse_args()
    if not os.access(PROGRAM, os.X_OK):
        print(f"{PROGRAM} is missing: ./quickstart --build-only builds it", file=sys.stderr)
        return 2
    report = Report()
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > (arguments.mib + 200) << 20 else None
    work = pathlib.Path(tempfile.mkdtemp(prefix="sidelight-bench-", dir=shm))
    wanted = arguments.only.split(",")
    try:
        if "speed" in wanted:
            speed(report, work, arguments.mib, not arguments.no_peers)
        if "redaction" in wanted:
            redaction(report, work, min(arguments.mib, 128))
        if "idle" in wanted:
            idle(report, work, arguments.seconds)
        if "memory" in wanted:
            outage(report, work, arguments.seconds)
        if "latency" in wanted:
            latency(report, work, arguments.seconds)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(report.rows, indent=1) + "\n", encoding="utf-8")
    for row in report.missed():
        print(f"missed: {row['what']}: {row['value']:.2f} {row['unit']}, wanted {row['target']}")
    return 1 if report.missed() else 0


if __name__ == "__main__":
    sys.exit(main())
