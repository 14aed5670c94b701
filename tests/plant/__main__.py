"""Runs the plant by hand:   /usr/bin/python3 -m tests.plant --directory DIR [--scenario NAME] [--seed N] [--speed X]

Prints where everything listens, and writes DIR/sidelight.yaml."""

import argparse
import itertools
import signal
import sys
import threading
import time

from .assembly import ALL_PARTS
from .plant import Plant
from .scenarios import SCENARIOS
from .sidelight_config import SECTIONS, known_to


def main():
    parser = argparse.ArgumentParser(prog="python3 -m tests.plant", description="A shop, CRM, MES and partner API on real servers.")
    parser.add_argument("--directory", required=True, help="made when missing: logs, data and configuration live there")
    parser.add_argument("--scenario", default="normal_day", choices=SCENARIOS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="plant seconds in a real second")
    parser.add_argument("--parts", default="", help=f"comma-separated, of {', '.join(ALL_PARTS)}; default all")
    parser.add_argument("--seconds", type=float, help="stop after so many seconds; default: at Ctrl-C")
    parser.add_argument("--sections", help="of the configuration: comma-separated, of " + ", ".join(SECTIONS))
    parser.add_argument("--program", help="the sidelight that will run: the configuration has the sections that this one knows")
    parser.add_argument("--listen", help="where Sidelight will listen; default: a free port of 127.0.0.1")
    parser.add_argument("--tour", type=float, metavar="SECONDS", help="switch to the next scenario after so many seconds, for ever")
    options = parser.parse_args()
    stop = threading.Event()
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda *_: stop.set())
    sections = set(options.sections.split(",")) if options.sections else known_to(options.program) if options.program else None
    parts = set(options.parts.split(",")) if options.parts else None
    with Plant(options.directory, options.scenario, options.seed, options.speed, parts) as plant:
        for name, address in plant.addresses().items():
            print(f"{name:22} {address}")
        print(f"{'logs':22} {plant.logs}")
        print(f"{'configuration':22} {plant.write_config(listen=options.listen, sections=sections)}")
        switch = f"http://127.0.0.1:{plant.truth_server.port}/scenario/NAME"
        print(f"another scenario:      curl -X POST {switch}   ({', '.join(SCENARIOS)})", flush=True)
        end = time.monotonic() + options.seconds if options.seconds else float("inf")
        names = itertools.cycle(SCENARIOS)
        next(names)
        while not stop.wait(min(options.tour or 3600, end - time.monotonic())) and time.monotonic() < end:
            if options.tour:
                plant.switch(next(names))
                print(f"scenario: {plant.scenario}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
