"""What the program keeps on disk, and what becomes of it when the disk or the destination turns bad: a clear message, and no loss that
the file could still make good."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from ports import free_port
from rig import STREAM, FaultServer, Sidelight, Tmpfs, WriterProcess, limit_descriptors, limit_file_size, wait_for
from store import NUMBER
from writer import LINE_BYTES, Writer, make_line


@pytest.fixture
def server():
    with FaultServer() as s:
        yield s


@pytest.fixture
def sidelight(program, tmp_path, server):
    s = Sidelight(program, tmp_path, server.url)
    yield s
    if s.running():
        s.kill()


def new_writer(sidelight, run="state", name="app.log"):
    return Writer(str(sidelight.logs / name), run)


def assert_clean(server, writer, sidelight, patience=20):
    verdict = server.wait_delivered(writer.truth(), patience)
    note = f"{verdict}\n{sidelight.log_text()[-2000:]}"
    assert verdict["lost"] == 0 and verdict["doubled"] == 0 and verdict["unnumbered"] == 0, note
    return verdict


def need_tmpfs():
    if not Tmpfs.available():
        pytest.skip("needs root to mount a small tmpfs")


# -- lost bytes ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_unread_file_deleted_while_down_is_counted_to_the_byte(program, tmp_path, server, how):
    sidelight = Sidelight(program, tmp_path, server.url, extra={"shutdown_deadline": "1s"})
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        time.sleep(2.5)  # the acknowledgement reaches the checkpoint
        server.fault("reject_all")
        writer.write(500)
        wait_for(lambda: sidelight.metric("sidelight_input_lag_bytes") == 500 * LINE_BYTES, 10, "the unread bytes to show")
        time.sleep(2.5)  # so does the size of the file
        if how == "SIGTERM":
            sidelight.stop(10)
        else:
            sidelight.kill()
        os.unlink(writer.path)
        server.clear()
        sidelight.start()
        wait_for(lambda: sidelight.metric("sidelight_lost_bytes_total", reason="deleted"), 10, "the lost bytes to show")
        assert sidelight.metric("sidelight_lost_bytes_total", reason="deleted") == 500 * LINE_BYTES
        assert sidelight.metric("sidelight_lost_bytes_total") == 500 * LINE_BYTES
        assert "app.log" in sidelight.log_text() and "lost" in sidelight.log_text()
        # A new file in the same place is a new file.
        os.close(writer.fd)
        writer.fd = writer._open()  # pylint: disable=protected-access
        first = writer.next
        writer.write(300)
        wait_for(lambda: server.verdict(writer.next, [(1000, first)])["lost"] == 0, 15, "the new file's lines")
        assert server.verdict(writer.next, [(1000, first)])["doubled"] == 0
        assert sidelight.metric("sidelight_lost_bytes_total") == 500 * LINE_BYTES


def test_file_deleted_while_running_is_read_to_its_end(server, sidelight):
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        server.fault("reject_all")
        writer.write(20000)
        wait_for(lambda: sidelight.metric("sidelight_input_lag_bytes") == 20000 * LINE_BYTES, 10, "the unread bytes to show")
        os.unlink(writer.path)
        time.sleep(1)
        server.clear()
        assert_clean(server, writer, sidelight)
        assert not sidelight.metric("sidelight_lost_bytes_total")


def test_keys_are_on_disk_before_the_first_document_leaves(program, tmp_path, server):
    """A kill at the very moment when the first documents of a new file arrive, at a first start."""
    count = 0
    for i in range(4):
        with Sidelight(program, tmp_path / str(i), server.url) as sidelight:
            writer = Writer(str(sidelight.logs / "app.log"), "state", first=count)
            writer.write(500)
            count = writer.next
            while server.stats()["documents"] < count and sidelight.running():
                time.sleep(0.001)
            sidelight.kill()
            sidelight.start()
            time.sleep(1)
            verdict = server.wait_delivered({"count": count, "optional": []})
            assert (verdict["lost"], verdict["doubled"]) == (0, 0), f"{verdict}\n{sidelight.log_text()[-2000:]}"


def test_rotations_while_down_are_followed(server, sidelight):
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        sidelight.kill()
        for _ in range(3):
            writer.write(500)
            writer.rotate_rename(10, 5)
        writer.write(100)
        sidelight.start()
        assert_clean(server, writer, sidelight)
        assert not sidelight.metric("sidelight_lost_bytes_total")


def test_more_files_than_descriptors_survive_kills(program, tmp_path, server):
    """All files have news in each round, and most of them are closed when the program is killed."""
    files = 500
    sidelight = Sidelight(program, tmp_path, server.url, paths=[str(tmp_path / "logs" / "*.log")], preexec=limit_descriptors(200))
    numbers = iter(range(1_000_000))

    def write():
        for i in range(files):
            with (sidelight.logs / f"app-{i}.log").open("a", encoding="ascii") as f:
                f.write(make_line(next(numbers), "many", "2026-11-22T10:00:00.000Z", "raw", False) + "\n")

    write()
    with sidelight:
        for done in range(1, 4):
            wait_for(lambda done=done: server.stats()["documents"] >= files * done, 30, f"round {done}")
            write()
            sidelight.kill()
            sidelight.start()
        verdict = server.wait_delivered({"count": 4 * files, "optional": []})
        assert (verdict["lost"], verdict["doubled"]) == (0, 0), f"{verdict}\n{sidelight.log_text()[-2000:]}"
        assert not sidelight.metric("sidelight_lost_bytes_total")


def test_copytruncate_while_down_is_made_good_from_the_copy(server, sidelight):
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        sidelight.stop()
        writer.write(700)
        writer.rotate_copytruncate(10, 0)
        writer.write(100)
        sidelight.start()
        assert_clean(server, writer, sidelight)
        assert not sidelight.metric("sidelight_lost_bytes_total")


def test_gzipped_rotation_while_down_is_read(server, sidelight):
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        sidelight.stop()
        writer.write(700)
        writer.rotate_rename(10, 5)
        subprocess.run(["gzip", writer.path + ".1"], check=True)
        writer.write(100)
        sidelight.start()
        assert_clean(server, writer, sidelight)
        assert not sidelight.metric("sidelight_lost_bytes_total")


# -- the checkpoint --------------------------------------------------------------------------------------------------------------


def checkpoint_files(sidelight):
    """All regular files of the state directory but the lock and the dead letters, the newest first."""
    files = [p for p in sidelight.state.iterdir() if p.is_file() and "lock" not in p.name]
    assert files, "no checkpoint was written"
    return sorted(files, key=lambda p: p.stat().st_mtime_ns, reverse=True)


def flip(path):
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data), 7):
        data[at] ^= 0x5A
    path.write_bytes(data)


DAMAGE = {
    "flipped": flip,
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: os.truncate(path, path.stat().st_size * 2 // 3),
    "garbage": lambda path: path.write_bytes(os.urandom(5000)),
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_damaged_checkpoint_does_not_stop_the_program(server, sidelight, damage):
    """The newest file alone is damaged: its predecessor (made when the program started again) is there, and nothing doubles."""
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(500)
        assert_clean(server, writer, sidelight)
        sidelight.stop()
        sidelight.start()
        for _ in range(3):
            writer.write(500)
            time.sleep(1.2)
        assert_clean(server, writer, sidelight)
        sidelight.kill()
        DAMAGE[damage](checkpoint_files(sidelight)[0])
        sidelight.start()
        writer.write(500)
        assert_clean(server, writer, sidelight)
        if damage != "truncated":  # a journal that ends early is what any crash leaves
            assert "checkpoint" in sidelight.log_text()


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_all_checkpoints_damaged_may_double_but_never_lose(server, sidelight, damage):
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        time.sleep(2.5)
        sidelight.stop()
        for path in checkpoint_files(sidelight):
            DAMAGE[damage](path)
        writer.write(500)
        sidelight.start()
        verdict = server.wait_delivered(writer.truth())
        assert verdict["lost"] == 0
        if damage != "truncated":
            assert "checkpoint" in sidelight.log_text()
            assert sidelight.metric("sidelight_checkpoint_damaged_total") >= 1


def crc32c(data):
    """CRC-32C (RFC 3720, B.4), bit by bit: a header is short."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_checkpoint_of_a_future_version_is_kept_aside(server, sidelight):
    """A header that is in order but for its version, as docs/checkpoint.md describes it: a newer program wrote it, and was rolled back."""
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        sidelight.stop()
        journals = {}
        for path in checkpoint_files(sidelight):
            header, rest = path.read_bytes().split(b"\n", 1)
            crc, payload = header.split(b" ", 1)
            assert int(crc, 16) == crc32c(payload)
            future = json.dumps({**json.loads(payload), "version": 99}, separators=(",", ":")).encode()
            journals[path.name] = b"%08x %b\n%b" % (crc32c(future), future, rest)
            path.write_bytes(journals[path.name])
        sidelight.start()
        writer.write(500)
        assert server.wait_delivered(writer.truth())["lost"] == 0
        assert "version 99, this program knows version 1" in sidelight.log_text()
        assert sidelight.metric("sidelight_checkpoint_damaged_total") >= 1
        assert (sidelight.state / "checkpoint.damaged").read_bytes() == journals["checkpoint"]  # for the newer program


