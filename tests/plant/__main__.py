"""Runs the plant by hand:   /usr/bin/python3 -m tests.plant --directory DIR [--scenario NAME] [--seed N] [--speed X]"""

import argparse
import signal
import sys
import threading

from .assembly import ALL_PARTS
from .plant import Plant
from .scenarios import SCENARIOS


def main():
    parser = argparse.ArgumentParser(prog="python3 -m tests.plant", description="A shop, CRM, MES and partner API on real servers.")
    parser.add_argument("--directory", required=True, help="made when missing: logs, data and configuration live there")
    parser.add_argument("--scenario", default="normal_day", choices=SCENARIOS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="plant seconds in a real second")
    parser.add_argument("--parts", default="", help=f"comma-separated, of {', '.join(ALL_PARTS)}; default all")
    parser.add_argument("--seconds", type=float, help="stop after so many seconds; default: at Ctrl-C")
    options = parser.parse_args()
    stop = threading.Event()
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda *_: stop.set())
    parts = set(options.parts.split(",")) if options.parts else None
    with Plant(options.directory, options.scenario, options.seed, options.speed, parts) as plant:
        for name, address in plant.addresses().items():
            print(f"{name:22} {address}")
        print(f"{'logs':22} {plant.logs}", flush=True)
        stop.wait(options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
