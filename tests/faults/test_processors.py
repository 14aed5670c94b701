"""Processors and routes under kills and dead destinations: what is kept arrives once, what is hidden is nowhere."""

import datetime
import json
import time

from rig import STREAM, FaultServer, Sidelight, wait_for

START = datetime.datetime(2026, 11, 24, 10, 0, 0, tzinfo=datetime.timezone.utc)
A_SECOND = 1000  # lines in a second of the log's own time
LIMIT = 300


def line(number):
    stamp = (START + datetime.timedelta(milliseconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    level = "debug" if number % 6 == 5 else "info"
    return json.dumps({"time": stamp, "level": level, "msg": f"n={number:09d}"}) + "\n"


def documents(path):
    """Whole lines: the last one may be on its way."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(one) for one in text[:text.rfind("\n") + 1].splitlines()]


def test_drops_limits_and_kills(program, tmp_path):
    """A replay drops what the first run dropped: the kept lines, and the summaries' counts, are those of a run without kills."""
    out = tmp_path / "out.ndjson"
    sidelight = Sidelight(program, tmp_path, "", output={"file": {"path": str(out)}, "flush_interval": "50ms"}, extra={
        "checkpoint_interval": "100ms",
        "processors": [{"drop": {}, "when": {"level": "debug"}}, {"rate_limit": {"events": LIMIT, "per": "1s"}}]})
    count, kills = 30 * A_SECOND, 0
    with sidelight:
        with open(sidelight.logs / "app.log", "a", encoding="utf-8") as log:
            for first in range(0, count, 50):
                log.write("".join(line(n) for n in range(first, first + 50)))
                log.flush()
                time.sleep(0.008)
                if first % 5000 == 2500:
                    sidelight.kill()
                    kills += 1
                    sidelight.start(ready=False)
        wait_for(sidelight.ready, 15, "/readyz")
        assert sidelight.stop()[0] == 0, sidelight.log_text()[-2000:]
    assert kills == 6
    shipped = documents(out)
    ids = [d["event"]["id"] for d in shipped]
    assert len(set(ids)) == len(ids), "a document twice"
    summaries = [d for d in shipped if d.get("labels", {}).get("sidelight.summary") == "rate_limit"]
    kept = sorted(int(d["message"][2:]) for d in shipped if d["message"].startswith("n="))
    wanted, dropped = [], {}
    for second in range(count // A_SECOND):
        numbers = [n for n in range(second * A_SECOND, (second + 1) * A_SECOND) if n % 6 != 5]
        wanted += numbers[:LIMIT]
        dropped[numbers[LIMIT]] = len(numbers) - LIMIT
    assert kept == wanted
    told = {round((datetime.datetime.fromisoformat(d["@timestamp"]) - START).total_seconds() * 1000):
            int(d["labels"]["sidelight.suppressed"]) for d in summaries}
    assert told == dropped
    assert len(summaries) == len(dropped)


def test_redacted_values_are_nowhere(program, tmp_path):
    """Not in what is sent, not in dead letters with their original lines, not in the program's own log."""
    secrets = ["ivan.petrov@shop.example", "4111 1111 1111 1111", "+7 (916) 123-45-67", "DE89370400440532013000",
               "0123456789abcdefTOKEN", "hunter2-password"]
    with FaultServer() as server:
        server.fault("refuse_every", modulo=7)
        sidelight = Sidelight(program, tmp_path, server.url, extra={"processors": [
            {"redact": {}}, {"redact": {"fields": ["password"]}}]})
        with sidelight, open(sidelight.logs / "app.log", "a", encoding="utf-8") as log:
            for n in range(700):
                message = (f"n={n:09d} run=redact mail {secrets[0]} card {secrets[1]} call {secrets[2]} pay {secrets[3]} "
                           f"Authorization: Bearer {secrets[4]} end={n:09d}")
                log.write(json.dumps({"msg": message, "password": secrets[5], "owner": {secrets[0]: [secrets[1]]}}) + "\n")
            log.flush()
            verdict = server.wait_delivered({"count": 700, "optional": []})
            letters = wait_for(lambda: len(sidelight.dead_letters()) == 100 and sidelight.dead_letters(), 10, "dead letters")
            assert verdict["doubled"] == 0
            assert sidelight.stop()[0] == 0
        assert all("[email]" in letter["original"] and "[card]" in letter["original"] for letter in letters)
        kept = b"".join(p.read_bytes() for p in sorted(tmp_path.rglob("*"))
                        if p.is_file() and "logs" not in p.relative_to(tmp_path).parts[:1])
        assert b"[email]" in kept
        for secret in secrets:
            assert secret.encode() not in kept, secret


def test_a_dead_output_does_not_stop_the_others(program, tmp_path):
    """Its share of the memory is full, its input waits; the other input is shipped to its end. Later nothing is missing."""
    padding = "x" * 900
    with FaultServer() as server:
        server.fault("refuse")
        good = tmp_path / "good.ndjson"
        sidelight = Sidelight(program, tmp_path, server.url, extra={"memory_budget": "16MiB"})
        sidelight.settings.pop("output")
        sidelight.settings["outputs"] = [
            {"name": "good", "file": {"path": str(good)}, "flush_interval": "100ms"},
            {"name": "dead", "flush_interval": "100ms",
             "elasticsearch": {"hosts": [server.url], "data_stream": STREAM, "backoff_initial": "100ms", "backoff_max": "1s"}}]
        sidelight.settings["logs"] = [{"paths": [str(sidelight.logs / "good.log")], "name": "good"},
                                      {"paths": [str(sidelight.logs / "dead.log")], "name": "dead", "output": "dead"}]
        sidelight.write_config()
        count = 20000
        with sidelight:
            for name in ("dead", "good"):
                with open(sidelight.logs / f"{name}.log", "a", encoding="utf-8") as log:
                    for n in range(count):
                        log.write(f"n={n:09d} run={name} {padding} end={n:09d}\n")
            wait_for(lambda: len(documents(good)) == count, 60, "the lines of the good output")
            before = sidelight.cpu_seconds()
            time.sleep(3)
            assert sidelight.cpu_seconds() - before < 1, "it waits, it does not spin"
            assert sidelight.metric("sidelight_in_flight_bytes") < 16 << 20
            server.clear()
            verdict = server.wait_delivered({"count": count, "optional": []}, patience=30)
            assert (verdict["lost"], verdict["doubled"]) == (0, 0), verdict
            assert sidelight.stop()[0] == 0, sidelight.log_text()[-2000:]


def test_each_event_goes_where_its_route_says(program, tmp_path):
    """By condition, to one output or to two; a kill doubles nothing in either."""
    outs = {name: tmp_path / f"{name}.ndjson" for name in ("main", "errors", "audit")}
    sidelight = Sidelight(program, tmp_path, "", log={"routes": [
        {"when": {"level": "error"}, "output": "errors", "copy": True},
        {"when": {"field": {"name": "kind", "equals": "audit"}}, "output": "audit"}]}, extra={"checkpoint_interval": "100ms"})
    sidelight.settings.pop("output")
    sidelight.settings["outputs"] = [{"name": name, "file": {"path": str(path)}, "flush_interval": "50ms"}
                                     for name, path in outs.items()]
    sidelight.write_config()
    count = 6000
    with sidelight, open(sidelight.logs / "app.log", "a", encoding="utf-8") as log:
        for n in range(count):
            log.write(json.dumps({"msg": str(n), "level": "error" if n % 3 == 0 else "info",
                                  "kind": "audit" if n % 5 == 0 else "other"}) + "\n")
            if n % 2000 == 1000:
                log.flush()
                time.sleep(0.3)
                sidelight.kill()
                sidelight.start(ready=False)
        log.flush()
        wait_for(sidelight.ready, 15, "/readyz")
        assert sidelight.stop()[0] == 0
    got = {name: [int(d["message"]) for d in documents(path)] for name, path in outs.items()}
    assert got["errors"] == [n for n in range(count) if n % 3 == 0]
    assert got["audit"] == [n for n in range(count) if n % 5 == 0]
    assert got["main"] == [n for n in range(count) if n % 5 != 0]