def test_state_that_is_removed_under_the_running_program_is_written_anew(server, sidelight):
    sidelight.start()
    writer = new_writer(sidelight)
    writer.write(2000)
    assert_clean(server, writer, sidelight)
    time.sleep(2.5)  # nothing is left to be written
    shutil.rmtree(sidelight.state)
    wait_for((sidelight.state / "checkpoint").exists, 10, "the checkpoint to come back")
    assert "was removed or replaced under the running program" in sidelight.log_text()
    sidelight.kill()
    sidelight.start()
    writer.write(500)
    assert_clean(server, writer, sidelight)


def test_unwritable_state_fails_at_start_with_its_path(program, tmp_path, server):
    need_tmpfs()
    with Tmpfs(tmp_path / "state", 2048) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], check=True)
        sidelight = Sidelight(program, tmp_path, server.url)
        writer = new_writer(sidelight)
        writer.write(100)
        sidelight.start(ready=False)
        wait_for(lambda: str(sidelight.state) in sidelight.log_text(), 10, "a message that names the state directory")
        if sidelight.running():
            sidelight.kill()
        else:
            assert sidelight.process.returncode not in (0, -signal.SIGABRT, -signal.SIGSEGV)
        subprocess.run(["mount", "-o", "remount,rw", str(disk.path)], check=True)
        with sidelight:
            assert_clean(server, writer, sidelight)


