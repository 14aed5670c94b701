"""Numbered lines through every fault that the program promises to survive: 0 lost, 0 doubled."""

import os
import random
import shutil
import time

import pytest

from rig import FaultServer, Repeatedly, Sidelight, WriterProcess, wait_for
from writer import LINE_BYTES, make_line

MEMORY_BOUND_MIB = 64


class Bench:
    """One run: fault server, program, writer. The short form is 5,000 lines/s for 10 s."""

    def __init__(self, program, folder, full):
        self.program = program
        self.folder = folder
        self.full = full
        self.rate, self.seconds = (20000, 60) if full else (5000, 10)
        self.server = FaultServer()
        self.sidelight = None
        self.writer = None
        self.path = folder / "logs" / "app.log"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.writer:
            self.writer.end()
        if self.sidelight and self.sidelight.running():
            self.sidelight.kill()
        self.server.__exit__()

    def start(self, run, **options):
        """Starts the program and the writer."""
        self.start_program(**options.pop("program", {}))
        self.start_writer(run, **options)

    def start_program(self, **options):
        self.sidelight = Sidelight(self.program, self.folder, self.server.url, **options)
        self.sidelight.start()

    def start_writer(self, run, **options):
        self.writer = WriterProcess(self.path, run, options.pop("rate", self.rate), options.pop("seconds", self.seconds), **options)

    def check(self, verdict):
        note = f"{verdict}\n{self.server.stats()}\n{self.sidelight.log_text()[-2000:]}"
        assert verdict["lost"] == 0, note
        assert verdict["doubled"] == 0, note
        assert verdict["unnumbered"] == 0, note
        assert verdict["beyond"] == 0, note

    def finish(self, stored=None):
        """Everything written arrives; the program ends well and sends nothing twice on its way out."""
        truth = self.writer.truth()
        verdict = self.server.wait_delivered(truth)
        self.check(verdict)
        if not os.environ.get("SIDELIGHT_NO_MEMORY_BOUND"):  # sanitizers need more
            assert self.sidelight.peak_mib() < MEMORY_BOUND_MIB
        # Lines that were truncated away uncopied may have been seen to be there: then they are lost, and are counted as that.
        assert (self.sidelight.metric("sidelight_lost_bytes_total") or 0) <= verdict["spared"] * LINE_BYTES, verdict
        assert not self.sidelight.metric("sidelight_id_conflicts_total")
        status, _ = self.sidelight.stop()
        assert status == 0, self.sidelight.log_text()[-2000:]
        verdict = self.server.verdict(truth["count"], truth["optional"])
        self.check(verdict)
        if stored is not None:
            assert verdict["stored"] == stored(truth["count"])
        return truth


@pytest.fixture
def bench(program, tmp_path, full):
    with Bench(program, tmp_path, full) as b:
        yield b


@pytest.mark.parametrize("form", ["raw", "json"])
def test_steady_writing(bench, form):
    bench.start("steady", format=form, torn=True)
    bench.finish(stored=lambda count: count)


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_rename_and_create(bench, pattern):
    bench.start("rename", rotate="rename", every=3, keep=3, program={"paths": [str(bench.folder / "logs" / pattern)]})
    bench.finish(stored=lambda count: count)


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_copytruncate(bench, pattern):
    bench.start("copytruncate", rotate="copytruncate", every=3, keep=3, program={"paths": [str(bench.folder / "logs" / pattern)]})
    bench.finish()


def test_copies_that_get_the_inode_of_a_dropped_one(bench):
    """Every second: copies are dropped in the short form too, and on a disk the next one gets their inode."""
    bench.start("inodes", rotate="copytruncate", every=1, keep=3)
    bench.finish()


def test_real_logrotate(bench):
    if not shutil.which("/usr/sbin/logrotate"):
        pytest.skip("logrotate is not installed (apt-get install logrotate)")
    bench.start("logrotate", rotate="logrotate", every=3, keep=3)
    bench.finish(stored=lambda count: count)


def test_kill_and_restart(bench):
    bench.start("kill", torn=True)
    while bench.writer.running():
        time.sleep(5 if bench.full else 2.5)
        bench.sidelight.kill()
        bench.sidelight.start()
    bench.finish()


def test_kill_and_restart_while_rotating(bench):
    """The restarts fall beside the rotations, so some happen while the program is down."""
    bench.start("killrotate", rotate="mix", every=1.5, keep=20)
    while bench.writer.running():
        time.sleep(2.2)
        bench.sidelight.kill()
        time.sleep(1.7)
        bench.sidelight.start()
    bench.finish()


def test_destination_refuses(bench):
    bench.start("refuse")
    time.sleep(2)
    bench.server.fault("refuse", 10 if bench.full else 5)
    time.sleep(3)
    assert bench.sidelight.metric("sidelight_output_up") == 0
    bench.finish()


@pytest.mark.parametrize("fault,params", [
    ("reject_all", {}),
    ("reject_all", {"retry_after": 1}),
    ("reject_items", {"fraction": 0.2}),
    ("unavailable", {}),
    ("cut", {"probability": 0.5}),
    ("hang", {"store": True}),
    ("hang", {}),
    ("not_json", {"store": True}),
    ("not_json", {}),
    ("wrong_count", {}),
    ("too_large", {"bytes": 65536}),
    ("slow", {"delay": 0.7}),
    ("bad_request", {}),
], ids=lambda v: v if isinstance(v, str) else "-".join(f"{k}={x}" for k, x in v.items()) or "plain")
def test_fault_for_some_seconds(bench, fault, params):
    bench.start(fault.replace("_", ""), seconds=bench.seconds if bench.full else 5)
    time.sleep(1.5)
    bench.server.fault(fault, 5 if bench.full else 3, **params)
    bench.finish(stored=lambda count: count)
    assert bench.sidelight.dead_letters() == []


