"""What collectors cost: CPU of the program while it watches a real target."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e" / "collectors"))

from rabbitmq_rig import Watch, running  # noqa: E402  pylint: disable=wrong-import-position
from rig import wait_for  # noqa: E402  pylint: disable=wrong-import-position

QUEUES = 100
SECONDS = 60
TARGET = 0.005  # of a core


def test_a_hundred_queues_every_five_seconds(program, tmp_path):
    with running() as broker, broker.channel() as channel:
        for n in range(QUEUES):
            channel.queue_declare(f"bench.{n:03}")
            for _ in range(n % 7):
                channel.basic_publish("", f"bench.{n:03}", b"x")
        with Watch(program, tmp_path, broker, ["bench.*"], interval="5s", timeout="4s") as sidelight:
            wait_for(lambda: len(sidelight.samples("mes_queue_published_total")) == QUEUES, 30, "all queues")
            time.sleep(10)
            begin, cpu = time.monotonic(), sidelight.cpu_seconds()
            while time.monotonic() - begin < SECONDS:
                for n in range(QUEUES):
                    channel.basic_publish("", f"bench.{n:03}", b"x")
                time.sleep(1)
            share = (sidelight.cpu_seconds() - cpu) / (time.monotonic() - begin)
            print(f"{QUEUES} queues every 5 s: {share * 100:.2f} % of a core, peak memory {sidelight.peak_mib():.0f} MiB")
    assert share < TARGET