def test_checkpoint_cannot_be_written_for_a_while(program, tmp_path, server):
    """Keys have to be durable before the first document goes out, so a new file waits; nothing is lost, nothing doubles."""
    need_tmpfs()
    with Tmpfs(tmp_path / "state", 2048) as disk:
        sidelight = Sidelight(program, tmp_path, server.url, extra={"checkpoint_interval": "50ms"})
        with sidelight:
            writer = new_writer(sidelight)
            writer.write(1000)
            assert_clean(server, writer, sidelight)
            disk.fill()

            def told():  # the last page of the journal takes some more records
                writer.write(300)
                time.sleep(0.5)
                return "checkpoint" in sidelight.log_text()
            wait_for(told, 30, "a message about the checkpoint")
            writer.rotate_rename(5, 5)
            writer.write(300)
            assert sidelight.running()
            disk.free()
            assert_clean(server, writer, sidelight)
            time.sleep(2)
            sidelight.kill()
            sidelight.start()
            writer.write(100)
            assert_clean(server, writer, sidelight)


def test_kill_while_the_checkpoint_cannot_be_written(program, tmp_path, server):
    """The replay from an old checkpoint gives the same ids."""
    need_tmpfs()
    with Tmpfs(tmp_path / "state", 2048) as disk:
        sidelight = Sidelight(program, tmp_path, server.url, extra={"checkpoint_interval": "50ms"})
        with sidelight:
            writer = new_writer(sidelight)
            writer.write(1000)
            assert_clean(server, writer, sidelight)
            time.sleep(2)
            disk.fill()
            for _ in range(3):
                writer.write(300)
                time.sleep(1)
            sidelight.kill()
            disk.free()
            sidelight.start()
            assert_clean(server, writer, sidelight)