def test_fifth_of_items_rejected_all_along(bench):
    bench.server.fault("reject_items", fraction=0.2)
    bench.start("items")
    bench.finish(stored=lambda count: count)


def test_answers_cut_all_along(bench):
    bench.server.fault("cut", probability=0.3)
    bench.start("cut")
    bench.finish(stored=lambda count: count)


def letters_by_number(sidelight):
    from store import NUMBER  # pylint: disable=import-outside-toplevel  # the path is set by conftest.py

    seen = {}
    for letter in sidelight.dead_letters():
        match = NUMBER.search(str(letter).encode())
        assert match, f"a dead letter without its line: {letter}"
        number = int(match.group(1))
        seen[number] = seen.get(number, 0) + 1
    return seen


@pytest.mark.parametrize("engine", ["elasticsearch", "opensearch"])
def test_every_thousandth_line_refused_for_good(bench, engine):
    bench.server.fault("refuse_every", modulo=1000, opensearch=engine == "opensearch")
    bench.start("refused")
    truth = bench.finish()
    assert letters_by_number(bench.sidelight) == {n: 1 for n in range(0, truth["count"], 1000)}


def test_poisoned_requests_are_taken_apart(bench):
    """A document that turns the whole request into a 400 is found; its neighbours are delivered."""
    bench.server.fault("poison", modulo=1000)
    bench.start("poison", rate=2000)
    truth = bench.finish()
    assert letters_by_number(bench.sidelight) == {n: 1 for n in range(0, truth["count"], 1000)}


def test_refused_lines_and_kills(bench):
    """A kill between the dead letter and the checkpoint does not write the letter twice."""
    bench.server.fault("refuse_every", modulo=100)
    bench.start("deadkill")
    while bench.writer.running():
        time.sleep(2.5)
        bench.sidelight.kill()
        bench.sidelight.start()
    truth = bench.finish()
    assert letters_by_number(bench.sidelight) == {n: 1 for n in range(0, truth["count"], 100)}


def test_sigterm_at_the_end_of_writing(bench):
    bench.start("sigterm")
    truth = bench.writer.truth()
    status, seconds = bench.sidelight.stop()
    assert status == 0, bench.sidelight.log_text()[-2000:]
    assert seconds < 25
    bench.check(bench.server.verdict(truth["count"]))


def test_sigterm_in_the_middle_and_start_again(bench):
    bench.start("midterm")
    time.sleep(bench.seconds / 2)
    status, _ = bench.sidelight.stop()
    assert status == 0, bench.sidelight.log_text()[-2000:]
    time.sleep(0.5)
    bench.sidelight.start()
    bench.finish(stored=lambda count: count)


def test_sigterm_during_an_outage_does_not_wait_out_the_back_off(bench):
    bench.start("outage", rate=1000, seconds=6, program={"elasticsearch": {"backoff_max": "30s"}})
    time.sleep(1)
    bench.server.fault("refuse", 9)
    truth = bench.writer.truth()
    status, seconds = bench.sidelight.stop()
    assert status == 0, bench.sidelight.log_text()[-2000:]
    assert seconds < 25
    bench.check(bench.server.verdict(truth["count"]))


def test_sigterm_with_a_dead_destination_ends_at_the_deadline_and_keeps_the_lines(bench):
    bench.start("dead", rate=1000, seconds=4, program={"extra": {"shutdown_deadline": "3s"}})
    time.sleep(1)
    bench.server.fault("refuse", 12)
    bench.writer.truth()
    _, seconds = bench.sidelight.stop()
    assert seconds < 6
    bench.sidelight.start()
    bench.finish()


def test_last_line_without_newline(bench):
    bench.start("tail", rate=100, seconds=1)
    truth = bench.writer.truth()
    bench.server.wait_delivered(truth)
    with open(bench.path, "a", encoding="ascii") as f:
        f.write(make_line(truth["count"], "tail", "2026-11-22T10:00:00.000Z", "raw", False))
    status, _ = bench.sidelight.stop()
    assert status == 0
    bench.check(bench.server.verdict(truth["count"] + 1))


def test_second_instance_fails_clearly(bench):
    bench.start("second", rate=100, seconds=1)
    other = Sidelight(bench.program, bench.folder / "other", bench.server.url, paths=[str(bench.path)], state_dir=bench.sidelight.state)
    other.start(ready=False)
    assert other.process.wait(10) != 0
    assert str(bench.sidelight.state) in other.log_text()
    bench.finish()


@pytest.mark.parametrize("seed", [1, 2])
def test_mix_of_all(bench, seed):
    """Faults, rotations of both kinds and kills at random times, keeping 20 files."""
    if seed > 1 and not bench.full:
        pytest.skip("one seed in the short form; --full runs two")
    rng = random.Random(seed)
    bench.server.fault("mix", seed=seed)
    bench.server.fault("refuse_every", modulo=1000)
    bench.start("mix", rotate="mix", every=3 if bench.full else 1.5, keep=20, torn=True, seed=seed)

    def kill_and_start():
        time.sleep(rng.uniform(0, 1.5))
        bench.sidelight.kill()
        time.sleep(rng.uniform(0, 0.7))
        bench.sidelight.start()

    with Repeatedly(5 if bench.full else 2.5, kill_and_start):
        truth = bench.writer.truth()
    bench.server.clear()
    bench.server.fault("refuse_every", modulo=1000)
    bench.check(bench.server.wait_delivered(truth, patience=30))
    bench.finish()
    assert letters_by_number(bench.sidelight) == {n: 1 for n in range(0, truth["count"], 1000)}
