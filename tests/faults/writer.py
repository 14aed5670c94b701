#!/usr/bin/python3
"""Writes numbered log lines at a steady rate, rotates the file, and knows exactly which lines a perfect reader delivers.

    writer.py --file app.log --run RUN --rate 5000 --seconds 10 [--rotate rename|copytruncate|logrotate|mix --every 3 --keep 3]

Lines are written whole, many to a write at high rates, with O_APPEND. One process does the writing and the rotating, so the truth is
known: it is printed as one JSON line at the end:
    {"count": lines written (numbered from --first), "optional": [[a, b], ...], "bytes": ..., "rotations": ...}
`optional` are lines written between the copy and the truncation of copytruncate: they are in no file afterwards, so a reader may have
seen them or not.
"""

import argparse
import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import time

LINE_BYTES = 200
LEVELS = ("INFO", "INFO", "INFO", "WARN", "ERROR", "DEBUG")


def make_line(number, run, now, form, stamp, odd_every=0):
    """One line without its newline; see store.py for what is recognised. Of each `odd_every` JSON lines one has a word where the others
    have a number."""
    level = LEVELS[number % len(LEVELS)]
    extra = f" t={time.time_ns():019d} " if stamp else " "
    core = f"n={number:09d} run={run}{extra}"
    tail = f" end={number:09d}"
    if form == "json":
        head = f'{{"timestamp":"{now}","level":"{level.lower()}","logger":"shop.orders","message":"'
        order = '"none"' if odd_every and number % odd_every == 0 else number % 100000
        close = '","order_id":%s,"duration_ms":%.1f}' % (order, number % 997 / 3)
    else:
        head, close = f"{now} {level} ", ""
    pad = max(0, LINE_BYTES - 1 - len(head) - len(core) - len(tail) - len(close))
    return f"{head}{core}{'.' * pad}{tail}{close}"


class Writer:
    def __init__(self, path, run, form="raw", first=0, stamp=False, torn=False, seed=1, odd_every=0):
        self.path = path
        self.run = run
        self.form = form
        self.next = self.first = first
        self.stamp = stamp
        self.torn = torn
        self.odd_every = odd_every
        self.random = random.Random(seed)
        self.optional = []
        self.bytes = 0
        self.rotations = 0
        self.fd = self._open()

    def _open(self):
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, count):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        lines = [make_line(n, self.run, now, self.form, self.stamp, self.odd_every) for n in range(self.next, self.next + count)]
        data = ("\n".join(lines) + "\n").encode()
        if self.torn and self.random.random() < 0.2:
            cut = self.random.randrange(1, len(data))
            self._write(data[:cut])
            time.sleep(0.002)
            self._write(data[cut:])
        else:
            self._write(data)
        self.next += count

    def _write(self, data):
        written = os.write(self.fd, data)
        if written != len(data):
            raise OSError(f"short write of {written} of {len(data)} bytes")
        self.bytes += written

    def _shift(self, keep):
        """app.log.1 -> app.log.2 ...; the oldest goes."""
        if os.path.exists(f"{self.path}.{keep}"):
            os.unlink(f"{self.path}.{keep}")
        for i in range(keep - 1, 0, -1):
            if os.path.exists(f"{self.path}.{i}"):
                os.rename(f"{self.path}.{i}", f"{self.path}.{i + 1}")

    def rotate_rename(self, keep, late_lines):
        """An application goes on writing to the renamed file until it is told to open its log again."""
        self._shift(keep)
        os.rename(self.path, self.path + ".1")
        if late_lines:
            self.write(late_lines)
        os.close(self.fd)
        self.fd = self._open()
        self.rotations += 1

    def rotate_copytruncate(self, keep, late_lines):
        self._shift(keep)
        shutil.copyfile(self.path, self.path + ".1")
        if late_lines:
            begin = self.next
            self.write(late_lines)
            self.optional.append([begin, self.next])
        os.truncate(self.path, 0)
        self.rotations += 1

    def rotate_logrotate(self, keep):
        """The real program, renaming; it makes no new file, we do when we open it again."""
        conf = self.path + "-logrotate.conf"
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f'"{self.path}" {{\n  rotate {keep}\n  nocompress\n  missingok\n  nocreate\n}}\n')
        os.chmod(conf, 0o644)
        subprocess.run(["/usr/sbin/logrotate", "--force", "--state", self.path + "-logrotate.state", conf], check=True)
        os.close(self.fd)
        self.fd = self._open()
        self.rotations += 1

    def rotate(self, how, keep, late_lines):
        if how == "mix":
            how = self.random.choice(("rename", "copytruncate"))
        if how == "rename":
            self.rotate_rename(keep, late_lines)
        elif how == "copytruncate":
            self.rotate_copytruncate(keep, late_lines)
        elif how == "logrotate":
            self.rotate_logrotate(keep)

    def run_for(self, rate, seconds, rotate="none", every=3.0, keep=3, late_lines=5):
        """Writes rate * seconds lines; falls behind rather than writing fewer."""
        total = self.next + int(rate * seconds)
        begin, begin_number = time.monotonic(), self.next
        tick = max(0.005, 1.0 / rate)
        next_rotation = begin + every
        while self.next < total:
            now = time.monotonic()
            due = min(total, begin_number + int((now - begin) * rate) + 1)
            if due > self.next:
                self.write(min(due - self.next, 2000))
            if rotate != "none" and now >= next_rotation and self.next + late_lines < total:
                self.rotate(rotate, keep, late_lines)
                next_rotation += every
            if due <= self.next:
                time.sleep(tick)

    def truth(self):
        return {"count": self.next, "optional": self.optional, "bytes": self.bytes, "rotations": self.rotations}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", required=True)
    parser.add_argument("--run", required=True, help="letters and digits; goes into every line")
    parser.add_argument("--rate", type=float, default=5000, help="lines a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--format", choices=("raw", "json"), default="raw")
    parser.add_argument("--rotate", choices=("none", "rename", "copytruncate", "logrotate", "mix"), default="none")
    parser.add_argument("--every", type=float, default=3.0)
    parser.add_argument("--keep", type=int, default=3)
    parser.add_argument("--late-lines", type=int, default=5, help="lines written in the middle of a rotation")
    parser.add_argument("--stamp", action="store_true", help="each line carries the time it was made, in ns")
    parser.add_argument("--torn", action="store_true", help="some writes end in the middle of a line")
    parser.add_argument("--odd-every", type=int, default=0, help="of so many JSON lines one has a word for its order_id")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    writer = Writer(a.file, a.run, a.format, a.first, a.stamp, a.torn, a.seed, a.odd_every)
    writer.run_for(a.rate, a.seconds, a.rotate, a.every, a.keep, a.late_lines)
    print(json.dumps(writer.truth()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