# -- full disks ------------------------------------------------------------------------------------------------------------------


def dead_numbers(sidelight):
    numbers = [int(NUMBER.search(str(letter).encode()).group(1)) for letter in sidelight.dead_letters()]
    return sorted(numbers)


def test_dead_letters_disk_full_pauses_and_resumes(program, tmp_path, server):
    need_tmpfs()
    with Tmpfs(tmp_path / "state" / "dead-letters", 1024) as disk:
        server.fault("refuse_every", modulo=100)
        sidelight = Sidelight(program, tmp_path, server.url)
        with sidelight:
            writer = new_writer(sidelight)
            writer.write(1000)
            assert_clean(server, writer, sidelight)
            disk.fill()
            for _ in range(4):
                writer.write(1000)
                time.sleep(1)
            assert sidelight.running()
            assert "dead" in sidelight.log_text()
            disk.free()
            verdict = assert_clean(server, writer, sidelight, patience=60)
            assert verdict["refused"] == 50
            sidelight.stop()
            assert dead_numbers(sidelight) == list(range(0, 5000, 100))


def test_dead_letters_full_pauses_by_its_own_bound(program, tmp_path, server):
    """on_full: pause is the default; max_bytes is the bound."""
    server.fault("refuse_every", modulo=2)
    sidelight = Sidelight(program, tmp_path, server.url, elasticsearch={"dead_letters": {"max_bytes": "1MiB"}})
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(10000)
        wait_for(lambda: sidelight.metric("sidelight_input_paused"), 15, "the input to pause")
        folder = sidelight.state / "dead-letters"
        assert sum(p.stat().st_size for p in folder.iterdir()) <= 1100 * 1024
        assert sidelight.running()
        assert not sidelight.metric("sidelight_dead_letters_dropped_events_total")


def file_output_numbers(path):
    """The numbers in an NDJSON output and its rotated files; every line has to be whole."""
    numbers = []
    for part in sorted(path.parent.glob(path.name + "*")):
        for line in part.read_bytes().splitlines():
            json.loads(line)
            numbers.append(int(NUMBER.search(line).group(1)))
    return sorted(numbers)


def test_file_output_on_a_full_disk_waits(program, tmp_path):
    need_tmpfs()
    with Tmpfs(tmp_path / "out", 8192) as disk:
        target = disk.path / "out.ndjson"
        sidelight = Sidelight(program, tmp_path, None, output={"file": {"path": str(target)}, "flush_interval": "200ms"})
        with sidelight:
            writer = new_writer(sidelight)
            writer.write(2000)
            wait_for(lambda: target.exists() and len(file_output_numbers(target)) == 2000, 10, "2000 lines in the file")
            disk.fill()
            for _ in range(3):
                writer.write(500)
                time.sleep(1)
            assert sidelight.running()
            assert sidelight.metric("sidelight_output_up") == 0
            disk.free()
            wait_for(lambda: len(file_output_numbers(target)) >= writer.next, 40, "all lines in the file")
            sidelight.stop()
            assert file_output_numbers(target) == list(range(writer.next))


def test_file_output_beyond_the_file_size_limit_waits(program, tmp_path):
    """EFBIG in place of ENOSPC: works without root."""
    target = tmp_path / "out.ndjson"
    sidelight = Sidelight(program, tmp_path, None, output={"file": {"path": str(target)}, "flush_interval": "200ms"},
                          preexec=limit_file_size(400_000))
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(5000)
        wait_for(lambda: sidelight.metric("sidelight_output_up") == 0, 15, "the output to be down")
        assert sidelight.running()
        sidelight.kill()
        sidelight.preexec = None
        sidelight.start()
        wait_for(lambda: len(set(file_output_numbers(target))) == 5000, 30, "all lines in the file")


def test_file_output_rotates_by_size_and_survives_kills(program, tmp_path):
    target = tmp_path / "out.ndjson"
    output = {"file": {"path": str(target), "max_bytes": "1MiB", "keep": 50}, "flush_interval": "200ms"}
    sidelight = Sidelight(program, tmp_path, None, output=output)
    with sidelight:
        writer = WriterProcess(sidelight.logs / "app.log", "file", 2000, 6)
        while writer.running():
            time.sleep(2)
            sidelight.kill()
            sidelight.start()
        truth = writer.truth()
        wait_for(lambda: len(set(file_output_numbers(target))) == truth["count"], 30, "all lines in the files")
        sidelight.stop()
        assert file_output_numbers(target) == list(range(truth["count"]))
        assert len(list(tmp_path.glob("out.ndjson.*"))) >= 2


# -- what the destination causes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault,word", [
    ("closed_index", "closed"),
    ("blocked_index", "block"),
    ("missing_pipeline", "pipeline"),
    ("field_limit", "fields"),
    ("field_limit_opensearch", "fields"),
    ("bad_request", "400"),
    ("not_json", ""),
])
def test_trouble_of_the_destination_is_waited_out(server, sidelight, full, fault, word):
    """Never into the dead letters: the cause is named, the lines wait."""
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        server.fault(fault)
        for _ in range(60 if full else 4):
            writer.write(200)
            time.sleep(1)
        assert sidelight.metric("sidelight_output_up") == 0
        assert word in sidelight.log_text()
        server.clear()
        assert_clean(server, writer, sidelight)
        wait_for(lambda: sidelight.metric("sidelight_output_up") == 1, 10, "the output to be up")
        assert sidelight.dead_letters() == []


def test_rotated_key_is_read_again(program, tmp_path, server, full):
    key = tmp_path / "api.key"
    key.write_text("b2xkOmtleQ==\n", encoding="ascii")
    server.fault("unauthorized", expect="ApiKey b2xkOmtleQ==")
    sidelight = Sidelight(program, tmp_path, server.url, elasticsearch={"api_key_file": str(key)})
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)
        server.fault("unauthorized", expect="ApiKey bmV3OmtleQ==")
        for _ in range(60 if full else 4):
            writer.write(200)
            time.sleep(1)
        assert sidelight.metric("sidelight_output_up") == 0
        log = sidelight.log_text()
        assert "401" in log
        assert "b2xkOmtleQ" not in log, "the key is in the log"
        key.write_text("bmV3OmtleQ==\n", encoding="ascii")
        assert_clean(server, writer, sidelight)
        assert sidelight.dead_letters() == []


def test_first_host_is_dead_the_second_serves(program, tmp_path, server):
    sidelight = Sidelight(program, tmp_path, [f"http://127.0.0.1:{free_port()}", server.url])
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(1000)
        assert_clean(server, writer, sidelight)


def test_data_stream_that_is_a_plain_index_stops_sending(program, tmp_path, server):
    """Without a template an engine makes a plain index silently; that is said, and nothing is sent into it."""
    server.fault("plain_index", stream=STREAM)
    sidelight = Sidelight(program, tmp_path, server.url)
    with sidelight:
        writer = new_writer(sidelight)
        writer.write(100)
        wait_for(lambda: sidelight.metric("sidelight_output_up") == 0, 15, "the output to be down")
        assert STREAM in sidelight.log_text()
        assert server.stats()["documents"] == 0
